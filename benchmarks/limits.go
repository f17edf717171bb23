package benchmarks

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"time"

	"github.com/belljar-dev/belljar/engine"
)

// computing are guests that never rest, each in another part of the interpreter.
var computing = []struct{ name, code string }{
	{"loop", "while True: pass"},
	{"regex", "import re\nre.match(r'(a+)+$', 'a'*60 + 'b')"},
	{"bigint", "x = 3\nwhile True: x = pow(7, 10**6 + x % 7)"},
	{"sum", "sum(iter(int, 1))"},
	{"json", "import json\ns = '[' + '1,'*25_000_000 + '1]'\nwhile True: json.loads(s)"},
}

// waiting are guests that rest for ever, and one that calls without looping.
var waiting = []struct{ name, code string }{
	{"sleep", "import time; time.sleep(100)"},
	{"input", "input()"},
	{"chain", chain(60)},
}

// chain is a program that doubles its calls at every one of depth levels, and has no loop.
func chain(depth int) string {
	var b strings.Builder
	b.WriteString("def f0(): pass\n")
	for i := 1; i <= depth; i++ {
		fmt.Fprintf(&b, "def f%d(): f%d(); f%d()\n", i, i-1, i-1)
	}
	fmt.Fprintf(&b, "f%d()\n", depth)
	return b.String()
}

// collector measures runtime.GC beside each computing guest. The figure is the worst guest's.
func (s *suite) collector(ctx context.Context) error {
	var worst []float64
	var notes []string
	for _, c := range computing {
		values, err := s.collections(ctx, c.code)
		if err != nil {
			return fmt.Errorf("%s: %w", c.name, err)
		}
		notes = append(notes, fmt.Sprintf("%s %.1f", c.name, medianOf(values)))
		if worst == nil || medianOf(values) > medianOf(worst) {
			worst = values
		}
	}
	s.add("gc_beside_guest_ms", "ms", worst, "runtime.GC() beside a computing guest, the worst; medians: %s", strings.Join(notes, ", "))
	return nil
}

func (s *suite) collections(ctx context.Context, code string) ([]float64, error) {
	sb, err := s.engine.Create(ctx, engine.Spec{Limits: engine.Limits{Memory: 2 << 30}})
	if err != nil {
		return nil, err
	}
	defer sb.Close()
	p, err := sb.Start(ctx, engine.Command{Args: []string{"python3", "-c", code}})
	if err != nil {
		return nil, err
	}
	time.Sleep(300 * time.Millisecond) // the guest is to be in the midst of it
	var values []float64
	for range s.runs(80) {
		start := time.Now()
		runtime.GC()
		values = append(values, milliseconds(time.Since(start)))
	}
	select {
	case <-p.Done():
		res, err := p.Wait()
		return nil, fmt.Errorf("the guest ended: %d, %q, %w", res.ExitCode, res.Stderr, err)
	default:
		return values, nil
	}
}

// wallLimit measures by how much a limit of 200 ms is overrun. The figure is the worst guest's.
func (s *suite) wallLimit(ctx context.Context) error {
	const limit = 200 * time.Millisecond
	var worst []float64
	var notes []string
	for _, c := range append(append(computing[:0:0], computing...), waiting...) {
		var values []float64
		for range s.runs(32) / 2 {
			took, err := s.stopped(ctx, c.code, limit)
			if err != nil {
				return fmt.Errorf("%s: %w", c.name, err)
			}
			values = append(values, milliseconds(took-limit))
		}
		notes = append(notes, fmt.Sprintf("%s %.1f", c.name, medianOf(values)))
		if worst == nil || medianOf(values) > medianOf(worst) {
			worst = values
		}
	}
	s.add("wall_limit_overshoot_ms", "ms", worst, "beyond a wall limit of 200 ms, the worst; medians: %s", strings.Join(notes, ", "))
	return nil
}

func (s *suite) stopped(ctx context.Context, code string, wall time.Duration) (time.Duration, error) {
	sb, err := s.engine.Create(ctx, engine.Spec{Limits: engine.Limits{Wall: wall, Memory: 2 << 30}})
	if err != nil {
		return 0, err
	}
	defer sb.Close()
	stdin, w := io.Pipe()
	defer w.Close()
	start := time.Now()
	_, err = sb.Run(ctx, engine.Command{Args: []string{"python3", "-c", code}, Stdin: stdin})
	took := time.Since(start)
	var reached *engine.LimitError
	if !errors.As(err, &reached) || reached.Limit != engine.LimitWall {
		return 0, fmt.Errorf("not stopped by its limit: %w", err)
	}
	return took, nil
}
