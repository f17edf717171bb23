package wasi

import (
	"bytes"
	"context"
	"io"
	"strings"
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
	case *Terminal:
		return newSlave(r)
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
	case *Terminal:
		return newSlave(w)
	default:
		return &sink{w}
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
