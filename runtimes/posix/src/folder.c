// Folders by path: wasi-libc's own functions find them through preopened descriptors.
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host.h"

DIR *__wasilibc_opendirat(int dir, const char *path)
{
	int fd = openat(dir, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return NULL;
	DIR *d = fdopendir(fd);
	if (d == NULL) {
		int err = errno;
		close(fd);
		errno = err;
	}
	return d;
}

DIR *opendir(const char *path) { return __wasilibc_opendirat(AT_FDCWD, path); }
DIR *__wasilibc_nocwd_opendirat(int dir, const char *path) { return __wasilibc_opendirat(dir, path); }

static void drop(struct dirent **list, size_t count)
{
	while (count > 0)
		free(list[--count]);
	free(list);
}

static struct dirent *copy(const struct dirent *e)
{
	size_t size = offsetof(struct dirent, d_name) + strlen(e->d_name) + 1;
	struct dirent *made = malloc(size);
	return made ? memcpy(made, e, size) : NULL;
}

int scandirat(int dir, const char *path, struct dirent ***result, int (*want)(const struct dirent *),
	int (*order)(const struct dirent **, const struct dirent **))
{
	DIR *d = __wasilibc_opendirat(dir, path);
	if (d == NULL)
		return -1;
	struct dirent **list = NULL, *e;
	size_t count = 0, room = 0;
	int err = 0;
	while (err == 0 && (errno = 0, e = readdir(d)) != NULL) {
		if (want && !want(e))
			continue;
		if (count == room) {
			struct dirent **grown = reallocarray(list, room = room * 2 + 16, sizeof *list);
			if (grown == NULL) {
				err = ENOMEM;
				break;
			}
			list = grown;
		}
		if ((list[count] = copy(e)) == NULL)
			err = ENOMEM;
		else
			count++;
	}
	if (err == 0)
		err = errno;
	closedir(d);
	if (err) {
		drop(list, count);
		return done(err);
	}
	if (order && count > 1)
		qsort(list, count, sizeof *list, (int (*)(const void *, const void *))order);
	*result = list;
	return (int)count;
}

int scandir(const char *path, struct dirent ***result, int (*want)(const struct dirent *),
	int (*order)(const struct dirent **, const struct dirent **))
{
	return scandirat(AT_FDCWD, path, result, want, order);
}

// name_in finds what dir, a descriptor that is used up, calls the folder st.
static char *name_in(int dir, const struct stat *st)
{
	DIR *d = fdopendir(dir);
	struct dirent *e;
	struct stat found;
	char *name = NULL;
	if (d == NULL) {
		close(dir);
		return NULL;
	}
	while (name == NULL && (e = readdir(d)) != NULL)
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0 &&
			fstatat(dirfd(d), e->d_name, &found, AT_SYMLINK_NOFOLLOW) == 0 &&
			found.st_ino == st->st_ino && found.st_dev == st->st_dev)
			name = strdup(e->d_name);
	closedir(d);
	return name;
}

// path_of climbs from fd to the root, and gives the names on the way.
static char *path_of(int fd)
{
	struct stat here, up;
	char *path = strdup("");
	int at = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	while (path && at >= 0 && fstat(at, &here) == 0) {
		int parent = openat(at, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		close(at);
		at = -1;
		if (parent < 0 || fstat(parent, &up) < 0)
			break;
		if (up.st_ino == here.st_ino && up.st_dev == here.st_dev) {
			close(parent);
			return path;
		}
		at = openat(parent, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		char *name = name_in(parent, &here), *longer = NULL;
		if (name && asprintf(&longer, "/%s%s", name, path) < 0)
			longer = NULL;
		free(name);
		free(path);
		path = longer;
	}
	if (at >= 0)
		close(at);
	free(path);
	return NULL;
}

int fchdir(int fd)
{
	char *path = path_of(fd);
	if (path == NULL)
		return errno ? -1 : done(ENOENT);
	int result = chdir(*path ? path : "/");
	free(path);
	return result;
}
