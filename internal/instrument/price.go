package instrument

// maxPrice is where a path without a check is cut by one. No check costs more than three times as much.
const maxPrice = 1 << 12

// maxCase is the most that a br_table's case may weigh without a check of its own. Of an interpreter's many cases one is
// always about as dear as a path may be; for its sake, a second check would stand between the head of the loop and the
// br_table, on the way of every one.
const maxCase = maxPrice - maxEntry

// pricer computes what each check of a function has to pay. It walks the function backwards, so that at every point it
// knows the weight of the dearest path from there to the next check or out of the function.
type pricer struct {
	rw *rewriter
	// entry is what a call of a function, by defined index, executes before the first check of its own; byClass the
	// same for calls through a reference, by class of the signature.
	entry, byClass []uint32
	cutClass       []bool // calls of this class that a function may execute before its first check get one before them
	checked        bool   // the function has a check at its entry, so its calls need none for the sake of cycles
	frames         []frame
	handler        uint32 // weight from the dearest handler that an exception thrown here may reach
}

// frame is a block that the walk is inside of.
type frame struct {
	end     uint32 // weight from its end, or 0 if branches to it meet the check of a loop
	other   uint32 // weight from the else branch or, without one, from the end
	handler uint32 // to restore at the start of a try_table
}

// function sets the prices of all checks in b and returns the weight from its entry.
func (p *pricer) function(b *body) uint32 {
	events := p.rw.events[b.first:b.last]
	p.frames, p.handler = p.frames[:0], 0
	weight := uint32(0)
	for i := len(events) - 1; i >= 0; i-- {
		e := &events[i]
		e.before, e.after = 0, 0
		forced := false
		switch e.kind {
		case evCall, evTailCall, evCallRef, evTailCallRef:
			weight, forced = p.call(e, weight)
		case evMark, evRefFunc:
		case evBulk:
			weight += weightBulk
		default:
			weight = p.control(e, events, weight)
		}
		if weight > 0 && (forced || weight+uint32(e.run) > maxPrice) {
			e.before = weight
			weight = 0
		}
		weight += uint32(e.run)
	}
	return weight
}

func (p *pricer) call(e *event, after uint32) (weight uint32, forced bool) {
	callee := uint32(0)
	switch e.kind {
	case evCall, evTailCall:
		if d := int(e.arg) - p.rw.imports; d < 0 {
			callee = weightHostCall
		} else {
			callee = weightCall + p.entry[d]
		}
	default:
		callee = weightCallRef + p.byClass[e.arg]
		forced = e.entry && !p.checked && p.cutClass[e.arg]
	}
	if e.kind == evTailCall || e.kind == evTailCallRef {
		return callee, forced
	}
	if after > 0 && after+callee > maxPrice {
		e.after = after
		after = 0
	}
	return callee + max(after, p.handler), forced
}

func (p *pricer) control(e *event, events []event, weight uint32) uint32 {
	switch e.kind {
	case evEnd:
		return p.end(e, events, weight)
	case evElse:
		f := &p.frames[len(p.frames)-1]
		f.other = weight
		return f.end
	case evIf:
		f := p.pop()
		return max(weight, f.other) + 1
	case evBlock:
		p.pop()
		return weight
	case evTryTable:
		p.handler = p.pop().handler
		return weight
	case evLoop:
		p.pop()
		if e.arg == 0 {
			return weight
		}
		e.after = max(weight, 1)
		return 0
	case evBr:
		return p.target(e.arg) + 1
	case evBrIf:
		return max(weight, p.target(e.arg)) + 1
	case evBrTable:
		return p.targets(e.arg) + 1
	case evThrow:
		return p.handler + weightThrow
	}
	return 1 // evReturn, evTrap
}

// end enters a block from behind.
func (p *pricer) end(e *event, events []event, weight uint32) uint32 {
	if p.isCase(e, events) && weight > maxCase {
		e.after = weight
		weight = 0
	}
	f := frame{end: weight, other: weight, handler: p.handler}
	if int(e.arg) < len(events) { // not the function itself
		switch open := &events[e.arg]; open.kind {
		case evLoop:
			f.end = 0
		case evTryTable:
			p.handler = max(p.handler, p.targets(open.arg))
		}
	}
	p.frames = append(p.frames, f)
	return weight
}

// isCase tells whether e ends a block that a br_table leads out of.
func (p *pricer) isCase(e *event, events []event) bool {
	if int(e.arg) >= len(events) {
		return false
	}
	open := &events[e.arg]
	return open.kind == evBlock && open.arg == 1
}

func (p *pricer) pop() frame {
	f := p.frames[len(p.frames)-1]
	p.frames = p.frames[:len(p.frames)-1]
	return f
}

func (p *pricer) target(depth uint32) uint32 { return p.frames[len(p.frames)-1-int(depth)].end }

// targets returns the weight from the dearest label of a list.
func (p *pricer) targets(list uint32) uint32 {
	n := p.rw.labels[list]
	dearest := uint32(0)
	for _, d := range p.rw.labels[list+1 : list+1+n] {
		dearest = max(dearest, p.target(d))
	}
	return dearest
}
