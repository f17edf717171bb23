// Error numbers as programs see them, which are Linux's: they are printed, written down and compared. The library below the
// interpreter has those of WASI.
#include "numbers.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

static const struct {
	const char *name;
	int linux, wasi;  // wasi is 0 where it has no such error
	const char *text; // where the library has none
} errors[] = {
	// Of two names of a number the last is the one that errno.errorcode has.
	{"EWOULDBLOCK", 11, EAGAIN, NULL},
	{"EOPNOTSUPP", 95, ENOTSUP, NULL},
	{"EPERM", 1, EPERM, NULL},
	{"ENOENT", 2, ENOENT, NULL},
	{"ESRCH", 3, ESRCH, NULL},
	{"EINTR", 4, EINTR, NULL},
	{"EIO", 5, EIO, NULL},
	{"ENXIO", 6, ENXIO, NULL},
	{"E2BIG", 7, E2BIG, NULL},
	{"ENOEXEC", 8, ENOEXEC, NULL},
	{"EBADF", 9, EBADF, NULL},
	{"ECHILD", 10, ECHILD, NULL},
	{"EAGAIN", 11, EAGAIN, NULL},
	{"ENOMEM", 12, ENOMEM, NULL},
	{"EACCES", 13, EACCES, NULL},
	{"EFAULT", 14, EFAULT, NULL},
	{"ENOTBLK", 15, 0, "Block device required"},
	{"EBUSY", 16, EBUSY, NULL},
	{"EEXIST", 17, EEXIST, NULL},
	{"EXDEV", 18, EXDEV, NULL},
	{"ENODEV", 19, ENODEV, NULL},
	{"ENOTDIR", 20, ENOTDIR, NULL},
	{"EISDIR", 21, EISDIR, NULL},
	{"EINVAL", 22, EINVAL, NULL},
	{"ENFILE", 23, ENFILE, NULL},
	{"EMFILE", 24, EMFILE, NULL},
	{"ENOTTY", 25, ENOTTY, NULL},
	{"ETXTBSY", 26, ETXTBSY, NULL},
	{"EFBIG", 27, EFBIG, NULL},
	{"ENOSPC", 28, ENOSPC, NULL},
	{"ESPIPE", 29, ESPIPE, NULL},
	{"EROFS", 30, EROFS, NULL},
	{"EMLINK", 31, EMLINK, NULL},
	{"EPIPE", 32, EPIPE, NULL},
	{"EDOM", 33, EDOM, NULL},
	{"ERANGE", 34, ERANGE, NULL},
	{"EDEADLK", 35, EDEADLK, NULL},
	{"ENAMETOOLONG", 36, ENAMETOOLONG, NULL},
	{"ENOLCK", 37, ENOLCK, NULL},
	{"ENOSYS", 38, ENOSYS, NULL},
	{"ENOTEMPTY", 39, ENOTEMPTY, NULL},
	{"ELOOP", 40, ELOOP, NULL},
	{"ENOMSG", 42, ENOMSG, NULL},
	{"EIDRM", 43, EIDRM, NULL},
	{"ECHRNG", 44, 0, "Channel number out of range"},
	{"EL2NSYNC", 45, 0, "Level 2 not synchronized"},
	{"EL3HLT", 46, 0, "Level 3 halted"},
	{"EL3RST", 47, 0, "Level 3 reset"},
	{"ELNRNG", 48, 0, "Link number out of range"},
	{"EUNATCH", 49, 0, "Protocol driver not attached"},
	{"ENOCSI", 50, 0, "No CSI structure available"},
	{"EL2HLT", 51, 0, "Level 2 halted"},
	{"EBADE", 52, 0, "Invalid exchange"},
	{"EBADR", 53, 0, "Invalid request descriptor"},
	{"EXFULL", 54, 0, "Exchange full"},
	{"ENOANO", 55, 0, "No anode"},
	{"EBADRQC", 56, 0, "Invalid request code"},
	{"EBADSLT", 57, 0, "Invalid slot"},
	{"EBFONT", 59, 0, "Bad font file format"},
	{"ENOSTR", 60, 0, "Device not a stream"},
	{"ENODATA", 61, 0, "No data available"},
	{"ETIME", 62, 0, "Timer expired"},
	{"ENOSR", 63, 0, "Out of streams resources"},
	{"ENONET", 64, 0, "Machine is not on the network"},
	{"ENOPKG", 65, 0, "Package not installed"},
	{"EREMOTE", 66, 0, "Object is remote"},
	{"ENOLINK", 67, ENOLINK, NULL},
	{"EADV", 68, 0, "Advertise error"},
	{"ESRMNT", 69, 0, "Srmount error"},
	{"ECOMM", 70, 0, "Communication error on send"},
	{"EPROTO", 71, EPROTO, NULL},
	{"EMULTIHOP", 72, EMULTIHOP, NULL},
	{"EDOTDOT", 73, 0, "RFS specific error"},
	{"EBADMSG", 74, EBADMSG, NULL},
	{"EOVERFLOW", 75, EOVERFLOW, NULL},
	{"ENOTUNIQ", 76, 0, "Name not unique on network"},
	{"EBADFD", 77, 0, "File descriptor in bad state"},
	{"EREMCHG", 78, 0, "Remote address changed"},
	{"ELIBACC", 79, 0, "Can not access a needed shared library"},
	{"ELIBBAD", 80, 0, "Accessing a corrupted shared library"},
	{"ELIBSCN", 81, 0, ".lib section in a.out corrupted"},
	{"ELIBMAX", 82, 0, "Attempting to link in too many shared libraries"},
	{"ELIBEXEC", 83, 0, "Cannot exec a shared library directly"},
	{"EILSEQ", 84, EILSEQ, NULL},
	{"ERESTART", 85, 0, "Interrupted system call should be restarted"},
	{"ESTRPIPE", 86, 0, "Streams pipe error"},
	{"EUSERS", 87, 0, "Too many users"},
	{"ENOTSOCK", 88, ENOTSOCK, NULL},
	{"EDESTADDRREQ", 89, EDESTADDRREQ, NULL},
	{"EMSGSIZE", 90, EMSGSIZE, NULL},
	{"EPROTOTYPE", 91, EPROTOTYPE, NULL},
	{"ENOPROTOOPT", 92, ENOPROTOOPT, NULL},
	{"EPROTONOSUPPORT", 93, EPROTONOSUPPORT, NULL},
	{"ESOCKTNOSUPPORT", 94, 0, "Socket type not supported"},
	{"ENOTSUP", 95, ENOTSUP, NULL},
	{"EPFNOSUPPORT", 96, 0, "Protocol family not supported"},
	{"EAFNOSUPPORT", 97, EAFNOSUPPORT, NULL},
	{"EADDRINUSE", 98, EADDRINUSE, NULL},
	{"EADDRNOTAVAIL", 99, EADDRNOTAVAIL, NULL},
	{"ENETDOWN", 100, ENETDOWN, NULL},
	{"ENETUNREACH", 101, ENETUNREACH, NULL},
	{"ENETRESET", 102, ENETRESET, NULL},
	{"ECONNABORTED", 103, ECONNABORTED, NULL},
	{"ECONNRESET", 104, ECONNRESET, NULL},
	{"ENOBUFS", 105, ENOBUFS, NULL},
	{"EISCONN", 106, EISCONN, NULL},
	{"ENOTCONN", 107, ENOTCONN, NULL},
	{"ESHUTDOWN", 108, 0, "Cannot send after transport endpoint shutdown"},
	{"ETOOMANYREFS", 109, 0, "Too many references: cannot splice"},
	{"ETIMEDOUT", 110, ETIMEDOUT, NULL},
	{"ECONNREFUSED", 111, ECONNREFUSED, NULL},
	{"EHOSTDOWN", 112, 0, "Host is down"},
	{"EHOSTUNREACH", 113, EHOSTUNREACH, NULL},
	{"EALREADY", 114, EALREADY, NULL},
	{"EINPROGRESS", 115, EINPROGRESS, NULL},
	{"ESTALE", 116, ESTALE, NULL},
	{"EUCLEAN", 117, 0, "Structure needs cleaning"},
	{"ENOTNAM", 118, 0, "Not a XENIX named type file"},
	{"ENAVAIL", 119, 0, "No XENIX semaphores available"},
	{"EISNAM", 120, 0, "Is a named type file"},
	{"EREMOTEIO", 121, 0, "Remote I/O error"},
	{"EDQUOT", 122, EDQUOT, NULL},
	{"ENOMEDIUM", 123, 0, "No medium found"},
	{"EMEDIUMTYPE", 124, 0, "Wrong medium type"},
	{"ECANCELED", 125, ECANCELED, NULL},
	{"ENOKEY", 126, 0, "Required key not available"},
	{"EKEYEXPIRED", 127, 0, "Key has expired"},
	{"EKEYREVOKED", 128, 0, "Key has been revoked"},
	{"EKEYREJECTED", 129, 0, "Key was rejected by service"},
	{"EOWNERDEAD", 130, EOWNERDEAD, NULL},
	{"ENOTRECOVERABLE", 131, ENOTRECOVERABLE, NULL},
	{"ERFKILL", 132, 0, "Operation not possible due to RF-kill"},
	{"EDEADLOCK", 35, EDEADLK, NULL},
	{NULL, 1, ENOTCAPABLE, NULL},
};

enum { COUNT = sizeof errors / sizeof *errors };

int belljar_linux_errno(int wasi)
{
	for (size_t i = 0; i < COUNT; i++)
		if (wasi != 0 && errors[i].wasi == wasi)
			return errors[i].linux;
	return wasi;
}

int belljar_wasi_errno(int linux)
{
	for (size_t i = 0; i < COUNT; i++)
		if (errors[i].linux == linux)
			return errors[i].wasi ? errors[i].wasi : -1;
	return linux == 0 ? 0 : -1;
}

const char *belljar_strerror(int linux)
{
	static char unknown[32];
	if (linux == 0)
		return strerror(0);
	for (size_t i = 0; i < COUNT; i++)
		if (errors[i].linux == linux)
			return errors[i].wasi ? strerror(errors[i].wasi) : errors[i].text;
	snprintf(unknown, sizeof unknown, "Unknown error %d", linux);
	return unknown;
}

const char *belljar_errno_name(int i, int *linux)
{
	*linux = i < COUNT ? errors[i].linux : 0;
	return i < COUNT ? errors[i].name : NULL;
}
