package engine

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
)

// memoryState is the frozen state of a live instance: its image, what it has written since, and its globals. Others
// start from it, and snapshots carry it. It is immutable; close it when nothing will start from it any more.
type memoryState struct {
	image   *memoryImage
	size    uint64      // bytes of linear memory, at least the image's
	globals []uint64    // as in memoryImage
	layers  []*pageFile // over the image, each over those before it; each holds a reference
	pages   []extent    // over the layers; ascending, not overlapping, whole pages
}

// span is a range of a memory's addresses. Both ends are multiples of imagePage.
type span struct{ start, end uint64 }

func (s span) pages() uint64 { return (s.end - s.start) / imagePage }

// maxLayers bounds what a memory that is frozen again and again is put together from. Beyond it all layers but the
// largest become one: so what a large memory holds is not copied again and again.
const maxLayers = 8

// pages is how many pages the file has.
func (f *pageFile) pages() (n uint64) {
	for _, s := range f.spans() {
		n += s.pages()
	}
	return n
}

func (s *memoryState) close() {
	releaseAll(s.layers)
	s.layers = nil
}

// share answers a second state that is equal and closed on its own.
func (s *memoryState) share() *memoryState {
	c := *s
	c.layers = retainAll(s.layers)
	return &c
}

func releaseAll(layers []*pageFile) {
	for _, f := range layers {
		f.release()
	}
}

func retainAll(layers []*pageFile) []*pageFile {
	for _, f := range layers {
		f.retain()
	}
	return slices.Clone(layers)
}

var (
	errOtherImage = errors.New("memory of another image")
	errNoMemory   = errors.New("no leave for so much memory")
)

// copyTo makes child, which is in its image's state, equal to in. It costs what in has written. The sandbox is asked
// for the memory that child has to grow by.
//
// Preconditions: neither runs but for a host call that in is in; child has no layers.
func (in *instance) copyTo(child *instance) error {
	from, to := in.memory, child.memory
	if from == nil || to == nil || from.image != to.image {
		return errOtherImage
	}
	spans, err := from.written()
	if err != nil {
		return err
	}
	for _, f := range from.layers {
		spans = append(spans, f.spans()...)
	}
	if err := child.growTo(from.size); err != nil {
		return err
	}
	source, dest := from.mapping.bytes(from.size), to.mapping.bytes(from.size)
	for _, s := range spans {
		copy(dest[s.start:s.end], source[s.start:s.end])
	}
	for i, g := range in.globals {
		child.globals[i].Set(g.Get())
	}
	return nil
}

// growTo grows the memory as the guest would.
func (in *instance) growTo(size uint64) error {
	if size <= in.memory.size {
		return nil
	}
	if _, ok := in.module.Memory().Grow(uint32((size - in.memory.size) / wasmPage)); !ok {
		return fmt.Errorf("grow to %d bytes: %w", size, errNoMemory)
	}
	return nil
}

// freeze answers the instance's state. The instance goes on; what it shares with the state from now on costs no
// memory twice, and is not copied again by the next freeze.
//
// Preconditions: the instance does not run.
func (in *instance) freeze() (*memoryState, error) {
	m := in.memory
	if m == nil {
		return nil, errors.New("freeze: the program has no memory")
	}
	pages, err := m.freeze()
	if err != nil {
		return nil, fmt.Errorf("freeze memory: %w", err)
	}
	return &memoryState{
		image: m.image, size: m.size, globals: in.readGlobals(), layers: retainAll(m.layers), pages: pages,
	}, nil
}

// freeze moves long runs of written pages into layers and answers copies of the others.
func (m *linearMemory) freeze() ([]extent, error) {
	if err := m.freezeGrowth(); err != nil {
		return nil, err
	}
	spans, err := m.written()
	if err != nil {
		return nil, err
	}
	var keep *pageFile // the only layer that is left beside the new one; nil: all are
	if len(m.layers) >= maxLayers {
		keep = slices.MaxFunc(m.layers, func(a, b *pageFile) int { return cmp.Compare(a.pages(), b.pages()) })
		for _, f := range m.layers {
			if f != keep {
				spans = append(spans, f.spans()...)
			}
		}
		spans = mergeSpans(spans)
	}
	long, short := longRuns(spans, keep != nil)
	if len(long) > 0 {
		if err := m.moveOut(long, keep); err != nil {
			return nil, err
		}
	}
	var total uint64
	for _, s := range short {
		total += s.end - s.start
	}
	memory, buf := m.mapping.bytes(m.size), make([]byte, 0, total)
	pages := make([]extent, len(short))
	for i, s := range short {
		at := len(buf)
		buf = append(buf, memory[s.start:s.end]...)
		pages[i] = extent{s.start, buf[at:len(buf):len(buf)]}
	}
	return pages, nil
}

// mergeSpans sorts spans and joins those that touch or overlap.
func mergeSpans(spans []span) []span {
	slices.SortFunc(spans, func(a, b span) int { return cmp.Compare(a.start, b.start) })
	out := spans[:0]
	for _, s := range spans {
		if n := len(out); n > 0 && s.start <= out[n-1].end {
			out[n-1].end = max(out[n-1].end, s.end)
		} else {
			out = append(out, s)
		}
	}
	return out
}

// thaw brings an instance that is in its image's state into this one. See freeze. The instance's owner has been given
// leave for the memory it grows by.
func (s *memoryState) thaw(in *instance) error {
	m := in.memory
	if m == nil || m.image != s.image || len(in.globals) != len(s.globals) {
		return fmt.Errorf("thaw memory: %w", errOtherImage)
	}
	if err := in.growTo(s.size); err != nil {
		return fmt.Errorf("thaw memory: %w", err)
	}
	if err := m.lay(s.layers); err != nil {
		return fmt.Errorf("thaw memory: %w", err)
	}
	memory := m.mapping.bytes(m.size)
	for _, x := range s.pages {
		copy(memory[x.off:], x.data)
	}
	for i, g := range s.globals {
		in.globals[i].Set(g)
	}
	return nil
}

// differing compares a memory with the image, page by page, for platforms that can't tell what was written. Where over
// answers a page, and not nil, that is what it is compared with.
func (im *memoryImage) differing(memory []byte, over func(off uint64) []byte) []span {
	var page [imagePage]byte
	var out []span
	for off := uint64(0); off < uint64(len(memory)); off += imagePage {
		shown := over(off)
		if shown == nil {
			im.pageAt(off, &page)
			shown = page[:]
		}
		if string(memory[off:off+imagePage]) == string(shown) {
			continue
		}
		if n := len(out); n > 0 && out[n-1].end == off {
			out[n-1].end += imagePage
		} else {
			out = append(out, span{off, off + imagePage})
		}
	}
	return out
}

// pageAt gives the image's page at off, which may lie beyond its size, where everything is zero.
func (im *memoryImage) pageAt(off uint64, page *[imagePage]byte) {
	clear(page[:])
	i, found := slices.BinarySearchFunc(im.extents, off, func(x extent, off uint64) int { return cmp.Compare(x.off, off) })
	if !found {
		i--
	}
	if i >= 0 && off-im.extents[i].off < uint64(len(im.extents[i].data)) {
		copy(page[:], im.extents[i].data[off-im.extents[i].off:])
	}
}
