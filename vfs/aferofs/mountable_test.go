package aferofs

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/spf13/afero"

	"github.com/belljar-dev/belljar/vfs"
)

func newFs(t *testing.T) (*vfs.Tree, *Fs) {
	tr := vfs.New(vfs.Config{})
	t.Cleanup(func() { tr.Close() })
	return tr, New(tr)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// mounts are file systems of afero that a tree shows at /m.
func mounts(t *testing.T) map[string]vfs.WriteFS {
	_, other := newFs(t)
	must(t, other.Mkdir("/sub", 0o755))
	return map[string]vfs.WriteFS{
		"memory":            Mountable(afero.NewMemMapFs(), "/"),
		"memory, no slash":  Mountable(afero.NewMemMapFs(), ""),
		"host":              Mountable(afero.NewBasePathFs(afero.NewOsFs(), t.TempDir()), "/"),
		"tree":              Mountable(other, "/sub"),
		"copy on write":     Mountable(afero.NewCopyOnWriteFs(afero.NewMemMapFs(), afero.NewMemMapFs()), "/"),
		"host by its names": Mountable(afero.NewOsFs(), t.TempDir()),
	}
}

// TestMountedCalls makes the same calls on each.
func TestMountedCalls(t *testing.T) {
	for name, m := range mounts(t) {
		t.Run(name, func(t *testing.T) {
			tr := vfs.New(vfs.Config{})
			defer tr.Close()
			must(t, tr.Mount("/m", m, 0))
			must(t, tr.MkdirAll("/m/d/e", 0o755))
			must(t, tr.WriteFile("/m/d/f", []byte("hello"), 0o644))
			must(t, tr.WriteFile("/m/d/f", []byte("hi"), 0o644))
			must(t, tr.Symlink("/m/d/f", "/link"))
			if text, err := tr.ReadFile("/link"); string(text) != "hi" {
				t.Errorf("read %q, %v", text, err)
			}
			f, err := tr.OpenFile("/m/d/f", os.O_RDWR|os.O_APPEND, 0)
			must(t, err)
			_, err = f.WriteString(" there")
			must(t, err)
			b := make([]byte, 5)
			if n, err := f.ReadAt(b, 3); string(b[:n]) != "there" {
				t.Errorf("read %q, %v", b[:n], err)
			}
			must(t, f.Truncate(4))
			must(t, f.Close())
			if err := tr.Root().Rmdir("m/d"); !errors.Is(err, syscall.ENOTEMPTY) {
				t.Errorf("rmdir of a full directory: %v", err)
			}
			if err := tr.Mkdir("/m/d", 0o755); !errors.Is(err, fs.ErrExist) {
				t.Errorf("mkdir of what is there: %v", err)
			}
			if _, err := tr.Open("/m/none"); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("open of nothing: %v", err)
			}
			must(t, tr.Rename("/m/d/f", "/m/g"))
			if err := tr.Rename("/m/g", "/g"); !errors.Is(err, syscall.EXDEV) {
				t.Errorf("rename out of the mount: %v", err)
			}
			must(t, tr.Chtimes("/m/g", time.Time{}, time.Unix(1000, 0)))
			i, err := tr.Stat("/m/g")
			must(t, err)
			if i.Size() != 4 || i.ModTime().Unix() != 1000 {
				t.Errorf("size %d, time %v", i.Size(), i.ModTime())
			}
			list, err := tr.ReadDir("/m")
			must(t, err)
			if got := fmt.Sprint(list); got != "[d d/ - g]" {
				t.Errorf("listing %s", got)
			}
			must(t, tr.RemoveAll("/m/d"))
			must(t, tr.Remove("/m/g"))
			if list, err := tr.ReadDir("/m"); len(list) != 0 {
				t.Errorf("left: %v, %v", list, err)
			}
		})
	}
}

// TestMountedLinks finds out what the file system can.
func TestMountedLinks(t *testing.T) {
	for name, m := range mounts(t) {
		t.Run(name, func(t *testing.T) {
			tr := vfs.New(vfs.Config{})
			defer tr.Close()
			must(t, tr.Mount("/m", m, 0))
			must(t, tr.WriteFile("/m/f", []byte("text"), 0o644))
			err := tr.Symlink("f", "/m/l")
			if name == "memory" || name == "memory, no slash" || name == "copy on write" {
				if !errors.Is(err, syscall.EPERM) {
					t.Errorf("symlink: %v", err)
				}
				return
			}
			must(t, err)
			if name == "host" {
				t.Skip("afero.BasePathFs makes every target an absolute path of the host")
			}
			if text, err := tr.ReadFile("/m/l"); string(text) != "text" {
				t.Errorf("through the link: %q, %v", text, err)
			}
			if err := tr.Symlink("../secret", "/m/out"); !errors.Is(err, vfs.ErrEscape) {
				t.Errorf("a link that leads out: %v", err)
			}
		})
	}
}

// TestMountedHugeTruncate is what afero.MemMapFs dies of.
func TestMountedHugeTruncate(t *testing.T) {
	tr := vfs.New(vfs.Config{})
	defer tr.Close()
	must(t, tr.Mount("/m", Mountable(afero.NewMemMapFs(), "/"), 1<<20))
	must(t, tr.WriteFile("/m/f", nil, 0o644))
	if err := tr.Truncate("/m/f", 1<<62); !errors.Is(err, vfs.ErrTooLarge) {
		t.Errorf("truncate: %v", err)
	}
	f, err := tr.OpenFile("/m/f", os.O_RDWR, 0)
	must(t, err)
	defer f.Close()
	if _, err := f.WriteAt([]byte("x"), 1<<40); !errors.Is(err, vfs.ErrTooLarge) {
		t.Errorf("write: %v", err)
	}
}
