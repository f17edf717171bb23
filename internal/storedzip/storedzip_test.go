package storedzip

import (
	"archive/zip"
	"bytes"
	"errors"
	"io"
	"io/fs"
	"testing"
	"testing/fstest"
)

func build(t *testing.T, method uint16, files map[string]string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for name, content := range files {
		f, err := w.CreateHeader(&zip.FileHeader{Name: name, Method: method})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(f, content); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestFS(t *testing.T) {
	data := build(t, zip.Store, map[string]string{"usr/a.txt": "alpha", "usr/lib/b.txt": "beta", "c": "gamma"})
	loads := 0
	all := New(func() ([]byte, error) { loads++; return data, nil })
	if err := fstest.TestFS(all, "usr/a.txt", "usr/lib/b.txt", "c"); err != nil {
		t.Error(err)
	}
	usr := all.Folder("usr")
	if err := fstest.TestFS(usr, "a.txt", "lib/b.txt"); err != nil {
		t.Error(err)
	}
	if loads != 1 {
		t.Errorf("loaded %d times", loads)
	}
	f, err := usr.Open("lib/b.txt")
	if err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 2)
	if _, err := f.(io.ReaderAt).ReadAt(b, 2); err != nil || string(b) != "ta" {
		t.Errorf("ReadAt: %q, %v", b, err)
	}
}

func TestBadArchives(t *testing.T) {
	good := build(t, zip.Store, map[string]string{"a": "0123456789"})
	for name, data := range map[string][]byte{
		"compressed": build(t, zip.Deflate, map[string]string{"a": "0123456789"}),
		"cut short":  good[:len(good)/2],
		"empty":      nil,
	} {
		if _, err := New(func() ([]byte, error) { return data, nil }).Open("a"); err == nil {
			t.Errorf("%s: opened", name)
		}
	}
}

func TestLinks(t *testing.T) {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	h := &zip.FileHeader{Name: "d/link", Method: zip.Store}
	h.SetMode(fs.ModeSymlink | 0o777)
	f, err := w.CreateHeader(h)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(f, "/usr/bin/git"); err != nil {
		t.Fatal(err)
	}
	if _, err = w.CreateHeader(&zip.FileHeader{Name: "d/file", Method: zip.Store}); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	all := New(func() ([]byte, error) { return b.Bytes(), nil })
	if target, err := fs.ReadLink(all, "d/link"); target != "/usr/bin/git" || err != nil {
		t.Errorf("got %q, %v", target, err)
	}
	if _, err := fs.ReadLink(all, "d/file"); !errors.Is(err, fs.ErrInvalid) {
		t.Errorf("of a file: %v", err)
	}
	entries, err := fs.ReadDir(all, "d")
	if err != nil || len(entries) != 2 || entries[1].Type() != fs.ModeSymlink {
		t.Errorf("got %v, %v", entries, err)
	}
}
