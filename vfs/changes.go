package vfs

import (
	"fmt"
	"io/fs"
	"maps"
)

// ChunkSize is the grain, in bytes, at which content is shared, copied and recorded: chunk i of a file is its bytes
// from i*ChunkSize on.
const ChunkSize = chunkSize

// Sink takes what of a tree has changed: Tree.Changes calls it, and Restore has one that makes a tree of the calls.
// They come from one goroutine and in one order, so that equal changes give equal calls: Tree first, then Node and Gone
// by rising inode, then Attrs by rising inode, then Entry by rising directory and Seq, then Chunk by rising inode and
// Index; none twice. The first error ends it.
type Sink interface {
	// Tree comes once.
	Tree(TreeRecord) error
	// Node tells of an inode that is new, or of which something has changed that NodeRecord has.
	Node(NodeRecord) error
	// Gone tells of an inode that is no more; its attributes, entries and content went with it.
	Gone(ino uint64) error
	// Attrs tells of an inode whose extended attributes are others now.
	Attrs(AttrsRecord) error
	// Entry tells of a place in a directory's listing that was given a name, or leads elsewhere, or is free now.
	Entry(EntryRecord) error
	// Chunk tells of content that is other than before.
	Chunk(ChunkRecord) error
}

// TreeRecord is what concerns a tree as a whole.
type TreeRecord struct {
	// NextIno is the number for the next inode. Inodes below FirstIno came with CloneWith.
	NextIno, FirstIno uint64
	// Fresh says that CloneWith lies between the two trees that were compared: nothing of the earlier counts in the
	// Usage of the later.
	Fresh bool
}

// NodeRecord is an inode without its attributes, entries and chunks. Link counts and parents follow from the entries.
type NodeRecord struct {
	Ino      uint64
	Mode     fs.FileMode // type, permission, set-id and sticky bits
	UID, GID uint32
	// Times of access, change of content, change of the node, and birth, in nanoseconds since 1970.
	Atime, Mtime, Ctime, Btime int64
	// Size is the length in bytes of a regular file, or of a symbolic link's target, which is its chunk 0; of a device
	// node it is the number.
	Size int64
	// Kept is how many chunks, from the first, are left of the content that the inode had before. What lies behind them
	// is gone, and new where Chunk records say so.
	Kept int64
	// LastSeq is the highest Seq that a directory has given out.
	LastSeq uint64
	// Orphan marks an inode without a name that still was open.
	Orphan bool
}

// AttrsRecord is all extended attributes of an inode.
type AttrsRecord struct {
	Ino uint64
	// List is sorted by name, and may not be changed.
	List []Attr
	// Charged says that they count in Usage.
	Charged bool
}

// Attr is an extended attribute.
type Attr struct{ Name, Value string }

// EntryRecord is a place in a directory's listing. One place has one name as long as there is the directory, but
// may be free.
type EntryRecord struct {
	Dir, Seq uint64
	// Ino is what Name leads to; 0 says that the place is free, and then Name is empty.
	Ino  uint64
	Name string
	// Charged says that the name counts in Usage.
	Charged bool
}

// ChunkRecord is a chunk of an inode's content.
type ChunkRecord struct {
	Ino   uint64
	Index int64
	// Data is up to ChunkSize bytes; zeros follow up to the next chunk or the end of the file. Empty Data is a hole. Data
	// never changes, so it may be kept after the call without being copied; it may not be written to.
	Data []byte
	// Charged says that Data counts in Usage.
	Charged bool
}

// Changes tells to what makes t differ from since. Given the same records, Restore makes a tree equal to t out of one
// that is equal to since. Where both come from one tree by Clone, CloneWith, CloneOpen or Restore it costs what
// differs, not what is there: nothing that they share is looked at.
//
// It compares the two trees as they are at the moment of the call; to is called without any lock, and both trees may be
// changed meanwhile. What lies in mounts or behind devices is not told. If a tree is closed, it fails with
// fs.ErrClosed; other errors are those of to, unchanged.
//
// Records of a tree b against a, and of c against b, can be merged into records of c against a: of Tree, the later one
// holds, but is Fresh if either is. Node takes the place of an earlier one, with the smaller Kept of the two, and takes
// away the Chunks from its Kept on. Gone takes away Node, Attrs, Chunks and, in its own listing, Entries; it stays, in
// case a had the inode. A Node after Gone takes its place. Attrs, Entry and Chunk take the place of an earlier one with
// the same key.
func (t *Tree) Changes(since *Tree, to Sink) error {
	c, err := compare(since, t)
	if err != nil {
		return err
	}
	c.to = to
	return c.tell()
}

// compare begins to compare two trees as they are now.
func compare(was, now *Tree) (c changes, err error) {
	if c.was, err = was.freeze(); err == nil {
		c.now, err = now.freeze()
	}
	if err != nil {
		return c, fmt.Errorf("compare trees: %w", err)
	}
	return c, nil
}

// frozen is a tree as it was at one moment. Nothing that it reaches ever changes.
type frozen struct {
	inodes            radix[inode]
	orphans           map[uint64]*inode
	ledger            *ledger
	nextIno, firstIno uint64
}

// freeze costs as much as the tree has orphans.
func (t *Tree) freeze() (frozen, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return frozen{}, fs.ErrClosed
	}
	t.disown()
	return frozen{
		inodes: t.inodes, orphans: maps.Clone(t.orphans), ledger: t.own.ledger, nextIno: t.nextIno, firstIno: t.firstIno,
	}, nil
}

// get returns an inode, with or without a name, or nil.
func (f *frozen) get(ino uint64) *inode {
	if n := f.inodes.get(ino); n != nil {
		return n
	}
	return f.orphans[ino]
}
