package wasi

import (
	"bytes"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/belljar-dev/belljar/vfs"
)

func TestArguments(t *testing.T) {
	g := newGuest(t, Config{Args: []string{"prog", "", "ü"}, Env: []string{"B=2", "A="}})
	for _, c := range []struct {
		sizes, get string
		want       []string
	}{
		{"args_sizes_get", "args_get", []string{"prog", "", "ü"}},
		{"environ_sizes_get", "environ_get", []string{"B=2", "A="}},
	} {
		g.must(c.sizes, outPtr, outPtr+4)
		count, size := g.uint32(outPtr), g.uint32(outPtr+4)
		g.must(c.get, outPtr, bufPtr)
		var got []string
		for i := range count {
			s, _, _ := strings.Cut(g.read(g.uint32(outPtr+4*i), 100), "\x00")
			got = append(got, s)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", c.get, got, c.want)
		}
		if want := len(strings.Join(c.want, "\x00")) + 1; int(size) != want {
			t.Errorf("%s: %d bytes, want %d", c.sizes, size, want)
		}
	}
}

func TestNoArguments(t *testing.T) {
	g := newGuest(t, Config{})
	for _, call := range []string{"args_sizes_get", "environ_sizes_get"} {
		g.must(call, outPtr, outPtr+4)
		if count, size := g.uint32(outPtr), g.uint32(outPtr+4); count != 0 || size != 0 {
			t.Errorf("%s: %d of %d bytes", call, count, size)
		}
	}
}

func TestConfig(t *testing.T) {
	tree := vfs.New(vfs.Config{})
	for _, c := range []struct {
		name string
		cfg  Config
		want string // in the error; empty if it is good
	}{
		{"zero but for the tree", Config{Tree: tree}, ""},
		{"no tree", Config{}, "no Tree"},
		{"NUL in an argument", Config{Tree: tree, Args: []string{"a", "b\x00"}}, "arguments: number 1"},
		{"NUL in the environment", Config{Tree: tree, Env: []string{"a=\x00"}}, "environment: number 0"},
		{"no name", Config{Tree: tree, Env: []string{"=x"}}, "NAME=value"},
		{"no value", Config{Tree: tree, Env: []string{"x"}}, "NAME=value"},
		{"arguments too long", Config{Tree: tree, Args: []string{strings.Repeat("x", maxArguments)}}, "2 MiB"},
		{"many arguments", Config{Tree: tree, Args: make([]string, maxArguments+1)}, "2 MiB"},
		{"relative directory", Config{Tree: tree, Dir: "home"}, "working directory"},
		{"NUL in the directory", Config{Tree: tree, Dir: "/\x00"}, "working directory"},
		{"too few files", Config{Tree: tree, MaxFiles: 3}, "MaxFiles"},
		{"negative files", Config{Tree: tree, MaxFiles: -1}, "MaxFiles"},
		{"too many files", Config{Tree: tree, MaxFiles: maxMaxFiles + 1}, "MaxFiles"},
	} {
		h, err := NewHost(c.cfg)
		switch {
		case c.want == "" && err != nil, c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		case err == nil:
			if err := h.Close(); err != nil {
				t.Error(err)
			}
			if err := h.Close(); err != nil {
				t.Errorf("second Close: %v", err)
			}
		}
	}
}

