package vfs

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"
)

// treeWriteFS makes a WriteFS of a tree, with all that one can have.
type treeWriteFS struct{ *Tree }

func (w treeWriteFS) Open(name string) (fs.File, error) { return w.OpenFile(name, os.O_RDONLY, 0) }

func (w treeWriteFS) OpenFile(name string, flag int, perm fs.FileMode) (fs.File, error) {
	f, err := w.Tree.OpenFile(name, flag, perm)
	if err != nil {
		return nil, err
	}
	return f, nil
}

func (w treeWriteFS) ReadLink(name string) (string, error) { return w.Readlink(name) }

// bareWriteFS is a WriteFS with what it must have, whose files have no more than Seek.
type bareWriteFS struct{ w treeWriteFS }

func (b bareWriteFS) Open(name string) (fs.File, error)         { return b.OpenFile(name, 0, 0) }
func (b bareWriteFS) Mkdir(name string, perm fs.FileMode) error { return b.w.Mkdir(name, perm) }
func (b bareWriteFS) Remove(name string) error                  { return b.w.Remove(name) }
func (b bareWriteFS) Rename(oldName, newName string) error      { return b.w.Rename(oldName, newName) }
func (b bareWriteFS) OpenFile(name string, flag int, perm fs.FileMode) (fs.File, error) {
	f, err := b.w.OpenFile(name, flag, perm)
	if err != nil {
		return nil, err
	}
	type limited interface {
		fs.ReadDirFile
		io.WriteSeeker
	}
	return struct{ limited }{f.(limited)}, nil
}

func TestMountWriteFS(t *testing.T) {
	for _, bare := range []bool{false, true} {
		inner, tr := New(Config{}), New(Config{})
		var w WriteFS = treeWriteFS{inner}
		if bare {
			w = bareWriteFS{treeWriteFS{inner}}
		}
		must(t, tr.Mount("m", w, 0))
		must(t, tr.MkdirAll("m/d/e", 0o755))
		must(t, tr.WriteFile("m/d/f", []byte("content"), 0o644))
		if got := text(t, inner, "d/f"); got != "content" {
			t.Errorf("%q", got)
		}
		f, err := tr.OpenFile("m/d/f", os.O_RDWR|os.O_APPEND, 0)
		must(t, err)
		_, err = f.WriteString(", more")
		must(t, err)
		p := make([]byte, 4)
		if n, err := f.ReadAt(p, 9); n != 4 || err != nil || string(p) != "more" {
			t.Errorf("%q, %v", p[:n], err)
		}
		if n, err := f.ReadAt(p, 11); n != 2 || err != io.EOF {
			t.Errorf("at the end: %d, %v", n, err)
		}
		must(t, f.Sync())
		must(t, f.Close())
		must(t, tr.Rename("m/d/f", "m/d/g"))
		must(t, tr.WriteFile("m/d/f", nil, 0o644))
		must(t, tr.Rename("m/d/g", "m/d/f"))
		must(t, tr.Rename("m/d/e", "m/d/h"))
		must(t, tr.Mkdir("m/d/e", 0o755))
		must(t, tr.Rename("m/d/h", "m/d/e"))
		list, err := tr.ReadDir("m/d")
		if err != nil || len(list) != 2 || list[0].Name() != "e" || list[1].Name() != "f" {
			t.Errorf("%v, %v", list, err)
		}
		for _, c := range []struct {
			name string
			err  error
			want error
		}{
			{"rename over the mount point", tr.Rename("m/d/e", "m"), ErrBusy},
			{"rename into itself", tr.Rename("m/d", "m/d/e/x"), fs.ErrInvalid},
			{"rename over what it is in", tr.Rename("m/d/e", "m/d"), ErrNotEmpty},
			{"directory over file", tr.Rename("m/d/e", "m/d/f"), ErrNotDir},
			{"file over directory", tr.Rename("m/d/f", "m/d/e"), ErrIsDir},
			{"mkdir over", tr.Mkdir("m/d", 0o755), fs.ErrExist},
			{"remove full", tr.Remove("m/d"), ErrNotEmpty},
			{"missing", tr.Remove("m/none"), fs.ErrNotExist},
			{"out", tr.Rename("m/d/f", "f"), ErrCrossDevice},
			{"link that leads out", tr.Symlink("../../etc", "m/d/l"), ErrEscape},
		} {
			if !errors.Is(c.err, c.want) {
				t.Errorf("bare %v: %s: %v", bare, c.name, c.err)
			}
		}
		if bare {
			for what, err := range map[string]error{
				"link": tr.Link("m/d/f", "m/l"), "symlink": tr.Symlink("d", "m/l"),
			} {
				if !errors.Is(err, ErrNotPermitted) {
					t.Errorf("%s: %v", what, err)
				}
			}
			if err := tr.Truncate("m/d/f", 1); !errors.Is(err, ErrNotSupported) {
				t.Errorf("truncate: %v", err)
			}
			if err := tr.Chmod("m/d/f", 0o600); !errors.Is(err, ErrNotSupported) {
				t.Errorf("chmod: %v", err)
			}
		} else {
			must(t, tr.Link("m/d/f", "m/l"))
			must(t, tr.Symlink("d/f", "m/s"))
			must(t, tr.Truncate("m/s", 7))
			must(t, tr.Chmod("m/l", 0o600))
			must(t, tr.Chtimes("m/l", time.Time{}, time.Unix(5, 0)))
			i, err := tr.Stat("m/s")
			if must(t, err); i.Size() != 7 || i.Mode() != 0o600 || i.ModTime().Unix() != 5 {
				t.Errorf("%v", i)
			}
		}
		must(t, tr.RemoveAll("m/d"))
		if _, err := inner.Stat("d"); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("after RemoveAll: %v", err)
		}
		must(t, tr.Close())
		if _, err := inner.Stat("/"); err != nil {
			t.Errorf("the file system was closed: %v", err)
		}
	}
}

