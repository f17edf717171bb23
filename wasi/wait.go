package wasi

import "context"

// waiter is a blocked call, to be woken once by one of the objects it waits for.
type waiter struct{ wake context.CancelFunc }

// newWaiter makes a waiter, and the context that ends when it is woken or when ctx
// ends. The caller calls wake when it stops waiting, to free the context.
func newWaiter(ctx context.Context) (context.Context, *waiter) {
	woken, wake := context.WithCancel(ctx)
	return woken, &waiter{wake: wake}
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

// block calls try until it answers other than errAgain. try registers the waiter it
// is given if it answers errAgain; forget undoes that.
func block(ctx context.Context, forget func(*waiter), try func(*waiter) (int, error)) (int, error) {
	for {
		woken, w := newWaiter(ctx)
		n, err := try(w)
		if err == errAgain {
			<-woken.Done()
			forget(w)
		}
		w.wake()
		if err != errAgain {
			return n, err
		}
		checkContext(ctx)
	}
}
