// Files and folders.
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/time.h>
#include <unistd.h>

#include "main.h"
#include "system.h"

#define NUMBER(at) system_number(ctx, argc, argv, at, 0)
#define FUNCTION(name) static JSValue name(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv)

// with_path calls on a path; one with a NUL in it has been refused by the library.
#define PATH(var, at)                                        \
	const char *var = JS_ToCString(ctx, argv[at]);       \
	if (!var)                                            \
		return JS_EXCEPTION

// Flags of open come with Linux's numbers.
static int open_flags(int linux_flags)
{
	int flags = (linux_flags & 3) == 0 ? O_RDONLY : (linux_flags & 3) == 1 ? O_WRONLY : O_RDWR;
	static const struct {
		int linux_flag, here;
	} map[] = {{0100, O_CREAT}, {0200, O_EXCL}, {01000, O_TRUNC}, {02000, O_APPEND}, {04000, O_NONBLOCK},
		{0200000, O_DIRECTORY}, {0400000, O_NOFOLLOW}, {04010000, O_SYNC}, {010000, O_DSYNC}};
	for (size_t i = 0; i < COUNT(map); i++)
		if ((linux_flags & map[i].linux_flag) == map[i].linux_flag)
			flags |= map[i].here;
	return flags | O_CLOEXEC;
}

FUNCTION(sys_open)
{
	PATH(path, 0);
	int fd = open(path, open_flags(NUMBER(1)), (mode_t)system_number(ctx, argc, argv, 2, 0666));
	JS_FreeCString(ctx, path);
	return system_result(ctx, fd);
}

FUNCTION(sys_close) { return system_result(ctx, close(NUMBER(0))); }

// read(fd, bytes, offset, length, position): a position below 0 is the file's own.
FUNCTION(sys_read)
{
	size_t size;
	uint8_t *at = engine_bytes(ctx, argv[1], &size);
	if (!at)
		return JS_EXCEPTION;
	double offset = NUMBER(2), length = system_number(ctx, argc, argv, 3, size), position = system_number(ctx, argc, argv, 4, -1);
	if (!(offset >= 0) || offset > size)
		offset = size;
	if (!(length <= size - offset))
		length = size - offset;
	ssize_t n;
	if (position < 0 && session_interrupted()) {
		errno = EINTR; // before it waits for what may never come
		return system_result(ctx, -1);
	}
	do
		n = position < 0 ? read(NUMBER(0), at + (size_t)offset, length) : pread(NUMBER(0), at + (size_t)offset, length, position);
	while (n < 0 && errno == EINTR && position >= 0);
	return system_result(ctx, n);
}

FUNCTION(sys_write)
{
	size_t size;
	uint8_t *at = engine_bytes(ctx, argv[1], &size);
	if (!at)
		return JS_EXCEPTION;
	double offset = NUMBER(2), length = system_number(ctx, argc, argv, 3, size), position = system_number(ctx, argc, argv, 4, -1);
	if (!(offset >= 0) || offset > size)
		offset = size;
	if (!(length <= size - offset))
		length = size - offset;
	ssize_t n;
	do
		n = position < 0 ? write(NUMBER(0), at + (size_t)offset, length) : pwrite(NUMBER(0), at + (size_t)offset, length, position);
	while (n < 0 && errno == EINTR);
	return system_result(ctx, n);
}

// writeText(fd, string) writes all of it, as UTF-8.
FUNCTION(sys_write_text)
{
	size_t size, done = 0;
	const char *text = JS_ToCStringLen(ctx, &size, argv[1]);
	if (!text)
		return JS_EXCEPTION;
	ssize_t n = 0;
	while (done < size && ((n = write(NUMBER(0), text + done, size - done)) >= 0 || errno == EINTR))
		done += n > 0 ? n : 0;
	JSValue result = n < 0 ? system_error(ctx) : JS_NewInt64(ctx, done);
	JS_FreeCString(ctx, text);
	return result;
}

FUNCTION(sys_seek) { return system_result(ctx, lseek(NUMBER(0), NUMBER(1), NUMBER(2) == 0 ? SEEK_SET : NUMBER(2) == 1 ? SEEK_CUR : SEEK_END)); }

