// What wasi-libc's <time.h> leaves out.
#ifndef BELLJAR_TIME_H
#define BELLJAR_TIME_H

#include_next <time.h>

extern char *tzname[2];
extern int daylight;
extern long timezone;
void tzset(void);
int clock_settime(clockid_t, const struct timespec *);

#endif
