// What keys do: sign and verify, encrypt and decrypt by RSA, agree on a secret.
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/dsa.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/rsa.h>
#include <string.h>

#include "keys.h"
#include "system.h"

#define NUMBER(at) system_number(ctx, argc, argv, at, 0)
#define FUNCTION(name) static JSValue name(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv)

static int is_rsa(EVP_PKEY *key)
{
	int id = EVP_PKEY_id(key);
	return id == EVP_PKEY_RSA || id == EVP_PKEY_RSA2 || id == EVP_PKEY_RSA_PSS;
}

// pad sets what only RSA knows: padding or undefined, length of the salt or undefined.
static int pad(JSContext *ctx, EVP_PKEY *key, EVP_PKEY_CTX *c, JSValueConst padding, JSValueConst salt)
{
	if (!is_rsa(key))
		return 1;
	int32_t kind = EVP_PKEY_id(key) == EVP_PKEY_RSA_PSS ? RSA_PKCS1_PSS_PADDING : RSA_PKCS1_PADDING, length;
	if (!JS_IsUndefined(padding) && JS_ToInt32(ctx, &kind, padding) < 0)
		return 0;
	if (EVP_PKEY_CTX_set_rsa_padding(c, kind) <= 0)
		return 0;
	if (kind != RSA_PKCS1_PSS_PADDING || JS_IsUndefined(salt))
		return 1;
	return JS_ToInt32(ctx, &length, salt) == 0 && EVP_PKEY_CTX_set_rsa_pss_saltlen(c, length) > 0;
}

// half answers the length of a signature's numbers by (EC)DSA, or 0.
static int half(EVP_PKEY *key)
{
	int id = EVP_PKEY_id(key);
	if (id == EVP_PKEY_DSA) {
		const DSA *dsa = EVP_PKEY_get0_DSA(key);
		return dsa ? BN_num_bytes(DSA_get0_q(dsa)) : 0;
	}
	const EC_KEY *ec = id == EVP_PKEY_EC ? EVP_PKEY_get0_EC_KEY(key) : NULL;
	return ec ? (EC_GROUP_order_bits(EC_KEY_get0_group(ec)) + 7) / 8 : 0;
}

// signature_object makes bytes of a signature: of DER, or of the two numbers side by side.
static JSValue signature_object(JSContext *ctx, EVP_PKEY *key, const uint8_t *der, size_t size, int side_by_side)
{
	int n = side_by_side ? half(key) : 0;
	if (n == 0 || n > 128)
		return JS_NewUint8ArrayCopy(ctx, der, size);
	uint8_t out[256];
	const uint8_t *at = der;
	ECDSA_SIG *s = d2i_ECDSA_SIG(NULL, &at, (long)size); // DSA's has the same form
	int done = s && BN_bn2binpad(ECDSA_SIG_get0_r(s), out, n) == n && BN_bn2binpad(ECDSA_SIG_get0_s(s), out + n, n) == n;
	ECDSA_SIG_free(s);
	return done ? JS_NewUint8ArrayCopy(ctx, out, 2 * n) : JS_UNDEFINED;
}

// signatureDER(key, two numbers side by side): as DER, undefined if they are of another length. Of other keys' signatures
// it gives what it got.
FUNCTION(signature_der)
{
	size_t size;
	EVP_PKEY *key = key_of(ctx, argv[0]);
	uint8_t *bytes = key ? engine_bytes(ctx, argv[1], &size) : NULL;
	if (!bytes)
		return JS_EXCEPTION;
	int n = half(key);
	if (n == 0)
		return JS_DupValue(ctx, argv[1]);
	if (size != (size_t)n * 2)
		return JS_UNDEFINED;
	JSValue result = JS_UNDEFINED;
	ECDSA_SIG *s = ECDSA_SIG_new();
	BIGNUM *r = BN_bin2bn(bytes, n, NULL), *t = BN_bin2bn(bytes + n, n, NULL);
	unsigned char *der = NULL;
	if (s && ECDSA_SIG_set0(s, r, t)) {
		int length = i2d_ECDSA_SIG(s, &der);
		if (length > 0)
			result = JS_NewUint8ArrayCopy(ctx, der, length);
		OPENSSL_free(der);
	} else {
		BN_free(r);
		BN_free(t);
	}
	ECDSA_SIG_free(s);
	return result;
}

