// Sockets over the host's calls. Families have wasi-libc's numbers, which inet_pton goes by; the rest has Linux's.
#ifndef _SYS_SOCKET_H
#define _SYS_SOCKET_H

#define __NEED_socklen_t
#define __NEED_sa_family_t
#define __NEED_size_t
#define __NEED_ssize_t
#define __NEED_struct_iovec
#include <bits/alltypes.h>
#include <__struct_msghdr.h>
#include <__struct_sockaddr.h>

struct sockaddr_storage {
	__attribute__((aligned(__BIGGEST_ALIGNMENT__))) sa_family_t ss_family;
	char __ss_data[126];
};

// Of what goes with data over a socket, which is nothing here.
struct cmsghdr {
	socklen_t cmsg_len;
	int cmsg_level, cmsg_type;
};

#define CMSG_ALIGN(n) (((n) + sizeof(long) - 1) & ~(sizeof(long) - 1))
#define CMSG_SPACE(n) (CMSG_ALIGN(sizeof(struct cmsghdr)) + CMSG_ALIGN(n))
#define CMSG_LEN(n) (CMSG_ALIGN(sizeof(struct cmsghdr)) + (n))
#define CMSG_DATA(c) ((unsigned char *)((struct cmsghdr *)(c) + 1))
#define CMSG_FIRSTHDR(m) \
	((size_t)(m)->msg_controllen >= sizeof(struct cmsghdr) ? (struct cmsghdr *)(m)->msg_control : (struct cmsghdr *)0)
#define CMSG_NXTHDR(m, c) __belljar_next_cmsg(m, c)

static inline struct cmsghdr *__belljar_next_cmsg(const struct msghdr *m, const struct cmsghdr *c)
{
	size_t at = (size_t)((char *)c - (char *)m->msg_control), left = (size_t)m->msg_controllen - at;
	size_t size = CMSG_ALIGN((size_t)c->cmsg_len);
	if (c->cmsg_len < sizeof *c || size > left || left - size < sizeof *c)
		return (struct cmsghdr *)0;
	return (struct cmsghdr *)((char *)c + size);
}

struct linger {
	int l_onoff, l_linger;
};

#define PF_UNSPEC 0
#define PF_INET 1
#define PF_INET6 2
#define PF_UNIX 3
#define AF_UNSPEC PF_UNSPEC
#define AF_INET PF_INET
#define AF_INET6 PF_INET6
#define AF_UNIX PF_UNIX
#define AF_LOCAL AF_UNIX

#define SOCK_STREAM 1
#define SOCK_DGRAM 2
#define SOCK_CLOEXEC 02000000
#define SOCK_NONBLOCK 04000

#define SHUT_RD 0
#define SHUT_WR 1
#define SHUT_RDWR 2

#define SOL_SOCKET 1
#define SOL_TCP 6
#define SOL_IPV6 41

#define SO_REUSEADDR 2
#define SO_TYPE 3
#define SO_ERROR 4
#define SO_DONTROUTE 5
#define SO_BROADCAST 6
#define SO_SNDBUF 7
#define SO_RCVBUF 8
#define SO_KEEPALIVE 9
#define SO_OOBINLINE 10
#define SO_LINGER 13
#define SO_REUSEPORT 15
#define SO_RCVLOWAT 18
#define SO_ACCEPTCONN 30
#define SO_PROTOCOL 38
#define SO_DOMAIN 39
#define SO_RCVTIMEO 66
#define SO_SNDTIMEO 67

#define MSG_PEEK 0x0002
#define MSG_TRUNC 0x0020
#define MSG_DONTWAIT 0x0040
#define MSG_WAITALL 0x0100
#define MSG_NOSIGNAL 0x4000

#define SOMAXCONN 128

int socket(int, int, int);
int socketpair(int, int, int, int [2]);
int bind(int, const struct sockaddr *, socklen_t);
int listen(int, int);
int accept(int, struct sockaddr *__restrict, socklen_t *__restrict);
int accept4(int, struct sockaddr *__restrict, socklen_t *__restrict, int);
int connect(int, const struct sockaddr *, socklen_t);
int shutdown(int, int);
ssize_t send(int, const void *, size_t, int);
ssize_t sendto(int, const void *, size_t, int, const struct sockaddr *, socklen_t);
ssize_t recv(int, void *, size_t, int);
ssize_t recvfrom(int, void *__restrict, size_t, int, struct sockaddr *__restrict, socklen_t *__restrict);
ssize_t sendmsg(int, const struct msghdr *, int);
ssize_t recvmsg(int, struct msghdr *, int);
int getsockname(int, struct sockaddr *__restrict, socklen_t *__restrict);
int getpeername(int, struct sockaddr *__restrict, socklen_t *__restrict);
int getsockopt(int, int, int, void *__restrict, socklen_t *__restrict);
int setsockopt(int, int, int, const void *, socklen_t);

#endif
