package vfs

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"testing/fstest"
	"time"
)

func layerOf(t *testing.T) (*Tree, fstest.MapFS) {
	t.Helper()
	m := fstest.MapFS{
		"lib/a.py":     {Data: []byte("import b"), Mode: 0o444, ModTime: time.Unix(100, 0)},
		"lib/sub/b.py": {Data: []byte("pass"), Mode: 0o444},
		"bin/tool":     {Data: []byte("#!"), Mode: 0o555},
		"lib/link":     {Data: []byte("sub/b.py"), Mode: fs.ModeSymlink},
		"lib/abs":      {Data: []byte("/home/f"), Mode: fs.ModeSymlink},
		"lib/up":       {Data: []byte("../../home/f"), Mode: fs.ModeSymlink},
	}
	tr := New(Config{UID: 7})
	must(t, tr.MkdirAll("home", 0o755))
	must(t, tr.WriteFile("home/f", []byte("home"), 0o644))
	must(t, tr.MountFS("/usr", m))
	return tr, m
}

func TestMountFS(t *testing.T) {
	tr, _ := layerOf(t)
	for name, want := range map[string]string{
		"usr/lib/a.py": "import b", "/usr/lib/../lib/sub/b.py": "pass", "usr/../home/f": "home", "usr/lib/link": "pass",
		"usr/lib/abs": "home", "usr/lib/up": "home", "home/../usr/lib/sub/../../bin/tool": "#!",
	} {
		if got := text(t, tr, name); got != want {
			t.Errorf("%s has %q, want %q", name, got, want)
		}
	}
	i, err := tr.Stat("usr/lib/a.py")
	must(t, err)
	if x := i.(Info); x.UID() != 7 || x.Dev() == 1 || !i.ModTime().Equal(time.Unix(100, 0)) || i.Mode() != 0o444 {
		t.Errorf("%+v", x)
	}
	// lib/abs and lib/up leave the view of a Sub, as fstest sees it, so they go before it looks.
	sub, m := layerOf(t)
	delete(m, "lib/abs")
	delete(m, "lib/up")
	if err := fstest.TestFS(sub.FS(), "usr/lib/a.py", "usr/lib/sub/b.py", "home/f"); err != nil {
		t.Error(err)
	}
}

func TestMountReadOnly(t *testing.T) {
	host := t.TempDir()
	must(t, os.MkdirAll(filepath.Join(host, "lib/sub"), 0o755))
	must(t, os.WriteFile(filepath.Join(host, "lib/a.py"), nil, 0o644))
	tr, _ := layerOf(t)
	must(t, tr.MountHost("/host", host, true))
	for _, top := range []string{"usr/", "host/"} {
		open := func(name string, flag int) error {
			f, err := tr.OpenFile(top+name, flag, 0o644)
			if err == nil {
				f.Close()
			}
			return err
		}
		for what, err := range map[string]error{
			"write": open("lib/a.py", os.O_WRONLY), "create": open("new", os.O_CREATE|os.O_WRONLY), "truncating open": open("lib/a.py", os.O_TRUNC),
			"mkdir": tr.Mkdir(top+"new", 0o755), "remove": tr.Remove(top + "lib/a.py"), "rmdir": tr.top().Rmdir(top + "lib/sub"),
			"removeall": tr.RemoveAll(top + "lib"), "rename": tr.Rename(top+"lib/a.py", top+"x"), "link": tr.Link(top+"lib/a.py", top+"x"),
			"symlink": tr.Symlink("x", top+"x"), "chmod": tr.Chmod(top+"lib/a.py", 0), "chtimes": tr.Chtimes(top+"lib/a.py", time.Now(), time.Now()),
			"truncate": tr.Truncate(top+"lib/a.py", 0),
		} {
			if !errors.Is(err, ErrReadOnly) {
				t.Errorf("%s in %s: %v", what, top, err)
			}
		}
		if err := open("lib/none", os.O_RDONLY); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("missing: %v", err)
		}
		if err := open("lib/a.py/x", os.O_RDONLY); !errors.Is(err, ErrNotDir) {
			t.Errorf("below a file: %v", err)
		}
		if err := tr.Mkdir(top+"lib", 0o755); !errors.Is(err, fs.ErrExist) {
			t.Errorf("mkdir of what exists: %v", err)
		}
	}
}

