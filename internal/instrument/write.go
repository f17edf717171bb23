package instrument

// Opcodes of what the rewriter inserts.
const (
	opIf        = 0x04
	opBr        = 0x0c
	opCall      = 0x10
	opLocalGet  = 0x20
	opLocalTee  = 0x22
	opGlobalSet = 0x24
	opI32GtU    = 0x4b
	opI64LtS    = 0x53
	opI64ShrU   = 0x88
	opI64ExtU   = 0xad
	blockVoid   = 0x40
)

// write puts the rewritten sections together.
func (rw *rewriter) write() {
	if rw.lazy != nil && !rw.lazy.called {
		rw.lazy = nil
	}
	rw.sections[sectionStart] = nil
	if rw.cfg.Meter {
		rw.addMeter()
		rw.addLazyTable()
		rw.addProbe()
		rw.sections[sectionCode] = rw.writeCode()
	}
	rw.addExports()
	for id, n := range rw.counts {
		if n > 0 {
			rw.sections[id] = append(appendU(nil, uint64(n)), rw.sections[id]...)
		}
	}
	rw.out.Wasm = rw.join()
}

func (rw *rewriter) join() []byte {
	size := len(rw.names) + 64
	for _, s := range rw.sections {
		size += len(s) + 8
	}
	w := append(make([]byte, 0, size), "\x00asm\x01\x00\x00\x00"...)
	for _, id := range sectionOrder {
		s := rw.sections[id]
		if len(s) > 0 {
			w = append(appendU(append(w, id), uint64(len(s))), s...)
		}
	}
	if rw.names != nil {
		w = append(appendU(append(w, sectionCustom), uint64(len(rw.names))), rw.names...)
	}
	return w
}

func (rw *rewriter) add(section int, element ...byte) {
	rw.sections[section] = append(rw.sections[section], element...)
	rw.counts[section]++
}

// addMeter adds the tick function, after the imported functions, and the fuel, after all globals.
func (rw *rewriter) addMeter() {
	rw.add(sectionType, 0x60, 1, typeI64, 1, typeI64)
	tick := appendName(appendName(nil, ImportModule), ImportTick)
	rw.add(sectionImport, appendU(append(tick, kindFunc), uint64(len(rw.sigs)))...)
	rw.add(sectionGlobal, typeI64, 1, opI64Const, 0, opEnd)
}

// addProbe adds the function that tells the module from its skeleton, after all others.
//
// Preconditions: addLazyTable has run.
func (rw *rewriter) addProbe() {
	if !rw.cfg.Probe || rw.sections[sectionCode] == nil {
		return
	}
	rw.out.Probe = probeName
	typ := len(rw.sigs) + 1
	if rw.lazy != nil {
		typ += lazyTypes
	}
	rw.add(sectionType, 0x60, 0, 1, typeI32)
	rw.add(sectionFunction, appendU(nil, uint64(typ))...)
}

// probes is how many functions addProbe has added.
func (rw *rewriter) probes() int {
	if rw.out.Probe == "" {
		return 0
	}
	return 1
}

func (rw *rewriter) addExports() {
	export := func(name string, kind byte, index uint32) {
		rw.add(sectionExport, appendU(append(appendName(nil, name), kind), uint64(index))...)
	}
	for i, g := range rw.out.Globals {
		export(g.Name, kindGlobal, rw.mutable[i])
	}
	if rw.out.Start != "" {
		export(startName, kindFunc, rw.start)
	}
	if rw.cfg.Meter {
		export(fuelName, kindGlobal, uint32(rw.globalCount))
	}
	if rw.out.Probe != "" {
		export(probeName, kindFunc, uint32(len(rw.funcs)+1+rw.lazyFunctions()))
	}
}

// emitter writes the code section.
type emitter struct {
	rw    *rewriter
	w     []byte
	check []byte // what follows the price in a check, as far as it is the same in all
	fuel  uint64 // index of the fuel global
	tick  uint64 // index of the tick function
}

func (rw *rewriter) writeCode() []byte {
	if rw.sections[sectionCode] == nil {
		return nil
	}
	e := emitter{rw: rw, fuel: uint64(rw.globalCount), tick: uint64(rw.imports)}
	e.check = e.makeCheck()
	e.w = appendU(make([]byte, 0, 2*len(rw.sections[sectionCode])), uint64(len(rw.bodies)+rw.lazyFunctions()+rw.probes()))
	var scratch []byte
	for i := range rw.bodies {
		out := e.w
		e.w = scratch[:0]
		e.function(&rw.bodies[i], rw.entryPrice[i])
		scratch = e.w
		e.w = append(appendU(out, uint64(len(scratch))), scratch...)
	}
	if rw.lazy != nil {
		e.lazyTable()
	}
	if rw.probes() > 0 {
		e.w = append(e.w, 4, 0, opI32Const, 1, opEnd) // no locals
	}
	return e.w
}

