package vfs

import "slices"

// A file's content is, from top to bottom:
//
//	head, tail   chunks: those written to. head is chunk 0, so that small files need no table; tail has the rest by number.
//	base         immutable bytes that the file was made with; the first shown of them show where there is no chunk.
//	zeros        elsewhere, up to size.
//
// Invariants: a chunk holds at most chunkSize bytes, and none lies beyond size; where a chunk is shorter than
// its place in the file, zeros follow, not base. Bytes between len and cap of a chunk's buffer may be
// anything.

const (
	chunkSize   = 16 << 10
	maxFileSize = 1 << 40
	fragment    = 512 // what a chunk other than the head costs at least
)

// chunk is a piece of content. Its bytes may be changed by the tree that has its owner.
type chunk struct {
	own *owner
	b   []byte
}

func (n *inode) chunk(i int64) *chunk {
	switch {
	case i == 0:
		return n.head
	case n.extra == nil:
		return nil
	}
	return n.extra.tail.get(uint64(i))
}

// nextTail returns the first chunk from i on, which is not 0, nil if there is none.
func (n *inode) nextTail(i int64) (int64, *chunk) {
	if n.extra == nil {
		return 0, nil
	}
	at, c := n.extra.tail.next(uint64(i))
	return int64(at), c
}

// cutTail takes chunk i, which is not 0, out of the table.
func (t *Tree) cutTail(n *inode, i int64) {
	if x := n.extra; x != nil {
		x.pages -= x.tail.get(uint64(i)).pages()
		x.tail.remove(t.own, uint64(i))
	}
}

func (t *Tree) setChunk(n *inode, i int64, c *chunk) {
	if i == 0 {
		if n.head == &n.first && c != n.head {
			n.first = chunk{}
		}
		n.head = c
		return
	}
	x := n.extend()
	x.pages += c.pages() - x.tail.get(uint64(i)).pages()
	x.tail.set(t.own, uint64(i), c)
}

// under returns what base has for chunk i.
func (n *inode) under(i int64) []byte {
	lo := i * chunkSize
	if n.extra == nil || lo >= n.extra.shown {
		return nil
	}
	p := n.extra.base.piece(i)
	return p[:min(int64(len(p)), n.extra.shown-lo)]
}

// price is what a chunk of length l costs as the i-th.
func price(i int64, l int) int64 {
	if i > 0 && l > 0 {
		return max(int64(l), fragment)
	}
	return int64(l)
}

// paid is what chunk i has been charged for in this tree's ledger.
func (t *Tree) paid(i int64, c *chunk) int64 {
	if c == nil || c.own.ledger != t.own.ledger {
		return 0
	}
	return price(i, len(c.b))
}

// charged returns the bytes counted for an inode: its attributes, and its chunks, which it walks.
func (t *Tree) charged(n *inode) int64 { return t.paidAttrs(n) + t.paidContent(n) }

func (t *Tree) paidContent(n *inode) int64 {
	sum := t.paid(0, n.head)
	for i, c := n.nextTail(1); c != nil; i, c = n.nextTail(i + 1) {
		sum += t.paid(i, c)
	}
	return sum
}

// room is how many bytes the quota still allows.
func (t *Tree) room() int64 {
	if t.cfg.MaxBytes <= 0 {
		return maxFileSize
	}
	return max(0, t.cfg.MaxBytes-t.used.Bytes)
}

// charge counts content that n gained or lost.
func (t *Tree) charge(n *inode, delta int64) {
	t.used.Bytes += delta
	if n.nlink == 0 {
		if _, orphan := t.orphans[n.ino]; orphan {
			t.orphanBytes += delta
		}
	}
}

// read copies content at off into p and returns how much there was. Preconditions: t.mu is held, off >= 0.
func (n *inode) read(p []byte, off int64) int {
	if off >= n.size {
		return 0
	}
	p = p[:min(int64(len(p)), n.size-off)]
	for done := 0; done < len(p); {
		i, in := (off+int64(done))/chunkSize, int((off+int64(done))%chunkSize)
		out := p[done:min(len(p), done+chunkSize-in)]
		var src []byte
		if c := n.chunk(i); c != nil {
			src = c.b
		} else {
			src = n.under(i)
		}
		k := 0
		if in < len(src) {
			k = copy(out, src[in:])
		}
		clear(out[k:])
		done += len(out)
	}
	return len(p)
}

// write puts p at off, extending the file. It stops early, with the cause, at the quota and at the largest
// size. Preconditions: t.mu is held exclusively, n may be changed, off >= 0.
func (t *Tree) write(n *inode, p []byte, off int64) (done int, err error) {
	if off >= maxFileSize {
		return 0, ErrTooLarge
	}
	if int64(len(p)) > maxFileSize-off {
		p, err = p[:maxFileSize-off], ErrTooLarge
	}
	for done < len(p) {
		at := off + int64(done)
		i, in := at/chunkSize, int(at%chunkSize)
		piece := p[done:min(len(p), done+chunkSize-in)]
		k := t.writeChunk(n, i, in, piece)
		done += k
		n.size = max(n.size, at+int64(k))
		if k < len(piece) {
			return done, ErrQuota
		}
	}
	return done, err
}

