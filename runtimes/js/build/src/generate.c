// Keys that are made anew, or put together from their numbers, and numbers themselves: primes and powers.
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/dh.h>
#include <openssl/dsa.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/rsa.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "keys.h"
#include "system.h"

#define NUMBER(at) system_number(ctx, argc, argv, at, 0)
#define FUNCTION(name) static JSValue name(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv)

static int nid_of(JSContext *ctx, JSValueConst curve)
{
	const char *name = JS_ToCString(ctx, curve);
	int nid = name ? EC_curve_nist2nid(name) : NID_undef;
	if (name && nid == NID_undef)
		nid = OBJ_sn2nid(name);
	JS_FreeCString(ctx, name);
	return nid;
}

// finish makes the key that a context is ready for, and frees the context.
static EVP_PKEY *finish(EVP_PKEY_CTX *c, int ready)
{
	EVP_PKEY *key = NULL;
	if (ready && EVP_PKEY_keygen(c, &key) <= 0)
		key = NULL;
	EVP_PKEY_CTX_free(c);
	return key;
}

// finish_with makes a key of parameters, which it frees.
static EVP_PKEY *finish_with(EVP_PKEY *parameters)
{
	EVP_PKEY_CTX *c = parameters ? EVP_PKEY_CTX_new(parameters, NULL) : NULL;
	EVP_PKEY *key = c ? finish(c, EVP_PKEY_keygen_init(c) > 0) : NULL;
	EVP_PKEY_free(parameters);
	return key;
}

// generateRSA(bits, exponent, whether for PSS, its hash, its mask's hash, the length of its salt or less than 0)
FUNCTION(generate_rsa)
{
	int pss = JS_ToBool(ctx, argv[2]), salt = (int)NUMBER(5);
	const EVP_MD *md = key_digest(ctx, argv[3]), *mask = key_digest(ctx, argv[4]);
	ERR_clear_error();
	EVP_PKEY_CTX *c = EVP_PKEY_CTX_new_id(pss ? EVP_PKEY_RSA_PSS : EVP_PKEY_RSA, NULL);
	int ready = c && EVP_PKEY_keygen_init(c) > 0 && EVP_PKEY_CTX_set_rsa_keygen_bits(c, (int)NUMBER(0)) > 0;
	BIGNUM *e = BN_new();
	ready = ready && e && BN_set_word(e, (BN_ULONG)NUMBER(1)) && EVP_PKEY_CTX_set1_rsa_keygen_pubexp(c, e) > 0;
	BN_free(e);
	if (!mask)
		mask = md; // OpenSSL 3 would take SHA-1
	if (salt < 0 && md)
		salt = EVP_MD_get_size(md);
	if (pss)
		ready = ready && (!md || EVP_PKEY_CTX_set_rsa_pss_keygen_md(c, md) > 0) && (!mask || EVP_PKEY_CTX_set_rsa_pss_keygen_mgf1_md(c, mask) > 0) &&
			(salt < 0 || EVP_PKEY_CTX_set_rsa_pss_keygen_saltlen(c, salt) > 0);
	return key_object(ctx, finish(c, ready));
}

// generateDSA(bits, the divisor's or less than 0)
FUNCTION(generate_dsa)
{
	ERR_clear_error();
	EVP_PKEY *parameters = NULL;
	EVP_PKEY_CTX *c = EVP_PKEY_CTX_new_id(EVP_PKEY_DSA, NULL);
	int divisor = (int)NUMBER(1);
	if (c && EVP_PKEY_paramgen_init(c) > 0 && EVP_PKEY_CTX_set_dsa_paramgen_bits(c, (int)NUMBER(0)) > 0 &&
		(divisor < 0 || EVP_PKEY_CTX_set_dsa_paramgen_q_bits(c, divisor) > 0) && EVP_PKEY_paramgen(c, &parameters) <= 0)
		parameters = NULL;
	EVP_PKEY_CTX_free(c);
	return key_object(ctx, finish_with(parameters));
}

// generateEC(curve, whether it is named where the key is written)
FUNCTION(generate_ec)
{
	ERR_clear_error();
	EVP_PKEY_CTX *c = EVP_PKEY_CTX_new_id(EVP_PKEY_EC, NULL);
	int ready = c && EVP_PKEY_keygen_init(c) > 0 && EVP_PKEY_CTX_set_ec_paramgen_curve_nid(c, nid_of(ctx, argv[0])) > 0 &&
		EVP_PKEY_CTX_set_ec_param_enc(c, JS_ToBool(ctx, argv[1]) ? OPENSSL_EC_NAMED_CURVE : OPENSSL_EC_EXPLICIT_CURVE) > 0;
	return key_object(ctx, finish(c, ready));
}

