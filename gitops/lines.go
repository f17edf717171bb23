package gitops

import (
	"bytes"
	"strings"
)

// splitLines cuts a text after its newlines. The last line may have none.
func splitLines(b []byte) []string {
	var out []string
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

// differ finds a shortest edit (Myers, "An O(ND) Difference Algorithm and Its Variations", 1986) between numbered
// lines.
type differ struct {
	a, b        []int
	gone, added []bool
	forth, back []int
	zero        int
}

// diffLines returns what differs between two texts, in order; runs never touch.
func diffLines(old, now []string) []run {
	ids := map[string]int{}
	number := func(lines []string) []int {
		out := make([]int, len(lines))
		for i, l := range lines {
			id, ok := ids[l]
			if !ok {
				id = len(ids)
				ids[l] = id
			}
			out[i] = id
		}
		return out
	}
	d := &differ{a: number(old), b: number(now)}
	d.gone, d.added = make([]bool, len(old)+1), make([]bool, len(now)+1)
	size := 2*(min(len(old)+len(now), 2*maxCost)+3) + 1
	d.forth, d.back, d.zero = make([]int, size), make([]int, size), size/2
	d.compare(0, len(old), 0, len(now))
	slide(d.a, d.gone)
	slide(d.b, d.added)
	var runs []run
	for i, j := 0, 0; i < len(old) || j < len(now); {
		if !d.gone[i] && !d.added[j] {
			i, j = i+1, j+1
			continue
		}
		r := run{a0: i, b0: j}
		for d.gone[i] {
			i++
		}
		for d.added[j] {
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

// compare marks what differs in a[a0:a1] and b[b0:b1].
func (d *differ) compare(a0, a1, b0, b1 int) {
	for {
		for a0 < a1 && b0 < b1 && d.a[a0] == d.b[b0] {
			a0, b0 = a0+1, b0+1
		}
		for a0 < a1 && b0 < b1 && d.a[a1-1] == d.b[b1-1] {
			a1, b1 = a1-1, b1-1
		}
		if a0 == a1 || b0 == b1 {
			for i := a0; i < a1; i++ {
				d.gone[i] = true
			}
			for j := b0; j < b1; j++ {
				d.added[j] = true
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
			for x < n && y < m && x >= 0 && y >= 0 && d.a[a0+x] == d.b[b0+y] {
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
			for x < n && y < m && x >= 0 && y >= 0 && d.a[a1-1-x] == d.b[b1-1-y] {
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
