package instrument

import (
	"bytes"
	"testing"
)

const nop = 0x01

// TestPrices checks what a caller pays for a function, up to the function's first check.
func TestPrices(t *testing.T) {
	nops := func(n int) []byte {
		b := make([]byte, n)
		for i := range b {
			b[i] = nop
		}
		return b
	}
	for name, tt := range map[string]struct {
		body []byte
		want uint32
	}{
		"straight":                 {fn(nops(7)), 7},
		"run longer than a mark":   {fn(nops(3000)), 3000},
		"block":                    {fn(0x02, 0x40, nops(3), opEnd, nops(4)), 7},
		"dearer then":              {fn(0x41, 0, 0x04, 0x40, nops(9), 0x05, nops(2), opEnd, nops(5)), 16},
		"dearer else":              {fn(0x41, 0, 0x04, 0x40, nops(2), 0x05, nops(9), opEnd, nops(5)), 16},
		"then that leaves":         {fn(0x41, 0, 0x04, 0x40, nops(2), 0x0f, opEnd, nops(50)), 52},
		"if without else":          {fn(0x41, 0, 0x04, 0x40, nops(2), opEnd, nops(5)), 9},
		"br over dead code":        {fn(0x02, 0x40, nops(3), 0x0c, 0, nops(90), opEnd, nops(4)), 8},
		"br_if to the dearer path": {fn(0x02, 0x40, 0x41, 0, 0x0d, 0, 0x0f, opEnd, nops(60)), 62},
		"br_table to the dearest":  {fn(0x02, 0x40, 0x02, 0x40, 0x41, 0, 0x0e, 1, 1, 0, opEnd, nops(60), opEnd, nops(5)), 67},
		"return":                   {fn(nops(3), 0x0f, nops(90)), 4},
		"unreachable":              {fn(nops(3), 0x00, nops(90)), 4},
		"up to a loop":             {fn(nops(3), 0x03, 0x40, nops(50), 0x41, 0, 0x0d, 0, opEnd, nops(50)), 3},
		"loop never gone back to":  {fn(nops(3), 0x03, 0x40, nops(50), opEnd, nops(4)), 57},
		"handler":                  {fn(0x02, 0x40, 0x1f, 0x40, 1, 2, 0, 0x10, 1, 0x0f, opEnd, opEnd, nops(70)), weightCall + 1 + 70},
		"throw to a handler":       {fn(0x02, 0x40, 0x1f, 0x40, 1, 2, 0, 0x08, 0, opEnd, opEnd, nops(70)), weightThrow + 70},
		"throw":                    {fn(0x08, 0), weightThrow},
		"call":                     {fn(nops(3), 0x10, 1, nops(4)), weightCall + 8},
		"tail call":                {fn(nops(3), 0x12, 1), weightCall + 4},
		"division":                 {fn(0x41, 1, 0x41, 1, 0x6d, 0x1a), 3 + weightDivide},
		"fill":                     {fn(0x41, 0, 0x41, 0, 0x41, 0, 0xfc, 11, 0), 3 + weightBulk},
		"memory.grow":              {fn(0x41, 0, 0x40, 0, 0x1a), 2 + weightGrow},
	} {
		t.Run(name, func(t *testing.T) {
			rw := &rewriter{src: recursive(tt.body, fn(nop)), cfg: Config{Meter: true}}
			if err := rw.read(); err != nil {
				t.Fatal(err)
			}
			p := pricer{rw: rw, entry: []uint32{0, 1}, byClass: []uint32{0}, cutClass: []bool{true}}
			if got := p.function(&rw.bodies[0]); got != tt.want {
				t.Errorf("got %d, want %d", got, tt.want)
			}
		})
	}
}

// TestNoPriceIsLarge checks the bound that the package documents on modules made to exceed it.
func TestNoPriceIsLarge(t *testing.T) {
	long := make([]byte, 100_000)
	for i := range long {
		long[i] = nop
	}
	for name, wasm := range map[string][]byte{
		"chain":    chain(60),
		"handlers": recursive(handlerChain(100)...),
		"straight": recursive(fn(long)),
		"doubling": recursive(doubling(60)...),
	} {
		rw := &rewriter{src: wasm, cfg: Config{Meter: true}}
		if err := rw.read(); err != nil {
			t.Fatal(err)
		}
		rw.meter()
		checks := 0
		for _, e := range rw.events {
			if e.before > 3*maxPrice || e.after > 3*maxPrice {
				t.Errorf("%s: check of %d and %d", name, e.before, e.after)
			}
			if e.before > 0 || e.after > 0 {
				checks++
			}
		}
		for _, price := range rw.entryPrice {
			if price > 3*maxPrice {
				t.Errorf("%s: entry of %d", name, price)
			}
			if price > 0 {
				checks++
			}
		}
		if checks == 0 {
			t.Errorf("%s: no check", name)
		}
	}
}

// TestOneCheckIsEnough has a function call itself directly, which takes a check at its entry, and through the table,
// which then takes none.
func TestOneCheckIsEnough(t *testing.T) {
	rw := &rewriter{src: recursive(fn(0x10, 0, 0x41, 0, 0x11, 0, 0)), cfg: Config{Meter: true}}
	if err := rw.read(); err != nil {
		t.Fatal(err)
	}
	rw.meter()
	if rw.entryPrice[0] == 0 {
		t.Error("no check at the entry")
	}
	for _, e := range rw.events {
		if e.before > 0 || e.after > 0 {
			t.Errorf("a check at %d as well", e.pos)
		}
	}
}

// TestDearCasesPayForThemselves has a loop switch to a case that is nearly as dear as a path may be. The way to the
// switch must not need a second check for that.
func TestDearCasesPayForThemselves(t *testing.T) {
	nops := func(n int) []byte { return bytes.Repeat([]byte{nop}, n) }
	rw := &rewriter{src: recursive(fn(0x03, 0x40, 0x02, 0x40, 0x02, 0x40, nops(400), 0x41, 0, 0x0e, 1, 0, 1, opEnd,
		nops(maxPrice-100), 0x0c, 1, opEnd, nop, 0x0c, 0, opEnd)), cfg: Config{Meter: true}}
	if err := rw.read(); err != nil {
		t.Fatal(err)
	}
	rw.meter()
	cases := 0
	for _, e := range rw.events {
		if e.before > 0 {
			t.Errorf("a check of %d before an event of kind %d", e.before, e.kind)
		}
		switch {
		case e.kind == evEnd && e.after > 0:
			cases++
		case e.kind == evLoop && e.after > maxCase:
			t.Errorf("the loop pays %d", e.after)
		}
	}
	if cases != 1 {
		t.Errorf("%d cases pay for themselves, want 1", cases)
	}
}
