package vfs

import (
	"cmp"
	"context"
	"io/fs"
	"math"
	"slices"
)

// maxRecords bounds the record locks of a tree.
const maxRecords = 1 << 13

// RecordLock is a lock on a range of a file's bytes, which belongs to an owner, as POSIX has them for processes
// (https://pubs.opengroup.org/onlinepubs/9699919799/functions/fcntl.html).
type RecordLock struct {
	// Owner is the process that holds it, by a number of the caller's choice.
	Owner uint64
	Mode  LockMode
	// Start is its first byte and Len the number of bytes: 0 for all up to the largest offset, less than 0 for bytes before
	// Start.
	Start, Len int64
}

// rangeLock is a lock that is held: on the bytes from start to last.
type rangeLock struct {
	owner       uint64
	start, last int64
	mode        LockMode
	via         *File // through which it was set
}

// recordWait is a request that waits.
type recordWait struct {
	k *fileLocks
	r rangeLock
}

// record checks a lock's form.
func (l RecordLock) record() (rangeLock, error) {
	r := rangeLock{owner: l.Owner, mode: l.Mode, start: l.Start, last: math.MaxInt64}
	switch {
	case l.Mode < LockNone || l.Mode > LockExclusive || l.Start < 0:
		return r, fs.ErrInvalid
	case l.Len > 0:
		if l.Len-1 > math.MaxInt64-l.Start {
			return r, ErrOverflow
		}
		r.last = l.Start + l.Len - 1
	case l.Len < 0:
		if l.Start+l.Len < 0 {
			return r, fs.ErrInvalid
		}
		r.start, r.last = l.Start+l.Len, l.Start-1
	}
	return r, nil
}

func (r *rangeLock) overlaps(o *rangeLock) bool { return r.start <= o.last && o.start <= r.last }

func (r *rangeLock) conflicts(o *rangeLock) bool {
	return r.owner != o.owner && r.overlaps(o) && (r.mode == LockExclusive || o.mode == LockExclusive)
}

// SetLock sets how the owner holds a range of the file: LockNone gives it up. It waits until other owners let it; when
// ctx ends first it fails with its cause. When the other owners wait, in turn, for this one, it fails with ErrDeadlock. A
// shared lock needs a File open for reading, an exclusive one for writing (ErrBadFile). The locks of a tree are bounded in
// number (ErrNoLocks).
//
// An owner's locks on a file all go when it closes any descriptor of that file: DropLocks is to be called then. Closing
// the File gives up those set through it.
func (f *File) SetLock(ctx context.Context, l RecordLock) error { return f.setLock(ctx, l) }

// TrySetLock is SetLock, but fails with ErrAgain instead of waiting.
func (f *File) TrySetLock(l RecordLock) error { return f.setLock(noWait, l) }

func (f *File) setLock(ctx context.Context, l RecordLock) error {
	err := f.check(l.Mode == LockShared, l.Mode == LockExclusive)
	var r rangeLock
	if err == nil {
		r, err = l.record()
	}
	if err == nil {
		r.via = f
		err = f.own.t.locks.setRecord(ctx, r)
	}
	return f.fail("lock", err)
}

// GetLock returns a lock of another owner that keeps l from being set, and whether there is one.
func (f *File) GetLock(l RecordLock) (RecordLock, bool, error) {
	err := f.check(false, false)
	var r rangeLock
	if err == nil {
		r, err = l.record()
	}
	if err == nil && l.Mode == LockNone {
		err = fs.ErrInvalid
	}
	if err != nil {
		return RecordLock{}, false, f.fail("lock", err)
	}
	t := &f.own.t.locks
	t.mu.Lock()
	defer t.mu.Unlock()
	k := t.files[f.at()]
	if k == nil {
		return RecordLock{}, false, nil
	}
	held := k.obstacle(&r)
	if held == nil {
		return RecordLock{}, false, nil
	}
	out := RecordLock{Owner: held.owner, Mode: held.mode, Start: held.start, Len: held.last - held.start + 1}
	if held.last == math.MaxInt64 {
		out.Len = 0
	}
	return out, true, nil
}

