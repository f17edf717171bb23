package benchmarks

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"runtime/debug"
	"sync"
	"time"

	"github.com/belljar-dev/belljar/engine"
)

// guest is a program that waits for input after its first output.
type guest struct {
	engine *engine.Engine
	args   []string
}

// python is a Python that runs code.
func (s *suite) python(code string) guest { return guest{s.engine, []string{"python3", "-c", code}} }

// resident is a sandbox whose program lives on, waiting for input.
type resident struct {
	sandbox *engine.Sandbox
	process *engine.Process
	stdin   *io.PipeWriter
	ready   chan struct{} // closed by its first output
}

// firstWrite closes ready at the first byte.
type firstWrite struct {
	once  sync.Once
	ready chan struct{}
	got   bytes.Buffer
}

func (w *firstWrite) Write(b []byte) (int, error) {
	w.once.Do(func() { close(w.ready) })
	return w.got.Write(b)
}

func (g guest) resident(ctx context.Context) (*resident, error) {
	sb, err := g.engine.Create(ctx, engine.Spec{Limits: engine.Limits{Wall: time.Hour}})
	if err != nil {
		return nil, err
	}
	in, stdin := io.Pipe()
	r := &resident{sandbox: sb, stdin: stdin, ready: make(chan struct{})}
	r.process, err = sb.Start(ctx, engine.Command{Args: g.args, Stdin: in, Stdout: &firstWrite{ready: r.ready}})
	if err != nil {
		return nil, errors.Join(err, sb.Close())
	}
	return r, nil
}

// wait waits for the first output. It fails when the process ends without any.
func (r *resident) wait() error {
	select {
	case <-r.ready:
		return nil
	case <-r.process.Done():
		res, err := r.process.Wait()
		return fmt.Errorf("ended early: %d, %q, %w", res.ExitCode, res.Stderr, err)
	}
}

func (r *resident) close() error {
	r.stdin.Close()
	return r.sandbox.Close()
}

// population starts n residents, as many at a time as there are processors, and waits until all are ready.
func (g guest) population(ctx context.Context, n int) ([]*resident, error) {
	all, errs := make([]*resident, n), make([]error, n)
	var next sync.Mutex
	i := 0
	var workers sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() { // ends when all are started
			for {
				next.Lock()
				k := i
				i++
				next.Unlock()
				if k >= n {
					return
				}
				if all[k], errs[k] = g.resident(ctx); errs[k] == nil {
					errs[k] = all[k].wait()
				}
			}
		})
	}
	workers.Wait()
	return all, errors.Join(errs...)
}

func closeAll(all []*resident) error {
	var errs []error
	for _, r := range all {
		if r != nil {
			errs = append(errs, r.close())
		}
	}
	return errors.Join(errs...)
}

// idle measures what one more waiting sandbox costs: the growth of the process's anonymous memory over many.
func (s *suite) idle(ctx context.Context) error {
	if _, err := smaps(); err != nil {
		return nil // only Linux tells
	}
	const n = 200
	for _, c := range []struct{ name, code, note string }{
		{"python_idle_kib", "import os; os.write(1, b'x'); os.read(0, 1)", "private memory of a waiting Python, of %d alive"},
		{"python_printed_kib", "print(1+1, flush=True); input()", "the same after print(1+1), waiting in input(), of %d alive"},
	} {
		values, err := s.idleMemory(ctx, s.python(c.code), n)
		if err != nil {
			return err
		}
		s.add(c.name, "KiB", values, c.note, n)
	}
	return nil
}

// idleMemory answers what one of n waiting guests weighs, in KiB.
func (s *suite) idleMemory(ctx context.Context, g guest, n int) (values []float64, err error) {
	for range s.rounds(8) {
		before, err := settled()
		if err != nil {
			return nil, err
		}
		all, err := g.population(ctx, n)
		if err == nil {
			var after memory
			after, err = settled()
			values = append(values, float64(after.anonymous-before.anonymous)/float64(n)/1024)
		}
		if err := errors.Join(err, closeAll(all)); err != nil {
			return nil, err
		}
	}
	return values, nil
}

func settled() (memory, error) {
	debug.FreeOSMemory() // garbage is no sandbox's
	return smaps()
}

// live measures how long a thousand sandboxes take until each has printed, and what the process then weighs.
func (s *suite) live(ctx context.Context) error {
	var took, weight []float64
	for range s.rounds(8) {
		runtime.GC()
		start := time.Now()
		all, err := s.python("print(1+1, flush=True); input()").population(ctx, 1000)
		took = append(took, time.Since(start).Seconds())
		if m, merr := smaps(); merr == nil {
			weight = append(weight, float64(m.proportional)/(1<<20))
		}
		if err := errors.Join(err, closeAll(all)); err != nil {
			return err
		}
	}
	s.add("live_1000_s", "s", took, "1,000 sandboxes alive in one process, each having printed")
	if len(weight) > 0 {
		s.add("live_1000_mib", "MiB", weight, "the whole process with them alive (proportional set size)")
	}
	return nil
}
