package vfs

import (
	"maps"
	"slices"
	"testing"
)

// merged keeps records of several comparisons as one, as the comment on Changes says.
type merged struct {
	tree   TreeRecord
	nodes  map[uint64]NodeRecord
	attrs  map[uint64]AttrsRecord
	gone   map[uint64]bool
	places map[[2]uint64]EntryRecord
	chunks map[[2]uint64]ChunkRecord
}

func newMerged() *merged {
	return &merged{
		nodes: map[uint64]NodeRecord{}, gone: map[uint64]bool{}, attrs: map[uint64]AttrsRecord{},
		places: map[[2]uint64]EntryRecord{}, chunks: map[[2]uint64]ChunkRecord{},
	}
}

func (m *merged) Tree(rec TreeRecord) error {
	rec.Fresh = rec.Fresh || m.tree.Fresh
	m.tree = rec
	return nil
}

func (m *merged) Node(rec NodeRecord) error {
	maps.DeleteFunc(m.chunks, func(k [2]uint64, _ ChunkRecord) bool { return k[0] == rec.Ino && k[1] >= uint64(rec.Kept) })
	if old, ok := m.nodes[rec.Ino]; ok {
		rec.Kept = min(rec.Kept, old.Kept)
	}
	delete(m.gone, rec.Ino)
	m.nodes[rec.Ino] = rec
	return nil
}

func (m *merged) Gone(ino uint64) error {
	delete(m.nodes, ino)
	delete(m.attrs, ino)
	maps.DeleteFunc(m.chunks, func(k [2]uint64, _ ChunkRecord) bool { return k[0] == ino })
	maps.DeleteFunc(m.places, func(k [2]uint64, _ EntryRecord) bool { return k[0] == ino })
	m.gone[ino] = true
	return nil
}

func (m *merged) Attrs(rec AttrsRecord) error {
	m.attrs[rec.Ino] = rec
	return nil
}

func (m *merged) Entry(rec EntryRecord) error {
	m.places[[2]uint64{rec.Dir, rec.Seq}] = rec
	return nil
}

func (m *merged) Chunk(rec ChunkRecord) error {
	m.chunks[[2]uint64{rec.Ino, uint64(rec.Index)}] = rec
	return nil
}

// recording returns the records in their order.
func (m *merged) recording() *recording {
	r := &recording{list: []any{m.tree}}
	for _, n := range m.nodes {
		r.list = append(r.list, n)
	}
	for ino := range m.gone {
		r.list = append(r.list, ino)
	}
	for _, a := range m.attrs {
		r.list = append(r.list, a)
	}
	for _, e := range m.places {
		r.list = append(r.list, e)
	}
	for _, c := range m.chunks {
		r.list = append(r.list, c)
	}
	slices.SortFunc(r.list, compareRecords)
	return r
}

// TestChangesMerge saves a random life step by step, each time what is new since the last, as a store does.
func TestChangesMerge(t *testing.T) {
	for seed := range uint64(60) {
		l, base := newLife(t, seed)
		saved, last := newMerged(), base
		for round := range 8 {
			for range 30 {
				l.step()
			}
			must(t, l.t.Changes(last, saved))
			last = l.clone(t)
			if err := sameTree(restore(t, base, saved.recording()), l.t); err != nil {
				t.Fatalf("seed %d, round %d: %v", seed, round, err)
			}
		}
	}
}
