package js_test

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
	s, err := sb.Session(t.Context(), "main", "js")
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

// cells are run one after the other in one session.
var cells = []struct {
	code, value, stdout string
	failure             []string // name, value, lines of the traceback
}{
	{code: ""},
	{code: "let x = 1; const y = 2"},
	{code: "x + y", value: "3"},
	{code: "console.log(_); _ * 10", value: "30", stdout: "3\n"},
	{code: "undefined"},
	{code: "_", value: "30"},
	{code: "x;"},
	{code: "let x = 'again'; class A { m() { return 1 } }"},
	{code: "class A { m() { return 2 } }; new A().m()", value: "2"},
	{code: "x", value: "'again'"},
	{code: "let x"},
	{code: "x"},
	{code: "{a: 1}", value: "{ a: 1 }"},
	{code: "[1, 2].map(n => n * 2)", value: "[ 2, 4 ]"},
	{code: "if (true) { 5 }", value: "5"},
	{code: "await Promise.resolve(5)", value: "5"},
	{code: "const z = await new Promise(r => setTimeout(() => r(7), 5)); z * 2", value: "14"},
	{code: "z", value: "7"},
	{code: "for await (const v of (async function*() { yield 1; yield 2 })()) console.log(v)", stdout: "1\n2\n"},
	{code: "import fs, { existsSync as there } from 'node:fs'; there('/') && fs.existsSync('/')", value: "true"},
	{code: "import * as path from 'path'"},
	{code: "path.join('a', 'b')", value: "'a/b'"},
	{code: "(await import('node:os')).EOL", value: "'\\n'"},
	{code: "require('fs').writeFileSync('typed.ts', 'export const t: number = 5'); (await import('./typed.ts')).t", value: "5"},
	{code: "interface P { a: string }\nlet p: P = { a: 'typed' }; p.a as string", value: "'typed'"},
	{code: "function f() { throw new TypeError('bad') }\nf()", failure: []string{
		"TypeError", "bad", "TypeError: bad", "    at f (REPL26:1:21)", "    at REPL26:2:1"}},
	{code: "f()", failure: []string{"TypeError", "bad", "TypeError: bad", "    at f (REPL26:1:21)", "    at REPL27:1:1"}},
	{code: "f.name", value: "'f'"},
	{code: "nope", failure: []string{"ReferenceError", "nope is not defined", "ReferenceError: nope is not defined", "    at REPL29:1:1"}},
	{code: "throw 5", failure: []string{"Uncaught", "5", "Uncaught 5"}},
	{code: "class E extends Error { name = 'E'; code = 'X' }\nthrow new E('mine')", failure: []string{
		"E", "mine", "E: mine", "    at new E (REPL31:1:1)", "    at REPL31:2:7 {", "  code: 'X'", "}"}},
	{code: "await (async () => { await null; throw new RangeError('late') })()", failure: []string{
		"RangeError", "late", "RangeError: late", "    at REPL32:1:71"}},
	{code: "let q = 1;\nq = )", failure: []string{
		"SyntaxError", "unexpected token in expression: ')'", "REPL33:2", "q = )", "    ^", "", "SyntaxError: unexpected token in expression: ')'"}},
	{code: "typeof q", value: "'undefined'"},
	{code: "Promise.reject(new Error('nobody caught it'))", failure: []string{
		"Error", "nobody caught it", "Error: nobody caught it", "    at REPL35:1:15"}},
	{code: "process.nextTick(() => { throw new Error('tick') }); 3", failure: []string{"Error", "tick", "Error: tick", "    at REPL36:1:31"}},
	{code: "await new Promise(() => {})", failure: []string{"Error", "the cell waits for a promise that nothing will settle",
		"[Error: the cell waits for a promise that nothing will settle]"}},
	{code: "setTimeout(() => console.log('later'), 20); 'now'", value: "'now'", stdout: "later\n"},
	{code: "new Error('a value').message", value: "'a value'"},
	{code: "const { d = 4, ...rest } = { e: 5 }; [d, rest]", value: "[ 4, { e: 5 } ]"},
	{code: "this === globalThis && typeof require + typeof module + process.argv.length", value: "'functionobject1'"},
	{code: "const http = require('http'); const server = http.createServer((q, r) => r.end('served')); await new Promise(r => server.listen(0, r)); " +
		"const answer = await fetch('http://127.0.0.1:' + server.address().port); await answer.text()", value: "'served'"},
	{code: "server.close(); /* comments */ x // do not matter;"},
	{code: "process.on('exit', (code) => console.log('bye', code)); process.exit(0)", stdout: "bye 0\n"},
	{code: "'alive'", value: "'alive'"},
	{code: "typeof process.binding('buffer').getZeroFillToggle", value: "'undefined'"}, // with it a program would leave buffers uncleared
	{code: "const words = process.binding('fs').statValues; const tries = [() => structuredClone(words, { transfer: [words.buffer] }), () => words.buffer.transfer()]; " +
		"[tries.map((f) => { try { f() } catch (e) { return e.name } }), require('fs').statSync('.').isDirectory()]", value: "[ [ 'DataCloneError', 'TypeError' ], true ]"},
	{code: "process.nextTick(() => console.log('ticks go on')); 1", value: "1", stdout: "ticks go on\n"},
}

