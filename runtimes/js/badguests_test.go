package js_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/belljar-dev/belljar/engine"
)

// badGuest is a program that does its worst. It ends by itself, with a status and words on stdout or stderr, or by a
// limit.
type badGuest struct {
	name   string
	source string
	status int
	stdout string // all of it
	stderr string // a part of it
	limit  engine.Limit
}

// deep makes a program that recurses until it can't, and goes on.
func deep(name, recurse string) badGuest {
	return badGuest{name: "recursion " + name, source: `
		let depth = 0;
		try { ` + recurse + ` } catch (e) { console.log(e instanceof RangeError, e.message); }
		console.log([3, 1, 2].sort().map((x) => x * 2).join(), JSON.stringify({ a: [1] }));`,
		stdout: "true Maximum call stack size exceeded\n2,4,6 {\"a\":[1]}\n"}
}

var badGuests = []badGuest{
	{name: "endless loop", source: `while(1);`, limit: engine.LimitTicks},
	{name: "regular expression", source: `/^(a+)+$/.test('a'.repeat(40) + 'b')`, limit: engine.LimitTicks},
	{name: "promise flood", source: `(function f() { Promise.resolve().then(f) })()`, limit: engine.LimitTicks},
	{name: "ticks that starve", source: `(function f() { process.nextTick(f) })(); setTimeout(() => console.log('never'), 1)`, limit: engine.LimitTicks},
	{name: "microtasks that starve", source: `setTimeout(() => console.log('never'), 1); (function f() { queueMicrotask(f) })()`, limit: engine.LimitTicks},
	{name: "generator without end", source: `function* g() { for (;;) yield 1 } for (const x of g());`, limit: engine.LimitTicks},

	{name: "string doubling", source: `let s = 'x'; try { for (;;) s += s } catch (e) { console.log(e instanceof RangeError) }`, stdout: "true\n"},
	{name: "array that is filled", source: `try { new Array(2 ** 32 - 1).fill() } catch (e) { console.log(e instanceof RangeError) }`, stdout: "true\n"},
	{name: "buffer of no size", source: `try { Buffer.alloc(2 ** 31) } catch (e) { console.log(e instanceof RangeError) }`, stdout: "true\n"},
	{name: "array length", source: `try { new Array(-1) } catch (e) { console.log(e.message) }`, stdout: "Invalid array length\n"},

	deep("plain", `(function f() { return f() + 1 })()`),
	deep("getter", `const o = { get x() { return this.x } }; o.x`),
	deep("Proxy", `const p = new Proxy({}, { get(t, k, r) { return r[k] } }); p.x`),
	deep("toString", `const o = { toString() { return '' + this } }; String(o)`),
	deep("valueOf", `const o = { valueOf() { return +this } }; +o`),
	deep("toJSON", `const o = { toJSON() { return JSON.stringify(this) } }; JSON.stringify(o)`),
	deep("callbacks", `(function f() { [2, 1].sort(f); [1].forEach(f) })()`),
	deep("replace", `(function f() { return 'a'.replace(/a/, f) })()`),
	deep("constructor", `class A { constructor() { new A() } } new A()`),
	deep("generators", `function* g() { yield* g() } [...g()]`),
	deep("spread", `(function f(...a) { return f(...a, 1) })()`),
	deep("bound", `function f() { return f.bind(this)() } f()`),
	deep("parentheses", `eval('('.repeat(30000) + 1 + ')'.repeat(30000))`),
	deep("brackets", `eval('['.repeat(30000) + ']'.repeat(30000))`),
	deep("array's string", `let a = []; for (let i = 0; i < 20000; i++) a = [a]; String(a)`),
	{name: "recursion that is not caught", source: `(function f() { f() })()`, status: 1, stderr: "RangeError: Maximum call stack size exceeded"},
	{name: "nested JSON", source: `const n = 5000, s = '['.repeat(n) + ']'.repeat(n);
		try { console.log(JSON.stringify(JSON.parse(s)).length === s.length) } catch (e) { console.log(e instanceof RangeError) }`, stdout: "true\n"},
	{name: "nested groups", source: `try { new RegExp('('.repeat(50000) + ')'.repeat(50000)) } catch (e) { console.log(e instanceof SyntaxError || e instanceof RangeError) }`, stdout: "true\n"},

	{name: "prototypes replaced", source: `
		Array.prototype.push = Array.prototype.slice = Array.prototype.map = Array.prototype.forEach = function() { throw new Error('push') };
		Array.prototype[Symbol.iterator] = function() { throw new Error('iterator') };
		Function.prototype.call = Function.prototype.apply = function() { throw new Error('call') };
		String.prototype.split = String.prototype.slice = String.prototype.startsWith = function() { throw new Error('split') };
		Map.prototype.get = Map.prototype.set = Set.prototype.has = function() { throw new Error('get') };
		RegExp.prototype.exec = RegExp.prototype[Symbol.replace] = function() { throw new Error('exec') };
		Promise.prototype.then = function() { throw new Error('then') };
		Object.prototype.toString = function() { throw new Error('toString') };
		const fs = require('fs');
		fs.mkdirSync('/tmp/a/b', { recursive: true });
		fs.writeFileSync('/tmp/a/b/c', 'text');
		fs.appendFileSync('/tmp/a/b/c', '!');
		console.log(fs.readFileSync('/tmp/a/b/c', 'utf8'), fs.readdirSync('/tmp/a')[0], fs.statSync('/tmp/a/b/c').size, fs.existsSync('/no'));
		console.log(require('path').basename('/a/b'), Buffer.from('x').toString('hex'));
		fs.unlinkSync('/tmp/a/b/c');
		fs.rmdirSync('/tmp/a/b');`,
		stdout: "text! b 5 false\nb 78\n"},
	{name: "Object.prototype polluted", source: `
		Object.prototype.encoding = 'hex'; Object.prototype.flag = 'wx'; Object.prototype.get = Object.prototype.value = 1;
		delete Object.prototype.get; delete Object.prototype.value;
		const fs = require('fs');
		fs.writeFileSync('/tmp/f', 'abc');
		console.log(fs.readFileSync('/tmp/f', 'utf8'));`, stdout: "abc\n"},
	{name: "Proxy in console.log", source: `
		const trap = new Proxy({}, { get() { throw new Error('get') }, ownKeys() { throw new Error('ownKeys') }, has() { throw new Error('has') },
			getPrototypeOf() { throw new Error('getPrototypeOf') }, getOwnPropertyDescriptor() { throw new Error('descriptor') } });
		console.log(trap); console.log([trap], { trap });
		const gone = Proxy.revocable({}, {}); gone.revoke(); console.log(gone.proxy);`,
		stdout: "{}\n[ {} ] { trap: {} }\n<Revoked Proxy>\n"},
	{name: "console.log of itself", source: `const a = { b: [] }; a.b.push(a); console.log(a)`, stdout: "<ref *1> { b: [ [Circular *1] ] }\n"},
	{name: "exit in a promise", source: `Promise.resolve().then(() => process.exit(7)); setTimeout(() => console.log('never'), 1000)`, status: 7},
	{name: "exit in an exit handler", source: `process.on('exit', () => process.exit(9)); process.exit(3)`, status: 9},
	{name: "unref'd timers", source: `setTimeout(() => console.log('never'), 60000).unref(); setInterval(() => {}, 1000).unref(); console.log('end')`, stdout: "end\n"},
	{name: "folder as a file", source: `
		try { require('fs').readFileSync('/tmp') } catch (e) { console.log(e.code, e.message) }
		try { require('fs').writeFileSync('/tmp', '') } catch (e) { console.log(e.code) }`,
		stdout: "EISDIR EISDIR: illegal operation on a directory, read\nEISDIR\n"},
	{name: "rejection that nobody handles", source: `Promise.reject(new Error('lost'))`, status: 1, stderr: "Error: lost"},
	{name: "exception that is no error", source: `throw null`, status: 1, stderr: "null"},
	{name: "huge output", source: `for (;;) console.log('x'.repeat(65536))`, limit: engine.LimitOutput},
}

