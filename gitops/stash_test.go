package gitops

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/belljar-dev/belljar/vfs"
)

// twins are two equal repositories: one for this package, one for git.
func twins(t *testing.T, make func(b *both)) (ours, theirs *both) {
	t.Helper()
	ours, theirs = newBoth(t), newBoth(t)
	make(ours)
	make(theirs)
	return ours, theirs
}

// equal compares what git says of both.
func equal(t *testing.T, step string, ours, theirs *both, commands ...string) {
	t.Helper()
	for _, command := range commands {
		args := strings.Fields(command)
		got, err := ours.try(args...)
		want, wanted := theirs.try(args...)
		if got != want || (err == nil) != (wanted == nil) {
			t.Errorf("%s: git %s:\n%s (%v)\ngit's own:\n%s (%v)", step, command, got, err, want, wanted)
		}
	}
}

func TestStashAgainstGit(t *testing.T) {
	ours, theirs := twins(t, func(b *both) {
		b.write("a", "one\n")
		b.write("d/b", "two\n")
		b.write(".gitignore", "*.log\n")
		commitAll(t, b.r, "first")
		b.write("a", "staged\n")
		must(t, b.r.Add(ctx, AddOptions{All: true}))
		b.write("a", "one\nchanged\n")
		b.write("d/b", "2\n")
		b.write("new/file", "untracked\n")
		b.write("x.log", "ignored\n")
	})
	views := []string{"stash list", "status --porcelain --ignored", "diff", "diff --cached", "ls-files -s", "rev-parse stash@{0} stash@{0}^{tree} stash@{0}^2",
		"log -g --format=%H%x20%s%x20%P refs/stash", "fsck --strict --no-dangling"}
	for i, o := range []StashOptions{{}, {Untracked: true, Message: "with the new one"}} {
		e, err := ours.r.Stash(ctx, o)
		must(t, err)
		args := []string{"stash", "push", "-q"}
		if o.Untracked {
			args = append(args, "-u", "-m", o.Message)
		}
		theirs.git(args...)
		equal(t, fmt.Sprint("stash ", i), ours, theirs, views...)
		if got := strings.TrimSpace(theirs.git("rev-parse", "stash@{0}")); e.Hash != got {
			t.Errorf("stash %d is %+v, git's %s", i, e, got)
		}
		if i == 0 {
			for _, b := range []*both{ours, theirs} {
				b.write("d/b", "again\n")
				b.write("new/later", "untracked too\n")
			}
		}
	}
	if _, err := ours.r.StashApply(ctx, 0, false); err != nil {
		t.Error(err) // another file was changed
	}
	theirs.git("stash", "apply", "-q")
	equal(t, "applied", ours, theirs, views...)
	for _, b := range []*both{ours, theirs} {
		b.git("checkout", "-q", "--", "d/b")
		b.git("clean", "-qfd")
	}
	must(t, ours.r.StashDrop(ctx, 0))
	theirs.git("stash", "drop", "-q")
	equal(t, "dropped", ours, theirs, views...)
	if _, err := ours.r.StashApply(ctx, 0, true); err != nil {
		t.Error(err)
	}
	theirs.git("stash", "pop", "-q")
	equal(t, "popped", ours, theirs, "stash list", "status --porcelain", "diff", "ls-files -s", "fsck --strict --no-dangling")
	if list, err := ours.r.Stashes(ctx); err != nil || len(list) != 0 {
		t.Errorf("%+v, %v", list, err)
	}
}

func TestStashConflict(t *testing.T) {
	ours, theirs := twins(t, func(b *both) {
		b.write("a", "one\n")
		commitAll(t, b.r, "first")
		b.write("a", "mine\n")
	})
	_, err := ours.r.Stash(ctx, StashOptions{})
	must(t, err)
	theirs.git("stash", "-q")
	for _, b := range []*both{ours, theirs} {
		b.write("a", "theirs\n")
		commitAll(t, b.r, "second")
	}
	m, err := ours.r.StashApply(ctx, 0, true)
	must(t, err)
	if len(m.Conflicts) != 1 || m.Conflicts[0] != "a" {
		t.Errorf("%+v", m)
	}
	theirs.try("stash", "pop", "-q")
	equal(t, "in conflict", ours, theirs, "status --porcelain", "ls-files -s", "stash list")
	if got, want := fileOf(t, ours, "a"), fileOf(t, theirs, "a"); got != want {
		t.Errorf("%q, git's %q", got, want)
	}
}

func fileOf(t *testing.T, b *both, name string) string {
	t.Helper()
	content, err := b.tree.ReadFile("m/repo/" + name)
	must(t, err)
	return string(content)
}

func TestStashIsRefused(t *testing.T) {
	tr := vfs.New(vfs.Config{})
	defer tr.Close()
	r, err := Init(tr, "repo", who, InitOptions{})
	must(t, err)
	if _, err := r.Stash(ctx, StashOptions{}); !errors.Is(err, ErrUnborn) {
		t.Errorf("before the first commit: %v", err)
	}
	write(t, tr, "repo/a", "one\n")
	commitAll(t, r, "first")
	if _, err := r.Stash(ctx, StashOptions{}); !errors.Is(err, ErrNothing) {
		t.Errorf("nothing: %v", err)
	}
	for _, n := range []int{0, -1, 1 << 40} {
		if _, err := r.StashApply(ctx, n, true); !errors.Is(err, ErrNotFound) {
			t.Errorf("apply %d: %v", n, err)
		}
		if err := r.StashDrop(ctx, n); !errors.Is(err, ErrNotFound) {
			t.Errorf("drop %d: %v", n, err)
		}
	}
	write(t, tr, "repo/a", "two\n")
	_, err = r.Stash(ctx, StashOptions{})
	must(t, err)
	write(t, tr, "repo/a", "three\n")
	if _, err := r.StashApply(ctx, 0, true); !errors.Is(err, ErrDirty) {
		t.Errorf("over a change: %v", err)
	}
	if list, err := r.Stashes(ctx); err != nil || len(list) != 1 || !strings.HasPrefix(list[0].Message, "WIP on main: ") {
		t.Errorf("%+v, %v", list, err)
	}
	write(t, tr, "repo/.git/logs/refs/stash", "no line of a log\n")
	if _, err := r.Stashes(ctx); !errors.Is(err, ErrCorrupt) {
		t.Errorf("a log that is none: %v", err)
	}
	bare, err := Init(tr, "bare", who, InitOptions{Bare: true})
	must(t, err)
	if _, err := bare.Stash(ctx, StashOptions{}); !errors.Is(err, ErrBare) {
		t.Errorf("bare: %v", err)
	}
}
