package engine

import (
	"errors"
	"testing"

	"github.com/belljar-dev/belljar/wasi"
)

// TestSessionHeader lists what no session that was written can have said of its signals.
func TestSessionHeader(t *testing.T) {
	actions := func(signal int, how uint32) [][2]uint32 {
		list := make([][2]uint32, wasi.LastSignal+1)
		list[signal][0] = how
		return list
	}
	for _, c := range []struct {
		h  sessionHeader
		ok bool
	}{
		{sessionHeader{Begun: true, Actions: actions(1, 0)}, true},
		{sessionHeader{Begun: true, Actions: actions(wasi.LastSignal, uint32(wasi.SignalHandle))}, true},
		{sessionHeader{Begun: true, Actions: actions(1, uint32(wasi.SignalHandle)+1)}, false},
		{sessionHeader{Begun: true, Actions: actions(0, uint32(wasi.SignalHandle))}, false},
		{sessionHeader{Begun: true, Actions: append(actions(1, 0), [2]uint32{})}, false},
	} {
		if err := c.h.check(); errors.Is(err, ErrSnapshot) == c.ok || err == nil != c.ok {
			t.Errorf("%+v: %v", c.h.Actions, err)
		}
	}
}
