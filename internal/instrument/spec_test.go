package instrument

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"
)

// wazeroTests is where wazero's own test modules are, in the module cache.
func wazeroTests(tb testing.TB) string {
	tb.Helper()
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/tetratelabs/wazero").Output()
	if err != nil {
		tb.Skipf("needs wazero's sources: %v", err)
	}
	return filepath.Join(strings.TrimSpace(string(out)), "internal", "integration_test")
}

const specFeatures = api.CoreFeaturesV2 | experimental.CoreFeaturesThreads | experimental.CoreFeaturesTailCall |
	experimental.CoreFeaturesExtendedConst | experimental.CoreFeaturesExceptionHandling |
	experimental.CoreFeaturesTypedFunctionReferences

// specFolders are the suites with the features they are written for.
var specFolders = map[string]api.CoreFeatures{
	"v1":                        api.CoreFeaturesV1,
	"v2":                        api.CoreFeaturesV2,
	"threads":                   api.CoreFeaturesV2 | experimental.CoreFeaturesThreads,
	"tail-call":                 api.CoreFeaturesV2 | experimental.CoreFeaturesTailCall,
	"extended-const":            api.CoreFeaturesV2 | experimental.CoreFeaturesExtendedConst,
	"exception-handling":        api.CoreFeaturesV2 | experimental.CoreFeaturesExceptionHandling | experimental.CoreFeaturesTailCall | experimental.CoreFeaturesTypedFunctionReferences,
	"typed-function-references": api.CoreFeaturesV2 | experimental.CoreFeaturesTypedFunctionReferences | experimental.CoreFeaturesTailCall,
}

type specCommand struct {
	Type, Name, Filename, As string
	ModuleType               string `json:"module_type"`
	Line                     int
	Action                   struct {
		Type, Field, Module string
		Args                []struct {
			Type     string
			LaneType string `json:"lane_type"`
			Value    any
		}
	}
}

// TestSpec runs the modules and commands of the specification's test suites in two worlds, one of original and one of
// rewritten modules, and compares what they answer.
func TestSpec(t *testing.T) {
	root := filepath.Join(wazeroTests(t), "spectest")
	for folder, features := range specFolders {
		files, _ := filepath.Glob(filepath.Join(root, folder, "testdata", "*.json"))
		if len(files) == 0 {
			t.Fatalf("no suites in %s", folder)
		}
		for _, file := range files {
			t.Run(folder+"/"+strings.TrimSuffix(filepath.Base(file), ".json"), func(t *testing.T) {
				runSpec(t, file, features)
			})
		}
	}
}

// specSkip are the commands that may differ, with the reason, by suite and line; line 0 stands for refused modules.
var specSkip = map[string]string{
	"threads/atomic:457":                  "memory.atomic.wait32 must not block the host: shared memories are made private, where it traps",
	"threads/atomic:458":                  "memory.atomic.wait64 must not block the host",
	"v1/linking:248":                      "v1 checks all segments before it writes the first, v2 doesn't; rewritten modules need v2",
	"v1/linking:342":                      "as above",
	"v1/linking:354":                      "as above",
	"v2/binary-leb128:969":                "the number of a prefixed instruction must be in its shortest form",
	"v2/binary-leb128:0":                  "as above",
	"typed-function-references/table:87":  "a typed reference that begins as a global's value: see refExpr",
	"typed-function-references/table:0":   "as above",
	"typed-function-references/table:106": "the module of line 87",
	"typed-function-references/table:107": "the module of line 87",
	"typed-function-references/table:108": "the module of line 87",
	"typed-function-references/table:109": "the module of line 87",
	"typed-function-references/table:110": "the module of line 87",
}

func skipKey(file string, line int) string {
	suite := filepath.Base(filepath.Dir(filepath.Dir(file)))
	return fmt.Sprintf("%s/%s:%d", suite, strings.TrimSuffix(filepath.Base(file), ".json"), line)
}

func runSpec(t *testing.T, file string, features api.CoreFeatures) {
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var suite struct{ Commands []specCommand }
	if err := json.Unmarshal(raw, &suite); err != nil {
		t.Fatal(err)
	}
	plain, metered := newWorld(t, features, false), newWorld(t, features, true)
	for i, c := range suite.Commands {
		if c.Type == "module" && i+1 < len(suite.Commands) && suite.Commands[i+1].Type == "register" {
			c.As = suite.Commands[i+1].As
		}
		want, got := plain.do(filepath.Dir(file), c), metered.do(filepath.Dir(file), c)
		if want != got && specSkip[skipKey(file, c.Line)] == "" {
			t.Errorf("line %d, %s %s: %s, rewritten %s", c.Line, c.Type, c.Action.Field, want, got)
		}
	}
	if metered.refused != nil && specSkip[skipKey(file, 0)] == "" {
		t.Errorf("refused: %v", metered.refused)
	}
}

// world is a runtime in which the modules of one suite live.
type world struct {
	ctx     context.Context
	rt      wazero.Runtime
	meter   bool
	modules map[string]api.Module
	last    api.Module
	refused error
	fuel    int64 // given at each tick
	ticks   int
}

