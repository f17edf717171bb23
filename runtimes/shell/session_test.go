package shell

import (
	"bytes"
	"context"
	"errors"
	"io"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/belljar-dev/belljar/engine"
)

func sandbox(t *testing.T, e *engine.Engine, spec engine.Spec) *engine.Sandbox {
	t.Helper()
	sb, err := e.Create(t.Context(), spec)
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

func session(t *testing.T, sb *engine.Sandbox) *engine.Session {
	t.Helper()
	s, err := sb.Session(t.Context(), "main", "sh")
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

var processNumber = regexp.MustCompile(` +\d+ Killed`)

// Cells, one after the other in one session, and what comes of each.
func TestCells(t *testing.T) {
	s := session(t, sandbox(t, newEngine(t), engine.Spec{}))
	for _, c := range []struct {
		code, stdout, stderr string
		status               int
	}{
		{code: ""},
		{code: "# a comment"},
		{code: "x=5; f() { echo \"f $1 $x\"; }"},
		{code: "f 1", stdout: "f 1 5\n"},
		{code: "mkdir -p a/b && cd a/b; pwd", stdout: "/home/user/a/b\n"},
		{code: "pwd; /bin/pwd; touch here; ls", stdout: "/home/user/a/b\n/home/user/a/b\nhere\n"},
		{code: "cd -", stdout: "/home/user\n"},
		{code: "false", status: 1},
		{code: "echo $?", stdout: "1\n"},
		{code: "alias hi='echo hello'"},
		{code: "hi you", stdout: "hello you\n"},
		{code: "arr=(a b); declare -A map=([k]=v)"},
		{code: "echo ${arr[1]} ${map[k]} $((x * 2)) $(echo sub)", stdout: "b v 10 sub\n"},
		{code: "seq 3 | while read n; do echo \"<$n>\"; done; ls -d a | wc -l", stdout: "<1>\n<2>\n<3>\n1\n"},
		{code: "(x=6; exit 4)", status: 4},
		{code: "echo $? $x", stdout: "4 5\n"},
		{code: "export E=env; printenv E; bash -c 'echo $E'", stdout: "env\nenv\n"},
		{code: "cat <<E\n$x\nE", stdout: "5\n"},
		{code: "exit 3\necho never", status: 3},
		{code: "echo on", stdout: "on\n"},
		{code: "g() { exit 7; }; echo $(g; echo no); g; echo no", status: 7, stdout: "\n"},
		{code: "local y=1", status: 1, stderr: "bash: line 1: local: can only be used in a function\n"},
		{code: "echo ok\nif true; then", stdout: "ok\n", status: 2, stderr: "bash: line 3: syntax error: unexpected end of file\n"},
		{code: "echo )", status: 2, stderr: "bash: line 1: syntax error near unexpected token `)'\nbash: line 1: `echo )'\n"},
		{code: "nothing", status: 127, stderr: "bash: line 1: nothing: command not found\n"},
		{code: "echo ${none:?is missing}; echo no", status: 127, stderr: "bash: line 1: none: is missing\n"},
		{code: "echo $((1/0)); echo no\necho yes", stdout: "yes\n", stderr: "bash: line 1: 1/0: division by 0 (error token is \"0\")\n"},
		{code: "set -e; set -o pipefail"},
		{code: "echo before; false; echo no", status: 1, stdout: "before\n"},
		{code: "if true; then", status: 2, stderr: "bash: line 2: syntax error: unexpected end of file\n"},
		{code: "exec nothing", status: 127, stderr: "bash: line 1: exec: nothing: not found\n"},
		{code: "echo $-", stdout: "ehB\n"},
		{code: "set +e; set +o pipefail"},
		{code: "trap 'echo bye $?' EXIT; trap 'echo usr' USR1"},
		{code: "kill -USR1 $$; echo on", stdout: "usr\non\n"},
		{code: "exit 2", stdout: "bye 2\n", status: 2},
		{code: "exit 2", status: 2},
		{code: "sleep 0.02 & p=$!"},
		{code: "wait $p; echo $?", stdout: "0\n"},
		{code: "(sleep 0.02; echo late > late.txt) & wait; cat late.txt", stdout: "late\n"},
		{code: "exec 3>kept.txt; echo one >&3"},
		{code: "echo two >&3; exec 3>&-; cat kept.txt", stdout: "one\ntwo\n"},
		{code: "printf 'echo script $1' > s; chmod +x s; ./s x; PATH=$PATH:. ; s y", stdout: "script x\nscript y\n"},
		{code: "diff <(echo a) <(echo b)", status: 1, stdout: "1c1\n< a\n---\n> b\n"},
		{code: "echo \"$0 $# $BASH_SUBSHELL\"; set -- p q", stdout: "bash 0 0\n"},
		{code: "echo $1 $2 $#", stdout: "p q 2\n"},
		{code: "read a b; echo \"<$a|$b>\"", stdout: "<|>\n"},
		{code: "umask 027; touch m; stat -c %a m", stdout: "640\n"},
		{code: "kill -TERM $(sleep 9 >&- & echo $!)"},
		{code: "bash -c 'kill -KILL $$'", status: 137, stderr: "bash: line 1: PID Killed                  bash -c 'kill -KILL $$'\n"},
	} {
		res := cell(t, s, c.code)
		stderr := processNumber.ReplaceAllString(res.Stderr, " PID Killed")
		if res.Stdout != c.stdout || stderr != c.stderr || res.ExitCode != c.status || res.Value != "" || res.Exception != nil {
			t.Errorf("%q: status %d, output %q, errors %q; want %d, %q, %q", c.code, res.ExitCode, res.Stdout, res.Stderr, c.status, c.stdout, c.stderr)
		}
	}
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(b []byte) (int, error) { return f(b) }

// Output is heard while the cell runs, and input is taken a line at a time, by the shell and by programs.
func TestStreaming(t *testing.T) {
	s := session(t, sandbox(t, newEngine(t), engine.Spec{}))
	in, typed := io.Pipe()
	out, w := io.Pipe()
	ended := make(chan error, 1)
	go func() { // ends with the cell
		_, err := s.Eval(t.Context(), engine.Cell{
			Code: "echo name?; read name; echo hello $name; head -n 1 | tr a-z A-Z", Stdin: in, Stdout: w,
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
	expect("hello Ann\n")
	if _, err := s.Eval(t.Context(), engine.Cell{Code: "true"}); !errors.Is(err, engine.ErrBusy) {
		t.Errorf("a second cell: %v", err)
	}
	io.WriteString(typed, "x\n")
	expect("X\n")
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	var stdout, stderr bytes.Buffer
	if _, err := s.Eval(t.Context(), engine.Cell{Code: "echo 1; ls nothing >&2", Stdout: &stdout, Stderr: &stderr}); err != nil ||
		stdout.String() != "1\n" || !strings.Contains(stderr.String(), "No such file") {
		t.Errorf("%q, %q, %v", stdout.String(), stderr.String(), err)
	}
}

// An interrupt ends a cell that computes or waits, its programs too, and not the session.
func TestInterrupt(t *testing.T) {
	s := session(t, sandbox(t, newEngine(t), engine.Spec{}))
	cell(t, s, "x=5")
	s.Interrupt() // between cells: nothing
	silent, w := io.Pipe()
	defer w.Close()
	for _, c := range []struct {
		code, stdout string
		status       int
	}{
		{"echo go; while :; do :; done", "go\n", 130},
		{"echo go; sleep 100; echo no", "go\n", 130},
		{"echo go; f() { sleep 100 | cat; }; f; echo no", "go\n", 130},
		{"echo go; read line", "go\n", 130},
		{"(echo go; sleep 100); echo no", "go\n", 130},
		{"echo go; y=$(sleep 100); echo no", "go\n", 130},
		{"for i in 1 2 3; do echo go; sleep 100; done", "go\n", 130},
		{"trap 'echo caught' INT; echo go; sleep 100; trap - INT; echo on", "go\ncaught\non\n", 0},
	} {
		started := make(chan struct{}, 9)
		var out bytes.Buffer
		go func() { // ends after the cell's first output
			<-started
			// A program that bash is about to start would miss it, as it would miss a Ctrl-C.
			time.Sleep(200 * time.Millisecond)
			s.Interrupt()
		}()
		res, err := s.Eval(t.Context(), engine.Cell{Code: c.code, Stdin: silent, Stdout: writerFunc(func(b []byte) (int, error) {
			started <- struct{}{}
			return out.Write(b)
		})})
		if err != nil || res.ExitCode != c.status || out.String() != c.stdout {
			t.Fatalf("%q: %d, %q, %q, %v", c.code, res.ExitCode, out.String(), res.Stderr, err)
		}
	}
	if res := cell(t, s, "echo $x; ps >/dev/null 2>&1; jobs"); res.Stdout != "5\n" {
		t.Errorf("afterwards x is %q", res.Stdout)
	}
	ctx, cancel := context.WithCancel(t.Context())
	_, err := s.Eval(ctx, engine.Cell{Code: "echo go; while :; do :; done", Stdout: writerFunc(func(b []byte) (int, error) {
		cancel()
		return len(b), nil
	})})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("canceled: %v", err)
	}
	if res := cell(t, s, "echo $x"); res.Stdout != "5\n" {
		t.Errorf("after a context's end x is %q", res.Stdout)
	}
}

// What kills the shell makes the session dead; the sandbox, and a new session of the name, go on.
func TestSessionDeath(t *testing.T) {
	sb := sandbox(t, newEngine(t), engine.Spec{Limits: engine.Limits{Wall: time.Second, Output: 50_000}})
	limit := func(which engine.Limit) func(error) bool {
		return func(err error) bool {
			var l *engine.LimitError
			return errors.As(err, &l) && l.Limit == which
		}
	}
	for _, c := range []struct {
		code   string
		is     func(error) bool
		status int
		stdout string
	}{
		{"while :; do :; done", limit(engine.LimitWall), 137, ""},
		{"trap '' INT; sleep 100", limit(engine.LimitWall), 137, ""},
		{"yes", limit(engine.LimitOutput), 137, ""},
		{"kill -KILL $$", func(err error) bool { return err == nil }, 137, ""},
		{"exec echo replaced", func(err error) bool { return err == nil }, 0, "replaced\n"},
		{"exec bash -c 'echo again; exec sh -c \"exit 5\"'", func(err error) bool { return err == nil }, 5, "again\n"},
	} {
		s := session(t, sb)
		cell(t, s, "x=1")
		res, err := s.Eval(t.Context(), engine.Cell{Code: c.code})
		if !c.is(err) || s.State() != engine.SessionDead || res.ExitCode != c.status || c.stdout != "" && res.Stdout != c.stdout {
			t.Errorf("%q: %v, %v, %d, %.80q", c.code, err, s.State(), res.ExitCode, res.Stdout)
		}
		if _, err := s.Eval(t.Context(), engine.Cell{Code: "x"}); !errors.Is(err, engine.ErrSessionDead) {
			t.Errorf("%q: afterwards %v", c.code, err)
		}
		if res := cell(t, session(t, sb), "echo <$x>"); res.Stdout == "<1>\n" {
			t.Errorf("%q: a new session has x", c.code)
		}
		if err := session(t, sb).Close(); err != nil {
			t.Error(err)
		}
	}
}

const prepare = `
mkdir -p work; cd work
n=1; arr=(a b c); declare -A m=([k]=v)
f() { echo "f $n ${arr[1]} ${m[k]}"; }
alias hi='echo hi'
set -o pipefail; shopt -s nullglob; umask 027; ulimit -n 300; ulimit -Sn 200
trap 'echo usr' USR1
exec 5>>log.txt; echo first >&5
big=$(printf '%0300000d' 7)
sleep 300 &
`

const show = `
pwd; f; hi; echo ${#big}; set -o | grep pipefail; echo *.none; umask; ulimit -Sn; ulimit -Hn
echo next >&5; cat log.txt; kill -USR1 $$; jobs | wc -l; [ $$ = $(cut -d' ' -f1 /proc/self/stat | head -1) ] || echo alive $(($$ > 1))
touch made; stat -c %a made; rm made; /bin/pwd; seq 3 | tail -1; sleep 0.01 & wait $! && echo waited
`

// A shell goes on in a copy of its sandbox, in one made of a snapshot, and in one read from a snapshot's bytes.
func TestCopies(t *testing.T) {
	e := newEngine(t)
	sb := sandbox(t, e, engine.Spec{})
	s := session(t, sb)
	if res := cell(t, s, prepare); res.ExitCode != 0 || res.Stderr != "" {
		t.Fatalf("%d, %q", res.ExitCode, res.Stderr)
	}
	const want = "/home/user/work\nf %s b v\nhi\n300000\npipefail       \ton\n\n0027\n200\n300\n"
	const after = "first\nnext\nusr\n0\nalive 1\n640\n/home/user/work\n3\nwaited\n"
	snapshot, err := sb.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer snapshot.Close()
	var file bytes.Buffer
	if _, err := snapshot.WriteTo(&file); err != nil {
		t.Fatal(err)
	}
	cell(t, s, "n=2; echo second >&5")
	for _, c := range []struct {
		name string
		make func() (*engine.Sandbox, error)
	}{
		{"snapshot", func() (*engine.Sandbox, error) { return snapshot.Sandbox(t.Context()) }},
		{"file", func() (*engine.Sandbox, error) {
			read, err := e.ReadSnapshot(t.Context(), &file, engine.ReadOptions{})
			if err != nil {
				return nil, err
			}
			return read.Sandbox(t.Context())
		}},
	} {
		copied, err := c.make()
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		defer copied.Close() //nolint:errcheck // nothing is written
		res := cell(t, session(t, copied), show)
		if res.Stdout != strings.Replace(want, "%s", "1", 1)+after || res.Stderr != "" {
			t.Errorf("%s: %q, %q", c.name, res.Stdout, res.Stderr)
		}
	}
	fork, err := sb.Fork(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer fork.Close() //nolint:errcheck // nothing is written
	if res := cell(t, session(t, fork), "n=3; f; cat log.txt"); res.Stdout != "f 3 b v\nfirst\nsecond\n" {
		t.Errorf("fork: %q, %q", res.Stdout, res.Stderr)
	}
	if res := cell(t, s, "f; jobs | wc -l"); res.Stdout != "f 2 b v\n1\n" {
		t.Errorf("the original: %q, %q", res.Stdout, res.Stderr)
	}
	a, b := cell(t, s, "echo $RANDOM $RANDOM $RANDOM").Stdout, cell(t, session(t, fork), "echo $RANDOM $RANDOM $RANDOM").Stdout
	if a == b {
		t.Errorf("both have the random numbers %s", a)
	}
}

// A program on a terminal knows which processes share it with the program.
func TestTerminal(t *testing.T) {
	sb := sandbox(t, newEngine(t), engine.Spec{})
	res, err := sb.Run(t.Context(), engine.Command{
		Args: []string{"bash", "-c", "stty size; ps > f; grep -cw bash f; grep -cw ps f; grep -cw init f"}, TTY: &engine.TTY{Rows: 24, Cols: 70},
	})
	if err != nil || res.Stdout != "24 70\r\n1\r\n1\r\n0\r\n" {
		t.Errorf("%q, %v", res.Stdout, err)
	}
}

func TestCompletion(t *testing.T) {
	s := session(t, sandbox(t, newEngine(t), engine.Spec{}))
	cell(t, s, "special_name=1; special_function() { :; }; mkdir special_dir; touch special_file; false")
	for _, c := range []struct {
		code    string
		start   int
		matches []string
	}{
		{"special_f", 0, []string{"special_function"}},
		{"echo $special_n", 5, []string{"$special_name"}},
		{"cat special_", 4, []string{"special_dir/", "special_file"}},
		{"cat < special_f", 6, []string{"special_file"}},
		{"true && sha256", 8, []string{"sha256sum"}},
		{"ls nothing_", 3, nil},
	} {
		got, err := s.Complete(t.Context(), c.code, len(c.code))
		if err != nil || got.Start != c.start || len(got.Matches)+len(c.matches) > 0 && !reflect.DeepEqual(got.Matches, c.matches) {
			t.Errorf("%q: %+v, %v", c.code, got, err)
		}
	}
	for code, want := range map[string]string{
		"":                       "complete",
		"echo a":                 "complete",
		"echo 'a":                "incomplete",
		"echo \"a\nb":            "incomplete",
		"cat <<E":                "incomplete",
		"cat <<E\na":             "incomplete",
		"cat <<E\na\nE":          "complete",
		"if true; then":          "incomplete",
		"for i in 1 2; do echo":  "incomplete",
		"f() {":                  "incomplete",
		"echo $(ls":              "incomplete",
		"echo ${x":               "incomplete",
		"ls |":                   "incomplete",
		"true &&":                "incomplete",
		"echo a \\":              "incomplete",
		"case x in":              "incomplete",
		"[[ a == b":              "incomplete",
		"echo )":                 "invalid",
		"done":                   "invalid",
		"f() { echo; }; rm -r .": "complete",
	} {
		if got, err := s.Check(t.Context(), code); err != nil || got.Status != want || got.Indent != "" {
			t.Errorf("%q: %+v, %v, want %s", code, got, err, want)
		}
	}
	if res := cell(t, s, "echo $?; ls"); res.Stdout != "1\nspecial_dir\nspecial_file\n" || res.Stderr != "" {
		t.Errorf("looking has left %q, %q", res.Stdout, res.Stderr)
	}
}
