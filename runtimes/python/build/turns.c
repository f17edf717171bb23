// When the interpreter has to look up from what it does: for a signal, or for another thread.
#include <Python.h>

#include "pycore_ceval.h"   // _Py_set_eval_breaker_bit
#include "pycore_pystate.h" // _Py_tss_tstate
#include "pycore_runtime.h" // _PyRuntime

#include <wasi/api.h>

#include "host.h"

// Each thread has a state of its own.
__attribute__((constructor)) static void name_words(void) { __belljar_thread_word(&_Py_tss_tstate); }

// The host may call this at any loop, where the thread that runs is told to let others run. One without a state is in a call
// that does without the interpreter, and lets them run at its end. Leaf functions keep what they like in the 128 bytes
// below the stack pointer.
__attribute__((export_name("belljar_yield"))) void belljar_yield(void)
{
	volatile char red_zone[256];
	red_zone[0] = 0;
	if (_Py_tss_tstate != NULL)
		_Py_set_eval_breaker_bit(_Py_tss_tstate, _PY_EVAL_YIELD_BIT);
}

// A signal has come for which the interpreter has yet to run a handler. It looks between bytecodes and after EINTR, and not
// on the way from a bytecode to a call that waits: such a call is not to be begun by the thread that runs handlers.
int __belljar_due(void)
{
	return _Py_atomic_load_int_relaxed(&_PyRuntime.signals.is_tripped) && __belljar_handles_signals();
}

static int can_wait(__wasi_fd_t fd)
{
	__wasi_fdstat_t stat;
	return __wasi_fd_fdstat_get(fd, &stat) == 0 && stat.fs_filetype != __WASI_FILETYPE_REGULAR_FILE;
}

// The linker sends the callers of both functions here (--wrap).
__wasi_errno_t __real___wasi_fd_read(__wasi_fd_t fd, const __wasi_iovec_t *iovs, size_t count, __wasi_size_t *size);
__wasi_errno_t __wrap___wasi_fd_read(__wasi_fd_t fd, const __wasi_iovec_t *iovs, size_t count, __wasi_size_t *size)
{
	if (__belljar_due() && can_wait(fd))
		return __WASI_ERRNO_INTR;
	return __real___wasi_fd_read(fd, iovs, count, size);
}

__wasi_errno_t __real___wasi_poll_oneoff(
	const __wasi_subscription_t *in, __wasi_event_t *out, __wasi_size_t count, __wasi_size_t *events);
__wasi_errno_t __wrap___wasi_poll_oneoff(
	const __wasi_subscription_t *in, __wasi_event_t *out, __wasi_size_t count, __wasi_size_t *events)
{
	return __belljar_due() ? __WASI_ERRNO_INTR : __real___wasi_poll_oneoff(in, out, count, events);
}