func TestMountMaxSize(t *testing.T) {
	inner, tr := New(Config{}), New(Config{})
	must(t, tr.Mount("m", treeWriteFS{inner}, 10))
	f, err := tr.Create("m/f")
	must(t, err)
	if n, err := f.WriteAt([]byte("12345"), 8); n != 2 || !errors.Is(err, ErrTooLarge) {
		t.Errorf("%d, %v", n, err)
	}
	if n, err := f.WriteAt([]byte("1"), 1<<62); n != 0 || !errors.Is(err, ErrTooLarge) {
		t.Errorf("%d, %v", n, err)
	}
	if err := f.Truncate(11); !errors.Is(err, ErrTooLarge) {
		t.Error(err)
	}
	if err := f.Allocate(1<<30, 1<<30); !errors.Is(err, ErrTooLarge) {
		t.Error(err)
	}
	if i, err := inner.Stat("f"); err != nil || i.Size() != 10 {
		t.Errorf("%v, %v", i, err)
	}
}

// evilFS answers as it is told, and else as the tree does.
type evilFS struct {
	treeWriteFS
	info    fs.FileInfo
	entries []fs.DirEntry
	target  string
	file    fs.File
	err     error
}

func (e *evilFS) Lstat(name string) (fs.FileInfo, error) {
	if name == "evil" {
		return e.info, e.err
	}
	return e.treeWriteFS.Lstat(name)
}

func (e *evilFS) ReadDir(string) ([]fs.DirEntry, error)              { return e.entries, e.err }
func (e *evilFS) ReadLink(string) (string, error)                    { return e.target, e.err }
func (e *evilFS) OpenFile(string, int, fs.FileMode) (fs.File, error) { return e.file, e.err }
func (e *evilFS) Open(string) (fs.File, error)                       { return e.file, e.err }

// evilFile counts as it is told.
type evilFile struct {
	fs.File
	n    int
	info fs.FileInfo
}

func (f *evilFile) ReadAt(p []byte, off int64) (int, error)  { return f.n, nil }
func (f *evilFile) WriteAt(p []byte, off int64) (int, error) { return f.n, nil }
func (f *evilFile) Stat() (fs.FileInfo, error)               { return f.info, nil }
func (f *evilFile) Close() error                             { return nil }

