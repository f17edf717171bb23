package vfs

import (
	"bytes"
	"cmp"
	"path"
	"slices"
	"strings"
)

// ChangeKind says in what a name differs between two trees. Bits can come together.
type ChangeKind uint8

// The kinds of change.
const (
	ChangeCreated ChangeKind = 1 << iota // was not there
	ChangeRemoved                        // is not there any more
	ChangeRenamed                        // was there under another name: Change.From
	ChangeContent                        // a file's content, a link's target
	ChangeMode                           // permission bits, owner or group
	ChangeAttrs                          // extended attributes
	ChangeType                           // is of another type, such as a link in the place of a file
)

// String returns the names of the kinds, with commas.
func (k ChangeKind) String() string {
	var names []string
	for i, name := range []string{"created", "removed", "renamed", "content", "mode", "attributes", "type"} {
		if k&(1<<i) != 0 {
			names = append(names, name)
		}
	}
	return strings.Join(names, ",")
}

// Change is how one name of a tree differs from an earlier tree.
type Change struct {
	// Path is the name, from the root on, with a slash before it; what was removed has the one that it had.
	Path string
	// From is the path in the earlier tree, if it was another: because this was renamed, or a directory above it.
	From string
	Kind ChangeKind
	// Old and New describe the node before and after. Old is zero for what was created, New for what was removed.
	Old, New Info
}

// Diff returns in which names two trees differ, sorted by path: what a person would want to know. Two names are one if
// they have the same path, and otherwise if they lead to the same inode: so a file saved by putting a new one in its
// place shows as changed content. A renamed directory shows once, not with all that is in it, and paths in it go with
// it; a created or removed one shows with all. Times count for nothing. What lies in mounts is not looked at.
//
// It costs what differs, not what is there, under the conditions of Tree.Changes. It fails with fs.ErrClosed if a tree
// is closed.
func Diff(old, new *Tree) ([]Change, error) {
	c, err := compare(old, new)
	if err != nil {
		return nil, err
	}
	d := diff{changes: c}
	d.run()
	return d.list, d.err
}

// diff is a comparison for people.
type diff struct {
	changes
	gone, come []end // what only the earlier tree has in its place, and only the later one
	list       []Change
}

// end is a name in one of the trees.
type end struct {
	path string
	now  string // the path that it would have in the later tree: its directory may have been moved
	n    *inode
	told bool
}

func (d *diff) run() {
	d.pair()
	for _, tw := range d.twins {
		d.ends(tw)
	}
	d.match()
	slices.SortFunc(d.list, func(a, b Change) int { // What was removed comes first.
		return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(b.Kind&ChangeRemoved, a.Kind&ChangeRemoved))
	})
}

// ends finds where an inode that differs had and has names, and tells of those places that it has in both trees.
func (d *diff) ends(tw twin) {
	if tw.ino == rootIno {
		d.tell(tw, d.kind(tw), "/", "/")
		return
	}
	var was, now []home
	if tw.was != nil {
		was = tw.was.homes(&d.was.inodes)
	}
	if tw.now != nil {
		now = tw.now.homes(&d.now.inodes)
	}
	if tw.was != nil && tw.now != nil {
		was, now = d.stayed(tw, was, now)
	}
	for _, h := range was {
		d.gone = append(d.gone, end{path: h.path(&d.was.inodes), now: d.pathNow(h), n: tw.was})
	}
	for _, h := range now {
		d.come = append(d.come, end{path: h.path(&d.now.inodes), n: tw.now})
	}
}

// stayed tells of the places that are in both lists, and of a directory in any case. It returns the other places.
func (d *diff) stayed(tw twin, was, now []home) (gone, come []home) {
	kind := d.kind(tw)
	for _, h := range was {
		if !slices.Contains(now, h) {
			gone = append(gone, h)
		} else if kind != 0 {
			d.tell(tw, kind, h.path(&d.was.inodes), h.path(&d.now.inodes))
		}
	}
	for _, h := range now {
		if !slices.Contains(was, h) {
			come = append(come, h)
		}
	}
	if tw.now.dir != nil && len(gone) == 1 && len(come) == 1 {
		d.tell(tw, kind|ChangeRenamed, gone[0].path(&d.was.inodes), come[0].path(&d.now.inodes))
		return nil, nil
	}
	return gone, come
}

