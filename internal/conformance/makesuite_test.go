package conformance

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/belljar-dev/belljar/engine"
	"github.com/belljar-dev/belljar/runtimes/shell"
)

const (
	makeRows = "testdata/make.txt"
	// makeEvery: without -full only each so many'th script is run.
	makeEvery = 4
)

const makeRowsHead = `# What each script of GNU make's own test suite does here that doesn't simply pass: script, status, reason.
#
#   skip            the script says itself that it can't run here
#   fail            it fails
#
# -update rewrites the statuses; reasons are written by hand, and one that begins with "?" is refused.

`

// makeClient is make for the suite, which is perl and runs on this machine: it tells a socket where it was called and how, and shows
// what comes back. All words are strings behind their lengths, of four bytes.
const makeClient = `#!/usr/bin/perl
use Cwd; use IO::Socket::UNIX;
my $test = IO::Socket::UNIX->new(Peer => '%s') or die "make: connect: $!\n";
my $input = do { local $/; <STDIN> };
my @streams = map { join(':', (stat $_)[0, 1]) } \*STDOUT, \*STDERR;
$test->print(map { pack('N/a*', $_) } getcwd(), $streams[0] eq $streams[1] ? 'one' : 'two', scalar(@ARGV), @ARGV, scalar(keys %%ENV), map({ "$_=$ENV{$_}" } sort keys %%ENV), defined $input ? $input : '');
$test->flush;
my $head;
while ($test->read($head, 5) == 5) {
	my ($kind, $length) = unpack('CN', $head);
	my $text = '';
	$length == 0 or $test->read($text, $length) == $length or last;
	if ($kind > 0) { syswrite($kind == 1 ? STDOUT : STDERR, $text); next }
	kill($text - 128, $$) if $text > 128;
	exit($text);
}
die "make: the test has gone\n";
`

// makeHelper stands in for perl in the sandbox, where makefiles of the suite call thelp.pl: the steps that it knows.
const makeHelper = `#!/bin/bash
case $1 in *thelp.pl) ;; *) echo "no perl" >&2; exit 99 ;; esac
shift
quiet= limit=10
[ "$1" != -q ] || { quiet=1; shift; }
say() { [ -n "$quiet" ] || echo "$1 $2"; }
fail() { echo "$*" >&2; exit 2; }
while [ $# -gt 1 ]; do
	case $1 in
	out) echo "$2" ;;
	raw) printf %s "$2" ;;
	env) [ -n "$quiet" ] || printf %s "$2="; printenv "$2" || echo '<unset>' ;;
	file) say file "$2"; : >"$2" || exit 2 ;;
	dir) say dir "$2"; mkdir "$2" || exit 2 ;;
	rm) if [ -d "$2" ]; then rmdir "$2"; else rm "$2"; fi || exit 2; say rm "$2" ;;
	exist) [ -f "$2" ] || fail "$2: file should exist"; say exist "$2" ;;
	noexist) [ ! -f "$2" ] || fail "$2: file exists"; say noexist "$2" ;;
	tmout) limit=$2; say tmout "$2" ;;
	wait)
		for ((end = SECONDS + limit; ; )); do
			[ ! -f "$2" ] || break
			((SECONDS <= end)) || fail "wait $2: timeout"
			sleep 0.1
		done
		say wait "$2" ;;
	sleep) sleep "$2"; say sleep "$2" ;;
	term) say term "$2"; kill -TERM "$2" ;;
	fail) say fail "$2"; exit "$2" ;;
	*) fail "Invalid command: $1 $2" ;;
	esac
	shift 2
done
`

// makeScripts lists the suite's scripts. Those of vms are another system's.
func makeScripts(dir string) (list []string, err error) {
	files, err := filepath.Glob(filepath.Join(dir, "tests/scripts/*/*"))
	for _, file := range files {
		folder := filepath.Base(filepath.Dir(file))
		if folder != "vms" {
			list = append(list, folder+"/"+filepath.Base(file))
		}
	}
	slices.Sort(list)
	return list, err
}

