// Hashes, ciphers and derived keys, by OpenSSL.
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/kdf.h>
#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "keys.h"
#include "system.h"

#define NUMBER(at) system_number(ctx, argc, argv, at, 0)
#define FUNCTION(name) static JSValue name(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv)

static JSClassID hash_class, cipher_class;

static void hash_finalizer(JSRuntime *rt, JSValueConst value) { EVP_MD_CTX_free(JS_GetOpaque(value, hash_class)); }
static void cipher_finalizer(JSRuntime *rt, JSValueConst value) { EVP_CIPHER_CTX_free(JS_GetOpaque(value, cipher_class)); }
static const JSClassDef hash_def = {"HashState", .finalizer = hash_finalizer};
static const JSClassDef cipher_def = {"CipherState", .finalizer = cipher_finalizer};

const EVP_MD *key_digest(JSContext *ctx, JSValueConst name)
{
	const char *text = JS_IsUndefined(name) ? NULL : JS_ToCString(ctx, name);
	const EVP_MD *md = text ? EVP_get_digestbyname(text) : NULL;
	if (md == NULL && text && strncasecmp(text, "RSA-", 4) == 0)
		md = EVP_get_digestbyname(text + 4);
	JS_FreeCString(ctx, text);
	return md;
}

static JSValue wrap(JSContext *ctx, JSClassID class, void *state)
{
	JSValue object = state ? JS_NewObjectClass(ctx, class) : JS_UNDEFINED;
	if (state)
		JS_SetOpaque(object, state);
	return object;
}

// newHash(name, outputLength or undefined): undefined for a name that isn't known.
FUNCTION(new_hash)
{
	const EVP_MD *md = key_digest(ctx, argv[0]);
	EVP_MD_CTX *state = md ? EVP_MD_CTX_new() : NULL;
	if (state && EVP_DigestInit_ex(state, md, NULL) != 1) {
		EVP_MD_CTX_free(state);
		state = NULL;
	}
	return wrap(ctx, hash_class, state);
}

FUNCTION(hash_copy)
{
	EVP_MD_CTX *from = JS_GetOpaque2(ctx, argv[0], hash_class), *to = from ? EVP_MD_CTX_new() : NULL;
	if (!to)
		return JS_EXCEPTION;
	EVP_MD_CTX_copy_ex(to, from);
	return wrap(ctx, hash_class, to);
}

FUNCTION(hash_update)
{
	size_t size;
	EVP_MD_CTX *state = JS_GetOpaque2(ctx, argv[0], hash_class);
	uint8_t *at = state ? engine_bytes(ctx, argv[1], &size) : NULL;
	return at ? JS_NewBool(ctx, EVP_DigestUpdate(state, at, size) == 1) : JS_EXCEPTION;
}

// hashFinal(state, length or undefined): undefined if the length isn't possible.
FUNCTION(hash_final)
{
	EVP_MD_CTX *state = JS_GetOpaque2(ctx, argv[0], hash_class);
	if (!state)
		return JS_EXCEPTION;
	const EVP_MD *md = EVP_MD_CTX_get0_md(state);
	unsigned natural = EVP_MD_get_size(md);
	size_t length = system_number(ctx, argc, argv, 1, natural);
	if (length != natural && !(EVP_MD_get_flags(md) & EVP_MD_FLAG_XOF))
		return JS_UNDEFINED;
	if (length > 1 << 24)
		return JS_UNDEFINED;
	uint8_t *out = malloc(length + 64);
	int done = out && (length == natural ? EVP_DigestFinal_ex(state, out, NULL) : EVP_DigestFinalXOF(state, out, length));
	JSValue result = done ? JS_NewUint8ArrayCopy(ctx, out, length) : JS_UNDEFINED;
	free(out);
	return result;
}

FUNCTION(hash_size)
{
	const EVP_MD *md = key_digest(ctx, argv[0]);
	return md ? JS_NewInt32(ctx, EVP_MD_get_size(md)) : JS_UNDEFINED;
}

FUNCTION(hash_block)
{
	const EVP_MD *md = key_digest(ctx, argv[0]);
	return md ? JS_NewInt32(ctx, EVP_MD_get_block_size(md)) : JS_UNDEFINED;
}

