package wasi

import (
	"context"
	"io"
	"runtime"

	"github.com/tetratelabs/wazero/sys"
)

// randomChunk is how many random bytes are made between two looks at the context.
const randomChunk = 64 << 10

// proc_exit(rval: exitcode)
func procExit(_ context.Context, _ *Host, _ memory, p []uint64) errno {
	panic(sys.NewExitError(uint32(p[0])))
}

// proc_raise(sig: signal)
//
// Without Signals there are no handlers, so the signal's default action is taken; ending
// the process gives the status that a shell shows for it.
func procRaise(_ context.Context, h *Host, _ memory, p []uint64) errno {
	switch sig := uint32(p[0]); {
	case sig > lastSignal:
		return errInval
	case h.signals != nil && sig != signalNone:
		if sig >= signalChld { // Linux has SIGSTKFLT before it
			sig++
		}
		h.signals.Raise(int(sig))
		return errSuccess
	case sig == signalNone, sig == signalChld, sig == signalCont, sig == signalUrg, sig == signalWinch:
		return errSuccess
	case sig >= signalStop && sig <= signalTtou:
		return errNotsup
	default:
		panic(sys.NewExitError(128 + sig))
	}
}

// sched_yield()
func schedYield(ctx context.Context, h *Host, _ memory, _ []uint64) errno {
	if h.kernel != nil {
		h.kernel.Yield(ctx)
	}
	runtime.Gosched()
	return errSuccess
}

// random_get(buf: ptr<u8>, buf_len: size)
func randomGet(ctx context.Context, h *Host, mem memory, p []uint64) errno {
	buf, e := mem.bytes(uint32(p[0]), uint32(p[1]))
	if e != errSuccess {
		return e
	}
	for len(buf) > 0 {
		n := min(len(buf), randomChunk)
		if _, err := io.ReadFull(h.random, buf[:n]); err != nil {
			return errIo
		}
		if buf = buf[n:]; len(buf) > 0 {
			checkContext(ctx)
		}
	}
	return errSuccess
}
