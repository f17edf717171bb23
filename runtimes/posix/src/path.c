// Calls by path. The host resolves: AT_FDCWD and absolute paths are its matter (proc_paths).
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>
#include <utime.h>
#include <wasi/api.h>

#include "host.h"

#define ALL_RIGHTS UINT64_MAX

int openat(int dir, const char *path, int flags, ...)
{
	va_list ap;
	va_start(ap, flags);
	mode_t mode = flags & O_CREAT ? va_arg(ap, mode_t) : 0;
	va_end(ap);

	uint64_t rights = ALL_RIGHTS & ~(uint64_t)(__WASI_RIGHTS_FD_READ | __WASI_RIGHTS_FD_WRITE |
		__WASI_RIGHTS_FD_ALLOCATE | __WASI_RIGHTS_FD_READDIR | __WASI_RIGHTS_FD_FILESTAT_SET_SIZE);
	// Programs written for other systems pass 0 for O_RDONLY.
	if ((flags & O_RDONLY) || !(flags & (O_WRONLY | O_SEARCH | O_EXEC)))
		rights |= __WASI_RIGHTS_FD_READ | __WASI_RIGHTS_FD_READDIR;
	if (flags & O_WRONLY)
		rights |= __WASI_RIGHTS_FD_WRITE | __WASI_RIGHTS_FD_ALLOCATE | __WASI_RIGHTS_FD_FILESTAT_SET_SIZE;
	uint32_t fd;
	int err = BLOCKING(host_path_open_mode(dir, flags & O_NOFOLLOW ? 0 : LOOKUP_FOLLOW, path, strlen(path),
		(flags >> 12) & 0xfff, rights, ALL_RIGHTS, flags & 0xfff, mode & 07777,
		flags & O_CLOEXEC ? FD_FLAG_CLOEXEC : 0, &fd));
	return err ? done(err) : (int)fd;
}

int open(const char *path, int flags, ...)
{
	va_list ap;
	va_start(ap, flags);
	mode_t mode = flags & O_CREAT ? va_arg(ap, mode_t) : 0;
	va_end(ap);
	return openat(AT_FDCWD, path, flags, mode);
}

int creat(const char *path, mode_t mode)
{
	return open(path, O_CREAT | O_WRONLY | O_TRUNC, mode);
}

// What wasi-libc's own functions call, fopen for one.
int __wasilibc_open_nomode(const char *path, int flags)
{
	return open(path, flags, 0666);
}

int __wasilibc_nocwd_openat_nomode(int dir, const char *path, int flags)
{
	return openat(dir, path, flags, 0666);
}

static struct timespec time_of(uint64_t ns)
{
	return (struct timespec){.tv_sec = (time_t)(ns / 1000000000), .tv_nsec = (long)(ns % 1000000000)};
}

static int stat_of(int err, const struct host_stat *from, struct stat *to)
{
	if (err)
		return done(err);
	*to = (struct stat){
		.st_dev = from->dev, .st_ino = from->ino, .st_nlink = from->nlink, .st_mode = from->mode,
		.st_uid = from->uid, .st_gid = from->gid, .st_rdev = from->rdev, .st_size = (off_t)from->size,
		.st_blksize = (blksize_t)from->blksize, .st_blocks = (blkcnt_t)from->blocks,
		.st_atim = time_of(from->atim), .st_mtim = time_of(from->mtim), .st_ctim = time_of(from->ctim),
	};
	return 0;
}

int fstat(int fd, struct stat *st)
{
	struct host_stat host;
	return stat_of(host_fd_stat(fd, &host), &host, st);
}

int fstatat(int dir, const char *restrict path, struct stat *restrict st, int flags)
{
	struct host_stat host;
	if (*path == '\0' && (flags & AT_EMPTY_PATH) && dir != AT_FDCWD)
		return fstat(dir, st);
	uint32_t lookup = flags & AT_SYMLINK_NOFOLLOW ? 0 : LOOKUP_FOLLOW;
	return stat_of(host_path_stat(dir, lookup, path, strlen(path), &host), &host, st);
}

int stat(const char *restrict path, struct stat *restrict st) { return fstatat(AT_FDCWD, path, st, 0); }
int lstat(const char *restrict path, struct stat *restrict st) { return fstatat(AT_FDCWD, path, st, AT_SYMLINK_NOFOLLOW); }

