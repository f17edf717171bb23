// mmap for programs that read files through it, or want zeroed memory. A shared mapping is a copy that msync and
// munmap write back.
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "host.h"

static struct mapping {
	struct mapping *next;
	void *at;
	size_t size;
	int fd; // to write back to; -1: nothing to write
	off_t offset;
} *mappings;

void *mmap(void *hint, size_t size, int prot, int flags, int fd, off_t offset)
{
	(void)hint;
	if (size == 0 || flags & MAP_FIXED) {
		errno = EINVAL;
		return MAP_FAILED;
	}
	struct mapping *m = malloc(sizeof *m);
	void *at = aligned_alloc(4096, (size + 4095) & ~(size_t)4095);
	if (m == NULL || at == NULL) {
		free(m);
		free(at);
		errno = ENOMEM;
		return MAP_FAILED;
	}
	memset(at, 0, size);
	*m = (struct mapping){.next = mappings, .at = at, .size = size, .fd = -1, .offset = offset};
	for (size_t got = 0; !(flags & MAP_ANON) && got < size;) {
		ssize_t n = pread(fd, (char *)at + got, size - got, offset + (off_t)got);
		if (n < 0) {
			free(m);
			free(at);
			return MAP_FAILED;
		}
		if (n == 0)
			break;
		got += (size_t)n;
	}
	if (!(flags & MAP_ANON) && flags & MAP_SHARED && prot & PROT_WRITE)
		m->fd = dup(fd);
	mappings = m;
	return at;
}

static struct mapping **find(void *at)
{
	struct mapping **m = &mappings;
	while (*m && !((char *)at >= (char *)(*m)->at && (char *)at < (char *)(*m)->at + (*m)->size))
		m = &(*m)->next;
	return m;
}

static int write_back(const struct mapping *m)
{
	for (size_t put = 0; m->fd >= 0 && put < m->size;) {
		ssize_t n = pwrite(m->fd, (char *)m->at + put, m->size - put, m->offset + (off_t)put);
		if (n <= 0)
			return -1;
		put += (size_t)n;
	}
	return 0;
}

int munmap(void *at, size_t size)
{
	(void)size;
	struct mapping **link = find(at), *m = *link;
	if (m == NULL)
		return done(EINVAL);
	*link = m->next;
	int result = write_back(m);
	if (m->fd >= 0)
		close(m->fd);
	free(m->at);
	free(m);
	return result;
}

int msync(void *at, size_t size, int flags)
{
	(void)size;
	(void)flags;
	struct mapping *m = *find(at);
	return m ? write_back(m) : done(ENOMEM);
}

int mprotect(void *at, size_t size, int prot) { return (void)at, (void)size, (void)prot, 0; }
int madvise(void *at, size_t size, int advice) { return (void)at, (void)size, (void)advice, 0; }
