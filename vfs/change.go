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
	touch bool // beside times: they are the present, which who may write may set too
}

func chmod(mode fs.FileMode) change {
	mode &= modeBits
	return change{mode: &mode}
}

func chown(uid, gid int) change { return change{owner: &[2]int{uid, gid}} }

func chtimes(atime, mtime time.Time) change { return change{times: &[2]time.Time{atime, mtime}} }

// touch sets both times to the present.
func (t *core) touch() change {
	now := t.cfg.Now()
	return change{times: &[2]time.Time{now, now}, touch: true}
}

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
	return d.t.change(d.t.inode(f.node.ino), c, now)
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

// change applies c to an inode, if the user may. Preconditions: t.mu is held exclusively, c passed check.
func (t *Tree) change(n *inode, c change, now int64) error {
	if c.times != nil && c.times[0].IsZero() && c.times[1].IsZero() {
		return nil
	}
	if err := t.user.mayChange(n, c); err != nil {
		return err
	}
	n = t.edit(n.ino)
	n.ctime = now
	t.tellNode(WatchAttributes, n)
	switch {
	case c.mode != nil:
		n.mode = n.mode&^modeBits | *c.mode
		if !t.user.super() && !t.user.in(n.gid) {
			n.mode &^= fs.ModeSetgid
		}
	case c.owner != nil:
		n.mode = t.user.withoutSetID(n)
		n.give(c.owner[0], c.owner[1])
	case c.times != nil:
		n.setTimes(c.times)
	}
	return nil
}

// mayChange tells whether the user may apply c
// (https://pubs.opengroup.org/onlinepubs/9699919799/functions/chown.html, chmod.html, utimensat.html).
func (u *User) mayChange(n *inode, c change) error {
	switch {
	case u.owns(n) && (c.owner == nil || u.super()):
		return nil
	case c.touch:
		return u.may(n, wantWrite)
	case c.owner == nil:
		return ErrNotPermitted
	}
	mine := int64(n.uid) == int64(u.UID)
	if !mine && u.withoutSetID(n) != n.mode {
		return ErrNotPermitted // It would change the mode.
	}
	if uid := c.owner[0]; uid >= 0 && (!mine || uid != u.UID) {
		return ErrNotPermitted
	}
	if gid := c.owner[1]; gid >= 0 && (!mine || !u.in(uint32(gid)) && uint32(gid) != n.gid) {
		return ErrNotPermitted
	}
	return nil
}

// give sets the owners that are not -1. Preconditions: n may be changed.
func (n *inode) give(uid, gid int) {
	if uid >= 0 {
		n.uid = uint32(uid)
	}
	if gid >= 0 {
		n.gid = uint32(gid)
	}
}

// setTimes sets the times that are not zero. Preconditions: n may be changed.
func (n *inode) setTimes(times *[2]time.Time) {
	if t := times[0]; !t.IsZero() {
		n.atime = nanos(t)
	}
	if t := times[1]; !t.IsZero() {
		n.mtime = nanos(t)
	}
}
