// TLS by OpenSSL, over memory: lib/tls.js moves what comes and goes. Contexts and connections are objects of their own.
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

#include "system.h"

#define NUMBER(at) system_number(ctx, argc, argv, at, 0)
#define FUNCTION(name) static JSValue name(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv)

// Where a sandbox has the authorities that it trusts.
#define ROOTS "/etc/ssl/certs/ca-certificates.crt"

static JSClassID context_class, connection_class;

// What a connection has beside OpenSSL's own.
struct connection {
	SSL *ssl;
	unsigned char *protocols; // a server's, in ALPN's form
	unsigned protocols_size;
	int asks, answered; // whether a server asks JavaScript for its certificate, and has been answered
};

static void context_finalizer(JSRuntime *rt, JSValueConst value) { SSL_CTX_free(JS_GetOpaque(value, context_class)); }

static void connection_finalizer(JSRuntime *rt, JSValueConst value)
{
	struct connection *c = JS_GetOpaque(value, connection_class);
	if (c) {
		SSL_free(c->ssl);
		free(c->protocols);
		free(c);
	}
}

static const JSClassDef context_def = {"TLSContext", .finalizer = context_finalizer};
static const JSClassDef connection_def = {"TLSConnection", .finalizer = connection_finalizer};

static SSL *ssl_of(JSContext *ctx, JSValueConst value)
{
	struct connection *c = JS_GetOpaque2(ctx, value, connection_class);
	return c ? c->ssl : NULL;
}

// last_error answers OpenSSL's last error, as its number and what happened.
static JSValue last_error(JSContext *ctx)
{
	OPENSSL_init_ssl(OPENSSL_INIT_LOAD_SSL_STRINGS | OPENSSL_INIT_LOAD_CRYPTO_STRINGS, NULL);
	char text[256];
	ERR_error_string_n(ERR_peek_last_error(), text, sizeof text);
	ERR_clear_error();
	return JS_NewString(ctx, text);
}

// ---- contexts

static int pick_protocol(SSL *ssl, const unsigned char **out, unsigned char *out_size, const unsigned char *in, unsigned in_size, void *arg)
{
	struct connection *c = SSL_get_app_data(ssl);
	if (!c || !c->protocols)
		return SSL_TLSEXT_ERR_NOACK;
	if (SSL_select_next_proto((unsigned char **)out, out_size, c->protocols, c->protocols_size, in, in_size) != OPENSSL_NPN_NEGOTIATED)
		return SSL_TLSEXT_ERR_ALERT_FATAL;
	return SSL_TLSEXT_ERR_OK;
}

