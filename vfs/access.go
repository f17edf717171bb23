package vfs

import (
	"io/fs"
	"os"
)

// What Access asks for.
const (
	AccessExec  = 1 // to execute a file, to search a directory
	AccessWrite = 2
	AccessRead  = 4
)

// Access tells whether the user may use what name leads to in all the ways that how adds up, 0 being that it exists
// (https://pubs.opengroup.org/onlinepubs/9699919799/functions/access.html). In a mount the permission bits that Stat
// shows are asked.
func (d *Dir) Access(name string, follow bool, how int) error {
	return pathError("access", name, d.access(name, follow, how))
}

func (d *Dir) access(name string, follow bool, how int) error {
	if how&^(AccessExec|AccessWrite|AccessRead) != 0 {
		return fs.ErrInvalid
	}
	lookup := followSlashed
	if follow {
		lookup = followAlways
	}
	f, err := d.find(name, lookup, false)
	if err != nil {
		return err
	}
	m := f.owner()
	if m == nil {
		defer d.t.mu.RUnlock()
	}
	switch {
	case !f.there:
		return fs.ErrNotExist
	case m == nil:
		return d.t.user.may(d.t.inode(f.node.ino), fs.FileMode(how))
	}
	i, err := m.info(f.node.path, "")
	if err != nil {
		return err
	}
	n := &inode{mode: i.mode, uid: uint32(i.uid), gid: uint32(i.gid)}
	if i.IsDir() {
		n.dir = &dirBody{}
	}
	if err := d.t.user.may(n, fs.FileMode(how)); err != nil || how&AccessWrite == 0 {
		return err
	}
	if d, ok := m.drv.(readOnlyDriver); ok && d.isReadOnly() {
		return ErrReadOnly
	}
	return nil
}

// readOnlyDriver is a driver that may refuse all changes.
type readOnlyDriver interface{ isReadOnly() bool }

func (*layer) isReadOnly() bool     { return true }
func (h *hostDir) isReadOnly() bool { return h.readOnly }

// Touch sets the times of last access and last change to the present, which needs no more than write permission.
func (d *Dir) Touch(name string, follow bool) error {
	return pathError("touch", name, d.change(name, follow, d.t.touch()))
}

// Touch is Dir.Touch for an open file.
func (f *File) Touch() error { return f.change("touch", f.own.t.touch()) }

// Truncate cuts or extends a file to size; see File.Truncate.
func (d *Dir) Truncate(name string, size int64) error {
	return pathError("truncate", name, d.truncate(name, size))
}

func (d *Dir) truncate(name string, size int64) error {
	if size < 0 {
		return fs.ErrInvalid
	}
	now := d.t.now()
	f, err := d.find(name, followAlways, true)
	if err != nil {
		return err
	}
	if m := f.owner(); m != nil {
		h, err := d.OpenFile(name, os.O_WRONLY, 0)
		if err != nil {
			return cause(err)
		}
		defer h.Close()
		return cause(h.Truncate(size))
	}
	defer d.t.mu.Unlock()
	switch {
	case !f.there:
		return fs.ErrNotExist
	case f.typ.IsDir():
		return ErrIsDir
	case !f.typ.IsRegular():
		return fs.ErrInvalid
	}
	if err := d.t.user.may(d.t.inode(f.node.ino), wantWrite); err != nil {
		return err
	}
	if size > maxFileSize {
		return ErrTooLarge
	}
	d.t.cutAt(d.t.edit(f.node.ino), size, now)
	return nil
}
