package vfs

import (
	"fmt"
	"slices"
)

// audit checks what must be true of a tree between calls, and returns what is not.
func (t *Tree) audit() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, n := range t.recent {
		if n != nil && n.own == t.own && t.inodes.get(n.ino) != n && t.orphans[n.ino] != n {
			return fmt.Sprintf("inode %d is remembered, but not in the tree", n.ino)
		}
	}
	for _, c := range t.opens.few {
		if n := c.at; n != nil && (n.own != t.own || t.inodes.get(n.ino) != n && t.orphans[n.ino] != n) {
			return fmt.Sprintf("inode %d is kept for its Files, but not the tree's", n.ino)
		}
	}
	var used Usage
	links, inodes := map[uint64]uint32{rootIno: 2}, 0
	queue := []*inode{t.inodes.get(rootIno)}
	for len(queue) > 0 {
		dir := queue[0]
		queue = queue[1:]
		count := 0
		for seq, e := dir.dir.seqs.next(0); e != nil; seq, e = dir.dir.seqs.next(seq + 1) {
			count++
			n := t.inodes.get(e.ino)
			if n == nil || n.ino != e.ino || n.mode.Type() != e.typ || e.seq != seq || dir.dir.names.get(e.name) != e {
				return fmt.Sprintf("entry %q of inode %d does not fit its inode or its index", e.name, dir.ino)
			}
			if e.ledger == t.own.ledger {
				used.Files++
			}
			if links[e.ino]++; n.dir == nil {
				if !slices.Contains(n.homes(&t.inodes), home{dir.ino, seq}) || len(n.homes(&t.inodes)) != int(n.nlink) {
					return fmt.Sprintf("inode %d does not know of its name %q in inode %d", n.ino, e.name, dir.ino)
				}
				continue
			}
			if links[e.ino]++; n.dir.parent != dir.ino || n.dir.name != e.name {
				return fmt.Sprintf("inode %d has parent %d, not %d", n.ino, n.dir.parent, dir.ino)
			}
			links[dir.ino]++
			queue = append(queue, n)
		}
		if k := dir.dir.names.root.count(); k != count {
			return fmt.Sprintf("inode %d has %d names in one index, %d in the other", dir.ino, k, count)
		}
	}
	for ino, n := t.inodes.next(0); n != nil; ino, n = t.inodes.next(ino + 1) {
		inodes++
		used.Bytes += t.charged(n)
		if n.nlink != links[ino] {
			return fmt.Sprintf("inode %d says %d links, has %d", ino, n.nlink, links[ino])
		}
		if msg := t.auditContent(n); msg != "" {
			return msg
		}
	}
	var orphaned int64
	for _, n := range t.orphans {
		orphaned += t.charged(n)
	}
	used.Bytes += orphaned
	if inodes != len(links) || used != t.used || orphaned != t.orphanBytes {
		return fmt.Sprintf("counted %d inodes, %+v, %d orphaned; the tree says %d, %+v, %d", len(links), used, orphaned, inodes, t.used, t.orphanBytes)
	}
	return ""
}

func (n *nameNode) count() int {
	if n == nil {
		return 0
	}
	sum := len(n.ents)
	for _, kid := range n.kids {
		sum += kid.count()
	}
	return sum
}

func (t *Tree) auditContent(n *inode) string {
	check := func(i int64, c *chunk) string {
		if c != nil && (len(c.b) > chunkSize || i*chunkSize+int64(len(c.b)) > n.size) {
			return fmt.Sprintf("inode %d of size %d has %d bytes in chunk %d", n.ino, n.size, len(c.b), i)
		}
		if c != nil && c.own.ledger == t.own.ledger && cap(c.b) > 2*len(c.b) {
			return fmt.Sprintf("inode %d is charged %d bytes for the %d of chunk %d", n.ino, len(c.b), cap(c.b), i)
		}
		return ""
	}
	msg := check(0, n.head)
	for i, c := n.nextTail(1); c != nil && msg == ""; i, c = n.nextTail(i + 1) {
		msg = check(i, c)
	}
	if got, want := n.data(), n.walkData(); got != want {
		msg = fmt.Sprintf("inode %d says %d pages of data, has %d", n.ino, got, want)
	}
	if x := n.extras(); x.shown > n.size || x.shown > 0 && x.base == nil {
		msg = fmt.Sprintf("inode %d has more base than size", n.ino)
	}
	return msg
}

// walkData is what data must say: what seeking would find.
func (n *inode) walkData() (pages int64) {
	for off := int64(0); off < n.size; {
		from := n.nextData(off)
		if from >= n.size {
			break
		}
		off = n.nextHole(from)
		pages += pagesOf(off - from)
	}
	return pages
}
