#include <errno.h>

#include "system.h"

// The numbers that Node's users know are Linux's.
static const struct {
	int here, linux_number;
} numbers[] = {
	{EPERM, 1}, {ENOENT, 2}, {ESRCH, 3}, {EINTR, 4}, {EIO, 5}, {ENXIO, 6}, {E2BIG, 7}, {ENOEXEC, 8}, {EBADF, 9},
	{ECHILD, 10}, {EAGAIN, 11}, {ENOMEM, 12}, {EACCES, 13}, {EFAULT, 14}, {EBUSY, 16}, {EEXIST, 17}, {EXDEV, 18},
	{ENODEV, 19}, {ENOTDIR, 20}, {EISDIR, 21}, {EINVAL, 22}, {ENFILE, 23}, {EMFILE, 24}, {ENOTTY, 25}, {ETXTBSY, 26},
	{EFBIG, 27}, {ENOSPC, 28}, {ESPIPE, 29}, {EROFS, 30}, {EMLINK, 31}, {EPIPE, 32}, {EDOM, 33}, {ERANGE, 34},
	{EDEADLK, 35}, {ENAMETOOLONG, 36}, {ENOLCK, 37}, {ENOSYS, 38}, {ENOTEMPTY, 39}, {ELOOP, 40}, {EPROTO, 71},
	{EOVERFLOW, 75}, {EILSEQ, 84}, {ENOTSOCK, 88}, {EDESTADDRREQ, 89}, {EMSGSIZE, 90}, {EPROTOTYPE, 91},
	{ENOPROTOOPT, 92}, {EPROTONOSUPPORT, 93}, {ENOTSUP, 95}, {EAFNOSUPPORT, 97}, {EADDRINUSE, 98},
	{EADDRNOTAVAIL, 99}, {ENETDOWN, 100}, {ENETUNREACH, 101}, {ECONNABORTED, 103}, {ECONNRESET, 104}, {ENOBUFS, 105},
	{EISCONN, 106}, {ENOTCONN, 107}, {ETIMEDOUT, 110}, {ECONNREFUSED, 111}, {EHOSTUNREACH, 113}, {EALREADY, 114},
	{EINPROGRESS, 115}, {EDQUOT, 122}, {ECANCELED, 125},
#ifdef ENOTCAPABLE
	{ENOTCAPABLE, 1},
#endif
};

JSValue system_error(JSContext *ctx)
{
	for (size_t i = 0; i < COUNT(numbers); i++)
		if (numbers[i].here == errno)
			return JS_NewInt32(ctx, -numbers[i].linux_number);
	return JS_NewInt32(ctx, -5);
}

JSValue system_result(JSContext *ctx, int64_t result)
{
	return result < 0 ? system_error(ctx) : JS_NewInt64(ctx, result);
}

double system_number(JSContext *ctx, int argc, JSValueConst *argv, int at, double missing)
{
	double value;
	if (at >= argc || JS_IsUndefined(argv[at]) || JS_IsNull(argv[at]))
		return missing;
	if (JS_IsBigInt(argv[at])) {
		int64_t big;
		return JS_ToBigInt64(ctx, &big, argv[at]) < 0 ? missing : (double)big;
	}
	if (JS_ToFloat64(ctx, &value, argv[at]) < 0) {
		JS_FreeValue(ctx, JS_GetException(ctx));
		return missing;
	}
	return value;
}
