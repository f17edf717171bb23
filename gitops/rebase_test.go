package gitops

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// diverged makes two branches that have changed some files each, and is on topic.
func diverged(t *testing.T, seed uint64) func(b *both) {
	return func(b *both) {
		rnd := rand.New(rand.NewPCG(seed, 2))
		names := []string{"a", "b", "c", "d/e", "d/f", "g"}
		texts := map[string]string{}
		change := func(name string) {
			texts[name] = edited(rnd, texts[name])
			b.write(name, texts[name])
		}
		for _, name := range names {
			change(name)
		}
		commitAll(t, b.r, "base")
		base := map[string]string{}
		for name, text := range texts {
			base[name] = text
		}
		must(t, b.r.CreateBranch(ctx, "topic", ""))
		for i := range 2 {
			change(names[rnd.IntN(len(names))])
			b.write(fmt.Sprint("main", i), "so that there is something\n")
			commitAll(t, b.r, fmt.Sprint("main ", i))
		}
		must(t, b.r.Checkout(ctx, CheckoutOptions{Branch: "topic"}))
		texts = base
		for i := range 3 {
			change(names[rnd.IntN(len(names))])
			b.write(fmt.Sprint("topic", i), "so that there is something\n")
			commitAll(t, b.r, fmt.Sprintf("topic %d\n\nwith a body", i))
		}
	}
}

func TestRebaseAgainstGit(t *testing.T) {
	outcomes := map[bool]int{}
	for seed := range uint64(9) {
		ours, theirs := twins(t, diverged(t, seed))
		before := ours.git("rev-parse", "HEAD") + ours.git("status", "--porcelain")
		m, err := ours.r.Rebase(ctx, "main")
		_, stopped := theirs.try("rebase", "-q", "main")
		step := fmt.Sprint("seed ", seed)
		outcomes[stopped == nil]++
		if stopped != nil {
			if !errors.Is(err, ErrConflict) || len(m.Conflicts) == 0 {
				t.Errorf("%s: git stops, %+v, %v", step, m, err)
			}
			if after := ours.git("rev-parse", "HEAD") + ours.git("status", "--porcelain"); after != before {
				t.Errorf("%s: something has changed: %s", step, after)
			}
			theirs.git("rebase", "--abort")
			continue
		}
		must(t, err)
		if got := strings.TrimSpace(theirs.git("rev-parse", "HEAD")); m.Hash != got {
			t.Errorf("%s: %+v, git's %s", step, m, got)
		}
		equal(t, step, ours, theirs, "log --format=%H%x20%an%x20%B", "status --porcelain", "ls-files -s", "fsck --strict --no-dangling", "symbolic-ref HEAD")
	}
	if outcomes[true] == 0 || outcomes[false] == 0 {
		t.Errorf("series that fit, and that don't: %v", outcomes)
	}
}

func TestRebaseOfLess(t *testing.T) {
	ours, theirs := twins(t, func(b *both) {
		b.write("a", "one\n")
		commitAll(t, b.r, "first")
		must(t, b.r.CreateBranch(ctx, "behind", ""))
		must(t, b.r.Checkout(ctx, CheckoutOptions{Branch: "topic", Create: true}))
		b.write("b", "picked\n")
		commitAll(t, b.r, "picked")
		b.write("c", "own\n")
		commitAll(t, b.r, "own")
		must(t, b.r.Checkout(ctx, CheckoutOptions{Branch: "main"}))
		b.write("m", "main\n")
		commitAll(t, b.r, "main's")
		_, err := b.r.CherryPick(ctx, "topic~1")
		must(t, err)
		must(t, b.r.Checkout(ctx, CheckoutOptions{Branch: "topic"}))
	})
	m, err := ours.r.Rebase(ctx, "main")
	must(t, err)
	theirs.git("rebase", "-q", "main")
	equal(t, "one is there already", ours, theirs, "log --format=%H%x20%s", "status --porcelain")
	if m, err = ours.r.Rebase(ctx, "main"); err != nil || !m.UpToDate {
		t.Errorf("again: %+v, %v", m, err)
	}
	must(t, ours.r.Checkout(ctx, CheckoutOptions{Branch: "behind"}))
	if m, err = ours.r.Rebase(ctx, "main"); err != nil || !m.FastForwarded {
		t.Errorf("behind: %+v, %v", m, err)
	}
	ours.write("a", "changed\n")
	if _, err = ours.r.Rebase(ctx, "topic"); !errors.Is(err, ErrDirty) {
		t.Errorf("over a change: %v", err)
	}
	must(t, ours.r.Add(ctx, AddOptions{All: true}))
	if _, err = ours.r.Rebase(ctx, "topic"); !errors.Is(err, ErrDirty) {
		t.Errorf("over a staged change: %v", err)
	}
	if _, err = ours.r.Rebase(ctx, "nowhere"); !errors.Is(err, ErrNotFound) {
		t.Errorf("nowhere: %v", err)
	}
}

func TestRevertAgainstGit(t *testing.T) {
	for _, c := range []struct {
		rev       string
		conflicts []string
	}{{"HEAD", nil}, {"HEAD~1", nil}, {"HEAD~2", []string{"a"}}} {
		ours, theirs := twins(t, func(b *both) {
			for _, text := range []string{"one\n", "two\n"} {
				b.write("a", text)
				b.write("gone", "x\n")
				commitAll(t, b.r, "a is "+text)
			}
			b.write("b", "three\n")
			must(t, b.r.Remove(ctx, true, "gone"))
			commitAll(t, b.r, "b comes, another goes")
			b.write("a", "four\n")
			commitAll(t, b.r, "a again")
		})
		m, err := ours.r.Revert(ctx, c.rev)
		must(t, err)
		theirs.try("revert", "--no-edit", c.rev)
		if !slices.Equal(m.Conflicts, c.conflicts) {
			t.Errorf("%s: %+v", c.rev, m)
		}
		equal(t, c.rev, ours, theirs, "log --format=%H%x20%B", "status --porcelain", "ls-files -s", "rev-parse --verify -q REVERT_HEAD", "fsck --strict --no-dangling")
		if got, want := fileOf(t, ours, "a"), fileOf(t, theirs, "a"); got != want {
			t.Errorf("%s: %q, git's %q", c.rev, got, want)
		}
	}
	b := newBoth(t)
	b.write("a", "one\n")
	commitAll(t, b.r, "first")
	if _, err := b.r.Revert(ctx, "HEAD"); !errors.Is(err, ErrNotFound) {
		t.Errorf("the first: %v", err)
	}
	b.write("a", "two\n")
	commitAll(t, b.r, "second")
	_, err := b.r.Revert(ctx, "HEAD")
	must(t, err)
	if _, err := b.r.Revert(ctx, "HEAD~1"); !errors.Is(err, ErrNothing) {
		t.Errorf("once more: %v", err)
	}
}
