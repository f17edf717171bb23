// Package aferofs shows a vfs.Tree as an afero.Fs (https://pkg.go.dev/github.com/spf13/afero).
//
// Names are those of package path/filepath on the host, relative to the root of the Fs; a leading slash changes
// nothing, and "" is the root. A path may have 64 KiB, an element of it 255 bytes. Errors are *os.PathError or
// *os.LinkError as from package os: os.IsNotExist and its kin understand them, and errors.As finds a syscall.Errno in
// them. errors.Is finds the errors of package vfs, too.
//
// Beside afero's own interfaces, Fs has what they lack, for servers that hand a whole POSIX file system on: hard
// links, calls that do not follow links, truncation by name, the room that is left and more. A server asserts for each of them by the
// signature.
package aferofs

import (
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/spf13/afero"

	"github.com/belljar-dev/belljar/vfs"
)

// Fs is a tree, or a directory in it, as an afero.Fs. It must be made with New or Sub, and may be used from many
// goroutines. Its files are of type *vfs.File.
type Fs struct {
	tree *vfs.Tree
	dir  *vfs.Dir
}

var (
	_ afero.Fs        = (*Fs)(nil)
	_ afero.Symlinker = (*Fs)(nil)
	_ afero.File      = (*vfs.File)(nil)
)

// New returns the whole of t. Closing t closes it.
func New(t *vfs.Tree) *Fs { return &Fs{tree: t, dir: t.Root().AsRoot().WithLongPaths()} }

// Sub returns the directory name as an Fs of its own. It goes with the directory when that is renamed. Names that
// climb out of it, by symbolic links too, fail with vfs.ErrEscape (EPERM).
func (s *Fs) Sub(name string) (*Fs, error) {
	f, err := s.dir.OpenFile(inside(name), vfs.O_DIRECTORY, 0)
	if err != nil {
		return nil, outward(err)
	}
	defer f.Close()
	d, err := f.Dir()
	if err != nil {
		return nil, outward(err)
	}
	return &Fs{tree: s.tree, dir: d.AsRoot().WithLongPaths()}, nil
}

// As returns the same directory as another user sees it, for servers that act for several.
func (s *Fs) As(u vfs.User) *Fs { return &Fs{tree: s.tree, dir: s.dir.As(u)} }

// Usage returns what the whole tree holds, of what Quota allows: what statfs(2) is made of.
func (s *Fs) Usage() vfs.Usage { return s.tree.Usage() }

// Quota returns the tree's limits; 0 means none.
func (s *Fs) Quota() vfs.Usage { return s.tree.Quota() }

// inside makes a tree's name of a host's.
func inside(name string) string {
	if name == "" {
		return "."
	}
	return filepath.ToSlash(name)
}

// outward puts syscall.EPERM where os.IsPermission looks for it, which knows nothing of errors.Is.
func outward(err error) error {
	switch e := err.(type) {
	case *fs.PathError:
		e.Err = permission(e.Err)
	case *os.LinkError:
		e.Err = permission(e.Err)
	}
	return err
}

func permission(cause error) error {
	if cause == vfs.ErrNotPermitted {
		return syscall.EPERM
	}
	return cause
}

// file keeps a nil *vfs.File from becoming an afero.File that is not nil.
func file(f *vfs.File, err error) (afero.File, error) {
	if err != nil {
		return nil, outward(err)
	}
	return f, nil
}

func info(i vfs.Info, err error) (os.FileInfo, error) {
	if err != nil {
		return nil, outward(err)
	}
	return i, nil
}

// Name returns the name of the file system's kind.
func (s *Fs) Name() string { return "belljar" }

// Create makes a file, or empties the one there is, and opens it for reading and writing.
func (s *Fs) Create(name string) (afero.File, error) {
	return s.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o666)
}

// Open opens a file or directory for reading.
func (s *Fs) Open(name string) (afero.File, error) { return s.OpenFile(name, os.O_RDONLY, 0) }

// OpenFile is the general open; vfs.Dir.OpenFile says which flags it knows.
func (s *Fs) OpenFile(name string, flag int, perm os.FileMode) (afero.File, error) {
	return file(s.dir.OpenFile(inside(name), flag, perm))
}

// Mkdir makes a directory.
func (s *Fs) Mkdir(name string, perm os.FileMode) error {
	return outward(s.dir.Mkdir(inside(name), perm))
}

// MkdirAll makes a directory and those above it that are missing.
func (s *Fs) MkdirAll(name string, perm os.FileMode) error {
	return outward(s.dir.MkdirAll(inside(name), perm))
}

// Remove removes a file, a symbolic link or an empty directory.
func (s *Fs) Remove(name string) error { return outward(s.dir.Remove(inside(name))) }

// Unlink removes a name that is not a directory's (EISDIR).
func (s *Fs) Unlink(name string) error { return outward(s.dir.Unlink(inside(name))) }

// Rmdir removes an empty directory.
func (s *Fs) Rmdir(name string) error { return outward(s.dir.Rmdir(inside(name))) }

// Mkfifo makes a named pipe.
func (s *Fs) Mkfifo(name string, perm os.FileMode) error {
	return outward(s.dir.Mkfifo(inside(name), perm))
}

