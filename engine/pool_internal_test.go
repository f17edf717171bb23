package engine

import (
	"context"
	"math/rand/v2"
	"sync"
	"testing"
)

// What a pool gives out is in its image's state, whoever has reset it, and closing the pool closes all that it has.
func TestPool(t *testing.T) {
	b := newStateBench(t, rand.New(rand.NewPCG(1, 1)))
	first := b.instance(false)
	want := append([]byte(nil), b.contents(first)...)
	global := first.globals[0].Get()
	var mu sync.Mutex
	all := map[*instance]bool{first: true}
	first.release(true)
	var workers sync.WaitGroup
	for seed := range uint64(8) {
		workers.Go(func() {
			r := rand.New(rand.NewPCG(seed, 2))
			for range 50 {
				in := b.pool.take()
				if in == nil {
					var err error
					if in, err = newInstance(context.Background(), b.runtime, b.loaded, b.pool, "run"); err != nil {
						t.Error(err)
						return
					}
				}
				mu.Lock()
				all[in] = true
				mu.Unlock()
				in.memory.mayGrow = func(uint64) bool { return true }
				if m := b.contents(in); string(m) != string(want) || in.globals[0].Get() != global {
					t.Errorf("an instance of %d bytes, its global %d, is not as the image is", len(m), in.globals[0].Get())
				}
				b.scribble(r, in)
				in.release(r.IntN(8) > 0)
			}
		})
	}
	workers.Wait()
	b.pool.mu.Lock()
	n := len(b.pool.idle) + len(b.pool.used)
	b.pool.mu.Unlock()
	if n > maxIdle()+1 { // the one that is being reset is not counted
		t.Errorf("the pool keeps %d, may %d", n, maxIdle())
	}
	b.pool.close()
	late := first
	for in := range all {
		if !in.module.IsClosed() {
			t.Error("an instance outlives its pool")
		}
		late = in
	}
	late.release(true) // a guest that ends after its engine
	if len(b.pool.used) > 0 || len(b.pool.idle) > 0 {
		t.Error("a closed pool keeps an instance")
	}
}
