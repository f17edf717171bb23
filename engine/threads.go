package engine

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/belljar-dev/belljar/wasi"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/sys"
)

// A guest's threads are goroutines that call into one instance, each with a native stack of its own, of which one runs at
// a time: it has the turn, and gives it up where it waits in the host, or yields. So the memory need not be shared in
// WebAssembly's sense, stays copy-on-write, and the guest needs no atomic instructions.
//
// What differs between threads in the instance itself, its mutable globals (the stack pointer among them) and the words of
// memory that the guest has named, is saved where a thread gives up the turn and put back where it gets it.

const (
	threadName  = "belljar_thread" // the export that is a thread: func(arg i32)
	yieldName   = "belljar_yield"  // the export that is asked to yield soon: func()
	stackName   = "__stack_pointer"
	threadShare = 4 // threads of a sandbox for each process that it may have
)

// thread is one thread of a task. What has no other comment belongs to who has the turn.
type thread struct {
	id      uint32
	entry   api.Function // nil of the first
	arg     uint64
	globals []uint64 // while it has not the turn
	words   []uint32

	turn   chan struct{} // has an element when it was given the turn
	notify chan struct{} // as task.notify; the first thread's is that

	queued bool   // in ready; under threads.mu
	asleep uint32 // address it sleeps on, and
	sleeps bool   // whether it does; under threads.mu
	since  uint64 // order of the sleeps; under threads.mu
	timer  *threadTimer
}

// threads are those of a task with more than one.
type threads struct {
	task  *task
	ctx   context.Context         // of all threads but the first; ends with the program
	stop  context.CancelCauseFunc // its cause says why
	first *thread
	words []uint32          // addresses
	sp    api.MutableGlobal // the stack pointer
	yield api.Function      // nil: there is none
	ended sync.WaitGroup

	unlink func() bool // from the task's context

	waiting atomic.Bool // some are ready
	asking  bool        // the guest is being asked to yield
	asked   bool        // it was, since the turn was given
	until   int64       // ticks at which the turn is long enough, under Replay

	mu      sync.Mutex
	running *thread // nil: none
	ready   []*thread
	live    []*thread // the first included
	last    uint32    // id
	slept   uint64    // sleeps so far
	timers  []*threadTimer
}

// errThreadEnded takes a thread off its program.
var errThreadEnded = errors.New("thread has ended")

// errProgramOver ends the threads that a program leaves behind.
var errProgramOver = errors.New("the program has ended")

// exited is the cause of a process's end by a thread that is not its first.
type exited struct{ code uint32 }

func (*exited) Error() string { return "exited" }

// threadKey finds the thread in the context of a guest's call; there is none in the first one's.
type threadKey struct{}

type threadContext struct {
	context.Context
	thread *thread
}

func (c *threadContext) Value(key any) any {
	if key == (threadKey{}) {
		return c.thread
	}
	return c.Context.Value(key)
}

// current answers the thread that makes a call.
func (ts *threads) current(ctx context.Context) *thread {
	if th, ok := ctx.Value(threadKey{}).(*thread); ok {
		return th
	}
	return ts.first
}

// CreateThread implements wasi.Threads.
func (t *task) CreateThread(ctx context.Context, arg, stack uint32, words []uint32) (uint32, error) {
	ts := t.threads.Load()
	if ts == nil {
		var err error
		if ts, err = t.newThreads(words); err != nil {
			return 0, err
		}
	}
	if !slices.Equal(words, ts.words) {
		return 0, wasi.EINVAL
	}
	entry := t.in.module.ExportedFunction(threadName)
	if !t.sandbox.enterThread() {
		return 0, wasi.EAGAIN
	}
	if t.threads.Load() == nil {
		t.threads.Store(ts)
		t.meter.beginTurn(ts)
	}
	th := &thread{
		entry: entry, arg: uint64(arg), words: make([]uint32, len(words)),
		turn: make(chan struct{}, 1), notify: make(chan struct{}, 1),
	}
	own := ts.sp.Get()
	ts.sp.Set(uint64(stack))
	th.globals = t.in.readGlobals()
	ts.sp.Set(own)
	ts.mu.Lock()
	ts.last++
	th.id = ts.last
	ts.live = append(ts.live, th)
	ts.queueLocked(th)
	ts.mu.Unlock()
	ts.ended.Add(1)
	go ts.run(th) // ends with the thread, at the latest with the program
	return th.id, nil
}

// newThreads makes the threads of a task that has one.
func (t *task) newThreads(words []uint32) (*threads, error) {
	f := t.in.module.ExportedFunction(threadName)
	if f == nil || len(f.Definition().ResultTypes()) != 0 || !slices.Equal(f.Definition().ParamTypes(), handlerParams[:]) {
		return nil, wasi.ENOSYS
	}
	sp, ok := t.in.module.ExportedGlobal(stackName).(api.MutableGlobal)
	if !ok || len(t.in.info.Stateful) > 0 {
		return nil, wasi.ENOSYS
	}
	ts := &threads{task: t, words: words, sp: sp, last: 1}
	if f := t.in.module.ExportedFunction(yieldName); f != nil && len(f.Definition().ParamTypes())+len(f.Definition().ResultTypes()) == 0 {
		ts.yield = f
	}
	ts.first = &thread{id: 1, words: make([]uint32, len(words)), turn: make(chan struct{}, 1), notify: t.notify}
	ts.running, ts.live = ts.first, []*thread{ts.first}
	ts.ctx, ts.stop = context.WithCancelCause(context.Background())
	ts.link(t.ctx)
	return ts, nil
}

