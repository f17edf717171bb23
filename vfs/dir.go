package vfs

import (
	"io/fs"
	"strings"
	"time"
)

// Dir is a directory that paths start from, like a directory descriptor in POSIX or a preopen in WASI. Paths
// are slash-separated and relative to it. An absolute path, and one that climbs above the Dir by "..", fails
// with ErrEscape. Symbolic links lead anywhere in the tree, as in POSIX: absolute targets start at its root,
// and ".." stays there. A Dir goes with its directory when that is renamed; after its removal calls fail with
// fs.ErrNotExist.
//
// Errors are *fs.PathError or *os.LinkError. A Dir needs no closing.
type Dir struct {
	t     *Tree
	at    place
	clamp bool // for the calls of Tree: absolute paths and climbing are allowed, and stay at the root
	slash bool // absolute paths and links start here, and nothing leads out
	long  bool // paths may be longer than POSIX lets a program's be
}

// Root returns the tree's root directory.
func (t *Tree) Root() *Dir { return &Dir{t: t, at: root} }

// AsRoot returns the directory as the root of all that is resolved from it, as chroot(2) makes one: absolute paths and
// the absolute targets of symbolic links start there. What climbs above it, by links too, fails with ErrEscape; only
// at the tree's root ".." stays.
func (d *Dir) AsRoot() *Dir {
	r := *d
	r.slash, r.clamp = true, d.at == root
	return &r
}

// Mkdir makes a directory with the permission bits of perm, less the umask.
func (d *Dir) Mkdir(name string, perm fs.FileMode) error {
	return pathError("mkdir", name, d.mkdir(name, perm))
}

func (d *Dir) mkdir(name string, perm fs.FileMode) error {
	now := d.t.now()
	f, err := d.find(name, followNever, true)
	if err != nil {
		return err
	}
	mode := perm&(fs.ModePerm|fs.ModeSticky)&^d.t.user.Umask | fs.ModeDir
	if m := f.owner(); m != nil {
		if f.there {
			return fs.ErrExist
		}
		return m.drv.mkdir(f.inMount(), mode.Perm())
	}
	defer d.t.mu.Unlock()
	_, err = d.t.create(f, mode, now)
	return err
}

// create makes an inode under the name found. Preconditions: t.mu is held exclusively.
func (t *Tree) create(f found, mode fs.FileMode, now int64) (*inode, error) {
	if f.there {
		return nil, fs.ErrExist
	}
	dir := f.up
	if err := t.user.mayCreate(dir); err != nil {
		return nil, err
	}
	if err := t.chargeName(); err != nil {
		return nil, err
	}
	dir = t.editable(dir)
	b := t.newInode(mode, now)
	n := &b.inode
	t.user.inherit(n, dir)
	if n.dir == nil {
		n.nlink = 1
	}
	b.entry.name, b.entry.ledger = strings.Clone(f.name), t.own.ledger
	t.addEntry(dir, &b.entry, n, now)
	return n, nil
}

// Unlink removes a name that is not a directory's (ErrIsDir).
func (d *Dir) Unlink(name string) error {
	return pathError("unlink", name, d.unlink(name))
}

func (d *Dir) unlink(name string) error {
	now := d.t.now()
	f, err := d.find(name, followNever, true)
	if err != nil {
		return err
	}
	err = f.unlinkable()
	if m := f.owner(); m != nil {
		if err == nil {
			err = m.drv.remove(f.node.path)
		}
		return err
	}
	defer d.t.mu.Unlock()
	if !f.there || f.name == "" {
		return err
	}
	dir, n := f.up, d.t.inode(f.node.ino)
	if !f.slash {
		if err := d.t.user.mayDelete(dir, n); err != nil {
			return err
		}
	}
	if err == nil {
		d.t.unlinkEntry(dir, n, f.entry, now)
	}
	return err
}

// mayDelete tells whether the user may remove the name found, if there is one. Preconditions: t.mu is held.
func (t *Tree) mayDelete(f *found) error {
	if !f.there || f.name == "" {
		return nil
	}
	return t.user.mayDelete(f.up, t.inode(f.node.ino))
}

