package engine

import (
	"context"
	"runtime"
	"sync"
)

// pool keeps instances that were used, reset, and can be used again at a fraction of a start's cost.
type pool struct {
	image *memoryImage

	once    sync.Once
	globals []uint64 // what an instance's globals are reset to: the image's, or else those of the first instance

	mu     sync.Mutex
	idle   []*instance // the last one in is the first out: its pages are in the processor's cache
	closed bool
}

func newPool(im *memoryImage) *pool { return &pool{image: im} }

// begin brings a new instance's globals into the image's state, in which they already are if the image has none.
func (pl *pool) begin(in *instance) {
	pl.once.Do(func() {
		if pl.globals = pl.image.globals; len(pl.globals) == 0 {
			pl.globals = in.readGlobals()
		}
	})
	in.setGlobals()
}

// maxIdle bounds what a pool keeps. More would never run at once.
func maxIdle() int { return 2 * runtime.GOMAXPROCS(0) }

// take answers an instance in its image's state, or nil when a new one has to be made.
func (pl *pool) take() *instance {
	pl.mu.Lock()
	defer pl.mu.Unlock()
	n := len(pl.idle)
	if n == 0 {
		return nil
	}
	in := pl.idle[n-1]
	pl.idle[n-1] = nil
	pl.idle = pl.idle[:n-1]
	return in
}

// put keeps a reset instance or closes it.
func (pl *pool) put(in *instance) {
	pl.mu.Lock()
	keep := !pl.closed && len(pl.idle) < maxIdle()
	if keep {
		pl.idle = append(pl.idle, in)
	}
	pl.mu.Unlock()
	if !keep {
		in.close()
	}
}

// full reports whether put would close what it is given, so that a reset would be wasted.
func (pl *pool) full() bool {
	pl.mu.Lock()
	defer pl.mu.Unlock()
	return pl.closed || len(pl.idle) >= maxIdle()
}

func (pl *pool) close() {
	pl.mu.Lock()
	idle := pl.idle
	pl.idle, pl.closed = nil, true
	pl.mu.Unlock()
	for _, in := range idle {
		_ = in.module.Close(context.Background())
	}
	pl.image.close()
}
