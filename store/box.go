package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/belljar-dev/belljar/engine"
	"github.com/belljar-dev/belljar/vfs"
	"go.etcd.io/bbolt"
	bbolterrors "go.etcd.io/bbolt/errors"
)

// record is what the database has of a sandbox beside its tree and sessions, as JSON.
type record struct {
	ID          uint64         `json:"id"`
	Name        string         `json:"name"`
	Spec        engine.Spec    `json:"spec"`
	BaseDigest  string         `json:"base_digest"` // see engine.BaseDigest
	Created     time.Time      `json:"created"`
	Used        time.Time      `json:"used"`
	DeleteAfter time.Duration  `json:"delete_after"` // unused for so long; 0: never
	Tree        vfs.TreeRecord `json:"tree"`
	Bytes       int64          `json:"bytes"`
	Files       int64          `json:"files"`

	// As it was frozen last.
	State    json.RawMessage `json:"state,omitempty"`    // see engine.Frozen
	Sessions []string        `json:"sessions,omitempty"` // names
	Orphans  []uint64        `json:"orphans,omitempty"`  // inodes of files that only sessions have
}

// box is a sandbox of the store, alive or not.
type box struct {
	store *Store

	record atomic.Pointer[record] // changed under saving

	mu      sync.Mutex      // held while it comes to life and while it is frozen
	sandbox *engine.Sandbox // nil: frozen
	users   int
	since   time.Time // when it was used last, by the process's own clock
	removed bool
	alive   atomic.Bool // sandbox is not nil

	saving sync.Mutex // after mu; held while it is saved
	saved  *vfs.Tree  // the tree as it was saved last, without orphans; nil before the first time
}

// box answers the sandbox of a name.
func (s *Store) box(name string) (*box, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if b := s.boxes[name]; b != nil {
		return b, nil
	}
	b := &box{store: s}
	err := s.db.View(func(tx *bbolt.Tx) error {
		r, err := readRecord(tx, name)
		b.record.Store(&r)
		return err
	})
	if errors.Is(err, bbolterrors.ErrDatabaseNotOpen) {
		err = ErrClosed
	}
	if err != nil {
		return nil, fmt.Errorf("sandbox %q: %w", name, err)
	}
	s.boxes[name] = b
	return b, nil
}

func readRecord(tx *bbolt.Tx, name string) (record, error) {
	id := tx.Bucket(bucketNames).Get([]byte(name))
	if id == nil {
		return record{}, ErrNotFound
	}
	return decodeRecord(tx.Bucket(bucketBoxes).Get(id))
}

func decodeRecord(v []byte) (r record, err error) {
	if err := json.Unmarshal(v, &r); err != nil {
		return r, fmt.Errorf("%w: %w", errRow, err)
	}
	return r, nil
}

func (r *record) write(tx *bbolt.Tx) error {
	v, err := json.Marshal(r)
	if err != nil {
		return err
	}
	return tx.Bucket(bucketBoxes).Put(key(r.ID), v)
}

// Use lends the sandbox of a name to f, alive, and returns when what it and others have changed in its files is on disk.
// Any number may use a sandbox at one time. f must not close it, nor keep it: it may be frozen as soon as f returns,
// unless processes still run in it. The error is f's, or, where f had none, that of saving; what could not be
// saved is tried again at the next Use.
func (s *Store) Use(ctx context.Context, name string, f func(*engine.Sandbox) error) error {
	b, err := s.box(name)
	if err != nil {
		return err
	}
	sb, err := b.acquire(ctx)
	if err != nil {
		return fmt.Errorf("sandbox %q: %w", name, err)
	}
	defer b.release()
	err = f(sb)
	if saveErr := b.save(sb); err == nil {
		err = saveErr
	}
	return err
}

// acquire brings the sandbox to life and counts one more user.
func (b *box) acquire(ctx context.Context) (*engine.Sandbox, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case b.removed:
		return nil, ErrNotFound
	case b.store.ended():
		return nil, ErrClosed
	}
	if b.sandbox == nil {
		if err := b.thaw(ctx); err != nil {
			return nil, err
		}
	}
	b.users++
	return b.sandbox, nil
}

func (b *box) release() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.users--
	b.since = time.Now()
}

