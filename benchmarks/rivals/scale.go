package main

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/belljar-dev/belljar/benchmarks"
	"github.com/belljar-dev/belljar/engine"
)

// throughput measures how many of a set of programs are judged a second by so many workers, ours and native processes in
// turn.
func throughput(ctx context.Context, b budget, what string, us *rival, native []string, programs []benchmarks.Program) (*table, error) {
	t := &table{
		Title: "Throughput: " + what, Plot: "throughput-" + us.lang, Unit: "programs a second",
		Note:    fmt.Sprintf("%d canonical solutions with their tests, each in a fresh isolate; the median of 3 rounds, in turn.", len(programs)),
		Columns: []string{"workers", "Belljar, 1/s", native[0] + " processes, 1/s", "ratio"},
	}
	process := func(ctx context.Context, code string) (string, error) {
		out, err := exec.CommandContext(ctx, native[0], append(native[1:len(native):len(native)], code)...).CombinedOutput()
		return string(out), err
	}
	for _, workers := range b.workers {
		var ours, theirs []float64
		for range 3 {
			for _, c := range []struct {
				eval func(context.Context, string) (string, error)
				to   *[]float64
			}{{us.eval, &ours}, {process, &theirs}} {
				rate, err := rateOf(ctx, workers, programs, c.eval)
				if err != nil {
					return nil, err
				}
				*c.to = append(*c.to, rate)
			}
		}
		o, n := medianOf(ours), medianOf(theirs)
		t.Rows = append(t.Rows, []string{strconv.Itoa(workers), number(o), number(n), number(o / n)})
		t.Bars = append(t.Bars, bar{fmt.Sprintf("Belljar, %d workers", workers), us.lang, o}, bar{fmt.Sprintf("processes, %d", workers), us.lang, n})
	}
	return t, nil
}

// rateOf answers how many programs a second so many workers get through. All have to end well.
func rateOf(ctx context.Context, workers int, programs []benchmarks.Program, eval func(context.Context, string) (string, error)) (float64, error) {
	errs := make([]error, len(programs))
	var next atomic.Int64
	var group sync.WaitGroup
	start := time.Now()
	for range workers {
		group.Go(func() { // ends when all programs are taken
			for {
				i := int(next.Add(1)) - 1
				if i >= len(programs) {
					return
				}
				if out, err := eval(ctx, programs[i].Code); err != nil {
					errs[i] = fmt.Errorf("%s: %w: %.200s", programs[i].Name, err, out)
				}
			}
		})
	}
	group.Wait()
	return float64(len(programs)) / time.Since(start).Seconds(), errors.Join(errs...)
}

// density measures what many idle sandboxes weigh: ones that nothing has run in, and ones whose program has printed and
// waits.
func density(ctx context.Context, eng *engine.Engine, b budget) (*table, error) {
	t := &table{
		Title: "Density: many sandboxes in one process", Plot: "density", Unit: "KiB each",
		Note:    "Private memory of the process, without garbage, by sandbox; Python.",
		Columns: []string{"sandboxes", "untouched, KiB each", "printed and waiting, KiB each"},
	}
	for _, n := range []int{100, 1000, 10_000} {
		if n > b.density {
			continue
		}
		empty, err := weighHere(n, func() (func() error, error) {
			sb, err := eng.Create(ctx, engine.Spec{Image: "python"})
			if err != nil {
				return nil, err
			}
			return sb.Close, nil
		})
		if err != nil {
			return nil, err
		}
		used, err := weighHere(n, func() (func() error, error) {
			return resident(ctx, eng, "python", []string{"python3", "-c", waiting["python"]})
		})
		if err != nil {
			return nil, err
		}
		t.Rows = append(t.Rows, []string{strconv.Itoa(n), number(float64(empty) / 1024), number(float64(used) / 1024)})
		t.Bars = append(t.Bars, bar{fmt.Sprintf("%d untouched", n), "python", float64(empty) / 1024}, bar{fmt.Sprintf("%d printed", n), "python", float64(used) / 1024})
	}
	return t, nil
}
