// longjmp by asyncify: the stack is unwound into a buffer that nobody reads, until an invoke_* below setjmp's
// function stops it. Costs nothing when nothing jumps, and lives in guest memory, so that a fork takes it along.
//
// The compiler (clang -mllvm -enable-emscripten-sjlj) calls invoke_SIG(function, arguments) for every call in a
// function that calls setjmp, looks at __THREW__ and __threwValue afterwards, and asks __wasm_setjmp_test which of
// its setjmps, if any, is meant.
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>

#include "host.h"

__attribute__((import_module("asyncify"), import_name("start_unwind"))) void asyncify_start_unwind(void *);
__attribute__((import_module("asyncify"), import_name("stop_unwind"))) void asyncify_stop_unwind(void);

int __THREW__, __threwValue;
static int jumping; // a longjmp is unwinding
static jmp_buf *jump_to;
static int jump_value;
static int temp;

void setTempRet0(int value) { temp = value; }
int getTempRet0(void) { return temp; }

// The compiler's identity of a setjmp: the function's invocation, and the setjmp's number in it.
struct identity {
	void *invocation;
	uint32_t label;
};

void __wasm_setjmp(void *env, uint32_t label, void *invocation)
{
	*(struct identity *)env = (struct identity){invocation, label};
}

uint32_t __wasm_setjmp_test(void *env, void *invocation)
{
	struct identity *id = env;
	return id->invocation == invocation ? id->label : 0;
}

// never keeps the optimizer from seeing that a branch is dead.
static volatile int never;

// asyncify leaves a function that starts an unwinding as it is, and has its callers watch for one.
__attribute__((noinline)) void emscripten_longjmp(void *env, int value)
{
	static struct host_stack scrap;
	jumping = 1;
	jump_to = env;
	jump_value = value ? value : 1;
	// The frames of a jump overwrite the ones of a fork that is over.
	scrap = *belljar_stack();
	asyncify_start_unwind(&scrap);
}

// land ends the unwinding. It is apart from invoke_*, which asyncify must not take for the outermost function.
__attribute__((noinline)) static void land(void *stack_pointer)
{
	asyncify_stop_unwind();
	jumping = 0;
	__THREW__ = (int)jump_to;
	__threwValue = jump_value;
	__asm__ volatile("local.get %0\n global.set __stack_pointer" : : "r"(stack_pointer));
}

static inline void *stack_pointer(void)
{
	void *sp;
	__asm__ volatile("global.get __stack_pointer\n local.set %0" : "=r"(sp));
	return sp;
}

// An invoke_* must stay free of asyncify's code, for it goes on where an unwinding ends, while its callers must have
// it: both are so for a function that might start one.
#define MARK() \
	if (never) \
	asyncify_start_unwind(0)

#define INVOKE_VOID(name, params, args)                                   \
	__attribute__((noinline)) void invoke_##name params               \
	{                                                                 \
		void *sp = stack_pointer();                               \
		MARK();                                                   \
		f args;                                                   \
		if (jumping)                                              \
			land(sp);                                         \
	}
#define INVOKE(type, name, params, args)                                  \
	__attribute__((noinline)) type invoke_##name params               \
	{                                                                 \
		void *sp = stack_pointer();                               \
		MARK();                                                   \
		type result = f args;                                     \
		if (jumping)                                              \
			land(sp);                                         \
		return result;                                            \
	}

typedef int I;
typedef long long J;
INVOKE_VOID(v, (void (*f)(void)), ())
INVOKE_VOID(vi, (void (*f)(I), I a), (a))
INVOKE_VOID(vii, (void (*f)(I, I), I a, I b), (a, b))
INVOKE_VOID(viii, (void (*f)(I, I, I), I a, I b, I c), (a, b, c))
INVOKE_VOID(viiii, (void (*f)(I, I, I, I), I a, I b, I c, I d), (a, b, c, d))
INVOKE_VOID(viiiii, (void (*f)(I, I, I, I, I), I a, I b, I c, I d, I e), (a, b, c, d, e))
INVOKE_VOID(vij, (void (*f)(I, J), I a, J b), (a, b))
INVOKE_VOID(viji, (void (*f)(I, J, I), I a, J b, I c), (a, b, c))
INVOKE_VOID(viijijijii, (void (*f)(I, I, J, I, J, I, J, I, I), I a, I b, J c, I d, J e, I g, J h, I k, I l), (a, b, c, d, e, g, h, k, l))
INVOKE(I, i, (I (*f)(void)), ())
INVOKE(I, ii, (I (*f)(I), I a), (a))
INVOKE(I, iii, (I (*f)(I, I), I a, I b), (a, b))
INVOKE(I, iiii, (I (*f)(I, I, I), I a, I b, I c), (a, b, c))
INVOKE(I, iiiii, (I (*f)(I, I, I, I), I a, I b, I c, I d), (a, b, c, d))
INVOKE(I, iiiiii, (I (*f)(I, I, I, I, I), I a, I b, I c, I d, I e), (a, b, c, d, e))
INVOKE(I, iiiiiii, (I (*f)(I, I, I, I, I, I), I a, I b, I c, I d, I e, I g), (a, b, c, d, e, g))
INVOKE(I, iiiiiiii, (I (*f)(I, I, I, I, I, I, I), I a, I b, I c, I d, I e, I g, I h), (a, b, c, d, e, g, h))
INVOKE(I, iiiiiiiii, (I (*f)(I, I, I, I, I, I, I, I), I a, I b, I c, I d, I e, I g, I h, I k), (a, b, c, d, e, g, h, k))
INVOKE(I, ij, (I (*f)(J), J a), (a))
INVOKE(I, iij, (I (*f)(I, J), I a, J b), (a, b))
INVOKE(I, iiji, (I (*f)(I, J, I), I a, J b, I c), (a, b, c))
INVOKE(I, iiij, (I (*f)(I, I, J), I a, I b, J c), (a, b, c))
INVOKE(I, ijii, (I (*f)(J, I, I), J a, I b, I c), (a, b, c))
INVOKE(I, iiiiji, (I (*f)(I, I, I, J, I), I a, I b, I c, J d, I e), (a, b, c, d, e))
INVOKE(J, jiji, (J (*f)(I, J, I), I a, J b, I c), (a, b, c))
INVOKE(J, j, (J (*f)(void)), ())
INVOKE(J, ji, (J (*f)(I), I a), (a))
INVOKE(J, jii, (J (*f)(I, I), I a, I b), (a, b))
INVOKE(J, jiii, (J (*f)(I, I, I), I a, I b, I c), (a, b, c))

int __belljar_unwinding(void) { return jumping; }

void __belljar_save_mask(sigjmp_buf env, int save)
{
	env->__saved = save;
	if (save)
		host_sig_mask(3, 0, &env->__mask);
}

_Noreturn void siglongjmp(sigjmp_buf env, int value)
{
	if (env->__saved)
		host_sig_mask(SIG_SETMASK, env->__mask, &(uint64_t){0});
	emscripten_longjmp(env, value);
	__builtin_unreachable();
}
