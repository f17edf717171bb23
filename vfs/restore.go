package vfs

import (
	"cmp"
	"fmt"
	"io/fs"
	"maps"
	"math"
	"slices"
)

// Restore makes a tree of base and what feed tells to its Sink: the records of Tree.Changes, in their order, against a
// tree that base is equal to. The result is equal to the tree that they were taken from: in inode numbers and those to
// come, listings and their order, content, holes, times and Usage. It shares with base what it does not change, as if
// made by CloneWith(cfg), mounts and devices included. Files that had no name but were open wait for Reopen; see Reap. Content that is not
// charged, and was not in base either, is charged all the same: a record can't bring in what goes round the limits.
//
// The records may come from anyone: whatever they are, the result is a whole tree within the limits of cfg, or an
// error, at a cost that is in proportion to them. Records that make no sense give an error that wraps fs.ErrInvalid, a
// tree too large for cfg one that wraps ErrQuota or ErrTooManyFiles. An error of feed is returned as it is. base is not
// changed; it may be in use.
func Restore(base *Tree, cfg Config, feed func(Sink) error) (*Tree, error) {
	r := newRestorer(base, cfg)
	err := feed(r)
	if err == nil {
		err = r.finish()
	}
	if err != nil {
		r.t.Close()
		return nil, err
	}
	return r.t, nil
}

// restorer is the Sink of Restore. It works on a tree that nobody else has, and so without locks.
//
// Until finish, orphans lie among the other inodes, and the links of all but directories are what base says.
type restorer struct {
	t     *Tree
	cfg   Config
	was   frozen // base
	paid  *owner // of chunks that are charged. No tree has it, so that their bytes are never written to.
	free  *owner // of those that are not
	last  key
	err   error
	start Usage           // what counted at the start
	nodes radix[restored] // what the records touch
	spare int64           // names not charged that base lost, less those that were added
}

// restored is what has to be known of an inode until all names are known.
type restored struct {
	names  int64 // that lead to it
	orphan bool
	moved  bool // a directory that got a name
	gone   bool
}

// key is the place of a record in the order of a Sink.
type key struct {
	kind int
	a, b uint64
}

// The kinds of records, in their order.
const (
	kindNone = iota
	kindTree
	kindNode
	kindAttrs
	kindEntry
	kindChunk
)

// maxNumber bounds inode numbers and places in listings: the deeper a trie, the more memory a single record costs.
const maxNumber = 1 << 40

// invalid ends the restoring for good, with a record that makes no sense.
func (r *restorer) invalid(format string, args ...any) error {
	return r.fail(format+": %w", append(args, fs.ErrInvalid)...)
}

func (r *restorer) fail(format string, args ...any) error {
	r.err = fmt.Errorf("restore tree: "+format, args...)
	return r.err
}

func newRestorer(base *Tree, cfg Config) *restorer {
	r := &restorer{cfg: cfg}
	base.mu.Lock()
	defer base.mu.Unlock()
	r.t = base.share(base.own.ledger)
	r.t.configure(cfg)
	r.t.firstIno, r.t.used = base.firstIno, base.used
	r.was = frozen{inodes: base.inodes, orphans: maps.Clone(base.orphans), ledger: base.own.ledger}
	return r
}

// order checks that a record comes after the last one.
func (r *restorer) order(kind int, a, b uint64) error {
	k := key{kind, a, b}
	before := cmp.Or(cmp.Compare(r.last.kind, kind), cmp.Compare(r.last.a, a), cmp.Compare(r.last.b, b)) < 0
	switch {
	case r.err != nil:
		return r.err
	case r.t.closed:
		return r.fail("%w", fs.ErrClosed)
	case kind != kindTree && r.last.kind == kindNone:
		return r.invalid("no tree record at the start")
	case !before:
		return r.invalid("record out of order")
	}
	r.last = k
	return nil
}

