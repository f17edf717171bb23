package gitops

import (
	"bytes"
	"strings"
)

// splitLines cuts a text after its newlines. The last line may have none.
func splitLines(b []byte) []string {
	out := make([]string, 0, bytes.Count(b, []byte{'\n'})+1)
	for l := range strings.Lines(string(b)) {
		out = append(out, l)
	}
	return out
}

// isBinary is git's test: a zero byte among the first 8,000.
func isBinary(b []byte) bool { return bytes.IndexByte(b[:min(len(b), 8000)], 0) >= 0 }

// run says that old[a0:a1] became now[b0:b1].
type run struct{ a0, a1, b0, b1 int }

// maxCost limits how far the search for a shortest edit looks before it takes what it has: texts come from strangers,
// and the search is quadratic in what differs.
const maxCost = 2048

// differ finds a shortest edit (Myers, "An O(ND) Difference Algorithm and Its Variations", 1986) between the numbered
// lines that both texts have. What one has alone is changed in any case, and would only make the search longer.
type differ struct {
	a, b        side
	forth, back []int
	zero        int
}

// side is one of two texts.
type side struct {
	lines   []int  // numbers of all lines
	changed []bool // by line, and one more
	shared  []int  // numbers of the lines that the other text has too
	at      []int  // where those are among lines
}

// numbers gives equal lines equal numbers, counted from 0.
type numbers map[string]int

func (ids numbers) side(lines []string) side {
	s := side{lines: make([]int, len(lines)), changed: make([]bool, len(lines)+1)}
	for i, l := range lines {
		id, ok := ids[l]
		if !ok {
			id = len(ids)
			ids[l] = id
		}
		s.lines[i] = id
	}
	return s
}

// share parts the lines between start and end into those that the other text has, and those that are changed therefore.
func (s *side) share(start, end int, others []bool) {
	s.shared, s.at = make([]int, 0, end-start), make([]int, 0, end-start)
	for i := start; i < end; i++ {
		if id := s.lines[i]; others[id] {
			s.shared, s.at = append(s.shared, id), append(s.at, i)
		} else {
			s.changed[i] = true
		}
	}
}

// set tells which numbers are among the lines between start and end.
func (s *side) set(start, end, size int) []bool {
	has := make([]bool, size)
	for _, id := range s.lines[start:end] {
		has[id] = true
	}
	return has
}

// diffLines returns what differs between two texts, in order; runs never touch.
func diffLines(old, now []string) []run {
	ids := make(numbers, len(old))
	d := &differ{a: ids.side(old), b: ids.side(now)}
	start, aEnd, bEnd := 0, len(old), len(now)
	for start < aEnd && start < bEnd && d.a.lines[start] == d.b.lines[start] {
		start++
	}
	for aEnd > start && bEnd > start && d.a.lines[aEnd-1] == d.b.lines[bEnd-1] {
		aEnd, bEnd = aEnd-1, bEnd-1
	}
	inA, inB := d.a.set(start, aEnd, len(ids)), d.b.set(start, bEnd, len(ids))
	d.a.share(start, aEnd, inB)
	d.b.share(start, bEnd, inA)
	n, m := len(d.a.shared), len(d.b.shared)
	size := 2*(min(n+m, 2*maxCost)+3) + 1
	d.forth, d.back, d.zero = make([]int, size), make([]int, size), size/2
	d.compare(0, n, 0, m)
	slide(d.a.lines, d.a.changed)
	slide(d.b.lines, d.b.changed)
	return d.runs()
}

func (d *differ) runs() (runs []run) {
	gone, added := d.a.changed, d.b.changed
	for i, j := 0, 0; i < len(gone)-1 || j < len(added)-1; {
		if !gone[i] && !added[j] {
			i, j = i+1, j+1
			continue
		}
		r := run{a0: i, b0: j}
		for gone[i] {
			i++
		}
		for added[j] {
			j++
		}
		r.a1, r.b1 = i, j
		runs = append(runs, r)
	}
	return runs
}

