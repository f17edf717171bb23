// What programs link to and a sandbox has no use for.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <syslog.h>
#include <unistd.h>

#include "host.h"

void openlog(const char *name, int options, int facility) { (void)name, (void)options, (void)facility; }
void syslog(int priority, const char *format, ...) { (void)priority, (void)format; }
void closelog(void) {}

void flockfile(FILE *f) { (void)f; }
int ftrylockfile(FILE *f) { return (void)f, 0; }
void funlockfile(FILE *f) { (void)f; }

char *secure_getenv(const char *name) { return getenv(name); }
int chroot(const char *path) { return (void)path, done(EPERM); }
int daemon(int keep_cwd, int keep_files) { return (void)keep_cwd, (void)keep_files, done(ENOSYS); }
char *getpass(const char *prompt) { return (void)prompt, errno = ENXIO, NULL; }

int posix_openpt(int flags) { return (void)flags, done(ENOSYS); }
int grantpt(int fd) { return (void)fd, done(ENOSYS); }
int unlockpt(int fd) { return (void)fd, done(ENOSYS); }
char *ptsname(int fd) { return (void)fd, errno = ENOSYS, NULL; }

int getloadavg(double *load, int count)
{
	FILE *f = fopen("/proc/loadavg", "re");
	int n = 0;
	while (f && n < count && n < 3 && fscanf(f, "%lf", &load[n]) == 1)
		n++;
	if (f)
		fclose(f);
	return n ? n : -1;
}

int uname(struct utsname *u)
{
	*u = (struct utsname){.sysname = "Linux", .release = "6.1.0-belljar", .version = "#1 SMP", .machine = "wasm32"};
	return gethostname(u->nodename, sizeof u->nodename);
}
