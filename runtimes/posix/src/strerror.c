// strerror with glibc's words: scripts and people look for them in what programs say.
#include <errno.h>
#include <locale.h>
#include <string.h>

static const struct {
	int number;
	const char *text;
} texts[] = {
	{0, "Success"},
	{EADDRINUSE, "Address already in use"},
	{EADDRNOTAVAIL, "Cannot assign requested address"},
	{EAFNOSUPPORT, "Address family not supported by protocol"},
	{EALREADY, "Operation already in progress"},
	{ECHILD, "No child processes"},
	{ECONNABORTED, "Software caused connection abort"},
	{EDEADLK, "Resource deadlock avoided"},
	{EDOM, "Numerical argument out of domain"},
	{EDQUOT, "Disk quota exceeded"},
	{EHOSTUNREACH, "No route to host"},
	{EILSEQ, "Invalid or incomplete multibyte or wide character"},
	{EINPROGRESS, "Operation now in progress"},
	{EIO, "Input/output error"},
	{EISCONN, "Transport endpoint is already connected"},
	{ELOOP, "Too many levels of symbolic links"},
	{EMFILE, "Too many open files"},
	{EMSGSIZE, "Message too long"},
	{ENAMETOOLONG, "File name too long"},
	{ENETDOWN, "Network is down"},
	{ENOLCK, "No locks available"},
	{ENOMEM, "Cannot allocate memory"},
	{ENOTCAPABLE, "Operation not permitted"},
	{ENOTCONN, "Transport endpoint is not connected"},
	{ENOTSOCK, "Socket operation on non-socket"},
	{ENOTSUP, "Operation not supported"},
	{ENOTTY, "Inappropriate ioctl for device"},
	{EOVERFLOW, "Value too large for defined data type"},
	{EPERM, "Operation not permitted"},
	{EPROTOTYPE, "Protocol wrong type for socket"},
	{ERANGE, "Numerical result out of range"},
	{ESPIPE, "Illegal seek"},
	{ESTALE, "Stale file handle"},
	{ETIMEDOUT, "Connection timed out"},
	{ETXTBSY, "Text file busy"},
	{EXDEV, "Invalid cross-device link"},
	{E2BIG, "Argument list too long"},
	{EACCES, "Permission denied"},
	{EAGAIN, "Resource temporarily unavailable"},
	{EBADF, "Bad file descriptor"},
	{EBADMSG, "Bad message"},
	{EBUSY, "Device or resource busy"},
	{ECANCELED, "Operation canceled"},
	{ECONNREFUSED, "Connection refused"},
	{ECONNRESET, "Connection reset by peer"},
	{EDESTADDRREQ, "Destination address required"},
	{EEXIST, "File exists"},
	{EFAULT, "Bad address"},
	{EFBIG, "File too large"},
	{EIDRM, "Identifier removed"},
	{EINTR, "Interrupted system call"},
	{EINVAL, "Invalid argument"},
	{EISDIR, "Is a directory"},
	{EMLINK, "Too many links"},
	{EMULTIHOP, "Multihop attempted"},
	{ENETRESET, "Network dropped connection on reset"},
	{ENETUNREACH, "Network is unreachable"},
	{ENFILE, "Too many open files in system"},
	{ENOBUFS, "No buffer space available"},
	{ENODEV, "No such device"},
	{ENOENT, "No such file or directory"},
	{ENOEXEC, "Exec format error"},
	{ENOLINK, "Link has been severed"},
	{ENOMSG, "No message of desired type"},
	{ENOPROTOOPT, "Protocol not available"},
	{ENOSPC, "No space left on device"},
	{ENOSYS, "Function not implemented"},
	{ENOTDIR, "Not a directory"},
	{ENOTEMPTY, "Directory not empty"},
	{ENOTRECOVERABLE, "State not recoverable"},
	{ENXIO, "No such device or address"},
	{EOWNERDEAD, "Owner died"},
	{EPIPE, "Broken pipe"},
	{EPROTO, "Protocol error"},
	{EPROTONOSUPPORT, "Protocol not supported"},
	{EROFS, "Read-only file system"},
	{ESRCH, "No such process"},
};

char *strerror(int number)
{
	static char unknown[32];
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		if (texts[i].number == number)
			return (char *)texts[i].text;
	char digits[12], *at = digits + sizeof digits, *to = stpcpy(unknown, "Unknown error ");
	unsigned left = number < 0 ? 0u - (unsigned)number : (unsigned)number;
	*--at = '\0';
	do
		*--at = (char)('0' + left % 10);
	while (left /= 10);
	if (number < 0)
		*to++ = '-';
	strcpy(to, at);
	return unknown;
}

char *strerror_l(int number, locale_t locale) { return (void)locale, strerror(number); }
char *__strerror_l(int number, locale_t locale) { return strerror_l(number, locale); }
