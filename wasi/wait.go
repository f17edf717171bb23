package wasi

import (
	"context"
	"errors"
	"time"
)

// waiter is a blocked call, to be woken once: by one of the objects it waits for, or by
// a signal.
type waiter struct {
	wake  context.CancelFunc
	stops []func() // called when the wait is over
	host  *Host    // nil if there are no signals for the call
}

// newWaiter makes a waiter, and the context that ends when it is woken, when a signal
// waits or when ctx ends. The caller calls done when it stops waiting.
func newWaiter(ctx context.Context) (context.Context, *waiter) {
	woken, wake := context.WithCancel(ctx)
	w := &waiter{wake: wake}
	if h := hostIn(ctx); h.handlesSignals(ctx) {
		w.host = h
		h.blocked.Store(w)
		if h.signals.Pending() { // looked at only now, so that no signal is missed
			wake()
		}
	}
	return woken, w
}

// done frees the waiter, and says whether a signal waits.
func (w *waiter) done() bool {
	w.wake()
	for _, stop := range w.stops {
		stop()
	}
	if w.host == nil {
		return false
	}
	w.host.blocked.CompareAndSwap(w, nil)
	return w.host.signals.Pending()
}

// waitList holds the waiters of one object. The object's mutex guards it.
type waitList map[*waiter]struct{}

func (l *waitList) add(w *waiter) {
	if *l == nil {
		*l = make(waitList)
	}
	(*l)[w] = struct{}{}
}

func (l waitList) remove(w *waiter) { delete(l, w) }

// wake wakes all and forgets them: each looks for itself what has changed.
func (l waitList) wake() {
	for w := range l {
		w.wake()
	}
	clear(l)
}

// block calls try until it answers other than errAgain, and answers errRestart if a
// signal came before that. try registers the waiter it is given if it answers errAgain;
// forget undoes that.
func block(ctx context.Context, forget func(*waiter), try func(*waiter) (int, error)) (int, error) {
	for {
		n, err, signaled := wait(ctx, -1, forget, try)
		if err != errAgain {
			return n, err
		}
		if signaled {
			return 0, errRestart
		}
	}
}

// blockFor is block for at most limit on the process's clock: then it answers errAgain,
// and errIntr for a signal, as POSIX wants it of calls with a timeout.
func blockFor(
	ctx context.Context, limit time.Duration, forget func(*waiter), try func(*waiter) (int, error),
) (int, error) {
	clock := hostOf(ctx).clock
	for end := clock.Monotonic() + limit; ; {
		n, err, signaled := wait(ctx, max(end-clock.Monotonic(), 0), forget, try)
		switch {
		case err != errAgain:
			return n, err
		case signaled:
			return 0, errIntr
		case clock.Monotonic() >= end:
			return try(nil)
		}
	}
}

// wait calls try once, and sleeps if it answers errAgain, for at most limit unless that is negative. Where the guest's
// memory has moved meanwhile, by a thread of it, it answers errRestart.
func wait(
	ctx context.Context, limit time.Duration, forget func(*waiter), try func(*waiter) (int, error),
) (n int, err error, signaled bool) {
	woken, w := newWaiter(ctx)
	if n, err = try(w); err == errAgain {
		moved := rest(ctx, woken, limit)
		forget(w)
		if moved {
			w.done()
			return 0, errRestart, false
		}
	}
	signaled = w.done()
	if err == errAgain {
		checkContext(ctx)
	}
	return n, err, signaled
}

// rest sleeps until woken ends, and for at most limit unless that is negative; other threads of the process run
// meanwhile. It says whether the guest's memory has moved.
func rest(ctx, woken context.Context, limit time.Duration) (moved bool) {
	h := hostIn(ctx)
	sleep := func() {
		if limit < 0 {
			<-woken.Done()
		} else {
			h.clock.Sleep(woken, limit) //nolint:errcheck // either way it is time to look again
		}
	}
	if h == nil || h.kernel == nil {
		sleep()
		return false
	}
	return h.kernel.Rest(ctx, woken, limit, sleep)
}

// leave lets other threads of the process run until back is called.
func leave(ctx context.Context) (back func()) {
	if h := hostIn(ctx); h != nil && h.kernel != nil {
		return h.kernel.Leave(ctx)
	}
	return func() {}
}

// interruptible calls f with a context that ends also when a signal waits, while other threads of the process run. If f
// ends for that reason, with an error, the error is errRestart.
func interruptible(ctx context.Context, f func(context.Context) error) error {
	woken, w := newWaiter(ctx)
	back := leave(ctx)
	err := f(woken)
	back()
	return w.result(ctx, err)
}

// result ends the wait of a call that has ended with err, and gives what to answer.
func (w *waiter) result(ctx context.Context, err error) error {
	signaled := w.done()
	if err == nil {
		return nil
	}
	checkContext(ctx)
	if signaled && errors.Is(err, context.Canceled) {
		return errRestart
	}
	return err
}

// lazyWait is the context of a call that seldom waits: it is an interruptible one from
// when Done is called, which costs. It is for one goroutine.
type lazyWait struct {
	context.Context // what the call has, then what newWaiter has made of it
	call            context.Context
	w               *waiter // nil before Done
	back            func()  // as leave's
}

func newLazyWait(ctx context.Context) *lazyWait { return &lazyWait{Context: ctx, call: ctx} }

func (l *lazyWait) Done() <-chan struct{} {
	if l.w == nil {
		l.Context, l.w = newWaiter(l.call)
		l.back = leave(l.call)
	}
	return l.Context.Done()
}

// result is waiter.result.
func (l *lazyWait) result(err error) error {
	if l.w == nil {
		return err
	}
	l.back()
	return l.w.result(l.call, err)
}
