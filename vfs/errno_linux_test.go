package vfs

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

func TestErrorsAreErrnos(t *testing.T) {
	tr := New(Config{MaxFiles: 3})
	must(t, tr.MkdirAll("d/e", 0o755))
	must(t, tr.WriteFile("f", nil, 0o644))
	for _, c := range []struct {
		what string
		err  error
		want syscall.Errno
	}{
		{"rmdir of a full directory", tr.Root().Rmdir("d"), syscall.ENOTEMPTY},
		{"unlink of a directory", tr.Root().Unlink("d"), syscall.EISDIR},
		{"mkdir under a file", tr.Mkdir("f/x", 0o755), syscall.ENOTDIR},
		{"mkdir beyond the quota", tr.Mkdir("x", 0o755), syscall.EDQUOT},
		{"rename under itself", tr.Rename("d", "d/e/f"), syscall.EINVAL},
		{"path that climbs", tr.Root().Unlink("../x"), syscall.EPERM},
	} {
		var got syscall.Errno
		if !errors.As(c.err, &got) || got != c.want {
			t.Errorf("%s: %v is errno %d, want %d", c.what, c.err, got, c.want)
		}
	}
	for e := range errnos {
		if n := syscall.Errno(0); !errors.As(e, &n) || n == 0 {
			t.Errorf("%v is no errno", e)
		}
	}
}

func TestSysIsStat(t *testing.T) {
	tr := New(Config{UID: 7, GID: 8, Now: func() time.Time { return time.Unix(5, 6) }})
	must(t, tr.WriteFile("f", []byte("abc"), 0o640))
	must(t, tr.Link("f", "g"))
	must(t, tr.Chmod("f", fs.ModeSetuid|fs.ModeSticky|0o711))
	i, err := tr.Stat("g")
	must(t, err)
	st, ok := i.Sys().(*syscall.Stat_t)
	if !ok {
		t.Fatalf("Sys is a %T", i.Sys())
	}
	if st.Mode != syscall.S_IFREG|0o5711 || st.Nlink != 2 || st.Uid != 7 || st.Gid != 8 || st.Size != 3 || st.Ino != i.(Info).Ino() {
		t.Errorf("%+v", st)
	}
	if want := (syscall.Timespec{Sec: 5, Nsec: 6}); st.Mtim != want || st.Ctim != want || st.Atim != want {
		t.Errorf("times %+v %+v %+v", st.Atim, st.Mtim, st.Ctim)
	}
}

// TestAsRoot takes absolute paths from the directory, and keeps ".." inside.
func TestAsRoot(t *testing.T) {
	tr := New(Config{})
	must(t, tr.MkdirAll("a/b", 0o755))
	must(t, tr.WriteFile("x", nil, 0o644))
	must(t, tr.Symlink("/b", "a/in"))
	must(t, tr.Symlink("../x", "a/out"))
	must(t, tr.Symlink("../b/../../x", "a/b/out"))
	f, err := tr.Open("a")
	must(t, err)
	defer f.Close()
	d, err := f.Dir()
	must(t, err)
	sub := d.AsRoot()
	for name, want := range map[string]error{"/b": nil, "//b/..": nil, "/": nil, "/x": fs.ErrNotExist, "/../x": ErrEscape, "..": ErrEscape,
		"in": nil, "in/..": nil, "out": ErrEscape, "b/out": ErrEscape} {
		if _, err := sub.Stat(name, true); !errors.Is(err, want) {
			t.Errorf("stat %q: %v, want %v", name, err, want)
		}
	}
	host := t.TempDir()
	must(t, os.MkdirAll(filepath.Join(host, "sub", "in"), 0o755))
	must(t, tr.MountHost("m", host, false))
	must(t, tr.Symlink("/m/sub/in/../../sub/in", "l"))
	g, err := tr.Open("m/sub")
	must(t, err)
	defer g.Close()
	d2, err := g.Dir()
	must(t, err)
	must(t, d2.Symlink("../../sub", "in/up"))
	if _, err := d2.Stat("in/up", true); err != nil {
		t.Errorf("a link in a mount: %v", err)
	}
	if _, err := d2.AsRoot().Stat("in/up", true); !errors.Is(err, ErrEscape) {
		t.Errorf("a link in a mount, out of the root: %v", err)
	}
	if _, err := tr.Root().AsRoot().Stat("/../../x", true); err != nil {
		t.Error(err)
	}
	if _, err := d.Stat("/b", true); !errors.Is(err, ErrEscape) {
		t.Errorf("without AsRoot: %v", err)
	}
}
