// wasi-libc's <dirent.h> without opendirat, a name that programs take for functions of their own.
#ifndef BELLJAR_DIRENT_H
#define BELLJAR_DIRENT_H

#define opendirat __wasilibc_opendirat
#include_next <dirent.h>
#undef opendirat

// wasi-libc's knows no mode with permissions in it.
#undef IFTODT
#define IFTODT(mode) __wasilibc_iftodt((int)((mode) & 0170000))

int dirfd(DIR *);

#endif
