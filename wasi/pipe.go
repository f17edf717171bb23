package wasi

import (
	"context"
	"io"
	"io/fs"
	"slices"
	"sync"
	"sync/atomic"
)

const (
	pipeSize   = 64 << 10 // bytes a pipe holds
	pipeAtomic = 4 << 10  // PIPE_BUF: a write of up to this many bytes is never split

	// maxPipeMemory bounds what the pipes hold that a process and its children make: beyond it new ones hold
	// pipeAtomic, as on Linux.
	maxPipeMemory = 64 << 20
)

// pipeMemory counts the pipes of some processes, and what they can hold.
type pipeMemory struct {
	used atomic.Int64  // bytes
	made atomic.Uint64 // pipes so far
}

// newPipe makes a pipe that counts.
func (m *pipeMemory) newPipe() *pipe {
	p := &pipe{memory: m, size: pipeSize, number: m.made.Add(1)}
	if m.used.Add(pipeSize) > maxPipeMemory {
		m.used.Add(pipeAtomic - pipeSize)
		p.size = pipeAtomic
	}
	return p
}

// pipe is a bounded buffer of bytes between a writing and a reading end, with the
// semantics of POSIX pipes.
type pipe struct {
	memory *pipeMemory // counts size until both ends are closed; may be nil
	size   int         // bytes it holds
	number uint64      // its inode's: programs take two descriptors of one inode for the same file

	mu           sync.Mutex
	buf          []byte // a ring of size bytes; made by the first write
	start, n     int    // n bytes wait at start
	readerClosed bool
	writerClosed bool
	deaf         bool  // see stopReading
	failure      errno // see fail
	waiters      waitList
}

// NewPipe makes a pipe of 64 KiB in memory and gives its two ends. Either may be
// given in a [Config], which makes it the process's: it is closed with the
// process's last descriptor of it. The other end is for the caller, and is an
// ordinary reader or writer. Both are safe for concurrent use.
func NewPipe() (*PipeReader, *PipeWriter) {
	p := &pipe{size: pipeSize}
	return &PipeReader{p}, &PipeWriter{p}
}

// PipeReader is the reading end of a pipe. See [NewPipe].
type PipeReader struct{ p *pipe }

// PipeWriter is the writing end of a pipe. See [NewPipe].
type PipeWriter struct{ p *pipe }

// Read reads what is there, and waits while there is nothing. It returns io.EOF
// when the writing end is closed and everything was read, and fs.ErrClosed when
// the reading end itself is.
func (r *PipeReader) Read(b []byte) (int, error) { return r.read(context.Background(), b, false) }

// Close closes the reading end: writes get io.ErrClosedPipe from then on. It may be
// called again.
func (r *PipeReader) Close() error {
	r.p.closeReader()
	return nil
}

func (p *pipe) closeReader() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.readerClosed && p.writerClosed {
		p.uncount()
	}
	p.readerClosed = true
	p.buf, p.n = nil, 0
	p.waiters.wake()
}

// Write writes all of b, and waits while the pipe is full. It returns
// io.ErrClosedPipe when the reading end is closed, which a guest sees as EPIPE, and
// fs.ErrClosed when the writing end itself is. Up to 4,096 bytes arrive in one piece.
func (w *PipeWriter) Write(b []byte) (int, error) { return w.write(context.Background(), b, false) }

// Close closes the writing end: reads get io.EOF after what is in the pipe. It may
// be called again.
func (w *PipeWriter) Close() error {
	w.p.closeWriter()
	return nil
}

func (p *pipe) closeWriter() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.writerClosed && p.readerClosed {
		p.uncount()
	}
	p.writerClosed = true
	p.waiters.wake()
}

func (p *pipe) uncount() {
	if p.memory != nil {
		p.memory.used.Add(-int64(p.size))
	}
}

// stopReading makes reads find the end, and writes go nowhere, as shutdown does.
func (p *pipe) stopReading() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.deaf = true
	p.buf, p.n = nil, 0
	p.waiters.wake()
}

func (r *PipeReader) fileType() fileType { return typeUnknown }
func (w *PipeWriter) fileType() fileType { return typeUnknown }

func (r *PipeReader) stat() (filestat, error) { return r.p.stat(), nil }
func (w *PipeWriter) stat() (filestat, error) { return w.p.stat(), nil }

func (p *pipe) stat() filestat {
	st := streamStat()
	st.ino = p.number
	return st
}

func (r *PipeReader) close() error { return r.Close() }
func (w *PipeWriter) close() error { return w.Close() }

func (r *PipeReader) forget(w *waiter)       { r.p.forget(w) }
func (w *PipeWriter) forget(waiting *waiter) { w.p.forget(waiting) }

