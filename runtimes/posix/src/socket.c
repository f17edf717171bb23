// Sockets: POSIX's forms of the host's calls, which are WasmEdge's.
#include <fcntl.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#include "host.h"

#define SOCK(name) __attribute__((import_module("wasi_snapshot_preview1"), import_name("sock_" #name)))

struct host_addr {
	void *data;
	size_t len;
};

SOCK(open) int host_sock_open(uint32_t family, uint32_t type, uint32_t *fd);
SOCK(bind) int host_sock_bind(int fd, const struct host_addr *addr, uint32_t port);
SOCK(listen) int host_sock_listen(int fd, uint32_t backlog);
SOCK(accept) int host_sock_accept(int fd, uint32_t flags, uint32_t *ret);
SOCK(connect) int host_sock_connect(int fd, const struct host_addr *addr, uint32_t port);
SOCK(recv_from) int host_sock_recv_from(int fd, const struct iovec *iov, size_t count, struct host_addr *addr,
	uint32_t flags, uint32_t *port, size_t *got, uint16_t *ret_flags);
SOCK(recv) int host_sock_recv(int fd, const struct iovec *iov, size_t count, uint32_t flags, size_t *got,
	uint16_t *ret_flags);
SOCK(send) int host_sock_send(int fd, const struct iovec *iov, size_t count, uint32_t flags, size_t *sent);
SOCK(send_to) int host_sock_send_to(int fd, const struct iovec *iov, size_t count, const struct host_addr *addr,
	uint32_t port, uint32_t flags, size_t *sent);
SOCK(shutdown) int host_sock_shutdown(int fd, uint32_t how);
SOCK(getlocaladdr) int host_sock_getlocaladdr(int fd, struct host_addr *addr, uint32_t *family, uint32_t *port);
SOCK(getpeeraddr) int host_sock_getpeeraddr(int fd, struct host_addr *addr, uint32_t *family, uint32_t *port);
SOCK(getsockopt) int host_sock_getsockopt(int fd, uint32_t level, uint32_t name, void *value, socklen_t *len);
SOCK(setsockopt) int host_sock_setsockopt(int fd, uint32_t level, uint32_t name, const void *value, socklen_t len);
HOST(sock_pair) int host_sock_pair(uint32_t flags, uint32_t fds[2]);

enum { HOST_DGRAM = 1, HOST_STREAM = 2 };
enum { HOST_PEEK = 1, HOST_WAITALL = 2, HOST_DONTWAIT = 0x40, HOST_NOSIGNAL = 0x4000 };
enum { HOST_TRUNCATED = 1 };
enum { HOST_SOL_SOCKET = 0 };

// An address in the host's third form: the family, then the octets or the path.
struct raw {
	uint16_t family;
	char data[126];
};

// to_raw gives errno.
static int to_raw(const struct sockaddr *from, socklen_t len, struct raw *raw, uint32_t *port)
{
	*raw = (struct raw){0};
	*port = 0;
	if (from == NULL || len < sizeof(sa_family_t))
		return EINVAL;
	raw->family = from->sa_family;
	switch (from->sa_family) {
	case AF_INET: {
		const struct sockaddr_in *in = (const void *)from;
		if (len < sizeof *in)
			return EINVAL;
		memcpy(raw->data, &in->sin_addr, sizeof in->sin_addr);
		*port = ntohs(in->sin_port);
		return 0;
	}
	case AF_INET6: {
		const struct sockaddr_in6 *in = (const void *)from;
		if (len < offsetof(struct sockaddr_in6, sin6_scope_id))
			return EINVAL;
		memcpy(raw->data, &in->sin6_addr, sizeof in->sin6_addr);
		*port = ntohs(in->sin6_port);
		return 0;
	}
	case AF_UNIX: {
		size_t size = len - offsetof(struct sockaddr_un, sun_path);
		if (len <= offsetof(struct sockaddr_un, sun_path) || size > sizeof raw->data - 1)
			return EINVAL;
		memcpy(raw->data, ((const struct sockaddr_un *)from)->sun_path, size);
		return 0;
	}
	}
	return EAFNOSUPPORT;
}

