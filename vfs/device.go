package vfs

import (
	"io"
	"io/fs"
	"maps"
)

const deviceType = fs.ModeDevice | fs.ModeCharDevice

// deviceSet is what stands behind the device files of a tree, by inode. It never changes; clones share it. Nil is the
// empty set.
type deviceSet map[uint64]io.ReadWriter

// AddDevice adds a character device: a file without content, offset or cost, whose reads and writes go to dev. A device
// that exists keeps its name and permissions and gets dev in this tree alone, for Files opened from then on, so
// that a clone can have its own; anything else that exists is not replaced (fs.ErrExist). Missing directories on the way
// get mode 0755. The umask plays no part.
//
// dev may be called from many goroutines, and is called without the tree's lock. Its io.EOF is the end of the file; its
// other errors reach the caller of Read or Write in a *fs.PathError.
func (t *Tree) AddDevice(name string, perm fs.FileMode, dev io.ReadWriter) error {
	t = t.Trusted()
	return t.addUnder(name, func() error { return t.addDevice(name, perm, dev) })
}

func (t *Tree) addDevice(name string, perm fs.FileMode, dev io.ReadWriter) error {
	now := t.now()
	f, err := t.top().find(name, followNever, true)
	if err != nil {
		return err
	}
	if f.owner() != nil {
		return ErrCrossDevice
	}
	defer t.mu.Unlock()
	ino := f.node.ino
	switch {
	case f.slash:
		return ErrNotDir
	case !f.there:
		n, err := t.create(f, perm&modeBits|deviceType, now)
		if err != nil {
			return err
		}
		ino = n.ino
	case f.typ != deviceType:
		return fs.ErrExist
	}
	t.setDevice(ino, dev)
	return nil
}

// setDevice puts dev behind an inode; nil takes it away. Preconditions: t.mu is held exclusively.
func (t *Tree) setDevice(ino uint64, dev io.ReadWriter) {
	set := maps.Clone(t.devices)
	if set == nil {
		set = deviceSet{}
	}
	if set[ino] = dev; dev == nil {
		delete(set, ino)
	}
	t.devices = set
}

// device is the handle of a device file. It has no offset.
type device struct {
	node
	rw io.ReadWriter
}

func (h *device) readAt(p []byte, _ int64) (int, error) {
	n, err := h.rw.Read(p)
	return bounded(n, p), err
}

func (h *device) writeAt(p []byte, _ int64) (int, error) {
	n, err := h.rw.Write(p)
	return bounded(n, p), err
}

func (h *device) append(p []byte) (int, int64, error) {
	n, err := h.writeAt(p, 0)
	return n, 0, err
}

func (h *device) truncate(int64) error        { return fs.ErrInvalid }
func (h *device) allocate(int64, int64) error { return ErrNotSupported }

// bounded keeps a count that a device returns inside p, whatever the device says.
func bounded(n int, p []byte) int { return max(0, min(n, len(p))) }
