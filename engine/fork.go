package engine

import (
	"context"
	"errors"

	"github.com/belljar-dev/belljar/wasi"
	"github.com/tetratelabs/wazero/api"
)

// A guest forks by leaving its stack: binaryen's asyncify lets proc_fork unwind all of it into linear memory, the
// program's entry returns, and memory and globals are then all there is to the process. They are copied into another
// instance, and both are rewound into the call.
//
// See https://github.com/WebAssembly/binaryen/blob/main/src/passes/Asyncify.cpp

// forkState is where a task is in a fork.
type forkState uint8

const (
	forkNone forkState = iota
	forkUnwinding
	forkRewinding
)

// forkAnswer is what a fork under way will answer.
type forkAnswer struct {
	data uint64 // address of the structure that describes where the stack lies
	pid  uint32
	err  error
}

// errSignaled is why a process does not fork that has to see to a signal first, as on Linux: one to its whole group may
// have come before the child was in it, which would miss it.
var errSignaled = errors.New("signals come first")

// asyncify is what an instance exports to be taken off its stack.
type asyncify struct {
	stack                   api.Function // () -> address of the structure that describes room for the stack
	startUnwind, stopUnwind api.Function
	startRewind, stopRewind api.Function
}

// findAsyncify finds the exports. Each has a native stack of its own, so it is done for those that fork.
func (in *instance) findAsyncify() {
	if in.asyncify != nil {
		return
	}
	find := func(name string) api.Function { return in.module.ExportedFunction(name) }
	a := asyncify{
		stack: find("belljar_stack"), startUnwind: find("asyncify_start_unwind"), stopUnwind: find("asyncify_stop_unwind"),
		startRewind: find("asyncify_start_rewind"), stopRewind: find("asyncify_stop_rewind"),
	}
	if a.stack != nil && a.startUnwind != nil && a.stopUnwind != nil && a.startRewind != nil && a.stopRewind != nil {
		in.asyncify = &a
	}
}

// mayFork says whether the program was built to.
func (in *instance) mayFork() bool { return in.module.ExportedFunction("asyncify_start_unwind") != nil }

// Fork implements wasi.Kernel.
func (t *task) Fork(ctx context.Context) (pid uint32, began bool, err error) {
	t.in.findAsyncify()
	a := t.in.asyncify
	switch {
	case a == nil, len(t.in.info.Stateful) > 0:
		return 0, false, wasi.ENOSYS
	case t.threadCount() > 0:
		return 0, false, wasi.EAGAIN
	case t.fork == forkRewinding:
		t.fork = forkNone
		if _, err := a.stopRewind.Call(ctx); err != nil {
			panic(leave(err))
		}
		if t.forked.err != errSignaled {
			return t.forked.pid, false, t.forked.err
		}
		t.Deliver(ctx) // and once more
	case t.depth > 0 || !t.entered:
		return 0, false, wasi.EAGAIN // between the stack's frames is one of the host's
	}
	if err := t.sandbox.table.room(false); err != nil {
		return 0, false, errnoOf(err)
	}
	out, err := a.stack.Call(ctx)
	if err != nil {
		panic(leave(err))
	}
	if len(out) != 1 {
		return 0, false, wasi.ENOSYS
	}
	t.forked = forkAnswer{data: out[0]}
	if _, err := a.startUnwind.Call(ctx, out[0]); err != nil {
		panic(leave(err))
	}
	t.fork = forkUnwinding
	return 0, true, nil
}

// enter calls the function that the process runs in, and again after each fork. See invoke.
func (t *task) enter(ctx context.Context) (uint32, error) {
	entry, err := t.in.entryOf(t.cell)
	if err != nil {
		return 0, err
	}
	t.entered = true
	defer func() { t.entered = false }()
	if t.fork == forkRewinding {
		if _, err := t.in.asyncify.startRewind.Call(ctx, t.forked.data); err != nil {
			return 0, err
		}
	}
	for {
		if t.ctx.Err() != nil { // a guest can come here again and again without a tick
			return 0, &wasi.Canceled{Cause: context.Cause(t.ctx)}
		}
		status, err := invoke(ctx, entry)
		if err != nil || t.fork != forkUnwinding {
			return status, err
		}
		a := t.in.asyncify
		if _, err := a.stopUnwind.Call(ctx); err != nil {
			return 0, err
		}
		pid, err := t.bearTwin()
		if t.forked.pid, t.forked.err = pid, err; err != errSignaled {
			t.forked.err = errnoOf(err)
		}
		if _, err := a.startRewind.Call(ctx, t.forked.data); err != nil {
			return 0, err
		}
		t.fork = forkRewinding
	}
}

// bearTwin makes a child that is like t.
//
// Preconditions: the guest is off its stack.
func (t *task) bearTwin() (pid uint32, err error) {
	c := t.run.newTask()
	c.program, c.loaded, c.cell = t.program, t.loaded, t.cell
	c.fork, c.forked = forkRewinding, forkAnswer{data: t.forked.data} // it is told 0
	c.host = t.host.Fork(wasi.Config{Clock: c.clock(), Signals: c, Kernel: c, Services: c.serve})
	err = c.openFrom(t.in.from)
	if err == nil {
		err = t.in.copyTo(c.in)
	}
	if err == nil {
		c.in.findAsyncify()
		err = t.sandbox.table.enter(c, t, 0)
	}
	if err != nil {
		c.abandon()
		return 0, err
	}
	go c.live() // ends with the guest, which its limits, its run and Close can end
	return uint32(c.pid), nil
}
