// setjmp without help from the engine: clang's -enable-emscripten-sjlj sends the calls of a function that calls
// setjmp through invoke_*, and ../src/jump.c lands a longjmp there.
#ifndef _SETJMP_H
#define _SETJMP_H

typedef struct {
	unsigned long __id[4]; // which call of which function, by the compiler
	int __saved;           // siglongjmp restores __mask
	unsigned long long __mask;
} jmp_buf[1];
typedef jmp_buf sigjmp_buf;

int setjmp(jmp_buf) __attribute__((returns_twice));
_Noreturn void longjmp(jmp_buf, int);
_Noreturn void siglongjmp(sigjmp_buf, int);
void __belljar_save_mask(sigjmp_buf, int);

#define setjmp(env) setjmp(env)
#define _setjmp(env) setjmp(env)
#define _longjmp(env, val) longjmp(env, val)
#define sigsetjmp(env, save) (__belljar_save_mask(env, save), setjmp(env))

#endif