// TestMake runs GNU make's own test suite. Its driver is perl and runs on this machine, in a folder that a sandbox has at the same
// path: there make runs, and all that it runs.
func TestMake(t *testing.T) {
	dir := os.Getenv(gnuSuiteEnv)
	if dir == "" {
		t.Skipf("%s is not set: run fetch-gnu.sh DIR and set it to DIR", gnuSuiteEnv)
	}
	dir = filepath.Join(dir, "make-dfsg")
	want, err := readExpectations(makeRows)
	if err != nil {
		t.Fatal(err)
	}
	names, err := makeScripts(dir)
	if err != nil || len(names) == 0 {
		t.Fatalf("%d scripts, %v", len(names), err)
	}
	if !*update {
		want.check(t, names)
	}
	im := engine.Compose("shell", shell.Image())
	im.Programs = append(slices.Clone(im.Programs), engine.Program{
		Path: "/usr/bin/perl", Script: func() ([]byte, error) { return []byte(makeHelper), nil },
	})
	eng, err := engine.New(engine.Config{Images: []engine.Image{im}})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := eng.Close(); err != nil {
			t.Error(err)
		}
	}()
	var run []string
	for i, name := range names {
		if *full || i%makeEvery == 0 {
			run = append(run, name)
		}
	}
	got := runEach(t, "scripts", run, want, func(t *testing.T, i int) result { return runMakeScript(t, eng, dir, run[i]) })
	t.Log(got)
	if *update {
		if err := want.merge(got.of).write(makeRows, makeRowsHead); err != nil {
			t.Fatal(err)
		}
	}
}

