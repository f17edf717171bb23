package vfs

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"runtime"
	"testing"
)

func lockTree(t *testing.T, files int) (*Tree, []*File) {
	t.Helper()
	tr := New(Config{})
	t.Cleanup(func() { tr.Close() })
	must(t, tr.WriteFile("f", []byte("content"), 0o644))
	var all []*File
	for range files {
		f, err := tr.OpenFile("f", os.O_RDWR, 0)
		must(t, err)
		t.Cleanup(func() { f.Close() })
		all = append(all, f)
	}
	return tr, all
}

// waiting returns when a call waits for a lock on the tree's files.
func waiting(tr *Tree, calls int) {
	for {
		tr.locks.mu.Lock()
		n := 0
		for _, k := range tr.locks.files {
			n += k.waiting
		}
		tr.locks.mu.Unlock()
		if n == calls {
			return
		}
		runtime.Gosched()
	}
}

func TestFlockWaits(t *testing.T) {
	stop := errors.New("a signal")
	for name, c := range map[string]struct {
		end  func(tr *Tree, holder, waiter *File, cancel context.CancelCauseFunc)
		want error
	}{
		"unlock":  {func(_ *Tree, h, _ *File, _ context.CancelCauseFunc) { h.Unlock() }, nil},
		"share":   {func(_ *Tree, h, _ *File, _ context.CancelCauseFunc) { h.TryFlock(LockShared) }, nil},
		"close":   {func(_ *Tree, h, _ *File, _ context.CancelCauseFunc) { h.Close() }, nil},
		"context": {func(_ *Tree, _, _ *File, cancel context.CancelCauseFunc) { cancel(stop) }, stop},
		"itself":  {func(_ *Tree, _, w *File, _ context.CancelCauseFunc) { w.Close() }, fs.ErrClosed},
		"tree":    {func(tr *Tree, _, _ *File, _ context.CancelCauseFunc) { tr.Close() }, fs.ErrClosed},
	} {
		tr, f := lockTree(t, 2)
		ctx, cancel := context.WithCancelCause(t.Context())
		must(t, f[0].Lock())
		done := make(chan error)
		go func() { done <- f[1].Flock(ctx, LockShared) }() // ends with the wait
		waiting(tr, 1)
		c.end(tr, f[0], f[1], cancel)
		if err := <-done; !errors.Is(err, c.want) {
			t.Error(name, err)
		}
		cancel(nil)
		for _, f := range f {
			f.Close()
		}
		if len(tr.locks.files) != 0 || tr.locks.busy.Load() != 0 {
			t.Error(name, "left locks behind", tr.locks.files)
		}
	}
}

func TestRecordLockWaits(t *testing.T) {
	tr, f := lockTree(t, 2)
	ctx := t.Context()
	must(t, f[0].SetLock(ctx, RecordLock{Owner: 1, Mode: LockExclusive, Len: 10}))
	done := make(chan error)
	go func() { done <- f[0].SetLock(ctx, RecordLock{Owner: 2, Mode: LockShared, Start: 5, Len: 1}) }() // ends when owner 1 lets go
	waiting(tr, 1)
	must(t, f[1].TrySetLock(RecordLock{Owner: 1, Start: 6}))
	waiting(tr, 1)
	must(t, f[1].TrySetLock(RecordLock{Owner: 1, Start: 5, Len: 1}))
	must(t, <-done)
	f[1].DropLocks(1)
	f[1].DropLocks(2)
	if len(tr.locks.files)+tr.locks.records+len(tr.locks.waits) != 0 {
		t.Error("left behind", tr.locks.files, tr.locks.records, tr.locks.waits)
	}
}

func TestRecordLockDeadlock(t *testing.T) {
	tr, f := lockTree(t, 1)
	must(t, tr.WriteFile("g", nil, 0o644))
	g, err := tr.OpenFile("g", os.O_RDWR, 0)
	must(t, err)
	defer g.Close()
	ctx, cancel := context.WithCancel(t.Context())
	exclusive := func(owner uint64, at int64) RecordLock {
		return RecordLock{Owner: owner, Mode: LockExclusive, Start: at, Len: 1}
	}
	for owner := range uint64(3) {
		must(t, f[0].TrySetLock(exclusive(owner, int64(owner))))
	}
	must(t, g.TrySetLock(exclusive(2, 0)))
	done := make(chan error, 2)
	go func() { done <- f[0].SetLock(ctx, exclusive(0, 1)) }() // ends with ctx
	go func() { done <- g.SetLock(ctx, exclusive(1, 0)) }()    // ends with ctx
	waiting(tr, 2)
	if err := f[0].SetLock(ctx, exclusive(2, 0)); !errors.Is(err, ErrDeadlock) {
		t.Error("a ring of three", err)
	}
	if err := f[0].TrySetLock(exclusive(2, 0)); !errors.Is(err, ErrAgain) {
		t.Error("without waiting", err)
	}
	cancel()
	for range 2 {
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	}
}

func TestRecordLockLimits(t *testing.T) {
	tr, f := lockTree(t, 1)
	for i := range int64(maxRecords) {
		must(t, f[0].TrySetLock(RecordLock{Owner: uint64(i / 100), Mode: LockShared, Start: 2 * i, Len: 1}))
	}
	if err := f[0].TrySetLock(RecordLock{Owner: 1 << 40, Mode: LockShared, Len: 1}); !errors.Is(err, ErrNoLocks) {
		t.Error("beyond the number of locks", err)
	}
	must(t, f[0].Close())
	if tr.locks.records != 0 {
		t.Error("locks outlive their file")
	}
	r, err := tr.Open("f")
	must(t, err)
	defer r.Close()
	for l, want := range map[RecordLock]error{
		{Mode: LockExclusive}:                        ErrBadFile,
		{Mode: 3}:                                    fs.ErrInvalid,
		{Mode: LockShared, Start: -1}:                fs.ErrInvalid,
		{Mode: LockShared, Start: 3, Len: -4}:        fs.ErrInvalid,
		{Mode: LockShared, Start: 3, Len: 1<<63 - 1}: ErrOverflow,
	} {
		if err := r.TrySetLock(l); !errors.Is(err, want) {
			t.Error(l, err)
		}
	}
}