// signHash(key, hash's name, hash, padding, salt, whether side by side): the signature of a hash that is made.
FUNCTION(sign_hash)
{
	size_t size, length = 0;
	EVP_PKEY *key = key_of(ctx, argv[0]);
	uint8_t *bytes = key ? engine_bytes(ctx, argv[2], &size) : NULL;
	if (!bytes)
		return JS_EXCEPTION;
	EVP_PKEY_CTX *c = EVP_PKEY_CTX_new(key, NULL);
	JSValue result = JS_UNDEFINED;
	if (c && EVP_PKEY_sign_init(c) > 0 && pad(ctx, key, c, argv[3], argv[4]) && EVP_PKEY_CTX_set_signature_md(c, key_digest(ctx, argv[1])) > 0 &&
		EVP_PKEY_sign(c, NULL, &length, bytes, size) > 0) {
		uint8_t *out = OPENSSL_malloc(length + 1);
		if (out && EVP_PKEY_sign(c, out, &length, bytes, size) > 0)
			result = signature_object(ctx, key, out, length, JS_ToBool(ctx, argv[5]));
		OPENSSL_free(out);
	}
	EVP_PKEY_CTX_free(c);
	return result;
}

// verifyHash(key, hash's name, hash, padding, salt, signature): undefined where that can't be tried.
FUNCTION(verify_hash)
{
	size_t size, signature_size;
	EVP_PKEY *key = key_of(ctx, argv[0]);
	uint8_t *bytes = key ? engine_bytes(ctx, argv[2], &size) : NULL, *signature = bytes ? engine_bytes(ctx, argv[5], &signature_size) : NULL;
	if (!signature)
		return JS_EXCEPTION;
	EVP_PKEY_CTX *c = EVP_PKEY_CTX_new(key, NULL);
	JSValue result = JS_UNDEFINED;
	if (c && EVP_PKEY_verify_init(c) > 0 && pad(ctx, key, c, argv[3], argv[4]) && EVP_PKEY_CTX_set_signature_md(c, key_digest(ctx, argv[1])) > 0)
		result = JS_NewBool(ctx, EVP_PKEY_verify(c, signature, signature_size, bytes, size) == 1);
	EVP_PKEY_CTX_free(c);
	return result;
}

// sign(key, hash's name or undefined, bytes, padding, salt, whether side by side)
FUNCTION(sign)
{
	size_t size, length = 0;
	EVP_PKEY *key = key_of(ctx, argv[0]);
	uint8_t *bytes = key ? engine_bytes(ctx, argv[2], &size) : NULL;
	if (!bytes)
		return JS_EXCEPTION;
	EVP_MD_CTX *state = EVP_MD_CTX_new();
	EVP_PKEY_CTX *c = NULL;
	JSValue result = JS_UNDEFINED;
	if (state && EVP_DigestSignInit(state, &c, key_digest(ctx, argv[1]), NULL, key) > 0 && pad(ctx, key, c, argv[3], argv[4]) &&
		EVP_DigestSign(state, NULL, &length, bytes, size) > 0) {
		uint8_t *out = OPENSSL_malloc(length + 1);
		if (out && EVP_DigestSign(state, out, &length, bytes, size) > 0)
			result = signature_object(ctx, key, out, length, JS_ToBool(ctx, argv[5]));
		OPENSSL_free(out);
	}
	EVP_MD_CTX_free(state);
	return result;
}

// verify(key, hash's name or undefined, bytes, padding, salt, signature): undefined where that can't be tried.
FUNCTION(verify)
{
	size_t size, signature_size;
	EVP_PKEY *key = key_of(ctx, argv[0]);
	uint8_t *bytes = key ? engine_bytes(ctx, argv[2], &size) : NULL, *signature = bytes ? engine_bytes(ctx, argv[5], &signature_size) : NULL;
	if (!signature)
		return JS_EXCEPTION;
	EVP_MD_CTX *state = EVP_MD_CTX_new();
	EVP_PKEY_CTX *c = NULL;
	JSValue result = JS_UNDEFINED;
	if (state && EVP_DigestVerifyInit(state, &c, key_digest(ctx, argv[1]), NULL, key) > 0 && pad(ctx, key, c, argv[3], argv[4]))
		result = JS_NewBool(ctx, EVP_DigestVerify(state, signature, signature_size, bytes, size) == 1);
	EVP_MD_CTX_free(state);
	return result;
}

