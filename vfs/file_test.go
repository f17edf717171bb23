package vfs

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"math"
	"os"
	"testing"
	"time"
)

// ticker is a clock that goes on by a second with each look.
func ticker() func() time.Time {
	var n int64
	return func() time.Time {
		n++
		return time.Unix(n, 0)
	}
}

func TestAppend(t *testing.T) {
	tr := New(Config{})
	must(t, tr.WriteFile("f", []byte("0123"), 0o644))
	f, err := tr.OpenFile("f", os.O_RDWR|os.O_APPEND, 0)
	must(t, err)
	if !f.Append() {
		t.Error("Append is not reported")
	}
	_, err = f.WriteAt([]byte("x"), 1)
	must(t, err)
	_, err = f.WriteString("4")
	must(t, err)
	if off, _ := f.Seek(0, io.SeekCurrent); off != 5 {
		t.Errorf("offset %d after appending, want 5", off)
	}
	f.SetAppend(false)
	_, err = f.Seek(2, io.SeekStart)
	must(t, err)
	_, err = f.WriteString("y")
	must(t, err)
	must(t, f.Close())
	if got := text(t, tr, "f"); got != "0xy34" {
		t.Errorf("got %q", got)
	}
}

func TestFileErrors(t *testing.T) {
	tr := New(Config{})
	must(t, tr.WriteFile("f", []byte("0123"), 0o644))
	must(t, tr.Mkdir("d", 0o755))
	open := func(name string, flag int) *File {
		f, err := tr.OpenFile(name, flag, 0)
		must(t, err)
		return f
	}
	r, w, d, gone := open("f", os.O_RDONLY), open("f", os.O_WRONLY), open("d", os.O_RDONLY), open("f", os.O_RDWR)
	must(t, gone.Close())
	buf := make([]byte, 1)
	first := func(_ any, err error) error { return err }
	for _, row := range []struct {
		what string
		got  error
		want error
	}{
		{"read of a write-only file", first(w.Read(buf)), ErrBadFile},
		{"write to a read-only file", first(r.Write(buf)), ErrBadFile},
		{"pwrite to a read-only file", first(r.WriteAt(buf, 0)), ErrBadFile},
		{"truncate of a read-only file", r.Truncate(0), fs.ErrInvalid},
		{"allocate in a read-only file", r.Allocate(0, 1), ErrBadFile},
		{"read of a directory", first(d.Read(buf)), ErrIsDir},
		{"write to a directory", first(d.Write(buf)), ErrBadFile},
		{"listing of a file", first(r.ReadDir(1)), ErrNotDir},
		{"negative offset", first(r.ReadAt(buf, -1)), fs.ErrInvalid},
		{"negative write offset", first(w.WriteAt(buf, -1)), fs.ErrInvalid},
		{"negative size", w.Truncate(-1), fs.ErrInvalid},
		{"huge size", w.Truncate(maxFileSize + 1), ErrTooLarge},
		{"write beyond the largest size", first(w.WriteAt(buf, maxFileSize)), ErrTooLarge},
		{"write at the end of numbers", first(w.WriteAt(buf, math.MaxInt64)), fs.ErrInvalid},
		{"allocate beyond the largest size", w.Allocate(math.MaxInt64, math.MaxInt64), ErrTooLarge},
		{"allocate nothing", w.Allocate(0, 0), fs.ErrInvalid},
		{"seek before the start", first(r.Seek(-1, io.SeekStart)), fs.ErrInvalid},
		{"seek overflow", first(func() (int64, error) { r.Seek(1, 0); return r.Seek(math.MaxInt64, io.SeekCurrent) }()), fs.ErrInvalid},
		{"seek from nowhere", first(r.Seek(0, 9)), fs.ErrInvalid},
		{"Dir of a file", first(r.Dir()), ErrNotDir},
		{"read after close", first(gone.Read(buf)), fs.ErrClosed},
		{"write after close", first(gone.Write(buf)), fs.ErrClosed},
		{"stat after close", first(gone.Stat()), fs.ErrClosed},
		{"second close", gone.Close(), fs.ErrClosed},
		{"open for nothing", first(tr.OpenFile("f", os.O_WRONLY|os.O_RDWR, 0)), fs.ErrInvalid},
		{"create a directory by open", first(tr.OpenFile("new", os.O_CREATE|O_DIRECTORY, 0)), fs.ErrInvalid},
		{"name with NUL", tr.Mkdir("a\x00b", 0o755), fs.ErrInvalid},
		{"link of a directory", tr.Link("d", "e"), ErrNotPermitted},
		{"owner out of range", tr.Chown("f", -2, 0), fs.ErrInvalid},
	} {
		var pe *fs.PathError
		var le *os.LinkError
		if !errors.Is(row.got, row.want) || !errors.As(row.got, &pe) && !errors.As(row.got, &le) {
			t.Errorf("%s: %v, want %v in a *fs.PathError or *os.LinkError", row.what, row.got, row.want)
		}
	}
}

