// What is mounted, from /proc/mounts; a sandbox without one has a single file system.
#include <fcntl.h>
#include <mntent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "host.h"

#define TMPFS_MAGIC 0x01021994
#define BLOCK 4096

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

// room describes the sandbox's own files, wherever one asks: what is mounted has a limit of its own that nobody knows.
static int room(struct statvfs *buf)
{
	uint64_t r[4] = {0};
	int err = host_tree_room(r);
	*buf = (struct statvfs){.f_bsize = BLOCK, .f_frsize = BLOCK, .f_namemax = 255};
	buf->f_blocks = r[0] / BLOCK;
	buf->f_bfree = buf->f_bavail = r[1] / BLOCK;
	buf->f_files = r[2];
	buf->f_ffree = buf->f_favail = r[3];
	return done(err);
}

int statvfs(const char *restrict path, struct statvfs *restrict buf) { return access(path, F_OK) < 0 ? -1 : room(buf); }
int fstatvfs(int fd, struct statvfs *buf) { return fcntl(fd, F_GETFD) < 0 ? -1 : room(buf); }

static int from(int result, const struct statvfs *v, struct statfs *buf)
{
	if (result == 0)
		*buf = (struct statfs){.f_type = TMPFS_MAGIC, .f_bsize = v->f_bsize, .f_frsize = v->f_frsize, .f_namelen = v->f_namemax,
			.f_blocks = v->f_blocks, .f_bfree = v->f_bfree, .f_bavail = v->f_bavail, .f_files = v->f_files, .f_ffree = v->f_ffree};
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