// rsaCrypt(key, what, bytes, padding, OAEP's hash or undefined, its label or undefined): 0 encrypts, 1 decrypts, 2 encrypts
// with the private key, 3 decrypts with the public one.
FUNCTION(rsa_crypt)
{
	static int (*const begin[])(EVP_PKEY_CTX *) = {EVP_PKEY_encrypt_init, EVP_PKEY_decrypt_init, EVP_PKEY_sign_init, EVP_PKEY_verify_recover_init};
	static int (*const work[])(EVP_PKEY_CTX *, unsigned char *, size_t *, const unsigned char *, size_t) = {
		EVP_PKEY_encrypt, EVP_PKEY_decrypt, EVP_PKEY_sign, EVP_PKEY_verify_recover};
	size_t size, length = 0, label_size = 0;
	EVP_PKEY *key = key_of(ctx, argv[0]);
	uint8_t *bytes = key ? engine_bytes(ctx, argv[2], &size) : NULL;
	if (!bytes)
		return JS_EXCEPTION;
	uint8_t *label = JS_IsUndefined(argv[5]) ? NULL : engine_bytes(ctx, argv[5], &label_size);
	if (!label && !JS_IsUndefined(argv[5]))
		return JS_EXCEPTION;
	int what = (int)NUMBER(1) & 3;
	const EVP_MD *md = key_digest(ctx, argv[4]);
	EVP_PKEY_CTX *c = EVP_PKEY_CTX_new(key, NULL);
	int ready = c && begin[what](c) > 0 && EVP_PKEY_CTX_set_rsa_padding(c, (int)NUMBER(3)) > 0 && (!md || EVP_PKEY_CTX_set_rsa_oaep_md(c, md) > 0);
	if (ready && label_size > 0) {
		void *copy = OPENSSL_memdup(label, label_size);
		if (!copy || EVP_PKEY_CTX_set0_rsa_oaep_label(c, copy, (int)label_size) <= 0) {
			OPENSSL_free(copy);
			ready = 0;
		}
	}
	JSValue result = JS_UNDEFINED;
	if (ready && work[what](c, NULL, &length, bytes, size) > 0) {
		size_t room = length;
		uint8_t *out = OPENSSL_malloc(room + 1);
		if (out && work[what](c, out, &length, bytes, size) > 0)
			result = JS_NewUint8ArrayCopy(ctx, out, length);
		OPENSSL_clear_free(out, room + 1);
	}
	EVP_PKEY_CTX_free(c);
	return result;
}

// agree(own private key, other's public key): what both know then.
FUNCTION(agree)
{
	size_t length = 0;
	EVP_PKEY *own = key_of(ctx, argv[0]), *other = own ? key_of(ctx, argv[1]) : NULL;
	if (!other)
		return JS_EXCEPTION;
	EVP_PKEY_CTX *c = EVP_PKEY_CTX_new(own, NULL);
	JSValue result = JS_UNDEFINED;
	if (c && EVP_PKEY_derive_init(c) > 0 && EVP_PKEY_derive_set_peer(c, other) > 0 && EVP_PKEY_derive(c, NULL, &length) > 0) {
		size_t room = length;
		uint8_t *out = OPENSSL_zalloc(room + 1);
		if (out && EVP_PKEY_derive(c, out, &length) > 0) {
			// Leading zeros of Diffie and Hellman's count.
			memmove(out + room - length, out, length);
			memset(out, 0, room - length);
			result = JS_NewUint8ArrayCopy(ctx, out, room);
		}
		OPENSSL_clear_free(out, room + 1);
	}
	EVP_PKEY_CTX_free(c);
	return result;
}

static const struct js_entry functions[] = {
	{"signatureDER", signature_der, 2}, {"signHash", sign_hash, 6}, {"verifyHash", verify_hash, 6}, {"sign", sign, 6}, {"verify", verify, 6},
	{"rsaCrypt", rsa_crypt, 6}, {"agree", agree, 2},
};

void signatures_install(JSContext *ctx, JSValueConst object) { engine_add(ctx, object, functions, COUNT(functions)); }
