package vfs

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"strings"
	"time"
)

// layer is the driver of a read-only fs.FS. What that answers is checked before it is believed.
type layer struct {
	fsys fs.FS
	raw  bool // names need not be UTF-8
}

// errNonsense is an answer that breaks the rules of an interface.
const errNonsense Error = "mounted file system makes no sense"

func (l *layer) lstat(name string) (fs.FileInfo, error) {
	if !l.raw && !fs.ValidPath(name) {
		return nil, fs.ErrNotExist // Names that are not UTF-8 have no place in io/fs.
	}
	if links, ok := l.fsys.(fs.ReadLinkFS); ok {
		return plainInfo(links.Lstat(name))
	}
	return plainInfo(fs.Stat(l.fsys, name))
}

func (l *layer) readlink(name string) (string, error) {
	target, err := fs.ReadLink(l.fsys, name)
	if err != nil {
		return "", hostError(err)
	}
	if target == "" || len(target) > maxPath || strings.IndexByte(target, 0) >= 0 {
		return "", errNonsense
	}
	return target, nil
}

func (l *layer) open(name string, flag int, _ fs.FileMode, dir bool) (stream, error) {
	if writes(flag) {
		return nil, ErrReadOnly
	}
	f, err := l.fsys.Open(name)
	switch {
	case err != nil:
		return nil, hostError(err)
	case f == nil:
		return nil, errNonsense
	}
	s := &layerFile{File: f, layer: l, name: name}
	if dir {
		return s, nil
	}
	if s.at, _ = f.(io.ReaderAt); s.at == nil {
		content, err := readBounded(f)
		if err != nil {
			return nil, errors.Join(hostError(err), f.Close())
		}
		s.at = bytes.NewReader(content)
	}
	return s, nil
}

// readBounded reads a file of a foreign file system whole, up to maxRead.
func readBounded(r io.Reader) ([]byte, error) {
	content, err := io.ReadAll(io.LimitReader(r, maxRead+1))
	if err == nil && len(content) > maxRead {
		err = ErrTooLarge
	}
	return content, err
}

// entries lists a directory: names that can be looked up, each once.
func (l *layer) entries(name string) ([]fs.DirEntry, error) {
	list, err := l.readDir(name)
	if err != nil {
		return nil, hostError(err)
	}
	seen := make(map[string]bool, len(list))
	for _, e := range list {
		if e == nil || !validName(e.Name()) || seen[e.Name()] {
			return nil, errNonsense
		}
		seen[e.Name()] = true
	}
	return list, nil
}

// readDir is fs.ReadDir without the sorting, which trusts the entries.
func (l *layer) readDir(name string) ([]fs.DirEntry, error) {
	if all, ok := l.fsys.(fs.ReadDirFS); ok {
		return all.ReadDir(name)
	}
	f, err := l.fsys.Open(name)
	switch {
	case err != nil:
		return nil, err
	case f == nil:
		return nil, errNonsense
	}
	defer f.Close()
	d, ok := f.(fs.ReadDirFile)
	if !ok {
		return nil, ErrNotDir
	}
	return d.ReadDir(-1)
}

// foreignInfo is what a foreign file system said of a file, fixed.
type foreignInfo struct {
	name string
	size int64
	mode fs.FileMode
	time time.Time
}

func (i *foreignInfo) Name() string       { return i.name }
func (i *foreignInfo) Size() int64        { return i.size }
func (i *foreignInfo) Mode() fs.FileMode  { return i.mode }
func (i *foreignInfo) ModTime() time.Time { return i.time }
func (i *foreignInfo) IsDir() bool        { return i.mode.IsDir() }
func (i *foreignInfo) Sys() any           { return nil }

func plainInfo(i fs.FileInfo, err error) (fs.FileInfo, error) {
	if err != nil {
		return nil, hostError(err)
	}
	if i == nil {
		return nil, errNonsense
	}
	fixed := foreignInfo{i.Name(), i.Size(), i.Mode(), i.ModTime()}
	if fixed.size < 0 || i.IsDir() != fixed.mode.IsDir() {
		return nil, errNonsense
	}
	return &fixed, nil
}

func (l *layer) mkdir(string, fs.FileMode) error { return ErrReadOnly }
func (l *layer) remove(string) error             { return ErrReadOnly }
func (l *layer) removeAll(string) error          { return ErrReadOnly }
func (l *layer) rename(string, string) error     { return ErrReadOnly }
func (l *layer) link(string, string) error       { return ErrReadOnly }
func (l *layer) symlink(string, string) error    { return ErrReadOnly }
func (l *layer) change(string, change) error     { return ErrReadOnly }
func (l *layer) close() error                    { return nil }

// layerFile is an open file or directory of an fs.FS. Files without ReadAt were read whole when they were
// opened.
type layerFile struct {
	fs.File
	layer *layer
	name  string
	at    io.ReaderAt // nil: a directory
}

func (f *layerFile) Stat() (fs.FileInfo, error) { return plainInfo(f.File.Stat()) }

func (f *layerFile) ReadAt(p []byte, off int64) (int, error) {
	if f.at == nil {
		return 0, ErrIsDir
	}
	n, err := f.at.ReadAt(p, off)
	if n = bounded(n, p); n < len(p) && err == nil {
		err = io.EOF
	}
	return n, hostError(err)
}

func (f *layerFile) WriteAt([]byte, int64) (int, error) { return 0, ErrReadOnly }
func (f *layerFile) Truncate(int64) error               { return ErrReadOnly }
func (f *layerFile) Sync() error                        { return nil }
func (f *layerFile) change(change) error                { return ErrReadOnly }

func (f *layerFile) entries() ([]fs.DirEntry, error) {
	if f.at != nil {
		return nil, ErrNotDir
	}
	return f.layer.entries(f.name)
}
