package vfs

import (
	"io/fs"
	"sync"
	"time"
)

// Config sets a tree's limits and defaults. The zero value means: no limits, the host's clock, uid and gid 0,
// no umask.
type Config struct {
	// MaxBytes limits the content held, in bytes; 0 means no limit. See Usage for what counts. Going beyond
	// it fails with ErrQuota.
	MaxBytes int64
	// MaxFiles limits the names held (files, directories, links); 0 means no limit. Going beyond it fails
	// with ErrTooManyFiles.
	MaxFiles int64
	// Now is the clock for all file times; nil means time.Now. It may be called by several goroutines at
	// once.
	Now func() time.Time
	// UID, GID and Umask are the User that the tree's calls act as, and who owns the root directory.
	UID, GID int
	Umask    fs.FileMode
	// Sync is called by File.Sync of the tree's own files, and its error is that call's; nil means that nothing is to be
	// done. It may be called by several goroutines at once, and may use the tree.
	Sync func() error
}

// Usage is what a tree holds. What it was given by CloneWith is not counted, nor is the content of AddStatic,
// nor what lies in mounts.
type Usage struct {
	// Bytes of content. Holes in sparse files are free; a fragment between holes counts as at least 512
	// bytes. Content that clones share counts once in each of them.
	Bytes int64
	// Files is the number of names: files, directories, links. A hard link counts as one more.
	Files int64
}

// ledger is the identity under which content and names are charged. Clone keeps it, CloneWith starts a new
// one, whose parent is the old.
type ledger struct{ parent *ledger }

// owner is a tree's licence to change nodes in place: those that carry it can be reached from that tree
// alone.
type owner struct{ ledger *ledger }

// Tree is a copy-on-write file tree, seen by one user: see User and As. It must be made with New, Clone, CloneWith or
// As. All methods may be used from many goroutines.
type Tree struct {
	*core
	user *User // never changes
}

// core is what all users of a tree share.
type core struct {
	cfg   Config // constant
	locks lockTable

	mu     sync.RWMutex
	closed bool
	own    *owner
	inodes radix[inode]
	recent [8]*inode // directories that were changed last, by number: what most ways go through. See core.inode
	// nextIno is the number for the next inode; numbers are not used twice. Those below firstIno came with
	// CloneWith.
	nextIno, firstIno uint64
	used              Usage
	opens             counts            // open Files by inode
	orphans           map[uint64]*inode // inodes without a name that are still open; no clone sees them
	orphanBytes       int64             // the part of used.Bytes held by orphans
	mounts            mountSet
	devices           deviceSet
	pipes             map[uint64]*pipe // of FIFOs that are open, by inode
	watches           []*Watch
}

const rootIno = 1

// New returns an empty tree: a root directory with mode 0755.
func New(cfg Config) *Tree {
	t := &Tree{core: &core{
		own:     &owner{ledger: &ledger{}},
		nextIno: rootIno,
		orphans: map[uint64]*inode{},
	}}
	t.configure(cfg)
	root := t.newInode(fs.ModeDir|0o755, t.now())
	root.inode.dir.parent = rootIno
	return t
}

func (t *Tree) configure(cfg Config) {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	cfg.Umask &= fs.ModePerm
	t.cfg = cfg
	t.user = &User{UID: cfg.UID, GID: cfg.GID, Umask: cfg.Umask}
}

// now reads the tree's clock. Preconditions: t.mu is not held, since Now is the caller's code.
func (t *core) now() int64 { return nanos(t.cfg.Now()) }

// Clone returns an independent copy of the tree, in constant time. Limits and what counts against them are
// copied too. Open Files stay with t, and files that have no name any more are not copied. Both trees show
// the same mounts. The clone acts as Config's user, whoever t acts as. The clone of a closed tree is closed.
func (t *Tree) Clone() *Tree {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.cloneLocked()
}

// cloneLocked is Clone. Preconditions: t.mu is held exclusively.
func (t *Tree) cloneLocked() *Tree {
	c := t.share(t.own.ledger)
	c.configure(t.cfg)
	c.firstIno = t.firstIno
	c.used = t.used
	c.used.Bytes -= t.orphanBytes
	return c
}

// CloneWith is Clone under another configuration. The new tree's Usage starts at zero: its limits count only
// what is added to it.
func (t *Tree) CloneWith(cfg Config) *Tree {
	t.mu.Lock()
	defer t.mu.Unlock()
	c := t.share(&ledger{parent: t.own.ledger})
	c.configure(cfg)
	c.firstIno = c.nextIno
	return c
}

// share makes a second tree of t's nodes, which then belong to neither. Preconditions: t.mu is held
// exclusively.
func (t *Tree) share(l *ledger) *Tree {
	t.disown()
	return &Tree{core: &core{
		closed:  t.closed,
		own:     &owner{ledger: l},
		inodes:  t.inodes,
		nextIno: t.nextIno,
		orphans: map[uint64]*inode{},
		mounts:  t.mounts.retain(),
		devices: t.devices,
	}}
}

// disown makes what the tree has something that it may not change. It lets go of what it remembers, too: content would be
// held that neither the tree has any more nor whoever has it besides. Preconditions: t.mu is held exclusively.
func (t *core) disown() {
	t.own = &owner{ledger: t.own.ledger}
	t.recent = [8]*inode{}
	t.opens.forget()
}

// Usage returns what the tree holds, in constant time.
func (t *Tree) Usage() Usage {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return t.used
}

// Quota returns the limits that Usage is held against, Config.MaxBytes and MaxFiles; 0 means none.
func (t *Tree) Quota() Usage { return Usage{Bytes: t.cfg.MaxBytes, Files: t.cfg.MaxFiles} }

// Close lets go of everything the tree holds, mounts included, in constant time. Later calls fail with
// fs.ErrClosed, except closing Files and closing again, which return nil.
func (t *Tree) Close() error {
	t.mu.Lock()
	if t.closed {
		t.mu.Unlock()
		return nil
	}
	mounts, pipes, watches := t.mounts, t.pipes, t.watches
	t.closed = true
	t.inodes, t.orphans, t.opens, t.mounts, t.devices, t.pipes, t.watches = radix[inode]{}, nil, counts{}, nil, nil, nil, nil
	t.used, t.orphanBytes, t.recent = Usage{}, 0, [8]*inode{}
	t.mu.Unlock()
	t.locks.close()
	for _, p := range pipes {
		p.shut()
	}
	for _, w := range watches {
		w.shut()
	}
	return mounts.release()
}
