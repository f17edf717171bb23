package python_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/belljar-dev/belljar/engine"
)

// TestRecursionInC goes deep in the interpreter's own functions, some of which don't count how deep. Each ends in a result, in an
// exception or in a trap of its process, and the sandbox goes on.
func TestRecursionInC(t *testing.T) {
	if testing.Short() {
		t.Skip("takes a while")
	}
	const deep = "x = ()\nfor _ in range(10**5): x = (x,)\n"
	const lists = "x, y = [], []\nfor _ in range(10**5): x, y = [x], [y]\n"
	for _, c := range []struct{ name, code string }{
		{"hash of tuples", deep + "hash(x)"},
		{"comparison of lists", lists + "x == y"},
		{"repr of a dict", "x = {}\nfor _ in range(10**5): x = {0: x}\nrepr(x)"},
		{"isinstance", "x = int\nfor _ in range(10**5): x = (x,)\nisinstance('', x)"},
		{"freeing", deep + "x = None"},
		{"freeing closures", "f = None\nfor _ in range(10**5):\n def f(f=f): pass\nf = None"},
		{"chains of iterators", "import itertools\nit = iter(())\nfor _ in range(10**5): it = itertools.chain(it, it)\nnext(it, None)"},
		{"chains of maps", "it = iter([1])\nfor _ in range(10**5): it = map(abs, it)\nnext(it)"},
		{"chains of filters", "it = iter([1])\nfor _ in range(10**5): it = filter(None, it)\nnext(it)"},
		{"generators", "def g(n):\n if n: yield from g(n - 1)\n yield n\nnext(g(10**5))"},
		{"lexer", "compile('(' * 10**5, 'x', 'exec')"},
		{"parser of sums", "compile('a' + '+a' * 10**5, 'x', 'eval')"},
		{"parser of calls", "compile('f(' * 10**4 + ')' * 10**4, 'x', 'eval')"},
		{"parser of comparisons", "compile('not ' * 10**5 + 'a', 'x', 'eval')"},
		{"parser of lambdas", "compile('lambda: ' * 10**4 + '0', 'x', 'eval')"},
		{"parser of blocks", "compile(''.join(' ' * i + 'if 1:\\n' for i in range(200)) + ' ' * 200 + 'pass', 'x', 'exec')"},
		{"literal_eval", "import ast\nast.literal_eval('[' * 10**4 + ']' * 10**4)"},
		{"json.dumps", lists + "import json\njson.dumps(x)"},
		{"marshal", deep + "import marshal\nmarshal.loads(marshal.dumps(x))"},
		{"forged marshal", "import marshal\nmarshal.loads(b'(\\x01\\0\\0\\0' * 10**5)"},
		{"pickle.loads", "import pickle\npickle.loads(b'(' * 10**6 + b'.')"},
		{"nested groups", "import re\nre.match('(' * 99 + 'a' + ')*' * 99, 'a' * 10**5)"},
		{"XML", "import xml.etree.ElementTree as e\ne.fromstring('<a>' * 10**5 + '</a>' * 10**5)"},
		{"copy of XML", "import xml.etree.ElementTree as e, copy\nx = e.Element('a')\nfor _ in range(10**5): y = e.Element('a'); y.append(x); x = y\ncopy.deepcopy(x)"},
		{"SQL", "import sqlite3\nsqlite3.connect(':memory:').execute('select ' + '(' * 10**5 + '1' + ')' * 10**5)"},
		{"SQL of views", "import sqlite3\nd = sqlite3.connect(':memory:')\nd.execute('create view v0 as select 1 a')\nfor i in range(200): d.execute(f'create view v{i+1} as select a from v{i}')\nd.execute('select a from v200').fetchall()"},
		{"partial", "import functools\nf = print\nfor _ in range(10**5): f = functools.partial(f)\nrepr(f)"},
		{"nested partial", "import functools\nclass P(functools.partial): pass\nf = print\nfor _ in range(10**5): f = P(lambda g=f: g()); f.x = 1\nf()"},
		{"contexts of exceptions", "e = None\nfor _ in range(10**4):\n n = ValueError(); n.__context__ = e; e = n\nraise e"},
		{"groups of exceptions", "e = ValueError()\nfor _ in range(10**5): e = ExceptionGroup('', [e])\nrepr(e); e.split(KeyError)"},
		{"__getattr__", "class A:\n def __getattribute__(s, n): return getattr(s, n)\nA().x"},
		{"__repr__", "class A:\n def __repr__(s): return repr(s)\nrepr(A())"},
		{"__eq__", "class A:\n def __eq__(s, o): return s == o\nA() == A()"},
		{"__index__", "class A:\n def __index__(s): return range(s)[0]\n[][A()]"},
		{"__del__", "class A:\n def __del__(s): A()\nA()"},
		{"__hash__", "class A:\n def __hash__(s): return hash((s,))\nhash(A())"},
		{"__instancecheck__", "class M(type):\n def __instancecheck__(c, o): return isinstance(o, c)\nclass A(metaclass=M): pass\nisinstance(1, A)"},
		{"sorting that sorts", "class A:\n def __lt__(s, o): return sorted([s, o]) and True\nsorted([A(), A()])"},
		{"str.format", "'{0' + '[x]' * 10**5 + '}'\n('{:' * 10**4 + '}' * 10**4).format(1)"},
		{"nested formats", "class A:\n def __format__(s, f): return format(s, f)\nf'{A()}'"},
		{"dict views", "x = {}\nfor _ in range(10**5): x = {0: x}.values()\nrepr(x)"},
		{"union types", "import typing\nx = int\nfor _ in range(10**4): x = list[x]\nrepr(x)"},
		{"tracing", "import sys\ndef t(*a): sys.settrace(t); f()\ndef f(): pass\nsys.settrace(t)\nf()"},
		{"code that makes code", "s = 'pass'\nfor _ in range(12): s = 'exec(' + repr(s) + ')'\nexec(s)"},
		{"exec of itself", "c = compile('exec(c)', 'x', 'exec')\nexec(c)"},
		{"import of itself", "open('m.py', 'w').write('import sys\\ndel sys.modules[\"m\"]\\nimport m')\nimport m"},
	} {
		t.Run(c.name, func(t *testing.T) {
			sb := sandbox(t, engine.Spec{Limits: engine.Limits{Memory: 512 << 20}})
			res, err := sb.Eval(t.Context(), "python", c.code)
			var trap *engine.TrapError
			ended := err == nil && (res.ExitCode == 0 || res.ExitCode == 1 && strings.Contains(res.Stderr, "Error"))
			if !ended && !errors.As(err, &trap) {
				t.Errorf("got %d %.300q %v", res.ExitCode, res.Stderr, err)
			}
			t.Logf("%d %v %s", res.ExitCode, err, lastLine(res.Stderr))
			if res := eval(t, sb, "print('alive')"); res.Stdout != "alive\n" {
				t.Errorf("afterwards: %q", res.Stdout)
			}
		})
	}
}

func lastLine(text string) string {
	text = strings.TrimSpace(text)
	return text[strings.LastIndexByte(text, '\n')+1:]
}
