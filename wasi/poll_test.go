package wasi

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

var fakeEpoch = time.Unix(1_600_000_000, 0)

// fakeClock stands still but while a process sleeps.
type fakeClock struct {
	passed time.Duration
	sleeps []time.Duration
}

func (c *fakeClock) Realtime() time.Time      { return fakeEpoch.Add(c.passed) }
func (c *fakeClock) Monotonic() time.Duration { return c.passed }
func (c *fakeClock) CPU() time.Duration       { return time.Millisecond }

func (c *fakeClock) Sleep(_ context.Context, d time.Duration) error {
	c.passed += d
	c.sleeps = append(c.sleeps, d)
	return nil
}

// subscription encodes one. Zero fields may be left out.
type subscription struct {
	typ     eventType
	fd      uint32
	clock   clockID
	timeout uint64
	flags   uint16
}

// poll calls poll_oneoff, and gives the events in words: the number of the
// subscription, the errno unless it is success, and what is known of the descriptor.
func (g *guest) poll(subs ...subscription) (string, error) {
	g.t.Helper()
	for i, s := range subs {
		var b [sizeSubscription]byte
		binary.LittleEndian.PutUint64(b[:], uint64(i)<<40)
		b[8] = byte(s.typ)
		if s.typ == eventClock {
			binary.LittleEndian.PutUint32(b[16:], uint32(s.clock))
			binary.LittleEndian.PutUint64(b[24:], s.timeout)
			binary.LittleEndian.PutUint16(b[40:], s.flags)
		} else {
			binary.LittleEndian.PutUint32(b[16:], s.fd)
		}
		g.write(bufPtr+uint32(i)*sizeSubscription, string(b[:]))
	}
	const out = bufPtr + 0x2000
	e, err := g.try("poll_oneoff", bufPtr, out, len(subs), outPtr)
	if err != nil || e != errSuccess {
		return e.Error(), err
	}
	var events []string
	for i := range g.uint32(outPtr) {
		b := []byte(g.read(out+i*sizeEvent, sizeEvent))
		n := binary.LittleEndian.Uint64(b) >> 40
		event := fmt.Sprint(n)
		if e := errno(binary.LittleEndian.Uint16(b[8:])); e != errSuccess {
			event += fmt.Sprint(" errno ", uint16(e))
		}
		if typ := eventType(b[10]); typ != subs[n].typ {
			event += fmt.Sprint(" of type ", typ)
		} else if typ != eventClock && b[8] == 0 {
			event += fmt.Sprint(" ", binary.LittleEndian.Uint64(b[16:]))
		}
		if b[24] == eventHangup {
			event += " hangup"
		}
		events = append(events, event)
	}
	return strings.Join(events, ", "), nil
}

func TestPollClocks(t *testing.T) {
	const second = uint64(time.Second)
	relative := func(id clockID, timeout uint64) subscription {
		return subscription{clock: id, timeout: timeout}
	}
	absolute := func(id clockID, timeout uint64) subscription {
		return subscription{clock: id, timeout: timeout, flags: clockAbsolute}
	}
	epoch := uint64(fakeEpoch.UnixNano())
	start := 7 * time.Second
	for _, c := range []struct {
		name  string
		subs  []subscription
		want  string
		slept time.Duration
	}{
		{"relative realtime", []subscription{relative(clockRealtime, second)}, "0", time.Second},
		{"relative monotonic", []subscription{relative(clockMonotonic, second)}, "0", time.Second},
		{"relative CPU", []subscription{relative(clockProcessCPU, second)}, "0", time.Second},
		{"relative thread CPU", []subscription{relative(clockThreadCPU, second)}, "0", time.Second},
		{"no time", []subscription{relative(clockMonotonic, 0)}, "0", 0},
		{"absolute realtime", []subscription{absolute(clockRealtime, epoch+9*second)}, "0", 2 * time.Second},
		{"absolute monotonic", []subscription{absolute(clockMonotonic, 8*second)}, "0", time.Second},
		{"absolute CPU", []subscription{absolute(clockProcessCPU, second)}, "0", time.Second - time.Millisecond},
		{"absolute in the past", []subscription{absolute(clockRealtime, epoch)}, "0", 0},
		{"the first of two", []subscription{relative(clockMonotonic, 5*second), relative(clockRealtime, second)}, "1", time.Second},
		{"two at a time", []subscription{relative(clockMonotonic, second), absolute(clockRealtime, epoch+8*second)}, "0, 1", time.Second},
		{"no such clock", []subscription{relative(4, second)}, "0 errno 28", 0},
		{"no such flag", []subscription{{timeout: second, flags: 2}}, "0 errno 28", 0},
		{"for ever", []subscription{relative(clockMonotonic, math.MaxUint64), relative(clockMonotonic, math.MaxInt64)}, "1", math.MaxInt64},
	} {
		clock := &fakeClock{passed: start}
		g := newGuest(t, Config{Clock: clock})
		if got, err := g.poll(c.subs...); got != c.want || err != nil {
			t.Errorf("%s: %q %v, want %q", c.name, got, err, c.want)
		}
		var slept time.Duration
		for _, d := range clock.sleeps {
			slept += d
		}
		if slept != c.slept {
			t.Errorf("%s: slept %v, want %v", c.name, slept, c.slept)
		}
	}
}

