package vfs

import (
	"bytes"
	"cmp"
	"io/fs"
	"slices"
)

// changes is a comparison of two trees under way.
type changes struct {
	differ
	was, now frozen
	twins    []twin
	to       Sink
	err      error // of the sink, or of a layer that can't be read
}

// twin is an inode in both trees, in which it differs. One of them may be nil.
type twin struct {
	ino      uint64
	was, now *inode
}

func (c *changes) tell() error {
	fresh := c.now.ledger.from(c.was.ledger)
	if fresh {
		c.was.ledger = c.now.ledger // Nothing was charged to it.
	}
	c.err = c.to.Tree(TreeRecord{NextIno: c.now.nextIno, FirstIno: c.now.firstIno, Fresh: fresh})
	c.pair()
	for _, tell := range []func(twin){c.node, c.attrs, c.entries, c.content} {
		for i := 0; i < len(c.twins) && c.err == nil; i++ {
			tell(c.twins[i])
		}
	}
	return c.err
}

// from reports whether l came from other by one CloneWith or more.
func (l *ledger) from(other *ledger) bool {
	if l == other {
		return false
	}
	for l != nil && l != other {
		l = l.parent
	}
	return l == other
}

// pair finds the twins, by rising inode.
func (c *changes) pair() {
	diffRadix(&c.differ, c.was.inodes, c.now.inodes, func(ino uint64, was, now *inode) bool {
		if was == nil {
			was = c.was.orphans[ino]
		}
		if now == nil {
			now = c.now.orphans[ino]
		}
		c.twins = append(c.twins, twin{ino, was, now})
		return true
	})
	for ino, now := range c.now.orphans {
		if c.was.inodes.get(ino) == nil && c.was.orphans[ino] != now {
			c.twins = append(c.twins, twin{ino, c.was.orphans[ino], now})
		}
	}
	for ino, was := range c.was.orphans {
		if c.now.get(ino) == nil {
			c.twins = append(c.twins, twin{ino, was, nil})
		}
	}
	slices.SortFunc(c.twins, func(a, b twin) int { return cmp.Compare(a.ino, b.ino) })
}

func (c *changes) node(tw twin) {
	switch {
	case tw.now == nil:
		c.err = c.to.Gone(tw.ino)
		return
	case tw.was == nil:
		c.err = c.to.Node(tw.now.record())
		return
	}
	was, now := tw.was.record(), tw.now.record()
	was.Kept, now.Kept = chunks(tw.was.size), c.kept(tw)
	if was != now && c.err == nil {
		c.err = c.to.Node(now)
	}
}

// record describes an inode of which nothing was there before.
func (n *inode) record() NodeRecord {
	r := NodeRecord{
		Ino: n.ino, Mode: n.mode, UID: n.uid, GID: n.gid, Atime: n.atime, Mtime: n.mtime, Ctime: n.ctime, Btime: n.btime,
		Size: n.size, Orphan: n.nlink == 0,
	}
	if n.dir != nil {
		r.LastSeq = n.dir.last
	}
	if n.mode&fs.ModeDevice != 0 {
		r.Size = int64(n.extras().rdev)
	}
	return r
}

func (c *changes) attrs(tw twin) {
	if tw.now == nil {
		return
	}
	now := tw.now.extras().attrs
	r := AttrsRecord{Ino: tw.ino, List: now.all(), Charged: now.chargedTo(c.now.ledger)}
	var was *attrs
	if tw.was != nil {
		was = tw.was.extras().attrs
	}
	if was != now && (r.Charged != was.chargedTo(c.was.ledger) || !slices.Equal(r.List, was.all())) {
		c.err = c.to.Attrs(r)
	}
}

// all returns the list, which may not be changed.
func (a *attrs) all() []Attr {
	if a == nil {
		return nil
	}
	return a.list
}

// chargedTo reports whether the ledger was charged for them.
func (a *attrs) chargedTo(l *ledger) bool { return a != nil && a.ledger == l }

