package vfs

import (
	"io/fs"
	"os"
	"slices"
)

// User is who makes a call: whose permission bits count, who owns what is made. The zero User is the superuser, to
// whom permission bits say nothing, but that a regular file without any execute bit is not executable
// (https://man7.org/linux/man-pages/man7/path_resolution.7.html).
type User struct {
	UID, GID int
	// Groups are the groups that the user is in beside GID.
	Groups []int
	// Umask is taken from the permission bits of what is made.
	Umask fs.FileMode

	trusted bool // checks nothing, whatever the UID: for what the host adds to its tree
}

// As returns the same tree as u sees it: what is called on the result, and on the Files and Dirs that come from it, is
// checked and owned as u's. It costs next to nothing and needs no closing; closing it closes the tree.
func (t *Tree) As(u User) *Tree {
	u.Groups = slices.Clone(u.Groups)
	u.Umask &= fs.ModePerm
	return &Tree{core: t.core, user: &u}
}

// As returns the same directory as u sees it; see Tree.As.
func (d *Dir) As(u User) *Dir {
	r := *d
	r.t = d.t.As(u)
	return &r
}

// Trusted returns the tree as its host uses it: no permission bits bind it, yet what it makes is the user's own.
func (t *Tree) Trusted() *Tree {
	u := *t.user
	u.trusted = true
	return &Tree{core: t.core, user: &u}
}

// What a user may want of a node, as in the permission bits of one class.
const (
	wantRead  fs.FileMode = 4
	wantWrite fs.FileMode = 2
	wantExec  fs.FileMode = 1 // of a directory: search
)

func (u *User) super() bool { return u.UID == 0 || u.trusted }

func (u *User) in(gid uint32) bool {
	return int64(gid) == int64(u.GID) || slices.Contains(u.Groups, int(gid))
}

func (u *User) owns(n *inode) bool { return u.super() || int64(n.uid) == int64(u.UID) }

// may fails with fs.ErrPermission unless the permission bits give the user all that is wanted. The first class that
// fits decides: owner, group, others. Preconditions: the tree's mutex is held.
func (u *User) may(n *inode, want fs.FileMode) error {
	bits := n.mode.Perm()
	switch {
	case u.super():
		if want&wantExec == 0 || n.dir != nil || bits&0o111 != 0 {
			return nil
		}
		return fs.ErrPermission
	case int64(n.uid) == int64(u.UID):
		bits >>= 6
	case u.in(n.gid):
		bits >>= 3
	}
	if bits&want != want {
		return fs.ErrPermission
	}
	return nil
}

// mayCreate tells whether the user may give something a name in dir.
func (u *User) mayCreate(dir *inode) error { return u.may(dir, wantWrite|wantExec) }

// mayDelete tells whether the user may take n's name out of dir. In a sticky directory only the owners of either may
// (ErrNotPermitted).
func (u *User) mayDelete(dir, n *inode) error {
	if err := u.may(dir, wantWrite|wantExec); err != nil {
		return err
	}
	if dir.mode&fs.ModeSticky != 0 && !u.owns(n) && !u.owns(dir) {
		return ErrNotPermitted
	}
	return nil
}

// mayLink reports whether the user may give n a further name. That takes ownership, or a plain file that the user may
// read and write, as with Linux's fs.protected_hardlinks: nobody else can keep a file from being removed for good.
func (u *User) mayLink(n *inode) bool {
	if u.owns(n) {
		return true
	}
	setID := n.mode&fs.ModeSetuid != 0 || n.mode&fs.ModeSetgid != 0 && n.mode&0o010 != 0
	return n.mode.IsRegular() && !setID && u.may(n, wantRead|wantWrite) == nil
}

// mayOpen tells whether the bits allow opening with flag.
func (u *User) mayOpen(n *inode, flag int) error {
	var want fs.FileMode
	switch {
	case flag&O_SEARCH != 0 && n.dir != nil:
		want |= wantExec
	case flag&accessMode != os.O_WRONLY:
		want |= wantRead
	}
	if flag&(os.O_WRONLY|os.O_RDWR|os.O_TRUNC) != 0 {
		want |= wantWrite
	}
	if err := u.may(n, want); err != nil {
		return err
	}
	if flag&O_NOATIME != 0 && !u.owns(n) {
		return ErrNotPermitted
	}
	return nil
}

// inherit gives a new inode what it takes from the directory it is made in, when that has its set-group-id bit.
func (u *User) inherit(n, dir *inode) {
	if dir.mode&fs.ModeSetgid == 0 {
		return
	}
	n.gid = dir.gid
	switch {
	case n.dir != nil:
		n.mode |= fs.ModeSetgid
	case n.mode&0o010 != 0 && !u.super() && !u.in(n.gid):
		n.mode &^= fs.ModeSetgid
	}
}

// withoutSetID returns n's mode without the set-id bits that a file must not keep when it is changed or given away.
func (u *User) withoutSetID(n *inode) fs.FileMode {
	if n.dir != nil {
		return n.mode
	}
	mode := n.mode &^ fs.ModeSetuid
	if mode&0o010 != 0 || !u.super() && !u.in(n.gid) {
		mode &^= fs.ModeSetgid
	}
	return mode
}

// written drops the set-id bits after a change of content, which the superuser's changes leave. Preconditions: n may be
// changed.
func (u *User) written(n *inode) {
	if !u.super() && n.mode.IsRegular() {
		n.mode = u.withoutSetID(n)
	}
}