func TestMountPoint(t *testing.T) {
	tr, _ := layerOf(t)
	must(t, tr.MkdirAll("a/b", 0o755))
	must(t, tr.MountFS("a/b/m", fstest.MapFS{"x": {}}))
	for what, row := range map[string]struct{ got, want error }{
		"rmdir":               {tr.Remove("usr"), ErrBusy},
		"unlink":              {tr.top().Unlink("usr"), ErrIsDir},
		"rename":              {tr.Rename("usr", "x"), ErrBusy},
		"rename onto":         {tr.Rename("home", "usr"), ErrBusy},
		"removeall":           {tr.RemoveAll("usr"), ErrBusy},
		"removeall above":     {tr.RemoveAll("a"), ErrBusy},
		"mount again":         {tr.MountFS("usr", fstest.MapFS{}), ErrBusy},
		"mount on the root":   {tr.MountFS("/", fstest.MapFS{}), ErrBusy},
		"mount on a file":     {tr.MountFS("home/f", fstest.MapFS{}), ErrNotDir},
		"rename across":       {tr.Rename("usr/lib/a.py", "home/a"), ErrCrossDevice},
		"rename into":         {tr.Rename("home/f", "usr/f"), ErrCrossDevice},
		"link across":         {tr.Link("usr/lib/a.py", "home/a"), ErrCrossDevice},
		"static in":           {tr.AddStatic("usr/s", nil, 0o644, time.Time{}), ErrCrossDevice},
		"rename missing":      {tr.Rename("usr/none", "home/a"), fs.ErrNotExist},
		"rename over, across": {tr.Rename("home", "a/b/m"), ErrBusy},
	} {
		if !errors.Is(row.got, row.want) {
			t.Errorf("%s: %v, want %v", what, row.got, row.want)
		}
	}
	must(t, tr.Rename("a", "c")) // What holds a mount point may move.
	if _, err := tr.Stat("c/b/m/x"); err != nil {
		t.Error(err)
	}
	if list, err := tr.ReadDir("/"); err != nil || fmt.Sprint(list) != "[d c/ d home/ d usr/]" {
		t.Errorf("%v, %v", list, err)
	}
}

func TestMountHost(t *testing.T) {
	host := t.TempDir()
	must(t, os.WriteFile(filepath.Join(host, "f"), []byte("host"), 0o644))
	tr := New(Config{MaxBytes: 1, MaxFiles: 2})
	must(t, tr.Mkdir("tmp", 0o755))
	must(t, tr.MountHost("w", host, false))
	must(t, tr.MkdirAll("w/a/b", 0o755))
	must(t, tr.WriteFile("w/a/b/g", []byte("from inside"), 0o644))
	must(t, tr.Symlink("b/g", "w/a/l"))
	must(t, tr.Symlink("../f", "w/a/m"))
	must(t, tr.Rename("w/f", "w/h"))
	must(t, tr.Link("w/h", "w/f"))
	must(t, tr.Chmod("w/h", 0o600))
	must(t, tr.Chtimes("w/h", time.Time{}, time.Unix(50, 0)))
	for name, want := range map[string]string{"w/a/l": "from inside", "w/a/m": "host", "w/h": "host"} {
		if got := text(t, tr, name); got != want {
			t.Errorf("%s has %q", name, got)
		}
	}
	if b, err := os.ReadFile(filepath.Join(host, "a/l")); err != nil || string(b) != "from inside" {
		t.Errorf("the host sees %q, %v", b, err)
	}
	i, err := tr.Stat("w/h")
	must(t, err)
	if i.Mode() != 0o600 || !i.ModTime().Equal(time.Unix(50, 0)) {
		t.Errorf("%v %v", i.Mode(), i.ModTime())
	}
	f, err := tr.OpenFile("w/h", os.O_RDWR|os.O_APPEND, 0)
	must(t, err)
	_, err = f.WriteString("+")
	must(t, err)
	_, err = f.WriteAt([]byte("H"), 0)
	must(t, err)
	must(t, f.Chtimes(time.Time{}, time.Unix(60, 0)))
	must(t, f.Close())
	if got := text(t, tr, "w/h"); got != "Host+" {
		t.Errorf("got %q", got)
	}
	if err := tr.Remove("w/a"); !errors.Is(err, ErrNotEmpty) {
		t.Errorf("remove of a full directory: %v", err)
	}
	must(t, tr.RemoveAll("w/a"))
	if u := tr.Usage(); u != (Usage{Files: 2}) {
		t.Errorf("usage %+v", u)
	}
	c := tr.Clone()
	must(t, tr.Close())
	if got := text(t, c, "w/h"); got != "Host+" {
		t.Errorf("after the original was closed, the clone sees %q", got)
	}
	must(t, c.Close())
	if err := tr.MountHost("x", filepath.Join(host, "none"), true); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("missing folder: %v", err)
	}
}

