package wasi

import (
	"slices"
	"sync"
)

// descriptor is what a descriptor's number stands for.
type descriptor struct {
	*description
	base       rights // what may be done with it
	inheriting rights // what may be done with what path_open opens below it
	preopen    string // the path the guest knows it by; empty if it isn't preopened
	cloexec    bool   // closed when the process executes another program
}

// table maps the numbers of descriptors to open file descriptions. Each process has its
// own; what a process inherits are references to the same descriptions.
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

// peekLocked gives fd's slot, or nil. Preconditions: t.mu is held.
func (t *table) peekLocked(fd uint32) *descriptor {
	if uint64(fd) >= uint64(len(t.slots)) || t.slots[fd].description == nil {
		return nil
	}
	return &t.slots[fd]
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
func (t *table) insert(d descriptor) (uint32, errno) { return t.insertFrom(d, 0) }

// insertFrom gives d the lowest free number that isn't below least.
func (t *table) insertFrom(d descriptor, least uint32) (uint32, errno) {
	d.refs.Add(1)
	fd, e := t.place(d, least)
	if e != errSuccess {
		d.release() //nolint:errcheck // the guest is told why it has no descriptor
	}
	return fd, e
}

func (t *table) place(d descriptor, least uint32) (uint32, errno) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return 0, errBadf
	}
	if e := t.findLocked(); e != errSuccess {
		return 0, e
	}
	fd := uint64(max(uint32(t.lowest), least))
	for fd < uint64(len(t.slots)) && t.slots[fd].description != nil {
		fd++
	}
	if fd >= uint64(t.max) {
		return 0, errMfile
	}
	t.setLocked(int(fd), d)
	return uint32(fd), errSuccess
}

// setLocked puts d at fd. Preconditions: t.mu is held; fd is below t.max; whatever was
// there is the caller's to release.
func (t *table) setLocked(fd int, d descriptor) {
	if missing := fd + 1 - len(t.slots); missing > 0 {
		t.slots = append(t.slots, make([]descriptor, missing)...)
	}
	t.slots[fd] = d
}

// replace puts d at fd, and gives the description that fd stood for, which the caller
// releases; nil if it was free. On failure d's description is released.
func (t *table) replace(fd uint32, d descriptor) (*description, errno) {
	d.refs.Add(1)
	old, e := t.swap(fd, d)
	if e != errSuccess {
		d.release() //nolint:errcheck // the guest is told why it has no descriptor
	}
	return old, e
}

func (t *table) swap(fd uint32, d descriptor) (*description, errno) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed || uint64(fd) >= uint64(t.max) {
		return nil, errBadf
	}
	var old *description
	if slot := t.peekLocked(fd); slot != nil {
		old = slot.description
	}
	t.setLocked(int(fd), d)
	return old, errSuccess
}

// remove takes fd out of the table; the caller releases its description.
func (t *table) remove(fd uint32) (*description, errno) {
	t.mu.Lock()
	defer t.mu.Unlock()
	slot := t.peekLocked(fd)
	if slot == nil {
		return nil, errBadf
	}
	d := slot.description
	*slot = descriptor{}
	t.lowest = min(t.lowest, int(fd))
	return d, errSuccess
}

// renumber moves from onto to, both of which must be open, and gives the description
// that to stood for, which the caller releases; nil if the two are the same.
func (t *table) renumber(from, to uint32) (*description, errno) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.peekLocked(from) == nil || t.peekLocked(to) == nil {
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
	d := t.peekLocked(fd)
	if d == nil {
		return errBadf
	}
	if base&^d.base != 0 || inheriting&^d.inheriting != 0 {
		return errNotcapable
	}
	d.base, d.inheriting = base, inheriting
	return errSuccess
}

// setCloexec sets or clears fd's flag.
func (t *table) setCloexec(fd uint32, on bool) errno {
	t.mu.Lock()
	defer t.mu.Unlock()
	d := t.peekLocked(fd)
	if d == nil {
		return errBadf
	}
	d.cloexec = on
	return errSuccess
}

// preopenAfter says whether a preopened descriptor has a higher number than fd, which
// isn't a standard stream's.
func (t *table) preopenAfter(fd uint32) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	for next := uint64(fd) + 1; fd > 2 && next < uint64(len(t.slots)); next++ {
		if t.slots[next].preopen != "" {
			return true
		}
	}
	return false
}

// list gives a copy of the slots, each with a reference of its own to its description,
// for the caller to release.
func (t *table) list() []descriptor {
	t.mu.Lock()
	defer t.mu.Unlock()
	slots := slices.Clone(t.slots)
	for _, d := range slots {
		if d.description != nil {
			d.refs.Add(1)
		}
	}
	return slots
}

// drop removes the descriptors that which is true of, and gives them for the caller to
// release.
func (t *table) drop(which func(descriptor) bool) []descriptor {
	t.mu.Lock()
	defer t.mu.Unlock()
	var dropped []descriptor
	for fd, d := range t.slots {
		if d.description != nil && which(d) {
			dropped = append(dropped, d)
			t.slots[fd] = descriptor{}
			t.lowest = min(t.lowest, fd)
		}
	}
	return dropped
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
