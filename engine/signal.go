package engine

import (
	"strconv"

	"github.com/belljar-dev/belljar/wasi"
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
	SIGXCPU  Signal = 24
	SIGWINCH Signal = 28
)

var signalNames = [...]string{
	SIGHUP: "SIGHUP", SIGINT: "SIGINT", SIGQUIT: "SIGQUIT", SIGILL: "SIGILL", SIGABRT: "SIGABRT", SIGFPE: "SIGFPE",
	SIGKILL: "SIGKILL", SIGUSR1: "SIGUSR1", SIGSEGV: "SIGSEGV", SIGUSR2: "SIGUSR2", SIGPIPE: "SIGPIPE", SIGALRM: "SIGALRM",
	SIGTERM: "SIGTERM", SIGCHLD: "SIGCHLD", SIGCONT: "SIGCONT", SIGSTOP: "SIGSTOP", SIGTSTP: "SIGTSTP", SIGTTIN: "SIGTTIN",
	SIGTTOU: "SIGTTOU", SIGURG: "SIGURG", SIGXCPU: "SIGXCPU", SIGWINCH: "SIGWINCH",
}

// String answers the number's name, or the number.
func (s Signal) String() string {
	if s > 0 && int(s) < len(signalNames) && signalNames[s] != "" {
		return signalNames[s]
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
	allSignals    = ^signalSet(0)
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

// handles says whether t has a handler for the signal, or ignores it.
func (k *table) handles(t *task, sig Signal) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return t.disposition(sig) != terminates
}

// signalGroup signals the process group that t leads, as a terminal does that t has in the foreground.
func (k *table) signalGroup(t *task, sig Signal) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, m := range k.groupLocked(t.pgid) {
		k.sendLocked(m, sig)
	}
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