// generateRaw(number of a kind): keys of Ed25519, X25519 and their like.
FUNCTION(generate_raw)
{
	ERR_clear_error();
	EVP_PKEY_CTX *c = EVP_PKEY_CTX_new_id((int)NUMBER(0), NULL);
	return key_object(ctx, finish(c, c && EVP_PKEY_keygen_init(c) > 0));
}

// generateDH(prime or the number of its bits, generator)
FUNCTION(generate_dh)
{
	ERR_clear_error();
	EVP_PKEY *parameters = NULL;
	if (JS_IsObject(argv[0])) {
		BIGNUM *p = key_bignum(ctx, argv[0]), *g = BN_new();
		if (!p) {
			BN_free(g);
			return JS_EXCEPTION;
		}
		DH *dh = DH_new();
		if (!g || !BN_set_word(g, (BN_ULONG)NUMBER(1)) || !dh || !DH_set0_pqg(dh, p, NULL, g)) {
			BN_free(p);
			BN_free(g);
			DH_free(dh);
		} else if (!(parameters = EVP_PKEY_new()) || !EVP_PKEY_assign_DH(parameters, dh))
			DH_free(dh);
	} else {
		EVP_PKEY_CTX *c = EVP_PKEY_CTX_new_id(EVP_PKEY_DH, NULL);
		if (c && EVP_PKEY_paramgen_init(c) > 0 && EVP_PKEY_CTX_set_dh_paramgen_prime_len(c, (int)NUMBER(0)) > 0 &&
			EVP_PKEY_CTX_set_dh_paramgen_generator(c, (int)NUMBER(1)) > 0 && EVP_PKEY_paramgen(c, &parameters) <= 0)
			parameters = NULL;
		EVP_PKEY_CTX_free(c);
	}
	return key_object(ctx, finish_with(parameters));
}

// ---- put together

// rsaKey(n, e, and for a private one d, p, q, dp, dq, qi)
FUNCTION(rsa_key)
{
	ERR_clear_error();
	BIGNUM *n[8] = {NULL};
	int count = argc < 8 || JS_IsUndefined(argv[2]) ? 2 : 8, whole = 1;
	for (int i = 0; i < count; i++)
		if (!(n[i] = key_bignum(ctx, argv[i])))
			whole = 0;
	RSA *rsa = whole ? RSA_new() : NULL;
	if (rsa && RSA_set0_key(rsa, n[0], n[1], n[2])) {
		n[0] = n[1] = n[2] = NULL;
		if (count == 8 && RSA_set0_factors(rsa, n[3], n[4])) {
			n[3] = n[4] = NULL;
			if (RSA_set0_crt_params(rsa, n[5], n[6], n[7]))
				n[5] = n[6] = n[7] = NULL;
		}
	} else
		whole = 0;
	for (int i = 0; i < 8; i++) {
		whole = whole && !n[i];
		BN_clear_free(n[i]);
	}
	EVP_PKEY *key = whole ? EVP_PKEY_new() : NULL;
	if (key)
		EVP_PKEY_set1_RSA(key, rsa);
	RSA_free(rsa);
	if (JS_HasException(ctx))
		return JS_EXCEPTION;
	return key_object(ctx, key);
}

// ecKey(curve, x, y or undefined where x is a whole point, d or undefined)
FUNCTION(ec_key)
{
	EC_KEY *ec = EC_KEY_new_by_curve_name(nid_of(ctx, argv[0]));
	const EC_GROUP *group = ec ? EC_KEY_get0_group(ec) : NULL;
	int done = 0;
	if (group && JS_IsUndefined(argv[2])) {
		size_t size;
		uint8_t *bytes = engine_bytes(ctx, argv[1], &size);
		EC_POINT *point = bytes ? EC_POINT_new(group) : NULL;
		done = point && EC_POINT_oct2point(group, point, bytes, size, NULL) && EC_KEY_set_public_key(ec, point);
		EC_POINT_free(point);
	} else if (group) {
		BIGNUM *x = key_bignum(ctx, argv[1]), *y = x ? key_bignum(ctx, argv[2]) : NULL;
		done = y && EC_KEY_set_public_key_affine_coordinates(ec, x, y);
		BN_free(x);
		BN_free(y);
	}
	if (done && argc > 3 && !JS_IsUndefined(argv[3])) {
		BIGNUM *d = key_bignum(ctx, argv[3]);
		done = d && EC_KEY_set_private_key(ec, d);
		BN_clear_free(d);
	}
	EVP_PKEY *key = done ? EVP_PKEY_new() : NULL;
	if (key)
		EVP_PKEY_set1_EC_KEY(key, ec);
	EC_KEY_free(ec);
	ERR_clear_error();
	if (JS_HasException(ctx))
		return JS_EXCEPTION;
	return key_object(ctx, key);
}

