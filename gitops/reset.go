package gitops

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/filemode"
)

// ResetMode says what Reset changes besides the branch.
type ResetMode int

// The modes, as in git.
const (
	ResetMixed ResetMode = iota // the index
	ResetSoft                   // nothing else
	ResetHard                   // index and working tree; changes are lost
)

// Reset makes the current branch point to a revision, "" being HEAD, and ends a merge that was under way.
func (r *Repository) Reset(ctx context.Context, rev string, mode ResetMode) (err error) {
	defer act(&err, "reset")
	r.mu.Lock()
	defer r.mu.Unlock()
	h, err := r.resolveCommit(rev)
	if err != nil {
		return err
	}
	if mode != ResetSoft {
		to, err := r.listCommit(ctx, h)
		if err != nil {
			return err
		}
		x, err := r.readIndex()
		if err != nil {
			return err
		}
		if mode == ResetHard {
			err = r.force(ctx, x, to)
		} else {
			x.become(to)
		}
		if err != nil {
			return err
		}
		if err := r.writeIndex(x); err != nil {
			return err
		}
	}
	if err := r.moveHead(h); err != nil {
		return err
	}
	if mode == ResetSoft {
		return nil
	}
	return r.forgetMerge()
}

// become makes the index that of a listing. What stays the same is still known to be in the working tree.
func (x *index) become(to listing) {
	for name := range x.unmerged {
		delete(x.unmerged, name)
	}
	for name, e := range x.paths {
		if to[name] != (entry{e.Mode, e.Hash}) {
			x.drop(name)
		}
	}
	for name, e := range to {
		if x.paths[name] == nil {
			x.set(name, e)
		}
	}
}

// force makes index and working tree those of a listing, whatever they were. Untracked files stay.
func (r *Repository) force(ctx context.Context, x *index, to listing) error {
	if _, err := r.worktree(); err != nil {
		return err
	}
	from := x.listing()
	f, err := r.scan(ctx, x, false)
	if err != nil {
		return err
	}
	for name := range x.paths {
		w, err := r.workEntry(x, name, f.files)
		if err != nil {
			return err
		}
		from[name] = w
	}
	for name := range x.unmerged {
		from[name] = entry{}
	}
	clear(x.unmerged)
	for name := range from {
		if e := x.paths[name]; e != nil && to[name] == from[name] {
			e.Mode, e.Hash = to[name].mode, to[name].hash
		}
	}
	return r.update(ctx, x, from, to)
}

// RestoreOptions says what Restore brings back: the working tree's files from the index, unless it says otherwise.
type RestoreOptions struct {
	Paths  []string // files, directories and patterns; none fit nothing
	Source string   // a revision; empty means the index, with Staged HEAD
	Staged bool     // the index
	Work   bool     // the working tree, as well as the index if Staged
}

// Restore brings back files; changes are lost. A path that nothing fits is ErrNotFound.
func (r *Repository) Restore(ctx context.Context, o RestoreOptions) (err error) {
	defer act(&err, "restore")
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, err := r.worktree(); err != nil {
		return err
	}
	x, err := r.readIndex()
	if err != nil {
		return err
	}
	source := x.listing()
	if o.Source != "" || o.Staged {
		if source, err = r.listRevision(ctx, o.Source); err != nil {
			return err
		}
	}
	tracked := x.listing()
	for _, p := range o.Paths {
		set, err := newPathset([]string{p})
		if err != nil {
			return err
		}
		from, to := set.of(tracked), set.of(source)
		for name := range x.unmerged {
			if set.has(name) {
				from[name] = entry{}
			}
		}
		if len(from) == 0 && len(to) == 0 {
			return fmt.Errorf("path %q: %w", p, ErrNotFound)
		}
		if err := r.restore(ctx, x, from, to, o); err != nil {
			return err
		}
	}
	return r.writeIndex(x)
}

func (r *Repository) restore(ctx context.Context, x *index, from, to listing, o RestoreOptions) error {
	for _, name := range sortedKeys(from) {
		if _, keep := to[name]; keep {
			continue
		}
		if o.Work || !o.Staged {
			if o.Source == "" && !o.Staged {
				return fmt.Errorf("%q: %w", name, ErrConflict)
			}
			if err := r.prune(name); err != nil {
				return err
			}
		}
		if o.Staged {
			x.drop(name)
		}
	}
	for _, name := range sortedKeys(to) {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if o.Work || !o.Staged {
			if err := r.checkout(name, to[name]); err != nil {
				return err
			}
		}
		if e := x.paths[name]; o.Staged && (e == nil || to[name] != entry{e.Mode, e.Hash}) {
			x.set(name, to[name])
		}
	}
	return nil
}

