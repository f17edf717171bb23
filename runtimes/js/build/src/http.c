// node's HTTP parser: llhttp, which calls back into JavaScript.
#include <llhttp.h>
#include <stdlib.h>
#include <string.h>

#include "system.h"

// What JavaScript is told of, by number: its arguments are strings and numbers.
enum event { ON_BEGIN, ON_URL, ON_STATUS, ON_FIELD, ON_VALUE, ON_HEADERS, ON_BODY, ON_COMPLETE };

struct parser {
	llhttp_t http;
	llhttp_settings_t settings;
	JSContext *ctx;
	JSValue call; // function (event, bytes or undefined) → number
	int failed;   // an exception is set
};

static JSClassID parser_class;

static void finalizer(JSRuntime *rt, JSValueConst value)
{
	struct parser *p = JS_GetOpaque(value, parser_class);
	if (p) {
		JS_FreeValueRT(rt, p->call);
		free(p);
	}
}

static void mark(JSRuntime *rt, JSValueConst value, JS_MarkFunc *f)
{
	struct parser *p = JS_GetOpaque(value, parser_class);
	if (p)
		JS_MarkValue(rt, p->call, f);
}

static const JSClassDef def = {"HTTPParserState", .finalizer = finalizer, .gc_mark = mark};

static int tell(llhttp_t *http, enum event event, const char *at, size_t size)
{
	struct parser *p = http->data;
	JSContext *ctx = p->ctx;
	JSValue data = at == NULL ? JS_UNDEFINED : event == ON_BODY ? JS_NewUint8ArrayCopy(ctx, (const uint8_t *)at, size)
							      : engine_latin1(ctx, (const uint8_t *)at, size);
	JSValueConst args[] = {JS_NewInt32(ctx, event), data};
	JSValue result = JS_Call(ctx, p->call, JS_UNDEFINED, 2, args);
	JS_FreeValue(ctx, data);
	int32_t number = 0;
	if (JS_IsException(result)) {
		p->failed = 1;
		return -1;
	}
	JS_ToInt32(ctx, &number, result);
	JS_FreeValue(ctx, result);
	return number;
}

static int on_begin(llhttp_t *h) { return tell(h, ON_BEGIN, NULL, 0); }
static int on_headers(llhttp_t *h) { return tell(h, ON_HEADERS, NULL, 0); }
static int on_complete(llhttp_t *h) { return tell(h, ON_COMPLETE, NULL, 0); }
static int on_url(llhttp_t *h, const char *at, size_t n) { return tell(h, ON_URL, at, n); }
static int on_status(llhttp_t *h, const char *at, size_t n) { return tell(h, ON_STATUS, at, n); }
static int on_field(llhttp_t *h, const char *at, size_t n) { return tell(h, ON_FIELD, at, n); }
static int on_value(llhttp_t *h, const char *at, size_t n) { return tell(h, ON_VALUE, at, n); }
static int on_body(llhttp_t *h, const char *at, size_t n) { return tell(h, ON_BODY, at, n); }

// httpOpen(type, lenient, function): type 1 requests, 2 responses.
static JSValue http_open(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv)
{
	struct parser *p = calloc(1, sizeof *p);
	JSValue object = p ? JS_NewObjectClass(ctx, parser_class) : JS_ThrowOutOfMemory(ctx);
	if (JS_IsException(object))
		return object;
	JS_SetOpaque(object, p);
	p->ctx = ctx;
	p->call = JS_DupValue(ctx, argv[2]);
	llhttp_settings_init(&p->settings);
	p->settings.on_message_begin = on_begin;
	p->settings.on_url = on_url;
	p->settings.on_status = on_status;
	p->settings.on_header_field = on_field;
	p->settings.on_header_value = on_value;
	p->settings.on_headers_complete = on_headers;
	p->settings.on_body = on_body;
	p->settings.on_message_complete = on_complete;
	llhttp_init(&p->http, system_number(ctx, argc, argv, 0, 0) == 1 ? HTTP_REQUEST : HTTP_RESPONSE, &p->settings);
	p->http.data = p;
	if (JS_ToBool(ctx, argv[1])) {
		llhttp_set_lenient_headers(&p->http, 1);
		llhttp_set_lenient_chunked_length(&p->http, 1);
		llhttp_set_lenient_keep_alive(&p->http, 1);
	}
	return object;
}

