// Mutexes, conditions, read-write locks and semaphores. Nothing here is interrupted but where it sleeps.
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <string.h>

#include "../src/host.h"
#include "sleep.h"

// The forms of wasi-libc's types, whose initialisers are zeroes. The attributes' functions are wasi-libc's.
struct mutex {
	int type; // pthread_mutex_init writes it
	uint32_t held, sleepers;
	unsigned count; // of a recursive one, beyond the first
	pthread_t owner;
};

struct cond {
	uint32_t turn, sleepers;
	clockid_t clock;
};

struct rwlock {
	uint32_t turn, sleepers;
	int holders; // -1: a writer
};

_Static_assert(sizeof(struct mutex) <= sizeof(pthread_mutex_t), "mutex");
_Static_assert(sizeof(struct cond) <= sizeof(pthread_cond_t), "cond");
_Static_assert(sizeof(struct rwlock) <= sizeof(pthread_rwlock_t), "rwlock");

#define MUTEX(m) ((struct mutex *)(m))
#define COND(c) ((struct cond *)(c))
#define RWLOCK(l) ((struct rwlock *)(l))

int pthread_mutex_init(pthread_mutex_t *restrict m, const pthread_mutexattr_t *restrict attr)
{
	int type = PTHREAD_MUTEX_NORMAL;
	memset(m, 0, sizeof *m);
	if (attr)
		pthread_mutexattr_gettype(attr, &type);
	MUTEX(m)->type = type;
	return 0;
}

int pthread_mutex_destroy(pthread_mutex_t *m) { return MUTEX(m)->held ? EBUSY : 0; }

// lock waits until deadline; of -2 not at all.
static int lock(struct mutex *m, int64_t deadline)
{
	if (m->held && m->owner == pthread_self()) {
		if (m->type == PTHREAD_MUTEX_RECURSIVE)
			return m->count == UINT32_MAX ? EAGAIN : (m->count++, 0);
		if (m->type == PTHREAD_MUTEX_ERRORCHECK)
			return deadline == -2 ? EBUSY : EDEADLK;
	}
	while (m->held) {
		if (deadline == -2)
			return EBUSY;
		m->sleepers++;
		int err = __belljar_sleep(&m->held, 1, deadline);
		m->sleepers--;
		if (err == ETIMEDOUT && m->held)
			return err;
	}
	m->held = 1;
	m->owner = pthread_self();
	return 0;
}

int pthread_mutex_lock(pthread_mutex_t *m) { return lock(MUTEX(m), -1); }
int pthread_mutex_trylock(pthread_mutex_t *m) { return lock(MUTEX(m), -2); }

int pthread_mutex_timedlock(pthread_mutex_t *restrict m, const struct timespec *restrict time)
{
	if (!MUTEX(m)->held)
		return lock(MUTEX(m), -1);
	int64_t deadline = __belljar_deadline(CLOCK_REALTIME, time);
	return deadline < 0 ? EINVAL : lock(MUTEX(m), deadline);
}

int pthread_mutex_unlock(pthread_mutex_t *mutex)
{
	struct mutex *m = MUTEX(mutex);
	if (m->type != PTHREAD_MUTEX_NORMAL && (!m->held || m->owner != pthread_self()))
		return EPERM;
	if (m->count > 0) {
		m->count--;
		return 0;
	}
	m->held = 0;
	m->owner = NULL;
	if (m->sleepers)
		__belljar_wake(&m->held, 1);
	return 0;
}

int pthread_cond_init(pthread_cond_t *restrict c, const pthread_condattr_t *restrict attr)
{
	memset(c, 0, sizeof *c);
	COND(c)->clock = CLOCK_REALTIME;
	if (attr)
		pthread_condattr_getclock(attr, &COND(c)->clock);
	return 0;
}

int pthread_cond_destroy(pthread_cond_t *c) { return COND(c)->sleepers ? EBUSY : 0; }

static int wait(struct cond *c, pthread_mutex_t *m, int64_t deadline)
{
	uint32_t turn = c->turn;
	int err = pthread_mutex_unlock(m);
	if (err)
		return err;
	c->sleepers++;
	err = __belljar_sleep(&c->turn, turn, deadline);
	c->sleepers--;
	pthread_mutex_lock(m);
	return err == ETIMEDOUT ? err : 0;
}

int pthread_cond_wait(pthread_cond_t *restrict c, pthread_mutex_t *restrict m) { return wait(COND(c), m, -1); }

