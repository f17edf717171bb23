// Waiting for descriptors and time. wasi-libc's own don't know of signals.
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>
#include <signal.h>
#include <wasi/api.h>

#include "host.h"

#define NS 1000000000ull

static __wasi_subscription_t clock_subscription(__wasi_clockid_t clock, uint64_t ns, __wasi_subclockflags_t flags)
{
	__wasi_subscription_t s = {.u.tag = __WASI_EVENTTYPE_CLOCK};
	s.u.u.clock.id = clock;
	s.u.u.clock.timeout = ns;
	s.u.u.clock.flags = flags;
	return s;
}

static __wasi_subscription_t fd_subscription(size_t index, int fd, __wasi_eventtype_t type)
{
	__wasi_subscription_t s = {.userdata = index, .u.tag = type};
	s.u.u.fd_read.file_descriptor = fd;
	return s;
}

static short poll_events(const __wasi_event_t *e)
{
	if (e->error == EBADF)
		return POLLNVAL;
	if (e->error == EPIPE)
		return POLLHUP;
	if (e->error)
		return POLLERR;
	short events = e->type == __WASI_EVENTTYPE_FD_READ ? POLLRDNORM : POLLWRNORM;
	if (e->fd_readwrite.flags & __WASI_EVENTRWFLAGS_FD_READWRITE_HANGUP)
		events |= POLLHUP;
	return events;
}

// wait_for is poll with nanoseconds; a negative timeout waits for ever.
static int wait_for(struct pollfd *fds, size_t count, int64_t timeout)
{
	__wasi_subscription_t *subs = calloc(count * 2 + 1, sizeof *subs);
	__wasi_event_t *events = calloc(count * 2 + 1, sizeof *events);
	size_t n = 0, got = 0;
	int err = subs && events ? 0 : ENOMEM, ready = 0;
	for (size_t i = 0; err == 0 && i < count; i++) {
		fds[i].revents = 0;
		if (fds[i].fd < 0)
			continue;
		if (fds[i].events & POLLRDNORM)
			subs[n++] = fd_subscription(i, fds[i].fd, __WASI_EVENTTYPE_FD_READ);
		if (fds[i].events & POLLWRNORM)
			subs[n++] = fd_subscription(i, fds[i].fd, __WASI_EVENTTYPE_FD_WRITE);
	}
	if (err == 0 && n == 0 && timeout < 0) {
		free(subs);
		free(events);
		return pause();
	}
	if (timeout >= 0)
		subs[n++] = clock_subscription(__WASI_CLOCKID_MONOTONIC, (uint64_t)timeout, 0);
	if (err == 0)
		err = POLLING(__wasi_poll_oneoff(subs, events, n, &got));
	for (size_t i = 0; err == 0 && i < got; i++) {
		if (events[i].type == __WASI_EVENTTYPE_CLOCK)
			continue;
		struct pollfd *p = &fds[events[i].userdata];
		ready += p->revents == 0;
		p->revents |= poll_events(&events[i]);
	}
	free(subs);
	free(events);
	return err ? done(err) : ready;
}

int poll(struct pollfd *fds, nfds_t count, int timeout)
{
	return wait_for(fds, count, timeout < 0 ? -1 : (int64_t)timeout * 1000000);
}

int ppoll(struct pollfd *fds, nfds_t count, const struct timespec *timeout, const sigset_t *mask)
{
	sigset_t old;
	if (mask && count == 0 && timeout == NULL)
		return sigsuspend(mask);
	if (mask) {
		// What the mask lets through ends the wait: it is put off until that has begun.
		__belljar_enter();
		int err = host_sig_mask(SIG_SETMASK, *mask, &old);
		if (err) {
			__belljar_leave();
			return done(err);
		}
	}
	int n = wait_for(fds, count, timeout ? (int64_t)((uint64_t)timeout->tv_sec * NS + (uint64_t)timeout->tv_nsec) : -1);
	if (mask) {
		int err = errno;
		sigprocmask(SIG_SETMASK, &old, NULL);
		errno = err;
	}
	return n;
}

static short want(int fd, fd_set *read, fd_set *write)
{
	return (short)((read && FD_ISSET(fd, read) ? POLLRDNORM : 0) | (write && FD_ISSET(fd, write) ? POLLWRNORM : 0));
}

// keep makes set what is ready, and counts it.
static int keep(fd_set *set, const struct pollfd *fds, size_t count, short events)
{
	if (set == NULL)
		return 0;
	int n = 0;
	FD_ZERO(set);
	for (size_t i = 0; i < count; i++)
		if (fds[i].events & events && fds[i].revents & (events | POLLHUP | POLLERR)) {
			FD_SET(fds[i].fd, set);
			n++;
		}
	return n;
}

