package vfs

import "io/fs"

// FS returns the tree as io/fs sees it: fs.StatFS, fs.ReadDirFS, fs.ReadFileFS, fs.SubFS and fs.ReadLinkFS.
// It shows the tree as it is at each call.
func (t *Tree) FS() fs.FS { return &treeFS{dir: t.Root()} }

// treeFS is the io/fs view from one directory.
type treeFS struct{ dir *Dir }

func (v *treeFS) check(op, name string) error {
	if !fs.ValidPath(name) {
		return pathError(op, name, fs.ErrInvalid)
	}
	return nil
}

func (v *treeFS) open(op, name string) (*File, error) {
	if err := v.check(op, name); err != nil {
		return nil, err
	}
	return v.dir.OpenFile(name, 0, 0)
}

func (v *treeFS) Open(name string) (fs.File, error) {
	f, err := v.open("open", name)
	if err != nil {
		return nil, err
	}
	return f, nil
}

func (v *treeFS) Stat(name string) (fs.FileInfo, error) {
	if err := v.check("stat", name); err != nil {
		return nil, err
	}
	return asFileInfo(v.dir.Stat(name, true))
}

func (v *treeFS) Lstat(name string) (fs.FileInfo, error) {
	if err := v.check("lstat", name); err != nil {
		return nil, err
	}
	return asFileInfo(v.dir.Stat(name, false))
}

func (v *treeFS) ReadLink(name string) (string, error) {
	if err := v.check("readlink", name); err != nil {
		return "", err
	}
	return v.dir.Readlink(name)
}

func (v *treeFS) ReadDir(name string) ([]fs.DirEntry, error) {
	f, err := v.open("readdir", name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	list, err := f.ReadDir(-1)
	sortEntries(list)
	return list, err
}

func (v *treeFS) ReadFile(name string) ([]byte, error) {
	f, err := v.open("readfile", name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return f.readAll()
}

func (v *treeFS) Sub(name string) (fs.FS, error) {
	f, err := v.open("sub", name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	d, err := f.Dir()
	if err != nil {
		return nil, err
	}
	return &treeFS{dir: d}, nil
}
