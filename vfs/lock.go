package vfs

import (
	"context"
	"io/fs"
	"sync"
	"sync/atomic"
)

// LockMode is how an advisory lock is held.
type LockMode int

// The modes of advisory locks. Shared locks get on with each other, an exclusive one with none.
const (
	LockNone LockMode = iota
	LockShared
	LockExclusive
)

// lockTable holds the advisory locks on a tree's files. Clones have tables of their own. The zero value is ready to use.
type lockTable struct {
	busy atomic.Int64 // files in the map: closing a File need not ask when there are none

	mu      sync.Mutex
	closed  bool
	files   map[place]*fileLocks
	records int // record locks in all
	// waits is who waits for record locks, by owner: what a deadlock is recognised by.
	waits map[uint64][]*recordWait
}

// fileLocks is the locks on one node. It is in the table while somebody holds one or waits.
type fileLocks struct {
	flocks  map[*File]LockMode
	records []rangeLock // by owner and start; those of one owner do not overlap
	waiting int
	freed   chan struct{} // closed when one is given up, or when one that may wait is closed; nil if nobody waits
}

// on returns the locks on a node. Preconditions: l.mu is held.
func (l *lockTable) on(at place) *fileLocks {
	k := l.files[at]
	if k == nil {
		if l.files == nil {
			l.files = map[place]*fileLocks{}
		}
		k = &fileLocks{}
		l.files[at] = k
		l.busy.Add(1)
	}
	return k
}

// tidy forgets a node that nobody holds or waits for. Preconditions: l.mu is held.
func (l *lockTable) tidy(at place, k *fileLocks) {
	if len(k.flocks) == 0 && len(k.records) == 0 && k.waiting == 0 && l.files[at] == k {
		delete(l.files, at)
		l.busy.Add(-1)
	}
}

// wake lets all who wait look again. Preconditions: the table's mutex is held.
func (k *fileLocks) wake() {
	if k.freed != nil {
		close(k.freed)
		k.freed = nil
	}
}

// acquire calls try, with l.mu held, until it answers other than ErrAgain, f or the table is closed, or ctx ends. A nil
// ctx does not wait. blocked, if not nil, is called before each wait, and may refuse it; unblocked after it.
func (l *lockTable) acquire(ctx context.Context, f *File, try func(*fileLocks) error, blocked func() error, unblocked func()) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	for {
		if l.closed || f.closed() {
			return fs.ErrClosed
		}
		k := l.on(f.at())
		err := try(k)
		if err == ErrAgain && ctx != noWait && blocked != nil {
			if refused := blocked(); refused != nil {
				err = refused
			}
		}
		if err != ErrAgain || ctx == noWait {
			l.tidy(f.at(), k)
			return err
		}
		if k.freed == nil {
			k.freed = make(chan struct{})
		}
		freed := k.freed
		k.waiting++
		l.mu.Unlock()
		select {
		case <-freed:
		case <-ctx.Done():
			err = context.Cause(ctx)
		}
		l.mu.Lock()
		k.waiting--
		if unblocked != nil {
			unblocked()
		}
		if err != ErrAgain {
			l.tidy(f.at(), k)
			return err
		}
	}
}

// flock sets how f holds its node's lock. As on Linux, a lock in another mode is given up before the new one is asked
// for, and is lost when that fails.
func (l *lockTable) flock(ctx context.Context, f *File, mode LockMode) error {
	return l.acquire(ctx, f, func(k *fileLocks) error {
		if k.flocks[f] == mode {
			return nil
		}
		if _, held := k.flocks[f]; held {
			delete(k.flocks, f)
			k.wake()
		}
		if mode == LockNone {
			return nil
		}
		for _, other := range k.flocks {
			if mode == LockExclusive || other == LockExclusive {
				return ErrAgain
			}
		}
		if k.flocks == nil {
			k.flocks = map[*File]LockMode{}
		}
		k.flocks[f] = mode
		return nil
	}, nil, nil)
}

// release gives up what f holds, and wakes all that wait for its node: f itself may be among them, being closed.
func (l *lockTable) release(f *File) {
	if l.busy.Load() == 0 {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	k := l.files[f.at()]
	if k == nil {
		return
	}
	delete(k.flocks, f)
	l.dropRecords(k, func(r *rangeLock) bool { return r.via == f })
	k.wake()
	l.tidy(f.at(), k)
}

func (l *lockTable) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	for _, k := range l.files {
		k.wake()
	}
	l.files, l.records = nil, 0
	l.busy.Store(0)
}

// Flock sets how the File holds its node's lock, as flock(2) does (https://man7.org/linux/man-pages/man2/flock.2.html):
// it belongs to the File, and all who share that share it. Flock waits until the others let it. When ctx ends first it
// fails with its cause; closing the File or the tree ends it with fs.ErrClosed. To change the mode, the lock is given up
// first. Locks are advisory. Closing the File gives its lock up.
func (f *File) Flock(ctx context.Context, mode LockMode) error { return f.flock(ctx, mode) }

// TryFlock is Flock, but fails with ErrAgain instead of waiting.
func (f *File) TryFlock(mode LockMode) error { return f.flock(noWait, mode) }

func (f *File) flock(ctx context.Context, mode LockMode) error {
	err := f.check(false, false)
	switch {
	case err != nil:
	case mode < LockNone || mode > LockExclusive:
		err = fs.ErrInvalid
	default:
		err = f.own.t.locks.flock(ctx, f, mode)
	}
	return f.fail("lock", err)
}

// Lock is Flock of LockExclusive, and can't be interrupted but by closing.
func (f *File) Lock() error { return f.flock(context.Background(), LockExclusive) }

// Unlock gives the File's lock up, if it has one.
func (f *File) Unlock() error { return f.flock(noWait, LockNone) }
