// Asymmetric keys as objects of JavaScript's. What fails in the files that use them answers undefined, and cryptoErrors
// then has what OpenSSL says.
#ifndef BELLJAR_JS_KEYS_H
#define BELLJAR_JS_KEYS_H

#include <openssl/bn.h>
#include <openssl/evp.h>

#include "engine.h"

// key_of gives an object's key, which stays the object's, or NULL with an exception.
EVP_PKEY *key_of(JSContext *ctx, JSValueConst value);

// key_object makes an object of a key, which is the object's from now on. Of NULL it makes undefined.
JSValue key_object(JSContext *ctx, EVP_PKEY *key);

// key_digest finds a hash by a name of Node's; NULL if there is none, or the value is undefined.
const EVP_MD *key_digest(JSContext *ctx, JSValueConst name);

// key_bignum makes a number of bytes, the highest first; NULL with an exception if the value has none.
BIGNUM *key_bignum(JSContext *ctx, JSValueConst bytes);

// key_number gives a number's bytes, at least size of them.
JSValue key_number(JSContext *ctx, const BIGNUM *number, int size);

#endif
