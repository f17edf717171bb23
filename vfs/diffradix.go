package vfs

// differ compares two trees that share structure. It goes down only where pointers differ.
type differ struct {
	visited int // nodes of tries looked at, the measure of what a comparison costs
}

// diffRadix calls visit, in the order of keys, for each key under which a and b hold different pointers; nil stands
// for none. It ends early when visit returns false, and then returns false.
func diffRadix[V any](d *differ, a, b radix[V], visit func(key uint64, a, b *V) bool) bool {
	height := max(a.height, b.height)
	return diffNodes(d, uint(height), 0, a.lift(height), b.lift(height), visit)
}

// lift returns the root of r as it would be if r had that many levels above the leaves.
func (r radix[V]) lift(height uint8) *radixNode[V] {
	n := r.root
	for h := r.height; h < height && n != nil; h++ {
		n = &radixNode[V]{used: 1, kids: []*radixNode[V]{n}}
	}
	return n
}

func diffNodes[V any](d *differ, height uint, prefix uint64, a, b *radixNode[V], visit func(uint64, *V, *V) bool) bool {
	if a == b {
		return true
	}
	d.visited++
	var none radixNode[V]
	if a == nil {
		a = &none
	}
	if b == nil {
		b = &none
	}
	if height == 0 {
		for i := range max(len(a.vals), len(b.vals)) {
			if x, y := at(a.vals, i), at(b.vals, i); x != y && !visit(prefix|uint64(i), x, y) {
				return false
			}
		}
		return true
	}
	for i := range max(len(a.kids), len(b.kids)) {
		low := prefix | uint64(i)<<(height*radixBits)
		if !diffNodes(d, height-1, low, at(a.kids, i), at(b.kids, i), visit) {
			return false
		}
	}
	return true
}

// at returns the i-th pointer of s, nil if s is shorter.
func at[V any](s []*V, i int) *V {
	if i < len(s) {
		return s[i]
	}
	return nil
}
