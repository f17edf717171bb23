package instrument

import (
	"bytes"
	"context"
	"fmt"
	"testing"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
)

// tableModule has a table of 100 elements and an export "call" that calls element i as a func() i32. Functions 0 to 39
// answer their number, function 40 takes a parameter and function 41 is "call". Two segments overlap and leave elements
// null. extra is put before call's indirect call; sections are added after the exports.
func tableModule(callOp int, exportTable bool, extra ...any) []byte {
	var funcs, bodies [][]byte
	for i := range 40 {
		funcs = append(funcs, cat(0))
		bodies = append(bodies, fn(opI32Const, appendS(nil, int64(i))))
	}
	funcs = append(funcs, cat(1), cat(2))
	bodies = append(bodies, fn(), fn(cat(extra...), opLocalGet, 0, callOp, 0, 0))
	list := func(from, n int) []byte {
		var items [][]byte
		for i := range n {
			items = append(items, appendU(nil, uint64(from+i)))
		}
		return vec(items...)
	}
	exports := [][]byte{export("call", kindFunc, 41)}
	if exportTable {
		exports = append(exports, export("table", kindTable, 0))
	}
	return module(section(1, vec(typeBack, typeInt, cat(0x60, 1, typeI32, 1, typeI32))), section(3, vec(funcs...)),
		section(4, vec(cat(typeFuncref, 0, 100))), section(7, vec(exports...)),
		section(9, vec(cat(0, opI32Const, 1, opEnd, list(0, 41)), cat(0, opI32Const, 40, opEnd, list(5, 30)),
			cat(4, opI32Const, appendS(nil, 99), opEnd, vec(cat(opRefFunc, 7, opEnd))))),
		section(10, vec(bodies...)))
}

// TestLazyTable compares every element's call with the original's, twice: when it is set and when it was set before.
func TestLazyTable(t *testing.T) {
	for _, op := range []int{opCallIndirect, opReturnCallIndirect} {
		wasm := tableModule(op, false)
		m := mustRewrite(t, wasm, Config{Meter: true, LazyTable: true})
		if len(m.Stateful) > 0 {
			t.Errorf("filling its own table is taken for state: %v", m.Stateful)
		}
		ctx := context.Background()
		rt := wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfig().WithCoreFeatures(specFeatures))
		defer rt.Close(ctx)
		tick := func(int64) int64 { return 1 << 40 }
		if _, err := rt.NewHostModuleBuilder(ImportModule).NewFunctionBuilder().WithFunc(tick).Export(ImportTick).Instantiate(ctx); err != nil {
			t.Fatal(err)
		}
		var calls [2]api.Function
		for i, w := range [][]byte{wasm, m.Wasm} {
			mod, err := rt.InstantiateWithConfig(ctx, w, wazero.NewModuleConfig().WithName(""))
			if err != nil {
				t.Fatal(err)
			}
			calls[i] = mod.ExportedFunction("call")
		}
		for round := range 2 {
			for i := range uint64(105) {
				want, wantErr := calls[0].Call(ctx, i)
				got, err := calls[1].Call(ctx, i)
				if fmt.Sprint(got) != fmt.Sprint(want) || reason(err) != reason(wantErr) {
					t.Errorf("op %#x round %d element %d: %v %q, want %v %q", op, round, i, got, reason(err), want, reason(wantErr))
				}
			}
		}
	}
}

const opTableGet = 0x25

func reason(err error) string {
	if err == nil {
		return ""
	}
	line, _, _ := bytes.Cut([]byte(err.Error()), []byte("\n"))
	return string(line)
}

// TestLazyTableOnlyWhereUnseen lists what keeps a table from being filled lazily: whatever else could see its elements.
func TestLazyTableOnlyWhereUnseen(t *testing.T) {
	outside := module(section(1, vec(typeBack)), section(3, vec(cat(0))), section(4, vec(cat(typeFuncref, 0, 1))),
		section(9, vec(cat(0, opI32Const, 1, opEnd, vec(cat(0))))), section(10, vec(fn(opI32Const, 1))))
	for name, wasm := range map[string][]byte{
		"exported":        tableModule(opCallIndirect, true),
		"table.get":       tableModule(opCallIndirect, false, opI32Const, 1, opTableGet, 0, 0x1a),
		"table.set":       tableModule(opCallIndirect, false, opI32Const, 1, opRefNull, typeFuncref, opTableSet, 0),
		"table.grow":      tableModule(opCallIndirect, false, opRefNull, typeFuncref, opI32Const, 1, 0xfc, 15, 0, 0x1a),
		"segment outside": outside,
	} {
		lazy, eager := mustRewrite(t, wasm, Config{Meter: true, LazyTable: true}), mustRewrite(t, wasm, Config{Meter: true})
		// An unneeded local may remain where an indirect call came before what rules the table out.
		if len(lazy.Wasm) > len(eager.Wasm)+8 {
			t.Errorf("%s: rewritten to %d bytes, %d without", name, len(lazy.Wasm), len(eager.Wasm))
		}
	}
	wasm := tableModule(opCallIndirect, false)
	if a, b := mustRewrite(t, wasm, Config{LazyTable: true}).Wasm, mustRewrite(t, wasm, Config{}).Wasm; !bytes.Equal(a, b) {
		t.Error("lazy without a meter")
	}
}
