package vfs

import (
	"io/fs"
	"math"
	"strings"
	"time"
)

// inode is a file, directory or symbolic link. Times are nanoseconds since 1970.
type inode struct {
	own   *owner
	ino   uint64
	mode  fs.FileMode
	nlink uint32
	uid   uint32
	gid   uint32

	atime, mtime, ctime, btime int64

	home home // of what is no directory: where one of its names is, or has been

	dir   *dirBody // directories
	extra *extra   // nil: it has nothing of that

	// Regular files, and the target of symbolic links. See content.go.
	size  int64
	head  *chunk
	first chunk // what head points to, of most files: see born
}

// extra is what few inodes have, apart from them so that the others are small. It belongs to its inode and is copied with
// it.
type extra struct {
	base  base         // content that the file was made with; nil: none
	shown int64        // bytes of base that show
	tail  radix[chunk] // the chunks behind the first
	attrs *attrs       // nil: none
	more  *homes       // nil: it has not had several names
	rdev  uint32       // of a device node: its number
	pages int32        // pages of data in tail
}

// extras returns what the inode has of them, for reading.
func (n *inode) extras() extra {
	if n.extra == nil {
		return extra{}
	}
	return *n.extra
}

// extend returns the inode's extras for changing. Preconditions: n may be changed.
func (n *inode) extend() *extra {
	if n.extra == nil {
		n.extra = &extra{}
	}
	return n.extra
}

// born is what a file begins with, in one piece of memory: the inode with its first chunk, and its first name. Copies of
// the inode, and what takes the place of the others, are by themselves.
type born struct {
	inode inode
	entry dirent
}

// dirBody is a directory's entries. It belongs to its inode and is copied with it.
type dirBody struct {
	parent uint64
	name   string // its own, in its parent
	names  names
	seqs   radix[dirent] // the entries in the order in which they came
	last   uint64        // the highest seq ever given out
}

// The cookies of the entries that every directory has; those of names follow.
const (
	cookieDot    = 1
	cookieDotDot = 2
)

const (
	maxLinks = 65000
	modeBits = fs.ModePerm | fs.ModeSetuid | fs.ModeSetgid | fs.ModeSticky
)

// nanos converts to nanoseconds since 1970, within what 64 bits hold (years 1678 to 2262).
func nanos(t time.Time) int64 {
	switch s := t.Unix(); {
	case s < math.MinInt64/1_000_000_000+1:
		return math.MinInt64
	case s > math.MaxInt64/1_000_000_000-1:
		return math.MaxInt64
	}
	return t.UnixNano()
}

// newInode makes an inode without a name, the user's own. Preconditions: t.mu is held exclusively.
func (t *Tree) newInode(mode fs.FileMode, now int64) *born {
	b := &born{}
	n := &b.inode
	n.own, n.ino, n.mode = t.own, t.nextIno, mode
	n.uid, n.gid = uint32(t.user.UID), uint32(t.user.GID)
	n.atime, n.mtime, n.ctime, n.btime = now, now, now, now
	if mode.IsDir() {
		n.nlink = 2
		n.dir = &dirBody{last: cookieDotDot}
	}
	t.nextIno++
	t.inodes.set(t.own, n.ino, n)
	return b
}

// inode returns the inode for reading, nil if there is none. Preconditions: t.mu is held.
func (t *core) inode(ino uint64) *inode {
	if n := t.recent[ino%uint64(len(t.recent))]; n != nil && n.ino == ino && n.own == t.own {
		return n
	}
	if n := t.inodes.get(ino); n != nil {
		return n
	}
	return t.orphans[ino]
}

// edit returns the inode for changing, nil if there is none. Preconditions: t.mu is held exclusively.
func (t *Tree) edit(ino uint64) *inode {
	n := t.inode(ino)
	if n == nil {
		return nil
	}
	return t.editable(n)
}

