package eval

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/belljar-dev/belljar/engine"
	"github.com/belljar-dev/belljar/runtimes/python"
)

func newEngine(t *testing.T) *engine.Engine {
	t.Helper()
	e, err := engine.New(engine.Config{Images: []engine.Image{python.Image()}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Close() })
	return e
}

// judgeAll answers the verdicts without their timings.
func judgeAll(t *testing.T, e *engine.Engine, tasks []Task, samples []Sample, opts Options) []Verdict {
	t.Helper()
	var out []Verdict
	for v, err := range Run(t.Context(), e, tasks, samples, opts) {
		if err != nil {
			t.Fatal(err)
		}
		v.Timing = Timing{}
		out = append(out, v)
	}
	return out
}

var adding = Task{ID: "add", Prefix: "def add(a, b):\n", Suffix: "\nassert add(1, 2) == 3\n"}

// candidates are answers to the task of adding, with the verdicts they deserve.
var candidates = []struct {
	completion string
	want       Outcome
	reason     string // part of it
}{
	{"    return a + b", Passed, ""},
	{"    return a - b", Failed, "AssertionError"},
	{"    return c", Errored, "NameError"},
	{"    return (", Errored, "SyntaxError"},
	{"    return '''", Errored, "SyntaxError"},
	{"    while True: pass", Timeout, "ticks limit"},
	{"    return [0] * (1 << 28)", Memory, "MemoryError"},
	{"    x = []\n    while True: x.append(bytes(1 << 20))", Memory, "MemoryError"},
	{"    while True: print('flood' * 1000)", Output, "output limit"},
	{"    import sys; sys.exit(0)", Failed, "before its tests"},
	{"    import os; os._exit(0)", Failed, "before its tests"},
	{"    import sys; sys.exit(3)", Errored, "exit status 3"},
	{"    return add(a, b)", Errored, "RecursionError"},
	{"    import time; time.sleep(5); return a + b", Passed, ""}, // the sandbox's clock does not wait
}

// Verdicts don't depend on how busy the machine is: half a second's work may take a minute.
var tight = Options{Timeout: 500 * time.Millisecond, Limits: engine.Limits{Wall: time.Minute, Memory: 128 << 20, Output: 64 << 10}}

func TestOutcomes(t *testing.T) {
	var samples []Sample
	for i, c := range candidates {
		samples = append(samples, Sample{"add", i, c.completion})
	}
	for i, v := range judgeAll(t, newEngine(t), []Task{adding}, samples, tight) {
		c := candidates[i]
		if v.TaskID != "add" || v.Index != i || v.Outcome != c.want || !strings.Contains(v.Reason, c.reason) {
			t.Errorf("%q: %s (%s), want %s (%s)\n%s", c.completion, v.Outcome, v.Reason, c.want, c.reason, v.Stderr)
		}
	}
}

func TestExpectations(t *testing.T) {
	e := newEngine(t)
	text := func(s string) *string { return &s }
	files := map[string]string{"in.txt": "4", "/srv/deep/x": "y"}
	for _, c := range []struct {
		task   Task
		want   Outcome
		reason string
	}{
		{Task{Canonical: "print(input())", Stdin: "hello\n", Expect: Expect{Stdout: text("hello\n")}}, Passed, ""},
		{Task{Canonical: "print('a\\nb')", Expect: Expect{Stdout: text("a\nc\n")}}, Failed, `line 2 is "b", not "c"`},
		{Task{Canonical: "print('a')", Expect: Expect{Stdout: text("a")}}, Failed, "line 1"},
		{Task{Canonical: "import sys; sys.exit(4)", Expect: Expect{ExitCode: 4}}, Passed, ""},
		{Task{Canonical: "pass", Expect: Expect{ExitCode: 4}}, Errored, "exit status 0"},
		{Task{Canonical: "n = int(open('in.txt').read()); open('out.txt', 'w').write(str(n * n))", Files: files,
			Expect: Expect{Files: map[string]string{"out.txt": "16", "/srv/deep/x": "y"}}}, Passed, ""},
		{Task{Canonical: "pass", Expect: Expect{Files: map[string]string{"out.txt": "16"}}}, Failed, "file out.txt is not there"},
		{Task{Canonical: "open('out.txt', 'w').truncate(1 << 30)", Expect: Expect{Files: map[string]string{"out.txt": "16"}}}, Failed, "bytes, not 2"},
		{Task{Canonical: "open('out.txt', 'w').write('17')", Expect: Expect{Files: map[string]string{"out.txt": "16"}}}, Failed, "not as expected"},
		{Task{Command: []string{"python3", "in.py", "7"}, Files: map[string]string{"in.py": "import sys; print(sys.argv[1])"},
			Expect: Expect{Stdout: text("7\n")}}, Passed, ""},
		{Task{Command: []string{"python3", "s.py"}, Solution: "s.py", Canonical: "print(1)", Expect: Expect{Stdout: text("1\n")}}, Passed, ""},
	} {
		c.task.ID = "t"
		v := judgeAll(t, e, []Task{c.task}, nil, tight)
		if len(v) != 1 || v[0].Outcome != c.want || !strings.Contains(v[0].Reason, c.reason) {
			t.Errorf("%+v:\n%+v, want %s (%s)", c.task, v, c.want, c.reason)
		}
	}
}

