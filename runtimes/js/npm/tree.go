package npm

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
)

// node is a package where it lies in node_modules; the root is the project.
type node struct {
	name      string // of its folder; m.Name may be another
	parent    *node
	children  map[string]*node
	m         *manifest
	resolved  string
	integrity string
	inBundle  bool

	// What all ways from the root to it have: see flags.
	dev, optional, peer, devOptional bool
	reached                          bool
}

// edge is a dependency.
type edge struct {
	name, spec          string
	dev, optional, peer bool
	softPeer            bool // need not be there, but if it is, fit
}

func (n *node) location() string {
	if n.parent == nil {
		return ""
	}
	return strings.TrimPrefix(n.parent.location()+"/node_modules/"+n.name, "/")
}

func (n *node) depth() int {
	d := 0
	for ; n.parent != nil; n = n.parent {
		d++
	}
	return d
}

func (n *node) add(c *node) {
	if n.children == nil {
		n.children = map[string]*node{}
	}
	c.parent = n
	n.children[c.name] = c
}

func (n *node) sortedChildren() []*node {
	var out []*node
	for _, c := range n.children {
		out = append(out, c)
	}
	slices.SortFunc(out, func(a, b *node) int { return strings.Compare(a.name, b.name) })
	return out
}

// walk calls f for every node below n, parents first.
func (n *node) walk(f func(*node)) {
	for _, c := range n.sortedChildren() {
		f(c)
		c.walk(f)
	}
}

// edges lists what a package depends on, by name.
func (n *node) edges() []edge {
	byName := map[string]edge{}
	for name, spec := range n.m.PeerDependencies {
		byName[name] = edge{name: name, spec: spec, peer: true, softPeer: n.m.optionalPeer(name)}
	}
	for name, spec := range n.m.Dependencies {
		byName[name] = edge{name: name, spec: spec}
	}
	for name, spec := range n.m.OptionalDependencies {
		byName[name] = edge{name: name, spec: spec, optional: true}
	}
	if n.parent == nil {
		for name, spec := range n.m.DevDependencies {
			if have, ok := byName[name]; !ok || have.peer {
				byName[name] = edge{name: name, spec: spec, dev: true}
			}
		}
	}
	out := make([]edge, 0, len(byName))
	for _, e := range byName {
		out = append(out, e)
	}
	slices.SortFunc(out, func(a, b edge) int { return strings.Compare(a.name, b.name) })
	return out
}

// find answers what a package gets for a name: node's algorithm, and for peers that of who depends on the package.
func (n *node) find(e edge) *node {
	from := n
	if e.peer && n.parent != nil {
		from = n.parent
	}
	for ; from != nil; from = from.parent {
		if c := from.children[e.name]; c != nil {
			return c
		}
	}
	return nil
}

// specTarget takes a specification "npm:other@range" apart.
func specTarget(name, spec string) (realName, realSpec string) {
	rest, ok := strings.CutPrefix(spec, "npm:")
	if !ok {
		return name, spec
	}
	return splitSpec(rest)
}

// splitSpec takes "name@spec" apart.
func splitSpec(s string) (name, spec string) {
	if i := strings.LastIndexByte(s, '@'); i > 0 {
		return s[:i], s[i+1:]
	}
	return s, ""
}

// fits says whether a node is what an edge asks for. A tag is whatever it was when it was installed.
func (e edge) fits(c *node) bool {
	name, spec := specTarget(e.name, e.spec)
	if c.m.Name != "" && c.m.Name != name {
		return false
	}
	if _, err := parseRange(spec); err != nil {
		return true
	}
	return satisfies(c.m.Version, spec)
}

// builder completes a tree.
type builder struct {
	ctx         context.Context
	reg         *registry
	root        *node
	overrides   map[string]string
	legacyPeers bool
	warn        func(string)
	queue       []*node
	placed      int
}

// maxNodes bounds a tree.
const maxNodes = 20_000

// build places what is missing below the root.
func (b *builder) build() error {
	b.queue = []*node{b.root}
	b.root.walk(func(n *node) { b.queue = append(b.queue, n) })
	for len(b.queue) > 0 {
		slices.SortStableFunc(b.queue, func(x, y *node) int {
			return cmp.Or(x.depth()-y.depth(), strings.Compare(x.location(), y.location()))
		})
		n := b.queue[0]
		b.queue = b.queue[1:]
		if n.parent != nil && n.parent.children[n.name] != n {
			continue
		}
		if err := b.complete(n); err != nil {
			return err
		}
	}
	return nil
}

// complete places what a node depends on and has not.
func (b *builder) complete(n *node) error {
	bundled := n.m.bundled()
	var missing []edge
	var names []string
	for _, e := range n.edges() {
		if spec, ok := b.overrides[e.name]; ok && n.parent != nil {
			e.spec = spec
		}
		if bundled[e.name] && n.parent != nil || e.peer && (e.softPeer || b.legacyPeers) {
			continue
		}
		if have := n.find(e); have != nil && (e.fits(have) || e.peer && n.parent != nil && !b.conflictMatters(have, e, n)) {
			continue
		}
		missing = append(missing, e)
		name, _ := specTarget(e.name, e.spec)
		names = append(names, name)
	}
	b.reg.prefetch(b.ctx, names)
	for _, e := range missing {
		if have := n.find(e); have != nil && e.fits(have) {
			continue
		}
		if err := b.place(n, e); err != nil {
			if e.optional && b.ctx.Err() == nil {
				continue
			}
			return err
		}
	}
	return nil
}

