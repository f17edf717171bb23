package gitops

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/filemode"
	"github.com/go-git/go-git/v5/plumbing/object"
)

// The stash is git's own (https://git-scm.com/docs/git-stash#_discussion): a commit of the working tree whose parents are
// HEAD, a commit of the index and, with untracked files, one of those; refs/stash and its log list them.
const (
	stashRef = plumbing.ReferenceName("refs/stash")
	stashLog = "logs/refs/stash"
)

// StashOptions says what Stash puts away.
type StashOptions struct {
	Message   string // empty means git's own
	Untracked bool   // untracked files too; ignored ones stay
}

// StashEntry is what was put away.
type StashEntry struct {
	Hash    string
	Message string
}

// Stash puts local changes away and makes index and working tree those of HEAD. None is ErrNothing.
func (r *Repository) Stash(ctx context.Context, o StashOptions) (e StashEntry, err error) {
	defer act(&err, "stash")
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, err := r.worktree(); err != nil {
		return e, err
	}
	x, err := r.readIndex()
	if err != nil {
		return e, err
	}
	if len(x.unmerged) > 0 {
		return e, fmt.Errorf("%q: %w", sortedKeys(x.unmerged)[0], ErrConflict)
	}
	branch, head, err := r.head()
	if err != nil {
		return e, err
	}
	if head.IsZero() {
		return e, ErrUnborn
	}
	work, untracked, err := r.stashed(ctx, x, o.Untracked)
	if err != nil {
		return e, err
	}
	before, err := r.listCommit(ctx, head)
	if err != nil {
		return e, err
	}
	if len(untracked) == 0 && maps.Equal(before, work) && maps.Equal(before, x.listing()) {
		return e, ErrNothing
	}
	c, err := r.commit(head)
	if err != nil {
		return e, err
	}
	subject, _, _ := strings.Cut(c.Message, "\n")
	on := "(no branch)"
	if branch != "" {
		on = branch.Short()
	}
	state := fmt.Sprintf("%s: %s %s", on, head.String()[:7], subject)
	e.Message = "WIP on " + state
	if o.Message != "" {
		e.Message = "On " + on + ": " + o.Message
	}
	h, err := r.stashCommit(head, x.listing(), work, untracked, state, e.Message)
	if err != nil {
		return e, err
	}
	e.Hash = h.String()
	if err := r.pushStash(h, e.Message); err != nil {
		return e, err
	}
	if err := r.force(ctx, x, before); err != nil {
		return e, err
	}
	for _, name := range sortedKeys(untracked) {
		if err := r.prune(name); err != nil {
			return e, err
		}
	}
	return e, r.writeIndex(x)
}

// stashed lists what the working tree has: of what is tracked, and of what isn't if so asked.
func (r *Repository) stashed(ctx context.Context, x *index, also bool) (work, untracked listing, err error) {
	f, err := r.scan(ctx, x, true)
	if err != nil {
		return nil, nil, err
	}
	put := func(name string) (entry, error) {
		mode := modeOf(f.files[name])
		b, err := r.content(name, mode)
		if err != nil {
			return entry{}, err
		}
		h, err := r.st.put(plumbing.BlobObject, b)
		return entry{mode, h}, err
	}
	work, untracked = listing{}, listing{}
	for _, name := range sortedKeys(x.paths) {
		e := x.paths[name]
		w, err := r.workEntry(x, name, f.files)
		switch {
		case err != nil:
			return nil, nil, err
		case x.sparse(name) || e.Mode == filemode.Submodule || w == entry{e.Mode, e.Hash}:
			work[name] = entry{e.Mode, e.Hash}
		case w.mode != filemode.Empty:
			if work[name], err = put(name); err != nil {
				return nil, nil, err
			}
		}
	}
	if !also {
		return work, untracked, nil
	}
	for _, name := range f.untracked {
		if strings.HasSuffix(name, "/") {
			continue // another repository
		}
		if untracked[name], err = put(name); err != nil {
			return nil, nil, err
		}
	}
	return work, untracked, nil
}

// stashCommit makes the commits, to the byte as git does.
func (r *Repository) stashCommit(head plumbing.Hash, staged, work, untracked listing, state, message string) (plumbing.Hash, error) {
	make := func(l listing, message string, parents ...plumbing.Hash) (plumbing.Hash, error) {
		c := &object.Commit{ParentHashes: parents}
		var err error
		if c.TreeHash, err = r.writeTree(l); err != nil {
			return plumbing.ZeroHash, err
		}
		if err := r.sign(c, CommitOptions{Message: message}); err != nil {
			return plumbing.ZeroHash, err
		}
		c.Message = message
		return r.putCommit(c)
	}
	i, err := make(staged, "index on "+state+"\n", head)
	if err != nil {
		return i, err
	}
	above := []plumbing.Hash{head, i}
	if len(untracked) > 0 {
		u, err := make(untracked, "untracked files on "+state+"\n")
		if err != nil {
			return u, err
		}
		above = append(above, u)
	}
	return make(work, message, above...)
}

// pushStash adds a commit to the list.
func (r *Repository) pushStash(h plumbing.Hash, message string) error {
	log, err := r.readSmall(stashLog)
	if err != nil {
		return err
	}
	old, err := r.refHash(stashRef)
	if err != nil && !errors.Is(err, plumbing.ErrReferenceNotFound) {
		return err
	}
	who := signature(Person{Name: r.cfg.Name, Email: r.cfg.Email}, r.cfg.Now())
	line := fmt.Sprintf("%s %s %s <%s> %d %s\t%s\n", old, h, who.Name, who.Email, who.When.Unix(), who.When.Format("-0700"),
		strings.ReplaceAll(message, "\n", " "))
	if err := r.writeStashLog(append(log, line...)); err != nil {
		return err
	}
	return r.setRef(stashRef, h)
}

