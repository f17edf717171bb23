package gitops

import (
	"context"
	"fmt"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/filemode"
	"github.com/go-git/go-git/v5/plumbing/object"
)

// BlameLine is a line of a file and the commit that it came with.
type BlameLine struct {
	Commit Commit
	Text   string // with its newline, if it has one
}

// Blame tells where each line of a file of a revision, "" being HEAD, came from. Renames are not followed.
func (r *Repository) Blame(ctx context.Context, rev, name string) (lines []BlameLine, err error) {
	defer act(&err, "blame")
	r.mu.Lock()
	defer r.mu.Unlock()
	h, err := r.resolveCommit(rev)
	if err != nil {
		return nil, err
	}
	if name, err = cleanPath(name); err != nil {
		return nil, err
	}
	c, err := r.commit(h)
	if err != nil {
		return nil, err
	}
	e, err := r.lookup(c.TreeHash, name)
	if err != nil || e.mode == filemode.Dir || e.mode == filemode.Submodule {
		return nil, fmt.Errorf("file %q: %w", name, ErrNotFound)
	}
	b, err := r.blob(e.hash)
	if err != nil {
		return nil, err
	}
	text := splitLines(b)
	lines = make([]BlameLine, len(text))
	suspects := map[plumbing.Hash][]suspect{h: nil}
	for i, l := range text {
		lines[i].Text = l
		suspects[h] = append(suspects[h], suspect{i, i})
	}
	err = r.walk(ctx, []plumbing.Hash{h}, func(c *object.Commit) ([]plumbing.Hash, bool, error) {
		own := suspects[c.Hash]
		delete(suspects, c.Hash)
		next, err := r.passBlame(c, name, own, suspects, lines)
		return next, len(suspects) == 0, err
	})
	return lines, err
}

// suspect is a line of the result, and where a commit has it.
type suspect struct{ result, at int }

// passBlame hands the lines that a commit's parents have on to them, and blames the commit for the others.
func (r *Repository) passBlame(c *object.Commit, name string, own []suspect, suspects map[plumbing.Hash][]suspect,
	lines []BlameLine) ([]plumbing.Hash, error) {
	var next []plumbing.Hash
	now, err := r.textAt(c, name)
	if err != nil {
		return nil, err
	}
	for _, p := range c.ParentHashes {
		if len(own) == 0 {
			break
		}
		pc, err := r.commit(p)
		if err != nil {
			return nil, err
		}
		then, err := r.textAt(pc, name)
		if err != nil {
			return nil, err
		}
		from := origins(then, now)
		rest := own[:0:0]
		for _, s := range own {
			if o := from[s.at]; o >= 0 {
				suspects[p] = append(suspects[p], suspect{s.result, o})
			} else {
				rest = append(rest, s)
			}
		}
		own = rest
		if len(suspects[p]) > 0 {
			next = append(next, p)
		}
	}
	for _, s := range own {
		lines[s.result].Commit = commitOf(c)
	}
	return next, nil
}

// origins returns for each line of a text where an older one has it; -1 for nowhere.
func origins(then, now []string) []int {
	from := make([]int, len(now))
	i, j := 0, 0
	for _, r := range append(diffLines(then, now), run{len(then), len(then), len(now), len(now)}) {
		for ; j < r.b0; i, j = i+1, j+1 {
			from[j] = i
		}
		for ; j < r.b1; j++ {
			from[j] = -1
		}
		i = r.a1
	}
	return from
}

// textAt returns the lines of a file as a commit has it; none if it has no such file.
func (r *Repository) textAt(c *object.Commit, name string) ([]string, error) {
	e, err := r.at(c, name)
	if err != nil || e.mode == filemode.Dir || e.mode == filemode.Empty || e.mode == filemode.Submodule {
		return nil, err
	}
	b, err := r.blob(e.hash)
	return splitLines(b), err
}
