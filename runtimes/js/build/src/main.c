// Node's library on QuickJS as a reactor: a module that a host starts once, keeps as a memory image, and starts again
// from there.
//
//	_initialize     constructors; the host calls it before anything else in a fresh instance
//	belljar_warm    start the library and load what programs load, leave the memory fit to be kept
//	belljar_main    run one program to its end, in a fresh instance or in a copy of a warm one
//	belljar_cell    run one cell of a session, in an instance that stays alive between them (session.c)
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "engine.h"
#include "main.h"

#ifdef __wasm__
#include <wasi/api.h>
#include <wasi/libc-environ.h>
void __belljar_begin(void);
#define EXPORT(name) __attribute__((export_name(name)))
#else
#define EXPORT(name)
#endif

// As deep as a program may recurse, in bytes of C's stack, which is larger (build.sh). A call of the interpreter counts
// for more (BJ_CALL_COST): the compiled module's own stack, which ends the program when it is full (at no less than 50
// MB), takes some 20 KB for it, and no more than 25 times of what others have on C's stack.
#define STACK_MAX (2u << 20)

// How much a program makes before garbage is first looked for.
#define GC_THRESHOLD (8u << 20)

// What an ordinary program allocates is there from the beginning, as untouched zero pages.
#define HEAP_RESERVE (8u << 20)

static JSRuntime *rt;
JSContext *main_context;
JSValue main_native = JS_UNDEFINED;
static int warm;

void main_report(JSContext *ctx)
{
	JSValue error = JS_GetException(ctx);
	const char *text = JS_ToCString(ctx, error);
	JSValue stack = JS_IsObject(error) ? JS_GetPropertyStr(ctx, error, "stack") : JS_UNDEFINED;
	const char *lines = JS_IsString(stack) ? JS_ToCString(ctx, stack) : NULL;
	fprintf(stderr, "belljar: %s\n%s\n", text ? text : "exception", lines ? lines : "");
	JS_FreeCString(ctx, lines);
	JS_FreeCString(ctx, text);
	JS_FreeValue(ctx, stack);
	JS_FreeValue(ctx, error);
}

// ---- the library's sources

#ifdef __wasm__
static const char blob[] = {
#embed "library.bin"
};
#else
static char *blob; // read from a file where it is developed
#endif

// find_source looks an entry up in the blob: lines of "name length", an empty line, and the texts in that order.
static const char *find_source(const char *name, size_t *size)
{
	const char *body = strstr(blob, "\n\n") + 2, *line = blob;
	size_t name_len = strlen(name);
	while (line < body - 1) {
		const char *space = strchr(line, ' ');
		size_t len = strtoul(space + 1, NULL, 10);
		if ((size_t)(space - line) == name_len && memcmp(line, name, name_len) == 0) {
			*size = len;
			return body;
		}
		body += len;
		line = strchr(space, '\n') + 1;
		if (*line == '\n')
			break;
	}
	return NULL;
}

static JSValue source(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv)
{
	size_t size;
	const char *name = JS_ToCString(ctx, argv[0]), *text = name ? find_source(name, &size) : NULL;
	JS_FreeCString(ctx, name);
	return text ? JS_NewStringLen(ctx, text, size) : JS_UNDEFINED;
}

static JSValue source_names(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv)
{
	JSValue list = JS_NewArray(ctx);
	uint32_t at = 0;
	for (const char *line = blob; *line != '\n'; line = strchr(line, '\n') + 1)
		JS_DefinePropertyValueUint32(ctx, list, at++, JS_NewStringLen(ctx, line, strchr(line, ' ') - line), JS_PROP_C_W_E);
	return list;
}

static JSValue arguments(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv)
{
	int count;
	char **args;
	JSValue list = JS_NewArray(ctx);
	if (main_arguments(&count, &args) < 0)
		return list;
	for (int i = 0; i < count; i++)
		JS_DefinePropertyValueUint32(ctx, list, i, JS_NewString(ctx, args[i]), JS_PROP_C_W_E);
	return list;
}

static const struct js_entry functions[] = {
	{"source", source, 1}, {"sourceNames", source_names, 0}, {"arguments", arguments, 0},
};

static int interrupt(JSRuntime *runtime, void *opaque) { return session_interrupted(); }

