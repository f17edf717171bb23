package gitops

import (
	"context"
	"fmt"

	"github.com/go-git/go-git/v5/plumbing/filemode"
)

// FileDiff is what became of a file.
type FileDiff struct {
	Kind             State  // Added, Deleted, Modified, TypeChange, Renamed or Unmerged
	From, To         string // paths; equal unless renamed
	OldMode, NewMode uint32 // such as 0o100644; 0 for none
	OldHash, NewHash string // of the contents; empty for none
	Score            int    // of a rename: how alike, in percent
	Binary           bool   // then there are no hunks
	Hunks            []Hunk
}

// Hunk is a piece of a file in which lines changed.
type Hunk struct {
	OldStart, OldLines int // lines count from 1; the start of no lines is the line before
	NewStart, NewLines int
	Section            string // the line above that looks like the head of a function
	Lines              []Line
}

// Line is a line of a Hunk.
type Line struct {
	Op   byte   // ' ' in both, '-' in the old, '+' in the new one
	Text string // with its newline, if it has one
}

// Diff is what differs, by path.
type Diff []FileDiff

// DiffOptions says what Diff compares: the index with the working tree unless it says otherwise.
type DiffOptions struct {
	Staged bool // the last commit, or From, with the index
	// From is a revision to compare with the working tree, with the index if Staged, or with To.
	From string
	To   string // a revision; From must be given too
	// Paths limit it to these, and what lies below; empty means all.
	Paths []string
	// Context is the number of equal lines around changes; 0 means 3, less none.
	Context   int
	NoRenames bool
}

// Diff compares two states of the files. Paths in conflict are told as Unmerged, without their lines.
func (r *Repository) Diff(ctx context.Context, o DiffOptions) (d Diff, err error) {
	defer act(&err, "diff")
	r.mu.Lock()
	defer r.mu.Unlock()
	old, now, load, unmerged, err := r.diffSides(ctx, o)
	if err != nil {
		return nil, err
	}
	return r.diff(ctx, old, now, load, unmerged, o)
}

// diffSides returns the two listings that options name, where the new contents come from, and what is unmerged.
func (r *Repository) diffSides(ctx context.Context, o DiffOptions) (old, now listing, load loader,
	unmerged []string, err error) {
	if o.To != "" {
		if old, err = r.listRevision(ctx, o.From); err != nil {
			return nil, nil, nil, nil, err
		}
		now, err = r.listRevision(ctx, o.To)
		return old, now, r.fromBlobs, nil, err
	}
	x, err := r.readIndex()
	if err != nil {
		return nil, nil, nil, nil, err
	}
	unmerged = sortedKeys(x.unmerged)
	switch {
	case o.From != "":
		old, err = r.listRevision(ctx, o.From)
	case o.Staged:
		old, _, err = r.headTree(ctx)
	default:
		if old, now, err = r.workChanges(ctx, x); err != nil {
			return nil, nil, nil, nil, err
		}
		return old, now, r.fromWork, unmerged, nil
	}
	if err != nil || o.Staged {
		return old, x.listing(), r.fromBlobs, unmerged, err
	}
	now, err = r.workListing(ctx, x)
	return old, now, r.fromWork, unmerged, err
}

// workChanges lists, of the tracked files, those that differ: as the index has them and as the working tree does.
func (r *Repository) workChanges(ctx context.Context, x *index) (old, now listing, err error) {
	if _, err := r.worktree(); err != nil {
		return nil, nil, err
	}
	f, err := r.scan(ctx, x, false)
	if err != nil {
		return nil, nil, err
	}
	old, now = listing{}, listing{}
	for name, e := range x.paths {
		w, err := r.workEntry(x, name, f.files)
		if err != nil {
			return nil, nil, err
		}
		if staged := (entry{e.Mode, e.Hash}); w != staged {
			old[name] = staged
			if w.mode != filemode.Empty {
				now[name] = w
			}
		}
	}
	return old, now, nil
}

// workListing lists the tracked files as the working tree has them.
func (r *Repository) workListing(ctx context.Context, x *index) (listing, error) {
	if _, err := r.worktree(); err != nil {
		return nil, err
	}
	f, err := r.scan(ctx, x, false)
	if err != nil {
		return nil, err
	}
	l := make(listing, len(x.paths))
	for name := range x.paths {
		w, err := r.workEntry(x, name, f.files)
		if err != nil {
			return nil, err
		}
		if w.mode != filemode.Empty {
			l[name] = w
		}
	}
	return l, nil
}