// A set in which a third of the candidates loop, eat memory, flood or crash gets the right verdict for every one, in
// order, and the same ones from any number of workers.
func TestHostileSetIsJudgedAlikeAtEveryRun(t *testing.T) {
	e, random := newEngine(t), rand.New(rand.NewPCG(1, 2))
	var tasks []Task
	var samples []Sample
	var want []Outcome
	for i := range 6 {
		task := adding
		task.ID = fmt.Sprintf("add/%d", i)
		tasks = append(tasks, task)
		for j := range 4 {
			c := candidates[0]
			if random.IntN(3) == 0 {
				c = candidates[1+random.IntN(len(candidates)-1)]
			}
			samples = append(samples, Sample{task.ID, j, c.completion})
			want = append(want, c.want)
		}
	}
	opts := tight
	opts.Workers = 1
	one := judgeAll(t, e, tasks, samples, opts)
	opts.Workers = 3
	three := judgeAll(t, e, tasks, samples, opts)
	if len(one) != len(want) {
		t.Fatalf("%d verdicts of %d", len(one), len(want))
	}
	for i, v := range one {
		if v.Outcome != want[i] {
			t.Errorf("%q: %s (%s), want %s", samples[i].Completion, v.Outcome, v.Reason, want[i])
		}
		if !reflect.DeepEqual(v, three[i]) {
			t.Errorf("%q, twice:\n%+v\n%+v", samples[i].Completion, v, three[i])
		}
	}
}

func TestRandomnessFollowsTheSeed(t *testing.T) {
	task := Task{ID: "r", Canonical: "import random, os, time, uuid; print(random.random(), os.urandom(4), time.time(), uuid.uuid4())"}
	e := newEngine(t)
	a := judgeAll(t, e, []Task{task}, nil, Options{Seed: 1})
	b := judgeAll(t, e, []Task{task}, nil, Options{Seed: 1})
	c := judgeAll(t, e, []Task{task}, nil, Options{Seed: 2})
	if !reflect.DeepEqual(a, b) || a[0].Stdout == c[0].Stdout {
		t.Errorf("seed 1: %q, %q; seed 2: %q", a[0].Stdout, b[0].Stdout, c[0].Stdout)
	}
}

func TestSkipLeavesOut(t *testing.T) {
	samples := []Sample{{"add", 0, "    return 1"}, {"add", 1, "    return a + b"}, {"add", 2, "    return 3"}}
	v := judgeAll(t, newEngine(t), []Task{adding}, samples, Options{Skip: func(id string, i int) bool { return i != 1 }})
	if len(v) != 1 || v[0].Index != 1 || v[0].Outcome != Passed {
		t.Errorf("%+v", v)
	}
}

func TestRunEndsEarly(t *testing.T) {
	e := newEngine(t)
	forever := []Sample{{"add", 0, "    return a + b"}, {"add", 1, "    while True: pass"}, {"add", 2, "    while True: pass"}}
	for v, err := range Run(t.Context(), e, []Task{adding}, forever, Options{Timeout: time.Hour}) {
		if err != nil || v.Outcome != Passed {
			t.Fatalf("%+v, %v", v, err)
		}
		break // returns only once the loops have ended
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	stop := errors.New("enough")
	var last error
	for v, err := range Run(ctx, e, []Task{adding}, forever, Options{Timeout: time.Hour}) {
		if last = err; err == nil && v.Index == 0 {
			cancel(stop)
		}
	}
	if !errors.Is(last, stop) {
		t.Errorf("cancelled: %v", last)
	}
}

func TestRunRefuses(t *testing.T) {
	e := newEngine(t)
	command := Task{ID: "c", Command: []string{"python3", "x"}}
	for _, c := range []struct {
		tasks   []Task
		samples []Sample
		opts    Options
		want    string
	}{
		{[]Task{adding}, []Sample{{"sub", 0, ""}}, Options{}, "no such task"},
		{[]Task{{}}, nil, Options{}, "without an id"},
		{[]Task{command}, []Sample{{"c", 0, "x"}}, Options{}, "no solution file"},
		{[]Task{{ID: "x", Lang: "cobol", Canonical: "x"}}, nil, Options{}, "unknown language"},
		{[]Task{adding}, []Sample{{"add", 0, ""}}, Options{Image: "none"}, "unknown image"},
	} {
		var last error
		for _, err := range Run(t.Context(), e, c.tasks, c.samples, c.opts) {
			last = err
		}
		if last == nil || !strings.Contains(last.Error(), c.want) {
			t.Errorf("%v, want %q", last, c.want)
		}
	}
}
