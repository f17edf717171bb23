package vfs

import (
	"cmp"
	"slices"
)

// home is a place in a directory's listing.
type home struct{ dir, seq uint64 }

// homes is where an inode with several names has them, beside the one that the inode itself tells.
type homes struct{ list []home }

// hang notes that e, an entry of dir, leads to n, which has that many names with it. Preconditions: t.mu is held
// exclusively; dir and n may be changed.
//
// What a file tells of its places is not taken back when a name goes: whoever reads it checks it.
func (t *core) hang(dir, n *inode, e *dirent, names int) {
	if n.dir != nil {
		n.dir.parent, n.dir.name = dir.ino, e.name
		dir.nlink++
		return
	}
	at := home{dir.ino, e.seq}
	if names <= 1 {
		if n.home = at; n.extra != nil {
			n.extra.more = nil
		}
		return
	}
	x := n.extend()
	if x.more == nil {
		x.more = &homes{}
	}
	if 1+len(x.more.list) >= names {
		x.more = &homes{slices.DeleteFunc(slices.Clone(x.more.list), func(h home) bool { return entryAt(&t.inodes, h, n.ino) == nil })}
	}
	if entryAt(&t.inodes, n.home, n.ino) == nil {
		n.home = at
	} else {
		x.more.list = append(x.more.list, at)
	}
}

// shared returns the same for a copy of the inode: neither may append to what the other has.
func (h *homes) shared() *homes {
	if h == nil {
		return nil
	}
	return &homes{slices.Clip(h.list)}
}

// entryAt returns the entry in a place if it leads to ino.
func entryAt(inodes *radix[inode], h home, ino uint64) *dirent {
	dir := inodes.get(h.dir)
	if dir == nil || dir.dir == nil {
		return nil
	}
	if e := dir.dir.seqs.get(h.seq); e != nil && e.ino == ino {
		return e
	}
	return nil
}

// homes returns the places in which n has names, in order; none for the root and for what has no name.
func (n *inode) homes(inodes *radix[inode]) []home {
	if n.nlink == 0 || n.ino == rootIno {
		return nil
	}
	if n.dir != nil {
		return []home{{n.dir.parent, inodes.get(n.dir.parent).dir.names.get(n.dir.name).seq}}
	}
	list := []home{n.home}
	if more := n.extras().more; more != nil {
		list = append(list, more.list...)
		list = slices.DeleteFunc(list, func(h home) bool { return entryAt(inodes, h, n.ino) == nil })
		slices.SortFunc(list, func(a, b home) int { return cmp.Or(cmp.Compare(a.dir, b.dir), cmp.Compare(a.seq, b.seq)) })
		list = slices.Compact(list)
	}
	return list
}

// pathTo returns the path of a directory, with a slash before each name; empty for the root.
func pathTo(inodes *radix[inode], dir uint64) string {
	var names []string
	size := 0
	for dir != rootIno {
		d := inodes.get(dir).dir
		names = append(names, d.name)
		size += 1 + len(d.name)
		dir = d.parent
	}
	b := make([]byte, 0, size)
	for _, name := range slices.Backward(names) {
		b = append(append(b, '/'), name...)
	}
	return string(b)
}

// path returns the path of a place that is taken.
func (h home) path(inodes *radix[inode]) string {
	return pathTo(inodes, h.dir) + "/" + inodes.get(h.dir).dir.seqs.get(h.seq).name
}
