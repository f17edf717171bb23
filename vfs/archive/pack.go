package archive

import (
	"cmp"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"

	"github.com/belljar-dev/belljar/vfs"
)

// packed is one thing to pack.
type packed struct {
	dir    *vfs.Dir
	at     string // in dir
	name   string // in the archive
	info   vfs.Info
	target string // of a symbolic link
	attrs  map[string][]byte
}

// copy writes a file's content.
func (p *packed) copy(w io.Writer) error {
	f, err := p.dir.OpenFile(p.at, vfs.O_NOFOLLOW, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = io.CopyN(w, f, p.info.Size())
	return err
}

// walk calls visit for what lies at name, directories before what they hold, sorted by name, within b. A clone stands
// still for it.
func walk(t *vfs.Tree, name string, b *budget, visit func(p *packed) error) error {
	still := t.Clone()
	defer still.Close()
	still = still.As(t.User())
	i, err := still.Stat(name)
	if err != nil {
		return err
	}
	if !i.IsDir() {
		return visitOne(b, &packed{dir: still.Root().AsRoot(), at: name, name: path.Base(name), info: i.(vfs.Info)}, visit)
	}
	dir, err := open(still, name)
	if err != nil {
		return err
	}
	return walkDir(dir, ".", b, visit)
}

func walkDir(dir *vfs.Dir, name string, b *budget, visit func(p *packed) error) error {
	entries, err := list(dir, name)
	if err != nil {
		return err
	}
	for _, e := range entries {
		at := path.Join(name, e.Name())
		i, err := dir.Stat(at, false)
		if err != nil {
			return err
		}
		if err := visitOne(b, &packed{dir: dir, at: at, name: at, info: i}, visit); err != nil {
			return err
		}
		if i.IsDir() {
			if err := walkDir(dir, at, b, visit); err != nil {
				return err
			}
		}
	}
	return nil
}

func visitOne(b *budget, p *packed, visit func(p *packed) error) error {
	if err := b.file(); err != nil {
		return err
	}
	err := p.complete(b)
	if err == nil {
		err = visit(p)
	}
	if err != nil {
		return fmt.Errorf("entry %.100q: %w", p.name, err)
	}
	return nil
}

// complete fills in what Stat does not tell.
func (p *packed) complete(b *budget) error {
	switch {
	case p.info.Mode().IsRegular():
		if err := b.content(p.info.Size()); err != nil {
			return err
		}
	case p.info.Mode().Type() == fs.ModeSymlink:
		target, err := p.dir.Readlink(p.at)
		if err != nil {
			return err
		}
		p.target = target
	}
	names, err := p.dir.Listxattr(p.at, false)
	if err != nil || len(names) == 0 {
		return nil // A mount may have none.
	}
	p.attrs = map[string][]byte{}
	for _, name := range names {
		if p.attrs[name], err = p.dir.Getxattr(p.at, false, name); err != nil {
			return err
		}
	}
	return nil
}

// list returns what a directory holds, sorted by name.
func list(dir *vfs.Dir, name string) ([]fs.DirEntry, error) {
	f, err := dir.OpenFile(name, vfs.O_DIRECTORY|vfs.O_NOFOLLOW, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	entries, err := f.ReadDir(-1)
	slices.SortFunc(entries, func(a, b fs.DirEntry) int { return cmp.Compare(a.Name(), b.Name()) })
	return entries, err
}
