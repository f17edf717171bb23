package vfs

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"
	"testing"
)

// shown is a Diff as lines: kinds, path and what it was.
func shown(t testing.TB, old, new *Tree) string {
	t.Helper()
	list, err := Diff(old, new)
	must(t, err)
	var b strings.Builder
	for _, c := range list {
		fmt.Fprintf(&b, "%v %s", c.Kind, c.Path)
		if c.From != "" {
			fmt.Fprintf(&b, " from %s", c.From)
		}
		b.WriteByte('\n')
	}
	return b.String()
}

func TestDiff(t *testing.T) {
	base := New(Config{})
	must(t, base.MkdirAll("dir/sub", 0o755))
	must(t, base.MkdirAll("full/of", 0o755))
	for _, name := range []string{"a", "b", "dir/f", "dir/sub/g", "full/of/it"} {
		must(t, base.WriteFile(name, []byte(name), 0o644))
	}
	must(t, base.WriteFile("long", make([]byte, 3*chunkSize), 0o644))
	must(t, base.Symlink("a", "link"))
	must(t, base.Link("a", "linked"))
	write := func(tr *Tree, name, text string) {
		t.Helper()
		must(t, tr.WriteFile(name, []byte(text), 0o644))
	}
	for _, c := range []struct {
		name string
		do   func(tr *Tree)
		want string
	}{
		{"nothing", func(tr *Tree) {}, ""},
		{"times", func(tr *Tree) { must(t, tr.Chtimes("b", base.cfg.Now(), base.cfg.Now())) }, ""},
		{"the same again", func(tr *Tree) { write(tr, "b", "b") }, ""},
		{"zeros over zeros", func(tr *Tree) {
			must(t, tr.Truncate("long", 0))
			must(t, tr.Truncate("long", 3*chunkSize))
		}, ""},
		{"made and removed", func(tr *Tree) { write(tr, "new", ""); must(t, tr.Remove("new")) }, ""},
		{"created", func(tr *Tree) { must(t, tr.Mkdir("new", 0o755)); write(tr, "new/f", "") }, "created /new\ncreated /new/f\n"},
		{"removed", func(tr *Tree) { must(t, tr.RemoveAll("full")) }, "removed /full\nremoved /full/of\nremoved /full/of/it\n"},
		{"content", func(tr *Tree) { write(tr, "dir/sub/g", "G") }, "content /dir/sub/g\n"},
		{"content of a file with two names", func(tr *Tree) { write(tr, "a", "A") }, "content /a\ncontent /linked\n"},
		{"mode", func(tr *Tree) { must(t, tr.Chmod("b", 0o600)); must(t, tr.Chown("dir", 5, 5)) }, "mode /b\nmode /dir\n"},
		{"root", func(tr *Tree) { must(t, tr.Chmod("/", 0o700)) }, "mode /\n"},
		{"attributes", func(tr *Tree) { must(t, tr.Root().Setxattr("b", true, "user.x", nil, 0)) }, "attributes /b\n"},
		{"target", func(tr *Tree) { must(t, tr.Remove("link")); must(t, tr.Symlink("b", "link")) }, "content /link\n"},
		{"type", func(tr *Tree) { must(t, tr.Remove("link")); write(tr, "link", "") }, "type /link\n"},
		{"renamed", func(tr *Tree) { must(t, tr.Rename("b", "dir/c")) }, "renamed /dir/c from /b\n"},
		{"renamed and changed", func(tr *Tree) { must(t, tr.Rename("b", "c")); write(tr, "c", "C") }, "renamed,content /c from /b\n"},
		{"renamed directory", func(tr *Tree) { must(t, tr.Rename("dir", "full/d")) }, "renamed /full/d from /dir\n"},
		{"file in a renamed directory", func(tr *Tree) { must(t, tr.Rename("dir", "d")); write(tr, "d/sub/g", "G") },
			"renamed /d from /dir\ncontent /d/sub/g from /dir/sub/g\n"},
		{"saved by a new file", func(tr *Tree) { write(tr, "tmp", "B"); must(t, tr.Rename("tmp", "b")) }, "content /b\n"},
		{"renamed over another", func(tr *Tree) { must(t, tr.Rename("a", "b")) }, "removed /a\ncontent /b\n"},
		{"exchanged", func(tr *Tree) {
			must(t, tr.Root().RenameWith("a", tr.Root(), "dir/f", RenameExchange))
		}, "content /a\ncontent /dir/f\n"},
		{"exchanged directories", func(tr *Tree) {
			must(t, tr.Root().RenameWith("dir", tr.Root(), "full", RenameExchange))
		}, "renamed /dir from /full\nrenamed /full from /dir\n"},
		{"removed and made again", func(tr *Tree) {
			must(t, tr.RemoveAll("dir"))
			must(t, tr.MkdirAll("dir/sub", 0o755))
			write(tr, "dir/f", "dir/f")
			write(tr, "dir/sub/g", "G")
		}, "content /dir/sub/g\n"},
		{"renamed away and made again", func(tr *Tree) {
			must(t, tr.Rename("dir", "d"))
			must(t, tr.Mkdir("dir", 0o755))
			write(tr, "dir/f", "f")
		}, "renamed /d from /dir\ncreated /dir\ncreated /dir/f\n"},
		{"renamed, and something else in the place of what was in it", func(tr *Tree) {
			must(t, tr.Rename("full", "old"))
			must(t, tr.Rename("dir", "full"))
			must(t, tr.RemoveAll("old/of"))
			write(tr, "full/of", "")
		}, "renamed /full from /dir\nremoved /full/of\ncreated /full/of\nremoved /full/of/it\nrenamed /old from /full\n"},
		{"another name", func(tr *Tree) { must(t, tr.Link("b", "dir/b")) }, "created /dir/b\n"},
		{"a name less", func(tr *Tree) { must(t, tr.Remove("a")) }, "removed /a\n"},
		{"a name elsewhere", func(tr *Tree) { must(t, tr.Rename("a", "dir/a")) }, "renamed /dir/a from /a\n"},
		{"nameless", func(tr *Tree) {
			f, err := tr.Create("b")
			must(t, err)
			_, err = f.WriteString("more")
			must(t, err)
			must(t, tr.Remove("b"))
		}, "removed /b\n"},
	} {
		tr := base.CloneWith(Config{})
		c.do(tr)
		if got := shown(t, base, tr); got != c.want {
			t.Errorf("%s:\n%swant\n%s", c.name, got, c.want)
		}
		again := restore(t, base, record(t, tr, base))
		if got := shown(t, base, again); got != c.want {
			t.Errorf("%s, restored:\n%swant\n%s", c.name, got, c.want)
		}
		if got := shown(t, tr, again); got != "" {
			t.Errorf("%s: the restored tree differs:\n%s", c.name, got)
		}
	}
}

