// Strings to bytes and back, and what else of node:buffer goes over every byte.
#include <stdlib.h>
#include <string.h>

#include "engine.h"

enum encoding { ASCII, UTF8, UCS2, BINARY, LATIN1 = BINARY, BASE64, BASE64URL, HEX };

// ---- decoding

// decode_utf8 writes UTF-16 and returns the units written, or -1 at an error if fatal. out has room for size units.
static ptrdiff_t decode_utf8(const uint8_t *in, size_t size, uint16_t *out, bool fatal)
{
	size_t n = 0, i = 0;
	while (i < size) {
		uint8_t c = in[i];
		if (c < 0x80) {
			out[n++] = c;
			i++;
			continue;
		}
		int need = c >= 0xc2 && c <= 0xdf ? 1 : (c & 0xf0) == 0xe0 ? 2 : c >= 0xf0 && c <= 0xf4 ? 3 : 0;
		uint8_t low = c == 0xe0 ? 0xa0 : c == 0xf0 ? 0x90 : 0x80, high = c == 0xed ? 0x9f : c == 0xf4 ? 0x8f : 0xbf;
		uint32_t code = c & (0x3f >> need);
		int have = 0;
		i++;
		while (have < need && i < size && in[i] >= low && in[i] <= high) {
			code = code << 6 | (in[i++] & 0x3f);
			have++;
			low = 0x80, high = 0xbf;
		}
		if (need == 0 || have < need) {
			if (fatal)
				return -1;
			out[n++] = 0xfffd;
		} else if (code >= 0x10000) {
			out[n++] = 0xd7c0 + (code >> 10);
			out[n++] = 0xdc00 | (code & 0x3ff);
		} else {
			out[n++] = code;
		}
	}
	return n;
}

static JSValue utf8_string(JSContext *ctx, const uint8_t *in, size_t size, bool fatal)
{
	size_t i = 0;
	for (; i + 8 <= size; i += 8) {
		uint64_t word;
		memcpy(&word, in + i, 8);
		if (word & 0x8080808080808080ull)
			break;
	}
	while (i < size && in[i] < 0x80)
		i++;
	if (i == size)
		return engine_latin1(ctx, in, size);
	uint16_t *units = malloc(size * 2 + 2);
	if (!units)
		return JS_ThrowOutOfMemory(ctx);
	ptrdiff_t count = decode_utf8(in, size, units, fatal);
	JSValue result = count < 0 ? JS_NULL : engine_ucs2(ctx, (uint8_t *)units, count);
	free(units);
	return result;
}

