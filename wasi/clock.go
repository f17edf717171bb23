package wasi

import (
	"context"
	"time"
)

// Clock is where a process's times come from. Its methods are called by one
// goroutine at a time. If it has a method Sync(), that is called at the start of every
// host call: a clock that advances with what the guest computes can then catch up, for
// the tree's sake, too.
type Clock interface {
	// Realtime is the time of day.
	Realtime() time.Time
	// Monotonic is the time since some fixed point; it never goes back.
	Monotonic() time.Duration
	// CPU is the time the process has computed.
	CPU() time.Duration
	// Sleep returns when d has passed on the monotonic clock, or, with an error,
	// when ctx has ended. It may return early, if the clocks say so.
	Sleep(ctx context.Context, d time.Duration) error
}

// hostClock has the host's time. It takes all the time since it was made for
// computing time; whoever knows better gives a Clock of its own.
type hostClock struct{ start time.Time }

func newHostClock() hostClock { return hostClock{time.Now()} }

func (c hostClock) Realtime() time.Time      { return time.Now() }
func (c hostClock) Monotonic() time.Duration { return time.Since(c.start) }
func (c hostClock) CPU() time.Duration       { return time.Since(c.start) }

func (c hostClock) Sleep(ctx context.Context, d time.Duration) error { return Sleep(ctx, d) }

// Sleep is a [Clock]'s on the host's time: it returns when d has passed, or, with the
// cause, when ctx has ended.
func Sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// setClock makes c the process's clock.
func (h *Host) setClock(c Clock) {
	h.clock, h.catchUp = c, nil
	if s, ok := c.(interface{ Sync() }); ok {
		h.catchUp = s.Sync
	}
}

// now reads a clock in nanoseconds; false if there is no such clock.
func (h *Host) now(id clockID) (uint64, bool) {
	switch id {
	case clockRealtime:
		return timestamp(h.clock.Realtime()), true
	case clockMonotonic:
		return uint64(max(h.clock.Monotonic(), 0)), true
	case clockProcessCPU, clockThreadCPU:
		return uint64(max(h.clock.CPU(), 0)), true
	default:
		return 0, false
	}
}

// clock_res_get(id: clockid) -> timestamp
func clockResGet(_ context.Context, h *Host, mem memory, p []uint64) errno {
	if clockID(p[0]) > clockThreadCPU {
		return errInval
	}
	return mem.putUint64(uint32(p[1]), uint64(time.Nanosecond))
}

// clock_time_get(id: clockid, precision: timestamp) -> timestamp
func clockTimeGet(_ context.Context, h *Host, mem memory, p []uint64) errno {
	now, ok := h.now(clockID(p[0]))
	if !ok {
		return errInval
	}
	return mem.putUint64(uint32(p[2]), now)
}
