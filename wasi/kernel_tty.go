package wasi

import (
	"context"
	"encoding/binary"
)

// Terminals is what a process's kernel knows of terminals.
type Terminals interface {
	// NewTerminal makes a terminal for the process to be the master of.
	NewTerminal() (*Terminal, error)
	// ControllingTerminal answers the terminal of the process's session, or nil.
	ControllingTerminal() *Terminal
	// ControlTerminal makes the terminal the session's, which the process leads.
	ControlTerminal(t *Terminal) error
	// TerminalAccess says whether the process may use the terminal now: one in the background gets a signal instead, and
	// the answer is ERESTART.
	TerminalAccess(t *Terminal, write bool) error
	// SetForeground puts a process group into the terminal's foreground.
	SetForeground(t *Terminal, pgid uint32) error
}

// terminal gives the terminal that fd is open on, or ENOTTY.
func (h *Host) terminal(fd uint32) (*Terminal, errno) {
	d, e := h.files.get(fd)
	if e != errSuccess {
		return nil, e
	}
	if o, ok := d.object.(interface{ terminal() *Terminal }); ok {
		return o.terminal(), errSuccess
	}
	return nil, errNotty
}

// openTerminal opens /dev/tty.
func (h *Host) openTerminal(o opening) (uint32, errno) {
	if h.kernel == nil {
		return 0, errNxio
	}
	t := h.kernel.ControllingTerminal()
	if t == nil {
		return 0, errNxio
	}
	readable, writable := o.base&rightFdRead != 0, o.base&rightFdWrite != 0
	return h.files.insert(descriptor{
		description: newDescription(newSlave(t), readable, writable, o.status),
		base:        o.base & (inputRights | outputRights), cloexec: o.cloexec,
	})
}

// tty_attr_get(fd) -> termios
func ttyAttrGet(_ context.Context, h *Host, mem memory, p []uint64) errno {
	t, e := h.terminal(uint32(p[0]))
	if e != errSuccess {
		return e
	}
	ret, e := mem.bytes(uint32(p[1]), sizeTermios)
	if e == errSuccess {
		t.mu.Lock()
		defer t.mu.Unlock()
		t.attr.encode(ret)
	}
	return e
}

// When tty_attr_set takes effect, and what tty_flush discards.
const (
	setDrain = 1
	setFlush = 2

	flushInput = 0
	flushBoth  = 2
)

