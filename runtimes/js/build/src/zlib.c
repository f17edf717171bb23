// zlib and brotli, a step at a time.
#include <brotli/decode.h>
#include <brotli/encode.h>
#include <stdlib.h>
#include <string.h>

#include <zlib.h>

#include "system.h"

#define NUMBER(at) system_number(ctx, argc, argv, at, 0)

enum mode { NONE, DEFLATE, INFLATE, GZIP, GUNZIP, DEFLATERAW, INFLATERAW, UNZIP, BROTLI_DECODE, BROTLI_ENCODE };

struct state {
	enum mode mode;
	int level, window, mem, strategy, ready, error, gzip_bytes;
	uint8_t *dictionary;
	size_t dictionary_size;
	z_stream stream;
	BrotliEncoderState *encoder;
	BrotliDecoderState *decoder;
};

static JSClassID state_class;

static void end(struct state *s)
{
	if (s->ready && (s->mode == DEFLATE || s->mode == GZIP || s->mode == DEFLATERAW))
		deflateEnd(&s->stream);
	else if (s->ready && s->mode < BROTLI_DECODE)
		inflateEnd(&s->stream);
	s->ready = 0;
	if (s->encoder)
		BrotliEncoderDestroyInstance(s->encoder);
	if (s->decoder)
		BrotliDecoderDestroyInstance(s->decoder);
	s->encoder = NULL;
	s->decoder = NULL;
}

static void finalizer(JSRuntime *rt, JSValueConst value)
{
	struct state *s = JS_GetOpaque(value, state_class);
	if (s) {
		end(s);
		free(s->dictionary);
		free(s);
	}
}

static const JSClassDef def = {"Compressor", .finalizer = finalizer};

static int begin(struct state *s)
{
	int bits = s->window;
	switch (s->mode) {
	case GZIP: case GUNZIP: bits += 16; break;
	case UNZIP: bits += 32; break;
	case DEFLATERAW: case INFLATERAW: bits = -bits; break;
	default: break;
	}
	int result = s->mode == DEFLATE || s->mode == GZIP || s->mode == DEFLATERAW
		? deflateInit2(&s->stream, s->level, Z_DEFLATED, bits, s->mem, s->strategy)
		: inflateInit2(&s->stream, bits);
	s->ready = result == Z_OK;
	if (result == Z_OK && s->dictionary && (s->mode == DEFLATE || s->mode == DEFLATERAW))
		result = deflateSetDictionary(&s->stream, s->dictionary, s->dictionary_size);
	else if (result == Z_OK && s->dictionary && s->mode == INFLATERAW)
		result = inflateSetDictionary(&s->stream, s->dictionary, s->dictionary_size);
	return result;
}

// zlibOpen(mode, level, windowBits, memLevel, strategy, dictionary)
static JSValue zlib_open(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv)
{
	struct state *s = calloc(1, sizeof *s);
	JSValue object = s ? JS_NewObjectClass(ctx, state_class) : JS_ThrowOutOfMemory(ctx);
	if (JS_IsException(object))
		return object;
	JS_SetOpaque(object, s);
	s->mode = NUMBER(0);
	s->level = NUMBER(1);
	s->window = NUMBER(2);
	s->mem = NUMBER(3);
	s->strategy = NUMBER(4);
	if (JS_IsObject(argv[5])) {
		size_t size;
		uint8_t *at = engine_bytes(ctx, argv[5], &size);
		if (at && (s->dictionary = malloc(size + 1))) {
			memcpy(s->dictionary, at, size);
			s->dictionary_size = size;
		}
	}
	if (s->mode == BROTLI_ENCODE)
		s->encoder = BrotliEncoderCreateInstance(NULL, NULL, NULL);
	else if (s->mode == BROTLI_DECODE)
		s->decoder = BrotliDecoderCreateInstance(NULL, NULL, NULL);
	return object;
}

// zlibParameter(state, key, value): brotli's, or for zlib level and strategy.
static JSValue zlib_parameter(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv)
{
	struct state *s = JS_GetOpaque2(ctx, argv[0], state_class);
	if (!s)
		return JS_EXCEPTION;
	if (s->encoder)
		return JS_NewBool(ctx, BrotliEncoderSetParameter(s->encoder, NUMBER(1), NUMBER(2)));
	if (s->decoder)
		return JS_NewBool(ctx, BrotliDecoderSetParameter(s->decoder, NUMBER(1), NUMBER(2)));
	return JS_NewInt32(ctx, s->ready ? deflateParams(&s->stream, NUMBER(1), NUMBER(2)) : Z_OK);
}

static JSValue zlib_reset(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv)
{
	struct state *s = JS_GetOpaque2(ctx, argv[0], state_class);
	if (!s)
		return JS_EXCEPTION;
	end(s);
	memset(&s->stream, 0, sizeof s->stream);
	if (s->mode == BROTLI_ENCODE)
		s->encoder = BrotliEncoderCreateInstance(NULL, NULL, NULL);
	else if (s->mode == BROTLI_DECODE)
		s->decoder = BrotliDecoderCreateInstance(NULL, NULL, NULL);
	return JS_UNDEFINED;
}

