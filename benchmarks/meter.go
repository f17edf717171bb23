package benchmarks

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/belljar-dev/belljar/engine"
	"github.com/belljar-dev/belljar/internal/instrument"
	"github.com/belljar-dev/belljar/internal/pace"
	"github.com/belljar-dev/belljar/runtimes/js"
	"github.com/belljar-dev/belljar/runtimes/python"
	"github.com/belljar-dev/belljar/vfs"
	"github.com/belljar-dev/belljar/wasi"
	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"
)

// compute are the programs that the meter's cost is measured on. Each measures itself and prints nanoseconds.
var compute = []struct{ name, setup, body string }{
	{"fib", "def fib(n): return n if n < 2 else fib(n-1) + fib(n-2)", "fib(21)"},
	{"nbody", nbody, "advance(0.01, 1500)"},
	{"json", "import json\nd = [{'a': i, 'b': [i, i+1], 'c': str(i)} for i in range(600)]", "for _ in range(8): json.loads(json.dumps(d))"},
	{"regex", "import re\ns = 'x foo@bar.com y baz@qux.com ' * 10", "for _ in range(200): re.findall(r'(\\w+)@(\\w+)\\.com', s)"},
	{"dict", "", "d = {}\nfor i in range(60000): d[str(i)] = i\nt = sum(d[k] for k in d)"},
	{"sort", "l = [(i*7919) % 10007 for i in range(30000)]", "sorted(l, key=lambda x: -x)"},
	{"sha", "import hashlib\nb = b'x' * 4_000_000", "hashlib.sha256(b).hexdigest()"},
}

const nbody = `
bodies = [([0.0,0.0,0.0],[0.0,0.0,0.0],39.47), ([4.84,-1.16,-0.10],[0.60,2.81,-0.02],0.037), ([8.34,4.12,-0.4],[-1.01,1.82,0.008],0.011),
          ([12.89,-15.11,-0.22],[1.08,0.868,-0.01],0.0017), ([15.37,-25.9,0.179],[0.979,0.594,-0.034],0.002)]
pairs = [(a, b) for i, a in enumerate(bodies) for b in bodies[i+1:]]
def advance(dt, n):
    for _ in range(n):
        for (p, v, m), (q, w, k) in pairs:
            dx = p[0]-q[0]; dy = p[1]-q[1]; dz = p[2]-q[2]
            mag = dt * (dx*dx + dy*dy + dz*dz) ** -1.5
            v[0] -= dx*k*mag; v[1] -= dy*k*mag; v[2] -= dz*k*mag
            w[0] += dx*m*mag; w[1] += dy*m*mag; w[2] += dz*m*mag
        for p, v, m in bodies:
            p[0] += dt*v[0]; p[1] += dt*v[1]; p[2] += dt*v[2]
`

// Program is one that measures itself: it prints what each of its runs took, in nanoseconds, a line each.
type Program struct{ Name, Code string }

// PythonPrograms answers the programs that the meter's cost is measured on, each running its body so many times.
func PythonPrograms(times int) []Program {
	var all []Program
	for _, c := range compute {
		all = append(all, Program{c.name, timed(c.setup, c.body, times)})
	}
	return all
}

// timed is a program that runs its body several times and prints how long each took.
func timed(setup, body string, times int) string {
	return fmt.Sprintf("%s\nimport time\nfor _i in range(%d):\n    _t = time.perf_counter_ns()\n    %s\n    print(time.perf_counter_ns() - _t)\n",
		setup, times, strings.ReplaceAll(body, "\n", "\n    "))
}

// meterCost compares the interpreters with and without the meter, outside the engine, which has no unmetered guests.
func (s *suite) meterCost(ctx context.Context) error {
	rounds := meterRounds
	if s.Quick {
		rounds = meterRounds / 5
	}
	err := s.meterCostOf(ctx, "meter_cost_ratio", "CPython", python.Image(), []string{"python3", "-c"}, PythonPrograms(4), rounds)
	if err != nil || s.Quick { // to compile the other one twice takes longer than all of a quick run
		return err
	}
	return s.meterCostOf(ctx, "js_meter_cost_ratio", "QuickJS", js.Image(), []string{"node", "-e"}, JavaScriptPrograms(4), meterRounds)
}

// meterCostOf runs an interpreter with and without the meter by turns, so that both meet the same disturbances. A
// program's cost is the ratio of its fastest runs: what else the machine does only ever adds to a run's time.
func (s *suite) meterCostOf(ctx context.Context, metric, name string, im engine.Image, command []string, programs []Program, rounds int) error {
	bare, err := newBareGuest(ctx, s.engine.CacheDir(), im, command, false)
	if err != nil {
		return err
	}
	defer bare.close(ctx)
	metered, err := newBareGuest(ctx, s.engine.CacheDir(), im, command, true)
	if err != nil {
		return err
	}
	defer metered.close(ctx)
	minima, medians, notes := 0.0, 0.0, []string{}
	for _, p := range programs {
		var with, without []float64
		for i := range rounds {
			for turn := range 2 {
				g, to := bare, &without
				if i%2 == turn { // neither is always the first
					g, to = metered, &with
				}
				values, err := g.run(ctx, p.Code)
				if err != nil {
					return fmt.Errorf("%s: %w", p.Name, err)
				}
				*to = append(*to, values...)
			}
		}
		ratio := slices.Min(with) / slices.Min(without)
		minima += math.Log(ratio)
		medians += math.Log(medianOf(with) / medianOf(without))
		notes = append(notes, fmt.Sprintf("%s %.2f", p.Name, ratio))
	}
	n := float64(len(programs))
	s.add(metric, "×", []float64{math.Exp(minima / n)},
		"metered ÷ unmetered %s, geometric mean of ratios of minima, runs alternating: %s; of medians it is %.2f",
		name, strings.Join(notes, ", "), math.Exp(medians/n))
	return nil
}

