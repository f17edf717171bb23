// What url.cc does, for JavaScript.
#include "url.h"

#include <stdlib.h>

#include "system.h"

struct text {
	const char *at;
	size_t size;
};

static struct text text_of(JSContext *ctx, JSValueConst value)
{
	struct text t = {NULL, 0};
	if (!JS_IsUndefined(value))
		t.at = JS_ToCStringLen(ctx, &t.size, value);
	return t;
}

static JSValue give(JSContext *ctx, char *text, size_t size)
{
	if (!text)
		return JS_UNDEFINED;
	JSValue value = JS_NewStringLen(ctx, text, size);
	free(text);
	return value;
}

static uint32_t *parts_of(JSContext *ctx, JSValueConst value)
{
	size_t size;
	uint8_t *at = engine_bytes(ctx, value, &size);
	return at && size >= 36 ? (uint32_t *)at : NULL;
}

// urlParse(input, base, parts)
static JSValue parse(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv)
{
	struct text input = text_of(ctx, argv[0]), base = text_of(ctx, argv[1]);
	uint32_t *parts = parts_of(ctx, argv[2]);
	size_t size = 0;
	JSValue result = parts && input.at ? give(ctx, url_parse(input.at, input.size, base.at, base.size, parts, &size), size)
					   : JS_EXCEPTION;
	JS_FreeCString(ctx, input.at);
	JS_FreeCString(ctx, base.at);
	return result;
}

// urlUpdate(href, action, value, parts)
static JSValue update(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv)
{
	struct text href = text_of(ctx, argv[0]), value = text_of(ctx, argv[2]);
	uint32_t *parts = parts_of(ctx, argv[3]);
	size_t size = 0;
	JSValue result = parts && href.at && value.at ? give(ctx, url_update(href.at, href.size,
		system_number(ctx, argc, argv, 1, -1), value.at, value.size, parts, &size), size) : JS_EXCEPTION;
	JS_FreeCString(ctx, href.at);
	JS_FreeCString(ctx, value.at);
	return result;
}

// urlFormat(href, hash, unicode, search, auth)
static JSValue format(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv)
{
	struct text href = text_of(ctx, argv[0]);
	size_t size = 0;
	JSValue result = href.at ? give(ctx, url_format(href.at, href.size, JS_ToBool(ctx, argv[1]), JS_ToBool(ctx, argv[2]),
		JS_ToBool(ctx, argv[3]), JS_ToBool(ctx, argv[4]), &size), size) : JS_EXCEPTION;
	JS_FreeCString(ctx, href.at);
	return result;
}

static JSValue domain(JSContext *ctx, JSValueConst value, int unicode)
{
	struct text name = text_of(ctx, value);
	size_t size = 0;
	JSValue result = name.at ? give(ctx, url_domain(name.at, name.size, unicode, &size), size) : JS_EXCEPTION;
	JS_FreeCString(ctx, name.at);
	return result;
}

static JSValue to_ascii(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) { return domain(ctx, argv[0], 0); }
static JSValue to_unicode(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) { return domain(ctx, argv[0], 1); }

static const struct js_entry functions[] = {
	{"urlParse", parse, 3}, {"urlUpdate", update, 4}, {"urlFormat", format, 5}, {"domainToASCII", to_ascii, 1},
	{"domainToUnicode", to_unicode, 1},
};

void url_install(JSContext *ctx, JSValueConst object) { engine_add(ctx, object, functions, COUNT(functions)); }
