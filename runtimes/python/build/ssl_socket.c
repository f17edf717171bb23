// TLS over a socket for an OpenSSL that was built without them: a BIO that receives and sends.
#include <errno.h>
#include <openssl/bio.h>
#include <openssl/ssl.h>
#include <stdint.h>
#include <sys/socket.h>

static int descriptor(BIO *b) { return (int)(intptr_t)BIO_get_data(b); }

// moved answers what a call has moved, and notes whether it is to be made again.
static int moved(BIO *b, ssize_t n, int retry)
{
	BIO_clear_retry_flags(b);
	if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR || errno == EINPROGRESS))
		BIO_set_flags(b, retry | BIO_FLAGS_SHOULD_RETRY);
	return (int)n;
}

static int receive(BIO *b, char *to, int size)
{
	errno = 0;
	return moved(b, recv(descriptor(b), to, (size_t)size, 0), BIO_FLAGS_READ);
}

static int transmit(BIO *b, const char *from, int size)
{
	errno = 0;
	return moved(b, send(descriptor(b), from, (size_t)size, MSG_NOSIGNAL), BIO_FLAGS_WRITE);
}

static long control(BIO *b, int command, long number, void *pointer)
{
	(void)number;
	(void)pointer;
	switch (command) {
	case BIO_CTRL_FLUSH:
	case BIO_CTRL_DUP:
	case BIO_C_SET_NBIO: // the descriptor's own flag decides
		return 1;
	case BIO_C_GET_FD:
		return descriptor(b);
	}
	return 0;
}

int belljar_ssl_set_fd(SSL *ssl, int fd)
{
	static BIO_METHOD *method;
	if (method == NULL) {
		method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK | BIO_TYPE_DESCRIPTOR, "socket");
		if (method == NULL)
			return 0;
		BIO_meth_set_read(method, receive);
		BIO_meth_set_write(method, transmit);
		BIO_meth_set_ctrl(method, control);
	}
	BIO *b = BIO_new(method);
	if (b == NULL)
		return 0;
	BIO_set_data(b, (void *)(intptr_t)fd);
	BIO_set_init(b, 1);
	SSL_set_bio(ssl, b, b);
	return 1;
}
