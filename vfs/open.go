package vfs

import (
	"context"
	"io/fs"
	"os"
	"strings"
)

// Flags for OpenFile beside those of package os. They are this package's own values, the same on all systems.
const (
	O_DIRECTORY = 1 << 28 // fail with ErrNotDir unless it is a directory
	O_NOFOLLOW  = 1 << 29 // fail with ErrLoop if the last name is a symbolic link
	O_NONBLOCK  = 1 << 26 // don't wait for the other end of a FIFO
	O_SEARCH    = 1 << 25 // of a directory ask for the permission to search it, not to read it
	O_NOATIME   = 1 << 27 // reading leaves the access time alone; for the owner only (ErrNotPermitted)
)

const accessMode = os.O_RDONLY | os.O_WRONLY | os.O_RDWR

// OpenFile opens a file or directory. flag takes os.O_RDONLY, O_WRONLY or O_RDWR with O_APPEND, O_CREATE, O_EXCL,
// O_TRUNC, O_DIRECTORY, O_SEARCH, O_NOFOLLOW, O_NOATIME and O_NONBLOCK; O_SYNC changes nothing. A file made by O_CREATE gets the
// permission bits of perm, less the umask. Directories can be opened for reading only. OpenFile does not wait for the
// other end of a FIFO; see Dir.Mkfifo. The File must be closed.
func (d *Dir) OpenFile(name string, flag int, perm fs.FileMode) (*File, error) {
	return d.OpenContext(context.Background(), name, flag|O_NONBLOCK, perm)
}

// OpenContext is OpenFile, but waits for the other end of a FIFO, unless flag has O_NONBLOCK. When ctx ends first, it
// fails with its cause.
func (d *Dir) OpenContext(ctx context.Context, name string, flag int, perm fs.FileMode) (*File, error) {
	f, err := d.open(name, flag, perm)
	if err != nil {
		return nil, pathError("open", name, err)
	}
	if h, ok := f.h.(*fifo); ok {
		if flag&O_NONBLOCK != 0 {
			ctx = nil
		}
		if err := h.join(ctx); err != nil {
			return nil, pathError("open", name, err)
		}
	}
	return f, nil
}

// openLookup checks flag, and says what it makes of a symbolic link.
func openLookup(name string, flag int) (follow, error) {
	switch {
	case flag&accessMode == accessMode, flag&O_DIRECTORY != 0 && flag&os.O_CREATE != 0:
		return 0, fs.ErrInvalid
	case flag&os.O_CREATE != 0 && flag&os.O_EXCL != 0:
		return followNever, nil
	case flag&os.O_CREATE != 0 && (flag&O_NOFOLLOW == 0 || strings.HasSuffix(name, "/")):
		return followToCreate, nil
	case flag&O_NOFOLLOW != 0:
		return followSlashed, nil
	}
	return followAlways, nil
}

// open opens what is no FIFO; the File of one has yet to join its pipe.
func (d *Dir) open(name string, flag int, perm fs.FileMode) (*File, error) {
	how, err := openLookup(name, flag)
	if err != nil {
		return nil, err
	}
	t := d.t
	var now int64
	if flag&(os.O_CREATE|os.O_TRUNC) != 0 {
		now = t.now()
	}
	f, err := d.find(name, how, true)
	if err != nil {
		return nil, err
	}
	err = f.openable(flag)
	if m := f.owner(); m != nil {
		if err != nil {
			return nil, err
		}
		return t.openForeign(f, name, flag, perm)
	}
	defer t.mu.Unlock()
	if err != nil {
		return nil, err
	}
	n, err := t.openInode(&f, flag, perm, now)
	if err != nil {
		return nil, err
	}
	t.opened(f.node.ino)
	if n.own == t.own {
		t.opens.keep(n)
	}
	if f.typ == deviceType || f.typ == fs.ModeNamedPipe {
		return newFile(t, f.node.ino, name, flag, t.handle(f.node.ino, f.typ, flag)), nil
	}
	file := newFile(t, f.node.ino, name, flag, nil)
	file.own = t.node(f.node.ino, f.typ, flag)
	file.h = &file.own
	return file, nil
}

// openInode returns the inode that was found, or makes it, and empties it if flag says so. Preconditions: t.mu is held
// exclusively, flag fits what was found.
func (t *Tree) openInode(f *found, flag int, perm fs.FileMode, now int64) (*inode, error) {
	if !f.there {
		n, err := t.create(*f, perm&modeBits&^t.user.Umask, now)
		if err == nil {
			f.node = place{ino: n.ino}
		}
		return n, err
	}
	n := t.inode(f.node.ino)
	switch err := t.user.mayOpen(n, flag); {
	case err != nil:
		return nil, err
	case f.typ == fs.ModeSocket || f.typ&fs.ModeDevice != 0 && t.devices[n.ino] == nil:
		return nil, ErrNoDevice
	case flag&os.O_TRUNC != 0 && f.typ.IsRegular():
		n = t.editable(n)
		t.cutAt(n, 0, now)
	}
	return n, nil
}

func (t *Tree) node(ino uint64, typ fs.FileMode, flag int) node {
	return node{t: t, ino: ino, dir: typ.IsDir(), noAtime: flag&O_NOATIME != 0}
}

// handle makes the handle of an inode that is open. Preconditions: t.mu is held exclusively.
func (t *Tree) handle(ino uint64, typ fs.FileMode, flag int) handle {
	n := t.node(ino, typ, flag)
	switch typ {
	case deviceType:
		return &device{node: n, rw: t.devices[ino]}
	case fs.ModeNamedPipe:
		access := flag & accessMode
		return &fifo{node: n, p: t.pipeOf(ino), read: access != os.O_WRONLY, write: access != os.O_RDONLY}
	}
	return &n
}

// openable tells whether flag fits what was found.
func (f *found) openable(flag int) error {
	create := flag&os.O_CREATE != 0
	switch {
	case !f.there && !create:
		return fs.ErrNotExist
	case create && f.slash && f.name != "":
		return ErrIsDir
	case !f.there:
		return nil
	case create && flag&os.O_EXCL != 0:
		return fs.ErrExist
	case flag&O_DIRECTORY != 0 && !f.typ.IsDir():
		return ErrNotDir
	case f.typ == fs.ModeSymlink:
		return ErrLoop
	case f.typ.IsDir() && (create || flag&(accessMode|os.O_TRUNC) != 0):
		return ErrIsDir
	}
	return nil
}

// openForeign opens what was found in a mount. No lock is held.
func (t *Tree) openForeign(f found, name string, flag int, perm fs.FileMode) (*File, error) {
	m := f.owner()
	at := f.inMount()
	h, err := m.drv.open(at, flag&^os.O_APPEND, perm&modeBits&^t.user.Umask, f.typ.IsDir())
	if err != nil {
		return nil, err
	}
	return newFile(t, f.dir.ino, name, flag, &foreign{stream: h, m: m, path: at}), nil
}
