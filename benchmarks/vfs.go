package benchmarks

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"github.com/spf13/afero"

	"github.com/belljar-dev/belljar/vfs"
)

// disk is what the figures of the file tree need of a file system.
type disk interface {
	open(name string, flag int) (diskFile, error)
	stat(name string) error
	remove(name string) error
}

type diskFile interface {
	Write([]byte) (int, error)
	ReadAt([]byte, int64) (int, error)
	WriteAt([]byte, int64) (int, error)
	Readdirnames(int) ([]string, error)
	Close() error
}

// treeDisk is ours.
type treeDisk struct{ *vfs.Tree }

func (d treeDisk) open(name string, flag int) (diskFile, error) { return d.OpenFile(name, flag, 0o644) }
func (d treeDisk) stat(name string) error                       { _, err := d.Stat(name); return err }
func (d treeDisk) remove(name string) error                     { return d.Remove(name) }

// aferoDisk is a file system that Go programs keep in memory.
type aferoDisk struct{ afero.Fs }

func (d aferoDisk) open(name string, flag int) (diskFile, error) {
	return d.OpenFile(name, flag, 0o644)
}
func (d aferoDisk) stat(name string) error   { _, err := d.Stat(name); return err }
func (d aferoDisk) remove(name string) error { return d.Remove(name) }

// hostDisk is a folder of the host.
type hostDisk string

func (d hostDisk) open(name string, flag int) (diskFile, error) {
	return os.OpenFile(filepath.Join(string(d), name), flag, 0o644)
}
func (d hostDisk) stat(name string) error {
	_, err := os.Stat(filepath.Join(string(d), name))
	return err
}
func (d hostDisk) remove(name string) error { return os.Remove(filepath.Join(string(d), name)) }

// rival is a file system with what the report calls it.
type rival struct {
	short, name string // both are empty for ours
	disk        disk
}

// disks returns ours and, but for a quick run, the yardsticks, all empty. clean removes what lies outside of memory.
func (s *suite) disks() (all []rival, clean func() error, err error) {
	ours := rival{"", "", treeDisk{vfs.New(vfs.Config{})}}
	if s.Quick {
		return []rival{ours}, func() error { return nil }, nil
	}
	where := "tmpfs"
	dir, err := os.MkdirTemp("/dev/shm", "belljar")
	if err != nil {
		where = "the host's disk"
		dir, err = os.MkdirTemp("", "belljar")
	}
	all = []rival{
		ours,
		{"memmapfs", "afero.MemMapFs", aferoDisk{afero.NewMemMapFs()}},
		{"os", where + " through os", hostDisk(dir)},
	}
	return all, func() error { return os.RemoveAll(dir) }, err
}

// fileTree measures the file tree beside its yardsticks, round by round in turn.
func (s *suite) fileTree(context.Context) error {
	all, clean, err := s.disks()
	if err != nil {
		return err
	}
	defer clean()
	err = s.randomIO(all)
	if err == nil {
		err = s.manyFiles(all)
	}
	if err == nil {
		err = s.smallFiles()
	}
	if err == nil {
		err = s.bigClone()
	}
	return err
}

// rows adds one figure of all file systems.
func (s *suite) rows(all []rival, name, unit string, values [][]float64, note string) {
	for i, r := range all {
		row, what := name, note
		if r.name != "" {
			row, what = name+"_"+r.short, "the same by "+r.name
		}
		s.add(row, unit, values[i], "%s", what)
	}
}

// randomIO reads and writes 4 KiB at random places of one file.
func (s *suite) randomIO(all []rival) error {
	const size, block, calls = 64 << 20, 4096, 100_000
	files := make([]diskFile, len(all))
	for i, r := range all {
		f, err := r.disk.open("big", os.O_RDWR|os.O_CREATE)
		if err != nil {
			return err
		}
		defer f.Close()
		if _, err := f.WriteAt(make([]byte, size), 0); err != nil {
			return err
		}
		files[i] = f
	}
	reads, writes := make([][]float64, len(all)), make([][]float64, len(all))
	buf := make([]byte, block)
	for range s.runs(16) {
		for i, f := range files {
			for _, c := range []struct {
				do  func([]byte, int64) (int, error)
				out *[]float64
			}{{f.ReadAt, &reads[i]}, {f.WriteAt, &writes[i]}} {
				r, start, n := rand.New(rand.NewPCG(1, 2)), time.Now(), 0
				// afero's copies the whole file to write in it.
				for n < calls && (n == 0 || n%64 != 0 || time.Since(start) < time.Second/4) {
					if _, err := c.do(buf, r.Int64N(size/block)*block); err != nil {
						return err
					}
					n++
				}
				*c.out = append(*c.out, float64(n)/time.Since(start).Seconds())
			}
		}
	}
	s.rows(all, "vfs_read4k_per_s", "1/s", reads, "4 KiB reads at random places of 64 MiB, one goroutine")
	s.rows(all, "vfs_write4k_per_s", "1/s", writes, "4 KiB writes there")
	return nil
}

