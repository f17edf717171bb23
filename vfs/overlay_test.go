package vfs

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"
)

func file(text string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(text), Mode: 0o644} }

// listing returns all paths of a tree with the content of files, one a line.
func listing(t testing.TB, tr *Tree) string {
	t.Helper()
	var b strings.Builder
	must(t, fs.WalkDir(tr.FS(), ".", func(name string, d fs.DirEntry, err error) error {
		must(t, err)
		switch {
		case name == ".":
		case d.IsDir():
			b.WriteString(name + "/\n")
		case d.Type() == fs.ModeSymlink:
			target, err := tr.Readlink(name)
			must(t, err)
			b.WriteString(name + " -> " + target + "\n")
		default:
			b.WriteString(name + " " + text(t, tr, name) + "\n")
		}
		return nil
	}))
	return b.String()
}

func TestMountOverlay(t *testing.T) {
	for _, c := range []struct {
		name   string
		layers []fstest.MapFS
		want   string
	}{
		{"no layers", nil, ""},
		{"one", []fstest.MapFS{{"a/f": file("1"), "l": {Data: []byte("a"), Mode: fs.ModeSymlink}}}, "a/\na/f 1\nl -> a\n"},
		{"upper hides lower", []fstest.MapFS{{"f": file("1"), "g": file("1")}, {"f": file("2")}}, "f 2\ng 1\n"},
		{"directories merge", []fstest.MapFS{{"a/f": file("1")}, {"a/g": file("2")}, {"a/b/h": file("3")}},
			"a/\na/b/\na/b/h 3\na/f 1\na/g 2\n"},
		{"file over directory", []fstest.MapFS{{"a/f": file("1")}, {"a": file("2")}}, "a 2\n"},
		{"directory over file", []fstest.MapFS{{"a": file("1")}, {"a/f": file("2")}}, "a/\na/f 2\n"},
		{"directory over file over directory", []fstest.MapFS{{"a/g": file("1")}, {"a": file("2")}, {"a/f": file("3")}}, "a/\na/f 3\n"},
		{"link over directory", []fstest.MapFS{{"a/f": file("1")}, {"a": {Data: []byte("x"), Mode: fs.ModeSymlink}}}, "a -> x\n"},
		{"whiteout", []fstest.MapFS{{"f": file("1"), "d/g": file("1"), "h": file("1")}, {".wh.f": file(""), ".wh.d": file("")}}, "h 1\n"},
		{"whiteout of one layer only", []fstest.MapFS{{"f": file("1")}, {".wh.f": file("")}, {"f": file("3")}}, "f 3\n"},
		{"whiteout between directories", []fstest.MapFS{{"d/f": file("1")}, {".wh.d": file("")}, {"d/g": file("3")}}, "d/\nd/g 3\n"},
		{"whiteout beside its name", []fstest.MapFS{{"d/f": file("1")}, {".wh.d": file(""), "d/g": file("2")}}, "d/\nd/g 2\n"},
		{"whiteout in a directory", []fstest.MapFS{{"d/f": file("1"), "d/g": file("1")}, {"d/.wh.f": file("")}}, "d/\nd/g 1\n"},
		{"opaque", []fstest.MapFS{{"d/f": file("1"), "e": file("1")}, {"d/.wh..wh..opq": file(""), "d/g": file("2")}}, "d/\nd/g 2\ne 1\n"},
		{"opaque root", []fstest.MapFS{{"d/f": file("1")}, {".wh..wh..opq": file(""), "e": file("2")}}, "e 2\n"},
		{"whiteout of nothing", []fstest.MapFS{{"f": file("1")}, {".wh.g": file(""), ".wh.": file("")}}, "f 1\n"},
		{"metadata", []fstest.MapFS{{".wh..wh.plnk/1": file(""), ".wh..wh.aufs": file("")}}, ""},
	} {
		for _, at := range []string{"/", "some/where"} {
			tr := New(Config{})
			var layers []fs.FS
			for _, l := range c.layers {
				layers = append(layers, l)
			}
			if err := tr.MountOverlay(at, layers...); err != nil {
				t.Errorf("%s: %v", c.name, err)
				continue
			}
			want := c.want
			if at != "/" {
				want = "some/\nsome/where/\n" + prefixed("some/where/", want)
			}
			if got := listing(t, tr); got != want {
				t.Errorf("%s:\n%swant\n%s", c.name, got, want)
			}
			if msg := tr.audit(); msg != "" {
				t.Errorf("%s: %s", c.name, msg)
			}
		}
	}
}

func prefixed(prefix, lines string) string {
	if lines == "" {
		return ""
	}
	return prefix + strings.ReplaceAll(strings.TrimSuffix(lines, "\n"), "\n", "\n"+prefix) + "\n"
}

