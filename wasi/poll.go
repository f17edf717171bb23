package wasi

import (
	"context"
	"encoding/binary"
	"math"
	"time"
)

// maxSubscriptions bounds the work of one look at them. A process can't have more
// descriptors to wait for.
const maxSubscriptions = 1 << 16

// poll_oneoff(in: ptr<subscription>, out: ptr<event>, nsubscriptions: size) -> size
func pollOneoff(ctx context.Context, h *Host, mem memory, p []uint64) errno {
	n := uint32(p[2])
	if n == 0 || n > maxSubscriptions {
		return errInval
	}
	subs, e := mem.array(uint32(p[0]), n, sizeSubscription)
	if e != errSuccess {
		return e
	}
	events, e := mem.array(uint32(p[1]), n, sizeEvent)
	if e != errSuccess {
		return e
	}
	if e := mem.check(uint32(p[3]), 4); e != errSuccess {
		return e
	}
	poll := poller{host: h, subs: subs, events: events, start: h.clock.Monotonic()}
	count, e := poll.wait(ctx)
	return result(mem, uint32(p[3]), count, e)
}

// poller is one poll_oneoff.
type poller struct {
	host   *Host
	subs   []byte        // subscription structures
	events []byte        // room for as many event structures
	start  time.Duration // when the call began, on the monotonic clock
	used   int           // bytes of events written

	// waiting is where a waiter is registered. It isn't found by the subscriptions
	// again, since a guest may have its events written over them.
	waiting []waitable
}

// wait looks at the subscriptions until at least one has an event.
func (p *poller) wait(ctx context.Context) (uint32, errno) {
	if _, e := p.look(nil); e != errSuccess || p.used > 0 {
		return p.count(), e
	}
	for {
		woken, w := newWaiter(ctx)
		sleep, e := p.look(w)
		moved := e == errSuccess && p.used == 0 && rest(ctx, woken, sleep)
		signaled := w.done()
		p.forget(w)
		if e != errSuccess || p.used > 0 {
			return p.count(), e
		}
		checkContext(ctx)
		switch {
		case signaled:
			return 0, errIntr
		case moved:
			return 0, errRestart
		}
	}
}

func (p *poller) count() uint32 { return uint32(p.used / sizeEvent) }

// look writes the events there are. If there are none it gives the time until a clock
// will have one, negative if none will, and has registered w, if that isn't nil, with
// the objects subscribed to.
func (p *poller) look(w *waiter) (sleep time.Duration, e errno) {
	sleep = -1
	for subs := p.subs; len(subs) > 0; subs = subs[sizeSubscription:] {
		sub := subs[:sizeSubscription]
		switch eventType(sub[8]) {
		case eventClock:
			if left := p.clock(sub); left > 0 && (sleep < 0 || left < sleep) {
				sleep = left
			}
		case eventFdRead, eventFdWrite:
			p.descriptor(sub, w)
		default:
			return 0, errInval
		}
	}
	return sleep, errSuccess
}

// clock writes an event if the time of sub has come, or gives the time until then.
//
//	subscription_clock: id u32 at 16, timeout u64 at 24, precision u64 at 32, flags u16 at 40
//
// All waiting is done on the monotonic clock: a relative timeout is not moved by a
// change of the time of day, and CPU time, which stands still while the process
// waits, could never come.
func (p *poller) clock(sub []byte) time.Duration {
	id := clockID(binary.LittleEndian.Uint32(sub[16:]))
	timeout := binary.LittleEndian.Uint64(sub[24:])
	flags := binary.LittleEndian.Uint16(sub[40:])

	passed := uint64(p.host.clock.Monotonic() - p.start)
	if flags&clockAbsolute != 0 && id <= clockMonotonic {
		passed, _ = p.host.now(id)
	} else if flags&clockAbsolute != 0 {
		cpu, _ := p.host.now(id)
		passed += cpu
	}
	switch {
	case id > clockThreadCPU || flags&^clockAbsolute != 0:
		p.event(sub, errInval, readiness{})
		return 0
	case passed >= timeout:
		p.event(sub, errSuccess, readiness{})
		return 0
	}
	return time.Duration(min(timeout-passed, math.MaxInt64))
}

// descriptor writes an event if the descriptor of sub is ready, or is in error, and
// registers w with it otherwise.
//
//	subscription_fd_readwrite: file_descriptor u32 at 16
func (p *poller) descriptor(sub []byte, w *waiter) {
	d, e := p.subscribed(sub)
	if e != errSuccess {
		p.event(sub, e, readiness{})
		return
	}
	state := readiness{ready: true, bytes: 1}
	if o, ok := d.object.(waitable); ok {
		if state = o.poll(eventType(sub[8]) == eventFdWrite, w); w != nil {
			p.waiting = append(p.waiting, o)
		}
	}
	if state.ready {
		p.event(sub, errSuccess, state)
	}
}

// subscribed gives the descriptor that sub waits for.
func (p *poller) subscribed(sub []byte) (descriptor, errno) {
	d, e := p.host.files.get(binary.LittleEndian.Uint32(sub[16:]))
	if e != errSuccess {
		return d, e
	}
	open, need := d.readable, rightPollFdReadwrite|rightFdRead
	if eventType(sub[8]) == eventFdWrite {
		open, need = d.writable, rightPollFdReadwrite|rightFdWrite
	} else if _, ok := d.object.(*PipeWriter); ok && d.writable {
		open, need = true, rightPollFdReadwrite // programs wait so for the reader's end
	}
	switch {
	case !open:
		return d, errBadf
	case d.base&need != need:
		return d, errNotcapable
	}
	return d, errSuccess
}

// forget undoes what look has registered w for.
func (p *poller) forget(w *waiter) {
	for _, o := range p.waiting {
		o.forget(w)
	}
	clear(p.waiting)
	p.waiting = p.waiting[:0]
}

// event writes an event structure.
//
//	userdata u64 at 0, error u16 at 8, type u8 at 10, nbytes u64 at 16, flags u16 at 24
func (p *poller) event(sub []byte, e errno, state readiness) {
	event := p.events[p.used : p.used+sizeEvent]
	p.used += sizeEvent
	userdata, typ := [8]byte(sub), sub[8]
	clear(event)
	copy(event, userdata[:])
	binary.LittleEndian.PutUint16(event[8:], uint16(e))
	event[10] = typ
	binary.LittleEndian.PutUint64(event[16:], state.bytes)
	if state.hangup {
		event[24] = eventHangup
	}
}