func (e *emitter) function(b *body, entry uint32) {
	src := e.rw.src
	e.declare(b)
	if entry > 0 {
		e.pay(entry)
	}
	at := b.code
	for i := b.first; i < b.last; i++ {
		ev := &e.rw.events[i]
		if ev.before > 0 {
			e.w = append(e.w, src[at:ev.pos]...)
			at = ev.pos
			e.pay(ev.before)
		}
		switch ev.kind {
		case evCall, evTailCall, evRefFunc:
			e.w = append(e.w, src[at:ev.pos+1]...)
			e.w = appendU(e.w, uint64(e.rw.shift(ev.arg)))
			at = ev.pos + uint32(ev.size)
		case evCallRef, evTailCallRef:
			if op := src[ev.pos]; e.rw.lazy != nil && (op == opCallIndirect || op == opReturnCallIndirect) {
				e.w = append(e.w, src[at:ev.pos]...)
				at = ev.pos
				e.noteCalled()
			}
		case evBulk:
			e.w = append(e.w, src[at:ev.pos]...)
			at = ev.pos
			e.payLength(b.locals, ev.arg)
		}
		if ev.after > 0 {
			end := ev.pos + uint32(ev.size)
			e.w = append(e.w, src[at:end]...)
			at = end
			if ev.kind == evLoop && e.rw.takesNothing(ev.pos+1) {
				e.payLoop(ev.after)
			} else {
				e.pay(ev.after)
			}
		}
	}
	e.w = append(e.w, src[at:b.end]...)
}

// declare writes the declarations of the locals, and one more i32 if the rewriter needs it.
func (e *emitter) declare(b *body) {
	r := reader{b: e.rw.src[:b.code], pos: int(b.start)}
	n := uint64(r.u32())
	if b.scratch {
		n++
	}
	e.w = append(appendU(e.w, n), e.rw.src[r.pos:b.code]...)
	if b.scratch {
		e.w = append(e.w, 1, typeI32)
	}
}

// pay writes a check.
func (e *emitter) pay(price uint32) {
	e.w = appendU(append(e.w, opGlobalGet), e.fuel)
	e.w = appendS(append(e.w, opI64Const), int64(price))
	e.w = append(e.w, e.check...)
	e.w = append(appendU(append(e.w, opGlobalSet), e.fuel), opEnd)
}

// payLoop writes a check at the head of a loop. After a tick it gives the price back and starts over, for the sake of
// the runtime's compiler: so no path joins another behind the check, and what it knows of the memory and of registers
// holds on. This takes half the cost of checks away.
func (e *emitter) payLoop(price uint32) {
	e.w = appendU(append(e.w, opGlobalGet), e.fuel)
	e.w = appendS(append(e.w, opI64Const), int64(price))
	e.w = append(e.w, e.check...)
	e.w = appendS(append(e.w, opI64Const), int64(price))
	e.w = appendU(append(e.w, opI64Add, opGlobalSet), e.fuel)
	e.w = append(e.w, opBr, 1, opEnd)
}

// takesNothing tells whether the block type at an offset has no parameters, so that a branch to the block's start needs
// no operands.
func (rw *rewriter) takesNothing(at uint32) bool {
	if c := rw.src[at]; c >= 0x40 && c < 0x80 {
		return true
	}
	r := reader{b: rw.src, pos: int(at)}
	return rw.sigs[r.signed(33)].params == 0
}

// makeCheck makes what follows the two operands of the subtraction, up to what is to be done with the result of tick.
func (e *emitter) makeCheck() []byte {
	w := appendU([]byte{opI64Sub, opGlobalSet}, e.fuel)
	w = appendU(append(w, opGlobalGet), e.fuel)
	w = append(w, opI64Const, 0, opI64LtS, opIf, blockVoid)
	w = appendU(append(w, opGlobalGet), e.fuel)
	return appendU(append(w, opCall), e.tick)
}

// payLength writes a check that pays for the length on top of the stack, unless it is short.
func (e *emitter) payLength(local, shift uint32) {
	e.w = appendU(append(e.w, opLocalTee), uint64(local))
	e.w = appendU(append(e.w, opLocalGet), uint64(local))
	e.w = appendS(append(e.w, opI32Const), bulkFree)
	e.w = append(e.w, opI32GtU, opIf, blockVoid)
	e.w = appendU(append(e.w, opGlobalGet), e.fuel)
	e.w = append(appendU(append(e.w, opLocalGet), uint64(local)), opI64ExtU)
	e.w = append(appendS(append(e.w, opI64Const), int64(shift)), opI64ShrU)
	e.w = append(e.w, e.check...)
	e.w = appendU(append(e.w, opGlobalSet), e.fuel)
	e.w = append(e.w, opEnd, opEnd)
}
