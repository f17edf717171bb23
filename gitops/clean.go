package gitops

import (
	"context"
	"errors"
	"io/fs"
	"strings"
)

// CleanOptions says what Clean removes.
type CleanOptions struct {
	Paths       []string // only these, and what lies below; empty means all
	Directories bool     // directories that hold nothing tracked too
	Ignored     bool     // what is ignored too
	DryRun      bool     // remove nothing
}

// Clean removes files that are not tracked, and returns the names of what it removed; those of directories end in a
// slash. Other repositories in the working tree stay.
func (r *Repository) Clean(ctx context.Context, o CleanOptions) (removed []string, err error) {
	defer act(&err, "clean")
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, err := r.worktree(); err != nil {
		return nil, err
	}
	set, err := newPathset(o.Paths)
	if err != nil {
		return nil, err
	}
	x, err := r.readIndex()
	if err != nil {
		return nil, err
	}
	all, err := r.scan(ctx, x, true)
	if err != nil {
		return nil, err
	}
	names := all.untracked
	if o.Ignored {
		names = append(names, all.ignored...)
	}
	tracked := map[string]bool{}
	for name := range x.paths {
		for d := range parents(name) {
			tracked[d] = true
		}
	}
	dirs := map[string]bool{}
	for _, name := range names {
		bare := strings.TrimSuffix(name, "/")
		inDir := parentOf(bare) != "" && !tracked[parentOf(bare)]
		if !set.has(bare) || !o.Directories && (inDir || bare != name) {
			continue
		}
		if _, err := r.work.Stat(bare+"/.git", false); err == nil {
			continue
		}
		removed = append(removed, name)
		for d := range parents(bare) {
			if !tracked[d] {
				dirs[d] = true
			}
		}
		if o.DryRun {
			continue
		}
		if err := r.work.RemoveAll(bare); err != nil {
			return removed, err
		}
	}
	if o.DryRun {
		return removed, nil
	}
	left := sortedKeys(dirs)
	for i := len(left) - 1; i >= 0; i-- { // the deepest first
		// A directory with ignored files in it stays.
		if i, err := r.work.Stat(left[i], false); err != nil || !i.IsDir() {
			if err != nil && !errors.Is(err, fs.ErrNotExist) {
				return removed, err
			}
			continue
		}
		if r.work.Rmdir(left[i]) == nil {
			removed = append(removed, left[i]+"/")
		}
	}
	return removed, nil
}
