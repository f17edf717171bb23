package wasi

import "testing"

// A writing end can be polled for reading, as programs do that wait for the reader's end.
func TestPollForTheReadersEnd(t *testing.T) {
	r, w := NewPipe()
	waiting := &waiter{wake: func() {}}
	if state := w.poll(false, waiting); state.ready || len(w.p.waiters) != 1 {
		t.Errorf("%+v with a reader, %d waiting", state, len(w.p.waiters))
	}
	if state := w.poll(true, nil); !state.ready {
		t.Errorf("%+v to write into an empty pipe", state)
	}
	r.Close()
	if state := w.poll(false, nil); !state.ready || !state.hangup {
		t.Errorf("%+v without a reader", state)
	}
}
