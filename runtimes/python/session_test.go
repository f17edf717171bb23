package python_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/belljar-dev/belljar/engine"
)

func session(t *testing.T, sb *engine.Sandbox) *engine.Session {
	t.Helper()
	s, err := sb.Session(t.Context(), "main", "python")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// cell runs code that must not fail the session.
func cell(t *testing.T, s *engine.Session, code string) engine.Result {
	t.Helper()
	res, err := s.Eval(t.Context(), engine.Cell{Code: code})
	if err != nil {
		t.Errorf("%.80q: %v", code, err)
	}
	return res
}

// Cells, one after the other in one session, and what comes of each: the value, the output, and the error's lines.
func TestCells(t *testing.T) {
	s := session(t, sandbox(t, engine.Spec{}))
	for _, c := range []struct {
		code, value, stdout string
		failure             []string // name, value, lines of the traceback
	}{
		{"", "", "", nil},
		{"x = 1", "", "", nil},
		{"x + 1", "2", "", nil},
		{"print(_)\n_ * 10", "20", "2\n", nil},
		{"None", "", "", nil},
		{"_", "20", "", nil},
		{"3;", "", "", nil},
		{"'a string'", "'a string'", "", nil},
		{"def f():\n    return 1/0\nf()", "", "", []string{
			"ZeroDivisionError", "division by zero", "Traceback (most recent call last):",
			`  File "<cell 9>", line 3, in <module>`, "    f()", "    ~^^",
			`  File "<cell 9>", line 2, in f`, "    return 1/0", "           ~^~", "ZeroDivisionError: division by zero",
		}},
		{"f.__name__", "'f'", "", nil},
		{"1 +", "", "", []string{
			"SyntaxError", "invalid syntax (<cell 11>, line 1)",
			`  File "<cell 11>", line 1`, "    1 +", "       ^", "SyntaxError: invalid syntax",
		}},
		{"x = 2\n!", "", "", []string{
			"SyntaxError", "invalid syntax (<cell 12>, line 2)", `  File "<cell 12>", line 2`, "    !", "    ^", "SyntaxError: invalid syntax",
		}},
		{"x", "1", "", nil},
		{"import asyncio\nasync def slow(v):\n    await asyncio.sleep(0.001)\n    return v", "", "", nil},
		{"await slow(5)", "5", "", nil},
		{"task = asyncio.create_task(slow(6)) if False else asyncio.get_event_loop_policy() and None\nawait asyncio.gather(slow(1), slow(2))", "[1, 2]", "", nil},
		{"async with asyncio.timeout(5): print('in')", "", "in\n", nil},
		{"async def bad(): f()\nawait bad()", "", "", []string{
			"ZeroDivisionError", "division by zero", "Traceback (most recent call last):",
			`  File "<cell 18>", line 2, in <module>`, "    await bad()",
			`  File "<cell 18>", line 1, in bad`, "    async def bad(): f()", "                     ~^^",
			`  File "<cell 9>", line 2, in f`, "    return 1/0", "           ~^~", "ZeroDivisionError: division by zero",
		}},
		{"from __future__ import annotations", "", "", nil},
		{"def g(a: undefined): pass\ng.__annotations__", "{'a': 'undefined'}", "", nil},
		{"import sys; sys.exit(3)", "", "", []string{
			"SystemExit", "3", "Traceback (most recent call last):", `  File "<cell 21>", line 1, in <module>`,
			"    import sys; sys.exit(3)", "                ~~~~~~~~^^^", "SystemExit: 3",
		}},
		{"f = open('kept.txt', 'w+'); f.write('one ')", "4", "", nil},
		{"f.write('two'); f.seek(0); f.read()", "'one two'", "", nil},
		{"__name__, sys.argv, sys.path[0]", "('__main__', [''], '')", "", nil},
		{"class Broken:\n    def __repr__(self): return 1/0\nBroken()", "", "", []string{
			"ZeroDivisionError", "division by zero", "Traceback (most recent call last):",
			`  File "<cell 25>", line 2, in __repr__`, "    def __repr__(self): return 1/0", "                               ~^~",
			"ZeroDivisionError: division by zero",
		}},
		{"class Odd(Exception):\n    def __str__(self): raise KeyError\nraise Odd", "", "", []string{
			"Odd", "<exception str() failed>", "Traceback (most recent call last):", `  File "<cell 26>", line 3, in <module>`,
			"    raise Odd", "Odd: <exception str() failed>",
		}},
		{"import pickle; pickle.loads(pickle.dumps(Odd)) is Odd", "True", "", nil},
		{"import inspect; print(inspect.getsource(slow))", "", "async def slow(v):\n    await asyncio.sleep(0.001)\n    return v\n", nil},
	} {
		res := cell(t, s, c.code)
		var failure []string
		if e := res.Exception; e != nil {
			failure = append([]string{e.Name, e.Value}, e.Traceback...)
		}
		if res.Value != c.value || res.Stdout != c.stdout || !reflect.DeepEqual(failure, c.failure) || res.Stderr != "" {
			t.Errorf("%q: value %q, output %q, error %q\n%s", c.code, res.Value, res.Stdout, res.Stderr, strings.Join(failure, "\n"))
		}
		if want := map[string]int{"": 0, "SystemExit": 3}; c.failure == nil && res.ExitCode != 0 ||
			c.failure != nil && res.ExitCode != max(1, want[c.failure[0]]) {
			t.Errorf("%q: exit code %d", c.code, res.ExitCode)
		}
	}
}

// What a cell shows, by MIME type.
func TestParts(t *testing.T) {
	s := session(t, sandbox(t, engine.Spec{}))
	cell(t, s, `
class Rich:
    def __repr__(self): return 'rich'
    def _repr_html_(self): return '<b>ü</b>'
    def _repr_svg_(self): return None
    def _repr_png_(self): return b'\x89PNG'
    def _repr_json_(self): return {'a': [1]}
    def _repr_latex_(self): return '$x$', {'meta': 1}
class Bundle:
    def _repr_mimebundle_(self, include, exclude): return {'text/plain': 'plain', 'text/x': 'y'}, {}
`)
	rich := map[string][]byte{
		"text/plain": []byte("rich"), "text/html": []byte("<b>ü</b>"), "image/png": []byte("\x89PNG"),
		"application/json": []byte(`{"a": [1]}`), "text/latex": []byte("$x$"),
	}
	for _, c := range []struct {
		code string
		want []engine.Part
	}{
		{"Rich()", []engine.Part{{Data: rich}}},
		{"display(Rich(), 7)\n'end'", []engine.Part{
			{Display: true, Data: rich}, {Display: true, Data: map[string][]byte{"text/plain": []byte("7")}},
			{Data: map[string][]byte{"text/plain": []byte("'end'")}},
		}},
		{"Bundle()", []engine.Part{{Data: map[string][]byte{"text/plain": []byte("plain"), "text/x": []byte("y")}}}},
		{"display({'text/x': 'raw'}, raw=True)", []engine.Part{{Display: true, Data: map[string][]byte{"text/x": []byte("raw")}}}},
		{"Rich", []engine.Part{{Data: map[string][]byte{"text/plain": []byte("<class '__main__.Rich'>")}}}},
	} {
		var streamed []engine.Part
		res, err := s.Eval(t.Context(), engine.Cell{Code: c.code, OnPart: func(p engine.Part) { streamed = append(streamed, p) }})
		if err != nil || !reflect.DeepEqual(res.Parts, c.want) || !reflect.DeepEqual(streamed, c.want) {
			t.Errorf("%q: %v, streamed %v, %v, %v", c.code, res.Parts, streamed, res.Exception, err)
		}
	}
}

// Output and parts are heard while the cell runs, in their order; input is taken a line at a time.
func TestStreaming(t *testing.T) {
	s := session(t, sandbox(t, engine.Spec{}))
	in, typed := io.Pipe()
	out, w := io.Pipe()
	ended := make(chan error, 1)
	go func() { // ends with the cell
		_, err := s.Eval(t.Context(), engine.Cell{
			Code: "print('name?')\nname = input()\nprint('hello', name)\ndisplay(1)\nprint('bye', input('> '))", Stdin: in, Stdout: w,
			OnPart: func(engine.Part) { io.WriteString(w, "[part]") },
		})
		ended <- errors.Join(err, w.Close())
	}()
	expect := func(want string) {
		t.Helper()
		got := make([]byte, len(want))
		if _, err := io.ReadFull(out, got); err != nil || string(got) != want {
			t.Fatalf("got %q, %v, want %q", got, err, want)
		}
	}
	expect("name?\n")
	io.WriteString(typed, "Ann\n")
	expect("hello Ann\n[part]> ")
	if err := func() error { _, err := s.Eval(t.Context(), engine.Cell{Code: "1"}); return err }(); !errors.Is(err, engine.ErrBusy) {
		t.Errorf("a second cell: %v", err)
	}
	if s.State() != engine.SessionBusy {
		t.Errorf("state %s", s.State())
	}
	io.WriteString(typed, "x\n")
	expect("bye x\n")
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	// What a cell leaves unread is not the next one's.
	res, err := s.Eval(t.Context(), engine.Cell{Code: "input()", Stdin: strings.NewReader("a\nb\n")})
	if err != nil || res.Value != "'a'" {
		t.Errorf("%q, %v", res.Value, err)
	}
	if res := cell(t, s, "input()"); res.Exception == nil || res.Exception.Name != "EOFError" {
		t.Errorf("input() without any: %q", res.Value)
	}
	var stdout bytes.Buffer
	if _, err := s.Eval(t.Context(), engine.Cell{Code: "print(1)", Stdout: &stdout}); err != nil || stdout.String() != "1\n" {
		t.Errorf("%q, %v", stdout.String(), err)
	}
}

// An interrupt ends a cell that computes or waits, and not the session. A cell may catch it.
func TestInterrupt(t *testing.T) {
	s := session(t, sandbox(t, engine.Spec{}))
	cell(t, s, "import time, asyncio; x = 5")
	s.Interrupt() // between cells: nothing
	silent, w := io.Pipe()
	defer w.Close()
	for _, c := range []struct{ code, stdout string }{
		{"print('go', flush=True)\nwhile True: pass", "go\n"},
		{"print('go', flush=True)\ntime.sleep(100)", "go\n"},
		{"print('go', flush=True)\ninput()", "go\n"},
		{"print('go', flush=True)\nawait asyncio.sleep(100)", "go\n"},
		{"print('go', flush=True)\ntry:\n    while True: pass\nexcept KeyboardInterrupt: print('caught')\nraise KeyboardInterrupt", "go\ncaught\n"},
	} {
		started := make(chan struct{}, 2)
		var out bytes.Buffer
		go func() { // ends after the cell's first output
			<-started
			s.Interrupt()
		}()
		res, err := s.Eval(t.Context(), engine.Cell{Code: c.code, Stdin: silent, Stdout: writerFunc(func(b []byte) (int, error) {
			started <- struct{}{}
			return out.Write(b)
		})})
		if err != nil || res.Exception == nil || res.Exception.Name != "KeyboardInterrupt" || res.ExitCode != 130 || out.String() != c.stdout {
			t.Fatalf("%q: %d, %q, %q, %v, %v", c.code, res.ExitCode, out.String(), res.Stderr, res.Exception, err)
		}
	}
	if res := cell(t, s, "x"); res.Value != "5" {
		t.Errorf("afterwards x is %q", res.Value)
	}
	// The end of a context interrupts too, and the session lives.
	ctx, cancel := context.WithCancel(t.Context())
	_, err := s.Eval(ctx, engine.Cell{Code: "print('go', flush=True)\nwhile True: pass", Stdout: writerFunc(func(b []byte) (int, error) {
		cancel()
		return len(b), nil
	})})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("canceled: %v", err)
	}
	if res := cell(t, s, "x"); res.Value != "5" {
		t.Errorf("after a context's end x is %q", res.Value)
	}
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(b []byte) (int, error) { return f(b) }

// What kills the interpreter makes the session dead; the sandbox, and a new session of the name, go on.
func TestSessionDeath(t *testing.T) {
	sb := sandbox(t, engine.Spec{Limits: engine.Limits{Wall: time.Second, Output: 50_000}})
	limit := func(which engine.Limit) func(error) bool {
		return func(err error) bool {
			var l *engine.LimitError
			return errors.As(err, &l) && l.Limit == which
		}
	}
	for _, c := range []struct {
		code string
		is   func(error) bool
	}{
		{"while True: pass", limit(engine.LimitWall)},
		{"while True:\n    try:\n        while True: pass\n    except BaseException: pass", limit(engine.LimitWall)},
		{"while True: print('x' * 1000)", limit(engine.LimitOutput)},
		{"'x' * 100_000", limit(engine.LimitOutput)},
		{"import os; os._exit(7)", func(err error) bool { return err == nil }},
	} {
		s := session(t, sb)
		cell(t, s, "x = 1")
		res, err := s.Eval(t.Context(), engine.Cell{Code: c.code})
		if !c.is(err) || s.State() != engine.SessionDead {
			t.Errorf("%q: %v, %v, %d", c.code, err, s.State(), res.ExitCode)
		}
		if _, err := s.Eval(t.Context(), engine.Cell{Code: "x"}); !errors.Is(err, engine.ErrSessionDead) {
			t.Errorf("%q: afterwards %v", c.code, err)
		}
		if res := cell(t, session(t, sb), "'x' in globals()"); res.Value != "False" {
			t.Errorf("%q: a new session has x", c.code)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if err := session(t, sb).Close(); err != nil {
			t.Error(err)
		}
	}
	s := session(t, sandbox(t, engine.Spec{Limits: engine.Limits{Memory: 200 << 20}}))
	if res := cell(t, s, "l = []\nwhile True: l.append(bytearray(1_000_000))"); res.Exception == nil || res.Exception.Name != "MemoryError" {
		t.Errorf("beyond the memory limit: %v", res.Exception)
	}
	if res := cell(t, s, "n = len(l); del l; n > 50"); res.Value != "True" {
		t.Errorf("after a MemoryError: %q", res.Value)
	}
}

func TestCompletion(t *testing.T) {
	s := session(t, sandbox(t, engine.Spec{}))
	cell(t, s, "import os\nspecial_name = 1")
	for _, c := range []struct {
		code   string
		cursor int
		start  int
		match  string
	}{
		{"print(spec", 10, 6, "special_name"},
		{"ü = os.pat", 11, 5, "os.path"},
		{"os.getcw(x)", 8, 0, "os.getcwd()"},
		{"x = ", 4, 4, ""},
	} {
		got, err := s.Complete(t.Context(), c.code, c.cursor)
		found := c.match == "" && len(got.Matches) == 0
		for _, m := range got.Matches {
			found = found || m == c.match
		}
		if err != nil || got.Start != c.start || !found {
			t.Errorf("%q: %+v, %v", c.code, got, err)
		}
	}
	for code, want := range map[string]engine.Completeness{
		"x = 1":                     {Status: "complete"},
		"await x":                   {Status: "complete"},
		"x = (":                     {Status: "incomplete"},
		"if x:":                     {Status: "incomplete", Indent: "    "},
		"def f():\n  if x:":         {Status: "incomplete", Indent: "      "},
		"def f():\n    pass":        {Status: "incomplete", Indent: "    "},
		"def f():\n    pass\n\n":    {Status: "complete"},
		"'''open":                   {Status: "incomplete"},
		"1 + * 2":                   {Status: "invalid"},
		"for i in range(3):\n\tf()": {Status: "incomplete", Indent: "\t"},
	} {
		if got, err := s.Check(t.Context(), code); err != nil || got != want {
			t.Errorf("%q: %+v, %v, want %+v", code, got, err, want)
		}
	}
	if res := cell(t, s, "_ if '_' in dir(__builtins__) else 'unset'"); res.Value != "'unset'" {
		t.Errorf("completing has left _ as %s", res.Value)
	}
}

func TestSessions(t *testing.T) {
	sb := sandbox(t, engine.Spec{})
	if _, err := sb.Session(t.Context(), "x", "cobol"); !errors.Is(err, engine.ErrUnknownLanguage) {
		t.Errorf("an unknown language: %v", err)
	}
	for _, name := range []string{"b", "a", "b"} {
		s, err := sb.Session(t.Context(), name, "python")
		if err != nil {
			t.Fatal(err)
		}
		cell(t, s, "n = globals().get('n', 0) + 1; import os; me = os.getpid()")
	}
	var names []string
	for _, s := range sb.Sessions() {
		names = append(names, s.Name()+" "+cell(t, s, "n").Value)
	}
	if !reflect.DeepEqual(names, []string{"a 1", "b 2"}) {
		t.Errorf("got %q", names)
	}
	// A program of the sandbox sees what a session has written, and the other way round.
	cell(t, sb.Sessions()[0], "open('shared', 'w').write('from a session')")
	if res := eval(t, sb, "print(open('shared').read()); open('shared', 'w').write('back')"); res.Stdout != "from a session\n" {
		t.Errorf("got %q", res.Stdout)
	}
	if res := cell(t, sb.Sessions()[0], "open('shared').read()"); res.Value != "'back'" {
		t.Errorf("got %q", res.Value)
	}
}

// A sandbox can be closed while a cell runs, and its sessions are over then.
func TestCloseBesideCell(t *testing.T) {
	sb := sandbox(t, engine.Spec{})
	s := session(t, sb)
	closed := make(chan error, 1)
	_, err := s.Eval(t.Context(), engine.Cell{Code: "print(1, flush=True)\nwhile True: pass", Stdout: writerFunc(func(b []byte) (int, error) {
		go func() { closed <- sb.Close() }() // ends with the cell
		return len(b), nil
	})})
	if !errors.Is(err, engine.ErrClosed) {
		t.Errorf("the cell: %v", err)
	}
	if err := <-closed; err != nil {
		t.Error(err)
	}
	if _, err := sb.Session(t.Context(), "new", "python"); !errors.Is(err, engine.ErrClosed) {
		t.Errorf("a session of a closed sandbox: %v", err)
	}
	if _, err := s.Eval(t.Context(), engine.Cell{Code: "1"}); !errors.Is(err, engine.ErrSessionDead) {
		t.Errorf("a cell in it: %v", err)
	}
}
