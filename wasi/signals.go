package wasi

import "context"

// Signals is what a process's host calls need to know of its signals. Its methods are
// called by the guest's goroutine.
type Signals interface {
	// Pending says whether a signal waits that isn't blocked. Every host call asks it,
	// so it must cost next to nothing. Who makes a signal pending calls
	// [Host.Interrupt] afterwards.
	Pending() bool

	// Deliver does what the pending signals ask for: it runs the guest's handlers,
	// waits while the process is stopped, or ends it by a panic with a
	// *sys.ExitError or a *[Canceled]. It says whether a handler ran, and if all that
	// ran let an interrupted call go on (SA_RESTART).
	Deliver(ctx context.Context) (handled, restart bool)

	// Raise makes a signal, by Linux's number, pending for the process itself: SIGPIPE
	// for a write that nobody can read, and what proc_raise asks for. No Interrupt
	// need follow.
	Raise(signal int)
}

// signalPipe is SIGPIPE's number on Linux.
const signalPipe = 13

// Interrupt makes a blocked host call of the process look at its [Signals]. It may be
// called at any time by any goroutine, and doesn't wait.
func (h *Host) Interrupt() {
	if w := h.blocked.Load(); w != nil {
		w.wake()
	}
}

// Waiting says whether a host call of the process is blocked. It may be called at any time
// by any goroutine.
func (h *Host) Waiting() bool { return h.blocked.Load() != nil }

// brokenPipe raises SIGPIPE if that is what e says.
func (h *Host) brokenPipe(e errno) errno {
	if e == errPipe && h.signals != nil {
		h.signals.Raise(signalPipe)
	}
	return e
}
