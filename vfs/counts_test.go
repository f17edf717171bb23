package vfs

import (
	"fmt"
	"math/rand/v2"
	"os"
	"testing"
)

// TestCountsAgainstModel counts more inodes than there is room for without a map.
func TestCountsAgainstModel(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	var c counts
	model := map[uint64]int{}
	for range 20_000 {
		ino := 1 + r.Uint64N(30)
		if r.IntN(2) == 0 {
			c.add(ino)
			model[ino]++
		} else {
			if model[ino]--; model[ino] <= 0 {
				delete(model, ino)
			}
			if left := c.drop(ino); left != (model[ino] > 0) {
				t.Fatalf("inode %d: left %v of %d", ino, left, model[ino])
			}
		}
		if c.has(ino) != (model[ino] > 0) || c.len() != len(model) {
			t.Fatalf("inode %d: %v, want %d; %d in all, want %d", ino, c.has(ino), model[ino], c.len(), len(model))
		}
	}
}

// TestManyOpen removes files that are open, more than are counted without a map, and uses them until they are closed.
func TestManyOpen(t *testing.T) {
	tr := New(Config{})
	var files []*File
	for i := range 50 {
		name := fmt.Sprint("f", i)
		for range 2 {
			f, err := tr.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o644)
			if err != nil {
				t.Fatal(err)
			}
			files = append(files, f)
		}
		if err := tr.Remove(name); err != nil {
			t.Fatal(err)
		}
	}
	for i, f := range files {
		if _, err := f.WriteAt([]byte{byte(i)}, int64(i%2)); err != nil {
			t.Fatal(err)
		}
	}
	clone := tr.Clone() // The next writes copy.
	for i, f := range files {
		buf := make([]byte, 2)
		if _, err := f.ReadAt(buf, 0); err != nil || buf[i%2] != byte(i) {
			t.Fatalf("file %d: %v %v", i, buf, err)
		}
		if _, err := f.WriteAt([]byte{200}, 0); err != nil {
			t.Fatal(err)
		}
	}
	if n := clone.Usage().Bytes; n != 0 {
		t.Errorf("a clone has %d bytes of files without names", n)
	}
	for _, f := range files {
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if len(tr.orphans) != 0 || tr.opens.len() != 0 || tr.Usage() != (Usage{}) {
		t.Errorf("after the last Close: %d orphans, %d open, %+v", len(tr.orphans), tr.opens.len(), tr.Usage())
	}
}

// TestHandlesFollowCopies writes through Files that were opened before the tree was cloned, and by paths between.
func TestHandlesFollowCopies(t *testing.T) {
	tr := New(Config{})
	a, err := tr.Create("f")
	if err != nil {
		t.Fatal(err)
	}
	b, err := tr.Open("f")
	if err != nil {
		t.Fatal(err)
	}
	var clones []*Tree
	for i := range 5 {
		text := fmt.Sprint("text", i)
		if _, err := a.WriteAt([]byte(text), 0); err != nil {
			t.Fatal(err)
		}
		buf := make([]byte, 10)
		if n, _ := b.ReadAt(buf, 0); string(buf[:n]) != text {
			t.Fatalf("the other File reads %q", buf[:n])
		}
		clones = append(clones, tr.Clone())
		if n, _ := b.ReadAt(buf, 0); string(buf[:n]) != text {
			t.Fatalf("after Clone the other File reads %q", buf[:n])
		}
		if err := tr.Chmod("f", os.FileMode(0o600+i)); err != nil { // copies the inode by its path
			t.Fatal(err)
		}
		for _, f := range []*File{a, b} {
			if i2, err := f.Info(); err != nil || i2.Mode() != os.FileMode(0o600+i) {
				t.Fatalf("a File says %v %v", i2.Mode(), err)
			}
		}
	}
	for i, c := range clones {
		if text, err := c.ReadFile("f"); err != nil || string(text) != fmt.Sprint("text", i) {
			t.Errorf("clone %d has %q %v", i, text, err)
		}
	}
	if err := tr.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Info(); err == nil {
		t.Error("a File of a closed tree tells of it")
	}
}

// TestDirectoryComesBack makes and removes directories whose numbers meet in the same place of what the tree remembers.
func TestDirectoryComesBack(t *testing.T) {
	tr := New(Config{})
	for i := range 100 {
		dir := fmt.Sprint("d", i%17)
		if err := tr.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := tr.WriteFile(dir+"/f", nil, 0o644); err != nil {
			t.Fatal(err)
		}
		c := tr.Clone()
		if err := tr.RemoveAll(dir); err != nil {
			t.Fatal(err)
		}
		if _, err := tr.Stat(dir + "/f"); err == nil {
			t.Fatal("a file in a directory that is gone")
		}
		if _, err := c.Stat(dir + "/f"); err != nil {
			t.Fatal(err)
		}
		if msg := c.audit(); msg != "" {
			t.Fatal(msg)
		}
	}
	if msg := tr.audit(); msg != "" {
		t.Fatal(msg)
	}
}
