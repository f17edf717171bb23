package vfs

import (
	"io/fs"
	"slices"
	"strings"
)

const (
	maxAttrName  = 255
	maxAttrValue = 64 << 10
	maxAttrs     = 256 << 10 // bytes of names and values that an inode has in all
)

// attrs is the extended attributes of an inode. It never changes; clones share it.
type attrs struct {
	ledger *ledger
	list   []Attr // by rising name; not empty
}

// bytes is what the attributes cost.
func (a *attrs) bytes() int64 {
	if a == nil {
		return 0
	}
	sum := 0
	for i := range a.list {
		sum += len(a.list[i].Name) + len(a.list[i].Value)
	}
	return int64(sum)
}

func (a *attrs) find(name string) (int, bool) {
	if a == nil {
		return 0, false
	}
	return slices.BinarySearchFunc(a.list, name, func(x Attr, name string) int { return strings.Compare(x.Name, name) })
}

// XattrFlags says what setting an extended attribute may do.
type XattrFlags uint32

// The flags of Setxattr.
const (
	XattrCreate  XattrFlags = 1 << iota // fail with fs.ErrExist if the attribute exists
	XattrReplace                        // fail with ErrNoAttr if it does not
)

// Getxattr returns an extended attribute (https://man7.org/linux/man-pages/man7/xattr.7.html), named with its namespace:
// "user." for everyone who may read the file, on files and directories only, "trusted." for the superuser alone, and
// "security.". Without the attribute it fails with ErrNoAttr, in mounts with ErrNotSupported.
func (d *Dir) Getxattr(name string, follow bool, attr string) (value []byte, err error) {
	if err = checkAttr(attr); err == nil {
		err = d.onInode(name, follow, false, func(n *inode) (err error) {
			value, err = d.t.getxattr(n, attr)
			return err
		})
	}
	return value, pathError("getxattr", name, err)
}

// Setxattr sets an extended attribute. Its name has up to 255 bytes (ErrRange), its value up to 64 KiB
// (ErrAttrTooLarge), all of a file together 256 KiB (ErrQuota). They count against Config.MaxBytes.
func (d *Dir) Setxattr(name string, follow bool, attr string, value []byte, flags XattrFlags) error {
	now := d.t.now()
	err := checkSetxattr(attr, value, flags)
	if err == nil {
		err = d.onInode(name, follow, true, func(n *inode) error { return d.t.setxattr(n, attr, value, flags, now) })
	}
	return pathError("setxattr", name, err)
}

// Listxattr returns the names of the extended attributes, sorted.
func (d *Dir) Listxattr(name string, follow bool) (names []string, err error) {
	err = d.onInode(name, follow, false, func(n *inode) error {
		names = d.t.listxattr(n)
		return nil
	})
	return names, pathError("listxattr", name, err)
}

// Removexattr removes an extended attribute; if there is none it fails with ErrNoAttr.
func (d *Dir) Removexattr(name string, follow bool, attr string) error {
	now := d.t.now()
	err := checkAttr(attr)
	if err == nil {
		err = d.onInode(name, follow, true, func(n *inode) error { return d.t.removexattr(n, attr, now) })
	}
	return pathError("removexattr", name, err)
}

// Getxattr is Dir.Getxattr for an open file.
func (f *File) Getxattr(attr string) (value []byte, err error) {
	if err = checkAttr(attr); err == nil {
		err = f.onInode(false, func(n *inode) (err error) {
			value, err = f.own.t.getxattr(n, attr)
			return err
		})
	}
	return value, f.fail("getxattr", err)
}

// Setxattr is Dir.Setxattr for an open file.
func (f *File) Setxattr(attr string, value []byte, flags XattrFlags) error {
	now := f.own.t.now()
	err := checkSetxattr(attr, value, flags)
	if err == nil {
		err = f.onInode(true, func(n *inode) error { return f.own.t.setxattr(n, attr, value, flags, now) })
	}
	return f.fail("setxattr", err)
}

// Listxattr is Dir.Listxattr for an open file.
func (f *File) Listxattr() (names []string, err error) {
	err = f.onInode(false, func(n *inode) error {
		names = f.own.t.listxattr(n)
		return nil
	})
	return names, f.fail("listxattr", err)
}

// Removexattr is Dir.Removexattr for an open file.
func (f *File) Removexattr(attr string) error {
	now := f.own.t.now()
	err := checkAttr(attr)
	if err == nil {
		err = f.onInode(true, func(n *inode) error { return f.own.t.removexattr(n, attr, now) })
	}
	return f.fail("removexattr", err)
}

// onInode calls do, with t.mu held, on the inode that name leads to.
func (d *Dir) onInode(name string, follow, exclusive bool, do func(n *inode) error) error {
	how := followSlashed
	if follow {
		how = followAlways
	}
	f, err := d.find(name, how, exclusive)
	if err != nil {
		return err
	}
	if f.owner() == nil {
		defer d.t.unlock(exclusive)
	}
	switch {
	case !f.there:
		return fs.ErrNotExist
	case f.owner() != nil:
		return ErrNotSupported
	}
	return do(d.t.inode(f.node.ino))
}

