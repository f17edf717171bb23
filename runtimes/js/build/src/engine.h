// QuickJS-NG as the rest of this folder sees it.
#ifndef BELLJAR_JS_ENGINE_H
#define BELLJAR_JS_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "quickjs.h"

#define COUNT(a) (sizeof(a) / sizeof *(a))

typedef JSValue js_function(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv);

struct js_entry {
	const char *name;
	js_function *call;
	int length;
};

// engine_add defines functions on an object.
void engine_add(JSContext *ctx, JSValueConst object, const struct js_entry *entries, size_t count);

// engine_install defines what only QuickJS's own internals can answer: see engine.c.
void engine_install(JSContext *ctx, JSValueConst object);

// engine_bytes gives the bytes of a typed array, DataView or ArrayBuffer, or NULL with an exception.
uint8_t *engine_bytes(JSContext *ctx, JSValueConst value, size_t *size);

// engine_heap gives the bytes in use.
size_t engine_heap(JSContext *ctx);

// engine_freeze makes everything immortal that is alive: from now on it is neither counted nor collected. It returns -1
// when memory is short. engine_keep says where its memory ends, which is never given back.
int engine_freeze(JSRuntime *rt);
void engine_keep(void *end);

// engine_string makes a string of WTF-8 or of one-byte characters.
JSValue engine_latin1(JSContext *ctx, const uint8_t *bytes, size_t size);
JSValue engine_ucs2(JSContext *ctx, const uint8_t *bytes, size_t units);
JSValue engine_utf8(JSContext *ctx, const uint8_t *bytes, size_t size);

// engine_chars gives a string's own characters, 8 bits wide if *wide is false: NULL with an error where there is no memory.
const void *engine_chars(JSContext *ctx, JSValueConst string, size_t *length, bool *wide);

// What each file has for the library's bindings.
void buffer_install(JSContext *ctx, JSValueConst object);
void system_install(JSContext *ctx, JSValueConst object);
void socket_install(JSContext *ctx, JSValueConst object);
void crypto_install(JSContext *ctx, JSValueConst object);
void keys_install(JSContext *ctx, JSValueConst object);
void generate_install(JSContext *ctx, JSValueConst object);
void signatures_install(JSContext *ctx, JSValueConst object);
void certificates_install(JSContext *ctx, JSValueConst object);
void tls_install(JSContext *ctx, JSValueConst object);
void zlib_install(JSContext *ctx, JSValueConst object);
void http_install(JSContext *ctx, JSValueConst object);
void url_install(JSContext *ctx, JSValueConst object);

#endif
