package vfs

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
)

// dump describes everything under the working directory.
func dump(s system) string {
	var b strings.Builder
	dirs := []string{"."}
	for len(dirs) > 0 {
		dir := dirs[0]
		dirs = dirs[1:]
		names, err := s.list(dir)
		if err != nil {
			fmt.Fprintf(&b, "%s: %s\n", dir, errnoName(err))
		}
		slices.Sort(names)
		for _, name := range names {
			name = strings.TrimPrefix(dir+"/"+name, "./")
			st, err := s.stat(name, false)
			fmt.Fprintf(&b, "%s: %v %s", name, st, errnoName(err))
			switch st.typ {
			case 'd':
				dirs = append(dirs, name)
			case 'l':
				target, _ := s.readlink(name)
				fmt.Fprintf(&b, " -> %s", target)
			case '-':
				b.WriteString(" " + content(s, name))
			}
			b.WriteByte('\n')
		}
	}
	return b.String()
}

func content(s system, name string) string {
	f, err := s.open(name, os.O_RDONLY, 0)
	if err != nil {
		return errnoName(err)
	}
	defer f.close()
	text, err := f.pread(200, 0)
	return fmt.Sprintf("%q %s", text, errnoName(err))
}

// scratch returns an empty directory of the kernel's own memory file system, where there is one: it is a
// hundred times faster.
func scratch(t *testing.T) string {
	dir, err := os.MkdirTemp("/dev/shm", "vfs")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// both runs do on the kernel and on what is under test, and compares what it returns and what is there
// afterwards.
func both(t *testing.T, what string, mounted bool, do func(system) string) {
	t.Helper()
	run := func(s system) string { return do(s) + "\n" + dump(s) }
	var want string
	inScratch(t, func() { want = run(kernel{}) })
	if mounted {
		inScratch(t, func() {
			got := run(treeSystem{mountHere(t)})
			if got != want {
				t.Errorf("%s\n%s", what, difference(got, want))
			}
		})
		return
	}
	tr := New(Config{})
	if got := run(treeSystem{tr.top()}); got != want {
		t.Errorf("%s\n%s", what, difference(got, want))
	}
	if msg := tr.audit(); msg != "" {
		t.Errorf("%s: %s", what, msg)
	}
}

// inScratch runs do in a fresh working directory.
func inScratch(t *testing.T, do func()) {
	t.Helper()
	dir, err := os.MkdirTemp(".", "case")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	if err := errors.Join(os.Chmod(dir, 0o755), os.Chdir(dir)); err != nil {
		t.Fatal(err)
	}
	do()
	if err := os.Chdir(".."); err != nil {
		t.Fatal(err)
	}
}

// mountHere mounts the working directory in a tree, and returns it as a directory of that.
func mountHere(t *testing.T) *Dir {
	t.Helper()
	tr := New(Config{})
	t.Cleanup(func() { tr.Close() })
	must(t, tr.MountHost("w", ".", false))
	f, err := tr.Open("w")
	must(t, err)
	defer f.Close()
	d, err := f.Dir()
	must(t, err)
	return d
}

// difference shows the first lines that differ.
func difference(got, want string) string {
	a, b := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range max(len(a), len(b)) {
		if i >= len(a) || i >= len(b) || a[i] != b[i] {
			return fmt.Sprintf("line %d\ntree:   %.300s\nkernel: %.300s", i, append(a, "", "")[min(i, len(a))], append(b, "", "")[min(i, len(b))])
		}
	}
	return ""
}

// fixture puts one of everything in place.
func fixture(s system, mounted bool) {
	put(s, "f", "data")
	s.link("f", "h")
	s.mkdir("d", 0o755)
	s.mkdir("n", 0o750)
	put(s, "n/g", "other")
	s.mkdir("n/s", 0o700)
	s.symlink("f", "lf")
	s.symlink("n", "ld")
	s.symlink("d/", "le")
	s.symlink("none", "x")
	s.symlink("none/y", "xd")
	s.symlink("lo", "lo")
	s.symlink("ld/../lf", "ll")
	if !mounted {
		s.mkfifo("p", 0o604)
	}
}

func put(s system, name, text string) string {
	f, err := s.open(name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o644)
	if err != nil {
		return errnoName(err)
	}
	f.write(text)
	return errnoName(f.close())
}

// fixturePaths has every form of path that the fixture gives.
func fixturePaths() []string {
	paths := []string{
		"", ".", "./", "n/.", "n/..", "n/s/..", "d/.", "f/.", "f/..", "f/x", "h",
		"none/x", "none/", "n/g", "n/g/", "n/new", "n/new/", "n//g", "./f", "n/s/../g", "n/s/", "n/s/new",
		"ld/g", "ld/s", "ld/s/", "ld/new", "ld/..", "ld/.", "le/new", "lf/x", "x/y", "lo/y", "xd/z", "d/../f",
		strings.Repeat("a", 255), strings.Repeat("a", 256), strings.Repeat("a", 256) + "/x", "n/" + strings.Repeat("b", 256),
		strings.Repeat("./", 2046) + "f", strings.Repeat("./", 2047) + "f", strings.Repeat("./", 2048) + "f", strings.Repeat("n/../", 500) + "f",
	}
	for _, name := range []string{"f", "d", "n", "lf", "ld", "le", "x", "xd", "lo", "ll", "none", "p"} {
		paths = append(paths, name, name+"/", name+"//")
	}
	return paths
}

// calls with one path.
var unary = map[string]func(s system, name string) string{
	"mkdir":    func(s system, name string) string { return errnoName(s.mkdir(name, 0o711)) },
	"rmdir":    func(s system, name string) string { return errnoName(s.rmdir(name)) },
	"mkfifo":   func(s system, name string) string { return errnoName(s.mkfifo(name, 0o4741)) },
	"unlink":   func(s system, name string) string { return errnoName(s.unlink(name)) },
	"symlink":  func(s system, name string) string { return errnoName(s.symlink("target", name)) },
	"chmod":    func(s system, name string) string { return errnoName(s.chmod(name, 0o4755)) },
	"truncate": func(s system, name string) string { return errnoName(s.truncate(name, 2)) },
	"extend":   func(s system, name string) string { return errnoName(s.truncate(name, 20)) },
	"chtimes":  func(s system, name string) string { return errnoName(s.chtimes(name, 77)) + mtime(s, name) },
	"readlink": func(s system, name string) string {
		target, err := s.readlink(name)
		return target + " " + errnoName(err)
	},
	"stat": func(s system, name string) string {
		st, err := s.stat(name, true)
		return fmt.Sprint(st, errnoName(err))
	},
	"lstat": func(s system, name string) string {
		st, err := s.stat(name, false)
		return fmt.Sprint(st, errnoName(err))
	},
}

func mtime(s system, name string) string {
	st, err := s.stat(name, true)
	if err != nil {
		return ""
	}
	return " " + st.mtime.UTC().String()
}

var openFlags = map[string]int{
	"rdonly": os.O_RDONLY, "wronly": os.O_WRONLY, "rdwr": os.O_RDWR,
	"creat": os.O_CREATE | os.O_RDWR, "excl": os.O_CREATE | os.O_EXCL | os.O_WRONLY, "creat-rdonly": os.O_CREATE,
	"trunc": os.O_TRUNC | os.O_WRONLY, "trunc-creat": os.O_TRUNC | os.O_CREATE | os.O_WRONLY, "trunc-rdonly": os.O_TRUNC,
	"append": os.O_APPEND | os.O_WRONLY, "dir": O_DIRECTORY, "nofollow": O_NOFOLLOW, "nofollow-creat": O_NOFOLLOW | os.O_CREATE,
	"dir-nofollow": O_DIRECTORY | O_NOFOLLOW, "dir-wronly": O_DIRECTORY | os.O_WRONLY, "excl-only": os.O_EXCL,
}

func openWith(flag int) func(system, string) string {
	return func(s system, name string) string {
		f, err := s.open(name, flag|O_NONBLOCK, 0o640)
		if err != nil {
			return errnoName(err)
		}
		defer f.close()
		st, _ := f.stat()
		if st.typ == 'd' {
			return fmt.Sprint("ok ", st)
		}
		text, rerr := f.read(3)
		n, werr := f.write("XY")
		return fmt.Sprint("ok ", st, text, errnoName(rerr), n, errnoName(werr))
	}
}

func TestKernelUnary(t *testing.T)        { testUnary(t, false) }
func TestKernelUnaryMounted(t *testing.T) { testUnary(t, true) }

func testUnary(t *testing.T, mounted bool) {
	t.Chdir(scratch(t))
	calls := maps.Clone(unary)
	if mounted {
		delete(calls, "mkfifo") // Mounts have none.
	}
	for name, flag := range openFlags {
		calls["open "+name] = openWith(flag)
	}
	cases := 0
	for _, call := range sortedKeys(calls) {
		for _, name := range fixturePaths() {
			cases++
			both(t, fmt.Sprintf("%s %.40q", call, name), mounted, func(s system) string {
				fixture(s, mounted)
				return calls[call](s, name)
			})
		}
	}
	t.Logf("%d cases", cases)
}

func TestKernelBinary(t *testing.T)        { testBinary(t, false) }
func TestKernelBinaryMounted(t *testing.T) { testBinary(t, true) }

func testBinary(t *testing.T, mounted bool) {
	t.Chdir(scratch(t))
	calls := map[string]func(system, string, string) error{
		"rename":           func(s system, a, b string) error { return s.rename(a, b) },
		"rename noreplace": func(s system, a, b string) error { return s.renameWith(a, b, RenameNoReplace) },
		"rename exchange":  func(s system, a, b string) error { return s.renameWith(a, b, RenameExchange) },
		"link":             func(s system, a, b string) error { return s.link(a, b) },
	}
	if mounted {
		delete(calls, "rename exchange") // Mounts can't.
	}
	cases := 0
	for _, call := range sortedKeys(calls) {
		for _, a := range fixturePaths() {
			for _, b := range fixturePaths() {
				cases++
				if (testing.Short() || mounted) && cases%9 != 0 {
					continue
				}
				if strings.HasPrefix(call, "rename ") && cases%5 != 0 {
					continue
				}
				if len(baseName(a)) > maxName && b != "none" || len(baseName(b)) > maxName && a != "f" {
					continue // Both names may be wrong, and the kernel leaves it to the file system which comes first.
				}
				both(t, fmt.Sprintf("%s %.40q %.40q", call, a, b), mounted, func(s system) string {
					fixture(s, mounted)
					return errnoName(calls[call](s, a, b))
				})
			}
		}
	}
	t.Logf("%d cases", cases)
}

func sortedKeys[V any](m map[string]V) []string {
	var keys []string
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// TestKernelRandom runs random sequences of calls, some of them on open files, against the kernel.
func TestKernelRandom(t *testing.T) {
	t.Chdir(scratch(t))
	for seed := range uint64(400) {
		both(t, fmt.Sprintf("seed %d", seed), seed%8 == 0, func(s system) string {
			return randomCalls(s, rand.New(rand.NewPCG(seed, 1)), 250, seed%8 == 0)
		})
		if t.Failed() {
			return
		}
	}
}

func randomPath(r *rand.Rand) string {
	names := []string{"a", "b", "c", "d", "."}
	var parts []string
	for range 1 + r.IntN(3) {
		parts = append(parts, names[r.IntN(len(names))])
	}
	if r.IntN(12) == 0 {
		parts = append(parts, "")
	}
	return strings.Join(parts, "/")
}

func randomCalls(s system, r *rand.Rand, n int, mounted bool) string {
	var b strings.Builder
	var files []descriptor
	for range n {
		p, q := randomPath(r), randomPath(r)
		k, off, text := r.IntN(23), int64(r.IntN(70000)), strings.Repeat("z", r.IntN(20))
		var err error
		var out any
		if mounted && k >= 20 {
			k = 19 // Mounts can't.
		}
		switch k {
		case 0, 1, 2:
			err = s.mkdir(p, 0o755)
		case 3:
			err = s.rmdir(p)
		case 4:
			err = s.unlink(p)
		case 5:
			err = s.rename(p, q)
		case 6:
			err = s.renameWith(p, q, RenameFlags(off%2))
		case 7:
			err = s.link(p, q)
		case 8:
			err = s.symlink(q, p)
		case 9:
			err = s.truncate(p, off)
		case 10, 11, 12:
			var f descriptor
			if f, err = s.open(p, os.O_RDWR|os.O_CREATE|O_NONBLOCK, 0o600); err == nil {
				files = append(files, f)
			}
		case 20:
			err = s.mkfifo(p, 0o600)
		case 21:
			err = s.renameWith(p, q, RenameExchange)
		case 22:
			err = s.chmod(p, uint32(off%0o1000|0o700))
		default:
			if len(files) > 0 {
				out, err = randomFileCall(files[r.IntN(len(files))], r.IntN(8), off, text)
			}
		}
		fmt.Fprintf(&b, "%d %s %s %v %s\n", k, p, q, out, errnoName(err))
	}
	for _, f := range files {
		st, err := f.stat()
		text, _ := f.pread(300, 0)
		fmt.Fprintf(&b, "%v %s %q\n", st, errnoName(err), text)
		f.close()
	}
	return b.String()
}

func randomFileCall(f descriptor, k int, off int64, text string) (any, error) {
	switch k {
	case 0:
		return f.write(text)
	case 1:
		return f.pwrite(text, off)
	case 2:
		return f.read(len(text))
	case 3:
		return f.pread(len(text), off)
	case 4:
		return f.seek(off, int(off%3))
	case 5:
		return nil, f.truncate(off)
	case 6:
		return f.seek(-off, int(off%3))
	default:
		return f.stat()
	}
}