FUNCTION(tls_context)
{
	SSL_CTX *c = SSL_CTX_new(TLS_method());
	if (!c)
		return JS_ThrowOutOfMemory(ctx);
	SSL_CTX_set_mode(c, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_options(c, SSL_OP_NO_SSLv3 | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET);
	SSL_CTX_set_num_tickets(c, 0);
	SSL_CTX_set_session_cache_mode(c, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_alpn_select_cb(c, pick_protocol, NULL);
	JSValue object = JS_NewObjectClass(ctx, context_class);
	JS_SetOpaque(object, c);
	return object;
}

// tlsSet(context, what, value): whether it was possible.
FUNCTION(tls_set)
{
	SSL_CTX *c = JS_GetOpaque2(ctx, argv[0], context_class);
	const char *what = c ? JS_ToCString(ctx, argv[1]) : NULL;
	if (!what)
		return JS_EXCEPTION;
	const char *text = JS_IsString(argv[2]) ? JS_ToCString(ctx, argv[2]) : NULL;
	int64_t number = text ? 0 : NUMBER(2);
	int done = 1;
	if (strcmp(what, "ciphers") == 0 && text)
		done = SSL_CTX_set_cipher_list(c, text) == 1 || *text == 0;
	else if (strcmp(what, "suites") == 0 && text)
		done = SSL_CTX_set_ciphersuites(c, text);
	else if (strcmp(what, "sigalgs") == 0 && text)
		done = SSL_CTX_set1_sigalgs_list(c, text);
	else if (strcmp(what, "curves") == 0 && text)
		done = SSL_CTX_set1_curves_list(c, text);
	else if (strcmp(what, "min") == 0)
		done = SSL_CTX_set_min_proto_version(c, number);
	else if (strcmp(what, "max") == 0)
		done = SSL_CTX_set_max_proto_version(c, number);
	else if (strcmp(what, "options") == 0)
		SSL_CTX_set_options(c, number);
	JS_FreeCString(ctx, text);
	JS_FreeCString(ctx, what);
	return done ? JS_UNDEFINED : last_error(ctx);
}

// load_roots makes a store of what the sandbox trusts, and of what it was told to trust too when it began.
static X509_STORE *load_roots(void)
{
	X509_STORE *store = X509_STORE_new();
	const char *more = getenv("NODE_EXTRA_CA_CERTS");
	if (store) {
		X509_STORE_load_file(store, ROOTS);
		if (more && *more)
			X509_STORE_load_file(store, more);
		ERR_clear_error();
	}
	return store;
}

// What contexts share that have nothing of their own, read once.
static X509_STORE *shared_roots;

// own_store answers a context's store, which it shares with no other: the roots stay in it.
static X509_STORE *own_store(SSL_CTX *c)
{
	X509_STORE *store = SSL_CTX_get_cert_store(c);
	if (store == shared_roots && (store = load_roots()))
		SSL_CTX_set_cert_store(c, store);
	return store;
}

// add_authorities adds what it finds; as in Node, that may be nothing.
static int add_authorities(SSL_CTX *c, BIO *bio)
{
	X509_STORE *store = own_store(c);
	for (X509 *x; store && (x = PEM_read_bio_X509_AUX(bio, NULL, NULL, NULL)) != NULL;) {
		X509_STORE_add_cert(store, x);
		SSL_CTX_add_client_CA(c, x);
		X509_free(x);
	}
	ERR_clear_error();
	return store != NULL;
}

// add_revoked has a chain's certificates looked up in a list of revoked ones.
static int add_revoked(SSL_CTX *c, BIO *bio)
{
	X509_STORE *store = own_store(c);
	X509_CRL *list = PEM_read_bio_X509_CRL(bio, NULL, NULL, NULL);
	int done = store && list && X509_STORE_add_crl(store, list) && X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL);
	X509_CRL_free(list);
	return done;
}

static int add_chain(SSL_CTX *c, BIO *bio)
{
	X509 *x = PEM_read_bio_X509_AUX(bio, NULL, NULL, NULL);
	int done = x && SSL_CTX_use_certificate(c, x) == 1;
	X509_free(x);
	if (!done)
		return 0;
	SSL_CTX_clear_chain_certs(c);
	while ((x = PEM_read_bio_X509(bio, NULL, NULL, NULL)) != NULL)
		if (SSL_CTX_add0_chain_cert(c, x) != 1)
			X509_free(x);
	ERR_clear_error();
	return 1;
}

static int passphrase(char *out, int size, int writing, void *arg)
{
	const char *text = arg;
	size_t length = text ? strlen(text) : 0;
	if (!text || length > (size_t)size)
		return -1;
	memcpy(out, text, length);
	return (int)length;
}

// tlsAdd(context, what, bytes, passphrase)
FUNCTION(tls_add)
{
	SSL_CTX *c = JS_GetOpaque2(ctx, argv[0], context_class);
	size_t size = 0;
	const uint8_t *bytes = c && !JS_IsUndefined(argv[2]) ? engine_bytes(ctx, argv[2], &size) : (const uint8_t *)"";
	const char *what = c && bytes ? JS_ToCString(ctx, argv[1]) : NULL;
	if (!what)
		return JS_EXCEPTION;
	const char *text = argc > 3 && JS_IsString(argv[3]) ? JS_ToCString(ctx, argv[3]) : NULL;
	BIO *bio = BIO_new_mem_buf(bytes, (int)size);
	int done = 0;
	if (strcmp(what, "roots") == 0) {
		if (!shared_roots)
			shared_roots = load_roots();
		if ((done = shared_roots != NULL))
			SSL_CTX_set1_cert_store(c, shared_roots);
	} else if (strcmp(what, "crl") == 0)
		done = add_revoked(c, bio);
	else if (strcmp(what, "ca") == 0)
		done = add_authorities(c, bio);
	else if (strcmp(what, "cert") == 0)
		done = add_chain(c, bio);
	else if (strcmp(what, "key") == 0) {
		EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, passphrase, (void *)text);
		done = key && SSL_CTX_use_PrivateKey(c, key) == 1;
		EVP_PKEY_free(key);
	}
	BIO_free(bio);
	JS_FreeCString(ctx, text);
	JS_FreeCString(ctx, what);
	return done ? JS_UNDEFINED : last_error(ctx);
}

