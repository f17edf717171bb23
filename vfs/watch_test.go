package vfs

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

// drain returns what a Watch has noted.
func drain(t *testing.T, w *Watch) []string {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var out []string
	for {
		e, err := w.Next(ctx)
		if err != nil {
			if !errors.Is(err, context.Canceled) && !errors.Is(err, fs.ErrClosed) {
				t.Error(err)
			}
			return out
		}
		s := strings.TrimSpace(fmt.Sprintf("%v %s %s", e.Op, e.From, e.Path))
		if e.Type != 0 {
			s += " " + e.Type.String()[:1]
		}
		out = append(out, strings.Join(strings.Fields(s), " "))
	}
}

func watch(t *testing.T, tr *Tree, name string, recursive bool) *Watch {
	t.Helper()
	w, err := tr.Watch(name, recursive)
	must(t, err)
	t.Cleanup(func() { w.Close() })
	return w
}

func TestWatch(t *testing.T) {
	tr := New(Config{})
	must(t, tr.MkdirAll("a/b", 0o755))
	must(t, tr.WriteFile("out", nil, 0o644))
	f, err := tr.OpenFile("a/b/early", os.O_CREATE|os.O_RDWR, 0o644)
	must(t, err)
	defer f.Close()
	d := tr.Root()
	for _, step := range []struct {
		name   string
		do     func() error
		inA    string // what a Watch of a alone notes
		belowA string // what it notes if recursive
	}{
		{"mkdir", func() error { return tr.Mkdir("a/c", 0o755) }, "created /a/c d", "created /a/c d"},
		{"deep", func() error { return tr.WriteFile("a/b/f", []byte("x"), 0o644) }, "", "created /a/b/f, written /a/b/f"},
		{"shallow", func() error { return tr.WriteFile("a/g", []byte("x"), 0o644) }, "created /a/g, written /a/g", "created /a/g, written /a/g"},
		{"outside", func() error { return tr.WriteFile("out", []byte("x"), 0o644) }, "", ""},
		{"open before", func() error { return second(f.WriteString("x")) }, "", "written /a/b/early"},
		{"again and again", func() error {
			f.WriteString("x")
			f.Chmod(0o600)
			f.WriteString("x")
			return f.Chmod(0o644)
		}, "", "written /a/b/early, attributes /a/b/early"},
		{"in", func() error { return tr.Rename("out", "a/in") }, "renamed /out /a/in", "renamed /out /a/in"},
		{"out", func() error { return tr.Rename("a/in", "out") }, "renamed /a/in /out", "renamed /a/in /out"},
		{"move", func() error { return tr.Rename("a/b", "a/moved") }, "renamed /a/b /a/moved d", "renamed /a/b /a/moved d"},
		{"below what moved", func() error { return second(f.WriteString("x")) }, "", "written /a/moved/early"},
		{"link", func() error { return tr.Link("a/moved/early", "late") }, "", ""},
		{"both names", func() error { return second(f.WriteString("x")) }, "", "written /a/moved/early"},
		{"unlink", func() error { return tr.Remove("a/moved/early") }, "", "removed /a/moved/early"},
		{"no name here", func() error { return second(f.WriteString("x")) }, "", ""},
		{"symlink", func() error { return tr.Symlink("x", "a/l") }, "created /a/l L", "created /a/l L"},
		{"fifo", func() error { return d.Mkfifo("a/p", 0o644) }, "created /a/p p", "created /a/p p"},
		{"attribute", func() error { return d.Setxattr("a/g", true, "user.x", nil, 0) }, "attributes /a/g", "attributes /a/g"},
		{"times", func() error { return tr.Chtimes("a/c", time.Unix(1, 0), time.Unix(1, 0)) }, "attributes /a/c d", "attributes /a/c d"},
		{"truncate", func() error { return tr.Truncate("a/g", 0) }, "written /a/g", "written /a/g"},
		{"exchange", func() error { return d.RenameWith("a/g", d, "a/l", RenameExchange) },
			"renamed /a/l /a/g L, renamed /a/g /a/l", "renamed /a/l /a/g L, renamed /a/g /a/l"},
		{"read", func() error { return second(tr.ReadFile("a/l")) }, "", ""},
		{"failure", func() error { tr.Mkdir("a/c", 0o755); return nil }, "", ""},
		{"clone", func() error { return tr.Clone().WriteFile("a/z", nil, 0o644) }, "", ""},
		{"all", func() error { return tr.RemoveAll("a/moved") }, "removed /a/moved d", "removed /a/moved/f, removed /a/moved d"},
		{"itself", func() error { return tr.Rename("a", "n") }, "renamed /a /n d", "renamed /a /n d"},
		{"after that", func() error { return tr.Remove("n/p") }, "removed /n/p p", "removed /n/p p"},
		{"its end", func() error { return tr.RemoveAll("n") }, "", ""},
	} {
		dir := "a"
		if _, err := tr.Lstat("a"); err != nil {
			dir = "n"
		}
		flat, deep := watch(t, tr, dir, false), watch(t, tr, dir, true)
		must(t, step.do())
		if got := strings.Join(drain(t, flat), ", "); step.name != "its end" && got != step.inA {
			t.Errorf("%s, alone: %s", step.name, got)
		}
		got := drain(t, deep)
		if step.name == "its end" {
			if got[len(got)-1] != "removed /n d" {
				t.Errorf("%s: %s", step.name, got)
			}
		} else if s := strings.Join(got, ", "); s != step.belowA {
			t.Errorf("%s, recursive: %s", step.name, s)
		}
		must(t, flat.Close())
		must(t, deep.Close())
	}
	if len(tr.watches) != 0 {
		t.Error("closed watches stay")
	}
}

