// What is mounted, from /proc/mounts; a sandbox without one has a single file system. How much room it has the host
// keeps to itself.
#include <fcntl.h>
#include <mntent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define TMPFS_MAGIC 0x01021994

FILE *setmntent(const char *path, const char *mode)
{
	static char one[] = "sandbox / belljar rw 0 0\n";
	FILE *f = fopen(path, mode);
	return f ? f : fmemopen(one, sizeof one - 1, "r");
}

struct mntent *getmntent(FILE *f)
{
	static struct mntent entry;
	static char *line;
	static size_t room;
	if (getline(&line, &room, f) <= 0)
		return NULL;
	char *rest = line, *field[6] = {0};
	for (int i = 0; i < 6; i++)
		field[i] = strsep(&rest, " \t\n");
	if (field[3] == NULL)
		return NULL;
	entry = (struct mntent){field[0], field[1], field[2], field[3], 0, 0};
	return &entry;
}

int endmntent(FILE *f)
{
	fclose(f);
	return 1;
}

char *hasmntopt(const struct mntent *entry, const char *option) { return strstr(entry->mnt_opts, option); }

int statvfs(const char *restrict path, struct statvfs *restrict buf)
{
	if (access(path, F_OK) < 0)
		return -1;
	*buf = (struct statvfs){.f_bsize = 4096, .f_frsize = 4096, .f_namemax = 255};
	return 0;
}

int fstatvfs(int fd, struct statvfs *buf)
{
	if (fcntl(fd, F_GETFD) < 0)
		return -1;
	*buf = (struct statvfs){.f_bsize = 4096, .f_frsize = 4096, .f_namemax = 255};
	return 0;
}

static int from(int result, const struct statvfs *v, struct statfs *buf)
{
	if (result == 0)
		*buf = (struct statfs){.f_type = TMPFS_MAGIC, .f_bsize = v->f_bsize, .f_frsize = v->f_frsize, .f_namelen = v->f_namemax};
	return result;
}

int statfs(const char *path, struct statfs *buf)
{
	struct statvfs v;
	return from(statvfs(path, &v), &v, buf);
}

int fstatfs(int fd, struct statfs *buf)
{
	struct statvfs v;
	return from(fstatvfs(fd, &v), &v, buf);
}
