package gitops

import (
	"errors"
	"strings"
	"testing"

	"github.com/belljar-dev/belljar/vfs"
)

func TestCommit(t *testing.T) {
	b := newBoth(t)
	if _, err := b.r.Commit(ctx, CommitOptions{Message: "x"}); !errors.Is(err, ErrNothing) {
		t.Errorf("nothing: %v", err)
	}
	if _, err := b.r.Log(ctx, LogOptions{}); !errors.Is(err, ErrUnborn) {
		t.Errorf("log of nothing: %v", err)
	}
	b.write("a", "1\n")
	commitAll(t, b.r, "first  \n\n\nbody\n\n")
	if _, err := b.r.Commit(ctx, CommitOptions{Message: "empty", AllowEmpty: true}); err != nil {
		t.Error(err)
	}
	b.write("a", "2\n")
	h, err := b.r.Commit(ctx, CommitOptions{Message: "amended", Amend: true, All: true})
	must(t, err)
	log, err := b.r.Log(ctx, LogOptions{})
	must(t, err)
	if len(log) != 2 || log[0].Hash != h || log[0].Message != "amended\n" || log[1].Message != "first\n\nbody\n" {
		t.Errorf("%+v", log)
	}
	b.same("amended")
	must(t, b.tree.WriteFile("m/repo/.git/index.lock", nil, 0o666))
	if err := b.r.Add(ctx, AddOptions{All: true}); !errors.Is(err, ErrLocked) {
		t.Errorf("under another's lock: %v", err)
	}
}

func TestIdentityIsTheHosts(t *testing.T) {
	tr := vfs.New(vfs.Config{})
	defer tr.Close()
	r, err := Init(tr, "/repo", Config{}, InitOptions{})
	must(t, err)
	must(t, r.ConfigSet(ctx, "user.name", "Mallory"))
	must(t, r.ConfigSet(ctx, "user.email", "m@example.com"))
	o := CommitOptions{Message: "x", AllowEmpty: true}
	if _, err := r.Commit(ctx, o); !errors.Is(err, ErrIdentity) {
		t.Errorf("without an identity: %v", err)
	}
	o.Author = Person{Name: "A <evil>\nparent 0", Email: "a@example.com"}
	_, err = r.Commit(ctx, o)
	must(t, err)
	log, err := r.Log(ctx, LogOptions{})
	must(t, err)
	if log[0].Author.Name != "A evilparent 0" || log[0].Committer.Email != "a@example.com" {
		t.Errorf("%+v", log[0])
	}
}

func TestConflictIsResolved(t *testing.T) {
	b := newBoth(t)
	b.write("f", "base\n")
	commitAll(t, b.r, "base")
	must(t, b.r.Checkout(ctx, CheckoutOptions{Branch: "topic", Create: true}))
	b.write("f", "theirs\n")
	theirs := commitAll(t, b.r, "theirs")
	must(t, b.r.Checkout(ctx, CheckoutOptions{Branch: "main"}))
	b.write("f", "ours\n")
	ours := commitAll(t, b.r, "ours")
	m, err := b.r.Merge(ctx, "topic", MergeOptions{})
	must(t, err)
	if len(m.Conflicts) != 1 || m.Hash != ours {
		t.Errorf("%+v", m)
	}
	s, err := b.r.Status(ctx, StatusOptions{})
	must(t, err)
	if want := b.git("status", "--porcelain=v1", "-z"); porcelain(s) != want {
		t.Errorf("%q, git's %q", porcelain(s), want)
	}
	if _, err := b.r.Commit(ctx, CommitOptions{Message: "x"}); !errors.Is(err, ErrConflict) {
		t.Errorf("commit in conflict: %v", err)
	}
	b.write("f", "both\n")
	must(t, b.r.Add(ctx, AddOptions{Paths: []string{"f"}}))
	_, err = b.r.Commit(ctx, CommitOptions{Message: "merged"})
	must(t, err)
	b.same("resolved")
	if got := strings.Fields(b.git("log", "-1", "--format=%P")); len(got) != 2 || got[0] != ours || got[1] != theirs {
		t.Errorf("parents %q", got)
	}
	b.git("fsck", "--strict")
}