int faccessat(int dir, const char *path, int how, int flags)
{
	return done(host_path_access(dir, flags & AT_SYMLINK_NOFOLLOW ? 0 : LOOKUP_FOLLOW, path, strlen(path), how));
}

int access(const char *path, int how) { return faccessat(AT_FDCWD, path, how, 0); }
int eaccess(const char *path, int how) { return faccessat(AT_FDCWD, path, how, AT_EACCESS); }
int euidaccess(const char *path, int how) { return eaccess(path, how); }

int fchmodat(int dir, const char *path, mode_t mode, int flags)
{
	uint32_t lookup = flags & AT_SYMLINK_NOFOLLOW ? 0 : LOOKUP_FOLLOW;
	return done(host_path_chmod(dir, lookup, path, strlen(path), mode & 07777));
}

int chmod(const char *path, mode_t mode) { return fchmodat(AT_FDCWD, path, mode, 0); }
int lchmod(const char *path, mode_t mode) { return fchmodat(AT_FDCWD, path, mode, AT_SYMLINK_NOFOLLOW); }
int fchmod(int fd, mode_t mode) { return done(host_fd_chmod(fd, mode & 07777)); }

int fchownat(int dir, const char *path, uid_t uid, gid_t gid, int flags)
{
	uint32_t lookup = flags & AT_SYMLINK_NOFOLLOW ? 0 : LOOKUP_FOLLOW;
	return done(host_path_chown(dir, lookup, path, strlen(path), uid, gid));
}

int chown(const char *path, uid_t uid, gid_t gid) { return fchownat(AT_FDCWD, path, uid, gid, 0); }
int lchown(const char *path, uid_t uid, gid_t gid) { return fchownat(AT_FDCWD, path, uid, gid, AT_SYMLINK_NOFOLLOW); }
int fchown(int fd, uid_t uid, gid_t gid) { return done(host_fd_chown(fd, uid, gid)); }

int mkdirat(int dir, const char *path, mode_t mode) { return done(host_path_mkdir_mode(dir, path, strlen(path), mode & 07777)); }
int mkdir(const char *path, mode_t mode) { return mkdirat(AT_FDCWD, path, mode); }
int mkfifoat(int dir, const char *path, mode_t mode) { return done(host_path_mkfifo(dir, path, strlen(path), mode & 07777)); }
int mkfifo(const char *path, mode_t mode) { return mkfifoat(AT_FDCWD, path, mode); }

int mknodat(int dir, const char *path, mode_t mode, dev_t dev)
{
	(void)dev;
	if (S_ISFIFO(mode))
		return mkfifoat(dir, path, mode & 07777);
	if (!S_ISREG(mode) && (mode & S_IFMT) != 0)
		return done(EPERM);
	int fd = openat(dir, path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, mode & 07777);
	return fd < 0 ? -1 : close(fd);
}

int mknod(const char *path, mode_t mode, dev_t dev) { return mknodat(AT_FDCWD, path, mode, dev); }

int unlinkat(int dir, const char *path, int flags)
{
	return done(flags & AT_REMOVEDIR ? __wasi_path_remove_directory(dir, path) : __wasi_path_unlink_file(dir, path));
}

int __wasilibc_unlinkat(int dir, const char *path) { return unlinkat(dir, path, 0); }
int __wasilibc_rmdirat(int dir, const char *path) { return unlinkat(dir, path, AT_REMOVEDIR); }
int unlink(const char *path) { return unlinkat(AT_FDCWD, path, 0); }
int rmdir(const char *path) { return unlinkat(AT_FDCWD, path, AT_REMOVEDIR); }

int remove(const char *path)
{
	int result = unlink(path);
	return result != 0 && errno == EISDIR ? rmdir(path) : result;
}

int linkat(int dir, const char *from, int to_dir, const char *to, int flags)
{
	return done(__wasi_path_link(dir, flags & AT_SYMLINK_FOLLOW ? LOOKUP_FOLLOW : 0, from, to_dir, to));
}