// A bad guest ends as in node, or by a clear limit, and its sandbox lives on.
func TestBadGuests(t *testing.T) {
	eng := newEngine(t)
	for _, g := range badGuests {
		t.Run(g.name, func(t *testing.T) {
			limits := engine.Limits{Memory: 128 << 20}
			if g.limit == engine.LimitTicks {
				limits.Ticks = 2e9
			}
			sb := newSandbox(t, eng, engine.Spec{Image: "js", Limits: limits})
			res, err := sb.Eval(context.Background(), "js", g.source)
			var limit *engine.LimitError
			if errors.As(err, &limit); err != nil && (limit == nil || limit.Limit != g.limit) || err == nil && g.limit != "" {
				t.Fatalf("%v, want limit %q: %.200q, %.300q", err, g.limit, res.Stdout, res.Stderr)
			}
			if g.limit == "" && (res.ExitCode != g.status || res.Stdout != g.stdout || !strings.Contains(res.Stderr, g.stderr)) {
				t.Errorf("status %d, %.300q, %.500q", res.ExitCode, res.Stdout, res.Stderr)
			}
			if res, err = sb.Eval(context.Background(), "js", "console.log(6*7)"); err != nil || res.Stdout != "42\n" {
				t.Errorf("afterwards: %v, %.200q, %.200q", err, res.Stdout, res.Stderr)
			}
		})
	}
}

// A session outlives what its cells do.
func TestBadCells(t *testing.T) {
	sb := newSandbox(t, newEngine(t), engine.Spec{Image: "js", Limits: engine.Limits{Memory: 128 << 20}})
	s, err := sb.Session(context.Background(), "s", "js")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range [][2]string{
		{"var kept = 1; function f() { return f() + 1 } f()", "Maximum call stack size exceeded"},
		{"let s = 'x'; for (;;) s += s", "RangeError"},
		{"eval('['.repeat(50000))", "Maximum call stack size exceeded"},
		{"null.x", "Cannot read properties of null"},
	} {
		res, err := s.Eval(context.Background(), engine.Cell{Code: c[0]})
		if err != nil {
			t.Fatalf("%s: %v", c[0], err)
		}
		if e := res.Exception; e == nil || !strings.Contains(e.Name+": "+e.Value, c[1]) {
			t.Errorf("%s: %+v", c[0], e)
		}
	}
	if res, err := s.Eval(context.Background(), engine.Cell{Code: "console.log(kept + 1)"}); err != nil || !strings.Contains(res.Stdout, "2") {
		t.Errorf("afterwards: %+v, %v", res, err)
	}
}
