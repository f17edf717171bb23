package vfstest

import (
	"io/fs"
	"testing"

	"github.com/belljar-dev/belljar/vfs"
	"github.com/belljar-dev/belljar/vfs/aferofs"
)

func onAfero(t *testing.T, do func(system)) {
	tr := newTree(t)
	do(&aferoFace{tree: tr, fs: aferofs.New(tr)})
}

// aferoFace is vfs/aferofs. Names are given with a leading slash.
type aferoFace struct {
	tree *vfs.Tree
	fs   *aferofs.Fs
}

func (s *aferoFace) root() string { return "" }
func (s *aferoFace) tick()        {}

func (s *aferoFace) become(u user) error {
	s.fs = aferofs.New(s.tree.As(asVFS(u)))
	return nil
}

func (s *aferoFace) refuses(args []string) error {
	for _, a := range args[1:] {
		if len(a) > 4090 && args[0] != "write" {
			return skip("aferofs leaves the limit of paths to its callers")
		}
	}
	return refusesEmpty(args, "afero")
}

// refusesEmpty skips calls with an empty path, which for some faces is the root.
func refusesEmpty(args []string, face string) error {
	switch args[0] {
	case "write", "pwrite":
		return nil
	case "symlink":
		args = args[1:]
	}
	for _, a := range args[1:] {
		if a == "" {
			return skip("to " + face + " the empty path is the root")
		}
	}
	return nil
}

func (s *aferoFace) open(name string, flag int, mode uint32) (file, error) {
	f, err := s.fs.OpenFile(slashed(name), vfsFlags(flag), goMode(mode))
	if err != nil {
		return nil, err
	}
	return vfsFile{f.(*vfs.File)}, nil
}

func (s *aferoFace) mkdir(name string, mode uint32) error {
	return s.fs.Mkdir(slashed(name), goMode(mode))
}

func (s *aferoFace) mkfifo(name string, mode uint32) error {
	return s.fs.Mkfifo(slashed(name), goMode(mode))
}

func (s *aferoFace) mksock(name string, mode uint32) error {
	return s.fs.Mknod(slashed(name), goMode(mode)|fs.ModeSocket, 0)
}

func (s *aferoFace) mkdev(name string, mode uint32, char bool, number uint32) error {
	return s.fs.Mknod(slashed(name), goMode(mode)|deviceMode(char), int(number))
}

func (s *aferoFace) rmdir(name string) error  { return s.fs.Rmdir(slashed(name)) }
func (s *aferoFace) unlink(name string) error { return s.fs.Unlink(slashed(name)) }

func (s *aferoFace) rename(from, to string, how renaming) error {
	if how == replace {
		return s.fs.Rename(slashed(from), slashed(to))
	}
	return s.fs.RenameWith(slashed(from), slashed(to), renameFlags[how])
}

func (s *aferoFace) link(from, to string, follow bool) error {
	if follow {
		return skip("aferofs has no link that follows")
	}
	return s.fs.Link(slashed(from), slashed(to))
}

func (s *aferoFace) symlink(target, name string) error {
	return s.fs.SymlinkIfPossible(target, slashed(name))
}

func (s *aferoFace) readlink(name string) (string, error) {
	return s.fs.ReadlinkIfPossible(slashed(name))
}

func (s *aferoFace) truncate(name string, size int64) error {
	return s.fs.Truncate(slashed(name), size)
}

func (s *aferoFace) chmod(name string, mode uint32) error {
	return s.fs.Chmod(slashed(name), goMode(mode))
}

func (s *aferoFace) chown(name string, follow bool, uid, gid int) error {
	if follow {
		return s.fs.Chown(slashed(name), uid, gid)
	}
	return s.fs.Lchown(slashed(name), uid, gid)
}

func (s *aferoFace) utimes(name string, follow bool, at times) error {
	atime, mtime := at.time(at.atime), at.time(at.mtime)
	switch {
	case at == times{timeNow, timeNow} && follow:
		return s.fs.Touch(slashed(name))
	case follow:
		return s.fs.Chtimes(slashed(name), atime, mtime)
	}
	return s.fs.Lchtimes(slashed(name), atime, mtime)
}

func (s *aferoFace) access(name string, how uint32) error {
	return s.fs.Access(slashed(name), int(how))
}

func (s *aferoFace) stat(name string, follow bool) (status, error) {
	if follow {
		return statusOf(s.fs.Stat(slashed(name)))
	}
	i, _, err := s.fs.LstatIfPossible(slashed(name))
	return statusOf(i, err)
}

// follows skips what aferofs has for links themselves alone.
func follows(follow bool) error {
	if follow {
		return skip("aferofs has no attributes through links")
	}
	return nil
}

func (s *aferoFace) getxattr(name string, follow bool, attr string) (string, error) {
	if err := follows(follow); err != nil {
		return "", err
	}
	value, err := s.fs.Getxattr(slashed(name), attr)
	return string(value), err
}

func (s *aferoFace) setxattr(name string, follow bool, attr, value string, how renaming) error {
	if err := follows(follow); err != nil {
		return err
	}
	return s.fs.Setxattr(slashed(name), attr, []byte(value), xattrFlags[how])
}

func (s *aferoFace) listxattr(name string, follow bool) ([]string, error) {
	if err := follows(follow); err != nil {
		return nil, err
	}
	return s.fs.Listxattr(slashed(name))
}

func (s *aferoFace) removexattr(name string, follow bool, attr string) error {
	if err := follows(follow); err != nil {
		return err
	}
	return s.fs.Removexattr(slashed(name), attr)
}