// slide moves each group of changed lines down as far as equal lines allow, as git does, so that a new function
// begins with its head and not with its predecessor's end.
func slide(lines []int, changed []bool) {
	for i := 0; i < len(lines); i++ {
		if !changed[i] {
			continue
		}
		start, end := i, i
		for changed[end] {
			end++
		}
		for end < len(lines) && lines[start] == lines[end] {
			changed[start], changed[end] = false, true
			start++
			for end++; changed[end]; end++ {
			}
		}
		i = end
	}
}

// compare marks what differs between the shared lines a0 to a1 of a and b0 to b1 of b.
func (d *differ) compare(a0, a1, b0, b1 int) {
	for {
		for a0 < a1 && b0 < b1 && d.a.shared[a0] == d.b.shared[b0] {
			a0, b0 = a0+1, b0+1
		}
		for a0 < a1 && b0 < b1 && d.a.shared[a1-1] == d.b.shared[b1-1] {
			a1, b1 = a1-1, b1-1
		}
		if a0 == a1 || b0 == b1 {
			for i := a0; i < a1; i++ {
				d.a.changed[d.a.at[i]] = true
			}
			for j := b0; j < b1; j++ {
				d.b.changed[d.b.at[j]] = true
			}
			return
		}
		x, y := d.split(a0, a1, b0, b1)
		d.compare(a0, x, b0, y)
		a0, b0 = x, y
	}
}

// split returns a point on a shortest edit, or on a good one if that costs too much; never both ends at once.
func (d *differ) split(a0, a1, b0, b1 int) (int, int) {
	n, m := a1-a0, b1-b0
	delta := n - m
	f, k := d.forth, d.back
	f[d.zero+1], k[d.zero+1] = 0, 0
	for cost := 0; ; cost++ {
		for diag := -cost; diag <= cost; diag += 2 {
			x := f[d.zero+diag-1] + 1
			if diag == -cost || diag != cost && f[d.zero+diag-1] < f[d.zero+diag+1] {
				x = f[d.zero+diag+1]
			}
			y := x - diag
			for x < n && y < m && x >= 0 && y >= 0 && d.a.shared[a0+x] == d.b.shared[b0+y] {
				x, y = x+1, y+1
			}
			f[d.zero+diag] = x
			if o := delta - diag; delta&1 != 0 && o > -cost && o < cost && x+k[d.zero+o] >= n {
				return a0 + x, b0 + y
			}
		}
		for diag := -cost; diag <= cost; diag += 2 {
			x := k[d.zero+diag-1] + 1
			if diag == -cost || diag != cost && k[d.zero+diag-1] < k[d.zero+diag+1] {
				x = k[d.zero+diag+1]
			}
			y := x - diag
			for x < n && y < m && x >= 0 && y >= 0 && d.a.shared[a1-1-x] == d.b.shared[b1-1-y] {
				x, y = x+1, y+1
			}
			k[d.zero+diag] = x
			if o := delta - diag; delta&1 == 0 && o >= -cost && o <= cost && x+f[d.zero+o] >= n {
				return a1 - x, b1 - y
			}
		}
		if cost >= maxCost {
			return d.furthest(a0, n, b0, m, cost)
		}
	}
}

// furthest returns the point inside the box that the search forwards has come to with most lines behind it.
func (d *differ) furthest(a0, n, b0, m, cost int) (int, int) {
	bestX, bestY := 1, 0
	for diag := -cost; diag <= cost; diag += 2 {
		x := min(d.forth[d.zero+diag], n)
		y := x - diag
		if y > m {
			x, y = m+diag, m
		}
		if x >= 0 && y >= 0 && x+y > bestX+bestY && x+y < n+m {
			bestX, bestY = x, y
		}
	}
	return a0 + bestX, b0 + bestY
}
