package gitops

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/cache"
	"github.com/go-git/go-git/v5/plumbing/filemode"
	"github.com/go-git/go-git/v5/plumbing/format/objfile"
	"github.com/go-git/go-git/v5/plumbing/object"
	"github.com/go-git/go-git/v5/storage/filesystem"

	"github.com/belljar-dev/belljar/vfs"
	"github.com/belljar-dev/belljar/vfs/billyfs"
)

const (
	maxPaths = 1 << 20 // in one tree or index
	maxDepth = 512     // of directories
)

// store is go-git's storage, which trusts what objects say of their size, behind a limit.
type store struct {
	*filesystem.Storage
	fs    *billyfs.FS
	packs *packs
	cache cache.Object
	max   int64
}

func newStore(fs *billyfs.FS, dir *vfs.Dir, limit int64) *store {
	c := cache.NewObjectLRU(16 * cache.MiByte)
	return &store{Storage: filesystem.NewStorage(refFS{fs}, c), fs: fs, packs: &packs{dir: dir, max: limit}, cache: c, max: limit}
}

// EncodedObject reads an object of at most max bytes, of any kind if t is plumbing.AnyObject.
func (s *store) EncodedObject(t plumbing.ObjectType, h plumbing.Hash) (plumbing.EncodedObject, error) {
	o, ok := s.cache.Get(h)
	var err error
	if !ok {
		if o, err = s.loose(h); errors.Is(err, os.ErrNotExist) {
			o, err = s.packed(h)
		}
	}
	switch {
	case errors.Is(err, plumbing.ErrObjectNotFound):
		return nil, err
	case err != nil:
		return nil, fmt.Errorf("object %s: %w", h, err)
	case t != plumbing.AnyObject && o.Type() != t:
		return nil, plumbing.ErrObjectNotFound
	}
	return o, nil
}

// loose reads an object that has a file of its own. Its header need not tell the truth, so no more is inflated than
// it says.
func (s *store) loose(h plumbing.Hash) (plumbing.EncodedObject, error) {
	hex := h.String()
	f, err := s.fs.Open("objects/" + hex[:2] + "/" + hex[2:])
	if err != nil {
		return nil, err
	}
	defer f.Close()
	r, err := objfile.NewReader(f)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	defer r.Close()
	t, size, err := r.Header()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	if size < 0 || size > s.max {
		return nil, ErrTooLarge
	}
	o := &plumbing.MemoryObject{}
	o.SetType(t)
	n, err := io.Copy(o, io.LimitReader(r, size+1))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	if n != size || o.Hash() != h {
		return nil, fmt.Errorf("content does not fit its name: %w", ErrCorrupt)
	}
	s.cache.Put(o)
	return o, nil
}

// packed reads an object from a pack. Trees, commits and tags are likely to be asked for again.
func (s *store) packed(h plumbing.Hash) (plumbing.EncodedObject, error) {
	o, err := s.packs.read(h)
	if err != nil {
		return nil, err
	}
	if o.kind != plumbing.BlobObject {
		s.cache.Put(o)
	}
	return o, nil
}

// HasEncodedObject says whether an object is there: nil, or plumbing.ErrObjectNotFound.
func (s *store) HasEncodedObject(h plumbing.Hash) error {
	hex := h.String()
	if _, err := s.fs.Lstat("objects/" + hex[:2] + "/" + hex[2:]); err == nil || s.packs.has(h) {
		return nil
	}
	return plumbing.ErrObjectNotFound
}

// put stores an object and returns its name.
func (s *store) put(t plumbing.ObjectType, content []byte) (plumbing.Hash, error) {
	if int64(len(content)) > s.max {
		return plumbing.ZeroHash, ErrTooLarge
	}
	h := plumbing.ComputeHash(t, content)
	if s.HasEncodedObject(h) == nil {
		return h, nil
	}
	o := &plumbing.MemoryObject{}
	o.SetType(t)
	if _, err := o.Write(content); err != nil {
		return plumbing.ZeroHash, err
	}
	return s.SetEncodedObject(o)
}

