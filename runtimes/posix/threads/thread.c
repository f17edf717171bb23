// POSIX threads that take turns: one of a process runs at a time, and another takes over when it waits in the host, or
// yields. So what looks at memory and then changes it needs no atomic instructions, and a thread that waits asks the host
// to sleep on a word of memory.
//
// The host keeps each thread's stack pointer, and for each its own value of the words named by __belljar_thread_word.
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../src/host.h"
#include "sleep.h"

#define STACK_SIZE (1u << 20)
#define KEYS 128
#define MAX_WORDS 8
#define DESTRUCTOR_ROUNDS 4

HOST(thread_create) int host_thread_create(struct __pthread *arg, void *stack, void *const *words, size_t count,
	uint32_t *ret);
HOST(thread_exit) int host_thread_exit(void);

struct __pthread {
	struct __pthread *next; // among the dead
	void *(*start)(void *);
	void *arg, *result;
	void *stack;
	uint32_t number;
	uint32_t ended; // 1: no instruction of it is left but its return to the host
	int detached;
	void *specific[KEYS];
};

static struct __pthread first = {.number = 1}, *self = &first, *dead;
static void *words[MAX_WORDS];
static size_t word_count;

int __belljar_thread_word(void *word)
{
	for (size_t i = 0; i < word_count; i++)
		if (words[i] == word)
			return 0;
	if (word_count == MAX_WORDS)
		return done(ENOMEM);
	words[word_count++] = word;
	return 0;
}

__attribute__((constructor(52))) static void name_words(void)
{
	__belljar_thread_word(&errno);
	__belljar_thread_word(&self);
}

// Signals come to the first thread.
int __belljar_handles_signals(void) { return self == &first; }

static struct {
	int used;
	void (*destroy)(void *);
} keys[KEYS];

int pthread_key_create(pthread_key_t *key, void (*destroy)(void *))
{
	for (unsigned i = 0; i < KEYS; i++)
		if (!keys[i].used) {
			keys[i].used = 1;
			keys[i].destroy = destroy;
			self->specific[i] = NULL;
			*key = i;
			return 0;
		}
	return EAGAIN;
}

int pthread_key_delete(pthread_key_t key)
{
	if (key >= KEYS || !keys[key].used)
		return EINVAL;
	keys[key].used = 0;
	return 0;
}

void *pthread_getspecific(pthread_key_t key) { return key < KEYS ? self->specific[key] : NULL; }

int pthread_setspecific(pthread_key_t key, const void *value)
{
	if (key >= KEYS || !keys[key].used)
		return EINVAL;
	self->specific[key] = (void *)value;
	return 0;
}

static void destroy_specific(void)
{
	for (int round = 0, found = 1; found && round < DESTRUCTOR_ROUNDS; round++) {
		found = 0;
		for (int i = 0; i < KEYS; i++) {
			void *value = self->specific[i];
			if (value == NULL || !keys[i].used || keys[i].destroy == NULL)
				continue;
			self->specific[i] = NULL;
			keys[i].destroy(value);
			found = 1;
		}
	}
}

static void bury(struct __pthread *t)
{
	free(t->stack);
	free(t);
}

// bury_dead frees threads that nobody waits for. They have left their stacks: who runs now has had its turn after them.
static void bury_dead(void)
{
	while (dead) {
		struct __pthread *t = dead;
		dead = t->next;
		bury(t);
	}
}

static void finish(void *result)
{
	destroy_specific();
	bury_dead();
	self->result = result;
	self->ended = 1;
	if (self->detached) {
		self->next = dead;
		dead = self;
	} else
		__belljar_wake(&self->ended, 1);
}

__attribute__((export_name("belljar_thread"))) void belljar_thread(struct __pthread *t)
{
	self = t;
	finish(t->start(t->arg));
}

_Noreturn void pthread_exit(void *result)
{
	if (self == &first) {
		// The process lives on as long as another thread doesn't end it.
		destroy_specific();
		for (;;)
			pause();
	}
	finish(result);
	for (;;)
		host_thread_exit();
}

int pthread_create(pthread_t *restrict thread, const pthread_attr_t *restrict attr, void *(*start)(void *),
	void *restrict arg)
{
	size_t size = STACK_SIZE;
	int detach = PTHREAD_CREATE_JOINABLE;
	if (attr) {
		pthread_attr_getstacksize(attr, &size);
		pthread_attr_getdetachstate(attr, &detach);
	}
	bury_dead();
	struct __pthread *t = calloc(1, sizeof *t);
	size = (size + 15) & ~(size_t)15;
	if (t == NULL || (t->stack = malloc(size)) == NULL) {
		free(t);
		return EAGAIN;
	}
	t->start = start;
	t->arg = arg;
	t->detached = detach == PTHREAD_CREATE_DETACHED;
	uint32_t number;
	int err = host_thread_create(t, (char *)((uintptr_t)t->stack & ~(uintptr_t)15) + size - 16, words, word_count, &number);
	if (err) {
		bury(t);
		return err == ENOSYS ? EAGAIN : err;
	}
	t->number = number; // it has its first turn after this one's
	*thread = t;
	return 0;
}

unsigned __belljar_thread_number(void) { return self->number; }

int pthread_join(pthread_t t, void **result)
{
	if (t == self)
		return EDEADLK;
	if (t->detached)
		return EINVAL;
	while (!t->ended)
		__belljar_sleep(&t->ended, 0, -1);
	if (result)
		*result = t->result;
	bury(t);
	return 0;
}

int pthread_detach(pthread_t t)
{
	if (t->detached)
		return EINVAL;
	t->detached = 1;
	if (t->ended) {
		t->next = dead;
		dead = t;
	}
	return 0;
}

pthread_t pthread_self(void) { return self; }
#undef pthread_equal
int pthread_equal(pthread_t a, pthread_t b) { return a == b; }

// Signals are the process's; the first thread handles them.
int pthread_kill(pthread_t t, int sig)
{
	if (t->ended)
		return ESRCH;
	return kill(getpid(), sig) < 0 ? errno : 0;
}

int pthread_once(pthread_once_t *once, void (*init)(void))
{
	if (*once == 0) {
		*once = 1;
		init();
	}
	return 0;
}

// wasi-libc's object with these has a pthread_exit, too; its pthread_attr_init asks for them.
void __acquire_ptc(void) {}
void __release_ptc(void) {}
void __pthread_tsd_run_dtors(void) {}
