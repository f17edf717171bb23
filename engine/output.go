package engine

import (
	"bytes"
	"io"
	"sync"
	"sync/atomic"
)

// outputMeter bounds what a run's processes write to its two streams together.
type outputMeter struct {
	max      int64
	written  atomic.Int64  // bytes asked to be written, those cut off included
	stop     func(error)   // ends the run
	released chan struct{} // closed when no process can write any more
	mu       sync.Mutex    // held during a Write, so that the caller's writers get one at a time
	closed   bool          // what is written is dropped
	held     int           // streams that processes can write to
}

// stream is one of a run's output streams: to the caller's writer, or kept.
type stream struct {
	meter *outputMeter
	w     io.Writer    // nil: kept; under meter.mu
	kept  bytes.Buffer // under meter.mu
}

func (m *outputMeter) open(max int64, stop func(error), streams ...*stream) {
	m.max, m.stop, m.held = max, stop, len(streams)
	m.released = make(chan struct{})
	for _, s := range streams {
		s.meter = m
	}
}

// close drops what is written from now on. It waits for the Write that goes on.
func (m *outputMeter) close() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.closed = true
}

// Write passes on what the limit allows and ends the run at the first byte beyond it.
func (s *stream) Write(b []byte) (int, error) {
	m := s.meter
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return len(b), nil
	}
	over := m.written.Add(int64(len(b))) - m.max
	if over <= 0 {
		return s.passLocked(b)
	}
	n, err := s.passLocked(b[:max(0, int64(len(b))-over)])
	limit := &LimitError{Limit: LimitOutput, Max: m.max}
	m.stop(limit)
	if err == nil {
		err = limit
	}
	return n, err
}

func (s *stream) passLocked(b []byte) (int, error) {
	if s.w != nil {
		return s.w.Write(b)
	}
	return s.kept.Write(b)
}

// Released is called when the last descriptor of the stream is closed.
func (s *stream) Released() {
	m := s.meter
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.held--; m.held == 0 {
		close(m.released)
	}
}

func (s *stream) text() string {
	s.meter.mu.Lock()
	defer s.meter.mu.Unlock()
	return s.kept.String()
}
