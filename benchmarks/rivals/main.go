package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"

	"github.com/belljar-dev/belljar/benchmarks"
	"github.com/belljar-dev/belljar/engine"
	"github.com/belljar-dev/belljar/runtimes/js"
	"github.com/belljar-dev/belljar/runtimes/python"
	"github.com/belljar-dev/belljar/runtimes/shell"
)

func main() {
	var to output
	flag.StringVar(&to.text, "write", "", "write the report to `FILE`, with pictures in benchmarks/plots beside it, instead of to standard output")
	flag.StringVar(&to.json, "json", "", "write all figures to `FILE`, too")
	fast := flag.Bool("quick", false, "fewer runs, and none of the engine's own figures")
	own := flag.String("own", "", "take the engine's own figures from `FILE`, which an earlier run wrote by -json, instead of measuring them")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, to, *fast, *own); err != nil {
		fmt.Fprintln(os.Stderr, "rivals:", err)
		os.Exit(1)
	}
}

// run measures and writes, what the engine's own figures are as soon as they are known.
func run(ctx context.Context, to output, fast bool, earlier string) (err error) {
	var r result
	b := quick
	if !fast {
		b = whole
		if earlier != "" {
			r.Own, err = readOwn(earlier)
		} else {
			r.Own, err = ownFigures(ctx)
		}
		if err != nil {
			return err
		}
		if err := to.write(&r); err != nil {
			return err
		}
	}
	if r.Tables, r.Missing, err = compare(ctx, b); err != nil {
		return err
	}
	return to.write(&r)
}

// readOwn reads the engine's own figures of an earlier run.
func readOwn(file string) (*benchmarks.Report, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var r result
	if err := json.Unmarshal(data, &r); err != nil {
		return nil, fmt.Errorf("read figures of %s: %w", file, err)
	}
	if r.Own == nil {
		return nil, fmt.Errorf("read figures of %s: the engine's own are not in it", file)
	}
	return r.Own, nil
}

// ownFigures builds the command, which figures of whole processes need, and measures.
func ownFigures(ctx context.Context) (*benchmarks.Report, error) {
	dir, err := os.MkdirTemp("", "belljar-rivals-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	binary := filepath.Join(dir, "belljar")
	module, err := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}", "github.com/belljar-dev/belljar").Output()
	if err != nil {
		return nil, fmt.Errorf("find belljar's module: %w", err)
	}
	build := exec.CommandContext(ctx, "go", "build", "-o", binary, "./cmd/belljar")
	build.Dir = strings.TrimSpace(string(module)) // its own go.mod has what the command needs
	if out, err := build.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("build belljar: %w: %s", err, out)
	}
	return benchmarks.Run(ctx, benchmarks.Options{Binary: binary, Log: os.Stderr})
}

// compare measures all that can be had beside ours.
func compare(ctx context.Context, b budget) (tables []*table, missing []absence, err error) {
	eng, err := engine.New(engine.Config{Images: []engine.Image{python.Image(), shell.Image(), js.Image()}})
	if err != nil {
		return nil, nil, err
	}
	defer func() { err = errors.Join(err, eng.Close()) }()
	f, err := enter(ctx, eng)
	if err != nil {
		return nil, nil, err
	}
	defer func() { err = errors.Join(err, f.close()) }()
	fmt.Fprintln(os.Stderr, "measuring: starts")
	t, err := starts(ctx, f, b)
	if err != nil {
		return nil, nil, err
	}
	tables = append(tables, t)
	for _, c := range []struct {
		lang     string
		programs []benchmarks.Program
	}{{"python", benchmarks.PythonPrograms(4)}, {"js", benchmarks.JavaScriptPrograms(4)}} {
		fmt.Fprintln(os.Stderr, "measuring: compute,", c.lang)
		if t, err = computes(ctx, f, b, c.lang, c.programs); err != nil {
			return nil, nil, err
		}
		tables = append(tables, t)
	}
	for _, set := range []struct {
		name, lang string
		native     []string
		programs   func() ([]benchmarks.Program, error)
	}{
		{"HumanEval", "python", []string{"/usr/bin/python3", "-c"}, benchmarks.HumanEval},
		{"HumanEval-X", "js", []string{"/usr/bin/node", "-e"}, benchmarks.HumanEvalX},
	} {
		fmt.Fprintln(os.Stderr, "measuring: throughput,", set.name)
		programs, err := set.programs()
		if err != nil {
			return nil, nil, err
		}
		us := f.named("Belljar " + set.lang)
		if us == nil {
			return nil, nil, fmt.Errorf("%s can't be run", set.lang)
		}
		if _, err := exec.LookPath(set.native[0]); err != nil {
			f.miss("Throughput of "+set.name, err)
			continue
		}
		if t, err = throughput(ctx, b, set.name, us, set.native, programs); err != nil {
			return nil, nil, err
		}
		tables = append(tables, t)
	}
	fmt.Fprintln(os.Stderr, "measuring: density")
	if t, err = density(ctx, eng, b); err != nil {
		return nil, nil, err
	}
	return append(tables, t), f.missing, nil
}

// enter makes the field, natives and ours first in each language: the compute tables' ratios are to the first.
func enter(ctx context.Context, eng *engine.Engine) (*field, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return nil, err
	}
	cache = filepath.Join(cache, "belljar")
	f := &field{}
	modules, err := nodeModules(ctx, cache)
	if err != nil {
		f.miss("rivals for Node", err)
	}
	bwrap := []string{"bwrap", "--ro-bind", "/", "/", "--unshare-all", "--die-with-parent", "--proc", "/proc", "--dev", "/dev"}
	for _, r := range []struct {
		name string
		make func() (*rival, error)
	}{
		{"python3", process("python", "/usr/bin/python3", "-c")},
		{"python3 -I -S", process("python", "/usr/bin/python3", "-I", "-S", "-c")},
		{"Belljar python", ours(eng, "python")},
		{"bubblewrap + python3", process("python", append(bwrap, "/usr/bin/python3", "-c")...)},
		{"CPython on plain wazero", naivePython(ctx, cache, false)},
		{"the same, stoppable by wazero", naivePython(ctx, cache, true)},
		{"CPython on wasmtime", wasmtimePython},
		{"Pyodide", nodeRival(ctx, modules, "pyodide.mjs", "python", "interpreter", true)},
		{"Monty", nodeRival(ctx, modules, "monty.mjs", "python", "interpreter", true)},
		{"node", process("js", "node", "-e")},
		{"Belljar js", ours(eng, "js")},
		{"goja", gojaRival},
		{"quickjs-emscripten", nodeRival(ctx, modules, "quickjs.mjs", "js", "interpreter", true)},
		{"bash", process("bash", "/bin/bash", "-c")},
		{"Belljar bash", ours(eng, "bash")},
		{"bubblewrap + bash", process("bash", append(bwrap, "/bin/bash", "-c")...)},
		{"just-bash", nodeRival(ctx, modules, "just-bash.mjs", "bash", "interpreter", false)},
	} {
		f.add(ctx, r.name, r.make)
	}
	return f, nil
}

// named answers a rival of the field, or nil.
func (f *field) named(name string) *rival {
	for _, r := range f.rivals {
		if r.name == name {
			return r
		}
	}
	return nil
}