// benchFiles is how many small files there are.
func (s *suite) benchFiles() int { return s.tenth(100_000) }

// manyFiles lets files come and go in one directory. Each file system begins a round in turn: while the kernel's works,
// for seconds, the Go runtime gives memory back, which whoever comes next has to ask for again.
func (s *suite) manyFiles(all []rival) error {
	lives, lists := make([][]float64, len(all)), make([][]float64, len(all))
	for round := range s.runs(16) {
		for k := range all {
			i := (round + k) % len(all)
			r := all[i]
			life, list, err := lifetime(r.disk, s.benchFiles())
			if err != nil {
				return fmt.Errorf("%s: %w", r.name, err)
			}
			lives[i], lists[i] = append(lives[i], life.Seconds()), append(lists[i], milliseconds(list))
		}
	}
	k := s.benchFiles() / 1000
	s.rows(all, fmt.Sprintf("vfs_files_%dk_s", k), "s", lives, fmt.Sprintf("create, write 1 KiB, close, stat and unlink %d,000 files in one directory", k))
	s.rows(all, fmt.Sprintf("vfs_readdir_%dk_ms", k), "ms", lists, fmt.Sprintf("the names of a directory with %d,000 files", k))
	return nil
}

func lifetime(d disk, files int) (life, list time.Duration, err error) {
	if host, ok := d.(hostDisk); ok {
		err = os.MkdirAll(string(host)+"/many", 0o755)
	} else {
		err = d.(interface {
			MkdirAll(string, fs.FileMode) error
		}).MkdirAll("many", 0o755)
	}
	if err != nil {
		return 0, 0, err
	}
	content := make([]byte, 1024)
	paths := make([]string, files) // made before: what is measured is the file system
	for i := range paths {
		paths[i] = fmt.Sprintf("many/file%06d", i)
	}
	runtime.GC() // Nobody pays for another's garbage.
	start := time.Now()
	for _, name := range paths {
		f, err := d.open(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL)
		if err != nil {
			return 0, 0, err
		}
		if _, err := f.Write(content); err != nil {
			return 0, 0, err
		}
		if err := errors.Join(f.Close(), d.stat(name)); err != nil {
			return 0, 0, err
		}
	}
	life = time.Since(start)

	start = time.Now()
	f, err := d.open("many", os.O_RDONLY)
	if err != nil {
		return 0, 0, err
	}
	names, err := f.Readdirnames(-1)
	if list = time.Since(start); err != nil || len(names) != files {
		return 0, 0, fmt.Errorf("listed %d names: %w", len(names), err)
	}
	if err := f.Close(); err != nil {
		return 0, 0, err
	}

	start = time.Now()
	for _, name := range paths {
		if err := d.remove(name); err != nil {
			return 0, 0, err
		}
	}
	return life + time.Since(start), list, nil
}

// smallFiles measures the memory of small files.
func (s *suite) smallFiles() error {
	for _, c := range []struct {
		row, note string
		disk      func() disk
	}{
		{"vfs_small_file_bytes", "memory of a file of 100 bytes, all told, of many in one directory", func() disk { return treeDisk{vfs.New(vfs.Config{})} }},
		{"vfs_small_file_bytes_memmapfs", "the same by afero.MemMapFs", func() disk { return aferoDisk{afero.NewMemMapFs()} }},
	} {
		var values []float64
		for range s.rounds(16) {
			before := heap()
			d := c.disk()
			for i := range s.benchFiles() {
				f, err := d.open(fmt.Sprintf("file%06d", i), os.O_WRONLY|os.O_CREATE)
				if err != nil {
					return err
				}
				if _, err := f.Write(make([]byte, 100)); err != nil {
					return err
				}
				if err := f.Close(); err != nil {
					return err
				}
			}
			values = append(values, float64(heap()-before)/float64(s.benchFiles()))
			runtime.KeepAlive(d)
		}
		s.add(c.row, "B", values, "%s", c.note)
	}
	return nil
}

// heap returns the bytes of live objects.
func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// bigClone measures Clone of a tree that has just been written to.
func (s *suite) bigClone() error {
	files := s.benchFiles()
	const each = (1 << 30) / 100_000
	t := vfs.New(vfs.Config{})
	defer t.Close()
	for i := range files {
		if i%1000 == 0 {
			if err := t.Mkdir(fmt.Sprint("d", i/1000), 0o755); err != nil {
				return err
			}
		}
		if err := t.WriteFile(fmt.Sprintf("d%d/f%d", i/1000, i), make([]byte, each), 0o644); err != nil {
			return err
		}
	}
	runtime.GC()
	var values []float64
	for i := range s.runs(1000) {
		if err := t.WriteFile(fmt.Sprint("d0/f", i), []byte("changed"), 0o644); err != nil {
			return err
		}
		start := time.Now()
		c := t.Clone()
		values = append(values, float64(time.Since(start).Nanoseconds())/1000)
		if err := c.Close(); err != nil {
			return err
		}
	}
	s.add("tree_clone_us", "µs", values, "Clone of a tree with %d files and %d MiB, after a write", files, files*each>>20)
	return nil
}
