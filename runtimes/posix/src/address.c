// Addresses by name: getaddrinfo and getnameinfo over numbers, /etc/hosts and the services that everyone knows.
#include <arpa/inet.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "host.h"

enum { HOST_STREAM = 2 };

// The host's forms of addresses. See wasi/addrinfo.go.
struct host_sockaddr {
	uint8_t family;
	uint32_t len;
	unsigned char *data;
};

struct host_addrinfo {
	uint16_t flags;
	uint8_t family, type, protocol;
	uint32_t addrlen;
	struct host_sockaddr *addr;
	char *canonname;
	uint32_t canonname_len;
	struct host_addrinfo *next;
};

__attribute__((import_module("wasi_snapshot_preview1"), import_name("sock_getaddrinfo")))
int host_sock_getaddrinfo(const char *name, size_t name_len, const char *service, size_t service_len,
	const struct host_addrinfo *hint, struct host_addrinfo **result, uint32_t most, uint32_t *count);

static struct service {
	const char *name;
	int port;
	const char *protocol; // NULL: both
} const services[] = {
	{"echo", 7, NULL}, {"discard", 9, NULL}, {"daytime", 13, NULL}, {"ftp", 21, "tcp"}, {"ssh", 22, "tcp"},
	{"telnet", 23, "tcp"}, {"smtp", 25, "tcp"}, {"time", 37, NULL}, {"domain", 53, NULL}, {"tftp", 69, "udp"},
	{"http", 80, "tcp"}, {"pop3", 110, "tcp"}, {"ntp", 123, "udp"}, {"imap2", 143, "tcp"}, {"https", 443, NULL},
	{"imaps", 993, "tcp"}, {"pop3s", 995, "tcp"},
};

static const struct service *find_service(const char *name, int port, const char *protocol)
{
	for (size_t i = 0; i < sizeof services / sizeof *services; i++) {
		const struct service *s = &services[i];
		if ((name ? strcmp(s->name, name) == 0 : s->port == port) &&
			(protocol == NULL || s->protocol == NULL || strcmp(s->protocol, protocol) == 0))
			return s;
	}
	return NULL;
}

static struct servent *entry(const struct service *s, const char *protocol)
{
	static char *none[1];
	static struct servent e;
	if (s == NULL)
		return NULL;
	if (protocol == NULL)
		protocol = s->protocol ? s->protocol : "tcp";
	e = (struct servent){(char *)s->name, none, htons((uint16_t)s->port), (char *)protocol};
	return &e;
}

struct servent *getservbyname(const char *name, const char *protocol)
{
	return entry(find_service(name, 0, protocol), protocol);
}

struct servent *getservbyport(int port, const char *protocol)
{
	return entry(find_service(NULL, ntohs((uint16_t)port), protocol), protocol);
}

struct protoent *getprotobyname(const char *name)
{
	static char *none[1];
	static struct protoent known[] = {
		{"ip", none, IPPROTO_IP}, {"icmp", none, IPPROTO_ICMP}, {"tcp", none, IPPROTO_TCP},
		{"udp", none, IPPROTO_UDP}, {"ipv6", none, IPPROTO_IPV6},
	};
	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if (strcmp(known[i].p_name, name) == 0)
			return &known[i];
	return NULL;
}

// One answer and everything it points to, freed together.
struct found {
	struct addrinfo info;
	struct sockaddr_storage addr;
};

struct query {
	int flags, family, type, protocol;
	uint16_t port;
	const char *canonical;
	struct addrinfo **end;
};

// add appends the answers for one address, for each type of socket that is asked for.
static int add(struct query *q, int family, const void *address)
{
	static const int types[][2] = {{SOCK_STREAM, IPPROTO_TCP}, {SOCK_DGRAM, IPPROTO_UDP}};
	for (size_t i = 0; i < 2; i++) {
		if ((q->type && q->type != types[i][0]) || (q->protocol && q->protocol != types[i][1]))
			continue;
		struct found *f = calloc(1, sizeof *f);
		if (f == NULL)
			return EAI_MEMORY;
		f->info = (struct addrinfo){.ai_family = family, .ai_socktype = types[i][0], .ai_protocol = types[i][1],
			.ai_addr = (struct sockaddr *)&f->addr};
		f->addr.ss_family = (sa_family_t)family;
		if (family == AF_INET) {
			struct sockaddr_in *in = (struct sockaddr_in *)&f->addr;
			in->sin_port = htons(q->port);
			memcpy(&in->sin_addr, address, sizeof in->sin_addr);
			f->info.ai_addrlen = sizeof *in;
		} else {
			struct sockaddr_in6 *in = (struct sockaddr_in6 *)&f->addr;
			in->sin6_port = htons(q->port);
			memcpy(&in->sin6_addr, address, sizeof in->sin6_addr);
			f->info.ai_addrlen = sizeof *in;
		}
		*q->end = &f->info;
		q->end = &f->info.ai_next;
		if (q->canonical && (f->info.ai_canonname = strdup(q->canonical)) == NULL)
			return EAI_MEMORY;
		q->canonical = NULL;
	}
	return 0;
}

