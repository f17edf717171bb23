package eval

import (
	"math"
	"testing"
)

// choose counts by walking through all choices of k from n of which the first c pass.
func anyPass(n, c, k int) float64 {
	hit, all := 0, 0
	for set := range 1 << n {
		size, pass := 0, false
		for i := range n {
			if set>>i&1 == 1 {
				size++
				pass = pass || i < c
			}
		}
		if size == k {
			all++
			if pass {
				hit++
			}
		}
	}
	return float64(hit) / float64(all)
}

func TestChanceIsTheShareOfChoices(t *testing.T) {
	for n := 1; n <= 10; n++ {
		for c := 0; c <= n; c++ {
			for k := 1; k <= n; k++ {
				if got, want := chance(n, c, k), anyPass(n, c, k); math.Abs(got-want) > 1e-12 {
					t.Errorf("chance(%d, %d, %d) = %v, want %v", n, c, k, got, want)
				}
			}
		}
	}
}

func TestSummarize(t *testing.T) {
	var list []Verdict
	for i, o := range []Outcome{Passed, Failed, Passed, Passed} {
		list = append(list, Verdict{TaskID: []string{"b", "b", "a", "a"}[i], Index: i % 2, Outcome: o})
	}
	s := Summarize(list, 1, 2, 3)
	if s.Samples != 4 || s.Counts[Passed] != 3 || s.Counts[Failed] != 1 {
		t.Errorf("counts: %+v", s)
	}
	if len(s.Tasks) != 2 || s.Tasks[0] != (TaskSummary{"b", 2, 1}) || s.Tasks[1] != (TaskSummary{"a", 2, 2}) {
		t.Errorf("tasks: %+v", s.Tasks)
	}
	if len(s.PassAt) != 2 { // no task has 3 samples
		t.Fatalf("pass@k: %+v", s.PassAt)
	}
	for i, want := range []float64{0.75, 1} {
		p := s.PassAt[i]
		if p.K != i+1 || p.Value != want || p.Low > p.Value || p.High < p.Value {
			t.Errorf("pass@%d: %+v, want %v", i+1, p, want)
		}
	}
	if p := s.PassAt[0]; p.Low != 0.5 || p.High != 1 {
		t.Errorf("the interval of pass@1 over two tasks is %v to %v", p.Low, p.High)
	}
	if empty := Summarize(nil); len(empty.PassAt) != 0 || empty.Tasks == nil {
		t.Errorf("of nothing: %+v", empty)
	}
}
