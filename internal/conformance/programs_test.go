package conformance

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/belljar-dev/belljar/engine"
	"github.com/belljar-dev/belljar/runtimes/python"
	"github.com/belljar-dev/belljar/runtimes/shell"
)

// TestPythonPrograms runs programs of testdata/python, of the kind that agents write, in a sandbox with a shell. Each has to
// print what CPython 3.13 printed for it on Linux.
func TestPythonPrograms(t *testing.T) {
	files, err := filepath.Glob("testdata/python/*.py")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	eng, err := engine.New(engine.Config{Images: []engine.Image{engine.Compose("both", shell.Image(), python.Image())}})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := eng.Close(); err != nil {
			t.Error(err)
		}
	}()
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".py")
		t.Run(name, func(t *testing.T) {
			code, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			want, err := os.ReadFile(strings.TrimSuffix(file, ".py") + ".out")
			if err != nil {
				t.Fatal(err)
			}
			sb, err := eng.Create(t.Context(), engine.Spec{Limits: limits})
			if err != nil {
				t.Fatal(err)
			}
			defer sb.Close() //nolint:errcheck // what was printed is what counts
			if err := sb.Files().WriteFile("/tmp/program.py", code, 0o644); err != nil {
				t.Fatal(err)
			}
			res, err := sb.Run(t.Context(), engine.Command{Args: []string{"python3", "-u", "/tmp/program.py"}})
			if err != nil || res.ExitCode != 0 {
				t.Errorf("status %d, %v\n%s", res.ExitCode, err, res.Stderr)
			}
			if d := firstDifference(res.Stdout, string(want)); d != "" {
				t.Error(d)
			}
		})
	}
}

// firstDifference tells of the first line that differs.
func firstDifference(got, want string) string {
	g, w := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range max(len(g), len(w)) {
		var a, b string
		if i < len(g) {
			a = g[i]
		}
		if i < len(w) {
			b = w[i]
		}
		if a != b {
			return "got  " + a + "\nwant " + b
		}
	}
	return ""
}
