package vfs

import (
	"fmt"
	"io/fs"
	"path"
	"strings"
)

// MountOverlay puts what layers have, one above the other, at the directory name, which is made if it is missing and
// must be empty: of each name the uppermost, that is the last, layer's node shows, and directories show what all have
// in them. In a layer a file ".wh.NAME" hides NAME in the layers below, and ".wh..wh..opq" all that they have in its
// directory, as in OCI images (https://github.com/opencontainers/image-spec/blob/main/layer.md#whiteouts).
//
// Unlike with MountFS what it puts there is part of the tree: it can be changed, removed and linked like anything else,
// counts as names, and is shared with clones. The layers themselves are never changed. They are listed at once, but
// their files are read when they are first looked at, piece by piece if they have io.ReaderAt, and what was read stays
// in memory, once for all clones; it is not counted. The files belong to the tree's user, with the layers' permissions
// and times. Symbolic links need a layer with fs.ReadLinkFS; devices fail with ErrNotSupported.
//
// Layers must not change as long as the tree or any clone of it is in use, and must allow use from many goroutines. If
// one can't be listed, or does not fit the tree's limits, nothing is put there.
func (t *Tree) MountOverlay(name string, layers ...fs.FS) error {
	o := overlay{nodes: []planned{{mode: fs.ModeDir, name: "."}}}
	for i, fsys := range layers {
		o.layers = append(o.layers, &layer{fsys: fsys})
		o.nodes[0].from = append(o.nodes[0].from, i)
	}
	for i := 0; i < len(o.nodes); i++ {
		if err := o.list(i); err != nil {
			return pathError("mount", name, err)
		}
	}
	return pathError("mount", name, t.Trusted().addOverlay(name, &o))
}

// overlay is what is to come into the tree.
type overlay struct {
	layers []*layer
	nodes  []planned // each after its directory
}

// planned is a node to be.
type planned struct {
	dir    int    // index of its directory
	name   string // the first's is "."
	path   string // in the layers
	mode   fs.FileMode
	mtime  int64
	size   int64
	target string
	from   []int // the layers that have it, from the lowest on; of files the one that shows
}

const (
	whiteout     = ".wh."
	whiteoutMeta = ".wh..wh."
	whiteoutAll  = ".wh..wh..opq"
)

// list plans the nodes in the directory that is the i-th node.
func (o *overlay) list(i int) error {
	if !o.nodes[i].mode.IsDir() {
		return nil
	}
	if len(o.nodes[i].path) > maxPath {
		return ErrNameTooLong // There may be no bottom.
	}
	seen, hidden := map[string]int{}, map[string]bool{}
	from := o.nodes[i].from
	for k := len(from) - 1; k >= 0; k-- {
		gone, opaque, err := o.listLayer(i, from[k], seen, hidden)
		if err != nil {
			return fmt.Errorf("layer %d: %s: %w", from[k], path.Join(".", o.nodes[i].path), err)
		}
		if opaque {
			break
		}
		for _, name := range gone {
			hidden[name] = true
		}
	}
	return nil
}

// listLayer plans what layer k has in a directory and no layer above it hides. It returns what it hides itself.
func (o *overlay) listLayer(dir, k int, seen map[string]int, hidden map[string]bool) (gone []string, opaque bool, err error) {
	entries, err := o.layers[k].entries(path.Join(".", o.nodes[dir].path))
	if err != nil {
		return nil, false, err
	}
	for _, e := range entries {
		name := e.Name()
		switch {
		case name == whiteoutAll:
			opaque = true
		case strings.HasPrefix(name, whiteoutMeta):
		case strings.HasPrefix(name, whiteout):
			gone = append(gone, name[len(whiteout):])
		case hidden[name]:
		default:
			if err := o.add(dir, k, name, seen, hidden); err != nil {
				return nil, false, err
			}
		}
	}
	return gone, opaque, nil
}

// add plans a node, or adds a layer to a directory that is planned.
func (o *overlay) add(dir, k int, name string, seen map[string]int, hidden map[string]bool) error {
	full := path.Join(o.nodes[dir].path, name)
	i, err := o.layers[k].lstat(full)
	if err != nil {
		return err
	}
	if at, ok := seen[name]; ok {
		if both := &o.nodes[at]; both.mode.IsDir() && i.IsDir() {
			both.from = append([]int{k}, both.from...)
		} else {
			hidden[name] = true
		}
		return nil
	}
	n := planned{dir: dir, name: name, path: full, mode: i.Mode() & (fs.ModeType | modeBits), mtime: nanos(i.ModTime()), from: []int{k}}
	switch n.mode.Type() {
	case 0:
		n.size = i.Size()
	case fs.ModeSymlink:
		n.target, err = o.layers[k].readlink(full)
	case fs.ModeDir, fs.ModeNamedPipe, fs.ModeSocket:
	default:
		err = ErrNotSupported
	}
	if err == nil && n.size > maxFileSize {
		err = ErrTooLarge
	}
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	seen[name] = len(o.nodes)
	o.nodes = append(o.nodes, n)
	return nil
}

// addOverlay puts all that is planned into the tree, or nothing.
func (t *Tree) addOverlay(name string, o *overlay) error {
	if err := t.MkdirAll(name, 0o755); err != nil {
		return err
	}
	now := t.now()
	f, err := t.top().find(name, followAlways, true)
	if err != nil {
		return err
	}
	if f.owner() != nil {
		return ErrCrossDevice
	}
	defer t.mu.Unlock()
	names := int64(len(o.nodes) - 1)
	switch {
	case !f.there:
		return fs.ErrNotExist
	case !f.typ.IsDir():
		return ErrNotDir
	case t.inode(f.node.ino).dir.seqs.root != nil:
		return ErrNotEmpty
	case t.cfg.MaxFiles > 0 && names > t.cfg.MaxFiles-t.used.Files:
		return ErrTooManyFiles
	}
	made := make([]*inode, len(o.nodes))
	made[0] = t.edit(f.node.ino)
	for i := 1; i < len(o.nodes); i++ {
		p := &o.nodes[i]
		made[i] = &t.newInode(p.mode, now).inode
		o.fill(made[i], p)
		if made[i].dir == nil {
			made[i].nlink = 1
		}
		t.used.Files++
		t.add(made[p.dir], p.name, made[i], t.own.ledger, now)
	}
	for i := 1; i < len(o.nodes); i++ {
		made[i].mtime = o.nodes[i].mtime
	}
	return nil
}

// fill gives a new inode the content planned for it, none of which is charged.
func (o *overlay) fill(n *inode, p *planned) {
	switch {
	case p.target != "":
		n.head = &chunk{own: &owner{ledger: &ledger{}}, b: []byte(p.target)}
		n.size = int64(len(p.target))
	case p.size > 0:
		n.size = p.size
		n.extra = &extra{base: &layered{layer: o.layers[p.from[0]], name: p.path, size: p.size}, shown: p.size}
	}
}
