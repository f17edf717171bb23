// Signals from the host, which calls belljar_signal at any loop of the program and in any call of the host.
#include <Python.h>

#include "pycore_runtime.h" // _PyRuntime

#include <wasi/api.h>

// The host may call this while a leaf function runs, which keeps what it likes in the 128 bytes below the stack
// pointer.
__attribute__((export_name("belljar_signal"))) void belljar_signal(int number)
{
	volatile char red_zone[256];
	red_zone[0] = 0;
	PyErr_SetInterruptEx(number);
}

// is_due says that a signal has come for which the interpreter has yet to run a handler. It looks between bytecodes and
// after EINTR, and not on the way from a bytecode to a call that waits: such a call is not to be begun.
static int is_due(void)
{
	return _Py_atomic_load_int_relaxed(&_PyRuntime.signals.is_tripped);
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
	if (is_due() && can_wait(fd))
		return __WASI_ERRNO_INTR;
	return __real___wasi_fd_read(fd, iovs, count, size);
}

__wasi_errno_t __real___wasi_poll_oneoff(
	const __wasi_subscription_t *in, __wasi_event_t *out, __wasi_size_t count, __wasi_size_t *events);
__wasi_errno_t __wrap___wasi_poll_oneoff(
	const __wasi_subscription_t *in, __wasi_event_t *out, __wasi_size_t count, __wasi_size_t *events)
{
	return is_due() ? __WASI_ERRNO_INTR : __real___wasi_poll_oneoff(in, out, count, events);
}
