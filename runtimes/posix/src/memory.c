// mmap for programs that read files through it, or want zeroed memory. A shared mapping is a copy: msync, munmap and the
// program's end write back those of its pages that have changed, so that what others write to the rest stays.
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host.h"

enum { PAGE = 4096 };

static struct mapping {
	struct mapping *next;
	char *at;
	size_t size;
	int fd; // to write back to; -1: nothing to write
	off_t offset;
	uint64_t *sums; // of the pages as the file has them
} *mappings;

static size_t pages(size_t size) { return size / PAGE + (size % PAGE != 0); }

static uint64_t sum(const char *page)
{
	uint64_t h = 0x9e3779b97f4a7c15, word;
	for (size_t i = 0; i < PAGE; i += sizeof word) {
		memcpy(&word, page + i, sizeof word);
		h = (h ^ word) * 0xff51afd7ed558ccd;
		h ^= h >> 32;
	}
	return h;
}

// write_back writes the pages of a range that have changed, as far as the file goes.
static int write_back(const struct mapping *m, size_t from, size_t to)
{
	struct stat st;
	if (m->fd < 0)
		return 0;
	if (fstat(m->fd, &st) < 0)
		return -1;
	if (st.st_size < m->offset + (off_t)to)
		to = st.st_size > m->offset ? (size_t)(st.st_size - m->offset) : 0;
	for (size_t page = from / PAGE; page * PAGE < to; page++) {
		size_t put = page * PAGE, end = to - put < PAGE ? to : put + PAGE;
		uint64_t now = sum(m->at + put);
		if (now == m->sums[page])
			continue;
		while (put < end) {
			ssize_t n = pwrite(m->fd, m->at + put, end - put, m->offset + (off_t)put);
			if (n <= 0)
				return -1;
			put += (size_t)n;
		}
		m->sums[page] = now;
	}
	return 0;
}

static void write_all(void)
{
	for (struct mapping *m = mappings; m; m = m->next)
		write_back(m, 0, m->size);
}

static void discard(struct mapping *m)
{
	if (m == NULL)
		return;
	if (m->fd >= 0)
		close(m->fd);
	free(m->sums);
	free(m->at);
	free(m);
}

// may says whether a descriptor permits a mapping.
static int may(int fd, int prot, int flags)
{
	int mode = fcntl(fd, F_GETFL);
	if (mode < 0)
		return -1;
	mode &= O_ACCMODE;
	if (mode == O_WRONLY || (flags & MAP_SHARED && prot & PROT_WRITE && mode != O_RDWR))
		return done(EACCES);
	return 0;
}

// load reads the file's part, and remembers it if it may have to be written.
static int load(struct mapping *m, int fd, int keep)
{
	for (size_t got = 0; got < m->size;) {
		ssize_t n = pread(fd, m->at + got, m->size - got, m->offset + (off_t)got);
		if (n < 0)
			return -1;
		if (n == 0)
			break;
		got += (size_t)n;
	}
	if (!keep)
		return 0;
	static int waiting;
	if (!waiting && atexit(write_all) == 0)
		waiting = 1;
	m->sums = calloc(pages(m->size), sizeof *m->sums);
	if (m->sums == NULL)
		return done(ENOMEM);
	for (size_t i = 0; i < pages(m->size); i++)
		m->sums[i] = sum(m->at + i * PAGE);
	return m->fd = dup(fd);
}

void *mmap(void *hint, size_t size, int prot, int flags, int fd, off_t offset)
{
	(void)hint;
	if (size == 0 || flags & MAP_FIXED || offset < 0 || offset % PAGE != 0) {
		errno = EINVAL;
		return MAP_FAILED;
	}
	if (!(flags & MAP_ANON) && may(fd, prot, flags) < 0)
		return MAP_FAILED;
	struct mapping *m = calloc(1, sizeof *m);
	if (m != NULL && size <= SIZE_MAX - PAGE)
		m->at = aligned_alloc(PAGE, pages(size) * PAGE);
	if (m == NULL || m->at == NULL) {
		free(m);
		errno = ENOMEM;
		return MAP_FAILED;
	}
	memset(m->at, 0, pages(size) * PAGE);
	m->size = size;
	m->offset = offset;
	m->fd = -1;
	if (!(flags & MAP_ANON) && load(m, fd, flags & MAP_SHARED && prot & PROT_WRITE) < 0) {
		int why = errno;
		discard(m);
		errno = why;
		return MAP_FAILED;
	}
	m->next = mappings;
	mappings = m;
	return m->at;
}

static struct mapping **find(const char *at)
{
	struct mapping **m = &mappings;
	while (*m && !(at >= (*m)->at && at < (*m)->at + (*m)->size))
		m = &(*m)->next;
	return m;
}

int munmap(void *at, size_t size)
{
	(void)size;
	struct mapping **link = find(at), *m = *link;
	if (m == NULL)
		return done(EINVAL);
	*link = m->next;
	int result = write_back(m, 0, m->size);
	discard(m);
	return result;
}

int msync(void *at, size_t size, int flags)
{
	(void)flags;
	struct mapping *m = *find(at);
	if (m == NULL)
		return done(ENOMEM);
	size_t from = (size_t)((char *)at - m->at), left = m->size - from;
	return write_back(m, from, from + (size < left ? size : left));
}

int mprotect(void *at, size_t size, int prot) { return (void)at, (void)size, (void)prot, 0; }
int madvise(void *at, size_t size, int advice) { return (void)at, (void)size, (void)advice, 0; }
