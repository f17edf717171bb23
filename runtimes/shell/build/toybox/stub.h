// What toybox wants of Linux's C library and ours hasn't. Included before all else; stub.c has the functions.
#ifndef BELLJAR_STUB_H
#define BELLJAR_STUB_H

#include <grp.h>
#include <pwd.h>
#include <stddef.h>
#include <sys/statfs.h>
#include <syslog.h>
#include <termios.h>

#ifndef LOG_DAEMON
#define LOG_DAEMON (3 << 3)
#define LOG_AUTH (4 << 3)
#endif
#ifndef CBAUDEX
#define CBAUDEX 0
#endif
#ifndef XCASE
#define XCASE 0
#endif
#define NR_LDISCS 1
#ifndef CMSPAR
#define CMSPAR 0
#endif

// See https://man7.org/linux/man-pages/man2/sysinfo.2.html
struct sysinfo {
	long uptime;            // seconds
	unsigned long loads[3]; // in 65536ths
	unsigned long totalram, freeram, sharedram, bufferram, totalswap, freeswap;
	unsigned short procs;
	unsigned long totalhigh, freehigh;
	unsigned mem_unit; // bytes that the amounts above count
};

int sysinfo(struct sysinfo *);
int cfsetspeed(struct termios *, speed_t);
int getpwnam_r(const char *, struct passwd *, char *, size_t, struct passwd **);
int getpwuid_r(uid_t, struct passwd *, char *, size_t, struct passwd **);
int getgrnam_r(const char *, struct group *, char *, size_t, struct group **);
int getgrgid_r(gid_t, struct group *, char *, size_t, struct group **);

#endif