static int step(struct state *s, int flush)
{
	if (s->mode == DEFLATE || s->mode == GZIP || s->mode == DEFLATERAW)
		return deflate(&s->stream, flush);
	// What doesn't begin as gzip does is taken for zlib's form, by zlib itself.
	int result = inflate(&s->stream, flush);
	if (result == Z_NEED_DICT && s->dictionary) {
		result = inflateSetDictionary(&s->stream, s->dictionary, s->dictionary_size);
		if (result == Z_OK)
			result = inflate(&s->stream, flush);
		else if (result == Z_DATA_ERROR)
			result = Z_NEED_DICT;
	}
	// Several members may follow each other.
	while (s->stream.avail_in > 0 && s->mode == GUNZIP && result == Z_STREAM_END && s->stream.next_in[0] != 0) {
		inflateReset(&s->stream);
		result = inflate(&s->stream, flush);
	}
	return result;
}

// zlibStep(state, flush, in, inAt, inLen, out, outAt, outLen, result): result, an Int32Array, gets what is left of
// out and in, and zlib's answer. It answers zlib's message, or undefined.
static JSValue zlib_step(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv)
{
	struct state *s = JS_GetOpaque2(ctx, argv[0], state_class);
	size_t in_size = 0, out_size, result_size;
	const uint8_t *in = (const uint8_t *)"";
	if (!s)
		return JS_EXCEPTION;
	if (JS_IsObject(argv[2]) && (in = engine_bytes(ctx, argv[2], &in_size)) == NULL)
		return JS_EXCEPTION;
	uint8_t *out = engine_bytes(ctx, argv[5], &out_size);
	int32_t *result = out ? (int32_t *)engine_bytes(ctx, argv[8], &result_size) : NULL;
	if (!result || result_size < 12)
		return JS_EXCEPTION;
	size_t in_at = NUMBER(3), in_len = NUMBER(4), out_at = NUMBER(6), out_len = NUMBER(7);
	if (in_at > in_size || in_len > in_size - in_at || out_at > out_size || out_len > out_size - out_at)
		return JS_ThrowRangeError(ctx, "range is outside of the buffer");
	const uint8_t *next_in = in + in_at;
	uint8_t *next_out = out + out_at;
	int flush = NUMBER(1), code = Z_OK;
	const char *message = NULL;
	if (s->mode == BROTLI_ENCODE) {
		if (!BrotliEncoderCompressStream(s->encoder, flush, &in_len, &next_in, &out_len, &next_out, NULL)) {
			code = -1;
			message = "Compression failed";
		}
	} else if (s->mode == BROTLI_DECODE) {
		BrotliDecoderResult r = BrotliDecoderDecompressStream(s->decoder, &in_len, &next_in, &out_len, &next_out, NULL);
		if (r == BROTLI_DECODER_RESULT_ERROR) {
			code = BrotliDecoderGetErrorCode(s->decoder);
			message = BrotliDecoderErrorString(code);
		} else if (flush == BROTLI_OPERATION_FINISH && r == BROTLI_DECODER_RESULT_NEEDS_MORE_INPUT) {
			code = Z_BUF_ERROR;
			message = "unexpected end of file";
		}
	} else {
		if (!s->ready)
			code = begin(s);
		if (code == Z_OK) {
			s->stream.next_in = (Bytef *)next_in;
			s->stream.avail_in = in_len;
			s->stream.next_out = next_out;
			s->stream.avail_out = out_len;
			code = step(s, flush);
			in_len = s->stream.avail_in;
			out_len = s->stream.avail_out;
		}
		switch (code) {
		case Z_OK:
		case Z_BUF_ERROR:
			if (out_len != 0 && flush == Z_FINISH)
				message = "unexpected end of file", code = Z_BUF_ERROR;
			else
				code = Z_OK;
			break;
		case Z_STREAM_END:
			break;
		case Z_NEED_DICT:
			message = s->dictionary ? "Bad dictionary" : "Missing dictionary";
			break;
		default:
			message = s->stream.msg ? s->stream.msg : "Zlib error";
		}
	}
	result[0] = out_len;
	result[1] = in_len;
	result[2] = code;
	return message ? JS_NewString(ctx, message) : JS_UNDEFINED;
}

static JSValue crc(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv)
{
	size_t size;
	uint8_t *at = engine_bytes(ctx, argv[0], &size);
	return at ? JS_NewInt64(ctx, (uint32_t)crc32((uint32_t)NUMBER(1), at, size)) : JS_EXCEPTION;
}

static const struct js_entry functions[] = {
	{"zlibOpen", zlib_open, 6}, {"zlibParameter", zlib_parameter, 3}, {"zlibReset", zlib_reset, 1},
	{"zlibStep", zlib_step, 9}, {"crc32", crc, 2},
};

void zlib_install(JSContext *ctx, JSValueConst object)
{
	JS_NewClassID(JS_GetRuntime(ctx), &state_class);
	JS_NewClass(JS_GetRuntime(ctx), state_class, &def);
	engine_add(ctx, object, functions, COUNT(functions));
}