func TestPollDescriptors(t *testing.T) {
	in := func(fd uint32) subscription { return subscription{typ: eventFdRead, fd: fd} }
	out := func(fd uint32) subscription { return subscription{typ: eventFdWrite, fd: fd} }
	timeout := subscription{clock: clockMonotonic, timeout: uint64(time.Hour)}
	for _, c := range []struct {
		name string
		subs []subscription
		want string
		do   func(g *guest, r *PipeReader, w *PipeWriter)
	}{
		{"a file", []subscription{in(fdFile), out(fdFile), timeout}, "0 5, 1 4096", nil},
		{"standard streams", []subscription{in(0), out(1), out(2)}, "0 1, 1 1, 2 1", nil},
		{"an empty pipe", []subscription{in(fdReader), timeout}, "1", nil},
		{"an empty pipe's other end", []subscription{out(fdWriter), timeout}, "0 65536", nil},
		{"a pipe", []subscription{in(fdReader), timeout}, "0 3", func(_ *guest, _ *PipeReader, w *PipeWriter) { w.Write([]byte("abc")) }},
		{"a full pipe", []subscription{out(fdWriter), timeout}, "1", func(_ *guest, _ *PipeReader, w *PipeWriter) {
			w.Write(make([]byte, pipeSize-pipeAtomic+1))
		}},
		{"a pipe whose writer is gone", []subscription{in(fdReader), timeout}, "0 0 hangup", func(_ *guest, _ *PipeReader, w *PipeWriter) { w.Close() }},
		{"a pipe whose reader is gone", []subscription{out(fdWriter), timeout}, "0 65536 hangup", func(_ *guest, r *PipeReader, _ *PipeWriter) { r.Close() }},
		{"closed", []subscription{in(fdClosed), timeout}, "0 errno 8", nil},
		{"not to be written", []subscription{out(0), out(fdReadonly)}, "0 errno 8, 1 errno 8", nil},
		{"not to be read", []subscription{in(1), in(fdDir)}, "0 errno 8, 1 errno 8", nil},
		{"without rights", []subscription{in(fdBare), out(fdBare)}, "0 errno 76, 1 errno 76", nil},
		{"of no known type", []subscription{{typ: 3}}, "wasi errno 28", nil},
	} {
		g := newFixture(t)
		g.host.clock = &fakeClock{}
		if c.do != nil {
			r := g.host.files.slots[fdReader].object.(*PipeReader)
			w := g.host.files.slots[fdWriter].object.(*PipeWriter)
			c.do(g, r, w)
		}
		if got, err := g.poll(c.subs...); got != c.want || err != nil {
			t.Errorf("%s: %q %v, want %q", c.name, got, err, c.want)
		}
	}
}

// TestPollWakes blocks in a poll of a pipe without a timeout, until somebody writes.
func TestPollWakes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, w := NewPipe()
		g := newGuest(t, Config{Stdin: r})
		done := make(chan string)
		go func() {
			got, err := g.poll(subscription{typ: eventFdRead})
			done <- fmt.Sprint(got, err)
		}()
		synctest.Wait()
		if _, err := w.Write([]byte("x")); err != nil {
			t.Error(err)
		}
		if got := <-done; got != "0 1<nil>" {
			t.Error(got)
		}
		if n := len(r.p.waiters); n != 0 {
			t.Errorf("%d waiters are left", n)
		}
	})
}

// TestPollTimesOut waits on the host's clock for a pipe into which nobody writes.
func TestPollTimesOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, _ := NewPipe()
		g := newGuest(t, Config{Stdin: r})
		got, err := g.poll(subscription{typ: eventFdRead}, subscription{clock: clockMonotonic, timeout: uint64(time.Hour)})
		if got != "1" || err != nil {
			t.Error(got, err)
		}
		if n := len(r.p.waiters); n != 0 {
			t.Errorf("%d waiters are left", n)
		}
	})
}

// TestPollOverItself has the events written over the subscriptions, which must not
// leave a waiter behind.
func TestPollOverItself(t *testing.T) {
	r, _ := NewPipe()
	g := newGuest(t, Config{Stdin: r, Clock: &fakeClock{}})
	subs := make([]byte, 2*sizeSubscription)
	subs[8] = byte(eventFdRead)
	subs[sizeSubscription+24] = 1 // a nanosecond
	g.write(bufPtr, string(subs))
	g.must("poll_oneoff", bufPtr, bufPtr, 2, outPtr)
	if n := len(r.p.waiters); n != 0 {
		t.Errorf("%d waiters are left", n)
	}
}
