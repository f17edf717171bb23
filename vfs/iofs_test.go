package vfs

import (
	"errors"
	"io/fs"
	"strings"
	"syscall"
	"testing"
	"testing/fstest"
)

// TestFSHoldsToTheSuite holds the io/fs view to the standard library's suite, with one of everything in the tree, and
// from a directory.
func TestFSHoldsToTheSuite(t *testing.T) {
	tr := New(Config{})
	defer tr.Close()
	must(t, tr.MkdirAll("a/b/empty", 0o755))
	must(t, tr.WriteFile("a/f", []byte("text"), 0o644))
	must(t, tr.WriteFile("a/b/large", make([]byte, 200_000), 0o600))
	must(t, tr.WriteFile("a/"+strings.Repeat("é", 127), nil, 0o644))
	must(t, tr.Symlink("f", "a/l"))
	must(t, tr.Symlink("b", "a/ld"))
	must(t, tr.Link("a/f", "a/b/hard"))
	must(t, tr.Truncate("a/b/hard", 4))
	must(t, tr.MountFS("m", fstest.MapFS{"x/y": {Data: []byte("y")}}))
	if err := fstest.TestFS(tr.FS(), "a/f", "a/b/large", "a/b/hard", "a/b/empty", "a/l", "m/x/y"); err != nil {
		t.Error(err)
	}
	sub, err := fs.Sub(tr.FS(), "a")
	must(t, err)
	if _, ok := sub.(fs.SubFS); !ok {
		t.Errorf("a directory of the view is a %T", sub)
	}
	if err := fstest.TestFS(sub, "f", "b/large", "l"); err != nil {
		t.Error(err)
	}
}

func TestFSInterfaces(t *testing.T) {
	tr := New(Config{})
	defer tr.Close()
	must(t, tr.Mkdir("d", 0o755))
	must(t, tr.WriteFile("d/f", []byte("text"), 0o644))
	must(t, tr.Symlink("f", "d/l"))
	must(t, tr.Symlink("../d/f", "d/up"))
	must(t, tr.Symlink("/d/f", "abs"))
	must(t, tr.Root().Mkfifo("p", 0o644))
	view := tr.FS()
	for _, name := range []string{"d/l", "d/up", "abs"} {
		if text, err := fs.ReadFile(view, name); string(text) != "text" {
			t.Errorf("%s: %q, %v", name, text, err)
		}
	}
	if target, err := fs.ReadLink(view, "d/up"); target != "../d/f" {
		t.Errorf("readlink: %q, %v", target, err)
	}
	if i, err := fs.Lstat(view, "d/l"); err != nil || i.Mode().Type() != fs.ModeSymlink {
		t.Errorf("lstat: %v, %v", i, err)
	}
	if i, err := fs.Stat(view, "d/l"); err != nil || i.Size() != 4 || i.Name() != "l" {
		t.Errorf("stat: %v, %v", i, err)
	}
	if list, err := fs.ReadDir(view, "d"); err != nil || len(list) != 3 || list[0].Name() != "f" {
		t.Errorf("readdir: %v, %v", list, err)
	}
	if list, err := fs.Glob(view, "d/*"); err != nil || len(list) != 3 {
		t.Errorf("glob: %v, %v", list, err)
	}
	for _, bad := range []string{"", "/d", "d/", "../d", "d/../d", "./d", "d//f"} {
		if _, err := view.Open(bad); !errors.Is(err, fs.ErrInvalid) {
			t.Errorf("open %q: %v", bad, err)
		}
		if _, err := fs.Sub(view, bad); !errors.Is(err, fs.ErrInvalid) {
			t.Errorf("sub %q: %v", bad, err)
		}
	}
	if _, err := fs.ReadLink(view, "d/f"); !errors.Is(err, syscall.EINVAL) {
		t.Errorf("readlink of a file: %v", err)
	}
	if _, err := fs.Sub(view, "d/f"); !errors.Is(err, ErrNotDir) {
		t.Errorf("sub of a file: %v", err)
	}
	if _, err := fs.ReadFile(view, "d"); !errors.Is(err, ErrIsDir) {
		t.Errorf("read of a directory: %v", err)
	}
}
