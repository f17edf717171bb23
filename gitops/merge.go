package gitops

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/filemode"
	"github.com/go-git/go-git/v5/plumbing/object"
)

// MergeOptions says how Merge goes about it.
type MergeOptions struct {
	Message     string // of the merge commit; empty means git's own
	FastForward FastForward
}

// FastForward says what Merge does when the branch has nothing of its own.
type FastForward int

// The ways.
const (
	FastForwardIfPossible FastForward = iota
	FastForwardOnly                   // otherwise ErrNotForward
	NoFastForward                     // always make a commit
)

// Merged is what became of a merge or a cherry-pick.
type Merged struct {
	Hash          string // what HEAD is now
	UpToDate      bool   // there was nothing to merge
	FastForwarded bool
	// Conflicts are the paths that could not be merged. If there are any, no commit was made: the index holds the
	// sides, the files have conflict markers, and Commit after Add, or Reset, ends it.
	Conflicts []string
}

// Merge merges a revision into the current branch. Local changes that would be lost are ErrDirty, histories without
// a common commit ErrUnrelated. Of several merge bases the latest is taken. Renames are not followed.
func (r *Repository) Merge(ctx context.Context, rev string, o MergeOptions) (m Merged, err error) {
	defer act(&err, "merge")
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.merge(ctx, rev, o)
}

func (r *Repository) merge(ctx context.Context, rev string, o MergeOptions) (m Merged, err error) {
	if _, err := r.worktree(); err != nil {
		return m, err
	}
	theirs, err := r.resolveCommit(rev)
	if err != nil {
		return m, err
	}
	branch, ours, err := r.head()
	if err != nil {
		return m, err
	}
	if ours.IsZero() {
		m.FastForwarded = true
		return m, r.forward(ctx, theirs, &m)
	}
	base, err := r.mergeBase(ctx, ours, theirs)
	switch {
	case err != nil:
		return m, err
	case base == theirs:
		m.UpToDate, m.Hash = true, ours.String()
		return m, nil
	case base == ours && o.FastForward != NoFastForward:
		m.FastForwarded = true
		return m, r.forward(ctx, theirs, &m)
	case o.FastForward == FastForwardOnly:
		return m, ErrNotForward
	case base.IsZero():
		return m, ErrUnrelated
	}
	if o.Message == "" {
		o.Message = "Merge " + describe(rev)
		if name := branch.Short(); name != "" && name != "main" && name != "master" {
			o.Message += " into " + name
		}
	}
	if m.Conflicts, err = r.apply(ctx, base, ours, theirs, sides{"HEAD", rev}); err != nil {
		return m, err
	}
	if err := r.replace("MERGE_HEAD", text(theirs.String()+"\n")); err != nil {
		return m, err
	}
	return m, r.conclude(&m, "MERGE_MSG", CommitOptions{Message: o.Message})
}

func describe(rev string) string {
	if plumbing.IsHash(rev) || strings.ContainsAny(rev, "~^") {
		return fmt.Sprintf("commit '%s'", rev)
	}
	return fmt.Sprintf("branch '%s'", rev)
}

func text(s string) func(*bytes.Buffer) error {
	return func(b *bytes.Buffer) error {
		b.WriteString(s)
		return nil
	}
}

func (r *Repository) forward(ctx context.Context, to plumbing.Hash, m *Merged) error {
	if err := r.switchTo(ctx, to, false); err != nil {
		return err
	}
	m.Hash = to.String()
	return r.moveHead(to)
}

// conclude makes the commit of a merge, or leaves the message for it if there are conflicts.
func (r *Repository) conclude(m *Merged, file string, o CommitOptions) error {
	if len(m.Conflicts) > 0 {
		_, h, err := r.head()
		m.Hash = h.String()
		if err != nil {
			return err
		}
		return r.replace(file, text(cleanMessage(o.Message)))
	}
	x, err := r.readIndex()
	if err != nil {
		return err
	}
	h, err := r.commitIndex(x, o)
	m.Hash = h.String()
	return err
}

// CherryPick makes the change of a commit once more, on the current branch, with its author and message. A commit
// without exactly one parent is ErrNotFound; one that changes nothing here is ErrNothing.
func (r *Repository) CherryPick(ctx context.Context, rev string) (m Merged, err error) {
	defer act(&err, "cherry-pick")
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
	if m.Conflicts, err = r.apply(ctx, c.ParentHashes[0], ours, h, sides{"HEAD", pickName(c)}); err != nil {
		return m, err
	}
	if len(m.Conflicts) > 0 {
		if err := r.replace("CHERRY_PICK_HEAD", text(h.String()+"\n")); err != nil {
			return m, err
		}
	}
	return m, r.conclude(&m, "MERGE_MSG", CommitOptions{Message: c.Message,
		Author: Person{c.Author.Name, c.Author.Email, c.Author.When}})
}

