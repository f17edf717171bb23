// Package eval judges generated programs against their tests: offline, each in a sandbox of its own, with the same
// verdicts at every run.
//
// A [Task] is a problem, a [Sample] one answer to it, a [Verdict] what came of it. [ReadTasks] and [ReadSamples] read
// the files that evaluation sets are published as, [Run] judges, [ResultWriter] keeps verdicts so that a run can go on
// where it was killed, and [Summarize], [WriteJUnit] and [WriteReport] tell what they add up to.
package eval

import (
	"errors"
	"fmt"
	"path"
	"strings"
	"time"

	"github.com/belljar-dev/belljar/engine"
)

// Task is a problem with its tests. The program that judges a sample is Prefix + completion + Suffix; it passes if it
// runs to its end, and if the outcome is what Expect says.
type Task struct {
	ID     string
	Lang   string // as engine.Sandbox.Eval knows it; "" is "python"
	Prefix string // of the program, before the completion
	Suffix string // after it: the tests
	// Canonical is the completion known to be right, judged where no samples are given; "" where there is none.
	Canonical string

	// Files are there before the program starts: path → content. A relative path is below the user's home folder.
	Files map[string]string
	// Command, if not empty, is run in place of the program. Solution then names the file that the program is written
	// to; without it the task can't be given samples.
	Command  []string
	Solution string
	Stdin    string
	Expect   Expect
	Limits   engine.Limits // zero fields: those of Options
}

// Expect is what a task's program has to do beyond running to its end. The zero value asks for nothing more.
type Expect struct {
	Stdout   *string           // the whole standard output
	ExitCode int               // the exit status
	Files    map[string]string // path → content, afterwards
}

// Sample is one answer to a task.
type Sample struct {
	TaskID     string
	Index      int // which of the task's samples it is, from 0
	Completion string
}

// Outcome is a verdict in a word.
type Outcome string

// The outcomes.
const (
	Passed  Outcome = "passed"
	Failed  Outcome = "failed"  // ran, and was wrong: an assertion, the output, a file, an early exit
	Errored Outcome = "error"   // an exception other than an assertion's, a syntax error, a non-zero exit status
	Timeout Outcome = "timeout" // the limit of ticks or of real time
	Memory  Outcome = "memory"  // the limit of memory, or MemoryError for want of it
	Output  Outcome = "output"  // the limit of output
	Crashed Outcome = "crashed" // a trap, or a fault of the engine
)

// Outcomes lists all outcomes in the order in which reports have them.
func Outcomes() []Outcome {
	return []Outcome{Passed, Failed, Errored, Timeout, Memory, Output, Crashed}
}

// Verdict is what came of a sample. All but Timing is a function of the task, the sample and the Options, unless
// Options.HostClock is set or the real-time limit struck (Timing.Wall is then the cause).
type Verdict struct {
	TaskID    string  `json:"task_id"`
	Index     int     `json:"sample"`
	Outcome   Outcome `json:"verdict"`
	Reason    string  `json:"reason,omitempty"` // one line; "" if passed
	ExitCode  int     `json:"exit_code"`
	Stdout    string  `json:"stdout"` // at most Options.KeepOutput bytes, the first and the last of them
	Stderr    string  `json:"stderr"`
	Truncated bool    `json:"truncated,omitempty"` // output was cut, by the limit or by KeepOutput
	Ticks     int64   `json:"ticks"`
	Memory    int64   `json:"memory_bytes"`
	Timing    Timing  `json:"timing"`
}

// Timing is what differs from run to run.
type Timing struct {
	Wall float64 `json:"wall_ms"`
}

const home = "/home/user"

func (t *Task) lang() string {
	if t.Lang == "" {
		return "python"
	}
	return t.Lang
}

// program is what judges a completion.
func (t *Task) program(completion string) string { return t.Prefix + completion + t.Suffix }

// tested reports whether the program itself says, by coming to its end, that the sample is right.
func (t *Task) tested() bool { return t.Suffix != "" && len(t.Command) == 0 }

func (t *Task) check() error {
	switch {
	case t.ID == "":
		return errors.New("task without an id")
	case len(t.Command) == 0 && t.Prefix == "" && t.Suffix == "" && t.Canonical == "":
		return fmt.Errorf("task %s has neither code nor a command", t.ID)
	case t.Solution != "" && len(t.Command) == 0:
		return fmt.Errorf("task %s names a solution file but no command that runs it", t.ID)
	}
	for _, files := range []map[string]string{t.Files, t.Expect.Files} {
		for name := range files {
			if name == "" || strings.ContainsRune(name, 0) {
				return fmt.Errorf("task %s: file name %q", t.ID, name)
			}
		}
	}
	return nil
}

// guestPath is where a task's file lies in the sandbox.
func guestPath(name string) string {
	if path.IsAbs(name) {
		return path.Clean(name)
	}
	return path.Join(home, name)
}

// Options say how to judge. The zero value is deterministic, with as many workers as there are processors.
type Options struct {
	Image   string // engine.Spec.Image
	Workers int    // sandboxes at one time; 0: one for each processor
	Seed    uint64 // of all randomness that programs see
	// Timeout bounds each sample: as time on the sandbox's own clock, which advances with the work it does, and
	// as a last resort, in real time: fourfold, or Limits.Wall where both are given. 0: Limits.Wall, or 10 s.
	Timeout time.Duration
	Limits  engine.Limits // zero fields: 512 MiB of memory, 1 MiB of output, the engine's defaults
	// KeepOutput bounds the bytes of each stream that a Verdict keeps; 0: 16 KiB.
	KeepOutput int
	HostClock  bool // programs see the host's clock and true randomness; Timeout is real time
	// Skip, if not nil, leaves out the samples that it reports true for.
	Skip func(taskID string, index int) bool
}

const (
	defaultTimeout    = 10 * time.Second
	wallPerTimeout    = 4
	defaultKeepOutput = 16 << 10
	defaultMaxOutput  = 1 << 20
)

// limits are those of a task under the options.
func (o *Options) limits(t *Task) engine.Limits {
	l := t.Limits
	pick(&l.Memory, o.Limits.Memory)
	pick(&l.Output, o.Limits.Output, defaultMaxOutput)
	pick(&l.Disk, o.Limits.Disk)
	pick(&l.Files, o.Limits.Files)
	pick(&l.Processes, o.Limits.Processes)
	pick(&l.OpenFiles, o.Limits.OpenFiles)
	timeout := l.Wall
	pick(&timeout, o.Timeout, o.Limits.Wall, defaultTimeout)
	if o.HostClock {
		l.Wall = timeout
		pick(&l.Ticks, o.Limits.Ticks)
		return l
	}
	if l.Wall = wallPerTimeout * timeout; t.Limits.Wall == 0 && o.Timeout != 0 && o.Limits.Wall != 0 {
		l.Wall = o.Limits.Wall
	}
	pick(&l.Ticks, o.Limits.Ticks, engine.ReplayTicks(timeout))
	return l
}

// pick gives v the first of the choices that is not zero, unless it has a value.
func pick[T comparable](v *T, choices ...T) {
	var zero T
	for _, c := range choices {
		if *v != zero {
			return
		}
		*v = c
	}
}
