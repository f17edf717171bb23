package instrument

// Subsections of the name section; see https://webassembly.github.io/spec/core/appendix/custom.html#name-section and
// the extended names proposal.
const (
	namesFunctions = 1
	namesLocals    = 2
	namesLabels    = 3
)

// readNames returns the name section with its function indices shifted, or nil if it is malformed: names are no reason
// to refuse a module.
func (rw *rewriter) readNames(r *reader) []byte {
	w := appendName(nil, "name")
	for r.more() {
		id := r.byte()
		part := &reader{b: r.b, pos: r.pos}
		size := r.u32()
		part.pos = r.pos
		r.bytes(size)
		if r.err != nil {
			return nil
		}
		part.b = r.b[:r.pos]
		var content []byte
		switch id {
		case 0:
			content = appendName(nil, part.name())
		case namesFunctions:
			content = rw.nameMap(part, nil, true)
		case namesLocals, namesLabels:
			content = rw.indirectNameMap(part)
		default:
			content = part.bytes(size)
		}
		if part.err != nil || part.more() {
			return nil
		}
		w = append(appendU(append(w, id), uint64(len(content))), content...)
	}
	return w
}

func (rw *rewriter) nameMap(r *reader, w []byte, functions bool) []byte {
	n := r.count(2)
	w = appendU(w, uint64(n))
	for range n {
		i := r.u32()
		if functions {
			i = rw.shift(i)
		}
		w = appendU(w, uint64(i))
		w = appendName(w, r.name())
	}
	return w
}

func (rw *rewriter) indirectNameMap(r *reader) []byte {
	n := r.count(2)
	w := appendU(nil, uint64(n))
	for range n {
		w = appendU(w, uint64(rw.shift(r.u32())))
		w = rw.nameMap(r, w, false)
	}
	return w
}
