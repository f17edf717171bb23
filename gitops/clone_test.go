package gitops

import (
	"fmt"
	"testing"

	"github.com/belljar-dev/belljar/vfs"
)

func TestClone(t *testing.T) {
	b := newBoth(t)
	for i := range 5 {
		b.write(fmt.Sprintf("d%d/f", i), fmt.Sprint(i, "\n"))
		commitAll(t, b.r, fmt.Sprint(i))
	}
	b.git("gc", "-q")
	must(t, b.r.CreateTag(ctx, "v1", "HEAD~1", "annotated"))
	for _, from := range []string{"m/repo", "file:///m/repo"} {
		name := "m/copy" + fmt.Sprint(len(from))
		r, err := Clone(ctx, b.tree, from, name, who, CloneOptions{})
		must(t, err)
		s, err := r.Status(ctx, StatusOptions{})
		must(t, err)
		if len(s.Entries) > 0 || s.Branch != "main" || s.Upstream != "origin/main" || s.Ahead+s.Behind != 0 {
			t.Errorf("%+v", s)
		}
		b.git("-C", "../"+name[2:], "fsck", "--strict")
		got, want := b.git("-C", "../"+name[2:], "log", "--all", "--format=%H"), b.git("log", "--all", "--format=%H")
		if got != want {
			t.Errorf("log:\n%s\nwant:\n%s", got, want)
		}
		write(t, b.tree, name+"/new", "x\n")
		commitAll(t, r, "ahead")
		if s, err = r.Status(ctx, StatusOptions{}); err != nil || s.Ahead != 1 || s.Behind != 0 {
			t.Errorf("%+v, %v", s, err)
		}
	}
}

func BenchmarkStatus(b *testing.B) {
	tr := vfs.New(vfs.Config{})
	defer tr.Close()
	r, err := Init(tr, "repo", who, InitOptions{})
	if err != nil {
		b.Fatal(err)
	}
	for i := range 10000 {
		name := fmt.Sprintf("repo/d%d/e%d", i/100, i%10)
		if err := tr.MkdirAll(name, 0o777); err != nil {
			b.Fatal(err)
		}
		if err := tr.WriteFile(fmt.Sprint(name, "/f", i), fmt.Append(nil, i), 0o666); err != nil {
			b.Fatal(err)
		}
	}
	if err := r.Add(ctx, AddOptions{All: true}); err != nil {
		b.Fatal(err)
	}
	if _, err := r.Commit(ctx, CommitOptions{Message: "all"}); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if s, err := r.Status(ctx, StatusOptions{}); err != nil || len(s.Entries) > 0 {
			b.Fatal(s, err)
		}
	}
}
