package engine

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/belljar-dev/belljar/wasi"
)

// queueLocked lets th have the turn after those that are ready.
func (ts *threads) queueLocked(th *thread) {
	if !th.queued && ts.running != th {
		th.queued = true
		ts.ready = append(ts.ready, th)
		ts.waiting.Store(true)
	}
}

// passLocked gives the turn, if nobody has it, to who has been ready longest.
func (ts *threads) passLocked() {
	if ts.running != nil {
		return
	}
	if len(ts.ready) == 0 && !ts.elapseLocked() {
		return
	}
	next := ts.ready[0]
	ts.ready = slices.Delete(ts.ready, 0, 1)
	ts.waiting.Store(len(ts.ready) > 0)
	next.queued = false
	ts.running, ts.asked = next, false
	next.turn <- struct{}{}
}

// giveUp lets others run until th takes the turn again.
//
// Preconditions: th has the turn.
func (ts *threads) giveUp(th *thread) {
	ts.save(th)
	ts.mu.Lock()
	defer ts.mu.Unlock()
	ts.giveUpLocked(th)
}

func (ts *threads) giveUpLocked(th *thread) {
	if ts.running == th {
		ts.running = nil
	}
	ts.passLocked()
}

// take waits for th's turn. The end of ctx ends the call that it is in.
func (ts *threads) take(ctx context.Context, th *thread) {
	ts.mu.Lock()
	ts.queueLocked(th)
	ts.passLocked()
	ts.mu.Unlock()
	select {
	case <-th.turn:
	case <-ctx.Done():
		ts.mu.Lock()
		ts.ready = slices.DeleteFunc(ts.ready, func(o *thread) bool { return o == th })
		ts.waiting.Store(len(ts.ready) > 0)
		th.queued = false
		ts.giveUpLocked(th)
		ts.mu.Unlock()
		panic(&wasi.Canceled{Cause: context.Cause(ctx)})
	}
	ts.restore(th)
	ts.task.meter.beginTurn(ts)
	if ctx.Err() != nil {
		panic(&wasi.Canceled{Cause: context.Cause(ctx)})
	}
}

// save keeps what of the instance is th's own.
func (ts *threads) save(th *thread) {
	in := ts.task.in
	th.globals = th.globals[:0]
	for _, g := range in.globals {
		th.globals = append(th.globals, g.Get())
	}
	memory := in.module.Memory()
	for i, addr := range ts.words {
		th.words[i], _ = memory.ReadUint32Le(addr)
	}
}

func (ts *threads) restore(th *thread) {
	in := ts.task.in
	for i, v := range th.globals {
		in.globals[i].Set(v)
	}
	memory := in.module.Memory()
	for i, addr := range ts.words {
		memory.WriteUint32Le(addr, th.words[i])
	}
}

// Yield implements wasi.Threads.
func (t *task) Yield(ctx context.Context) {
	ts := t.threads.Load()
	if ts == nil || !ts.waiting.Load() {
		return
	}
	th := ts.current(ctx)
	ts.save(th)
	ts.mu.Lock()
	ts.running = nil
	ts.queueLocked(th)
	ts.passLocked()
	ts.mu.Unlock()
	ts.take(ctx, th)
}

// Leave implements wasi.Threads.
func (t *task) Leave(ctx context.Context) (back func()) {
	ts := t.threads.Load()
	if ts == nil {
		return func() {}
	}
	th := ts.current(ctx)
	ts.giveUp(th)
	return func() { ts.take(ctx, th) }
}

// Rest implements wasi.Threads.
func (t *task) Rest(ctx, woken context.Context, limit time.Duration, sleep func()) (moved bool) {
	ts := t.threads.Load()
	if ts == nil {
		sleep()
		return false
	}
	th, size := ts.current(ctx), t.in.memory.size
	due := ts.start(th, limit)
	ts.giveUp(th)
	select {
	case <-due:
	case <-woken.Done():
	}
	ts.mu.Lock()
	ts.cancelLocked(th)
	ts.mu.Unlock()
	ts.take(ctx, th)
	return memoryMoves && t.in.memory.size != size
}