// from_raw stores as much of the address as there is room for, and its whole length.
static void from_raw(const struct raw *raw, uint32_t port, struct sockaddr *to, socklen_t *len)
{
	union {
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
		struct sockaddr_un un;
	} a = {0};
	socklen_t size = offsetof(struct sockaddr_un, sun_path);
	if (to == NULL || len == NULL)
		return;
	a.un.sun_family = raw->family;
	if (raw->family == AF_INET) {
		memcpy(&a.in.sin_addr, raw->data, sizeof a.in.sin_addr);
		a.in.sin_port = htons((uint16_t)port);
		size = sizeof a.in;
	} else if (raw->family == AF_INET6) {
		memcpy(&a.in6.sin6_addr, raw->data, sizeof a.in6.sin6_addr);
		a.in6.sin6_port = htons((uint16_t)port);
		size = sizeof a.in6;
	} else {
		// A name without a file begins with a NUL, and has no end of its own.
		size_t n = *raw->data ? strnlen(raw->data, sizeof a.un.sun_path) : 0;
		if (n == 0 && raw->data[1] != '\0')
			n = 1 + strnlen(raw->data + 1, sizeof a.un.sun_path - 1);
		memcpy(a.un.sun_path, raw->data, n);
		size += n + (*raw->data && n < sizeof a.un.sun_path ? 1 : 0);
	}
	memcpy(to, &a, *len < size ? *len : size);
	*len = size;
}

// finish sets what the flags of socket and accept4 say.
static int finish(int fd, int flags)
{
	if (flags & SOCK_NONBLOCK && fcntl(fd, F_SETFL, O_NONBLOCK) < 0)
		return -1;
	return flags & SOCK_CLOEXEC ? fcntl(fd, F_SETFD, FD_CLOEXEC) : 0;
}

static int host_type(int type)
{
	switch (type & ~(SOCK_CLOEXEC | SOCK_NONBLOCK)) {
	case SOCK_STREAM:
		return HOST_STREAM;
	case SOCK_DGRAM:
		return HOST_DGRAM;
	}
	return 0;
}

int socket(int family, int type, int protocol)
{
	uint32_t fd;
	int kind = host_type(type);
	if (family != AF_INET && family != AF_INET6 && family != AF_UNIX)
		return done(EAFNOSUPPORT);
	if (kind == 0 || (protocol != 0 && family != AF_UNIX && protocol != (kind == HOST_STREAM ? IPPROTO_TCP : IPPROTO_UDP)))
		return done(EPROTONOSUPPORT);
	int err = host_sock_open((uint32_t)family, (uint32_t)kind, &fd);
	if (err || finish((int)fd, type) < 0)
		return done(err ? err : errno);
	return (int)fd;
}

int socketpair(int family, int type, int protocol, int fds[2])
{
	uint32_t pair[2];
	(void)protocol;
	if (family != AF_UNIX)
		return done(EAFNOSUPPORT);
	if (host_type(type) != HOST_STREAM)
		return done(EPROTONOSUPPORT);
	int err = host_sock_pair((type & SOCK_CLOEXEC ? 1 : 0) | (type & SOCK_NONBLOCK ? 2 : 0), pair);
	if (err == 0) {
		fds[0] = (int)pair[0];
		fds[1] = (int)pair[1];
	}
	return done(err);
}

int bind(int fd, const struct sockaddr *addr, socklen_t len)
{
	struct raw raw;
	uint32_t port;
	int err = to_raw(addr, len, &raw, &port);
	return done(err ? err : host_sock_bind(fd, &(struct host_addr){&raw, sizeof raw}, port));
}

int connect(int fd, const struct sockaddr *addr, socklen_t len)
{
	struct raw raw;
	uint32_t port;
	int err = to_raw(addr, len, &raw, &port);
	if (err == 0)
		err = BLOCKING(host_sock_connect(fd, &(struct host_addr){&raw, sizeof raw}, port));
	return done(err);
}

