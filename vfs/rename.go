package vfs

import (
	"io/fs"
	"strings"
)

// pair is two paths resolved as one step.
type pair struct {
	old, new found
	foreign  bool // one of them, at least, lies in a mount
}

// findPair resolves a name that should exist and one to be made. Of several errors it returns the one that
// Linux would. Unless the result is foreign, it returns holding t.mu exclusively.
func (d *Dir) findPair(oldName string, how follow, to *Dir, newName string) (pair, error) {
	t := d.t
	if t != to.t {
		return pair{}, ErrCrossDevice
	}
	t.mu.Lock()
	p, done, err := d.pair(oldName, how, to, newName)
	if done && err == nil {
		return p, nil
	}
	t.mu.Unlock()
	if err != nil {
		return p, err
	}
	return d.findForeign(oldName, how, to, newName)
}

// findForeign is findPair where the way leads through a mount: no lock covers both names, and the mount
// checks again.
func (d *Dir) findForeign(oldName string, how follow, to *Dir, newName string) (p pair, err error) {
	p.foreign = true
	if p.old, err = d.look(oldName, how); err != nil {
		return p, err
	}
	if !p.old.there && how != followNever {
		return p, fs.ErrNotExist
	}
	p.new, err = to.look(newName, followNever)
	return p, err
}

// look is find for when the answer may be out of date at once. No lock is held on return.
func (d *Dir) look(name string, how follow) (found, error) {
	f, err := d.find(name, how, false)
	if err == nil && f.owner() == nil {
		d.t.mu.RUnlock()
	}
	return f, err
}

// pair resolves both names; it is done if neither touches a mount. Preconditions: t.mu is held.
func (d *Dir) pair(oldName string, how follow, to *Dir, newName string) (p pair, done bool, err error) {
	a, b := walk{t: d.t, follow: how}, walk{t: d.t, follow: followNever}
	if err := a.start(d, oldName); err != nil {
		return p, true, err
	}
	if done, err = a.tree(&p.old); err != nil || !done {
		return p, done, err
	}
	if !p.old.there && how != followNever {
		return p, true, fs.ErrNotExist // link looks at the file itself first, rename at both directories.
	}
	if err := b.start(to, newName); err != nil {
		return p, true, err
	}
	if done, err = b.tree(&p.new); err != nil || !done {
		return p, done, err
	}
	return p, p.old.owner() == nil && p.new.owner() == nil, nil
}

// Rename moves oldName in d to newName in to, as POSIX has it
// (https://pubs.opengroup.org/onlinepubs/9699919799/functions/rename.html): in one step, in the place of a file or an empty directory that is
// there. Between mounts it fails with ErrCrossDevice.
func (d *Dir) Rename(oldName string, to *Dir, newName string) error {
	return linkError("rename", oldName, newName, d.rename(oldName, to, newName, 0))
}

// RenameFlags changes what a rename does with what is at the new name
// (https://man7.org/linux/man-pages/man2/rename.2.html).
type RenameFlags uint32

// The flags of RenameWith.
const (
	// RenameNoReplace lets nothing be replaced (fs.ErrExist).
	RenameNoReplace RenameFlags = 1 << iota
	// RenameExchange lets the two names change what they lead to, whatever that is. Mounts can't (ErrNotSupported).
	RenameExchange
)

// RenameWith is Rename with flags, one at most.
func (d *Dir) RenameWith(oldName string, to *Dir, newName string, flags RenameFlags) error {
	return linkError("rename", oldName, newName, d.rename(oldName, to, newName, flags))
}

func (d *Dir) rename(oldName string, to *Dir, newName string, flags RenameFlags) error {
	if flags > RenameExchange {
		return fs.ErrInvalid
	}
	now := d.t.now()
	p, err := d.findPair(oldName, followNever, to, newName)
	if err != nil {
		return err
	}
	if p.foreign {
		return p.renameForeign(flags)
	}
	defer d.t.mu.Unlock()
	if err := p.check(flags); err != nil {
		return err
	}
	if p.new.there && p.old.node == p.new.node {
		return nil
	}
	if flags == RenameExchange {
		if err := d.t.checkExchange(p); err != nil {
			return err
		}
		d.t.exchange(p, now)
		return nil
	}
	if err := d.t.checkMove(p); err != nil {
		return err
	}
	d.t.move(p, now)
	return nil
}

// check tells whether the two names, by their form and kind, can change places.
func (p *pair) check(flags RenameFlags) error {
	a, b := &p.old, &p.new
	exchange := flags == RenameExchange
	switch {
	case a.name != "" && b.name == "" && flags == RenameNoReplace:
		return fs.ErrExist
	case a.name == "" || b.name == "":
		return ErrBusy
	case !a.there, exchange && !b.there:
		return fs.ErrNotExist
	case b.there && flags == RenameNoReplace:
		return fs.ErrExist
	case !a.typ.IsDir() && (a.slash || b.slash && !exchange), exchange && b.slash && !b.typ.IsDir():
		return ErrNotDir
	case a.there && a.node.mnt != a.dir.mnt || b.there && b.node.mnt != b.dir.mnt:
		return ErrBusy
	}
	return nil
}

