package vfs

import (
	"context"
	"io/fs"
	"math"
	"sync/atomic"
)

// fifo is the handle of a FIFO. It has no offset.
type fifo struct {
	node
	p           *pipe
	read, write bool
	// met is the number of writers there had been when it was opened: until another comes, there is none to have hung up.
	met    uint64
	closed atomic.Bool
}

// Mkfifo makes a FIFO with the permission bits of perm, less the umask. What is written to a FIFO stays in memory until
// it is read: up to 64 KiB. Writes of up to 4,096 bytes are not split. In mounts it fails with ErrNotPermitted.
//
// No call without a context waits on a FIFO, so that a guest can't hold up the host with one: what would have to wait
// fails with ErrAgain, and opening for writing alone while nobody reads with ErrNoDevice. Dir.OpenContext,
// File.ReadContext and File.WriteContext wait.
func (d *Dir) Mkfifo(name string, perm fs.FileMode) error {
	return pathError("mkfifo", name, d.makeNode(name, perm&modeBits|fs.ModeNamedPipe, 0))
}

// Mksocket makes a node that stands for a Unix-domain socket: a name with permissions, which can't be opened
// (ErrNoDevice).
func (d *Dir) Mksocket(name string, perm fs.FileMode) error {
	return pathError("mksocket", name, d.makeNode(name, perm&modeBits|fs.ModeSocket, 0))
}

// Mkdevice makes a node that stands for a device of some system: a name with permissions and a number, which can't be
// opened (ErrNoDevice). The type in mode is fs.ModeDevice, with fs.ModeCharDevice for a character device. Only the
// superuser may (ErrNotPermitted). For devices that work there is Tree.AddDevice.
func (d *Dir) Mkdevice(name string, mode fs.FileMode, number uint32) error {
	err := error(ErrNotPermitted)
	switch typ := mode.Type(); {
	case typ != fs.ModeDevice && typ != deviceType:
		err = fs.ErrInvalid
	case d.t.user.super():
		err = d.makeNode(name, mode&(fs.ModeType|modeBits), number)
	}
	return pathError("mkdevice", name, err)
}

func (d *Dir) makeNode(name string, mode fs.FileMode, rdev uint32) error {
	now := d.t.now()
	f, err := d.find(name, followNever, true)
	if err != nil {
		return err
	}
	if m := f.owner(); m != nil {
		if f.there {
			return fs.ErrExist
		}
		return ErrNotPermitted
	}
	defer d.t.mu.Unlock()
	if !f.there && f.slash {
		return fs.ErrNotExist
	}
	n, err := d.t.create(f, mode&^d.t.user.Umask, now)
	if err == nil && rdev != 0 {
		n.extend().rdev = rdev
	}
	return err
}

// pipeOf returns the pipe of a FIFO that is open. Preconditions: t.mu is held exclusively.
func (t *core) pipeOf(ino uint64) *pipe {
	p := t.pipes[ino]
	if p == nil {
		p = &pipe{}
		if t.pipes == nil {
			t.pipes = map[uint64]*pipe{}
		}
		t.pipes[ino] = p
	}
	return p
}

// join waits for the other end, as opening does. When it fails, the handle is closed.
func (h *fifo) join(ctx context.Context) error {
	h.p.mu.Lock()
	h.met = h.p.writersEver
	h.p.mu.Unlock()
	err := h.p.join(ctx, h.read, h.write)
	if err != nil {
		h.node.close()
	}
	return err
}

// ReadContext is Read, but waits while a FIFO has writers and is empty. When ctx ends first, it fails with its cause.
func (f *File) ReadContext(ctx context.Context, p []byte) (int, error) {
	if h, ok := f.h.(*fifo); ok {
		return f.readFIFO(ctx, h, p)
	}
	return f.Read(p)
}

