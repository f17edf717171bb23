package engine

import (
	"context"
	"errors"
	"math/bits"
	"strconv"
	"time"

	"github.com/belljar-dev/belljar/wasi"
	"github.com/tetratelabs/wazero/sys"
)

// Signal is a signal's number, as Linux counts them.
// See https://man7.org/linux/man-pages/man7/signal.7.html
type Signal int

// The signals that a host sends, and those the engine itself does.
const (
	SIGHUP   Signal = 1
	SIGINT   Signal = 2
	SIGQUIT  Signal = 3
	SIGILL   Signal = 4
	SIGABRT  Signal = 6
	SIGFPE   Signal = 8
	SIGKILL  Signal = 9
	SIGUSR1  Signal = 10
	SIGSEGV  Signal = 11
	SIGUSR2  Signal = 12
	SIGPIPE  Signal = 13
	SIGALRM  Signal = 14
	SIGTERM  Signal = 15
	SIGCHLD  Signal = 17
	SIGCONT  Signal = 18
	SIGSTOP  Signal = 19
	SIGTSTP  Signal = 20
	SIGTTIN  Signal = 21
	SIGTTOU  Signal = 22
	SIGURG   Signal = 23
	SIGWINCH Signal = 28
)

// String answers the number's name, or the number.
func (s Signal) String() string {
	for name, n := range map[string]Signal{
		"SIGHUP": SIGHUP, "SIGINT": SIGINT, "SIGQUIT": SIGQUIT, "SIGILL": SIGILL, "SIGABRT": SIGABRT, "SIGFPE": SIGFPE,
		"SIGKILL": SIGKILL, "SIGUSR1": SIGUSR1, "SIGSEGV": SIGSEGV, "SIGUSR2": SIGUSR2, "SIGPIPE": SIGPIPE,
		"SIGALRM": SIGALRM, "SIGTERM": SIGTERM, "SIGCHLD": SIGCHLD, "SIGCONT": SIGCONT, "SIGSTOP": SIGSTOP,
		"SIGTSTP": SIGTSTP, "SIGTTIN": SIGTTIN, "SIGTTOU": SIGTTOU, "SIGURG": SIGURG, "SIGWINCH": SIGWINCH,
	} {
		if n == s {
			return name
		}
	}
	return strconv.Itoa(int(s))
}

func (s Signal) valid() bool { return s > 0 && s <= wasi.LastSignal }

// signalSet has signal n at bit n-1.
type signalSet uint64

func (s Signal) bit() signalSet { return 1 << (s - 1) }

const (
	unstoppable   = signalSet(1<<(SIGKILL-1) | 1<<(SIGSTOP-1)) // can't be blocked, ignored or handled
	stopSignals   = signalSet(1<<(SIGSTOP-1) | 1<<(SIGTSTP-1) | 1<<(SIGTTIN-1) | 1<<(SIGTTOU-1))
	quietSignals  = signalSet(1<<(SIGCHLD-1) | 1<<(SIGCONT-1) | 1<<(SIGURG-1) | 1<<(SIGWINCH-1)) // nothing by default
	allSignals    = signalSet(1)<<wasi.LastSignal - 1
	stoppedStatus = 0x7f   // wait(2)'s mark of a stopped child; the signal stands above
	continued     = 0xffff // wait(2)'s status of a continued child
)

// signalAction is what a process wants a signal to do.
type signalAction struct {
	how   wasi.SignalHow // never SignalAsk
	flags wasi.SignalFlags
}

// taskSignals is a task's side of signals.
type taskSignals struct {
	action   [wasi.LastSignal + 1]signalAction
	mask     signalSet // blocked
	pending  signalSet
	suspends bool      // a Suspend goes on, and
	before   signalSet // this was the mask before it
	stopping Signal    // what stops it at its next look; 0: nothing
	timer    alarm
}

type disposition uint8

const (
	ignores disposition = iota
	terminates
	stops
	handles
)

func (t *task) disposition(sig Signal) disposition {
	switch a := t.action[sig]; {
	case a.how == wasi.SignalHandle:
		return handles
	case a.how == wasi.SignalIgnore:
		return ignores
	case stopSignals&sig.bit() != 0:
		return stops
	case quietSignals&sig.bit() != 0:
		return ignores
	}
	return terminates
}

// sendLocked gives t a signal. What ends the process does so at once, wherever it is; the rest waits for its next
// look.
func (k *table) sendLocked(t *task, sig Signal) {
	if t.state == stateZombie || t == k.init {
		return
	}
	switch {
	case sig == SIGKILL:
		t.stop(&signaled{sig})
		k.attendLocked(t)
		return
	case sig == SIGCONT:
		k.continueLocked(t)
	case stopSignals&sig.bit() != 0:
		t.pending &^= SIGCONT.bit()
	}
	if t.mask&sig.bit() == 0 {
		switch t.disposition(sig) {
		case ignores:
			return
		case terminates:
			if t.state != stateStopped {
				t.stop(&signaled{sig})
			}
		}
	}
	t.pending |= sig.bit()
	k.attendLocked(t)
}

// continueLocked takes back what stops t.
func (k *table) continueLocked(t *task) {
	t.pending &^= stopSignals
	t.stopping = 0
	if t.state == stateStopped {
		t.state, t.unreported = stateRunning, continued
		k.tellParentLocked(t)
		t.wake()
	}
}

// tellParentLocked tells of a stop or a continuation.
func (k *table) tellParentLocked(t *task) {
	p := t.parent
	if p == k.init {
		return
	}
	if p.action[SIGCHLD].flags&wasi.SignalNocldstop == 0 {
		k.sendLocked(p, SIGCHLD)
	}
	p.wake()
}

// attendLocked sets t's attention, and wakes it if it is wanted.
func (k *table) attendLocked(t *task) {
	want := t.pending&^t.mask != 0 || t.stopping != 0 || t.ctx.Err() != nil
	t.attention.Store(want)
	if want {
		t.wake()
		if t.host != nil {
			t.host.Interrupt()
		}
	}
}

// Pending implements wasi.Signals. While the guest's stack is being copied nothing can be called on it.
func (t *task) Pending() bool { return t.attention.Load() && t.fork == forkNone }

// Raise implements wasi.Signals.
func (t *task) Raise(sig int) {
	if s := Signal(sig); s.valid() {
		t.sandbox.table.signal(t, s)
	}
}

func (k *table) signal(t *task, sig Signal) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.sendLocked(t, sig)
}

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
	if t.suspends && handled {
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
func (t *task) SignalSuspend(_ context.Context, mask uint64) error {
	k := &t.sandbox.table
	k.mu.Lock()
	if !t.suspends {
		t.suspends, t.before = true, t.mask
		t.mask = signalSet(mask) & allSignals &^ unstoppable
		k.attendLocked(t)
	}
	k.mu.Unlock()
	t.await(func() bool { return t.attention.Load() })
	return wasi.EINTR
}

// await waits until done says so. The task looks when it is woken; its end ends the call.
func (t *task) await(done func() bool) {
	for !done() {
		t.sleep()
	}
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

// signal is the one that a native program would have died of.
func (e *TrapError) signal() Signal {
	switch e.Reason {
	case "unreachable":
		return SIGABRT
	case "integer divide by zero", "integer overflow":
		return SIGFPE
	}
	return SIGSEGV
}
