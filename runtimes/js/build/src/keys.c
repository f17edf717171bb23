// Keys of RSA, DSA, Diffie-Hellman and of curves: read, written, made, taken apart and put together.
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/dh.h>
#include <openssl/dsa.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <string.h>

#include "keys.h"
#include "system.h"

#define NUMBER(at) system_number(ctx, argc, argv, at, 0)
#define FUNCTION(name) static JSValue name(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv)

enum { FORMAT_DER, FORMAT_PEM };
enum { TYPE_PKCS1, TYPE_PKCS8, TYPE_SPKI, TYPE_SEC1 };

static JSClassID key_class;

static void key_finalizer(JSRuntime *rt, JSValueConst value) { EVP_PKEY_free(JS_GetOpaque(value, key_class)); }
static const JSClassDef key_def = {"Key", .finalizer = key_finalizer};

EVP_PKEY *key_of(JSContext *ctx, JSValueConst value)
{
	ERR_clear_error();
	return JS_GetOpaque2(ctx, value, key_class);
}

JSValue key_object(JSContext *ctx, EVP_PKEY *key)
{
	JSValue object = key ? JS_NewObjectClass(ctx, key_class) : JS_UNDEFINED;
	if (key)
		JS_SetOpaque(object, key);
	return object;
}

BIGNUM *key_bignum(JSContext *ctx, JSValueConst bytes)
{
	size_t size;
	uint8_t *at = engine_bytes(ctx, bytes, &size);
	return at ? BN_bin2bn(at, (int)size, NULL) : NULL;
}

JSValue key_number(JSContext *ctx, const BIGNUM *number, int size)
{
	if (!number)
		return JS_UNDEFINED;
	if (size < BN_num_bytes(number))
		size = BN_num_bytes(number);
	uint8_t *bytes = OPENSSL_zalloc(size + 1);
	JSValue result = bytes && BN_bn2binpad(number, bytes, size) >= 0 ? JS_NewUint8ArrayCopy(ctx, bytes, size) : JS_UNDEFINED;
	OPENSSL_clear_free(bytes, size + 1);
	return result;
}

static void add(JSContext *ctx, JSValueConst list, uint32_t *at, JSValue value)
{
	JS_DefinePropertyValueUint32(ctx, list, (*at)++, value, JS_PROP_C_W_E);
}

// cryptoErrors(): what OpenSSL has noted, the earliest first.
FUNCTION(crypto_errors)
{
	OPENSSL_init_crypto(OPENSSL_INIT_LOAD_CRYPTO_STRINGS, NULL);
	JSValue list = JS_NewArray(ctx);
	uint32_t at = 0;
	for (unsigned long code; (code = ERR_get_error()) != 0;) {
		char text[256];
		ERR_error_string_n(code, text, sizeof text);
		add(ctx, list, &at, JS_NewString(ctx, text));
	}
	return list;
}

// ---- reading

struct secret {
	const uint8_t *bytes;
	size_t size;
};

static int passphrase(char *out, int size, int writing, void *arg)
{
	struct secret *s = arg;
	if (!s || !s->bytes || s->size > (size_t)size)
		return -1;
	memcpy(out, s->bytes, s->size);
	return (int)s->size;
}

static EVP_PKEY *certified_key(const unsigned char **bytes, long size)
{
	X509 *x = d2i_X509(NULL, bytes, size);
	EVP_PKEY *key = x ? X509_get_pubkey(x) : NULL;
	X509_free(x);
	return key;
}

static EVP_PKEY *rsa_public(const unsigned char **bytes, long size) { return d2i_PublicKey(EVP_PKEY_RSA, NULL, bytes, size); }
static EVP_PKEY *any_public(const unsigned char **bytes, long size) { return d2i_PUBKEY(NULL, bytes, size); }

// read_public_pem finds a public key or a certificate. *known tells whether there was the beginning of one.
static EVP_PKEY *read_public_pem(const uint8_t *bytes, size_t size, int *known)
{
	static const struct {
		const char *name;
		EVP_PKEY *(*parse)(const unsigned char **, long);
	} kinds[] = {{"PUBLIC KEY", any_public}, {"RSA PUBLIC KEY", rsa_public}, {"CERTIFICATE", certified_key}};
	for (size_t i = 0; i < COUNT(kinds); i++) {
		BIO *bio = BIO_new_mem_buf(bytes, (int)size);
		unsigned char *der = NULL;
		long der_size = 0;
		ERR_set_mark();
		*known = bio && PEM_bytes_read_bio(&der, &der_size, NULL, kinds[i].name, bio, NULL, NULL) == 1;
		ERR_pop_to_mark();
		BIO_free(bio);
		if (*known) {
			const unsigned char *at = der;
			EVP_PKEY *key = kinds[i].parse(&at, der_size);
			OPENSSL_clear_free(der, der_size);
			return key;
		}
	}
	return NULL;
}

