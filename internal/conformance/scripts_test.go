package conformance

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
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
	scripts, err := filepath.Glob("testdata/scripts/*.sh")
	if err != nil || len(scripts) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
	e, err := engine.New(engine.Config{Images: []engine.Image{shell.Image()}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	for _, file := range scripts {
		name := strings.TrimSuffix(filepath.Base(file), ".sh")
		t.Run(name, func(t *testing.T) {
			if why := differing[name]; why != "" {
				t.Skip(why)
			}
			script, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			got, want := inSandbox(t, e, string(script)), natively(t, native, string(script))
			if got != want {
				t.Errorf("in the sandbox:\n%s\nnatively:\n%s", got, want)
			}
		})
	}
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
