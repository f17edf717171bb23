package gitops

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

// rebuild applies what diffLines says, and counts what it says to remove and to add.
func rebuild(t *testing.T, old, now []string) (edits int) {
	t.Helper()
	var got []string
	at := 0
	for _, r := range diffLines(old, now) {
		got = append(append(got, old[at:r.a0]...), now[r.b0:r.b1]...)
		at = r.a1
		edits += r.a1 - r.a0 + r.b1 - r.b0
	}
	if got = append(got, old[at:]...); !slices.Equal(got, now) {
		t.Fatalf("%q became %q, not %q", old, got, now)
	}
	return edits
}

func randomLines(rnd *rand.Rand, n, kinds int) (out []string) {
	for range rnd.IntN(n + 1) {
		out = append(out, fmt.Sprint(rnd.IntN(kinds), "\n"))
	}
	return out
}

// shortest counts the edits of a shortest diff, slowly.
func shortest(a, b []string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range a {
		diag := row[0]
		row[0] = i + 1
		for j := range b {
			next := min(row[j], row[j+1]) + 1
			if a[i] == b[j] {
				next = diag
			}
			diag, row[j+1] = row[j+1], next
		}
	}
	return row[len(b)]
}

func TestDiffIsShortest(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 1))
	for i := range 20000 {
		kinds := []int{2, 4, 20}[i%3] // of 20 kinds many are in one text alone
		a, b := randomLines(rnd, 12, kinds), randomLines(rnd, 12, kinds)
		if got, want := rebuild(t, a, b), shortest(a, b); got != want {
			t.Fatalf("%q to %q in %d edits, not %d", a, b, got, want)
		}
	}
}

func TestDiffOfWhatCostsTooMuch(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 1))
	a, b := randomLines(rnd, 1, 1), randomLines(rnd, 1, 1)
	for range 4 * maxCost {
		a = append(a, fmt.Sprint(rnd.IntN(9), "\n"))
		b = append(b, fmt.Sprint(rnd.IntN(1<<30), "\n"), fmt.Sprint(rnd.IntN(9), "\n"))
	}
	rebuild(t, a, b)
}

func TestMergeTextOfOneSide(t *testing.T) {
	rnd := rand.New(rand.NewPCG(2, 2))
	for range 5000 {
		base, side := randomLines(rnd, 10, 5), randomLines(rnd, 10, 5)
		for _, sides := range [][2][]string{{base, side}, {side, base}, {side, side}} {
			if got, n := mergeText(base, sides[0], sides[1], "a", "b"); n != 0 || !slices.Equal(got, side) {
				t.Fatalf("%q and %q of %q: %q", sides[0], sides[1], base, got)
			}
		}
		mergeText(base, side, randomLines(rnd, 10, 5), "a", "b")
	}
}