// rawKey(number of a kind, bytes, whether private)
FUNCTION(raw_key)
{
	size_t size;
	uint8_t *bytes = engine_bytes(ctx, argv[1], &size);
	if (!bytes)
		return JS_EXCEPTION;
	ERR_clear_error();
	return key_object(ctx, JS_ToBool(ctx, argv[2]) ? EVP_PKEY_new_raw_private_key((int)NUMBER(0), NULL, bytes, size)
		: EVP_PKEY_new_raw_public_key((int)NUMBER(0), NULL, bytes, size));
}

// ---- curves' points, for ECDH

// ecCurves(): their names.
FUNCTION(ec_curves)
{
	size_t count = EC_get_builtin_curves(NULL, 0);
	EC_builtin_curve *curves = calloc(count, sizeof *curves);
	JSValue list = JS_NewArray(ctx);
	if (curves) {
		EC_get_builtin_curves(curves, count);
		for (size_t i = 0; i < count; i++)
			JS_DefinePropertyValueUint32(ctx, list, i, JS_NewString(ctx, OBJ_nid2sn(curves[i].nid)), JS_PROP_C_W_E);
	}
	free(curves);
	return list;
}

static JSValue point_bytes(JSContext *ctx, const EC_GROUP *group, const EC_POINT *point, int form)
{
	unsigned char *bytes = NULL;
	size_t size = EC_POINT_point2buf(group, point, (point_conversion_form_t)form, &bytes, NULL);
	JSValue result = size ? JS_NewUint8ArrayCopy(ctx, bytes, size) : JS_UNDEFINED;
	OPENSSL_free(bytes);
	return result;
}

// ecConvert(curve, point, form): undefined if it is no point of that curve.
FUNCTION(ec_convert)
{
	size_t size;
	uint8_t *bytes = engine_bytes(ctx, argv[1], &size);
	if (!bytes)
		return JS_EXCEPTION;
	EC_GROUP *group = EC_GROUP_new_by_curve_name(nid_of(ctx, argv[0]));
	EC_POINT *point = group ? EC_POINT_new(group) : NULL;
	JSValue result = JS_UNDEFINED;
	if (point && EC_POINT_oct2point(group, point, bytes, size, NULL))
		result = point_bytes(ctx, group, point, (int)NUMBER(2));
	EC_POINT_free(point);
	EC_GROUP_free(group);
	ERR_clear_error();
	return result;
}

// ecMultiply(curve, number, point or undefined): the number's public point, or the first coordinate of what it makes of a
// point; undefined for a number that the curve has not, or a point.
FUNCTION(ec_multiply)
{
	size_t size = 0;
	uint8_t *bytes = JS_IsUndefined(argv[2]) ? NULL : engine_bytes(ctx, argv[2], &size);
	BIGNUM *d = JS_IsUndefined(argv[2]) || bytes ? key_bignum(ctx, argv[1]) : NULL;
	if (!d)
		return JS_EXCEPTION;
	BN_set_flags(d, BN_FLG_CONSTTIME);
	EC_KEY *ec = EC_KEY_new_by_curve_name(nid_of(ctx, argv[0]));
	const EC_GROUP *group = ec ? EC_KEY_get0_group(ec) : NULL;
	EC_POINT *point = group ? EC_POINT_new(group) : NULL;
	JSValue result = JS_UNDEFINED;
	if (point && !BN_is_zero(d) && BN_cmp(d, EC_GROUP_get0_order(group)) < 0) {
		uint8_t secret[80];
		int length = (EC_GROUP_get_degree(group) + 7) / 8;
		if (!bytes && EC_POINT_mul(group, point, d, NULL, NULL, NULL))
			result = point_bytes(ctx, group, point, POINT_CONVERSION_UNCOMPRESSED);
		else if (bytes && EC_POINT_oct2point(group, point, bytes, size, NULL) && EC_KEY_set_private_key(ec, d) &&
			ECDH_compute_key(secret, length, point, ec, NULL) > 0)
			result = JS_NewUint8ArrayCopy(ctx, secret, length);
		OPENSSL_cleanse(secret, sizeof secret);
	}
	EC_POINT_free(point);
	EC_KEY_free(ec);
	BN_clear_free(d);
	ERR_clear_error();
	return result;
}

// ---- numbers, the highest byte first