// runMakeScript runs one script of the suite in a copy of its own.
func runMakeScript(t *testing.T, eng *engine.Engine, dir, name string) result {
	// A short path: it is a socket's, too.
	home, err := os.MkdirTemp("/tmp", "make")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(home) //nolint:errcheck // a temporary folder
	if err := os.CopyFS(home, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	tests, socket := filepath.Join(home, "tests"), filepath.Join(home, "socket")
	if err := os.WriteFile(filepath.Join(home, "make"), fmt.Appendf(nil, makeClient, socket), 0o755); err != nil {
		t.Fatal(err)
	}
	sb, err := eng.Create(t.Context(), engine.Spec{
		Limits: gnuLimits, Mounts: []engine.Mount{{Host: tests, Path: tests, ReadWrite: true}},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := sb.Close(); err != nil {
			t.Error(err)
		}
	}()
	stop := serveMake(t, sb, socket)
	defer stop()
	// Others' signals, and a terminal that the machine may have, are not for the suite.
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	driver := exec.CommandContext(ctx, "setsid", "perl", "run_make_tests.pl", "-srcdir", home, "-make", filepath.Join(home, "make"), name)
	driver.Dir = tests
	driver.Env = []string{"PATH=" + home + ":/usr/bin:/bin", "LC_ALL=C", "HOME=/home/user"}
	out, err := driver.CombinedOutput()
	if *logs != "" {
		differ, _ := filepath.Glob(filepath.Join(tests, "work", name+"*.diff*"))
		for _, file := range differ {
			text, _ := os.ReadFile(file)
			out = append(out, text...)
		}
		file := filepath.Join(*logs, "make-"+filepath.Base(filepath.Dir(name))+"-"+filepath.Base(name)+".log")
		if err := os.WriteFile(file, out, 0o644); err != nil {
			t.Error(err)
		}
	}
	return judgeMake(string(out), err)
}

var makeVerdict = regexp.MustCompile(`(?m)^\S+ \.* (?:(ok) +\((\d+) passed\)|(N/A)|FAILED \((.*)\))$`)

// judgeMake reads a result from what the driver printed for one script and how it ended.
func judgeMake(output string, err error) result {
	r := result{status: fail, output: output}
	switch m := makeVerdict.FindStringSubmatch(output); {
	case m == nil:
		r.said = fmt.Sprintf("no verdict: %v", err)
	case m[1] != "" && err == nil:
		r.status = pass
	case m[3] != "":
		r.status, r.said = skip, m[3]
	default:
		r.said = m[4]
	}
	return r
}

func TestJudgeMake(t *testing.T) {
	bad := errors.New("exit status 1")
	for _, c := range []struct {
		output string
		err    error
		want   status
	}{
		{"features/a ...... ok     (3 passed)\n", nil, pass},
		{"features/a ...... ok     (3 passed)\n", bad, fail},
		{"features/a ...... N/A\n", nil, skip},
		{"features/a ...... FAILED (2/3 passed)\n", bad, fail},
		{"perl: not found\n", bad, fail},
	} {
		if got := judgeMake(c.output, c.err).status; got != c.want {
			t.Errorf("%q, %v: %s, want %s", c.output, c.err, got, c.want)
		}
	}
}

// serveMake answers what makeClients ask at a socket, until stop, which waits for those that are under way.
func serveMake(t *testing.T, sb *engine.Sandbox, socket string) (stop func()) {
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var calls sync.WaitGroup
	calls.Go(func() { // ends with the listener
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			calls.Go(func() { // ends with the program, or with ctx
				defer conn.Close()
				if err := callMake(ctx, sb, conn); err != nil {
					t.Log("make:", err)
				}
			})
		}
	})
	return func() {
		_ = l.Close() // it was open
		cancel()
		calls.Wait()
	}
}

// callMake runs make once. A driver that gives up closes its end of conn, and with it the program's standard output.
func callMake(ctx context.Context, sb *engine.Sandbox, conn net.Conn) error {
	from := bufio.NewReader(conn)
	dir, err := makeWord(from)
	if err != nil {
		return err
	}
	streams, err := makeWord(from)
	if err != nil {
		return err
	}
	args, err := makeWords(from)
	if err != nil {
		return err
	}
	env, err := makeWords(from)
	if err != nil {
		return err
	}
	input, err := makeWord(from)
	if err != nil {
		return err
	}
	// make wants a FIFO among its temporary files, which a folder of the host's doesn't take.
	env = slices.DeleteFunc(env, func(v string) bool { return strings.HasPrefix(v, "TMPDIR=") })
	script := `exec make "$@"`
	if streams == "one" {
		script += " 2>&1" // in the order of writing
	}
	var mu sync.Mutex
	r, err := sb.Run(ctx, engine.Command{
		Args: append([]string{"sh", "-c", script, "make"}, args...), Env: env, Dir: dir,
		Stdin: strings.NewReader(input), Stdout: makeOutput{conn, &mu, 1}, Stderr: makeOutput{conn, &mu, 2},
	})
	if err != nil {
		return err
	}
	return makeFrame(conn, 0, []byte(strconv.Itoa(r.ExitCode)))
}

func makeWords(from io.Reader) (words []string, err error) {
	count, err := makeWord(from)
	if err != nil {
		return nil, err
	}
	n, err := strconv.Atoi(count)
	for range n {
		word, err := makeWord(from)
		if err != nil {
			return nil, err
		}
		words = append(words, word)
	}
	return words, err
}

func makeWord(from io.Reader) (string, error) {
	var n uint32
	if err := binary.Read(from, binary.BigEndian, &n); err != nil {
		return "", err
	}
	b := make([]byte, n)
	_, err := io.ReadFull(from, b)
	return string(b), err
}

// makeOutput frames what a program writes to one of its streams.
type makeOutput struct {
	to   io.Writer
	mu   *sync.Mutex // of to
	kind byte
}

func (m makeOutput) Write(b []byte) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := makeFrame(m.to, m.kind, b); err != nil {
		return 0, err
	}
	return len(b), nil
}

func makeFrame(to io.Writer, kind byte, b []byte) error {
	head := binary.BigEndian.AppendUint32([]byte{kind}, uint32(len(b)))
	_, err := to.Write(append(head, b...))
	return err
}