func (f *found) unlinkable() error {
	switch {
	case !f.there:
		return fs.ErrNotExist
	case f.typ.IsDir():
		return ErrIsDir
	case f.slash:
		return ErrNotDir
	}
	return nil
}

// unlinkEntry removes a name, e, from a directory and takes the link from its inode. Preconditions: t.mu is held
// exclusively.
func (t *Tree) unlinkEntry(dir, n *inode, e *dirent, now int64) {
	t.tell(WatchRemoved, dir.ino, e)
	t.drop(t.editable(dir), e, now)
	t.refundName(e)
	t.unlinked(t.editable(n), now)
}

// Rmdir removes an empty directory.
func (d *Dir) Rmdir(name string) error {
	return pathError("rmdir", name, d.rmdir(name))
}

func (d *Dir) rmdir(name string) error {
	now := d.t.now()
	f, err := d.find(name, followNever, true)
	if err != nil {
		return err
	}
	err = f.removable()
	if m := f.owner(); m != nil {
		if err == nil {
			err = m.drv.remove(f.node.path)
		}
		return err
	}
	defer d.t.mu.Unlock()
	if err := d.t.mayDelete(&f); err != nil {
		return err
	}
	if err != nil {
		return err
	}
	n := d.t.inode(f.node.ino)
	if n.dir.seqs.root != nil {
		return ErrNotEmpty
	}
	d.t.unlinkEntry(f.up, n, f.entry, now)
	return nil
}

func (f *found) removable() error {
	switch {
	case !f.there:
		return fs.ErrNotExist
	case f.dots == "..":
		return ErrNotEmpty
	case f.dots == ".":
		return fs.ErrInvalid
	case f.name == "" || f.node.mnt != f.dir.mnt:
		return ErrBusy
	case !f.typ.IsDir():
		return ErrNotDir
	}
	return nil
}

// Symlink makes name a symbolic link to target, which need not exist. In a mounted host folder the target may
// not lead out of it.
func (d *Dir) Symlink(target, name string) error {
	return linkError("symlink", target, name, d.symlink(target, name))
}

func (d *Dir) symlink(target, name string) error {
	switch {
	case target == "":
		return fs.ErrNotExist
	case len(target) > maxPath:
		return ErrNameTooLong
	case strings.IndexByte(target, 0) >= 0:
		return fs.ErrInvalid
	}
	now := d.t.now()
	f, err := d.find(name, followNever, true)
	if err != nil {
		return err
	}
	if !f.there && f.slash {
		err = fs.ErrNotExist
	}
	if m := f.owner(); m != nil {
		if f.there {
			err = fs.ErrExist
		}
		if err == nil {
			err = m.drv.symlink(target, f.inMount())
		}
		return err
	}
	defer d.t.mu.Unlock()
	if err != nil {
		return err
	}
	if !f.there && d.t.room() < int64(len(target)) {
		return ErrQuota
	}
	n, err := d.t.create(f, fs.ModeSymlink|fs.ModePerm, now)
	if err != nil {
		return err
	}
	_, err = d.t.write(n, []byte(target), 0)
	return err
}

// target returns where a symbolic link leads. Preconditions: the tree's mutex is held.
func (n *inode) target() string { return string(n.head.b) }

// Readlink returns the target of a symbolic link; on anything else it fails with fs.ErrInvalid.
func (d *Dir) Readlink(name string) (string, error) {
	s, err := d.readlink(name)
	return s, pathError("readlink", name, err)
}

func (d *Dir) readlink(name string) (string, error) {
	f, err := d.find(name, followSlashed, false)
	if err != nil {
		return "", err
	}
	if m := f.owner(); m != nil {
		if err := f.readable(); err != nil {
			return "", err
		}
		return m.drv.readlink(f.node.path)
	}
	target, stale := "", false
	if err = f.readable(); err == nil {
		n := d.t.inode(f.node.ino)
		target, stale = n.target(), d.t.stale(n)
	}
	d.t.mu.RUnlock()
	if stale {
		(&node{t: d.t, ino: f.node.ino}).touch()
	}
	return target, err
}

