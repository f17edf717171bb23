// Sockets: the sandbox's loopback, and whatever its policy allows.
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "system.h"

#define NUMBER(at) system_number(ctx, argc, argv, at, 0)
#define FUNCTION(name) static JSValue name(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv)

union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
	struct sockaddr_un un;
};

// address_of fills in the address that a text and a port mean; family 1 is a path. It returns its size, 0 if it is none.
static socklen_t address_of(JSContext *ctx, JSValueConst text, int port, int family, union address *to)
{
	memset(to, 0, sizeof *to);
	const char *host = JS_ToCString(ctx, text);
	socklen_t size = 0;
	if (!host)
		return 0;
	if (family == 1) {
		if (strlen(host) < sizeof to->un.sun_path) {
			to->un.sun_family = AF_UNIX;
			strcpy(to->un.sun_path, host);
			size = sizeof to->un;
		}
	} else if (family == 6) {
		to->v6.sin6_family = AF_INET6;
		to->v6.sin6_port = htons(port);
		size = inet_pton(AF_INET6, host, &to->v6.sin6_addr) == 1 ? sizeof to->v6 : 0;
	} else {
		to->v4.sin_family = AF_INET;
		to->v4.sin_port = htons(port);
		size = inet_pton(AF_INET, host, &to->v4.sin_addr) == 1 ? sizeof to->v4 : 0;
	}
	JS_FreeCString(ctx, host);
	return size;
}

// socket(family, type): 4, 6 or 1; 1 a stream, 2 datagrams.
FUNCTION(sys_socket)
{
	int family = NUMBER(0);
	int fd = socket(family == 1 ? AF_UNIX : family == 6 ? AF_INET6 : AF_INET, NUMBER(1) == 2 ? SOCK_DGRAM : SOCK_STREAM, 0);
	if (fd >= 0) {
		fcntl(fd, F_SETFD, FD_CLOEXEC);
		fcntl(fd, F_SETFL, O_NONBLOCK);
	}
	return system_result(ctx, fd);
}

FUNCTION(sys_bind)
{
	union address address;
	socklen_t size = address_of(ctx, argv[1], NUMBER(2), NUMBER(3), &address);
	int on = 1;
	if (size == 0)
		return JS_NewInt32(ctx, -22);
	if (NUMBER(3) != 1)
		setsockopt(NUMBER(0), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	return system_result(ctx, bind(NUMBER(0), &address.any, size));
}

FUNCTION(sys_listen) { return system_result(ctx, listen(NUMBER(0), NUMBER(1))); }

FUNCTION(sys_accept)
{
	int fd = accept(NUMBER(0), NULL, NULL);
	if (fd >= 0) {
		fcntl(fd, F_SETFD, FD_CLOEXEC);
		fcntl(fd, F_SETFL, O_NONBLOCK);
	}
	return system_result(ctx, fd);
}

FUNCTION(sys_connect)
{
	union address address;
	socklen_t size = address_of(ctx, argv[1], NUMBER(2), NUMBER(3), &address);
	if (size == 0)
		return JS_NewInt32(ctx, -22);
	return system_result(ctx, connect(NUMBER(0), &address.any, size));
}

FUNCTION(sys_receive)
{
	size_t size;
	uint8_t *at = engine_bytes(ctx, argv[1], &size);
	return at ? system_result(ctx, recv(NUMBER(0), at, size, 0)) : JS_EXCEPTION;
}

// send(fd, bytes, offset)
FUNCTION(sys_send)
{
	size_t size;
	uint8_t *at = engine_bytes(ctx, argv[1], &size);
	if (!at)
		return JS_EXCEPTION;
	size_t offset = NUMBER(2) < size ? NUMBER(2) : size;
	return system_result(ctx, send(NUMBER(0), at + offset, size - offset, MSG_NOSIGNAL));
}

FUNCTION(sys_shutdown) { return system_result(ctx, shutdown(NUMBER(0), NUMBER(1) == 0 ? SHUT_RD : NUMBER(1) == 1 ? SHUT_WR : SHUT_RDWR)); }

// sockName(fd, peer): address, port, family; or an error's number.
FUNCTION(sys_sock_name)
{
	union address address;
	socklen_t size = sizeof address;
	char text[INET6_ADDRSTRLEN] = "";
	int result = JS_ToBool(ctx, argv[1]) ? getpeername(NUMBER(0), &address.any, &size) : getsockname(NUMBER(0), &address.any, &size);
	if (result < 0)
		return system_error(ctx);
	int port = 0, family = 4;
	if (address.any.sa_family == AF_INET6) {
		inet_ntop(AF_INET6, &address.v6.sin6_addr, text, sizeof text);
		port = ntohs(address.v6.sin6_port);
		family = 6;
	} else if (address.any.sa_family == AF_INET) {
		inet_ntop(AF_INET, &address.v4.sin_addr, text, sizeof text);
		port = ntohs(address.v4.sin_port);
	} else {
		family = 1;
	}
	JSValue list = JS_NewArray(ctx);
	JS_DefinePropertyValueUint32(ctx, list, 0, JS_NewString(ctx, text), JS_PROP_C_W_E);
	JS_DefinePropertyValueUint32(ctx, list, 1, JS_NewInt32(ctx, port), JS_PROP_C_W_E);
	JS_DefinePropertyValueUint32(ctx, list, 2, JS_NewInt32(ctx, family), JS_PROP_C_W_E);
	return list;
}

// sockError(fd): what became of a connection that was being made.
FUNCTION(sys_sock_error)
{
	int value = 0;
	socklen_t size = sizeof value;
	if (getsockopt(NUMBER(0), SOL_SOCKET, SO_ERROR, &value, &size) < 0)
		return system_error(ctx);
	errno = value;
	return value ? system_error(ctx) : JS_NewInt32(ctx, 0);
}

// socketPair(): two connected descriptors.
FUNCTION(sys_socket_pair)
{
	int fds[2];
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, fds) < 0)
		return system_error(ctx);
	JSValue list = JS_NewArray(ctx);
	for (int i = 0; i < 2; i++) {
		fcntl(fds[i], F_SETFD, FD_CLOEXEC);
		JS_DefinePropertyValueUint32(ctx, list, i, JS_NewInt32(ctx, fds[i]), JS_PROP_C_W_E);
	}
	return list;
}

