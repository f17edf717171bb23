package instrument

// signature is a function type as far as the rewriter cares.
type signature struct {
	params    uint32
	class     uint32 // equal for types whose functions one indirect call may reach
	procedure bool   // no parameters and no results
}

// readTypes keeps the types as they are. Two types get the same class if they are equal up to the kind of their
// references, which is coarser than the runtime's check and needs no comparison of recursive types.
func (rw *rewriter) readTypes(r *reader) []byte {
	n := r.count(2)
	rw.counts[sectionType] = n
	start := r.pos
	rw.sigs = make([]signature, 0, n)
	c := classes{byKey: make(map[string]uint32)}
	for range n {
		if r.more() && r.b[r.pos] == 0x4e { // a recursive group, whose types may refer to each other
			r.byte()
			size := r.count(3)
			known := len(rw.sigs) + size
			for range size {
				rw.sigs = append(rw.sigs, c.functionType(r, known))
			}
		} else {
			rw.sigs = append(rw.sigs, c.functionType(r, len(rw.sigs)))
		}
		if r.err != nil {
			return nil
		}
	}
	rw.sigCount = len(c.byKey)
	return clone(r.b[start:r.pos])
}

// classes numbers the classes of signatures.
type classes struct {
	byKey map[string]uint32
	key   []byte
}

// functionType reads a function type that may refer to the first known types.
func (c *classes) functionType(r *reader, known int) signature {
	if form := r.byte(); form != 0x60 {
		r.failAt(r.pos-1, "unknown type form %#x", form)
	}
	c.key = c.key[:0]
	var s signature
	n := r.count(1)
	s.params = uint32(n)
	for range n {
		c.key = append(c.key, typeKey(r.valueType(known)))
	}
	c.key = append(c.key, 0)
	n = r.count(1)
	s.procedure = s.params == 0 && n == 0
	for range n {
		c.key = append(c.key, typeKey(r.valueType(known)))
	}
	class, ok := c.byKey[string(c.key)]
	if !ok {
		class = uint32(len(c.byKey))
		c.byKey[string(c.key)] = class
	}
	s.class = class
	return s
}

func typeKey(t byte) byte {
	if isRef(t) {
		return typeRef
	}
	return t
}

func isRef(t byte) bool { return t < typeV128 }

// Kinds of imports and exports.
const (
	kindFunc = iota
	kindTable
	kindMemory
	kindGlobal
	kindTag
)

func (rw *rewriter) readImports(r *reader) []byte {
	var w []byte
	n := r.count(4)
	rw.counts[sectionImport] = n
	for range n {
		start := r.pos
		module := r.name()
		if module == ImportModule {
			r.failAt(start, "imports from the reserved module %q", module)
		}
		w = appendName(w, module)
		w = appendName(w, r.name())
		kind := r.byte()
		w = append(w, kind)
		desc := r.pos
		switch kind {
		case kindFunc:
			rw.funcs = append(rw.funcs, r.index(len(rw.sigs), "type"))
			rw.imports++
		case kindTable:
			r.valueType(len(rw.sigs))
			r.limits()
			rw.tables++
			rw.reason("imports a table")
		case kindMemory:
			w = rw.memory(r, w)
			rw.out.Memory.Imported = true
			continue
		case kindGlobal:
			if t, mutable := rw.globalType(r); mutable {
				rw.reason("imports a mutable global of type " + typeName(t))
			}
			rw.globalCount++
		case kindTag:
			rw.tag(r)
		default:
			r.failAt(desc-1, "unknown kind of import %#x", kind)
		}
		w = append(w, r.b[desc:r.pos]...)
		if r.err != nil {
			return nil
		}
	}
	return orEmpty(w)
}

func (rw *rewriter) tag(r *reader) {
	r.zero("tag attribute")
	r.index(len(rw.sigs), "type")
	rw.tags++
}

func (rw *rewriter) readFunctions(r *reader) []byte {
	n := r.count(1)
	start := r.pos
	for range n {
		rw.funcs = append(rw.funcs, r.index(len(rw.sigs), "type"))
	}
	rw.counts[sectionFunction] = n
	return clone(r.b[start:r.pos])
}

// memory reads the type of the module's only memory and appends it unshared.
func (rw *rewriter) memory(r *reader, w []byte) []byte {
	start := r.pos
	lo, hi, hasMax, shared := r.limits()
	if rw.out.Memory.Defined || rw.out.Memory.Imported {
		r.failAt(start, "more than one memory")
	}
	if shared && !hasMax {
		r.failAt(start, "shared memory without a maximum")
	}
	rw.out.Memory = Memory{Min: lo, Max: hi, HasMax: hasMax, Shared: shared}
	return appendLimits(w, lo, hi, hasMax)
}

func (rw *rewriter) readMemory(r *reader) []byte {
	n := r.count(2)
	w := appendU(nil, uint64(n))
	for range n {
		w = rw.memory(r, w)
		rw.out.Memory.Defined = true
	}
	return w
}

func appendLimits(w []byte, lo, hi uint32, hasMax bool) []byte {
	if !hasMax {
		return appendU(append(w, 0), uint64(lo))
	}
	return appendU(appendU(append(w, 1), uint64(lo)), uint64(hi))
}