func (p *pipe) forget(w *waiter) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.waiters.remove(w)
}

func (r *PipeReader) read(ctx context.Context, b []byte, nonblock bool) (int, error) {
	n, err := r.p.read(b, nil)
	if err == errAgain && !nonblock {
		return block(ctx, r.forget, func(w *waiter) (int, error) { return r.p.read(b, w) })
	}
	return n, err
}

func (w *PipeWriter) write(ctx context.Context, b []byte, nonblock bool) (int, error) {
	atomic := len(b) <= pipeAtomic
	n, err := w.p.write(b, atomic, nil)
	for n < len(b) && !nonblock && (err == nil || err == errAgain) {
		var m int
		rest := b[n:]
		m, err = block(ctx, w.forget, func(waiting *waiter) (int, error) { return w.p.write(rest, atomic, waiting) })
		n += m
	}
	return n, err
}

// buffered gives a copy of what waits in the pipe.
func (p *pipe) buffered() []byte {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.n == 0 {
		return nil
	}
	first := p.buf[p.start:min(p.start+p.n, len(p.buf))]
	return slices.Concat(first, p.buf[:p.n-len(first)])
}

// read takes what is there, or answers errAgain and registers w if it isn't nil.
func (p *pipe) read(b []byte, w *waiter) (int, error) { return p.take(b, false, w) }

// take is read, which may leave what it gives in the pipe.
func (p *pipe) take(b []byte, leave bool, w *waiter) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.readerClosed:
		return 0, fs.ErrClosed
	case len(b) == 0:
		return 0, nil
	case p.n == 0 && p.failure != errSuccess && !p.deaf:
		e := p.failure
		p.failure = errSuccess
		return 0, e
	case p.n == 0 && (p.writerClosed || p.deaf):
		return 0, io.EOF
	case p.n == 0:
		if w != nil {
			p.waiters.add(w)
		}
		return 0, errAgain
	}
	if start, n := p.start, p.n; leave {
		defer func() { p.start, p.n = start, n }()
	}
	total := 0
	for total < len(b) && p.n > 0 {
		n := copy(b[total:], p.buf[p.start:min(p.start+p.n, len(p.buf))])
		p.start = (p.start + n) % len(p.buf)
		p.n -= n
		total += n
	}
	if !leave {
		p.waiters.wake()
	}
	return total, nil
}

// write puts in what there is room for, all or nothing if atomic, or answers
// errAgain and registers w if it isn't nil.
func (p *pipe) write(b []byte, atomic bool, w *waiter) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	room := p.size - p.n
	switch {
	case p.writerClosed:
		return 0, fs.ErrClosed
	case p.readerClosed:
		return 0, io.ErrClosedPipe
	case len(b) == 0 || p.deaf:
		return len(b), nil
	case room == 0, atomic && room < len(b):
		if w != nil {
			p.waiters.add(w)
		}
		return 0, errAgain
	}
	if p.buf == nil {
		p.buf = make([]byte, p.size)
	}
	b = b[:min(room, len(b))]
	total := 0
	for total < len(b) {
		end := (p.start + p.n) % p.size
		n := copy(p.buf[end:min(end+p.size-p.n, p.size)], b[total:])
		p.n += n
		total += n
	}
	p.waiters.wake()
	return total, nil
}

func (r *PipeReader) poll(_ bool, w *waiter) readiness { return r.p.pollRead(w) }

func (w *PipeWriter) poll(write bool, waiting *waiter) readiness {
	if write {
		return w.p.pollWrite(waiting)
	}
	return w.p.pollReader(waiting)
}

// pollReader tells of the reading end's close alone.
func (p *pipe) pollReader(w *waiter) readiness {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.readerClosed && w != nil {
		p.waiters.add(w)
	}
	return readiness{ready: p.readerClosed, hangup: p.readerClosed}
}

func (p *pipe) pollRead(w *waiter) readiness {
	p.mu.Lock()
	defer p.mu.Unlock()
	end := p.writerClosed || p.deaf
	state := readiness{ready: p.n > 0 || end, hangup: end, bytes: uint64(p.n)}
	if !state.ready && w != nil {
		p.waiters.add(w)
	}
	return state
}

func (p *pipe) pollWrite(w *waiter) readiness {
	p.mu.Lock()
	defer p.mu.Unlock()
	room := p.size - p.n
	state := readiness{ready: room >= pipeAtomic || p.readerClosed, hangup: p.readerClosed, bytes: uint64(room)}
	if !state.ready && w != nil {
		p.waiters.add(w)
	}
	return state
}