int listen(int fd, int backlog) { return done(host_sock_listen(fd, backlog < 0 ? 0 : (uint32_t)backlog)); }

int accept4(int fd, struct sockaddr *restrict addr, socklen_t *restrict len, int flags)
{
	uint32_t got;
	int err = WAITING(host_sock_accept(fd, 0, &got));
	if (err)
		return done(err);
	if (finish((int)got, flags) < 0 || (addr && len && getpeername((int)got, addr, len) < 0)) {
		err = errno;
		close((int)got);
		return done(err);
	}
	return (int)got;
}

int accept(int fd, struct sockaddr *restrict addr, socklen_t *restrict len) { return accept4(fd, addr, len, 0); }

int shutdown(int fd, int how)
{
	return done(how < SHUT_RD || how > SHUT_RDWR ? EINVAL : host_sock_shutdown(fd, (uint32_t)how + 1));
}

static int get_type(int fd, int *type)
{
	socklen_t len = sizeof *type;
	int err = host_sock_getsockopt(fd, HOST_SOL_SOCKET, 1, type, &len);
	*type = *type == HOST_STREAM ? SOCK_STREAM : SOCK_DGRAM;
	return err;
}

ssize_t sendmsg(int fd, const struct msghdr *m, int flags)
{
	uint32_t port, host = (flags & MSG_DONTWAIT ? HOST_DONTWAIT : 0) | (flags & MSG_NOSIGNAL ? HOST_NOSIGNAL : 0);
	size_t sent = 0, count = (size_t)m->msg_iovlen;
	int err;
	// Nothing but data goes over the host's sockets: no descriptors, no credentials.
	if (m->msg_iovlen < 0 || m->msg_controllen > 0)
		return done(m->msg_iovlen < 0 ? EMSGSIZE : EINVAL);
	if (m->msg_name == NULL)
		err = WAITING(host_sock_send(fd, m->msg_iov, count, host, &sent));
	else {
		struct raw raw;
		err = to_raw(m->msg_name, m->msg_namelen, &raw, &port);
		struct host_addr to = {&raw, sizeof raw};
		if (err == 0)
			err = WAITING(host_sock_send_to(fd, m->msg_iov, count, &to, port, host, &sent));
	}
	return err ? done(err) : (ssize_t)sent;
}

ssize_t sendto(int fd, const void *buf, size_t size, int flags, const struct sockaddr *addr, socklen_t len)
{
	struct iovec iov = {(void *)buf, size};
	return sendmsg(fd, &(struct msghdr){.msg_name = (void *)addr, .msg_namelen = len, .msg_iov = &iov, .msg_iovlen = 1}, flags);
}

ssize_t send(int fd, const void *buf, size_t size, int flags) { return sendto(fd, buf, size, flags, NULL, 0); }

ssize_t recvmsg(int fd, struct msghdr *m, int flags)
{
	uint32_t port = 0, host = (flags & MSG_PEEK ? HOST_PEEK : 0) | (flags & MSG_WAITALL ? HOST_WAITALL : 0) |
		(flags & MSG_DONTWAIT ? HOST_DONTWAIT : 0);
	size_t got = 0, count = (size_t)m->msg_iovlen;
	uint16_t ret_flags = 0;
	struct raw raw = {0};
	struct host_addr from = {&raw, sizeof raw};
	if (m->msg_iovlen < 0)
		return done(EMSGSIZE);
	int err = m->msg_name ? WAITING(host_sock_recv_from(fd, m->msg_iov, count, &from, host, &port, &got, &ret_flags))
			      : WAITING(host_sock_recv(fd, m->msg_iov, count, host, &got, &ret_flags));
	if (err)
		return done(err);
	// What comes over a connection, or from a socket without a name, has no sender.
	int type = HOST_DGRAM;
	if (m->msg_name && (get_type(fd, &type) || type == SOCK_STREAM || (raw.family == AF_UNIX && !raw.data[0] && !raw.data[1])))
		m->msg_namelen = 0;
	else
		from_raw(&raw, port, m->msg_name, &m->msg_namelen);
	m->msg_controllen = 0;
	m->msg_flags = ret_flags & HOST_TRUNCATED ? MSG_TRUNC : 0;
	return (ssize_t)got;
}