// ---- connections

static int accept_any(int ok, X509_STORE_CTX *store) { return 1; } // JavaScript looks at the result

static int certificate(SSL *ssl, void *arg)
{
	struct connection *c = arg;
	return !c->asks || c->answered ? 1 : -1;
}

// tlsNew(context, whether a server's)
FUNCTION(tls_new)
{
	SSL_CTX *context = JS_GetOpaque2(ctx, argv[0], context_class);
	if (!context)
		return JS_EXCEPTION;
	struct connection *c = calloc(1, sizeof *c);
	BIO *in = BIO_new(BIO_s_mem()), *out = BIO_new(BIO_s_mem());
	if (c)
		c->ssl = SSL_new(context);
	if (!c || !c->ssl || !in || !out) {
		if (c)
			SSL_free(c->ssl);
		BIO_free(in);
		BIO_free(out);
		free(c);
		return JS_ThrowOutOfMemory(ctx);
	}
	SSL_set_bio(c->ssl, in, out);
	SSL_set_app_data(c->ssl, c);
	SSL_set_verify(c->ssl, SSL_VERIFY_NONE, accept_any);
	if (JS_ToBool(ctx, argv[1])) {
		SSL_set_accept_state(c->ssl);
		SSL_set_cert_cb(c->ssl, certificate, c);
	} else
		SSL_set_connect_state(c->ssl);
	JSValue object = JS_NewObjectClass(ctx, connection_class);
	JS_SetOpaque(object, c);
	return object;
}

// tlsTell(connection, what, value)
FUNCTION(tls_tell)
{
	struct connection *c = JS_GetOpaque2(ctx, argv[0], connection_class);
	const char *what = c ? JS_ToCString(ctx, argv[1]) : NULL;
	if (!what)
		return JS_EXCEPTION;
	if (strcmp(what, "servername") == 0) {
		const char *name = JS_ToCString(ctx, argv[2]);
		if (name)
			SSL_set_tlsext_host_name(c->ssl, name);
		JS_FreeCString(ctx, name);
	} else if (strcmp(what, "verify") == 0) {
		SSL_set_verify(c->ssl, (int)NUMBER(2), accept_any);
	} else if (strcmp(what, "protocols") == 0) {
		size_t size;
		const uint8_t *bytes = engine_bytes(ctx, argv[2], &size);
		if (bytes && SSL_is_server(c->ssl)) {
			free(c->protocols);
			c->protocols_size = 0;
			if ((c->protocols = malloc(size + 1)) != NULL)
				memcpy(c->protocols, bytes, c->protocols_size = size);
		} else if (bytes)
			SSL_set_alpn_protos(c->ssl, bytes, size);
	} else if (strcmp(what, "asks") == 0) {
		c->asks = 1;
	} else if (strcmp(what, "context") == 0) {
		SSL_CTX *context = JS_GetOpaque2(ctx, argv[2], context_class);
		if (context)
			SSL_set_SSL_CTX(c->ssl, context);
	} else if (strcmp(what, "answered") == 0) {
		c->answered = 1;
	}
	JS_FreeCString(ctx, what);
	return JS_UNDEFINED;
}