func TestPartialWriteAtLargestSize(t *testing.T) {
	tr := New(Config{})
	f, err := tr.Create("f")
	must(t, err)
	defer f.Close()
	n, err := f.WriteAt([]byte("abcd"), maxFileSize-2)
	if n != 2 || !errors.Is(err, ErrTooLarge) {
		t.Errorf("wrote %d, %v", n, err)
	}
	buf := make([]byte, 10)
	if n, err := f.ReadAt(buf, maxFileSize-4); n != 4 || err != io.EOF || string(buf[:4]) != "\x00\x00ab" {
		t.Errorf("read %q, %v", buf[:n], err)
	}
}

// TestReadFileSparse: what a guest can make for nothing must not cost the host its memory.
func TestReadFileSparse(t *testing.T) {
	tr := New(Config{})
	must(t, tr.WriteFile("f", nil, 0o644))
	must(t, tr.Truncate("f", maxFileSize))
	if _, err := tr.ReadFile("f"); !errors.Is(err, ErrTooLarge) {
		t.Errorf("ReadFile: %v", err)
	}
	if _, err := fs.ReadFile(tr.FS(), "f"); !errors.Is(err, ErrTooLarge) {
		t.Errorf("fs.ReadFile: %v", err)
	}
}

func TestOrphan(t *testing.T) {
	tr := New(Config{})
	must(t, tr.WriteFile("f", []byte("old"), 0o644))
	a, err := tr.OpenFile("f", os.O_RDWR, 0)
	must(t, err)
	b, err := tr.Open("f")
	must(t, err)
	must(t, tr.WriteFile("g", []byte("new"), 0o644))
	must(t, tr.Rename("g", "f"))
	_, err = a.WriteAt([]byte("O"), 0)
	must(t, err)
	buf := make([]byte, 3)
	if _, err := b.ReadAt(buf, 0); err != nil || string(buf) != "Old" {
		t.Errorf("%q, %v", buf, err)
	}
	if got := text(t, tr, "f"); got != "new" {
		t.Errorf("the name leads to %q", got)
	}
	must(t, a.Close())
	if _, err := b.ReadAt(buf, 0); err != nil {
		t.Errorf("after another File was closed: %v", err)
	}
	must(t, b.Close())
	if u := tr.Usage(); u != (Usage{Bytes: 3, Files: 1}) {
		t.Errorf("usage %+v", u)
	}
}

