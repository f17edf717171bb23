package eval

import (
	"context"
	"fmt"
	"iter"
	"runtime"
	"slices"
	"sync"

	"github.com/belljar-dev/belljar/engine"
)

// window bounds how many verdicts wait for an earlier one.
const window = 4096

// Run judges samples, each in a fresh sandbox of e, and answers the verdicts in the samples' order. With no samples it
// judges the canonical answers. What a sample does never ends the run: an error, after which nothing follows, means
// that judging can't go on (ctx has ended, the language is unknown, a sample's task is not there). To stop early is
// safe: what is under way is ended and waited for.
func Run(ctx context.Context, e *engine.Engine, tasks []Task, samples []Sample, opts Options) iter.Seq2[Verdict, error] {
	return func(yield func(Verdict, error) bool) {
		if samples == nil {
			samples = Canonical(tasks, 1)
		}
		r, err := newRun(e, tasks, samples, opts)
		if err != nil {
			yield(Verdict{}, err)
			return
		}
		ctx, cancel := context.WithCancel(ctx)
		order := r.start(ctx)
		defer r.workers.Wait()
		defer cancel()
		for j := range order {
			<-j.done
			if j.err != nil {
				yield(Verdict{}, j.err)
				return
			}
			if !yield(j.verdict, nil) {
				return
			}
		}
		if err := context.Cause(ctx); err != nil {
			yield(Verdict{}, err)
		}
	}
}

// run is one call of Run.
type run struct {
	engine  *engine.Engine
	opts    Options
	tasks   map[string]*Task
	samples []Sample
	workers sync.WaitGroup
}

// job is a sample on its way. verdict and err are set before done is closed.
type job struct {
	task    *Task
	sample  Sample
	done    chan struct{}
	verdict Verdict
	err     error
}

func newRun(e *engine.Engine, tasks []Task, samples []Sample, opts Options) (*run, error) {
	r := &run{engine: e, opts: opts, tasks: map[string]*Task{}}
	for i := range tasks {
		if err := tasks[i].check(); err != nil {
			return nil, err
		}
		r.tasks[tasks[i].ID] = &tasks[i]
	}
	for _, s := range samples {
		t := r.tasks[s.TaskID]
		if t == nil {
			return nil, fmt.Errorf("sample %d of task %s: there is no such task", s.Index, s.TaskID)
		}
		if s.Completion != t.Canonical && len(t.Command) > 0 && t.Solution == "" {
			return nil, fmt.Errorf("task %s runs a command and names no solution file: it can't be given samples", t.ID)
		}
	}
	r.samples = samples
	if opts.Skip != nil {
		r.samples = slices.DeleteFunc(slices.Clone(samples), func(s Sample) bool { return opts.Skip(s.TaskID, s.Index) })
	}
	return r, nil
}

// start sets the workers to work and answers the jobs in order. Everything ends with the samples, or with ctx.
func (r *run) start(ctx context.Context) <-chan *job {
	n := r.opts.Workers
	if n <= 0 {
		n = runtime.GOMAXPROCS(0)
	}
	order, jobs := make(chan *job, window), make(chan *job)
	r.workers.Go(func() {
		defer close(order)
		defer close(jobs)
		for _, s := range r.samples {
			j := &job{task: r.tasks[s.TaskID], sample: s, done: make(chan struct{})}
			select {
			case order <- j:
			case <-ctx.Done():
				return
			}
			select {
			case jobs <- j:
			case <-ctx.Done():
				j.err = context.Cause(ctx)
				close(j.done)
				return
			}
		}
	})
	for range n {
		r.workers.Go(func() {
			for j := range jobs {
				j.verdict, j.err = r.judge(ctx, j.task, j.sample)
				close(j.done)
			}
		})
	}
	return order
}