// meterRounds is how often at least each program is started with and without the meter. Minima need that many on a
// machine that does other things too.
const meterRounds = 15

// bareGuest is an interpreter on wazero and wasi without the engine.
type bareGuest struct {
	runtime wazero.Runtime
	cache   wazero.CompilationCache
	code    wazero.CompiledModule
	module  *instrument.Module
	tree    *vfs.Tree
	program engine.Program
	command []string // to which a program's code is appended
	pace    pace.Pacer
}

func newBareGuest(ctx context.Context, cacheDir string, im engine.Image, command []string, meter bool) (g *bareGuest, err error) {
	g = &bareGuest{tree: vfs.New(vfs.Config{}), command: command}
	for _, p := range im.Programs {
		names := append(slices.Clone(p.Links), p.Path)
		if slices.ContainsFunc(names, func(name string) bool { return path.Base(name) == command[0] }) {
			g.program = p
		}
	}
	for _, l := range im.Layers {
		if err := g.tree.MkdirAll(l.Path, 0o755); err != nil {
			return nil, err
		}
		if err := g.tree.MountFS(l.Path, l.FS); err != nil {
			return nil, err
		}
	}
	wasm, err := g.program.Module()
	if err != nil {
		return nil, err
	}
	if g.module, err = instrument.Rewrite(wasm, instrument.Config{Meter: meter, LazyTable: meter}); err != nil {
		return nil, err
	}
	if cacheDir == "" {
		cacheDir = os.TempDir()
	}
	if g.cache, err = wazero.NewCompilationCacheWithDir(filepath.Join(cacheDir, "bench")); err != nil {
		return nil, err
	}
	features := api.CoreFeaturesV2 | experimental.CoreFeaturesTailCall | experimental.CoreFeaturesExtendedConst | experimental.CoreFeaturesExceptionHandling
	g.runtime = wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfig().WithCompilationCache(g.cache).WithCoreFeatures(features))
	if err := wasi.Register(ctx, g.runtime); err != nil {
		return nil, err
	}
	i64 := []api.ValueType{api.ValueTypeI64}
	refill := api.GoModuleFunc(func(_ context.Context, _ api.Module, stack []uint64) { stack[0] = uint64(g.refill()) })
	_, err = g.runtime.NewHostModuleBuilder(instrument.ImportModule).NewFunctionBuilder().
		WithGoModuleFunction(refill, i64, i64).Export(instrument.ImportTick).Instantiate(ctx)
	if err != nil {
		return nil, err
	}
	g.code, err = g.runtime.CompileModule(experimental.WithCompilationWorkers(ctx, runtime.GOMAXPROCS(0)), g.module.Wasm)
	return g, err
}

func (g *bareGuest) close(ctx context.Context) {
	_ = g.runtime.Close(ctx)
	_ = g.cache.Close(ctx)
}

// refill is what the engine does when a guest has used its fuel, but for limits and signals.
func (g *bareGuest) refill() int64 {
	grant, yield := g.pace.Next(time.Now())
	if yield {
		runtime.Gosched()
		g.pace.Resume(time.Now())
	}
	return grant
}

// run starts the program cold and answers the numbers it prints, in milliseconds.
func (g *bareGuest) run(ctx context.Context, code string) ([]float64, error) {
	var out, errs bytes.Buffer
	host, err := wasi.NewHost(wasi.Config{Args: append(slices.Clone(g.command), code), Tree: g.tree, Stdout: &out, Stderr: &errs})
	if err != nil {
		return nil, err
	}
	defer host.Close()
	m, err := g.runtime.InstantiateModule(ctx, g.code, wazero.NewModuleConfig().WithName("").WithStartFunctions())
	if err != nil {
		return nil, err
	}
	defer m.Close(ctx)
	for _, d := range g.module.Data {
		if !m.Memory().Write(uint32(d.Offset), d.Bytes) {
			return nil, fmt.Errorf("data at %d does not fit", d.Offset)
		}
	}
	guest := wasi.Bind(ctx, host)
	g.pace.Start(time.Now()) // its fuel is 0: the first check asks for more
	for _, name := range []string{"_initialize", g.program.Entry} {
		if _, err := m.ExportedFunction(name).Call(guest); err != nil {
			return nil, err
		}
	}
	var values []float64
	for line := range strings.Lines(out.String()) {
		ns, err := strconv.ParseFloat(strings.TrimSpace(line), 64)
		if err != nil {
			return nil, fmt.Errorf("printed %q and %q: %w", out.String(), errs.String(), err)
		}
		values = append(values, ns/1e6)
	}
	if len(values) == 0 {
		return nil, fmt.Errorf("printed nothing but %q", errs.String())
	}
	return values, nil
}
