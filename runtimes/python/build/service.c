#include "service.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <wasi/api.h>

__attribute__((import_module("belljar"), import_name("host_call")))
int32_t belljar_host_call(const char *name, size_t name_len, const void *request, size_t request_len, uint32_t *ret_len);

__attribute__((import_module("belljar"), import_name("host_take")))
int32_t belljar_host_take(void *buf, size_t len);

int service_tell(const char *name, const void *request, size_t request_len)
{
	uint32_t len;
	return belljar_host_call(name, strlen(name), request, request_len, &len);
}

char *service_call(const char *name, const void *request, size_t request_len, size_t *len, int *error)
{
	uint32_t answer_len;
	*error = belljar_host_call(name, strlen(name), request, request_len, &answer_len);
	if (*error != 0)
		return NULL;
	char *answer = malloc((size_t)answer_len + 1);
	*error = answer ? belljar_host_take(answer, answer_len) : __WASI_ERRNO_NOMEM;
	if (*error != 0) {
		free(answer);
		return NULL;
	}
	answer[answer_len] = 0;
	*len = answer_len;
	return answer;
}
