package vfs

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestMountKnowsHardLinks(t *testing.T) {
	dir := t.TempDir()
	must(t, os.WriteFile(dir+"/a", nil, 0o644))
	must(t, os.Mkdir(dir+"/d", 0o755))
	must(t, os.Link(dir+"/a", dir+"/d/b"))
	must(t, os.WriteFile(dir+"/c", nil, 0o644))
	must(t, os.Chtimes(dir+"/c", time.Unix(100, 5), time.Unix(200, 6)))
	tr := New(Config{})
	defer tr.Close()
	must(t, tr.MountHost("m", dir, false))
	stat := func(name string) Info {
		t.Helper()
		i, err := tr.Stat(name)
		must(t, err)
		return i.(Info)
	}
	a, b, c, d := stat("m/a"), stat("m/d/b"), stat("m/c"), stat("m/d")
	if a.Ino() != b.Ino() || a.Ino() == c.Ino() || a.Nlink() != 2 || c.Nlink() != 1 || d.Nlink() != 2 {
		t.Error(a.Ino(), b.Ino(), c.Ino(), a.Nlink(), c.Nlink(), d.Nlink())
	}
	if !c.Atime().Equal(time.Unix(100, 5)) || !c.ModTime().Equal(time.Unix(200, 6)) || c.Ctime().Before(time.Unix(1e9, 0)) {
		t.Error(c.Atime(), c.ModTime(), c.Ctime())
	}
	must(t, tr.Remove("m/d/b"))
	if a := stat("m/a"); a.Nlink() != 1 {
		t.Error(a.Nlink())
	}
}

// TestMountDeep goes down a path of as many names as fit, which may not cost the square of them.
func TestMountDeep(t *testing.T) {
	dir := t.TempDir()
	deep := strings.Repeat("d/", 1000)
	must(t, os.MkdirAll(filepath.Join(dir, deep), 0o755))
	must(t, os.WriteFile(filepath.Join(dir, deep, "f"), []byte("here"), 0o644))
	must(t, os.Symlink("d", dir+"/l"))
	tr := New(Config{})
	defer tr.Close()
	must(t, tr.MountHost("m", dir, true))
	for _, name := range []string{"m/" + deep + "f", "m/l/./" + deep[2:] + "../d/f"} {
		if got := text(t, tr, name); got != "here" {
			t.Errorf("%.20s: %q", name, got)
		}
	}
	if _, err := tr.Stat("m/" + deep + "d"); !isNotExist(err) {
		t.Error(err)
	}
}
