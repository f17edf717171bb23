// URLs. Strings that are answered are allocated; NULL is what isn't a URL.
#ifndef BELLJAR_JS_URL_H
#define BELLJAR_JS_URL_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

char *url_parse(const char *input, size_t input_len, const char *base, size_t base_len, uint32_t parts[9], size_t *size);
char *url_update(const char *href, size_t href_len, int action, const char *value, size_t value_len, uint32_t parts[9],
	size_t *size);
char *url_format(const char *href, size_t href_len, int hash, int unicode, int search, int auth, size_t *size);
char *url_domain(const char *domain, size_t domain_len, int unicode, size_t *size);

#ifdef __cplusplus
}
#endif

#endif