int pselect(int max, fd_set *restrict read, fd_set *restrict write, fd_set *restrict except,
	const struct timespec *restrict timeout, const sigset_t *restrict mask)
{
	if (max < 0 || max > FD_SETSIZE)
		return done(EINVAL);
	struct pollfd *fds = calloc((size_t)max + 1, sizeof *fds);
	if (fds == NULL)
		return done(ENOMEM);
	size_t count = 0;
	for (int fd = 0; fd < max; fd++) {
		short events = want(fd, read, write);
		if (events)
			fds[count++] = (struct pollfd){.fd = fd, .events = events};
	}
	int n = ppoll(fds, count, timeout, mask), err = errno;
	for (size_t i = 0; n > 0 && i < count; i++)
		if (fds[i].revents & POLLNVAL) {
			n = -1;
			err = EBADF;
		}
	if (n >= 0) {
		n = keep(read, fds, count, POLLRDNORM) + keep(write, fds, count, POLLWRNORM);
		if (except)
			FD_ZERO(except);
	}
	free(fds);
	errno = err;
	return n;
}

int select(int max, fd_set *restrict read, fd_set *restrict write, fd_set *restrict except, struct timeval *restrict timeout)
{
	struct timespec ts;
	if (timeout)
		ts = (struct timespec){.tv_sec = timeout->tv_sec, .tv_nsec = (long)timeout->tv_usec * 1000};
	return pselect(max, read, write, except, timeout ? &ts : NULL, NULL);
}

static __wasi_clockid_t clock_number(clockid_t clock)
{
	return clock == CLOCK_REALTIME ? __WASI_CLOCKID_REALTIME : __WASI_CLOCKID_MONOTONIC;
}

static uint64_t now(__wasi_clockid_t clock)
{
	uint64_t t = 0;
	return __wasi_clock_time_get(clock, 0, &t) == 0 ? t : 0;
}

int clock_nanosleep(clockid_t id, int flags, const struct timespec *time, struct timespec *left)
{
	if (time->tv_sec < 0 || time->tv_nsec < 0 || time->tv_nsec >= (long)NS)
		return EINVAL;
	__wasi_clockid_t clock = clock_number(id);
	uint64_t until = (uint64_t)time->tv_sec * NS + (uint64_t)time->tv_nsec;
	if (!(flags & TIMER_ABSTIME))
		until += now(clock);
	__wasi_subscription_t s = clock_subscription(clock, until, __WASI_SUBCLOCKFLAGS_SUBSCRIPTION_CLOCK_ABSTIME);
	__wasi_event_t event;
	size_t got;
	__belljar_enter();
	int err = __wasi_poll_oneoff(&s, &event, 1, &got);
	__belljar_leave();
	if (err == EINTR && left && !(flags & TIMER_ABSTIME)) {
		uint64_t t = now(clock), rest = until > t ? until - t : 0;
		*left = (struct timespec){.tv_sec = (time_t)(rest / NS), .tv_nsec = (long)(rest % NS)};
	}
	return err;
}

int nanosleep(const struct timespec *time, struct timespec *left)
{
	return done(clock_nanosleep(CLOCK_MONOTONIC, 0, time, left));
}

unsigned sleep(unsigned seconds)
{
	struct timespec t = {.tv_sec = seconds}, left = {0};
	return nanosleep(&t, &left) < 0 ? (unsigned)left.tv_sec + (left.tv_nsec > 0) : 0;
}

int usleep(unsigned us)
{
	struct timespec t = {.tv_sec = us / 1000000, .tv_nsec = (long)(us % 1000000) * 1000};
	return nanosleep(&t, NULL);
}

static uint64_t span(const struct timeval *t) { return (uint64_t)t->tv_sec * NS + (uint64_t)t->tv_usec * 1000; }

static struct timeval micro(uint64_t ns)
{
	return (struct timeval){.tv_sec = (time_t)(ns / NS), .tv_usec = (suseconds_t)(ns % NS / 1000)};
}


int setitimer(int which, const struct itimerval *restrict new, struct itimerval *restrict old)
{
	uint64_t was[2] = {0};
	if (which != ITIMER_REAL)
		return done(EINVAL);
	int err = host_sig_timer((int64_t)span(&new->it_value), (int64_t)span(&new->it_interval), was);
	if (err)
		return done(err);
	if (old)
		*old = (struct itimerval){.it_value = micro(was[0]), .it_interval = micro(was[1])};
	return 0;
}

int getitimer(int which, struct itimerval *t)
{
	struct itimerval off = {0}, left;
	if (setitimer(which, &off, &left) < 0)
		return -1;
	*t = left;
	return setitimer(which, &left, NULL);
}

unsigned alarm(unsigned seconds)
{
	struct itimerval t = {.it_value.tv_sec = seconds}, old = {0};
	setitimer(ITIMER_REAL, &t, &old);
	return (unsigned)old.it_value.tv_sec + (old.it_value.tv_usec >= 500000 || (old.it_value.tv_sec == 0 && old.it_value.tv_usec > 0));
}

unsigned ualarm(unsigned us, unsigned interval)
{
	struct itimerval t = {.it_value = micro(us * 1000ull), .it_interval = micro(interval * 1000ull)}, old = {0};
	setitimer(ITIMER_REAL, &t, &old);
	return (unsigned)(span(&old.it_value) / 1000);
}

int settimeofday(const struct timeval *tv, const struct timezone *tz) { return (void)tv, (void)tz, done(EPERM); }
int clock_settime(clockid_t clock, const struct timespec *ts) { return (void)clock, (void)ts, done(EPERM); }