// writeChunk puts p into chunk i from in on, as much of it as the quota allows, and returns how much.
func (t *Tree) writeChunk(n *inode, i int64, in int, p []byte) int {
	old := n.chunk(i)
	if old != nil && old.own == t.own && in+len(p) <= len(old.b) {
		return copy(old.b[in:], p)
	}
	have := n.under(i)
	if old != nil {
		have = old.b
	}
	paid, room := t.paid(i, old), t.room()
	size := max(len(have), in+len(p))
	if price(i, size) > paid+room {
		// What is there already must fit, or nothing can be changed in it.
		size = int(paid + room)
		if size < len(have) || size <= in || price(i, size) > paid+room {
			return 0
		}
		p = p[:min(len(p), size-in)]
	}
	t.charge(n, price(i, size)-paid)
	if old != nil && old.own == t.own {
		pages := old.pages()
		old.b = stretch(old.b, size)
		n.countPages(i, old.pages()-pages)
		return copy(old.b[in:], p)
	}
	fresh := &n.first
	if i > 0 || fresh.own != nil {
		fresh = &chunk{}
	}
	fresh.own = t.own
	if in == 0 && len(p) == size { // Nothing of what was there is left, so there is nothing to clear either.
		fresh.b = slices.Clip(append([]byte(nil), p...))
	} else {
		fresh.b = make([]byte, size)
		copy(fresh.b, have)
		copy(fresh.b[in:], p)
	}
	t.setChunk(n, i, fresh)
	return len(p)
}

// stretch lengthens b with zeros to size, leaving room for more of the same.
func stretch(b []byte, size int) []byte {
	if size <= len(b) {
		return b
	}
	if size <= cap(b) {
		clear(b[len(b):size])
		return b[:size]
	}
	out := make([]byte, size, min(max(size, 2*len(b)), chunkSize))
	copy(out, b)
	return out
}

// resize cuts or extends the file. Extending leaves a hole. Preconditions: t.mu is held exclusively, n may be
// changed, 0 <= size <= maxFileSize.
func (t *Tree) resize(n *inode, size int64) {
	switch {
	case size == 0:
		t.empty(n)
	case size < n.size:
		t.cutChunks(n, size)
		if n.extra != nil {
			n.extra.shown = min(n.extra.shown, size)
		}
	}
	n.size = size
}

// empty removes all content. Nodes that it shares are not touched.
func (t *Tree) empty(n *inode) {
	t.charge(n, -t.paidContent(n))
	n.size, n.head, n.first = 0, nil, chunk{}
	if x := n.extra; x != nil {
		x.base, x.shown, x.tail, x.pages = nil, 0, radix[chunk]{}, 0
	}
}

// discard takes from an inode that goes all that is charged for it.
func (t *Tree) discard(n *inode) {
	t.empty(n)
	t.charge(n, -t.paidAttrs(n))
	n.setAttrs(nil)
}

// cutChunks removes the chunks beyond size, which is not 0, and shortens the one in which it falls.
func (t *Tree) cutChunks(n *inode, size int64) {
	last, in := size/chunkSize, int(size%chunkSize)
	if c := n.chunk(last); c != nil && in > 0 && len(c.b) > in {
		t.shorten(n, last, c, in)
	}
	if in > 0 {
		last++
	}
	for i, c := n.nextTail(last); c != nil; i, c = n.nextTail(i + 1) {
		t.charge(n, -t.paid(i, c))
		t.cutTail(n, i)
	}
}

// shorten cuts c, which is chunk i, to size bytes.
func (t *Tree) shorten(n *inode, i int64, c *chunk, size int) {
	paid, pages := t.paid(i, c), c.pages()
	short := t.cutChunk(c, size)
	t.charge(n, t.paid(i, short)-paid)
	if short == c {
		n.countPages(i, c.pages()-pages)
		return
	}
	t.setChunk(n, i, short)
}

// cutChunk returns c shortened to n bytes. A charged chunk may not hold on to much more memory than it then
// pays for. One that is not charged keeps sharing its bytes, under an owner that no tree has, so that cutting
// takes no room.
func (t *Tree) cutChunk(c *chunk, n int) *chunk {
	switch {
	case c.own.ledger == t.own.ledger && 2*n < cap(c.b):
		return &chunk{own: t.own, b: cut(c.b, n)}
	case c.own == t.own:
		c.b = c.b[:n]
		return c
	}
	return &chunk{own: &owner{ledger: c.own.ledger}, b: c.b[:n]}
}
