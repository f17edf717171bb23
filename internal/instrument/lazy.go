package instrument

// lazyTable is the module's only table while it looks as if it could be filled lazily: it is the module's own, all its
// elements are known, and nothing but indirect calls looks into it.
type lazyTable struct {
	funcs    []uint32 // by element: index of the function, plus one; 0: null
	elements []byte   // the element section that declares the functions and sets no element
	called   bool     // there is an indirect call
}

// lazyGroup is how many elements one of the added functions sets, each on demand.
const (
	lazyGroupBits = 5
	lazyGroup     = 1 << lazyGroupBits
)

// Instructions that only the lazy table needs.
const (
	opBlock     = 0x02
	opBrTable   = 0x0e
	opReturn    = 0x0f
	opTableGet  = 0x25
	opTableSet  = 0x26
	opRefIsNull = 0xd1
	opI32And    = 0x71
	opI32ShrU   = 0x76

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

func (t *lazyTable) groups() int { return (len(t.funcs) + lazyGroup - 1) / lazyGroup }

// lazyFunctions is how many functions are added for the lazy table: one that finds the group, and the groups.
func (rw *rewriter) lazyFunctions() int {
	if rw.lazy == nil {
		return 0
	}
	return 1 + rw.lazy.groups()
}

// addLazyTable declares the functions that set elements. Their type is (func (param i32)).
//
// Preconditions: addMeter has run.
func (rw *rewriter) addLazyTable() {
	if rw.lazy == nil {
		return
	}
	rw.sections[sectionElement] = rw.lazy.elements
	typ := uint64(len(rw.sigs) + 1)
	rw.add(sectionType, 0x60, 1, typeI32, 0)
	for range rw.lazyFunctions() {
		rw.add(sectionFunction, appendU(nil, typ)...)
	}
}

// fillIndex is the rewritten index of the function that sets an element; those of the groups follow it.
func (rw *rewriter) fillIndex() uint64 { return uint64(len(rw.funcs)) + 1 }

// lookUp writes what precedes an indirect call, whose element's index is on top of the stack: an element that is null
// is set first. The call itself then finds what is wrong with the index or the type.
func (e *emitter) lookUp(local uint32) {
	e.w = appendU(append(e.w, opLocalTee), uint64(local))
	e.w = append(e.w, opTableGet, 0, opRefIsNull, opIf, blockVoid)
	e.w = appendU(append(e.w, opLocalGet), uint64(local))
	e.w = appendU(append(e.w, opCall), e.rw.fillIndex())
	e.w = appendU(append(e.w, opEnd, opLocalGet), uint64(local))
}

// fillers writes the added functions.
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
