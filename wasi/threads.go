package wasi

import (
	"context"
	"encoding/binary"
	"time"
)

// Threads is what a [Kernel] knows of a process's threads. One of them runs at a time, and keeps its turn until it waits
// in a call, or yields. All of its methods but Leave's answer are called by the thread that has the turn, with the context
// of its call.
type Threads interface {
	// CreateThread makes a thread, which calls the guest's belljar_thread(arg) at its first turn, with its own stack
	// pointer and, at the addresses in words, zeroes of its own. It answers its number.
	CreateThread(ctx context.Context, arg, stack uint32, words []uint32) (uint32, error)
	// ExitThread ends the calling thread. It does not return, unless it is the first, which can't end so.
	ExitThread(ctx context.Context)
	// SleepOn waits until WakeOn of the same address, or until the monotonic clock shows deadline, unless that is
	// negative: ETIMEDOUT. It answers ERESTART for a signal.
	SleepOn(ctx context.Context, addr uint32, deadline time.Duration) error
	// WakeOn wakes at most count threads, and answers how many.
	WakeOn(addr, count uint32) uint32
	// Yield lets others run that can.
	Yield(ctx context.Context)
	// Leave gives the turn up until back is called, which waits for the next and panics with a Canceled if ctx ends
	// before that.
	Leave(ctx context.Context) (back func())
	// Rest gives the turn up while the thread sleeps: until woken ends, and for at most limit of the process's clock
	// unless that is negative. sleep does that, where the process has one thread. moved says that the guest's memory
	// is no longer where it was. It panics as back does.
	Rest(ctx, woken context.Context, limit time.Duration, sleep func()) (moved bool)
}

// maxThreadWords bounds the words that each thread has of its own.
const maxThreadWords = 64

// thread_create(arg, stack, words: ptr<ptr<u32>>, words_count) -> u32
func threadCreate(ctx context.Context, h *Host, mem memory, p []uint64) errno {
	n := uint32(p[3])
	switch {
	case h.kernel == nil:
		return errNosys
	case n > maxThreadWords:
		return errInval
	}
	list, e := mem.array(uint32(p[2]), n, 4)
	if e != errSuccess {
		return e
	}
	if e := mem.check(uint32(p[4]), 4); e != errSuccess {
		return e
	}
	words := make([]uint32, n)
	for i := range words {
		words[i] = binary.LittleEndian.Uint32(list[4*i:])
		if e := mem.check(words[i], 4); e != errSuccess {
			return e
		}
	}
	id, err := h.kernel.CreateThread(ctx, uint32(p[0]), uint32(p[1]), words)
	return result(mem, uint32(p[4]), id, errnoOf(err))
}

// thread_exit()
func threadExit(ctx context.Context, h *Host, _ memory, _ []uint64) errno {
	if h.kernel == nil {
		return errNosys
	}
	h.kernel.ExitThread(ctx)
	return errInval
}

// thread_wait(word: ptr<u32>, value, deadline: s64)
//
// Nothing comes between the look at the word and the sleep: another thread would need the turn.
func threadWait(ctx context.Context, h *Host, mem memory, p []uint64) errno {
	word, e := mem.bytes(uint32(p[0]), 4)
	switch {
	case h.kernel == nil:
		return errNosys
	case e != errSuccess:
		return e
	case binary.LittleEndian.Uint32(word) != uint32(p[1]):
		return errAgain
	}
	return errnoOf(h.kernel.SleepOn(ctx, uint32(p[0]), time.Duration(p[2])))
}

// thread_wake(word: ptr<u32>, count) -> u32
func threadWake(_ context.Context, h *Host, mem memory, p []uint64) errno {
	if h.kernel == nil {
		return errNosys
	}
	if e := mem.check(uint32(p[2]), 4); e != errSuccess {
		return e
	}
	return mem.putUint32(uint32(p[2]), h.kernel.WakeOn(uint32(p[0]), uint32(p[1])))
}
