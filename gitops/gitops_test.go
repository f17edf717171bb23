package gitops

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/belljar-dev/belljar/vfs"
)

var (
	ctx = context.Background()
	who = Config{Name: "A U Thor", Email: "author@example.com", Now: func() time.Time {
		return time.Unix(1700000000, 0).UTC()
	}}
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func newRepository(t *testing.T) (*vfs.Tree, *Repository) {
	t.Helper()
	tr := vfs.New(vfs.Config{})
	t.Cleanup(func() { tr.Close() })
	r, err := Init(tr, "repo", who, InitOptions{})
	must(t, err)
	return tr, r
}

func write(t *testing.T, tr *vfs.Tree, name, content string) {
	t.Helper()
	must(t, tr.MkdirAll(filepath.Dir(name), 0o777))
	must(t, tr.WriteFile(name, []byte(content), 0o666))
}

func commitAll(t *testing.T, r *Repository, message string) string {
	t.Helper()
	must(t, r.Add(ctx, AddOptions{All: true}))
	h, err := r.Commit(ctx, CommitOptions{Message: message})
	must(t, err)
	return h
}

// both is a repository that git and this package see at once: a folder of the host, mounted.
type both struct {
	t    *testing.T
	dir  string
	tree *vfs.Tree
	r    *Repository
}

func newBoth(t *testing.T) *both {
	t.Helper()
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("needs git to compare with")
	}
	b := &both{t: t, dir: t.TempDir(), tree: vfs.New(vfs.Config{})}
	t.Cleanup(func() { b.tree.Close() })
	must(t, b.tree.MountHost("m", b.dir, false))
	var err error
	b.r, err = Init(b.tree, "m/repo", who, InitOptions{})
	must(t, err)
	return b
}

func (b *both) git(args ...string) string {
	b.t.Helper()
	out, err := b.try(args...)
	if err != nil {
		b.t.Fatalf("git %q: %v\n%s", args, err, out)
	}
	return out
}

func (b *both) try(args ...string) (string, error) {
	cmd := exec.Command("git", args...)
	cmd.Dir = filepath.Join(b.dir, "repo")
	cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_NOSYSTEM=1",
		"GIT_AUTHOR_NAME=A U Thor", "GIT_AUTHOR_EMAIL=author@example.com", "GIT_AUTHOR_DATE=1700000000 +0000",
		"GIT_COMMITTER_NAME=A U Thor", "GIT_COMMITTER_EMAIL=author@example.com", "GIT_COMMITTER_DATE=1700000000 +0000")
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func (b *both) write(name, content string) { b.t.Helper(); write(b.t, b.tree, "m/repo/"+name, content) }

// same compares status, diffs and log with git's own.
func (b *both) same(step string) {
	b.t.Helper()
	check := func(what, got, want string) {
		b.t.Helper()
		if got != want {
			b.t.Fatalf("%s: %s:\n%s\ngit says:\n%s", step, what, got, want)
		}
	}
	s, err := b.r.Status(ctx, StatusOptions{})
	must(b.t, err)
	check("status", porcelain(s), b.git("status", "--porcelain=v1", "-z"))
	d, err := b.r.Diff(ctx, DiffOptions{})
	must(b.t, err)
	check("diff", d.Text(), b.git("diff", "--abbrev=7"))
	d, err = b.r.Diff(ctx, DiffOptions{Staged: true})
	must(b.t, err)
	check("diff --cached", d.Text(), b.git("diff", "--cached", "--abbrev=7"))
	if s.Head == "" {
		return
	}
	log, err := b.r.Log(ctx, LogOptions{})
	must(b.t, err)
	var lines strings.Builder
	for _, c := range log {
		fmt.Fprintf(&lines, "%s %s %s\n", c.Hash, strings.Join(c.Parents, " "), strings.SplitN(c.Message, "\n", 2)[0])
	}
	check("log", lines.String(), b.git("log", "--format=%H %P %s"))
}

func porcelain(s Status) string {
	var out strings.Builder
	for _, e := range s.Entries {
		fmt.Fprintf(&out, "%c%c %s\x00", e.Index, e.Work, e.Path)
		if e.From != "" {
			out.WriteString(e.From + "\x00")
		}
	}
	return out.String()
}

func TestAgainstGit(t *testing.T) {
	for seed := range uint64(4) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			b := newBoth(t)
			rnd := rand.New(rand.NewPCG(seed, 0))
			b.write(".gitignore", "*.log\n/out/\n!keep.log\n")
			for step := range 8 {
				b.scramble(rnd)
				b.same(fmt.Sprint("scrambled ", step))
				must(t, b.r.Add(ctx, AddOptions{All: rnd.IntN(2) == 0, Update: true}))
				b.same(fmt.Sprint("added ", step))
				if rnd.IntN(3) == 0 {
					must(t, b.r.Add(ctx, AddOptions{All: true}))
				}
				_, err := b.r.Commit(ctx, CommitOptions{Message: fmt.Sprint("step ", step)})
				if err != nil && !errors.Is(err, ErrNothing) {
					t.Fatal(err)
				}
				b.same(fmt.Sprint("committed ", step))
			}
			b.git("fsck", "--strict")
		})
	}
}

// scramble changes, adds, moves and removes files.
func (b *both) scramble(rnd *rand.Rand) {
	names := []string{"a.txt", "b c.txt", "dir/d.txt", "dir/sub/e.go", "ü.txt", "x.log", "keep.log",
		"out/o.txt", "dir2/new/f"}
	for range 4 {
		name := names[rnd.IntN(len(names))]
		at := filepath.Join(b.dir, "repo", name)
		old, _ := os.ReadFile(at)
		switch rnd.IntN(6) {
		case 0:
			os.Remove(at)
		case 1:
			os.Rename(at, filepath.Join(b.dir, "repo", fmt.Sprintf("moved%d.txt", rnd.IntN(100))))
		case 2:
			os.Chmod(at, 0o755)
		default:
			b.write(name, edited(rnd, string(old)))
		}
	}
}

// edited changes some lines of a text. No two lines are equal, so that there is one shortest diff.
func edited(rnd *rand.Rand, text string) string {
	lines := strings.SplitAfter(text, "\n")
	if text == "" {
		lines = nil
		for range 30 {
			lines = append(lines, fmt.Sprintf("line %x\n", rnd.Uint64()))
		}
	}
	for range 1 + rnd.IntN(3) {
		i := rnd.IntN(len(lines))
		switch rnd.IntN(3) {
		case 0:
			lines[i] = fmt.Sprintf("changed %x\n", rnd.Uint64())
		case 1:
			lines[i] += fmt.Sprintf("\tmore %x\n", rnd.Uint64())
		case 2:
			lines[i] = ""
		}
	}
	return strings.Join(lines, "") + fmt.Sprintf("end %x", rnd.Uint64())
}