FUNCTION(tls_feed)
{
	size_t size;
	SSL *ssl = ssl_of(ctx, argv[0]);
	const uint8_t *bytes = ssl ? engine_bytes(ctx, argv[1], &size) : NULL;
	if (!bytes)
		return JS_EXCEPTION;
	return JS_NewBool(ctx, BIO_write(SSL_get_rbio(ssl), bytes, (int)size) == (int)size);
}

// tlsTake(connection): what is to be sent, or undefined.
FUNCTION(tls_take)
{
	SSL *ssl = ssl_of(ctx, argv[0]);
	if (!ssl)
		return JS_EXCEPTION;
	char *bytes;
	long size = BIO_get_mem_data(SSL_get_wbio(ssl), &bytes);
	if (size <= 0)
		return JS_UNDEFINED;
	JSValue result = JS_NewUint8ArrayCopy(ctx, (uint8_t *)bytes, size);
	(void)BIO_reset(SSL_get_wbio(ssl));
	return result;
}

// answer says what became of an operation: 0 that it goes on when more has come, 1 that JavaScript is asked for a
// certificate, -1 that the other side has ended; else a string.
static JSValue answer(JSContext *ctx, SSL *ssl, int result)
{
	switch (SSL_get_error(ssl, result)) {
	case SSL_ERROR_WANT_READ:
	case SSL_ERROR_WANT_WRITE:
		ERR_clear_error();
		return JS_NewInt32(ctx, 0);
	case SSL_ERROR_WANT_X509_LOOKUP:
		ERR_clear_error();
		return JS_NewInt32(ctx, 1);
	case SSL_ERROR_ZERO_RETURN:
		return JS_NewInt32(ctx, -1);
	default:
		return last_error(ctx);
	}
}

// tlsShake(connection): true when the handshake is done.
FUNCTION(tls_shake)
{
	SSL *ssl = ssl_of(ctx, argv[0]);
	if (!ssl)
		return JS_EXCEPTION;
	ERR_clear_error();
	int result = SSL_do_handshake(ssl);
	return result == 1 ? JS_TRUE : answer(ctx, ssl, result);
}

// tlsRead(connection, buffer): how much is in it.
FUNCTION(tls_read)
{
	size_t size;
	SSL *ssl = ssl_of(ctx, argv[0]);
	uint8_t *bytes = ssl ? engine_bytes(ctx, argv[1], &size) : NULL;
	if (!bytes)
		return JS_EXCEPTION;
	ERR_clear_error();
	int result = SSL_read(ssl, bytes, (int)size);
	return result > 0 ? JS_NewInt32(ctx, result) : answer(ctx, ssl, result);
}

// tlsWrite(connection, bytes, from): how much was taken.
FUNCTION(tls_write)
{
	size_t size;
	SSL *ssl = ssl_of(ctx, argv[0]);
	uint8_t *bytes = ssl ? engine_bytes(ctx, argv[1], &size) : NULL;
	if (!bytes)
		return JS_EXCEPTION;
	size_t from = NUMBER(2);
	if (from >= size)
		return JS_NewInt32(ctx, 0);
	ERR_clear_error();
	int result = SSL_write(ssl, bytes + from, (int)(size - from));
	return result > 0 ? JS_NewInt32(ctx, result) : answer(ctx, ssl, result);
}

FUNCTION(tls_shutdown)
{
	SSL *ssl = ssl_of(ctx, argv[0]);
	if (!ssl)
		return JS_EXCEPTION;
	SSL_shutdown(ssl);
	ERR_clear_error();
	return JS_UNDEFINED;
}

static JSValue optional(JSContext *ctx, const char *text) { return text ? JS_NewString(ctx, text) : JS_UNDEFINED; }

