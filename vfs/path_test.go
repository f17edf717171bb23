package vfs

import (
	"errors"
	"io/fs"
	"os"
	"slices"
	"strings"
	"testing"
)

// plan is what FuzzResolve walks in: links have targets, directories "", files "-".
var plan = map[string]string{
	"":       "",
	"a":      "",
	"a/b":    "",
	"a/b/c":  "",
	"a/f":    "-",
	"f":      "-",
	"l":      "a",
	"l2":     "/a/b",
	"l3":     "../../a//b/",
	"a/up":   "..",
	"a/abs":  "/",
	"a/b/l":  "../f",
	"a/b/l4": "../../l/b/l",
	"loop":   "loop",
	"p":      "q/x",
	"q":      "p",
	"gone":   "a/nothing",
	"dot":    "./././",
	"slash":  "f/",
	"deep":   "l/b/../b/l4",
}

func buildPlan(t testing.TB) *Tree {
	tr := New(Config{})
	for _, name := range sortedNames() {
		var err error
		switch target := plan[name]; {
		case name == "":
		case target == "":
			err = tr.Mkdir(name, 0o755)
		case target == "-":
			err = tr.WriteFile(name, nil, 0o644)
		default:
			err = tr.Symlink(target, name)
		}
		must(t, err)
	}
	return tr
}

func sortedNames() []string {
	var names []string
	for name := range plan {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// naive resolves a path by recursion over whole paths. It is the specification, not fast, and kept apart from
// the resolver's ways.
func naive(at []string, name string, follow bool, budget *int) ([]string, error) {
	if strings.HasPrefix(name, "/") {
		at = nil
	}
	elems := strings.Split(name, "/")
	for i, elem := range elems {
		last := strings.Trim(strings.Join(elems[i:], ""), "/") == elem && i+1 == len(elems)
		here := plan[strings.Join(at, "/")]
		switch {
		case here == "-":
			return nil, ErrNotDir
		case elem == "" || elem == ".":
			continue
		case elem == "..":
			at = at[:max(0, len(at)-1)]
			continue
		case len(elem) > maxName:
			return nil, ErrNameTooLong
		}
		next := append(slices.Clone(at), elem)
		target, ok := plan[strings.Join(next, "/")]
		if !ok {
			return nil, fs.ErrNotExist
		}
		if target == "" || target == "-" || last && !follow {
			at = next
			continue
		}
		if *budget--; *budget < 0 {
			return nil, ErrLoop
		}
		var err error
		if at, err = naive(at, target, true, budget); err != nil {
			return nil, err
		}
	}
	return at, nil
}

func FuzzResolve(f *testing.F) {
	for name := range plan {
		f.Add(name, true)
		f.Add(name+"/", false)
		f.Add("/a/../"+name+"/../l3/./l", true)
	}
	f.Add(strings.Repeat("l/up/", 25)+"f", true)
	f.Add(strings.Repeat("x", 256), true)
	f.Fuzz(func(t *testing.T, name string, follow bool) {
		checkResolve(t, buildPlan(t), name, follow)
	})
}

func checkResolve(t *testing.T, tr *Tree, name string, follow bool) {
	budget := maxFollows
	var want []string
	var werr error
	switch {
	case name == "":
		werr = fs.ErrNotExist
	case len(name) > maxPath:
		werr = ErrNameTooLong
	case strings.Contains(name, "\x00"):
		werr = fs.ErrInvalid
	default:
		want, werr = naive(nil, name, follow, &budget)
	}
	got, err := tr.top().Stat(name, follow)
	if werr != nil {
		if !errors.Is(err, werr) {
			t.Fatalf("%q: %v, want %v", name, err, werr)
		}
		return
	}
	must(t, err)
	exact, err := tr.top().Stat("/"+strings.Join(want, "/"), false)
	if err != nil || got.Ino() != exact.Ino() {
		t.Fatalf("%q leads to inode %d, want %q, which is %d (%v)", name, got.Ino(), want, exact.Ino(), err)
	}
}

// TestResolveAll resolves every path of up to three elements of the plan.
func TestResolveAll(t *testing.T) {
	tr := buildPlan(t)
	elems := []string{"", ".", "..", "none"}
	elems = append(elems, sortedNames()...)
	for _, a := range elems {
		for _, b := range elems {
			for _, c := range elems {
				for _, follow := range []bool{true, false} {
					checkResolve(t, tr, a+"/"+b+"/"+c, follow)
				}
			}
		}
	}
}

func TestDirEscape(t *testing.T) {
	tr := buildPlan(t)
	f, err := tr.Open("a")
	must(t, err)
	d, err := f.Dir()
	must(t, err)
	must(t, f.Close())
	for _, row := range []struct {
		name string
		err  error
	}{
		{"/f", ErrEscape}, {"..", ErrEscape}, {"../f", ErrEscape}, {"b/../../f", ErrEscape}, {"./..", ErrEscape}, {"none/../../f", ErrEscape},
		{"b/..", nil}, {"b/../f", nil}, {"..b", fs.ErrNotExist},
		{"up/f", nil}, {"abs/l2/c", nil}, // Links lead anywhere in the tree.
	} {
		if _, err := d.Stat(row.name, true); !errors.Is(err, row.err) {
			t.Errorf("stat %q: %v, want %v", row.name, err, row.err)
		}
		if _, err := tr.Root().Stat("../"+row.name, true); !errors.Is(err, ErrEscape) {
			t.Errorf("stat of ../%s from the root: %v", row.name, err)
		}
	}
	if !errors.Is(ErrEscape, fs.ErrPermission) {
		t.Error("ErrEscape is not fs.ErrPermission")
	}
}

// TestDirFollowsRename: a Dir is bound to the directory, not to its path.
func TestDirFollowsRename(t *testing.T) {
	tr := buildPlan(t)
	f, err := tr.Open("a/b")
	must(t, err)
	d, err := f.Dir()
	must(t, err)
	must(t, tr.Rename("a/b", "moved"))
	if _, err := d.Stat("c", true); err != nil {
		t.Error(err)
	}
	must(t, tr.RemoveAll("moved"))
	if _, err := d.Stat("c", true); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("stat in a removed directory: %v", err)
	}
	if err := d.Mkdir("new", 0o755); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("mkdir in a removed directory: %v", err)
	}
	if i, err := f.Info(); err != nil || i.Nlink() != 0 {
		t.Errorf("stat of the open directory: %v, %d links", err, i.Nlink())
	}
	if list, err := f.ReadDirAt(0, 10); !errors.Is(err, fs.ErrNotExist) || len(list) != 0 {
		t.Errorf("listing of a removed directory: %v, %v", list, err)
	}
	must(t, f.Close())
	if msg := tr.audit(); msg != "" {
		t.Error(msg)
	}
}

