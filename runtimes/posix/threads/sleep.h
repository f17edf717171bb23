// Sleeping on a word of memory, as Linux's futexes are.
#ifndef BELLJAR_SLEEP_H
#define BELLJAR_SLEEP_H

#include <stdint.h>
#include <time.h>

// __belljar_sleep waits while *word is value, until another thread wakes it or the monotonic clock reaches deadline, in
// nanoseconds; negative is never. It gives 0, ETIMEDOUT, EAGAIN if *word is another value, or EINTR if the program has a
// signal to see to. It may give 0 without a reason.
int __belljar_sleep(volatile uint32_t *word, uint32_t value, int64_t deadline);

// __belljar_wake wakes at most count threads that sleep on word, those that have slept longest first.
void __belljar_wake(volatile uint32_t *word, uint32_t count);

// __belljar_deadline makes a time of a clock one for __belljar_sleep; negative is not a time.
int64_t __belljar_deadline(clockid_t clock, const struct timespec *time);

// __belljar_soon gives the deadline in ns nanoseconds, or the one given if that is earlier.
int64_t __belljar_soon(int64_t ns, int64_t deadline);

#endif