// editable is edit of an inode that has been looked up.
func (t *Tree) editable(n *inode) *inode {
	if n.own == t.own {
		if n.dir != nil {
			t.recent[n.ino%uint64(len(t.recent))] = n
		}
		return n
	}
	ino, c := n.ino, *n
	c.own, c.first = t.own, chunk{}
	if n.dir != nil {
		d := *n.dir
		c.dir = &d
	}
	if n.extra != nil {
		x := *n.extra
		x.more = x.more.shared()
		c.extra = &x
	}
	if _, orphan := t.orphans[ino]; orphan {
		t.orphans[ino] = &c
	} else {
		t.inodes.set(t.own, ino, &c)
	}
	return &c
}

// removeInode takes an inode out of the table. Preconditions: t.mu is held exclusively.
func (t *Tree) removeInode(ino uint64) {
	t.inodes.remove(t.own, ino)
	t.forget(ino)
}

// forget takes an inode out of those that are remembered.
func (t *core) forget(ino uint64) {
	if at := &t.recent[ino%uint64(len(t.recent))]; *at != nil && (*at).ino == ino {
		*at = nil
	}
}

// freeOrphan lets go of an inode without a name. Preconditions: t.mu is held exclusively; no File is open on it.
func (t *Tree) freeOrphan(ino uint64) {
	t.discard(t.edit(ino))
	delete(t.orphans, ino)
	t.forget(ino)
}

// add gives an inode a name in dir. Preconditions: dir may be changed, the name is not there, the quota has
// room.
func (t *Tree) add(dir *inode, name string, n *inode, l *ledger, now int64) {
	t.addEntry(dir, &dirent{name: strings.Clone(name), ledger: l}, n, now)
}

// addEntry is add by an entry that has its name and its ledger.
func (t *Tree) addEntry(dir *inode, e *dirent, n *inode, now int64) {
	dir.dir.last++
	e.ino, e.seq, e.typ = n.ino, dir.dir.last, n.mode.Type()
	t.enter(dir, e, now)
	t.hang(dir, n, e, int(n.nlink))
	t.tell(WatchCreated, dir.ino, e)
}

// enter puts an entry into both indices of a directory, in the place of one with the same name and seq.
func (t *Tree) enter(dir *inode, e *dirent, now int64) {
	dir.dir.names.put(t.own, e)
	dir.dir.seqs.set(t.own, e.seq, e)
	dir.mtime, dir.ctime = now, now
}

// drop takes a name out of dir, and nothing else. Preconditions: dir may be changed and holds e.
func (t *Tree) drop(dir *inode, e *dirent, now int64) {
	dir.dir.names.remove(t.own, e.name)
	dir.dir.seqs.remove(t.own, e.seq)
	if e.typ.IsDir() {
		dir.nlink--
	}
	dir.mtime, dir.ctime = now, now
}

// chargeName counts one more name. Preconditions: t.mu is held exclusively.
func (t *Tree) chargeName() error {
	if t.cfg.MaxFiles > 0 && t.used.Files >= t.cfg.MaxFiles {
		return ErrTooManyFiles
	}
	t.used.Files++
	return nil
}

// refundName gives back what chargeName counted for e, if it was this ledger that was charged.
func (t *Tree) refundName(e *dirent) {
	if e.ledger == t.own.ledger {
		t.used.Files--
	}
}

// unlinked takes a link from an inode that has just lost a name; without links it goes, or waits as an orphan
// for its last Close. Preconditions: n may be changed.
func (t *Tree) unlinked(n *inode, now int64) {
	n.ctime = now
	if n.dir != nil {
		n.nlink = 0
	} else {
		n.nlink--
	}
	if n.nlink > 0 {
		return
	}
	t.removeInode(n.ino)
	if n.mode.Type() == deviceType {
		t.setDevice(n.ino, nil)
	}
	if !t.opens.has(n.ino) {
		t.discard(n)
		return
	}
	t.orphans[n.ino] = n
	t.orphanBytes += t.charged(n)
}

// opened counts one more File on an inode.
func (t *Tree) opened(ino uint64) { t.opens.add(ino) }

// release counts one File less, and frees an orphan with the last.
func (t *Tree) release(ino uint64) {
	if t.opens.drop(ino) {
		return
	}
	if len(t.pipes) > 0 {
		delete(t.pipes, ino)
	}
	if len(t.orphans) == 0 {
		return
	}
	if t.orphans[ino] != nil {
		t.freeOrphan(ino)
	}
}