// link ends the threads when ctx, the task's, ends.
func (ts *threads) link(ctx context.Context) {
	ts.unlink = context.AfterFunc(ctx, func() { ts.stop(context.Cause(ctx)) })
}

// run is the goroutine of a thread.
func (ts *threads) run(th *thread) {
	defer ts.ended.Done()
	defer ts.task.sandbox.leaveThread()
	t := ts.task
	ctx := wasi.BindThread(&threadContext{&meterContext{ts.ctx, &t.meter}, th}, t.host)
	err := ts.call(ctx, th)
	var exit *sys.ExitError
	switch {
	case ts.ctx.Err() != nil, err == nil:
	case errors.As(err, &exit):
		t.stop(&exited{exit.ExitCode()})
	default:
		if err = cause(err); !errors.Is(err, errThreadEnded) {
			t.stop(err)
		}
	}
	ts.mu.Lock()
	defer ts.mu.Unlock()
	ts.live = slices.DeleteFunc(ts.live, func(o *thread) bool { return o == th })
	ts.giveUpLocked(th)
}

// call runs the guest's thread from its first turn to its end.
func (ts *threads) call(ctx context.Context, th *thread) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = asError(v)
		}
	}()
	ts.take(ctx, th)
	return th.entry.CallWithStack(ctx, []uint64{th.arg})
}

// ExitThread implements wasi.Threads.
func (t *task) ExitThread(ctx context.Context) {
	if ts := t.threads.Load(); ts != nil && ts.current(ctx) != ts.first {
		panic(&wasi.Canceled{Cause: errThreadEnded})
	}
}

// endThreads ends the threads that the program has left behind, and waits for them.
//
// Preconditions: the first thread is out of the instance.
func (t *task) endThreads() {
	ts := t.threads.Load()
	if ts == nil {
		return
	}
	ts.unlink()
	ts.stop(errProgramOver)
	ts.ended.Wait()
	t.threads.Store(nil)
}

// threadCount is how many threads there are beside the first.
func (t *task) threadCount() int {
	ts := t.threads.Load()
	if ts == nil {
		return 0
	}
	ts.mu.Lock()
	defer ts.mu.Unlock()
	return len(ts.live) - 1
}

// enterThread counts a thread, unless there are too many. Each may have a large native stack.
func (sb *Sandbox) enterThread() bool {
	if sb.threads.Add(1) > int64(sb.limits.Processes)*threadShare {
		sb.threads.Add(-1)
		return false
	}
	return true
}

func (sb *Sandbox) leaveThread() { sb.threads.Add(-1) }

// SleepOn implements wasi.Threads.
func (t *task) SleepOn(ctx context.Context, addr uint32, deadline time.Duration) error {
	ts := t.threads.Load()
	if ts == nil {
		return t.sleepAlone(ctx, deadline)
	}
	th := ts.current(ctx)
	if th == ts.first && t.attention.Load() {
		return wasi.ERESTART
	}
	limit := time.Duration(-1)
	if deadline >= 0 {
		limit = max(deadline-t.monotonic(), 0)
	}
	ts.mu.Lock()
	ts.slept++
	th.asleep, th.sleeps, th.since = addr, true, ts.slept
	ts.mu.Unlock()
	due := ts.start(th, limit)
	ts.giveUp(th)
	err := ts.sleep(ctx, th, due)
	ts.mu.Lock()
	if !th.sleeps {
		err = nil // was woken, whatever else happened
	}
	th.sleeps = false
	ts.cancelLocked(th)
	ts.mu.Unlock()
	ts.take(ctx, th)
	return err
}

// sleep waits until th is woken.
func (ts *threads) sleep(ctx context.Context, th *thread, due <-chan time.Time) error {
	for {
		select {
		case <-th.notify:
			ts.mu.Lock()
			woken := !th.sleeps
			ts.mu.Unlock()
			switch {
			case woken:
				return nil
			case th == ts.first && ts.task.attention.Load():
				return wasi.ERESTART
			}
		case <-due:
			return wasi.ETIMEDOUT
		case <-ctx.Done():
			return nil // take says why
		}
	}
}

// sleepAlone is SleepOn where no one can wake the thread but the clock, or a signal.
func (t *task) sleepAlone(ctx context.Context, deadline time.Duration) error {
	var due <-chan time.Time
	if deadline >= 0 {
		limit := max(deadline-t.monotonic(), 0)
		if t.sandbox.clock != nil {
			_ = t.clock().Sleep(ctx, limit) // at once; the loop below hears of ctx's end
			limit = 0
		}
		timer := time.NewTimer(limit)
		defer timer.Stop()
		due = timer.C
	}
	t.waiting.Store(true)
	defer t.waiting.Store(false)
	for !t.attention.Load() {
		select {
		case <-t.notify:
		case <-due:
			return wasi.ETIMEDOUT
		case <-ctx.Done():
			panic(&wasi.Canceled{Cause: context.Cause(ctx)})
		}
	}
	return wasi.ERESTART
}

// monotonic is the process's monotonic clock.
func (t *task) monotonic() time.Duration { return t.clock().Monotonic() }

// WakeOn implements wasi.Threads.
func (t *task) WakeOn(addr, count uint32) (woken uint32) {
	ts := t.threads.Load()
	if ts == nil {
		return 0
	}
	ts.mu.Lock()
	defer ts.mu.Unlock()
	for _, th := range ts.sleepersLocked(addr) {
		if woken == count {
			break
		}
		th.sleeps = false
		ts.cancelLocked(th)
		ts.queueLocked(th)
		th.wake()
		woken++
	}
	return woken
}

// wake makes the thread look again at what it waits for.
func (th *thread) wake() {
	select {
	case th.notify <- struct{}{}:
	default:
	}
}
