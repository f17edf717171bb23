//go:build linux && !belljar_plaincopy

package engine

import (
	"math/rand/v2"
	"slices"
	"testing"
)

func TestBridge(t *testing.T) {
	page := func(from, to uint64) span { return span{from * imagePage, to * imagePage} }
	got := bridge([]span{page(1, 2), page(4, 5), page(5+bridgeGap, 80), page(80+bridgeGap-1, 200), page(1000, 1001)}, bridgeGap)
	if want := []span{page(1, 5), page(5+bridgeGap, 200), page(1000, 1001)}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	if got := bridge(nil, bridgeGap); len(got) != 0 {
		t.Errorf("of nothing: %v", got)
	}
}

// layerSpans counts what a memory that starts from the state has to map.
func layerSpans(s *memoryState) (n int) {
	for _, f := range s.layers {
		n += len(f.spans())
	}
	return n
}

// A memory that is written to in runs which are just long enough for a layer has few mappings in its children all the same.
func TestFrozenInRuns(t *testing.T) {
	b := newStateBench(t, rand.New(rand.NewPCG(11, 12)))
	in := b.instance(false)
	in.module.Memory().Grow(200)
	m := b.contents(in)
	for page := range len(m) / imagePage {
		if page%(longRun+1) > 0 {
			m[page*imagePage]++
		}
	}
	want, global := slices.Clone(m), in.globals[0].Get()
	state, err := in.freeze()
	if err != nil {
		t.Fatal(err)
	}
	defer state.close()
	child := b.instance(false)
	if err := state.thaw(child); err != nil {
		t.Fatal(err)
	}
	b.same("a child", child, want, global)
	if spans := layerSpans(state); spans == 0 || spans > maxSpans {
		t.Errorf("%d spans of layers", spans)
	}
}

// So has one that comes from a snapshot with every other page, and what lies between these is the image's.
func TestStateOfPages(t *testing.T) {
	b := newStateBench(t, rand.New(rand.NewPCG(13, 14)))
	in := b.instance(false)
	in.module.Memory().Grow(60)
	want := slices.Clone(b.contents(in))
	var pages []extent
	for page := 1; page < len(want)/imagePage; page += 2 {
		data := want[page*imagePage:][:imagePage]
		data[0]++
		pages = append(pages, extent{uint64(page) * imagePage, slices.Clone(data)})
	}
	state, err := newMemoryState(b.pool.image, uint64(len(want)), []uint64{5}, pages)
	if err != nil {
		t.Fatal(err)
	}
	defer state.close()
	if n := len(state.layers[0].spans()); n > maxSpans {
		t.Errorf("%d spans", n)
	}
	if err := state.thaw(in); err != nil {
		t.Fatal(err)
	}
	b.same("of pages", in, want, 5)
}

// However often a memory is frozen that is written to here and there, what a child of it maps stays little.
func TestFrozenOften(t *testing.T) {
	b := newStateBench(t, rand.New(rand.NewPCG(7, 8)))
	in := b.instance(true)
	in.module.Memory().Grow(200)
	for n := range 8 * maxLayers {
		m := b.contents(in)
		for page := range 2000 { // every other of some, and a run that is worth a layer
			if page%2 == 0 || page < 2*worthFile {
				m[page*imagePage+n]++
			}
		}
		want, global := slices.Clone(m), in.globals[0].Get()
		state, err := in.freeze()
		if err != nil {
			t.Fatal(err)
		}
		if n%maxLayers == maxLayers-1 {
			child := b.instance(false)
			if err := state.thaw(child); err != nil {
				t.Fatal(err)
			}
			b.same("a child", child, want, global)
		}
		if spans := layerSpans(state); spans > 8*maxLayers {
			t.Fatalf("%d spans of layers after %d times", spans, n+1)
		}
		state.close()
	}
}

// Where the kernel can't tell what was written (before Linux 6.7), what is as in the image again, over a layer, is so in the
// next state too.
func TestFreezeWithoutScan(t *testing.T) {
	b := newStateBench(t, rand.New(rand.NewPCG(9, 10)))
	pagemap := b.pool.image.backing.pagemap
	defer func() { b.pool.image.backing.pagemap = pagemap }()
	b.pool.image.backing.pagemap = -1
	in := b.instance(true)
	in.module.Memory().Grow(20)
	image := slices.Clone(b.contents(in))
	for n := range 3 * maxLayers {
		m := b.contents(in)
		for page := range 2*worthFile + n {
			if m[page*imagePage] = byte(n + page); page%2 == n%2 {
				copy(m[page*imagePage:(page+1)*imagePage], image[page*imagePage:])
			}
		}
		for page := range worthFile { // a run that is worth a layer, every other time
			copy(m[page*imagePage:(page+1)*imagePage], image[page*imagePage:])
			if n%2 == 0 {
				m[page*imagePage+1] = byte(n + 1)
			}
		}
		want, global := slices.Clone(m), in.globals[0].Get()
		state, err := in.freeze()
		if err != nil {
			t.Fatal(err)
		}
		child := b.instance(false)
		if err := state.thaw(child); err != nil {
			t.Fatal(err)
		}
		b.same("a child", child, want, global)
		state.close()
	}
}