func TestDiffInfo(t *testing.T) {
	old := New(Config{})
	must(t, old.WriteFile("f", []byte("old"), 0o600))
	tr := old.Clone()
	must(t, tr.Rename("f", "g"))
	must(t, tr.WriteFile("g", []byte("newer"), 0))
	list, err := Diff(old, tr)
	must(t, err)
	if c := list[0]; len(list) != 1 || c.Old.Name() != "f" || c.Old.Size() != 3 || c.New.Name() != "g" || c.New.Size() != 5 {
		t.Errorf("%+v", list)
	}
	must(t, tr.Close())
	if _, err := Diff(old, tr); !errors.Is(err, fs.ErrClosed) {
		t.Error(err)
	}
}

// TestDiffModel checks Diff against what a walk of both trees says: whoever applies it has the content of the new tree.
func TestDiffModel(t *testing.T) {
	read := func(tr *Tree) map[string]string {
		m := map[string]string{}
		must(t, fs.WalkDir(tr.FS(), ".", func(name string, d fs.DirEntry, err error) error {
			must(t, err)
			i, err := tr.Lstat(name)
			must(t, err)
			text := fmt.Sprint(i.Mode(), i.(Info).UID())
			switch {
			case d.Type() == fs.ModeSymlink:
				target, err := tr.Readlink(name)
				must(t, err)
				text += target
			case d.Type().IsRegular():
				b, err := tr.ReadFile(name)
				must(t, err)
				text += string(b)
			}
			m["/"+strings.TrimPrefix(name, ".")] = text
			return nil
		}))
		return m
	}
	for seed := range uint64(60) {
		l, base := newLife(t, seed)
		old := base.Clone()
		for range 4 {
			for range 30 {
				l.step()
			}
			a, b := read(old), read(l.t)
			list, err := Diff(old, l.t)
			must(t, err)
			got := applied(list, a, b)
			for name := range b {
				if got[name] != b[name] {
					t.Fatalf("seed %d: %s differs and is not told: %v", seed, name, list)
				}
				delete(got, name)
			}
			if len(got) > 0 {
				t.Fatalf("seed %d: not told to be gone: %v", seed, got)
			}
			old = l.clone(t)
		}
	}
}

