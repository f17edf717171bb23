package gitops

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestBlameAgainstGit(t *testing.T) {
	b := newBoth(t)
	rnd := rand.New(rand.NewPCG(1, 2))
	b.write("f", edited(rnd, ""))
	commitAll(t, b.r, "0")
	for i := range 8 {
		if i == 4 {
			must(t, b.r.CreateBranch(ctx, "side", ""))
		}
		old, err := os.ReadFile(filepath.Join(b.dir, "repo", "f"))
		must(t, err)
		b.write("f", edited(rnd, string(old)))
		b.write("other", fmt.Sprint(i, "\n"))
		commitAll(t, b.r, fmt.Sprint(i+1))
	}
	lines, err := b.r.Blame(ctx, "", "f")
	must(t, err)
	var got, want strings.Builder
	for _, l := range lines {
		fmt.Fprintf(&got, "%s %s\n", l.Commit.Hash, strings.TrimSuffix(l.Text, "\n"))
	}
	for line := range strings.Lines(b.git("blame", "--porcelain", "f") + "\n") {
		line = strings.TrimSuffix(line, "\n")
		if f := strings.Fields(line); len(f) >= 3 && len(f[0]) == 40 {
			fmt.Fprintf(&want, "%s ", f[0])
		} else if text, ok := strings.CutPrefix(line, "\t"); ok {
			want.WriteString(text + "\n")
		}
	}
	if got.String() != want.String() {
		t.Errorf("%s\ngit's:\n%s", got.String(), want.String())
	}
	log, err := b.r.Log(ctx, LogOptions{Path: "f", Not: "HEAD~3", Max: 2})
	must(t, err)
	var hashes strings.Builder
	for _, c := range log {
		hashes.WriteString(c.Hash + "\n")
	}
	if want := b.git("log", "--format=%H", "-2", "HEAD~3..", "--", "f"); hashes.String() != want {
		t.Errorf("log of a path:\n%s\ngit's:\n%s", hashes.String(), want)
	}
	s, err := b.r.Show(ctx, "HEAD~2")
	must(t, err)
	if want := b.git("show", "--format=", "--abbrev=7", "HEAD~2"); s.Diff.Text() != want {
		t.Errorf("show:\n%s\ngit's:\n%s", s.Diff.Text(), want)
	}
	d, err := b.r.Diff(ctx, DiffOptions{From: "side", To: "HEAD"})
	must(t, err)
	if want := b.git("diff", "--abbrev=7", "side", "HEAD"); d.Text() != want {
		t.Errorf("diff of revisions:\n%s\ngit's:\n%s", d.Text(), want)
	}
}

func TestGrepAgainstGit(t *testing.T) {
	b := newBoth(t)
	b.write("a", "one\nTwo\nthree")
	b.write("d/b", "two words\n")
	b.write("bin", "two\x00\n")
	commitAll(t, b.r, "first")
	b.write("untracked", "two\n")
	for _, rev := range []string{"", "HEAD"} {
		ms, err := b.r.Grep(ctx, GrepOptions{Pattern: "^t[wh]", IgnoreCase: true, Rev: rev})
		must(t, err)
		var got strings.Builder
		for _, m := range ms {
			fmt.Fprintf(&got, "%s:%d:%s\n", m.Path, m.Line, m.Text)
		}
		if want := b.git("grep", "-nIi", "^t[wh]"); got.String() != want {
			t.Errorf("%s\ngit's:\n%s", got.String(), want)
		}
	}
}

func TestCleanAgainstGit(t *testing.T) {
	for _, c := range []struct {
		o    CleanOptions
		args string
	}{
		{CleanOptions{}, "-f"}, {CleanOptions{Directories: true}, "-fd"},
		{CleanOptions{Directories: true, Ignored: true}, "-fdx"}, {CleanOptions{DryRun: true, Directories: true}, "-nd"},
	} {
		ours, theirs := newBoth(t), newBoth(t)
		for _, b := range []*both{ours, theirs} {
			b.write(".gitignore", "*.log\n")
			b.write("d/tracked", "x\n")
			commitAll(t, b.r, "first")
			for _, name := range []string{"u", "d/u", "new/u", "new/deep/u", "x.log", "new2/x.log", "d/y.log"} {
				b.write(name, "x\n")
			}
			_, err := Init(b.tree, "m/repo/other", who, InitOptions{})
			must(t, err)
			b.write("other/f", "another repository's\n")
		}
		_, err := ours.r.Clean(ctx, c.o)
		must(t, err)
		theirs.git("clean", "-q", c.args)
		if got, want := files(t, ours.dir), files(t, theirs.dir); !slices.Equal(got, want) {
			t.Errorf("%s: %q, git leaves %q", c.args, got, want)
		}
	}
}