ssize_t recvfrom(int fd, void *restrict buf, size_t size, int flags, struct sockaddr *restrict addr,
	socklen_t *restrict len)
{
	struct iovec iov = {buf, size};
	struct msghdr m = {.msg_name = len ? addr : NULL, .msg_namelen = len ? *len : 0, .msg_iov = &iov, .msg_iovlen = 1};
	ssize_t got = recvmsg(fd, &m, flags);
	if (got >= 0 && len)
		*len = m.msg_namelen;
	return got;
}

ssize_t recv(int fd, void *buf, size_t size, int flags) { return recvfrom(fd, buf, size, flags, NULL, NULL); }

int getsockname(int fd, struct sockaddr *restrict addr, socklen_t *restrict len)
{
	struct raw raw = {0};
	uint32_t family, port = 0;
	int err = host_sock_getlocaladdr(fd, &(struct host_addr){&raw, sizeof raw}, &family, &port);
	if (err == 0)
		from_raw(&raw, port, addr, len);
	return done(err);
}

int getpeername(int fd, struct sockaddr *restrict addr, socklen_t *restrict len)
{
	struct raw raw = {0};
	uint32_t family, port = 0;
	int err = host_sock_getpeeraddr(fd, &(struct host_addr){&raw, sizeof raw}, &family, &port);
	if (err == 0)
		from_raw(&raw, port, addr, len);
	return done(err);
}

// host_option makes level and name the host's, which counts those of SOL_SOCKET in an order of its own.
static int host_option(int *level, int *name)
{
	static const int numbers[] = {SO_REUSEADDR, SO_TYPE, SO_ERROR, SO_DONTROUTE, SO_BROADCAST, SO_SNDBUF, SO_RCVBUF,
		SO_KEEPALIVE, SO_OOBINLINE, SO_LINGER, SO_RCVLOWAT, SO_RCVTIMEO, SO_SNDTIMEO, SO_ACCEPTCONN};
	if (*level != SOL_SOCKET)
		return 0;
	for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
		if (numbers[i] == *name) {
			*level = HOST_SOL_SOCKET;
			*name = (int)i;
			return 0;
		}
	return ENOPROTOOPT;
}

// answer stores an option's value that the host doesn't keep.
static int answer(int value, void *to, socklen_t *len)
{
	memcpy(to, &value, *len < sizeof value ? *len : sizeof value);
	*len = sizeof value;
	return 0;
}

int getsockopt(int fd, int level, int name, void *restrict value, socklen_t *restrict len)
{
	int type = 0, asked = level == SOL_SOCKET ? name : 0;
	if (asked == SO_TYPE || asked == SO_PROTOCOL || asked == SO_DOMAIN) {
		struct sockaddr_storage own = {0};
		socklen_t own_len = sizeof own;
		int err = get_type(fd, &type);
		if (err || getsockname(fd, (struct sockaddr *)&own, &own_len) < 0)
			return done(err ? err : errno);
		int protocol = own.ss_family == AF_UNIX ? 0 : type == SOCK_STREAM ? IPPROTO_TCP : IPPROTO_UDP;
		return answer(asked == SO_TYPE ? type : asked == SO_DOMAIN ? own.ss_family : protocol, value, len);
	}
	int err = host_option(&level, &name);
	if (err == 0)
		err = host_sock_getsockopt(fd, (uint32_t)level, (uint32_t)name, value, len);
	if (err == 0 && asked == SO_ERROR)
		return 0; // of preview 1, as errno is
	return done(err);
}

int setsockopt(int fd, int level, int name, const void *value, socklen_t len)
{
	int err = host_option(&level, &name);
	return done(err ? err : host_sock_setsockopt(fd, (uint32_t)level, (uint32_t)name, value, len));
}
