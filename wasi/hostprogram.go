package wasi

import (
	"context"
	"errors"
	"io"
	"io/fs"
)

// A process's program may be the host's own code rather than a guest. What it does with its descriptors goes through
// the methods of this file, which act as the host functions of the same names do.

// Read reads from descriptor fd as fd_read does, and waits even where the descriptor is not to. ctx is the process's,
// as Bind gives it. The end is io.EOF; a descriptor that isn't open, or not for reading, is fs.ErrClosed; after ctx's end
// the error is its cause. Several goroutines may call it at once.
func (h *Host) Read(ctx context.Context, fd uint32, b []byte) (int, error) {
	_, r, e := h.readable(fd)
	if e != errSuccess {
		return 0, programError(e)
	}
	return h.transfer(ctx, b, r.read)
}

// Write writes all of b to descriptor fd as fd_write does; see Read. Where nobody can read any more the process gets
// SIGPIPE, and the error is io.ErrClosedPipe.
func (h *Host) Write(ctx context.Context, fd uint32, b []byte) (total int, err error) {
	_, w, e := h.writable(fd)
	if e != errSuccess {
		return 0, programError(e)
	}
	for total < len(b) && err == nil {
		var n int
		n, err = h.transfer(ctx, b[total:], w.write)
		total += n
	}
	if err != nil && h.brokenPipe(errnoOf(err)) == errPipe {
		err = io.ErrClosedPipe
	}
	return total, err
}

// transfer moves bytes, and lets signals be delivered that come meanwhile.
func (h *Host) transfer(ctx context.Context, b []byte, move mover) (int, error) {
	for {
		n, err := attempt(func() (int, error) { return move(ctx, b, false) })
		if serr := h.Attend(ctx); serr != nil {
			return n, serr
		}
		switch {
		case n > 0 && err != io.EOF && isInterruption(err):
			return n, nil
		case isInterruption(err):
			continue
		}
		return n, programError(err)
	}
}

func isInterruption(err error) bool { return errors.Is(err, errRestart) || errors.Is(err, errIntr) }

// Attend does what the process's signals ask for, as after a host function: it waits while the process is stopped. The
// error is the cause of the process's end.
func (h *Host) Attend(ctx context.Context) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if h.signals == nil || !h.signals.Pending() {
		return nil
	}
	h.attending.Lock()
	defer h.attending.Unlock()
	_, err := attempt(func() (int, error) {
		h.signals.Deliver(ctx)
		return 0, nil
	})
	return err
}

// attempt makes errors of the panics by which the end of a process leaves host functions.
func attempt(f func() (int, error)) (n int, err error) {
	defer func() {
		switch r := recover().(type) {
		case nil:
		case *Canceled:
			err = r.Cause
		default:
			panic(r)
		}
	}()
	return f()
}

// programError gives an error as Go programs know it.
func programError(err error) error {
	if errors.Is(err, errBadf) || errors.Is(err, errNotcapable) {
		return fs.ErrClosed
	}
	return err
}

// TerminalSize answers the size in characters of the terminal that descriptor fd is open on, and whether there is one.
func (h *Host) TerminalSize(fd uint32) (rows, cols uint16, ok bool) {
	t, e := h.terminal(fd)
	if e != errSuccess {
		return 0, 0, false
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.size[0], t.size[1], true
}

// Umask is what is taken from the permission bits of what the process makes.
func (h *Host) Umask() fs.FileMode { return fs.FileMode(h.umask) }

// SetUmask sets what Umask answers. No guest may be running on h.
func (h *Host) SetUmask(mask fs.FileMode) { h.umask = uint32(mask & fs.ModePerm) }

// SetInput makes descriptor fd one that reads r, as Config.Stdin. No guest may be running on h.
func (h *Host) SetInput(fd uint32, r io.Reader) error {
	return h.put(fd, descriptor{description: newDescription(newInput(r), true, false, 0), base: inputRights})
}

// SetOutput makes descriptor fd one that writes to w, as Config.Stdout. No guest may be running on h.
func (h *Host) SetOutput(fd uint32, w io.Writer) error {
	return h.put(fd, descriptor{description: newDescription(newOutput(w), false, true, 0), base: outputRights})
}

func (h *Host) put(fd uint32, d descriptor) error {
	old, e := h.files.replace(fd, d)
	if e != errSuccess {
		return programError(e)
	}
	if old != nil {
		return h.let(old)
	}
	return nil
}