// rest lets others run while the thread sleeps until it is woken.
func (ts *threads) rest(ctx context.Context) {
	th := ts.current(ctx)
	ts.giveUp(th)
	select {
	case <-th.notify:
	case <-ctx.Done():
	}
	ts.take(ctx, th)
}

// turnTicks is how long a thread that computes keeps its turn under Replay, where no look may depend on real time.
const turnTicks = 5_000_000 * ticksPerNanosecond

// beginTurn says when the thread that has just got the turn is to be asked to yield, under Replay.
func (m *meter) beginTurn(ts *threads) {
	if m.clock != nil {
		m.sync()
		ts.until = m.used.Load() + turnTicks
		m.granted = ts.clip(m, m.granted)
		m.fuel.Set(uint64(m.granted))
	}
}

// clip makes a grant end with the turn, under Replay.
func (ts *threads) clip(m *meter, grant int64) int64 {
	if m.clock == nil {
		return grant
	}
	return min(grant, max(ts.until-m.used.Load(), 0))
}

// urge has the guest asked to yield when another thread is ready, and it has not been asked since it got the turn. It is
// called from a loop of the guest, on a grant of its own.
func (m *meter) urge(ctx context.Context, ts *threads) {
	if m.clock != nil {
		if m.used.Load() < ts.until {
			return
		}
		ts.until = m.used.Load() + turnTicks
	}
	if ts.yield == nil || ts.asking || ts.asked || !ts.waiting.Load() {
		return
	}
	ts.asking, ts.asked = true, true
	m.refill()
	err := ts.yield.CallWithStack(ctx, nil)
	m.account(int64(m.fuel.Get()))
	m.granted = 0
	ts.asking = false
	if err != nil {
		panic(leave(err))
	}
}

// wakeAll makes all threads but the first look again at what they wait for.
func (ts *threads) wakeAll() {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	for _, th := range ts.live {
		if th != ts.first {
			th.wake()
		}
	}
}

// sleepersLocked answers who sleeps on addr, those that came first first.
func (ts *threads) sleepersLocked(addr uint32) []*thread {
	var out []*thread
	for _, th := range ts.live {
		if th.sleeps && th.asleep == addr {
			out = append(out, th)
		}
	}
	slices.SortFunc(out, func(a, b *thread) int { return cmp.Compare(a.since, b.since) })
	return out
}

// threadTimer ends a sleep at a time of the sandbox's clock, under Replay, where time passes only when nobody runs.
type threadTimer struct {
	thread *thread
	due    time.Duration
	fired  chan time.Time
}

// start starts a timer for th; of a negative limit none.
func (ts *threads) start(th *thread, limit time.Duration) <-chan time.Time {
	if limit < 0 {
		return nil
	}
	if ts.task.sandbox.clock == nil {
		return time.After(limit)
	}
	th.timer = &threadTimer{th, ts.task.monotonic() + limit, make(chan time.Time, 1)}
	ts.mu.Lock()
	defer ts.mu.Unlock()
	at, _ := slices.BinarySearchFunc(ts.timers, th.timer.due, func(t *threadTimer, due time.Duration) int {
		if t.due <= due {
			return -1
		}
		return 1
	})
	ts.timers = slices.Insert(ts.timers, at, th.timer)
	return th.timer.fired
}

// cancelLocked takes th's timer back.
func (ts *threads) cancelLocked(th *thread) {
	if th.timer == nil {
		return
	}
	if i := slices.Index(ts.timers, th.timer); i >= 0 {
		ts.timers = slices.Delete(ts.timers, i, i+1)
	}
	th.timer = nil
}

// elapseLocked takes the clock to the first timer, where there is one, and makes its thread ready.
func (ts *threads) elapseLocked() bool {
	if len(ts.timers) == 0 || ts.ctx.Err() != nil {
		return false
	}
	first := ts.timers[0]
	ts.timers = slices.Delete(ts.timers, 0, 1)
	if left := first.due - ts.task.monotonic(); left > 0 {
		ts.task.sandbox.clock.slept.Add(min(int64(left), maxSlept-ts.task.sandbox.clock.slept.Load()))
	}
	ts.queueLocked(first.thread)
	first.fired <- time.Time{}
	return true
}