func newWorld(t testing.TB, features api.CoreFeatures, meter bool) *world {
	w := &world{ctx: context.Background(), meter: meter, modules: map[string]api.Module{}, fuel: 1000}
	if meter {
		features |= api.CoreFeatureBulkMemoryOperations // for the empty passive segments
	}
	w.rt = wazero.NewRuntimeWithConfig(w.ctx, wazero.NewRuntimeConfig().WithCoreFeatures(features))
	t.Cleanup(func() { w.rt.Close(w.ctx) })
	_, err := w.rt.NewHostModuleBuilder(ImportModule).NewFunctionBuilder().
		WithFunc(func(left int64) int64 { w.ticks++; return left + w.fuel }).Export(ImportTick).Instantiate(w.ctx)
	if err != nil {
		t.Fatal(err)
	}
	spectest, err := os.ReadFile(filepath.Join(wazeroTests(t), "spectest", "testdata", "spectest.wasm"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.rt.Instantiate(w.ctx, spectest); err != nil {
		t.Fatal(err)
	}
	return w
}

// do runs a command and returns what can be seen of it.
func (w *world) do(dir string, c specCommand) string {
	switch c.Type {
	case "module":
		m, err := w.instantiate(filepath.Join(dir, c.Filename), c.As)
		w.last = m
		if err != nil {
			return "instantiate: " + outcome(err)
		}
		if c.Name != "" {
			w.modules[c.Name] = m
		}
		if c.As != "" {
			w.modules[c.As] = m
		}
		return "instantiated"
	case "assert_malformed", "assert_invalid", "assert_unlinkable", "assert_uninstantiable":
		if c.ModuleType == "text" {
			return ""
		}
		refused := w.refused
		_, err := w.instantiate(filepath.Join(dir, c.Filename), "")
		w.refused = refused
		return fmt.Sprint("accepted: ", err == nil)
	case "assert_return", "assert_trap", "action", "assert_exception":
		return w.act(c)
	}
	return ""
}

func (w *world) instantiate(file, name string) (api.Module, error) {
	wasm, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	cfg := wazero.NewModuleConfig().WithName(name).WithStartFunctions()
	if !w.meter {
		return w.rt.InstantiateWithConfig(w.ctx, wasm, cfg)
	}
	m, err := Rewrite(wasm, Config{Meter: true})
	if err != nil {
		w.refused = err
		return nil, err
	}
	return w.instantiateRewritten(m, cfg)
}

func (w *world) instantiateRewritten(m *Module, cfg wazero.ModuleConfig) (api.Module, error) {
	mod, err := w.rt.InstantiateWithConfig(w.ctx, m.Wasm, cfg)
	if err != nil {
		return nil, err
	}
	for _, d := range m.Data {
		if !mod.Memory().Write(uint32(d.Offset), d.Bytes) {
			mod.Close(w.ctx)
			return nil, errors.New("out of bounds memory access")
		}
	}
	if m.Start != "" {
		if _, err := mod.ExportedFunction(m.Start).Call(w.ctx); err != nil {
			mod.Close(w.ctx)
			return nil, err
		}
	}
	return mod, nil
}

func (w *world) act(c specCommand) string {
	m := w.last
	if c.Action.Module != "" {
		m = w.modules[c.Action.Module]
	}
	if m == nil {
		return "no module"
	}
	if c.Action.Type == "get" {
		g := m.ExportedGlobal(c.Action.Field)
		if g == nil {
			return "no global"
		}
		return fmt.Sprint(g.Type(), g.Get())
	}
	f := m.ExportedFunction(c.Action.Field)
	if f == nil {
		return "no function"
	}
	var args []uint64
	for _, a := range c.Action.Args {
		args = append(args, specValue(a.Type, a.LaneType, a.Value)...)
	}
	results, err := f.Call(w.ctx, args...)
	if err != nil {
		return outcome(err)
	}
	for i, t := range f.Definition().ResultTypes() {
		if t == api.ValueTypeExternref || t == 0x70 { // host addresses, which differ from world to world
			results[i] = min(results[i], 1<<20)
		}
	}
	return fmt.Sprint(results)
}

// outcome is the reason of a trap without its stack, which differs in the index of functions.
func outcome(err error) string {
	s, _, _ := strings.Cut(err.Error(), "\n")
	if i := strings.LastIndex(s, "] "); i >= 0 { // "module[x] function[y] failed: "
		s = s[i:]
	}
	return strings.TrimPrefix(s, "wasm error: ")
}

func specValue(typ, lane string, value any) []uint64 {
	if typ == "v128" {
		bits := map[string]int{"i8": 8, "i16": 16, "i32": 32, "i64": 64, "f32": 32, "f64": 64}[lane]
		var out [2]uint64
		for i, v := range value.([]any) {
			x := specNumber(v.(string), bits)
			out[i*bits/64] |= x << (i * bits % 64)
		}
		return out[:]
	}
	s, _ := value.(string)
	if s == "null" || s == "" {
		return []uint64{0}
	}
	x := specNumber(s, map[bool]int{true: 32, false: 64}[strings.HasSuffix(typ, "32")])
	if typ == "externref" {
		x++ // zero is null
	}
	return []uint64{x}
}

func specNumber(s string, bits int) uint64 {
	if strings.HasPrefix(s, "nan") {
		if bits == 32 {
			return uint64(math.Float32bits(float32(math.NaN())))
		}
		return math.Float64bits(math.NaN())
	}
	if strings.HasPrefix(s, "-") {
		v, _ := strconv.ParseInt(s, 10, 64)
		return uint64(v) & (math.MaxUint64 >> (64 - bits))
	}
	v, _ := strconv.ParseUint(s, 10, 64)
	return v
}
