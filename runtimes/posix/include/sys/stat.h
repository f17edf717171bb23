// What wasi-libc's <sys/stat.h> leaves out.
#ifndef BELLJAR_SYS_STAT_H
#define BELLJAR_SYS_STAT_H

#include_next <sys/stat.h>

mode_t umask(mode_t);
mode_t getumask(void);
int lchmod(const char *, mode_t);
int mkfifo(const char *, mode_t);
int mkfifoat(int, const char *, mode_t);
int mknod(const char *, mode_t, dev_t);
int mknodat(int, const char *, mode_t, dev_t);

#ifndef S_ISUID
#define S_ISUID 04000
#define S_ISGID 02000
#define S_ISVTX 01000
#endif
#ifndef S_IREAD
#define S_IREAD S_IRUSR
#define S_IWRITE S_IWUSR
#define S_IEXEC S_IXUSR
#endif

#endif
