#include "process.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <wasi/api.h>
#include <wasi/libc-environ.h>

// proc_cwd_get stores the working directory, absolute and without a final NUL, and its length.
// It answers a WASI errno; ERANGE means that buf is too small.
__attribute__((import_module("belljar"), import_name("proc_cwd_get")))
int32_t belljar_proc_cwd_get(char *buf, size_t buf_len, size_t *ret_len);

// The longest working directory asked for, so that a host that always answers ERANGE ends.
#define CWD_MAX (1 << 20)

int process_args(int *argc, char ***argv)
{
	size_t count, size;
	if (__wasi_args_sizes_get(&count, &size) != 0 || count >= SIZE_MAX / sizeof(char *))
		return -1;
	char *strings = malloc(size + 1);
	char **vector = calloc(count + 1, sizeof *vector);
	if (strings == NULL || vector == NULL || __wasi_args_get((uint8_t **)vector, (uint8_t *)strings) != 0) {
		free(strings);
		free(vector);
		return -1;
	}
	*argc = (int)count;
	*argv = vector;
	return 0;
}

void process_forget_environ(void)
{
	__wasilibc_deinitialize_environ();
}

char **process_environ(void)
{
	process_forget_environ();
	__wasilibc_ensure_environ();
	return __wasilibc_get_environ();
}

void process_enter_cwd(void)
{
	char small[1024], *buf = small, *grown = NULL;
	size_t size = sizeof small - 1, len = 0;
	int32_t err;
	while ((err = belljar_proc_cwd_get(buf, size, &len)) == __WASI_ERRNO_RANGE && size < CWD_MAX) {
		size = size * 4 + 3;
		free(grown);
		buf = grown = malloc(size + 1);
		if (buf == NULL)
			return;
	}
	if (err == 0 && len <= size) {
		buf[len] = '\0';
		// libc starts in "/", and chdir asks the host whether its target is a directory.
		if (strcmp(buf, "/") != 0)
			(void)chdir(buf);
	}
	free(grown);
}

char *process_find_program(const char *name)
{
	const char *folder = getenv("PATH");
	while (folder != NULL && *folder != '\0') {
		size_t len = strcspn(folder, ":");
		char *path = malloc(len + strlen(name) + 2);
		if (path == NULL)
			return NULL;
		memcpy(path, folder, len);
		path[len] = '/';
		strcpy(path + len + 1, name);
		struct stat st;
		if (stat(path, &st) == 0 && S_ISREG(st.st_mode))
			return path;
		free(path);
		folder += len + (folder[len] == ':');
	}
	return NULL;
}

int process_same_kind(const struct fd_kind *a, const struct fd_kind *b)
{
	return a->open == b->open && a->format == b->format && a->block_size == b->block_size &&
		a->terminal == b->terminal && a->position == b->position;
}

struct fd_kind process_fd_kind(int fd)
{
	struct fd_kind kind = {0};
	struct stat st;
	if (fstat(fd, &st) != 0)
		return kind;
	kind.open = 1;
	kind.format = st.st_mode & S_IFMT;
	kind.block_size = st.st_blksize;
	kind.terminal = isatty(fd);
	kind.position = lseek(fd, 0, SEEK_CUR);
	return kind;
}

// wasi-libc's own clock() counts real time from the moment its constructors ran, which for a warm image was another
// day on another machine. clock and __clock together keep its object file out of the link; times() and getrusage()
// call __clock.
static uint64_t clock_start;

void process_start_clock(void)
{
	if (__wasi_clock_time_get(__WASI_CLOCKID_MONOTONIC, 0, &clock_start) != 0)
		clock_start = 0;
}

clock_t __clock(void)
{
	uint64_t now;
	if (__wasi_clock_time_get(__WASI_CLOCKID_PROCESS_CPUTIME_ID, 0, &now) == 0)
		return (clock_t)now;
	if (__wasi_clock_time_get(__WASI_CLOCKID_MONOTONIC, 0, &now) == 0)
		return (clock_t)(now - clock_start);
	return -1;
}

clock_t clock(void)
{
	return __clock();
}
