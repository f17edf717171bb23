package engine

import (
	"io"

	"github.com/belljar-dev/belljar/wasi"
)

// TTY asks for a pseudo terminal: the process leads a session that it controls, and has it as its standard streams.
// What is shown goes to Command.Stdout, and what Command.Stdin has is typed.
type TTY struct {
	Rows, Cols uint16 // 0 is 24 and 80
}

// console is a run's terminal and what moves bytes between it and the host.
type console struct {
	*wasi.Terminal
	shown chan struct{} // closed when all that was shown has been written
}

// openConsole makes a run's terminal.
func (r *run) openConsole(size TTY) {
	if size.Rows == 0 {
		size.Rows = 24
	}
	if size.Cols == 0 {
		size.Cols = 80
	}
	r.console = &console{
		Terminal: wasi.NewTerminal(&r.sandbox.table, size.Rows, size.Cols), shown: make(chan struct{}),
	}
}

// start begins to move bytes: from in, which may be nil, and to the run's standard output.
//
// One goroutine ends when no process has the terminal open any more, or the run's output fails; the other when in does,
// or a Read of it after the terminal's end.
func (c *console) start(r *run, in io.Reader) {
	go func() {
		defer close(c.shown)
		_, _ = io.Copy(&r.stdout, c)
		r.stdout.Released()
		r.stderr.Released()
	}()
	if in == nil {
		c.End()
		return
	}
	go func() {
		_, _ = io.Copy(c, in)
		c.End()
	}()
}

// SignalGroup implements wasi.TerminalOwner.
func (k *table) SignalGroup(pgid, sig int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, t := range k.groupLocked(pgid) {
		k.sendLocked(t, Signal(sig))
	}
}

// leaveTerminalLocked gives up the terminal of a session whose leader ends: those in its foreground hear of it.
func (k *table) leaveTerminalLocked(t *task) {
	if t.sid != t.pid || t.terminal == nil {
		return
	}
	session, foreground := t.terminal.Job()
	if session != t.sid {
		return
	}
	t.terminal.SetJob(0, 0)
	for _, m := range k.matchLocked(func(m *task) bool { return m.sid == t.sid && m != t }) {
		if m.terminal = nil; m.pgid == foreground {
			k.sendLocked(m, SIGHUP)
			k.sendLocked(m, SIGCONT)
		}
	}
}

// NewTerminal implements wasi.Kernel.
func (t *task) NewTerminal() (*wasi.Terminal, error) {
	return wasi.NewTerminal(&t.sandbox.table, 24, 80), nil
}

// ControllingTerminal implements wasi.Kernel.
func (t *task) ControllingTerminal() *wasi.Terminal {
	k := &t.sandbox.table
	k.mu.Lock()
	defer k.mu.Unlock()
	return t.terminal
}

// ControlTerminal implements wasi.Kernel.
func (t *task) ControlTerminal(tty *wasi.Terminal) error {
	k := &t.sandbox.table
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.controlLocked(t, tty)
}

func (k *table) controlLocked(t *task, tty *wasi.Terminal) error {
	session, _ := tty.Job()
	switch {
	case session == t.sid && t.terminal == tty:
		return nil
	case t.sid != t.pid || t.terminal != nil || session != 0:
		return wasi.EPERM
	}
	tty.SetJob(t.sid, t.pgid)
	for _, m := range k.matchLocked(func(m *task) bool { return m.sid == t.sid }) {
		m.terminal = tty
	}
	return nil
}

// TerminalAccess implements wasi.Kernel.
// See https://pubs.opengroup.org/onlinepubs/9699919799/basedefs/V1_chap11.html#tag_11_01_04
func (t *task) TerminalAccess(tty *wasi.Terminal, write bool) error {
	k := &t.sandbox.table
	k.mu.Lock()
	defer k.mu.Unlock()
	_, foreground := tty.Job()
	if t.terminal != tty || foreground == 0 || foreground == t.pgid {
		return nil
	}
	sig := SIGTTIN
	if write {
		sig = SIGTTOU
	}
	deaf := t.mask&sig.bit() != 0 || t.action[sig].how == wasi.SignalIgnore
	switch {
	case deaf && write:
		return nil
	case deaf, k.orphanedLocked(t.pgid):
		return wasi.EIO
	}
	for _, m := range k.groupLocked(t.pgid) {
		k.sendLocked(m, sig)
	}
	return wasi.ERESTART
}

// SetForeground implements wasi.Kernel.
func (t *task) SetForeground(tty *wasi.Terminal, pgid uint32) error {
	k := &t.sandbox.table
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, m := range k.groupLocked(int(pgid)) {
		if m.sid == t.sid {
			tty.SetJob(t.sid, int(pgid))
			return nil
		}
	}
	return wasi.EPERM
}

// Resize changes the size of the process's terminal. It does nothing for a process that was started without one.
func (p *Process) Resize(rows, cols uint16) {
	if c := p.run.console; c != nil {
		c.Terminal.Resize(rows, cols)
	}
}