// DropLocks gives up all of an owner's record locks on the file, as closing one of its descriptors does.
func (f *File) DropLocks(owner uint64) {
	l := &f.own.t.locks
	if l.busy.Load() == 0 {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	k := l.files[f.at()]
	if k == nil {
		return
	}
	if l.dropRecords(k, func(r *rangeLock) bool { return r.owner == owner }) {
		k.wake()
	}
	l.tidy(f.at(), k)
}

// obstacle returns the lowest lock that conflicts with r, or nil.
func (k *fileLocks) obstacle(r *rangeLock) *rangeLock {
	var first *rangeLock
	for i := range k.records {
		if o := &k.records[i]; o.conflicts(r) && (first == nil || o.start < first.start) {
			first = o
		}
	}
	return first
}

// dropRecords removes records. Preconditions: l.mu is held.
func (l *lockTable) dropRecords(k *fileLocks, which func(*rangeLock) bool) bool {
	before := len(k.records)
	k.records = slices.DeleteFunc(k.records, func(r rangeLock) bool { return which(&r) })
	l.records -= before - len(k.records)
	return len(k.records) < before
}

func (l *lockTable) setRecord(ctx context.Context, r rangeLock) error {
	var wait *recordWait
	return l.acquire(ctx, r.via, func(k *fileLocks) error {
		if r.mode != LockNone && k.obstacle(&r) != nil {
			wait = &recordWait{k, r}
			return ErrAgain
		}
		return l.put(k, r)
	}, func() error {
		if l.deadlock(r.owner, wait) {
			return ErrDeadlock
		}
		if l.waits == nil {
			l.waits = map[uint64][]*recordWait{}
		}
		l.waits[r.owner] = append(l.waits[r.owner], wait)
		return nil
	}, func() {
		left := slices.DeleteFunc(l.waits[r.owner], func(w *recordWait) bool { return w == wait })
		if l.waits[r.owner] = left; len(left) == 0 {
			delete(l.waits, r.owner)
		}
	})
}

// deadlock reports whether w waits for owner, through whatever others wait for. Preconditions: l.mu is held.
func (l *lockTable) deadlock(owner uint64, w *recordWait) bool {
	seen, todo := map[*recordWait]bool{}, []*recordWait{w}
	for len(todo) > 0 {
		w := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if seen[w] {
			continue
		}
		seen[w] = true
		for i := range w.k.records {
			held := &w.k.records[i]
			if !held.conflicts(&w.r) {
				continue
			}
			if held.owner == owner {
				return true
			}
			todo = append(todo, l.waits[held.owner]...)
		}
	}
	return false
}

// put makes r what its owner holds of its range: earlier locks there are cut, and neighbours in the same mode joined.
// Preconditions: l.mu is held, r conflicts with none.
func (l *lockTable) put(k *fileLocks, r rangeLock) error {
	lo, _ := slices.BinarySearchFunc(k.records, r.owner, func(o rangeLock, owner uint64) int { return cmp.Compare(o.owner, owner) })
	hi := lo
	for hi < len(k.records) && k.records[hi].owner == r.owner {
		hi++
	}
	own := cutOut(k.records[lo:hi], &r)
	if r.mode != LockNone {
		i, _ := slices.BinarySearchFunc(own, r.start, func(o rangeLock, start int64) int { return cmp.Compare(o.start, start) })
		own = slices.Insert(own, i, r)
	}
	grown := len(own) - (hi - lo)
	if grown > 0 && l.records+grown > maxRecords {
		return ErrNoLocks
	}
	l.records += grown
	k.records = slices.Replace(k.records, lo, hi, own...)
	k.wake()
	return nil
}

// cutOut returns what is left of an owner's locks outside of r, which takes in those that it touches in the same mode.
func cutOut(own []rangeLock, r *rangeLock) []rangeLock {
	var out []rangeLock
	for _, o := range own {
		switch {
		case o.mode == r.mode && o.start <= add1(r.last) && r.start <= add1(o.last):
			r.start, r.last = min(r.start, o.start), max(r.last, o.last)
		case !o.overlaps(r):
			out = append(out, o)
		default:
			if o.start < r.start {
				left := o
				left.last = r.start - 1
				out = append(out, left)
			}
			if o.last > r.last {
				o.start = r.last + 1
				out = append(out, o)
			}
		}
	}
	return out
}

// add1 is n+1, but no more than there is.
func add1(n int64) int64 {
	if n == math.MaxInt64 {
		return n
	}
	return n + 1
}
