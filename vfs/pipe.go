package vfs

import (
	"context"
	"io"
	"io/fs"
	"sync"
)

// noWait, in the place of a context, has a call fail with ErrAgain rather than wait.
var noWait context.Context

const (
	pipeSize   = 64 << 10 // bytes that a pipe holds
	pipeAtomic = 4 << 10  // PIPE_BUF: a write of up to this many bytes is never split
)

// pipe is what all opens of a FIFO share: a bounded buffer, which lives as long as one of them.
type pipe struct {
	mu               sync.Mutex
	buf              []byte // a ring; made by the first write
	start, n         int    // n bytes wait at start
	closed           bool   // the tree is
	readers, writers int
	// readersEver and writersEver count all that ever opened: who waits for one is content with one that has gone.
	readersEver, writersEver uint64
	waiting                  map[*waker]struct{}
}

// waker is a call that waits for a change of a pipe.
type waker struct{ wake func() }

// unlock gives the mutex up and, after a change, wakes all who wait, each to look for itself. Preconditions: p.mu is held.
func (p *pipe) unlock(changed bool) {
	var woken map[*waker]struct{}
	if changed {
		woken, p.waiting = p.waiting, nil
	}
	p.mu.Unlock()
	for w := range woken {
		w.wake()
	}
}

// watch has wake called once, at the next change. Preconditions: p.mu is held.
func (p *pipe) watch(wake func()) *waker {
	if p.waiting == nil {
		p.waiting = map[*waker]struct{}{}
	}
	w := &waker{wake}
	p.waiting[w] = struct{}{}
	return w
}

func (p *pipe) forget(w *waker) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.waiting, w)
}

// await calls try, with p.mu held, until it answers other than ErrAgain or ctx ends. A nil ctx does not wait. try says
// whether it changed anything.
func (p *pipe) await(ctx context.Context, try func() (changed bool, err error)) error {
	for {
		p.mu.Lock()
		changed, err := try()
		if err != ErrAgain || ctx == noWait {
			p.unlock(changed)
			return err
		}
		ready := make(chan struct{})
		w := p.watch(func() { close(ready) })
		p.mu.Unlock()
		select {
		case <-ready:
		case <-ctx.Done():
			p.forget(w)
			return context.Cause(ctx)
		}
	}
}

// join counts an opener in. A reader who comes alone, and a writer, wait for the other side; with a nil ctx the reader
// goes on and the writer fails with ErrNoDevice.
func (p *pipe) join(ctx context.Context, read, write bool) error {
	p.mu.Lock()
	if write && !read && p.readers == 0 && ctx == noWait {
		p.mu.Unlock()
		return ErrNoDevice
	}
	readers, writers := p.readersEver, p.writersEver
	if read {
		p.readers++
		p.readersEver++
	}
	if write {
		p.writers++
		p.writersEver++
	}
	alone := read != write && (read && p.writers == 0 || write && p.readers == 0)
	p.unlock(true)
	if !alone || ctx == noWait {
		return nil
	}
	err := p.await(ctx, func() (bool, error) {
		if p.closed {
			return false, fs.ErrClosed
		}
		if read && p.writersEver == writers || write && p.readersEver == readers {
			return false, ErrAgain
		}
		return false, nil
	})
	if err != nil {
		p.leave(read, write)
	}
	return err
}

// leave counts an opener out.
func (p *pipe) leave(read, write bool) {
	p.mu.Lock()
	if read {
		p.readers--
	}
	if write {
		p.writers--
	}
	p.unlock(true)
}

// shut ends all calls on the pipe.
func (p *pipe) shut() {
	p.mu.Lock()
	p.closed, p.buf, p.n = true, nil, 0
	p.unlock(true)
}

// take reads what is there. Preconditions: p.mu is held.
func (p *pipe) take(b []byte) (int, error) {
	switch {
	case p.closed:
		return 0, fs.ErrClosed
	case len(b) == 0:
		return 0, nil
	case p.n == 0 && p.writers == 0:
		return 0, io.EOF
	case p.n == 0:
		return 0, ErrAgain
	}
	done := 0
	for done < len(b) && p.n > 0 {
		k := copy(b[done:], p.buf[p.start:min(p.start+p.n, pipeSize)])
		p.start = (p.start + k) % pipeSize
		p.n -= k
		done += k
	}
	return done, nil
}

// put writes what there is room for; all or nothing of a write that must not be split. Preconditions: p.mu is held.
func (p *pipe) put(b []byte, atomic bool) (int, error) {
	room := pipeSize - p.n
	switch {
	case p.closed:
		return 0, fs.ErrClosed
	case p.readers == 0:
		return 0, ErrBrokenPipe
	case len(b) == 0:
		return 0, nil
	case room == 0, atomic && room < len(b):
		return 0, ErrAgain
	}
	if p.buf == nil {
		p.buf = make([]byte, pipeSize)
	}
	b = b[:min(room, len(b))]
	for done := 0; done < len(b); {
		end := (p.start + p.n) % pipeSize
		k := copy(p.buf[end:min(end+pipeSize-p.n, pipeSize)], b[done:])
		p.n += k
		done += k
	}
	return len(b), nil
}