// CheckoutOptions says where Checkout goes.
type CheckoutOptions struct {
	Branch string // a branch; it becomes the current one
	Create bool   // the branch is made first, at Rev or HEAD
	Rev    string // without a Branch: a revision, at which HEAD is detached
	Force  bool   // local changes are lost
}

// Checkout goes to another branch or commit. Local changes to files that differ there, and untracked files in the way,
// make it fail with ErrDirty, and nothing is changed; other local changes stay.
func (r *Repository) Checkout(ctx context.Context, o CheckoutOptions) (err error) {
	defer act(&err, "checkout")
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, err := r.worktree(); err != nil {
		return err
	}
	head := plumbing.NewBranchReferenceName(o.Branch)
	rev := o.Rev
	if o.Branch != "" {
		if head, err = branchRef(o.Branch); err != nil {
			return err
		}
		if !o.Create {
			rev = string(head)
		} else if err := r.free(head); err != nil {
			return err
		}
	}
	h, err := r.resolveCommit(rev)
	if err != nil {
		return err
	}
	if err := r.switchTo(ctx, h, o.Force); err != nil {
		return err
	}
	if o.Branch == "" {
		return r.st.SetReference(plumbing.NewHashReference(plumbing.HEAD, h))
	}
	if o.Create {
		if err := r.st.SetReference(plumbing.NewHashReference(head, h)); err != nil {
			return err
		}
	}
	return r.st.SetReference(plumbing.NewSymbolicReference(plumbing.HEAD, head))
}

// switchTo brings index and working tree from HEAD to another commit.
func (r *Repository) switchTo(ctx context.Context, h plumbing.Hash, force bool) error {
	to, err := r.listCommit(ctx, h)
	if err != nil {
		return err
	}
	x, err := r.readIndex()
	if err != nil {
		return err
	}
	if force {
		if err := r.force(ctx, x, to); err != nil {
			return err
		}
		return errors.Join(r.writeIndex(x), r.forgetMerge())
	}
	if len(x.unmerged) > 0 {
		return fmt.Errorf("%q: %w", sortedKeys(x.unmerged)[0], ErrConflict)
	}
	from, _, err := r.headTree(ctx)
	if err != nil {
		return err
	}
	if from, to, err = r.unhindered(ctx, x, from, to); err != nil {
		return err
	}
	if err := r.update(ctx, x, from, to); err != nil {
		return err
	}
	return r.writeIndex(x)
}

// unhindered checks that going from one listing to another loses no local change, and returns what of both is to be
// done: not what the index already has as it will be.
func (r *Repository) unhindered(ctx context.Context, x *index, from, to listing) (listing, listing, error) {
	f, err := r.scan(ctx, x, true)
	if err != nil {
		return nil, nil, err
	}
	doFrom, doTo := listing{}, listing{}
	check := func(name string) error {
		staged := entry{}
		if e := x.paths[name]; e != nil {
			staged = entry{e.Mode, e.Hash}
		}
		if from[name] == to[name] || staged == to[name] && staged.mode != filemode.Empty {
			return nil
		}
		work := entry{}
		switch {
		case staged.mode != filemode.Empty:
			var err error
			if work, err = r.workEntry(x, name, f.files); err != nil {
				return err
			}
		default:
			if hit, err := r.inTheWay(x, f, name); err != nil || hit {
				return errors.Join(err, fmt.Errorf("%q is not tracked: %w", name, ErrDirty))
			}
		}
		if staged != from[name] || work != staged && work.mode != filemode.Empty {
			return fmt.Errorf("%q: %w", name, ErrDirty)
		}
		if e, ok := from[name]; ok {
			doFrom[name] = e
		}
		if e, ok := to[name]; ok {
			doTo[name] = e
		}
		return nil
	}
	for _, l := range []listing{from, to} {
		for _, name := range sortedKeys(l) {
			if err := check(name); err != nil {
				return nil, nil, err
			}
		}
	}
	return doFrom, doTo, nil
}

// inTheWay tells whether something that is not tracked stands where a file is to be.
func (r *Repository) inTheWay(x *index, f found, name string) (bool, error) {
	for d := range parents(name) {
		if x.paths[d] != nil {
			return false, nil // checked under its own name
		}
	}
	if through, err := r.throughLink(name); err != nil || through {
		return through, err
	}
	i, err := r.work.Stat(name, false)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil || !i.IsDir() {
		return true, err
	}
	for _, list := range [][]string{f.untracked, f.ignored} {
		for _, other := range list {
			if strings.HasPrefix(other, name+"/") {
				return true, nil
			}
		}
	}
	return false, nil
}
