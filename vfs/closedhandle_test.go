package vfs

import (
	"errors"
	"io/fs"
	"os"
	"runtime"
	"testing"
)

// TestUseAfterClose calls what a File stands on after the File was closed, as a call does that was under way: of an inode that
// is gone nothing may be changed, or charged.
func TestUseAfterClose(t *testing.T) {
	tr := New(Config{})
	f, err := tr.OpenFile("f", os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteAt([]byte("x"), 0); err != nil {
		t.Fatal(err)
	}
	if err := tr.Remove("f"); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if n, err := f.h.writeAt(make([]byte, 3*chunkSize), 0); n != 0 || !errors.Is(err, fs.ErrClosed) {
		t.Errorf("write: %d %v", n, err)
	}
	if err := f.h.truncate(10); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("truncate: %v", err)
	}
	if _, err := f.h.info(""); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("stat: %v", err)
	}
	if tr.Usage() != (Usage{}) {
		t.Errorf("%+v", tr.Usage())
	}
}

// TestOpenHoldsNoContent has open Files that nobody uses while the tree is cloned and their files are emptied: they may not
// hold what had been in these, which counts no more.
func TestOpenHoldsNoContent(t *testing.T) {
	const size, rounds = 1 << 20, 64
	tr := New(Config{MaxBytes: 2 * size})
	var files []*File
	for range rounds {
		f, err := tr.OpenFile("f", os.O_RDWR|os.O_CREATE, 0o644)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, f)
		if _, err := f.Write(make([]byte, size)); err != nil {
			t.Fatal(err)
		}
		if err := tr.Clone().Close(); err != nil {
			t.Fatal(err)
		}
		if err := tr.Truncate("f", 0); err != nil {
			t.Fatal(err)
		}
	}
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	if m.HeapAlloc > rounds/2*size {
		t.Errorf("%d MiB are held, by a tree that may have 2", m.HeapAlloc>>20)
	}
	for _, f := range files {
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
