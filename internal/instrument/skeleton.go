package instrument

// Skeleton answers the module with functions that only trap: all that an embedder needs of it that has its code already.
// digest, which should be that of wasm, makes skeletons of modules differ that differ in nothing but their code. It takes
// what Rewrite has made; an error is always an *Error.
func Skeleton(wasm, digest []byte) ([]byte, error) {
	const header = 8
	r := &reader{b: wasm, pos: header}
	if len(wasm) < header {
		return nil, &Error{Offset: 0, Reason: "not a wasm module"}
	}
	out := append(make([]byte, 0, len(wasm)/8), wasm[:header]...)
	for r.more() {
		start := r.pos
		id, size := r.byte(), r.u32()
		content := r.pos
		r.bytes(size)
		if r.err != nil {
			return nil, r.err
		}
		if id != sectionCode {
			out = append(out, wasm[start:r.pos]...)
			continue
		}
		n := (&reader{b: wasm[:r.pos], pos: content}).u32()
		if uint64(n) > uint64(size) {
			return nil, &Error{Offset: content, Reason: "more functions than bytes"}
		}
		code := appendU(make([]byte, 0, 5+4*n), uint64(n))
		for range n {
			code = append(code, 3, 0, opUnreachable, opEnd) // no locals
		}
		out = append(appendU(append(out, sectionCode), uint64(len(code))), code...)
	}
	custom := append(appendName(nil, skeletonName), digest...)
	return append(appendU(append(out, sectionCustom), uint64(len(custom))), custom...), nil
}
