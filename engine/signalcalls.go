package engine

import (
	"context"
	"time"

	"github.com/belljar-dev/belljar/wasi"
)

// SignalAction implements wasi.Kernel.
func (t *task) SignalAction(n uint32, how wasi.SignalHow, flags wasi.SignalFlags) (wasi.SignalHow, wasi.SignalFlags, error) {
	sig := Signal(n)
	k := &t.sandbox.table
	k.mu.Lock()
	defer k.mu.Unlock()
	old := t.action[sig]
	switch {
	case how == wasi.SignalAsk:
		return old.how, old.flags, nil
	case unstoppable&sig.bit() != 0:
		return 0, 0, wasi.EINVAL
	case how == wasi.SignalHandle && t.in.handler(0) == nil:
		return 0, 0, wasi.ENOSYS
	}
	t.action[sig] = signalAction{how, flags}
	if t.disposition(sig) == ignores {
		t.pending &^= sig.bit()
	}
	k.attendLocked(t)
	return old.how, old.flags, nil
}

// resetHandlersLocked leaves a new program only what its predecessor ignored.
func (t *task) resetHandlersLocked() {
	for i, a := range t.action {
		if a.how == wasi.SignalHandle {
			t.action[i] = signalAction{}
		}
	}
	t.suspends = false
}

// SignalMask implements wasi.Kernel.
func (t *task) SignalMask(how wasi.MaskHow, set uint64) uint64 {
	k := &t.sandbox.table
	k.mu.Lock()
	defer k.mu.Unlock()
	old, s := t.mask, signalSet(set)
	switch how {
	case wasi.MaskBlock:
		t.mask |= s
	case wasi.MaskUnblock:
		t.mask &^= s
	case wasi.MaskSet:
		t.mask = s
	}
	t.mask &= allSignals &^ unstoppable
	k.attendLocked(t)
	return uint64(old)
}

// SignalPending implements wasi.Kernel.
func (t *task) SignalPending() uint64 {
	k := &t.sandbox.table
	k.mu.Lock()
	defer k.mu.Unlock()
	return uint64(t.pending & t.mask)
}

// SignalSuspend implements wasi.Kernel.
func (t *task) SignalSuspend(ctx context.Context, mask uint64) error {
	k := &t.sandbox.table
	k.mu.Lock()
	if !t.suspends {
		t.suspends, t.before = true, t.mask
		t.mask = signalSet(mask) & allSignals &^ unstoppable
		k.attendLocked(t)
	}
	k.mu.Unlock()
	for !t.attention.Load() {
		t.doze(ctx)
	}
	return wasi.EINTR
}

// alarm is a process's timer of SIGALRM.
type alarm struct {
	timer    *time.Timer // nil: not armed
	due      time.Time   // by the sandbox's monotonic time
	interval time.Duration
}

func (a *alarm) stopLocked() {
	if a.timer != nil {
		a.timer.Stop()
		a.timer = nil
	}
}

// SignalTimer implements wasi.Kernel.
func (t *task) SignalTimer(value, interval time.Duration) (oldValue, oldInterval time.Duration) {
	k := &t.sandbox.table
	k.mu.Lock()
	defer k.mu.Unlock()
	if t.timer.timer != nil {
		oldValue, oldInterval = max(time.Until(t.timer.due), time.Microsecond), t.timer.interval
	}
	if value >= 0 {
		t.timer.stopLocked()
		t.timer.interval = interval
		if value > 0 {
			t.armLocked(value)
		}
	}
	return oldValue, oldInterval
}

// minAlarm is the shortest interval of SIGALRM.
const minAlarm = 100 * time.Microsecond

// armLocked starts the timer. Its goroutine ends at once when it fires, and never begins once it is stopped.
func (t *task) armLocked(after time.Duration) {
	var timer *time.Timer
	t.timer.due = time.Now().Add(after)
	timer = time.AfterFunc(after, func() {
		k := &t.sandbox.table
		k.mu.Lock()
		defer k.mu.Unlock()
		if t.timer.timer != timer {
			return
		}
		t.timer.timer = nil
		k.sendLocked(t, SIGALRM)
		if t.timer.interval > 0 && t.state != stateZombie {
			t.armLocked(max(t.timer.interval, minAlarm))
		}
	})
	t.timer.timer = timer
}
