package vfs

import (
	"io"
	"io/fs"
	"os"
	"strings"
	"time"
)

// top is the root directory as the calls of Tree see it: there "/" is the root, and ".." at the root stays
// there.
func (t *Tree) top() *Dir { return &Dir{t: t, at: root, slash: true, clamp: true} }

// Open opens a file or directory for reading.
func (t *Tree) Open(name string) (*File, error) { return t.OpenFile(name, os.O_RDONLY, 0) }

// Create makes a file, or empties the one there is, and opens it for reading and writing.
func (t *Tree) Create(name string) (*File, error) {
	return t.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o666)
}

// OpenFile is the general open; see Dir.OpenFile for the flags.
func (t *Tree) OpenFile(name string, flag int, perm fs.FileMode) (*File, error) {
	return t.top().OpenFile(name, flag, perm)
}

// Mkdir makes a directory.
func (t *Tree) Mkdir(name string, perm fs.FileMode) error { return t.top().Mkdir(name, perm) }

// MkdirAll makes a directory and those above it that are missing. A directory that exists is no error.
func (t *Tree) MkdirAll(name string, perm fs.FileMode) error { return t.top().MkdirAll(name, perm) }

// MkdirAll makes a directory and those above it that are missing. A directory that exists is no error.
func (d *Dir) MkdirAll(name string, perm fs.FileMode) error {
	if i, err := d.Stat(name, true); err == nil {
		if i.IsDir() {
			return nil
		}
		return pathError("mkdir", name, ErrNotDir)
	}
	for end := 0; end < len(name); {
		for end < len(name) && name[end] == '/' {
			end++
		}
		if k := strings.IndexByte(name[end:], '/'); k >= 0 {
			end += k
		} else {
			end = len(name)
		}
		if err := d.Mkdir(name[:end], perm); err != nil {
			if i, serr := d.Stat(name[:end], true); serr != nil {
				return err
			} else if !i.IsDir() {
				return pathError("mkdir", name[:end], ErrNotDir)
			}
		}
	}
	return nil
}

// Remove removes a file, a symbolic link or an empty directory.
func (t *Tree) Remove(name string) error { return t.top().Remove(name) }

// Remove removes a file, a symbolic link or an empty directory.
func (d *Dir) Remove(name string) error {
	err := d.unlink(name)
	if err == ErrIsDir {
		err = d.rmdir(name)
	}
	return pathError("remove", name, err)
}

// Rename moves oldName to newName; see Dir.Rename.
func (t *Tree) Rename(oldName, newName string) error {
	return t.top().Rename(oldName, t.top(), newName)
}

// Link makes newName a hard link to oldName. A symbolic link is linked itself.
func (t *Tree) Link(oldName, newName string) error {
	return t.top().Link(oldName, t.top(), newName, false)
}

// Symlink makes newName a symbolic link to oldName, which need not exist.
func (t *Tree) Symlink(oldName, newName string) error { return t.top().Symlink(oldName, newName) }

// Readlink returns the target of a symbolic link.
func (t *Tree) Readlink(name string) (string, error) { return t.top().Readlink(name) }

// Stat describes what name leads to. The result is an Info.
func (t *Tree) Stat(name string) (fs.FileInfo, error) { return asFileInfo(t.top().Stat(name, true)) }

// Lstat is Stat, but describes a symbolic link itself.
func (t *Tree) Lstat(name string) (fs.FileInfo, error) { return asFileInfo(t.top().Stat(name, false)) }

// Chmod sets the permission, set-id and sticky bits.
func (t *Tree) Chmod(name string, mode fs.FileMode) error { return t.top().Chmod(name, true, mode) }

// Chown sets owner and group of what name leads to; -1 leaves one as it is.
func (t *Tree) Chown(name string, uid, gid int) error { return t.top().Chown(name, true, uid, gid) }

// Lchown is Chown, but for a symbolic link itself.
func (t *Tree) Lchown(name string, uid, gid int) error { return t.top().Chown(name, false, uid, gid) }

// Chtimes sets the times of last access and last change; a zero Time leaves one as it is.
func (t *Tree) Chtimes(name string, atime, mtime time.Time) error {
	return t.top().Chtimes(name, true, atime, mtime)
}

// Truncate cuts or extends a file to size; see File.Truncate.
func (t *Tree) Truncate(name string, size int64) error { return t.top().Truncate(name, size) }

// maxRead is the most that ReadFile returns: a guest can make a sparse file of any size for nothing.
const maxRead = 1 << 30

// ReadFile returns a file's content. A file over 1 GiB is refused (ErrTooLarge): read it through a File.
func (t *Tree) ReadFile(name string) ([]byte, error) {
	f, err := t.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return f.readAll()
}

// readAll returns what follows the offset.
func (f *File) readAll() ([]byte, error) {
	i, err := f.Info()
	if err != nil {
		return nil, err
	}
	if i.Mode().IsRegular() && i.Size() > maxRead {
		return nil, f.fail("read", ErrTooLarge)
	}
	buf := make([]byte, 0, i.Size()+1)
	for {
		n, err := f.Read(buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
		switch {
		case err == io.EOF:
			return buf, nil
		case err != nil:
			return nil, err
		case len(buf) > maxRead:
			return nil, f.fail("read", ErrTooLarge)
		case len(buf) == cap(buf):
			buf = append(buf, 0)[:len(buf)]
		}
	}
}

// WriteFile makes data the content of a file, which it makes with the bits of perm if it is missing.
func (t *Tree) WriteFile(name string, data []byte, perm fs.FileMode) error {
	f, err := t.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, perm)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	return err
}

// ReadDir returns the entries of a directory, sorted by name.
func (t *Tree) ReadDir(name string) ([]fs.DirEntry, error) {
	f, err := t.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	list, err := f.ReadDir(-1)
	sortEntries(list)
	return list, err
}
