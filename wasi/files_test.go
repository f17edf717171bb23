package wasi

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/belljar-dev/belljar/vfs"
)

func TestStat(t *testing.T) {
	now := time.Unix(1700000000, 123456789)
	tree := vfs.New(vfs.Config{Now: func() time.Time { return now }})
	if err := tree.WriteFile("/f", []byte("12345"), 0o666); err != nil {
		t.Fatal(err)
	}
	if err := tree.Link("/f", "/g"); err != nil {
		t.Fatal(err)
	}
	info, err := tree.Stat("/f")
	if err != nil {
		t.Fatal(err)
	}
	g := newGuest(t, Config{Tree: tree, Clock: &fakeClock{}})
	fd := g.open("f", 0, fileRights)
	const atime, mtime = 1<<62 + 1, 5
	check := func(what string, want ...uint64) {
		t.Helper()
		var got []uint64
		for i := range uint32(8) {
			got = append(got, g.uint64(outPtr+8*i))
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: %d, want %d", what, got, want)
		}
	}
	ino, ns := info.(vfs.Info).Ino(), uint64(now.UnixNano())
	dev := info.(vfs.Info).Dev()
	g.must("fd_filestat_get", fd, outPtr)
	check("fd_filestat_get", dev, ino, uint64(typeRegularFile), 2, 5, ns, ns, ns)
	g.must("path_filestat_get", 3, 0, "g", outPtr)
	check("path_filestat_get", dev, ino, uint64(typeRegularFile), 2, 5, ns, ns, ns)

	g.must("fd_filestat_set_times", fd, uint64(atime), mtime, int(setAtime|setMtime))
	g.must("fd_filestat_get", fd, outPtr)
	check("set times", dev, ino, uint64(typeRegularFile), 2, 5, atime, mtime, ns)
	g.must("path_filestat_set_times", 3, 0, "g", 0, 0, int(setMtimeNow))
	g.must("fd_filestat_get", fd, outPtr)
	check("set to now", dev, ino, uint64(typeRegularFile), 2, 5, atime, uint64(fakeEpoch.UnixNano()), ns)
}

func TestTimestamp(t *testing.T) {
	for _, c := range []struct {
		t    time.Time
		want uint64
	}{
		{time.Unix(0, 0), 0},
		{time.Unix(1, 5), 1_000_000_005},
		{time.Unix(-1, 0), 0},
		{time.Time{}, 0},
		{time.Unix(18446744072, 0), 18446744072e9},
		{time.Unix(1<<40, 0), 1<<64 - 1},
	} {
		if got := timestamp(c.t); got != c.want {
			t.Errorf("%v: %d, want %d", c.t, got, c.want)
		}
	}
	for _, ns := range []uint64{0, 1, 1 << 63, 18446744072999999999} {
		if got := timestamp(timeOf(ns)); got != ns {
			t.Errorf("%d came back as %d", ns, got)
		}
	}
}

func TestReadWriteSeek(t *testing.T) {
	g := newGuest(t, Config{})
	fd := g.open("f", openCreate, fileRights)
	g.write(bufPtr, "hello, world")
	list, n := g.iovecs(bufPtr, 5, bufPtr, 0, bufPtr+5, 7)
	g.must("fd_write", fd, list, n, outPtr)
	if n := g.uint32(outPtr); n != 12 {
		t.Fatalf("wrote %d", n)
	}
	g.must("fd_seek", fd, -5, whenceEnd, outPtr)
	if at := g.uint64(outPtr); at != 7 {
		t.Errorf("at %d", at)
	}
	list, n = g.iovecs(bufPtr, 2, bufPtr+10, 100)
	g.must("fd_read", fd, list, n, outPtr)
	if got := g.read(bufPtr, 2) + g.read(bufPtr+10, 3); g.uint32(outPtr) != 5 || got != "world" {
		t.Errorf("read %d bytes, %q", g.uint32(outPtr), got)
	}
	if s, e := g.scan(fd, 10); s != "" || e != errSuccess {
		t.Errorf("at the end: %q %v", s, e)
	}
	list, n = g.iovecs(bufPtr, 3)
	g.must("fd_pread", fd, list, n, 7, outPtr)
	if got := g.read(bufPtr, g.uint32(outPtr)); got != "wor" {
		t.Errorf("pread %q", got)
	}
	g.must("fd_tell", fd, outPtr)
	if at := g.uint64(outPtr); at != 12 {
		t.Errorf("pread has moved the offset to %d", at)
	}
	g.must("fd_seek", fd, 20, whenceSet, outPtr)
	g.print(fd, "!")
	g.must("fd_filestat_get", fd, outPtr)
	if size := g.uint64(outPtr + 32); size != 21 {
		t.Errorf("size %d", size)
	}
}