func (r *Repository) writeStashLog(b []byte) error {
	for _, d := range []string{"logs", "logs/refs"} {
		if err := r.dir.Mkdir(d, 0o777); err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
	}
	return r.replace(stashLog, func(to *bytes.Buffer) error {
		to.Write(b)
		return nil
	})
}

// stashes reads the list, the latest first.
func (r *Repository) stashes() ([]StashEntry, error) {
	log, err := r.readSmall(stashLog)
	if err != nil {
		return nil, err
	}
	var list []StashEntry
	for line := range strings.Lines(string(log)) {
		head, message, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
		parts := strings.SplitN(head, " ", 3)
		if len(parts) < 3 || !plumbing.IsHash(parts[1]) {
			return nil, fmt.Errorf("%s: %w", stashLog, ErrCorrupt)
		}
		list = append(list, StashEntry{parts[1], message})
	}
	slices.Reverse(list)
	return list, nil
}

// Stashes lists what was put away, the latest first.
func (r *Repository) Stashes(ctx context.Context) (list []StashEntry, err error) {
	defer act(&err, "stash list")
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.stashes()
}

// StashApply brings back what was put away, 0 being the latest, as changes of the working tree; new files are staged. With
// drop, it is then no more in the list, unless there are conflicts, which are as Merge's. Errors: ErrNotFound, ErrDirty
// for local changes in the way.
func (r *Repository) StashApply(ctx context.Context, n int, drop bool) (m Merged, err error) {
	defer act(&err, "stash apply")
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, err := r.worktree(); err != nil {
		return m, err
	}
	c, err := r.stash(n)
	if err != nil {
		return m, err
	}
	_, ours, err := r.head()
	if err != nil {
		return m, err
	}
	m.Hash = ours.String()
	if err := r.applyUntracked(ctx, c, false); err != nil {
		return m, err
	}
	if m.Conflicts, err = r.apply(ctx, c.ParentHashes[0], ours, c.Hash, sides{"Updated upstream", "Stashed changes"}); err != nil {
		return m, err
	}
	if err := r.applyUntracked(ctx, c, true); err != nil {
		return m, err
	}
	if len(m.Conflicts) > 0 {
		return m, nil
	}
	if err := r.unstage(ctx, ours); err != nil || !drop {
		return m, err
	}
	return m, r.dropStash(n)
}

func (r *Repository) stash(n int) (*object.Commit, error) {
	list, err := r.stashes()
	if err != nil {
		return nil, err
	}
	if n < 0 || n >= len(list) {
		return nil, fmt.Errorf("stash@{%d}: %w", n, ErrNotFound)
	}
	c, err := r.commit(plumbing.NewHash(list[n].Hash))
	if err == nil && (len(c.ParentHashes) < 2 || len(c.ParentHashes) > 3) {
		err = fmt.Errorf("stash@{%d}: %w", n, ErrCorrupt)
	}
	return c, err
}

// applyUntracked brings back untracked files, or only says whether something is in their way.
func (r *Repository) applyUntracked(ctx context.Context, c *object.Commit, do bool) error {
	if len(c.ParentHashes) < 3 {
		return nil
	}
	l, err := r.listCommit(ctx, c.ParentHashes[2])
	if err != nil {
		return err
	}
	for _, name := range sortedKeys(l) {
		if do {
			if err := r.checkout(name, l[name]); err != nil {
				return err
			}
		} else if _, err := r.work.Stat(name, false); err == nil {
			return fmt.Errorf("%q is there: %w", name, ErrDirty)
		}
	}
	return nil
}

// unstage makes the index that of a commit again, but for files that it doesn't have.
func (r *Repository) unstage(ctx context.Context, h plumbing.Hash) error {
	to, err := r.listCommit(ctx, h)
	if err != nil {
		return err
	}
	x, err := r.readIndex()
	if err != nil {
		return err
	}
	for name, e := range x.paths {
		if _, there := to[name]; !there {
			to[name] = entry{e.Mode, e.Hash}
		}
	}
	x.become(to)
	return r.writeIndex(x)
}

// StashDrop forgets what was put away, 0 being the latest.
func (r *Repository) StashDrop(ctx context.Context, n int) (err error) {
	defer act(&err, "stash drop")
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, err := r.stash(n); err != nil {
		return err
	}
	return r.dropStash(n)
}

func (r *Repository) dropStash(n int) error {
	log, err := r.readSmall(stashLog)
	if err != nil {
		return err
	}
	lines := slices.Collect(strings.Lines(string(log)))
	i := len(lines) - 1 - n
	lines = slices.Delete(lines, i, i+1)
	if len(lines) == 0 {
		return errors.Join(r.dir.Unlink(stashLog), r.st.RemoveReference(stashRef))
	}
	// Each line begins with what the one before it ends with.
	last := plumbing.ZeroHash.String()
	for i, line := range lines {
		lines[i] = last + line[40:]
		last = lines[i][41:81]
	}
	if err := r.writeStashLog([]byte(strings.Join(lines, ""))); err != nil {
		return err
	}
	return r.setRef(stashRef, plumbing.NewHash(last))
}