// add_wildcard answers for no name: the addresses to listen on, or this machine's.
static int add_wildcard(struct query *q)
{
	struct in_addr v4 = {htonl(q->flags & AI_PASSIVE ? INADDR_ANY : INADDR_LOOPBACK)};
	unsigned char v6[16] = {0};
	v6[15] = q->flags & AI_PASSIVE ? 0 : 1;
	int err = q->family == AF_INET6 ? 0 : add(q, AF_INET, &v4);
	return err || q->family == AF_INET ? err : add(q, AF_INET6, v6);
}

enum { RESOLVED = 16 };

// What the host fills in for sock_getaddrinfo. It may know more addresses than these.
struct answers {
	struct host_addrinfo info[RESOLVED];
	struct host_sockaddr addr[RESOLVED];
	unsigned char data[RESOLVED][32];
};

// add_resolved asks the host, which resolves the names that the sandbox's network policy allows.
static int add_resolved(struct query *q, const char *name)
{
	struct answers *a = calloc(1, sizeof *a);
	if (a == NULL)
		return EAI_MEMORY;
	for (int i = 0; i < RESOLVED; i++) {
		a->addr[i] = (struct host_sockaddr){.len = sizeof a->data[i], .data = a->data[i]};
		a->info[i] = (struct host_addrinfo){.addr = &a->addr[i], .next = i + 1 < RESOLVED ? &a->info[i + 1] : NULL};
	}
	struct host_addrinfo hint = {.family = q->family == AF_INET ? 1 : q->family == AF_INET6 ? 2 : 0, .type = HOST_STREAM};
	struct host_addrinfo *first = a->info;
	uint32_t count = 0;
	int err = BLOCKING(host_sock_getaddrinfo(name, strlen(name), "", 0, &hint, &first, RESOLVED, &count));
	int result = err == 0 ? 0 : err == EAGAIN ? EAI_AGAIN : err == ENOENT || err == EACCES ? EAI_NONAME : EAI_FAIL;
	for (uint32_t i = 0; i < count && result == 0; i++) {
		int v4 = a->info[i].family == 1;
		result = add(q, v4 ? AF_INET : AF_INET6, a->data[i] + (v4 ? 2 : 6));
	}
	free(a);
	return result;
}

static int add_name(struct query *q, const char *name)
{
	unsigned char address[16];
	if (inet_pton(AF_INET, name, address) == 1)
		return q->family == AF_INET6 ? EAI_NONAME : add(q, AF_INET, address);
	if (inet_pton(AF_INET6, name, address) == 1)
		return q->family == AF_INET ? EAI_NONAME : add(q, AF_INET6, address);
	if (q->flags & AI_NUMERICHOST)
		return EAI_NONAME;
	if (q->flags & AI_CANONNAME)
		q->canonical = name;
	if (strcmp(name, "localhost") == 0) {
		q->flags &= ~AI_PASSIVE;
		return add_wildcard(q);
	}
	struct in_addr known;
	if (__belljar_hosts_file(name, &known))
		return q->family == AF_INET6 ? EAI_NONAME : add(q, AF_INET, &known);
	return add_resolved(q, name);
}

static int read_service(struct query *q, const char *service)
{
	char *end;
	if (service == NULL)
		return 0;
	unsigned long port = strtoul(service, &end, 10);
	if (*service >= '0' && *service <= '9' && *end == '\0') {
		q->port = (uint16_t)port;
		return port > UINT16_MAX ? EAI_SERVICE : 0;
	}
	const char *protocol = q->type == SOCK_DGRAM ? "udp" : q->type == SOCK_STREAM ? "tcp" : NULL;
	const struct service *s = q->flags & AI_NUMERICSERV ? NULL : find_service(service, 0, protocol);
	if (s == NULL)
		return *service ? EAI_SERVICE : 0;
	q->port = (uint16_t)s->port;
	return 0;
}

int getaddrinfo(const char *restrict name, const char *restrict service, const struct addrinfo *restrict hints,
	struct addrinfo **restrict result)
{
	struct addrinfo *list = NULL;
	struct query q = {.end = &list};
	if (hints) {
		q.flags = hints->ai_flags;
		q.family = hints->ai_family;
		q.type = hints->ai_socktype;
		q.protocol = hints->ai_protocol;
	}
	if (name == NULL && service == NULL)
		return EAI_NONAME;
	if (q.family != AF_UNSPEC && q.family != AF_INET && q.family != AF_INET6)
		return EAI_FAMILY;
	if (q.type != 0 && q.type != SOCK_STREAM && q.type != SOCK_DGRAM)
		return EAI_SOCKTYPE;
	int err = read_service(&q, service);
	if (err == 0)
		err = name ? add_name(&q, name) : add_wildcard(&q);
	if (err == 0 && list == NULL)
		err = EAI_SERVICE;
	if (err) {
		freeaddrinfo(list);
		return err;
	}
	*result = list;
	return 0;
}

