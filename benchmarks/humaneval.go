package benchmarks

import (
	"bytes"
	"compress/gzip"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
	"sync/atomic"
	"time"

	"github.com/belljar-dev/belljar/engine"
)

// HumanEval's problems with their canonical solutions, as https://github.com/openai/human-eval publishes them (MIT).
//
//go:embed data/HumanEval.jsonl.gz
var humanEvalData []byte

type humanEvalTask struct {
	ID       string `json:"task_id"`
	Prompt   string `json:"prompt"`
	Entry    string `json:"entry_point"`
	Solution string `json:"canonical_solution"`
	Test     string `json:"test"`
}

// program is the canonical solution with its test.
func (t humanEvalTask) program() string {
	return t.Prompt + t.Solution + "\n" + t.Test + "\ncheck(" + t.Entry + ")\n"
}

func humanEvalTasks() ([]humanEvalTask, error) { return readHumanEval(humanEvalData) }

// readHumanEval reads tasks in HumanEval's form, of any language.
func readHumanEval(data []byte) ([]humanEvalTask, error) {
	z, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	var tasks []humanEvalTask
	for d := json.NewDecoder(z); ; {
		var t humanEvalTask
		if err := d.Decode(&t); errors.Is(err, io.EOF) {
			return tasks, nil
		} else if err != nil {
			return nil, err
		}
		tasks = append(tasks, t)
	}
}

// humanEval measures how many canonical solutions are judged a second by two workers, each in a fresh sandbox,
// against native processes, by turns.
func (s *suite) humanEval(ctx context.Context) error {
	tasks, err := humanEvalTasks()
	if err != nil {
		return fmt.Errorf("read tasks: %w", err)
	}
	if _, err := os.Stat(nativePython); err != nil {
		return s.humanEvalAlone(ctx, tasks)
	}
	var ours, plain, bare, ratios []float64
	for range s.runs(24) / 2 {
		for _, c := range []struct {
			judge func(humanEvalTask) error
			to    *[]float64
		}{
			{func(t humanEvalTask) error { return s.judge(ctx, t) }, &ours},
			{func(t humanEvalTask) error { return judgeNative(ctx, t) }, &plain},
			{func(t humanEvalTask) error { return judgeNative(ctx, t, "-I", "-S") }, &bare},
		} {
			rate, err := judgeAll(tasks, c.judge)
			if err != nil {
				return err
			}
			*c.to = append(*c.to, rate)
		}
		ratios = append(ratios, ours[len(ours)-1]/plain[len(plain)-1])
	}
	n := len(tasks)
	s.add("humaneval_per_s", "1/s", ours, "%d of %d canonical solutions passed, a fresh sandbox each, 2 workers", n, n)
	s.add("humaneval_native_per_s", "1/s", plain, "the same by %s processes, alternating", nativePython)
	s.add("humaneval_native_bare_per_s", "1/s", bare, "the same by %s -I -S processes, which start faster, alternating", nativePython)
	s.add("humaneval_native_ratio", "×", ratios, "ours ÷ %s, round by round; the median to -I -S is %.2f", nativePython, medianOf(ours)/medianOf(bare))
	return nil
}

// humanEvalAlone is humanEval where there is no native interpreter.
func (s *suite) humanEvalAlone(ctx context.Context, tasks []humanEvalTask) error {
	var ours []float64
	for range s.runs(24) / 2 {
		rate, err := judgeAll(tasks, func(t humanEvalTask) error { return s.judge(ctx, t) })
		if err != nil {
			return err
		}
		ours = append(ours, rate)
	}
	s.add("humaneval_per_s", "1/s", ours, "%d of %d canonical solutions passed, a fresh sandbox each, 2 workers", len(tasks), len(tasks))
	return nil
}

func judgeNative(ctx context.Context, t humanEvalTask, options ...string) error {
	return exec.CommandContext(ctx, nativePython, append(options, "-c", t.program())...).Run()
}

func (s *suite) judge(ctx context.Context, t humanEvalTask) error {
	sb, err := s.engine.Create(ctx, engine.Spec{})
	if err != nil {
		return err
	}
	defer sb.Close()
	res, err := sb.Eval(ctx, "python", t.program())
	if err == nil && res.ExitCode != 0 {
		err = fmt.Errorf("exit code %d: %s", res.ExitCode, res.Stderr)
	}
	return err
}

// judgeAll answers how many tasks a second two workers get through. All have to pass.
func judgeAll(tasks []humanEvalTask, judge func(humanEvalTask) error) (float64, error) {
	errs := make([]error, len(tasks))
	var next atomic.Int64
	var workers sync.WaitGroup
	start := time.Now()
	for range 2 {
		workers.Go(func() { // ends when all tasks are taken
			for {
				i := int(next.Add(1)) - 1
				if i >= len(tasks) {
					return
				}
				if err := judge(tasks[i]); err != nil {
					errs[i] = fmt.Errorf("%s: %w", tasks[i].ID, err)
				}
			}
		})
	}
	workers.Wait()
	return float64(len(tasks)) / time.Since(start).Seconds(), errors.Join(errs...)
}

// HumanEval answers the canonical solutions with their tests, as programs that end well when the tests pass.
func HumanEval() ([]Program, error) {
	tasks, err := humanEvalTasks()
	return programs(tasks, err, humanEvalTask.program)
}

// HumanEvalX answers the same of HumanEval-X in JavaScript, without the tasks whose solutions fail under Node too.
func HumanEvalX() ([]Program, error) {
	tasks, err := humanEvalXTasks()
	return programs(tasks, err, humanEvalTask.script)
}

// programs answers tasks, or why there are none, as programs.
func programs(tasks []humanEvalTask, err error, code func(humanEvalTask) string) ([]Program, error) {
	if err != nil {
		return nil, fmt.Errorf("read tasks: %w", err)
	}
	var all []Program
	for _, t := range tasks {
		all = append(all, Program{t.ID, code(t)})
	}
	return all, nil
}
