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

// sig_action says what a signal does: 2 calls belljar_signal. ret_old gets what it did before, and its flags.
__attribute__((import_module("belljar"), import_name("sig_action")))
int32_t belljar_sig_action(int32_t number, int32_t how, int32_t flags, uint32_t ret_old[2]);

#define SIGNAL_INTERRUPT 2
#define SIGNAL_HANDLE 2

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

void process_catch_interrupt(void)
{
	uint32_t old[2];
	(void)belljar_sig_action(SIGNAL_INTERRUPT, SIGNAL_HANDLE, 0, old);
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

// wasi-libc's own nanosleep answers ENOTSUP to every error of the host, EINTR among them.
int nanosleep(const struct timespec *duration, struct timespec *remaining)
{
	if (duration->tv_sec < 0 || duration->tv_nsec < 0 || duration->tv_nsec >= 1000000000) {
		errno = EINVAL;
		return -1;
	}
	uint64_t nanoseconds = UINT64_MAX;
	if ((uint64_t)duration->tv_sec < UINT64_MAX / 1000000000 - 1)
		nanoseconds = (uint64_t)duration->tv_sec * 1000000000 + (uint64_t)duration->tv_nsec;
	__wasi_subscription_t subscription = {
		.u.tag = __WASI_EVENTTYPE_CLOCK, .u.u.clock.id = __WASI_CLOCKID_MONOTONIC, .u.u.clock.timeout = nanoseconds,
	};
	__wasi_timestamp_t start = 0, now = 0;
	__wasi_event_t event;
	__wasi_size_t count;
	(void)__wasi_clock_time_get(__WASI_CLOCKID_MONOTONIC, 0, &start);
	__wasi_errno_t error = __wasi_poll_oneoff(&subscription, &event, 1, &count);
	if (error == 0)
		error = event.error;
	if (error == 0)
		return 0;
	if (remaining != NULL && __wasi_clock_time_get(__WASI_CLOCKID_MONOTONIC, 0, &now) == 0) {
		uint64_t left = now - start < nanoseconds ? nanoseconds - (now - start) : 0;
		*remaining = (struct timespec){.tv_sec = left / 1000000000, .tv_nsec = left % 1000000000};
	}
	errno = error;
	return -1;
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
