//go:build unix

package aferofs

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/fstest"
	"time"

	"github.com/spf13/afero"

	"github.com/belljar-dev/belljar/vfs"
)

// outcome describes an error by what callers ask of it.
func outcome(err error) string {
	var path *os.PathError
	var link *os.LinkError
	var n syscall.Errno
	if err == nil {
		return "ok"
	}
	if err == io.EOF {
		return "EOF"
	}
	errors.As(err, &n)
	return fmt.Sprint(errors.As(err, &path), errors.As(err, &link), os.IsNotExist(err), os.IsExist(err),
		os.IsPermission(err), int(n))
}

// contract is what users of afero do, each with all that it tells. It runs on the host's file system, as the oracle,
// and on a tree.
var contract = map[string]func(f afero.Fs) string{
	"create": func(f afero.Fs) string {
		file, err := f.Create("f")
		if err != nil {
			return outcome(err)
		}
		n, werr := file.WriteString("hello")
		_, serr := file.Seek(0, io.SeekStart)
		text, rerr := io.ReadAll(file)
		i, _ := file.Stat()
		return fmt.Sprintln(n, outcome(werr), outcome(serr), string(text), outcome(rerr), i.Size(), i.Name(), i.Mode(),
			outcome(file.Sync()), outcome(file.Close()))
	},
	"create where there is no directory": func(f afero.Fs) string {
		file, err := f.Create("none/f")
		return fmt.Sprint(file == nil, outcome(err))
	},
	"create over a directory": func(f afero.Fs) string {
		f.Mkdir("d", 0o755)
		file, err := f.Create("d")
		return fmt.Sprint(file == nil, outcome(err))
	},
	"open what is not there": func(f afero.Fs) string {
		file, err := f.Open("none")
		_, serr := f.Stat("none")
		return fmt.Sprint(file == nil, outcome(err), outcome(serr), outcome(f.Remove("none")), outcome(f.RemoveAll("none")),
			outcome(f.Chmod("none", 0o600)), outcome(f.Chtimes("none", time.Now(), time.Now())), outcome(f.Rename("none", "x")))
	},
	"exclusive": func(f afero.Fs) string {
		afero.WriteFile(f, "f", nil, 0o644)
		_, err := f.OpenFile("f", os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
		return outcome(err)
	},
	"append": func(f afero.Fs) string {
		afero.WriteFile(f, "f", []byte("ab"), 0o644)
		file, _ := f.OpenFile("f", os.O_APPEND|os.O_WRONLY, 0)
		file.WriteString("cd")
		file.Close()
		text, err := afero.ReadFile(f, "f")
		return string(text) + outcome(err)
	},
	"read-only and write-only files": func(f afero.Fs) string {
		afero.WriteFile(f, "f", []byte("ab"), 0o644)
		r, _ := f.Open("f")
		defer r.Close()
		w, _ := f.OpenFile("f", os.O_WRONLY, 0)
		defer w.Close()
		_, e1 := r.WriteString("x")
		_, e2 := w.Read(make([]byte, 1))
		return fmt.Sprint(e1 != nil, e2 != nil)
	},
	"read at and write at": func(f afero.Fs) string {
		file, _ := f.OpenFile("f", os.O_RDWR|os.O_CREATE, 0o644)
		defer file.Close()
		file.WriteAt([]byte("world"), 3)
		b := make([]byte, 10)
		n, err := file.ReadAt(b, 2)
		off, _ := file.Seek(0, io.SeekCurrent)
		return fmt.Sprintf("%q %s %d", b[:n], outcome(err), off)
	},
	"truncate": func(f afero.Fs) string {
		file, _ := f.Create("f")
		defer file.Close()
		file.WriteString("hello")
		e1, e2, e3 := file.Truncate(2), file.Truncate(4), file.Truncate(-1)
		text, _ := afero.ReadFile(f, "f")
		return fmt.Sprintf("%q %s %s %s", text, outcome(e1), outcome(e2), outcome(e3))
	},
	"closed": func(f afero.Fs) string {
		file, _ := f.Create("f")
		file.Close()
		_, e1 := file.Read(make([]byte, 1))
		_, e2 := file.WriteString("x")
		_, e3 := file.Seek(0, 0)
		return fmt.Sprint(errors.Is(e1, os.ErrClosed), errors.Is(e2, os.ErrClosed), errors.Is(e3, os.ErrClosed),
			errors.Is(file.Close(), os.ErrClosed))
	},
	"mkdir": func(f afero.Fs) string {
		return fmt.Sprint(outcome(f.Mkdir("d", 0o755)), outcome(f.Mkdir("d", 0o755)), outcome(f.Mkdir("a/b", 0o755)),
			outcome(f.MkdirAll("a/b/c", 0o755)), outcome(f.MkdirAll("a/b/c", 0o755)))
	},
	"mkdirall over a file": func(f afero.Fs) string {
		afero.WriteFile(f, "f", nil, 0o644)
		return fmt.Sprint(outcome(f.MkdirAll("f", 0o755)), outcome(f.MkdirAll("f/g", 0o755)))
	},
	"remove": func(f afero.Fs) string {
		f.MkdirAll("d/e", 0o755)
		afero.WriteFile(f, "d/f", nil, 0o644)
		e1, e2, e3, e4 := f.Remove("d"), f.Remove("d/f"), f.Remove("d/e"), f.Remove("d")
		return fmt.Sprint(outcome(e1) != "ok", outcome(e2), outcome(e3), outcome(e4))
	},
	"remove all": func(f afero.Fs) string {
		f.MkdirAll("d/e/g", 0o755)
		afero.WriteFile(f, "d/e/f", nil, 0o644)
		e1 := f.RemoveAll("d")
		there, e2 := afero.Exists(f, "d")
		return fmt.Sprint(outcome(e1), there, outcome(e2), outcome(f.RemoveAll("d")))
	},
	"rename": func(f afero.Fs) string {
		afero.WriteFile(f, "a", []byte("a"), 0o644)
		afero.WriteFile(f, "b", []byte("b"), 0o644)
		f.Mkdir("d", 0o755)
		e1, e2 := f.Rename("a", "b"), f.Rename("b", "d/c")
		text, e3 := afero.ReadFile(f, "d/c")
		return fmt.Sprint(outcome(e1), outcome(e2), string(text), outcome(e3), f.Rename("d/c", "d") != nil)
	},
	"modes": func(f afero.Fs) string {
		afero.WriteFile(f, "f", nil, 0o640)
		i1, _ := f.Stat("f")
		e := f.Chmod("f", 0o600|os.ModeSetuid|os.ModeSticky)
		i2, _ := f.Stat("f")
		return fmt.Sprint(i1.Mode(), outcome(e), i2.Mode())
	},
	"times": func(f afero.Fs) string {
		afero.WriteFile(f, "f", nil, 0o640)
		e1 := f.Chtimes("f", time.Unix(1, 2), time.Unix(3, 4))
		e2 := f.Chtimes("f", time.Time{}, time.Time{})
		i, _ := f.Stat("f")
		return fmt.Sprint(outcome(e1), outcome(e2), i.ModTime().UnixNano())
	},
	"listing": func(f afero.Fs) string {
		for _, n := range []string{"c", "a", "b"} {
			afero.WriteFile(f, "d/"+n, nil, 0o644)
			f.MkdirAll("d", 0o755)
			afero.WriteFile(f, "d/"+n, []byte(n), 0o644)
		}
		list, err := afero.ReadDir(f, "d")
		out := outcome(err)
		for _, i := range list {
			out += fmt.Sprint(" ", i.Name(), i.Size(), i.IsDir())
		}
		d, _ := f.Open("d")
		defer d.Close()
		n1, e1 := d.Readdirnames(2)
		n2, e2 := d.Readdirnames(2)
		n3, e3 := d.Readdirnames(2)
		rest, e4 := d.Readdir(-1)
		return fmt.Sprint(out, len(n1), outcome(e1), len(n2), outcome(e2), len(n3), outcome(e3), len(rest), outcome(e4))
	},
	"listing of a file": func(f afero.Fs) string {
		afero.WriteFile(f, "f", nil, 0o644)
		file, _ := f.Open("f")
		defer file.Close()
		list, err := file.Readdir(-1)
		return fmt.Sprint(len(list), outcome(err))
	},
	"walk": func(f afero.Fs) string {
		f.MkdirAll("a/b/c", 0o755)
		afero.WriteFile(f, "a/b/f", nil, 0o644)
		afero.WriteFile(f, "a/g", nil, 0o644)
		var out []string
		err := afero.Walk(f, "a", func(path string, i os.FileInfo, err error) error {
			out = append(out, filepath.ToSlash(path))
			return err
		})
		return fmt.Sprint(out, outcome(err))
	},
	"glob": func(f afero.Fs) string {
		f.MkdirAll("a/b", 0o755)
		afero.WriteFile(f, "a/x1.txt", nil, 0o644)
		afero.WriteFile(f, "a/x2.txt", nil, 0o644)
		list, err := afero.Glob(f, "a/*.txt")
		return fmt.Sprint(list, outcome(err))
	},
	"helpers": func(f afero.Fs) string {
		f.MkdirAll("d/e", 0o755)
		afero.WriteFile(f, "d/f", []byte("needle in hay"), 0o644)
		has, _ := afero.FileContainsBytes(f, "d/f", []byte("needle"))
		isDir, _ := afero.IsDir(f, "d")
		dir, _ := afero.DirExists(f, "d/f")
		empty, _ := afero.IsEmpty(f, "d/e")
		err := afero.SafeWriteReader(f, "d/f", strings.NewReader("x"))
		err2 := afero.WriteReader(f, "p/q/r", strings.NewReader("x"))
		return fmt.Sprint(has, isDir, dir, empty, err != nil, outcome(err2))
	},
	"temporary files": func(f afero.Fs) string {
		f.MkdirAll("tmp", 0o755)
		file, err := afero.TempFile(f, "tmp", "x*.txt")
		if err != nil {
			return outcome(err)
		}
		defer file.Close()
		dir, err := afero.TempDir(f, "tmp", "d")
		isDir, _ := afero.IsDir(f, dir)
		return fmt.Sprint(strings.HasSuffix(file.Name(), ".txt"), outcome(err), isDir)
	},
	"links": func(f afero.Fs) string {
		links := f.(afero.Symlinker)
		afero.WriteFile(f, "f", []byte("text"), 0o644)
		e1 := links.SymlinkIfPossible("f", "l")
		e2 := links.SymlinkIfPossible("f", "l")
		to, e3 := links.ReadlinkIfPossible("l")
		_, e4 := links.ReadlinkIfPossible("f")
		i, told, e5 := links.LstatIfPossible("l")
		text, e6 := afero.ReadFile(f, "l")
		return fmt.Sprint(outcome(e1), outcome(e2), to, outcome(e3), outcome(e4), i.Mode().Type(), i.Size(), told,
			outcome(e5), string(text), outcome(e6))
	},
}

// TestContract compares with what afero.OsFs does.
func TestContract(t *testing.T) {
	old := syscall.Umask(0)
	defer syscall.Umask(old)
	for name, use := range contract {
		t.Run(name, func(t *testing.T) {
			t.Chdir(t.TempDir())
			want := use(afero.NewOsFs())
			_, f := newFs(t)
			if got := use(f); got != want {
				t.Errorf("tree: %s\nhost: %s", got, want)
			}
		})
	}
}

// TestNames gives the same file every name that afero's users have for it.
func TestNames(t *testing.T) {
	_, f := newFs(t)
	must(t, f.MkdirAll("/a/b", 0o755))
	must(t, afero.WriteFile(f, "a/b/c", []byte("x"), 0o644))
	for _, name := range []string{"a/b/c", "/a/b/c", "./a/b/c", "/a//b/../b/c", "/../a/b/c"} {
		file, err := f.Open(name)
		must(t, err)
		if file.Name() != name {
			t.Errorf("opened %q is called %q", name, file.Name())
		}
		must(t, file.Close())
	}
	for _, name := range []string{"", ".", "/"} {
		if is, err := afero.IsDir(f, name); err != nil || !is {
			t.Errorf("%q is no directory: %v", name, err)
		}
	}
}

// TestDeep goes deeper than a program's paths reach, as a server must that is asked from a directory far down.
func TestDeep(t *testing.T) {
	_, f := newFs(t)
	deep := strings.Repeat("/"+strings.Repeat("d", 250), 100)
	must(t, f.MkdirAll(deep, 0o755))
	must(t, afero.WriteFile(f, deep+"/f", []byte("x"), 0o644))
	must(t, f.Rename(deep+"/f", deep+"/g"))
	if list, err := afero.ReadDir(f, deep); err != nil || len(list) != 1 || list[0].Name() != "g" {
		t.Errorf("listing %v, %v", list, err)
	}
	must(t, f.RemoveAll("/"+strings.Repeat("d", 250)))
	if _, err := f.Stat(strings.Repeat("d/", 40_000)); !errors.Is(err, syscall.ENAMETOOLONG) {
		t.Errorf("beyond all limits: %v", err)
	}
}

func TestSub(t *testing.T) {
	tr, f := newFs(t)
	must(t, f.MkdirAll("/a/b", 0o755))
	must(t, afero.WriteFile(f, "/secret", nil, 0o644))
	sub, err := f.Sub("/a")
	must(t, err)
	must(t, afero.WriteFile(sub, "/b/f", []byte("x"), 0o644))
	must(t, sub.SymlinkIfPossible("../secret", "l"))
	if _, err := tr.Stat("/a/b/f"); err != nil {
		t.Error(err)
	}
	for _, name := range []string{"../secret", "/../secret", "l", "b/../../secret"} {
		if _, err := sub.Stat(name); !errors.Is(err, vfs.ErrEscape) || !errors.Is(err, fs.ErrPermission) {
			t.Errorf("%q: %v", name, err)
		}
	}
	if _, err := f.Sub("/secret"); !errors.Is(err, syscall.ENOTDIR) {
		t.Errorf("sub of a file: %v", err)
	}
	must(t, tr.Rename("a", "moved"))
	if _, err := sub.Stat("/b/f"); err != nil {
		t.Errorf("after a rename: %v", err)
	}
}

// TestBeyondAfero uses what afero has no interface for.
func TestBeyondAfero(t *testing.T) {
	_, f := newFs(t)
	must(t, afero.WriteFile(f, "f", []byte("hello"), 0o600))
	must(t, f.Link("f", "g"))
	must(t, f.Truncate("g", 2))
	must(t, f.SymlinkIfPossible("f", "l"))
	must(t, f.Lchown("l", 5, 6))
	must(t, f.Lchtimes("l", time.Unix(1, 0), time.Unix(2, 0)))
	must(t, f.Mkfifo("p", 0o644))
	must(t, f.Mknod("s", fs.ModeSocket|0o644, 0))
	must(t, f.Mknod("b", fs.ModeDevice|0o644, 258))
	must(t, f.Mknod("r", 0o600, 0))
	if err := f.Mknod("d", fs.ModeDir|0o755, 0); !errors.Is(err, syscall.EINVAL) {
		t.Errorf("mknod of a directory: %v", err)
	}
	must(t, f.Setxattr("f", "user.k", []byte("v"), 0))
	i, err := f.Stat("f")
	must(t, err)
	if v := i.(vfs.Info); v.Nlink() != 2 || v.Size() != 2 || v.UID() != 0 {
		t.Errorf("file: %d links, %d bytes, owner %d", v.Nlink(), v.Size(), v.UID())
	}
	i, _, err = f.LstatIfPossible("l")
	must(t, err)
	if v := i.(vfs.Info); v.UID() != 5 || v.GID() != 6 || v.ModTime().Unix() != 2 {
		t.Errorf("link: %d:%d %v", v.UID(), v.GID(), v.ModTime())
	}
	if value, err := f.Getxattr("g", "user.k"); err != nil || string(value) != "v" {
		t.Errorf("attribute: %q, %v", value, err)
	}
	names, err := f.Listxattr("g")
	must(t, err)
	must(t, f.Removexattr("g", "user.k"))
	if len(names) != 1 || names[0] != "user.k" {
		t.Errorf("attributes: %q", names)
	}
	if err := f.RenameWith("f", "p", vfs.RenameNoReplace); !os.IsExist(err) {
		t.Errorf("rename onto a name: %v", err)
	}
	must(t, f.RenameWith("f", "p", vfs.RenameExchange))
	other := f.As(vfs.User{UID: 1000, GID: 1000})
	if err := other.Access("g", 4); !os.IsPermission(err) {
		t.Errorf("access by another: %v", err)
	}
	if _, err := other.Open("g"); !os.IsPermission(err) {
		t.Errorf("open by another: %v", err)
	}
	if err := other.Chmod("g", 0o777); !os.IsPermission(err) || !errors.Is(err, syscall.EPERM) {
		t.Errorf("chmod by another: %v", err)
	}
	must(t, f.Access("g", 6))
	must(t, f.Touch("g"))
	must(t, f.Unlink("g"))
	i, err = f.Stat("b")
	must(t, err)
	if st, ok := i.Sys().(*syscall.Stat_t); ok && (st.Rdev != 258 || st.Mode&syscall.S_IFMT != syscall.S_IFBLK) {
		t.Errorf("device: %o %d", st.Mode, st.Rdev)
	}
	must(t, f.Mkdir("d", 0o755))
	if err := f.Unlink("d"); !errors.Is(err, syscall.EISDIR) {
		t.Errorf("unlink of a directory: %v", err)
	}
	must(t, f.Rmdir("d"))
}

func TestQuotaIsTold(t *testing.T) {
	tr := vfs.New(vfs.Config{MaxBytes: 10, MaxFiles: 2})
	defer tr.Close()
	f := New(tr)
	err := afero.WriteFile(f, "f", make([]byte, 11), 0o644)
	if !errors.Is(err, vfs.ErrQuota) || !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("too many bytes: %v", err)
	}
	must(t, f.Mkdir("d", 0o755))
	err = f.Mkdir("e", 0o755)
	if !errors.Is(err, vfs.ErrTooManyFiles) || !errors.Is(err, syscall.EDQUOT) {
		t.Errorf("too many files: %v", err)
	}
	sub, err := f.Sub("d")
	must(t, err)
	for _, f := range []*Fs{f, sub, f.As(vfs.User{UID: 1000})} {
		if used, most := f.Usage(), f.Quota(); used != (vfs.Usage{Bytes: 10, Files: 2}) || most != (vfs.Usage{Bytes: 10, Files: 2}) {
			t.Errorf("%+v of %+v", used, most)
		}
	}
}