// content answers where the content of DER's element of a tag begins, or 0.
static size_t content(const uint8_t *bytes, size_t size, int tag)
{
	if (size < 2 || bytes[0] != tag)
		return 0;
	return bytes[1] & 0x80 ? 2 + (bytes[1] & 0x7f) : 2;
}

// is_rsa_private tells a private key from a public one by its version, a 0 or 1 where that has the modulus.
static int is_rsa_private(const uint8_t *bytes, size_t size)
{
	size_t at = content(bytes, size, 0x30);
	return at && size >= at + 3 && bytes[at] == 2 && bytes[at + 1] == 1 && !(bytes[at + 2] & 0xfe);
}

// is_encrypted tells EncryptedPrivateKeyInfo, which begins with a sequence, from PrivateKeyInfo, which begins with a number.
static int is_encrypted(const uint8_t *bytes, size_t size)
{
	size_t at = content(bytes, size, 0x30);
	return at && size > at && bytes[at] != 2;
}

static EVP_PKEY *read_pkcs8(const uint8_t *bytes, size_t size, struct secret *secret)
{
	BIO *bio = BIO_new_mem_buf(bytes, (int)size);
	EVP_PKEY *key = NULL;
	if (bio && is_encrypted(bytes, size)) {
		key = d2i_PKCS8PrivateKey_bio(bio, NULL, passphrase, secret);
	} else if (bio) {
		PKCS8_PRIV_KEY_INFO *info = d2i_PKCS8_PRIV_KEY_INFO_bio(bio, NULL);
		key = info ? EVP_PKCS82PKEY(info) : NULL;
		PKCS8_PRIV_KEY_INFO_free(info);
	}
	BIO_free(bio);
	return key;
}

static EVP_PKEY *read_private(const uint8_t *bytes, size_t size, int format, int type, struct secret *secret)
{
	EVP_PKEY *key;
	const unsigned char *at = bytes;
	if (format == FORMAT_PEM) {
		BIO *bio = BIO_new_mem_buf(bytes, (int)size);
		key = bio ? PEM_read_bio_PrivateKey(bio, NULL, passphrase, secret) : NULL;
		BIO_free(bio);
	} else if (type == TYPE_PKCS8) {
		key = read_pkcs8(bytes, size, secret);
	} else {
		key = d2i_PrivateKey(type == TYPE_PKCS1 ? EVP_PKEY_RSA : EVP_PKEY_EC, NULL, &at, (long)size);
	}
	if (key && ERR_peek_error() != 0) { // it can be damaged all the same
		EVP_PKEY_free(key);
		key = NULL;
	}
	return key;
}

// keyRead(whether a private one is needed, bytes, format, type, passphrase): the key, or undefined; null if a passphrase
// is missing.
FUNCTION(key_read)
{
	size_t size;
	struct secret secret = {NULL, 0};
	int private = JS_ToBool(ctx, argv[0]), format = (int)NUMBER(2), type = (int)NUMBER(3), known = 0;
	uint8_t *bytes = engine_bytes(ctx, argv[1], &size);
	if (!bytes || (argc > 4 && JS_IsObject(argv[4]) && !(secret.bytes = engine_bytes(ctx, argv[4], &secret.size))))
		return JS_EXCEPTION;
	EVP_PKEY *key = NULL;
	const unsigned char *at = bytes;
	ERR_clear_error();
	if (!private && format == FORMAT_PEM)
		key = read_public_pem(bytes, size, &known);
	else if (!private && type == TYPE_SPKI && (known = 1))
		key = d2i_PUBKEY(NULL, &at, (long)size);
	else if (!private && type == TYPE_PKCS1 && !is_rsa_private(bytes, size) && (known = 1))
		key = d2i_PublicKey(EVP_PKEY_RSA, NULL, &at, (long)size);
	if (!known)
		key = read_private(bytes, size, format, type, &secret);
	unsigned long code = ERR_peek_error();
	if (!key && !secret.bytes && ERR_GET_LIB(code) == ERR_LIB_PEM && ERR_GET_REASON(code) == PEM_R_BAD_PASSWORD_READ)
		return JS_NULL;
	return key_object(ctx, key);
}

