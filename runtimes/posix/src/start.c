// What a program needs before main: POSIX's paths, and the working directory it was started in.
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <limits.h>
#include <wasi/api.h>

#include "host.h"

static char *cwd;

// By musl's names; error messages begin with them.
extern char *__progname, *__progname_full;

static void name_program(void)
{
	size_t count, size;
	if (__wasi_args_sizes_get(&count, &size) != 0 || count == 0)
		return;
	uint8_t **argv = malloc((count + 1) * sizeof *argv), *strings = malloc(size);
	if (argv && strings && __wasi_args_get(argv, strings) == 0) {
		__progname_full = (char *)argv[0];
		char *slash = strrchr(__progname_full, '/');
		__progname = slash ? slash + 1 : __progname_full;
	}
	free(argv);
}

static int set_cwd(void)
{
	char buf[PATH_MAX];
	size_t len = 0;
	int err = host_proc_cwd_get(buf, sizeof buf, &len);
	if (err != 0)
		return err;
	char *copy = strndup(buf, len);
	if (copy == NULL)
		return ENOMEM;
	free(cwd);
	cwd = copy;
	return 0;
}

// enter_cwd takes the process to where the program believes to be.
static void enter_cwd(void)
{
	char buf[PATH_MAX];
	size_t len = 0;
	if (cwd && host_proc_cwd_get(buf, sizeof buf, &len) == 0 && (len != strlen(cwd) || memcmp(buf, cwd, len) != 0))
		host_proc_cwd_set(cwd, strlen(cwd));
}

void __belljar_resume(void)
{
	host_proc_paths(1);
	enter_cwd();
	__belljar_tell_umask();
	__belljar_tell_actions();
}

void __belljar_begin(void)
{
	free(cwd);
	cwd = NULL;
	__belljar_resume();
	set_cwd();
	name_program();
}

// 51: before any constructor of a program, after none that matters.
__attribute__((constructor(51))) static void start(void) { __belljar_begin(); }

const char *__belljar_cwd(void)
{
	return cwd ? cwd : "/";
}

int chdir(const char *path)
{
	// The host takes absolute paths, and cleans them by their letters: what ".." is behind a link is found here.
	char *real = realpath(path, NULL);
	if (real == NULL)
		return -1;
	int err = host_proc_cwd_set(real, strlen(real));
	free(real);
	return done(err ? err : set_cwd());
}

char *getcwd(char *buf, size_t size)
{
	// The directory may have been renamed by others.
	int err = set_cwd();
	if (err != 0) {
		errno = err;
		return NULL;
	}
	size_t len = strlen(cwd) + 1;
	if (buf == NULL)
		return size == 0 || size >= len ? strdup(cwd) : (errno = ERANGE, NULL);
	if (size == 0) {
		errno = EINVAL;
		return NULL;
	}
	if (size < len) {
		errno = ERANGE;
		return NULL;
	}
	return memcpy(buf, cwd, len);
}
