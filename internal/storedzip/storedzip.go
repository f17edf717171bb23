// Package storedzip shows a zip archive without compression as a file system whose files can be read at any
// offset and share the archive's bytes. Symbolic links are told, and not followed.
package storedzip

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"sync"
)

// FS is a file system over an archive that is opened at its first use. It is safe for concurrent use. Its files
// implement io.ReaderAt and io.Seeker.
type FS struct {
	root string
	open func() (*archive, error)
}

type archive struct {
	data  []byte
	zip   *zip.Reader
	files map[string]*zip.File
}

// New makes a file system of the archive that load answers. load is called at most once, and not before the
// first use; its bytes must not change afterwards.
func New(load func() ([]byte, error)) *FS {
	return &FS{root: ".", open: sync.OnceValues(func() (*archive, error) {
		data, err := load()
		if err != nil {
			return nil, fmt.Errorf("open archive: %w", err)
		}
		return newArchive(data)
	})}
}

// Folder answers the file system below dir, a slash path in the archive. It does not open the archive.
func (f *FS) Folder(dir string) *FS {
	return &FS{root: path.Join(f.root, dir), open: f.open}
}

func newArchive(data []byte) (*archive, error) {
	r, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return nil, fmt.Errorf("open archive: %w", err)
	}
	a := &archive{data: data, zip: r, files: make(map[string]*zip.File, len(r.File))}
	for _, f := range r.File {
		if f.Method != zip.Store {
			return nil, fmt.Errorf("open archive: %s is compressed", f.Name)
		}
		a.files[f.Name] = f
	}
	return a, nil
}

// name answers the archive's name for a path of the file system.
func (f *FS) name(op, name string) (string, error) {
	switch {
	case !fs.ValidPath(name):
		return "", &fs.PathError{Op: op, Path: name, Err: fs.ErrInvalid}
	case f.root == ".":
		return name, nil
	case name == ".":
		return f.root, nil
	}
	return f.root + "/" + name, nil
}

// Open implements fs.FS.
func (f *FS) Open(name string) (fs.File, error) {
	full, err := f.name("open", name)
	if err != nil {
		return nil, err
	}
	a, err := f.open()
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: err}
	}
	zf := a.files[full]
	if zf == nil {
		return a.zip.Open(full) // a folder, or the error
	}
	content, err := a.content(zf)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: err}
	}
	return &file{Reader: bytes.NewReader(content), info: zf.FileInfo()}, nil
}

// Stat implements fs.StatFS.
func (f *FS) Stat(name string) (fs.FileInfo, error) {
	file, err := f.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return file.Stat()
}

// ReadLink implements fs.ReadLinkFS: a link's content is its target.
func (f *FS) ReadLink(name string) (string, error) {
	info, err := f.Lstat(name)
	if err != nil {
		return "", err
	}
	if info.Mode().Type() != fs.ModeSymlink {
		return "", &fs.PathError{Op: "readlink", Path: name, Err: fs.ErrInvalid}
	}
	target, err := fs.ReadFile(f, name)
	return string(target), err
}

// Lstat implements fs.ReadLinkFS. As Open, Stat does not follow links either.
func (f *FS) Lstat(name string) (fs.FileInfo, error) { return f.Stat(name) }

var errBounds = errors.New("file lies outside the archive")

func (a *archive) content(zf *zip.File) ([]byte, error) {
	off, err := zf.DataOffset()
	if err != nil {
		return nil, err
	}
	size := int64(zf.UncompressedSize64)
	if off < 0 || size < 0 || off > int64(len(a.data)) || size > int64(len(a.data))-off {
		return nil, errBounds
	}
	return a.data[off : off+size], nil
}

// file is an open regular file.
type file struct {
	*bytes.Reader
	info fs.FileInfo
}

func (f *file) Stat() (fs.FileInfo, error) { return f.info, nil }

// Close does nothing: the content is the archive's.
func (f *file) Close() error { return nil }
