package vfstest

import (
	"errors"
	"io/fs"
	"path"
	"testing"

	"github.com/go-git/go-billy/v5"

	"github.com/belljar-dev/belljar/vfs"
	"github.com/belljar-dev/belljar/vfs/billyfs"
)

func onBilly(t *testing.T, do func(system)) {
	tr := newTree(t)
	do(&billyFace{no: no{"billy"}, tree: tr, fs: billyfs.New(tr)})
}

// billyFace is vfs/billyfs.
type billyFace struct {
	no
	tree *vfs.Tree
	fs   *billyfs.FS
}

func (s *billyFace) root() string { return "" }
func (s *billyFace) tick()        {}

func (s *billyFace) become(u user) error {
	s.fs = billyfs.New(s.tree.As(asVFS(u)))
	return nil
}

// refuses skips calls whose paths billy would change before it looks at them.
func (s *billyFace) refuses(args []string) error {
	paths := args[1:]
	switch args[0] {
	case "write", "pwrite":
		return nil
	case "symlink", "open":
		paths = args[2:3]
	}
	for _, p := range paths {
		if p != path.Clean(p) {
			return skip("billy cleans paths")
		}
	}
	return refusesEmpty(args, "billy")
}

// made skips a call that failed on the kernel for want of a directory that billy makes.
func (s *billyFace) made(name string) error {
	up := path.Dir(name)
	if _, err := s.fs.Stat(up); errors.Is(err, fs.ErrNotExist) || errors.Is(err, vfs.ErrLoop) {
		return skip("billy makes the directories on the way")
	}
	return nil
}

func (s *billyFace) open(name string, flag int, mode uint32) (file, error) {
	flag = vfsFlags(flag)
	if err := s.made(name); err != nil {
		return nil, err
	}
	f, err := s.fs.OpenFile(slashed(name), flag, goMode(mode))
	if err != nil {
		return nil, err
	}
	return vfsFile{f.(*vfs.File)}, nil
}

func (s *billyFace) mkdir(name string, mode uint32) error {
	if _, err := s.fs.Lstat(name); err == nil {
		return skip("to billy a directory that exists is made")
	}
	if _, err := s.fs.Stat(path.Dir(name)); err != nil {
		return s.made(name)
	}
	return s.fs.MkdirAll(slashed(name), goMode(mode))
}

// rmdir and unlink are one in billy.
func (s *billyFace) rmdir(name string) error {
	if i, err := s.fs.Lstat(name); err == nil && !i.IsDir() {
		return skip("billy has no rmdir")
	}
	return s.fs.Remove(slashed(name))
}

func (s *billyFace) unlink(name string) error {
	if i, err := s.fs.Lstat(name); err == nil && i.IsDir() {
		return skip("billy has no unlink")
	}
	return s.fs.Remove(slashed(name))
}

func (s *billyFace) rename(from, to string, how renaming) error {
	if how != replace {
		return s.lacks("renameat2")
	}
	if err := s.made(to); err != nil {
		return err
	}
	return s.fs.Rename(slashed(from), slashed(to))
}

func (s *billyFace) symlink(target, name string) error {
	if err := s.made(name); err != nil {
		return err
	}
	return s.fs.Symlink(target, slashed(name))
}

func (s *billyFace) readlink(name string) (string, error) { return s.fs.Readlink(slashed(name)) }

func (s *billyFace) chmod(name string, mode uint32) error {
	return s.fs.Chmod(slashed(name), goMode(mode))
}

func (s *billyFace) chown(name string, follow bool, uid, gid int) error {
	if follow {
		return s.fs.Chown(slashed(name), uid, gid)
	}
	return s.fs.Lchown(slashed(name), uid, gid)
}

func (s *billyFace) utimes(name string, follow bool, at times) error {
	if !follow || at.atime == timeNow || at.mtime == timeNow {
		return s.lacks("utimensat")
	}
	return s.fs.Chtimes(slashed(name), at.time(at.atime), at.time(at.mtime))
}

func (s *billyFace) stat(name string, follow bool) (status, error) {
	call := s.fs.Lstat
	if follow {
		call = s.fs.Stat
	}
	i, err := call(slashed(name))
	if err == billy.ErrCrossedBoundary {
		return status{}, skip("billy keeps paths inside")
	}
	return statusOf(i, err)
}
