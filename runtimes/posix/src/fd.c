// Descriptors: duplicates, pipes, flags, locks, reading and writing.
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdarg.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <unistd.h>
#include <wasi/api.h>

#include "host.h"

static int result(int err, uint32_t fd) { return err ? done(err) : (int)fd; }

int dup(int fd)
{
	uint32_t to;
	return result(host_fd_dup(fd, 0, 0, &to), to);
}

int dup3(int fd, int to, int flags)
{
	if (fd == to)
		return done(EINVAL);
	return result(host_fd_dup2(fd, to, flags & O_CLOEXEC ? FD_FLAG_CLOEXEC : 0), (uint32_t)to);
}

int dup2(int fd, int to) { return result(host_fd_dup2(fd, to, 0), (uint32_t)to); }

int pipe2(int fds[2], int flags)
{
	uint32_t pair[2];
	int err = host_fd_pipe((flags & O_CLOEXEC ? 1 : 0) | (flags & O_NONBLOCK ? 2 : 0), pair);
	if (err == 0) {
		fds[0] = (int)pair[0];
		fds[1] = (int)pair[1];
	}
	return done(err);
}

// Two more ways to seek than preview 1 has.
off_t lseek(int fd, off_t offset, int whence)
{
	uint64_t at = 0;
	int err = whence == SEEK_DATA || whence == SEEK_HOLE ? host_fd_seek_sparse(fd, offset, (uint32_t)whence, &at)
		: whence < SEEK_SET || whence > SEEK_END ? EINVAL
		: __wasi_fd_seek(fd, offset, (uint8_t)whence, &at);
	return err ? done(err) : (off_t)at;
}

// Room is given, and holes are made; nothing is moved.
int fallocate(int fd, int mode, off_t offset, off_t len)
{
	if (mode == (FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE))
		return done(host_fd_punch(fd, offset, len));
	return mode ? done(EOPNOTSUPP) : done(posix_fallocate(fd, offset, len));
}

int pipe(int fds[2]) { return pipe2(fds, 0); }

static int get_status(int fd)
{
	__wasi_fdstat_t st;
	int err = __wasi_fd_fdstat_get(fd, &st);
	if (err)
		return done(err);
	int can_read = (st.fs_rights_base & (__WASI_RIGHTS_FD_READ | __WASI_RIGHTS_FD_READDIR)) != 0;
	int can_write = (st.fs_rights_base & __WASI_RIGHTS_FD_WRITE) != 0;
	int mode = can_read && can_write ? O_RDWR : can_write ? O_WRONLY : can_read ? O_RDONLY : O_SEARCH;
	return st.fs_flags | mode;
}

static int lock(int fd, int cmd, struct flock *l)
{
	struct host_lock found;
	int64_t start = l->l_start;
	if (l->l_whence != SEEK_SET) {
		off_t base = lseek(fd, 0, l->l_whence);
		if (base < 0)
			return -1;
		start += base;
	}
	int err = BLOCKING(host_fd_lock(fd, cmd - F_GETLK, l->l_type, start, l->l_len, &found));
	if (err == 0 && cmd == F_GETLK) {
		l->l_type = (short)found.type;
		if (found.type != F_UNLCK) {
			l->l_whence = SEEK_SET;
			l->l_pid = (pid_t)found.pid;
			l->l_start = (off_t)found.start;
			l->l_len = (off_t)found.len;
		}
	}
	return done(err);
}

int fcntl(int fd, int cmd, ...)
{
	va_list ap;
	va_start(ap, cmd);
	void *pointer = va_arg(ap, void *);
	va_end(ap);
	int arg = (int)pointer;
	uint32_t value;

	switch (cmd) {
	case F_DUPFD:
	case F_DUPFD_CLOEXEC:
		return arg < 0 ? done(EINVAL) : result(host_fd_dup(fd, arg, cmd == F_DUPFD_CLOEXEC, &value), value);
	case F_GETFD:
		return result(host_fd_flags_get(fd, &value), value);
	case F_SETFD:
		return done(host_fd_flags_set(fd, arg & FD_CLOEXEC));
	case F_GETFL:
		return get_status(fd);
	case F_SETFL:
		return done(__wasi_fd_fdstat_set_flags(fd, arg & 0xfff));
	case F_GETLK:
	case F_SETLK:
	case F_SETLKW:
		return lock(fd, cmd, pointer);
	default:
		return done(EINVAL);
	}
}

int flock(int fd, int op) { return done(WAITING(host_fd_flock(fd, op))); }

int lockf(int fd, int op, off_t size)
{
	struct flock l = {.l_type = F_WRLCK, .l_whence = SEEK_CUR, .l_len = size};
	switch (op) {
	case F_TEST:
		l.l_type = F_RDLCK;
		if (fcntl(fd, F_GETLK, &l) < 0)
			return -1;
		return l.l_type == F_UNLCK || l.l_pid == getpid() ? 0 : done(EACCES);
	case F_ULOCK:
		l.l_type = F_UNLCK;
		return fcntl(fd, F_SETLK, &l);
	case F_LOCK:
		return fcntl(fd, F_SETLKW, &l);
	case F_TLOCK:
		return fcntl(fd, F_SETLK, &l);
	default:
		return done(EINVAL);
	}
}

static ssize_t moved(int err, size_t n) { return err ? done(err) : (ssize_t)n; }

ssize_t readv(int fd, const struct iovec *iov, int count)
{
	size_t n = 0;
	if (count < 0)
		return done(EINVAL);
	int err = BLOCKING(__wasi_fd_read(fd, (const __wasi_iovec_t *)iov, (size_t)count, &n));
	return moved(err, n);
}

ssize_t read(int fd, void *buf, size_t size)
{
	struct iovec iov = {buf, size};
	return readv(fd, &iov, 1);
}

ssize_t writev(int fd, const struct iovec *iov, int count)
{
	size_t n = 0;
	if (count < 0)
		return done(EINVAL);
	int err = BLOCKING(__wasi_fd_write(fd, (const __wasi_ciovec_t *)iov, (size_t)count, &n));
	return moved(err, n);
}

ssize_t write(int fd, const void *buf, size_t size)
{
	struct iovec iov = {(void *)buf, size};
	return writev(fd, &iov, 1);
}

int close(int fd) { return done(__wasi_fd_close(fd)); }

// wasi-libc's close comes with these, and other objects of it ask for them.
void __wasilibc_populate_preopens(void) {}
int __wasilibc_fd_renumber(int fd, int to) { return done(__wasi_fd_renumber(fd, to)); }

int getdtablesize(void)
{
	long max = sysconf(_SC_OPEN_MAX);
	return max < 0 ? 256 : (int)max;
}

void sync(void) {}
int syncfs(int fd) { return fcntl(fd, F_GETFD) < 0 ? -1 : 0; }
