package instrument

// maxLocals is what browsers allow a function; localsPerByte bounds the locals of all functions together, which the
// runtime keeps as an array, by the module's size.
const (
	maxLocals     = 50000
	localsPerByte = 8
	freeLocals    = 1 << 20
)

// readCode scans all function bodies. Their rewritten form is put together by write.
func (rw *rewriter) readCode(r *reader) []byte {
	at := r.pos
	n := r.count(3)
	if n != len(rw.funcs)-rw.imports {
		r.failAt(at, "%d bodies for %d functions", n, len(rw.funcs)-rw.imports)
	}
	rw.bodies = make([]body, 0, n)
	if rw.cfg.Meter {
		rw.events = make([]event, 0, len(r.b)/8)
	}
	s := scanner{rw: rw}
	locals := uint64(0)
	for i := range n {
		size := r.u32()
		s.reader = reader{b: r.b, pos: r.pos}
		r.bytes(size)
		if r.err != nil {
			return nil
		}
		s.b = r.b[:r.pos]
		b := s.function(rw.sigs[rw.funcs[rw.imports+i]].params)
		if locals += uint64(b.locals); locals > freeLocals+localsPerByte*uint64(len(rw.src)) {
			s.failAt(int(b.start), "too many locals")
		}
		if s.err != nil {
			r.err = s.err
			return nil
		}
		rw.bodies = append(rw.bodies, b)
	}
	return r.b[at:r.pos:r.pos]
}

// scanner walks one function body after the other.
type scanner struct {
	reader
	rw    *rewriter
	first int     // first event of the function
	open  []int32 // events that opened the blocks we are in, relative to first; -1: the function itself
	kinds []eventKind
	run   int // weight since the last event
	cur   body
}

func (s *scanner) function(params uint32) body {
	s.first, s.open, s.kinds, s.run = len(s.rw.events), append(s.open[:0], -1), append(s.kinds[:0], evBlock), 0
	s.cur = body{start: uint32(s.pos), end: uint32(len(s.b)), first: uint32(s.first)}
	at, total := s.pos, uint64(params)
	for range s.count(2) {
		total += uint64(s.u32())
		s.valueType(len(s.rw.sigs))
	}
	if total > maxLocals {
		s.failAt(at, "%d locals", total)
		total = 0
	}
	s.cur.locals, s.cur.code = uint32(total), uint32(s.pos)
	for len(s.open) > 0 && s.err == nil {
		s.instruction()
	}
	if s.more() {
		s.fail("instructions after the end of the function")
	}
	s.cur.last = uint32(len(s.rw.events))
	return s.cur
}

// event records an instruction that began at start.
func (s *scanner) event(start int, kind eventKind, arg uint32) {
	if !s.rw.cfg.Meter {
		return
	}
	s.rw.events = append(s.rw.events, event{
		pos: uint32(start), arg: arg, run: uint16(s.run), size: uint8(min(s.pos-start, 255)), kind: kind,
	})
	s.run = 0
}

// weigh counts an instruction that began at start and is no event.
func (s *scanner) weigh(start, weight int) {
	if s.run+weight > maxRun {
		s.rw.mark(s, start)
	}
	s.run += weight
}

func (rw *rewriter) mark(s *scanner, start int) {
	if rw.cfg.Meter {
		rw.events = append(rw.events, event{pos: uint32(start), run: uint16(s.run), kind: evMark})
	}
	s.run = 0
}

func (s *scanner) push(start int, kind eventKind, arg uint32) {
	s.open = append(s.open, int32(len(s.rw.events)-s.first))
	s.kinds = append(s.kinds, kind)
	s.event(start, kind, arg)
}

func (s *scanner) end(start int) {
	top := s.open[len(s.open)-1]
	s.open = s.open[:len(s.open)-1]
	s.kinds = s.kinds[:len(s.kinds)-1]
	s.event(start, evEnd, uint32(top))
}

func (s *scanner) alternative(start int) {
	top := len(s.kinds) - 1
	if s.kinds[top] != evIf {
		s.failAt(start, "else without if")
		return
	}
	s.kinds[top] = evElse
	if s.rw.cfg.Meter {
		s.rw.events[s.first+int(s.open[top])].arg = 1
	}
	s.event(start, evElse, 0)
}

// label reads a label and returns its depth.
func (s *scanner) label() uint32 {
	d := s.index(len(s.open), "label")
	if s.err == nil {
		top := len(s.open) - 1 - int(d)
		if s.rw.cfg.Meter && s.kinds[top] == evLoop {
			s.rw.events[s.first+int(s.open[top])].arg = 1
		}
	}
	return d
}

// labelList reads n labels into rw.labels and returns the index of the list.
func (s *scanner) labelList(n int, read func()) uint32 {
	at := len(s.rw.labels)
	s.rw.labels = append(s.rw.labels, uint32(n))
	for range n {
		read()
	}
	return uint32(at)
}

func (s *scanner) appendLabel() { s.rw.labels = append(s.rw.labels, s.label()) }

// appendCase reads a label of a br_table.
func (s *scanner) appendCase() {
	s.appendLabel()
	if s.err != nil || !s.rw.cfg.Meter {
		return
	}
	if top := len(s.open) - 1 - int(s.rw.labels[len(s.rw.labels)-1]); top > 0 && s.kinds[top] == evBlock {
		s.rw.events[s.first+int(s.open[top])].arg = 1
	}
}