// pathNow returns the path that a place of the earlier tree would have in the later one.
func (d *diff) pathNow(h home) string {
	rest := ""
	for {
		rest = "/" + d.was.inodes.get(h.dir).dir.seqs.get(h.seq).name + rest
		if d.now.inodes.get(h.dir) != nil {
			return pathTo(&d.now.inodes, h.dir) + rest
		}
		h = d.was.inodes.get(h.dir).homes(&d.was.inodes)[0]
	}
}

// match tells of the places that only one of the trees has: those with the same path are one, and then those of the
// same file.
func (d *diff) match() {
	byPath, byInode := map[string]*end{}, map[uint64][]*end{}
	order := func(a, b end) int { return cmp.Compare(a.path, b.path) }
	slices.SortFunc(d.gone, order)
	slices.SortFunc(d.come, order)
	for i := range d.gone {
		byPath[d.gone[i].now] = &d.gone[i]
	}
	for i := range d.come {
		if was := byPath[d.come[i].path]; was != nil {
			d.join(was, &d.come[i], 0)
		}
	}
	for i := range d.gone {
		if e := &d.gone[i]; !e.told {
			byInode[e.n.ino] = append(byInode[e.n.ino], e)
		}
	}
	for i := range d.come {
		e := &d.come[i]
		if same := byInode[e.n.ino]; !e.told && len(same) > 0 {
			byInode[e.n.ino] = same[1:]
			d.join(same[0], e, ChangeRenamed)
		}
		if !e.told {
			d.tell(twin{now: e.n}, ChangeCreated, "", e.path)
		}
	}
	for _, e := range d.gone {
		if !e.told {
			d.tell(twin{was: e.n}, ChangeRemoved, e.path, "")
		}
	}
}

// join tells of two places as of one.
func (d *diff) join(was, now *end, kind ChangeKind) {
	tw := twin{now.n.ino, was.n, now.n}
	d.tell(tw, d.kind(tw)|kind, was.path, now.path)
	was.told, now.told = true, true
}

// tell adds a Change, if there is any.
func (d *diff) tell(tw twin, kind ChangeKind, from, to string) {
	if kind == 0 {
		return
	}
	c := Change{Path: to, Kind: kind}
	if tw.was != nil {
		c.Old = tw.was.info(path.Base(from))
	}
	if tw.now != nil {
		c.New = tw.now.info(path.Base(to))
	}
	switch {
	case to == "":
		c.Path = from
	case from != to:
		c.From = from
	}
	d.list = append(d.list, c)
}

// kind says in what two inodes differ.
func (d *diff) kind(tw twin) ChangeKind {
	was, now := tw.was, tw.now
	if was.mode.Type() != now.mode.Type() {
		return ChangeType
	}
	var k ChangeKind
	if was.mode != now.mode || was.uid != now.uid || was.gid != now.gid {
		k |= ChangeMode
	}
	if now.dir == nil && d.contentDiffers(was, now) {
		k |= ChangeContent
	}
	if !slices.Equal(now.extras().attrs.all(), was.extras().attrs.all()) {
		k |= ChangeAttrs
	}
	return k
}

// contentDiffers compares what reading would show. Where two files share chunks, it looks at the others only.
func (d *diff) contentDiffers(was, now *inode) bool {
	if was.size != now.size {
		return true
	}
	same := func(i int64) bool {
		if d.err = cmp.Or(d.err, was.fetch(i), now.fetch(i)); d.err != nil {
			return false
		}
		a, _ := was.piece(i, nil)
		b, _ := now.piece(i, nil)
		return sameZeroed(a, b)
	}
	before, after := was.extras(), now.extras()
	if before.base == after.base && before.shown == after.shown {
		return was.head != now.head && !same(0) ||
			!diffRadix(&d.differ, before.tail, after.tail, func(i uint64, _, _ *chunk) bool { return same(int64(i)) })
	}
	for i := int64(0); ; i++ {
		a, b := was.nextChunk(i), now.nextChunk(i)
		if i = min(a, b); i < 0 {
			i = max(a, b)
		}
		if i < 0 {
			return false
		}
		if !same(i) {
			return true
		}
	}
}

// sameZeroed compares two pieces of content, as if zeros followed the shorter.
func sameZeroed(a, b []byte) bool {
	if len(a) < len(b) {
		a, b = b, a
	}
	if !bytes.Equal(a[:len(b)], b) {
		return false
	}
	for _, c := range a[len(b):] {
		if c != 0 {
			return false
		}
	}
	return true
}
