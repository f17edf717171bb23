// Package benchmarks measures the engine on this machine: the figures of BENCHMARKS.md, by name.
//
// Every figure is the minimum and median of many runs. Ratios are taken between runs that alternate in one process,
// so that they hold when the machine's speed drifts.
package benchmarks

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/belljar-dev/belljar/engine"
	"github.com/belljar-dev/belljar/runtimes/python"
)

// Metric is one figure.
type Metric struct {
	Name   string  `json:"name"`
	Unit   string  `json:"unit"`
	Min    float64 `json:"min"`
	Median float64 `json:"median"`
	P95    float64 `json:"p95"`
	N      int     `json:"n"`
	// Note says what was measured, and what stands beside it.
	Note string `json:"note,omitempty"`
}

// Report is what one run measured.
type Report struct {
	Machine Machine  `json:"machine"`
	Metrics []Metric `json:"metrics"`
}

// Options chooses what to run.
type Options struct {
	Quick    bool      // fewer runs: about a minute in all
	Only     []string  // the parts to measure, by name; nil is all of them
	CacheDir string    // as engine.Config has it
	Binary   string    // the belljar command, for the figures of whole processes; "" leaves them out
	Log      io.Writer // hears each part as it begins; nil is silent
}

// suite is one run's state.
type suite struct {
	Options
	engine  *engine.Engine
	metrics []Metric
}

// Run measures everything. A part that fails ends the run with its name in the error.
func Run(ctx context.Context, opt Options) (*Report, error) {
	if opt.Log == nil {
		opt.Log = io.Discard
	}
	eng, err := engine.New(engine.Config{Images: []engine.Image{python.Image()}, CacheDir: opt.CacheDir})
	if err != nil {
		return nil, err
	}
	defer eng.Close()
	if err := eng.Warm(ctx, "python", nil); err != nil {
		return nil, err
	}
	s := &suite{Options: opt, engine: eng}
	parts := s.parts()
	if parts, err = choose(parts, opt.Only); err != nil {
		return nil, err
	}
	for _, part := range parts {
		fmt.Fprintln(opt.Log, "measuring:", part.name)
		start := time.Now()
		if err := part.run(ctx); err != nil {
			return nil, fmt.Errorf("%s: %w", part.name, err)
		}
		fmt.Fprintf(opt.Log, "  %.1f s\n", time.Since(start).Seconds())
	}
	return &Report{Machine: machine(), Metrics: s.metrics}, nil
}

// part measures figures that belong together.
type part struct {
	name string
	run  func(context.Context) error
}

// parts are all there are, in the report's order.
func (s *suite) parts() []part {
	return []part{
		{"fresh start", s.fresh},
		{"idle memory", s.idle},
		{"a thousand live", s.live},
		{"collector beside a guest", s.collector},
		{"wall limit", s.wallLimit},
		{"memory limit", s.memoryLimit},
		{"full tree", s.fullTree},
		{"files of a guest", s.guestIO},
		{"file tree", s.fileTree},
		{"cells of a session", s.cells},
		{"forks of a sandbox", s.forks},
		{"snapshots of a sandbox", s.snapshots},
		{"sandboxes on disk", s.store},
		{"shell", s.shell},
		{"JavaScript", s.javascript},
		{"npm and esbuild", s.npm},
		{"git", s.git},
		{"git for hosts", s.gitops},
		{"HumanEval", s.humanEval},
		{"evaluation", s.evalSets},
		{"meter", s.meterCost},
		{"MCP bridge", s.mcp},
		{"process start", s.processStart},
	}
}

// choose answers the parts that are wanted, in their own order.
func choose(parts []part, wanted []string) ([]part, error) {
	if wanted == nil {
		return parts, nil
	}
	var names []string
	for _, p := range parts {
		names = append(names, p.name)
	}
	for _, w := range wanted {
		if !slices.Contains(names, w) {
			return nil, fmt.Errorf("there is no part %q; there are: %s", w, strings.Join(names, ", "))
		}
	}
	return slices.DeleteFunc(parts, func(p part) bool { return !slices.Contains(wanted, p.name) }), nil
}

// runs is n, or fewer in a quick run.
func (s *suite) runs(n int) int {
	if s.Quick {
		return max(n/8, 2)
	}
	return n
}

// rounds is n, or one in a quick run: of what takes long and hardly varies.
func (s *suite) rounds(n int) int {
	if s.Quick {
		return 1
	}
	return n
}

// tenth is n, or a tenth of it in a quick run: the size of what takes longer to make than to measure. A figure that depends
// on it says it in its name.
func (s *suite) tenth(n int) int {
	if s.Quick {
		return n / 10
	}
	return n
}

func (s *suite) add(name, unit string, values []float64, note string, args ...any) {
	s.metrics = append(s.metrics, summarise(name, unit, values, fmt.Sprintf(note, args...)))
}

func summarise(name, unit string, values []float64, note string) Metric {
	v := slices.Sorted(slices.Values(values))
	return Metric{Name: name, Unit: unit, Min: v[0], Median: median(v), P95: v[len(v)*95/100], N: len(v), Note: note}
}

// Preconditions: v is sorted and not empty.
func median(v []float64) float64 {
	if n := len(v); n%2 == 0 {
		return (v[n/2-1] + v[n/2]) / 2
	}
	return v[len(v)/2]
}

func medianOf(values []float64) float64 { return median(slices.Sorted(slices.Values(values))) }

func milliseconds(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1e6 }

// eval runs code in a sandbox of its own and fails unless it prints want.
func (s *suite) eval(ctx context.Context, spec engine.Spec, code, want string) error {
	sb, err := s.engine.Create(ctx, spec)
	if err != nil {
		return err
	}
	defer sb.Close()
	res, err := sb.Eval(ctx, "python", code)
	if err != nil {
		return err
	}
	if res.Stdout != want {
		return fmt.Errorf("%q printed %q and %q, want %q", code, res.Stdout, res.Stderr, want)
	}
	return nil
}