int main_start(void)
{
	rt = JS_NewRuntime();
	main_context = rt ? JS_NewContext(rt) : NULL;
	if (main_context == NULL)
		return -1;
	JSContext *ctx = main_context;
	JS_SetCanBlock(rt, true);
	JS_SetMaxStackSize(rt, STACK_MAX);
	JS_SetGCThreshold(rt, SIZE_MAX);
	JS_SetInterruptHandler(rt, interrupt, NULL);
	main_native = JS_NewObject(ctx);
	engine_install(ctx, main_native);
	buffer_install(ctx, main_native);
	system_install(ctx, main_native);
	socket_install(ctx, main_native);
	zlib_install(ctx, main_native);
	url_install(ctx, main_native);
	http_install(ctx, main_native);
	crypto_install(ctx, main_native);
	keys_install(ctx, main_native);
	generate_install(ctx, main_native);
	signatures_install(ctx, main_native);
	certificates_install(ctx, main_native);
	tls_install(ctx, main_native);
	session_install(ctx, main_native);
	engine_add(ctx, main_native, functions, COUNT(functions));
	size_t size;
	const char *text = find_source("belljar/loader", &size);
	JSValue string = JS_NewStringLen(ctx, text, size), name = JS_NewString(ctx, "node:belljar/loader"),
		params = JS_NewString(ctx, "native"), compile = JS_GetPropertyStr(ctx, main_native, "compileFunction");
	JSValueConst args[] = {string, name, params};
	JSValue loader = JS_Call(ctx, compile, JS_UNDEFINED, 3, args);
	JSValue result = JS_IsException(loader) ? loader : JS_Call(ctx, loader, JS_UNDEFINED, 1, (JSValueConst *)&main_native);
	if (JS_IsException(result)) {
		main_report(ctx);
		return -1;
	}
	JS_FreeValue(ctx, result);
	JS_FreeValue(ctx, loader);
	JS_FreeValue(ctx, string);
	JS_FreeValue(ctx, name);
	JS_FreeValue(ctx, params);
	JS_FreeValue(ctx, compile);
	JS_SetGCThreshold(rt, GC_THRESHOLD);
	return 0;
}

int main_call(const char *name)
{
	JSContext *ctx = main_context;
	JS_UpdateStackTop(rt);
	JSValue function = JS_GetPropertyStr(ctx, main_native, name);
	JSValue result = JS_Call(ctx, function, JS_UNDEFINED, 0, NULL);
	JS_FreeValue(ctx, function);
	if (JS_IsException(result)) {
		main_report(ctx);
		return 7;
	}
	int32_t status = 0;
	JS_ToInt32(ctx, &status, result);
	JS_FreeValue(ctx, result);
	return status & 255;
}

// Gaps are filled from this size down.
#define FIRST_FILLER (1u << 20)

// reserve makes libc own room free bytes, and takes everything that is free below: copies of the image share its pages
// until they write to them, so what they allocate is to lie side by side. It returns where the free bytes begin, or NULL.
static char *reserve(size_t room)
{
#ifdef __wasm__
	char *volatile block = malloc(room);
	free(block);
	char *top = malloc(room);
	free(top);
	for (size_t size = FIRST_FILLER; top && size > 0;) {
		char *volatile filler = malloc(size);
		if (filler != NULL && filler < top)
			continue;
		free(filler);
		size = size > 4096 ? size / 2 : size - 8;
	}
	return top;
#else
	return NULL;
#endif
}

EXPORT("belljar_warm") int belljar_warm(void)
{
	if (main_start() < 0)
		return 1;
	int status = main_call("rehearse");
	if (status != 0)
		return status;
	JS_RunGC(rt);
	if (engine_freeze(rt) < 0)
		return 1;
	JS_SetGCThreshold(rt, engine_heap(main_context) + GC_THRESHOLD);
	engine_keep(reserve(HEAP_RESERVE));
#ifdef __wasm__
	__wasilibc_deinitialize_environ();
#endif
	fflush(NULL);
	warm = 1;
	return 0;
}

// main_wake makes the process what it is now: a copy of a warm one, or a fresh one.
int main_wake(void)
{
#ifdef __wasm__
	if (warm) {
		__belljar_begin();
		__wasilibc_ensure_environ();
	}
#endif
	return warm ? 0 : main_start();
}

EXPORT("belljar_main") int belljar_main(void)
{
	int status = main_wake() < 0 ? 7 : main_call("main");
	fflush(NULL);
	return status;
}

EXPORT("belljar_cell") int belljar_cell(void)
{
	static int begun;
	if (!begun && (main_wake() < 0 || main_call("beginSession") != 0))
		return 1;
	begun = 1;
	JS_UpdateStackTop(rt);
	return session_cell();
}

#ifdef __wasm__
int main_arguments(int *argc, char ***argv)
{
	size_t count, size;
	if (__wasi_args_sizes_get(&count, &size) != 0 || count >= SIZE_MAX / sizeof(char *))
		return -1;
	char *strings = malloc(size + 1);
	char **vector = calloc(count + 1, sizeof *vector);
	if (strings == NULL || vector == NULL || __wasi_args_get((uint8_t **)vector, (uint8_t *)strings) != 0)
		return -1;
	*argc = (int)count;
	*argv = vector;
	return 0;
}
#else
static int native_argc;
static char **native_argv;
int main_arguments(int *argc, char ***argv)
{
	*argc = native_argc;
	*argv = native_argv;
	return 0;
}
// On the machine that develops it.
int main(int argc, char **argv)
{
	FILE *f = fopen(getenv("LIBRARY"), "rb");
	blob = malloc(64 << 20);
	blob[fread(blob, 1, (64 << 20) - 1, f)] = 0;
	native_argc = argc;
	native_argv = argv;
	if (getenv("WARM") && belljar_warm() != 0)
		return 9;
	return belljar_main();
}
#endif