func TestAppend(t *testing.T) {
	g := newGuest(t, Config{})
	g.must("path_open", 3, 0, "f", int(openCreate), fileRights, 0, int(flagAppend), outPtr)
	fd := g.uint32(outPtr)
	content := func(want string) {
		t.Helper()
		list, n := g.iovecs(bufPtr, 100)
		g.must("fd_pread", fd, list, n, 0, outPtr)
		if got := g.read(bufPtr, g.uint32(outPtr)); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	g.print(fd, "aaaa")
	g.must("fd_seek", fd, 0, whenceSet, outPtr)
	g.print(fd, "bb")
	content("aaaabb")
	g.write(bufPtr, "c")
	list, n := g.iovecs(bufPtr, 1)
	g.must("fd_pwrite", fd, list, n, 0, outPtr)
	content("caaabb")
	g.must("fd_fdstat_set_flags", fd, 0)
	g.must("fd_seek", fd, 1, whenceSet, outPtr)
	g.print(fd, "d")
	content("cdaabb")
	g.must("fd_fdstat_set_flags", fd, int(flagAppend|flagNonblock))
	g.must("fd_fdstat_get", fd, outPtr)
	if flags := fdFlags(g.uint32(outPtr) >> 16); flags != flagAppend|flagNonblock {
		t.Errorf("flags %#x", flags)
	}
	g.print(fd, "e")
	content("cdaabbe")
}

func TestAllocateAndSize(t *testing.T) {
	g := newGuest(t, Config{})
	fd := g.open("f", openCreate, fileRights)
	for _, c := range []struct {
		call string
		args args
		want uint64
	}{
		{"fd_allocate", args{fd, 0, 100}, 100},
		{"fd_allocate", args{fd, 10, 10}, 100},
		{"fd_allocate", args{fd, 90, 20}, 110},
		{"fd_filestat_set_size", args{fd, 30}, 30},
		{"fd_filestat_set_size", args{fd, 1 << 33}, 1 << 33},
	} {
		g.must(c.call, c.args...)
		g.must("fd_filestat_get", fd, outPtr)
		if size := g.uint64(outPtr + 32); size != c.want {
			t.Errorf("%s%v: size %d, want %d", c.call, c.args, size, c.want)
		}
	}
}

// TestQuota makes sure that the tree's limits are the guest's errors, and that what
// fitted was written.
func TestQuota(t *testing.T) {
	g := newGuest(t, Config{Tree: vfs.New(vfs.Config{MaxBytes: 64 << 10, MaxFiles: 4})})
	fd := g.open("f", openCreate, fileRights)
	total := uint32(0)
	for {
		n, e := g.print(fd, strings.Repeat("x", 8<<10))
		if e == errNospc {
			break
		}
		if total += n; e != errSuccess || total > 64<<10 {
			t.Fatalf("%d bytes written, %v", total, e)
		}
	}
	if total == 0 {
		t.Error("nothing written")
	}
	e := errSuccess
	for i := 0; e == errSuccess && i < 10; i++ {
		e = g.call("path_create_directory", 3, fmt.Sprint("d", i))
	}
	if e != errDquot {
		t.Errorf("too many files: %v", e)
	}
}

func TestReadlink(t *testing.T) {
	g := newGuest(t, Config{})
	g.must("path_symlink", "target", 3, "link")
	for _, c := range []struct {
		size uint32
		want string
	}{{10, "target\x00\x00\x00\x00"}, {4, "targ"}, {0, ""}} {
		g.write(bufPtr, strings.Repeat("\x00", 16))
		g.must("path_readlink", 3, "link", bufPtr, c.size, outPtr)
		if n := g.uint32(outPtr); n != min(c.size, 6) || g.read(bufPtr, c.size) != c.want {
			t.Errorf("%d bytes: %d, %q", c.size, n, g.read(bufPtr, c.size))
		}
	}
}

// entries decodes whole dirents, and gives the names and the last cookie.
func entries(t *testing.T, buf string) (names []string, next uint64) {
	t.Helper()
	for len(buf) >= sizeDirent {
		n := int(binary.LittleEndian.Uint32([]byte(buf[16:])))
		if len(buf) < sizeDirent+n {
			break
		}
		names = append(names, buf[sizeDirent:sizeDirent+n])
		next = binary.LittleEndian.Uint64([]byte(buf))
		buf = buf[sizeDirent+n:]
	}
	return names, next
}

// TestReaddir lists a folder through buffers of many sizes, as a C library does:
// from the cookie of the last whole entry, until a buffer isn't filled.
func TestReaddir(t *testing.T) {
	tree := vfs.New(vfs.Config{})
	want := []string{".", ".."}
	for i := range 600 {
		name := fmt.Sprintf("%0*d", i%20+1, i)
		want = append(want, name)
		if err := tree.WriteFile("/"+name, nil, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	slices.Sort(want)
	g := newGuest(t, Config{Tree: tree})
	for _, size := range []uint32{45, 64, 100, 256, 4096, 30000} {
		var got []string
		for cookie := uint64(0); ; {
			g.must("fd_readdir", 3, bufPtr, size, cookie, outPtr)
			used := g.uint32(outPtr)
			names, next := entries(t, g.read(bufPtr, used))
			got = append(got, names...)
			if used < size {
				break
			}
			if cookie = next; len(names) == 0 {
				t.Fatalf("no whole entry in %d bytes", size)
			}
		}
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("buffers of %d bytes: %d names, want %d", size, len(got), len(want))
		}
	}
	// A buffer too small for the first entry holds the beginning of it.
	g.must("fd_readdir", 3, bufPtr, 10, 0, outPtr)
	if n := g.uint32(outPtr); n != 10 {
		t.Errorf("used %d of 10 bytes", n)
	}
}

func TestReaddirEntry(t *testing.T) {
	g := newFixture(t)
	g.must("path_filestat_get", fdDir, 0, "climber", outPtr)
	ino := g.uint64(outPtr + 8)
	g.must("fd_readdir", fdDir, bufPtr, 1000, 0, outPtr)
	buf := g.read(bufPtr, g.uint32(outPtr))
	i := strings.Index(buf, "climber") - sizeDirent
	if i < 0 {
		t.Fatalf("not in %q", buf)
	}
	if got := binary.LittleEndian.Uint64([]byte(buf[i+8:])); got != ino {
		t.Errorf("inode %d, want %d", got, ino)
	}
	if typ := fileType(buf[i+20]); typ != typeSymbolicLink {
		t.Errorf("type %d", typ)
	}
}

func TestOpenLimit(t *testing.T) {
	tree := vfs.New(vfs.Config{})
	g := newGuest(t, Config{Tree: tree, MaxFiles: 5})
	fd := g.open("a", openCreate, fileRights)
	g.want(errMfile, "path_open", 3, 0, "b", int(openCreate), 0, 0, 0, outPtr)
	if _, err := tree.Stat("/b"); err == nil {
		t.Error("a file was made without a descriptor for it")
	}
	g.must("fd_close", fd)
	if again := g.open("a", 0, fileRights); again != fd {
		t.Errorf("descriptor %d, want the lowest, %d", again, fd)
	}
}

func TestRenumber(t *testing.T) {
	g := newGuest(t, Config{})
	a, b := g.open("a", openCreate, rightFdWrite), g.open("b", openCreate, rightFdRead)
	g.print(a, "to a")
	g.must("fd_renumber", a, b)
	g.want(errBadf, "fd_close", a)
	g.print(b, ", too")
	g.must("path_filestat_get", 3, 0, "a", outPtr)
	if size := g.uint64(outPtr + 32); size != 9 {
		t.Errorf("size %d", size)
	}
	g.must("fd_renumber", 3, b)
	g.want(errBadf, "fd_prestat_get", 3, outPtr)
	g.must("fd_prestat_get", b, outPtr)
}

func TestUnlinkedFileLives(t *testing.T) {
	g := newGuest(t, Config{})
	fd := g.open("f", openCreate, fileRights)
	g.must("path_unlink_file", 3, "f")
	g.print(fd, "still here")
	g.must("fd_seek", fd, 0, whenceSet, outPtr)
	if s, _ := g.scan(fd, 100); s != "still here" {
		t.Errorf("%q", s)
	}
}
