package eval

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/belljar-dev/belljar/engine"
)

// judge runs one sample. An error means that no verdict is possible.
func (r *run) judge(ctx context.Context, t *Task, s Sample) (Verdict, error) {
	v := Verdict{TaskID: s.TaskID, Index: s.Index}
	spec := engine.Spec{Image: r.opts.Image, Limits: r.opts.limits(t)}
	if !r.opts.HostClock {
		spec.Replay = &engine.Replay{Seed: r.opts.Seed}
	}
	sb, err := r.engine.Create(ctx, spec)
	if err != nil {
		return v, fmt.Errorf("task %s: %w", t.ID, err)
	}
	defer sb.Close()
	if err := place(sb, t.Files); err != nil {
		return v, fmt.Errorf("task %s: %w", t.ID, err)
	}
	end := r.endOf(t, s)
	cmd, err := t.command(sb, s.Completion, end)
	if err != nil {
		return v, fmt.Errorf("task %s: %w", t.ID, err)
	}
	start := time.Now()
	res, err := sb.Run(ctx, cmd)
	if cause := context.Cause(ctx); cause != nil {
		return v, cause
	}
	v.Timing.Wall = float64(time.Since(start).Microseconds()) / 1000
	v.fill(res, r.opts.KeepOutput)
	if err != nil {
		return v, v.ended(err)
	}
	v.Outcome, v.Reason = t.outcome(sb, res, end)
	return v, nil
}

// place writes files into the sandbox.
func place(sb *engine.Sandbox, files map[string]string) error {
	for _, name := range slices.Sorted(maps.Keys(files)) {
		p := guestPath(name)
		if err := sb.Files().MkdirAll(path.Dir(p), 0o755); err != nil {
			return fmt.Errorf("place %s: %w", name, err)
		}
		if err := sb.Files().WriteFile(p, []byte(files[name]), 0o644); err != nil {
			return fmt.Errorf("place %s: %w", name, err)
		}
	}
	return nil
}

// command is what judges a completion.
func (t *Task) command(sb *engine.Sandbox, completion, end string) (engine.Command, error) {
	if len(t.Command) > 0 {
		if t.Solution != "" {
			if err := place(sb, map[string]string{t.Solution: t.program(completion)}); err != nil {
				return engine.Command{}, err
			}
		}
		return engine.Command{Args: t.Command, Stdin: strings.NewReader(t.Stdin)}, nil
	}
	program := t.program(completion)
	if end != "" {
		program += fmt.Sprintf(endMarks[t.lang()], end)
	}
	cmd, err := sb.Interpreter(t.lang(), program)
	cmd.Stdin = strings.NewReader(t.Stdin)
	return cmd, err
}

// endMarks are the statements, by language, that leave a file behind where a program has come to its end: a program
// that leaves before its tests has not passed them.
var endMarks = map[string]string{
	"python": "\n__import__('io').open(%q, 'x').close()\n",
	"js":     "\n;require('node:fs').closeSync(require('node:fs').openSync(%q, 'wx'));\n",
}

// endOf is the file that marks the end of a sample's program, "" where there is none. Its name can't be known to a
// sample that was written without it.
func (r *run) endOf(t *Task, s Sample) string {
	if !t.tested() || endMarks[t.lang()] == "" {
		return ""
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "%d\x00%s\x00%d\x00%s", r.opts.Seed, s.TaskID, s.Index, s.Completion))
	return "/tmp/." + hex.EncodeToString(sum[:16])
}

func (v *Verdict) fill(res engine.Result, keep int) {
	pick(&keep, defaultKeepOutput)
	var cut1, cut2 bool
	v.ExitCode = res.ExitCode
	v.Stdout, cut1 = excerpt(res.Stdout, keep)
	v.Stderr, cut2 = excerpt(res.Stderr, keep)
	v.Truncated = res.Truncated || cut1 || cut2
	v.Ticks, v.Memory = res.Usage.Ticks, res.Usage.Memory
}

// excerpt keeps the first and the last of a text, n bytes in all.
func excerpt(s string, n int) (text string, cut bool) {
	if len(s) <= n {
		return strings.ToValidUTF8(s, "\uFFFD"), false
	}
	head, tail := s[:n/2], s[len(s)-(n-n/2):]
	return strings.ToValidUTF8(fmt.Sprintf("%s\n[%d bytes left out]\n%s", head, len(s)-n, tail), "\uFFFD"), true
}

