package instrument

// instruction reads one instruction; see https://webassembly.github.io/spec/core/binary/instructions.html.
func (s *scanner) instruction() {
	start := s.pos
	op := s.byte()
	switch shapes[op] {
	case shapePlain:
		s.weigh(start, 1)
	case shapeDivide:
		s.weigh(start, weightDivide)
	case shapeLocal:
		s.index(int(s.cur.locals), "local")
		s.weigh(start, 1)
	case shapeGlobal:
		s.index(s.rw.globalCount, "global")
		s.weigh(start, 1)
	case shapeMemory:
		s.memoryArg()
		s.weigh(start, 1)
	case shapeConst:
		s.constant(op)
		s.weigh(start, 1)
	case shapeControl:
		s.control(start, op)
	case shapeCall:
		s.call(start, op)
	case shapeReference:
		s.reference(start, op)
	case shapeMisc:
		s.misc(start)
	case shapeVector:
		s.vector(start)
		s.weigh(start, 1)
	case shapeAtomic:
		s.atomic(start)
		s.weigh(start, 1)
	default:
		s.failAt(start, "unknown instruction %#x", op)
	}
}

// shape says how the immediates of an instruction are read.
type shape uint8

const (
	shapeUnknown shape = iota
	shapePlain
	shapeDivide
	shapeLocal
	shapeGlobal
	shapeMemory
	shapeConst
	shapeControl
	shapeCall
	shapeReference
	shapeMisc
	shapeVector
	shapeAtomic
)

var shapes = makeShapes()

func makeShapes() (t [256]shape) {
	fill := func(s shape, from, to int) {
		for op := from; op <= to; op++ {
			t[op] = s
		}
	}
	fill(shapeControl, 0x00, 0x05) // unreachable nop block loop if else
	fill(shapeControl, 0x08, 0x08) // throw
	fill(shapeControl, 0x0a, 0x0f) // throw_ref end br br_if br_table return
	fill(shapeCall, 0x10, 0x15)    // call call_indirect return_call return_call_indirect call_ref return_call_ref
	fill(shapePlain, 0x1a, 0x1b)   // drop select
	fill(shapeReference, 0x1c, 0x1c)
	fill(shapeControl, 0x1f, 0x1f) // try_table
	fill(shapeLocal, 0x20, 0x22)
	fill(shapeGlobal, 0x23, 0x24)
	fill(shapeReference, 0x25, 0x26) // table.get table.set
	fill(shapeMemory, 0x28, 0x3e)
	fill(shapeReference, 0x3f, 0x40) // memory.size memory.grow
	fill(shapeConst, opI32Const, opF64Const)
	fill(shapePlain, 0x45, 0xc4)
	fill(shapeDivide, 0x6d, 0x70) // i32.div_s to i32.rem_u
	fill(shapeDivide, 0x7f, 0x82) // i64.div_s to i64.rem_u
	fill(shapeDivide, 0x91, 0x91) // f32.sqrt
	fill(shapeDivide, 0x95, 0x95) // f32.div
	fill(shapeDivide, 0x9f, 0x9f) // f64.sqrt
	fill(shapeDivide, 0xa3, 0xa3) // f64.div
	fill(shapeReference, 0xd0, 0xd2)
	fill(shapeReference, 0xd4, 0xd4) // ref.as_non_null
	fill(shapeControl, 0xd5, 0xd6)   // br_on_null br_on_non_null
	fill(shapeMisc, 0xfc, 0xfc)
	fill(shapeVector, 0xfd, 0xfd)
	fill(shapeAtomic, 0xfe, 0xfe)
	return t
}

func (s *scanner) memoryArg() {
	if s.rw.memories() == 0 {
		s.fail("no memory")
	}
	s.index(32, "alignment")
	s.u32()
}

func (s *scanner) constant(op byte) {
	switch op {
	case opI32Const:
		s.signed(32)
	case opI64Const:
		s.signed(64)
	case opF32Const:
		s.bytes(4)
	case opF64Const:
		s.bytes(8)
	}
}