func (p *pair) renameForeign(flags RenameFlags) error {
	if err := p.check(flags); err != nil {
		return err
	}
	m := p.old.dir.mnt
	if m == nil || m != p.new.dir.mnt {
		return ErrCrossDevice
	}
	if flags == RenameExchange {
		return ErrNotSupported
	}
	return m.drv.rename(p.old.node.path, p.new.inMount())
}

// checkMove tells whether what is at the new name, and where it is, allow the move. Preconditions: t.mu is
// held.
func (t *Tree) checkMove(p pair) error {
	a, b := &p.old, &p.new
	if a.typ.IsDir() && t.within(b.dir.ino, a.node.ino) {
		return fs.ErrInvalid
	}
	if b.there && b.typ.IsDir() && t.within(a.dir.ino, b.node.ino) {
		return ErrNotEmpty
	}
	if err := t.mayMove(p); err != nil {
		return err
	}
	if b.there && b.typ.IsDir() && t.inode(b.node.ino).dir.seqs.root != nil {
		return ErrNotEmpty
	}
	return nil
}

// checkExchange tells whether two names may change what they lead to. Preconditions: t.mu is held.
func (t *Tree) checkExchange(p pair) error {
	a, b := &p.old, &p.new
	if a.typ.IsDir() && t.within(b.dir.ino, a.node.ino) || b.typ.IsDir() && t.within(a.dir.ino, b.node.ino) {
		return fs.ErrInvalid
	}
	for _, f := range []*found{a, b} {
		if err := t.mayDelete(f); err != nil {
			return err
		}
	}
	for _, f := range []*found{a, b} {
		if f.typ.IsDir() && a.dir.ino != b.dir.ino {
			if err := t.user.may(t.inode(f.node.ino), wantWrite); err != nil {
				return err
			}
		}
	}
	return nil
}

// mayMove tells whether the user may do what a move does: take both names out of their directories or make the new one,
// and change where ".." leads; and whether the two are of one kind. Preconditions: t.mu is held.
func (t *Tree) mayMove(p pair) error {
	a, b := &p.old, &p.new
	if err := t.mayDelete(a); err != nil {
		return err
	}
	if !b.there {
		if err := t.user.mayCreate(t.inode(b.dir.ino)); err != nil {
			return err
		}
	} else if err := t.mayReplace(a, b); err != nil {
		return err
	}
	if a.typ.IsDir() && a.dir.ino != b.dir.ino {
		return t.user.may(t.inode(a.node.ino), wantWrite)
	}
	return nil
}

// mayReplace tells whether the user may put what is at a in the place of what is at b.
func (t *Tree) mayReplace(a, b *found) error {
	err := t.mayDelete(b)
	switch {
	case err != nil:
		return err
	case a.typ.IsDir() && !b.typ.IsDir():
		return ErrNotDir
	case !a.typ.IsDir() && b.typ.IsDir():
		return ErrIsDir
	}
	return nil
}

// within reports whether directory ino is top or lies under it. It costs as much as ino lies deep.
func (t *Tree) within(ino, top uint64) bool {
	for ino != top {
		n := t.inode(ino)
		if n == nil || ino == rootIno {
			return false
		}
		ino = n.dir.parent
	}
	return true
}

// move carries the rename out. The new name takes over the listing place and, where it replaces a name, its
// charge.
func (t *Tree) move(p pair, now int64) {
	from, to := t.edit(p.old.dir.ino), t.edit(p.new.dir.ino)
	old := from.dir.names.get(p.old.name)
	e := &dirent{name: strings.Clone(p.new.name), ino: old.ino, ledger: old.ledger, typ: old.typ}
	if gone := to.dir.names.get(p.new.name); gone != nil {
		e.seq = gone.seq
		t.refundName(gone)
		if gone.typ.IsDir() {
			to.nlink--
		}
		t.unlinked(t.edit(gone.ino), now)
	} else {
		to.dir.last++
		e.seq = to.dir.last
	}
	t.drop(from, old, now)
	t.enter(to, e, now)
	n := t.edit(e.ino)
	n.ctime = now
	t.hang(to, n, e, int(n.nlink))
	t.tellRename(from.ino, old.name, to.ino, e)
}

// exchange lets two names change what they lead to. Each keeps its place in the listing, and its charge.
func (t *Tree) exchange(p pair, now int64) {
	from, to := t.edit(p.old.dir.ino), t.edit(p.new.dir.ino)
	a, b := *from.dir.names.get(p.old.name), *to.dir.names.get(p.new.name)
	a.ino, b.ino = b.ino, a.ino
	a.typ, b.typ = b.typ, a.typ
	for _, side := range []struct {
		dir *inode
		e   *dirent
		was fs.FileMode
	}{{from, &a, b.typ}, {to, &b, a.typ}} {
		if side.was.IsDir() {
			side.dir.nlink--
		}
		t.enter(side.dir, side.e, now)
		n := t.edit(side.e.ino)
		n.ctime = now
		t.hang(side.dir, n, side.e, int(n.nlink))
	}
	t.tellRename(to.ino, b.name, from.ino, &a)
	t.tellRename(from.ino, a.name, to.ino, &b)
}
