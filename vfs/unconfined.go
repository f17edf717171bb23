package vfs

import "io/fs"

// Unconfined returns the directory as a start for paths as openat has it: they may climb above it, and absolute ones
// start at the tree's root, where ".." stays.
func (d *Dir) Unconfined() *Dir {
	r := *d
	r.clamp, r.slash = true, false
	return &r
}

// WithLongPaths returns the same directory for paths of up to 64 KiB, instead of 4,095 bytes: for servers that make
// whole paths of their callers' relative ones, which then have the limit.
func (d *Dir) WithLongPaths() *Dir {
	r := *d
	r.long = true
	return &r
}

// WithUmask returns the same directory for the same user with another umask.
func (d *Dir) WithUmask(mask fs.FileMode) *Dir {
	u := *d.t.user
	u.Umask = mask & fs.ModePerm
	r := *d
	r.t = &Tree{core: d.t.core, user: &u}
	return &r
}

// User returns the user that the tree's calls are made as. Its Groups must not be changed.
func (t *Tree) User() User { return *t.user }
