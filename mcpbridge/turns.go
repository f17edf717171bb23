package mcpbridge

import (
	"context"
	"sync"
)

// turns have callers wait for each other, by key: models call several tools at once, and a session runs one cell at a
// time.
type turns struct {
	mu   sync.Mutex
	keys map[string]*turn
}

// turn is one key's. users, which mu of turns guards, are those who have it or wait for it.
type turn struct {
	free  chan struct{}
	users int
}

// take waits for the turn of a key; the caller calls done after it. It answers ctx's cause when that ends first.
func (t *turns) take(ctx context.Context, key string) (done func(), err error) {
	t.mu.Lock()
	if t.keys == nil {
		t.keys = map[string]*turn{}
	}
	own := t.keys[key]
	if own == nil {
		own = &turn{free: make(chan struct{}, 1)}
		own.free <- struct{}{}
		t.keys[key] = own
	}
	own.users++
	t.mu.Unlock()
	leave := func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		if own.users--; own.users == 0 {
			delete(t.keys, key)
		}
	}
	select {
	case <-own.free:
		return func() {
			own.free <- struct{}{}
			leave()
		}, nil
	case <-ctx.Done():
		leave()
		return nil, context.Cause(ctx)
	}
}
