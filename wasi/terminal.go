package wasi

import (
	"context"
	"errors"
	"io"
	"sync"
	"time"
)

const (
	terminalBuffer = 16 << 10 // bytes that wait in a terminal, each way
	maxEdit        = 4 << 10  // bytes of a line that is being edited
)

// Terminal is a pseudo terminal: programs have one side of it open, the slave, as their standard streams or by
// /dev/tty; a user, or a program in a user's place, has the other, the master. Between them is a line discipline
// (discipline.go).
//
// The methods of the master's side are safe for concurrent use. Its owner is called without locks of this package.
type Terminal struct {
	owner TerminalOwner

	mu      sync.Mutex
	attr    termios
	size    [4]uint16 // rows, columns, and both in pixels
	lines   [][]byte  // what can be read; in canonical mode an element is a line, and an empty one the end of input
	edit    []byte    // the line being edited
	literal bool      // the next character has no special meaning
	out     []byte    // what the master can read
	held    bool      // output waits for control-Q
	slaves  int       // open descriptions of the slave
	hungUp  bool      // the master is closed
	ended   bool      // there will be no more input: reads find the end
	waiters waitList

	session, foreground int // whose controlling terminal it is, and the group in the foreground; 0: none
}

// TerminalOwner is what a terminal needs of the system around it.
type TerminalOwner interface {
	// SignalGroup sends a process group a signal, by Linux's number.
	SignalGroup(pgid, sig int)
}

// NewTerminal makes a terminal of a size in characters. Given in a [Config] as a standard stream it is the slave's
// side there.
func NewTerminal(owner TerminalOwner, rows, cols uint16) *Terminal {
	return &Terminal{owner: owner, attr: saneTermios(), size: [4]uint16{rows, cols}}
}

// Read reads what programs have written, as the discipline shows it. When all was read it returns io.EOF after Close,
// and while no process has the slave open.
func (t *Terminal) Read(b []byte) (int, error) {
	return t.readMaster(context.Background(), b, false)
}

// Write types: it passes on bytes as if keys had been pressed, and waits while programs don't read.
func (t *Terminal) Write(b []byte) (int, error) { return t.writeMaster(context.Background(), b, false) }

// End says that nothing more will be typed: reads that find nothing find the end.
func (t *Terminal) End() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.ended = true
	t.waiters.wake()
}

// Close hangs up: programs read the end and get EIO when they write; the session gets SIGHUP. It may be called again.
func (t *Terminal) Close() error {
	t.mu.Lock()
	was, session, foreground := t.hungUp, t.session, t.foreground
	t.hungUp, t.ended = true, true
	t.waiters.wake()
	t.mu.Unlock()
	if was {
		return nil
	}
	for _, pgid := range [...]int{session, foreground} { // a session's leader leads the group of its number
		if pgid != 0 {
			t.owner.SignalGroup(pgid, signalHup)
			t.owner.SignalGroup(pgid, signalCont18)
		}
	}
	return nil
}

// Resize tells programs of another size, by SIGWINCH.
func (t *Terminal) Resize(rows, cols uint16) { t.resize([4]uint16{rows, cols}) }

func (t *Terminal) resize(size [4]uint16) {
	t.mu.Lock()
	changed, foreground := size != t.size, t.foreground
	t.size = size
	t.mu.Unlock()
	if changed && foreground != 0 {
		t.owner.SignalGroup(foreground, signalWinch28)
	}
}

// Job is the session that the terminal controls, and the process group in its foreground; 0: none.
func (t *Terminal) Job() (session, foreground int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.session, t.foreground
}

// SetJob makes the terminal a session's, with a group in the foreground; 0 takes it away.
func (t *Terminal) SetJob(session, foreground int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.session, t.foreground = session, foreground
}

// Linux's numbers of what a terminal sends.
const (
	signalHup     = 1
	signalInt     = 2
	signalQuit    = 3
	signalCont18  = 18
	signalTstp    = 20
	signalWinch28 = 28
)

func (t *Terminal) forget(w *waiter) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.waiters.remove(w)
}

func (t *Terminal) readMaster(ctx context.Context, b []byte, nonblock bool) (int, error) {
	return t.wait(ctx, nonblock, func() (int, error) {
		switch {
		case len(b) == 0:
			return 0, nil
		case len(t.out) > 0 && (!t.held || t.hungUp):
			n := copy(b, t.out)
			t.out = t.out[:copy(t.out, t.out[n:])]
			t.waiters.wake()
			return n, nil
		case t.slaves == 0, t.hungUp:
			return 0, io.EOF
		}
		return 0, errAgain
	})
}

func (t *Terminal) writeMaster(ctx context.Context, b []byte, nonblock bool) (total int, err error) {
	for total < len(b) && err == nil {
		var n int
		var signals []int
		var foreground int
		n, err = t.wait(ctx, nonblock, func() (int, error) {
			if t.hungUp {
				return 0, errIo
			}
			n := 0
			for n < len(b)-total && t.roomLocked() {
				if sig := t.typeLocked(b[total+n]); sig != 0 {
					signals = append(signals, sig)
				}
				n++
			}
			if n == 0 {
				return 0, errAgain
			}
			foreground = t.foreground
			t.waiters.wake()
			return n, nil
		})
		total += n
		for _, sig := range signals {
			if foreground != 0 {
				t.owner.SignalGroup(foreground, sig)
			}
		}
	}
	if total > 0 && err == errAgain {
		err = nil
	}
	return total, err
}

