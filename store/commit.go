package store

import (
	"fmt"
	"maps"
	"slices"

	"github.com/belljar-dev/belljar/vfs"
	"go.etcd.io/bbolt"
)

// commit is one caller's part of a transaction.
type commit struct {
	apply func(*bbolt.Tx) error // may be called more than once, each time in a transaction of its own
	done  chan error
}

// maxGroup bounds how many commits share a transaction.
const maxGroup = 256

// commitLoop writes what callers bring, all that waits in one transaction: one flush to disk serves them all. It ends when
// s.commits is closed.
func (s *Store) commitLoop() {
	for first := range s.commits {
		group := []*commit{first}
		for len(group) < maxGroup {
			select {
			case c, ok := <-s.commits:
				if ok {
					group = append(group, c)
					continue
				}
			default:
			}
			break
		}
		s.commitGroup(group)
	}
}

// commitGroup commits all of a group, or, where that fails, each alone, so that nobody pays for another's error.
func (s *Store) commitGroup(group []*commit) {
	err := s.db.Update(func(tx *bbolt.Tx) error {
		for _, c := range group {
			if err := c.apply(tx); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil && len(group) > 1 {
		for _, c := range group {
			c.done <- s.db.Update(c.apply)
		}
		return
	}
	for _, c := range group {
		c.done <- err
	}
}

// update runs apply in a transaction and returns when it is on disk.
func (s *Store) update(apply func(*bbolt.Tx) error) error {
	c := &commit{apply: apply, done: make(chan error, 1)}
	s.closing.RLock()
	if s.closed {
		s.closing.RUnlock()
		return ErrClosed
	}
	s.commits <- c
	s.closing.RUnlock()
	return <-c.done
}

// batchBytes is how much content one transaction takes: it holds all of it in memory.
const batchBytes = 8 << 20

// keep keeps pieces of content, which are to be referred to in a later transaction: that has to call the function that
// keep answers before it refers to them. Little content is left to that one transaction altogether.
func (s *Store) keep(pieces map[digest][]byte) (func(*bbolt.Tx) error, error) {
	order := slices.SortedFunc(maps.Keys(pieces), func(a, b digest) int { return slices.Compare(a[:], b[:]) })
	putAll := func(tx *bbolt.Tx, list []digest, pending bool) error {
		for _, d := range list {
			if tx.Bucket(bucketContent).Get(d[:]) != nil {
				continue
			}
			if err := put(tx, d, s.codec.pack(pieces[d]), pending); err != nil {
				return err
			}
		}
		return nil
	}
	rest := order
	for len(rest)*int(vfs.ChunkSize) > batchBytes {
		batch := rest[:min(len(rest), batchBytes/vfs.ChunkSize)]
		if err := s.update(func(tx *bbolt.Tx) error { return putAll(tx, batch, true) }); err != nil {
			return nil, fmt.Errorf("keep content: %w", err)
		}
		rest = rest[len(batch):]
	}
	// All of them again: what was kept meanwhile, by others, may have lost its last reference, and gone.
	return func(tx *bbolt.Tx) error { return putAll(tx, order, false) }, nil
}
