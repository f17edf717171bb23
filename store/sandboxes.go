package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/belljar-dev/belljar/engine"
	"github.com/belljar-dev/belljar/vfs"
	"go.etcd.io/bbolt"
)

// Options are what a sandbox of a Store has beyond an engine.Spec.
type Options struct {
	// DeleteAfter deletes the sandbox when it was not used for so long; 0: never.
	DeleteAfter time.Duration
}

// Info describes a sandbox of a Store.
type Info struct {
	Name        string            `json:"name"`
	Image       string            `json:"image"`
	Labels      map[string]string `json:"labels,omitempty"`
	Created     time.Time         `json:"created"`
	Used        time.Time         `json:"used"` // saved last
	DeleteAfter time.Duration     `json:"delete_after,omitempty"`
	Alive       bool              `json:"alive"` // in this process's memory
	Bytes       int64             `json:"bytes"` // of its files, beyond the image's
	Files       int64             `json:"files"`
	Sessions    []string          `json:"sessions,omitempty"` // by name, as it was frozen last
}

// maxName bounds a sandbox's name, in bytes.
const maxName = 128

// checkName refuses names that can't be told from options, paths and the like on command lines.
func checkName(name string) error {
	ok := name != "" && len(name) <= maxName && name[0] != '-' && name[0] != '.' && strings.IndexFunc(name, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-' && r != '_' && r != '.'
	}) < 0
	if !ok {
		return fmt.Errorf("name %q: use up to %d letters, digits, -, _ and ., with a letter, digit or _ first", name, maxName)
	}
	return nil
}

// Create makes a sandbox. Errors: ErrExists, those of engine.Create.
func (s *Store) Create(ctx context.Context, name string, spec engine.Spec, opts Options) error {
	return s.add(ctx, name, spec, opts, func() (*engine.Sandbox, error) { return s.cfg.Engine.Create(ctx, spec) })
}

// Restore makes a sandbox of a snapshot, which stays the caller's. Errors: ErrExists, those of engine.Snapshot.Sandbox.
func (s *Store) Restore(ctx context.Context, name string, snapshot *engine.Snapshot, opts Options) error {
	return s.add(ctx, name, snapshot.Spec(), opts, func() (*engine.Sandbox, error) { return snapshot.Sandbox(ctx) })
}

// Fork makes a sandbox that is equal to another, its sessions included; from then on neither sees the other. Errors:
// ErrNotFound, ErrExists, those of engine.Sandbox.Fork.
func (s *Store) Fork(ctx context.Context, name, fork string, opts Options) error {
	return s.Use(ctx, name, func(sb *engine.Sandbox) error {
		return s.add(ctx, fork, sb.Spec(), opts, func() (*engine.Sandbox, error) { return sb.Fork(ctx) })
	})
}

// add enters a new sandbox under a name and saves it. The name is taken before the sandbox is made.
func (s *Store) add(
	ctx context.Context, name string, spec engine.Spec, opts Options, make func() (*engine.Sandbox, error),
) error {
	if err := checkName(name); err != nil {
		return err
	}
	digest, err := s.cfg.Engine.BaseDigest(spec.Image)
	if err != nil {
		return fmt.Errorf("create sandbox %q: %w", name, err)
	}
	b := &box{store: s, since: time.Now()}
	b.mu.Lock() // until it is there or given up, users wait
	defer b.mu.Unlock()
	now := s.cfg.Now()
	r := record{Name: name, Spec: spec, BaseDigest: digest, Created: now, Used: now, DeleteAfter: opts.DeleteAfter}
	b.record.Store(&r)
	if err := s.enter(name, b); err != nil {
		return fmt.Errorf("create sandbox %q: %w", name, err)
	}
	sb, err := make()
	if err == nil {
		err = b.saveFirst(ctx, sb)
		if err != nil {
			err = errors.Join(err, sb.Close())
		}
	}
	if err != nil {
		b.removed = true
		s.leave(name, b)
		return fmt.Errorf("create sandbox %q: %w", name, err)
	}
	b.adopt(sb)
	return nil
}

// enter takes a name in memory. saveFirst takes it on disk.
func (s *Store) enter(name string, b *box) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.boxes[name] != nil {
		return ErrExists
	}
	s.boxes[name] = b
	return nil
}

func (s *Store) leave(name string, b *box) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.boxes[name] == b {
		delete(s.boxes, name)
	}
}

