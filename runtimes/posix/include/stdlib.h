// What wasi-libc's <stdlib.h> leaves out.
#ifndef BELLJAR_STDLIB_H
#define BELLJAR_STDLIB_H

#include_next <stdlib.h>

int mkstemp(char *);
int mkostemp(char *, int);
int mkstemps(char *, int);
int mkostemps(char *, int, int);
char *mkdtemp(char *);
char *mktemp(char *);
int system(const char *);
void qsort_r(void *, size_t, size_t, int (*)(const void *, const void *, void *), void *);
int posix_openpt(int);
int grantpt(int);
int unlockpt(int);
char *ptsname(int);
int getloadavg(double *, int);
char *secure_getenv(const char *);

#endif