func (r *Repository) fromWork(name string, e entry) ([]byte, error) {
	if e.mode == filemode.Empty || e.mode == filemode.Submodule {
		return r.fromBlobs(name, e)
	}
	return r.content(name, e.mode)
}

func (r *Repository) diff(ctx context.Context, old, now listing, load loader, unmerged []string,
	o DiffOptions) (Diff, error) {
	set, err := newPathset(o.Paths)
	if err != nil {
		return nil, err
	}
	if len(set.names) > 0 {
		old, now = set.of(old), set.of(now)
	}
	for _, name := range unmerged {
		delete(old, name)
		delete(now, name)
	}
	cs, err := r.changes(ctx, old, now, load, !o.NoRenames)
	if err != nil {
		return nil, err
	}
	d := make(Diff, 0, len(cs)+len(unmerged))
	for _, name := range unmerged {
		if set.has(name) {
			d = append(d, FileDiff{Kind: Unmerged, From: name, To: name})
		}
	}
	for _, c := range cs {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		f, err := r.diffFile(c, load, o.Context)
		if err != nil {
			return nil, fmt.Errorf("%q: %w", c.to, err)
		}
		d = append(d, f)
	}
	return d, nil
}

func (s pathset) of(l listing) listing {
	out := listing{}
	for name, e := range l {
		if s.has(name) {
			out[name] = e
		}
	}
	return out
}

func (r *Repository) diffFile(c change, load loader, context int) (FileDiff, error) {
	f := FileDiff{Kind: c.state, From: c.from, To: c.to, OldMode: uint32(c.old.mode), NewMode: uint32(c.now.mode),
		Score: c.score}
	if c.old.mode != filemode.Empty {
		f.OldHash = c.old.hash.String()
	}
	if c.now.mode != filemode.Empty {
		f.NewHash = c.now.hash.String()
	}
	if c.old.hash == c.now.hash {
		return f, nil
	}
	old, err := r.fromBlobs(c.from, c.old)
	if err != nil {
		return f, err
	}
	now, err := load(c.to, c.now)
	if err != nil {
		return f, err
	}
	if f.Binary = isBinary(old) || isBinary(now); !f.Binary {
		f.Hunks = hunks(splitLines(old), splitLines(now), context)
	}
	return f, nil
}

// hunks groups what differs with the lines around it.
func hunks(old, now []string, context int) []Hunk {
	switch {
	case context == 0:
		context = 3
	case context < 0:
		context = 0
	}
	var out []Hunk
	runs := diffLines(old, now)
	for len(runs) > 0 {
		n := 1
		for n < len(runs) && runs[n].a0-runs[n-1].a1 <= 2*context {
			n++
		}
		out = append(out, hunk(old, now, runs[:n], context))
		runs = runs[n:]
	}
	return out
}

func hunk(old, now []string, runs []run, context int) Hunk {
	first, last := runs[0], runs[len(runs)-1]
	lead, tail := min(context, first.a0), min(context, len(old)-last.a1)
	a, end := first.a0-lead, last.a1+tail
	h := Hunk{OldStart: a + 1, OldLines: end - a, NewStart: first.b0 - lead + 1}
	h.NewLines = last.b1 + tail - (first.b0 - lead)
	if h.OldLines == 0 {
		h.OldStart--
	}
	if h.NewLines == 0 {
		h.NewStart--
	}
	h.Section = section(old, a)
	at := a
	for _, r := range runs {
		for ; at < r.a0; at++ {
			h.Lines = append(h.Lines, Line{' ', old[at]})
		}
		for ; at < r.a1; at++ {
			h.Lines = append(h.Lines, Line{'-', old[at]})
		}
		for _, l := range now[r.b0:r.b1] {
			h.Lines = append(h.Lines, Line{'+', l})
		}
	}
	for ; at < end; at++ {
		h.Lines = append(h.Lines, Line{' ', old[at]})
	}
	return h
}

// section returns the nearest line above that begins as functions do: git's rule for files of unknown kind.
func section(old []string, before int) string {
	for i := before - 1; i >= 0; i-- {
		c := old[i][0]
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_' || c == '$' {
			return trimSection(old[i])
		}
	}
	return ""
}
