package engine

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"sync"
)

// wasmPage is the unit in which linear memories grow.
// See https://www.w3.org/TR/wasm-core-2/#page-size
const wasmPage = 65536

// imagePage is the grain at which images skip zeroes and instances find what was written.
const imagePage = 4096

// maxMemory is what a 32-bit memory can address.
const maxMemory = 1 << 32

// memoryImage is the frozen state of an instance, and what others start from: its linear memory and its
// mutable globals. It is immutable; close it after the last instance that maps it.
type memoryImage struct {
	size    uint64   // bytes of linear memory, a multiple of wasmPage
	globals []uint64 // in the order of the module's exported globals
	extents []extent // ascending, not overlapping, within size; the rest is zero
	backing backing  // the platform's form of the content

	digestOnce sync.Once
	digestText string
}

type extent struct {
	off  uint64 // multiple of imagePage
	data []byte // length a multiple of imagePage, but for the memory's end
}

func newMemoryImage(size uint64, globals []uint64, extents []extent) (*memoryImage, error) {
	im := &memoryImage{size: size, globals: globals, extents: extents}
	if err := im.check(); err != nil {
		return nil, err
	}
	var err error
	if im.backing, err = newBacking(im); err != nil {
		return nil, fmt.Errorf("memory image: %w", err)
	}
	return im, nil
}

// captureImage copies the non-zero pages of a live memory.
func captureImage(memory []byte, globals []uint64) (*memoryImage, error) {
	return newMemoryImage(uint64(len(memory)), globals, captureExtents(memory))
}

func captureExtents(memory []byte) []extent {
	var zero [imagePage]byte
	var out []extent
	for off := 0; off < len(memory); {
		end := off
		for end < len(memory) && string(memory[end:min(end+imagePage, len(memory))]) != string(zero[:min(imagePage, len(memory)-end)]) {
			end = min(end+imagePage, len(memory))
		}
		if end > off {
			out = append(out, extent{uint64(off), slices.Clone(memory[off:end])})
		}
		off = end + imagePage
	}
	return out
}

func (im *memoryImage) check() error {
	if im.size > maxMemory || im.size%wasmPage != 0 {
		return fmt.Errorf("memory image: size %d", im.size)
	}
	var end uint64
	for _, x := range im.extents {
		if x.off < end || x.off%imagePage != 0 || x.off > im.size || uint64(len(x.data)) > im.size-x.off {
			return fmt.Errorf("memory image: extent at %d of %d bytes", x.off, len(x.data))
		}
		end = x.off + uint64(len(x.data))
	}
	return nil
}

func (im *memoryImage) close() { im.backing.close() }

// copyRange puts the image's bytes over memory[start:end].
func (im *memoryImage) copyRange(memory []byte, start, end uint64) {
	i, _ := slices.BinarySearchFunc(im.extents, start, func(x extent, off uint64) int {
		return cmp.Compare(x.off+uint64(len(x.data)), off+1) // the first extent that ends beyond start
	})
	for off := start; off < end; i++ {
		if i == len(im.extents) || im.extents[i].off >= end {
			clear(memory[off:end])
			return
		}
		x := im.extents[i]
		if off < x.off {
			clear(memory[off:x.off])
			off = x.off
		}
		off += uint64(copy(memory[off:end], x.data[off-x.off:]))
	}
}

// encode lays the image out as little-endian integers:
//
//	size u64 | globals u32, each u64 | extents u32, each: offset u64, length u64 | the extents' bytes
func (im *memoryImage) encode() []byte {
	n := 8 + 4 + 8*len(im.globals) + 4 + 16*len(im.extents)
	for _, x := range im.extents {
		n += len(x.data)
	}
	le := binary.LittleEndian
	b := le.AppendUint64(make([]byte, 0, n), im.size)
	b = le.AppendUint32(b, uint32(len(im.globals)))
	for _, g := range im.globals {
		b = le.AppendUint64(b, g)
	}
	b = le.AppendUint32(b, uint32(len(im.extents)))
	for _, x := range im.extents {
		b = le.AppendUint64(b, x.off)
		b = le.AppendUint64(b, uint64(len(x.data)))
	}
	for _, x := range im.extents {
		b = append(b, x.data...)
	}
	return b
}

var errImageCut = errors.New("memory image: cut short")

// decodeImage reads what encode wrote. The image may alias b.
func decodeImage(b []byte) (*memoryImage, error) {
	le := binary.LittleEndian
	if len(b) < 12 {
		return nil, errImageCut
	}
	size, n := le.Uint64(b), uint64(le.Uint32(b[8:]))
	b = b[12:]
	if uint64(len(b)) < 8*n+4 {
		return nil, errImageCut
	}
	globals := make([]uint64, n)
	for i := range globals {
		globals[i] = le.Uint64(b[8*i:])
	}
	b = b[8*n:]
	n, b = uint64(le.Uint32(b)), b[4:]
	if uint64(len(b)) < 16*n {
		return nil, errImageCut
	}
	table, b := b[:16*n], b[16*n:]
	extents := make([]extent, n)
	for i := range extents {
		length := le.Uint64(table[16*i+8:])
		if length > uint64(len(b)) {
			return nil, errImageCut
		}
		extents[i] = extent{le.Uint64(table[16*i:]), b[:length:length]}
		b = b[length:]
	}
	if len(b) != 0 {
		return nil, fmt.Errorf("memory image: %d bytes too many", len(b))
	}
	return newMemoryImage(size, globals, extents)
}

// linearMemory backs one instance's memory. It implements wazero's experimental.LinearMemory.
//
// It belongs to the instance's goroutine: only instantiation, the running guest and reset touch it.
type linearMemory struct {
	image *memoryImage
	max   uint64 // bytes the module may ever have
	size  uint64 // bytes it has
	// mayGrow is asked for each growth, in bytes; nil refuses. It is set while a process owns the instance.
	mayGrow func(delta uint64) bool
	// shrinking makes the next Reallocate answer with the image's size; see instance.reset.
	shrinking bool
	mapping   mapping     // the platform's form
	layers    []*pageFile // what lies over the image; see memoryState
}

// Allocate starts a memory as a private copy of the image.
func (im *memoryImage) allocate(max uint64) (*linearMemory, error) {
	m := &linearMemory{image: im, max: min(max, maxMemory), size: im.size}
	if m.max < im.size {
		return nil, fmt.Errorf("map memory: image of %d bytes in a memory of at most %d", im.size, m.max)
	}
	if err := m.mapping.open(m); err != nil {
		return nil, fmt.Errorf("map memory: %w", err)
	}
	return m, nil
}

// Reallocate implements experimental.LinearMemory. The first call, at instantiation, asks for the module's
// own minimum and gets the image, which is never smaller.
func (m *linearMemory) Reallocate(size uint64) []byte {
	if m.shrinking {
		m.shrinking = false
		return m.mapping.bytes(m.size)
	}
	if size <= m.size {
		return m.mapping.bytes(m.size)
	}
	if size > m.max || m.mayGrow == nil || !m.mayGrow(size-m.size) {
		return nil
	}
	if err := m.mapping.grow(m.size, size); err != nil {
		return nil
	}
	m.size = size
	return m.mapping.bytes(size)
}

// Free implements experimental.LinearMemory.
func (m *linearMemory) Free() {
	m.mapping.close()
	releaseAll(m.layers)
	m.layers = nil
}
