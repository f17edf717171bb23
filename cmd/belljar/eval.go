package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/belljar-dev/belljar/engine"
	"github.com/belljar-dev/belljar/eval"
	"github.com/dustin/go-humanize"
	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"
	"golang.org/x/term"
)

// evalFlags are the flags of belljar eval as they were given.
type evalFlags struct {
	samples, out, report, junit, lang, mem string
	workers, repeat, limit                 int
	timeout                                time.Duration
	seed                                   uint64
	hostClock                              bool
}

func (a *app) evalCommand() *cobra.Command {
	var f evalFlags
	cmd := &cobra.Command{
		Use:   "eval TASKS.jsonl",
		Short: "Judge generated programs against their tests, each in a sandbox of its own",
		Long: `Judge programs against tests: offline, with the same verdicts at every run.

TASKS.jsonl holds a task a line, with HumanEval's fields, MBPP's, or
{"id", "lang", "code" or "command", "files", "stdin", "expect": {"stdout", "exit_code", "files"}}.
SAMPLES.jsonl holds {"task_id", "completion"}; without it the tasks' own solutions are judged. Files may be gzipped.`,
		Example: `  belljar eval HumanEval.jsonl.gz
  belljar eval tasks.jsonl --samples samples.jsonl --out results.jsonl --report report.html`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return a.evaluate(cmd, &f, args[0]) },
	}
	fl := cmd.Flags()
	fl.StringVar(&f.samples, "samples", "", "`file` of answers to judge")
	fl.StringVar(&f.out, "out", "", "`file` for the verdicts, a JSON line each; one that is there is gone on with")
	fl.StringVar(&f.report, "report", "", "`file` for a report to look at in a browser")
	fl.StringVar(&f.junit, "junit", "", "`file` for a report in JUnit's XML")
	fl.StringVar(&f.lang, "lang", "python", "`language` of tasks that name none")
	fl.IntVar(&f.workers, "workers", 0, "sandboxes at one time; 0 is one for each processor")
	fl.IntVar(&f.repeat, "repeat", 1, "how often to judge the tasks' own solutions")
	fl.IntVar(&f.limit, "limit", 0, "judge the first N tasks only")
	fl.DurationVar(&f.timeout, "timeout", 10*time.Second, "time limit of each sample")
	fl.StringVar(&f.mem, "mem", "512MiB", "memory limit of each sample")
	fl.Uint64Var(&f.seed, "seed", 0, "seed of the randomness that programs see")
	fl.BoolVar(&f.hostClock, "host-clock", false, "show programs this machine's clock and true randomness; runs then differ")
	return cmd
}

func (a *app) evaluate(cmd *cobra.Command, f *evalFlags, name string) error {
	opts, err := f.options()
	if err != nil {
		return err
	}
	tasks, samples, err := f.read(name)
	if err != nil {
		return err
	}
	var verdicts []eval.Verdict
	keep := func(eval.Verdict) error { return nil }
	if f.out != "" {
		results, err := eval.OpenResults(f.out)
		if err != nil {
			return err
		}
		defer results.Close()
		opts.Skip, verdicts, keep = results.Has, results.Done(), results.Write
	}
	eng, err := a.engine()
	if err != nil {
		return err
	}
	defer eng.Close()
	if err := a.warm(cmd.Context(), eng, "python3"); err != nil {
		return err
	}
	bar := a.countdown(len(samples), len(verdicts))
	for v, err := range eval.Run(cmd.Context(), eng, tasks, samples, opts) {
		if err == nil {
			err = keep(v)
		}
		if err != nil {
			return err
		}
		verdicts = append(verdicts, v)
		_ = bar.Add(1)
	}
	_ = bar.Clear()
	if err := f.write(filepath.Base(name), tasks, samples, verdicts); err != nil {
		return err
	}
	return a.printSummary(eval.Summarize(verdicts))
}

