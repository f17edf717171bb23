package instrument

import (
	"context"
	"strings"
	"testing"
)

// chain is a module of n functions each of which calls the next one twice: 2^n calls without a loop or a cycle.
func chain(n int) []byte {
	var types, bodies [][]byte
	for i := range n {
		types = append(types, cat(0))
		if i == n-1 {
			bodies = append(bodies, fn(0x01))
		} else {
			bodies = append(bodies, fn(0x10, appendU(nil, uint64(i+1)), 0x10, appendU(nil, uint64(i+1))))
		}
	}
	return module(section(1, vec(typeNone)), section(3, vec(types...)), section(7, vec(export("run", 0, 0))),
		section(10, vec(bodies...)))
}

// recursive is a module of functions of type (func) in a table, the first of which is exported as run.
func recursive(bodies ...[]byte) []byte {
	var types, indices [][]byte
	for i := range bodies {
		types = append(types, cat(0))
		indices = append(indices, cat(i))
	}
	return module(section(1, vec(typeNone)), section(3, vec(types...)), section(4, vec(cat(typeFuncref, 0, len(bodies)))),
		section(5, vec(cat(0, 1))), section(13, vec(cat(0, 0))), section(7, vec(export("run", 0, 0))),
		section(9, vec(cat(0, 0x41, 0, opEnd, vec(indices...)))), section(10, vec(bodies...)))
}

// endless are modules whose exported function run never ends, or not within a lifetime.
var endless = map[string][]byte{
	"loop":                  recursive(fn(0x03, 0x40, 0x0c, 0, opEnd)),
	"loop with br_if":       recursive(fn(0x03, 0x40, 0x41, 1, 0x0d, 0, opEnd)),
	"loop with br_table":    recursive(fn(0x03, 0x40, 0x41, 1, 0x0e, 1, 1, 0, opEnd)),
	"loop from within":      recursive(fn(0x03, 0x40, 0x02, 0x40, 0x02, 0x40, 0x0c, 2, opEnd, opEnd, opEnd)),
	"loop of another type":  recursive(fn(0x03, 0, 0x0c, 0, opEnd)),
	"br_on_null":            recursive(fn(0x03, 0x40, 0xd0, 0x70, 0xd5, 0, 0x1a, opEnd)),
	"recursion":             chainOf(fn(0x10, 0), 1),
	"tail call":             recursive(fn(0x12, 0)),
	"mutual tail calls":     recursive(fn(0x12, 1), fn(0x12, 2), fn(0x12, 0)),
	"tail call, indirect":   recursive(fn(0x41, 0, 0x13, 0, 0)),
	"mutual, indirect":      recursive(fn(0x41, 1, 0x13, 0, 0), fn(0x12, 0)),
	"return_call_ref":       recursive(fn(0xd2, 0, 0x15, 0)),
	"throw in a loop":       recursive(fn(0x03, 0x40, 0x1f, 0x40, 1, 0, 0, 0, 0x08, 0, opEnd, opEnd)),
	"throw by a callee":     recursive(fn(0x03, 0x40, 0x1f, 0x40, 1, 2, 0, 0x10, 1, opEnd, opEnd), fn(0x08, 0)),
	"exponential chain":     chain(60),
	"chain, handlers":       recursive(handlerChain(50)...),
	"fill":                  recursive(fn(0x03, 0x40, 0x41, 0, 0x41, 0, 0x41, 0x80, 0x80, 4, 0xfc, 11, 0, 0x0c, 0, opEnd)),
	"if that goes back":     recursive(fn(0x03, 0x40, 0x41, 1, 0x04, 0x40, 0x0c, 1, 0x05, 0x0c, 1, opEnd, opEnd)),
	"loop behind dead code": recursive(fn(0x02, 0x40, 0x0c, 0, 0x03, 0x40, 0x0c, 0, opEnd, opEnd, 0x12, 0)),
	"doubling, indirect":    recursive(doubling(40)...),
}

// chainOf is a module of n equal functions.
func chainOf(body []byte, n int) []byte {
	bodies := make([][]byte, n)
	for i := range bodies {
		bodies[i] = body
	}
	return recursive(bodies...)
}

// handlerChain are functions each of which calls the next, which throws, catches that and calls it again.
func handlerChain(n int) [][]byte {
	var bodies [][]byte
	for i := range n - 1 {
		bodies = append(bodies, fn(0x02, 0x40, 0x1f, 0x40, 1, 2, 0, 0x10, i+1, opEnd, opEnd, 0x10, i+1))
	}
	return append(bodies, fn(0x08, 0))
}

// doubling are functions each of which calls the next twice through the table.
func doubling(n int) [][]byte {
	var bodies [][]byte
	for i := range n - 1 {
		bodies = append(bodies, fn(0x41, i+1, 0x11, 0, 0, 0x41, i+1, 0x11, 0, 0))
	}
	return append(bodies, fn(0x01))
}

// TestEndlessGuestsAreStopped lets each guest run until it has ticked a hundred times. That the test ends is what it
// asserts; a guest that overflows its stack instead has failed to tick.
func TestEndlessGuestsAreStopped(t *testing.T) {
	for name, wasm := range endless {
		t.Run(name, func(t *testing.T) {
			ticks, most := 0, int64(0)
			mod, _ := meterHost(t, wasm, func(left int64) int64 {
				most = max(most, -left)
				if ticks++; ticks == 100 {
					panic(errStopped)
				}
				return 50
			})
			_, err := mod.ExportedFunction("run").Call(context.Background())
			if err == nil || !strings.Contains(err.Error(), errStopped.Error()) {
				t.Fatalf("not stopped after %d ticks: %v", ticks, err)
			}
			if limit := int64(3*maxPrice + 1<<16/16); most > limit {
				t.Errorf("a check paid %d at once, at most %d expected", most, limit)
			}
		})
	}
}

// TestFuelIsExact runs one computation with different refills: what it pays must not depend on them.
func TestFuelIsExact(t *testing.T) {
	// A loop that calls a recursive function, fills memory and calls through the table.
	wasm := module(section(1, vec(typeInt, typeNone)), section(3, vec(cat(0), cat(0), cat(1))),
		section(4, vec(cat(typeFuncref, 0, 1))), section(5, vec(cat(0, 1))), section(7, vec(export("run", 0, 0))),
		section(9, vec(cat(0, 0x41, 0, opEnd, vec(cat(2))))),
		section(10, vec(
			fn(0x03, 0x40, 0x20, 0, 0x10, 1, 0x41, 0, 0x41, 0, 0x41, 0x80, 0x20, 0xfc, 11, 0, 0x41, 0, 0x11, 1, 0,
				0x20, 0, 0x41, 1, 0x6b, 0x22, 0, 0x0d, 0, opEnd),
			fn(0x20, 0, 0x04, 0x40, 0x20, 0, 0x41, 1, 0x6b, 0x10, 1, opEnd),
			fn(0x01))))
	used := func(refill int64) int64 {
		given := int64(0)
		mod, m := meterHost(t, wasm, func(left int64) int64 {
			given += refill
			return left + refill
		})
		if _, err := mod.ExportedFunction("run").Call(context.Background(), 40); err != nil {
			t.Fatal(err)
		}
		return given - int64(mod.ExportedGlobal(m.Fuel).Get())
	}
	want := used(1 << 40)
	if want < 40*40 {
		t.Fatalf("only %d used", want)
	}
	for _, refill := range []int64{1 << 40, 1_000_000, 1000, 7, 1} {
		if got := used(refill); got != want {
			t.Errorf("refill %d: used %d, expected %d", refill, got, want)
		}
	}
}