// lookup(name, family): addresses, or getaddrinfo's error.
FUNCTION(sys_lookup)
{
	const char *name = JS_ToCString(ctx, argv[0]);
	if (!name)
		return JS_EXCEPTION;
	struct addrinfo hints = {0}, *found = NULL;
	hints.ai_family = NUMBER(1) == 4 ? AF_INET : NUMBER(1) == 6 ? AF_INET6 : AF_UNSPEC;
	hints.ai_socktype = SOCK_STREAM;
	int result = getaddrinfo(name, NULL, &hints, &found);
	JS_FreeCString(ctx, name);
	if (result != 0)
		return JS_NewInt32(ctx, -3008); // ENOTFOUND
	JSValue list = JS_NewArray(ctx);
	uint32_t at = 0;
	for (struct addrinfo *a = found; a; a = a->ai_next) {
		char text[INET6_ADDRSTRLEN] = "";
		if (a->ai_family == AF_INET)
			inet_ntop(AF_INET, &((struct sockaddr_in *)a->ai_addr)->sin_addr, text, sizeof text);
		else if (a->ai_family == AF_INET6)
			inet_ntop(AF_INET6, &((struct sockaddr_in6 *)a->ai_addr)->sin6_addr, text, sizeof text);
		if (*text)
			JS_DefinePropertyValueUint32(ctx, list, at++, JS_NewString(ctx, text), JS_PROP_C_W_E);
	}
	freeaddrinfo(found);
	return list;
}

static const struct js_entry functions[] = {
	{"socket", sys_socket, 2}, {"bind", sys_bind, 4}, {"listen", sys_listen, 2}, {"accept", sys_accept, 1},
	{"connect", sys_connect, 4}, {"receive", sys_receive, 4}, {"send", sys_send, 3}, {"shutdown", sys_shutdown, 2},
	{"sockName", sys_sock_name, 2}, {"sockError", sys_sock_error, 1}, {"socketPair", sys_socket_pair, 0},
	{"lookup", sys_lookup, 2},
};

void socket_install(JSContext *ctx, JSValueConst object) { engine_add(ctx, object, functions, COUNT(functions)); }