// ---- writing

static int write_public(BIO *bio, EVP_PKEY *key, int format, int type)
{
	if (type == TYPE_SPKI)
		return format == FORMAT_PEM ? PEM_write_bio_PUBKEY(bio, key) : i2d_PUBKEY_bio(bio, key);
	unsigned char *der = NULL;
	int size = i2d_PublicKey(key, &der), done = 0;
	if (size > 0)
		done = format == FORMAT_PEM ? PEM_write_bio(bio, PEM_STRING_RSA_PUBLIC, "", der, size) > 0 : BIO_write(bio, der, size) == size;
	OPENSSL_free(der);
	return done;
}

static int write_private(BIO *bio, EVP_PKEY *key, int format, int type, const EVP_CIPHER *cipher, struct secret *secret)
{
	char *pass = (char *)secret->bytes;
	if (cipher && !pass)
		pass = "";
	if (type == TYPE_PKCS8)
		return format == FORMAT_PEM ? PEM_write_bio_PKCS8PrivateKey(bio, key, cipher, pass, (int)secret->size, NULL, NULL)
			: i2d_PKCS8PrivateKey_bio(bio, key, cipher, pass, (int)secret->size, NULL, NULL);
	if (format == FORMAT_PEM)
		return PEM_write_bio_PrivateKey_traditional(bio, key, cipher, (unsigned char *)pass, (int)secret->size, NULL, NULL);
	return i2d_PrivateKey_bio(bio, key);
}

// keyWrite(key, whether as a private one, format, type, cipher, passphrase): PEM as a string, DER as bytes.
FUNCTION(key_write)
{
	EVP_PKEY *key = key_of(ctx, argv[0]);
	struct secret secret = {NULL, 0};
	if (!key || (argc > 5 && JS_IsObject(argv[5]) && !(secret.bytes = engine_bytes(ctx, argv[5], &secret.size))))
		return JS_EXCEPTION;
	const char *name = argc > 4 && JS_IsString(argv[4]) ? JS_ToCString(ctx, argv[4]) : NULL;
	const EVP_CIPHER *cipher = name ? EVP_get_cipherbyname(name) : NULL;
	JS_FreeCString(ctx, name);
	int format = (int)NUMBER(2), type = (int)NUMBER(3);
	BIO *bio = BIO_new(BIO_s_mem());
	JSValue result = JS_UNDEFINED;
	if (bio && (JS_ToBool(ctx, argv[1]) ? write_private(bio, key, format, type, cipher, &secret) : write_public(bio, key, format, type))) {
		char *text;
		long size = BIO_get_mem_data(bio, &text);
		result = format == FORMAT_PEM ? JS_NewStringLen(ctx, text, size) : JS_NewUint8ArrayCopy(ctx, (uint8_t *)text, size);
	}
	BIO_free(bio);
	return result;
}

// ---- taking apart

static const char *type_name(int id)
{
	switch (id) {
	case EVP_PKEY_RSA:
	case EVP_PKEY_RSA2:
		return "rsa";
	case EVP_PKEY_RSA_PSS:
		return "rsa-pss";
	case EVP_PKEY_DSA:
		return "dsa";
	case EVP_PKEY_DH:
	case EVP_PKEY_DHX:
		return "dh";
	case EVP_PKEY_EC:
		return "ec";
	case EVP_PKEY_ED25519:
		return "ed25519";
	case EVP_PKEY_ED448:
		return "ed448";
	case EVP_PKEY_X25519:
		return "x25519";
	case EVP_PKEY_X448:
		return "x448";
	}
	return NULL;
}

FUNCTION(key_type)
{
	EVP_PKEY *key = key_of(ctx, argv[0]);
	const char *name = key ? type_name(EVP_PKEY_id(key)) : NULL;
	return !key ? JS_EXCEPTION : name ? JS_NewString(ctx, name) : JS_UNDEFINED;
}

static JSValue name_of(JSContext *ctx, const X509_ALGOR *algorithm)
{
	const ASN1_OBJECT *object = NULL;
	if (algorithm)
		X509_ALGOR_get0(&object, NULL, NULL, algorithm);
	return JS_NewString(ctx, OBJ_nid2ln(object ? OBJ_obj2nid(object) : NID_sha1));
}

