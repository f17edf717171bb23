package python_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/belljar-dev/belljar/engine"
)

func fork(t *testing.T, sb *engine.Sandbox) *engine.Sandbox {
	t.Helper()
	child, err := sb.Fork(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := child.Close(); err != nil {
			t.Error(err)
		}
	})
	return child
}

// Children go on where the parent was: in memory, in files, in open files, and in what the sandbox has used; and neither
// notices what becomes of the others.
func TestFork(t *testing.T) {
	sb := sandbox(t, engine.Spec{Env: []string{"COLOR=blue"}})
	s := session(t, sb)
	cell(t, s, `
import os, asyncio
os.environ['SET'] = 'by the session'
counter = [1, 2]
f = open('log.txt', 'w+'); f.write('parent\n'); f.flush()
gone = open('gone.txt', 'w+'); gone.write('nameless'); gone.flush(); os.remove('gone.txt')
big = bytearray(30_000_000); big[12_345_678] = 7
def g():
    return 1/0
`)
	var children []*engine.Sandbox
	for range 3 {
		children = append(children, fork(t, sb))
	}
	children = append(children, fork(t, fork(t, sb))) // before its first cell
	for i, c := range children {
		res := cell(t, session(t, c), fmt.Sprintf(`
counter.append(%d); f.write('child %d\n'); f.flush(); f.seek(0); gone.seek(0); big[0] = %d
print(counter, f.read().split(), gone.read(), big[12_345_678], os.environ['SET'], os.environ['COLOR'])
g()`, i, i, i))
		if want := fmt.Sprintf("[1, 2, %d] ['parent', 'child', '%d'] nameless 7 by the session blue\n", i, i); res.Stdout != want {
			t.Errorf("child %d: %q %v", i, res.Stdout, res.Exception)
		}
		if e := res.Exception; e == nil || !strings.Contains(strings.Join(e.Traceback, "\n"), `File "<cell 1>", line 9, in g`) {
			t.Errorf("child %d's error: %v", i, e)
		}
		if used := c.Usage(); used.Ticks <= sb.Usage().Ticks {
			t.Errorf("child %d has used %d ticks, its parent %d", i, used.Ticks, sb.Usage().Ticks)
		}
	}
	for i, c := range children {
		if res := cell(t, session(t, c), "counter[-1], big[0]"); res.Value != fmt.Sprintf("(%d, %d)", i, i) {
			t.Errorf("child %d: %s", i, res.Value)
		}
	}
	res := cell(t, s, "f.seek(0); gone.seek(0)\ncounter, f.read(), gone.read(), big[0], os.listdir('.')")
	if res.Value != `([1, 2], 'parent\n', 'nameless', 0, ['log.txt'])` {
		t.Errorf("the parent: %s", res.Value)
	}
}

// Forks of one session share no randomness, temp names or identifiers, unless Replay asks for it.
func TestForksAreNoTwins(t *testing.T) {
	const prepare = "import random, uuid, tempfile, os, secrets; [random.random(), uuid.uuid1(), uuid.uuid4(), tempfile.mktemp(), random.gauss(0, 1)]"
	const draw = "print(random.random(), random.gauss(0, 1), uuid.uuid4(), uuid.uuid1(), tempfile.mktemp(), os.urandom(4).hex(), secrets.token_hex(4))"
	seen := map[string]int{}
	sb := sandbox(t, engine.Spec{})
	cell(t, session(t, sb), prepare)
	for i, each := range []*engine.Sandbox{fork(t, sb), fork(t, sb), sb, fork(t, fork(t, sb))} {
		for field := range strings.FieldsSeq(cell(t, session(t, each), draw).Stdout) {
			if j, ok := seen[field]; ok {
				t.Errorf("sandboxes %d and %d both have %s", i, j, field)
			}
			seen[field] = i
		}
	}
	if len(seen) != 4*7 {
		t.Errorf("%d values, want 28", len(seen))
	}
	var first string
	for range 2 {
		sb := sandbox(t, engine.Spec{Replay: &engine.Replay{Seed: 9}})
		cell(t, session(t, sb), prepare)
		a, b := fork(t, sb), fork(t, sb)
		for _, each := range []*engine.Sandbox{a, b, sb} {
			out := cell(t, session(t, each), draw+"; import time; print(time.time())").Stdout
			if first == "" {
				first = out
			}
			if out != first || out == "" {
				t.Errorf("under Replay: %q and %q", out, first)
			}
		}
	}
}

// A sandbox whose session runs a cell can't be forked; one whose session has died can.
func TestForkBusy(t *testing.T) {
	sb := sandbox(t, engine.Spec{})
	s := session(t, sb)
	var err error
	if _, cerr := s.Eval(t.Context(), engine.Cell{Code: "print(1)", Stdout: writerFunc(func(b []byte) (int, error) {
		_, err = sb.Fork(t.Context())
		return len(b), nil
	})}); cerr != nil || !errors.Is(err, engine.ErrBusy) {
		t.Errorf("beside a cell: %v, %v", err, cerr)
	}
	cell(t, s, "import os; os._exit(1)")
	if got := fork(t, sb).Sessions(); len(got) != 0 {
		t.Errorf("a dead session was forked")
	}
	if err := sb.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := sb.Fork(t.Context()); !errors.Is(err, engine.ErrClosed) {
		t.Errorf("of a closed sandbox: %v", err)
	}
}

// A hundred children live beside each other, made and used by many goroutines at once.
func TestHundredForks(t *testing.T) {
	sb := sandbox(t, engine.Spec{})
	cell(t, session(t, sb), "data = list(range(100_000)); n = 0")
	var children [100]*engine.Sandbox
	for i := range children {
		children[i] = fork(t, sb)
	}
	var workers sync.WaitGroup
	for i, c := range children {
		workers.Go(func() { // ends with its cells
			s := session(t, c)
			cell(t, s, fmt.Sprintf("n = %d; data[n] = -1; open('n', 'w').write(str(n))", i))
			if res := cell(t, s, "n, data.index(-1), len(data), open('n').read()"); res.Value != fmt.Sprintf("(%d, %d, 100000, '%d')", i, i, i) {
				t.Errorf("child %d: %s", i, res.Value)
			}
		})
	}
	workers.Wait()
	if res := cell(t, session(t, sb), "n, -1 in data"); res.Value != "(0, False)" {
		t.Errorf("the parent: %s", res.Value)
	}
}

// What fails for want of memory leaves the session as it was.
func TestForkBeyondMemory(t *testing.T) {
	sb := sandbox(t, engine.Spec{Limits: engine.Limits{Memory: 150 << 20}})
	cell(t, session(t, sb), "x = bytearray(60_000_000)")
	child := fork(t, sb)
	second, err := child.Session(t.Context(), "second", "python")
	if err != nil {
		t.Fatal(err)
	}
	cell(t, second, "y = bytearray(60_000_000)")
	var limit *engine.LimitError
	if _, err := session(t, child).Eval(t.Context(), engine.Cell{Code: "len(x)"}); !errors.As(err, &limit) || limit.Limit != engine.LimitMemory {
		t.Errorf("two large sessions: %v", err)
	}
	if err := second.Close(); err != nil {
		t.Error(err)
	}
	if res := cell(t, session(t, child), "len(x)"); res.Value != "60000000" {
		t.Errorf("once there is room: %s", res.Value)
	}
}
