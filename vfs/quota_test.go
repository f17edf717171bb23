package vfs

import (
	"errors"
	"os"
	"testing"
	"time"
)

func TestQuotaBytes(t *testing.T) {
	const most = 3*chunkSize + 1000
	tr := New(Config{MaxBytes: most})
	f, err := tr.Create("f")
	must(t, err)
	n, err := f.Write(make([]byte, 10*chunkSize))
	if n != most || !errors.Is(err, ErrQuota) {
		t.Errorf("wrote %d, %v; want %d and ErrQuota", n, err, most)
	}
	if i, _ := f.Info(); i.Size() != most {
		t.Errorf("size %d", i.Size())
	}
	if n, err := f.WriteAt([]byte("inside"), chunkSize); n != 6 || err != nil {
		t.Errorf("writing over what is there: %d, %v", n, err)
	}
	if n, err := f.WriteAt([]byte("x"), most); n != 0 || !errors.Is(err, ErrQuota) {
		t.Errorf("one byte more: %d, %v", n, err)
	}
	if err := tr.Symlink("x", "l"); !errors.Is(err, ErrQuota) {
		t.Errorf("symlink: %v", err)
	}
	if err := f.Allocate(0, most+1); !errors.Is(err, ErrQuota) {
		t.Errorf("allocate: %v", err)
	}
	must(t, f.Allocate(0, most))
	must(t, f.Truncate(maxFileSize)) // A hole is free.
	must(t, f.Truncate(10))
	if u := tr.Usage(); u.Bytes != 10 {
		t.Errorf("after the cut: %+v", u)
	}
	must(t, tr.Remove("f"))
	if u := tr.Usage(); u != (Usage{Bytes: 10}) {
		t.Errorf("unlinked but open: %+v", u)
	}
	must(t, f.Close())
	if u := tr.Usage(); u != (Usage{}) {
		t.Errorf("after the last close: %+v", u)
	}
	must(t, tr.WriteFile("g", make([]byte, most), 0o644))
	if msg := tr.audit(); msg != "" {
		t.Error(msg)
	}
}

// TestQuotaExact fills a quota of any size to the last byte, by writes of any size.
func TestQuotaExact(t *testing.T) {
	for _, most := range []int{1, 100, 511, 4096, 100_000, 2 * chunkSize, chunkSize + fragment} {
		for _, size := range []int{1, 97, 4096, most} {
			if most/size > 5000 {
				continue
			}
			tr := New(Config{MaxBytes: int64(most)})
			f, err := tr.Create("f")
			must(t, err)
			done := 0
			for err == nil {
				var n int
				n, err = f.Write(make([]byte, size))
				done += n
			}
			tail := most % chunkSize
			if done != most && !(most > chunkSize && tail < fragment && done == most-tail) {
				t.Errorf("quota %d, writes of %d: %d written, %v", most, size, done, err)
			}
		}
	}
}

// TestQuotaFragments writes single bytes far apart: each costs a fragment, so that bookkeeping can't outgrow
// the quota by much.
func TestQuotaFragments(t *testing.T) {
	tr := New(Config{MaxBytes: 100 * fragment})
	f, err := tr.Create("f")
	must(t, err)
	defer f.Close()
	n := 0
	for ; err == nil; n++ {
		_, err = f.WriteAt([]byte("x"), int64(n+1)<<24)
	}
	if n-1 != 100 || !errors.Is(err, ErrQuota) {
		t.Errorf("%d fragments, %v", n-1, err)
	}
}

func TestQuotaFiles(t *testing.T) {
	tr := New(Config{MaxFiles: 4})
	must(t, tr.Mkdir("d", 0o755))
	must(t, tr.WriteFile("d/f", nil, 0o644))
	must(t, tr.Symlink("x", "l"))
	must(t, tr.Link("d/f", "h"))
	open := func() error { _, err := tr.Create("more"); return err }
	for what, err := range map[string]error{
		"create": open(), "mkdir": tr.Mkdir("more", 0o755), "symlink": tr.Symlink("x", "more"), "link": tr.Link("d/f", "more"),
		"static": tr.AddStatic("more", nil, 0o644, time.Time{}),
	} {
		if !errors.Is(err, ErrTooManyFiles) || !errors.Is(err, ErrQuota) {
			t.Errorf("%s: %v", what, err)
		}
	}
	must(t, tr.Rename("h", "more"))
	must(t, tr.Rename("l", "more"))
	if u := tr.Usage(); u.Files != 3 {
		t.Errorf("usage %+v", u)
	}
	must(t, tr.RemoveAll("d"))
	must(t, tr.Remove("more"))
	if u := tr.Usage(); u != (Usage{}) {
		t.Errorf("empty, but usage %+v", u)
	}
}

