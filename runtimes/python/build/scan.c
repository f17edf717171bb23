// strlen and memchr, 16 bytes at a time.
//
// libc's are plain loops over words. CPython's tokenizer takes the length of all that is left of a source at every
// f-string field, and find() of one character is memchr: there the difference is seconds.
//
// A load of 16 aligned bytes never leaves the memory that holds one of them, as its size is a multiple of 64 KiB;
// bytes outside of the operand are masked out, or come after its end is found.
#include <stddef.h>
#include <stdint.h>
#include <wasm_simd128.h>

#define BLOCK sizeof(v128_t)

size_t strlen(const char *s)
{
	uintptr_t skip = (uintptr_t)s % BLOCK;
	const char *at = s - skip;
	const v128_t zero = wasm_i8x16_splat(0);
	uint32_t ends = wasm_i8x16_bitmask(wasm_i8x16_eq(wasm_v128_load(at), zero)) >> skip << skip;
	while (ends == 0) {
		at += BLOCK;
		v128_t block = wasm_v128_load(at);
		if (!wasm_i8x16_all_true(block))
			ends = wasm_i8x16_bitmask(wasm_i8x16_eq(block, zero));
	}
	return at + __builtin_ctz(ends) - s;
}

void *memchr(const void *s, int c, size_t n)
{
	if (n == 0)
		return NULL;
	uintptr_t skip = (uintptr_t)s % BLOCK;
	const char *at = (const char *)s - skip;
	// The operand may be said to reach to the end of memory and beyond.
	size_t left = n > SIZE_MAX - skip ? SIZE_MAX : n + skip;
	const v128_t wanted = wasm_i8x16_splat((int8_t)c);
	uint32_t hits = wasm_i8x16_bitmask(wasm_i8x16_eq(wasm_v128_load(at), wanted)) >> skip << skip;
	while (hits == 0 && left > BLOCK) {
		at += BLOCK;
		left -= BLOCK;
		hits = wasm_i8x16_bitmask(wasm_i8x16_eq(wasm_v128_load(at), wanted));
	}
	if (hits == 0)
		return NULL;
	size_t offset = __builtin_ctz(hits);
	return offset < left ? (void *)(at + offset) : NULL;
}
