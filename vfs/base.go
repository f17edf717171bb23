package vfs

import (
	"bytes"
	"io"
	"sync"
	"sync/atomic"
)

// base is content that a file was made with and that lies outside the tree. It never changes; clones share it.
type base interface {
	// piece returns what it has for chunk i, nil if that must be loaded first.
	piece(i int64) []byte
}

// static is a base in memory.
type static struct{ content []byte }

func (s *static) piece(i int64) []byte {
	lo := i * chunkSize
	return s.content[lo:min(lo+chunkSize, int64(len(s.content)))]
}

// layered is a base that is a file of a layer. It is read piece by piece, when it is first looked at, and what was read
// stays in memory.
type layered struct {
	layer *layer
	name  string
	size  int64

	mu     sync.Mutex // held while loading. No tree's mutex is.
	pieces atomic.Pointer[radix[chunk]]
}

func (l *layered) piece(i int64) []byte {
	pieces := l.pieces.Load()
	if pieces == nil {
		return nil
	}
	if c := pieces.get(uint64(i)); c != nil {
		return c.b
	}
	return nil
}

// ahead is how many chunks are loaded at once: opening a file may cost more than reading from it.
const ahead = 8

// load brings piece i into memory, and some that follow; if the layer's file can only be read whole, all of it.
func (l *layered) load(i int64) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.piece(i) != nil {
		return nil
	}
	s, err := l.layer.open(l.name, 0, 0, false)
	if err != nil {
		return err
	}
	defer s.Close()
	first, end := i, min(i+ahead, chunks(l.size))
	if _, whole := s.(*layerFile).at.(*bytes.Reader); whole {
		first, end = 0, chunks(l.size)
	}
	var pieces radix[chunk]
	if old := l.pieces.Load(); old != nil {
		pieces = *old
	}
	own := &owner{}
	for ; first < end; first++ {
		b := make([]byte, min(chunkSize, l.size-first*chunkSize))
		if n, err := s.ReadAt(b, first*chunkSize); n < len(b) {
			if err == nil || err == io.EOF {
				err = errNonsense // It said that it was longer.
			}
			return err
		}
		pieces.set(own, uint64(first), &chunk{own: own, b: b})
	}
	l.pieces.Store(&pieces)
	return nil
}

// absent is a piece of content that has to be loaded, with no lock held, before it can be looked at.
type absent struct {
	base *layered
	i    int64
}

func (a *absent) load() error { return a.base.load(a.i) }

// absent returns the first piece that is missing of those in which size bytes from off lie, nil if there is none.
// Preconditions: the tree's mutex is held; off >= 0.
func (n *inode) absent(off, size int64) *absent {
	if n.extra == nil {
		return nil
	}
	l, ok := n.extra.base.(*layered)
	if !ok {
		return nil
	}
	end := min(size, maxFileSize) + min(off, maxFileSize)
	for i := off / chunkSize; i < chunks(min(end, n.extra.shown)); i++ {
		if n.chunk(i) == nil && l.piece(i) == nil {
			return &absent{l, i}
		}
	}
	return nil
}

// fetch loads chunk i if it has to be. Preconditions: n can't change; no lock is held.
func (n *inode) fetch(i int64) error {
	if a := n.absent(i*chunkSize, chunkSize); a != nil {
		return a.load()
	}
	return nil
}
