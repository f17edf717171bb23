package js_test

import (
	_ "embed"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/belljar-dev/belljar/engine"
)

//go:embed testdata/language.txt
var languageChecks string

//go:embed testdata/language.js
var languageRunner string

// languageDiffers has the lines of testdata/language.txt, by how they begin, that don't hold, and why.
var languageDiffers = map[string]string{
	"eq(new Intl.NumberFormat('en', { roundingIncrement":                    "roundingIncrement and roundingPriority are RangeErrors",
	"eq([new Date(Date.UTC(2024, 6, 1, 12)).toLocaleString":                 "zones are those of /usr/share/zoneinfo, which the image js has not",
	"await rejects(SyntaxError, import('data:text/javascript,import a from": "a name that is imported may be declared again",
}

// TestLanguage checks that the language is the standard's, and node's where the standard leaves it open.
func TestLanguage(t *testing.T) {
	sb := newSandbox(t, newEngine(t), engine.Spec{Image: "js", Limits: engine.Limits{Wall: 2 * time.Minute}})
	for name, content := range map[string]string{"run.js": languageRunner, "checks.txt": languageChecks} {
		if err := sb.Files().WriteFile("/home/user/"+name, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	res, err := sb.Run(t.Context(), engine.Command{Args: []string{"node", "run.js", "checks.txt"}})
	if err != nil || res.ExitCode != 0 {
		t.Fatalf("status %d, %v\n%s", res.ExitCode, err, res.Stderr)
	}
	lines := strings.Split(languageChecks, "\n")
	failed := map[string]bool{}
	for _, failure := range languageFailures(t, res.Stdout) {
		known := false
		for begin := range languageDiffers {
			if strings.HasPrefix(lines[failure.line-1], begin) {
				known, failed[begin] = true, true
			}
		}
		if !known {
			t.Errorf("line %d: %s\n%.200s", failure.line, failure.what, lines[failure.line-1])
		}
	}
	for begin := range languageDiffers {
		if !failed[begin] {
			t.Errorf("holds, though it is said not to: %s", begin)
		}
	}
}

// TestLanguageOfNode has the machine's node pass the checks too, as far as it is said to have what they look at: else
// they would check what somebody has made up.
func TestLanguageOfNode(t *testing.T) {
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skip("there is no node on this machine to compare with")
	}
	version, err := exec.Command(node, "-p", "process.versions.node.split('.')[0]").Output()
	if err != nil {
		t.Fatal(err)
	}
	major, err := strconv.Atoi(strings.TrimSpace(string(version)))
	if err != nil || major != 20 {
		t.Skipf("the words of errors are those of Node 20, this is %s", version)
	}
	cmd := exec.Command(node, "language.js", "language.txt")
	cmd.Dir = filepath.Join(".", "testdata")
	cmd.Env = []string{"TZ=UTC", "HOME=/"}
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	since := regexp.MustCompile(`^# .*, node (\d+)$`)
	lines := strings.Split(languageChecks, "\n")
	for _, failure := range languageFailures(t, string(out)) {
		needs := 0
		for at := failure.line - 1; at >= 0 && needs == 0; at-- {
			if m := since.FindStringSubmatch(lines[at]); m != nil {
				needs, _ = strconv.Atoi(m[1])
			}
		}
		if needs <= major {
			t.Errorf("line %d: %s\n%.200s", failure.line, failure.what, lines[failure.line-1])
		}
	}
}

// languageFailure is a check that does not hold.
type languageFailure struct {
	line int
	what string
}

// languageFailures reads what testdata/language.js has printed.
func languageFailures(t *testing.T, out string) []languageFailure {
	t.Helper()
	var failures []languageFailure
	ran := 0
	for line := range strings.Lines(out) {
		number, what, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
		at, err := strconv.Atoi(number)
		if err != nil {
			t.Fatalf("a line of the runner: %q", line)
		}
		ran++
		if what != "" {
			failures = append(failures, languageFailure{at, what})
		}
	}
	want := 0
	for line := range strings.Lines(languageChecks) {
		if line != "\n" && !strings.HasPrefix(line, "# ") {
			want++
		}
	}
	if ran != want {
		t.Errorf("%d of %d checks ran", ran, want)
	}
	return failures
}