// saveFirst gives the sandbox its number and its name on disk, with its files and sessions.
func (b *box) saveFirst(ctx context.Context, sb *engine.Sandbox) error {
	b.saving.Lock()
	defer b.saving.Unlock()
	var id uint64
	err := b.store.update(func(tx *bbolt.Tx) (err error) {
		names := tx.Bucket(bucketNames)
		if names.Get([]byte(b.record.Load().Name)) != nil {
			return ErrExists
		}
		id, err = names.NextSequence()
		return err
	})
	if err != nil {
		return err
	}
	r := *b.record.Load()
	r.ID = id
	b.record.Store(&r)
	snapshot, err := sb.Snapshot(ctx)
	if err != nil {
		return err
	}
	defer snapshot.Close()
	return b.saveAll(snapshot, func(tx *bbolt.Tx, r *record) error {
		names := tx.Bucket(bucketNames)
		if names.Get([]byte(r.Name)) != nil {
			return ErrExists
		}
		return names.Put([]byte(r.Name), key(r.ID))
	})
}

// List describes all sandboxes, by name.
func (s *Store) List() ([]Info, error) {
	var list []Info
	err := s.view(func(tx *bbolt.Tx) error {
		return tx.Bucket(bucketNames).ForEach(func(_, id []byte) error {
			var r record
			if err := json.Unmarshal(tx.Bucket(bucketBoxes).Get(id), &r); err != nil {
				return fmt.Errorf("list sandboxes: %w: %w", errRow, err)
			}
			list = append(list, r.info())
			return nil
		})
	})
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range list {
		if b := s.boxes[list[i].Name]; b != nil {
			list[i].Alive = b.alive.Load()
		}
	}
	return list, nil
}

func (r *record) info() Info {
	return Info{
		Name: r.Name, Image: r.Spec.Image, Labels: r.Spec.Labels, Created: r.Created, Used: r.Used,
		DeleteAfter: r.DeleteAfter, Bytes: r.Bytes, Files: r.Files, Sessions: r.Sessions,
	}
}

// Info describes one sandbox. Errors: ErrNotFound.
func (s *Store) Info(name string) (Info, error) {
	list, err := s.List()
	if err != nil {
		return Info{}, err
	}
	i := slices.IndexFunc(list, func(in Info) bool { return in.Name == name })
	if i < 0 {
		return Info{}, fmt.Errorf("sandbox %q: %w", name, ErrNotFound)
	}
	return list[i], nil
}

// BaseTree answers a copy of the tree that a sandbox was made with, before anything was done in it. The caller closes it.
// Errors: ErrNotFound.
func (s *Store) BaseTree(name string) (*vfs.Tree, error) {
	b, err := s.box(name)
	if err != nil {
		return nil, err
	}
	return s.cfg.Engine.BaseTree(b.record.Load().Spec.Image)
}

// Remove ends a sandbox and deletes everything it has. What others have too stays. Errors: ErrNotFound.
func (s *Store) Remove(name string) error {
	b, err := s.box(name)
	if err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.removed {
		return fmt.Errorf("sandbox %q: %w", name, ErrNotFound)
	}
	if b.sandbox != nil {
		if err := b.sandbox.Close(); err != nil { // its users' calls end with engine.ErrClosed
			s.cfg.Logger.Warn("close sandbox", "name", name, "error", err)
		}
		b.forget()
	}
	b.saving.Lock()
	defer b.saving.Unlock()
	r := b.record.Load()
	if err := s.update(func(tx *bbolt.Tx) error { return deleteBox(tx, r) }); err != nil {
		return fmt.Errorf("remove sandbox %q: %w", name, err)
	}
	b.removed = true
	s.leave(name, b)
	return nil
}

func deleteBox(tx *bbolt.Tx, r *record) error {
	prefix := key(r.ID)
	for _, bucket := range [][]byte{bucketNodes, bucketAttrs, bucketEntries, bucketSessions} {
		if err := deleteRows(tx, bucket, prefix); err != nil {
			return err
		}
	}
	for _, bucket := range [][]byte{bucketChunks, bucketPages} {
		if err := deleteReferences(tx, bucket, prefix, prefix); err != nil {
			return err
		}
	}
	if err := tx.Bucket(bucketNames).Delete([]byte(r.Name)); err != nil {
		return err
	}
	return tx.Bucket(bucketBoxes).Delete(prefix)
}
