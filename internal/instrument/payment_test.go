package instrument

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
)

// counted returns the module with one more exported global, executed, to which every function adds the weight of what
// it has executed, including what it takes to count.
func counted(t *testing.T, wasm []byte) []byte {
	t.Helper()
	plain := &rewriter{src: wasm}
	scanned := &rewriter{src: wasm, cfg: Config{Meter: true}}
	if err := plain.read(); err != nil {
		t.Fatal(err)
	}
	if err := scanned.read(); err != nil {
		t.Fatal(err)
	}
	var bodies [][]byte
	for _, b := range scanned.bodies {
		at := b.start
		var w []byte
		for _, e := range scanned.events[b.first:b.last] {
			w = append(w, wasm[at:e.pos]...)
			at = e.pos
			weight := int64(e.run) + 4
			switch e.kind {
			case evMark, evBlock, evLoop, evTryTable, evElse, evEnd:
			default:
				weight++
			}
			w = appendU(append(w, opGlobalGet), uint64(plain.globalCount))
			w = appendS(append(w, opI64Const), weight)
			w = appendU(append(w, opI64Add, opGlobalSet), uint64(plain.globalCount))
		}
		bodies = append(bodies, sized(append(w, wasm[at:b.end]...)))
	}
	plain.sections[sectionCode] = vec(bodies...)
	plain.add(sectionGlobal, typeI64, 1, opI64Const, 0, opEnd)
	plain.add(sectionExport, export("executed", kindGlobal, plain.globalCount)...)
	for id, n := range plain.counts {
		if n > 0 {
			plain.sections[id] = append(appendU(nil, uint64(n)), plain.sections[id]...)
		}
	}
	return plain.join()
}

// TestGuestsPayInAdvance checks at every tick that a guest has paid for all that it has executed, and that it has
// executed no more since the last tick than it was given and one check may pay.
func TestGuestsPayInAdvance(t *testing.T) {
	modules := map[string][]byte{}
	for name, wasm := range endless {
		modules[name] = wasm
	}
	for seed := range uint64(300) {
		modules[fmt.Sprint("random ", seed)] = randomModule(seed, true)
	}
	for name, wasm := range modules {
		t.Run(name, func(t *testing.T) { checkPayment(t, counted(t, wasm)) })
	}
}

// TestEveryCheckPaysForItsPath lets guests without calls tick at every check: what they execute up to the next one must
// be within the price of the check.
func TestEveryCheckPaysForItsPath(t *testing.T) {
	for seed := range uint64(300) {
		t.Run(fmt.Sprint("random ", seed), func(t *testing.T) {
			var executed func() int64
			last, price, ticks := int64(0), int64(3*maxPrice), 0
			check := func() {
				now := executed()
				if now-last > price {
					t.Fatalf("after tick %d: executed %d, paid %d", ticks, now-last, price)
				}
				last = now
			}
			mod, _ := meterHost(t, counted(t, randomModule(seed, false)), func(left int64) int64 {
				check()
				if ticks++; ticks == 2000 {
					panic(errStopped)
				}
				price = -left
				return 0
			})
			executed = func() int64 { return int64(mod.ExportedGlobal("executed").Get()) }
			if _, err := mod.ExportedFunction("run").Call(context.Background()); err == nil {
				check()
			}
		})
	}
}

func checkPayment(t *testing.T, wasm []byte) {
	const refill, slack = 500, 3 * maxPrice
	var executed func() int64
	given, ticks, last := int64(0), 0, int64(0)
	check := func(left int64) {
		now := executed()
		if paid := given - left; now > paid+slack {
			t.Fatalf("tick %d: executed %d, paid %d", ticks, now, paid)
		}
		if now-last > refill+2*slack {
			t.Fatalf("tick %d: executed %d without a tick", ticks, now-last)
		}
		last = now
	}
	mod, m := meterHost(t, wasm, func(left int64) int64 {
		check(left)
		if ticks++; ticks == 300 {
			panic(errStopped)
		}
		given += refill
		return left + refill
	})
	executed = func() int64 { return int64(mod.ExportedGlobal("executed").Get()) }
	_, err := mod.ExportedFunction("run").Call(context.Background())
	if err == nil {
		check(int64(mod.ExportedGlobal(m.Fuel).Get()))
	}
}

// randomModule makes a valid module whose functions are nests of blocks, branches, calls and handlers. What it does
// depends on a counter in memory, so that branches go both ways.
func randomModule(seed uint64, calls bool) []byte {
	g := generator{calls: calls, Rand: newRand(seed), functions: 2 + int(seed%7)}
	var bodies [][]byte
	for range g.functions {
		g.w, g.depth = nil, 1
		g.block(4)
		bodies = append(bodies, fn(g.w))
	}
	return recursive(bodies...)
}

func newRand(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 0)) }

type generator struct {
	*rand.Rand
	w         []byte
	depth     int // labels, with the function's
	functions int
	calls     bool
}

func (g *generator) emit(parts ...any) { g.w = append(g.w, cat(parts...)...) }

// coin leaves a number below n on the stack, at random as far as the guest can tell.
func (g *generator) coin(n int) {
	g.emit(0x41, 0, 0x41, 0, 0x28, 2, 0, 0x41, 0xcd, 0x99, 0xb3, 0x05, 0x6c, 0x41, 0xb9, 0xe0, 0, 0x6a, 0x36, 2, 0)
	g.emit(0x41, 0, 0x28, 2, 0, 0x41, 16, 0x76, 0x41, n, 0x70)
}

func (g *generator) block(budget int) {
	for range 1 + g.IntN(5) {
		g.statement(budget)
	}
}

func (g *generator) nest(budget int, open ...any) {
	g.emit(open...)
	g.depth++
	g.block(budget - 1)
	g.depth--
}

func (g *generator) statement(budget int) {
	kind := g.IntN(14)
	if budget == 0 {
		kind = 5 + g.IntN(9)
	}
	if !g.calls && (kind >= 8 && kind <= 10 || kind == 12) {
		kind = 5
	}
	switch kind {
	case 0:
		g.nest(budget, 0x02, 0x40)
		g.emit(opEnd)
	case 1, 2:
		g.nest(budget, 0x03, 0x40)
		g.emit(opEnd)
	case 3:
		g.coin(2)
		g.nest(budget, 0x04, 0x40)
		if g.IntN(2) == 0 {
			g.nest(budget, 0x05)
		}
		g.emit(opEnd)
	case 4:
		g.nest(budget, 0x1f, 0x40, 1, 2, g.IntN(g.depth))
		g.emit(opEnd)
	case 5, 6:
		g.coin(3)
		g.emit(0x0d, g.IntN(g.depth))
	case 7:
		g.coin(4)
		g.emit(0x0e, 2, g.IntN(g.depth), g.IntN(g.depth), g.IntN(g.depth))
	case 8, 9:
		g.emit(0x10, g.IntN(g.functions))
	case 10:
		g.coin(g.functions)
		g.emit(0x11, 0, 0)
	case 11:
		g.coin(8)
		g.emit(0x45, 0x04, 0x40, 0x08, 0, opEnd)
	case 12:
		g.coin(5)
		g.emit(0x45, 0x04, 0x40, 0x12, g.IntN(g.functions), opEnd)
	case 13:
		for range 1 + g.IntN(40) {
			g.coin(7)
			g.emit(0x1a)
		}
	}
}