// pss_parameters adds what a key of RSA-PSS is bound to: hash, hash of the mask, length of the salt.
static void pss_parameters(JSContext *ctx, JSValueConst list, uint32_t *at, const RSA *rsa)
{
	const RSA_PSS_PARAMS *p = rsa ? RSA_get0_pss_params(rsa) : NULL;
	if (!p)
		return;
	X509_ALGOR *mask = p->maskGenAlgorithm ? ASN1_TYPE_unpack_sequence(ASN1_ITEM_rptr(X509_ALGOR), p->maskGenAlgorithm->parameter) : NULL;
	add(ctx, list, at, name_of(ctx, p->hashAlgorithm));
	add(ctx, list, at, name_of(ctx, mask));
	add(ctx, list, at, JS_NewInt32(ctx, p->saltLength ? (int)ASN1_INTEGER_get(p->saltLength) : 20));
	X509_ALGOR_free(mask);
}

static const char *curve_name(const EC_KEY *ec)
{
	int nid = ec ? EC_GROUP_get_curve_name(EC_KEY_get0_group(ec)) : 0;
	return nid ? OBJ_nid2sn(nid) : NULL;
}

// keyDetail(key): bits and exponent of RSA, and for RSA-PSS what it is bound to; bits and the divisor's of DSA; a curve's
// name, its name at NIST and its bits.
FUNCTION(key_detail)
{
	EVP_PKEY *key = key_of(ctx, argv[0]);
	if (!key)
		return JS_EXCEPTION;
	JSValue list = JS_NewArray(ctx);
	uint32_t at = 0;
	int id = EVP_PKEY_id(key);
	if (id == EVP_PKEY_RSA || id == EVP_PKEY_RSA2 || id == EVP_PKEY_RSA_PSS) {
		const RSA *rsa = EVP_PKEY_get0_RSA(key);
		add(ctx, list, &at, JS_NewInt32(ctx, EVP_PKEY_get_bits(key)));
		add(ctx, list, &at, key_number(ctx, rsa ? RSA_get0_e(rsa) : NULL, 0));
		if (id == EVP_PKEY_RSA_PSS)
			pss_parameters(ctx, list, &at, rsa);
	} else if (id == EVP_PKEY_DSA) {
		const DSA *dsa = EVP_PKEY_get0_DSA(key);
		add(ctx, list, &at, JS_NewInt32(ctx, EVP_PKEY_get_bits(key)));
		add(ctx, list, &at, JS_NewInt32(ctx, dsa ? BN_num_bits(DSA_get0_q(dsa)) : 0));
	} else if (id == EVP_PKEY_EC) {
		const EC_KEY *ec = EVP_PKEY_get0_EC_KEY(key);
		const char *name = curve_name(ec), *nist = name ? EC_curve_nid2nist(OBJ_sn2nid(name)) : NULL;
		add(ctx, list, &at, name ? JS_NewString(ctx, name) : JS_UNDEFINED);
		add(ctx, list, &at, nist ? JS_NewString(ctx, nist) : JS_UNDEFINED);
		add(ctx, list, &at, JS_NewInt32(ctx, ec ? EC_GROUP_order_bits(EC_KEY_get0_group(ec)) : 0));
	}
	return list;
}

static void rsa_numbers(JSContext *ctx, JSValueConst list, uint32_t *at, const RSA *rsa, int private)
{
	const BIGNUM *n[8] = {RSA_get0_n(rsa), RSA_get0_e(rsa), RSA_get0_d(rsa), RSA_get0_p(rsa), RSA_get0_q(rsa),
		RSA_get0_dmp1(rsa), RSA_get0_dmq1(rsa), RSA_get0_iqmp(rsa)};
	for (int i = 0; i < (private ? 8 : 2); i++)
		add(ctx, list, at, key_number(ctx, n[i], 0));
}

static void ec_numbers(JSContext *ctx, JSValueConst list, uint32_t *at, const EC_KEY *ec, int private)
{
	const EC_GROUP *group = EC_KEY_get0_group(ec);
	const EC_POINT *point = EC_KEY_get0_public_key(ec);
	BIGNUM *x = BN_new(), *y = BN_new();
	int size = (EC_GROUP_get_degree(group) + 7) / 8;
	if (x && y && point && EC_POINT_get_affine_coordinates(group, point, x, y, NULL)) {
		add(ctx, list, at, key_number(ctx, x, size));
		add(ctx, list, at, key_number(ctx, y, size));
		if (private)
			add(ctx, list, at, key_number(ctx, EC_KEY_get0_private_key(ec), size));
	}
	BN_free(x);
	BN_free(y);
}