// Types of files as Linux encodes them.
static double linux_mode(mode_t mode)
{
	unsigned type = S_ISREG(mode) ? 0100000 : S_ISDIR(mode) ? 040000 : S_ISLNK(mode) ? 0120000 : S_ISCHR(mode) ? 020000
		: S_ISBLK(mode) ? 060000 : S_ISFIFO(mode) ? 010000 : S_ISSOCK(mode) ? 0140000 : 0;
	return type | (mode & 07777);
}

#define STAT_FIELDS 18

// store_stat fills a Float64Array or a BigInt64Array as Node's own binding does.
static JSValue store_stat(JSContext *ctx, const struct stat *st, JSValueConst to)
{
	double fields[STAT_FIELDS] = {
		st->st_dev, linux_mode(st->st_mode), st->st_nlink, st->st_uid, st->st_gid, st->st_rdev, st->st_blksize,
		st->st_ino, st->st_size, st->st_blocks, st->st_atim.tv_sec, st->st_atim.tv_nsec, st->st_mtim.tv_sec,
		st->st_mtim.tv_nsec, st->st_ctim.tv_sec, st->st_ctim.tv_nsec, st->st_mtim.tv_sec, st->st_mtim.tv_nsec,
	};
	size_t size;
	uint8_t *at = engine_bytes(ctx, to, &size);
	if (!at || size < sizeof fields)
		return JS_EXCEPTION;
	if (JS_GetTypedArrayType(to) == JS_TYPED_ARRAY_FLOAT64) {
		memcpy(at, fields, sizeof fields);
	} else {
		for (size_t i = 0; i < STAT_FIELDS; i++) {
			int64_t value = (int64_t)fields[i];
			if (i == 7)
				value = (int64_t)st->st_ino;
			memcpy(at + i * 8, &value, 8);
		}
	}
	return JS_NewInt32(ctx, 0);
}

FUNCTION(sys_stat)
{
	struct stat st;
	PATH(path, 0);
	int result = stat(path, &st);
	JS_FreeCString(ctx, path);
	return result < 0 ? system_error(ctx) : store_stat(ctx, &st, argv[1]);
}

FUNCTION(sys_lstat)
{
	struct stat st;
	PATH(path, 0);
	int result = lstat(path, &st);
	JS_FreeCString(ctx, path);
	return result < 0 ? system_error(ctx) : store_stat(ctx, &st, argv[1]);
}

FUNCTION(sys_fstat)
{
	struct stat st;
	return fstat(NUMBER(0), &st) < 0 ? system_error(ctx) : store_stat(ctx, &st, argv[1]);
}

// kind(path): 0 a file, 1 a folder, less than 0 nothing.
FUNCTION(sys_kind)
{
	struct stat st;
	PATH(path, 0);
	int result = stat(path, &st);
	JS_FreeCString(ctx, path);
	return result < 0 ? system_error(ctx) : JS_NewInt32(ctx, S_ISDIR(st.st_mode) ? 1 : 0);
}

// fdKind(fd): the type part of Linux's mode, and 1 for a terminal.
FUNCTION(sys_fd_kind)
{
	struct stat st;
	if (fstat(NUMBER(0), &st) < 0)
		return system_error(ctx);
	return JS_NewInt32(ctx, isatty(NUMBER(0)) ? 1 : (int)linux_mode(st.st_mode) & 0170000);
}

