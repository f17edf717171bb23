package vfs

import (
	"fmt"
	"os"
	"testing"
)

// manyChanged returns a tree with 10,000 files over an empty base, and a clone of the tree with ten of them changed.
func manyChanged(b *testing.B) (base, tree, later *Tree) {
	base = New(Config{})
	tree = base.CloneWith(Config{})
	for d := range 100 {
		must(b, tree.Mkdir(fmt.Sprintf("d%d", d), 0o755))
		for f := range 100 {
			must(b, tree.WriteFile(fmt.Sprintf("d%d/f%d", d, f), make([]byte, 1024), 0o644))
		}
	}
	later = tree.Clone()
	for d := range 10 {
		must(b, later.WriteFile(fmt.Sprintf("d%d/f%d", d, d), []byte("changed"), 0o644))
	}
	return base, tree, later
}

// nothing is a Sink that takes no notice.
type nothing struct{}

func (nothing) Tree(TreeRecord) error   { return nil }
func (nothing) Node(NodeRecord) error   { return nil }
func (nothing) Gone(uint64) error       { return nil }
func (nothing) Attrs(AttrsRecord) error { return nil }
func (nothing) Entry(EntryRecord) error { return nil }
func (nothing) Chunk(ChunkRecord) error { return nil }

func BenchmarkChanges(b *testing.B) {
	base, tree, later := manyChanged(b)
	b.Run("10000 of 10000 files", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			must(b, tree.Changes(base, nothing{}))
		}
	})
	b.Run("10 of 10000 files", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			must(b, later.Changes(tree, nothing{}))
		}
	})
}

func BenchmarkDiff(b *testing.B) {
	_, tree, later := manyChanged(b)
	b.ReportAllocs()
	for b.Loop() {
		if list, err := Diff(tree, later); err != nil || len(list) != 10 {
			b.Fatal(len(list), err)
		}
	}
}

func BenchmarkRestore(b *testing.B) {
	base, tree, _ := manyChanged(b)
	r := record(b, tree, base)
	b.ReportAllocs()
	for b.Loop() {
		restore(b, base, r)
	}
}

func BenchmarkCloneOpen(b *testing.B) {
	_, tree, _ := manyChanged(b)
	var files []*File
	for i := range 10 {
		f, err := tree.OpenFile(fmt.Sprintf("d0/f%d", i), os.O_RDWR, 0)
		must(b, err)
		files = append(files, f)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := tree.CloneOpen(files, Config{}); err != nil {
			b.Fatal(err)
		}
	}
}
