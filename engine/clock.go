package engine

import (
	"context"
	"encoding/binary"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/belljar-dev/belljar/wasi"
)

// hostClock is the host's time, as one process sees it. It implements wasi.Clock.
type hostClock struct {
	boot  time.Time // where the monotonic clock of all processes begins
	meter *meter
}

func (c hostClock) Realtime() time.Time      { return time.Now() }
func (c hostClock) Monotonic() time.Duration { return time.Since(c.boot) }
func (c hostClock) CPU() time.Duration       { return c.meter.cpu() }

func (c hostClock) Sleep(ctx context.Context, d time.Duration) error { return wasi.Sleep(ctx, d) }

// bootTime is an engine's: a day ago, since programs take a monotonic reading near zero for unset.
func bootTime() time.Time { return time.Now().Add(-24 * time.Hour) }

// ticksPerNanosecond makes CPU time, and Replay's time, from ticks: about as many as an interpreter uses on a fast machine.
const ticksPerNanosecond = 64

// maxSlept keeps sums of sleeps from overflowing: 146 years.
const maxSlept = 1 << 62

// replayClock is a sandbox's time under Replay. It advances with what its guests do, never with real time.
type replayClock struct {
	epoch time.Time
	ticks atomic.Int64 // of settled grants
	slept atomic.Int64 // nanoseconds
}

func newReplayClock(epoch time.Time) *replayClock {
	if epoch.IsZero() {
		epoch = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	}
	return &replayClock{epoch: epoch}
}

// elapsed is the time since the epoch, with what a running guest has used of its grant.
func (c *replayClock) elapsed(open int64) time.Duration {
	return time.Duration(c.slept.Load() + (c.ticks.Load()+open)/ticksPerNanosecond)
}

// now is the time without what running guests have used of their grants.
func (c *replayClock) now() time.Time { return c.epoch.Add(c.elapsed(0)) }

// copy answers a clock that goes on from the same time.
func (c *replayClock) copy() *replayClock {
	d := &replayClock{epoch: c.epoch}
	d.ticks.Store(c.ticks.Load())
	d.slept.Store(c.slept.Load())
	return d
}

// replayProcessClock is the sandbox's replay time as one process sees it. It implements wasi.Clock.
type replayProcessClock struct {
	clock *replayClock
	meter *meter
}

func (c replayProcessClock) Realtime() time.Time      { return c.clock.epoch.Add(c.Monotonic()) }
func (c replayProcessClock) Monotonic() time.Duration { return c.clock.elapsed(c.meter.open()) }

func (c replayProcessClock) CPU() time.Duration {
	return c.meter.cpu()
}

// Sync lets the tree's times be those of the moment of the call that changes it, which no grant's end decides.
func (c replayProcessClock) Sync() { c.meter.sync() }

func (c replayProcessClock) Sleep(ctx context.Context, d time.Duration) error {
	for d > 0 {
		slept := c.clock.slept.Load()
		if c.clock.slept.CompareAndSwap(slept, slept+min(int64(d), maxSlept-slept)) {
			break
		}
	}
	return ctx.Err()
}

// replayRandom is a sandbox's randomness under Replay, one stream for all its processes.
type replayRandom struct {
	mu  sync.Mutex
	src *rand.ChaCha8
}

func newReplayRandom(seed uint64) *replayRandom {
	var key [32]byte
	binary.LittleEndian.PutUint64(key[:], seed)
	return &replayRandom{src: rand.NewChaCha8(key)}
}

// copy answers a stream that goes on with the same bytes.
func (r *replayRandom) copy() *replayRandom {
	r.mu.Lock()
	defer r.mu.Unlock()
	src := *r.src
	return &replayRandom{src: &src}
}

// state answers where the stream is.
func (r *replayRandom) state() []byte {
	r.mu.Lock()
	defer r.mu.Unlock()
	b, _ := r.src.MarshalBinary() // it never fails
	return b
}

// setState takes the stream to where state was told.
func (r *replayRandom) setState(b []byte) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.src.UnmarshalBinary(b)
}

func (r *replayRandom) Read(b []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.src.Read(b)
}
