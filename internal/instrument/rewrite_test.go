package instrument

import (
	"bytes"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
)

func mustRewrite(t *testing.T, wasm []byte, cfg Config) *Module {
	t.Helper()
	m, err := Rewrite(wasm, cfg)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// TestMeteredLoop compares a small metered module byte for byte.
func TestMeteredLoop(t *testing.T) {
	in := module(section(1, vec(typeNone)), section(3, vec(cat(0))), section(7, vec(export("run", 0, 0))),
		section(10, vec(fn(0x03, 0x40, 0x0c, 0, opEnd))))
	tick := cat(str(ImportModule), str(ImportTick), kindFunc, 1)
	check := cat(0x23, 0, 0x42, 1, 0x7d, 0x24, 0, 0x23, 0, 0x42, 0, 0x53, 0x04, 0x40, 0x23, 0, 0x10, 0,
		0x42, 1, 0x7c, 0x24, 0, 0x0c, 1, opEnd)
	want := module(section(1, vec(typeNone, cat(0x60, 1, typeI64, 1, typeI64))), section(2, vec(tick)),
		section(3, vec(cat(0))), section(6, vec(cat(typeI64, 1, 0x42, 0, opEnd))),
		section(7, vec(export("run", 0, 1), export("belljar:fuel", 3, 0))),
		section(10, vec(fn(0x03, 0x40, check, 0x0c, 0, opEnd))))
	if got := mustRewrite(t, in, Config{Meter: true}).Wasm; !bytes.Equal(got, want) {
		t.Errorf("got\n% x, want\n% x", got, want)
	}
}

// TestUnmetered checks that nothing moves without a meter.
func TestUnmetered(t *testing.T) {
	in := module(section(1, vec(typeNone)), section(3, vec(cat(0))), section(10, vec(fn(0x03, 0x40, 0x0c, 0, opEnd))))
	m := mustRewrite(t, in, Config{})
	if !bytes.Equal(m.Wasm, in) || m.Fuel != "" {
		t.Errorf("changed to % x, fuel %q", m.Wasm, m.Fuel)
	}
}

// TestNamesMove checks that functions keep their names when their indices shift.
func TestNamesMove(t *testing.T) {
	names := func(index int) []byte {
		return section(0, cat(str("name"), 1, sized(vec(cat(index, str("f")))), 2, sized(vec(cat(index, vec(cat(0, str("x")))))),
			7, sized(vec(cat(0, str("g"))))))
	}
	in := module(section(1, vec(typeNone)), section(3, vec(cat(0))), section(10, vec(fn())), names(0))
	if m := mustRewrite(t, in, Config{Meter: true}); !bytes.HasSuffix(m.Wasm, names(1)) {
		t.Errorf("names are % x", m.Wasm)
	}
	malformed := module(section(1, vec(typeNone)), section(0, cat(str("name"), 1, 9)))
	if m := mustRewrite(t, malformed, Config{}); bytes.Contains(m.Wasm, []byte("name")) {
		t.Error("malformed names kept")
	}
}

// TestModule checks what the host is told.
func TestModule(t *testing.T) {
	wasm := module(section(1, vec(typeNone)), section(2, vec(cat(str("m"), str("g"), kindGlobal, typeI32, 0))),
		section(3, vec(cat(0))), section(5, vec(cat(3, 1, 9))),
		section(6, vec(
			cat(typeI32, 1, 0x41, 5, opEnd),
			cat(typeF64, 0, 0x44, make([]byte, 8), opEnd),
			cat(typeI64, 1, 0x42, 5, opEnd))),
		section(8, cat(0)), section(12, cat(4)), section(10, vec(fn(0xfc, 9, 3))),
		section(11, vec(
			cat(0, 0x41, 4, opEnd, str("abc")),
			cat(0, 0x41, 40, 0x41, 2, 0x6b, opEnd, str("de")),
			cat(0, 0x23, 0, opEnd, str("f")),
			cat(1, str("passive")))))
	m := mustRewrite(t, wasm, Config{})
	want := Module{
		Wasm:     m.Wasm,
		Start:    "belljar:start",
		Globals:  []Global{{"belljar:g1", "i32"}, {"belljar:g3", "i64"}},
		Data:     []Segment{{4, []byte("abc")}, {38, []byte("de")}},
		Memory:   Memory{Defined: true, Min: 1, Max: 9, HasMax: true, Shared: true},
		Stateful: []string{"drops a data segment", "has an active data segment of computed offset"},
	}
	if !reflect.DeepEqual(*m, want) {
		t.Errorf("got  %+v\nwant %+v", *m, want)
	}
	data := section(11, vec(cat(1, 0), cat(1, 0), cat(0, 0x23, 0, opEnd, str("f")), cat(1, str("passive"))))
	if !bytes.HasSuffix(m.Wasm, data) {
		t.Errorf("data section in % x", m.Wasm)
	}
	if bytes.Contains(m.Wasm, section(5, vec(cat(3, 1, 9)))) || !bytes.Contains(m.Wasm, section(5, vec(cat(1, 1, 9)))) {
		t.Error("memory is still shared")
	}
}

// TestStateful checks each reason by itself.
func TestStateful(t *testing.T) {
	tables := section(4, vec(cat(typeFuncref, 0, 2)))
	elems := section(9, vec(cat(1, 0, vec(cat(0)))))
	body := func(instructions ...any) []byte {
		return module(section(1, vec(typeNone)), section(3, vec(cat(0))), tables, elems, section(10, vec(fn(instructions...))))
	}
	for reason, wasm := range map[string][]byte{
		"":                                     body(0x41, 0, 0x25, 0, 0x1a),
		"changes a table":                      body(0x41, 0, 0xd0, 0x70, 0x26, 0),
		"drops an element segment":             body(0xfc, 13, 0),
		"imports a table":                      module(section(2, vec(cat(str("m"), str("t"), kindTable, typeFuncref, 0, 1)))),
		"imports a mutable global of type i32": module(section(2, vec(cat(str("m"), str("g"), kindGlobal, typeI32, 1)))),
		"has a mutable global of type v128":    module(section(6, vec(cat(typeV128, 1, 0xfd, 12, make([]byte, 16), opEnd)))),
		"has a mutable global of type funcref": module(section(6, vec(cat(typeFuncref, 1, 0xd0, 0x70, opEnd)))),
	} {
		want := []string{reason}
		if reason == "" {
			want = nil
		}
		if m := mustRewrite(t, wasm, Config{}); !slices.Equal(m.Stateful, want) {
			t.Errorf("got %q, want %q", m.Stateful, want)
		}
	}
}

// TestTablesAreBounded checks that the maxima of all tables together stay within MaxTableEntries.
func TestTablesAreBounded(t *testing.T) {
	in := module(section(4, vec(cat(typeFuncref, 0, 8), cat(typeExternref, 1, 2, 4))))
	hi := appendU(nil, 8+(MaxTableEntries-10)/2)
	want := module(section(4, vec(cat(typeFuncref, 1, 8, hi), cat(typeExternref, 1, 2, 4))))
	if got := mustRewrite(t, in, Config{}).Wasm; !bytes.Equal(got, want) {
		t.Errorf("got % x, want % x", got, want)
	}
}

// TestRefused checks that hostile and malformed modules are refused, where, and with what reason.
func TestRefused(t *testing.T) {
	head := cat(section(1, vec(typeNone)), section(3, vec(cat(0))))
	code := func(instructions ...any) []byte { return module(head, section(10, vec(fn(instructions...)))) }
	raw := func(body ...any) []byte { return module(head, section(10, vec(sized(cat(body...))))) }
	deep := bytes.Repeat([]byte{0xff}, 4)
	for name, tt := range map[string]struct {
		wasm   []byte
		reason string
	}{
		"empty":                    {nil, "not a wasm module"},
		"component":                {[]byte("\x00asm\x0d\x00\x01\x00"), "not a wasm module"},
		"import of the meter":      {module(section(2, vec(cat(str(ImportModule), str("x"), kindGlobal, typeI32, 0)))), "reserved module"},
		"export of the fuel":       {module(head, section(7, vec(export("belljar:fuel", 0, 0))), section(10, vec(fn()))), "reserved name"},
		"the fuel's index":         {code(0x42, 0, 0x24, 0), "global 0 of 0"},
		"the tick's type":          {code(0x41, 0, 0x11, 1, 0), "type 1 of 1"},
		"the last function":        {code(0x10, 1), "function 1 of 1"},
		"the length's local":       {code(0x20, 0, 0x1a), "local 0 of 0"},
		"undeclared reference":     {code(0xd2, 0, 0x1a), "undeclared function"},
		"section order":            {module(section(3, vec()), section(1, vec())), "misplaced section"},
		"section twice":            {module(section(1, vec()), section(1, vec())), "misplaced section"},
		"unknown section":          {module(section(14, nil)), "misplaced section"},
		"section too long":         {module(cat(1, 5, 0)), "bytes wanted"},
		"section too short":        {module(section(1, cat(0, 0))), "longer than its content"},
		"hostile count":            {module(section(1, cat(deep, 15))), "elements in 0 bytes"},
		"integer too long":         {module(section(1, cat(deep, 0xff, 1))), "too large for u32"},
		"integer too large":        {module(section(1, cat(deep, 0x1f))), "too large for u32"},
		"i32.const too large":      {code(0x41, deep, 0x4f, 0x1a), "too large for s32"},
		"no bodies":                {module(head), "differ in length"},
		"name that is not UTF-8":   {module(section(7, vec(export("\xff", 0, 0)))), "UTF-8"},
		"two memories":             {module(section(5, vec(cat(0, 1), cat(0, 1)))), "more than one memory"},
		"huge table":               {module(section(4, vec(cat(typeFuncref, 0, deep, 1)))), "tables of more than"},
		"many locals":              {raw(1, deep, 1, typeI32, opEnd), "locals"},
		"missing end":              {raw(0, 0x02, 0x40, opEnd), "unexpected end"},
		"code after the end":       {raw(0, opEnd, nop), "after the end"},
		"else without if":          {code(0x05), "else without if"},
		"two elses":                {code(0x41, 0, 0x04, 0x40, 0x05, 0x05, opEnd), "else without if"},
		"label":                    {code(0x0c, 1), "label 1 of 1"},
		"legacy exceptions":        {code(0x06, 0x40, opEnd), "unknown instruction"},
		"unknown opcode":           {code(0x27), "unknown instruction"},
		"unknown misc":             {code(0xfc, 18), "unknown instruction"},
		"long form of a misc":      {code(0xfc, 0x80, 0), "unknown instruction"},
		"long form of a vector":    {code(0xfd, 0x8c, 0x80, 0), "unknown vector instruction"},
		"gap in the vectors":       {code(0xfd, 0x9a, 1), "unknown vector instruction"},
		"relaxed vector":           {code(0xfd, 0x80, 2), "unknown vector instruction"},
		"unknown atomic":           {code(0xfe, 0x0f), "unknown atomic"},
		"load without memory":      {code(0x41, 0, 0x28, 2, 0, 0x1a), "no memory"},
		"block type":               {code(0x02, 1, opEnd), "unknown block type"},
		"start with parameters":    {module(section(1, vec(typeInt)), section(3, vec(cat(0))), section(8, cat(0)), section(10, vec(fn()))), "start function"},
		"data without a memory":    {module(section(11, vec(cat(0, 0x41, 0, opEnd, 0)))), "without a memory"},
		"fewer data than promised": {module(section(12, cat(1))), "missing"},
		"null for a typed reference": {module(section(1, vec(typeNone)), section(6, vec(cat(typeRef, 0, 0, 0xd0, 0x70, opEnd)))),
			"typed reference"},
	} {
		t.Run(name, func(t *testing.T) {
			m, err := Rewrite(tt.wasm, Config{Meter: true})
			var e *Error
			if m != nil || !errors.As(err, &e) || !strings.Contains(e.Reason, tt.reason) {
				t.Fatalf("got %v, want %q", err, tt.reason)
			}
			if e.Offset < 0 || e.Offset > len(tt.wasm) {
				t.Errorf("offset %d of %d", e.Offset, len(tt.wasm))
			}
		})
	}
}

// TestInputIsUntouched checks that neither the result nor the work on it changes the input, and that the same input
// gives the same result.
func TestInputIsUntouched(t *testing.T) {
	wasm := endless["mutual, indirect"]
	before := bytes.Clone(wasm)
	m, again := mustRewrite(t, wasm, Config{Meter: true}), mustRewrite(t, wasm, Config{Meter: true})
	if !reflect.DeepEqual(m, again) {
		t.Error("two rewritings differ")
	}
	for i := range m.Wasm {
		m.Wasm[i] = 0xee
	}
	if !bytes.Equal(wasm, before) {
		t.Error("input changed")
	}
}

// BenchmarkRewrite rewrites a module of many functions with many calls and loops.
func BenchmarkRewrite(b *testing.B) {
	var bodies [][]byte
	for seed := range uint64(2000) {
		g := generator{Rand: newRand(seed), functions: 100, depth: 1, calls: true}
		g.block(5)
		bodies = append(bodies, fn(g.w))
	}
	wasm := manyFunctions(bodies)
	for _, meter := range []bool{false, true} {
		b.Run(map[bool]string{false: "plain", true: "metered"}[meter], func(b *testing.B) {
			b.SetBytes(int64(len(wasm)))
			for b.Loop() {
				if _, err := Rewrite(wasm, Config{Meter: meter}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// manyFunctions is like recursive, for more functions than fit one byte; none is in the table.
func manyFunctions(bodies [][]byte) []byte {
	return module(section(1, vec(typeNone)), section(3, cat(appendU(nil, uint64(len(bodies))), make([]byte, len(bodies)))),
		section(4, vec(cat(typeFuncref, 0, 1))), section(5, vec(cat(0, 1))), section(13, vec(cat(0, 0))),
		section(10, vec(bodies...)))
}