func TestWatchFile(t *testing.T) {
	tr := New(Config{})
	must(t, tr.WriteFile("f", nil, 0o644))
	w := watch(t, tr, "f", false)
	must(t, tr.WriteFile("g", nil, 0o644))
	must(t, tr.Rename("f", "h"))
	must(t, tr.WriteFile("h", []byte("x"), 0o644))
	must(t, tr.Remove("h"))
	must(t, tr.WriteFile("h", nil, 0o644))
	if got := drain(t, w); !slices.Equal(got, []string{"renamed /f /h", "written /h", "removed /h"}) {
		t.Error(got)
	}
}

func TestWatchOverflow(t *testing.T) {
	tr := New(Config{})
	w := watch(t, tr, "/", true)
	for i := range watchQueue + 100 {
		must(t, tr.Mkdir(fmt.Sprint("d", i), 0o755))
	}
	got := drain(t, w)
	if len(got) != watchQueue+1 || got[watchQueue] != "overflow" || got[watchQueue-1] == "overflow" {
		t.Error(len(got), got[len(got)-1])
	}
	must(t, tr.Mkdir("again", 0o755))
	if got := drain(t, w); !slices.Equal(got, []string{"created /again d"}) {
		t.Error("after the overflow:", got)
	}
	name := strings.Repeat("n", 255)
	dir := tr.Root()
	for range 20 {
		must(t, dir.Mkdir(name, 0o755))
		f, err := dir.OpenFile(name, os.O_RDONLY, 0)
		must(t, err)
		dir, err = f.Dir()
		must(t, errors.Join(err, f.Close()))
	}
	if got := drain(t, w); len(got) != 16 || got[15] != "overflow" {
		t.Error("paths too long to tell:", len(got))
	}
}

func TestWatchEnds(t *testing.T) {
	stop := errors.New("enough")
	for name, c := range map[string]struct {
		end  func(tr *Tree, w *Watch, cancel context.CancelCauseFunc)
		want error
	}{
		"event":   {func(tr *Tree, _ *Watch, _ context.CancelCauseFunc) { tr.Mkdir("d", 0o755) }, nil},
		"close":   {func(_ *Tree, w *Watch, _ context.CancelCauseFunc) { w.Close() }, fs.ErrClosed},
		"tree":    {func(tr *Tree, _ *Watch, _ context.CancelCauseFunc) { tr.Close() }, fs.ErrClosed},
		"context": {func(_ *Tree, _ *Watch, cancel context.CancelCauseFunc) { cancel(stop) }, stop},
	} {
		tr := New(Config{})
		ctx, cancel := context.WithCancelCause(t.Context())
		w := watch(t, tr, "/", true)
		done := make(chan error)
		go func() { // ends with the wait
			_, err := w.Next(ctx)
			done <- err
		}()
		c.end(tr, w, cancel)
		if err := <-done; !errors.Is(err, c.want) {
			t.Error(name, err)
		}
		cancel(nil)
	}
}