// ended gives the verdict on a sample that did not end by itself, or the error that says that there can't be one.
func (v *Verdict) ended(err error) error {
	var limit *engine.LimitError
	var trap *engine.TrapError
	switch {
	case errors.As(err, &limit):
		v.Reason = limit.Error()
		switch limit.Limit {
		case engine.LimitWall, engine.LimitTicks:
			v.Outcome = Timeout
		case engine.LimitOutput:
			v.Outcome = Output
		case engine.LimitMemory:
			v.Outcome = Memory
		default:
			v.Outcome = Errored
		}
	case errors.As(err, &trap):
		v.Outcome, v.Reason = Crashed, trap.Error()
	case errors.Is(err, engine.ErrInternal):
		v.Outcome, v.Reason = Crashed, firstLine(err.Error())
	case errors.Is(err, engine.ErrNotExecutable):
		v.Outcome, v.Reason = Errored, err.Error()
	default:
		return fmt.Errorf("task %s, sample %d: %w", v.TaskID, v.Index, err)
	}
	return nil
}

// outcome judges a program that ended by itself.
func (t *Task) outcome(sb *engine.Sandbox, res engine.Result, end string) (Outcome, string) {
	if res.ExitCode != t.Expect.ExitCode {
		return failure(res)
	}
	if end != "" && res.ExitCode == 0 {
		if _, err := sb.Files().Lstat(end); err != nil {
			return Failed, "ended before its tests did"
		}
	}
	if want := t.Expect.Stdout; want != nil && res.Stdout != *want {
		return Failed, "standard output is not as expected: " + difference(res.Stdout, *want)
	}
	for _, name := range slices.Sorted(maps.Keys(t.Expect.Files)) {
		if reason := compareFile(sb, name, t.Expect.Files[name]); reason != "" {
			return Failed, reason
		}
	}
	return Passed, ""
}

func compareFile(sb *engine.Sandbox, name, want string) string {
	info, err := sb.Files().Stat(guestPath(name))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Sprintf("file %s is not there", name)
	case err != nil:
		return fmt.Sprintf("file %s: %v", name, err)
	case info.Size() != int64(len(want)): // before it is read: it may be as large as the sandbox's disk
		return fmt.Sprintf("file %s has %d bytes, not %d", name, info.Size(), len(want))
	}
	got, err := sb.Files().ReadFile(guestPath(name))
	if err != nil {
		return fmt.Sprintf("file %s: %v", name, err)
	}
	if string(got) != want {
		return fmt.Sprintf("file %s is not as expected: %s", name, difference(string(got), want))
	}
	return ""
}

// failure tells from what a program wrote why it ended with an exit status that was not expected.
func failure(res engine.Result) (Outcome, string) {
	reason := lastLine(res.Stderr)
	if m := nodeError.FindStringSubmatch(res.Stderr); m != nil && strings.HasPrefix(reason, "Node.js v") {
		reason = shorten(m[1] + m[2]) // what stands above the stack and the version
	}
	switch name, _, _ := strings.Cut(reason, ":"); {
	case reason == "":
		return Errored, fmt.Sprintf("exit status %d", res.ExitCode)
	case name == "AssertionError":
		return Failed, reason
	case name == "MemoryError":
		return Memory, reason
	}
	return Errored, reason
}

// nodeError is the line of an uncaught error in what node writes.
var nodeError = regexp.MustCompile(`(?m)^\[?([A-Z]\w*Error)(?: \[\w+\])?(: .*?|)\]?$`)

const reasonLength = 200

func lastLine(s string) string {
	s = strings.TrimRight(s, "\n \t")
	return shorten(s[strings.LastIndexByte(s, '\n')+1:])
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	return shorten(line)
}

func shorten(s string) string {
	if len(s) > reasonLength {
		s = s[:reasonLength] + "…"
	}
	return strings.ToValidUTF8(s, "\uFFFD")
}

// difference says where two texts part.
func difference(got, want string) string {
	line := 1
	for i := 0; ; i++ {
		if i == len(got) || i == len(want) || got[i] != want[i] {
			return fmt.Sprintf("line %d is %q, not %q", line, shorten(lineAt(got, i)), shorten(lineAt(want, i)))
		}
		if got[i] == '\n' {
			line++
		}
	}
}

// lineAt is the line that holds s[i].
func lineAt(s string, i int) string {
	start := strings.LastIndexByte(s[:i], '\n') + 1
	line, _, _ := strings.Cut(s[start:], "\n")
	return line
}