// applied returns what old is with the changes made to it, which take their text from new.
func applied(list []Change, old, new map[string]string) map[string]string {
	moved, gone := map[string]string{}, map[string]bool{}
	for _, c := range list {
		switch {
		case c.Kind&ChangeRenamed != 0 && c.New.IsDir():
			moved[c.From] = c.Path
		case c.Kind&ChangeRenamed != 0:
			gone[c.From] = true
		case c.Kind&ChangeRemoved != 0:
			gone[c.Path] = true
		}
	}
	out := map[string]string{}
	for name, text := range old {
		if gone[name] {
			continue
		}
		for dir := name; dir != "/"; dir = path.Dir(dir) {
			if to, ok := moved[dir]; ok {
				name = to + name[len(dir):]
				break
			}
		}
		out[name] = text
	}
	for _, c := range list {
		if c.Kind&ChangeRemoved == 0 {
			out[c.Path] = new[c.Path]
		}
	}
	return out
}

// TestDiffCost changes 10 files of 100,000 in 1,000 directories: what is looked at is in proportion to the changes.
func TestDiffCost(t *testing.T) {
	base := New(Config{})
	for d := range 1000 {
		dir := fmt.Sprintf("d%d/e", d)
		must(t, base.MkdirAll(dir, 0o755))
		for f := range 100 {
			must(t, base.WriteFile(fmt.Sprintf("%s/f%d", dir, f), nil, 0o644))
		}
	}
	big := bytes.Repeat([]byte("x"), 1000*chunkSize)
	must(t, base.WriteFile("big", big, 0o644))
	tr := base.CloneWith(Config{})
	for i := range 9 {
		must(t, tr.WriteFile(fmt.Sprintf("d%d/e/f%d", i*111, i), []byte("new"), 0o644))
	}
	f, err := tr.OpenFile("big", 1, 0)
	must(t, err)
	_, err = f.WriteAt([]byte("y"), 500*chunkSize)
	must(t, err)
	c, err := compare(base, tr)
	must(t, err)
	d := diff{changes: c}
	d.run()
	// A trie of 100,000 is 4 levels high, one of 1,000 chunks 2.
	if len(d.list) != 10 || d.visited > 10*(4+2) {
		t.Errorf("%d changes cost %d visits", len(d.list), d.visited)
	}
	sink := &recording{}
	c, err = compare(base, tr)
	must(t, err)
	c.to = sink
	must(t, c.tell())
	if len(sink.list) != 1+10+10 || c.visited > 10*(4+2) {
		t.Errorf("%d records cost %d visits", len(sink.list), c.visited)
	}
}
