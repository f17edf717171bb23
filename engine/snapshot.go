package engine

import (
	"context"
	"errors"
	"fmt"
	"sync"
)

// Snapshot is a sandbox as it was at one moment: files, sessions' memory and what they have open, environment, what was
// used. Any number of sandboxes can be made of it, here or, through WriteTo and ReadSnapshot, elsewhere. It shares what
// it can with the sandbox that it was taken from, and with those made of it. It is safe for concurrent use.
//
// Its engine has to be open. Close frees it; so does the garbage collector, when nothing refers to it any more.
type Snapshot struct {
	sandbox *Sandbox // never runs anything, and is not one of the engine's
	missing []string // see Missing
	asked   Network  // see Network

	mu     sync.Mutex // held while its sessions are looked at
	closed bool
}

// Snapshot takes a snapshot. See Fork for what it holds, and for ErrBusy.
func (sb *Sandbox) Snapshot(ctx context.Context) (*Snapshot, error) {
	frozen, err := sb.copy(ctx)
	if err != nil {
		return nil, fmt.Errorf("snapshot sandbox: %w", err)
	}
	return &Snapshot{sandbox: frozen}, nil
}

// Sandbox makes a sandbox of the snapshot.
func (s *Snapshot) Sandbox(ctx context.Context) (*Sandbox, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	sb, err := s.sandbox.fork(ctx)
	if err != nil {
		return nil, fmt.Errorf("sandbox of snapshot: %w", err)
	}
	return sb, nil
}

// Spec answers what the snapshot's sandbox was created with. One that was read has the limits and mounts it was read
// with, and no values of secret variables but those.
func (s *Snapshot) Spec() Spec { return s.sandbox.spec }

// Missing answers what a snapshot that was read could not bring back: the paths of mounted host folders that it was not
// given again.
func (s *Snapshot) Missing() []string { return s.missing }

// Network answers what the snapshot's sandbox could reach, where the snapshot was read: for a host to judge, and to give
// in ReadOptions if it agrees. The file may come from anyone.
func (s *Snapshot) Network() Network { return s.asked }

// Close frees the snapshot. Sandboxes made of it go on. It may be called twice.
func (s *Snapshot) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	if err := s.sandbox.Close(); err != nil {
		return fmt.Errorf("close snapshot: %w", err)
	}
	return nil
}

// fork copies the sandbox and makes the copy one of the engine's.
func (sb *Sandbox) fork(ctx context.Context) (*Sandbox, error) {
	child, err := sb.copy(ctx)
	if err != nil {
		return nil, err
	}
	if err := sb.engine.admit(child); err != nil {
		return nil, errors.Join(err, child.Close())
	}
	return child, nil
}
