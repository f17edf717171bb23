package wasi

import (
	"context"
	"sync/atomic"
)

// object is what an open file description is open on. Its further powers are the
// interfaces below; a *file and a *directory have the rest of preview 1.
type object interface {
	fileType() fileType
	stat() (filestat, error)
	close() error
}

// reader can be read. With nonblock set it answers errAgain rather than wait. The
// end is io.EOF.
type reader interface {
	read(ctx context.Context, b []byte, nonblock bool) (int, error)
}

// writer can be written to. With nonblock set it answers errAgain rather than wait.
type writer interface {
	write(ctx context.Context, b []byte, nonblock bool) (int, error)
}

// waitable may not be ready to be read or written; other objects always are. If it
// isn't, and w isn't nil, w is woken when that may have changed, until forget(w).
type waitable interface {
	poll(write bool, w *waiter) readiness
	forget(w *waiter)
}

// readiness is what poll_oneoff tells of a descriptor.
type readiness struct {
	ready  bool
	hangup bool   // the other end is closed
	bytes  uint64 // to be had, or that there is room for
}

// description is an open file description: what descriptors share that were made
// from each other.
type description struct {
	object   object
	readable bool // opened for reading
	writable bool // opened for writing
	flags    atomic.Uint32
	refs     atomic.Int32 // descriptors, in all tables
}

func newDescription(o object, readable, writable bool, flags fdFlags) *description {
	d := &description{object: o, readable: readable, writable: writable}
	d.flags.Store(uint32(flags))
	return d
}

func (d *description) has(f fdFlags) bool { return fdFlags(d.flags.Load())&f != 0 }

// release gives up one reference, and closes the object with the last.
func (d *description) release() error {
	if d.refs.Add(-1) > 0 {
		return nil
	}
	return d.object.close()
}

// filestat is the filestat structure. Times are nanoseconds since 1970.
type filestat struct {
	dev, ino            uint64
	typ                 fileType
	nlink, size         uint64
	atime, mtime, ctime uint64

	// Beyond preview 1's; a mode of 0 is that of a pipe or a socket, of the process's user.
	mode, uid, gid uint32
	blocks         uint64 // of 512 bytes
}