static const char hex_digits[] = "0123456789abcdef";
static const char base64_chars[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char base64url_chars[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static size_t encode_base64(const uint8_t *in, size_t size, char *out, bool url)
{
	const char *chars = url ? base64url_chars : base64_chars;
	char *at = out;
	for (; size >= 3; size -= 3, in += 3) {
		*at++ = chars[in[0] >> 2];
		*at++ = chars[(in[0] & 3) << 4 | in[1] >> 4];
		*at++ = chars[(in[1] & 15) << 2 | in[2] >> 6];
		*at++ = chars[in[2] & 63];
	}
	if (size > 0) {
		*at++ = chars[in[0] >> 2];
		*at++ = chars[(in[0] & 3) << 4 | (size > 1 ? in[1] >> 4 : 0)];
		if (size > 1)
			*at++ = chars[(in[1] & 15) << 2];
		else if (!url)
			*at++ = '=';
		if (!url)
			*at++ = '=';
	}
	return at - out;
}

static JSValue to_string(JSContext *ctx, const uint8_t *in, size_t size, enum encoding encoding)
{
	char *text;
	JSValue result;
	switch (encoding) {
	case UTF8:
		return utf8_string(ctx, in, size, false);
	case LATIN1:
		return engine_latin1(ctx, in, size);
	case UCS2:
		return engine_ucs2(ctx, in, size / 2);
	case ASCII:
		if ((text = malloc(size + 1)) == NULL)
			return JS_ThrowOutOfMemory(ctx);
		for (size_t i = 0; i < size; i++)
			text[i] = in[i] & 0x7f;
		result = engine_latin1(ctx, (uint8_t *)text, size);
		free(text);
		return result;
	case HEX:
		if (size > (1 << 29) - 1 || (text = malloc(size * 2 + 1)) == NULL)
			return JS_ThrowOutOfMemory(ctx);
		for (size_t i = 0; i < size; i++) {
			text[2 * i] = hex_digits[in[i] >> 4];
			text[2 * i + 1] = hex_digits[in[i] & 15];
		}
		result = engine_latin1(ctx, (uint8_t *)text, size * 2);
		free(text);
		return result;
	case BASE64:
	case BASE64URL:
		if (size > (1 << 29) - 1 || (text = malloc((size + 2) / 3 * 4 + 1)) == NULL)
			return JS_ThrowOutOfMemory(ctx);
		result = engine_latin1(ctx, (uint8_t *)text, encode_base64(in, size, text, encoding == BASE64URL));
		free(text);
		return result;
	}
	return JS_UNDEFINED;
}

// range reads optional offsets into a buffer of size bytes.
static int range(JSContext *ctx, int argc, JSValueConst *argv, size_t size, size_t *start, size_t *end)
{
	double from = 0, to = size;
	if (argc > 0 && !JS_IsUndefined(argv[0]) && JS_ToFloat64(ctx, &from, argv[0]) < 0)
		return -1;
	if (argc > 1 && !JS_IsUndefined(argv[1]) && JS_ToFloat64(ctx, &to, argv[1]) < 0)
		return -1;
	from = from > 0 ? from : 0;
	to = to > 0 ? to : 0;
	*start = from > size ? size : (size_t)from;
	*end = to > size ? size : (size_t)to;
	if (*end < *start)
		*end = *start;
	return 0;
}

static JSValue slice(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv, int encoding)
{
	size_t size, start, end;
	uint8_t *at = engine_bytes(ctx, self, &size);
	if (!at || range(ctx, argc, argv, size, &start, &end) < 0)
		return JS_EXCEPTION;
	return to_string(ctx, at + start, end - start, encoding);
}

// ---- encoding

static inline uint32_t unit(const void *chars, bool wide, size_t i)
{
	return wide ? ((const uint16_t *)chars)[i] : ((const uint8_t *)chars)[i];
}

// encode_utf8 writes whole characters only. out may be NULL, for the length. *read gets the units used.
static size_t encode_utf8(const void *chars, bool wide, size_t length, uint8_t *out, size_t room, size_t *read)
{
	size_t n = 0, i = 0;
	while (i < length) {
		uint32_t c = unit(chars, wide, i);
		size_t used = 1;
		if (c >= 0xd800 && c <= 0xdfff) {
			uint32_t d = i + 1 < length ? unit(chars, wide, i + 1) : 0;
			if (c <= 0xdbff && d >= 0xdc00 && d <= 0xdfff) {
				c = 0x10000 + ((c & 0x3ff) << 10 | (d & 0x3ff));
				used = 2;
			} else {
				c = 0xfffd;
			}
		}
		size_t need = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
		if (out) {
			if (n + need > room)
				break;
			uint8_t *at = out + n;
			if (need == 1) {
				at[0] = c;
			} else if (need == 2) {
				at[0] = 0xc0 | c >> 6;
				at[1] = 0x80 | (c & 0x3f);
			} else if (need == 3) {
				at[0] = 0xe0 | c >> 12;
				at[1] = 0x80 | (c >> 6 & 0x3f);
				at[2] = 0x80 | (c & 0x3f);
			} else {
				at[0] = 0xf0 | c >> 18;
				at[1] = 0x80 | (c >> 12 & 0x3f);
				at[2] = 0x80 | (c >> 6 & 0x3f);
				at[3] = 0x80 | (c & 0x3f);
			}
		}
		n += need;
		i += used;
	}
	if (read)
		*read = i;
	return n;
}

static int base64_value(uint32_t c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' || c == '-' ? 62 : c == '/' || c == '_' ? 63 : -1;
}

static int hex_value(uint32_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? (int)c - 'a' + 10 : -1;
}

static size_t write_bytes(const void *chars, bool wide, size_t length, uint8_t *out, size_t room, enum encoding encoding)
{
	size_t n = 0;
	switch (encoding) {
	case UTF8:
		return encode_utf8(chars, wide, length, out, room, NULL);
	case ASCII:
	case LATIN1:
		n = length < room ? length : room;
		for (size_t i = 0; i < n; i++)
			out[i] = unit(chars, wide, i);
		return n;
	case UCS2:
		n = length < room / 2 ? length : room / 2;
		for (size_t i = 0; i < n; i++) {
			uint32_t c = unit(chars, wide, i);
			out[2 * i] = c;
			out[2 * i + 1] = c >> 8;
		}
		return n * 2;
	case HEX:
		for (size_t i = 0; i + 1 < length && n < room; i += 2) {
			int high = hex_value(unit(chars, wide, i)), low = hex_value(unit(chars, wide, i + 1));
			if (high < 0 || low < 0)
				break;
			out[n++] = high << 4 | low;
		}
		return n;
	case BASE64:
	case BASE64URL: {
		uint32_t bits = 0;
		int count = 0;
		for (size_t i = 0; i < length && n < room; i++) {
			uint32_t c = unit(chars, wide, i);
			if (c == '=')
				break;
			int value = base64_value(c);
			if (value < 0)
				continue;
			bits = bits << 6 | value;
			if ((count += 6) >= 8) {
				count -= 8;
				out[n++] = bits >> count;
			}
		}
		return n;
	}
	}
	return 0;
}

static JSValue write_string(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv, int encoding)
{
	size_t size, length;
	bool wide;
	uint8_t *at = engine_bytes(ctx, self, &size);
	if (!at)
		return JS_EXCEPTION;
	if (argc < 1 || !JS_IsString(argv[0]))
		return JS_ThrowTypeError(ctx, "argument must be a string");
	double offset = 0, max = size;
	if (argc > 1 && !JS_IsUndefined(argv[1]) && JS_ToFloat64(ctx, &offset, argv[1]) < 0)
		return JS_EXCEPTION;
	if (argc > 2 && !JS_IsUndefined(argv[2]) && JS_ToFloat64(ctx, &max, argv[2]) < 0)
		return JS_EXCEPTION;
	if (!(offset >= 0) || offset > size)
		return JS_ThrowRangeError(ctx, "\"offset\" is outside of buffer bounds");
	size_t room = size - (size_t)offset;
	if (max < room)
		room = max > 0 ? (size_t)max : 0;
	const void *chars = engine_chars(ctx, argv[0], &length, &wide);
	if (!chars)
		return JS_EXCEPTION;
	return JS_NewInt64(ctx, write_bytes(chars, wide, length, at + (size_t)offset, room, encoding));
}

#define PAIR(name, encoding)                                                                            \
	static JSValue name##_slice(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv)    \
	{                                                                                               \
		return slice(ctx, self, argc, argv, encoding);                                          \
	}                                                                                               \
	static JSValue name##_write(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv)    \
	{                                                                                               \
		return write_string(ctx, self, argc, argv, encoding);                                   \
	}
PAIR(ascii, ASCII)
PAIR(utf8, UTF8)
PAIR(ucs2, UCS2)
PAIR(latin1, LATIN1)
PAIR(base64, BASE64)
PAIR(base64url, BASE64URL)
PAIR(hex, HEX)

static JSValue byte_length_utf8(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv)
{
	size_t length;
	bool wide;
	const void *chars = engine_chars(ctx, argv[0], &length, &wide);
	if (!chars)
		return JS_EXCEPTION;
	return JS_NewInt64(ctx, encode_utf8(chars, wide, length, NULL, 0, NULL));
}

// encodeUtf8(string) → Uint8Array
static JSValue encode_utf8_string(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv)
{
	size_t length;
	bool wide;
	const void *chars = engine_chars(ctx, argv[0], &length, &wide);
	if (!chars)
		return JS_EXCEPTION;
	size_t size = encode_utf8(chars, wide, length, NULL, 0, NULL);
	uint8_t *bytes = malloc(size + 1);
	if (!bytes)
		return JS_ThrowOutOfMemory(ctx);
	encode_utf8(chars, wide, length, bytes, size, NULL);
	JSValue result = JS_NewUint8ArrayCopy(ctx, bytes, size);
	free(bytes);
	return result;
}

// encodeInto(string, bytes, counts) stores the units read and the bytes written in counts, a Uint32Array.
static JSValue encode_into(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv)
{
	size_t length, size, counts_size, read;
	bool wide;
	uint8_t *at = engine_bytes(ctx, argv[1], &size);
	uint8_t *counts = at ? engine_bytes(ctx, argv[2], &counts_size) : NULL;
	if (!counts || counts_size < 8)
		return JS_EXCEPTION;
	const void *chars = engine_chars(ctx, argv[0], &length, &wide);
	if (!chars)
		return JS_EXCEPTION;
	uint32_t both[2];
	both[1] = encode_utf8(chars, wide, length, at, size, &read);
	both[0] = read;
	memcpy(counts, both, sizeof both);
	return JS_UNDEFINED;
}

// decodeUtf8(bytes, keepMark, fatal): null for what isn't UTF-8.
static JSValue decode_utf8_bytes(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv)
{
	size_t size;
	uint8_t *at = engine_bytes(ctx, argv[0], &size);
	if (!at)
		return JS_EXCEPTION;
	if (!JS_ToBool(ctx, argv[1]) && size >= 3 && memcmp(at, "\xef\xbb\xbf", 3) == 0) {
		at += 3;
		size -= 3;
	}
	return utf8_string(ctx, at, size, JS_ToBool(ctx, argv[2]));
}

// toString(bytes, encoding, start, end), and fromString(string, encoding) → Uint8Array, for bindings.
static JSValue text_of(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv)
{
	int32_t encoding;
	if (JS_ToInt32(ctx, &encoding, argv[1]) < 0)
		return JS_EXCEPTION;
	return slice(ctx, argv[0], argc - 2, argv + 2, encoding);
}

static JSValue bytes_of(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv)
{
	int32_t encoding;
	size_t length;
	bool wide;
	if (JS_ToInt32(ctx, &encoding, argv[1]) < 0)
		return JS_EXCEPTION;
	if (encoding == UTF8)
		return encode_utf8_string(ctx, self, argc, argv);
	const void *chars = engine_chars(ctx, argv[0], &length, &wide);
	if (!chars)
		return JS_EXCEPTION;
	size_t room = encoding == UCS2 ? length * 2 : length;
	uint8_t *bytes = malloc(room + 1);
	if (!bytes)
		return JS_ThrowOutOfMemory(ctx);
	JSValue result = JS_NewUint8ArrayCopy(ctx, bytes, write_bytes(chars, wide, length, bytes, room, encoding));
	free(bytes);
	return result;
}

// ---- comparing, finding, filling

static int order(const uint8_t *a, size_t a_size, const uint8_t *b, size_t b_size)
{
	int c = memcmp(a, b, a_size < b_size ? a_size : b_size);
	return c < 0 ? -1 : c > 0 ? 1 : a_size < b_size ? -1 : a_size > b_size;
}

static JSValue compare(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv)
{
	size_t a_size, b_size;
	uint8_t *a = engine_bytes(ctx, argv[0], &a_size), *b = a ? engine_bytes(ctx, argv[1], &b_size) : NULL;
	return b ? JS_NewInt32(ctx, order(a, a_size, b, b_size)) : JS_EXCEPTION;
}

// compareOffset(source, target, targetStart, sourceStart, targetEnd, sourceEnd), both ends as lengths
static JSValue compare_offset(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv)
{
	size_t a_size, b_size;
	double n[4];
	uint8_t *a = engine_bytes(ctx, argv[0], &a_size), *b = a ? engine_bytes(ctx, argv[1], &b_size) : NULL;
	if (!b)
		return JS_EXCEPTION;
	for (int i = 0; i < 4; i++)
		if (JS_ToFloat64(ctx, &n[i], argv[2 + i]) < 0)
			return JS_EXCEPTION;
	if (n[1] > a_size)
		return JS_ThrowRangeError(ctx, "The value of \"sourceStart\" is out of range.");
	if (n[0] > b_size)
		return JS_ThrowRangeError(ctx, "The value of \"targetStart\" is out of range.");
	size_t at = n[1], bt = n[0];
	size_t al = n[3] < a_size - at ? n[3] : a_size - at, bl = n[2] < b_size - bt ? n[2] : b_size - bt;
	return JS_NewInt32(ctx, order(a + at, al, b + bt, bl));
}

// find looks for a needle from an offset on, forwards or back.
static int64_t find(const uint8_t *in, size_t size, const uint8_t *needle, size_t length, double offset, bool forward,
	size_t step)
{
	if (offset < 0)
		offset += size;
	if (offset < 0) {
		if (!forward)
			return -1;
		offset = 0;
	}
	if (offset > size) {
		if (forward)
			return -1;
		offset = size;
	}
	if (length == 0)
		return offset;
	if (length > size)
		return -1;
	size_t last = size - length, at = offset;
	if (forward) {
		for (; at <= last; at += step) {
			if (step == 1) {
				const uint8_t *hit = memchr(in + at, needle[0], last - at + 1);
				if (!hit)
					return -1;
				at = hit - in;
			}
			if (memcmp(in + at, needle, length) == 0)
				return at;
		}
		return -1;
	}
	if (at > last)
		at = last;
	for (;; at -= step) {
		if (memcmp(in + at, needle, length) == 0)
			return at;
		if (at < step)
			return -1;
	}
}

// indexOfString(buffer, string, offset, encoding, forward)
static JSValue index_of_string(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv)
{
	size_t size, length;
	double offset = 0;
	int32_t encoding = UTF8;
	uint8_t *in = engine_bytes(ctx, argv[0], &size);
	if (!in || JS_ToFloat64(ctx, &offset, argv[2]) < 0 || JS_ToInt32(ctx, &encoding, argv[3]) < 0)
		return JS_EXCEPTION;
	JSValueConst args[] = {argv[1], argv[3]};
	JSValue needle = bytes_of(ctx, self, 2, args);
	if (JS_IsException(needle))
		return needle;
	uint8_t *bytes = engine_bytes(ctx, needle, &length);
	int64_t at = find(in, size, bytes, length, offset, JS_ToBool(ctx, argv[4]), encoding == UCS2 ? 2 : 1);
	JS_FreeValue(ctx, needle);
	return JS_NewInt64(ctx, at);
}

// indexOfBuffer(buffer, needle, offset, encoding, forward)
static JSValue index_of_buffer(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv)
{
	size_t size, length;
	double offset = 0;
	int32_t encoding = UTF8;
	uint8_t *in = engine_bytes(ctx, argv[0], &size), *needle = in ? engine_bytes(ctx, argv[1], &length) : NULL;
	if (!needle || JS_ToFloat64(ctx, &offset, argv[2]) < 0)
		return JS_EXCEPTION;
	if (!JS_IsUndefined(argv[3]))
		JS_ToInt32(ctx, &encoding, argv[3]);
	return JS_NewInt64(ctx, find(in, size, needle, length, offset, JS_ToBool(ctx, argv[4]), encoding == UCS2 ? 2 : 1));
}

// indexOfNumber(buffer, number, offset, forward)
static JSValue index_of_number(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv)
{
	size_t size;
	double offset = 0;
	uint32_t number;
	uint8_t *in = engine_bytes(ctx, argv[0], &size);
	if (!in || JS_ToUint32(ctx, &number, argv[1]) < 0 || JS_ToFloat64(ctx, &offset, argv[2]) < 0)
		return JS_EXCEPTION;
	uint8_t byte = number;
	return JS_NewInt64(ctx, find(in, size, &byte, 1, offset, JS_ToBool(ctx, argv[3]), 1));
}

// fill(buffer, value, start, end, encoding): -1 for an empty value, -2 for a range that isn't in the buffer.
static JSValue fill(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv)
{
	size_t size, length;
	double start, end;
	uint8_t *out = engine_bytes(ctx, argv[0], &size);
	if (!out || JS_ToFloat64(ctx, &start, argv[2]) < 0 || JS_ToFloat64(ctx, &end, argv[3]) < 0)
		return JS_EXCEPTION;
	if (!(start >= 0) || end > size)
		return JS_NewInt32(ctx, -2);
	if (start >= end)
		return JS_UNDEFINED;
	uint8_t *at = out + (size_t)start;
	size_t room = (size_t)end - (size_t)start;
	if (!JS_IsString(argv[1]) && !JS_IsObject(argv[1])) {
		uint32_t number;
		if (JS_ToUint32(ctx, &number, argv[1]) < 0)
			return JS_EXCEPTION;
		memset(at, number & 255, room);
		return JS_UNDEFINED;
	}
	JSValue made = JS_UNDEFINED;
	uint8_t *from;
	if (JS_IsString(argv[1])) {
		JSValue encoding = JS_IsNumber(argv[4]) ? argv[4] : JS_NewInt32(ctx, UTF8);
		JSValueConst args[] = {argv[1], encoding};
		made = bytes_of(ctx, self, 2, args);
		if (JS_IsException(made))
			return made;
		from = engine_bytes(ctx, made, &length);
	} else if ((from = engine_bytes(ctx, argv[1], &length)) == NULL) {
		return JS_EXCEPTION;
	}
	for (size_t done = 0; length > 0 && done < room; done += length)
		memmove(at + done, from, length < room - done ? length : room - done);
	JS_FreeValue(ctx, made);
	return length > 0 ? JS_UNDEFINED : JS_NewInt32(ctx, -1);
}

// copy(source, target, targetStart, sourceStart, count)
static JSValue copy(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv)
{
	size_t from_size, to_size;
	double n[3];
	uint8_t *from = engine_bytes(ctx, argv[0], &from_size), *to = from ? engine_bytes(ctx, argv[1], &to_size) : NULL;
	if (!to)
		return JS_EXCEPTION;
	for (int i = 0; i < 3; i++)
		if (JS_ToFloat64(ctx, &n[i], argv[2 + i]) < 0)
			return JS_EXCEPTION;
	if (!(n[0] >= 0 && n[1] >= 0 && n[2] >= 0) || n[0] > to_size || n[1] > from_size)
		return JS_NewInt32(ctx, 0);
	size_t count = n[2] > from_size - n[1] ? from_size - n[1] : n[2];
	if (count > to_size - n[0])
		count = to_size - n[0];
	memmove(to + (size_t)n[0], from + (size_t)n[1], count);
	return JS_NewInt64(ctx, count);
}

static JSValue swap(JSContext *ctx, JSValueConst value, size_t width)
{
	size_t size;
	uint8_t *at = engine_bytes(ctx, value, &size);
	if (!at)
		return JS_EXCEPTION;
	for (size_t i = 0; i + width <= size; i += width)
		for (size_t j = 0; j < width / 2; j++) {
			uint8_t byte = at[i + j];
			at[i + j] = at[i + width - 1 - j];
			at[i + width - 1 - j] = byte;
		}
	return JS_DupValue(ctx, value);
}

static JSValue swap16(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) { return swap(ctx, argv[0], 2); }
static JSValue swap32(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) { return swap(ctx, argv[0], 4); }
static JSValue swap64(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) { return swap(ctx, argv[0], 8); }

static JSValue is_ascii(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv)
{
	size_t size;
	uint8_t *at = engine_bytes(ctx, argv[0], &size);
	if (!at)
		return JS_EXCEPTION;
	for (size_t i = 0; i < size; i++)
		if (at[i] >= 0x80)
			return JS_FALSE;
	return JS_TRUE;
}

static JSValue is_utf8(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv)
{
	size_t size;
	uint8_t *at = engine_bytes(ctx, argv[0], &size);
	if (!at)
		return JS_EXCEPTION;
	uint16_t *units = malloc(size * 2 + 2);
	if (!units)
		return JS_ThrowOutOfMemory(ctx);
	bool valid = decode_utf8(at, size, units, true) >= 0;
	free(units);
	return JS_NewBool(ctx, valid);
}

static const struct js_entry functions[] = {
	{"asciiSlice", ascii_slice, 2}, {"asciiWriteStatic", ascii_write, 3}, {"asciiWrite", ascii_write, 3},
	{"utf8Slice", utf8_slice, 2}, {"utf8Write", utf8_write, 3},
	{"ucs2Slice", ucs2_slice, 2}, {"ucs2Write", ucs2_write, 3},
	{"latin1Slice", latin1_slice, 2}, {"latin1Write", latin1_write, 3},
	{"base64Slice", base64_slice, 2}, {"base64Write", base64_write, 3},
	{"base64urlSlice", base64url_slice, 2}, {"base64urlWrite", base64url_write, 3},
	{"hexSlice", hex_slice, 2}, {"hexWrite", hex_write, 3},
	{"byteLengthUtf8", byte_length_utf8, 1}, {"encodeUtf8", encode_utf8_string, 1}, {"encodeInto", encode_into, 3},
	{"decodeUtf8", decode_utf8_bytes, 3}, {"textOf", text_of, 4}, {"bytesOf", bytes_of, 2},
	{"compare", compare, 2}, {"compareOffset", compare_offset, 6}, {"indexOfString", index_of_string, 5},
	{"indexOfBuffer", index_of_buffer, 5}, {"indexOfNumber", index_of_number, 4}, {"fill", fill, 5}, {"copy", copy, 5},
	{"swap16", swap16, 1}, {"swap32", swap32, 1}, {"swap64", swap64, 1}, {"isAscii", is_ascii, 1}, {"isUtf8", is_utf8, 1},
};

void buffer_install(JSContext *ctx, JSValueConst object) { engine_add(ctx, object, functions, COUNT(functions)); }