// TestMountHostEscape tries to leave a host folder by links, made outside or inside.
func TestMountHostEscape(t *testing.T) {
	outside := t.TempDir()
	must(t, os.WriteFile(filepath.Join(outside, "secret"), []byte("secret"), 0o644))
	host := filepath.Join(outside, "work")
	must(t, os.MkdirAll(filepath.Join(host, "d"), 0o755))
	for name, target := range map[string]string{
		"abs": outside + "/secret", "up": "../secret", "dirup": "..", "absdir": outside, "d/far": "../../secret", "chain": "up", "root": "/",
		"inside": "/w/f", "zigzag": "d/../../secret",
	} {
		must(t, os.Symlink(target, filepath.Join(host, name)))
	}
	tr := New(Config{})
	must(t, tr.WriteFile("secret", []byte("guest's own"), 0o644))
	must(t, tr.MountHost("w", host, false))
	for _, name := range []string{"abs", "up", "dirup/secret", "absdir/secret", "d/far", "chain", "root/secret", "inside", "zigzag"} {
		if b, err := tr.ReadFile("w/" + name); !errors.Is(err, ErrEscape) {
			t.Errorf("%s: %q, %v", name, b, err)
		}
		if err := tr.WriteFile("w/"+name, []byte("x"), 0o644); !errors.Is(err, ErrEscape) {
			t.Errorf("write %s: %v", name, err)
		}
	}
	for _, target := range []string{"/etc/passwd", "../secret", "d/../../secret", "d/../.."} {
		if err := tr.Symlink(target, "w/new"); !errors.Is(err, ErrEscape) {
			t.Errorf("symlink to %s: %v", target, err)
		}
	}
	if got := text(t, tr, "w/../secret"); got != "guest's own" {
		t.Errorf("the way up from a mount leads to %q", got)
	}
	must(t, tr.Symlink("w/d/../../secret", "through"))
	if got := text(t, tr, "through"); got != "guest's own" {
		t.Errorf("a link of the tree through the mount leads to %q", got)
	}
	if target, err := tr.Readlink("w/up"); err != nil || target != "../secret" {
		t.Errorf("readlink: %q, %v", target, err)
	}
	must(t, tr.RemoveAll("w/absdir"))
	if b, err := os.ReadFile(filepath.Join(outside, "secret")); err != nil || string(b) != "secret" {
		t.Errorf("the file outside is now %q, %v", b, err)
	}
}

// TestMountListing: cookies stay good while the host's folder changes.
func TestMountListing(t *testing.T) {
	host := t.TempDir()
	for _, name := range []string{"a", "b", "c"} {
		must(t, os.WriteFile(filepath.Join(host, name), nil, 0o644))
	}
	tr := New(Config{})
	must(t, tr.MountHost("w", host, false))
	f, err := tr.Open("w")
	must(t, err)
	defer f.Close()
	var got []string
	for cookie := uint64(0); ; {
		list, err := f.ReadDirAt(cookie, 1)
		must(t, err)
		if len(list) == 0 {
			break
		}
		got, cookie = append(got, list[0].Name), list[0].Next
		if list[0].Name == "b" {
			must(t, tr.Remove("w/a"))
		}
	}
	if !slices.Equal(got, []string{".", "..", "a", "b", "c"}) {
		t.Errorf("got %q", got)
	}
	_, err = f.Seek(0, io.SeekStart)
	must(t, err)
	if names, err := f.Readdirnames(-1); err != nil || !slices.Equal(names, []string{"b", "c"}) {
		t.Errorf("after rewinding: %q, %v", names, err)
	}
	d, err := f.Dir()
	must(t, err)
	must(t, d.Mkdir("sub", 0o755))
	if _, err := d.Stat("../w/sub", true); !errors.Is(err, ErrEscape) {
		t.Errorf("climbing out of a Dir in a mount: %v", err)
	}
}

func TestRemount(t *testing.T) {
	tr := New(Config{})
	must(t, tr.MkdirAll("/own", 0o755))
	must(t, tr.MountFS("/m", fstest.MapFS{"old": {Data: []byte("old")}}))
	clone := tr.Clone()
	defer clone.Close()
	must(t, tr.Remount("/m", fstest.MapFS{"new": {Data: []byte("new")}}))
	if b, err := tr.ReadFile("/m/new"); string(b) != "new" || err != nil {
		t.Errorf("got %q, %v", b, err)
	}
	if b, err := clone.ReadFile("/m/old"); string(b) != "old" || err != nil {
		t.Errorf("in the clone: got %q, %v", b, err)
	}
	for _, name := range []string{"/own", "/m/new", "/", "/missing"} {
		if err := tr.Remount(name, fstest.MapFS{}); err == nil {
			t.Errorf("remounted %s", name)
		}
	}
}
