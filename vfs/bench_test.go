package vfs

import (
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

// disk is what the benchmarks need of a file system, so that they can run on the tree and, through package
// os, on the kernel's tmpfs.
type disk interface {
	OpenFile(name string, flag int, perm fs.FileMode) (diskFile, error)
	Stat(name string) (fs.FileInfo, error)
	Remove(name string) error
	Mkdir(name string, perm fs.FileMode) error
}

type diskFile interface {
	Write([]byte) (int, error)
	ReadAt([]byte, int64) (int, error)
	WriteAt([]byte, int64) (int, error)
	ReadDir(int) ([]fs.DirEntry, error)
	Close() error
}

type treeDisk struct{ *Tree }

func (d treeDisk) OpenFile(name string, flag int, perm fs.FileMode) (diskFile, error) {
	return d.Tree.OpenFile(name, flag, perm)
}

type osDisk string

func (d osDisk) OpenFile(name string, flag int, perm fs.FileMode) (diskFile, error) {
	return os.OpenFile(filepath.Join(string(d), name), flag, perm)
}
func (d osDisk) Stat(name string) (fs.FileInfo, error) {
	return os.Stat(filepath.Join(string(d), name))
}
func (d osDisk) Remove(name string) error { return os.Remove(filepath.Join(string(d), name)) }
func (d osDisk) Mkdir(name string, perm fs.FileMode) error {
	return os.Mkdir(filepath.Join(string(d), name), perm)
}

// onBoth runs a benchmark on the tree and on the kernel's memory file system.
func onBoth(b *testing.B, run func(b *testing.B, d disk)) {
	b.Run("tree", func(b *testing.B) { run(b, treeDisk{New(Config{})}) })
	b.Run("os", func(b *testing.B) {
		dir, err := os.MkdirTemp("/dev/shm", "vfs")
		if err != nil {
			b.Skip("no tmpfs to compare with:", err)
		}
		defer os.RemoveAll(dir)
		run(b, osDisk(dir))
	})
}

const benchFile = 64 << 20

func openBench(b *testing.B, d disk, size int64) diskFile {
	f, err := d.OpenFile("file", os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		b.Fatal(err)
	}
	block := make([]byte, 1<<20)
	for off := int64(0); off < size; off += int64(len(block)) {
		if _, err := f.WriteAt(block, off); err != nil {
			b.Fatal(err)
		}
	}
	return f
}

func BenchmarkReadAt4K(b *testing.B) {
	onBoth(b, func(b *testing.B, d disk) {
		f := openBench(b, d, benchFile)
		defer f.Close()
		r, buf := rand.New(rand.NewPCG(1, 2)), make([]byte, 4096)
		b.SetBytes(4096)
		for b.Loop() {
			if _, err := f.ReadAt(buf, r.Int64N(benchFile/4096)*4096); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkWriteAt4K(b *testing.B) {
	onBoth(b, func(b *testing.B, d disk) {
		f := openBench(b, d, benchFile)
		defer f.Close()
		r, buf := rand.New(rand.NewPCG(1, 2)), make([]byte, 4096)
		b.SetBytes(4096)
		for b.Loop() {
			if _, err := f.WriteAt(buf, r.Int64N(benchFile/4096)*4096); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkWriteShared writes 4 KiB to random places of a file that another clone shares, so that chunks are
// copied.
func BenchmarkWriteShared(b *testing.B) {
	t := New(Config{})
	openBench(b, treeDisk{t}, benchFile).Close()
	r, buf := rand.New(rand.NewPCG(1, 2)), make([]byte, 4096)
	b.SetBytes(4096)
	var f *File
	for i := 0; b.Loop(); i++ {
		if i%1024 == 0 {
			f, _ = t.Clone().OpenFile("file", os.O_RDWR, 0)
		}
		if _, err := f.WriteAt(buf, r.Int64N(benchFile/4096)*4096); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkWriteSequential(b *testing.B) {
	onBoth(b, func(b *testing.B, d disk) {
		buf := make([]byte, 64<<10)
		b.SetBytes(16 << 20)
		for b.Loop() {
			f, err := d.OpenFile("seq", os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o644)
			if err != nil {
				b.Fatal(err)
			}
			for range 16 << 20 / len(buf) {
				if _, err := f.Write(buf); err != nil {
					b.Fatal(err)
				}
			}
			f.Close()
		}
	})
}

// BenchmarkFiles makes, writes, closes, stats and removes 100,000 files of 1 KiB in one directory; time is
// per file.
func BenchmarkFiles(b *testing.B) {
	const files = 100_000
	content := make([]byte, 1024)
	onBoth(b, func(b *testing.B, d disk) {
		for b.Loop() {
			for i := range files {
				writeBench(b, d, fmt.Sprintf("f%06d", i), content)
			}
			for i := range files {
				if _, err := d.Stat(fmt.Sprintf("f%06d", i)); err != nil {
					b.Fatal(err)
				}
			}
			for i := range files {
				if err := d.Remove(fmt.Sprintf("f%06d", i)); err != nil {
					b.Fatal(err)
				}
			}
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/files, "ns/file")
	})
}

func writeBench(b *testing.B, d disk, name string, content []byte) {
	f, err := d.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		b.Fatal(err)
	}
	if _, err := f.Write(content); err != nil {
		b.Fatal(err)
	}
	if err := f.Close(); err != nil {
		b.Fatal(err)
	}
}

func BenchmarkReadDir100k(b *testing.B) {
	onBoth(b, func(b *testing.B, d disk) {
		for i := range 100_000 {
			writeBench(b, d, fmt.Sprintf("f%06d", i), nil)
		}
		for b.Loop() {
			f, err := d.OpenFile(".", os.O_RDONLY, 0)
			if err != nil {
				b.Fatal(err)
			}
			if list, err := f.ReadDir(-1); err != nil || len(list) != 100_000 {
				b.Fatal(len(list), err)
			}
			f.Close()
		}
	})
}

func BenchmarkStat(b *testing.B) {
	onBoth(b, func(b *testing.B, d disk) {
		for _, dir := range []string{"usr", "usr/lib", "usr/lib/python", "usr/lib/python/json"} {
			if err := d.Mkdir(dir, 0o755); err != nil {
				b.Fatal(err)
			}
		}
		writeBench(b, d, "usr/lib/python/json/decoder.py", nil)
		b.ReportAllocs()
		for b.Loop() {
			if _, err := d.Stat("usr/lib/python/json/decoder.py"); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkOpenClose(b *testing.B) {
	onBoth(b, func(b *testing.B, d disk) {
		writeBench(b, d, "file", nil)
		b.ReportAllocs()
		for b.Loop() {
			f, err := d.OpenFile("file", os.O_RDONLY, 0)
			if err != nil {
				b.Fatal(err)
			}
			f.Close()
		}
	})
}

// manyFiles returns a tree of n files of 100 bytes, 1,000 in a directory.
func manyFiles(tb testing.TB, n int) *Tree {
	t := New(Config{})
	content := make([]byte, 100)
	for i := range n {
		if i%1000 == 0 {
			if err := t.Mkdir(fmt.Sprintf("d%04d", i/1000), 0o755); err != nil {
				tb.Fatal(err)
			}
		}
		if err := t.WriteFile(fmt.Sprintf("d%04d/file%06d", i/1000, i), content, 0o644); err != nil {
			tb.Fatal(err)
		}
	}
	return t
}

// BenchmarkClone clones a tree of 100,000 files that has just been written to, writes one file in the clone,
// and closes it.
func BenchmarkClone(b *testing.B) {
	t := manyFiles(b, 100_000)
	b.Run("clone", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			t.Clone().Close()
		}
	})
	b.Run("clone+write", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			c := t.Clone()
			if err := c.WriteFile("d0050/file050500", []byte("new"), 0o644); err != nil {
				b.Fatal(err)
			}
			c.Close()
		}
	})
}

// BenchmarkAddStatic builds a base tree of 3,000 files, as a runtime's library.
func BenchmarkAddStatic(b *testing.B) {
	content := make([]byte, 5000)
	for b.Loop() {
		t := New(Config{})
		for i := range 3000 {
			name := fmt.Sprintf("usr/lib/python3.13/pkg%02d/sub/module%04d.pyc", i%60, i)
			if err := t.AddStatic(name, content, 0o644, t.cfg.Now()); err != nil {
				b.Fatal(err)
			}
		}
	}
}

// BenchmarkMemory reports the memory of a file of 100 bytes, all told.
func BenchmarkMemory(b *testing.B) {
	const files = 100_000
	var before, after runtime.MemStats
	for b.Loop() {
		runtime.GC()
		runtime.ReadMemStats(&before)
		t := manyFiles(b, files)
		runtime.GC()
		runtime.ReadMemStats(&after)
		runtime.KeepAlive(t)
	}
	b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/files, "B/file")
}
