package aferofs

import (
	"errors"
	"io"
	"io/fs"
	"path"
	"time"

	"github.com/spf13/afero"

	"github.com/belljar-dev/belljar/vfs"
)

// Mountable returns f, from the directory root on, as vfs.Tree.Mount wants it. Names are joined to root with slashes:
// give "/" where f was filled by names that begin with one, "" where it was filled by others, since afero.MemMapFs
// tells them apart. f must allow use from many goroutines, as afero's own do. What f gives of afero's Symlinker, and
// a method Link(oldName, newName string) error, are used.
func Mountable(f afero.Fs, root string) vfs.WriteFS { return &mountable{f: f, root: root} }

type mountable struct {
	f    afero.Fs
	root string
}

func (m *mountable) at(name string) string { return path.Join(m.root, name) }

// opened keeps an afero.File that is nil from becoming a file that is not.
func opened(f afero.File, err error) (fs.File, error) {
	if err != nil {
		return nil, err
	}
	if f == nil {
		return nil, fs.ErrInvalid
	}
	return f, nil
}

func (m *mountable) Open(name string) (fs.File, error) { return opened(m.f.Open(m.at(name))) }

func (m *mountable) OpenFile(name string, flag int, perm fs.FileMode) (fs.File, error) {
	return opened(m.f.OpenFile(m.at(name), flag, perm))
}

func (m *mountable) Stat(name string) (fs.FileInfo, error) { return m.f.Stat(m.at(name)) }

func (m *mountable) Lstat(name string) (fs.FileInfo, error) {
	if l, ok := m.f.(afero.Lstater); ok {
		i, _, err := l.LstatIfPossible(m.at(name))
		return i, err
	}
	return m.Stat(name)
}

func (m *mountable) ReadLink(name string) (string, error) {
	if l, ok := m.f.(afero.LinkReader); ok {
		return l.ReadlinkIfPossible(m.at(name))
	}
	return "", fs.ErrInvalid
}

func (m *mountable) ReadDir(name string) ([]fs.DirEntry, error) {
	infos, err := afero.ReadDir(m.f, m.at(name))
	list := make([]fs.DirEntry, len(infos))
	for i, info := range infos {
		list[i] = fs.FileInfoToDirEntry(info)
	}
	return list, err
}

func (m *mountable) Mkdir(name string, perm fs.FileMode) error { return m.f.Mkdir(m.at(name), perm) }

// Remove looks first, for afero.MemMapFs loses what is in a directory that it removes.
func (m *mountable) Remove(name string) error {
	if i, err := m.Lstat(name); err == nil && i.IsDir() {
		d, err := m.f.Open(m.at(name))
		if err != nil {
			return err
		}
		names, err := d.Readdirnames(1)
		d.Close()
		if len(names) > 0 {
			return vfs.ErrNotEmpty
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
	}
	return m.f.Remove(m.at(name))
}

func (m *mountable) RemoveAll(name string) error { return m.f.RemoveAll(m.at(name)) }

func (m *mountable) Rename(oldName, newName string) error {
	return m.f.Rename(m.at(oldName), m.at(newName))
}

func (m *mountable) Link(oldName, newName string) error {
	if l, ok := m.f.(interface {
		Link(oldName, newName string) error
	}); ok {
		return l.Link(m.at(oldName), m.at(newName))
	}
	return vfs.ErrNotPermitted
}

func (m *mountable) Symlink(target, name string) error {
	l, ok := m.f.(afero.Linker)
	if !ok {
		return vfs.ErrNotPermitted
	}
	err := l.SymlinkIfPossible(target, m.at(name))
	if errors.Is(err, afero.ErrNoSymlink) {
		return vfs.ErrNotPermitted
	}
	return err
}

func (m *mountable) Chmod(name string, mode fs.FileMode) error { return m.f.Chmod(m.at(name), mode) }

// Chtimes fills in the time that is to stay, which not every afero.Fs can leave alone.
func (m *mountable) Chtimes(name string, atime, mtime time.Time) error {
	if atime.IsZero() || mtime.IsZero() {
		i, err := m.f.Stat(m.at(name))
		if err != nil {
			return err
		}
		was := i.ModTime()
		if mtime.IsZero() {
			mtime = was
		}
		if v, ok := i.(vfs.Info); ok {
			was = v.Atime()
		}
		if atime.IsZero() {
			atime = was
		}
	}
	return m.f.Chtimes(m.at(name), atime, mtime)
}

var _ interface {
	fs.ReadLinkFS
	fs.ReadDirFS
	fs.StatFS
} = (*mountable)(nil)