// onInode calls do, with t.mu held, on the file's inode.
func (f *File) onInode(exclusive bool, do func(n *inode) error) error {
	if err := f.check(false, false); err != nil {
		return err
	}
	if f.at().mnt != nil {
		return ErrNotSupported
	}
	f.own.t.lock(exclusive)
	defer f.own.t.unlock(exclusive)
	n := f.own.t.inode(f.own.ino)
	if n == nil {
		return fs.ErrClosed
	}
	return do(n)
}

// mayAttr tells whether the user may read an attribute, or write it.
func (u *User) mayAttr(n *inode, attr string, write bool) error {
	want, refused := wantRead, error(ErrNoAttr)
	if write {
		want, refused = wantWrite, ErrNotPermitted
	}
	space, rest, known := strings.Cut(attr, ".")
	if !known {
		space = ""
	}
	switch space {
	case "trusted":
		if !u.super() {
			return refused
		}
	case "system":
		return ErrNotSupported
	case "security":
		if write && !u.super() {
			return ErrNotPermitted
		}
		return nil
	case "user":
		if n.dir == nil && !n.mode.IsRegular() {
			return refused
		}
		if write && n.dir != nil && n.mode&fs.ModeSticky != 0 && !u.owns(n) {
			return ErrNotPermitted
		}
	default:
		known = false
	}
	switch err := u.may(n, want); {
	case err != nil:
		return err
	case !known:
		return ErrNotSupported
	case rest == "":
		return fs.ErrInvalid
	}
	return nil
}

// checkAttr checks the form of an attribute's name.
func checkAttr(attr string) error {
	switch {
	case attr == "" || len(attr) > maxAttrName:
		return ErrRange
	case strings.IndexByte(attr, 0) >= 0:
		return fs.ErrInvalid
	}
	return nil
}

func checkSetxattr(attr string, value []byte, flags XattrFlags) error {
	if flags > XattrReplace {
		return fs.ErrInvalid
	}
	if err := checkAttr(attr); err != nil {
		return err
	}
	if len(value) > maxAttrValue {
		return ErrAttrTooLarge
	}
	return nil
}

// getxattr returns an attribute's value. Preconditions: t.mu is held.
func (t *Tree) getxattr(n *inode, attr string) ([]byte, error) {
	if err := t.user.mayAttr(n, attr, false); err != nil {
		return nil, err
	}
	a := n.extras().attrs
	i, ok := a.find(attr)
	if !ok {
		return nil, ErrNoAttr
	}
	return []byte(a.list[i].Value), nil
}

// listxattr returns the names of those attributes that the user may know of. Preconditions: t.mu is held.
func (t *Tree) listxattr(n *inode) []string {
	var out []string
	for _, a := range n.extras().attrs.all() {
		if t.user.super() || !strings.HasPrefix(a.Name, "trusted.") {
			out = append(out, a.Name)
		}
	}
	return out
}

// setxattr sets an attribute. Preconditions: t.mu is held exclusively.
func (t *Tree) setxattr(n *inode, attr string, value []byte, flags XattrFlags, now int64) error {
	if err := t.user.mayAttr(n, attr, true); err != nil {
		return err
	}
	had := n.extras().attrs
	i, exists := had.find(attr)
	switch {
	case exists && flags == XattrCreate:
		return fs.ErrExist
	case !exists && flags == XattrReplace:
		return ErrNoAttr
	}
	list := slices.Clone(had.all())
	if set := (Attr{strings.Clone(attr), string(value)}); exists {
		list[i] = set
	} else {
		list = slices.Insert(list, i, set)
	}
	return t.setAttrs(n, list, now)
}

// removexattr removes an attribute. Preconditions: t.mu is held exclusively.
func (t *Tree) removexattr(n *inode, attr string, now int64) error {
	if err := t.user.mayAttr(n, attr, true); err != nil {
		return err
	}
	had := n.extras().attrs
	i, exists := had.find(attr)
	if !exists {
		return ErrNoAttr
	}
	return t.setAttrs(n, slices.Delete(slices.Clone(had.list), i, i+1), now)
}

// setAttrs makes list, which becomes the inode's own, all its attributes, if there is room. Preconditions: t.mu is held
// exclusively.
func (t *Tree) setAttrs(n *inode, list []Attr, now int64) error {
	a := &attrs{ledger: t.own.ledger, list: list}
	cost, paid := a.bytes(), t.paidAttrs(n)
	if cost > paid && (cost > maxAttrs || cost-paid > t.room()) {
		return ErrQuota
	}
	if len(list) == 0 {
		a = nil
	}
	n = t.edit(n.ino)
	n.setAttrs(a)
	n.ctime = now
	t.charge(n, cost-paid)
	t.tellNode(WatchAttributes, n)
	return nil
}

// paidAttrs is what the inode's attributes have been charged for in this tree's ledger.
func (t *Tree) paidAttrs(n *inode) int64 {
	if a := n.extras().attrs; a.chargedTo(t.own.ledger) {
		return a.bytes()
	}
	return 0
}

// setAttrs gives the inode other attributes; nil takes them. Preconditions: n may be changed.
func (n *inode) setAttrs(a *attrs) {
	if a != nil || n.extra != nil {
		n.extend().attrs = a
	}
}
