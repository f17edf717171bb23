package instrument

import (
	"context"
	"errors"
	"testing"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
)

// cat joins bytes, byte slices and small numbers to an encoding.
func cat(parts ...any) []byte {
	var b []byte
	for _, p := range parts {
		switch p := p.(type) {
		case int:
			b = append(b, byte(p))
		case []byte:
			b = append(b, p...)
		case string:
			b = append(b, p...)
		}
	}
	return b
}

func vec(items ...[]byte) []byte {
	b := appendU(nil, uint64(len(items)))
	for _, i := range items {
		b = append(b, i...)
	}
	return b
}

func sized(b []byte) []byte { return append(appendU(nil, uint64(len(b))), b...) }

func str(s string) []byte { return sized([]byte(s)) }

func section(id int, content []byte) []byte { return cat(id, sized(content)) }

func module(sections ...[]byte) []byte {
	b := []byte("\x00asm\x01\x00\x00\x00")
	for _, s := range sections {
		b = append(b, s...)
	}
	return b
}

// fn is a function body with the given instructions, without locals.
func fn(instructions ...any) []byte { return sized(cat(0, cat(instructions...), opEnd)) }

func export(name string, kind, index int) []byte { return cat(str(name), kind, index) }

// Types that the test modules declare.
var (
	typeNone = cat(0x60, 0, 0)          // (func)
	typeInt  = cat(0x60, 1, typeI32, 0) // (func (param i32))
	typeBack = cat(0x60, 0, 1, typeI32) // (func (result i32))
)

// meterHost instantiates a metered module whose ticks call tick.
func meterHost(t *testing.T, wasm []byte, tick func(left int64) int64) (api.Module, *Module) {
	t.Helper()
	m, err := Rewrite(wasm, Config{Meter: true})
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	rt := wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfig().WithCoreFeatures(specFeatures))
	t.Cleanup(func() { rt.Close(ctx) })
	if _, err := rt.NewHostModuleBuilder(ImportModule).NewFunctionBuilder().WithFunc(tick).Export(ImportTick).
		Instantiate(ctx); err != nil {
		t.Fatal(err)
	}
	w := &world{ctx: ctx, rt: rt}
	mod, err := w.instantiateRewritten(m, wazero.NewModuleConfig().WithName("").WithStartFunctions())
	if err != nil {
		t.Fatal(err)
	}
	return mod, m
}

var errStopped = errors.New("stopped by the meter")
