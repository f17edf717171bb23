package vfs

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"testing"
	"testing/fstest"
	"time"
)

// openKinds returns a tree, with a File of each kind.
func openKinds(t *testing.T) (*Tree, []*File) {
	t.Helper()
	tr := New(Config{})
	must(t, tr.WriteFile("f", []byte("0123456789"), 0o644))
	must(t, tr.MkdirAll("d/sub", 0o755))
	must(t, tr.WriteFile("d/one", nil, 0o644))
	must(t, tr.WriteFile("d/two", nil, 0o644))
	must(t, tr.Root().Mkfifo("fifo", 0o644))
	must(t, tr.AddDevice("dev", 0o644, echo{}))
	must(t, tr.MountFS("layer", fstest.MapFS{"in/g": {Data: []byte("layered")}}))
	must(t, tr.MountHost("host", t.TempDir(), false))
	must(t, tr.WriteFile("host/h", []byte("hosted"), 0o644))
	var files []*File
	for _, o := range []struct {
		name string
		flag int
	}{
		{"f", os.O_RDWR}, {"f", os.O_WRONLY | os.O_APPEND}, {"orphan", os.O_RDWR | os.O_CREATE}, {"d", 0}, {"dev", os.O_RDWR},
		{"layer/in/g", 0}, {"layer/in", 0}, {"host/h", os.O_RDWR}, {"fifo", os.O_RDONLY}, {"fifo", os.O_WRONLY},
	} {
		f, err := tr.OpenFile(o.name, o.flag, 0o644)
		must(t, err)
		files = append(files, f)
	}
	_, err := files[0].Seek(3, io.SeekStart)
	must(t, err)
	_, err = files[2].WriteString("nameless")
	must(t, err)
	must(t, tr.Remove("orphan"))
	_, err = files[3].ReadDir(1)
	must(t, err)
	_, err = files[5].Seek(2, io.SeekStart)
	must(t, err)
	_, err = files[9].WriteString("piped")
	must(t, err)
	return tr, files
}

type echo struct{}

func (echo) Read(p []byte) (int, error)  { return copy(p, "echo"), nil }
func (echo) Write(p []byte) (int, error) { return len(p), nil }

// use does something with each File of openKinds, and returns what it saw.
func use(t *testing.T, files []*File, mark string) []string {
	t.Helper()
	var saw []string
	read := func(f *File) {
		p := make([]byte, 4)
		n, err := f.Read(p)
		must(t, err)
		saw = append(saw, string(p[:n]))
	}
	write := func(f *File) {
		_, err := f.WriteString(mark)
		must(t, err)
	}
	read(files[0])
	write(files[1])
	_, err := files[2].Seek(0, io.SeekStart)
	must(t, err)
	read(files[2])
	write(files[2])
	names, err := files[3].Readdirnames(-1)
	must(t, err)
	saw = append(saw, names...)
	read(files[4])
	read(files[5])
	names, err = files[6].Readdirnames(-1)
	must(t, err)
	saw = append(saw, names...)
	read(files[7])
	read(files[8])
	write(files[9])
	return saw
}

func equal(t *testing.T, got, want []string) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("got %q, want %q", got, want)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("%d: got %q, want %q", i, got[i], want[i])
		}
	}
}

var usedKinds = []string{"3456", "name", "one", "two", "echo", "yere", "g", "host", "pipe"}

func TestCloneOpen(t *testing.T) {
	tr, files := openKinds(t)
	clock := time.Unix(77, 0)
	c, opened, err := tr.CloneOpen(files, Config{Now: func() time.Time { return clock }})
	must(t, err)
	u := c.Usage()
	if u != tr.Usage() {
		t.Errorf("the clone uses %+v, the original %+v", u, tr.Usage())
	}
	if err := sameTree(c, tr); err != nil {
		t.Error(err)
	}
	equal(t, use(t, opened, "clone"), usedKinds)
	equal(t, use(t, files, "first"), usedKinds)
	for i, want := range []string{"0123456789clone", "nameclone"} {
		p := make([]byte, 32)
		n, _ := opened[2*i].ReadAt(p, 0)
		if got := string(p[:n]); got != want {
			t.Errorf("the clone has %q, want %q", got, want)
		}
	}
	if got := text(t, tr, "f"); got != "0123456789first" {
		t.Errorf("the original has %q", got)
	}
	if i, err := c.Stat("f"); err != nil || !i.ModTime().Equal(clock) {
		t.Errorf("changed at %v, %v", i.ModTime(), err)
	}
	for i, f := range files {
		must(t, f.Close())
		must(t, opened[i].Close())
	}
	for _, each := range []*Tree{tr, c} {
		if msg := each.audit(); msg != "" || len(each.orphans) != 0 {
			t.Error(msg, each.orphans)
		}
		must(t, each.Close())
	}
}

func TestCloneOpenRefuses(t *testing.T) {
	tr, other := New(Config{}), New(Config{})
	f, err := tr.Create("f")
	must(t, err)
	if _, _, err := other.CloneOpen([]*File{f}, Config{}); !errors.Is(err, fs.ErrInvalid) {
		t.Error(err)
	}
	must(t, tr.Close())
	if _, _, err := tr.CloneOpen([]*File{f}, Config{}); !errors.Is(err, fs.ErrClosed) {
		t.Error(err)
	}
	must(t, f.Close())
	if _, _, err := tr.CloneOpen([]*File{f}, Config{}); !errors.Is(err, fs.ErrClosed) {
		t.Error(err)
	}
}