// readFile(path): its bytes in a Uint8Array, or an error's number.
FUNCTION(sys_read_file)
{
	struct stat st;
	int fd = -1;
	if (JS_IsNumber(argv[0])) {
		fd = NUMBER(0);
	} else {
		PATH(path, 0);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		JS_FreeCString(ctx, path);
	}
	if (fd < 0)
		return system_error(ctx);
	JSValue result = JS_UNDEFINED;
	uint8_t *bytes = NULL;
	size_t size = 0, room = 0;
	if (fstat(fd, &st) < 0)
		result = system_error(ctx);
	else if (S_ISDIR(st.st_mode))
		result = JS_NewInt32(ctx, -21);
	else {
		room = st.st_size > 0 ? st.st_size + 1 : 8192;
		for (;;) {
			uint8_t *grown = size < room && bytes ? bytes : realloc(bytes, room = size + (size ? size : room) + 1);
			if (!grown) {
				result = JS_NewInt32(ctx, -12);
				break;
			}
			bytes = grown;
			ssize_t n = read(fd, bytes + size, room - size);
			if (n < 0 && errno == EINTR)
				continue;
			if (n < 0)
				result = system_error(ctx);
			if (n <= 0)
				break;
			size += n;
		}
	}
	if (!JS_IsNumber(argv[0]))
		close(fd);
	if (JS_IsUndefined(result))
		result = JS_NewUint8ArrayCopy(ctx, bytes, size);
	free(bytes);
	return result;
}

// readdir(path): names and types, in turns; the types are those of libuv.
FUNCTION(sys_readdir)
{
	PATH(path, 0);
	DIR *dir = opendir(path);
	JS_FreeCString(ctx, path);
	if (!dir)
		return system_error(ctx);
	JSValue list = JS_NewArray(ctx);
	uint32_t at = 0;
	struct dirent *entry;
	while ((entry = readdir(dir)) != NULL) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		int type = 0;
		switch (entry->d_type) {
		case DT_REG: type = 1; break;
		case DT_DIR: type = 2; break;
		case DT_LNK: type = 3; break;
		case DT_FIFO: type = 4; break;
		case DT_CHR: type = 6; break;
		case DT_BLK: type = 7; break;
		}
		JS_DefinePropertyValueUint32(ctx, list, at++, JS_NewString(ctx, entry->d_name), JS_PROP_C_W_E);
		JS_DefinePropertyValueUint32(ctx, list, at++, JS_NewInt32(ctx, type), JS_PROP_C_W_E);
	}
	closedir(dir);
	return list;
}

#define ON_PATH(name, call)                          \
	FUNCTION(name)                               \
	{                                            \
		PATH(path, 0);                       \
		int result = call;                   \
		JSValue v = system_result(ctx, result); \
		JS_FreeCString(ctx, path);           \
		return v;                            \
	}
ON_PATH(sys_mkdir, mkdir(path, NUMBER(1)))
ON_PATH(sys_rmdir, rmdir(path))
ON_PATH(sys_unlink, unlink(path))
ON_PATH(sys_access, access(path, ((int)NUMBER(1) & 4 ? R_OK : 0) | ((int)NUMBER(1) & 2 ? W_OK : 0) | ((int)NUMBER(1) & 1 ? X_OK : 0) | ((int)NUMBER(1) ? 0 : F_OK)))
ON_PATH(sys_chmod, chmod(path, NUMBER(1)))
ON_PATH(sys_chown, chown(path, NUMBER(1), NUMBER(2)))
ON_PATH(sys_lchown, lchown(path, NUMBER(1), NUMBER(2)))
ON_PATH(sys_truncate, truncate(path, NUMBER(1)))
ON_PATH(sys_chdir, chdir(path))

#define ON_PATHS(name, call)                         \
	FUNCTION(name)                               \
	{                                            \
		PATH(from, 0);                       \
		const char *to = JS_ToCString(ctx, argv[1]); \
		JSValue v = to ? system_result(ctx, call) : JS_EXCEPTION; \
		JS_FreeCString(ctx, to);             \
		JS_FreeCString(ctx, from);           \
		return v;                            \
	}
ON_PATHS(sys_rename, rename(from, to))
ON_PATHS(sys_link, link(from, to))
ON_PATHS(sys_symlink, symlink(from, to))

FUNCTION(sys_fchmod) { return system_result(ctx, fchmod(NUMBER(0), NUMBER(1))); }
FUNCTION(sys_fchown) { return system_result(ctx, fchown(NUMBER(0), NUMBER(1), NUMBER(2))); }
FUNCTION(sys_ftruncate) { return system_result(ctx, ftruncate(NUMBER(0), NUMBER(1))); }
FUNCTION(sys_fsync) { return system_result(ctx, fsync(NUMBER(0))); }

