package wasi

import (
	"context"
	"encoding/binary"
	"io"

	"github.com/belljar-dev/belljar/vfs"
)

// The operations of fd_flock.
const (
	flockShared    = 1
	flockExclusive = 2
	flockNonblock  = 4
	flockUnlock    = 8
)

// fd_flock(fd, op: u32)
func fdFlock(ctx context.Context, h *Host, _ memory, p []uint64) errno {
	f, e := h.opened(p[0])
	if e != errSuccess {
		return e
	}
	op := uint32(p[1])
	var mode vfs.LockMode
	switch op &^ flockNonblock {
	case flockShared:
		mode = vfs.LockShared
	case flockExclusive:
		mode = vfs.LockExclusive
	case flockUnlock:
		mode = vfs.LockNone
	default:
		return errInval
	}
	err := f.TryFlock(mode)
	if op&flockNonblock == 0 && errnoOf(err) == errAgain {
		err = interruptible(ctx, func(ctx context.Context) error { return f.Flock(ctx, mode) })
	}
	return errnoOf(err)
}

// The commands of fd_lock, and the types of its locks.
const (
	lockGet = iota
	lockSet
	lockSetWait
)

const (
	lockRead = iota
	lockWrite
	lockNone
)

const sizeLock = 24

// fd_lock(fd, cmd: u32, type: u32, start: s64, len: s64) -> lock
//
//	lock: type u32, pid u32, start u64, len u64
func fdLock(ctx context.Context, h *Host, mem memory, p []uint64) errno {
	f, e := h.opened(p[0])
	if e != errSuccess {
		return e
	}
	if uint32(p[2]) > lockNone {
		return errInval
	}
	modes := [...]vfs.LockMode{lockRead: vfs.LockShared, lockWrite: vfs.LockExclusive, lockNone: vfs.LockNone}
	owner, e := h.lockOwner()
	if e != errSuccess {
		return e
	}
	l := vfs.RecordLock{Owner: owner, Mode: modes[uint32(p[2])], Start: int64(p[3]), Len: int64(p[4])}
	switch uint32(p[1]) {
	case lockGet:
		return getLock(mem, uint32(p[5]), f, l)
	case lockSet:
		return errnoOf(f.TrySetLock(l))
	case lockSetWait:
		err := f.TrySetLock(l)
		if errnoOf(err) == errAgain {
			err = interruptible(ctx, func(ctx context.Context) error { return f.SetLock(ctx, l) })
		}
		return errnoOf(err)
	default:
		return errInval
	}
}

// getLock tells of a lock that is in l's way.
func getLock(mem memory, ptr uint32, f *vfs.File, l vfs.RecordLock) errno {
	out, e := mem.bytes(ptr, sizeLock)
	if e != errSuccess {
		return e
	}
	held, found, err := f.GetLock(l)
	if err != nil {
		return errnoOf(err)
	}
	clear(out)
	if !found {
		binary.LittleEndian.PutUint32(out, lockNone)
		return errSuccess
	}
	if held.Mode == vfs.LockExclusive {
		binary.LittleEndian.PutUint32(out, lockWrite)
	}
	binary.LittleEndian.PutUint32(out[4:], uint32(held.Owner))
	binary.LittleEndian.PutUint64(out[8:], uint64(held.Start))
	binary.LittleEndian.PutUint64(out[16:], uint64(held.Len))
	return errSuccess
}

// lockOwner gives the number by which the process owns record locks: its process number. Without a kernel there is
// none, and a random one stands for it.
func (h *Host) lockOwner() (uint64, errno) {
	if h.owner != 0 {
		return h.owner, errSuccess
	}
	if h.kernel != nil {
		pid, err := h.kernel.ID(IDProcess, 0)
		h.owner = uint64(pid)
		return h.owner, errnoOf(err)
	}
	var b [8]byte
	if _, err := io.ReadFull(h.random, b[:]); err != nil {
		return 0, errIo
	}
	h.owner = binary.LittleEndian.Uint64(b[:]) | 1<<63
	return h.owner, errSuccess
}

// let gives up one of the process's references to d. With any descriptor of a file the process's record locks on it go.
func (h *Host) let(d *description) error {
	if h.owner != 0 {
		switch o := d.object.(type) {
		case *file:
			o.f.DropLocks(h.owner)
		case *directory:
			o.f.DropLocks(h.owner)
		}
	}
	return d.release()
}