void freeaddrinfo(struct addrinfo *list)
{
	while (list) {
		struct addrinfo *next = list->ai_next;
		free(list->ai_canonname);
		free(list);
		list = next;
	}
}

int getnameinfo(const struct sockaddr *restrict addr, socklen_t len, char *restrict host, socklen_t host_size,
	char *restrict service, socklen_t service_size, int flags)
{
	char number[INET6_ADDRSTRLEN];
	const struct sockaddr_in *in = (const void *)addr;
	const struct sockaddr_in6 *in6 = (const void *)addr;
	int v4 = len >= sizeof *in && addr->sa_family == AF_INET;
	if (!v4 && (len < sizeof *in6 || addr->sa_family != AF_INET6))
		return EAI_FAMILY;
	inet_ntop(addr->sa_family, v4 ? (const void *)&in->sin_addr : &in6->sin6_addr, number, sizeof number);
	const char *name = number;
	if (!(flags & NI_NUMERICHOST)) {
		if (strcmp(number, "127.0.0.1") == 0 || strcmp(number, "::1") == 0)
			name = "localhost";
		else if (flags & NI_NAMEREQD)
			return EAI_NONAME;
	}
	int port = ntohs(v4 ? in->sin_port : in6->sin6_port);
	const struct service *s = flags & NI_NUMERICSERV ? NULL : find_service(NULL, port, flags & NI_DGRAM ? "udp" : "tcp");
	if (host && host_size && strlcpy(host, name, host_size) >= host_size)
		return EAI_OVERFLOW;
	if (service == NULL || service_size == 0)
		return 0;
	int wrote = s ? snprintf(service, service_size, "%s", s->name) : snprintf(service, service_size, "%d", port);
	return (socklen_t)wrote >= service_size ? EAI_OVERFLOW : 0;
}

const char *gai_strerror(int err)
{
	static const char *const texts[] = {
		"Success", "Bad value for ai_flags", "Name or service not known", "Temporary failure in name resolution",
		"Non-recoverable failure in name resolution", "No address associated with hostname",
		"ai_family not supported", "ai_socktype not supported", "Servname not supported for ai_socktype",
		"Unknown error", "Memory allocation failure", "System error", "Argument buffer overflow",
	};
	int n = -err;
	return n >= 0 && n < (int)(sizeof texts / sizeof *texts) ? texts[n] : "Unknown error";
}

struct hostent *gethostbyaddr(const void *addr, socklen_t len, int family)
{
	static char text[INET6_ADDRSTRLEN], copy[16], *aliases[1], *list[2] = {copy};
	static struct hostent host = {text, aliases, 0, 0, list};
	if ((family != AF_INET || len != 4) && (family != AF_INET6 || len != 16)) {
		h_errno = NO_RECOVERY;
		return NULL;
	}
	inet_ntop(family, addr, text, sizeof text);
	if (strcmp(text, "127.0.0.1") != 0 && strcmp(text, "::1") != 0) {
		h_errno = HOST_NOT_FOUND;
		return NULL;
	}
	strcpy(text, "localhost");
	memcpy(copy, addr, len);
	host.h_addrtype = family;
	host.h_length = (int)len;
	return &host;
}

// inet_aton knows the older forms, too: one to four numbers, each decimal, octal or hexadecimal.
int inet_aton(const char *text, struct in_addr *addr)
{
	unsigned long parts[4];
	int n = 0;
	for (;; text++) {
		char *end;
		if (n == 4 || *text < '0' || *text > '9')
			return 0;
		parts[n++] = strtoul(text, &end, 0);
		text = end;
		if (*text != '.')
			break;
	}
	if (*text != '\0' && strchr(" \t\r\n", *text) == NULL)
		return 0;
	uint32_t value = 0;
	for (int i = 0; i < n; i++) {
		int bits = i < n - 1 ? 8 : 8 * (5 - n);
		if (bits < 32 && parts[i] >> bits)
			return 0;
		value = (bits < 32 ? value << bits : 0) | (uint32_t)parts[i];
	}
	addr->s_addr = htonl(value);
	return 1;
}

in_addr_t inet_addr(const char *text)
{
	struct in_addr addr;
	return inet_aton(text, &addr) ? addr.s_addr : INADDR_NONE;
}

char *inet_ntoa(struct in_addr addr)
{
	static char text[INET_ADDRSTRLEN];
	return (char *)inet_ntop(AF_INET, &addr, text, sizeof text);
}