func (r *restorer) Tree(rec TreeRecord) error {
	if err := r.order(kindTree, 0, 0); err != nil {
		return err
	}
	t := r.t
	if rec.NextIno < t.nextIno || rec.NextIno > maxNumber || rec.FirstIno > rec.NextIno {
		return r.invalid("inode numbers from %d, next %d, over a tree that has come to %d", rec.FirstIno, rec.NextIno, t.nextIno)
	}
	if rec.Fresh {
		t.own, t.used = &owner{ledger: &ledger{parent: t.own.ledger}}, Usage{}
	}
	r.start = t.used
	t.nextIno, t.firstIno = rec.NextIno, rec.FirstIno
	r.paid, r.free = &owner{ledger: t.own.ledger}, &owner{ledger: &ledger{}}
	for ino, n := range r.was.orphans {
		r.touch(n)
		t.inodes.set(t.own, ino, n)
	}
	return nil
}

// touch returns what is noted of an inode that is there.
func (r *restorer) touch(n *inode) *restored {
	s := r.nodes.get(n.ino)
	if s == nil {
		s = &restored{names: int64(n.nlink), orphan: n.nlink == 0 && n.ino != rootIno}
		if n.dir != nil {
			s.names = 1
			if s.orphan || n.ino == rootIno {
				s.names = 0
			}
		}
		r.nodes.set(nil, n.ino, s)
	}
	return s
}

// edit returns an inode for changing, nil if there is none.
func (r *restorer) edit(ino uint64) *inode {
	n := r.t.edit(ino)
	if n != nil {
		r.touch(n)
	}
	return n
}

func (r *restorer) Node(rec NodeRecord) error {
	if err := r.order(kindNode, rec.Ino, 0); err != nil {
		return err
	}
	if rec.Ino == 0 || rec.Ino >= r.t.nextIno {
		return r.invalid("node %d of %d", rec.Ino, r.t.nextIno)
	}
	n := r.edit(rec.Ino)
	if err := rec.check(n); err != nil {
		return r.invalid("node %d: %w", rec.Ino, err)
	}
	if n == nil {
		n = r.add(rec)
	}
	r.nodes.get(rec.Ino).orphan = rec.Orphan
	n.mode, n.uid, n.gid = rec.Mode, rec.UID, rec.GID
	n.atime, n.mtime, n.ctime, n.btime = rec.Atime, rec.Mtime, rec.Ctime, rec.Btime
	if n.dir != nil {
		n.dir.last = rec.LastSeq
		return nil
	}
	if rec.Mode&fs.ModeDevice != 0 {
		n.extend().rdev = uint32(rec.Size)
		return nil
	}
	if end := rec.Kept * chunkSize; end < n.size {
		r.t.resize(n, end)
	}
	if n.size > rec.Size {
		return r.invalid("node %d: %d bytes kept of a size of %d", rec.Ino, n.size, rec.Size)
	}
	n.size = rec.Size
	return nil
}

// check tells whether a record makes sense, alone and for the inode that base has, which may be nil.
func (rec *NodeRecord) check(n *inode) error {
	most := int64(0)
	switch rec.Mode.Type() {
	case 0:
		most = maxFileSize
	case fs.ModeSymlink:
		most = maxPath
	case fs.ModeDevice, deviceType:
		most = math.MaxUint32
	case fs.ModeDir, fs.ModeNamedPipe, fs.ModeSocket:
	default:
		return fmt.Errorf("type %v", rec.Mode)
	}
	switch {
	case rec.Mode&^(fs.ModeType|modeBits) != 0:
		return fmt.Errorf("mode %v", rec.Mode)
	case n != nil && n.mode.Type() != rec.Mode.Type():
		return fmt.Errorf("type %v in the place of %v", rec.Mode.Type(), n.mode.Type())
	case rec.Ino == rootIno && (!rec.Mode.IsDir() || rec.Orphan):
		return fmt.Errorf("root %v", rec.Mode)
	case rec.Size < 0 || rec.Size > most:
		return fmt.Errorf("size %d", rec.Size)
	case rec.Kept < 0 || rec.Kept > chunks(most) || rec.Kept > 0 && rec.Mode&fs.ModeDevice != 0:
		return fmt.Errorf("%d chunks kept", rec.Kept)
	case !rec.Mode.IsDir() && rec.LastSeq != 0 || rec.Mode.IsDir() && rec.LastSeq < cookieDotDot:
		return fmt.Errorf("%d names given", rec.LastSeq)
	case rec.LastSeq > maxNumber || n != nil && n.dir != nil && rec.LastSeq < n.dir.last:
		return fmt.Errorf("%d names given", rec.LastSeq)
	}
	return nil
}

