// A living interpreter: cells run one after the other, as at Node's prompt. runtimes/python/build/session.h has the
// form in which the host says what to do ("cell") and hears what came of it ("part").
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "main.h"
#include "system.h"

int system_take_interrupt(void);
void __belljar_resume(void); // runtimes/posix/src/start.c
int system_interrupted(void);

static int in_cell;

int session_interrupted(void) { return in_cell && system_interrupted(); }

#ifdef __wasm__
__attribute__((import_module("belljar"), import_name("host_call")))
int32_t belljar_host_call(const char *name, size_t name_len, const void *request, size_t request_len, uint32_t *ret_len);
__attribute__((import_module("belljar"), import_name("host_take")))
int32_t belljar_host_take(void *buf, size_t len);
#else
static int32_t belljar_host_call(const char *n, size_t l, const void *r, size_t rl, uint32_t *ret) { return 52; }
static int32_t belljar_host_take(void *buf, size_t len) { return 52; }
#endif

// emit(kind, ...strings and bytes)
static JSValue emit(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv)
{
	double kind = system_number(ctx, argc, argv, 0, 0);
	size_t room = 8, used = 8;
	char *request = malloc(room);
	for (int i = 1; request && i < argc; i++) {
		size_t size;
		const char *text = JS_IsString(argv[i]) ? JS_ToCStringLen(ctx, &size, argv[i]) : NULL;
		const uint8_t *bytes = text ? (const uint8_t *)text : engine_bytes(ctx, argv[i], &size);
		if (!bytes) {
			free(request);
			return JS_EXCEPTION;
		}
		char *grown = realloc(request, room = used + 4 + size);
		if (grown) {
			uint32_t length = size;
			memcpy(grown + used, &length, 4);
			memcpy(grown + used + 4, bytes, size);
			used += 4 + size;
		} else
			free(request);
		request = grown;
		JS_FreeCString(ctx, text);
	}
	if (!request)
		return JS_ThrowOutOfMemory(ctx);
	uint32_t head[2] = {kind, argc - 1}, answer;
	memcpy(request, head, 8);
	belljar_host_call("part", 4, request, used, &answer);
	free(request);
	return JS_UNDEFINED;
}

// hostCall(name, bytes): the service's answer in a Uint8Array, or an error's number.
static JSValue host_call(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv)
{
	size_t name_len, size;
	const char *name = JS_ToCStringLen(ctx, &name_len, argv[0]);
	uint8_t *request = engine_bytes(ctx, argv[1], &size);
	if (!name || !request)
		return JS_EXCEPTION;
	uint32_t answer_len = 0;
	int32_t err = belljar_host_call(name, name_len, request, size, &answer_len);
	JS_FreeCString(ctx, name);
	if (err != 0)
		return JS_NewInt32(ctx, -err);
	uint8_t *answer = malloc((size_t)answer_len + 1);
	if (!answer || belljar_host_take(answer, answer_len) != 0) {
		free(answer);
		return JS_NewInt32(ctx, -12);
	}
	JSValue result = JS_NewUint8ArrayCopy(ctx, answer, answer_len);
	free(answer);
	return result;
}

static JSValue take_interrupt(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv)
{
	return JS_NewBool(ctx, system_take_interrupt());
}

static JSValue is_interrupted(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv)
{
	return JS_NewBool(ctx, system_interrupted());
}

static const struct js_entry functions[] = {
	{"emit", emit, 1}, {"hostCall", host_call, 2}, {"takeInterrupt", take_interrupt, 0}, {"interrupted", is_interrupted, 0},
};

void session_install(JSContext *ctx, JSValueConst object) { engine_add(ctx, object, functions, COUNT(functions)); }

int session_cell(void)
{
	uint32_t length;
	// What the host keeps for a process is not copied with its memory.
	__belljar_resume();
	// An interrupt that came too late for the cell before is not for this one. Those from here on are.
	system_take_interrupt();
	if (belljar_host_call("cell", 4, NULL, 0, &length) != 0 || length < 16)
		return 1;
	char *answer = malloc((size_t)length + 1);
	if (!answer || belljar_host_take(answer, length) != 0)
		return 1;
	answer[length] = 0;
	uint32_t head[4];
	memcpy(head, answer, 16);
	JSContext *ctx = main_context;
	in_cell = 1;
	JSValue args[] = {JS_NewInt64(ctx, head[0]), JS_NewInt64(ctx, head[1]), JS_NewInt64(ctx, head[2]),
		JS_NewInt64(ctx, head[3]), JS_NewStringLen(ctx, answer + 16, length - 16)};
	free(answer);
	JSValue cell = JS_GetPropertyStr(ctx, main_native, "cell");
	JSValue result = JS_Call(ctx, cell, JS_UNDEFINED, 5, (JSValueConst *)args);
	in_cell = 0;
	JS_FreeValue(ctx, cell);
	JS_FreeValue(ctx, args[4]);
	int32_t status = 1;
	if (JS_IsException(result) && system_interrupted()) {
		// No JavaScript has caught what the interrupt handler has thrown, so none has told of it.
		JS_FreeValue(ctx, JS_GetException(ctx));
		JSValue tell = JS_GetPropertyStr(ctx, main_native, "cellInterrupted");
		result = JS_Call(ctx, tell, JS_UNDEFINED, 0, NULL);
		JS_FreeValue(ctx, tell);
	}
	if (JS_IsException(result))
		main_report(ctx);
	else
		JS_ToInt32(ctx, &status, result);
	JS_FreeValue(ctx, result);
	return status & 255;
}