func TestCells(t *testing.T) {
	s := session(t, newSandbox(t, newEngine(t), engine.Spec{Image: "js"}))
	for _, c := range cells {
		res := cell(t, s, c.code)
		var failure []string
		if e := res.Exception; e != nil {
			failure = append([]string{e.Name, e.Value}, e.Traceback...)
		}
		// A value may come before what goes wrong beside it.
		if res.Value != c.value && c.failure == nil || res.Stdout != c.stdout || !reflect.DeepEqual(failure, c.failure) || res.Stderr != "" {
			t.Errorf("%q: value %q, output %q, error %q\n%s", c.code, res.Value, res.Stdout, res.Stderr, strings.Join(failure, "\n"))
		}
		if failed := c.failure != nil; failed != (res.ExitCode != 0) {
			t.Errorf("%q: exit code %d", c.code, res.ExitCode)
		}
	}
	if res := cell(t, s, "process.exit(3)"); res.ExitCode != 3 {
		t.Errorf("process.exit(3): %d", res.ExitCode)
	}
}

// What a cell shows, by MIME type.
func TestParts(t *testing.T) {
	s := session(t, newSandbox(t, newEngine(t), engine.Spec{Image: "js"}))
	cell(t, s, `class Rich {
  _repr_html_() { return '<b>ü</b>' }
  _repr_svg_() { return null }
  _repr_png_() { return Buffer.from('89504e47', 'hex') }
  _repr_json_() { return { a: [1] } }
}`)
	rich := map[string][]byte{
		"text/plain": []byte("Rich {}"), "text/html": []byte("<b>ü</b>"), "image/png": []byte("\x89PNG"), "application/json": []byte(`{"a":[1]}`),
	}
	for _, c := range []struct {
		code string
		want []engine.Part
	}{
		{"new Rich()", []engine.Part{{Data: rich}}},
		{"display(new Rich(), 7); 'end'", []engine.Part{
			{Display: true, Data: rich}, {Display: true, Data: map[string][]byte{"text/plain": []byte("7")}},
			{Data: map[string][]byte{"text/plain": []byte("'end'")}},
		}},
		{"({ [Symbol.for('Jupyter.display')]() { return { 'text/plain': 'p', 'text/x': 'y' } } })",
			[]engine.Part{{Data: map[string][]byte{"text/plain": []byte("p"), "text/x": []byte("y")}}}},
		{"new Proxy({}, { get() { throw new Error('a trap') } })", []engine.Part{{Data: map[string][]byte{"text/plain": []byte("{}")}}}},
	} {
		var streamed []engine.Part
		res, err := s.Eval(t.Context(), engine.Cell{Code: c.code, OnPart: func(p engine.Part) { streamed = append(streamed, p) }})
		if err != nil || !reflect.DeepEqual(res.Parts, c.want) || !reflect.DeepEqual(streamed, c.want) {
			t.Errorf("%q: %v, streamed %v, %v, %v", c.code, res.Parts, streamed, res.Exception, err)
		}
	}
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(b []byte) (int, error) { return f(b) }

const ask = "rl = require('readline/promises').createInterface({ input: process.stdin, output: process.stdout }); " +
	"name = await rl.question('name? '); rl.close(); console.log('hello ' + name)"

// Output and parts are heard while the cell runs; each cell has an input of its own.
func TestStreaming(t *testing.T) {
	s := session(t, newSandbox(t, newEngine(t), engine.Spec{Image: "js"}))
	in, typed := io.Pipe()
	out, w := io.Pipe()
	ended := make(chan error, 1)
	go func() { // ends with the cell
		_, err := s.Eval(t.Context(), engine.Cell{
			Code: ask + "; display(1); console.log('bye')", Stdin: in, Stdout: w, OnPart: func(engine.Part) { io.WriteString(w, "[part]") },
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
	expect("name? ")
	if _, err := s.Eval(t.Context(), engine.Cell{Code: "1"}); !errors.Is(err, engine.ErrBusy) {
		t.Errorf("a second cell: %v", err)
	}
	io.WriteString(typed, "Ann\n")
	expect("hello Ann\n[part]bye\n")
	typed.Close()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ code, want string }{
		{ask, "name? hello a\n"},
		{"for await (const line of require('readline').createInterface({ input: process.stdin })) console.log('<' + line + '>')", "<a>\n<b>\n"},
		{"process.stdout.write(require('fs').readFileSync(0))", "a\nb\n"},
		{ask, "name? hello a\n"},
	} {
		res, err := s.Eval(t.Context(), engine.Cell{Code: c.code, Stdin: strings.NewReader("a\nb\n")})
		if err != nil || res.Stdout != c.want {
			t.Errorf("%q: %q, %q, %v, %v", c.code, res.Stdout, res.Stderr, res.Exception, err)
		}
	}
}

// An interrupt ends a cell that computes or waits, and not the session.
func TestInterrupt(t *testing.T) {
	s := session(t, newSandbox(t, newEngine(t), engine.Spec{Image: "js"}))
	cell(t, s, "x = 5")
	s.Interrupt() // between cells: nothing
	silent, w := io.Pipe()
	defer w.Close()
	for _, code := range []string{
		"for (;;);",
		"try { for (;;); } catch { console.log('caught') } finally { console.log('finally') }",
		"await new Promise(r => setTimeout(r, 1e6))",
		"setTimeout(() => { for (;;); }, 1); await new Promise(() => setTimeout(() => {}, 1e6))",
		"(function f() { Promise.resolve().then(f) })()",
		"(function f() { process.nextTick(f) })()",
		"/(a+)+$/.test('a'.repeat(40) + 'b')",
		"for (;;) [3, 2, 1].sort().map(String)",
		"require('fs').readSync(0, Buffer.alloc(1))",
		"for await (const line of require('readline').createInterface({ input: process.stdin })) console.log(line)",
		"process.on('SIGINT', () => {}); await new Promise(r => setTimeout(r, 1e6))",
		"process.removeAllListeners('SIGINT'); for (;;);",
	} {
		started := make(chan struct{}, 1)
		var out bytes.Buffer
		done, over := make(chan struct{}), make(chan struct{})
		go func() { // ends with the cell
			defer close(over)
			<-started
			for {
				s.Interrupt() // again, for one may come just before a call that waits
				select {
				case <-done:
					return
				case <-time.After(10 * time.Millisecond):
				}
			}
		}()
		first := true
		res, err := s.Eval(t.Context(), engine.Cell{Code: "console.log('go'); " + code, Stdin: silent, Stdout: writerFunc(func(b []byte) (int, error) {
			if first {
				first = false
				started <- struct{}{}
			}
			return out.Write(b)
		})})
		close(done)
		<-over
		if err != nil || res.Exception == nil || res.Exception.Name != "KeyboardInterrupt" || res.ExitCode != 130 || out.String() != "go\n" {
			t.Fatalf("%q: %d, %q, %q, %v, %v", code, res.ExitCode, out.String(), res.Stderr, res.Exception, err)
		}
	}
	if res := cell(t, s, "x"); res.Value != "5" {
		t.Errorf("afterwards x is %q", res.Value)
	}
	// The end of a context interrupts too, and the session lives.
	ctx, cancel := context.WithCancel(t.Context())
	_, err := s.Eval(ctx, engine.Cell{Code: "console.log('go'); for (;;);", Stdout: writerFunc(func(b []byte) (int, error) {
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

// What kills the interpreter makes the session dead; the sandbox, and a new session of the name, go on.
func TestSessionDeath(t *testing.T) {
	sb := newSandbox(t, newEngine(t), engine.Spec{Image: "js", Limits: engine.Limits{Wall: time.Second, Output: 50_000, Memory: 100 << 20}})
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
		{"for (;;);", limit(engine.LimitWall)},
		{"for (;;) console.log('x'.repeat(1000))", limit(engine.LimitOutput)},
		{"process.abort()", func(err error) bool { return err == nil }},
		{"process.kill(process.pid, 'SIGKILL')", func(err error) bool { return err == nil }},
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
		if res := cell(t, session(t, sb), "typeof x"); res.Value != "'undefined'" {
			t.Errorf("%q: a new session has x", c.code)
		}
		if err := errors.Join(s.Close(), session(t, sb).Close()); err != nil {
			t.Error(err)
		}
	}
	// Memory that there is not is an exception.
	s := session(t, sb)
	if res := cell(t, s, "l = []; for (;;) l.push(new Uint8Array(1e6).fill(1))"); res.Exception == nil || !strings.Contains(res.Exception.Value, "memory") {
		t.Errorf("beyond the memory limit: %v", res.Exception)
	}
	if res := cell(t, s, "n = l.length; l = null; n > 20"); res.Value != "true" {
		t.Errorf("afterwards: %q", res.Value)
	}
}

func TestCompletion(t *testing.T) {
	s := session(t, newSandbox(t, newEngine(t), engine.Spec{Image: "js"}))
	cell(t, s, "special_name = { inner: 1 }")
	for _, c := range []struct {
		code   string
		cursor int
		start  int
		match  string
	}{
		{"console.log(spec", 16, 12, "special_name"},
		{"ü = special_name.in", 20, 5, "special_name.inner"},
		{"JSON.pars(x)", 9, 0, "JSON.parse"},
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
	for code, want := range map[string]string{
		"x = 1": "complete", "await x": "complete", "import fs from 'fs'": "complete", "// c": "complete", "let x: number = 1": "complete",
		"f(": "incomplete", "function f() {": "incomplete", "`open": "incomplete", "/* open": "incomplete", "x =>": "incomplete", "if (x)": "incomplete",
		"1 + * 2": "invalid", "'abc": "invalid", "let x = )": "invalid",
	} {
		if got, err := s.Check(t.Context(), code); err != nil || got.Status != want {
			t.Errorf("%q: %+v, %v, want %s", code, got, err, want)
		}
	}
}