int link(const char *from, const char *to) { return linkat(AT_FDCWD, from, AT_FDCWD, to, 0); }
int symlinkat(const char *target, int dir, const char *path) { return done(__wasi_path_symlink(target, dir, path)); }
int symlink(const char *target, const char *path) { return symlinkat(target, AT_FDCWD, path); }

ssize_t readlinkat(int dir, const char *restrict path, char *restrict buf, size_t size)
{
	size_t len = 0;
	int err = __wasi_path_readlink(dir, path, (uint8_t *)buf, size, &len);
	return err ? done(err) : (ssize_t)len;
}

ssize_t readlink(const char *restrict path, char *restrict buf, size_t size) { return readlinkat(AT_FDCWD, path, buf, size); }

int renameat(int dir, const char *from, int to_dir, const char *to) { return done(__wasi_path_rename(dir, from, to_dir, to)); }
int rename(const char *from, const char *to) { return renameat(AT_FDCWD, from, AT_FDCWD, to); }

int truncate(const char *path, off_t size)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	int err = ftruncate(fd, size) < 0 ? errno : 0;
	close(fd);
	return done(err);
}

// set_times makes fst_flags of what utimensat is asked for.
static int set_times(const struct timespec times[2], uint64_t at[2], __wasi_fstflags_t *flags)
{
	static const __wasi_fstflags_t set[2] = {__WASI_FSTFLAGS_ATIM, __WASI_FSTFLAGS_MTIM};
	static const __wasi_fstflags_t now[2] = {__WASI_FSTFLAGS_ATIM_NOW, __WASI_FSTFLAGS_MTIM_NOW};
	*flags = 0;
	for (int i = 0; i < 2; i++) {
		at[i] = 0;
		if (times == NULL || times[i].tv_nsec == UTIME_NOW)
			*flags |= now[i];
		else if (times[i].tv_nsec != UTIME_OMIT) {
			if (times[i].tv_nsec < 0 || times[i].tv_nsec >= 1000000000)
				return EINVAL;
			*flags |= set[i];
			at[i] = (uint64_t)times[i].tv_sec * 1000000000 + (uint64_t)times[i].tv_nsec;
		}
	}
	return 0;
}

int utimensat(int dir, const char *path, const struct timespec times[2], int flags)
{
	uint64_t at[2];
	__wasi_fstflags_t set;
	int err = set_times(times, at, &set);
	if (err == 0)
		err = __wasi_path_filestat_set_times(dir, flags & AT_SYMLINK_NOFOLLOW ? 0 : LOOKUP_FOLLOW, path, at[0], at[1], set);
	return done(err);
}

int futimens(int fd, const struct timespec times[2])
{
	uint64_t at[2];
	__wasi_fstflags_t set;
	int err = set_times(times, at, &set);
	return done(err ? err : __wasi_fd_filestat_set_times(fd, at[0], at[1], set));
}

static const struct timespec *from_micro(const struct timeval tv[2], struct timespec ts[2])
{
	if (tv == NULL)
		return NULL;
	for (int i = 0; i < 2; i++)
		ts[i] = (struct timespec){.tv_sec = tv[i].tv_sec, .tv_nsec = (long)tv[i].tv_usec * 1000};
	return ts;
}

int utimes(const char *path, const struct timeval tv[2])
{
	struct timespec ts[2];
	return utimensat(AT_FDCWD, path, from_micro(tv, ts), 0);
}

int lutimes(const char *path, const struct timeval tv[2])
{
	struct timespec ts[2];
	return utimensat(AT_FDCWD, path, from_micro(tv, ts), AT_SYMLINK_NOFOLLOW);
}

int futimesat(int dir, const char *path, const struct timeval tv[2])
{
	struct timespec ts[2];
	return utimensat(dir, path, from_micro(tv, ts), 0);
}

int futimes(int fd, const struct timeval tv[2])
{
	struct timespec ts[2];
	return futimens(fd, from_micro(tv, ts));
}

int utime(const char *path, const struct utimbuf *times)
{
	if (times == NULL)
		return utimensat(AT_FDCWD, path, NULL, 0);
	struct timespec ts[2] = {{.tv_sec = times->actime}, {.tv_sec = times->modtime}};
	return utimensat(AT_FDCWD, path, ts, 0);
}
