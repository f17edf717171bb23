package engine

import (
	"context"
	"encoding/binary"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"
)

// hostClock is the host's time, as one process sees it. It implements wasi.Clock.
type hostClock struct{ start time.Time }

func (c hostClock) Realtime() time.Time      { return time.Now() }
func (c hostClock) Monotonic() time.Duration { return time.Since(processEpoch(c.start)) }
func (c hostClock) CPU() time.Duration       { return time.Since(c.start) }

// processEpoch lies a day before the process so that no monotonic reading is near zero, which programs take
// for unset.
func processEpoch(start time.Time) time.Time { return start.Add(-24 * time.Hour) }

func (c hostClock) Sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// tickTime is what one tick is worth under Replay: about what a loop iteration takes.
const tickTime = 5 * time.Nanosecond

// replayClock is a sandbox's time under Replay. It advances with what its guests do, never with real time.
type replayClock struct {
	epoch   time.Time
	elapsed atomic.Int64 // nanoseconds
}

func newReplayClock(epoch time.Time) *replayClock {
	if epoch.IsZero() {
		epoch = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	}
	return &replayClock{epoch: epoch}
}

func (c *replayClock) advanceTicks(n int64) { c.elapsed.Add(n * int64(tickTime)) }

// now is the time without what running guests have used of their grants.
func (c *replayClock) now() time.Time { return c.epoch.Add(time.Duration(c.elapsed.Load())) }

// replayProcessClock is the sandbox's replay time as one process sees it. It implements wasi.Clock.
type replayProcessClock struct {
	*replayClock
	meter *meter
}

func (c replayProcessClock) Realtime() time.Time { return c.epoch.Add(c.Monotonic()) }

func (c replayProcessClock) Monotonic() time.Duration {
	return time.Duration(c.elapsed.Load() + c.meter.open()*int64(tickTime))
}

func (c replayProcessClock) CPU() time.Duration {
	return time.Duration((c.meter.used.Load() + c.meter.open()) * int64(tickTime))
}

func (c replayProcessClock) Sleep(ctx context.Context, d time.Duration) error {
	if d > 0 {
		c.elapsed.Add(int64(d))
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

func (r *replayRandom) Read(b []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.src.Read(b)
}
