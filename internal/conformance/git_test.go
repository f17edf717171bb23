package conformance

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/belljar-dev/belljar/engine"
	"github.com/belljar-dev/belljar/runtimes/git"
	"github.com/belljar-dev/belljar/runtimes/shell"
)

const (
	gitSuiteEnv = "BELLJAR_GIT_TESTS" // names the folder that fetch-git.sh made
	gitRows     = "testdata/git.txt"
)

// gitImage is git and a shell, with git's tests where they expect to lie: beside a build.
func gitImage(tests fs.FS) engine.Image {
	im := engine.Compose("git", shell.Image(), git.Image())
	im.Programs = append(slices.Clone(im.Programs), engine.Program{Path: "/usr/bin/test-tool", Func: testTool})
	im.Layers = append(slices.Clone(im.Layers), engine.Layer{Path: "/git", FS: tests})
	return im
}

// tap is how one script of the suite ended, by the protocol that it prints (https://testanything.org).
type tap struct {
	passed, skipped int
	failed          []string // numbers
	plan            bool     // it came to its end
	output          string
}

func (r tap) String() string {
	switch {
	case !r.plan:
		return "broken"
	case len(r.failed) > 0:
		return "fail:" + strings.Join(r.failed, ",")
	case r.passed == 0:
		return "skip"
	}
	return "pass"
}

var tapLine = regexp.MustCompile(`(?m)^(?:(ok|not ok) (\d+)(.*)|1\.\.(\d+).*)$`)

// readTAP reads it. Breakages that the suite itself expects are no failures.
func readTAP(output string) tap {
	r := tap{output: output}
	for _, m := range tapLine.FindAllStringSubmatch(output, -1) {
		switch {
		case m[4] != "":
			r.plan = true
		case strings.Contains(m[3], "# skip"):
			r.skipped++
		case m[1] == "ok" || strings.Contains(m[3], "# TODO known breakage"):
			r.passed++
		default:
			r.failed = append(r.failed, m[2])
		}
	}
	return r
}

// gitRow says how a script ends.
type gitRow struct{ script, result, reason string }

func readGitRows(t *testing.T) (rows []gitRow) {
	t.Helper()
	text, err := os.ReadFile(gitRows)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		f := strings.Fields(line)
		if len(f) == 0 || f[0] == "#" {
			continue
		}
		if len(f) < 2 || f[1] != "pass" && len(f) < 3 || f[1] == "pass" && len(f) > 2 {
			t.Fatalf("%s: %q: a script, a result, and a reason unless it passes", gitRows, line)
		}
		rows = append(rows, gitRow{f[0], f[1], strings.Join(f[2:], " ")})
	}
	return rows
}

// TestGit runs scripts of git's own test suite, each in a sandbox of its own: those with a row in testdata/git.txt, and with
// -full all, whose results it logs.
func TestGit(t *testing.T) {
	dir := os.Getenv(gitSuiteEnv)
	if dir == "" {
		t.Skipf("%s is not set: run fetch-git.sh DIR and set it to DIR", gitSuiteEnv)
	}
	rows := readGitRows(t)
	if *full {
		found, err := filepath.Glob(filepath.Join(dir, "t", "t[0-9]*.sh"))
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range found {
			name = strings.TrimSuffix(filepath.Base(name), ".sh")
			if !slices.ContainsFunc(rows, func(r gitRow) bool { return r.script == name }) {
				rows = append(rows, gitRow{script: name})
			}
		}
	}
	eng, err := engine.New(engine.Config{Images: []engine.Image{gitImage(os.DirFS(dir))}})
	if err != nil {
		t.Fatal(err)
	}
	defer eng.Close()
	t.Run("scripts", func(t *testing.T) {
		for _, row := range rows {
			t.Run(row.script, func(t *testing.T) {
				t.Parallel()
				got := runGitScript(t, eng, row.script)
				t.Logf("%s %s passed=%d skipped=%d", row.script, got, got.passed, got.skipped)
				if *logs != "" {
					if err := os.WriteFile(filepath.Join(*logs, row.script), []byte(got.output), 0o644); err != nil {
						t.Error(err)
					}
				}
				if row.result != "" && row.result != got.String() {
					t.Errorf("%s, and its row says %s %s\n%s", got, row.result, row.reason, got.output)
				}
			})
		}
	})
}

// gitLimits are generous, but for the scripts that wait for a server that isn't there.
var gitLimits = engine.Limits{Memory: 1 << 30, Wall: 2 * time.Minute, Output: 64 << 20}

// runGitScript runs a script by sh, as git's makefile does with an installed git.
func runGitScript(t *testing.T, eng *engine.Engine, script string) tap {
	t.Helper()
	sb, err := eng.Create(t.Context(), engine.Spec{Limits: gitLimits})
	if err != nil {
		t.Fatal(err)
	}
	defer sb.Close()
	verbose := ""
	if *logs != "" {
		verbose = " -v"
	}
	// The results go beside the scripts, where nothing can be written.
	command := fmt.Sprintf("cd /git/t && exec /bin/sh ./%s.sh --root=/tmp/trash%s 2>&1", script, verbose)
	r, err := sb.Run(t.Context(), engine.Command{
		Args: []string{"bash", "-c", command},
		Env: []string{"GIT_TEST_INSTALLED=/usr/bin", "GIT_TEST_CHAIN_LINT=0", "TEST_NO_MALLOC_CHECK=1", "TEST_OUTPUT_DIRECTORY=/tmp", "LANG=C.UTF-8",
			"TERM=dumb", "TEST_SHELL_PATH=/bin/sh"},
	})
	out := r.Stdout + r.Stderr
	if err != nil {
		out += "\n" + err.Error() + "\n"
	}
	got := readTAP(out)
	got.plan = got.plan && err == nil
	return got
}

func TestReadTAP(t *testing.T) {
	for text, want := range map[string]string{
		"ok 1 - a\nok 2 # skip b (missing X)\n# passed all 2 test(s)\n1..2\n": "pass",
		"ok 1 - a\nnot ok 2 - b\n#\tx\n1..2\n":                                "fail:2",
		"not ok 1 - a # TODO known breakage\n1..1\n":                          "pass",
		"1..0 # SKIP no such thing\n":                                         "skip",
		"ok 1 - a\n":                                                          "broken",
		"":                                                                    "broken",
	} {
		if got := readTAP(text).String(); got != want {
			t.Errorf("%q: %s, want %s", text, got, want)
		}
	}
}
