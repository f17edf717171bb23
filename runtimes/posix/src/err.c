// The BSD functions that say what failed and why, which wasi-libc declares and does not have.
#include <err.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern char *program_invocation_short_name;

static void say(const char *format, va_list args, int why)
{
	fflush(stdout);
	fprintf(stderr, "%s: ", program_invocation_short_name);
	if (format != NULL)
		vfprintf(stderr, format, args);
	if (why != 0)
		fprintf(stderr, "%s%s", format != NULL ? ": " : "", strerror(why));
	fputc('\n', stderr);
}

void vwarn(const char *format, va_list args) { say(format, args, errno); }
void vwarnx(const char *format, va_list args) { say(format, args, 0); }

_Noreturn void verr(int status, const char *format, va_list args)
{
	vwarn(format, args);
	exit(status);
}

_Noreturn void verrx(int status, const char *format, va_list args)
{
	vwarnx(format, args);
	exit(status);
}

void warn(const char *format, ...)
{
	va_list args;
	va_start(args, format);
	vwarn(format, args);
	va_end(args);
}

void warnx(const char *format, ...)
{
	va_list args;
	va_start(args, format);
	vwarnx(format, args);
	va_end(args);
}

_Noreturn void err(int status, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	verr(status, format, args);
}

_Noreturn void errx(int status, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	verrx(status, format, args);
}