// blob returns the content of a file.
func (r *Repository) blob(h plumbing.Hash) ([]byte, error) {
	o, err := r.st.EncodedObject(plumbing.BlobObject, h)
	if err != nil {
		return nil, err
	}
	if o, ok := o.(*raw); ok {
		return o.b, nil
	}
	in, err := o.Reader()
	if err != nil {
		return nil, err
	}
	defer in.Close()
	b, err := io.ReadAll(io.LimitReader(in, r.cfg.MaxObject+1))
	if err == nil && int64(len(b)) > r.cfg.MaxObject {
		return nil, ErrTooLarge
	}
	return b, err
}

// commit reads a commit. One whose parents were not fetched has none.
func (r *Repository) commit(h plumbing.Hash) (*object.Commit, error) {
	c, err := object.GetCommit(r.st, h)
	if err != nil {
		return nil, fmt.Errorf("commit %s: %w", h, err)
	}
	if len(c.ParentHashes) > 0 && r.grafts == nil {
		if _, err := r.shallow(); err != nil {
			return nil, err
		}
	}
	if r.grafts[h] {
		c.ParentHashes = nil
	}
	return c, nil
}

// entry is what a path stands for in a tree, an index or, with a zero hash as long as nobody asked, a working tree.
type entry struct {
	mode filemode.FileMode
	hash plumbing.Hash
}

// listing holds the files of a tree by their paths.
type listing map[string]entry

func (r *Repository) listCommit(ctx context.Context, h plumbing.Hash) (listing, error) {
	c, err := r.commit(h)
	if err != nil {
		return nil, err
	}
	l := listing{}
	return l, r.list(ctx, l, c.TreeHash, "", 0)
}

func (r *Repository) list(ctx context.Context, l listing, tree plumbing.Hash, prefix string, depth int) error {
	if err := ctx.Err(); err != nil {
		return context.Cause(ctx)
	}
	t, err := r.readTree(tree, depth)
	if err != nil {
		return fmt.Errorf("tree %q: %w", prefix, err)
	}
	for _, e := range t {
		name := prefix + e.Name
		if e.Mode == filemode.Dir {
			if err := r.list(ctx, l, e.Hash, name+"/", depth+1); err != nil {
				return err
			}
			continue
		}
		if len(l) >= maxPaths {
			return ErrTooMany
		}
		l[name] = entry{e.Mode, e.Hash}
	}
	return nil
}

// readTree returns the entries of a tree, none of which has a name that is not allowed or there twice.
func (r *Repository) readTree(h plumbing.Hash, depth int) ([]object.TreeEntry, error) {
	if depth > maxDepth {
		return nil, ErrTooMany
	}
	t, err := object.GetTree(r.st, h)
	if err != nil {
		return nil, err
	}
	seen := make(map[string]bool, len(t.Entries))
	for _, e := range t.Entries {
		if err := checkName(e.Name, e.Mode == filemode.Symlink); err != nil {
			return nil, err
		}
		if seen[e.Name] {
			return nil, fmt.Errorf("%q is there twice: %w", e.Name, ErrCorrupt)
		}
		seen[e.Name] = true
	}
	return t.Entries, nil
}

// lookup returns what a path stands for in a tree: a directory too, and the tree itself for "".
func (r *Repository) lookup(tree plumbing.Hash, name string) (entry, error) {
	at := entry{filemode.Dir, tree}
	for depth := 0; name != ""; depth++ {
		var part string
		part, name = cut(name)
		if at.mode != filemode.Dir {
			return entry{}, ErrNotFound
		}
		es, err := r.readTree(at.hash, depth)
		if err != nil {
			return entry{}, err
		}
		i := indexName(es, part)
		if i < 0 {
			return entry{}, ErrNotFound
		}
		at = entry{es[i].Mode, es[i].Hash}
	}
	return at, nil
}

func indexName(es []object.TreeEntry, name string) int {
	for i := range es {
		if es[i].Name == name {
			return i
		}
	}
	return -1
}