// TestOverlayChange does to what comes from layers what can be done to any file.
func TestOverlayChange(t *testing.T) {
	when := time.Unix(1e9, 5)
	lower := fstest.MapFS{
		"d/f": {Data: []byte("0123456789"), Mode: 0o640, ModTime: when}, "d/g": file("g"), "e": {Mode: fs.ModeDir | 0o700, ModTime: when},
	}
	base := New(Config{UID: 7})
	must(t, base.MountOverlay("/m", lower, fstest.MapFS{"d/h": file("h")}))
	if u := base.Usage(); u != (Usage{Files: 6}) {
		t.Errorf("usage %+v", u)
	}
	i, err := base.Stat("m/d/f")
	if must(t, err); i.Mode() != 0o640 || !i.ModTime().Equal(when) || i.(Info).UID() != 7 || i.(Info).Dev() != 1 {
		t.Errorf("%+v", i)
	}
	if i, err := base.Stat("m/e"); err != nil || i.Mode() != fs.ModeDir|0o700 || !i.ModTime().Equal(when) {
		t.Errorf("%+v, %v", i, err)
	}
	tr := base.CloneWith(Config{})
	f, err := tr.OpenFile("m/d/f", os.O_RDWR, 0)
	must(t, err)
	_, err = f.WriteAt([]byte("xx"), 4)
	must(t, err)
	_, err = f.Seek(0, io.SeekEnd)
	must(t, err)
	_, err = f.WriteString("end")
	must(t, err)
	must(t, tr.Rename("m/d/g", "out"))
	must(t, tr.Link("out", "m/linked"))
	must(t, tr.Remove("m/d/h"))
	must(t, tr.Rename("m/d", "m/e/d"))
	want := "m/\nm/e/\nm/e/d/\nm/e/d/f 0123xx6789end\nm/linked g\nout g\n"
	if got := listing(t, tr); got != want {
		t.Errorf("%swant\n%s", got, want)
	}
	if u := tr.Usage(); u != (Usage{Bytes: 13, Files: 1}) {
		t.Errorf("usage %+v", u)
	}
	if got := text(t, base, "m/d/f"); got != "0123456789" {
		t.Errorf("the base has %q", got)
	}
	if string(lower["d/f"].Data) != "0123456789" {
		t.Error("the layer was written to")
	}
	if err := sameTree(restore(t, base, record(t, tr, base)), tr); err != nil {
		t.Error(err)
	}
}

func TestOverlayRefuses(t *testing.T) {
	full := New(Config{})
	must(t, full.MkdirAll("d/f", 0o755))
	mounted := New(Config{})
	must(t, mounted.MountFS("d", fstest.MapFS{}))
	deep := fstest.MapFS{strings.Repeat("d/", 2100) + "f": file("")}
	for _, c := range []struct {
		name  string
		tr    *Tree
		layer fs.FS
		want  error
	}{
		{"not empty", full, fstest.MapFS{}, ErrNotEmpty},
		{"a mount", mounted, fstest.MapFS{}, ErrCrossDevice},
		{"device", New(Config{}), fstest.MapFS{"x": {Mode: deviceType}}, ErrNotSupported},
		{"too many", New(Config{MaxFiles: 2}), fstest.MapFS{"x": file(""), "y": file("")}, ErrTooManyFiles},
		{"too deep", New(Config{}), deep, ErrNameTooLong},
		{"no listing", New(Config{}), noListFS{}, fs.ErrPermission},
		{"too large", New(Config{}), &lyingFS{size: maxFileSize + 1}, ErrTooLarge},
	} {
		if err := c.tr.MountOverlay("d", c.layer); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", c.name, err)
		}
		if list, _ := c.tr.ReadDir("d"); c.tr != full && len(list) != 0 {
			t.Errorf("%s: there is %v", c.name, list)
		}
	}
}

type noListFS struct{}

func (noListFS) Open(string) (fs.File, error) { return nil, fs.ErrPermission }

// lyingFS has one file "f", with more size than content, or none that can be read.
type lyingFS struct {
	size int64
	err  error
}

func (l *lyingFS) inner() fstest.MapFS { return fstest.MapFS{"f": file("short")} }

func (l *lyingFS) Stat(name string) (fs.FileInfo, error) {
	if name == "f" {
		return &foreignInfo{name: "f", size: l.size, mode: 0o644}, nil
	}
	return l.inner().Stat(name)
}

func (l *lyingFS) Open(name string) (fs.File, error) {
	if name == "f" && l.err != nil {
		return nil, l.err
	}
	return l.inner().Open(name)
}

func TestOverlayLies(t *testing.T) {
	for _, c := range []struct {
		fsys fs.FS
		want error
	}{
		{&lyingFS{size: 100}, errNonsense},
		{&lyingFS{size: maxFileSize}, errNonsense},
		{&lyingFS{size: 5, err: fs.ErrPermission}, fs.ErrPermission},
	} {
		tr := New(Config{})
		before := tr.Clone()
		must(t, tr.MountOverlay("m", c.fsys))
		f, err := tr.OpenFile("m/f", os.O_RDWR, 0)
		must(t, err)
		_, err = f.Read(make([]byte, 10))
		_, werr := f.WriteAt([]byte("x"), 50)
		_, aerr := f.WriteAt([]byte("x"), 0)
		cerr := tr.Changes(before, &recording{})
		for what, err := range map[string]error{"read": err, "write": aerr, "changes": cerr} {
			if !errors.Is(err, c.want) {
				t.Errorf("%v: %s: %v", c.fsys, what, err)
			}
		}
		if c.fsys.(*lyingFS).size > 50 && werr == nil {
			t.Errorf("%v: wrote", c.fsys)
		}
		must(t, f.Truncate(0))
		_, err = f.WriteAt([]byte("new"), 0)
		must(t, err)
		if got := text(t, tr, "m/f"); got != "new" {
			t.Errorf("%q", got)
		}
	}
}

