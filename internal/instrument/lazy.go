package instrument

import (
	"maps"
	"slices"
)

// lazyTable is the module's only table while it looks as if it could be filled lazily: it is the module's own, all its
// elements are known, and nothing but indirect calls looks into it.
//
// At instantiation each element is set to a stub, which is one reference for all elements of a type. An indirect call
// leaves its element's index in a global. A stub that is called sets that element to what belongs there and calls it
// again; so calls cost a store more than they did, and no test. A stub that an exception or asyncify unwinds is found
// nowhere in what is put back: the next call through the element reaches the function itself, or the stub anew.
type lazyTable struct {
	funcs    []uint32 // by element: index of the function, plus one; 0: null
	segments int      // in elements
	elements []byte   // the segments that declare the functions and set no element
	called   bool     // there is an indirect call

	stubs []uint32   // the types that have one, in ascending order; nil before plan
	parts []stubPart // what sets elements to stubs
}

// stubPart is elements of one type: as many as one function sets to their stub.
type stubPart struct {
	stub int // in stubs
	sets []stubSet
}

// stubSet is elements among 64 in a row. What fills a large table is a short loop over them: an instruction for each
// element would be code that no cache has when an instance starts.
type stubSet struct {
	first uint32
	mask  uint64
}

// stubPartMax bounds the sets of a stubPart. The runtime's compiler takes longer for large functions.
const stubPartMax = 256

// lazyGroup is how many elements one of the added functions sets, each on demand.
const (
	lazyGroupBits = 5
	lazyGroup     = 1 << lazyGroupBits
)

// Instructions that only the lazy table needs.
const (
	opBlock    = 0x02
	opBrTable  = 0x0e
	opReturn   = 0x0f
	opLocalSet = 0x21
	opTableSet = 0x26
	opI32And   = 0x71
	opLoop     = 0x03
	opBrIf     = 0x0d
	opI64Ne    = 0x52
	opI64Ctz   = 0x7a
	opI64And   = 0x83
	opI32Wrap  = 0xa7
	opI32ShrU  = 0x76

	opCallIndirect       = 0x11
	opReturnCallIndirect = 0x13

	elemDeclarative = 3
)

// addSegment takes an active segment's place in the table. It reports false where instantiation would fail.
func (t *lazyTable) addSegment(offset constant, funcs []uint32) bool {
	if !offset.known || uint64(offset.v)+uint64(len(funcs)) > uint64(len(t.funcs)) {
		return false
	}
	for i, f := range funcs {
		t.funcs[int(offset.v)+i] = f + 1
	}
	return true
}

// declare appends a segment that declares the functions, in the place of one that set elements.
func (t *lazyTable) declare(rw *rewriter, funcs []uint32) {
	t.elements = append(t.elements, elemDeclarative, 0)
	t.elements = appendU(t.elements, uint64(len(funcs)))
	for _, f := range funcs {
		t.elements = appendU(t.elements, uint64(rw.shift(f)))
	}
}

// plan finds the types that need a stub, and their elements.
func (t *lazyTable) plan(rw *rewriter) {
	byType := make(map[uint32][]stubSet)
	for i, f := range t.funcs {
		if f == 0 {
			continue
		}
		typ, first := rw.funcs[f-1], uint32(i)&^63
		sets := byType[typ]
		if n := len(sets); n == 0 || sets[n-1].first != first {
			sets = append(sets, stubSet{first: first})
		}
		sets[len(sets)-1].mask |= 1 << (i & 63)
		byType[typ] = sets
	}
	t.stubs = slices.Sorted(maps.Keys(byType))
	for i, typ := range t.stubs {
		for part := range slices.Chunk(byType[typ], stubPartMax) {
			t.parts = append(t.parts, stubPart{i, part})
		}
	}
}

func (t *lazyTable) groups() int { return (len(t.funcs) + lazyGroup - 1) / lazyGroup }

// lazyFunctions is how many functions are added for the lazy table: one that finds the group, the groups, the stubs, what
// sets elements to them, what calls that, and what sets a stubSet.
func (rw *rewriter) lazyFunctions() int {
	if rw.lazy == nil {
		return 0
	}
	return 1 + rw.lazy.groups() + len(rw.lazy.stubs) + len(rw.lazy.parts) + 2
}

// lazyTypes is how many types addLazyTable adds.
const lazyTypes = 3

// addLazyTable declares what the lazy table needs.
//
// Preconditions: addMeter has run.
func (rw *rewriter) addLazyTable() {
	t := rw.lazy
	if t == nil {
		return
	}
	t.plan(rw)
	fill, set := uint64(len(rw.sigs)+1), uint64(len(rw.sigs)+2)
	rw.add(sectionType, 0x60, 1, typeI32, 0)
	rw.add(sectionType, 0x60, 0, 0)
	rw.add(sectionType, 0x60, 3, typeI64, typeI32, typeFuncref, 0)
	for range 1 + t.groups() {
		rw.add(sectionFunction, appendU(nil, fill)...)
	}
	for _, typ := range t.stubs {
		rw.add(sectionFunction, appendU(nil, uint64(typ))...)
	}
	for range len(t.parts) + 1 {
		rw.add(sectionFunction, appendU(nil, set)...)
	}
	rw.add(sectionFunction, appendU(nil, set+1)...)
	rw.add(sectionGlobal, typeI32, 1, opI32Const, 0, opEnd)
	t.elements = appendU(append(t.elements, elemDeclarative, 0), uint64(len(t.stubs)))
	for i := range t.stubs {
		t.elements = appendU(t.elements, rw.stubIndex()+uint64(i))
	}
	rw.sections[sectionElement] = append(appendU(nil, uint64(t.segments+1)), t.elements...)
	rw.sections[sectionStart] = appendU(nil, rw.startIndex())
}