// pbkdf2(digest, password, salt, iterations, length)
FUNCTION(pbkdf2)
{
	size_t password_size, salt_size;
	const EVP_MD *md = key_digest(ctx, argv[0]);
	uint8_t *password = engine_bytes(ctx, argv[1], &password_size), *salt = password ? engine_bytes(ctx, argv[2], &salt_size) : NULL;
	if (!salt)
		return JS_EXCEPTION;
	size_t length = NUMBER(4);
	uint8_t *out = md && length < 1 << 28 ? malloc(length + 1) : NULL;
	JSValue result = JS_UNDEFINED;
	if (out && (length == 0 || PKCS5_PBKDF2_HMAC((char *)password, password_size, salt, salt_size, NUMBER(3), md, length, out) == 1))
		result = JS_NewUint8ArrayCopy(ctx, out, length);
	free(out);
	return result;
}

// scrypt(password, salt, N, r, p, maxmem, length): undefined for parameters that aren't possible.
FUNCTION(scrypt)
{
	size_t password_size, salt_size;
	uint8_t *password = engine_bytes(ctx, argv[0], &password_size), *salt = password ? engine_bytes(ctx, argv[1], &salt_size) : NULL;
	if (!salt)
		return JS_EXCEPTION;
	size_t length = NUMBER(6);
	uint8_t *out = length < 1 << 28 ? malloc(length + 1) : NULL;
	JSValue result = JS_UNDEFINED;
	if (out && EVP_PBE_scrypt((char *)password, password_size, salt, salt_size, NUMBER(2), NUMBER(3), NUMBER(4), NUMBER(5),
			   length ? out : NULL, length) == 1)
		result = JS_NewUint8ArrayCopy(ctx, out, length);
	free(out);
	return result;
}

// cipherInfo(name or number): name, nid, key length, iv length, block size, mode.
FUNCTION(cipher_info)
{
	const char *name = JS_IsNumber(argv[0]) ? NULL : JS_ToCString(ctx, argv[0]), *known = name ? name : OBJ_nid2sn((int)NUMBER(0));
	const EVP_CIPHER *cipher = known ? EVP_get_cipherbyname(known) : NULL;
	JS_FreeCString(ctx, name);
	if (!cipher)
		return JS_UNDEFINED;
	JSValue list = JS_NewArray(ctx);
	int numbers[] = {EVP_CIPHER_get_nid(cipher), EVP_CIPHER_get_key_length(cipher), EVP_CIPHER_get_iv_length(cipher),
		EVP_CIPHER_get_block_size(cipher), EVP_CIPHER_get_mode(cipher)};
	const char *own = OBJ_nid2sn(EVP_CIPHER_get_nid(cipher));
	JS_DefinePropertyValueUint32(ctx, list, 0, JS_NewString(ctx, own ? own : ""), JS_PROP_C_W_E);
	for (size_t i = 0; i < COUNT(numbers); i++)
		JS_DefinePropertyValueUint32(ctx, list, i + 1, JS_NewInt32(ctx, numbers[i]), JS_PROP_C_W_E);
	return list;
}