// readTables lowers the maximum of every table so that all of them together can't outgrow MaxTableEntries.
func (rw *rewriter) readTables(r *reader) []byte {
	type table struct {
		head, init []byte // around the limits
		lo, hi     uint32
		hasMax     bool
	}
	n := r.count(3)
	tables := make([]table, 0, n)
	total := uint64(0)
	for range n {
		var t table
		start := r.pos
		hasInit := r.more() && r.b[r.pos] == 0x40
		if hasInit {
			r.byte()
			r.zero("table form")
		}
		typ := r.valueType(len(rw.sigs))
		if !isRef(typ) {
			r.failAt(start, "table of %s", typeName(typ))
		}
		t.head = r.b[start:r.pos]
		var shared bool
		at := r.pos
		t.lo, t.hi, t.hasMax, shared = r.limits()
		if shared || t.hasMax && t.hi < t.lo {
			r.failAt(at, "impossible limits of a table")
		}
		if hasInit {
			t.init, _ = rw.refExpr(r, nil, typ)
		}
		if total += uint64(t.lo); total > MaxTableEntries {
			r.failAt(at, "tables of more than %d elements", MaxTableEntries)
		}
		tables = append(tables, t)
		if r.err != nil {
			return nil
		}
	}
	if rw.cfg.Meter && rw.cfg.LazyTable && rw.tables == 0 && n == 1 && tables[0].init == nil && tables[0].head[0] == typeFuncref {
		rw.lazy = &lazyTable{funcs: make([]uint32, tables[0].lo)}
	}
	rw.tables += n
	w := appendU(nil, uint64(n))
	for _, t := range tables {
		w = append(w, t.head...)
		hi := t.lo + uint32((MaxTableEntries-total)/uint64(n))
		if t.hasMax && t.hi < hi {
			hi = t.hi
		}
		w = appendLimits(w, t.lo, hi, true)
		w = append(w, t.init...)
	}
	return w
}

func (rw *rewriter) globalType(r *reader) (typ byte, mutable bool) {
	typ = r.valueType(len(rw.sigs))
	start := r.pos
	m := r.byte()
	if m > 1 {
		r.failAt(start, "unknown mutability %#x", m)
	}
	return typ, m == 1
}

func (rw *rewriter) readGlobals(r *reader) []byte {
	n := r.count(4)
	rw.counts[sectionGlobal] = n
	var w []byte
	for range n {
		start := r.pos
		typ, mutable := rw.globalType(r)
		w = append(w, r.b[start:r.pos]...)
		w, _ = rw.refExpr(r, w, typ)
		if mutable {
			rw.out.Globals = append(rw.out.Globals, Global{Name: globalName(rw.globalCount), Type: typeName(typ)})
			if typ == typeV128 || isRef(typ) {
				rw.reason("has a mutable global of type " + typeName(typ))
			}
			rw.mutable = append(rw.mutable, uint32(rw.globalCount))
		}
		rw.globalCount++
		if r.err != nil {
			return nil
		}
	}
	return orEmpty(w)
}

func typeName(t byte) string {
	switch t {
	case typeI32:
		return "i32"
	case typeI64:
		return "i64"
	case typeF32:
		return "f32"
	case typeF64:
		return "f64"
	case typeV128:
		return "v128"
	case typeFuncref:
		return "funcref"
	case typeExternref:
		return "externref"
	case typeExnref:
		return "exnref"
	}
	return "ref"
}

func (rw *rewriter) readExports(r *reader) []byte {
	n := r.count(3)
	rw.counts[sectionExport] = n
	var w []byte
	for range n {
		start := r.pos
		name := r.name()
		if reserved(name) {
			r.failAt(start, "exports the reserved name %q", name)
		}
		at := r.pos
		kind := r.byte()
		w = append(appendName(w, name), kind)
		var i uint32
		switch kind {
		case kindFunc:
			i = r.index(len(rw.funcs), "function")
			rw.escape(i)
			i = rw.shift(i)
		case kindTable:
			i = r.index(rw.tables, "table")
			rw.lazy = nil
		case kindMemory:
			i = r.index(rw.memories(), "memory")
		case kindGlobal:
			i = r.index(rw.globalCount, "global")
		case kindTag:
			i = r.index(rw.tags, "tag")
		default:
			r.failAt(at, "unknown kind of export %#x", kind)
		}
		w = appendU(w, uint64(i))
		if r.err != nil {
			return nil
		}
	}
	return orEmpty(w)
}

func (rw *rewriter) memories() int {
	if rw.out.Memory.Defined || rw.out.Memory.Imported {
		return 1
	}
	return 0
}

// escape notes that function f may be called by whoever holds a reference to it.
func (rw *rewriter) escape(f uint32) {
	if rw.escapes == nil {
		rw.escapes = make([]bool, len(rw.funcs))
	}
	if int(f) < len(rw.escapes) {
		rw.escapes[f] = true
	}
}

func (rw *rewriter) mayEscape(f uint32) bool { return int(f) < len(rw.escapes) && rw.escapes[f] }

func clone(b []byte) []byte { return append([]byte{}, b...) }

// orEmpty keeps an empty section present.
func orEmpty(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}
