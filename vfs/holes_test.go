package vfs

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"testing/fstest"
	"time"
)

// TestHolesAgainstModel changes a sparse file at random places and compares it with plain bytes: what it reads, that what is
// not data is zeros, and what is charged.
func TestHolesAgainstModel(t *testing.T) {
	const most = 6 * chunkSize
	for seed := range uint64(60) {
		r := rand.New(rand.NewPCG(seed, 1))
		tr := New(Config{})
		var model []byte
		switch seed % 3 {
		case 1: // over bytes in memory
			model = noise(r, 1+r.IntN(most))
			must(t, tr.AddStatic("f", bytes.Clone(model), 0o644, time.Time{}))
		case 2: // over a file of a layer, which is read when it is looked at
			model = noise(r, 1+r.IntN(most))
			must(t, tr.MountOverlay("l", fstest.MapFS{"f": {Data: bytes.Clone(model), Mode: 0o644}}))
		}
		name := "f"
		if seed%3 == 2 {
			name = "l/f"
		}
		f, err := tr.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o644)
		must(t, err)
		var clones []*Tree
		var models [][]byte
		for range 40 {
			off, n := r.IntN(most), 1+r.IntN(2*chunkSize)
			if r.IntN(2) == 0 {
				off, n = off/chunkSize*chunkSize, (n+chunkSize-1)/chunkSize*chunkSize
			}
			switch r.IntN(6) {
			case 0, 1:
				p := noise(r, n)
				_, err = f.WriteAt(p, int64(off))
				model = longer(model, off+n)
				copy(model[off:], p)
			case 2:
				err = f.Truncate(int64(off))
				model = longer(model, off)[:off]
			case 3, 4:
				err = f.PunchHole(int64(off), int64(n))
				if off < len(model) {
					clear(model[off:min(len(model), off+n)])
				}
			case 5:
				clones, models = append(clones, tr.Clone()), append(models, bytes.Clone(model))
			}
			must(t, err)
			checkSparse(t, f, model)
		}
		if msg := tr.audit(); msg != "" {
			t.Errorf("seed %d: %s", seed, msg)
		}
		for i, c := range clones {
			if text(t, c, name) != string(models[i]) {
				t.Errorf("seed %d: clone %d has changed", seed, i)
			}
		}
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

func noise(r *rand.Rand, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(1 + r.IntN(255))
	}
	return b
}

func longer(b []byte, n int) []byte {
	if n > len(b) {
		b = append(b, make([]byte, n-len(b))...)
	}
	return b
}

// checkSparse compares a file with its content, and looks at its data and holes from one to the next.
func checkSparse(t *testing.T, f *File, want []byte) {
	t.Helper()
	got, err := io.ReadAll(io.NewSectionReader(f, 0, 1<<40))
	must(t, err)
	if !bytes.Equal(got, want) {
		t.Fatalf("%d bytes read, want %d, or others", len(got), len(want))
	}
	for at := int64(0); at < int64(len(want)); {
		data, err := f.Seek(at, SeekData)
		if errors.Is(err, ErrNoDevice) {
			data = int64(len(want))
		} else {
			must(t, err)
		}
		if data < at || len(bytes.Trim(want[at:data], "\x00")) > 0 {
			t.Fatalf("data is said to be at %d, behind %d", data, at)
		}
		if data == int64(len(want)) {
			break
		}
		if at, err = f.Seek(data, SeekHole); err != nil || at <= data || at > int64(len(want)) {
			t.Fatalf("the hole after %d is said to be at %d: %v", data, at, err)
		}
	}
}

func TestSeekSparseErrors(t *testing.T) {
	tr := New(Config{})
	must(t, tr.WriteFile("f", []byte("abc"), 0o644))
	must(t, tr.Mkdir("d", 0o755))
	f, err := tr.Open("f")
	must(t, err)
	d, err := tr.Open("d")
	must(t, err)
	for _, c := range []struct {
		f       *File
		off, at int64
		whence  int
		want    error
	}{
		{f, 0, 0, SeekData, nil},
		{f, 2, 2, SeekData, nil},
		{f, 3, 0, SeekData, ErrNoDevice},
		{f, -1, 0, SeekData, ErrNoDevice},
		{f, 0, 3, SeekHole, nil},
		{f, 2, 3, SeekHole, nil},
		{f, 3, 0, SeekHole, ErrNoDevice},
		{f, 0, 0, 5, fs.ErrInvalid},
		{d, 0, 0, SeekData, fs.ErrInvalid},
	} {
		at, err := c.f.Seek(c.off, c.whence)
		if !errors.Is(err, c.want) || err == nil && at != c.at {
			t.Errorf("seek %d, %d: %d, %v", c.off, c.whence, at, err)
		}
	}
	if err := f.PunchHole(0, 1); !errors.Is(err, ErrBadFile) {
		t.Errorf("punch of a file open for reading: %v", err)
	}
	w, err := tr.OpenFile("f", os.O_WRONLY, 0)
	must(t, err)
	for _, c := range []struct {
		off, n int64
		want   error
	}{{0, 0, fs.ErrInvalid}, {-1, 1, fs.ErrInvalid}, {0, -1, fs.ErrInvalid}, {1 << 62, 1 << 62, ErrTooLarge}, {100, 5, nil}, {1, 1, nil}, {2, 1 << 30, nil}} {
		if err := w.PunchHole(c.off, c.n); !errors.Is(err, c.want) {
			t.Errorf("punch %d, %d: %v", c.off, c.n, err)
		}
	}
	if got := text(t, tr, "f"); got != "a\x00\x00" {
		t.Errorf("%q", got)
	}
}