// fillIndex is the rewritten index of the function that sets an element; those of the groups follow it.
func (rw *rewriter) fillIndex() uint64 { return uint64(len(rw.funcs)) + 1 }

// stubIndex is the rewritten index of the first stub; what sets elements to stubs follows them.
func (rw *rewriter) stubIndex() uint64 { return rw.fillIndex() + 1 + uint64(rw.lazy.groups()) }

// startIndex is the rewritten index of the function that makes all elements stubs; the one that sets a stubSet follows it.
func (rw *rewriter) startIndex() uint64 {
	return rw.stubIndex() + uint64(len(rw.lazy.stubs)+len(rw.lazy.parts))
}

// calledIndex is the index of the global that holds the index of the element that was called last.
func (rw *rewriter) calledIndex() uint64 { return uint64(rw.globalCount) + 1 }

// noteCalled writes what precedes an indirect call, whose element's index is on top of the stack. The call itself finds
// what is wrong with the index or the type.
func (e *emitter) noteCalled() {
	e.w = appendU(append(e.w, opGlobalSet), e.rw.calledIndex())
	e.w = appendU(append(e.w, opGlobalGet), e.rw.calledIndex())
}

// lazyTable writes the added functions.
func (e *emitter) lazyTable() {
	e.fillers()
	t := e.rw.lazy
	for _, typ := range t.stubs {
		code := appendU([]byte{opGlobalGet}, e.rw.calledIndex())
		code = appendU(append(code, opCall), e.rw.fillIndex())
		for i := range e.rw.sigs[typ].params {
			code = appendU(append(code, opLocalGet), uint64(i))
		}
		code = appendU(append(code, opGlobalGet), e.rw.calledIndex())
		e.filler(append(appendU(append(code, opCallIndirect), uint64(typ)), 0))
	}
	var start []byte
	for i, part := range t.parts {
		code := appendU([]byte{1, 1, typeFuncref, opRefFunc}, e.rw.stubIndex()+uint64(part.stub))
		code = append(code, opLocalSet, 0)
		for _, s := range part.sets {
			code = appendS(append(code, opI64Const), int64(s.mask))
			code = append(appendS(append(code, opI32Const), int64(int32(s.first))), opLocalGet, 0)
			code = appendU(append(code, opCall), e.rw.startIndex()+1)
		}
		code = append(code, opEnd)
		e.w = append(appendU(e.w, uint64(len(code))), code...)
		start = appendU(append(start, opCall), e.rw.stubIndex()+uint64(len(t.stubs)+i))
	}
	e.filler(start)
	// (func (param $mask i64) (param $first i32) (param $stub funcref) loop
	//   (table.set (i32.add $first (i32.wrap_i64 (i64.ctz $mask))) $stub)
	//   (br_if 0 (i64.ne (local.tee $mask (i64.and $mask (i64.sub $mask 1))) 0)) end)
	e.filler([]byte{
		opLoop, blockVoid,
		opLocalGet, 1, opLocalGet, 0, opI64Ctz, opI32Wrap, opI32Add, opLocalGet, 2, opTableSet, 0,
		opLocalGet, 0, opLocalGet, 0, opI64Const, 1, opI64Sub, opI64And, opLocalTee, 0,
		opI64Const, 0, opI64Ne, opBrIf, 0, opEnd,
	})
}

// fillers writes the functions that set an element.
func (e *emitter) fillers() {
	t := e.rw.lazy
	n := t.groups()
	e.filler(cases(n, []byte{opLocalGet, 0, opI32Const, lazyGroupBits, opI32ShrU}, func(w []byte, i int) []byte {
		w = append(w, opLocalGet, 0, opCall)
		return appendU(w, e.rw.fillIndex()+1+uint64(i))
	}))
	for g := range n {
		group := t.funcs[g*lazyGroup : min((g+1)*lazyGroup, len(t.funcs))]
		e.filler(cases(len(group), []byte{opLocalGet, 0, opI32Const, lazyGroup - 1, opI32And}, func(w []byte, i int) []byte {
			if group[i] == 0 {
				return w
			}
			w = appendU(append(w, opLocalGet, 0, opRefFunc), uint64(e.rw.shift(group[i]-1)))
			return append(w, opTableSet, 0)
		}))
	}
}

func (e *emitter) filler(code []byte) {
	code = append(code, opEnd)
	e.w = appendU(e.w, uint64(len(code)+1))
	e.w = append(append(e.w, 0), code...) // no locals
}

// cases writes a switch over what selector leaves on the stack, and returns from the function after each case.
//
//	block … block selector br_table 0 1 … n-1 n end case(0) return end case(1) return … end
func cases(n int, selector []byte, each func(w []byte, i int) []byte) (w []byte) {
	for range n + 1 {
		w = append(w, opBlock, blockVoid)
	}
	w = append(w, selector...)
	w = appendU(append(w, opBrTable), uint64(n))
	for i := range n + 1 {
		w = appendU(w, uint64(i))
	}
	for i := range n {
		w = append(each(append(w, opEnd), i), opReturn)
	}
	return append(w, opEnd)
}
