package vfs

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
)

// layer is the driver of a read-only fs.FS.
type layer struct{ fsys fs.FS }

func (l *layer) lstat(name string) (fs.FileInfo, error) {
	if !fs.ValidPath(name) {
		return nil, fs.ErrNotExist // Names that are not UTF-8 have no place in io/fs.
	}
	if links, ok := l.fsys.(fs.ReadLinkFS); ok {
		return links.Lstat(name)
	}
	return fs.Stat(l.fsys, name)
}

func (l *layer) readlink(name string) (string, error) {
	return fs.ReadLink(l.fsys, name)
}

func (l *layer) open(name string, flag int, _ fs.FileMode, dir bool) (stream, error) {
	if writes(flag) {
		return nil, ErrReadOnly
	}
	f, err := l.fsys.Open(name)
	if err != nil {
		return nil, err
	}
	s := &layerFile{File: f, fsys: l.fsys, name: name}
	if dir {
		return s, nil
	}
	if s.at, _ = f.(io.ReaderAt); s.at == nil {
		content, err := io.ReadAll(f)
		if err != nil {
			return nil, errors.Join(err, f.Close())
		}
		s.at = bytes.NewReader(content)
	}
	return s, nil
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
	fsys fs.FS
	name string
	at   io.ReaderAt // nil: a directory
}

func (f *layerFile) ReadAt(p []byte, off int64) (int, error) {
	if f.at == nil {
		return 0, ErrIsDir
	}
	return f.at.ReadAt(p, off)
}

func (f *layerFile) WriteAt([]byte, int64) (int, error) { return 0, ErrReadOnly }
func (f *layerFile) Truncate(int64) error               { return ErrReadOnly }
func (f *layerFile) Sync() error                        { return nil }
func (f *layerFile) change(change) error                { return ErrReadOnly }

func (f *layerFile) entries() ([]fs.DirEntry, error) {
	if f.at != nil {
		return nil, ErrNotDir
	}
	return fs.ReadDir(f.fsys, f.name)
}