func (f *evalFlags) options() (eval.Options, error) {
	mem, err := humanize.ParseBytes(f.mem)
	switch {
	case err != nil || mem == 0 || int64(mem) <= 0:
		return eval.Options{}, fmt.Errorf("--mem %q: use a positive size such as 512MiB", f.mem)
	case f.timeout <= 0:
		return eval.Options{}, fmt.Errorf("--timeout %s: use a positive time such as 10s", f.timeout)
	case f.workers < 0:
		return eval.Options{}, fmt.Errorf("--workers %d: use a positive number, or 0 for one for each processor", f.workers)
	case f.repeat < 1:
		return eval.Options{}, fmt.Errorf("--repeat %d: use a positive number", f.repeat)
	case f.limit < 0:
		return eval.Options{}, fmt.Errorf("--limit %d: use a positive number, or 0 for all tasks", f.limit)
	}
	return eval.Options{
		Workers: f.workers, Seed: f.seed, Timeout: f.timeout, HostClock: f.hostClock,
		Limits: engine.Limits{Memory: int64(mem)},
	}, nil
}

// read reads the tasks and what is to be judged of them.
func (f *evalFlags) read(name string) ([]eval.Task, []eval.Sample, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, nil, fmt.Errorf("eval: %w", err)
	}
	defer file.Close()
	tasks, err := eval.ReadTasks(file, f.lang)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", name, err)
	}
	if f.limit > 0 && f.limit < len(tasks) {
		tasks = tasks[:f.limit]
	}
	if f.samples == "" {
		samples := eval.Canonical(tasks, f.repeat)
		if len(samples) == 0 {
			return nil, nil, fmt.Errorf("%s: the tasks have no solutions of their own; give --samples", name)
		}
		return tasks, samples, nil
	}
	if f.repeat != 1 {
		return nil, nil, errors.New("--repeat is for the tasks' own solutions; leave it out with --samples")
	}
	sampleFile, err := os.Open(f.samples)
	if err != nil {
		return nil, nil, fmt.Errorf("eval: %w", err)
	}
	defer sampleFile.Close()
	samples, err := eval.ReadSamples(sampleFile)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", f.samples, err)
	}
	return tasks, f.limited(tasks, samples), nil
}

// limited leaves out samples of tasks beyond --limit.
func (f *evalFlags) limited(tasks []eval.Task, samples []eval.Sample) []eval.Sample {
	if f.limit == 0 {
		return samples
	}
	in := map[string]bool{}
	for _, t := range tasks {
		in[t.ID] = true
	}
	var out []eval.Sample
	for _, s := range samples {
		if in[s.TaskID] {
			out = append(out, s)
		}
	}
	return out
}

// write writes the reports that were asked for.
func (f *evalFlags) write(title string, tasks []eval.Task, samples []eval.Sample, verdicts []eval.Verdict) error {
	for _, r := range []struct {
		file  string
		write func(io.Writer) error
	}{
		{f.report, func(w io.Writer) error { return eval.WriteReport(w, title, tasks, samples, verdicts) }},
		{f.junit, func(w io.Writer) error { return eval.WriteJUnit(w, title, verdicts) }},
	} {
		if r.file == "" {
			continue
		}
		w, err := os.Create(r.file)
		if err != nil {
			return fmt.Errorf("eval: %w", err)
		}
		if err := errors.Join(r.write(w), w.Close()); err != nil {
			return fmt.Errorf("eval: %s: %w", r.file, err)
		}
	}
	return nil
}

// countdown shows on a terminal how far the run is, how fast it goes and when it will end.
func (a *app) countdown(all, done int) *progressbar.ProgressBar {
	w := io.Discard
	if f, ok := a.stderr.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		w = f
	}
	bar := progressbar.NewOptions(all, progressbar.OptionSetWriter(w), progressbar.OptionShowCount(), progressbar.OptionShowIts(),
		progressbar.OptionSetPredictTime(true), progressbar.OptionSetDescription("judging"), progressbar.OptionThrottle(100*time.Millisecond))
	_ = bar.Set(done)
	return bar
}

func (a *app) printSummary(s eval.Summary) error {
	if a.json {
		return json.NewEncoder(a.stdout).Encode(s)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%d samples of %d tasks:", s.Samples, len(s.Tasks))
	sep := " "
	for _, o := range eval.Outcomes() {
		if n := s.Counts[o]; n > 0 {
			fmt.Fprintf(&b, "%s%d %s", sep, n, o)
			sep = ", "
		}
	}
	b.WriteString("\n")
	for _, p := range s.PassAt {
		fmt.Fprintf(&b, "pass@%d: %.1f %% (95 %%: %.1f to %.1f)\n", p.K, 100*p.Value, 100*p.Low, 100*p.High)
	}
	_, err := io.WriteString(a.stdout, b.String())
	return err
}
