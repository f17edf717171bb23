package engine

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"testing"
)

// patchwork is a memory of some non-zero stretches, the last one up to its end.
func patchwork(r *rand.Rand, pages int) []byte {
	m := make([]byte, pages*wasmPage)
	for range pages {
		at := r.IntN(len(m))
		for i := at; i < min(at+r.IntN(3*imagePage), len(m)); i++ {
			m[i] = byte(r.Uint32())
		}
	}
	m[len(m)-1] = 1
	return m
}

func TestImageRoundTrip(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 20 {
		memory := patchwork(r, 1+r.IntN(5))
		im, err := captureImage(slices.Clone(memory), []uint64{1, 1 << 63})
		if err != nil {
			t.Fatal(err)
		}
		encoded := im.encode()
		im.close()
		back, err := decodeImage(encoded)
		if err != nil {
			t.Fatal(err)
		}
		got := make([]byte, back.size)
		for i := range got {
			got[i] = 0xff
		}
		back.copyRange(got, 0, back.size)
		if !bytes.Equal(got, memory) || !slices.Equal(back.globals, []uint64{1, 1 << 63}) {
			t.Fatal("the image is not what was captured")
		}
		for range 50 {
			a := uint64(r.IntN(len(memory)))
			b := a + uint64(r.IntN(len(memory)-int(a)+1))
			clear(got)
			back.copyRange(got, a, b)
			if !bytes.Equal(got[a:b], memory[a:b]) || slices.Max(append(got[:a:a], 0)) != 0 || slices.Max(append(slices.Clone(got[b:]), 0)) != 0 {
				t.Fatalf("copyRange(%d, %d) copied something else", a, b)
			}
		}
		back.close()
	}
}

func TestDamagedImages(t *testing.T) {
	im, err := captureImage(patchwork(rand.New(rand.NewPCG(3, 4)), 2), []uint64{7})
	if err != nil {
		t.Fatal(err)
	}
	defer im.close()
	good := im.encode()
	for n := range len(good) - 1 {
		if n > 400 && n%1013 != 0 {
			continue
		}
		if im, err := decodeImage(good[:n:n]); err == nil {
			im.close()
			t.Fatalf("cut to %d of %d bytes: decoded", n, len(good))
		}
	}
	if _, err := decodeImage(append(slices.Clone(good), 0)); err == nil {
		t.Error("a byte too many: decoded")
	}
	// Sizes, counts, offsets and lengths, each set to what no memory has.
	for at := range 8 + 4 + 8 + 4 + 16 {
		if at == 2 || at == 3 || at >= 12 && at < 20 {
			continue // a larger memory, another value of the global: as good as any
		}
		bad := slices.Clone(good)
		bad[at] ^= 0xff
		if im, err := decodeImage(bad); err == nil {
			im.close()
			t.Errorf("byte %d changed: decoded", at)
		}
	}
}

// FuzzDecodeImage checks that no bytes make decodeImage panic, and that what it accepts it can write again.
func FuzzDecodeImage(f *testing.F) {
	im, err := captureImage(patchwork(rand.New(rand.NewPCG(5, 6)), 1), []uint64{7})
	if err != nil {
		f.Fatal(err)
	}
	defer im.close()
	f.Add(im.encode())
	f.Fuzz(func(t *testing.T, b []byte) {
		im, err := decodeImage(slices.Clone(b))
		if err != nil {
			return
		}
		defer im.close()
		if !bytes.Equal(im.encode(), b) {
			t.Error("decoded and encoded to something else")
		}
	})
}

// A memory is its image again after reset, whatever was written and however it grew; more pages than are worth
// copying are put back too.
func TestReset(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	for _, pages := range []int{1, 3, 3 * copyBackPages / 16} {
		memory := patchwork(r, pages)
		im, err := captureImage(slices.Clone(memory), nil)
		if err != nil {
			t.Fatal(err)
		}
		m, err := im.allocate(maxMemory)
		if err != nil {
			t.Fatal(err)
		}
		for round := range 8 {
			if got := m.Reallocate(uint64(wasmPage)); !bytes.Equal(got, memory) {
				t.Fatalf("%d pages, round %d: not the image", pages, round)
			}
			if m.Reallocate(im.size+wasmPage) != nil {
				t.Fatal("grew without leave")
			}
			m.mayGrow = func(uint64) bool { return round%2 == 0 }
			b := m.Reallocate(im.size + 5*wasmPage)
			if (b != nil) != (round%2 == 0) {
				t.Fatalf("round %d: growth answered %v", round, b != nil)
			}
			if b == nil {
				b = m.Reallocate(0)
			} else if slices.Max(b[im.size:]) != 0 {
				t.Fatal("new memory is not zero")
			}
			for i := range b {
				if round%4 == 0 || r.IntN(100_000) == 0 {
					b[i] = byte(i) | 1
				}
			}
			m.mayGrow = nil
			if err := m.reset(); err != nil {
				t.Fatal(err)
			}
		}
		m.Free()
		im.close()
	}
}

// copyBackPages is copyBackMax where there is one.
const copyBackPages = 1024
