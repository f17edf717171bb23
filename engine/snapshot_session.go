package engine

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"github.com/belljar-dev/belljar/wasi"
)

// header describes a session. Preconditions: nobody runs it; it is frozen, or hasn't begun.
func (s *Session) header() (sessionHeader, error) {
	l := &s.life
	h := sessionHeader{Name: s.name, Lang: s.lang}
	f := l.frozen
	if f == nil {
		return h, nil
	}
	h.Begun, h.Cells, h.CPU = true, l.cells, l.cpu
	h.Program, h.Image = l.target.program.def.Digest, f.memory.image.digest()
	h.Size, h.Globals, h.Mask = f.memory.size, f.memory.globals, uint64(f.mask)
	for _, a := range f.action {
		h.Actions = append(h.Actions, [2]uint32{uint32(a.how), uint32(a.flags)})
	}
	h.Umask = &f.umask
	for which, r := range f.resources {
		if r.set {
			h.Limits = append(h.Limits, resourceHeader{uint32(which), r.soft, r.hard})
		}
	}
	known := map[int]bool{}
	for _, d := range f.descriptors {
		out := descriptorHeader{Descriptor: d}
		out.Descriptor.File = nil
		if d.File != nil && !known[d.Description] {
			state, err := d.File.State()
			if err != nil {
				return h, fmt.Errorf("descriptor %d: %w", d.Number, err)
			}
			out.File = &state
		}
		known[d.Description] = true
		h.Open = append(h.Open, out)
	}
	return h, nil
}

// digest identifies an image by what a memory over it depends on.
func (im *memoryImage) digest() string {
	im.digestOnce.Do(func() {
		sum := sha256.Sum256(im.encode())
		im.digestText = hex.EncodeToString(sum[:])
	})
	return im.digestText
}

// blocks yields the blocks in which the memory differs from its image, ascending, with the secrets in them blanked. The
// bytes are only good during the call.
func (s *memoryState) blocks(secrets [][]byte, yield func(number uint64, block []byte) error) error {
	layers, done, err := viewAll(s.layers)
	if err != nil {
		return err
	}
	defer done()
	v := stateView{state: s, layers: layers, owner: s.owners()}
	var blank []span
	if len(secrets) > 0 {
		blank = v.find(secrets)
	}
	block, plain := make([]byte, BlockSize), make([]byte, BlockSize)
	for at := uint64(0); at < s.size; at += BlockSize {
		if !v.written(at) {
			continue
		}
		v.read(at, block)
		s.image.readBlock(at, plain)
		if bytes.Equal(block, plain) {
			continue
		}
		for _, b := range blank {
			for i := max(b.start, at); i < min(b.end, at+BlockSize); i++ {
				block[i-at] = '*'
			}
		}
		if err := yield(at/BlockSize, block); err != nil {
			return err
		}
	}
	return nil
}

// stateView reads a state's memory.
type stateView struct {
	state  *memoryState
	layers [][]byte
	owner  []uint8 // of each page: 0 the image, i layer i-1, ownPages the state's pages
	next   int     // extent where the last page was found
}

const ownPages = 255

// owners answers which part each page comes from.
func (s *memoryState) owners() []uint8 {
	owner := make([]uint8, s.size/imagePage)
	for i, f := range s.layers {
		for _, p := range f.spans() {
			for at := p.start; at < p.end; at += imagePage {
				owner[at/imagePage] = uint8(i + 1)
			}
		}
	}
	for _, x := range s.pages {
		for at := x.off; at < x.off+uint64(len(x.data)); at += imagePage {
			owner[at/imagePage] = ownPages
		}
	}
	return owner
}

// written says that a page of the block at an address is not the image's.
func (v *stateView) written(at uint64) bool {
	for p := at / imagePage; p < min((at+BlockSize)/imagePage, uint64(len(v.owner))); p++ {
		if v.owner[p] != 0 {
			return true
		}
	}
	return false
}

// read reads a block. Blocks are best read in ascending order.
func (v *stateView) read(at uint64, block []byte) {
	for i := uint64(0); i < BlockSize; i += imagePage {
		v.page(at+i, (*[imagePage]byte)(block[i:]))
	}
}

func (v *stateView) page(at uint64, page *[imagePage]byte) {
	switch o := v.owner[at/imagePage]; o {
	case 0:
		v.state.image.pageAt(at, page)
	case ownPages:
		pages := v.state.pages
		if v.next >= len(pages) || pages[v.next].off > at {
			v.next = 0
		}
		for pages[v.next].off+uint64(len(pages[v.next].data)) <= at {
			v.next++
		}
		copy(page[:], pages[v.next].data[at-pages[v.next].off:])
	default:
		copy(page[:], v.layers[o-1][at:])
	}
}

func (im *memoryImage) readBlock(at uint64, block []byte) {
	for i := uint64(0); i < BlockSize; i += imagePage {
		im.pageAt(at+i, (*[imagePage]byte)(block[i:]))
	}
}

// find answers where the secrets are in what was written.
func (v *stateView) find(secrets [][]byte) []span {
	var out []span
	var run []byte
	start := uint64(0)
	search := func() {
		for _, secret := range secrets {
			for from := 0; ; {
				i := bytes.Index(run[from:], secret)
				if i < 0 {
					break
				}
				at := start + uint64(from+i)
				out = append(out, span{at, at + uint64(len(secret))})
				from += i + 1
			}
		}
	}
	block := make([]byte, BlockSize)
	for at := uint64(0); at < v.state.size; at += BlockSize {
		if v.written(at) {
			if len(run) == 0 {
				start = at
			}
			v.read(at, block)
			run = append(run, block...)
			continue
		}
		search()
		run = run[:0]
	}
	search()
	return out
}

// maxSessions bounds the sessions of a snapshot that is read.
const maxSessions = 1 << 12

// check looks for what makes no sense in a session's header.
func (h *sessionHeader) check() error {
	switch {
	case len(h.Name) > maxSessionName:
		return badSnapshot("a session's name has %d bytes", len(h.Name))
	case !h.Begun:
		return nil
	case h.Size > maxMemory || h.Size%wasmPage != 0:
		return badSnapshot("session %q: memory of %d bytes", h.Name, h.Size)
	case len(h.Actions) > wasi.LastSignal+1:
		return badSnapshot("session %q: %d signals", h.Name, len(h.Actions))
	}
	for signal, a := range h.Actions {
		if a[0] > uint32(wasi.SignalHandle) || signal == 0 && a[0] != 0 {
			return badSnapshot("session %q: a signal does %d", h.Name, a[0])
		}
	}
	for _, l := range h.Limits {
		if l.Which > lastLimit || l.Soft > l.Hard {
			return badSnapshot("session %q: limit %d is %d of %d", h.Name, l.Which, l.Soft, l.Hard)
		}
	}
	return nil
}