func pickName(c *object.Commit) string {
	subject, _, _ := strings.Cut(c.Message, "\n")
	return fmt.Sprintf("%s (%s)", c.Hash.String()[:7], subject)
}

// sides are what conflict markers call the two.
type sides struct{ ours, theirs string }

// apply brings what changed from base to theirs into index and working tree, which are at ours, and returns the paths
// in conflict.
func (r *Repository) apply(ctx context.Context, base, ours, theirs plumbing.Hash, names sides) ([]string, error) {
	var ls [3]listing
	for i, h := range []plumbing.Hash{base, ours, theirs} {
		var err error
		if ls[i], err = r.listCommit(ctx, h); err != nil {
			return nil, err
		}
	}
	x, err := r.readIndex()
	if err != nil {
		return nil, err
	}
	if len(x.unmerged) > 0 {
		return nil, fmt.Errorf("%q: %w", sortedKeys(x.unmerged)[0], ErrConflict)
	}
	for name, e := range x.paths {
		if ls[1][name] != (entry{e.Mode, e.Hash}) {
			return nil, fmt.Errorf("%q is staged: %w", name, ErrDirty)
		}
	}
	if len(x.paths) != len(ls[1]) {
		return nil, fmt.Errorf("removals are staged: %w", ErrDirty)
	}
	to := maps.Clone(ls[1])
	conflicts, err := r.mergeListings(ctx, ls, to, names)
	if err != nil {
		return nil, err
	}
	from, to, err := r.unhindered(ctx, x, ls[1], to)
	if err != nil {
		return nil, err
	}
	if err := r.update(ctx, x, from, to); err != nil {
		return nil, err
	}
	for _, name := range conflicts {
		x.conflict(name, [3]entry{ls[0][name], ls[1][name], ls[2][name]})
	}
	return conflicts, r.writeIndex(x)
}

// mergeListings decides path by path, and makes to what is to be in the working tree, conflict markers included.
func (r *Repository) mergeListings(ctx context.Context, ls [3]listing, to listing, called sides) ([]string, error) {
	base, ours, theirs := ls[0], ls[1], ls[2]
	names := map[string]bool{}
	for _, l := range ls {
		for name := range l {
			names[name] = true
		}
	}
	var conflicts []string
	for _, name := range slices.Sorted(maps.Keys(names)) {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		b, o, t := base[name], ours[name], theirs[name]
		switch {
		case o == t || b == t:
		case b == o && t.mode == filemode.Empty:
			delete(to, name)
		case b == o:
			to[name] = t
		default:
			e, clean, err := r.mergeFile(b, o, t, called)
			if err != nil {
				return nil, fmt.Errorf("%q: %w", name, err)
			}
			to[name] = e
			if !clean {
				conflicts = append(conflicts, name)
			}
		}
	}
	// What is a file on one side can't be a directory on the other.
	for name := range to {
		for d := range parents(name) {
			if _, both := to[d]; both {
				return nil, fmt.Errorf("%q is a file and a directory: %w", d, ErrConflict)
			}
		}
	}
	return conflicts, nil
}

// mergeFile merges what both sides changed. Where that can't be, the result is what the working tree shows.
func (r *Repository) mergeFile(b, o, t entry, called sides) (entry, bool, error) {
	if o.mode == filemode.Empty {
		return t, false, nil
	}
	if t.mode == filemode.Empty {
		return o, false, nil
	}
	plain := func(e entry) bool { return e.mode == filemode.Regular || e.mode == filemode.Executable }
	if !plain(o) || !plain(t) || b.mode != filemode.Empty && !plain(b) {
		return o, false, nil
	}
	e := o
	clean := true
	if o.mode != t.mode && o.mode == b.mode {
		e.mode = t.mode
	} else if o.mode != t.mode && t.mode != b.mode {
		clean = false
	}
	switch {
	case o.hash == t.hash || b.hash == t.hash:
		return e, clean, nil
	case b.hash == o.hash:
		e.hash = t.hash
		return e, clean, nil
	}
	var texts [3][]byte
	for i, side := range []entry{b, o, t} {
		var err error
		if texts[i], err = r.fromBlobs("", side); err != nil {
			return e, false, err
		}
		if isBinary(texts[i]) {
			return o, false, nil
		}
	}
	lines, n := mergeText(splitLines(texts[0]), splitLines(texts[1]), splitLines(texts[2]), called.ours, called.theirs)
	var err error
	e.hash, err = r.st.put(plumbing.BlobObject, []byte(strings.Join(lines, "")))
	return e, clean && n == 0, err
}