// TestHugeTruncate must not take the memory that it names.
func TestHugeTruncate(t *testing.T) {
	_, f := newFs(t)
	file, err := f.Create("f")
	must(t, err)
	defer file.Close()
	must(t, file.Truncate(1<<39))
	if err := file.Truncate(1 << 62); !errors.Is(err, syscall.EFBIG) {
		t.Errorf("beyond the largest file: %v", err)
	}
}

// TestLayersOfAfero puts afero's own file systems over a tree.
func TestLayersOfAfero(t *testing.T) {
	tr, f := newFs(t)
	must(t, f.MkdirAll("base/d", 0o755))
	must(t, afero.WriteFile(f, "base/d/f", []byte("base"), 0o644))
	must(t, afero.WriteFile(f, "base/g", []byte("g"), 0o644))
	base := afero.NewBasePathFs(f, "/base")
	over := afero.NewCopyOnWriteFs(base, New(vfs.New(vfs.Config{})))
	must(t, afero.WriteFile(over, "d/f", []byte("over"), 0o644))
	below, err := afero.ReadFile(base, "d/f")
	must(t, err)
	above, err := afero.ReadFile(over, "d/f")
	must(t, err)
	if string(below) != "base" || string(above) != "over" {
		t.Errorf("below %q, above %q", below, above)
	}
	if err := afero.WriteFile(afero.NewReadOnlyFs(f), "base/g", nil, 0o644); err == nil {
		t.Error("a read-only face writes")
	}
	if err := fstest.TestFS(afero.NewIOFS(base), "d/f", "g"); err != nil {
		t.Error(err)
	}
	if _, err := fs.Stat(tr.FS(), "base/d/f"); err != nil {
		t.Error(err)
	}
}
