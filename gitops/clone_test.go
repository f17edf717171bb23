package gitops

import (
	"fmt"
	"testing"
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
