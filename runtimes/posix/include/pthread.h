// What wasi-libc's <pthread.h> leaves out.
#ifndef BELLJAR_PTHREAD_H
#define BELLJAR_PTHREAD_H

#include_next <pthread.h>

_Noreturn void pthread_exit(void *);

#endif
