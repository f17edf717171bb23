package instrument

import "slices"

// graph holds the calls that a function may execute before its first check. Its nodes are the defined functions and,
// after them, the classes of signatures, which lead to every function that may be called through a reference.
type graph struct {
	functions int
	first     []uint32 // edges of node n: edges[first[n]:first[n+1]]
	edges     []uint32
}

func (g *graph) nodes() int { return len(g.first) - 1 }

func (g *graph) next(n uint32) []uint32 { return g.edges[g.first[n]:g.first[n+1]] }

// calls builds the graph.
func (rw *rewriter) calls() *graph {
	g := &graph{functions: len(rw.bodies), first: []uint32{0}}
	w := walker{rw: rw, functions: uint32(g.functions)}
	for i := range rw.bodies {
		at := len(g.edges)
		g.edges = w.function(&rw.bodies[i], g.edges)
		mine := g.edges[at:]
		slices.Sort(mine)
		g.edges = g.edges[:at+len(slices.Compact(mine))]
		g.first = append(g.first, uint32(len(g.edges)))
	}
	members := make([][]uint32, rw.sigCount)
	for i := range rw.bodies {
		if f := rw.imports + i; rw.mayEscape(uint32(f)) {
			class := rw.sigs[rw.funcs[f]].class
			members[class] = append(members[class], uint32(i))
		}
	}
	for _, m := range members {
		g.edges = append(g.edges, m...)
		g.first = append(g.first, uint32(len(g.edges)))
	}
	return g
}

// walker finds the calls that can be reached from a function's entry without passing the header of a loop.
type walker struct {
	rw        *rewriter
	functions uint32
	frames    []reach
}

// reach says of a block whether its end and its else branch can be reached so, and whether it is a loop, to which
// branches don't count.
type reach struct{ end, other, loop bool }

func (w *walker) function(b *body, edges []uint32) []uint32 {
	w.frames = append(w.frames[:0], reach{})
	here := true
	events := w.rw.events[b.first:b.last]
	for i := range events {
		e := &events[i]
		switch e.kind {
		case evCall, evTailCall:
			if d := int(e.arg) - w.rw.imports; here && d >= 0 {
				edges = append(edges, uint32(d))
			}
			here = here && e.kind == evCall
		case evCallRef, evTailCallRef:
			if e.entry = here; here {
				edges = append(edges, w.functions+e.arg)
			}
			here = here && e.kind == evCallRef
		default:
			here = w.control(e, here)
		}
	}
	return edges
}

// control returns whether the point after e can be reached if the point before it can.
func (w *walker) control(e *event, here bool) bool {
	switch e.kind {
	case evBlock:
		w.frames = append(w.frames, reach{})
	case evLoop:
		loop := e.arg == 1
		w.frames = append(w.frames, reach{loop: loop})
		return here && !loop
	case evIf:
		w.frames = append(w.frames, reach{other: here})
	case evTryTable:
		w.mark(e.arg, here)
		w.frames = append(w.frames, reach{})
	case evElse:
		f := &w.frames[len(w.frames)-1]
		f.end = f.end || here
		here, f.other = f.other, false
	case evEnd:
		f := w.frames[len(w.frames)-1]
		w.frames = w.frames[:len(w.frames)-1]
		return here || f.end || f.other
	case evBr, evBrIf:
		w.branch(e.arg, here)
		return here && e.kind == evBrIf
	case evBrTable:
		w.mark(e.arg, here)
		return false
	case evReturn, evTrap, evThrow:
		return false
	}
	return here
}

func (w *walker) branch(depth uint32, here bool) {
	if f := &w.frames[len(w.frames)-1-int(depth)]; !f.loop {
		f.end = f.end || here
	}
}

func (w *walker) mark(list uint32, here bool) {
	n := w.rw.labels[list]
	for _, d := range w.rw.labels[list+1 : list+1+n] {
		w.branch(d, here)
	}
}

// cuts returns the nodes that must have a check of their own so that every cycle of the graph passes one: functions at
// their entry, classes at every call by a function without such a check.
func (g *graph) cuts() []bool {
	cut := make([]bool, g.nodes())
	for n := g.functions; n < g.nodes(); n++ {
		cut[n] = true
	}
	g.cutBackEdges(cut)
	return cut
}

// cutBackEdges cuts the targets of the edges that lead back to a node whose visit has not ended, which leaves no cycle.
func (g *graph) cutBackEdges(cut []bool) {
	g.visit(cut, func(n uint32) { cut[n] = true }, func(uint32) {})
}

// visit walks the graph depth first without the edges that lead to cut nodes. It calls back with the target of each
// edge to a node whose visit has not ended, and leave with each node after all that it leads to.
func (g *graph) visit(cut []bool, back, leave func(uint32)) {
	const (
		unseen = iota
		active
		done
	)
	state := make([]uint8, g.nodes())
	type step struct{ node, edge uint32 }
	var path []step
	for root := range uint32(g.nodes()) {
		if state[root] != unseen {
			continue
		}
		state[root] = active
		path = append(path, step{root, g.first[root]})
		for len(path) > 0 {
			s := &path[len(path)-1]
			if s.edge == g.first[s.node+1] {
				state[s.node] = done
				leave(s.node)
				path = path[:len(path)-1]
				continue
			}
			to := g.edges[s.edge]
			s.edge++
			switch {
			case cut[to] || state[to] == done:
			case state[to] == active:
				back(to)
			default:
				state[to] = active
				path = append(path, step{to, g.first[to]})
			}
		}
	}
}
