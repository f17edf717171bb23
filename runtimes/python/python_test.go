package python_test

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/belljar-dev/belljar/engine"
	"github.com/belljar-dev/belljar/runtimes/python"
)

// shared is one engine for all tests: compiling the interpreter takes seconds.
var shared = sync.OnceValues(func() (*engine.Engine, error) {
	return engine.New(engine.Config{Images: []engine.Image{python.Image()}})
})

func sandbox(t *testing.T, spec engine.Spec) *engine.Sandbox {
	t.Helper()
	eng, err := shared()
	if err != nil {
		t.Fatal(err)
	}
	sb, err := eng.Create(t.Context(), spec)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := sb.Close(); err != nil {
			t.Error(err)
		}
	})
	return sb
}

func eval(t *testing.T, sb *engine.Sandbox, code string) engine.Result {
	t.Helper()
	res, err := sb.Eval(t.Context(), "python", code)
	if err != nil {
		t.Errorf("%.80q: %v", code, err)
	}
	return res
}

// The ways to end a program, warm (python3 -c) and cold (with an option that changes the start).
func TestEndings(t *testing.T) {
	for _, c := range []struct {
		code, stdout, stderr string // stderr: a part of it
		exit                 int
	}{
		{"print(6*7)", "42\n", "", 0},
		{"import sys; sys.exit(3)", "", "", 3},
		{"raise SystemExit", "", "", 0},
		{"raise SystemExit('bye')", "", "bye\n", 1},
		{"import os; os._exit(7)", "", "", 7},
		{"1/0", "", "ZeroDivisionError: division by zero", 1},
		{"def f(:", "", "SyntaxError", 1},
		{"raise KeyboardInterrupt", "", "KeyboardInterrupt", 130},
		{"import atexit; atexit.register(print, 'bye')", "bye\n", "", 0},
		{"class A:\n def __del__(self): print('gone')\na = A()", "gone\n", "", 0},
		{"import sys; sys.stdout.write('no newline')", "no newline", "", 0},
		{"import sys; print(sys.argv)", "['-c']\n", "", 0},
		{"import sys; print(repr(sys.path[0]), __name__)", "'' __main__\n", "", 0},
		{"import os; print(os.getcwd(), os.environ['HOME'])", "/home/user /home/user\n", "", 0},
		{"print(ascii('ü€😀'), 'ü')", "'\\xfc\\u20ac\\U0001f600' ü\n", "", 0},
		{"import zlib, bz2, lzma, sqlite3, decimal, pyexpat, unicodedata, hashlib; print('ok')", "ok\n", "", 0},
		{"import zoneinfo; print(zoneinfo.ZoneInfo('Europe/Berlin').key)", "Europe/Berlin\n", "", 0},
		{"import os; open(os.devnull, 'w').write('x'); print(repr(open(os.devnull).read()), os.stat('/dev/null').st_size)", "'' 0\n", "", 0},
		{"print(open('/dev/zero', 'rb').read(4), len(open('/dev/urandom', 'rb').read(9)))", "b'\\x00\\x00\\x00\\x00' 9\n", "", 0},
		{"import os; os.write(os.open('/dev/full', os.O_WRONLY), b'x')", "", "No space left on device", 1},
		{"import readline, threading, subprocess, asyncio; print('ok')", "ok\n", "", 0},
		{"import hashlib; print(hashlib.pbkdf2_hmac('sha256', b'p', b's', 10).hex()[:8], hashlib.scrypt(b'p', salt=b's', n=2, r=1, p=1).hex()[:8])",
			"1d6f1f70 48b0d2a8\n", "", 0},
	} {
		for _, how := range [][]string{{"python3", "-c"}, {"python3", "-X", "dev", "-c"}} {
			sb := sandbox(t, engine.Spec{})
			res, err := sb.Run(t.Context(), engine.Command{Args: append(how[:len(how):len(how)], c.code)})
			if err != nil || res.Stdout != c.stdout || res.ExitCode != c.exit || !strings.Contains(res.Stderr, c.stderr) {
				t.Errorf("%v %q: got %d %q %q %v", how[1:], c.code, res.ExitCode, res.Stdout, res.Stderr, err)
			}
		}
	}
}

