package engine

import (
	"bytes"
	"context"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/tetratelabs/wazero"
)

// stateGuest is a module with a memory of at least 4 pages that may grow to 256, an exported i64 "fuel", an exported
// mutable i32 "g", and a function "run".
var stateGuest = []byte("\x00asm\x01\x00\x00\x00" +
	"\x01\x04\x01\x60\x00\x00" + // type: func()
	"\x03\x02\x01\x00" + // function
	"\x05\x05\x01\x01\x04\x80\x02" + // memory
	"\x06\x0b\x02\x7e\x01\x42\x00\x0b\x7f\x01\x41\x07\x0b" + // globals
	"\x07\x1b\x04\x04fuel\x03\x00\x01g\x03\x01\x03run\x00\x00\x06memory\x02\x00" +
	"\x0a\x04\x01\x02\x00\x0b")

// stateBench makes instances of stateGuest, over an image of some random pages.
type stateBench struct {
	t       *testing.T
	runtime wazero.Runtime
	loaded  *loadedProgram
	pool    *pool
}

func newStateBench(t *testing.T, r *rand.Rand) *stateBench {
	t.Helper()
	ctx := context.Background()
	b := &stateBench{t: t, runtime: wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfigInterpreter())}
	code, err := b.runtime.CompileModule(ctx, stateGuest)
	if err != nil {
		t.Fatal(err)
	}
	im, err := captureImage(patchwork(r, 4), []uint64{11})
	if err != nil {
		t.Fatal(err)
	}
	b.loaded = &loadedProgram{code: code, info: moduleInfo{Fuel: "fuel", Globals: []string{"g"}}}
	b.pool = newPool(im)
	t.Cleanup(func() {
		b.pool.close()
		_ = b.runtime.Close(ctx)
	})
	return b
}

func (b *stateBench) instance(shared bool) *instance {
	b.t.Helper()
	in, err := newInstance(context.Background(), b.runtime, b.loaded, b.pool, "run")
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(in.close)
	in.memory.mayGrow = func(uint64) bool { return true }
	if shared {
		in.memory.shareGrowth()
	}
	return in
}

// contents reads an instance as its module sees it.
func (b *stateBench) contents(in *instance) []byte {
	b.t.Helper()
	m, ok := in.module.Memory().Read(0, in.module.Memory().Size())
	if !ok || uint64(len(m)) != in.memory.size {
		b.t.Fatalf("module and memory disagree on the size: %d", in.memory.size)
	}
	return m
}

func (b *stateBench) same(what string, in *instance, want []byte, global uint64) {
	b.t.Helper()
	if got := b.contents(in); !bytes.Equal(got, want) {
		b.t.Fatalf("%s: memory differs", what)
	}
	if g := in.globals[0].Get(); g != global {
		b.t.Fatalf("%s: global is %d, want %d", what, g, global)
	}
}

// scribble changes a memory in short and long runs, and sometimes grows it.
func (b *stateBench) scribble(r *rand.Rand, in *instance) {
	if in.memory.size < 100*wasmPage && r.IntN(2) == 0 {
		in.module.Memory().Grow(uint32(1 + r.IntN(8)))
	}
	m := b.contents(in)
	for range 1 + r.IntN(6) {
		from := r.IntN(len(m))
		for i := from; i < min(from+r.IntN(100*imagePage), len(m)); i += 1 + r.IntN(2000) {
			m[i] = byte(r.Uint32())
		}
	}
	in.globals[0].Set(uint64(r.Uint32()))
}

// However an instance is written to, grown and frozen in between, what is made of its states is what it was then, and
// none of them notices what becomes of the others.
func TestFrozenStates(t *testing.T) {
	for seed := range uint64(6) {
		r := rand.New(rand.NewPCG(seed, 1))
		b := newStateBench(t, r)
		type child struct {
			in     *instance
			want   []byte
			global uint64
		}
		var children []child
		parent := b.instance(true)
		for range 3 * maxLayers {
			b.scribble(r, parent)
			want, global := slices.Clone(b.contents(parent)), parent.globals[0].Get()
			state, err := parent.freeze()
			if err != nil {
				t.Fatal(err)
			}
			b.same("the parent after freezing", parent, want, global)
			for range 2 {
				c := b.instance(false)
				if err := state.thaw(c); err != nil {
					t.Fatal(err)
				}
				c.memory.shareGrowth()
				b.same("a child", c, want, global)
				children = append(children, child{c, want, global})
			}
			state.close()
			if r.IntN(3) == 0 { // the line goes on with a child
				last := &children[len(children)-1]
				parent, last.in = last.in, b.instance(false)
				last.want, last.global = slices.Clone(b.contents(last.in)), last.in.globals[0].Get()
			} else if r.IntN(3) == 0 {
				last := &children[len(children)-1]
				b.scribble(r, last.in)
				last.want, last.global = slices.Clone(b.contents(last.in)), last.in.globals[0].Get()
			}
		}
		for _, c := range children {
			b.same("a child at the end", c.in, c.want, c.global)
		}
	}
}

// An instance that was frozen, or thawed, is like new once it is reset, and states that it has left behind are what they were.
func TestResetOfFrozen(t *testing.T) {
	for seed := range uint64(6) {
		r := rand.New(rand.NewPCG(seed, 3))
		b := newStateBench(t, r)
		like := b.instance(false)
		like.setGlobals()
		image, global := slices.Clone(b.contents(like)), like.globals[0].Get()
		in := b.instance(false)
		for range 4 * maxLayers {
			if r.IntN(4) > 0 {
				in.memory.shareGrowth()
			}
			var states []*memoryState
			var wants [][]byte
			for range r.IntN(4) {
				b.scribble(r, in)
				want := slices.Clone(b.contents(in))
				state, err := in.freeze()
				if err != nil {
					t.Fatal(err)
				}
				states, wants = append(states, state), append(wants, want)
			}
			b.scribble(r, in)
			if err := in.reset(); err != nil {
				t.Fatal(err)
			}
			b.same("after reset", in, image, global)
			for i, s := range states {
				if err := s.thaw(in); err != nil {
					t.Fatal(err)
				}
				b.same("thawed into what was reset", in, wants[i], s.globals[0])
				b.scribble(r, in)
				if err := in.reset(); err != nil {
					t.Fatal(err)
				}
				b.same("after reset of the thawed", in, image, global)
				s.close()
			}
		}
	}
}

// A copy equals its parent, from a new instance as from one that was used and reset.
func TestCopyTo(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	b := newStateBench(t, r)
	parent, child := b.instance(false), b.instance(false)
	for range 20 {
		b.scribble(r, parent)
		want, global := slices.Clone(b.contents(parent)), parent.globals[0].Get()
		if err := parent.copyTo(child); err != nil {
			t.Fatal(err)
		}
		b.same("the child", child, want, global)
		b.scribble(r, child)
		b.same("the parent", parent, want, global)
		if err := child.reset(); err != nil {
			t.Fatal(err)
		}
	}
	child.memory.mayGrow = nil
	if err := parent.copyTo(child); err == nil {
		t.Error("copied into a memory that may not grow")
	}
}

// A state only fits instances of its own image.
func TestThawElsewhere(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	a, b := newStateBench(t, r), newStateBench(t, r)
	parent := a.instance(true)
	state, err := parent.freeze()
	if err != nil {
		t.Fatal(err)
	}
	defer state.close()
	if err := state.thaw(b.instance(false)); err == nil {
		t.Error("thawed over another image")
	}
	if err := parent.copyTo(b.instance(false)); err == nil {
		t.Error("copied over another image")
	}
}
