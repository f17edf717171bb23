package archive

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"

	"github.com/belljar-dev/belljar/vfs"
)

// Target is where Copy writes to: names have slashes, and no link leads out of it. Mkdir takes a directory that is there;
// Create and Symlink take the place of a file or a link.
type Target interface {
	Mkdir(name string) error
	Symlink(old, name string) error
	Create(name string, perm fs.FileMode) (io.WriteCloser, error)
}

// Copy copies the file or directory that name is, or leads to, in from to target in to. A directory goes with all below
// it; links in it are copied as links, never followed, and what is no file, directory or link is refused. Files and links that are there
// already are replaced, directories merged. The parent of target has to be there. It ends with ctx, or beyond the limits
// of c (MaxBytes and MaxFiles), which count holes; what was copied by then stays. Errors name the file.
func Copy(ctx context.Context, to Target, target string, from fs.FS, name string, c Config) error {
	left := c.withDefaults()
	return fs.WalkDir(from, name, func(at string, d fs.DirEntry, err error) error {
		if err == nil {
			err = context.Cause(ctx)
		}
		if left.MaxFiles--; err == nil && left.MaxFiles < 0 {
			err = ErrTooMany
		}
		if err == nil {
			place := target
			if rel := relative(name, at); rel != "" {
				place = path.Join(target, rel)
			}
			err = copyNode(ctx, to, place, from, at, d, &left.MaxBytes)
		}
		if err != nil {
			return fmt.Errorf("copy %s: %w", at, err)
		}
		return nil
	})
}

// relative answers what of at lies below root, both as io/fs has paths.
func relative(root, at string) string {
	switch root {
	case at:
		return ""
	case ".":
		return at
	}
	return at[len(root)+1:]
}

func copyNode(ctx context.Context, to Target, target string, from fs.FS, name string, d fs.DirEntry, left *int64) error {
	switch {
	case d.IsDir():
		return to.Mkdir(target)
	case d.Type() == fs.ModeSymlink:
		link, err := fs.ReadLink(from, name)
		if err != nil {
			return err
		}
		return to.Symlink(link, target)
	case !d.Type().IsRegular():
		return ErrKind
	}
	in, err := from.Open(name)
	if err != nil {
		return err
	}
	defer in.Close()
	info, err := in.Stat()
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() { // it was changed meanwhile
		return ErrKind
	}
	out, err := to.Create(target, info.Mode().Perm())
	if err != nil {
		return err
	}
	n, err := io.Copy(out, &bounded{ctx.Err, io.LimitReader(in, *left+1)})
	if *left -= n; err == nil && *left < 0 {
		err = ErrTooLarge
	}
	return errors.Join(err, out.Close())
}

// bounded reads until stopped answers an error.
type bounded struct {
	stopped func() error
	io.Reader
}

// Read implements io.Reader.
func (b *bounded) Read(p []byte) (int, error) {
	if err := b.stopped(); err != nil {
		return 0, err
	}
	return b.Reader.Read(p)
}

// Into answers a tree as a Target. Names are absolute, or relative to its root.
func Into(t *vfs.Tree) Target { return intoTree{t} }

type intoTree struct{ t *vfs.Tree }

func (i intoTree) Mkdir(name string) error {
	err := i.t.Mkdir(name, 0o755)
	if errors.Is(err, fs.ErrExist) {
		return mustBeDir(i.t.Stat(name))
	}
	return err
}

func (i intoTree) Symlink(old, name string) error {
	_ = removeLeaf(i.t.Lstat, i.t.Remove, name)
	return i.t.Symlink(filepath.ToSlash(old), name)
}

func (i intoTree) Create(name string, perm fs.FileMode) (io.WriteCloser, error) {
	if err := removeLeaf(i.t.Lstat, i.t.Remove, name); err != nil {
		return nil, err
	}
	return i.t.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, perm)
}

// IntoRoot answers a folder of this machine as a Target. Names are relative to it.
func IntoRoot(r *os.Root) Target { return intoRoot{r} }

type intoRoot struct{ r *os.Root }

func (i intoRoot) Mkdir(name string) error {
	name = filepath.FromSlash(name)
	err := i.r.Mkdir(name, 0o755)
	if errors.Is(err, fs.ErrExist) {
		return mustBeDir(i.r.Stat(name))
	}
	return err
}

func (i intoRoot) Symlink(old, name string) error {
	name = filepath.FromSlash(name)
	_ = removeLeaf(i.r.Lstat, i.r.Remove, name)
	return i.r.Symlink(filepath.FromSlash(old), name)
}

func (i intoRoot) Create(name string, perm fs.FileMode) (io.WriteCloser, error) {
	name = filepath.FromSlash(name)
	if err := removeLeaf(i.r.Lstat, i.r.Remove, name); err != nil {
		return nil, err
	}
	return i.r.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, perm)
}

// removeLeaf makes way for a file or link where a link or anything special stands; a file keeps its place, and its inode.
func removeLeaf(lstat func(string) (fs.FileInfo, error), remove func(string) error, name string) error {
	info, err := lstat(name)
	if err != nil || info.Mode().IsRegular() {
		return nil // the next step says what is wrong
	}
	if info.IsDir() {
		return ErrInTheWay
	}
	return remove(name)
}

func mustBeDir(info fs.FileInfo, err error) error {
	if err == nil && !info.IsDir() {
		return ErrInTheWay
	}
	return err
}
