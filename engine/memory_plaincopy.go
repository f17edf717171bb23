//go:build !linux || belljar_plaincopy

package engine

// backing is nothing more than the image's extents where memory can't be mapped privately.
type backing struct{}

func newBacking(*memoryImage) (backing, error) { return backing{}, nil }

func (backing) close() {}

// memoryMoves says whether a memory may be somewhere else after it has grown.
const memoryMoves = true

// mapping is a memory of its own, moved when it grows.
type mapping struct{ memory []byte }

func (mp *mapping) open(m *linearMemory) error {
	mp.memory = make([]byte, m.size)
	m.image.copyAll(mp.memory)
	return nil
}

func (mp *mapping) bytes(size uint64) []byte { return mp.memory[:size:size] }

func (mp *mapping) grow(_, to uint64) error {
	grown := make([]byte, to)
	copy(grown, mp.memory)
	mp.memory = grown
	return nil
}

func (mp *mapping) close() { mp.memory = nil }

// reset makes the memory equal to its image again, and of its size.
func (m *linearMemory) reset() error {
	if m.size > m.image.size {
		m.size = m.image.size
		m.mapping.memory = make([]byte, m.size)
	}
	m.image.copyAll(m.mapping.memory)
	return nil
}

func (im *memoryImage) copyAll(memory []byte) { im.copyRange(memory, 0, im.size) }
