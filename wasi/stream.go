package wasi

import (
	"bytes"
	"context"
	"io"
	"strings"
	"sync"
)

// newInput makes the object that reads r as a process's standard input.
func newInput(r io.Reader) object {
	switch r := r.(type) {
	case nil:
		return &source{strings.NewReader("")}
	case *bytes.Reader, *strings.Reader, *bytes.Buffer:
		return &source{r}
	case *PipeReader:
		return r
	default:
		return &input{r: r}
	}
}

// newOutput makes the object that writes to w as a process's standard output.
func newOutput(w io.Writer) object {
	switch w := w.(type) {
	case nil:
		return &sink{io.Discard}
	case *PipeWriter:
		return w
	default:
		return &sink{w}
	}
}

// standard is one of the three standard streams: it stands for an object that can be
// changed. See Host.SetStreams.
type standard struct {
	kind Kind
	mu   sync.Mutex
	now  object
}

func newStandard(kind Kind, o object) *standard { return &standard{kind: kind, now: o} }

func (s *standard) get() object {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now
}

func (s *standard) set(o object) error {
	s.mu.Lock()
	old := s.now
	s.now = o
	s.mu.Unlock()
	return old.close()
}

func (s *standard) fileType() fileType      { return s.get().fileType() }
func (s *standard) stat() (filestat, error) { return s.get().stat() }
func (s *standard) close() error            { return s.get().close() }

func (s *standard) read(ctx context.Context, b []byte, nonblock bool) (int, error) {
	r, ok := s.get().(reader)
	if !ok {
		return 0, errBadf
	}
	return r.read(ctx, b, nonblock)
}

func (s *standard) write(ctx context.Context, b []byte, nonblock bool) (int, error) {
	w, ok := s.get().(writer)
	if !ok {
		return 0, errBadf
	}
	return w.write(ctx, b, nonblock)
}

func (s *standard) poll(w *waiter) readiness {
	if o, ok := s.get().(waitable); ok {
		return o.poll(w)
	}
	return readiness{ready: true, bytes: 1}
}

func (s *standard) forget(w *waiter) {
	if o, ok := s.get().(waitable); ok {
		o.forget(w)
	}
}

// source is a reader that never waits.
type source struct{ r io.Reader }

func (s *source) fileType() fileType      { return typeUnknown }
func (s *source) stat() (filestat, error) { return streamStat(), nil }
func (s *source) close() error            { return nil }

func (s *source) read(_ context.Context, b []byte, _ bool) (int, error) { return s.r.Read(b) }

// sink is the caller's writer. A Write that waits makes the process wait, and can't
// be interrupted: see Config.
type sink struct{ w io.Writer }

func (s *sink) fileType() fileType      { return typeUnknown }
func (s *sink) stat() (filestat, error) { return streamStat(), nil }

func (s *sink) close() error {
	if w, ok := s.w.(interface{ Released() }); ok {
		w.Released()
	}
	return nil
}

func (s *sink) write(_ context.Context, b []byte, _ bool) (int, error) {
	n, err := s.w.Write(b)
	if n < 0 || n > len(b) {
		return 0, errIo
	}
	if n < len(b) && err == nil {
		err = io.ErrShortWrite
	}
	return n, err
}

// streamStat is what is known of a stream: that it is there.
func streamStat() filestat { return filestat{typ: typeUnknown, nlink: 1} }