// TestStandardDescriptors checks what a C library finds at its start.
func TestStandardDescriptors(t *testing.T) {
	g := newGuest(t, Config{Dir: "/home/user"})
	for fd, want := range []struct {
		typ              fileType
		base, inheriting rights
	}{
		{typeUnknown, inputRights, 0},
		{typeUnknown, outputRights, 0},
		{typeUnknown, outputRights, 0},
		{typeDirectory, dirRights, dirRights | fileRights},
	} {
		g.must("fd_fdstat_get", fd, outPtr)
		if typ := fileType(g.read(outPtr, 1)[0]); typ != want.typ {
			t.Errorf("fd %d: type %d, want %d", fd, typ, want.typ)
		}
		if base, inheriting := rights(g.uint64(outPtr+8)), rights(g.uint64(outPtr+16)); base != want.base || inheriting != want.inheriting {
			t.Errorf("fd %d: rights %x %x, want %x %x", fd, base, inheriting, want.base, want.inheriting)
		}
	}
	g.must("fd_prestat_get", 3, outPtr)
	if tag, n := g.uint32(outPtr), g.uint32(outPtr+4); tag != preopenDirectory || n != 1 {
		t.Errorf("prestat %d %d", tag, n)
	}
	g.must("fd_prestat_dir_name", 3, outPtr, 1)
	if name := g.read(outPtr, 1); name != "/" {
		t.Errorf("preopened as %q", name)
	}
	g.must("proc_cwd_get", bufPtr, 100, outPtr)
	if dir := g.read(bufPtr, g.uint32(outPtr)); dir != "/home/user" {
		t.Errorf("working directory %q", dir)
	}
}

// writes records what each Write was given.
type writes []string

func (w *writes) Write(b []byte) (int, error) {
	*w = append(*w, string(b))
	return len(b), nil
}

func TestSmallWritesInOnePiece(t *testing.T) {
	var out writes
	g := newGuest(t, Config{Stdout: &out})
	g.write(bufPtr, "abcdef")
	list, n := g.iovecs(bufPtr, 2, bufPtr+2, 0, bufPtr+2, 4)
	g.must("fd_write", 1, list, n, outPtr)
	list, n = g.iovecs(bufPtr, 6)
	g.must("fd_write", 1, list, n, outPtr)
	if want := []string{"abcdef", "abcdef"}; !slices.Equal(out, want) || g.uint32(outPtr) != 6 {
		t.Errorf("%q, want %q", out, want)
	}
	out = nil
	list, n = g.iovecs(bufPtr, 0, bufPtr, 0)
	g.must("fd_write", 1, list, n, outPtr)
	if len(out) != 0 || g.uint32(outPtr) != 0 {
		t.Errorf("nothing was written in %d pieces", len(out))
	}
	list, n = g.iovecs(bufPtr, 1, bufPtr, pipeAtomic)
	g.must("fd_write", 1, list, n, outPtr)
	if len(out) != 2 || g.uint32(outPtr) != pipeAtomic+1 {
		t.Errorf("%d pieces, %d bytes", len(out), g.uint32(outPtr))
	}
}

func TestOutputErrors(t *testing.T) {
	for _, c := range []struct {
		w    io.Writer
		want errno
		n    uint32
	}{
		{failingWriter{0, io.ErrClosedPipe}, errPipe, 0},
		{failingWriter{0, io.ErrUnexpectedEOF}, errIo, 0},
		{failingWriter{2, io.ErrUnexpectedEOF}, errSuccess, 2},
		{failingWriter{2, nil}, errSuccess, 2},
		{failingWriter{0, nil}, errIo, 0},
		{failingWriter{100, nil}, errIo, 0},
		{failingWriter{-1, nil}, errIo, 0},
	} {
		g := newGuest(t, Config{Stdout: c.w})
		n, e := g.print(1, "hello")
		if e != c.want || e == errSuccess && n != c.n {
			t.Errorf("%+v: %d, %v", c.w, n, e)
		}
	}
}

type failingWriter struct {
	n   int
	err error
}

func (w failingWriter) Write([]byte) (int, error) { return w.n, w.err }

func TestRandom(t *testing.T) {
	g := newGuest(t, Config{Random: bytes.NewReader(bytes.Repeat([]byte("seed"), 1<<15))})
	g.must("random_get", bufPtr, 100000)
	if got := g.read(bufPtr, 100000); got != strings.Repeat("seed", 25000) {
		t.Error("random bytes aren't those of the source")
	}
	g.want(errIo, "random_get", bufPtr, 100000) // the source ends
	g = newGuest(t, Config{})
	g.must("random_get", bufPtr, 32)
	g.must("random_get", bufPtr+32, 32)
	if g.read(bufPtr, 32) == g.read(bufPtr+32, 32) {
		t.Error("the same random bytes twice")
	}
}