// thaw makes the sandbox of what is on disk. Preconditions: b.mu is held.
func (b *box) thaw(ctx context.Context) error {
	s, r := b.store, b.record.Load()
	have, err := s.cfg.Engine.BaseDigest(r.Spec.Image)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrImage, err)
	}
	if have != r.BaseDigest {
		return fmt.Errorf("%w: it was made with the files %.12s of %q, the engine has %.12s", ErrImage, r.BaseDigest, r.Spec.Image, have)
	}
	var sb *engine.Sandbox
	err = s.db.View(func(tx *bbolt.Tx) (err error) {
		sb, err = s.wake(ctx, tx, r)
		return err
	})
	if err != nil {
		return fmt.Errorf("bring to life: %w", err)
	}
	b.adopt(sb)
	b.saved = sb.Files().Clone()
	return nil
}

// adopt makes a guest's fsync return when the sandbox is saved.
func (b *box) adopt(sb *engine.Sandbox) {
	b.sandbox = sb
	b.alive.Store(true)
	sb.OnSync(func() error { return b.save(sb) })
}

// save writes what has changed in the files since the last time, and returns when it is on disk.
func (b *box) save(sb *engine.Sandbox) error {
	b.saving.Lock()
	defer b.saving.Unlock()
	b.store.keeping.RLock()
	defer b.store.keeping.RUnlock()
	now := sb.Files().Clone()
	if err := b.write(now, b.store.newKeeper(), nil, nil); err != nil {
		_ = now.Close()
		return fmt.Errorf("sandbox %q: save: %w", b.record.Load().Name, err)
	}
	b.advance(now)
	return nil
}

// saveAll writes files and sessions, and in the same transaction what also writes, if it isn't nil. Preconditions:
// b.saving is held.
func (b *box) saveAll(snapshot *engine.Snapshot, also func(*bbolt.Tx, *record) error) error {
	b.store.keeping.RLock()
	defer b.store.keeping.RUnlock()
	frozen, err := snapshot.Frozen()
	if err != nil {
		return err
	}
	keep := b.store.newKeeper()
	rest, err := keepMemory(&frozen, keep)
	if err != nil {
		return err
	}
	if err := b.write(snapshot.Files(), keep, rest, also); err != nil {
		return err
	}
	b.advance(snapshot.Files().Clone())
	return nil
}

// advance makes a tree the one that was saved last.
func (b *box) advance(saved *vfs.Tree) {
	if b.saved != nil {
		_ = b.saved.Close()
	}
	b.saved = saved
}

// changed tells how a tree differs from what is on disk.
func (b *box) changed(tree *vfs.Tree, to vfs.Sink) error {
	if b.saved != nil {
		return tree.Changes(b.saved, to)
	}
	base, err := b.store.cfg.Engine.BaseTree(b.record.Load().Spec.Image)
	if err != nil {
		return err
	}
	return errors.Join(tree.Changes(base, to), base.Close())
}

// write writes how tree differs from what is on disk, the rest that keep has the memory of, and what also writes. A nil
// rest leaves what is on disk of sessions alone, the files without a name that they had open included.
//
// Preconditions: b.saving is held, and Store.keeping for reading.
func (b *box) write(tree *vfs.Tree, keep *keeper, rest *atRest, also func(*bbolt.Tx, *record) error) error {
	last := b.record.Load()
	c := changes{keep: keep}
	if err := b.changed(tree, &c); err != nil {
		return err
	}
	if c.none(last.Tree) && rest == nil && also == nil {
		return nil
	}
	next, usage := *last, tree.Usage()
	next.Tree = c.tree
	next.Tree.Fresh = c.tree.Fresh || last.Tree.Fresh
	next.Bytes, next.Files, next.Used = usage.Bytes, usage.Files, b.store.cfg.Now()
	err := b.store.update(func(tx *bbolt.Tx) error {
		if err := keep.put(tx, false); err != nil {
			return err
		}
		if rest != nil {
			if err := errors.Join(c.dropOrphans(tx, next.ID, last.Orphans), rest.apply(tx, &next)); err != nil {
				return err
			}
			next.Orphans = c.orphans()
		}
		if err := c.apply(tx, next.ID); err != nil {
			return err
		}
		if also != nil {
			if err := also(tx, &next); err != nil {
				return err
			}
		}
		return next.write(tx)
	})
	if err == nil {
		b.record.Store(&next)
	}
	return err
}
