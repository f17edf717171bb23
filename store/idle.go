package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/belljar-dev/belljar/engine"
	"go.etcd.io/bbolt"
)

// mostIdleWait bounds how long a sandbox may wait to be frozen, or deleted, after its time.
const mostIdleWait = 30 * time.Second

// idleLoop freezes sandboxes that nobody uses, and deletes those whose time is over. It ends when s.stop is closed.
func (s *Store) idleLoop() {
	every := mostIdleWait
	if s.cfg.IdleStop > 0 {
		every = min(every, max(s.cfg.IdleStop/4, time.Millisecond))
	}
	t := time.NewTicker(every)
	defer t.Stop()
	for {
		select {
		case <-s.stop:
			return
		case <-t.C:
		}
		s.freezeIdle()
		if err := s.DeleteExpired(); err != nil && !errors.Is(err, ErrClosed) {
			s.cfg.Logger.Warn("delete expired sandboxes", "error", err)
		}
		if err := s.sweep(); err != nil && !errors.Is(err, ErrClosed) {
			s.cfg.Logger.Warn("sweep", "error", err)
		}
	}
}

func (s *Store) freezeIdle() {
	if s.cfg.IdleStop < 0 {
		return
	}
	for _, b := range s.used() {
		if err := b.freezeAfter(s.cfg.IdleStop); err != nil {
			s.cfg.Logger.Warn("freeze idle sandbox", "name", b.record.Load().Name, "error", err)
		}
	}
}

func (s *Store) used() []*box {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := make([]*box, 0, len(s.boxes))
	for _, b := range s.boxes {
		list = append(list, b)
	}
	return list
}

// freezeAfter freezes the sandbox if it was left alone for so long: nobody uses it, and nothing runs in it.
func (b *box) freezeAfter(idle time.Duration) error {
	if !b.mu.TryLock() {
		return nil // in use
	}
	defer b.mu.Unlock()
	if b.sandbox == nil || b.users > 0 || time.Since(b.since) < idle || b.sandbox.Running() > 0 {
		return nil
	}
	return b.freeze()
}

// Freeze writes a sandbox's files and the memory of its sessions to disk and ends it in memory, as is done with idle
// ones. It waits for no user: with any, or where a session runs a cell, it fails with engine.ErrBusy, and the sandbox
// lives on.
func (s *Store) Freeze(name string) error {
	b, err := s.box(name)
	if err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case b.sandbox == nil:
		return nil
	case b.users > 0:
		return fmt.Errorf("freeze sandbox %q: %w", name, engine.ErrBusy)
	}
	return b.freeze()
}

// freeze saves everything and closes the sandbox. Where that can't be saved, it lives on. Preconditions: b.mu is held,
// nobody uses the sandbox.
func (b *box) freeze() error {
	name := b.record.Load().Name
	snapshot, err := b.sandbox.Snapshot(context.Background()) // waits for nothing
	if err != nil {
		return fmt.Errorf("freeze sandbox %q: %w", name, err)
	}
	defer snapshot.Close()
	b.saving.Lock()
	err = b.saveAll(snapshot, nil)
	b.saving.Unlock() // the end of the sandbox waits for programs in it, which may wait for their files to be saved
	if err != nil {
		return fmt.Errorf("freeze sandbox %q: %w", name, err)
	}
	if err := b.sandbox.Close(); err != nil {
		b.store.cfg.Logger.Warn("close sandbox", "name", name, "error", err)
	}
	b.forget()
	return nil
}

// forget lets go of a sandbox that is closed. Preconditions: b.mu is held, b.saving is not.
func (b *box) forget() {
	b.saving.Lock()
	defer b.saving.Unlock()
	if b.saved != nil {
		_ = b.saved.Close()
	}
	b.sandbox, b.saved = nil, nil
	b.alive.Store(false)
}

// end freezes the sandbox for good, when the store is closed. Processes that run in it are ended, and so are sessions
// that run a cell.
func (b *box) end() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.sandbox == nil {
		return nil
	}
	err := b.freeze()
	if !errors.Is(err, engine.ErrBusy) {
		return err
	}
	name, log := b.record.Load().Name, b.store.cfg.Logger
	for _, s := range b.sandbox.Sessions() {
		if s.State() == engine.SessionBusy {
			log.Warn("session is lost", "sandbox", name, "session", s.Name(), "error", err)
			_ = s.Close() // which the freeze to come waits for
		}
	}
	if err = b.freeze(); err != nil {
		err = errors.Join(err, b.save(b.sandbox)) // the files at least
	}
	return err
}

// DeleteExpired deletes the sandboxes that were not used for as long as their Options.DeleteAfter. It is done from time to
// time by itself. A clock that was set back deletes nothing.
func (s *Store) DeleteExpired() error {
	var expired []string
	now := s.cfg.Now()
	err := s.view(func(tx *bbolt.Tx) error {
		return tx.Bucket(bucketBoxes).ForEach(func(_, v []byte) error {
			r, err := decodeRecord(v)
			if err == nil && r.DeleteAfter > 0 && now.Sub(r.Used) > r.DeleteAfter {
				expired = append(expired, r.Name)
			}
			return err
		})
	})
	if err != nil {
		return fmt.Errorf("look for expired sandboxes: %w", err)
	}
	for _, name := range expired {
		if err := s.removeIdle(name); err != nil && !errors.Is(err, ErrNotFound) {
			return err
		}
	}
	return nil
}

// removeIdle removes a sandbox unless somebody uses it.
func (s *Store) removeIdle(name string) error {
	b, err := s.box(name)
	if err != nil {
		return err
	}
	b.mu.Lock()
	busy := b.users > 0 || b.sandbox != nil && b.sandbox.Running() > 0
	b.mu.Unlock()
	if busy {
		return nil
	}
	return s.Remove(name)
}

func (s *Store) view(f func(*bbolt.Tx) error) error {
	if s.ended() {
		return ErrClosed
	}
	return s.db.View(f)
}

func (s *Store) ended() bool {
	s.closing.RLock()
	defer s.closing.RUnlock()
	return s.closed
}

// sweep deletes content that nothing refers to, if there is any.
func (s *Store) sweep() error {
	some := false
	err := s.view(func(tx *bbolt.Tx) error {
		k, _ := tx.Bucket(bucketPending).Cursor().First()
		some = k != nil
		return nil
	})
	if err != nil || !some {
		return err
	}
	s.keeping.Lock()
	defer s.keeping.Unlock()
	return s.update(sweep)
}