// conflictMatters says whether a peer that doesn't fit is an error: as npm has it, one between packages deeper in the
// tree is only warned of.
func (b *builder) conflictMatters(have *node, e edge, n *node) bool {
	if n.parent.parent == nil {
		return true
	}
	b.warn("ERESOLVE overriding peer dependency: " + n.m.Name + "@" + n.m.Version + " wants " + e.name + "@" + e.spec + ", has " + have.m.Version)
	return false
}

// place finds a version for an edge and the highest place where it disturbs no one.
func (b *builder) place(n *node, e edge) error {
	name, spec := specTarget(e.name, e.spec)
	if strings.ContainsAny(spec, ":/") {
		return fail("EUNSUPPORTEDPROTOCOL", "Unsupported URL Type \"%s\": %s", strings.SplitAfter(spec, ":")[0], spec)
	}
	if b.placed++; b.placed > maxNodes {
		return fail("ETOOMANY", "the tree has more than %d packages", maxNodes)
	}
	m, err := b.reg.pick(b.ctx, name, spec)
	if err != nil {
		var f *failure
		if errors.As(err, &f) && f.code == "E404" && n.parent != nil {
			f.text += "\n\n  It was specified as a dependency of '" + n.m.Name + "'"
		}
		return err
	}
	start := n
	if e.peer && n.parent != nil {
		start = n.parent
	}
	var target *node
	for t := start; t != nil && !b.disturbs(t, n, e.name, m); t = t.parent {
		target = t
	}
	if target == nil {
		if e.peer {
			return eresolve(n, e, start)
		}
		target = n
	}
	c := &node{name: e.name, m: m, resolved: m.Dist.Tarball, integrity: m.Dist.Integrity}
	if c.integrity == "" && m.Dist.Shasum != "" {
		c.integrity = integrityOfShasum(m.Dist.Shasum)
	}
	target.add(c)
	b.queue = append(b.queue, c)
	return nil
}

func eresolve(n *node, e edge, at *node) error {
	have := n.find(e)
	if have == nil {
		have = at.children[e.name]
	}
	found := "nothing"
	if have != nil {
		found = have.m.Name + "@" + have.m.Version
	}
	return fail("ERESOLVE", "unable to resolve dependency tree\n\nFound: %s\nCould not resolve dependency:\npeer %s@\"%s\" from %s@%s\n\nFix the upstream dependency conflict, or retry\nthis command with --force or --legacy-peer-deps\nto accept an incorrect (and potentially broken) dependency resolution.",
		found, e.name, e.spec, n.m.Name, n.m.Version)
}

// disturbs says whether a package can't lie in t's node_modules: another one does, or someone below would get this one
// and want another.
func (b *builder) disturbs(t, for_ *node, name string, m *manifest) bool {
	if t.children[name] != nil {
		return true
	}
	candidate := &node{name: name, m: m}
	wants := func(d *node) bool {
		for _, e := range d.edges() {
			if e.name != name {
				continue
			}
			if spec, ok := b.overrides[name]; ok && d.parent != nil {
				e.spec = spec
			}
			return !e.fits(candidate)
		}
		return false
	}
	if t != for_ && wants(t) {
		return true
	}
	disturbed := false
	var below func(*node)
	below = func(d *node) {
		for _, c := range d.children {
			if disturbed || c.name == name && d == t {
				return
			}
			if c != for_ && c.children[name] == nil && passes(c, t, name) && wants(c) {
				if have := c.find(edge{name: name}); have != nil {
					disturbed = true
					return
				}
			}
			below(c)
		}
	}
	below(t)
	return disturbed
}

// passes says whether looking for a name from below t would come to t.
func passes(d, t *node, name string) bool {
	for ; d != nil && d != t; d = d.parent {
		if d.children[name] != nil {
			return false
		}
	}
	return d == t
}

// flags finds out what is reachable without dev dependencies, without optional ones and so on, and drops what isn't at
// all.
func (b *builder) flags() {
	type way struct{ dev, optional, peer, devOptional bool }
	b.root.walk(func(n *node) { n.reached, n.dev, n.optional, n.peer, n.devOptional = false, true, true, true, true })
	var visit func(n *node, w way)
	visit = func(n *node, w way) {
		for _, e := range n.edges() {
			c := n.find(e)
			if c == nil {
				continue
			}
			next := way{w.dev || e.dev, w.optional || e.optional, w.peer || e.peer, w.devOptional || e.dev || e.optional}
			news := !c.reached || c.dev && !next.dev || c.optional && !next.optional || c.peer && !next.peer || c.devOptional && !next.devOptional
			if !news {
				continue
			}
			c.reached = true
			c.dev, c.optional = c.dev && next.dev, c.optional && next.optional
			c.peer, c.devOptional = c.peer && next.peer, c.devOptional && next.devOptional
			visit(c, next)
		}
	}
	visit(b.root, way{})
	prune(b.root)
}

func prune(n *node) {
	for name, c := range n.children {
		if c.reached || c.inBundle {
			prune(c)
		} else {
			delete(n.children, name)
		}
	}
}
