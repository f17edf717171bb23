package conformance

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/belljar-dev/belljar/engine"
	"github.com/belljar-dev/belljar/runtimes/shell"
)

const (
	gnuSuiteEnv = "BELLJAR_GNU_TESTS" // names the folder that fetch-gnu.sh made
	gnuRows     = "testdata/gnu.txt"
)

// gnuRowsHead begins the file.
const gnuRowsHead = `# What each script of bash's and the GNU tools' own test suites does here that doesn't simply pass: script, status, reason.
#
#   skip            the script says itself that it can't run here
#   fail:12,30      of bash's suite: what it printed differs from what is expected, from these lines of that on
#   fail            it fails
#
# -update rewrites the statuses; reasons are written by hand, and one that begins with "?" is refused.

`

// gnuSuite is the test suite of one source package.
type gnuSuite struct {
	name    string // of the package
	dir     string // where the scripts are run, below the package's
	scripts func(dir fs.FS) ([]string, error)
	command string // runs script $1: status 0 is a pass, 77 a skip
	tools   string // what the package's makefile would have built, $2
	every   int    // without -full only each so many'th script is run
}

// gnuScript is one script of a suite, in the sandbox that it is run in a copy of.
type gnuScript struct {
	suite  gnuSuite
	script string
	base   func() (*engine.Sandbox, error)
}

func (s gnuScript) name() string { return s.suite.name + "/" + s.script }

// TestGNU runs scripts of the test suites of bash and of GNU tools, each in a sandbox of its own, and compares how they
// end with the rows of testdata/gnu.txt.
func TestGNU(t *testing.T) {
	dir := os.Getenv(gnuSuiteEnv)
	if dir == "" {
		t.Skipf("%s is not set: run fetch-gnu.sh DIR and set it to DIR", gnuSuiteEnv)
	}
	want, err := readExpectations(gnuRows)
	if err != nil {
		t.Fatal(err)
	}
	im := engine.Compose("shell", shell.Image())
	im.Programs = append(slices.Clone(im.Programs), suitePrograms...)
	im.Layers = append(slices.Clone(im.Layers), engine.Layer{Path: "/suites", FS: os.DirFS(dir)})
	eng, err := engine.New(engine.Config{Images: []engine.Image{im}})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := eng.Close(); err != nil {
			t.Error(err)
		}
	}()
	var run []gnuScript
	var names, runs []string
	for _, suite := range gnuSuites {
		list, err := suite.scripts(os.DirFS(filepath.Join(dir, suite.name, suite.dir)))
		if err != nil || len(list) == 0 {
			t.Fatalf("%s: %d scripts, %v", suite.name, len(list), err)
		}
		base := sync.OnceValues(func() (*engine.Sandbox, error) { return suiteSandbox(t, eng, suite) })
		for i, name := range list {
			s := gnuScript{suite, name, base}
			names = append(names, s.name())
			if *full || i%suite.every == 0 {
				run, runs = append(run, s), append(runs, s.name())
			}
		}
	}
	if !*update {
		want.check(t, names)
	}
	got := runEach(t, "scripts", runs, want, func(t *testing.T, i int) result {
		r := run[i].run(t)
		if r.tooBusy() {
			t.Skip(r.said)
		}
		return r
	})
	t.Log(got)
	if *update {
		if err := want.merge(got.of).write(gnuRows, gnuRowsHead); err != nil {
			t.Fatal(err)
		}
	}
}

// gnuLimits are generous: machines that run the suites are busy.
var gnuLimits = engine.Limits{Memory: 1 << 30, Wall: 5 * time.Minute, Output: 64 << 20}

// suiteSandbox makes a sandbox that has a suite where it can be written to. It lives until the engine's end.
func suiteSandbox(t *testing.T, eng *engine.Engine, suite gnuSuite) (*engine.Sandbox, error) {
	sb, err := eng.Create(t.Context(), engine.Spec{Limits: gnuLimits})
	if err != nil {
		return nil, err
	}
	r, err := sb.Run(t.Context(), engine.Command{Args: []string{"cp", "-R", "/suites/" + suite.name, "."}})
	if err == nil && r.ExitCode != 0 {
		err = errors.New(r.Stderr)
	}
	return sb, err
}

// run runs the script in a copy of its suite's sandbox.
func (s gnuScript) run(t *testing.T) result {
	base, err := s.base()
	if err != nil {
		t.Fatal(err)
	}
	sb, err := base.Fork(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := sb.Close(); err != nil {
			t.Error(err)
		}
	}()
	r, err := sb.Run(t.Context(), engine.Command{
		Args: []string{"bash", "-c", s.suite.command, "bash", s.script, s.suite.tools},
		Dir:  path.Join(workingDir, s.suite.name, s.suite.dir),
	})
	if *logs != "" {
		file := filepath.Join(*logs, strings.ReplaceAll(s.name(), "/", "-")+".log")
		text := fmt.Sprintf("%s\n%s\nexit %d, error %v, %+v\n", r.Stdout, r.Stderr, r.ExitCode, err, r.Usage)
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Error(err)
		}
	}
	return judgeGNU(s.suite.name == "bash", r.Stdout, r.ExitCode, err)
}

// What scripts print: of a skip its reason, of bash's suite what diff says of output and expectation.
var (
	gnuSkip   = regexp.MustCompile(`(?m)^.*skipped test: (.*)$`)
	gnuDiffer = regexp.MustCompile(`(?m)^(?:\d+,)?\d+[acd](\d+)(?:,\d+)?$`)
)

// exitSkip is the status of a script that skips itself.
const exitSkip = 77

// judgeGNU reads a result from how a script ended, and of bash's suite from what it printed.
func judgeGNU(bash bool, output string, exit int, err error) result {
	r := result{status: pass, output: output}
	switch {
	case err != nil:
		r.status, r.said = fail, err.Error()
	case exit == exitSkip:
		r.status = skip
		if why := gnuSkip.FindStringSubmatch(output); why != nil {
			r.said = why[1]
		}
	case exit != 0:
		r.status, r.said = fail, fmt.Sprintf("exit status %d", exit)
		if bash {
			for _, m := range gnuDiffer.FindAllStringSubmatch(output, -1) {
				r.failed = append(r.failed, m[1])
			}
		}
	}
	slices.Sort(r.failed)
	return r
}

// tooBusy reports whether a script did without its test as it took the machine, which was too slow for it, for one that can't
// end programs in time. Another time it may go on.
func (r result) tooBusy() bool {
	return r.status == skip && strings.HasSuffix(r.said, "did not time out")
}

func TestJudgeGNU(t *testing.T) {
	for _, c := range []struct {
		bash   bool
		output string
		exit   int
		err    error
		want   string
	}{
		{want: "pass"},
		{output: "x: skipped test: no perl\n", exit: 77, want: "skip"},
		{output: "12c13\n< a\n---\n> b\n20,22d9\n< x\n", exit: 1, bash: true, want: "fail:13,9"},
		{output: "12c13\n", exit: 1, want: "fail"},
		{err: errors.New("wall limit"), want: "fail"},
	} {
		if got := judgeGNU(c.bash, c.output, c.exit, c.err).String(); got != c.want {
			t.Errorf("%q, status %d: %s, want %s", c.output, c.exit, got, c.want)
		}
	}
}
