package gitops

import (
	"errors"
	"testing"
)

func TestCheckoutAgainstGit(t *testing.T) {
	b := newBoth(t)
	b.write("a", "one\n")
	b.write("d/e", "two\n")
	commitAll(t, b.r, "first")
	must(t, b.r.Checkout(ctx, CheckoutOptions{Branch: "other", Create: true}))
	must(t, b.r.Remove(ctx, false, "a", "d"))
	b.write("a/b", "a file became a directory\n")
	b.write("d", "and a directory a file\n")
	commitAll(t, b.r, "second")
	b.same("second")
	for range 2 {
		for _, branch := range []string{"main", "other"} {
			must(t, b.r.Checkout(ctx, CheckoutOptions{Branch: branch}))
			b.same(branch)
			if got := b.git("status", "--porcelain=v1"); got != "" {
				t.Errorf("%s: %s", branch, got)
			}
		}
	}
	b.write("new", "staged\n")
	must(t, b.r.Add(ctx, AddOptions{Paths: []string{"new"}}))
	must(t, b.r.Checkout(ctx, CheckoutOptions{Branch: "main"}))
	b.same("a staged file comes along")
	b.write("a", "changed\n")
	if err := b.r.Checkout(ctx, CheckoutOptions{Branch: "other"}); !errors.Is(err, ErrDirty) {
		t.Errorf("over a local change: %v", err)
	}
	b.same("nothing was done")
	must(t, b.r.Restore(ctx, RestoreOptions{Paths: []string{"a"}}))
	b.same("restored")
	b.write("d/untracked", "mine\n")
	if err := b.r.Checkout(ctx, CheckoutOptions{Branch: "other"}); !errors.Is(err, ErrDirty) {
		t.Errorf("over an untracked file: %v", err)
	}
	must(t, b.r.Restore(ctx, RestoreOptions{Paths: []string{"new"}, Staged: true}))
	b.same("unstaged")
}

func TestResetAgainstGit(t *testing.T) {
	for mode, name := range []string{"--mixed", "--soft", "--hard"} {
		ours, theirs := newBoth(t), newBoth(t)
		for _, b := range []*both{ours, theirs} {
			b.write("a", "one\n")
			b.write("gone", "x\n")
			commitAll(t, b.r, "first")
			must(t, b.r.Remove(ctx, false, "gone"))
			b.write("a", "two\n")
			b.write("new/f", "f\n")
			commitAll(t, b.r, "second")
			b.write("a", "three\n")
			b.write("untracked", "stays\n")
		}
		must(t, ours.r.Reset(ctx, "HEAD~1", ResetMode(mode)))
		theirs.git("reset", "-q", name, "HEAD~1")
		ours.same(name)
		if got, want := ours.git("status", "--porcelain"), theirs.git("status", "--porcelain"); got != want {
			t.Errorf("%s:\n%s\ngit's:\n%s", name, got, want)
		}
	}
}
