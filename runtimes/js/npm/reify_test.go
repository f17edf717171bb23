package npm

import "testing"

// What is unpacked at one time doesn't lie within each other, whatever came before it.
func TestTogether(t *testing.T) {
	root := &node{}
	for _, name := range []string{"a", "b", "c"} {
		n := &node{name: name}
		root.add(n)
		for _, inner := range []string{"x", "y"} {
			c := &node{name: inner}
			n.add(c)
			c.add(&node{name: "z"})
		}
	}
	var all []*node
	root.walk(func(n *node) { all = append(all, n) })
	for from := range all {
		n := together(all[from:])
		if n < 1 || n > len(all)-from {
			t.Fatalf("%d of %d packages", n, len(all)-from)
		}
		for _, p := range all[from : from+n] {
			for _, q := range all[from : from+n] {
				for up := q.parent; up != nil; up = up.parent {
					if up == p {
						t.Errorf("%s is unpacked together with %s", q.location(), p.location())
					}
				}
			}
		}
	}
}