static JSValue raw_number(JSContext *ctx, EVP_PKEY *key, int (*get)(const EVP_PKEY *, unsigned char *, size_t *))
{
	uint8_t bytes[64];
	size_t size = sizeof bytes;
	JSValue result = get(key, bytes, &size) == 1 ? JS_NewUint8ArrayCopy(ctx, bytes, size) : JS_UNDEFINED;
	OPENSSL_cleanse(bytes, sizeof bytes);
	return result;
}

// keyNumbers(key, whether the private ones too): RSA's n, e, d, p, q, dp, dq, qi; a curve's x, y, d; else the raw public
// and private key.
FUNCTION(key_numbers)
{
	EVP_PKEY *key = key_of(ctx, argv[0]);
	if (!key)
		return JS_EXCEPTION;
	int id = EVP_PKEY_id(key), private = JS_ToBool(ctx, argv[1]);
	const RSA *rsa = id == EVP_PKEY_RSA || id == EVP_PKEY_RSA2 || id == EVP_PKEY_RSA_PSS ? EVP_PKEY_get0_RSA(key) : NULL;
	const EC_KEY *ec = id == EVP_PKEY_EC ? EVP_PKEY_get0_EC_KEY(key) : NULL;
	JSValue list = JS_NewArray(ctx);
	uint32_t at = 0;
	if (rsa)
		rsa_numbers(ctx, list, &at, rsa, private);
	else if (ec)
		ec_numbers(ctx, list, &at, ec, private);
	else {
		add(ctx, list, &at, raw_number(ctx, key, EVP_PKEY_get_raw_public_key));
		if (private)
			add(ctx, list, &at, raw_number(ctx, key, EVP_PKEY_get_raw_private_key));
	}
	return list;
}

// keyPoint(key): a curve's public key as an uncompressed point.
FUNCTION(key_point)
{
	EVP_PKEY *key = key_of(ctx, argv[0]);
	if (!key)
		return JS_EXCEPTION;
	unsigned char *bytes = NULL;
	const EC_KEY *ec = EVP_PKEY_get0_EC_KEY(key);
	size_t size = ec ? EC_POINT_point2buf(EC_KEY_get0_group(ec), EC_KEY_get0_public_key(ec), POINT_CONVERSION_UNCOMPRESSED, &bytes, NULL) : 0;
	JSValue result = size ? JS_NewUint8ArrayCopy(ctx, bytes, size) : JS_UNDEFINED;
	OPENSSL_free(bytes);
	return result;
}

// keyEquals(a, b): undefined if that can't be said of such keys.
FUNCTION(key_equals)
{
	EVP_PKEY *a = key_of(ctx, argv[0]), *b = a ? key_of(ctx, argv[1]) : NULL;
	if (!b)
		return JS_EXCEPTION;
	int equal = EVP_PKEY_eq(a, b);
	return equal == -2 ? JS_UNDEFINED : JS_NewBool(ctx, equal == 1);
}

// keyCheck(key, whether it is private): whether a curve's key is one.
FUNCTION(key_check)
{
	EVP_PKEY *key = key_of(ctx, argv[0]);
	EVP_PKEY_CTX *c = key ? EVP_PKEY_CTX_new(key, NULL) : NULL;
	int done = c && (JS_ToBool(ctx, argv[1]) ? EVP_PKEY_check(c) : EVP_PKEY_public_check(c)) == 1;
	EVP_PKEY_CTX_free(c);
	return key ? JS_NewBool(ctx, done) : JS_EXCEPTION;
}

static const struct js_entry functions[] = {
	{"cryptoErrors", crypto_errors, 0}, {"keyRead", key_read, 5}, {"keyWrite", key_write, 6}, {"keyType", key_type, 1},
	{"keyDetail", key_detail, 1}, {"keyNumbers", key_numbers, 2}, {"keyPoint", key_point, 1}, {"keyEquals", key_equals, 2},
	{"keyCheck", key_check, 2},
};

void keys_install(JSContext *ctx, JSValueConst object)
{
	JSRuntime *rt = JS_GetRuntime(ctx);
	JS_NewClassID(rt, &key_class);
	JS_NewClass(rt, key_class, &key_def);
	engine_add(ctx, object, functions, COUNT(functions));
}
