package vfs

import (
	"bytes"
	"testing"
	"testing/fstest"
)

func TestFS(t *testing.T) {
	tr := New(Config{})
	if err := tr.MkdirAll("/a/b/c", 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"x", "a/y", "a/b/z", "a/b/c/w"} {
		if err := tr.WriteFile(name, bytes.Repeat([]byte(name), 5000), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := tr.Symlink("a/b", "link"); err != nil {
		t.Fatal(err)
	}
	if err := fstest.TestFS(tr.FS(), "x", "a/y", "a/b/z", "a/b/c/w", "link"); err != nil {
		t.Error(err)
	}
	c := tr.Clone()
	if err := c.RemoveAll("a"); err != nil {
		t.Fatal(err)
	}
	if err := fstest.TestFS(tr.FS(), "x", "a/y"); err != nil {
		t.Error(err)
	}
	if u := c.Usage(); u != (Usage{Bytes: 5000 + 3, Files: 2}) {
		t.Errorf("usage %+v", u)
	}
}
