// Calls to the host by name, for what has no POSIX form. See host_call in wasi/ABI.md.
#ifndef BELLJAR_SERVICE_H
#define BELLJAR_SERVICE_H

#include <stddef.h>

// service_call asks the host's service called name and returns its answer, an allocated block of *len bytes with a
// NUL after it, or NULL with an errno of WASI in *error.
char *service_call(const char *name, const void *request, size_t request_len, size_t *len, int *error);

// service_tell asks and wants no answer. It returns an errno of WASI, 0 for success.
int service_tell(const char *name, const void *request, size_t request_len);

#endif
