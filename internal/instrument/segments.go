package instrument

// Opcodes that constant expressions share with function bodies.
const (
	opUnreachable = 0x00
	opEnd         = 0x0b
	opGlobalGet   = 0x23
	opI32Const    = 0x41
	opI64Const    = 0x42
	opF32Const    = 0x43
	opF64Const    = 0x44
	opI32Add      = 0x6a
	opI32Sub      = 0x6b
	opI32Mul      = 0x6c
	opI64Add      = 0x7c
	opI64Sub      = 0x7d
	opI64Mul      = 0x7e
	opRefNull     = 0xd0
	opRefFunc     = 0xd2
	opVector      = 0xfd
	vecConst      = 0x0c
)

// constant is what is known of a constant expression.
type constant struct {
	v     uint32 // the value, if it is an i32 computed from constants alone
	known bool
	ref   byte   // opRefFunc or opRefNull if that is all of it
	f     uint32 // the function of opRefFunc
}

// constExpr appends a constant expression to w with its function indices shifted.
func (rw *rewriter) constExpr(r *reader, w []byte) ([]byte, constant) {
	// Operands below an unknown one may be missing from the stack, which is then not ours to judge.
	var stack []uint32
	known, count, ref, function := true, 0, byte(0), uint32(0)
	for ; r.err == nil; count++ {
		start := r.pos
		op := r.byte()
		switch op {
		case opEnd:
			c := constant{known: known && len(stack) == 1}
			if c.known {
				c.v = stack[0]
			}
			if count == 1 {
				c.ref, c.f = ref, function
			}
			return append(w, opEnd), c
		case opI32Const:
			stack = append(stack, uint32(r.signed(32)))
		case opI32Add, opI32Sub, opI32Mul:
			if len(stack) < 2 {
				known = false
				break
			}
			a, b := stack[len(stack)-2], stack[len(stack)-1]
			stack = append(stack[:len(stack)-2], fold(op, a, b))
		case opRefFunc:
			f := r.index(len(rw.funcs), "function")
			rw.escape(f)
			w = appendU(append(w, op), uint64(rw.shift(f)))
			known, ref, function = false, op, f
			continue
		default:
			known, ref = false, op
			rw.constOther(r, start, op)
		}
		w = append(w, r.b[start:r.pos]...)
	}
	return w, constant{}
}

// refExpr appends a constant expression for a reference of the given type. What the runtime makes of expressions for
// references to types of the module is checked here again, because wazero 1.12 takes every reference that isn't a
// ref.func for one to the first function: for a null it can't follow, or for a function of another type.
func (rw *rewriter) refExpr(r *reader, w []byte, typ byte) ([]byte, constant) {
	at := r.pos
	w, c := rw.constExpr(r, w)
	if typ == typeRef && c.ref != opRefFunc || typ == typeRefNull && c.ref != opRefFunc && c.ref != opRefNull {
		r.failAt(at, "unsupported first value for a typed reference")
	}
	return w, c
}

func fold(op byte, a, b uint32) uint32 {
	switch op {
	case opI32Add:
		return a + b
	case opI32Sub:
		return a - b
	}
	return a * b
}

// constOther skips the immediates of the instructions that no offset is computed from here.
func (rw *rewriter) constOther(r *reader, start int, op byte) {
	switch op {
	case opI64Add, opI64Sub, opI64Mul:
	case opGlobalGet:
		r.index(rw.globalCount, "global")
	case opI64Const:
		r.signed(64)
	case opF32Const:
		r.bytes(4)
	case opF64Const:
		r.bytes(8)
	case opRefNull:
		r.heapType(len(rw.sigs))
	case opVector:
		if r.byte() != vecConst {
			r.failAt(start, "instruction is not constant")
		}
		r.bytes(16)
	default:
		r.failAt(start, "instruction %#x is not constant", op)
	}
}

