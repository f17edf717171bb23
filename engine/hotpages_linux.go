//go:build linux && !belljar_plaincopy

package engine

import (
	"sync"
	"sync/atomic"
)

// hotPages learns which pages of an image every process writes. A new instance gets its own copies of them at once,
// instead of by a page fault each, of which every one interrupts all processors that run the same address space.
type hotPages struct {
	learned atomic.Pointer[[]pageRegion] // nil until enough is known

	mu   sync.Mutex
	runs int
	seen map[uint64]int // runs that wrote a page, by its offset
}

// hotRuns is how many runs have to agree.
const hotRuns = 4

func (h *hotPages) ranges() []pageRegion {
	if r := h.learned.Load(); r != nil {
		return *r
	}
	return nil
}

// learn takes note of what a run has written, as ascending ranges.
func (h *hotPages) learn(written []pageRegion) {
	if h.learned.Load() != nil {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.runs == hotRuns {
		return
	}
	if h.seen == nil {
		h.seen = map[uint64]int{}
	}
	h.runs++
	var common []pageRegion
	for _, r := range written {
		for page := r.start; page < r.end; page += imagePage {
			if h.seen[page]++; h.seen[page] < hotRuns {
				continue
			}
			if n := len(common); n > 0 && common[n-1].end == page {
				common[n-1].end += imagePage
			} else {
				common = append(common, pageRegion{start: page, end: page + imagePage})
			}
		}
	}
	if h.runs == hotRuns {
		h.learned.Store(&common)
		h.seen = nil
	}
}