// countingFS counts what is read of its one file "f", which has io.ReaderAt or not.
type countingFS struct {
	content []byte
	whole   bool
	mu      sync.Mutex
	opened  int
	read    int64
}

type countingFile struct {
	*bytes.Reader
	fsys *countingFS
}

func (c *countingFS) Stat(name string) (fs.FileInfo, error) {
	if name == "f" {
		return &foreignInfo{name: "f", size: int64(len(c.content)), mode: 0o644}, nil
	}
	return fstest.MapFS{"f": file("")}.Stat(name)
}

func (c *countingFS) Open(name string) (fs.File, error) {
	if name != "f" {
		return fstest.MapFS{"f": file("")}.Open(name)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.opened++
	f := &countingFile{bytes.NewReader(c.content), c}
	if c.whole {
		return struct{ fs.File }{f}, nil
	}
	return f, nil
}

func (f *countingFile) Stat() (fs.FileInfo, error) { return f.fsys.Stat("f") }
func (f *countingFile) Close() error               { return nil }
func (f *countingFile) ReadAt(p []byte, off int64) (int, error) {
	f.fsys.mu.Lock()
	defer f.fsys.mu.Unlock()
	f.fsys.read += int64(len(p))
	return f.Reader.ReadAt(p, off)
}

// TestOverlayLazy looks at what is read of a layer: nothing before it is asked for, little then, and once.
func TestOverlayLazy(t *testing.T) {
	content := make([]byte, 100*chunkSize+77)
	for i := range content {
		content[i] = byte(i >> 10)
	}
	fsys := &countingFS{content: content}
	base := New(Config{})
	must(t, base.MountOverlay("m", fsys))
	trees := []*Tree{base, base.Clone(), base.CloneWith(Config{})}
	must(t, trees[1].Rename("m/f", "m/g"))
	record(t, trees[1], base)
	if fsys.opened != 0 {
		t.Errorf("opened %d times before it was read", fsys.opened)
	}
	for i, name := range []string{"m/f", "m/g", "m/f"} {
		f, err := trees[i].OpenFile(name, os.O_RDWR, 0)
		must(t, err)
		p := make([]byte, 5000)
		_, err = f.ReadAt(p, 50*chunkSize)
		if must(t, err); !bytes.Equal(p, content[50*chunkSize:][:5000]) {
			t.Error("read something else")
		}
		if fsys.opened != 1 || fsys.read != ahead*chunkSize {
			t.Errorf("opened %d times, read %d bytes", fsys.opened, fsys.read)
		}
		must(t, f.Close())
	}
	f, err := trees[2].OpenFile("m/f", os.O_RDWR, 0)
	must(t, err)
	_, err = f.WriteAt([]byte("x"), 99*chunkSize)
	must(t, err)
	if fsys.opened != 2 {
		t.Errorf("opened %d times", fsys.opened)
	}
	if u := trees[2].Usage(); u.Bytes != chunkSize {
		t.Errorf("a byte costs %d", u.Bytes)
	}
	must(t, f.Truncate(3))
	must(t, f.Truncate(30))
	if got := text(t, trees[2], "m/f"); got != strings.Repeat("\x00", 30) {
		t.Errorf("%q", got)
	}
	if fsys.opened != 3 {
		t.Errorf("opened %d times", fsys.opened)
	}
	if got := text(t, base, "m/f"); got != string(content) {
		t.Error("the base has something else")
	}
}

// TestOverlayWhole reads a file that can't be read at an offset: once, whatever is read of it, by many at once.
func TestOverlayWhole(t *testing.T) {
	content := bytes.Repeat([]byte("layer"), 10*chunkSize)
	fsys := &countingFS{content: content, whole: true}
	base := New(Config{})
	must(t, base.MountOverlay("m", fsys))
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			tr := base.Clone()
			f, err := tr.OpenFile("m/f", os.O_RDWR, 0)
			if err != nil {
				t.Error(err)
				return
			}
			p := make([]byte, len(content))
			if i%2 == 0 {
				f.WriteAt([]byte("l"), int64(5*i*chunkSize))
			}
			if n, _ := f.ReadAt(p, 0); !bytes.Equal(p[:n], content) {
				t.Error("read something else")
			}
		})
	}
	wg.Wait()
	if fsys.opened != 1 {
		t.Errorf("opened %d times", fsys.opened)
	}
}
