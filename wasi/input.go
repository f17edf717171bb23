package wasi

import (
	"context"
	"errors"
	"io"
	"runtime/debug"
	"sync"
	"time"
)

const (
	inputSize    = 4 << 10  // bytes asked of a Reader at first: many processes wait for input that is a line
	maxInputSize = 32 << 10 // bytes asked once a Read has filled what it was given

	// inputGrace is how long poll gives a Read that it has just begun: programs ask
	// once, and without patience, whether there is input.
	inputGrace = 5 * time.Millisecond
)

// input reads standard input from any io.Reader, so that a Read that waits doesn't
// hold up the end of the process. Each Read runs in a goroutine of its own, one at a
// time and only when the guest asks, so that nothing is taken from the Reader that
// no guest wanted. The goroutine ends when that Read returns.
type input struct {
	r io.Reader

	mu      sync.Mutex
	buf     []byte        // where Read puts bytes; belongs to the goroutine while there is one
	data    []byte        // what the guest hasn't taken yet
	err     error         // what comes after data
	reading chan struct{} // closed when the goroutine ends; nil if there is none
	closed  bool
	waiters waitList
}

func (in *input) fileType() fileType      { return typeUnknown }
func (in *input) stat() (filestat, error) { return streamStat(), nil }

// deadlineReader is a reader whose Read can be interrupted, as *os.File and net.Conn.
type deadlineReader interface{ SetReadDeadline(time.Time) error }

// close interrupts a Read that waits, if the Reader allows that, and waits for it to
// end. Otherwise the goroutine lives until its Read returns.
func (in *input) close() error {
	in.mu.Lock()
	reading := in.reading
	in.closed = true
	in.waiters.wake()
	in.mu.Unlock()

	r, ok := in.r.(deadlineReader)
	if reading == nil || !ok || r.SetReadDeadline(time.Unix(1, 0)) != nil {
		return nil
	}
	<-reading
	return r.SetReadDeadline(time.Time{})
}

func (in *input) read(ctx context.Context, b []byte, nonblock bool) (int, error) {
	n, err := in.take(b, nil)
	if err == errAgain && !nonblock {
		n, err = block(ctx, in.forget, func(w *waiter) (int, error) { return in.take(b, w) })
	}
	var p *Panic
	if errors.As(err, &p) {
		panic(p)
	}
	return n, err
}

// take takes what is there, or starts a Read, registers w if it isn't nil, and
// answers errAgain.
func (in *input) take(b []byte, w *waiter) (int, error) {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.fillLocked(w) {
		return 0, errAgain
	}
	n := copy(b, in.data)
	in.data = in.data[n:]
	if len(in.data) > 0 || n > 0 {
		return n, nil
	}
	// The end of a terminal's input isn't final: the next read asks again.
	err := in.err
	in.err = nil
	return 0, err
}

// fillLocked says whether the guest must wait, and sees to it that a Read goes on
// then. Preconditions: in.mu is held.
func (in *input) fillLocked(w *waiter) bool {
	if len(in.data) > 0 || in.err != nil {
		return false
	}
	if in.closed {
		in.err = errBadf
		return false
	}
	if w != nil {
		in.waiters.add(w)
	}
	if in.reading == nil {
		in.reading = make(chan struct{})
		go in.fill(in.reading) // ends when its Read returns
	}
	return true
}

func (in *input) fill(done chan struct{}) {
	if in.buf == nil {
		in.buf = make([]byte, inputSize)
	}
	data, err := readSome(in.r, in.buf)
	if len(data) == inputSize {
		in.buf = make([]byte, maxInputSize) // data keeps the old one
	}
	in.mu.Lock()
	defer in.mu.Unlock()
	in.data, in.err = data, err
	in.reading = nil
	close(done)
	in.waiters.wake()
}

// readSome reads at least one byte, or gives an error. A panic of the Reader becomes
// one: on this goroutine it would end the whole program.
func readSome(r io.Reader, buf []byte) (data []byte, err error) {
	defer func() {
		if v := recover(); v != nil {
			data, err = nil, &Panic{Value: v, Stack: debug.Stack()}
		}
	}()
	for range 100 {
		n, err := r.Read(buf)
		if n > 0 || err != nil {
			return buf[:n], err
		}
	}
	return nil, io.ErrNoProgress
}

func (in *input) poll(_ bool, w *waiter) readiness {
	state, begun := in.ready(w)
	if begun == nil {
		return state
	}
	timer := time.NewTimer(inputGrace)
	defer timer.Stop()
	select {
	case <-begun:
	case <-timer.C:
	}
	state, _ = in.ready(w)
	return state
}

// ready says whether there is input, and gives the end of the Read it had to begin
// to learn that.
func (in *input) ready(w *waiter) (state readiness, begun <-chan struct{}) {
	in.mu.Lock()
	defer in.mu.Unlock()
	before := in.reading
	if !in.fillLocked(w) {
		return readiness{ready: true, hangup: len(in.data) == 0, bytes: uint64(len(in.data))}, nil
	}
	if before == nil {
		begun = in.reading
	}
	return readiness{}, begun
}

func (in *input) forget(w *waiter) {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.waiters.remove(w)
}
