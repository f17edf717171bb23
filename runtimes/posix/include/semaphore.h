// What wasi-libc's <semaphore.h> leaves out.
#ifndef BELLJAR_SEMAPHORE_H
#define BELLJAR_SEMAPHORE_H

#include_next <semaphore.h>

int sem_clockwait(sem_t *__restrict, clockid_t, const struct timespec *__restrict);

#endif