// power(base, exponent, modulus): as long as the modulus.
FUNCTION(power)
{
	BIGNUM *b = key_bignum(ctx, argv[0]), *e = b ? key_bignum(ctx, argv[1]) : NULL, *m = e ? key_bignum(ctx, argv[2]) : NULL, *r = BN_new();
	BN_CTX *c = BN_CTX_new();
	JSValue result = m ? JS_UNDEFINED : JS_EXCEPTION;
	if (m && r && c) {
		BN_set_flags(e, BN_FLG_CONSTTIME);
		if (BN_mod_exp(r, b, e, m, c))
			result = key_number(ctx, r, BN_num_bytes(m));
	}
	BN_CTX_free(c);
	BN_free(b);
	BN_clear_free(e);
	BN_free(m);
	BN_clear_free(r);
	return result;
}

// prime(bits, whether a safe one, add or undefined, rem or undefined)
FUNCTION(prime)
{
	BIGNUM *a = JS_IsUndefined(argv[2]) ? NULL : key_bignum(ctx, argv[2]), *r = JS_IsUndefined(argv[3]) ? NULL : key_bignum(ctx, argv[3]);
	BIGNUM *p = BN_secure_new();
	int bits = (int)NUMBER(0);
	ERR_clear_error();
	JSValue result = p && BN_generate_prime_ex(p, bits, JS_ToBool(ctx, argv[1]), a, r, NULL) ? key_number(ctx, p, (bits + 7) / 8) : JS_UNDEFINED;
	BN_free(a);
	BN_free(r);
	BN_clear_free(p);
	return result;
}

// isPrime(number, checks)
FUNCTION(is_prime)
{
	BIGNUM *n = key_bignum(ctx, argv[0]);
	if (!n)
		return JS_EXCEPTION;
	BN_CTX *c = BN_CTX_new();
	int answer = BN_check_prime(n, c, NULL);
	BN_CTX_free(c);
	BN_free(n);
	return JS_NewBool(ctx, answer == 1);
}

// dhPrime(name): a group's prime.
FUNCTION(dh_prime)
{
	static const struct {
		const char *name;
		BIGNUM *(*get)(BIGNUM *);
	} groups[] = {{"modp1", BN_get_rfc2409_prime_768}, {"modp2", BN_get_rfc2409_prime_1024}, {"modp5", BN_get_rfc3526_prime_1536},
		{"modp14", BN_get_rfc3526_prime_2048}, {"modp15", BN_get_rfc3526_prime_3072}, {"modp16", BN_get_rfc3526_prime_4096},
		{"modp17", BN_get_rfc3526_prime_6144}, {"modp18", BN_get_rfc3526_prime_8192}};
	const char *name = JS_ToCString(ctx, argv[0]);
	JSValue result = JS_UNDEFINED;
	for (size_t i = 0; name && i < COUNT(groups); i++)
		if (strcasecmp(groups[i].name, name) == 0) {
			BIGNUM *p = groups[i].get(NULL);
			result = key_number(ctx, p, 0);
			BN_free(p);
		}
	JS_FreeCString(ctx, name);
	return result;
}

// dhCheck(prime, generator): what is wrong with them, as OpenSSL's DH_CHECK_… .
FUNCTION(dh_check)
{
	BIGNUM *p = key_bignum(ctx, argv[0]), *g = p ? key_bignum(ctx, argv[1]) : NULL;
	if (!g) {
		BN_free(p);
		return JS_EXCEPTION;
	}
	int codes = 0;
	DH *dh = DH_new();
	if (dh && DH_set0_pqg(dh, p, NULL, g))
		DH_check(dh, &codes);
	DH_free(dh);
	ERR_clear_error();
	return JS_NewInt32(ctx, codes);
}

static const struct js_entry functions[] = {
	{"generateRSA", generate_rsa, 6}, {"generateDSA", generate_dsa, 2}, {"generateEC", generate_ec, 2}, {"generateRaw", generate_raw, 1},
	{"generateDH", generate_dh, 2}, {"rsaKey", rsa_key, 8}, {"ecKey", ec_key, 4}, {"rawKey", raw_key, 3}, {"ecCurves", ec_curves, 0},
	{"ecConvert", ec_convert, 3}, {"ecMultiply", ec_multiply, 3}, {"power", power, 3}, {"prime", prime, 4}, {"isPrime", is_prime, 2},
	{"dhPrime", dh_prime, 1}, {"dhCheck", dh_check, 2},
};

void generate_install(JSContext *ctx, JSValueConst object) { engine_add(ctx, object, functions, COUNT(functions)); }
