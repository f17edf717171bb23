package benchmarks

import (
	"bytes"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"

	"github.com/belljar-dev/belljar/engine"
	"github.com/belljar-dev/belljar/runtimes/js"
)

// nativeNode is the interpreter that ours is compared with.
const nativeNode = "/usr/bin/node"

// HumanEval-X's problems in JavaScript with their canonical solutions, as https://github.com/zai-org/CodeGeeX publishes
// them (Apache 2.0).
//
//go:embed data/HumanEvalX-JS.jsonl.gz
var humanEvalXData []byte

// humanEvalXWrong are the tasks whose canonical solutions do not pass their own tests under Node either: two contradict
// them, and one wants a package that the set does not bring.
var humanEvalXWrong = []string{"JavaScript/112", "JavaScript/155", "JavaScript/162"}

// javascript measures node of the image, by turns with the machine's own.
func (s *suite) javascript(ctx context.Context) error {
	eng, err := engine.New(engine.Config{Images: []engine.Image{js.Image()}, CacheDir: s.CacheDir})
	if err != nil {
		return err
	}
	defer eng.Close()
	if err := eng.Warm(ctx, "js", nil, "node"); err != nil {
		return err
	}
	b := &jsBench{suite: s, engine: eng}
	_, err = os.Stat(nativeNode)
	b.native = err == nil
	for _, part := range []func(context.Context) error{b.fresh, b.idle, b.humanEvalX} {
		if err := part(ctx); err != nil {
			return err
		}
	}
	return nil
}

type jsBench struct {
	*suite
	engine *engine.Engine
	native bool // whether the machine has a node
}

// fresh measures a sandbox from nothing to an answer and back to nothing, in blocks that alternate with native processes.
func (b *jsBench) fresh(ctx context.Context) error {
	const code, want = "console.log(1+1)", "2\n"
	ours := func() error {
		out, err := b.run(ctx, code)
		if err == nil && out != want {
			err = fmt.Errorf("%s printed %q", code, out)
		}
		return err
	}
	var native func() error
	if b.native {
		native = func() error {
			out, err := exec.CommandContext(ctx, nativeNode, "-e", code).Output()
			if err != nil || string(out) != want {
				return fmt.Errorf("native node: %q, %w", out, err)
			}
			return nil
		}
	}
	mine, theirs, err := blocks(b.runs(24), 20, ours, 2, native)
	if err != nil {
		return err
	}
	b.add("js_fresh_ms", "ms", mine, "Create, Eval console.log(1+1), Close; engine warm, Node's library loaded")
	if b.native {
		b.add("js_native_ms", "ms", theirs, "%s -e 'console.log(1+1)' as a process, in blocks alternating with ours", nativeNode)
		b.add("js_native_ratio", "×", []float64{medianOf(theirs) / medianOf(mine)}, "native ÷ ours, of the medians")
	}
	return nil
}

// run answers what code prints in a sandbox of its own. Anything on standard error is an error, for that is how
// console.assert speaks.
func (b *jsBench) run(ctx context.Context, code string) (string, error) {
	sb, err := b.engine.Create(ctx, engine.Spec{})
	if err != nil {
		return "", err
	}
	defer sb.Close()
	res, err := sb.Eval(ctx, "js", code)
	if err == nil && (res.ExitCode != 0 || res.Stderr != "") {
		err = fmt.Errorf("exit code %d: %s", res.ExitCode, res.Stderr)
	}
	return res.Stdout, err
}

func (b *jsBench) idle(ctx context.Context) error {
	if _, err := smaps(); err != nil {
		return nil // only Linux tells
	}
	const n = 100
	values, err := b.idleMemory(ctx, guest{b.engine, []string{"node", "-e", "console.log(1+1); process.stdin.resume()"}}, n)
	if err != nil {
		return err
	}
	b.add("js_idle_kib", "KiB", values, "private memory of a Node that has printed 1+1 and waits for input, of %d alive", n)
	return nil
}

// humanEvalXTasks are those whose canonical solutions are right.
func humanEvalXTasks() ([]humanEvalTask, error) {
	all, err := readHumanEval(humanEvalXData)
	return slices.DeleteFunc(all, func(t humanEvalTask) bool { return slices.Contains(humanEvalXWrong, t.ID) }), err
}

// humanEvalX measures how many canonical solutions are judged a second, each in a fresh sandbox, as humanEval does.
func (b *jsBench) humanEvalX(ctx context.Context) error {
	tasks, err := humanEvalXTasks()
	if err != nil {
		return fmt.Errorf("read tasks: %w", err)
	}
	var ours, native, ratios []float64
	for range max(b.runs(24)/3, 1) {
		rate, err := judgeAll(tasks, func(t humanEvalTask) error {
			_, err := b.run(ctx, t.script())
			return err
		})
		if err != nil {
			return err
		}
		ours = append(ours, rate)
		if !b.native {
			continue
		}
		some := tasks
		if b.Quick {
			some = tasks[:len(tasks)/10] // of processes that take so long
		}
		if rate, err = judgeAll(some, func(t humanEvalTask) error { return judgeNode(ctx, t) }); err != nil {
			return err
		}
		native = append(native, rate)
		ratios = append(ratios, ours[len(ours)-1]/rate)
	}
	b.add("humanevalx_per_s", "1/s", ours, "%d of %d canonical solutions in JavaScript passed, a fresh sandbox each, 2 workers; the other %d fail under Node too", len(tasks), len(tasks)+len(humanEvalXWrong), len(humanEvalXWrong))
	if b.native {
		b.add("humanevalx_native_per_s", "1/s", native, "the same by %s processes, alternating", nativeNode)
		b.add("humanevalx_native_ratio", "×", ratios, "ours ÷ %s, round by round", nativeNode)
	}
	return nil
}

// script is the canonical solution with its test, which calls itself.
func (t humanEvalTask) script() string { return t.Prompt + t.Solution + "\n" + t.Test }

func judgeNode(ctx context.Context, t humanEvalTask) error {
	var stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, nativeNode, "-e", t.script())
	cmd.Stderr = &stderr
	err := cmd.Run()
	if err == nil && stderr.Len() > 0 {
		err = errors.New("an assertion failed")
	}
	return err
}
