// Package billyfs shows a vfs.Tree as a billy.Filesystem (https://pkg.go.dev/github.com/go-git/go-billy/v5), for
// go-git.
//
// Names are those of package path/filepath on the host, relative to the root of the FS; a leading slash changes
// nothing, and "" is the root. As everywhere in billy they are cleaned first: "a/.." is the root, whatever a is. What
// climbs out of the root, by symbolic links too, fails with billy.ErrCrossedBoundary. Other errors are *os.PathError
// or *os.LinkError as from package os, with the errors of package vfs and a syscall.Errno in them.
package billyfs

import (
	"errors"
	"io/fs"
	"math/rand/v2"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-git/go-billy/v5"

	"github.com/belljar-dev/belljar/vfs"
)

// FS is a tree, or a directory in it, as a billy.Filesystem with all of billy's optional interfaces. It must be made
// with New or Chroot, and may be used from many goroutines. Its files are of type *vfs.File.
type FS struct {
	dir  *vfs.Dir
	root string // the path of dir in the FS that New made
}

var (
	_ billy.Filesystem = (*FS)(nil)
	_ billy.Change     = (*FS)(nil)
	_ billy.Capable    = (*FS)(nil)
	_ billy.File       = (*vfs.File)(nil)
)

// New returns the whole of t. Closing t closes it.
func New(t *vfs.Tree) *FS { return &FS{dir: t.Root().AsRoot(), root: "/"} }

