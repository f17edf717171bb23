package gitops

import (
	"context"
	"errors"
	"fmt"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/filemode"
	"github.com/go-git/go-git/v5/plumbing/object"
)

// Commit is a commit.
type Commit struct {
	Hash, Tree        string
	Parents           []string
	Author, Committer Person
	Message           string
}

func commitOf(c *object.Commit) Commit {
	out := Commit{Hash: c.Hash.String(), Tree: c.TreeHash.String(), Message: c.Message,
		Author:    Person{c.Author.Name, c.Author.Email, c.Author.When},
		Committer: Person{c.Committer.Name, c.Committer.Email, c.Committer.When}}
	for _, p := range c.ParentHashes {
		out.Parents = append(out.Parents, p.String())
	}
	return out
}

// LogOptions says which commits Log returns.
type LogOptions struct {
	From string // a revision; empty means HEAD
	Not  string // a revision; what it reaches is left out
	Max  int    // 0 means no limit
	// Path is a file or directory; only commits that changed it are returned, of a merge the side it came from.
	Path string
}

// Log returns commits, the latest first, as git log does. A branch without commits is ErrUnborn.
func (r *Repository) Log(ctx context.Context, o LogOptions) (list []Commit, err error) {
	defer act(&err, "log")
	r.mu.Lock()
	defer r.mu.Unlock()
	start, err := r.resolveCommit(o.From)
	if err != nil {
		return nil, err
	}
	file, err := cleanPath(o.Path)
	if err != nil {
		return nil, err
	}
	var hidden map[plumbing.Hash]int
	if o.Not != "" {
		not, err := r.resolveCommit(o.Not)
		if err != nil {
			return nil, err
		}
		if hidden, _, err = r.paint(ctx, start, not); err != nil {
			return nil, err
		}
	}
	err = r.walk(ctx, []plumbing.Hash{start}, func(c *object.Commit) ([]plumbing.Hash, bool, error) {
		if hidden[c.Hash]&right != 0 {
			return nil, false, nil
		}
		next, show := c.ParentHashes, true
		if file != "" {
			var err error
			if next, show, err = r.simplify(c, file); err != nil {
				return nil, false, err
			}
		}
		if show {
			list = append(list, commitOf(c))
		}
		return next, o.Max > 0 && len(list) >= o.Max, nil
	})
	return list, err
}

// simplify tells whether a commit changed a path, and which parents to go on with: if one has the path as it is, that
// one alone (https://git-scm.com/docs/git-log#_history_simplification).
func (r *Repository) simplify(c *object.Commit, file string) (next []plumbing.Hash, show bool, err error) {
	now, err := r.at(c, file)
	if err != nil {
		return nil, false, err
	}
	for _, p := range c.ParentHashes {
		pc, err := r.commit(p)
		if err != nil {
			return nil, false, err
		}
		then, err := r.at(pc, file)
		if err != nil {
			return nil, false, err
		}
		if then == now {
			return []plumbing.Hash{p}, false, nil
		}
	}
	return c.ParentHashes, len(c.ParentHashes) > 0 || now.mode != filemode.Empty, nil
}

// at returns what a commit has at a path; a zero entry for nothing.
func (r *Repository) at(c *object.Commit, file string) (entry, error) {
	e, err := r.lookup(c.TreeHash, file)
	if errors.Is(err, ErrNotFound) {
		return entry{}, nil
	}
	return e, err
}

// Shown is a commit with what it changed.
type Shown struct {
	Commit Commit
	Diff   Diff // against the first parent; of the first commit, everything
}

// Show returns the commit that a revision leads to and what it changed.
func (r *Repository) Show(ctx context.Context, rev string) (s Shown, err error) {
	defer act(&err, "show")
	r.mu.Lock()
	defer r.mu.Unlock()
	h, err := r.resolveCommit(rev)
	if err != nil {
		return s, err
	}
	c, err := r.commit(h)
	if err != nil {
		return s, err
	}
	s.Commit = commitOf(c)
	old, now := listing{}, listing{}
	if err := r.list(ctx, now, c.TreeHash, "", 0); err != nil {
		return s, err
	}
	if len(c.ParentHashes) > 0 {
		if old, err = r.listCommit(ctx, c.ParentHashes[0]); err != nil {
			return s, err
		}
	}
	s.Diff, err = r.diff(ctx, old, now, r.fromBlobs, nil, DiffOptions{})
	return s, err
}

// ReadFile returns a file as a revision has it.
func (r *Repository) ReadFile(ctx context.Context, rev, name string) (content []byte, err error) {
	defer act(&err, "cat-file")
	r.mu.Lock()
	defer r.mu.Unlock()
	h, err := r.resolveCommit(rev)
	if err != nil {
		return nil, err
	}
	c, err := r.commit(h)
	if err != nil {
		return nil, err
	}
	if name, err = cleanPath(name); err != nil {
		return nil, err
	}
	e, err := r.lookup(c.TreeHash, name)
	if err != nil || e.mode == filemode.Dir {
		return nil, fmt.Errorf("file %q: %w", name, ErrNotFound)
	}
	return r.blob(e.hash)
}
