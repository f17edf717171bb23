package gitops

import (
	"bytes"
	"cmp"
	"context"
	"hash/maphash"
	"path"
	"slices"
	"strings"

	"github.com/go-git/go-git/v5/plumbing/filemode"
)

// change is a path that differs between two listings; a zero mode stands for nothing.
type change struct {
	from, to string // equal unless renamed
	old, now entry
	state    State
	score    int // of a rename: how alike, in percent
}

// loader returns the content of an entry.
type loader func(name string, e entry) ([]byte, error)

func (r *Repository) fromBlobs(_ string, e entry) ([]byte, error) {
	if e.mode == filemode.Empty {
		return nil, nil
	}
	if e.mode == filemode.Submodule {
		return []byte("Subproject commit " + e.hash.String() + "\n"), nil
	}
	return r.blob(e.hash)
}

// changes compares two listings, and finds renames if asked to; old content comes from blobs, new from load.
func (r *Repository) changes(ctx context.Context, old, now listing, load loader, renames bool) ([]change, error) {
	var out []change
	for name, o := range old {
		if n := now[name]; n != o {
			out = append(out, change{name, name, o, n, stateOf(o, n), 0})
		}
	}
	for name, n := range now {
		if _, ok := old[name]; !ok {
			out = append(out, change{name, name, entry{}, n, Added, 0})
		}
	}
	slices.SortFunc(out, func(a, b change) int { return strings.Compare(a.to, b.to) })
	if renames {
		return r.findRenames(ctx, out, load)
	}
	return out, nil
}

const (
	renameScore = 50   // percent
	renameLimit = 1000 // files on either side, beyond which only equal ones are found, as in git
)

// findRenames joins what was deleted and added when it is the same or much alike, as git does
// (https://git-scm.com/docs/gitdiffcore).
func (r *Repository) findRenames(ctx context.Context, cs []change, load loader) ([]change, error) {
	var gone, added []int
	for i, c := range cs {
		switch c.state {
		case Deleted:
			gone = append(gone, i)
		case Added:
			added = append(added, i)
		}
	}
	used := make([]bool, len(cs))
	join := func(from, to, score int) {
		used[from], used[to] = true, true
		cs[to].from, cs[to].old = cs[from].from, cs[from].old
		cs[to].state, cs[to].score = Renamed, score
	}
	exactRenames(cs, gone, added, used, join)
	free := func(i int) bool { return used[i] }
	gone, added = slices.DeleteFunc(gone, free), slices.DeleteFunc(added, free)
	if len(gone) > 0 && len(added) > 0 && len(gone)*len(added) <= renameLimit*renameLimit {
		pairs, err := r.similar(ctx, cs, gone, added, load)
		if err != nil {
			return nil, err
		}
		for _, p := range pairs {
			if !used[p.from] && !used[p.to] {
				join(p.from, p.to, p.score)
			}
		}
	}
	out := cs[:0]
	for i, c := range cs {
		if c.state != Deleted || !used[i] {
			out = append(out, c)
		}
	}
	return out, nil
}

// exactRenames joins equal contents; of several sources, one with the same base name.
func exactRenames(cs []change, gone, added []int, used []bool, join func(from, to, score int)) {
	byHash := map[entry][]int{}
	key := func(e entry) entry { return entry{kindOf(e.mode), e.hash} }
	for _, g := range gone {
		byHash[key(cs[g].old)] = append(byHash[key(cs[g].old)], g)
	}
	for _, a := range added {
		best := -1
		for _, g := range byHash[key(cs[a].now)] {
			if !used[g] && (best < 0 || path.Base(cs[g].from) == path.Base(cs[a].to) &&
				path.Base(cs[best].from) != path.Base(cs[a].to)) {
				best = g
			}
		}
		if best >= 0 {
			join(best, a, 100)
		}
	}
}

type pair struct{ from, to, score int }

// similar returns the pairs that are alike enough, most alike first.
func (r *Repository) similar(ctx context.Context, cs []change, gone, added []int, load loader) ([]pair, error) {
	seed := maphash.MakeSeed()
	olds := make([]*spans, len(gone))
	for i, g := range gone {
		b, err := r.fromBlobs(cs[g].from, cs[g].old)
		if err != nil {
			return nil, err
		}
		olds[i] = newSpans(seed, b)
	}
	var pairs []pair
	for _, a := range added {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		b, err := load(cs[a].to, cs[a].now)
		if err != nil {
			return nil, err
		}
		now := newSpans(seed, b)
		for i, g := range gone {
			if kindOf(cs[g].old.mode) != kindOf(cs[a].now.mode) || !cs[a].now.mode.IsRegular() &&
				cs[a].now.mode != filemode.Executable {
				continue
			}
			if s := olds[i].alike(now); s >= renameScore {
				pairs = append(pairs, pair{g, a, s})
			}
		}
	}
	slices.SortStableFunc(pairs, func(x, y pair) int {
		same := func(p pair) int {
			if path.Base(cs[p.from].from) == path.Base(cs[p.to].to) {
				return 1
			}
			return 0
		}
		return cmp.Or(cmp.Compare(y.score, x.score), cmp.Compare(same(y), same(x)))
	})
	return pairs, nil
}

// spans counts the bytes of a content by the pieces they stand in: lines, cut after 64 bytes.
type spans struct {
	size  int
	bytes map[uint64]int
}

func newSpans(seed maphash.Seed, b []byte) *spans {
	s := &spans{size: len(b), bytes: map[uint64]int{}}
	for len(b) > 0 {
		n := min(64, len(b))
		if i := bytes.IndexByte(b[:n], '\n'); i >= 0 {
			n = i + 1
		}
		s.bytes[maphash.Bytes(seed, b[:n])] += n
		b = b[n:]
	}
	return s
}

// alike returns how much of the larger content is in both, in percent.
func (s *spans) alike(t *spans) int {
	larger := max(s.size, t.size)
	if min(s.size, t.size)*100 < larger*renameScore || larger == 0 {
		return 0
	}
	both := 0
	for h, n := range s.bytes {
		both += min(n, t.bytes[h])
	}
	return both * 100 / larger
}
