// What quickjs.c needs for Atomics, of one thread: nobody else can change what is waited for, so a wait that has no end
// has none, and the sandbox's limits see to it.
#include <errno.h>
#include <stdint.h>
#include <time.h>

#include "main.h"
#include "quickjs-c-atomics.h"
#define CONFIG_ATOMICS

typedef char js_mutex_t, js_cond_t;
typedef char js_once_t;
#define JS_ONCE_INIT 0

static void js_once(js_once_t *once, void (*call)(void))
{
	if (*once)
		return;
	*once = 1;
	call();
}

static void js_mutex_init(js_mutex_t *mutex) {}
static void js_mutex_lock(js_mutex_t *mutex) {}
static void js_mutex_unlock(js_mutex_t *mutex) {}
static void js_cond_init(js_cond_t *cond) {}
static void js_cond_destroy(js_cond_t *cond) {}
static void js_cond_signal(js_cond_t *cond) {}

// js_cond_timedwait answers -1 when the time is over, which is in nanoseconds, and 0 if the cell was interrupted before.
static int js_cond_timedwait(js_cond_t *cond, js_mutex_t *mutex, uint64_t timeout)
{
	struct timespec left = {timeout / 1000000000, timeout % 1000000000};
	while (nanosleep(&left, &left) && errno == EINTR)
		if (session_interrupted())
			return 0;
	return -1;
}

static void js_cond_wait(js_cond_t *cond, js_mutex_t *mutex)
{
	while (js_cond_timedwait(cond, mutex, UINT64_C(3600000000000))) {
	}
}
