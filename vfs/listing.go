package vfs

import (
	"io"
	"io/fs"
	"slices"
	"strings"
)

// DirEntry is an entry of a directory as ReadDirAt returns it.
type DirEntry struct {
	Name string
	Ino  uint64
	Type fs.FileMode // type bits
	Next uint64      // cookie for what comes after this entry
}

// entry is a DirEntry as io/fs wants it.
type entry struct {
	DirEntry
	dir *Dir
}

func (e *entry) Name() string               { return e.DirEntry.Name }
func (e *entry) IsDir() bool                { return e.DirEntry.Type.IsDir() }
func (e *entry) Type() fs.FileMode          { return e.DirEntry.Type }
func (e *entry) Info() (fs.FileInfo, error) { return asFileInfo(e.dir.Stat(e.DirEntry.Name, false)) }
func (e *entry) String() string             { return fs.FormatDirEntry(e) }

func asFileInfo(i Info, err error) (fs.FileInfo, error) {
	if err != nil {
		return nil, err
	}
	return i, nil
}

// batch is how many entries are read under one hold of the lock.
const batch = 512

// ReadDirAt returns up to most entries of a directory that come after cookie: 0 for the start, or an entry's
// Next. No entries mean the end. "." and ".." are among them. The listing is in the order in which names were
// made, and stable: whatever else is made, removed or renamed between calls, a name that is there throughout
// is returned exactly once. The offset plays no part. (In a mounted host folder the listing is that of the
// last call with cookie 0.)
func (f *File) ReadDirAt(cookie uint64, most int) ([]DirEntry, error) {
	list, err := f.readDirAt(cookie, most)
	return list, f.fail("readdir", err)
}

func (f *File) readDirAt(cookie uint64, most int) ([]DirEntry, error) {
	if err := f.check(true, false); err != nil {
		return nil, err
	}
	return f.h.readDir(cookie, most)
}

// ReadDir returns the next n entries, without "." and "..", in the order of ReadDirAt; at the end io.EOF.
// With n <= 0 it returns all that are left, and no io.EOF.
func (f *File) ReadDir(n int) ([]fs.DirEntry, error) {
	d := &Dir{t: f.own.t, at: f.at()}
	var out []fs.DirEntry
	err := f.each(n, func(e DirEntry) error {
		out = append(out, &entry{DirEntry: e, dir: d})
		return nil
	})
	return out, err
}

// Readdir is ReadDir with an Info for each entry. Entries removed meanwhile are left out.
func (f *File) Readdir(n int) ([]fs.FileInfo, error) {
	d := &Dir{t: f.own.t, at: f.at()}
	var out []fs.FileInfo
	err := f.each(n, func(e DirEntry) error {
		i, err := d.Stat(e.Name, false)
		if err == nil {
			out = append(out, i)
		} else if !isNotExist(err) {
			return err
		}
		return nil
	})
	return out, err
}

// Readdirnames is ReadDir for the names alone.
func (f *File) Readdirnames(n int) ([]string, error) {
	var out []string
	err := f.each(n, func(e DirEntry) error {
		out = append(out, e.Name)
		return nil
	})
	return out, err
}

// each calls visit for the next n entries, or all if n <= 0, and moves the place of the next listing behind
// them.
func (f *File) each(n int, visit func(DirEntry) error) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	seen := 0
	for n <= 0 || seen < n {
		most := batch
		if n > 0 {
			most = min(batch, n-seen)
		}
		list, err := f.readDirAt(f.cookie, most)
		if err != nil {
			return f.fail("readdir", err)
		}
		if len(list) == 0 {
			break
		}
		for _, e := range list {
			f.cookie = e.Next
			if e.Name == "." || e.Name == ".." {
				continue
			}
			if err := visit(e); err != nil {
				return err
			}
			seen++
		}
	}
	if n > 0 && seen == 0 {
		return io.EOF
	}
	return nil
}

// Dir returns the opened directory as a start for paths. It stays valid after Close.
func (f *File) Dir() (*Dir, error) {
	i, err := f.Info()
	if err == nil && !i.IsDir() {
		err = f.fail("dir", ErrNotDir)
	}
	if err != nil {
		return nil, err
	}
	return &Dir{t: f.own.t, at: f.at()}, nil
}

func sortEntries(list []fs.DirEntry) {
	slices.SortFunc(list, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
}