// newCipher(name, encrypt, key, iv or null): undefined for what isn't possible.
FUNCTION(new_cipher)
{
	size_t key_size, iv_size = 0;
	const char *name = JS_ToCString(ctx, argv[0]);
	const EVP_CIPHER *cipher = name ? EVP_get_cipherbyname(name) : NULL;
	JS_FreeCString(ctx, name);
	int encrypt = JS_ToBool(ctx, argv[1]);
	uint8_t *key = engine_bytes(ctx, argv[2], &key_size), *iv = NULL;
	if (!key || (!JS_IsNull(argv[3]) && !JS_IsUndefined(argv[3]) && !(iv = engine_bytes(ctx, argv[3], &iv_size))))
		return JS_EXCEPTION;
	EVP_CIPHER_CTX *state = cipher ? EVP_CIPHER_CTX_new() : NULL;
	int mode = cipher ? EVP_CIPHER_get_mode(cipher) : 0;
	if (state && mode == EVP_CIPH_WRAP_MODE)
		EVP_CIPHER_CTX_set_flags(state, EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
	int ok = state && EVP_CipherInit_ex(state, cipher, NULL, NULL, NULL, encrypt) == 1;
	if (ok && mode == EVP_CIPH_GCM_MODE)
		ok = EVP_CIPHER_CTX_ctrl(state, EVP_CTRL_AEAD_SET_IVLEN, iv_size, NULL) == 1;
	ok = ok && EVP_CIPHER_CTX_set_key_length(state, key_size) == 1 && EVP_CipherInit_ex(state, NULL, NULL, key, iv, encrypt) == 1;
	if (!ok) {
		EVP_CIPHER_CTX_free(state);
		state = NULL;
	}
	return wrap(ctx, cipher_class, state);
}

// cipherUpdate(state, bytes, aad)
FUNCTION(cipher_update)
{
	size_t size;
	EVP_CIPHER_CTX *state = JS_GetOpaque2(ctx, argv[0], cipher_class);
	uint8_t *at = state ? engine_bytes(ctx, argv[1], &size) : NULL;
	if (!at)
		return JS_EXCEPTION;
	int length = 0, aad = JS_ToBool(ctx, argv[2]);
	uint8_t *out = aad ? NULL : malloc(size + 64);
	JSValue result = JS_UNDEFINED;
	if ((aad || out) && EVP_CipherUpdate(state, out, &length, at, size) == 1)
		result = JS_NewUint8ArrayCopy(ctx, out ? out : (uint8_t *)"", aad ? 0 : length);
	free(out);
	return result;
}

FUNCTION(cipher_final)
{
	EVP_CIPHER_CTX *state = JS_GetOpaque2(ctx, argv[0], cipher_class);
	uint8_t out[64];
	int length = 0;
	if (!state)
		return JS_EXCEPTION;
	ERR_clear_error();
	return EVP_CipherFinal_ex(state, out, &length) == 1 ? JS_NewUint8ArrayCopy(ctx, out, length) : JS_UNDEFINED;
}

// cipherTag(state, tag or length): sets or gets an authentication tag.
FUNCTION(cipher_tag)
{
	EVP_CIPHER_CTX *state = JS_GetOpaque2(ctx, argv[0], cipher_class);
	if (!state)
		return JS_EXCEPTION;
	if (JS_IsObject(argv[1])) {
		size_t size;
		uint8_t *at = engine_bytes(ctx, argv[1], &size);
		return at ? JS_NewBool(ctx, EVP_CIPHER_CTX_ctrl(state, EVP_CTRL_AEAD_SET_TAG, size, at) == 1) : JS_EXCEPTION;
	}
	uint8_t tag[16];
	int size = NUMBER(1) > 16 ? 16 : NUMBER(1);
	return EVP_CIPHER_CTX_ctrl(state, EVP_CTRL_AEAD_GET_TAG, size, tag) == 1 ? JS_NewUint8ArrayCopy(ctx, tag, size) : JS_UNDEFINED;
}

FUNCTION(cipher_padding)
{
	EVP_CIPHER_CTX *state = JS_GetOpaque2(ctx, argv[0], cipher_class);
	return state ? JS_NewBool(ctx, EVP_CIPHER_CTX_set_padding(state, JS_ToBool(ctx, argv[1])) == 1) : JS_EXCEPTION;
}

FUNCTION(timing_safe_equal)
{
	size_t a_size, b_size;
	uint8_t *a = engine_bytes(ctx, argv[0], &a_size), *b = a ? engine_bytes(ctx, argv[1], &b_size) : NULL;
	if (!b)
		return JS_EXCEPTION;
	return JS_NewBool(ctx, a_size == b_size && CRYPTO_memcmp(a, b, a_size) == 0);
}

// Numbers that nobody can know come from the host each time: a generator's state would be the same in all copies of this
// process.
static int random_bytes(unsigned char *out, int size)
{
	while (size > 0) {
		int part = size > 256 ? 256 : size;
		if (getentropy(out, part) != 0)
			return 0;
		out += part;
		size -= part;
	}
	return 1;
}

static int random_ready(void) { return 1; }
static const RAND_METHOD host_random = {.bytes = random_bytes, .pseudorand = random_bytes, .status = random_ready};

static const struct js_entry functions[] = {
	{"newHash", new_hash, 2}, {"hashCopy", hash_copy, 1}, {"hashUpdate", hash_update, 2}, {"hashFinal", hash_final, 2},
	{"hashSize", hash_size, 1}, {"hashBlock", hash_block, 1}, {"pbkdf2", pbkdf2, 5}, {"scrypt", scrypt, 7},
	{"cipherInfo", cipher_info, 1}, {"newCipher", new_cipher, 4}, {"cipherUpdate", cipher_update, 3},
	{"cipherFinal", cipher_final, 1}, {"cipherTag", cipher_tag, 2}, {"cipherPadding", cipher_padding, 2},
	{"timingSafeEqual", timing_safe_equal, 2},
};

void crypto_install(JSContext *ctx, JSValueConst object)
{
	JSRuntime *rt = JS_GetRuntime(ctx);
	JS_NewClassID(rt, &hash_class);
	JS_NewClass(rt, hash_class, &hash_def);
	JS_NewClassID(rt, &cipher_class);
	JS_NewClass(rt, cipher_class, &cipher_def);
	RAND_set_rand_method(&host_random);
	engine_add(ctx, object, functions, COUNT(functions));
}
