package vfs

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"strings"
	"testing"
)

type null struct{}

func (null) Read([]byte) (int, error)    { return 0, io.EOF }
func (null) Write(p []byte) (int, error) { return len(p), nil }

type full struct{ io.Reader }

func (full) Write([]byte) (int, error) { return 0, ErrQuota }

// liar claims to have done more than it was asked for.
type liar struct{}

func (liar) Read(p []byte) (int, error)  { return len(p) + 5, nil }
func (liar) Write(p []byte) (int, error) { return -1, nil }

func TestDevice(t *testing.T) {
	tr := New(Config{MaxBytes: 1, Umask: 0o077})
	must(t, tr.AddDevice("dev/null", 0o666, null{}))
	for _, flag := range []int{os.O_RDWR, os.O_RDWR | os.O_TRUNC, os.O_RDWR | os.O_APPEND, os.O_RDWR | os.O_CREATE} {
		f, err := tr.OpenFile("dev/null", flag, 0o600)
		must(t, err)
		if n, err := f.WriteString("swallowed"); n != 9 || err != nil {
			t.Errorf("write: %d, %v", n, err)
		}
		if n, err := f.Read(make([]byte, 9)); n != 0 || err != io.EOF {
			t.Errorf("read: %d, %v", n, err)
		}
		for _, whence := range []int{io.SeekStart, io.SeekCurrent, io.SeekEnd} {
			if off, err := f.Seek(3, whence); off != 0 || err != nil {
				t.Errorf("seek: %d, %v", off, err)
			}
		}
		if err := f.Truncate(5); !errors.Is(err, fs.ErrInvalid) {
			t.Errorf("truncate: %v", err)
		}
		must(t, f.Close())
	}
	i, err := tr.Stat("dev/null")
	must(t, err)
	if i.Mode() != deviceType|0o666 || i.Size() != 0 {
		t.Errorf("%v, size %d", i.Mode(), i.Size())
	}
	if u := tr.Usage(); u != (Usage{Files: 2}) {
		t.Errorf("usage %+v", u)
	}
	if err := tr.AddDevice("dev", 0o666, null{}); !errors.Is(err, fs.ErrExist) {
		t.Errorf("in the place of a directory: %v", err)
	}
	if list, err := tr.ReadDir("dev"); err != nil || len(list) != 1 || list[0].Type() != deviceType {
		t.Errorf("%v, %v", list, err)
	}
}

func TestDeviceClone(t *testing.T) {
	read := func(tr *Tree, name string) string {
		f, err := tr.Open(name)
		must(t, err)
		defer f.Close()
		buf := make([]byte, 3)
		n, err := f.Read(buf)
		must(t, err)
		return string(buf[:n])
	}
	base := New(Config{})
	must(t, base.AddDevice("dev/random", 0o666, full{strings.NewReader("base")}))
	a, b := base.CloneWith(Config{}), base.Clone()
	must(t, a.AddDevice("dev/random", 0o666, full{strings.NewReader("mine")}))
	if got := read(a, "dev/random"); got != "min" {
		t.Errorf("the clone reads %q", got)
	}
	if got := read(b, "dev/random"); got != "bas" {
		t.Errorf("the other clone reads %q", got)
	}
	if inodeOf(t, a, "dev/random") != inodeOf(t, base, "dev/random") {
		t.Error("replacing the device copied the inode")
	}
	f, err := a.OpenFile("dev/random", os.O_WRONLY, 0)
	must(t, err)
	if n, err := f.WriteString("x"); n != 0 || !errors.Is(err, ErrQuota) {
		t.Errorf("write: %d, %v", n, err)
	}
	must(t, a.Rename("dev/random", "moved"))
	must(t, a.Link("moved", "linked"))
	must(t, a.Remove("moved"))
	if got := read(a, "linked"); got != "e" {
		t.Errorf("after a rename: %q", got)
	}
	must(t, a.Remove("linked"))
	if len(a.devices) != 0 || len(b.devices) != 1 {
		t.Errorf("%d and %d devices left", len(a.devices), len(b.devices))
	}
	if _, err := f.WriteString("x"); !errors.Is(err, ErrQuota) {
		t.Errorf("write to the unlinked device: %v", err)
	}
	must(t, f.Close())
	if msg := a.audit(); msg != "" {
		t.Error(msg)
	}
}

func TestDeviceLies(t *testing.T) {
	tr := New(Config{})
	must(t, tr.AddDevice("d", 0o666, liar{}))
	f, err := tr.OpenFile("d", os.O_RDWR, 0)
	must(t, err)
	defer f.Close()
	if n, _ := f.Read(make([]byte, 4)); n != 4 {
		t.Errorf("read %d", n)
	}
	if n, _ := f.Write(make([]byte, 4)); n != 0 {
		t.Errorf("wrote %d", n)
	}
}

func BenchmarkAddDevice(b *testing.B) {
	base := manyFiles(b, 3000)
	must(b, base.AddDevice("dev/random", 0o666, null{}))
	for b.Loop() {
		c := base.Clone()
		must(b, c.AddDevice("dev/random", 0o666, null{}))
	}
}
