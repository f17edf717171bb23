#include "stub.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>

// proc_number answers the number after a name in a file of /proc, or 0.
static unsigned long proc_number(const char *file, const char *name)
{
	char line[256];
	unsigned long value = 0;
	FILE *f = fopen(file, "r");
	while (f && fgets(line, sizeof line, f))
		if (strncmp(line, name, strlen(name)) == 0 && sscanf(line + strlen(name), "%lu", &value) == 1)
			break;
	if (f)
		fclose(f);
	return value;
}

int sysinfo(struct sysinfo *info)
{
	double load[3] = {0};
	int running, all = 0;
	*info = (struct sysinfo){.mem_unit = 1024, .uptime = (long)proc_number("/proc/uptime", "")};
	info->totalram = proc_number("/proc/meminfo", "MemTotal:");
	info->freeram = proc_number("/proc/meminfo", "MemFree:");
	FILE *f = fopen("/proc/loadavg", "r");
	if (f && fscanf(f, "%lf %lf %lf %d/%d", load, load + 1, load + 2, &running, &all) == 5)
		info->procs = (unsigned short)all;
	if (f)
		fclose(f);
	for (int i = 0; i < 3; i++)
		info->loads[i] = (unsigned long)(load[i] * 65536);
	return 0;
}

int cfsetspeed(struct termios *t, speed_t speed)
{
	return cfsetispeed(t, speed) < 0 || cfsetospeed(t, speed) < 0 ? -1 : 0;
}

// The library's own results stay as they are: there is one user, and one group.
#define REENTRANT(name, key, type)                                                                  \
	int name##_r(key wanted, struct type *entry, char *buf, size_t len, struct type **result) \
	{                                                                                         \
		(void)buf, (void)len;                                                             \
		struct type *found = name(wanted);                                                \
		if (found)                                                                        \
			*entry = *found;                                                          \
		*result = found ? entry : NULL;                                                   \
		return 0;                                                                         \
	}
REENTRANT(getpwnam, const char *, passwd)
REENTRANT(getpwuid, uid_t, passwd)
REENTRANT(getgrnam, const char *, group)
REENTRANT(getgrgid, gid_t, group)

int inotify_init(void) { return errno = ENOSYS, -1; }
int inotify_add_watch(int fd, const char *path, unsigned mask) { return (void)fd, (void)path, (void)mask, errno = ENOSYS, -1; }
int inotify_rm_watch(int fd, int wd) { return (void)fd, (void)wd, errno = ENOSYS, -1; }