// locked makes a function for block of one that needs the lock.
func (t *Terminal) locked(try func() (int, error)) func(*waiter) (int, error) {
	return func(w *waiter) (int, error) {
		t.mu.Lock()
		defer t.mu.Unlock()
		n, err := try()
		if err == errAgain && w != nil {
			t.waiters.add(w)
		}
		return n, err
	}
}

// wait calls try, with the lock, until it answers other than errAgain.
func (t *Terminal) wait(ctx context.Context, nonblock bool, try func() (int, error)) (int, error) {
	n, err := t.locked(try)(nil)
	if err != errAgain || nonblock {
		return n, err
	}
	return block(ctx, t.forget, t.locked(try))
}

// slave is an open description of the programs' side.
type slave struct{ t *Terminal }

func newSlave(t *Terminal) *slave {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.slaves++
	return &slave{t}
}

func (s *slave) terminal() *Terminal     { return s.t }
func (s *slave) fileType() fileType      { return typeCharacterDevice }
func (s *slave) stat() (filestat, error) { return terminalStat(), nil }
func (s *slave) forget(w *waiter)        { s.t.forget(w) }

func (s *slave) close() error {
	t := s.t
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.slaves--; t.slaves == 0 {
		t.waiters.wake()
	}
	return nil
}

// terminalStat is what is known of a terminal.
func terminalStat() filestat {
	return filestat{ino: terminalDevice, typ: typeCharacterDevice, nlink: 1, mode: modeCharDevice | 0o620}
}

const (
	modeCharDevice = 0o020000
	terminalDevice = 136 << 8 // the first pseudo terminal, by which /proc knows a process's
)

func (s *slave) read(ctx context.Context, b []byte, nonblock bool) (int, error) {
	t := s.t
	if err := access(ctx, t, false); err != nil {
		return 0, err
	}
	t.mu.Lock()
	patience := time.Duration(-1)
	if t.attr.lflag&icanon == 0 && t.attr.cc[vmin] == 0 {
		patience = time.Duration(t.attr.cc[vtime]) * 100 * time.Millisecond
	}
	t.mu.Unlock()
	try := func() (int, error) { return t.takeLocked(b) }
	if patience < 0 || nonblock {
		return t.wait(ctx, nonblock, try)
	}
	n, err := t.wait(ctx, true, try)
	if err == errAgain && patience > 0 {
		n, err = blockFor(ctx, patience, t.forget, t.locked(try))
	}
	return n, quiet(err)
}

// quiet makes nothing of what would have to be waited for.
func quiet(err error) error {
	if errors.Is(err, errAgain) {
		return nil
	}
	return err
}

func (s *slave) write(ctx context.Context, b []byte, nonblock bool) (total int, err error) {
	t := s.t
	if err := access(ctx, t, true); err != nil {
		return 0, err
	}
	for total < len(b) && err == nil {
		var n int
		n, err = t.wait(ctx, nonblock, func() (int, error) {
			n := 0
			switch {
			case t.hungUp:
				return 0, errIo
			case t.held:
				return 0, errAgain
			}
			for n < len(b)-total && len(t.out) < terminalBuffer {
				t.showLocked(b[total+n])
				n++
			}
			if n == 0 {
				return 0, errAgain
			}
			t.waiters.wake()
			return n, nil
		})
		total += n
	}
	return total, err
}

func (s *slave) poll(write bool, w *waiter) readiness {
	t := s.t
	t.mu.Lock()
	defer t.mu.Unlock()
	state := readiness{hangup: t.hungUp}
	if write {
		state.bytes = uint64(max(terminalBuffer-len(t.out), 0))
		state.ready = t.hungUp || state.bytes > 0 && !t.held
	} else {
		state.bytes = uint64(t.readableLocked())
		state.ready = t.hungUp || t.ended || len(t.lines) > 0 && int(state.bytes) >= t.leastLocked()
	}
	if !state.ready && w != nil {
		t.waiters.add(w)
	}
	return state
}

// master is an open description of the user's side, for a program in the user's place.
type master struct{ t *Terminal }

func (m *master) terminal() *Terminal     { return m.t }
func (m *master) fileType() fileType      { return typeCharacterDevice }
func (m *master) stat() (filestat, error) { return terminalStat(), nil }
func (m *master) close() error            { return m.t.Close() }
func (m *master) forget(w *waiter)        { m.t.forget(w) }

func (m *master) read(ctx context.Context, b []byte, nonblock bool) (int, error) {
	n, err := m.t.readMaster(ctx, b, nonblock)
	if err == io.EOF {
		err = errIo // as Linux has it, when the last slave is closed
	}
	return n, err
}

func (m *master) write(ctx context.Context, b []byte, nonblock bool) (int, error) {
	return m.t.writeMaster(ctx, b, nonblock)
}

func (m *master) poll(write bool, w *waiter) readiness {
	t := m.t
	t.mu.Lock()
	defer t.mu.Unlock()
	state := readiness{hangup: t.slaves == 0}
	if write {
		state.ready, state.bytes = t.roomLocked(), 1
	} else {
		state.ready, state.bytes = len(t.out) > 0 && !t.held || state.hangup, uint64(len(t.out))
	}
	if !state.ready && w != nil {
		t.waiters.add(w)
	}
	return state
}

// access asks the process's kernel, if it has one, whether it may use the terminal.
func access(ctx context.Context, t *Terminal, write bool) error {
	h := hostIn(ctx)
	if h == nil || h.kernel == nil {
		return nil
	}
	t.mu.Lock()
	free := write && t.attr.lflag&tostop == 0
	t.mu.Unlock()
	if free {
		return nil
	}
	return h.kernel.TerminalAccess(t, write)
}
