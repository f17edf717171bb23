package engine

import (
	"context"
	"errors"
	"math/bits"

	"github.com/belljar-dev/belljar/wasi"
	"github.com/tetratelabs/wazero/sys"
)

// Deliver implements wasi.Signals.
func (t *task) Deliver(ctx context.Context) (handled, restart bool) {
	k := &t.sandbox.table
	restart = true
	k.mu.Lock()
	for {
		if t.ctx.Err() != nil {
			k.mu.Unlock()
			panic(&wasi.Canceled{Cause: context.Cause(t.ctx)})
		}
		if t.stopping != 0 {
			k.parkLocked(t)
			continue
		}
		sig := t.takeLocked()
		if sig == 0 {
			break
		}
		if k.actLocked(t, sig) {
			restart = t.handleLocked(ctx, sig) && restart
			handled = true
		}
	}
	if t.suspends && handled && t.depth == 0 {
		t.suspends, t.mask = false, t.before
	}
	k.attendLocked(t)
	k.mu.Unlock()
	return handled, restart
}

// takeLocked takes the lowest pending signal that isn't blocked; 0 is none.
func (t *task) takeLocked() Signal {
	ready := t.pending &^ t.mask
	if ready == 0 {
		return 0
	}
	sig := Signal(bits.TrailingZeros64(uint64(ready)) + 1)
	t.pending &^= sig.bit()
	return sig
}

// actLocked does what a signal does by default, and says whether there is a handler to call instead.
func (k *table) actLocked(t *task, sig Signal) bool {
	switch t.disposition(sig) {
	case terminates:
		t.stop(&signaled{sig})
	case stops:
		if sig == SIGSTOP || !k.orphanedLocked(t.pgid) {
			t.stopping = sig
		}
	case handles:
		return true
	}
	return false
}

// handleLocked calls the guest's handler, without the lock. It says whether an interrupted call goes on after it.
func (t *task) handleLocked(ctx context.Context, sig Signal) (restart bool) {
	k := &t.sandbox.table
	a := t.action[sig]
	if a.flags&wasi.SignalResetHand != 0 {
		t.action[sig] = signalAction{}
	}
	mask := t.mask
	if a.flags&wasi.SignalNodefer == 0 {
		t.mask |= sig.bit()
	}
	k.attendLocked(t)
	k.mu.Unlock()
	err := t.callHandler(ctx, sig)
	k.mu.Lock()
	if err != nil {
		k.mu.Unlock()
		panic(leave(err))
	}
	t.mask = mask
	return a.flags&wasi.SignalRestart != 0
}

// callHandler calls the guest, from within a call of the guest. Each depth has a function, and so a native stack, of
// its own.
func (t *task) callHandler(ctx context.Context, sig Signal) error {
	f := t.in.handler(t.depth)
	t.depth++
	defer func() { t.depth-- }()
	stack := [1]uint64{uint64(sig)}
	return f.CallWithStack(ctx, stack[:])
}

// leave turns what ended a call into what a host function panics with to end the call around it for the same reason.
func leave(err error) error {
	var exit *sys.ExitError
	var canceled *wasi.Canceled
	var fault *wasi.Panic
	switch {
	case errors.As(err, &exit):
		return exit
	case errors.As(err, &canceled):
		return canceled
	case errors.As(err, &fault):
		return fault
	}
	return &wasi.Canceled{Cause: trapError(err)}
}

// parkLocked stops t until it is continued or ends.
func (k *table) parkLocked(t *task) {
	t.state, t.unreported = stateStopped, uint32(t.stopping)<<8|stoppedStatus
	t.stopping = 0
	k.tellParentLocked(t)
	for t.state == stateStopped && t.ctx.Err() == nil {
		k.mu.Unlock()
		select {
		case <-t.notify:
		case <-t.ctx.Done():
		}
		k.mu.Lock()
	}
	t.state = stateRunning
}

// doze waits until the task is woken, while its other threads run. The task's end ends the call.
func (t *task) doze(ctx context.Context) {
	if ts := t.threads.Load(); ts != nil {
		ts.rest(ctx)
		return
	}
	t.sleep()
}

// sleep waits until the task is woken. The task's end ends the call.
func (t *task) sleep() {
	t.waiting.Store(true)
	defer t.waiting.Store(false)
	select {
	case <-t.notify:
	case <-t.ctx.Done():
		panic(&wasi.Canceled{Cause: context.Cause(t.ctx)})
	}
}
