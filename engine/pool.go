package engine

import (
	"runtime"
	"sync"
)

// pool keeps instances that were used and can be used again at a fraction of a start's cost. They are reset beside what
// the sandbox does next, by a goroutine that ends when nothing is left to reset; who needs an instance before resets it
// itself.
type pool struct {
	image *memoryImage

	once    sync.Once
	globals []uint64 // what an instance's globals are reset to: the image's, or else those of the first instance

	mu        sync.Mutex
	idle      []*instance // the last one in is the first out: its pages are in the processor's cache
	used      []*instance // not reset yet
	resetting sync.WaitGroup
	resets    bool // resetUsed runs
	closed    bool
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

// maxIdle bounds what a pool keeps, beside the one that is being reset. More would never run at once.
func maxIdle() int { return 2 * runtime.GOMAXPROCS(0) }

// take answers an instance in its image's state, or nil when a new one has to be made.
func (pl *pool) take() *instance {
	for {
		in, fresh := pl.pop()
		if in == nil || fresh {
			return in
		}
		if in.reset() == nil {
			return in
		}
		in.close()
	}
}

// pop takes an instance out, and tells whether it is in its image's state.
func (pl *pool) pop() (in *instance, fresh bool) {
	pl.mu.Lock()
	defer pl.mu.Unlock()
	if fresh = len(pl.idle) > 0; fresh {
		return popLast(&pl.idle), true
	}
	return popLast(&pl.used), false
}

func popLast(list *[]*instance) *instance {
	n := len(*list)
	if n == 0 {
		return nil
	}
	in := (*list)[n-1]
	(*list)[n-1] = nil
	*list = (*list)[:n-1]
	return in
}

// put keeps an instance, whose guest ended well, or closes it.
func (pl *pool) put(in *instance) {
	pl.mu.Lock()
	keep := !pl.isFull()
	if keep {
		pl.used = append(pl.used, in)
		if !pl.resets {
			pl.resets = true
			pl.resetting.Go(pl.resetUsed)
		}
	}
	pl.mu.Unlock()
	if !keep {
		in.close()
	}
}

// resetUsed resets what was used until there is no more of it.
func (pl *pool) resetUsed() {
	for {
		pl.mu.Lock()
		in := popLast(&pl.used)
		pl.resets = in != nil
		pl.mu.Unlock()
		if in == nil {
			return
		}
		keep := in.reset() == nil
		pl.mu.Lock()
		if keep = keep && !pl.closed; keep {
			pl.idle = append(pl.idle, in)
		}
		pl.mu.Unlock()
		if !keep {
			in.close()
		}
	}
}

// isFull reports whether put would close what it is given.
func (pl *pool) isFull() bool { return pl.closed || len(pl.idle)+len(pl.used) >= maxIdle() }

func (pl *pool) close() {
	pl.mu.Lock()
	kept := append(pl.idle, pl.used...)
	pl.idle, pl.used, pl.closed = nil, nil, true
	pl.mu.Unlock()
	pl.resetting.Wait()
	for _, in := range kept {
		in.close()
	}
	pl.image.close()
}