// TestRootAsName names the root itself, as Tree has it and as a Dir that is the root of its paths, with Linux's errors.
func TestRootAsName(t *testing.T) {
	tr := New(Config{})
	must(t, tr.MkdirAll("d/e", 0o755))
	must(t, tr.WriteFile("d/f", nil, 0o644))
	f, err := tr.Open("d")
	must(t, err)
	sub, err := f.Dir()
	must(t, err)
	for name, d := range map[string]*Dir{"tree": tr.top(), "root": tr.Root().AsRoot(), "below": sub.AsRoot()} {
		for what, c := range map[string]struct{ got, want error }{
			"rmdir /":          {d.Rmdir("/"), ErrBusy},
			"rmdir //":         {d.Rmdir("//"), ErrBusy},
			"rmdir /.":         {d.Rmdir("/."), fs.ErrInvalid},
			"rmdir .":          {d.Rmdir("."), fs.ErrInvalid},
			"unlink /":         {d.Unlink("/"), ErrIsDir},
			"remove /":         {d.Remove("/"), ErrBusy},
			"removeall /":      {d.RemoveAll("/"), ErrBusy},
			"mkdir /":          {d.Mkdir("/", 0o755), fs.ErrExist},
			"mkfifo /":         {d.Mkfifo("/", 0o644), fs.ErrExist},
			"symlink /":        {d.Symlink("x", "/"), fs.ErrExist},
			"rename /":         {d.Rename("/", d, "/new"), ErrBusy},
			"rename to /":      {d.Rename("/.", d, "/"), ErrBusy},
			"truncate /":       {d.Truncate("/", 0), ErrIsDir},
			"access /":         {d.Access("/", true, AccessExec), nil},
			"chmod /":          {d.Chmod("/", true, 0o755), nil},
			"empty":            {d.Rmdir(""), fs.ErrNotExist},
			"opened to create": {func() error { _, err := d.OpenFile("/", os.O_CREATE|os.O_RDWR, 0o644); return err }(), ErrIsDir},
		} {
			if !errors.Is(c.got, c.want) {
				t.Errorf("%s: %s: %v, want %v", name, what, c.got, c.want)
			}
		}
		if i, err := d.Stat("/", true); err != nil || !i.IsDir() {
			t.Errorf("%s: stat: %v", name, err)
		}
	}
}