// What a program sees of its command line, from files, modules and standard input.
func TestCommandLines(t *testing.T) {
	sb := sandbox(t, engine.Spec{})
	for name, content := range map[string]string{
		"/home/user/a.py":            "import sys; print(__file__, sys.argv, sys.path[0])",
		"/home/user/pkg/__main__.py": "import sys; print('main', sys.argv[1:])",
		"/home/user/pkg/__init__.py": "",
		"/home/user/m.py":            "print(__name__, 6*7)",
	} {
		if err := sb.Files().MkdirAll("/home/user/pkg", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := sb.Files().WriteFile(name, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		args  []string
		stdin string
		want  string
	}{
		{[]string{"a.py", "x", "-y"}, "", "/home/user/a.py ['a.py', 'x', '-y'] /home/user\n"},
		{[]string{"./pkg", "1"}, "", "main ['1']\n"},
		{[]string{"-m", "pkg", "2"}, "", "main ['2']\n"},
		{[]string{"-m", "m"}, "", "__main__ 42\n"},
		{[]string{"-", "z"}, "import sys; print(sys.argv)", "['-', 'z']\n"},
		{nil, "print(6*7)", "42\n"},
		{[]string{"-c", "print(input() + input())"}, "ab\ncd\n", "abcd\n"},
		{[]string{"-c", "import m"}, "", "m 42\n"},
		{[]string{"-u", "-c", "print(1)"}, "", "1\n"},
		{[]string{"-V"}, "", "Python " + python.Version + "\n"},
		{[]string{"-I", "-c", "import sys; print(sys.flags.isolated)"}, "", "1\n"},
		{[]string{"-O", "-c", "assert False; print('no asserts')"}, "", "no asserts\n"},
	} {
		res, err := sb.Run(t.Context(), engine.Command{Args: append([]string{"python3"}, c.args...), Stdin: strings.NewReader(c.stdin)})
		if err != nil || res.Stdout != c.want || res.ExitCode != 0 {
			t.Errorf("%q: got %d %q %q %v", c.args, res.ExitCode, res.Stdout, res.Stderr, err)
		}
	}
	res, err := sb.Run(t.Context(), engine.Command{Args: []string{"python3", "-c", "import sys; print(sys.path[1])"}, Env: []string{"PYTHONPATH=/lib/mine"}})
	if err != nil || res.Stdout != "/lib/mine\n" {
		t.Errorf("PYTHONPATH: %q %v", res.Stdout, err)
	}
}

// A warm interpreter looks like a cold one from inside.
func TestWarmLooksCold(t *testing.T) {
	const code = `
import sys, builtins, gc, warnings, threading, os
print([(n, getattr(sys, n) is None) for n in dir(sys) if n not in ('_xoptions', '_git')])
print([(n, getattr(builtins, n) is None) for n in dir(builtins)])
print(sys.path, sys.argv, gc.isenabled(), gc.get_threshold(), sys.getrecursionlimit(), [str(f) for f in warnings.filters])
print([th.name for th in threading.enumerate()], sorted(os.environ), sys.prefix, sys.executable)
print([(s.encoding, s.errors, s.line_buffering, s.name, s.mode) for s in (sys.stdin, sys.stdout, sys.stderr)])
print(sorted(globals()), __name__, __spec__, __doc__, sys.excepthook is sys.__excepthook__, len(sys.meta_path))
`
	var out [2]string
	for i, args := range [][]string{{"python3", "-c"}, {"python3", "-X", "int_max_str_digits=4300", "-c"}} { // -X starts cold
		res, err := sandbox(t, engine.Spec{}).Run(t.Context(), engine.Command{Args: append(args, code)})
		if err != nil || res.ExitCode != 0 {
			t.Fatal(res.Stderr, err)
		}
		out[i] = res.Stdout
	}
	warm, cold := strings.Split(out[0], "\n"), strings.Split(out[1], "\n")
	for i := range cold {
		if warm[i] != cold[i] {
			t.Errorf("warm %s\ncold %s", warm[i], cold[i])
		}
	}
}

// No two starts share randomness, temp names or identifiers, unless Replay asks for it.
func TestNoTwins(t *testing.T) {
	const code = "import random, uuid, tempfile, os, secrets, time\n" +
		"print(random.random(), uuid.uuid4(), uuid.uuid1(), tempfile.mktemp(), os.urandom(4).hex(), secrets.token_hex(4), random.SystemRandom().random())"
	seen := map[string]int{}
	for i := range 4 {
		for field := range strings.FieldsSeq(eval(t, sandbox(t, engine.Spec{}), code).Stdout) {
			if j, ok := seen[field]; ok {
				t.Errorf("runs %d and %d both have %s", i, j, field)
			}
			seen[field] = i
		}
	}
	if len(seen) != 4*7 {
		t.Errorf("%d values, want 28", len(seen))
	}
	replay := engine.Spec{Replay: &engine.Replay{Seed: 42}}
	a, b := eval(t, sandbox(t, replay), code).Stdout, eval(t, sandbox(t, replay), code).Stdout
	if a != b || a == "" {
		t.Errorf("Replay gave %q and %q", a, b)
	}
}

// A run leaves nothing in the interpreter for the next one.
func TestRunsAreIndependent(t *testing.T) {
	sb := sandbox(t, engine.Spec{})
	eval(t, sb, "import json, builtins, os; json.dumps = None; builtins.leak = 1; os.environ['LEAK'] = '1'; x = bytearray(50_000_000)")
	res := eval(t, sb, "import json, os; print(json.dumps([1]), 'leak' in dir(__builtins__), 'LEAK' in os.environ, 'x' in globals())")
	if res.Stdout != "[1] False False False\n" {
		t.Errorf("got %q %q", res.Stdout, res.Stderr)
	}
}

func TestOutOfMemory(t *testing.T) {
	sb := sandbox(t, engine.Spec{Limits: engine.Limits{Memory: 96 << 20}})
	for _, code := range []string{
		"l = []\nwhile True: l.append('x' * 1_000_000)",
		"l = [0]\nwhile True: l += l",
		"bytearray(10**9)",
		"'a' * (2**31 - 100)",
		"d = {}\ni = 0\nwhile True: d[i] = i; i += 1",
	} {
		res := eval(t, sb, code)
		if res.ExitCode != 1 || !strings.Contains(res.Stderr, "MemoryError") || res.Usage.Memory > 96<<20 {
			t.Errorf("%q: got %d %.300q, %d bytes", code, res.ExitCode, res.Stderr, res.Usage.Memory)
		}
	}
	if res := eval(t, sb, "print('alive')"); res.Stdout != "alive\n" {
		t.Errorf("afterwards: %q", res.Stdout)
	}
}

func TestDeepRecursion(t *testing.T) {
	sb := sandbox(t, engine.Spec{Limits: engine.Limits{Memory: 96 << 20}})
	for _, code := range []string{
		"def f(): f()\nf()",
		"import sys; sys.setrecursionlimit(10**9)\ndef f(): f()\nf()",
		"import json; json.loads('[' * 10**6)",
		"x = []\nfor _ in range(10**6): x = [x]\nrepr(x)",
		"eval('(' * 10**5 + ')' * 10**5)",
		"eval('-' * 10**6 + '1')",
		"import re; re.compile('(' * 10**5 + ')' * 10**5)",
		"import copy\nx = []\nfor _ in range(3000): x = [x]\ncopy.deepcopy(x)",
		"import pickle\nx = []\nfor _ in range(10**5): x = [x]\npickle.dumps(x)",
		"class A:\n def __getattr__(self, n): return getattr(self, n + 'x')\nA().y",
	} {
		res, err := sb.Eval(t.Context(), "python", code)
		var trap *engine.TrapError
		// Some raise RecursionError, MemoryError or SyntaxError, one may be deep enough for a trap. None runs on.
		if !(err == nil && res.ExitCode == 1 && strings.Contains(res.Stderr, "Error")) && !errors.As(err, &trap) {
			t.Errorf("%.60q: got %d %.200q %v", code, res.ExitCode, res.Stderr, err)
		}
	}
	if res := eval(t, sb, "print('alive')"); res.Stdout != "alive\n" {
		t.Errorf("afterwards: %q", res.Stdout)
	}
}

func TestFileQuotas(t *testing.T) {
	sb := sandbox(t, engine.Spec{Limits: engine.Limits{Files: 2000, Disk: 1 << 20}})
	for _, c := range []struct{ code, want string }{
		{"import os\nos.mkdir('d')\nfor i in range(10**6): open(f'd/{i}', 'w').close()", "OSError"},
		{"import os\nfor i in range(10**4): os.mkdir('n'); os.chdir('n')", "OSError"},
		{"open('big', 'wb').write(b'x' * (2 << 20))", "OSError"},
		{"import os\nwith open('hole', 'wb') as f: f.truncate(1 << 50)", "OSError"},
	} {
		if res := eval(t, sb, c.code); res.ExitCode != 1 || !strings.Contains(res.Stderr, c.want) {
			t.Errorf("%q: got %d %.300q", c.code, res.ExitCode, res.Stderr)
		}
	}
	if u := sb.Usage(); u.Files > 2000 || u.Disk > 1<<20 {
		t.Errorf("usage %+v", u)
	}
}

func TestOutputFlood(t *testing.T) {
	sb := sandbox(t, engine.Spec{Limits: engine.Limits{Output: 100_000}})
	res, err := sb.Eval(t.Context(), "python", "while True: print('x' * 1000)")
	var limit *engine.LimitError
	if !errors.As(err, &limit) || limit.Limit != engine.LimitOutput || !res.Truncated || len(res.Stdout) != 100_000 {
		t.Errorf("got %d bytes, truncated %v, %v", len(res.Stdout), res.Truncated, err)
	}
}

// Every kind of guest that never ends is ended by its wall limit.
func TestWallLimit(t *testing.T) {
	var chain strings.Builder
	chain.WriteString("def f0(): pass\n")
	for i := 1; i <= 60; i++ {
		fmt.Fprintf(&chain, "def f%d(): f%d(); f%d()\n", i, i-1, i-1)
	}
	chain.WriteString("f60()\n")
	stdin, w := io.Pipe()
	defer w.Close()
	for _, code := range []string{
		"while True: pass", "import re\nre.match(r'(a+)+$', 'a'*60 + 'b')", "x = 3\nwhile True: x = pow(7, 10**6 + x % 7)",
		"sum(iter(int, 1))", "import time; time.sleep(100)", "input()", chain.String(),
		"try:\n  while True: pass\nexcept BaseException: pass\nwhile True: pass",
	} {
		sb := sandbox(t, engine.Spec{Limits: engine.Limits{Wall: 50 * time.Millisecond}})
		_, err := sb.Run(t.Context(), engine.Command{Args: []string{"python3", "-c", code}, Stdin: stdin})
		var limit *engine.LimitError
		if !errors.As(err, &limit) || limit.Limit != engine.LimitWall {
			t.Errorf("%.40q: %v", code, err)
		}
	}
}

func TestMount(t *testing.T) {
	host := t.TempDir()
	sb := sandbox(t, engine.Spec{Mounts: []engine.Mount{{Host: host, Path: "/data", ReadWrite: true}, {Host: host, Path: "/ro"}}})
	res := eval(t, sb, "open('/data/x', 'w').write('hi')\nprint(open('/ro/x').read())\nopen('/ro/y', 'w')")
	if res.Stdout != "hi\n" || !strings.Contains(res.Stderr, "Read-only file system") {
		t.Errorf("got %q %q", res.Stdout, res.Stderr)
	}
}
