package store

import (
	"fmt"
	"maps"
	"slices"

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

// batchBytes is how much content, packed, is held in memory for one transaction.
const batchBytes = 8 << 20

// keeper takes content that a transaction will refer to. What goes beyond batchBytes it writes ahead of that, in
// transactions of its own.
//
// Whoever has one holds Store.keeping for reading until the content is referred to: it must not be swept before.
type keeper struct {
	store  *Store
	packed map[digest][]byte
	size   int
}

func (s *Store) newKeeper() *keeper { return &keeper{store: s, packed: map[digest][]byte{}} }

// add takes a piece of content. The bytes are the caller's again.
func (k *keeper) add(d digest, data []byte) error {
	if k.packed[d] != nil {
		return nil
	}
	there := false
	err := k.store.db.View(func(tx *bbolt.Tx) error {
		there = tx.Bucket(bucketContent).Get(d[:]) != nil
		return nil
	})
	if err != nil || there {
		return err
	}
	packed := k.store.codec.pack(data)
	if k.size+len(packed) > batchBytes {
		if err := k.store.update(func(tx *bbolt.Tx) error { return k.put(tx, true) }); err != nil {
			return fmt.Errorf("keep content: %w", err)
		}
		clear(k.packed)
		k.size = 0
	}
	k.packed[d] = packed
	k.size += len(packed)
	return nil
}

// put writes what it holds. pending notes it for sweep, where what refers to it comes in another transaction.
func (k *keeper) put(tx *bbolt.Tx, pending bool) error {
	content := tx.Bucket(bucketContent)
	order := slices.SortedFunc(maps.Keys(k.packed), func(a, b digest) int { return slices.Compare(a[:], b[:]) })
	for _, d := range order {
		if content.Get(d[:]) != nil {
			continue // others had the same
		}
		if pending {
			if err := tx.Bucket(bucketPending).Put(d[:], nil); err != nil {
				return err
			}
		}
		if err := content.Put(d[:], k.packed[d]); err != nil {
			return err
		}
	}
	return nil
}
