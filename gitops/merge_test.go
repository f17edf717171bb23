package gitops

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestMergeAgainstGit merges and cherry-picks in two equal repositories, one with git.
func TestMergeAgainstGit(t *testing.T) {
	outcomes := map[bool]int{}
	for seed := range uint64(9) {
		ours, theirs := newBoth(t), newBoth(t)
		for _, b := range []*both{ours, theirs} {
			rnd := rand.New(rand.NewPCG(seed, 1))
			names := []string{"a", "b", "d/c", "d/e"}
			side := func(message string) {
				for range 2 {
					name := names[rnd.IntN(len(names))]
					old, _ := os.ReadFile(filepath.Join(b.dir, "repo", name))
					if rnd.IntN(6) == 0 {
						os.Remove(filepath.Join(b.dir, "repo", name))
					} else {
						b.write(name, edited(rnd, string(old)))
					}
				}
				b.write(message, "so that there is something\n")
				commitAll(t, b.r, message)
			}
			for _, name := range names {
				b.write(name, edited(rnd, ""))
			}
			commitAll(t, b.r, "base")
			must(t, b.r.CreateBranch(ctx, "topic", ""))
			side("ours")
			must(t, b.r.Checkout(ctx, CheckoutOptions{Branch: "topic"}))
			side("theirs")
			must(t, b.r.Checkout(ctx, CheckoutOptions{Branch: "main"}))
		}
		var m Merged
		var err error
		if seed%3 == 2 {
			m, err = ours.r.CherryPick(ctx, "topic")
			theirs.try("cherry-pick", "topic")
		} else {
			m, err = ours.r.Merge(ctx, "topic", MergeOptions{})
			theirs.try("-c", "merge.renames=false", "merge", "--no-edit", "topic")
		}
		must(t, err)
		outcomes[len(m.Conflicts) > 0]++
		for _, cmd := range []string{"log --format=%H", "status --porcelain", "diff --cached", "ls-files -s"} {
			args := strings.Fields(cmd)
			if got, want := ours.git(args...), theirs.git(args...); got != want {
				t.Fatalf("seed %d: %s:\n%s\ngit's:\n%s", seed, cmd, got, want)
			}
		}
		for _, name := range []string{"a", "b", "d/c", "d/e"} {
			got, _ := os.ReadFile(filepath.Join(ours.dir, "repo", name))
			want, _ := os.ReadFile(filepath.Join(theirs.dir, "repo", name))
			if string(got) != string(want) {
				t.Fatalf("seed %d: %s:\n%s\ngit's:\n%s", seed, name, got, want)
			}
		}
	}
	if outcomes[true] == 0 || outcomes[false] == 0 {
		t.Errorf("merges with and without conflicts: %v", outcomes)
	}
}

func TestFastForward(t *testing.T) {
	tr, r := newRepository(t)
	write(t, tr, "repo/a", "1\n")
	first := commitAll(t, r, "first")
	must(t, r.Checkout(ctx, CheckoutOptions{Branch: "topic", Create: true}))
	write(t, tr, "repo/a", "2\n")
	second := commitAll(t, r, "second")
	must(t, r.Checkout(ctx, CheckoutOptions{Branch: "main"}))
	m, err := r.Merge(ctx, "topic", MergeOptions{})
	must(t, err)
	if !m.FastForwarded || m.Hash != second {
		t.Errorf("%+v", m)
	}
	if m, err = r.Merge(ctx, first, MergeOptions{}); err != nil || !m.UpToDate {
		t.Errorf("%+v, %v", m, err)
	}
	if b, err := tr.ReadFile("repo/a"); string(b) != "2\n" {
		t.Errorf("%q, %v", b, err)
	}
}

func TestConflictIsMarked(t *testing.T) {
	line := func(s string) []string { return splitLines([]byte(fmt.Sprintf("same\n%s\nend", s))) }
	got, n := mergeText(line("base"), line("mine"), line("yours"), "HEAD", "topic")
	want := splitLines([]byte("same\n<<<<<<< HEAD\nmine\n=======\nyours\n>>>>>>> topic\nend"))
	if n != 1 || !slices.Equal(got, want) {
		t.Errorf("%d: %q", n, got)
	}
}