// TestPunchGivesBack looks at what holes cost, in a file and in one that a clone shares.
func TestPunchGivesBack(t *testing.T) {
	tr := New(Config{MaxBytes: 10 * chunkSize})
	must(t, tr.WriteFile("f", bytes.Repeat([]byte("x"), 10*chunkSize), 0o644))
	c := tr.CloneWith(Config{MaxBytes: 100})
	f, err := tr.OpenFile("f", os.O_RDWR, 0)
	must(t, err)
	must(t, f.PunchHole(chunkSize, 4*chunkSize))
	must(t, f.PunchHole(9*chunkSize+100, chunkSize))
	if got, want := tr.Usage().Bytes, int64(5*chunkSize+fragment); got != want {
		t.Errorf("%d bytes are charged, want %d", got, want)
	}
	f, err = c.OpenFile("f", os.O_RDWR, 0)
	must(t, err)
	must(t, f.PunchHole(0, chunkSize))
	must(t, f.PunchHole(10*chunkSize-5, 5)) // the end of a piece goes without a copy
	if err := f.PunchHole(2*chunkSize+1, 5); !errors.Is(err, ErrQuota) {
		t.Errorf("a hole inside a shared piece, without room for a copy: %v", err)
	}
	if msg := c.audit() + tr.audit(); msg != "" {
		t.Error(msg)
	}
}

// TestBlocks asks how much room files take, in the numbers that tmpfs has for them.
func TestBlocks(t *testing.T) {
	tr := New(Config{})
	must(t, tr.AddStatic("static", make([]byte, 3*chunkSize+5000), 0o644, time.Time{}))
	must(t, tr.MountOverlay("l", fstest.MapFS{"f": {Data: make([]byte, 2*chunkSize), Mode: 0o644}}))
	must(t, tr.Mkdir("dir", 0o755))
	must(t, tr.Root().Mkfifo("fifo", 0o644))
	must(t, tr.Symlink(strings.Repeat("x", longLink-1), "link"))
	must(t, tr.Symlink(strings.Repeat("x", longLink), "longlink"))
	blocks := func(tr *Tree, name string) int64 {
		t.Helper()
		i, err := tr.Lstat(name)
		must(t, err)
		return i.(Info).Blocks()
	}
	for name, want := range map[string]int64{"dir": 8, "fifo": 0, "link": 0, "longlink": 8, "static": 112, "l/f": 64} {
		if got := blocks(tr, name); got != want {
			t.Errorf("%s: %d blocks, want %d", name, got, want)
		}
	}
	type step struct {
		do   func(f *File) error
		want int64
	}
	write := func(n int, off int64) func(*File) error {
		return func(f *File) error { _, err := f.WriteAt(make([]byte, n), off); return err }
	}
	cut := func(n int64) func(*File) error { return func(f *File) error { return f.Truncate(n) } }
	punch := func(off, n int64) func(*File) error { return func(f *File) error { return f.PunchHole(off, n) } }
	for name, steps := range map[string][]step{
		"new": {
			{cut(0), 0}, {write(1, 0), 8}, {write(4096, 0), 8}, {write(1, 4096), 16}, {cut(1 << 40), 16}, {write(1, 1<<30), 24},
			{write(8192, 1<<30), 32}, {write(4097, 1<<30), 32}, {cut(1<<30 + 4096), 24}, {cut(4096), 8}, {write(10*chunkSize, 0), 320},
			{punch(chunkSize, 2*chunkSize), 256}, {punch(9*chunkSize+4096, chunkSize), 232}, {cut(5000), 16}, {cut(0), 0},
		},
		"static": {
			{write(1, chunkSize+7), 112}, {write(1, 0), 112}, {punch(0, 2*chunkSize), 48}, {cut(1 << 30), 48}, {write(1, 3*chunkSize+6000), 48},
			{write(1, 3*chunkSize+8192), 56}, {cut(2*chunkSize + 1), 8}, {cut(0), 0},
		},
		"l/f": {{write(1, chunkSize), 64}, {cut(chunkSize + 4096), 40}, {punch(0, chunkSize), 8}},
	} {
		f, err := tr.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o644)
		must(t, err)
		for i, s := range steps {
			before := tr.Clone()
			was := blocks(tr, name)
			must(t, s.do(f))
			if got := blocks(tr, name); got != s.want {
				t.Errorf("%s: step %d: %d blocks, want %d", name, i, got, s.want)
			}
			if got := blocks(before, name); got != was {
				t.Errorf("%s: step %d: a clone has %d blocks, had %d", name, i, got, was)
			}
			if msg := tr.audit(); msg != "" {
				t.Errorf("%s: step %d: %s", name, i, msg)
			}
		}
	}
}
