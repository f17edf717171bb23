package wasi

import (
	"context"
	"encoding/binary"
	"time"
)

// LastSignal is the highest signal number. They are Linux's. Those from 32 on are as others are: none is queued twice.
const LastSignal = 64

// SignalHow is what a signal does.
type SignalHow uint32

// What a signal does.
const (
	SignalDefault SignalHow = iota
	SignalIgnore
	SignalHandle // the guest's belljar_signal is called
	SignalAsk    // what it does already
)

// SignalFlags are those of sigaction(2).
type SignalFlags uint32

const (
	SignalRestart   SignalFlags = 1 << iota // an interrupted call goes on
	SignalResetHand                         // the handler is called once
	SignalNodefer                           // the signal isn't blocked in its handler
	SignalNocldstop                         // SIGCHLD: only for the end of a child

	allSignalFlags = SignalRestart | SignalResetHand | SignalNodefer | SignalNocldstop
)

// MaskHow is what sig_mask does.
type MaskHow uint32

const (
	MaskBlock MaskHow = iota
	MaskUnblock
	MaskSet
	MaskAsk
)

// sig_action(sig, how, flags) -> (u32, u32)
func sigAction(_ context.Context, h *Host, mem memory, p []uint64) errno {
	sig, how, flags := uint32(p[0]), SignalHow(p[1]), SignalFlags(p[2])
	switch {
	case h.kernel == nil:
		return errNosys
	case sig == 0 || sig > LastSignal || how > SignalAsk || flags&^allSignalFlags != 0:
		return errInval
	}
	ret, e := mem.bytes(uint32(p[3]), 8)
	if e != errSuccess {
		return e
	}
	oldHow, oldFlags, err := h.kernel.SignalAction(sig, how, flags)
	if err != nil {
		return errnoOf(err)
	}
	binary.LittleEndian.PutUint32(ret, uint32(oldHow))
	binary.LittleEndian.PutUint32(ret[4:], uint32(oldFlags))
	return errSuccess
}

// sig_mask(how, set: u64) -> u64
func sigMask(_ context.Context, h *Host, mem memory, p []uint64) errno {
	how := MaskHow(p[0])
	switch {
	case h.kernel == nil:
		return errNosys
	case how > MaskAsk:
		return errInval
	}
	if e := mem.check(uint32(p[2]), 8); e != errSuccess {
		return e
	}
	return mem.putUint64(uint32(p[2]), h.kernel.SignalMask(how, p[1]))
}

// sig_pending() -> u64
func sigPending(_ context.Context, h *Host, mem memory, p []uint64) errno {
	if h.kernel == nil {
		return errNosys
	}
	return mem.putUint64(uint32(p[0]), h.kernel.SignalPending())
}

// sig_suspend(mask: u64)
func sigSuspend(ctx context.Context, h *Host, _ memory, p []uint64) errno {
	if h.kernel == nil {
		return errNosys
	}
	return errnoOf(h.kernel.SignalSuspend(ctx, p[0]))
}

// sig_timer(value: s64, interval: s64) -> (u64, u64), all in nanoseconds
func sigTimer(_ context.Context, h *Host, mem memory, p []uint64) errno {
	if h.kernel == nil {
		return errNosys
	}
	ret, e := mem.bytes(uint32(p[2]), 16)
	if e != errSuccess {
		return e
	}
	value, interval := h.kernel.SignalTimer(time.Duration(p[0]), max(time.Duration(p[1]), 0))
	binary.LittleEndian.PutUint64(ret, uint64(value))
	binary.LittleEndian.PutUint64(ret[8:], uint64(interval))
	return errSuccess
}
