//go:build !linux || belljar_plaincopy

package engine

// pageFile stands for pages shared between memories, of which there are none here.
type pageFile struct{}

func (*pageFile) retain()       {}
func (*pageFile) release()      {}
func (*pageFile) spans() []span { return nil }

// written answers what of the memory differs from its image.
func (m *linearMemory) written() ([]span, error) {
	return m.image.differing(m.mapping.bytes(m.size), func(uint64) []byte { return nil }), nil
}

func (m *linearMemory) shareGrowth() {}

func (m *linearMemory) freezeGrowth() error { return nil }

// longRuns answers which of spans go to a layer, and which are copied: all.
func longRuns(spans []span, _ bool) (long, short []span) { return nil, spans }

func (m *linearMemory) moveOut([]span, *pageFile) error { return nil }

func (m *linearMemory) lay([]*pageFile) error { return nil }

// layerOf answers a layer that has all pages, or nil where they are as good as they are.
func layerOf(*memoryImage, uint64, []extent) (*pageFile, error) { return nil, nil }

func viewAll([]*pageFile) ([][]byte, func(), error) { return nil, func() {}, nil }