func (c *changes) entries(tw twin) {
	if tw.now == nil || tw.now.dir == nil {
		return
	}
	var before radix[dirent]
	if tw.was != nil {
		before = tw.was.dir.seqs
	}
	diffRadix(&c.differ, before, tw.now.dir.seqs, func(seq uint64, was, now *dirent) bool {
		r := EntryRecord{Dir: tw.ino, Seq: seq}
		if now != nil {
			r.Ino, r.Name, r.Charged = now.ino, now.name, now.ledger == c.now.ledger
		}
		if was != nil && r == (EntryRecord{tw.ino, seq, was.ino, was.name, was.ledger == c.was.ledger}) {
			return true
		}
		c.err = c.to.Entry(r)
		return c.err == nil
	})
}

// content tells of the chunks that differ: first among those that were kept, then all that follow.
func (c *changes) content(tw twin) {
	was, now := tw.was, tw.now
	if now == nil || now.dir != nil {
		return
	}
	k := int64(0)
	if was != nil {
		k = c.kept(tw)
	}
	if k > 0 {
		if was.head != now.head {
			c.changed(tw, 0)
		}
		diffRadix(&c.differ, was.extras().tail, now.extras().tail, func(i uint64, _, _ *chunk) bool {
			if int64(i) < k {
				c.changed(tw, int64(i))
			}
			return c.err == nil && int64(i) < k
		})
	}
	for i := k; c.err == nil; i++ {
		if i = now.nextChunk(i); i < 0 {
			return
		}
		c.chunk(tw, i)
	}
}

// changed tells of chunk i if the two have not the same in it.
func (c *changes) changed(tw twin, i int64) {
	if !c.same(tw, i) {
		c.chunk(tw, i)
	}
}

func (c *changes) chunk(tw twin, i int64) {
	if c.err = cmp.Or(c.err, tw.now.fetch(i)); c.err != nil {
		return
	}
	data, charged := tw.now.piece(i, c.now.ledger)
	c.err = c.to.Chunk(ChunkRecord{tw.ino, i, data, charged})
}

// piece returns what is in the place of chunk i, and whether the ledger was charged for it. Preconditions: it was
// fetched.
func (n *inode) piece(i int64, l *ledger) (data []byte, charged bool) {
	if k := n.chunk(i); k != nil {
		return k.b, len(k.b) > 0 && k.own.ledger == l
	}
	return n.under(i), false
}

// nextChunk returns the first place from i on in which there may be content, -1 if there is none.
func (n *inode) nextChunk(i int64) int64 {
	if i < chunks(n.extras().shown) || i == 0 && n.head != nil {
		return i
	}
	if at, k := n.nextTail(i); k != nil {
		return at
	}
	return -1
}

// chunks returns how many chunks hold size bytes.
func chunks(size int64) int64 { return (size + chunkSize - 1) / chunkSize }

// kept returns how many chunks, from the first, are to be told by their differences. The others are gone: where the
// file was cut, where the base was cut and what then came differs, or where another base came to lie.
func (c *changes) kept(tw twin) int64 {
	k := chunks(tw.was.size)
	if tw.now.size < tw.was.size {
		k = tw.now.size / chunkSize
	}
	before, after := tw.was.extras(), tw.now.extras()
	a, b := before.shown, after.shown
	low := int64(0) // where the two may have other bases from
	if before.base == after.base {
		low = min(a, b) / chunkSize
		if a == b {
			low = k
		}
	}
	for i := low; i < min(k, chunks(max(a, b))); i++ {
		if !c.same(tw, i) {
			return low
		}
	}
	return k
}

// same reports whether chunk i is the same in both.
func (c *changes) same(tw twin, i int64) bool {
	if c.err = cmp.Or(c.err, tw.was.fetch(i), tw.now.fetch(i)); c.err != nil {
		return false
	}
	old, paid := tw.was.piece(i, c.was.ledger)
	data, charged := tw.now.piece(i, c.now.ledger)
	return charged == paid && bytes.Equal(old, data)
}