// TestQuotaClone: Clone keeps counting, CloneWith begins at zero and never goes below.
func TestQuotaClone(t *testing.T) {
	base := New(Config{})
	must(t, base.MkdirAll("a/b", 0o755))
	must(t, base.WriteFile("a/f", make([]byte, 4*chunkSize), 0o644))
	must(t, base.Symlink("f", "a/l"))
	tr := base.CloneWith(Config{MaxBytes: 2 * chunkSize, MaxFiles: 2})
	steps := []struct {
		what string
		do   func(tr *Tree) error
		want Usage
	}{
		{"nothing", func(*Tree) error { return nil }, Usage{}},
		{"chmod", func(tr *Tree) error { return tr.Chmod("a/f", 0o600) }, Usage{}},
		{"write into a shared chunk", func(tr *Tree) error { return overwrite(tr, "a/f", 0) }, Usage{Bytes: chunkSize}},
		{"again", func(tr *Tree) error { return overwrite(tr, "a/f", 5) }, Usage{Bytes: chunkSize}},
		{"rename", func(tr *Tree) error { return tr.Rename("a/l", "a/m") }, Usage{Bytes: chunkSize}},
		{"remove what was there", func(tr *Tree) error { return tr.Remove("a/m") }, Usage{Bytes: chunkSize}},
		{"add", func(tr *Tree) error { return tr.WriteFile("n", []byte("new"), 0o644) }, Usage{Bytes: chunkSize + 3, Files: 1}},
		{"link", func(tr *Tree) error { return tr.Link("a/f", "h") }, Usage{Bytes: chunkSize + 3, Files: 2}},
		{"remove the old name", func(tr *Tree) error { return tr.Remove("a/f") }, Usage{Bytes: chunkSize + 3, Files: 2}},
		{"remove the file", func(tr *Tree) error { return tr.Remove("h") }, Usage{Bytes: 3, Files: 1}},
		{"remove all", func(tr *Tree) error { return tr.RemoveAll("a") }, Usage{Bytes: 3, Files: 1}},
	}
	for i, s := range steps {
		must(t, s.do(tr))
		if u := tr.Usage(); u != s.want {
			t.Errorf("%s: %+v, want %+v", s.what, u, s.want)
		}
		if i%2 == 1 {
			tr = tr.Clone() // Must change nothing.
		}
		if msg := tr.audit(); msg != "" {
			t.Errorf("%s: %s", s.what, msg)
		}
	}
	if u := base.Usage(); u != (Usage{Bytes: 4*chunkSize + 1, Files: 4}) {
		t.Errorf("the base says %+v", u)
	}
}

func overwrite(tr *Tree, name string, off int64) error {
	f, err := tr.OpenFile(name, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = f.WriteAt([]byte("changed"), off)
	return err
}

func TestQuotaSharedChunk(t *testing.T) {
	base := New(Config{})
	must(t, base.WriteFile("f", make([]byte, chunkSize), 0o644))
	tr := base.CloneWith(Config{MaxBytes: chunkSize - 1})
	if err := overwrite(tr, "f", 0); !errors.Is(err, ErrQuota) {
		t.Errorf("copying a chunk beyond the quota: %v", err)
	}
	must(t, tr.Truncate("f", 7)) // Cutting needs no room, not even for the piece that is left.
	if u := tr.Usage(); u.Bytes != 0 {
		t.Errorf("usage %+v", u)
	}
	must(t, overwrite(tr, "f", 0))
	if got := text(t, tr, "f"); got != "changed" {
		t.Errorf("got %q", got)
	}
	if got := text(t, base, "f"); got != string(make([]byte, chunkSize)) {
		t.Error("the base changed")
	}
}
