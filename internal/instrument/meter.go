package instrument

// maxEntry is the most that a caller pays for a call. Whatever a function executes beyond it before its first check, the
// function pays at its entry.
const maxEntry = maxPrice / 8

// meter decides where checks stand and what they pay.
func (rw *rewriter) meter() {
	g := rw.calls()
	cut := g.cuts()
	p := &pricer{
		rw: rw, entry: make([]uint32, g.functions), byClass: make([]uint32, rw.sigCount), cutClass: cut[g.functions:],
	}
	rw.entryPrice = make([]uint32, g.functions)
	// A heavy function checks at its entry rather than make its callers check around each call. Callees come before
	// callers, so what a call before the first check costs is known when it is met. What other calls cost may not be, but
	// it has no influence on the entry; a second walk sets their prices.
	g.visit(cut, func(uint32) {}, func(n uint32) {
		if int(n) >= g.functions {
			for _, f := range g.next(n) {
				p.byClass[int(n)-g.functions] = max(p.byClass[int(n)-g.functions], p.entry[f])
			}
			return
		}
		p.checked = cut[n]
		if weight := p.function(&rw.bodies[n]); weight > maxEntry {
			cut[n] = true
		} else if !cut[n] {
			p.entry[n] = weight
		}
	})
	for i := range rw.bodies {
		p.checked = cut[i]
		if weight := p.function(&rw.bodies[i]); cut[i] {
			rw.entryPrice[i] = max(weight, 1)
		}
	}
}
