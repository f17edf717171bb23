package wasi

import "context"

const (
	sizeTermios = 44
	sizeWinsize = 8
)

// terminal gives the terminal that fd is open on, or ENOTTY.
func (h *Host) terminal(fd uint32) (*Terminal, errno) {
	d, e := h.files.get(fd)
	if e != errSuccess {
		return nil, e
	}
	if t, ok := d.object.(interface{ terminal() *Terminal }); ok {
		return t.terminal(), errSuccess
	}
	return nil, errNotty
}

// tty_attr_get(fd) -> termios
func ttyAttrGet(_ context.Context, h *Host, mem memory, p []uint64) errno {
	_, e := h.terminal(uint32(p[0]))
	if e != errSuccess {
		return e
	}
	return mem.check(uint32(p[1]), sizeTermios)
}

// tty_attr_set(fd, when, termios)
func ttyAttrSet(_ context.Context, h *Host, mem memory, p []uint64) errno {
	_, e := h.terminal(uint32(p[0]))
	if e != errSuccess {
		return e
	}
	return mem.check(uint32(p[2]), sizeTermios)
}

// tty_size_get(fd) -> winsize
func ttySizeGet(_ context.Context, h *Host, mem memory, p []uint64) errno {
	_, e := h.terminal(uint32(p[0]))
	if e != errSuccess {
		return e
	}
	return mem.check(uint32(p[1]), sizeWinsize)
}

// tty_size_set(fd, winsize)
func ttySizeSet(_ context.Context, h *Host, mem memory, p []uint64) errno {
	_, e := h.terminal(uint32(p[0]))
	if e != errSuccess {
		return e
	}
	return mem.check(uint32(p[1]), sizeWinsize)
}

// tty_pgrp_get(fd) -> u32
func ttyPgrpGet(_ context.Context, h *Host, mem memory, p []uint64) errno {
	_, e := h.terminal(uint32(p[0]))
	if e != errSuccess {
		return e
	}
	return mem.check(uint32(p[1]), 4)
}

// tty_pgrp_set(fd, pgid)
func ttyPgrpSet(_ context.Context, h *Host, _ memory, p []uint64) errno {
	_, e := h.terminal(uint32(p[0]))
	return e
}

// tty_flush(fd, which)
func ttyFlush(_ context.Context, h *Host, _ memory, p []uint64) errno {
	_, e := h.terminal(uint32(p[0]))
	return e
}

// tty_open_pty(flags) -> (fd, fd)
func ttyOpenPty(_ context.Context, _ *Host, mem memory, p []uint64) errno {
	if e := mem.check(uint32(p[1]), 8); e != errSuccess {
		return e
	}
	return errNosys
}

// Terminal is a pseudo terminal.
type Terminal struct{}