// WriteContext is Write, but waits while a FIFO is full. When ctx ends first, it returns how much was written with its
// cause.
func (f *File) WriteContext(ctx context.Context, p []byte) (int, error) {
	if h, ok := f.h.(*fifo); ok {
		return f.writeFIFO(ctx, h, p)
	}
	return f.Write(p)
}

func (f *File) isFIFO() bool {
	_, ok := f.h.(*fifo)
	return ok
}

func (f *File) readFIFO(ctx context.Context, h *fifo, p []byte) (int, error) {
	err := f.check(true, false)
	n := 0
	if err == nil {
		n, err = h.readContext(ctx, p)
	}
	return n, f.fail("read", err)
}

func (f *File) writeFIFO(ctx context.Context, h *fifo, p []byte) (int, error) {
	err := f.check(false, true)
	n := 0
	if err == nil {
		n, err = h.writeContext(ctx, p)
	}
	return n, f.fail("write", err)
}

func (h *fifo) readContext(ctx context.Context, b []byte) (n int, err error) {
	err = h.p.await(ctx, func() (bool, error) {
		if h.closed.Load() {
			return false, fs.ErrClosed
		}
		var err error
		n, err = h.p.take(b)
		return n > 0, err
	})
	return n, err
}

func (h *fifo) writeContext(ctx context.Context, b []byte) (done int, err error) {
	atomic := len(b) <= pipeAtomic
	for {
		err = h.p.await(ctx, func() (bool, error) {
			if h.closed.Load() {
				return false, fs.ErrClosed
			}
			n, err := h.p.put(b[done:], atomic)
			done += n
			return n > 0, err
		})
		if err != nil || done == len(b) {
			return done, err
		}
	}
}

func (h *fifo) readAt(p []byte, _ int64) (int, error)  { return h.readContext(noWait, p) }
func (h *fifo) writeAt(p []byte, _ int64) (int, error) { return h.writeContext(noWait, p) }

func (h *fifo) append(p []byte) (int, int64, error) {
	n, err := h.writeContext(noWait, p)
	return n, 0, err
}

func (h *fifo) truncate(int64) error        { return fs.ErrInvalid }
func (h *fifo) allocate(int64, int64) error { return ErrNotSeekable }

func (h *fifo) close() error {
	h.closed.Store(true)
	h.p.leave(h.read, h.write)
	return h.node.close()
}

// Readiness is what a File can do without waiting.
type Readiness struct {
	Readable, Writable bool
	// Hangup says that the other side has gone: reads will find the end, writes fail.
	Hangup bool
	// Bytes is how much there is to read, of a FIFO or a file.
	Bytes int64
}

// Poll returns what the File can do now. If it is a FIFO, wake is called once when that may have changed, unless stop is
// called before; every other file can always be read and written. wake may be called from any goroutine and must not
// block; a nil wake is not called.
func (f *File) Poll(wake func()) (r Readiness, stop func(), err error) {
	if err := f.check(false, false); err != nil {
		return r, nil, f.fail("poll", err)
	}
	if h, ok := f.h.(*fifo); ok {
		r, stop = h.poll(wake)
		return r, stop, nil
	}
	i, err := f.Info()
	if err != nil {
		return r, nil, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	left := max(0, i.size-f.off)
	return Readiness{Readable: f.read, Writable: f.write, Bytes: min(left, math.MaxInt32)}, func() {}, nil
}

func (h *fifo) poll(wake func()) (r Readiness, stop func()) {
	p := h.p
	p.mu.Lock()
	defer p.mu.Unlock()
	if h.read {
		r.Bytes = int64(p.n)
		r.Hangup = p.writers == 0 && p.writersEver != h.met
		r.Readable = p.n > 0 || r.Hangup
	}
	if h.write {
		gone := p.readers == 0
		r.Writable = pipeSize-p.n >= pipeAtomic || gone
		r.Hangup = r.Hangup || gone
	}
	if wake == nil {
		return r, func() {}
	}
	w := p.watch(wake)
	return r, func() { p.forget(w) }
}
