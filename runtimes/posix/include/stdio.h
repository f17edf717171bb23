// What wasi-libc's <stdio.h> leaves out.
#ifndef BELLJAR_STDIO_H
#define BELLJAR_STDIO_H

#include_next <stdio.h>

#define P_tmpdir "/tmp"
#define L_tmpnam 20
#define TMP_MAX 10000

int renameat2(int, const char *, int, const char *, unsigned);
FILE *popen(const char *, const char *);
int pclose(FILE *);
FILE *tmpfile(void);
char *tmpnam(char *);
char *tempnam(const char *, const char *);
void flockfile(FILE *);
int ftrylockfile(FILE *);
void funlockfile(FILE *);

#endif
