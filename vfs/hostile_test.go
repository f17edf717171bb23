package vfs

import (
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"testing"
)

// TestHostile makes what a guest may make to hurt its host.
func TestHostile(t *testing.T) {
	t.Run("nested", func(t *testing.T) {
		const depth = 10_000
		tr := New(Config{})
		d := tr.Root()
		for range depth {
			must(t, d.Mkdir("d", 0o755))
			f, err := d.OpenFile("d", O_DIRECTORY, 0)
			must(t, err)
			d, err = f.Dir()
			must(t, err)
			must(t, f.Close())
		}
		must(t, d.Mkdir("deepest", 0o755))
		must(t, d.Rename("deepest", tr.Root(), "moved"))
		if err := tr.Root().Rename("d", d, "loop"); err == nil {
			t.Error("a directory went into itself")
		}
		must(t, tr.RemoveAll("d"))
		if u := tr.Usage(); u.Files != 1 {
			t.Errorf("%d names left", u.Files)
		}
		if msg := tr.audit(); msg != "" {
			t.Error(msg)
		}
	})
	t.Run("links", func(t *testing.T) {
		tr := New(Config{})
		must(t, tr.WriteFile("l0", nil, 0o644))
		for i := range 60 {
			must(t, tr.Symlink(fmt.Sprintf("l%d", i), fmt.Sprintf("l%d", i+1)))
		}
		if _, err := tr.Stat("l40"); err != nil {
			t.Errorf("40 links: %v", err)
		}
		if _, err := tr.Stat("l41"); !errors.Is(err, ErrLoop) {
			t.Errorf("41 links: %v", err)
		}
		long := make([]byte, maxPath)
		for i := range long {
			long[i] = "b/"[i%2]
		}
		must(t, tr.Mkdir("b", 0o755))
		must(t, tr.Symlink(string(long), "b/b")) // Each step makes the rest of the path longer.
		if _, err := tr.Stat("b/b"); !errors.Is(err, ErrLoop) {
			t.Errorf("bomb: %v", err)
		}
		if err := tr.Symlink(string(long)+"x", "more"); !errors.Is(err, ErrNameTooLong) {
			t.Errorf("long target: %v", err)
		}
	})
	t.Run("hard links", func(t *testing.T) {
		tr := New(Config{})
		must(t, tr.WriteFile("f", nil, 0o644))
		for i := range maxLinks - 1 {
			must(t, tr.Link("f", fmt.Sprint(i)))
		}
		if err := tr.Link("f", "more"); !errors.Is(err, ErrTooManyLinks) {
			t.Errorf("link %d: %v", maxLinks+1, err)
		}
	})
	t.Run("many", func(t *testing.T) {
		files := 300_000
		if testing.Short() {
			files = 50_000
		}
		tr := New(Config{MaxFiles: int64(files)})
		must(t, tr.Mkdir("d", 0o755))
		var err error
		n := 0
		for ; err == nil; n++ {
			err = tr.Symlink("x", fmt.Sprintf("d/%d", n))
		}
		if n != files || !errors.Is(err, ErrTooManyFiles) {
			t.Errorf("%d names, %v", n, err)
		}
		c := tr.Clone()
		must(t, c.RemoveAll("d"))
		if u := c.Usage(); u != (Usage{}) {
			t.Errorf("after RemoveAll: %+v", u)
		}
		if n := testing.AllocsPerRun(1, func() { tr.Close() }); n > 100 {
			t.Errorf("Close allocates %v times", n)
		}
	})
}

// TestMemoryPerFile: a file of 100 bytes, its name and its share of all indices take at most 600 bytes.
func TestMemoryPerFile(t *testing.T) {
	const files = 20_000
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	tr := manyFiles(t, files)
	runtime.GC()
	runtime.ReadMemStats(&after)
	runtime.KeepAlive(tr)
	if each := (int64(after.HeapAlloc) - int64(before.HeapAlloc)) / files; each > 600 {
		t.Errorf("%d bytes a file", each)
	}
}

// TestLargeTransfer moves more in one call than goes under one hold of the lock.
func TestLargeTransfer(t *testing.T) {
	tr := New(Config{MaxBytes: 3*turn + 4096})
	data := make([]byte, 3*turn+4096)
	for i := range data {
		data[i] = byte(i >> 8)
	}
	must(t, tr.WriteFile("f", data, 0o644))
	if text(t, tr, "f") != string(data) {
		t.Error("what was written is not read")
	}
	f, err := tr.OpenFile("f", os.O_RDWR|os.O_APPEND, 0)
	must(t, err)
	defer f.Close()
	must(t, f.Truncate(5))
	n, err := f.Write(data)
	if n != len(data)-5 || !errors.Is(err, ErrQuota) {
		t.Errorf("appended %d, %v", n, err)
	}
	if off, _ := f.Seek(0, io.SeekCurrent); off != int64(len(data)) {
		t.Errorf("offset %d", off)
	}
}
