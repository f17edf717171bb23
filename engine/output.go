package engine

import (
	"bytes"
	"io"
	"sync"
	"sync/atomic"
)

// outputMeter bounds what a process writes to its two streams together.
type outputMeter struct {
	max     int64
	written atomic.Int64 // bytes asked to be written, those cut off included
	stop    func(error)  // ends the process
}

// stream is one of a process's output streams: to the caller's writer, or kept.
type stream struct {
	meter *outputMeter
	w     io.Writer // nil: kept
	mu    sync.Mutex
	kept  bytes.Buffer
}

// Write passes on what the limit allows and ends the process at the first byte beyond it.
func (s *stream) Write(b []byte) (int, error) {
	over := s.meter.written.Add(int64(len(b))) - s.meter.max
	if over <= 0 {
		return s.pass(b)
	}
	n, err := s.pass(b[:max(0, int64(len(b))-over)])
	limit := &LimitError{Limit: LimitOutput, Max: s.meter.max}
	s.meter.stop(limit)
	if err == nil {
		err = limit
	}
	return n, err
}

func (s *stream) pass(b []byte) (int, error) {
	if s.w != nil {
		return s.w.Write(b)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.kept.Write(b)
}

func (s *stream) text() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.kept.String()
}
