package vfs

import (
	"io/fs"
	"math"
	"time"
)

// change is one change of what Info tells of a node. Exactly one of its parts is set.
type change struct {
	mode  *fs.FileMode
	owner *[2]int
	times *[2]time.Time
}

func chmod(mode fs.FileMode) change {
	mode &= modeBits
	return change{mode: &mode}
}

func chown(uid, gid int) change { return change{owner: &[2]int{uid, gid}} }

func chtimes(atime, mtime time.Time) change { return change{times: &[2]time.Time{atime, mtime}} }

// change applies c to what name leads to.
func (d *Dir) change(name string, follow bool, c change) error {
	how := followSlashed
	if follow {
		how = followAlways
	}
	if err := c.check(); err != nil {
		return err
	}
	now := d.t.now()
	f, err := d.find(name, how, true)
	if err != nil {
		return err
	}
	m := f.owner()
	if m == nil {
		defer d.t.mu.Unlock()
	}
	switch {
	case !f.there:
		return fs.ErrNotExist
	case c.mode != nil && f.typ == fs.ModeSymlink:
		return ErrNotSupported
	case m != nil:
		return m.drv.change(f.node.path, c)
	}
	d.t.edit(f.node.ino).change(c, now)
	return nil
}

func (c change) check() error {
	if c.owner == nil {
		return nil
	}
	for _, id := range c.owner {
		if id < -1 || int64(id) >= math.MaxUint32 {
			return fs.ErrInvalid
		}
	}
	return nil
}

// change applies c. Preconditions: the inode may be changed, c passed check.
func (n *inode) change(c change, now int64) {
	n.ctime = now
	switch {
	case c.mode != nil:
		n.mode = n.mode&^modeBits | *c.mode
	case c.owner != nil:
		if id := c.owner[0]; id >= 0 {
			n.uid = uint32(id)
		}
		if id := c.owner[1]; id >= 0 {
			n.gid = uint32(id)
		}
	case c.times != nil:
		if t := c.times[0]; !t.IsZero() {
			n.atime = nanos(t)
		}
		if t := c.times[1]; !t.IsZero() {
			n.mtime = nanos(t)
		}
	}
}