// tlsAsk(connection, what)
FUNCTION(tls_ask)
{
	SSL *ssl = ssl_of(ctx, argv[0]);
	const char *what = ssl ? JS_ToCString(ctx, argv[1]) : NULL;
	if (!what)
		return JS_EXCEPTION;
	const SSL_CIPHER *cipher = SSL_get_current_cipher(ssl);
	JSValue result = JS_UNDEFINED;
	if (strcmp(what, "servername") == 0)
		result = optional(ctx, SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name));
	else if (strcmp(what, "version") == 0)
		result = optional(ctx, SSL_get_version(ssl));
	else if (strcmp(what, "cipher") == 0)
		result = cipher ? optional(ctx, SSL_CIPHER_get_name(cipher)) : result;
	else if (strcmp(what, "standardCipher") == 0)
		result = cipher ? optional(ctx, SSL_CIPHER_standard_name(cipher)) : result;
	else if (strcmp(what, "cipherVersion") == 0)
		result = cipher ? optional(ctx, SSL_CIPHER_get_version(cipher)) : result;
	else if (strcmp(what, "protocol") == 0) {
		const unsigned char *name;
		unsigned size;
		SSL_get0_alpn_selected(ssl, &name, &size);
		result = size ? JS_NewStringLen(ctx, (const char *)name, size) : JS_FALSE;
	} else if (strcmp(what, "verified") == 0)
		result = JS_NewInt64(ctx, SSL_get0_peer_certificate(ssl) ? SSL_get_verify_result(ssl) : X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT);
	else if (strcmp(what, "verifiedText") == 0)
		result = optional(ctx, X509_verify_cert_error_string(SSL_get_verify_result(ssl)));
	JS_FreeCString(ctx, what);
	return result;
}

// ---- certificates

static void add_encoded(JSContext *ctx, JSValueConst list, uint32_t *at, X509 *x)
{
	unsigned char *bytes = NULL;
	int size = i2d_X509(x, &bytes);
	if (size > 0)
		JS_DefinePropertyValueUint32(ctx, list, (*at)++, JS_NewUint8ArrayCopy(ctx, bytes, size), JS_PROP_C_W_E);
	OPENSSL_free(bytes);
}

// tlsCertificates(connection, whether one's own): a list of DER, the nearest first.
FUNCTION(tls_certificates)
{
	SSL *ssl = ssl_of(ctx, argv[0]);
	if (!ssl)
		return JS_EXCEPTION;
	JSValue list = JS_NewArray(ctx);
	uint32_t at = 0;
	int own = JS_ToBool(ctx, argv[1]);
	X509 *first = own ? SSL_get_certificate(ssl) : SSL_get0_peer_certificate(ssl);
	if (first)
		add_encoded(ctx, list, &at, first);
	STACK_OF(X509) *chain = own ? NULL : SSL_get0_verified_chain(ssl);
	if (!own && !chain)
		chain = SSL_get_peer_cert_chain(ssl);
	for (int i = 0; first && i < sk_X509_num(chain); i++)
		if (X509_cmp(sk_X509_value(chain, i), first) != 0)
			add_encoded(ctx, list, &at, sk_X509_value(chain, i));
	return list;
}

static const struct js_entry functions[] = {
	{"tlsContext", tls_context, 0}, {"tlsSet", tls_set, 3}, {"tlsAdd", tls_add, 4}, {"tlsNew", tls_new, 2}, {"tlsTell", tls_tell, 3},
	{"tlsFeed", tls_feed, 2}, {"tlsTake", tls_take, 1}, {"tlsShake", tls_shake, 1}, {"tlsRead", tls_read, 2}, {"tlsWrite", tls_write, 3},
	{"tlsShutdown", tls_shutdown, 1}, {"tlsAsk", tls_ask, 2}, {"tlsCertificates", tls_certificates, 2},
};

void tls_install(JSContext *ctx, JSValueConst object)
{
	JSRuntime *rt = JS_GetRuntime(ctx);
	JS_NewClassID(rt, &context_class);
	JS_NewClass(rt, context_class, &context_def);
	JS_NewClassID(rt, &connection_class);
	JS_NewClass(rt, connection_class, &connection_def);
	engine_add(ctx, object, functions, COUNT(functions));
}
