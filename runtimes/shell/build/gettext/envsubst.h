// What of gnulib GNU gettext's envsubst is written for, where there is only one language.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifndef O_BINARY
#define O_BINARY 0
#endif
#define set_binary_mode(fd, mode) ((void)0)
#define _GL_NORETURN_FUNC _Noreturn
#define MAYBE_UNUSED __attribute__((unused))
#define XNMALLOC(count, type) ((type *)xmalloc((size_t)(count) * sizeof(type)))
#define PACKAGE "gettext-runtime"
#define VERSION "0.23.1"
#define _(text) text
#define proper_name(name) name
#define relocate(path) path
#define bindtextdomain(package, path) ((void)0)
#define textdomain(package) ((void)0)
#define gettext(text) text

static const char *program_name;
static inline void set_program_name(const char *name) { program_name = name; }

static inline const char *last_component(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash ? slash + 1 : path;
}

static inline void error(int status, int why, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	fprintf(stderr, "%s: ", program_name);
	vfprintf(stderr, format, args);
	va_end(args);
	fprintf(stderr, why ? ": %s\n" : "\n", strerror(why));
	if (status)
		exit(status);
}

static inline void close_stdout(void)
{
	if (fflush(stdout) != 0 || ferror(stdout)) {
		fprintf(stderr, "%s: write error\n", program_name);
		_Exit(EXIT_FAILURE);
	}
}

static inline void *taken(void *memory)
{
	if (memory == NULL)
		error(EXIT_FAILURE, 0, "memory exhausted");
	return memory;
}

static inline void *xmalloc(size_t size) { return taken(malloc(size ? size : 1)); }
static inline void *xrealloc(void *old, size_t size) { return taken(realloc(old, size ? size : 1)); }

struct string_buffer {
	char *data;
	size_t length, allocated;
};

static inline void sb_init(struct string_buffer *b) { *b = (struct string_buffer){0}; }
static inline void sb_free(struct string_buffer *b) { free(b->data); }

static inline int sb_xappend1(struct string_buffer *b, char c)
{
	if (b->length == b->allocated)
		b->data = xrealloc(b->data, b->allocated = 2 * b->allocated + 16);
	b->data[b->length++] = c;
	return 0;
}

// sb_xcontents_c answers the bytes with a NUL behind them, which is no part of them; the buffer keeps them.
static inline const char *sb_xcontents_c(struct string_buffer *b)
{
	sb_xappend1(b, '\0');
	b->length--;
	return b->data;
}

static inline struct string_buffer sb_contents(struct string_buffer *b) { return *b; }
static inline int string_desc_fwrite(FILE *f, struct string_buffer b)
{
	return fwrite(b.data, 1, b.length, f) == b.length ? 0 : -1;
}