func (s *scanner) control(start int, op byte) {
	switch op {
	case 0x00: // unreachable
		s.event(start, evTrap, 0)
	case 0x01: // nop
		s.weigh(start, 1)
	case 0x02: // block
		s.blockType()
		s.push(start, evBlock, 0)
	case 0x03: // loop
		s.blockType()
		s.push(start, evLoop, 0)
	case 0x04: // if
		s.blockType()
		s.push(start, evIf, 0)
	case 0x05:
		s.alternative(start)
	case 0x08: // throw
		s.index(s.rw.tags, "tag")
		s.event(start, evThrow, 0)
	case 0x0a: // throw_ref
		s.event(start, evThrow, 0)
	case opEnd:
		s.end(start)
	case 0x0c: // br
		s.event(start, evBr, s.label())
	case 0x0d, 0xd5, 0xd6: // br_if br_on_null br_on_non_null
		s.event(start, evBrIf, s.label())
	case 0x0e: // br_table
		list := s.labelList(s.count(1)+1, s.appendCase)
		s.event(start, evBrTable, list)
	case 0x0f: // return
		s.event(start, evReturn, 0)
	case 0x1f: // try_table
		s.blockType()
		list := s.labelList(s.count(2), s.catch)
		s.push(start, evTryTable, list)
	}
}

// catch reads a catch clause, whose label counts from outside the try_table.
func (s *scanner) catch() {
	start := s.pos
	switch s.byte() {
	case 0, 1: // catch catch_ref
		s.index(s.rw.tags, "tag")
	case 2, 3: // catch_all catch_all_ref
	default:
		s.failAt(start, "unknown catch clause")
	}
	s.appendLabel()
}

func (s *scanner) blockType() {
	if !s.more() || s.b[s.pos] == 0x40 {
		s.byte()
		return
	}
	if c := s.b[s.pos]; c > 0x40 && c < 0x80 {
		s.valueType(len(s.rw.sigs))
		return
	}
	start := s.pos
	if i := s.signed(33); i < 0 || i >= int64(len(s.rw.sigs)) {
		s.failAt(start, "unknown block type %d", i)
	}
}

func (s *scanner) call(start int, op byte) {
	switch op {
	case 0x10: // call
		s.event(start, evCall, s.index(len(s.rw.funcs), "function"))
	case 0x12: // return_call
		s.event(start, evTailCall, s.index(len(s.rw.funcs), "function"))
	default:
		t := s.index(len(s.rw.sigs), "type")
		if op == 0x11 || op == 0x13 { // call_indirect return_call_indirect
			s.index(s.rw.tables, "table")
			if s.rw.lazy != nil {
				s.rw.lazy.called = true
			}
		}
		if s.err != nil {
			return
		}
		kind := evCallRef
		if op == 0x13 || op == 0x15 { // return_call_indirect return_call_ref
			kind = evTailCallRef
		}
		s.event(start, kind, s.rw.sigs[t].class)
	}
}

func (s *scanner) reference(start int, op byte) {
	switch op {
	case 0x1c: // select with types
		if s.u32() != 1 {
			s.failAt(start, "select of other than one type")
		}
		s.valueType(len(s.rw.sigs))
	case 0x25, 0x26: // table.get table.set
		s.index(s.rw.tables, "table")
		s.rw.lazy = nil
		if op == 0x26 {
			s.rw.reason("changes a table")
		}
	case 0x3f, 0x40: // memory.size memory.grow
		s.memoryIndex()
		if op == 0x40 {
			s.weigh(start, weightGrow)
			return
		}
	case opRefNull:
		s.heapType(len(s.rw.sigs))
	case opRefFunc:
		f := s.index(len(s.rw.funcs), "function")
		if !s.rw.mayEscape(f) {
			s.failAt(start, "reference to undeclared function %d", f)
		}
		s.run++
		s.event(start, evRefFunc, f)
		return
	}
	s.weigh(start, 1)
}

func (s *scanner) memoryIndex() {
	if s.rw.memories() == 0 {
		s.fail("no memory")
	}
	s.zero("memory index")
}
