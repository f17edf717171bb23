package vfs

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"
)

// hostDir is the driver of a host folder. os.Root is what keeps it there: the resolver's own checks make
// errors exact, but the host may change the folder between a check and a call.
type hostDir struct {
	root     *os.Root
	readOnly bool
}

func openHostDir(dir string, readOnly bool) (*hostDir, error) {
	r, err := os.OpenRoot(dir)
	if err != nil {
		return nil, hostError(err)
	}
	return &hostDir{root: r, readOnly: readOnly}, nil
}

// writes reports whether opening with flag changes a file or lets it be changed.
func writes(flag int) bool {
	return flag&(os.O_WRONLY|os.O_RDWR|os.O_CREATE|os.O_TRUNC) != 0
}

// do makes a change, unless the folder is read-only.
func (h *hostDir) do(f func() error) error {
	if h.readOnly {
		return ErrReadOnly
	}
	return hostError(f())
}

func (h *hostDir) lstat(name string) (fs.FileInfo, error) {
	i, err := h.root.Lstat(name)
	return i, hostError(err)
}

func (h *hostDir) types(dir string, names []string) (out []fs.FileMode) {
	at, err := h.root.OpenRoot(dir)
	for i, name := range names {
		if err != nil {
			return out
		}
		info, ierr := at.Lstat(name)
		if ierr == nil {
			out = append(out, info.Mode().Type())
		}
		if ierr != nil || !info.IsDir() || i == len(names)-1 {
			break
		}
		up := at
		at, err = up.OpenRoot(name)
		up.Close()
	}
	if err == nil {
		at.Close()
	}
	return out
}

func (h *hostDir) readlink(name string) (string, error) {
	s, err := h.root.Readlink(name)
	return s, hostError(err)
}

func (h *hostDir) open(name string, flag int, perm fs.FileMode, dir bool) (stream, error) {
	if h.readOnly && writes(flag) {
		return nil, ErrReadOnly
	}
	i, err := h.root.Lstat(name)
	if err == nil && !i.Mode().IsRegular() && !i.IsDir() {
		return nil, ErrNotSupported // Opening a FIFO or a device could block, or worse.
	}
	f, err := h.root.OpenFile(name, flag&(accessMode|os.O_CREATE|os.O_EXCL|os.O_TRUNC), perm.Perm())
	if err != nil {
		return nil, hostError(err)
	}
	return &hostFile{f: f, host: h, name: name, dir: dir}, nil
}

func (h *hostDir) mkdir(name string, perm fs.FileMode) error {
	return h.do(func() error { return h.root.Mkdir(name, perm) })
}

func (h *hostDir) remove(name string) error {
	return h.do(func() error { return h.root.Remove(name) })
}

func (h *hostDir) removeAll(name string) error {
	return h.do(func() error { return h.root.RemoveAll(name) })
}

func (h *hostDir) rename(oldName, newName string) error {
	return h.do(func() error {
		switch {
		case oldName == newName:
			return nil
		case strings.HasPrefix(newName, oldName+"/"):
			return fs.ErrInvalid
		case strings.HasPrefix(oldName, newName+"/"):
			return ErrNotEmpty
		}
		err := h.root.Rename(oldName, newName)
		if errors.Is(err, fs.ErrExist) {
			return h.replaceDir(oldName, newName)
		}
		return err
	})
}

// replaceDir renames onto a directory, which os.Root refuses. It takes two steps, unlike rename(2).
func (h *hostDir) replaceDir(oldName, newName string) error {
	from, err := h.root.Lstat(oldName)
	if err != nil {
		return err
	}
	if !from.IsDir() {
		return ErrIsDir
	}
	if err := h.root.Remove(newName); err != nil {
		return err
	}
	return h.root.Rename(oldName, newName)
}

func (h *hostDir) link(oldName, newName string) error {
	return h.do(func() error { return h.root.Link(oldName, newName) })
}

// symlink refuses targets that lead out: the host's own programs would follow them.
func (h *hostDir) symlink(target, name string) error {
	if path.IsAbs(target) || climbs(strings.Count(name, "/"), target) {
		return ErrEscape
	}
	return h.do(func() error { return h.root.Symlink(target, name) })
}

func (h *hostDir) change(name string, c change) error {
	return h.do(func() error {
		switch {
		case c.mode != nil:
			return h.root.Chmod(name, *c.mode)
		case c.times != nil:
			return h.root.Chtimes(name, c.times[0], c.times[1])
		}
		return ErrNotSupported
	})
}

func (h *hostDir) close() error { return hostError(h.root.Close()) }

// hostFile is an open file or directory of a host folder.
type hostFile struct {
	f    *os.File
	host *hostDir
	name string
	dir  bool
}

func (f *hostFile) Stat() (fs.FileInfo, error) {
	i, err := f.f.Stat()
	return i, hostError(err)
}

func (f *hostFile) ReadAt(p []byte, off int64) (int, error) {
	if f.dir {
		return 0, ErrIsDir
	}
	n, err := f.f.ReadAt(p, off)
	return n, hostError(err)
}

func (f *hostFile) WriteAt(p []byte, off int64) (int, error) {
	n, err := f.f.WriteAt(p, off)
	return n, hostError(err)
}

func (f *hostFile) Truncate(size int64) error { return hostError(f.f.Truncate(size)) }
func (f *hostFile) Sync() error               { return hostError(f.f.Sync()) }
func (f *hostFile) Close() error              { return hostError(f.f.Close()) }

func (f *hostFile) entries() ([]fs.DirEntry, error) {
	if _, err := f.f.Seek(0, io.SeekStart); err != nil {
		return nil, hostError(err)
	}
	list, err := f.f.ReadDir(-1)
	return list, hostError(err)
}

// change goes by the file's name where there is no portable call on open files.
func (f *hostFile) change(c change) error {
	if c.mode != nil {
		return f.host.do(func() error { return f.f.Chmod(*c.mode) })
	}
	return f.host.change(f.name, c)
}
