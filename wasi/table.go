package wasi

import "sync"

// descriptor is what a descriptor's number stands for.
type descriptor struct {
	*description
	base       rights // what may be done with it
	inheriting rights // what may be done with what path_open opens below it
	preopen    string // the path the guest knows it by; empty if it isn't preopened
}

// table maps the numbers of descriptors to open file descriptions.
type table struct {
	mu     sync.Mutex
	slots  []descriptor // a free slot has no description
	lowest int          // no slot below is free
	max    int          // slots there may be
	closed bool
}

// get gives the descriptor fd, or EBADF.
func (t *table) get(fd uint32) (descriptor, errno) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if uint64(fd) >= uint64(len(t.slots)) || t.slots[fd].description == nil {
		return descriptor{}, errBadf
	}
	return t.slots[fd], errSuccess
}

// room answers EMFILE if insert would.
func (t *table) room() errno {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.findLocked()
}

// findLocked moves t.lowest to the lowest free number, or answers EMFILE.
// Preconditions: t.mu is held.
func (t *table) findLocked() errno {
	for t.lowest < len(t.slots) && t.slots[t.lowest].description != nil {
		t.lowest++
	}
	if t.lowest >= t.max {
		return errMfile
	}
	return errSuccess
}

// insert gives d the lowest free number. On failure d's description is released.
func (t *table) insert(d descriptor) (uint32, errno) {
	d.refs.Add(1)
	fd, e := t.place(d)
	if e != errSuccess {
		d.release() //nolint:errcheck // the guest is told why it has no descriptor
	}
	return fd, e
}

func (t *table) place(d descriptor) (uint32, errno) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return 0, errBadf
	}
	if e := t.findLocked(); e != errSuccess {
		return 0, e
	}
	fd := t.lowest
	if fd == len(t.slots) {
		t.slots = append(t.slots, d)
	} else {
		t.slots[fd] = d
	}
	return uint32(fd), errSuccess
}

// remove takes fd out of the table; the caller releases its description.
func (t *table) remove(fd uint32) (*description, errno) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if uint64(fd) >= uint64(len(t.slots)) || t.slots[fd].description == nil {
		return nil, errBadf
	}
	d := t.slots[fd].description
	t.slots[fd] = descriptor{}
	t.lowest = min(t.lowest, int(fd))
	return d, errSuccess
}

// renumber moves from onto to, both of which must be open, and gives the description
// that to stood for, which the caller releases; nil if the two are the same.
func (t *table) renumber(from, to uint32) (*description, errno) {
	t.mu.Lock()
	defer t.mu.Unlock()
	n := uint64(len(t.slots))
	if uint64(from) >= n || uint64(to) >= n ||
		t.slots[from].description == nil || t.slots[to].description == nil {
		return nil, errBadf
	}
	if from == to {
		return nil, errSuccess
	}
	old := t.slots[to].description
	t.slots[to], t.slots[from] = t.slots[from], descriptor{}
	t.lowest = min(t.lowest, int(from))
	return old, errSuccess
}

// restrict takes rights away from fd. Rights it doesn't have are ENOTCAPABLE.
func (t *table) restrict(fd uint32, base, inheriting rights) errno {
	t.mu.Lock()
	defer t.mu.Unlock()
	if uint64(fd) >= uint64(len(t.slots)) || t.slots[fd].description == nil {
		return errBadf
	}
	d := &t.slots[fd]
	if base&^d.base != 0 || inheriting&^d.inheriting != 0 {
		return errNotcapable
	}
	d.base, d.inheriting = base, inheriting
	return errSuccess
}

// close empties the table for good, and gives what was in it for the caller to
// release.
func (t *table) close() []descriptor {
	t.mu.Lock()
	defer t.mu.Unlock()
	slots := t.slots
	t.slots, t.closed = nil, true
	return slots
}