// TestCloneOpenUser opens a file as a user, whose rights a clone's File must not exceed.
func TestCloneOpenUser(t *testing.T) {
	tr := New(Config{})
	must(t, tr.WriteFile("f", nil, 0o666))
	f, err := tr.As(User{UID: 7}).OpenFile("f", os.O_RDWR, 0)
	must(t, err)
	_, files, err := tr.CloneOpen([]*File{f}, Config{})
	must(t, err)
	if err := files[0].Chmod(0o777); !errors.Is(err, fs.ErrPermission) {
		t.Error(err)
	}
}

// TestReopen carries a tree and its Files through plain data.
func TestReopen(t *testing.T) {
	tr, files := openKinds(t)
	again, err := Restore(tr, Config{}, func(to Sink) error { return tr.Changes(tr, to) })
	must(t, err)
	for _, f := range files[8:] {
		must(t, f.Close()) // FIFOs: what is in them stays behind.
	}
	for i, f := range files[:8] {
		s, err := f.State()
		must(t, err)
		if files[i], err = again.Reopen(s); err != nil {
			t.Fatal(err)
		}
		must(t, f.Close())
	}
	must(t, tr.Close())
	for i, f := range []int{os.O_RDONLY, os.O_WRONLY} {
		files[8+i], err = again.OpenFile("fifo", f, 0)
		must(t, err)
	}
	_, err = files[9].WriteString("piped")
	must(t, err)
	equal(t, use(t, files, "again"), usedKinds)
	for _, f := range files {
		must(t, f.Close())
	}
	if u := again.Usage(); len(again.orphans) != 0 || u.Bytes != 15 {
		t.Errorf("after all: %+v", u)
	}
}

func TestReopenHostile(t *testing.T) {
	tr, files := openKinds(t)
	must(t, tr.Symlink("f", "link"))
	must(t, os.Symlink("h", files[7].h.(*foreign).stream.(*hostFile).host.root.Name()+"/link"))
	ino := func(name string) uint64 {
		i, err := tr.Lstat(name)
		must(t, err)
		return i.(Info).Ino()
	}
	var host uint64
	for at, m := range tr.mounts {
		if m == files[7].at().mnt {
			host = at
		}
	}
	for _, c := range []struct {
		name string
		s    FileState
		want error
	}{
		{"nothing", FileState{Ino: 999, Read: true}, fs.ErrNotExist},
		{"for nothing", FileState{Ino: ino("f")}, fs.ErrInvalid},
		{"offset", FileState{Ino: ino("f"), Read: true, Offset: -1}, fs.ErrInvalid},
		{"directory to write", FileState{Ino: ino("d"), Write: true}, ErrIsDir},
		{"link", FileState{Ino: ino("link"), Read: true}, fs.ErrInvalid},
		{"no mount", FileState{Ino: ino("d"), Path: "h", Read: true}, fs.ErrNotExist},
		{"mount: up", FileState{Ino: host, Path: "../h", Read: true}, fs.ErrInvalid},
		{"mount: absolute", FileState{Ino: host, Path: "/h", Read: true}, fs.ErrInvalid},
		{"mount: unclean", FileState{Ino: host, Path: "./h", Read: true}, fs.ErrInvalid},
		{"mount: zero", FileState{Ino: host, Path: "h\x00", Read: true}, fs.ErrInvalid},
		{"mount: nothing", FileState{Ino: host, Path: "none", Read: true}, fs.ErrNotExist},
		{"mount: link", FileState{Ino: host, Path: "link", Read: true}, fs.ErrInvalid},
		{"mount: through a file", FileState{Ino: host, Path: "h/h", Read: true}, fs.ErrNotExist},
		{"mount: directory to write", FileState{Ino: host, Path: ".", Write: true}, ErrIsDir},
	} {
		if f, err := tr.Reopen(c.s); f != nil || !errors.Is(err, c.want) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

// TestReap restores a nameless file that nobody opens again.
func TestReap(t *testing.T) {
	base := New(Config{})
	tr := base.CloneWith(Config{})
	f, err := tr.Create("f")
	must(t, err)
	_, err = f.WriteString("content")
	must(t, err)
	must(t, tr.Remove("f"))
	tr.Reap()
	again := restore(t, base, record(t, tr, base))
	if u := again.Usage(); u.Bytes != 7 {
		t.Errorf("before: %+v", u)
	}
	again.Reap()
	if u := again.Usage(); u != (Usage{}) || again.audit() != "" {
		t.Errorf("after: %+v, %s", u, again.audit())
	}
	p := make([]byte, 7)
	if n, _ := f.ReadAt(p, 0); string(p[:n]) != "content" {
		t.Errorf("an open file was reaped: %q", p[:n])
	}
}

// TestDeviceWithoutDriver restores a device, behind which nothing can stand.
func TestDeviceWithoutDriver(t *testing.T) {
	base := New(Config{})
	tr := base.CloneWith(Config{})
	must(t, tr.AddDevice("dev", 0o666, echo{}))
	again := restore(t, base, record(t, tr, base))
	if _, err := again.Open("dev"); !errors.Is(err, ErrNoDevice) {
		t.Error(err)
	}
	must(t, again.AddDevice("dev", 0o666, echo{}))
	f, err := again.Open("dev")
	must(t, err)
	must(t, f.Close())
}
