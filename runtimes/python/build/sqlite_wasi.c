// SQLite with file locks that the system always grants, as WASI has none.
//
// SQLite's unix VFS asks the system for locks against other processes only. Between the connections of one process
// it keeps them itself, per inode, and that is what two connections of a guest need. Connections of different
// processes of a sandbox are not kept apart.
#define _GNU_SOURCE 1
#include <fcntl.h>

static int granting_fcntl(int fd, int command, ...);

#define fcntl granting_fcntl
#include "sqlite3.c"
#undef fcntl

#include <stdarg.h>

static int granting_fcntl(int fd, int command, ...)
{
	va_list arguments;
	va_start(arguments, command);
	int result = 0;
	switch (command) {
	case F_GETLK:
		va_arg(arguments, struct flock *)->l_type = F_UNLCK;
		break;
	case F_SETLK:
		break;
	case F_GETFD:
	case F_GETFL:
		result = fcntl(fd, command);
		break;
	case F_SETFD:
	case F_SETFL:
		result = fcntl(fd, command, va_arg(arguments, int));
		break;
	default:
		errno = EINVAL;
		result = -1;
	}
	va_end(arguments);
	return result;
}
