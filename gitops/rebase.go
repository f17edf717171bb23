package gitops

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/filemode"
	"github.com/go-git/go-git/v5/plumbing/object"
)

// Revert makes a commit that undoes another's change. A commit without exactly one parent is ErrNotFound; one that is
// undone already is ErrNothing. Conflicts are as CherryPick's.
func (r *Repository) Revert(ctx context.Context, rev string) (m Merged, err error) {
	defer act(&err, "revert")
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, err := r.worktree(); err != nil {
		return m, err
	}
	h, err := r.resolveCommit(rev)
	if err != nil {
		return m, err
	}
	c, err := r.commit(h)
	if err != nil {
		return m, err
	}
	if len(c.ParentHashes) != 1 {
		return m, fmt.Errorf("%q has %d parents: %w", rev, len(c.ParentHashes), ErrNotFound)
	}
	_, ours, err := r.head()
	if err != nil {
		return m, err
	}
	if ours.IsZero() {
		return m, ErrUnborn
	}
	parent := c.ParentHashes[0]
	if m.Conflicts, err = r.apply(ctx, h, ours, parent, sides{"HEAD", "parent of " + pickName(c)}); err != nil {
		return m, err
	}
	if len(m.Conflicts) > 0 {
		if err := r.replace("REVERT_HEAD", text(h.String()+"\n")); err != nil {
			return m, err
		}
	}
	subject, _, _ := strings.Cut(c.Message, "\n")
	return m, r.conclude(&m, "MERGE_MSG", CommitOptions{
		Message: fmt.Sprintf("Revert %q\n\nThis reverts commit %s.\n", subject, h)})
}

// Rebase makes the commits that only the current branch has once more on top of a revision, and moves the branch
// there. It takes a simple series: merges are left out, as are commits whose change is there already. It is all or
// nothing: a commit that doesn't fit is ErrConflict, with the paths in Merged.Conflicts, and nothing has changed. Any
// local change is ErrDirty, but for untracked files that aren't in the way.
func (r *Repository) Rebase(ctx context.Context, rev string) (m Merged, err error) {
	defer act(&err, "rebase")
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.rebase(ctx, rev)
}

func (r *Repository) rebase(ctx context.Context, rev string) (m Merged, err error) {
	if _, err := r.worktree(); err != nil {
		return m, err
	}
	onto, err := r.resolveCommit(rev)
	if err != nil {
		return m, err
	}
	_, ours, err := r.head()
	if err != nil {
		return m, err
	}
	if ours.IsZero() {
		return m, ErrUnborn
	}
	if err := r.clean(ctx); err != nil {
		return m, err
	}
	base, err := r.mergeBase(ctx, ours, onto)
	if err != nil {
		return m, err
	}
	switch base {
	case onto:
		m.UpToDate, m.Hash = true, ours.String()
		return m, nil
	case ours:
		m.FastForwarded = true
		return m, r.forward(ctx, onto, &m)
	}
	series, err := r.series(ctx, ours, onto)
	if err != nil {
		return m, err
	}
	tip := onto
	for _, c := range series {
		if tip, m.Conflicts, err = r.replay(ctx, c, tip); err != nil {
			return m, err
		}
		if len(m.Conflicts) > 0 {
			return m, fmt.Errorf("%s: %q: %w", pickName(c), m.Conflicts[0], ErrConflict)
		}
	}
	if err := r.switchTo(ctx, tip, false); err != nil {
		return m, err
	}
	if err := r.replace("ORIG_HEAD", text(ours.String()+"\n")); err != nil {
		return m, err
	}
	m.Hash = tip.String()
	return m, r.moveHead(tip)
}

// clean fails with ErrDirty if anything tracked was changed.
func (r *Repository) clean(ctx context.Context) error {
	x, err := r.readIndex()
	if err != nil {
		return err
	}
	if len(x.unmerged) > 0 {
		return fmt.Errorf("%q: %w", sortedKeys(x.unmerged)[0], ErrConflict)
	}
	head, _, err := r.headTree(ctx)
	if err != nil {
		return err
	}
	if !maps.Equal(head, x.listing()) {
		return fmt.Errorf("changes are staged: %w", ErrDirty)
	}
	f, err := r.scan(ctx, x, false)
	if err != nil {
		return err
	}
	for _, name := range sortedKeys(x.paths) {
		if x.sparse(name) {
			continue
		}
		w, err := r.workEntry(x, name, f.files)
		if err != nil {
			return err
		}
		if w != head[name] && head[name].mode != filemode.Submodule {
			return fmt.Errorf("%q: %w", name, ErrDirty)
		}
	}
	return nil
}

// series lists what only one side has, the oldest first, without merges.
func (r *Repository) series(ctx context.Context, ours, onto plumbing.Hash) ([]*object.Commit, error) {
	marks, _, err := r.paint(ctx, ours, onto)
	if err != nil {
		return nil, err
	}
	var list []*object.Commit
	err = r.walk(ctx, []plumbing.Hash{ours}, func(c *object.Commit) ([]plumbing.Hash, bool, error) {
		if marks[c.Hash]&right != 0 {
			return nil, false, nil
		}
		if len(c.ParentHashes) == 1 {
			list = append(list, c)
		}
		return c.ParentHashes, false, nil
	})
	slices.Reverse(list)
	return list, err
}

// replay makes a commit once more on top of another, in no working tree.
func (r *Repository) replay(ctx context.Context, c *object.Commit, onto plumbing.Hash) (plumbing.Hash, []string, error) {
	var ls [3]listing
	for i, h := range []plumbing.Hash{c.ParentHashes[0], onto, c.Hash} {
		var err error
		if ls[i], err = r.listCommit(ctx, h); err != nil {
			return onto, nil, err
		}
	}
	to := maps.Clone(ls[1])
	conflicts, err := r.mergeListings(ctx, ls, to, sides{"HEAD", pickName(c)})
	if err != nil || len(conflicts) > 0 {
		return onto, conflicts, err
	}
	if maps.Equal(to, ls[1]) && !maps.Equal(ls[0], ls[2]) {
		return onto, nil, nil // it is there already
	}
	n := &object.Commit{ParentHashes: []plumbing.Hash{onto}}
	if n.TreeHash, err = r.writeTree(to); err != nil {
		return onto, nil, err
	}
	err = r.sign(n, CommitOptions{Message: c.Message, Author: Person{c.Author.Name, c.Author.Email, c.Author.When}})
	if err != nil {
		return onto, nil, err
	}
	h, err := r.putCommit(n)
	return h, nil, err
}