// readElements follows https://webassembly.github.io/spec/core/binary/modules.html#element-section, where the flags
// mean: 1 passive or declarative, 2 with a table index or declarative, 4 expressions instead of function indices.
func (rw *rewriter) readElements(r *reader) []byte {
	n := r.count(3)
	rw.elems = n
	w := appendU(nil, uint64(n))
	if rw.lazy != nil {
		rw.lazy.segments = n
	}
	for range n {
		at := len(w)
		var s elements
		if w, s = rw.readSegment(r, w); r.err != nil {
			return nil
		}
		switch t := rw.lazy; {
		case t == nil:
		case !s.active:
			t.elements = append(t.elements, w[at:]...)
		case s.computed || !t.addSegment(s.offset, s.funcs):
			rw.lazy = nil
		default:
			t.declare(rw, s.funcs)
		}
	}
	return w
}

// elements is what an element segment holds.
type elements struct {
	active   bool
	offset   constant
	funcs    []uint32
	computed bool // some are not functions that are known
}

func (rw *rewriter) readSegment(r *reader, w []byte) ([]byte, elements) {
	var s elements
	start := r.pos
	flags := r.u32()
	if flags > 7 {
		r.failAt(start, "unknown element segment flags %#x", flags)
	}
	w = append(w, byte(flags))
	if s.active = flags&1 == 0; s.active {
		if flags&2 != 0 {
			w = appendU(w, uint64(r.index(rw.tables, "table")))
		}
		w, s.offset = rw.constExpr(r, w)
	}
	typ := byte(typeFuncref)
	if flags&3 != 0 {
		at := r.pos
		if flags&4 == 0 {
			r.zero("element kind")
		} else if typ = r.valueType(len(rw.sigs)); !isRef(typ) {
			r.failAt(at, "elements of type %s", typeName(typ))
		}
		w = append(w, r.b[at:r.pos]...)
	}
	count := r.count(1)
	w = appendU(w, uint64(count))
	for range count {
		if flags&4 != 0 {
			var c constant
			w, c = rw.refExpr(r, w, typ)
			s.computed = s.computed || c.ref != opRefFunc
			s.funcs = append(s.funcs, c.f)
			continue
		}
		f := r.index(len(rw.funcs), "function")
		rw.escape(f)
		w = appendU(w, uint64(rw.shift(f)))
		s.funcs = append(s.funcs, f)
	}
	return w, s
}

// Flags of a data segment.
const (
	dataActive = iota
	dataPassive
	dataActiveMemory // with a memory index
)

// readData takes active segments of constant offset out of the module. An empty passive segment stays in the place of
// each, which is what instantiation makes of an active one, and keeps the indices of the others.
func (rw *rewriter) readData(r *reader) []byte {
	at := r.pos
	n := r.count(2)
	if rw.sections[sectionDataCount] != nil && n != rw.datas {
		r.failAt(at, "%d data segments where %d were announced", n, rw.datas)
	}
	rw.datas = n
	w := appendU(nil, uint64(n))
	for range n {
		start := r.pos
		flags := r.u32()
		if flags > dataActiveMemory {
			r.failAt(start, "unknown data segment flags %#x", flags)
		}
		if flags == dataPassive {
			rw.passive = true
			b := r.bytes(r.u32())
			w = append(appendU(append(w, dataPassive), uint64(len(b))), b...)
			continue
		}
		if flags == dataActiveMemory {
			r.index(1, "memory")
		}
		if rw.memories() == 0 {
			r.failAt(start, "data segment without a memory")
		}
		expr, offset := rw.constExpr(r, nil)
		b := r.bytes(r.u32())
		if r.err != nil {
			return nil
		}
		if offset.known {
			rw.out.Data = append(rw.out.Data, Segment{Offset: uint64(offset.v), Bytes: b})
			w = append(w, dataPassive, 0)
			continue
		}
		rw.reason("has an active data segment of computed offset")
		w = append(append(w, dataActive), expr...)
		w = append(appendU(w, uint64(len(b))), b...)
	}
	return w
}