// Chroot returns the directory name, which is made if it is missing, as an FS of its own: a *FS. It goes with the
// directory when that is renamed.
func (s *FS) Chroot(name string) (billy.Filesystem, error) {
	var sub *FS
	err := do(name, func(name string) error {
		if err := s.dir.MkdirAll(name, 0o777); err != nil {
			return err
		}
		f, err := s.dir.OpenFile(name, vfs.O_DIRECTORY, 0)
		if err != nil {
			return err
		}
		defer f.Close()
		d, err := f.Dir()
		if err == nil {
			sub = &FS{dir: d.AsRoot(), root: path.Join(s.root, name)}
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return sub, nil
}

// Root returns the path of the root, seen from the FS that it was made from by Chroot; "/" for that of New.
func (s *FS) Root() string { return s.root }

// Capabilities returns all: files can be read, written, sought, cut and locked.
func (s *FS) Capabilities() billy.Capability { return billy.AllCapabilities }

// Join joins path elements as package path/filepath does.
func (s *FS) Join(elem ...string) string { return filepath.Join(elem...) }

// at makes a tree's name of one that a call was given: clean, and relative to the root.
func at(name string) (string, error) {
	name = path.Clean(strings.TrimLeft(filepath.ToSlash(name), "/"))
	if name == ".." || strings.HasPrefix(name, "../") {
		return "", billy.ErrCrossedBoundary
	}
	return name, nil
}

// outward replaces vfs.ErrEscape by what billy's users compare with.
func outward(err error) error {
	if errors.Is(err, vfs.ErrEscape) {
		return billy.ErrCrossedBoundary
	}
	return err
}

// do makes a call with one name.
func do(name string, call func(name string) error) error {
	name, err := at(name)
	if err != nil {
		return err
	}
	return outward(call(name))
}

// making makes a call that gives name to something, once more after making the directories above it if they are
// missing, as billy's contract has it.
func (s *FS) making(name string, call func(name string) error) error {
	return do(name, func(name string) error {
		err := call(name)
		if !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		up := path.Dir(name)
		if i, serr := s.dir.Stat(up, true); serr == nil && i.IsDir() {
			return err
		}
		if err := s.dir.MkdirAll(up, 0o777); err != nil {
			return err
		}
		return call(name)
	})
}

// Create makes a file, with the directories above it, or empties the one there is, and opens it for reading and
// writing.
func (s *FS) Create(name string) (billy.File, error) {
	return s.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o666)
}

// Open opens a file for reading.
func (s *FS) Open(name string) (billy.File, error) { return s.OpenFile(name, os.O_RDONLY, 0) }

// OpenFile is the general open; vfs.Dir.OpenFile says which flags it knows. With O_CREATE it makes the directories
// above the file.
func (s *FS) OpenFile(name string, flag int, perm os.FileMode) (billy.File, error) {
	var f *vfs.File
	open := func(name string) (err error) {
		f, err = s.dir.OpenFile(name, flag, perm)
		return err
	}
	call := do
	if flag&os.O_CREATE != 0 {
		call = s.making
	}
	if err := call(name, open); err != nil {
		return nil, err
	}
	return f, nil
}

// tries is how many names TempFile draws. With 64 random bits in each the first is as good as free.
const tries = 100

// TempFile makes a file with a name that begins with prefix in dir, which is made if it is missing, and opens it for
// reading and writing. An empty dir is the root. It is for the caller to remove.
func (s *FS) TempFile(dir, prefix string) (billy.File, error) {
	for range tries {
		name := s.Join(dir, prefix+strconv.FormatUint(rand.Uint64(), 36))
		f, err := s.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
		if !errors.Is(err, fs.ErrExist) {
			return f, err
		}
	}
	return nil, &os.PathError{Op: "createtemp", Path: s.Join(dir, prefix), Err: fs.ErrExist}
}

func (s *FS) stat(name string, follow bool) (i os.FileInfo, err error) {
	err = do(name, func(name string) error {
		v, err := s.dir.Stat(name, follow)
		if err == nil {
			i = v
		}
		return err
	})
	return i, err
}

// Stat describes what name leads to. The result is a vfs.Info.
func (s *FS) Stat(name string) (os.FileInfo, error) { return s.stat(name, true) }

// Lstat is Stat, but describes a symbolic link itself.
func (s *FS) Lstat(name string) (os.FileInfo, error) { return s.stat(name, false) }

// Rename moves from to to, replacing a file or an empty directory, and makes the directories above to.
func (s *FS) Rename(from, to string) error {
	return do(from, func(from string) error {
		return s.making(to, func(to string) error { return s.dir.Rename(from, s.dir, to) })
	})
}

// Remove removes a file, a symbolic link or an empty directory.
func (s *FS) Remove(name string) error { return do(name, s.dir.Remove) }

// RemoveAll removes name and all that is under it; what does not exist is no error. The functions of billy's package
// util call it.
func (s *FS) RemoveAll(name string) error { return do(name, s.dir.RemoveAll) }

// ReadDir returns what a directory holds, sorted by name. Links are described themselves.
func (s *FS) ReadDir(name string) (list []os.FileInfo, err error) {
	err = do(name, func(name string) error {
		f, err := s.dir.OpenFile(name, vfs.O_DIRECTORY, 0)
		if err != nil {
			return err
		}
		defer f.Close()
		list, err = f.Readdir(-1)
		return err
	})
	slices.SortFunc(list, func(a, b os.FileInfo) int { return strings.Compare(a.Name(), b.Name()) })
	return list, err
}

// MkdirAll makes a directory and those above it that are missing.
func (s *FS) MkdirAll(name string, perm os.FileMode) error {
	return do(name, func(name string) error { return s.dir.MkdirAll(name, perm) })
}

// Symlink makes link, and the directories above it, a symbolic link to target, which is kept byte for byte. An
// absolute target starts at the root of the FS.
func (s *FS) Symlink(target, link string) error {
	return s.making(link, func(link string) error { return s.dir.Symlink(filepath.ToSlash(target), link) })
}

// Readlink returns the target of a symbolic link.
func (s *FS) Readlink(link string) (target string, err error) {
	err = do(link, func(link string) error {
		target, err = s.dir.Readlink(link)
		return err
	})
	return target, err
}

// Chmod sets the permission, set-id and sticky bits of what name leads to.
func (s *FS) Chmod(name string, mode os.FileMode) error {
	return do(name, func(name string) error { return s.dir.Chmod(name, true, mode) })
}

// Chown sets owner and group of what name leads to; -1 leaves one as it is.
func (s *FS) Chown(name string, uid, gid int) error {
	return do(name, func(name string) error { return s.dir.Chown(name, true, uid, gid) })
}

// Lchown is Chown, but for a symbolic link itself.
func (s *FS) Lchown(name string, uid, gid int) error {
	return do(name, func(name string) error { return s.dir.Chown(name, false, uid, gid) })
}

// Chtimes sets the times of last access and last change; a zero Time leaves one as it is.
func (s *FS) Chtimes(name string, atime, mtime time.Time) error {
	return do(name, func(name string) error { return s.dir.Chtimes(name, true, atime, mtime) })
}