int pthread_cond_timedwait(pthread_cond_t *restrict c, pthread_mutex_t *restrict m, const struct timespec *restrict time)
{
	// One that was made by its initialiser is zero, and has the clock of the time of day.
	clockid_t clock = COND(c)->clock ? COND(c)->clock : CLOCK_REALTIME;
	int64_t deadline = __belljar_deadline(clock, time);
	return deadline < 0 ? EINVAL : wait(COND(c), m, deadline);
}

static int wake(struct cond *c, uint32_t count)
{
	if (c->sleepers) {
		c->turn++;
		__belljar_wake(&c->turn, count);
	}
	return 0;
}

int pthread_cond_signal(pthread_cond_t *c) { return wake(COND(c), 1); }
int pthread_cond_broadcast(pthread_cond_t *c) { return wake(COND(c), UINT32_MAX); }

int pthread_rwlock_init(pthread_rwlock_t *restrict l, const pthread_rwlockattr_t *restrict attr)
{
	(void)attr;
	memset(l, 0, sizeof *l);
	return 0;
}

int pthread_rwlock_destroy(pthread_rwlock_t *l) { return RWLOCK(l)->holders ? EBUSY : 0; }

static int share(struct rwlock *l, int write, int try)
{
	while (write ? l->holders != 0 : l->holders < 0) {
		if (try)
			return EBUSY;
		l->sleepers++;
		__belljar_sleep(&l->turn, l->turn, -1);
		l->sleepers--;
	}
	l->holders = write ? -1 : l->holders + 1;
	return 0;
}

int pthread_rwlock_rdlock(pthread_rwlock_t *l) { return share(RWLOCK(l), 0, 0); }
int pthread_rwlock_tryrdlock(pthread_rwlock_t *l) { return share(RWLOCK(l), 0, 1); }
int pthread_rwlock_wrlock(pthread_rwlock_t *l) { return share(RWLOCK(l), 1, 0); }
int pthread_rwlock_trywrlock(pthread_rwlock_t *l) { return share(RWLOCK(l), 1, 1); }

int pthread_rwlock_unlock(pthread_rwlock_t *lock)
{
	struct rwlock *l = RWLOCK(lock);
	l->holders = l->holders > 0 ? l->holders - 1 : 0;
	if (l->holders == 0 && l->sleepers) {
		l->turn++;
		__belljar_wake(&l->turn, UINT32_MAX);
	}
	return 0;
}

// A semaphore's first word is its value, the second counts its sleepers.
#define VALUE(s) ((volatile uint32_t *)&(s)->__val[0])

static int failed(int err)
{
	errno = err;
	return -1;
}

int sem_init(sem_t *s, int shared, unsigned value)
{
	if (shared || value > INT32_MAX)
		return failed(shared ? ENOSYS : EINVAL);
	memset((void *)s, 0, sizeof *s);
	*VALUE(s) = value;
	return 0;
}

int sem_destroy(sem_t *s) { return (void)s, 0; }
int sem_getvalue(sem_t *restrict s, int *restrict value) { return *value = (int)*VALUE(s), 0; }
int sem_trywait(sem_t *s) { return *VALUE(s) ? (--*VALUE(s), 0) : failed(EAGAIN); }

// A signal may have come between the last look for one and the sleep, which it would then not end. Who is told of it by
// EINTR may wait again at once, without having seen to it, so that others have to get their turn meanwhile.
#define LOOK 1000000

static int take(sem_t *s, int64_t deadline)
{
	while (*VALUE(s) == 0) {
		int due = __belljar_handles_signals() && __belljar_due();
		s->__val[1]++;
		int err = __belljar_sleep(VALUE(s), 0, due ? __belljar_soon(LOOK, deadline) : deadline);
		s->__val[1]--;
		if ((err == ETIMEDOUT || err == EINTR) && *VALUE(s) == 0)
			return failed(due ? EINTR : err);
	}
	--*VALUE(s);
	return 0;
}

int sem_wait(sem_t *s) { return take(s, -1); }

int sem_clockwait(sem_t *restrict s, clockid_t clock, const struct timespec *restrict time)
{
	if (*VALUE(s))
		return sem_trywait(s);
	int64_t deadline = __belljar_deadline(clock, time);
	return deadline < 0 ? failed(EINVAL) : take(s, deadline);
}

int sem_timedwait(sem_t *restrict s, const struct timespec *restrict time)
{
	return sem_clockwait(s, CLOCK_REALTIME, time);
}

int sem_post(sem_t *s)
{
	if (*VALUE(s) == INT32_MAX)
		return failed(EOVERFLOW);
	++*VALUE(s);
	if (s->__val[1])
		__belljar_wake(VALUE(s), 1);
	return 0;
}