func TestMountEvil(t *testing.T) {
	file := &foreignInfo{name: "evil", size: 3}
	link := &foreignInfo{name: "evil", mode: fs.ModeSymlink}
	entry := func(name string) fs.DirEntry { return fs.FileInfoToDirEntry(&foreignInfo{name: name}) }
	stat := func(tr *Tree) error { _, err := tr.Lstat("m/evil"); return err }
	read := func(tr *Tree) error { _, err := tr.ReadFile("m/evil"); return err }
	list := func(tr *Tree) error { _, err := tr.ReadDir("m"); return err }
	for _, c := range []struct {
		name string
		evil evilFS
		do   func(tr *Tree) error
		want error
	}{
		{"no info", evilFS{}, stat, errNonsense},
		{"negative size", evilFS{info: &foreignInfo{size: -1}}, stat, errNonsense},
		{"no file", evilFS{info: file}, read, errNonsense},
		{"no file info", evilFS{info: file, file: &evilFile{}}, read, errNonsense},
		{"device", evilFS{info: &foreignInfo{mode: deviceType}}, read, ErrNotSupported},
		{"errno in wrappers", evilFS{err: &fs.PathError{Op: "x", Path: "/host/path", Err: syscall.ENOSPC}}, stat, ErrQuota},
		{"empty target", evilFS{info: link}, read, errNonsense},
		{"long target", evilFS{info: link, target: strings.Repeat("x", maxPath+1)}, read, errNonsense},
		{"target with a zero", evilFS{info: link, target: "a\x00b"}, read, errNonsense},
		{"target outside", evilFS{info: link, target: "../../secret"}, read, ErrEscape},
		{"absolute target", evilFS{info: link, target: "/secret"}, read, ErrEscape},
		{"link to itself", evilFS{info: link, target: "evil"}, read, ErrLoop},
		{"no entry", evilFS{entries: []fs.DirEntry{nil}}, list, errNonsense},
		{"entry ..", evilFS{entries: []fs.DirEntry{entry("..")}}, list, errNonsense},
		{"entry with a slash", evilFS{entries: []fs.DirEntry{entry("a/b")}}, list, errNonsense},
		{"empty entry", evilFS{entries: []fs.DirEntry{entry("")}}, list, errNonsense},
		{"long entry", evilFS{entries: []fs.DirEntry{entry(strings.Repeat("x", 256))}}, list, errNonsense},
		{"entry twice", evilFS{entries: []fs.DirEntry{entry("a"), entry("a")}}, list, errNonsense},
	} {
		tr := New(Config{})
		c.evil.treeWriteFS = treeWriteFS{New(Config{})}
		must(t, tr.WriteFile("secret", nil, 0o644))
		if c.evil.file == nil && strings.Contains(c.name, "entry") {
			d, err := tr.Open("/")
			must(t, err)
			c.evil.file = d
		}
		must(t, tr.Mount("m", &c.evil, 0))
		if err := c.do(tr); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", c.name, err)
		} else if strings.Contains(err.Error(), "host") {
			t.Errorf("%s: the error names a path of the host: %v", c.name, err)
		}
	}
}

func TestMountEvilCounts(t *testing.T) {
	for _, n := range []int{-1, 0, 1 << 40} {
		tr := New(Config{})
		info := &foreignInfo{name: "evil", size: 3}
		e := &evilFS{treeWriteFS: treeWriteFS{New(Config{})}, info: info, file: &evilFile{n: n, info: info}}
		must(t, tr.Mount("m", e, 0))
		f, err := tr.OpenFile("m/evil", os.O_RDWR, 0)
		must(t, err)
		p := make([]byte, 8)
		if got, _ := f.Read(p); got < 0 || got > len(p) {
			t.Errorf("read says %d", got)
		}
		if got, err := f.Write(p); got < 0 || got > len(p) || got < len(p) && err == nil {
			t.Errorf("write says %d, %v", got, err)
		}
	}
}
