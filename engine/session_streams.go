package engine

import (
	"bufio"
	"errors"
	"io"
	"sync"
	"time"

	"github.com/belljar-dev/belljar/wasi"
)

// cellOutput is the interpreter's standard output or error: that of the cell that runs. Processes that a cell has left
// behind write to the next one's.
type cellOutput struct {
	life *residence
	err  bool
}

func (o cellOutput) Write(b []byte) (int, error) {
	r := o.life.run.Load()
	switch {
	case r == nil:
		return len(b), nil
	case o.err:
		return r.stderr.Write(b)
	}
	return r.stdout.Write(b)
}

// cellInput is the interpreter's standard input: that of the cell that runs. A Read that waits when a cell ends goes on
// with the next one's.
type cellInput struct {
	mu      sync.Mutex
	source  *cellSource   // nil between cells
	changed chan struct{} // closed when source changes
	closed  bool
}

func newCellInput() *cellInput { return &cellInput{changed: make(chan struct{})} }

func (in *cellInput) set(source *cellSource) {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.source = source
	close(in.changed)
	in.changed = make(chan struct{})
}

// close ends a Read that waits.
func (in *cellInput) close() {
	in.mu.Lock()
	in.closed = true
	in.mu.Unlock()
	in.set(nil)
}

func (in *cellInput) Read(b []byte) (int, error) {
	for {
		in.mu.Lock()
		source, changed, closed := in.source, in.changed, in.closed
		in.mu.Unlock()
		switch {
		case closed:
			return 0, io.EOF
		case source == nil:
			<-changed
		default:
			if n, err := source.read(b, changed); err != errCellEnded {
				return n, err
			}
		}
	}
}

// errCellEnded ends a wait for a cell's input.
var errCellEnded = errors.New("the cell has ended")

// cellSource is one cell's input. Only one goroutine at a time reads it.
type cellSource struct {
	r       *bufio.Reader // nil: empty
	reading chan struct{} // of a Read that goes on, closed at its end; nil: there is none
	data    []byte        // what it gave and nobody has taken
	err     error         // what came after that
}

func newCellSource(r io.Reader) *cellSource {
	if r == nil {
		return &cellSource{}
	}
	return &cellSource{r: bufio.NewReader(r)}
}

// read gives no more than a line at a time, as a terminal does, so that a cell takes no more input than it reads.
func (s *cellSource) read(b []byte, ended <-chan struct{}) (int, error) {
	if s.r == nil {
		return 0, io.EOF
	}
	if s.reading == nil && len(s.data) == 0 && s.err == nil {
		s.reading = make(chan struct{})
		go s.fill(s.reading) // ends when the caller's Reader returns
	}
	if s.reading != nil {
		select {
		case <-s.reading:
			s.reading = nil
		case <-ended:
			return 0, errCellEnded
		}
	}
	n := copy(b, s.data)
	s.data = s.data[n:]
	if n > 0 || len(s.data) > 0 {
		return n, nil
	}
	err := s.err
	s.err = nil // the end of a terminal's input isn't final
	return 0, err
}

func (s *cellSource) fill(done chan struct{}) {
	defer close(done)
	s.data, s.err = s.r.ReadSlice('\n')
	if errors.Is(s.err, bufio.ErrBufferFull) {
		s.err = nil
	}
}

// cellClock is the time of a process that lives through many cells, of which only these count. It implements
// wasi.Clock.
type cellClock struct {
	wasi.Clock
	life *residence
}

func (c cellClock) CPU() time.Duration {
	if _, replay := c.Clock.(replayProcessClock); replay {
		return c.Clock.CPU()
	}
	return c.life.cpu + time.Since(c.life.began)
}

// Sync is the clock's beneath, if it has one.
func (c cellClock) Sync() {
	if s, ok := c.Clock.(interface{ Sync() }); ok {
		s.Sync()
	}
}
