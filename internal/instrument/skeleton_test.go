package instrument

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"github.com/tetratelabs/wazero"
)

// TestSkeleton checks that a skeleton is a module like the whole but for its code, and that the probe tells them apart.
func TestSkeleton(t *testing.T) {
	in := module(section(1, vec(typeNone, cat(0x60, 1, typeI64, 1, typeI64))), section(3, vec(cat(0), cat(1))),
		section(4, vec(cat(0x70, 0, 2))), section(5, vec(cat(0, 1))), section(7, vec(export("run", 0, 0), export("same", 0, 1))),
		section(9, vec(cat(0, 0x41, 0, opEnd, vec(cat(0), cat(1))))),
		section(10, vec(fn(0x41, 0, 0x11, 0, 0), fn(0x20, 0))))
	m := mustRewrite(t, in, Config{Meter: true, LazyTable: true, Probe: true})
	skeleton, err := Skeleton(m.Wasm, []byte("digest"))
	if err != nil {
		t.Fatal(err)
	}
	if len(skeleton) >= len(m.Wasm)+len("digest")+len(skeletonName)+8 {
		t.Errorf("a module of %d bytes has a skeleton of %d", len(m.Wasm), len(skeleton))
	}
	other, err := Skeleton(m.Wasm, []byte("another"))
	if err != nil || bytes.Equal(skeleton, other) {
		t.Errorf("skeletons of two digests are alike, %v", err)
	}
	ctx := context.Background()
	r := wazero.NewRuntime(ctx)
	defer r.Close(ctx)
	if _, err := r.NewHostModuleBuilder(ImportModule).NewFunctionBuilder().
		WithFunc(func(v int64) int64 { return v }).Export(ImportTick).Instantiate(ctx); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		wasm    []byte
		genuine bool
	}{{m.Wasm, true}, {skeleton, false}} {
		code, err := r.CompileModule(ctx, c.wasm)
		if err != nil {
			t.Fatal(err)
		}
		if d := code.ExportedFunctions()["same"]; len(d.ParamTypes()) != 1 || len(d.ResultTypes()) != 1 {
			t.Errorf("type %v", d)
		}
		// What fills the table traps in a skeleton as everything does.
		mod, err := r.InstantiateModule(ctx, code, wazero.NewModuleConfig().WithName(""))
		var got []uint64
		if err == nil {
			got, err = mod.ExportedFunction(m.Probe).Call(ctx)
		}
		if genuine := err == nil && got[0] == 1; genuine != c.genuine {
			t.Errorf("probe answers %v, %v", got, err)
		}
	}
}

func TestSkeletonRefuses(t *testing.T) {
	whole := mustRewrite(t, module(section(1, vec(typeNone)), section(3, vec(cat(0))), section(10, vec(fn()))), Config{Meter: true, Probe: true})
	for n := range len(whole.Wasm) {
		if _, err := Skeleton(whole.Wasm[:n], nil); err != nil && !strings.HasPrefix(err.Error(), "rewrite wasm: ") {
			t.Errorf("cut to %d: %v", n, err)
		}
	}
	many := module(section(10, cat(0xff, 0xff, 0xff, 0xff, 0x0f)))
	if _, err := Skeleton(many, nil); err == nil {
		t.Error("a skeleton of four thousand million functions")
	}
	if m := mustRewrite(t, module(section(1, vec(typeNone))), Config{Meter: true, Probe: true}); m.Probe != "" {
		t.Errorf("a module without code has the probe %q", m.Probe)
	}
}
