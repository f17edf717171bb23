package benchmarks

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"
	"time"

	"github.com/belljar-dev/belljar/engine"
	"github.com/belljar-dev/belljar/eval"
)

// hostile are candidates that do what a limit ends, with their verdicts.
var hostile = []struct {
	completion string
	want       eval.Outcome
}{
	{"    while True: pass\n", eval.Timeout},
	{"    x = []\n    while True: x.append(bytes(1 << 20))\n", eval.Memory},
	{"    while True: print('flood' * 1000)\n", eval.Output},
	{"    import sys; sys.exit(3)\n", eval.Errored},
	{"    import os; os.abort()\n", eval.Crashed},
}

const hostileTimeout = 2 * time.Second

// evalSets measures package eval on HumanEval's canonical solutions, ten of each, and on ten candidates for each of some
// tasks of which a third is hostile. Each verdict has to be the right one.
func (s *suite) evalSets(ctx context.Context) error {
	tasks, err := eval.ReadTasks(bytes.NewReader(humanEvalData), "python")
	if err != nil {
		return err
	}
	opts := eval.Options{Image: "python"}
	var rates []float64
	for range max(s.runs(8)/4, 1) {
		samples := eval.Canonical(tasks, max(s.runs(80)/8, 1))
		start := time.Now()
		if err := s.judged(ctx, tasks, samples, opts, nil); err != nil {
			return err
		}
		rates = append(rates, float64(len(samples))/time.Since(start).Seconds())
	}
	s.add("eval_humaneval_per_s", "1/s", rates, "HumanEval's canonical solutions by package eval, each in a fresh sandbox, all right, on %d workers", runtime.GOMAXPROCS(0))

	opts.Timeout, opts.Limits = hostileTimeout, engine.Limits{Memory: 128 << 20, Output: 64 << 10}
	tasks = tasks[:max(s.runs(32)/2, 2)]
	var ratios []float64
	for range max(s.runs(8)/4, 1) {
		samples, want, bad := hostileSamples(tasks)
		start := time.Now()
		if err := s.judged(ctx, tasks, samples, opts, want); err != nil {
			return err
		}
		ratios = append(ratios, time.Since(start).Seconds()/(float64(bad)*hostileTimeout.Seconds()/float64(runtime.GOMAXPROCS(0))))
	}
	s.add("eval_hostile_wall_ratio", "x", ratios, "ten candidates for each of %d tasks, three of ten hostile (loops, memory, floods, crashes), each verdict right: wall time as a multiple of the hostile ones' time limits divided by the workers", len(tasks))
	return nil
}

// hostileSamples answers ten candidates for each task, of which three are hostile: the same ones at every run.
func hostileSamples(tasks []eval.Task) (samples []eval.Sample, want map[string]eval.Outcome, bad int) {
	random := rand.New(rand.NewPCG(1, 2))
	want = map[string]eval.Outcome{}
	for _, t := range tasks {
		for i := range 10 {
			sample, outcome := eval.Sample{TaskID: t.ID, Index: i, Completion: t.Canonical}, eval.Passed
			if i < 3 {
				h := hostile[random.IntN(len(hostile))]
				sample.Completion, outcome = h.completion, h.want
				bad++
			}
			samples = append(samples, sample)
			want[fmt.Sprintf("%s %d", t.ID, i)] = outcome
		}
	}
	return samples, want, bad
}

// judged judges samples, and fails at a verdict that is not the wanted one, Passed where none is.
func (s *suite) judged(ctx context.Context, tasks []eval.Task, samples []eval.Sample, opts eval.Options, want map[string]eval.Outcome) error {
	n := 0
	for v, err := range eval.Run(ctx, s.engine, tasks, samples, opts) {
		if err != nil {
			return err
		}
		outcome := eval.Passed
		if w, ok := want[fmt.Sprintf("%s %d", v.TaskID, v.Index)]; ok {
			outcome = w
		}
		if v.Outcome != outcome {
			return fmt.Errorf("%s, sample %d: %s (%s), want %s", v.TaskID, v.Index, v.Outcome, v.Reason, outcome)
		}
		n++
	}
	if n != len(samples) {
		return fmt.Errorf("%d verdicts of %d samples", n, len(samples))
	}
	return nil
}