func files(t *testing.T, dir string) (names []string) {
	t.Helper()
	must(t, filepath.WalkDir(dir, func(name string, d os.DirEntry, err error) error {
		if err == nil && !strings.Contains(name, "/.git/") && !d.IsDir() {
			names = append(names, strings.TrimPrefix(name, dir))
		}
		return err
	}))
	return names
}

func TestArchiveAgainstGit(t *testing.T) {
	b := newBoth(t)
	b.write("a", "one\n")
	b.write("d/run", "#!/bin/sh\n")
	must(t, b.tree.Chmod("m/repo/d/run", 0o755))
	must(t, os.Symlink("../a", filepath.Join(b.dir, "repo/d/link")))
	commitAll(t, b.r, "first")
	var out bytes.Buffer
	must(t, b.r.Archive(ctx, &out, "", "p/"))
	list := func(r io.Reader) (l []string) {
		for in := tar.NewReader(r); ; {
			h, err := in.Next()
			if errors.Is(err, io.EOF) {
				return l
			}
			must(t, err)
			content, err := io.ReadAll(in)
			must(t, err)
			if h.Typeflag == tar.TypeReg || h.Typeflag == tar.TypeSymlink {
				l = append(l, fmt.Sprint(h.Name, h.Mode, h.Typeflag, h.Linkname, h.ModTime.Unix(), string(content)))
			}
		}
	}
	got, want := list(&out), list(strings.NewReader(b.git("archive", "--prefix=p/", "HEAD")))
	if !slices.Equal(got, want) {
		t.Errorf("%q\ngit's: %q", got, want)
	}
}

func TestBranchesAndTags(t *testing.T) {
	b := newBoth(t)
	b.write("a", "1\n")
	first := commitAll(t, b.r, "first")
	must(t, b.r.Checkout(ctx, CheckoutOptions{Branch: "topic/x", Create: true}))
	b.write("a", "2\n")
	commitAll(t, b.r, "second")
	must(t, b.r.CreateTag(ctx, "light", "HEAD~1", ""))
	must(t, b.r.CreateTag(ctx, "full", "", "with a message\n\n\nand more"))
	must(t, b.r.RenameBranch(ctx, "topic/x", "renamed"))
	must(t, b.r.Checkout(ctx, CheckoutOptions{Branch: "main"}))
	if err := b.r.DeleteBranch(ctx, "renamed", false); !errors.Is(err, ErrNotMerged) {
		t.Errorf("deleting what is not merged: %v", err)
	}
	for _, name := range []string{"main", "main/x", "../x", "-d", "HEAD", "a..b", ""} {
		if err := b.r.CreateBranch(ctx, name, ""); !errors.Is(err, ErrName) && !errors.Is(err, ErrExists) {
			t.Errorf("branch %q: %v", name, err)
		}
	}
	bs, err := b.r.Branches(ctx, false)
	must(t, err)
	var got strings.Builder
	for _, x := range bs {
		fmt.Fprintf(&got, "%s %s\n", x.Name, x.Hash)
	}
	if want := b.git("branch", "--format=%(refname:short) %(objectname)"); got.String() != want {
		t.Errorf("%s\ngit's:\n%s", got.String(), want)
	}
	for _, rev := range []string{"light", "full", "full^{commit}", "full^{tree}", "renamed~1", "@", first[:9],
		"renamed:a", "renamed^"} {
		h, err := b.r.Resolve(ctx, rev)
		if want := strings.TrimSpace(b.git("rev-parse", rev)); err != nil || h != want {
			t.Errorf("%s: %s, %v; git's %s", rev, h, err, want)
		}
	}
	must(t, b.r.DeleteBranch(ctx, "renamed", true))
	must(t, b.r.DeleteTag(ctx, "light"))
	b.git("fsck", "--strict")
	must(t, b.r.AddRemote(ctx, "origin", "https://example.com/x.git"))
	if want := b.git("remote", "-v"); !strings.Contains(want, "origin\thttps://example.com/x.git (fetch)") {
		t.Error(want)
	}
	must(t, b.r.RemoveRemote(ctx, "origin"))
	must(t, b.r.ConfigSet(ctx, "branch.a.b.note", "two words"))
	if got := b.git("config", "branch.a.b.note"); got != "two words\n" || b.git("remote") != "" {
		t.Errorf("%q", got)
	}
}