// Mknod makes a node of the type in mode, as mknod(2): a file, a named pipe, the name of a Unix-domain socket, or that
// of a device of number dev, which can't be opened.
func (s *Fs) Mknod(name string, mode os.FileMode, dev int) error {
	name = inside(name)
	switch mode.Type() {
	case 0:
		f, err := s.dir.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
		if err != nil {
			return outward(err)
		}
		return f.Close()
	case fs.ModeNamedPipe:
		return outward(s.dir.Mkfifo(name, mode))
	case fs.ModeSocket:
		return outward(s.dir.Mksocket(name, mode))
	}
	return outward(s.dir.Mkdevice(name, mode, uint32(dev)))
}

// RemoveAll removes name and all that is under it; what does not exist is no error.
func (s *Fs) RemoveAll(name string) error { return outward(s.dir.RemoveAll(inside(name))) }

// Rename moves oldName to newName, replacing a file or an empty directory, as rename(2).
func (s *Fs) Rename(oldName, newName string) error {
	return outward(s.dir.Rename(inside(oldName), s.dir, inside(newName)))
}

// RenameWith is Rename under vfs.RenameNoReplace or vfs.RenameExchange.
func (s *Fs) RenameWith(oldName, newName string, flags vfs.RenameFlags) error {
	return outward(s.dir.RenameWith(inside(oldName), s.dir, inside(newName), flags))
}

// Link makes newName a hard link to oldName; a symbolic link is linked itself.
func (s *Fs) Link(oldName, newName string) error {
	return outward(s.dir.Link(inside(oldName), s.dir, inside(newName), false))
}

// SymlinkIfPossible makes newName a symbolic link to target, which is kept byte for byte.
func (s *Fs) SymlinkIfPossible(target, newName string) error {
	return outward(s.dir.Symlink(target, inside(newName)))
}

// ReadlinkIfPossible returns the target of a symbolic link.
func (s *Fs) ReadlinkIfPossible(name string) (string, error) {
	target, err := s.dir.Readlink(inside(name))
	return target, outward(err)
}

// Stat describes what name leads to. The result is a vfs.Info.
func (s *Fs) Stat(name string) (os.FileInfo, error) { return info(s.dir.Stat(inside(name), true)) }

// LstatIfPossible describes name itself, and reports true: links are told apart.
func (s *Fs) LstatIfPossible(name string) (os.FileInfo, bool, error) {
	i, err := info(s.dir.Stat(inside(name), false))
	return i, true, err
}

// Chmod sets the permission, set-id and sticky bits of what name leads to.
func (s *Fs) Chmod(name string, mode os.FileMode) error {
	return outward(s.dir.Chmod(inside(name), true, mode))
}

// Chown sets owner and group of what name leads to; -1 leaves one as it is.
func (s *Fs) Chown(name string, uid, gid int) error {
	return outward(s.dir.Chown(inside(name), true, uid, gid))
}

// Lchown is Chown, but for a symbolic link itself.
func (s *Fs) Lchown(name string, uid, gid int) error {
	return outward(s.dir.Chown(inside(name), false, uid, gid))
}

// Chtimes sets the times of last access and last change; a zero Time leaves one as it is.
func (s *Fs) Chtimes(name string, atime, mtime time.Time) error {
	return outward(s.dir.Chtimes(inside(name), true, atime, mtime))
}

// Lchtimes is Chtimes, but for a symbolic link itself.
func (s *Fs) Lchtimes(name string, atime, mtime time.Time) error {
	return outward(s.dir.Chtimes(inside(name), false, atime, mtime))
}

// Touch sets both times of what name leads to, to now; unlike Chtimes it asks for no more than write permission.
func (s *Fs) Touch(name string) error { return outward(s.dir.Touch(inside(name), true)) }

// Truncate cuts or extends a file to size; see vfs.File.Truncate.
func (s *Fs) Truncate(name string, size int64) error {
	return outward(s.dir.Truncate(inside(name), size))
}

// Access tells whether the user may read (4), write (2) or execute or search (1) what name leads to; 0 asks whether
// it is there.
func (s *Fs) Access(name string, how int) error {
	return outward(s.dir.Access(inside(name), true, how))
}

// Getxattr returns the value of an extended attribute of name itself.
func (s *Fs) Getxattr(name, attr string) ([]byte, error) {
	value, err := s.dir.Getxattr(inside(name), false, attr)
	return value, outward(err)
}

// Setxattr sets an extended attribute of name itself.
func (s *Fs) Setxattr(name, attr string, value []byte, flags vfs.XattrFlags) error {
	return outward(s.dir.Setxattr(inside(name), false, attr, value, flags))
}

// Listxattr returns the names of the extended attributes of name itself, sorted.
func (s *Fs) Listxattr(name string) ([]string, error) {
	names, err := s.dir.Listxattr(inside(name), false)
	return names, outward(err)
}

// Removexattr removes an extended attribute of name itself.
func (s *Fs) Removexattr(name, attr string) error {
	return outward(s.dir.Removexattr(inside(name), false, attr))
}
