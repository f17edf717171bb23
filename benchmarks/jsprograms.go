package benchmarks

import "fmt"

// jsBodies are compute-bound programs in the JavaScript that all rivals know too.
var jsBodies = []struct{ name, setup, body string }{
	{"fib", "function fib(n) { return n < 2 ? n : fib(n - 1) + fib(n - 2) }", "fib(24)"},
	{"sort", "const l = Array.from({length: 30000}, (_, i) => (i * 7919) % 10007)", "l.slice().sort((a, b) => b - a)"},
	{"string", "", "let s = ''; for (let i = 0; i < 100000; i++) s += String.fromCharCode(97 + i % 26); s.length"},
	{"json", "const d = Array.from({length: 600}, (_, i) => ({a: i, b: [i, i + 1], c: String(i)}))", "for (let i = 0; i < 8; i++) JSON.parse(JSON.stringify(d))"},
	{"regex", "const t = 'x foo@bar.com y baz@qux.com '.repeat(10)", "for (let i = 0; i < 200; i++) t.match(/(\\w+)@(\\w+)\\.com/g)"},
	{"mapset", "", "const m = new Map(); for (let i = 0; i < 60000; i++) m.set('k' + i, i); let n = 0; for (const [, v] of m) n += v; new Set(m.keys()).size"},
	{"classes", "class P { constructor(x, y) { this.x = x; this.y = y } plus(o) { return new P(this.x + o.x, this.y + o.y) } }", "let p = new P(0, 0); const q = new P(1, 2); for (let i = 0; i < 100000; i++) p = p.plus(q)"},
	{"typed", "const f = new Float64Array(100000)", "for (let k = 0; k < 3; k++) for (let i = 1; i < f.length; i++) f[i] = f[i - 1] * 0.5 + i"},
}

// JavaScriptPrograms answers programs that compute, each running its body so many times and printing nanoseconds. The
// clock is Date's, the only one that all have, so each time is that of enough turns to last.
func JavaScriptPrograms(times int) []Program {
	var all []Program
	for _, b := range jsBodies {
		all = append(all, Program{Name: b.name, Code: fmt.Sprintf(`%s;
function body() { %s }
for (let r = 0; r < %d; r++) {
  let turns = 0, start = Date.now(), took = 0;
  do { body(); turns++; took = Date.now() - start } while (took < 20);
  console.log(Math.round(took * 1e6 / turns));
}`, b.setup, b.body, times)})
	}
	return all
}
