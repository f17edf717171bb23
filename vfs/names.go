package vfs

import (
	"io/fs"
	"slices"
	"strings"
)

// dirent is one name in a directory. It never changes once it is made, so that clones share it.
type dirent struct {
	name   string // its own memory, not part of a path
	ino    uint64
	seq    uint64      // place in the directory's listing
	ledger *ledger     // who is charged for the name
	typ    fs.FileMode // type bits of the inode, which never change
}

// nameFan bounds the entries of a leaf and the kids of a branch.
const nameFan = 64

// names is a persistent B+ tree of directory entries, ordered by name. The zero value is empty. It is
// ordered, not hashed, because an ordered tree has no worst case that a guest can bring about by choosing
// names, and needs no secret.
type names struct {
	root *nameNode
}

// nameNode is a leaf (ents) or a branch (kids): kids[i] holds the names from lows[i] up to, not including,
// lows[i+1]; lows[0] counts as the lowest name.
type nameNode struct {
	own  *owner
	ents []*dirent
	lows []string
	kids []*nameNode
}

// find returns the place of name in a leaf, and whether it is there. It looks at both ends first: whoever works through
// a directory in order finds each name there.
func (n *nameNode) find(name string) (int, bool) {
	lo, hi := 0, len(n.ents)
	if hi > 0 {
		switch c := strings.Compare(n.ents[hi-1].name, name); {
		case c == 0:
			return hi - 1, true
		case c < 0:
			return hi, false
		}
		if n.ents[0].name == name {
			return 0, true
		}
	}
	for lo < hi {
		mid := int(uint(lo+hi) >> 1)
		switch c := strings.Compare(n.ents[mid].name, name); {
		case c == 0:
			return mid, true
		case c < 0:
			lo = mid + 1
		default:
			hi = mid
		}
	}
	return lo, false
}

// kid returns the index of the kid that holds name, or would.
func (n *nameNode) kid(name string) int {
	lo, hi := 1, len(n.lows)
	switch { // see find
	case hi == 1 || name < n.lows[1]:
		return 0
	case n.lows[hi-1] <= name:
		return hi - 1
	}
	for lo < hi {
		mid := int(uint(lo+hi) >> 1)
		if n.lows[mid] <= name {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo - 1
}

// get returns the entry called name, or nil.
func (m *names) get(name string) *dirent {
	n := m.root
	if n == nil {
		return nil
	}
	for n.kids != nil {
		n = n.kids[n.kid(name)]
	}
	if i, ok := n.find(name); ok {
		return n.ents[i]
	}
	return nil
}

// put adds d, or replaces the entry of the same name.
func (m *names) put(own *owner, d *dirent) {
	if m.root == nil {
		m.root = &nameNode{own: own, ents: []*dirent{d}}
		return
	}
	left, right, low := m.root.put(own, d, true)
	m.root = left
	if right != nil {
		m.root = &nameNode{own: own, lows: []string{"", low}, kids: []*nameNode{left, right}}
	}
}

// put returns the node with d in it; if that made it too large, its upper part comes as right, whose lowest
// name is low. last says that no names of the directory follow the node's.
func (n *nameNode) put(own *owner, d *dirent, last bool) (self, right *nameNode, low string) {
	n = n.edit(own)
	if n.kids == nil {
		return n.putLeaf(own, d, last)
	}
	i := n.kid(d.name)
	kid, newKid, low := n.kids[i].put(own, d, last && i == len(n.kids)-1)
	n.kids[i] = kid
	if newKid == nil {
		return n, nil, ""
	}
	n.kids = slices.Insert(n.kids, i+1, newKid)
	n.lows = slices.Insert(n.lows, i+1, low)
	if len(n.kids) <= nameFan {
		return n, nil, ""
	}
	at := splitAt(len(n.kids), i+1)
	right = &nameNode{own: own, lows: slices.Clone(n.lows[at:]), kids: slices.Clone(n.kids[at:])}
	n.lows, n.kids = cut(n.lows, at), cut(n.kids, at)
	return n, right, right.lows[0]
}

func (n *nameNode) putLeaf(own *owner, d *dirent, last bool) (self, right *nameNode, low string) {
	i, found := n.find(d.name)
	if found {
		n.ents[i] = d
		return n, nil, ""
	}
	if i == nameFan { // Names come in order: this leaf stays full, and the next will be if it is the last.
		room := 1
		if last {
			room = nameFan
		}
		return n, &nameNode{own: own, ents: append(make([]*dirent, 0, room), d)}, d.name
	}
	n.ents = slices.Insert(n.ents, i, d)
	if len(n.ents) <= nameFan {
		return n, nil, ""
	}
	at := len(n.ents) / 2
	right = &nameNode{own: own, ents: slices.Clone(n.ents[at:])}
	n.ents = cut(n.ents, at)
	return n, right, right.ents[0].name
}

// splitAt says where to split a node of n elements of which the i-th is new. Names that come in order leave
// full nodes behind.
func splitAt(n, i int) int {
	if i == n-1 {
		return n - 1
	}
	return n / 2
}

// cut returns a copy of s up to n, in memory of its own size.
func cut[E any](s []E, n int) []E {
	return append(make([]E, 0, n), s[:n]...)
}

// remove takes the entry called name out. Preconditions: it is there.
func (m *names) remove(own *owner, name string) {
	root := m.root.remove(own, name)
	for len(root.kids) == 1 {
		root = root.kids[0]
	}
	if root.kids == nil && len(root.ents) == 0 {
		root = nil
	}
	m.root = root
}

func (n *nameNode) remove(own *owner, name string) *nameNode {
	n = n.edit(own)
	if n.kids == nil {
		if i, ok := n.find(name); ok {
			n.ents = slices.Delete(n.ents, i, i+1)
		}
		return n
	}
	i := n.kid(name)
	n.kids[i] = n.kids[i].remove(own, name)
	if n.kids[i].size() < nameFan/4 {
		n.merge(own, i)
	}
	return n
}

// merge joins the small kid i with a neighbour if the two leave room in one node, or if it is empty.
func (n *nameNode) merge(own *owner, i int) {
	room := nameFan / 2
	if n.kids[i].size() == 0 {
		room = nameFan
	}
	if i == len(n.kids)-1 {
		i--
	}
	if i < 0 || n.kids[i].size()+n.kids[i+1].size() > room {
		return
	}
	left, right := n.kids[i].edit(own), n.kids[i+1]
	left.ents = append(left.ents, right.ents...)
	if right.kids != nil {
		left.lows = append(append(left.lows, n.lows[i+1]), right.lows[1:]...)
		left.kids = append(left.kids, right.kids...)
	}
	n.kids[i] = left
	n.kids = slices.Delete(n.kids, i+1, i+2)
	n.lows = slices.Delete(n.lows, i+1, i+2)
}

func (n *nameNode) size() int { return len(n.ents) + len(n.kids) }

// edit returns n if own may change it, else a copy that it may.
func (n *nameNode) edit(own *owner) *nameNode {
	if n.own == own {
		return n
	}
	return &nameNode{own: own, ents: slices.Clone(n.ents), lows: slices.Clone(n.lows), kids: slices.Clone(n.kids)}
}
