#include "process.h"

#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <wasi/api.h>
#include <wasi/libc-environ.h>

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

// wasi-libc's sysconf doesn't know how many descriptors and processes there may be. The linker sends its callers here
// (--wrap).
long __real_sysconf(int name);
long __wrap_sysconf(int name)
{
	struct rlimit limit;
	int which = name == _SC_OPEN_MAX ? RLIMIT_NOFILE : name == _SC_CHILD_MAX ? RLIMIT_NPROC : -1;
	if (which < 0 || getrlimit(which, &limit) < 0 || limit.rlim_cur > LONG_MAX)
		return __real_sysconf(name);
	return (long)limit.rlim_cur;
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
