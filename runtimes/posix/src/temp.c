// Names that nobody has yet.
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host.h"

#define TRIES 100

static int name_it(char *at)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
	unsigned char random[6];
	if (getentropy(random, sizeof random) < 0)
		return -1;
	for (size_t i = 0; i < sizeof random; i++)
		at[i] = letters[random[i] % (sizeof letters - 1)];
	return 0;
}

// place finds the six X before suffix.
static char *place(char *template, int suffix)
{
	size_t len = strlen(template);
	if (suffix < 0 || len < 6 + (size_t)suffix || memcmp(template + len - 6 - (size_t)suffix, "XXXXXX", 6) != 0) {
		errno = EINVAL;
		return NULL;
	}
	return template + len - 6 - suffix;
}

int mkostemps(char *template, int suffix, int flags)
{
	char *at = place(template, suffix);
	if (at == NULL)
		return -1;
	for (int i = 0; i < TRIES; i++) {
		if (name_it(at) < 0)
			break;
		int fd = open(template, (flags & (O_APPEND | O_CLOEXEC | O_SYNC)) | O_RDWR | O_CREAT | O_EXCL, 0600);
		if (fd >= 0)
			return fd;
		if (errno != EEXIST)
			break;
	}
	memcpy(at, "XXXXXX", 6);
	return -1;
}

int mkstemps(char *template, int suffix) { return mkostemps(template, suffix, 0); }
int mkostemp(char *template, int flags) { return mkostemps(template, 0, flags); }
int mkstemp(char *template) { return mkostemps(template, 0, 0); }

char *mkdtemp(char *template)
{
	char *at = place(template, 0);
	for (int i = 0; at && i < TRIES; i++) {
		if (name_it(at) < 0)
			break;
		if (mkdir(template, 0700) == 0)
			return template;
		if (errno != EEXIST)
			break;
	}
	if (at)
		memcpy(at, "XXXXXX", 6);
	return NULL;
}

char *mktemp(char *template)
{
	char *at = place(template, 0);
	struct stat st;
	for (int i = 0; at && i < TRIES; i++)
		if (name_it(at) == 0 && lstat(template, &st) < 0 && errno == ENOENT)
			return template;
	*template = '\0';
	return template;
}

FILE *tmpfile(void)
{
	char name[] = "/tmp/tmpfXXXXXX";
	int fd = mkostemp(name, O_CLOEXEC);
	if (fd < 0)
		return NULL;
	unlink(name);
	FILE *f = fdopen(fd, "w+");
	if (f == NULL)
		close(fd);
	return f;
}

char *tmpnam(char *buf)
{
	static char own[L_tmpnam];
	if (buf == NULL)
		buf = own;
	strcpy(buf, "/tmp/fileXXXXXX");
	return *mktemp(buf) ? buf : NULL;
}

char *tempnam(const char *dir, const char *prefix)
{
	char *name;
	if (asprintf(&name, "%s/%.5sXXXXXX", dir ? dir : P_tmpdir, prefix ? prefix : "file") < 0)
		return NULL;
	if (*mktemp(name))
		return name;
	free(name);
	return NULL;
}