// httpExecute(parser, bytes or undefined at the end, offset, length): the bytes parsed, or [name, reason, parsed].
static JSValue http_execute(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv)
{
	struct parser *p = JS_GetOpaque2(ctx, argv[0], parser_class);
	if (!p)
		return JS_EXCEPTION;
	size_t size = 0, length = 0;
	const uint8_t *at = NULL;
	llhttp_errno_t err;
	if (JS_IsUndefined(argv[1])) {
		err = llhttp_finish(&p->http);
	} else {
		if ((at = engine_bytes(ctx, argv[1], &size)) == NULL)
			return JS_EXCEPTION;
		size_t offset = system_number(ctx, argc, argv, 2, 0);
		length = system_number(ctx, argc, argv, 3, size);
		if (offset > size || length > size - offset)
			return JS_ThrowRangeError(ctx, "range is outside of the buffer");
		at += offset;
		err = llhttp_execute(&p->http, (const char *)at, length);
	}
	if (p->failed) {
		p->failed = 0;
		return JS_EXCEPTION;
	}
	size_t parsed = length;
	if (err != HPE_OK && at) {
		const char *pos = llhttp_get_error_pos(&p->http);
		parsed = pos ? (size_t)(pos - (const char *)at) : 0;
	}
	if (err == HPE_PAUSED_UPGRADE) {
		err = HPE_OK;
		llhttp_resume_after_upgrade(&p->http);
	}
	if (err == HPE_OK || err == HPE_PAUSED)
		return JS_NewInt64(ctx, parsed);
	JSValue list = JS_NewArray(ctx);
	const char *reason = llhttp_get_error_reason(&p->http);
	JS_DefinePropertyValueUint32(ctx, list, 0, JS_NewString(ctx, llhttp_errno_name(err)), JS_PROP_C_W_E);
	JS_DefinePropertyValueUint32(ctx, list, 1, JS_NewString(ctx, reason ? reason : ""), JS_PROP_C_W_E);
	JS_DefinePropertyValueUint32(ctx, list, 2, JS_NewInt64(ctx, parsed), JS_PROP_C_W_E);
	return list;
}

// httpState(parser): major, minor, method, status, upgrade, keep-alive.
static JSValue http_state(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv)
{
	struct parser *p = JS_GetOpaque2(ctx, argv[0], parser_class);
	if (!p)
		return JS_EXCEPTION;
	int fields[] = {p->http.http_major, p->http.http_minor, p->http.method, p->http.status_code, p->http.upgrade,
		llhttp_should_keep_alive(&p->http)};
	JSValue list = JS_NewArray(ctx);
	for (size_t i = 0; i < COUNT(fields); i++)
		JS_DefinePropertyValueUint32(ctx, list, i, JS_NewInt32(ctx, fields[i]), JS_PROP_C_W_E);
	return list;
}

static JSValue http_methods(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv)
{
	JSValue list = JS_NewArray(ctx);
#define XX(number, name, text) JS_DefinePropertyValueUint32(ctx, list, number, JS_NewString(ctx, #text), JS_PROP_C_W_E);
	HTTP_METHOD_MAP(XX)
#undef XX
	return list;
}

static const struct js_entry functions[] = {
	{"httpOpen", http_open, 3}, {"httpExecute", http_execute, 4}, {"httpState", http_state, 1},
	{"httpMethods", http_methods, 0},
};

void http_install(JSContext *ctx, JSValueConst object)
{
	JS_NewClassID(JS_GetRuntime(ctx), &parser_class);
	JS_NewClass(JS_GetRuntime(ctx), parser_class, &def);
	engine_add(ctx, object, functions, COUNT(functions));
}
