package aferofs

import (
	"fmt"
	"os"
	"testing"

	"github.com/spf13/afero"

	"github.com/belljar-dev/belljar/vfs"
)

// BenchmarkLife lets 100,000 files come and go in one directory: created, 1 KiB written, closed, looked at, and all removed.
func BenchmarkLife(b *testing.B) {
	for _, c := range []struct {
		name string
		fs   afero.Fs
	}{{"tree", New(vfs.New(vfs.Config{}))}, {"MemMapFs", afero.NewMemMapFs()}} {
		b.Run(c.name, func(b *testing.B) { benchLife(b, c.fs) })
	}
}

func benchLife(b *testing.B, fs afero.Fs) {
	names, content := make([]string, 100_000), make([]byte, 1024)
	for i := range names {
		names[i] = fmt.Sprintf("many/file%06d", i)
	}
	if err := fs.MkdirAll("many", 0o755); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		for _, name := range names {
			if err := life(fs, name, content); err != nil {
				b.Fatal(err)
			}
		}
		for _, name := range names {
			if err := fs.Remove(name); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(names)), "ns/file")
}

func life(fs afero.Fs, name string, content []byte) error {
	f, err := fs.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	if _, err := f.Write(content); err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	_, err = fs.Stat(name)
	return err
}
