#include "sleep.h"

#include <errno.h>
#include <wasi/api.h>

#include "../src/host.h"

#define NS 1000000000ll

HOST(thread_wait) int host_thread_wait(volatile uint32_t *word, uint32_t value, int64_t deadline);
HOST(thread_wake) int host_thread_wake(volatile uint32_t *word, uint32_t count, uint32_t *ret);

int __belljar_sleep(volatile uint32_t *word, uint32_t value, int64_t deadline)
{
	return BLOCKING(host_thread_wait(word, value, deadline));
}

void __belljar_wake(volatile uint32_t *word, uint32_t count)
{
	uint32_t woken;
	host_thread_wake(word, count, &woken);
}

static int64_t now(__wasi_clockid_t clock)
{
	uint64_t t = 0;
	return __wasi_clock_time_get(clock, 0, &t) == 0 ? (int64_t)t : 0;
}

int64_t __belljar_deadline(clockid_t clock, const struct timespec *time)
{
	if (time->tv_nsec < 0 || time->tv_nsec >= NS)
		return -1;
	if (time->tv_sec < 0)
		return 0;
	if (time->tv_sec > INT64_MAX / NS - 1)
		return INT64_MAX;
	int64_t t = (int64_t)time->tv_sec * NS + time->tv_nsec;
	if (clock == CLOCK_REALTIME) {
		int64_t left = t - now(__WASI_CLOCKID_REALTIME), start = now(__WASI_CLOCKID_MONOTONIC);
		t = left < 0 ? 0 : left > INT64_MAX - start ? INT64_MAX : start + left;
	}
	return t;
}

int64_t __belljar_soon(int64_t ns, int64_t deadline)
{
	int64_t soon = now(__WASI_CLOCKID_MONOTONIC) + ns;
	return deadline >= 0 && deadline < soon ? deadline : soon;
}