// TestTimes follows which call changes which times, on a clock where no two moments are the same.
func TestTimes(t *testing.T) {
	tr := New(Config{Now: ticker()})
	must(t, tr.Mkdir("d", 0o755))
	must(t, tr.WriteFile("d/f", []byte("text"), 0o644))
	must(t, tr.Mkdir("e", 0o755))
	read := func() error { _, err := tr.ReadFile("d/f"); return err }
	list := func() error { _, err := tr.ReadDir("d"); return err }
	for _, row := range []struct {
		what    string
		do      func() error
		name    string
		changed string
	}{
		{"read", read, "d/f", "a"},
		{"read again", read, "d/f", ""},
		{"write", func() error { return tr.WriteFile("d/f", []byte("text"), 0) }, "d/f", "mc"},
		{"read what changed", read, "d/f", "a"},
		{"write nothing", func() error {
			f, err := tr.OpenFile("d/f", os.O_WRONLY, 0)
			if err == nil {
				_, err = f.Write(nil)
			}
			return err
		}, "d/f", ""},
		{"truncate", func() error { return tr.Truncate("d/f", 1) }, "d/f", "mc"},
		{"chmod", func() error { return tr.Chmod("d/f", 0o600) }, "d/f", "c"},
		{"chown", func() error { return tr.Chown("d/f", 1, -1) }, "d/f", "c"},
		{"chtimes", func() error { return tr.Chtimes("d/f", time.Unix(5, 6), time.Time{}) }, "d/f", "ac"},
		{"link", func() error { return tr.Link("d/f", "e/g") }, "d/f", "c"},
		{"unlink of a link", func() error { return tr.Remove("e/g") }, "d/f", "c"},
		{"unlink", func() error { return tr.Rename("d/f", "d/h") }, "d", "mc"},
		{"list", list, "d", "a"},
		{"list again", list, "d", ""},
		{"rename away", func() error { return tr.Rename("d/h", "e/h") }, "d", "mc"},
		{"rename into", func() error { return tr.Rename("e/h", "d/f") }, "d", "mc"},
		{"rename", func() error { return tr.Rename("d/f", "e/f") }, "e/f", "c"},
		{"stat", func() error { _, err := tr.Stat("e/f"); return err }, "e/f", ""},
		{"create in", func() error { return tr.WriteFile("e/x", nil, 0o644) }, "e", "mc"},
		{"write in", func() error { return tr.WriteFile("e/x", []byte("y"), 0o644) }, "e", ""},
	} {
		before := row.name
		if row.what == "rename" {
			before = "d/f"
		}
		was := times(t, tr, before)
		must(t, row.do())
		is := times(t, tr, row.name)
		got := ""
		for i, c := range "amcb" {
			if was[i] != is[i] {
				got += string(c)
			}
		}
		if got != row.changed {
			t.Errorf("%s changed %q of %s, want %q", row.what, got, row.name, row.changed)
		}
	}
	must(t, tr.Chtimes("e/f", time.Unix(5, 6), time.Unix(7, 8)))
	if got := times(t, tr, "e/f"); !got[0].Equal(time.Unix(5, 6)) || !got[1].Equal(time.Unix(7, 8)) {
		t.Errorf("set times come back as %v", got)
	}
}

func times(t *testing.T, tr *Tree, name string) [4]time.Time {
	t.Helper()
	i, err := tr.Lstat(name)
	must(t, err)
	x := i.(Info)
	return [4]time.Time{x.Atime(), x.ModTime(), x.Ctime(), x.Btime()}
}

func TestTimesOutOfRange(t *testing.T) {
	tr := New(Config{})
	must(t, tr.WriteFile("f", nil, 0o644))
	far := time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)
	must(t, tr.Chtimes("f", far, time.Date(-5000, 1, 1, 0, 0, 0, 0, time.UTC)))
	if got := times(t, tr, "f"); got[0].Year() != 2262 || got[1].Year() != 1677 {
		t.Errorf("got years %d and %d", got[0].Year(), got[1].Year())
	}
}

func TestUmaskAndOwner(t *testing.T) {
	tr := New(Config{UID: 1000, GID: 100, Umask: 0o022})
	must(t, tr.WriteFile("f", nil, 0o666))
	must(t, tr.Mkdir("d", 0o777|fs.ModeSticky))
	for name, want := range map[string]fs.FileMode{"f": 0o644, "d": 0o755 | fs.ModeDir | fs.ModeSticky} {
		i, err := tr.Stat(name)
		must(t, err)
		if x := i.(Info); i.Mode() != want || x.UID() != 1000 || x.GID() != 100 {
			t.Errorf("%s: %v, uid %d, gid %d", name, i.Mode(), x.UID(), x.GID())
		}
	}
}

func TestLock(t *testing.T) {
	tr := New(Config{})
	must(t, tr.WriteFile("f", nil, 0o644))
	open := func() *File {
		f, err := tr.Open("f")
		must(t, err)
		return f
	}
	a, b, c, d := open(), open(), open(), open()
	must(t, a.Lock())
	must(t, a.Lock())
	order := make(chan string, 3) // Each goroutine ends with the lock it waits for, or with its File.
	wait := func(name string, f *File) {
		if err := f.Lock(); err != nil {
			name += " " + cause(err).Error()
		}
		order <- name
	}
	go wait("b", b)
	must(t, b.Unlock()) // Not the holder: nothing changes.
	select {
	case got := <-order:
		t.Fatalf("%s came in beside a", got)
	default:
	}
	must(t, a.Unlock())
	if got := <-order; got != "b" {
		t.Errorf("got %q", got)
	}
	go wait("c", c)
	must(t, c.Close())
	if got := <-order; got != "c "+fs.ErrClosed.Error() {
		t.Errorf("got %q", got)
	}
	must(t, b.Close()) // Gives the lock up.
	must(t, d.Lock())
	go wait("a", a)
	must(t, tr.Close())
	if got := <-order; got != "a "+fs.ErrClosed.Error() {
		t.Errorf("got %q", got)
	}
}