static void times_of(JSContext *ctx, int argc, JSValueConst *argv, struct timespec times[2])
{
	for (int i = 0; i < 2; i++) {
		double t = NUMBER(1 + i);
		double whole = __builtin_floor(t);
		times[i].tv_sec = whole;
		times[i].tv_nsec = (long)((t - whole) * 1e6 + 0.5) * 1000;
		if (times[i].tv_nsec >= 1000000000) {
			times[i].tv_sec++;
			times[i].tv_nsec -= 1000000000;
		}
	}
}

static JSValue set_times(JSContext *ctx, int argc, JSValueConst *argv, int flags)
{
	struct timespec times[2];
	times_of(ctx, argc, argv, times);
	PATH(path, 0);
	JSValue v = system_result(ctx, utimensat(AT_FDCWD, path, times, flags));
	JS_FreeCString(ctx, path);
	return v;
}

FUNCTION(sys_utimes) { return set_times(ctx, argc, argv, 0); }
FUNCTION(sys_lutimes) { return set_times(ctx, argc, argv, AT_SYMLINK_NOFOLLOW); }

FUNCTION(sys_futimes)
{
	struct timespec times[2];
	times_of(ctx, argc, argv, times);
	return system_result(ctx, futimens(NUMBER(0), times));
}

static JSValue bytes_string(JSContext *ctx, const char *text) { return JS_NewString(ctx, text); }

FUNCTION(sys_readlink)
{
	char target[PATH_MAX + 1];
	PATH(path, 0);
	ssize_t n = readlink(path, target, PATH_MAX);
	JS_FreeCString(ctx, path);
	if (n < 0)
		return system_error(ctx);
	target[n] = 0;
	return bytes_string(ctx, target);
}

FUNCTION(sys_realpath)
{
	PATH(path, 0);
	char *real = realpath(path, NULL);
	JS_FreeCString(ctx, path);
	if (!real)
		return system_error(ctx);
	JSValue v = bytes_string(ctx, real);
	free(real);
	return v;
}

FUNCTION(sys_mkdtemp)
{
	PATH(path, 0);
	char *copy = strdup(path);
	JS_FreeCString(ctx, path);
	JSValue v = copy && mkdtemp(copy) ? bytes_string(ctx, copy) : system_error(ctx);
	free(copy);
	return v;
}

FUNCTION(sys_getcwd)
{
	char path[PATH_MAX + 1];
	return getcwd(path, sizeof path) ? bytes_string(ctx, path) : system_error(ctx);
}

static const struct js_entry functions[] = {
	{"open", sys_open, 3}, {"close", sys_close, 1}, {"read", sys_read, 5}, {"write", sys_write, 5},
	{"writeText", sys_write_text, 2}, {"seek", sys_seek, 3}, {"stat", sys_stat, 2}, {"lstat", sys_lstat, 2},
	{"fstat", sys_fstat, 2}, {"kind", sys_kind, 1}, {"fdKind", sys_fd_kind, 1}, {"readFile", sys_read_file, 1},
	{"readdir", sys_readdir, 1}, {"mkdir", sys_mkdir, 2}, {"rmdir", sys_rmdir, 1}, {"unlink", sys_unlink, 1},
	{"access", sys_access, 2}, {"chmod", sys_chmod, 2}, {"chown", sys_chown, 3}, {"lchown", sys_lchown, 3},
	{"truncate", sys_truncate, 2}, {"chdir", sys_chdir, 1}, {"rename", sys_rename, 2}, {"link", sys_link, 2},
	{"symlink", sys_symlink, 2}, {"fchmod", sys_fchmod, 2}, {"fchown", sys_fchown, 3}, {"ftruncate", sys_ftruncate, 2},
	{"fsync", sys_fsync, 1}, {"utimes", sys_utimes, 3}, {"lutimes", sys_lutimes, 3}, {"futimes", sys_futimes, 3},
	{"readlink", sys_readlink, 1}, {"realpath", sys_realpath, 1}, {"mkdtemp", sys_mkdtemp, 1}, {"getcwd", sys_getcwd, 0},
};

void files_install(JSContext *ctx, JSValueConst object) { engine_add(ctx, object, functions, COUNT(functions)); }
