package gitops

import (
	"container/heap"
	"context"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/object"
)

// queue holds commits, the latest first, those of one second in the order they came.
type queue struct {
	items []queued
	count int
}

type queued struct {
	c     *object.Commit
	order int
}

func (q *queue) Len() int { return len(q.items) }
func (q *queue) Less(i, j int) bool {
	a, b := q.items[i], q.items[j]
	if x, y := a.c.Committer.When.Unix(), b.c.Committer.When.Unix(); x != y {
		return x > y
	}
	return a.order < b.order
}
func (q *queue) Swap(i, j int) { q.items[i], q.items[j] = q.items[j], q.items[i] }
func (q *queue) Push(x any)    { q.items = append(q.items, x.(queued)) }
func (q *queue) Pop() any {
	last := q.items[len(q.items)-1]
	q.items = q.items[:len(q.items)-1]
	return last
}
func (q *queue) add(c *object.Commit) { q.count++; heap.Push(q, queued{c, q.count}) }
func (q *queue) next() *object.Commit { return heap.Pop(q).(queued).c }

// walk calls visit for the commits that can be reached from start, as git log orders them, and goes on to the parents
// that it returns, until it says stop.
func (r *Repository) walk(ctx context.Context, start []plumbing.Hash,
	visit func(*object.Commit) (parents []plumbing.Hash, stop bool, err error)) error {
	q := &queue{}
	seen := map[plumbing.Hash]bool{}
	shallow, err := r.shallow()
	if err != nil {
		return err
	}
	add := func(hs []plumbing.Hash) error {
		for _, h := range hs {
			if seen[h] {
				continue
			}
			seen[h] = true
			c, err := r.commit(h)
			if err != nil {
				return err
			}
			if shallow[h] {
				c.ParentHashes = nil
			}
			q.add(c)
		}
		return nil
	}
	if err := add(start); err != nil {
		return err
	}
	for q.Len() > 0 {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		next, stop, err := visit(q.next())
		if err != nil || stop {
			return err
		}
		if err := add(next); err != nil {
			return err
		}
	}
	return nil
}

// shallow returns the commits whose parents were not fetched.
func (r *Repository) shallow() (map[plumbing.Hash]bool, error) {
	hs, err := r.st.Shallow()
	m := map[plumbing.Hash]bool{}
	for _, h := range hs {
		m[h] = true
	}
	r.grafts = m
	return m, err
}

const (
	left = 1 << iota
	right
	stale
)

// paint walks from two commits at once and marks what each can reach, until only what both can is left to look at.
// It returns the marks, and the first commits that both reach.
func (r *Repository) paint(ctx context.Context, a, b plumbing.Hash) (map[plumbing.Hash]int, []plumbing.Hash, error) {
	marks := map[plumbing.Hash]int{}
	q := &queue{}
	fresh := 0 // commits in the queue that are not stale
	shallow, err := r.shallow()
	if err != nil {
		return nil, nil, err
	}
	queuedMarks := map[plumbing.Hash]bool{}
	add := func(h plumbing.Hash, mark int) error {
		old := marks[h]
		if old|mark == old {
			return nil
		}
		marks[h] = old | mark
		if queuedMarks[h] {
			if old&stale == 0 && mark&stale != 0 {
				fresh--
			}
			return nil
		}
		c, err := r.commit(h)
		if err != nil {
			return err
		}
		queuedMarks[h] = true
		if marks[h]&stale == 0 {
			fresh++
		}
		q.add(c)
		return nil
	}
	if err := add(a, left); err != nil {
		return nil, nil, err
	}
	if err := add(b, right); err != nil {
		return nil, nil, err
	}
	var bases []plumbing.Hash
	for fresh > 0 {
		if ctx.Err() != nil {
			return nil, nil, context.Cause(ctx)
		}
		c := q.next()
		queuedMarks[c.Hash] = false
		m := marks[c.Hash]
		if m&stale == 0 {
			fresh--
		}
		if m == left|right {
			bases = append(bases, c.Hash)
			m |= stale
		}
		if shallow[c.Hash] {
			continue
		}
		for _, p := range c.ParentHashes {
			if err := add(p, m); err != nil {
				return nil, nil, err
			}
		}
	}
	best := bases[:0]
	for _, h := range bases {
		if marks[h]&stale == 0 {
			best = append(best, h)
		}
	}
	return marks, best, nil
}

// mergeBase returns the best common ancestor of two commits; zero if there is none. Of several it is the latest.
func (r *Repository) mergeBase(ctx context.Context, a, b plumbing.Hash) (plumbing.Hash, error) {
	_, bases, err := r.paint(ctx, a, b)
	if err != nil || len(bases) == 0 {
		return plumbing.ZeroHash, err
	}
	return bases[0], nil
}

// aheadBehind counts the commits that only a, and only b, can reach.
func (r *Repository) aheadBehind(ctx context.Context, a, b plumbing.Hash) (ahead, behind int, err error) {
	marks, _, err := r.paint(ctx, a, b)
	for _, m := range marks {
		switch m &^ stale {
		case left:
			ahead++
		case right:
			behind++
		}
	}
	return ahead, behind, err
}
