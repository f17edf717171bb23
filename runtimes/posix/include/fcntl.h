// wasi-libc's <fcntl.h> with the close-on-exec flag, duplication and locks.
#ifndef BELLJAR_FCNTL_H
#define BELLJAR_FCNTL_H

#include_next <fcntl.h>

// wasi-libc's numbers, for the preprocessor too: its own have casts.
#undef O_APPEND
#undef O_DSYNC
#undef O_NONBLOCK
#undef O_RSYNC
#undef O_SYNC
#undef O_CREAT
#undef O_DIRECTORY
#undef O_EXCL
#undef O_TRUNC
#define O_APPEND 1
#define O_DSYNC 2
#define O_NONBLOCK 4
#define O_RSYNC 8
#define O_SYNC 16
#define O_CREAT 0x1000
#define O_DIRECTORY 0x2000
#define O_EXCL 0x4000
#define O_TRUNC 0x8000

#undef O_CLOEXEC
#define O_CLOEXEC 0x20000000
#undef O_NOCTTY
#define O_NOCTTY 0x40000000
#define O_LARGEFILE 0
#define O_NOATIME 0
// A number: gnulib defines O_SEARCH anew where it is the same.
#define O_PATH 0x08000000

#undef F_GETLK
#undef F_SETLK
#undef F_SETLKW
#undef F_DUPFD_CLOEXEC
#undef F_GETOWN
#undef F_SETOWN
#define F_DUPFD 0
#define F_GETLK 5
#define F_SETLK 6
#define F_SETLKW 7
#define F_SETOWN 8
#define F_GETOWN 9
#define F_DUPFD_CLOEXEC 1030
#undef F_RDLCK
#undef F_WRLCK
#undef F_UNLCK
#define F_RDLCK 0
#define F_WRLCK 1
#define F_UNLCK 2

#define FALLOC_FL_KEEP_SIZE 1
#define FALLOC_FL_PUNCH_HOLE 2

#define AT_EMPTY_PATH 0x1000
#define AT_NO_AUTOMOUNT 0

int fallocate(int, int, off_t, off_t);
int fcntl(int, int, ...);
int open(const char *, int, ...);
int openat(int, const char *, int, ...);
int creat(const char *, mode_t);

#endif
