package main

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/belljar-dev/belljar/benchmarks"
)

// budget is how long things may take.
type budget struct {
	start   time.Duration // of each rival in the table of starts
	most    int           // starts of each rival
	compute int           // rounds of the compute tables
	density int           // the most idle sandboxes
	workers []int         // of the table of throughput
}

var (
	whole = budget{start: 6 * time.Second, most: 400, compute: 5, density: 10_000, workers: []int{1, 2, 4, 8}}
	quick = budget{start: time.Second, most: 20, compute: 1, density: 1000, workers: []int{2}}
)

// starts measures a fresh isolate that prints 1+1, rival by rival in turn, so that all meet the same disturbances.
func starts(ctx context.Context, f *field, b budget) (*table, error) {
	const rounds = 20
	times := make([][]float64, len(f.rivals))
	spent := make([]time.Duration, len(f.rivals))
	for range rounds {
		for i, r := range f.rivals {
			until := time.Now().Add(b.start / rounds)
			for n := 0; n == 0 || time.Now().Before(until) && n < b.most/rounds; n++ {
				if spent[i] >= b.start && len(times[i]) >= 3 {
					break
				}
				start := time.Now()
				if err := r.greet(ctx); err != nil {
					return nil, err
				}
				took := time.Since(start)
				spent[i] += took
				times[i] = append(times[i], milliseconds(took))
			}
		}
	}
	t := &table{
		Title: "Start: a fresh isolate that prints 1+1", Plot: "start", Unit: "ms",
		Note:    "From nothing to the answer and back to nothing, rivals in turn. Memory is what one more isolate weighs that has printed and waits (private memory; processes with their children).",
		Columns: []string{"who", "language", "isolates by", "min ms", "median ms", "p95 ms", "n", "KiB each"},
	}
	for i, r := range f.rivals {
		slices.Sort(times[i])
		v := times[i]
		weight := "–"
		if r.keep != nil {
			n := 10
			if r.kind == "sandbox" {
				n = 100 // in this process, whose own memory comes and goes by some hundred KiB
			}
			bytes, err := r.keep(ctx, n)
			if err != nil {
				return nil, fmt.Errorf("%s: weigh: %w", r.name, err)
			}
			weight = number(float64(bytes) / 1024)
		}
		t.Rows = append(t.Rows, []string{r.name, r.lang, r.kind, number(v[0]), number(median(v)), number(v[len(v)*95/100]), strconv.Itoa(len(v)), weight})
		t.Bars = append(t.Bars, bar{r.name, r.lang, median(v)})
	}
	return t, nil
}

// computes runs programs that measure themselves on all rivals that can, in turn.
func computes(ctx context.Context, f *field, b budget, lang string, programs []benchmarks.Program) (*table, error) {
	t := &table{
		Title: "Compute: " + map[string]string{"python": "Python", "js": "JavaScript"}[lang], Plot: "compute-" + lang, Unit: "× the native one's time",
		Note:    "The fastest of many runs, in ms, measured by the programs themselves and taken in turn; the last column is the geometric mean of the ratios to the first row.",
		Columns: []string{"who"},
	}
	var able []*rival
	for _, r := range f.rivals {
		if r.computes && r.lang == lang {
			able = append(able, r)
		}
	}
	best := make([][]float64, len(able))
	for i := range able {
		best[i] = make([]float64, len(programs))
	}
	for p, program := range programs {
		t.Columns = append(t.Columns, program.Name)
		for range b.compute {
			for i, r := range able {
				if math.IsNaN(best[i][p]) {
					continue
				}
				out, err := r.eval(ctx, program.Code)
				fastest, perr := fastest(out)
				if err != nil || perr != nil {
					best[i][p] = math.NaN() // it does not know what the program uses
					continue
				}
				if best[i][p] == 0 || fastest < best[i][p] {
					best[i][p] = fastest
				}
			}
		}
	}
	t.Columns = append(t.Columns, "ratio")
	for i, r := range able {
		row, logs, n := []string{r.name}, 0.0, 0
		for p := range programs {
			if math.IsNaN(best[i][p]) || math.IsNaN(best[0][p]) {
				row = append(row, "–")
				continue
			}
			row = append(row, number(best[i][p]))
			logs += math.Log(best[i][p] / best[0][p])
			n++
		}
		if n == 0 { // it knows none of the programs
			t.Rows = append(t.Rows, append(row, "–"))
			continue
		}
		ratio := math.Exp(logs / float64(n))
		t.Rows = append(t.Rows, append(row, number(ratio)))
		t.Bars = append(t.Bars, bar{r.name, lang, ratio})
	}
	return t, nil
}

// fastest answers the least of the nanoseconds that a program has printed, in ms.
func fastest(out string) (float64, error) {
	least := math.Inf(1)
	for line := range strings.Lines(out) {
		ns, err := strconv.ParseFloat(strings.TrimSpace(line), 64)
		if err != nil {
			return 0, fmt.Errorf("printed %q", line)
		}
		least = min(least, ns/1e6)
	}
	if math.IsInf(least, 1) {
		return 0, fmt.Errorf("printed nothing")
	}
	return least, nil
}

// median answers the middle one. Preconditions: v is sorted and not empty.
func median(v []float64) float64 { return (v[(len(v)-1)/2] + v[len(v)/2]) / 2 }

func milliseconds(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1e6 }

// number writes a figure with three significant digits, or whole where it is larger.
func number(v float64) string {
	if math.Abs(v) >= 100 {
		return strconv.FormatFloat(v, 'f', 0, 64)
	}
	return strconv.FormatFloat(v, 'g', 3, 64)
}

func medianOf(values []float64) float64 { return median(slices.Sorted(slices.Values(values))) }