// readable tells whether it is a symbolic link.
func (f *found) readable() error {
	switch {
	case !f.there:
		return fs.ErrNotExist
	case f.typ != fs.ModeSymlink:
		return fs.ErrInvalid
	}
	return nil
}

// Link makes newName in to a hard link to oldName in d, or to what oldName leads to if it is a symbolic link
// and follow is set. Directories can't be linked (ErrNotPermitted), nor can a file be linked into another
// mount (ErrCrossDevice).
func (d *Dir) Link(oldName string, to *Dir, newName string, follow bool) error {
	return linkError("link", oldName, newName, d.link(oldName, to, newName, follow))
}

func (d *Dir) link(oldName string, to *Dir, newName string, follow bool) error {
	how := followSlashed
	if follow {
		how = followAlways
	}
	now := d.t.now()
	p, err := d.findPair(oldName, how, to, newName)
	if err != nil {
		return err
	}
	if !p.foreign {
		defer d.t.mu.Unlock()
	}
	a, b := &p.old, &p.new
	switch {
	case !a.there:
		return fs.ErrNotExist
	case b.there:
		return fs.ErrExist
	case b.slash:
		return fs.ErrNotExist
	case a.owner() != b.owner():
		return ErrCrossDevice
	case p.foreign && a.typ.IsDir():
		return ErrNotPermitted
	case p.foreign:
		return a.node.mnt.drv.link(a.node.path, b.inMount())
	}
	source := d.t.inode(a.node.ino)
	if !d.t.user.mayLink(source) {
		return ErrNotPermitted
	}
	if err := d.t.user.mayCreate(d.t.inode(b.dir.ino)); err != nil {
		return err
	}
	if a.typ.IsDir() {
		return ErrNotPermitted
	}
	n := d.t.edit(a.node.ino)
	if n.nlink >= maxLinks {
		return ErrTooManyLinks
	}
	if err := d.t.chargeName(); err != nil {
		return err
	}
	n.nlink++
	n.ctime = now
	d.t.add(d.t.edit(b.dir.ino), b.name, n, d.t.own.ledger, now)
	return nil
}

// Stat describes what name leads to; the link itself, if name is a symbolic link and follow is not set.
func (d *Dir) Stat(name string, follow bool) (Info, error) {
	op, how := "lstat", followSlashed
	if follow {
		op, how = "stat", followAlways
	}
	i, err := d.stat(name, how)
	return i, pathError(op, name, err)
}

func (d *Dir) stat(name string, how follow) (Info, error) {
	f, err := d.find(name, how, false)
	if err != nil {
		return Info{}, err
	}
	m := f.owner()
	if m == nil {
		defer d.t.mu.RUnlock()
	}
	switch {
	case !f.there:
		return Info{}, fs.ErrNotExist
	case m != nil:
		return m.info(f.node.path, baseName(name))
	}
	return d.t.inode(f.node.ino).info(baseName(name)), nil
}

// baseName returns the last element of a path without slashes after it; "/" if there is nothing else.
func baseName(name string) string {
	trimmed := strings.TrimRight(name, "/")
	if trimmed == "" {
		return "/"
	}
	return trimmed[strings.LastIndexByte(trimmed, '/')+1:]
}

// Chmod sets the permission, set-id and sticky bits. The bits of a symbolic link can't be set
// (ErrNotSupported).
func (d *Dir) Chmod(name string, follow bool, mode fs.FileMode) error {
	return pathError("chmod", name, d.change(name, follow, chmod(mode)))
}

// Chown sets owner and group; -1 leaves one as it is. In mounts it fails with ErrNotSupported.
func (d *Dir) Chown(name string, follow bool, uid, gid int) error {
	return pathError("chown", name, d.change(name, follow, chown(uid, gid)))
}

// Chtimes sets the times of last access and last change; a zero Time leaves one as it is. Times are kept in
// nanoseconds, within the years 1678 to 2262.
func (d *Dir) Chtimes(name string, follow bool, atime, mtime time.Time) error {
	return pathError("chtimes", name, d.change(name, follow, chtimes(atime, mtime)))
}
