package conformance

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/belljar-dev/belljar/engine"
	"github.com/belljar-dev/belljar/runtimes/shell"
)

// Flags of the test binary; see doc.go.
var (
	full   = flag.Bool("full", false, "run every module of CPython's test suite, not the quick list alone")
	update = flag.Bool("update", false, "write results that differ into "+expectationsFile)
	logs   = flag.String("logs", "", "write what each module printed into this folder")
)

// suiteEnv names the folder that fetch.sh made.
const suiteEnv = "BELLJAR_CPYTHON_TESTS"

// limits are generous: the suite makes large objects on purpose, and machines that run it are busy.
var limits = engine.Limits{Memory: 2 << 30, Wall: 5 * time.Minute, Output: 64 << 20}

// TestCPython runs modules of CPython's test suite, each in a sandbox of its own, and compares how they end with the
// expectations.
func TestCPython(t *testing.T) {
	dir := os.Getenv(suiteEnv)
	if dir == "" {
		t.Skipf("%s is not set: run fetch.sh DIR and set it to DIR", suiteEnv)
	}
	modules, err := listModules(dir)
	if err != nil {
		t.Fatal(err)
	}
	want, err := readExpectations(expectationsFile)
	if err != nil {
		t.Fatal(err)
	}
	if !*update {
		want.check(t, modules)
	}
	if !*full {
		if modules, err = quickModules(modules); err != nil {
			t.Fatal(err)
		}
	}
	got := runModules(t, dir, modules, want)
	t.Log(got)
	if *update {
		if err := want.merge(got.of).write(expectationsFile, expectationsHead); err != nil {
			t.Fatal(err)
		}
	}
}

// runModules runs each module as a parallel subtest, and answers when all have ended.
func runModules(t *testing.T, dir string, modules []string, want expectations) *results {
	plain := pythonWithTests(os.DirFS(dir))
	// Programs that are asked for processes expect a shell.
	able := engine.Compose("capable", shell.Image(), pythonWithTests(capable{os.DirFS(dir)}))
	eng, err := engine.New(engine.Config{Images: []engine.Image{plain, able}})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := eng.Close(); err != nil {
			t.Error(err)
		}
	}()
	return runEach(t, "modules", modules, want, func(t *testing.T, i int) result { return runModule(t, eng, modules[i]) })
}

// runEach runs what has these names as parallel subtests of a group, and answers when all have ended. run may skip.
func runEach(t *testing.T, group string, names []string, want expectations, run func(t *testing.T, i int) result) *results {
	got := &results{of: map[string]result{}}
	// Run returns after the parallel subtests of its function.
	t.Run(group, func(t *testing.T) {
		for i, name := range names {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				r := run(t, i)
				got.add(name, r)
				if !*update {
					compare(t, want.of(name), r)
				}
			})
		}
	})
	return got
}

// runModule runs one module under regrtest, the suite's own runner.
func runModule(t *testing.T, eng *engine.Engine, module string) result {
	ctx := t.Context()
	spec := engine.Spec{Image: "python", Limits: limits}
	if capableModules[module] {
		spec.Image = "capable"
	}
	sb, err := eng.Create(ctx, spec)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := sb.Close(); err != nil {
			t.Error(err)
		}
	}()
	if err := addStandIns(sb.Files(), module); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	both := &lockedWriter{w: &out}
	// -W prints the output of tests that fail. With a fixed seed two runs do the same.
	res, err := sb.Run(ctx, engine.Command{
		Args:   []string{"python3", "-m", "test", "-W", "--randseed", "1", module},
		Dir:    workingDir,
		Stdout: both, Stderr: both,
	})
	if errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	if *logs != "" {
		text := fmt.Appendf(out.Bytes(), "\nexit %d, error %v, %+v\n", res.ExitCode, err, res.Usage)
		if err := os.WriteFile(filepath.Join(*logs, module+".log"), text, 0o644); err != nil {
			t.Error(err)
		}
	}
	return judge(out.String(), res.ExitCode, err)
}

// lockedWriter joins a process's two streams.
type lockedWriter struct {
	mu sync.Mutex
	w  io.Writer
}

func (l *lockedWriter) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(b)
}

// compare fails the module's test if it ended otherwise than expected, for the better or the worse.
func compare(t *testing.T, want expectation, got result) {
	if want.met(got) {
		return
	}
	t.Errorf("is %s (%s), expected %s: %s", got, got.said, formatStatus(want.status, want.failed), want.reason)
	if got.status == fail {
		const most = 16 << 10
		t.Log(got.output[max(0, len(got.output)-most):])
	}
}
