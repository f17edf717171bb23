package vfs

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"
	"sync"
	"time"
)

// WriteFS is a file system that Mount can show. Names are as io/fs has them (see fs.ValidPath), but need not be UTF-8, and no
// element but the last of one leads to a symbolic link, as far as Lstat tells. All methods must allow use from many
// goroutines; calls on one open file come one after another.
//
// What else it can do is found out by its methods: those of fs.ReadLinkFS, fs.ReadDirFS and fs.StatFS, and
//
//	Symlink(target, name string) error
//	Link(oldName, newName string) error
//	Chmod(name string, mode fs.FileMode) error
//	Chtimes(name string, atime, mtime time.Time) error // a zero Time leaves one as it is
//	RemoveAll(name string) error
//
// Files are read by io.ReaderAt or else by io.Seeker, written by io.WriterAt or else by io.Seeker and io.Writer, and
// may have Truncate(size int64) error and Sync() error.
type WriteFS interface {
	fs.FS
	// OpenFile opens a regular file, as os.OpenFile; flag has the access mode, os.O_CREATE, O_EXCL and O_TRUNC.
	OpenFile(name string, flag int, perm fs.FileMode) (fs.File, error)
	Mkdir(name string, perm fs.FileMode) error
	// Remove removes anything but a directory that is not empty.
	Remove(name string) error
	// Rename moves a name, in the place of what is there.
	Rename(oldName, newName string) error
}

// Mount shows fsys at the directory name, for reading and writing, and otherwise as MountHost shows a folder: links that
// lead out of it are neither followed nor made, files other than regular ones can't be opened, and nothing counts
// against the tree's limits. A file may grow to maxSize bytes (ErrTooLarge); 0 stands for 1 GiB. fsys is never closed.
//
// fsys is trusted not to panic and not to block, and to keep its links in: if it follows links that it doesn't tell of,
// as one that is a folder of the host may, they lead wherever it lets them. For folders of the host there is MountHost.
// For the rest fsys may do what it will: answers that make no sense become errors.
func (t *Tree) Mount(name string, fsys WriteFS, maxSize int64) error {
	if maxSize == 0 {
		maxSize = 1 << 30
	}
	drv := &writeDriver{layer: layer{fsys: fsys, raw: true}, fsys: fsys, maxSize: maxSize}
	return pathError("mount", name, t.mount(name, drv, true))
}

// writeDriver is the driver of a WriteFS.
type writeDriver struct {
	layer   // looks
	fsys    WriteFS
	maxSize int64
}

func (w *writeDriver) open(name string, flag int, perm fs.FileMode, dir bool) (stream, error) {
	i, err := w.lstat(name)
	switch {
	case err == nil && !i.Mode().IsRegular() && !i.IsDir():
		return nil, ErrNotSupported
	case dir:
		return w.layer.open(name, 0, 0, true)
	}
	f, err := w.fsys.OpenFile(name, flag&(accessMode|os.O_CREATE|os.O_EXCL|os.O_TRUNC), perm.Perm())
	if err != nil {
		return nil, hostError(err)
	}
	if f == nil {
		return nil, errNonsense
	}
	return &writeFile{f: f, w: w, name: name}, nil
}

func (w *writeDriver) mkdir(name string, perm fs.FileMode) error {
	return hostError(w.fsys.Mkdir(name, perm))
}

func (w *writeDriver) remove(name string) error { return hostError(w.fsys.Remove(name)) }

// removeAll takes a directory apart from the bottom, unless the file system can do so itself.
func (w *writeDriver) removeAll(name string) error {
	if r, ok := w.fsys.(interface{ RemoveAll(string) error }); ok {
		return hostError(r.RemoveAll(name))
	}
	for stack := []string{name}; len(stack) > 0; {
		at := stack[len(stack)-1]
		list, err := w.entries(at)
		if isNotExist(err) || errors.Is(err, ErrNotDir) {
			list, err = nil, nil
		}
		if err != nil {
			return err
		}
		dirs := len(stack)
		for _, e := range list {
			if e.IsDir() {
				stack = append(stack, path.Join(at, e.Name()))
			} else if err := w.remove(path.Join(at, e.Name())); err != nil && !isNotExist(err) {
				return err
			}
		}
		if len(at) > maxPath {
			return ErrNameTooLong // There may be no bottom.
		}
		if len(stack) == dirs {
			if err := w.remove(at); err != nil && !isNotExist(err) {
				return err
			}
			stack = stack[:dirs-1]
		}
	}
	return nil
}