func TestClosedTree(t *testing.T) {
	tr := New(Config{})
	f, err := tr.Create("f")
	must(t, err)
	d := tr.Root()
	must(t, tr.Close())
	must(t, tr.Close())
	first := func(_ any, err error) error { return err }
	for what, err := range map[string]error{
		"open": first(tr.Open("f")), "mkdir": tr.Mkdir("d", 0o755), "remove": tr.RemoveAll("f"), "rename": d.Rename("f", d, "g"),
		"stat": first(d.Stat("f", true)), "read": first(f.Read(make([]byte, 1))), "write": first(f.Write([]byte("x"))),
		"fstat": first(f.Stat()), "clone": first(tr.Clone().Open("f")), "mount": tr.MountFS("m", os.DirFS(".")),
		"static": tr.AddStatic("s", nil, 0o644, time.Time{}),
	} {
		if !errors.Is(err, fs.ErrClosed) {
			t.Errorf("%s: %v", what, err)
		}
	}
	must(t, f.Close())
	if tr.Usage() != (Usage{}) {
		t.Error("a closed tree uses something")
	}
}

func TestStatic(t *testing.T) {
	content := bytes.Repeat([]byte("0123456789"), 5000)
	kept := bytes.Clone(content)
	tr := New(Config{MaxBytes: 2 * chunkSize, MaxFiles: 10})
	must(t, tr.AddStatic("usr/lib/s", content, 0o644, time.Unix(9, 0)))
	if u := tr.Usage(); u != (Usage{Files: 3}) {
		t.Errorf("usage %+v", u)
	}
	if err := tr.AddStatic("usr/lib/s", nil, 0o644, time.Time{}); !errors.Is(err, fs.ErrExist) {
		t.Errorf("adding again: %v", err)
	}
	i, err := tr.Stat("usr/lib/s")
	must(t, err)
	if !i.ModTime().Equal(time.Unix(9, 0)) || i.Size() != int64(len(content)) {
		t.Errorf("%v %d", i.ModTime(), i.Size())
	}
	f, err := tr.OpenFile("usr/lib/s", os.O_RDWR, 0)
	must(t, err)
	defer f.Close()
	_, err = f.WriteAt([]byte("X"), chunkSize+1)
	must(t, err)
	want := bytes.Clone(content)
	want[chunkSize+1] = 'X'
	if got := text(t, tr, "usr/lib/s"); got != string(want) || !bytes.Equal(content, kept) {
		t.Error("the write is lost, or went to the caller's memory")
	}
	if u := tr.Usage(); u.Bytes != chunkSize {
		t.Errorf("one piece costs %d bytes", u.Bytes)
	}
	must(t, f.Truncate(100))
	must(t, f.Truncate(200))
	if got := text(t, tr, "usr/lib/s"); got != string(kept[:100])+string(make([]byte, 100)) {
		t.Error("what was cut off came back")
	}
	if u := tr.Usage(); u.Bytes != 0 {
		t.Errorf("after the cut it costs %d bytes", u.Bytes)
	}
}

// TestAllocs: the calls that guests make most cost no garbage.
func TestAllocs(t *testing.T) {
	tr := New(Config{})
	must(t, tr.MkdirAll("a/b", 0o755))
	must(t, tr.WriteFile("a/b/f", make([]byte, 4*chunkSize), 0o644))
	f, err := tr.OpenFile("a/b/f", os.O_RDWR, 0)
	must(t, err)
	defer f.Close()
	d := tr.Root()
	buf := make([]byte, 4096)
	for what, do := range map[string]func() error{
		"pread":  func() error { _, err := f.ReadAt(buf, chunkSize-100); return err },
		"pwrite": func() error { _, err := f.WriteAt(buf, chunkSize-100); return err },
		"read":   func() error { f.Seek(0, io.SeekStart); _, err := f.Read(buf); return err },
		"write":  func() error { f.Seek(0, io.SeekStart); _, err := f.Write(buf); return err },
		"fstat":  func() error { _, err := f.Info(); return err },
		"stat":   func() error { _, err := d.Stat("a/b/../b/f", true); return err },
	} {
		if n := testing.AllocsPerRun(100, func() { must(t, do()) }); n > 0 {
			t.Errorf("%s allocates %v times", what, n)
		}
	}
}
