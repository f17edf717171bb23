package gitops

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/filemode"
	format "github.com/go-git/go-git/v5/plumbing/format/index"

	"github.com/belljar-dev/belljar/vfs"
)

// State is what became of a file, in git's letters (https://git-scm.com/docs/git-status#_short_format).
type State byte

// The states. Unmerged is one of two: the letters of a pair say what each side did, as in git.
const (
	Unmodified State = ' '
	Modified   State = 'M'
	TypeChange State = 'T'
	Added      State = 'A'
	Deleted    State = 'D'
	Renamed    State = 'R'
	Unmerged   State = 'U'
	Untracked  State = '?'
	Ignored    State = '!'
)

// Status is how a working tree differs from the index, and that from the last commit.
type Status struct {
	Branch   string // short; empty if HEAD is detached
	Head     string // the commit; empty if the branch has none yet
	Upstream string // such as origin/main; empty for none
	// Ahead and Behind count the commits that only the branch has, and only its upstream. Gone tells that the
	// upstream does not exist.
	Ahead, Behind int
	Gone          bool
	Entries       []StatusEntry // by path; untracked, then ignored ones last
}

// StatusEntry is a path that is not unmodified in both. Names of directories end in a slash.
type StatusEntry struct {
	Path  string
	From  string // of what it was renamed
	Index State  // the index against the last commit
	Work  State  // the working tree against the index
}

// StatusOptions says how far Status looks.
type StatusOptions struct {
	Paths []string // only these, and what lies below; empty means all
	// AllUntracked lists the files in directories that have nothing tracked, instead of the directories.
	AllUntracked bool
	Ignored      bool // list what is ignored too
	NoUntracked  bool // don't list what is untracked
}

// Clean tells whether nothing is to be committed: untracked files don't count.
func (s Status) Clean() bool {
	for _, e := range s.Entries {
		if e.Index != Untracked && e.Index != Ignored {
			return false
		}
	}
	return true
}

// Status compares the working tree, the index and the last commit. Into submodules it doesn't look.
func (r *Repository) Status(ctx context.Context, o StatusOptions) (s Status, err error) {
	defer act(&err, "status")
	r.mu.Lock()
	defer r.mu.Unlock()
	set, err := newPathset(o.Paths)
	if err != nil {
		return s, err
	}
	if _, err := r.worktree(); err != nil {
		return s, err
	}
	if err := r.statusBranch(ctx, &s); err != nil {
		return s, err
	}
	head, _, err := r.headTree(ctx)
	if err != nil {
		return s, err
	}
	x, err := r.readIndex()
	if err != nil {
		return s, err
	}
	f, err := r.scan(ctx, x, o.AllUntracked)
	if err != nil {
		return s, err
	}
	if s.Entries, err = r.compare(ctx, head, x, f); err != nil {
		return s, err
	}
	s.Entries = slices.DeleteFunc(s.Entries, func(e StatusEntry) bool { return !set.has(e.Path) })
	add := func(names []string, st State) {
		for _, n := range names {
			if set.has(strings.TrimSuffix(n, "/")) {
				s.Entries = append(s.Entries, StatusEntry{Path: n, Index: st, Work: st})
			}
		}
	}
	if !o.NoUntracked {
		add(f.untracked, Untracked)
	}
	if o.Ignored {
		add(f.ignored, Ignored)
	}
	return s, nil
}

// compare returns what differs in tracked files, by path.
func (r *Repository) compare(ctx context.Context, head listing, x *index, f found) ([]StatusEntry, error) {
	byPath := map[string]*StatusEntry{}
	at := func(name string) *StatusEntry {
		e := byPath[name]
		if e == nil {
			e = &StatusEntry{Path: name, Index: Unmodified, Work: Unmodified}
			byPath[name] = e
		}
		return e
	}
	// Of what is equal, which is most, nothing is noted.
	before, staged := listing{}, listing{}
	for name, h := range head {
		if e := x.paths[name]; e == nil || h != (entry{e.Mode, e.Hash}) {
			before[name] = h
		}
	}
	for name, e := range x.paths {
		if now := (entry{e.Mode, e.Hash}); head[name] != now {
			staged[name] = now
		}
	}
	head = before
	for name, u := range x.unmerged {
		e := at(name)
		e.Index, e.Work = unmergedStates(u)
		delete(head, name)
	}
	ds, err := r.changes(ctx, head, staged, r.fromBlobs, true)
	if err != nil {
		return nil, err
	}
	for _, d := range ds {
		e := at(d.to)
		e.Index = d.state
		if d.state == Renamed {
			e.From = d.from
		}
	}
	for name, e := range x.paths {
		w, err := r.workEntry(x, name, f.files)
		if err != nil {
			return nil, err
		}
		if st := stateOf(entry{e.Mode, e.Hash}, w); st != Unmodified {
			at(name).Work = st
		}
	}
	list := make([]StatusEntry, 0, len(byPath))
	for _, e := range byPath {
		list = append(list, *e)
	}
	slices.SortFunc(list, func(a, b StatusEntry) int { return cmp.Compare(a.Path, b.Path) })
	return list, nil
}

// workEntry returns what the working tree has at a tracked path; a zero entry for nothing.
func (r *Repository) workEntry(x *index, name string, files map[string]vfs.Info) (entry, error) {
	e := x.paths[name]
	if e.SkipWorktree || e.Mode == filemode.Submodule {
		return entry{e.Mode, e.Hash}, nil
	}
	i, ok := files[name]
	if !ok {
		return entry{}, nil
	}
	w, err := r.worktreeState(x, name, i)
	if errors.Is(err, fs.ErrNotExist) { // removed since
		return entry{}, nil
	}
	return w, err
}

// stateOf says what became of an entry, a zero mode standing for none.
func stateOf(old, now entry) State {
	switch {
	case old == now:
		return Unmodified
	case old.mode == filemode.Empty:
		return Added
	case now.mode == filemode.Empty:
		return Deleted
	case kindOf(old.mode) != kindOf(now.mode):
		return TypeChange
	}
	return Modified
}

func kindOf(m filemode.FileMode) filemode.FileMode { return m &^ 0o777 }

// unmergedStates returns git's pair of letters for what the sides of a merge did.
func unmergedStates(u [3]*format.Entry) (State, State) {
	base, ours, theirs := u[0] != nil, u[1] != nil, u[2] != nil
	switch {
	case base && !ours && !theirs:
		return Deleted, Deleted
	case ours && !base && !theirs:
		return Added, Unmerged
	case theirs && !base && !ours:
		return Unmerged, Added
	case ours && base:
		if theirs {
			return Unmerged, Unmerged
		}
		return Unmerged, Deleted
	case base:
		return Deleted, Unmerged
	}
	return Added, Added
}

func (r *Repository) statusBranch(ctx context.Context, s *Status) error {
	branch, h, err := r.head()
	if err != nil {
		return err
	}
	if !h.IsZero() {
		s.Head = h.String()
	}
	if branch == "" {
		return nil
	}
	s.Branch = branch.Short()
	up, err := r.upstream(s.Branch)
	if err != nil || up == "" {
		return err
	}
	s.Upstream = up.Short()
	uh, err := r.refHash(up)
	if errors.Is(err, plumbing.ErrReferenceNotFound) {
		s.Gone = true
		return nil
	}
	if err != nil || h.IsZero() {
		return err
	}
	s.Ahead, s.Behind, err = r.aheadBehind(ctx, h, uh)
	return err
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
