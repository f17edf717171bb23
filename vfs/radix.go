package vfs

const (
	radixBits = 5
	radixFan  = 1 << radixBits
	radixMask = radixFan - 1
)

// radix is a persistent map from integers to *V, ordered by key. The zero value is empty. Copying the struct
// copies the map, in O(1), provided that the two copies are changed under different owners.
//
// It serves dense keys (inode numbers, chunk numbers, places in a directory): a node holds slots up to the
// highest one in use, and nodes without entries are removed.
type radix[V any] struct {
	root   *radixNode[V]
	height uint8 // levels of kids above the leaves
}

type radixNode[V any] struct {
	own  *owner
	used int             // slots that are not nil
	kids []*radixNode[V] // above the leaves
	vals []*V            // in the leaves
}

// beyond reports whether key needs more levels than there are.
func (r *radix[V]) beyond(key uint64) bool {
	return key>>(uint(r.height+1)*radixBits) != 0
}

func (r *radix[V]) get(key uint64) *V {
	n := r.root
	if n == nil || r.beyond(key) {
		return nil
	}
	for h := uint(r.height); h > 0; h-- {
		i := int(key >> (h * radixBits) & radixMask)
		if i >= len(n.kids) || n.kids[i] == nil {
			return nil
		}
		n = n.kids[i]
	}
	if i := int(key & radixMask); i < len(n.vals) {
		return n.vals[i]
	}
	return nil
}

// next returns the entry with the smallest key not below key; a nil value says that there is none.
func (r *radix[V]) next(key uint64) (uint64, *V) {
	if r.root == nil || r.beyond(key) {
		return 0, nil
	}
	return r.root.next(uint(r.height), 0, key)
}

func (n *radixNode[V]) next(height uint, prefix, key uint64) (uint64, *V) {
	shift := height * radixBits
	i := int(key >> shift & radixMask)
	if height == 0 {
		for ; i < len(n.vals); i++ {
			if n.vals[i] != nil {
				return prefix | uint64(i), n.vals[i]
			}
		}
		return 0, nil
	}
	for ; i < len(n.kids); i++ {
		if kid := n.kids[i]; kid != nil {
			if k, v := kid.next(height-1, prefix|uint64(i)<<shift, key); v != nil {
				return k, v
			}
		}
		key = 0 // Everything under the following kids counts.
	}
	return 0, nil
}

// set puts v, which must not be nil, under key.
func (r *radix[V]) set(own *owner, key uint64, v *V) {
	if r.root == nil {
		r.root, r.height = &radixNode[V]{own: own}, 0
		for r.beyond(key) {
			r.height++
		}
	}
	for r.beyond(key) {
		r.root = &radixNode[V]{own: own, used: 1, kids: []*radixNode[V]{r.root}}
		r.height++
	}
	r.root = r.root.edit(own)
	n := r.root
	for h := uint(r.height); h > 0; h-- {
		i := int(key >> (h * radixBits) & radixMask)
		n.kids = grow(n.kids, i)
		if kid := n.kids[i]; kid != nil {
			n.kids[i] = kid.edit(own)
		} else {
			n.kids[i] = &radixNode[V]{own: own}
			n.used++
		}
		n = n.kids[i]
	}
	i := int(key & radixMask)
	if i == 1 && len(n.vals) == 1 && r.height > 0 { // keys come in order, and more than a node of them has come
		n.vals = append(make([]*V, 0, radixFan), n.vals...)
	}
	n.vals = grow(n.vals, i)
	if n.vals[i] == nil {
		n.used++
	}
	n.vals[i] = v
}

// remove takes key out, if it is there.
func (r *radix[V]) remove(own *owner, key uint64) {
	if r.root == nil || r.beyond(key) {
		return
	}
	if r.root = r.root.remove(own, uint(r.height), key); r.root == nil {
		r.height = 0
	}
}

// remove returns the node without key, nil if nothing is left, and the node itself if key isn't there.
func (n *radixNode[V]) remove(own *owner, height uint, key uint64) *radixNode[V] {
	i := int(key >> (height * radixBits) & radixMask)
	if height == 0 {
		if i >= len(n.vals) || n.vals[i] == nil {
			return n
		}
		n = n.edit(own)
		n.vals[i] = nil
		n.used--
	} else {
		if i >= len(n.kids) || n.kids[i] == nil {
			return n
		}
		kid := n.kids[i].remove(own, height-1, key)
		if kid == n.kids[i] {
			return n // it was there and could be changed in place, or it was not there
		}
		n = n.edit(own)
		if n.kids[i] = kid; kid == nil {
			n.used--
		}
	}
	if n.used == 0 {
		return nil
	}
	return n
}

// edit returns n if own may change it, else a copy that it may.
func (n *radixNode[V]) edit(own *owner) *radixNode[V] {
	if n.own == own {
		return n
	}
	c := &radixNode[V]{own: own, used: n.used}
	if n.kids != nil {
		c.kids = append(make([]*radixNode[V], 0, len(n.kids)), n.kids...)
	} else {
		c.vals = append(make([]*V, 0, len(n.vals)), n.vals...)
	}
	return c
}

// grow returns s with an element at i, doubling its capacity up to a full node.
func grow[E any](s []E, i int) []E {
	if i < len(s) {
		return s
	}
	if i >= cap(s) {
		s = append(make([]E, 0, min(max(i+1, 2*cap(s)), radixFan)), s...)
	}
	return s[:i+1]
}
