package conformance

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/belljar-dev/belljar/engine"
	"github.com/belljar-dev/belljar/runtimes/shell"
)

// differing names the scripts that may differ from native bash, and why.
var differing = map[string]string{}

// TestScripts runs the scripts of testdata/scripts in a sandbox and by the machine's own bash, each in an empty
// folder. Output, status and the folder left behind must be equal.
func TestScripts(t *testing.T) {
	native, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("no bash to compare with")
	}
	scripts := readScripts(t)
	e, err := engine.New(engine.Config{Images: []engine.Image{shell.Image()}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	for _, s := range scripts {
		t.Run(s.name, func(t *testing.T) {
			if why := differing[s.name]; why != "" {
				t.Skip(why)
			}
			got, want := inSandbox(t, e, s.text), natively(t, native, s.text)
			if got != want {
				t.Errorf("in the sandbox:\n%s\nnatively:\n%s", got, want)
			}
		})
	}
}

type script struct{ name, text string }

// readScripts reads testdata/scripts: a script is a file of its own, or in cases.txt what follows its name.
func readScripts(t *testing.T) []script {
	t.Helper()
	var list []script
	files, err := filepath.Glob("testdata/scripts/*.sh")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range append(files, "testdata/scripts/cases.txt") {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if name, one := strings.CutSuffix(filepath.Base(file), ".sh"); one {
			list = append(list, script{name, string(text)})
			continue
		}
		for part := range strings.SplitSeq("\n"+string(text), "\n#### ") {
			if name, body, ok := strings.Cut(part, "\n"); ok && name != "" {
				list = append(list, script{name, body + "\n"})
			}
		}
	}
	return list
}

// outcome describes what a script did: output, status and files.
func outcome(stdout string, status int, files fs.FS) (string, error) {
	var b strings.Builder
	b.WriteString(stdout)
	fmt.Fprintf(&b, "status %d\n", status)
	err := fs.WalkDir(files, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || name == "." {
			return err
		}
		fmt.Fprintf(&b, "%v %s", d.Type(), name)
		if d.Type().IsRegular() && !strings.HasSuffix(name, "gz") && !strings.HasSuffix(name, "zip") && !strings.HasSuffix(name, "tbz") {
			content, err := fs.ReadFile(files, name)
			if err != nil {
				return err
			}
			fmt.Fprintf(&b, " %q", content)
		}
		b.WriteByte('\n')
		return nil
	})
	return b.String(), err
}

func inSandbox(t *testing.T, e *engine.Engine, script string) string {
	t.Helper()
	sb, err := e.Create(t.Context(), engine.Spec{})
	if err != nil {
		t.Fatal(err)
	}
	defer sb.Close() //nolint:errcheck // the outcome is what counts
	r, err := sb.Run(t.Context(), engine.Command{Args: []string{"bash", "-c", script}})
	if err != nil {
		t.Fatalf("%v\n%s%s", err, r.Stdout, r.Stderr)
	}
	files, err := fs.Sub(sb.Files().FS(), "home/user")
	if err != nil {
		t.Fatal(err)
	}
	o, err := outcome(r.Stdout, r.ExitCode, files)
	if err != nil {
		t.Fatal(err)
	}
	t.Log(r.Stderr)
	return o
}

func natively(t *testing.T, bash, script string) string {
	t.Helper()
	dir := t.TempDir()
	cmd := exec.CommandContext(t.Context(), bash, "-c", script)
	cmd.Dir = dir
	cmd.Env = []string{"HOME=" + dir, "PATH=" + os.Getenv("PATH"), "LANG=C.UTF-8"}
	var stdout bytes.Buffer
	cmd.Stdout = &stdout
	// Whoever started the tests may ignore hangups, as nohup does, and a shell can't take that back; what this process
	// catches begins at its default in the child.
	hangup := make(chan os.Signal, 1)
	signal.Notify(hangup, syscall.SIGHUP)
	defer signal.Stop(hangup)
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	o, err := outcome(stdout.String(), cmd.ProcessState.ExitCode(), os.DirFS(dir))
	if err != nil {
		t.Fatal(err)
	}
	return o
}