// tty_attr_set(fd, when, termios)
func ttyAttrSet(ctx context.Context, h *Host, mem memory, p []uint64) errno {
	t, e := h.terminal(uint32(p[0]))
	if e != errSuccess {
		return e
	}
	b, e := mem.bytes(uint32(p[2]), sizeTermios)
	switch {
	case e != errSuccess:
		return e
	case uint32(p[1]) > setFlush:
		return errInval
	}
	if h.kernel != nil {
		if err := h.kernel.TerminalAccess(t, true); err != nil {
			return errnoOf(err)
		}
	}
	a := decodeTermios(b)
	if uint32(p[1]) >= setDrain {
		_, err := t.wait(ctx, false, func() (int, error) {
			if len(t.out) > 0 && !t.hungUp && !t.held {
				return 0, errAgain
			}
			return 0, nil
		})
		if err != nil {
			return errnoOf(err)
		}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if uint32(p[1]) == setFlush {
		t.lines, t.edit = nil, nil
	}
	t.setLocked(a)
	return errSuccess
}

// sizeWinsize is the size of a winsize: rows, columns, and both in pixels, each u16.
const sizeWinsize = 8

// tty_size_get(fd) -> winsize
func ttySizeGet(_ context.Context, h *Host, mem memory, p []uint64) errno {
	t, e := h.terminal(uint32(p[0]))
	if e != errSuccess {
		return e
	}
	ret, e := mem.bytes(uint32(p[1]), sizeWinsize)
	if e == errSuccess {
		t.mu.Lock()
		defer t.mu.Unlock()
		for i, n := range t.size {
			binary.LittleEndian.PutUint16(ret[2*i:], n)
		}
	}
	return e
}

// tty_size_set(fd, winsize)
func ttySizeSet(_ context.Context, h *Host, mem memory, p []uint64) errno {
	t, e := h.terminal(uint32(p[0]))
	if e != errSuccess {
		return e
	}
	b, e := mem.bytes(uint32(p[1]), sizeWinsize)
	if e == errSuccess {
		le := binary.LittleEndian
		t.resize([4]uint16{le.Uint16(b), le.Uint16(b[2:]), le.Uint16(b[4:]), le.Uint16(b[6:])})
	}
	return e
}

// tty_pgrp_get(fd) -> u32
func ttyPgrpGet(_ context.Context, h *Host, mem memory, p []uint64) errno {
	t, e := h.terminal(uint32(p[0]))
	switch {
	case e != errSuccess:
		return e
	case h.kernel == nil || h.kernel.ControllingTerminal() != t:
		return errNotty
	}
	_, foreground := t.Job()
	return mem.putUint32(uint32(p[1]), uint32(foreground))
}

// tty_pgrp_set(fd, pgid)
func ttyPgrpSet(_ context.Context, h *Host, _ memory, p []uint64) errno {
	t, e := h.terminal(uint32(p[0]))
	switch {
	case e != errSuccess:
		return e
	case h.kernel == nil || h.kernel.ControllingTerminal() != t:
		return errNotty
	case int32(p[1]) <= 0:
		return errInval
	}
	if err := h.kernel.TerminalAccess(t, true); err != nil {
		return errnoOf(err)
	}
	return errnoOf(h.kernel.SetForeground(t, uint32(p[1])))
}

// tty_control(fd)
func ttyControl(_ context.Context, h *Host, _ memory, p []uint64) errno {
	t, e := h.terminal(uint32(p[0]))
	switch {
	case e != errSuccess:
		return e
	case h.kernel == nil:
		return errNosys
	}
	return errnoOf(h.kernel.ControlTerminal(t))
}

// tty_flush(fd, which)
func ttyFlush(_ context.Context, h *Host, _ memory, p []uint64) errno {
	t, e := h.terminal(uint32(p[0]))
	which := uint32(p[1])
	switch {
	case e != errSuccess:
		return e
	case which > flushBoth:
		return errInval
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if which == flushInput || which == flushBoth {
		t.lines, t.edit = nil, nil
	}
	if which != flushInput {
		t.out = t.out[:0]
	}
	t.waiters.wake()
	return errSuccess
}

// tty_open_pty(flags) -> (fd, fd)
func ttyOpenPty(_ context.Context, h *Host, mem memory, p []uint64) errno {
	flags := uint32(p[0])
	if flags&^(makeCloexec|makeNonblock) != 0 {
		return errInval
	}
	out, e := mem.bytes(uint32(p[1]), 8)
	switch {
	case e != errSuccess:
		return e
	case h.kernel == nil:
		return errNosys
	}
	t, err := h.kernel.NewTerminal()
	if err != nil {
		return errnoOf(err)
	}
	var status fdFlags
	if flags&makeNonblock != 0 {
		status = flagNonblock
	}
	d := descriptor{base: inputRights | outputRights, cloexec: flags&makeCloexec != 0}
	for i, o := range [...]object{&master{t}, newSlave(t)} {
		d.description = newDescription(o, true, true, status)
		fd, e := h.files.insert(d)
		if e != errSuccess {
			if i == 1 {
				if old, e := h.files.remove(binary.LittleEndian.Uint32(out)); e == errSuccess {
					old.release() //nolint:errcheck // a terminal closes without an error
				}
			}
			return e
		}
		binary.LittleEndian.PutUint32(out[4*i:], fd)
	}
	return errSuccess
}
