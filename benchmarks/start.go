package benchmarks

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"time"

	"github.com/belljar-dev/belljar/engine"
)

// nativePython is the interpreter that ours is compared with, in its fastest start.
const nativePython = "/usr/bin/python3"

// fresh measures a sandbox from nothing to an answer and back to nothing, against a native process that does the
// same, in alternating blocks.
func (s *suite) fresh(ctx context.Context) error {
	fresh := func() error { return s.eval(ctx, engine.Spec{}, "print(1+1)", "2\n") }
	process := func() error {
		out, err := exec.CommandContext(ctx, nativePython, "-I", "-S", "-c", "print(1+1)").Output()
		if err != nil || string(out) != "2\n" {
			return fmt.Errorf("native python: %q, %w", out, err)
		}
		return nil
	}
	_, missing := os.Stat(nativePython)
	if missing != nil {
		process = nil
	}
	ours, native, err := blocks(s.runs(80), 20, fresh, 4, process)
	if err != nil {
		return err
	}
	s.add("python_fresh_ms", "ms", ours, "Create, Eval print(1+1), Close; engine warm")
	if missing == nil {
		s.add("python_native_ms", "ms", native, "%s -I -S -c 'print(1+1)' as a process, in blocks alternating with ours", nativePython)
		s.add("python_native_ratio", "×", []float64{medianOf(native) / medianOf(ours)}, "native ÷ ours, of the medians")
	}
	return nil
}

// processStart measures the command as a whole: with warm caches, and on a machine that has never run it.
func (s *suite) processStart(ctx context.Context) error {
	if s.Binary == "" {
		return nil
	}
	run := func(cache string) (time.Duration, error) {
		args := []string{"run", "-c", "print(6*7)"}
		if cache != "" {
			args = append([]string{"--state", cache}, args...)
		}
		start := time.Now()
		out, err := exec.CommandContext(ctx, s.Binary, args...).Output()
		if err != nil || string(out) != "42\n" {
			return 0, fmt.Errorf("%s: %q, %w", s.Binary, out, err)
		}
		return time.Since(start), nil
	}
	var warm, first []float64
	for range s.runs(40) {
		took, err := run(s.CacheDir)
		if err != nil {
			return err
		}
		warm = append(warm, milliseconds(took))
	}
	for range s.runs(24) / 6 {
		dir, err := os.MkdirTemp("", "belljar-bench-")
		if err != nil {
			return err
		}
		took, err := run(dir)
		if rerr := os.RemoveAll(dir); err == nil {
			err = rerr
		}
		if err != nil {
			return err
		}
		first = append(first, took.Seconds())
	}
	s.add("process_start_ms", "ms", warm, "a new process from its start to its end, print(6*7), warm cache")
	if len(first) > 0 {
		s.add("first_start_s", "s", first, "the same with an empty cache: prepares, compiles and warms")
	}
	return nil
}

// blocks runs ours and, unless it is nil, native, in blocks by turns, and answers what each run took in milliseconds:
// single runs by turns would measure what each does to the other's caches. A block of ours first is not counted.
func blocks(rounds, n int, ours func() error, m int, native func() error) (mine, theirs []float64, err error) {
	run := func(to *[]float64, n int, once func() error) {
		for i := 0; i < n && err == nil; i++ {
			start := time.Now()
			err = once()
			*to = append(*to, milliseconds(time.Since(start)))
		}
	}
	var unused []float64
	run(&unused, n, ours)
	for range rounds {
		run(&mine, n, ours)
		if native != nil {
			run(&theirs, m, native)
		}
	}
	return mine, theirs, err
}