// add makes an inode that base does not have.
func (r *restorer) add(rec NodeRecord) *inode {
	n := &inode{own: r.t.own, ino: rec.Ino, mode: rec.Mode}
	if rec.Mode.IsDir() {
		n.dir = &dirBody{parent: rootIno}
	}
	r.t.inodes.set(r.t.own, n.ino, n)
	s := r.touch(n)
	if n.dir != nil {
		n.nlink, s.names = 2, 0
	}
	return n
}

func (r *restorer) Gone(ino uint64) error {
	if err := r.order(kindNode, ino, 0); err != nil {
		return err
	}
	n := r.edit(ino)
	switch {
	case n == nil:
		return nil
	case ino == rootIno, r.t.mounts[ino] != nil:
		return r.invalid("node %d may not go", ino)
	}
	if n.dir != nil {
		for seq, e := n.dir.seqs.next(0); e != nil; seq, e = n.dir.seqs.next(seq + 1) {
			r.unlink(n, e)
		}
	}
	r.t.discard(n)
	r.t.removeInode(ino)
	if n.mode.Type() == deviceType {
		r.t.setDevice(ino, nil)
	}
	r.nodes.get(ino).gone = true
	return nil
}

func (r *restorer) Attrs(rec AttrsRecord) error {
	if err := r.order(kindAttrs, rec.Ino, 0); err != nil {
		return err
	}
	n := r.edit(rec.Ino)
	if n == nil {
		return r.invalid("attributes of node %d", rec.Ino)
	}
	size := 0
	for i, a := range rec.List {
		size += len(a.Name) + len(a.Value)
		switch {
		case checkAttr(a.Name) != nil, len(a.Value) > maxAttrValue, size > maxAttrs:
			return r.invalid("node %d: attribute %q of %d bytes", rec.Ino, a.Name, len(a.Value))
		case i > 0 && a.Name <= rec.List[i-1].Name:
			return r.invalid("node %d: attribute %q out of order", rec.Ino, a.Name)
		}
	}
	l := r.paid.ledger
	if was := r.was.get(rec.Ino); !rec.Charged && was != nil && !was.extras().attrs.chargedTo(l) && slices.Equal(was.extras().attrs.all(), rec.List) {
		l = r.free.ledger
	}
	paid := r.t.paidAttrs(n)
	if len(rec.List) > 0 {
		n.setAttrs(&attrs{ledger: l, list: slices.Clone(rec.List)})
	} else {
		n.setAttrs(nil)
	}
	r.t.used.Bytes += r.t.paidAttrs(n) - paid
	return r.within(r.start)
}

func (r *restorer) Entry(rec EntryRecord) error {
	if err := r.order(kindEntry, rec.Dir, rec.Seq); err != nil {
		return err
	}
	dir := r.edit(rec.Dir)
	switch {
	case dir == nil || dir.dir == nil || dir.nlink == 0:
		return r.invalid("entries of node %d", rec.Dir)
	case rec.Seq <= cookieDotDot || rec.Seq > dir.dir.last:
		return r.invalid("directory %d: place %d", rec.Dir, rec.Seq)
	}
	if old := dir.dir.seqs.get(rec.Seq); old != nil {
		dir.dir.names.remove(r.t.own, old.name)
		dir.dir.seqs.remove(r.t.own, old.seq)
		r.unlink(dir, old)
	}
	if rec.Ino == 0 {
		return nil
	}
	n := r.edit(rec.Ino)
	switch {
	case n == nil || n.ino == rootIno:
		return r.invalid("directory %d: %q leads to node %d", rec.Dir, rec.Name, rec.Ino)
	case !validName(rec.Name):
		return r.invalid("directory %d: name %q", rec.Dir, rec.Name)
	case dir.dir.names.get(rec.Name) != nil:
		return r.invalid("directory %d: second %q", rec.Dir, rec.Name)
	}
	r.link(dir, n, rec)
	return r.within(r.start)
}
