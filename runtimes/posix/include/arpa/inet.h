// What wasi-libc's <arpa/inet.h> leaves out.
#ifndef BELLJAR_ARPA_INET_H
#define BELLJAR_ARPA_INET_H

#include_next <arpa/inet.h>

in_addr_t inet_addr(const char *);
char *inet_ntoa(struct in_addr);

#endif
