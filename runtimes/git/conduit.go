package git

import (
	"io"
	"sync"
)

// maxConduit is what a conduit holds, in bytes: no less than a pipe of Linux's. git's commands count on that they can
// write a little while the other side doesn't read.
const maxConduit = 256 << 10

// conduit is a pipe with a buffer. It is safe for concurrent use.
type conduit struct {
	mu      sync.Mutex
	changed sync.Cond
	held    []byte
	ended   bool // nobody writes any more
	shut    bool // nobody reads any more
}

func newConduit() *conduit {
	c := &conduit{}
	c.changed.L = &c.mu
	return c
}

// Read implements io.Reader. It waits for a byte or the end.
func (c *conduit) Read(b []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for len(c.held) == 0 && !c.ended && !c.shut {
		c.changed.Wait()
	}
	if len(c.held) == 0 || c.shut {
		return 0, io.EOF
	}
	n := copy(b, c.held)
	c.held = c.held[n:]
	c.changed.Broadcast()
	return n, nil
}

// Write implements io.Writer. It waits for room; when nobody reads it answers io.ErrClosedPipe.
func (c *conduit) Write(b []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := 0
	for n < len(b) {
		for len(c.held) >= maxConduit && !c.shut {
			c.changed.Wait()
		}
		if c.shut || c.ended {
			return n, io.ErrClosedPipe
		}
		fits := min(len(b)-n, maxConduit-len(c.held))
		c.held = append(c.held, b[n:n+fits]...)
		n += fits
		c.changed.Broadcast()
	}
	return n, nil
}

// end says that nothing more is written; what is held can be read.
func (c *conduit) end() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ended = true
	c.changed.Broadcast()
}

// close says that nothing more is read.
func (c *conduit) close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.shut = true
	c.changed.Broadcast()
}