// rename checks what the file system itself may not.
func (w *writeDriver) rename(oldName, newName string) error {
	switch {
	case oldName == newName:
		return nil
	case strings.HasPrefix(newName, oldName+"/"):
		return fs.ErrInvalid
	case strings.HasPrefix(oldName, newName+"/"):
		return ErrNotEmpty
	}
	from, err := w.lstat(oldName)
	if err != nil {
		return err
	}
	to, err := w.lstat(newName)
	switch {
	case isNotExist(err):
	case err != nil:
		return err
	case from.IsDir() && !to.IsDir():
		return ErrNotDir
	case !from.IsDir() && to.IsDir():
		return ErrIsDir
	case to.IsDir():
		if err := w.remove(newName); err != nil { // Which tells whether it is empty.
			return err
		}
	}
	return hostError(w.fsys.Rename(oldName, newName))
}

func (w *writeDriver) link(oldName, newName string) error {
	if l, ok := w.fsys.(interface {
		Link(oldName, newName string) error
	}); ok {
		return hostError(l.Link(oldName, newName))
	}
	return ErrNotPermitted
}

func (w *writeDriver) symlink(target, name string) error {
	if path.IsAbs(target) || climbs(strings.Count(name, "/"), target) {
		return ErrEscape
	}
	if l, ok := w.fsys.(interface {
		Symlink(target, name string) error
	}); ok {
		return hostError(l.Symlink(target, name))
	}
	return ErrNotPermitted
}

func (w *writeDriver) change(name string, c change) error {
	if m, ok := w.fsys.(interface {
		Chmod(name string, mode fs.FileMode) error
	}); ok && c.mode != nil {
		return hostError(m.Chmod(name, *c.mode))
	}
	if m, ok := w.fsys.(interface {
		Chtimes(name string, atime, mtime time.Time) error
	}); ok && c.times != nil {
		return hostError(m.Chtimes(name, c.times[0], c.times[1]))
	}
	return ErrNotSupported
}

// writeFile is an open regular file.
type writeFile struct {
	w    *writeDriver
	name string

	mu sync.Mutex
	f  fs.File
}

func (f *writeFile) Stat() (fs.FileInfo, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return plainInfo(f.f.Stat())
}

func (f *writeFile) ReadAt(p []byte, off int64) (done int, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for done < len(p) {
		n, err := f.readAt(p[done:], off+int64(done))
		done += bounded(n, p[done:])
		if err == nil && n <= 0 {
			err = io.EOF
		}
		if err != nil {
			return done, hostError(err)
		}
	}
	return done, nil
}

// readAt reads some of it. Preconditions: f.mu is held.
func (f *writeFile) readAt(p []byte, off int64) (int, error) {
	if at, ok := f.f.(io.ReaderAt); ok {
		return at.ReadAt(p, off)
	}
	s, ok := f.f.(io.Seeker)
	if !ok {
		return 0, ErrNotSupported
	}
	if _, err := s.Seek(off, io.SeekStart); err != nil {
		return 0, err
	}
	return f.f.Read(p)
}

func (f *writeFile) WriteAt(p []byte, off int64) (int, error) {
	var short error
	if room := f.w.maxSize - off; int64(len(p)) > room {
		if room <= 0 {
			return 0, ErrTooLarge
		}
		p, short = p[:room], ErrTooLarge
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	n, err := f.writeAt(p, off)
	if n = bounded(n, p); n < len(p) && err == nil {
		err = io.ErrShortWrite
	}
	if err == nil {
		err = short
	}
	return n, hostError(err)
}

// writeAt writes some of it. Preconditions: f.mu is held.
func (f *writeFile) writeAt(p []byte, off int64) (int, error) {
	if at, ok := f.f.(io.WriterAt); ok {
		return at.WriteAt(p, off)
	}
	s, ok := f.f.(io.WriteSeeker)
	if !ok {
		return 0, ErrNotSupported
	}
	if _, err := s.Seek(off, io.SeekStart); err != nil {
		return 0, err
	}
	return s.Write(p)
}

func (f *writeFile) Truncate(size int64) error {
	if size > f.w.maxSize {
		return ErrTooLarge
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if t, ok := f.f.(interface{ Truncate(int64) error }); ok {
		return hostError(t.Truncate(size))
	}
	return ErrNotSupported
}

func (f *writeFile) Sync() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if s, ok := f.f.(interface{ Sync() error }); ok {
		return hostError(s.Sync())
	}
	return nil
}

func (f *writeFile) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return hostError(f.f.Close())
}

func (f *writeFile) entries() ([]fs.DirEntry, error) { return nil, ErrNotDir }

func (f *writeFile) change(c change) error { return f.w.change(f.name, c) }
