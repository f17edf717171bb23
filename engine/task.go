package engine

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"strings"
	"sync/atomic"
	"time"

	"github.com/belljar-dev/belljar/wasi"
)

// task is one process of a sandbox's table: a program, its instance, and what it is to the others. It implements
// wasi.Kernel and wasi.Signals for its guest.
//
// A task lives on one goroutine, which ends with the guest. What has no other comment belongs to that goroutine.
type task struct {
	sandbox *Sandbox
	run     *run
	pid     int             // set once, before others see the task
	ctx     context.Context // ends with the task's life, at the latest with the run's; its cause says why
	stop    context.CancelCauseFunc
	host    *wasi.Host // set once, before others see the task
	started time.Time

	program *target
	loaded  *loadedProgram
	in      *instance
	cell    string // the export that it runs in, of a session's interpreter and its children; "": the program's entry
	cold    bool   // the instance has yet to be initialised
	meter   meter
	memory  atomic.Int64 // bytes of linear memory
	peak    atomic.Int64 // the most of them
	next    *target      // what Exec replaces the program by
	fork    forkState
	forked  forkAnswer
	threads atomic.Pointer[threads] // nil: there is only the one on the task's goroutine
	entered bool                    // the guest runs from its entry
	depth   int                     // of signal handlers that run

	// resident says that the task keeps its instance where no goroutine is in it: no one waits for its end.
	resident bool

	waiting   atomic.Bool   // in the engine
	attention atomic.Bool   // Deliver has something to do
	notify    chan struct{} // has an element when the task, if it waits in the engine, is to look again

	taskRelations // under table.mu
	taskSignals   // under table.mu
}

// newTask makes a task of a run. It is no one's yet.
func (r *run) newTask() *task {
	t := &task{sandbox: r.sandbox, run: r, started: r.sandbox.now(), notify: make(chan struct{}, 1)}
	t.ctx, t.stop = context.WithCancelCause(r.ctx)
	t.meter = meter{run: &r.ticks, clock: r.sandbox.clock, task: t}
	return t
}

// now is the sandbox's time of day.
func (sb *Sandbox) now() time.Time {
	if sb.clock != nil {
		return sb.clock.now()
	}
	return time.Now()
}

// clock is the task's own.
func (t *task) clock() wasi.Clock {
	if c := t.sandbox.clock; c != nil {
		return replayProcessClock{c, &t.meter}
	}
	return hostClock{t.sandbox.engine.boot, &t.meter}
}

// wake makes the task look again at what it waits for.
func (t *task) wake() {
	select {
	case t.notify <- struct{}{}:
	default:
	}
	if ts := t.threads.Load(); ts != nil {
		ts.wakeAll()
	}
}

// ending is how a task ended.
type ending struct {
	status uint32 // as wait(2) encodes it
	err    error  // why, if it was not the guest's own doing
}

// errReplaced takes a guest off its program after a successful Exec.
var errReplaced = errors.New("program was replaced")

// signaled is the cause of a process's end by a signal.
type signaled struct{ sig Signal }

func (s *signaled) Error() string { return "killed by signal " + s.sig.String() }

// live runs the task's programs, one after the other, and leaves the table.
func (t *task) live() ending {
	end := t.execute()
	t.stop(nil)
	t.sandbox.table.exit(t, end.status)
	return end
}

func (t *task) execute() (end ending) {
	defer func() {
		if v := recover(); v != nil {
			end = ending{uint32(SIGKILL), fmt.Errorf("%w: %v\n%s", ErrInternal, v, debug.Stack())}
		}
	}()
	end = t.succeed(t.runProgram())
	if err := t.host.Close(); err != nil && end.err == nil {
		end = ending{uint32(SIGKILL), fmt.Errorf("%w: close descriptors: %w", ErrInternal, err)}
	}
	return end
}

// succeed is told how a program ended. It runs what Exec has put in its place, and so on to the last one's end.
func (t *task) succeed(code uint32, err error) ending {
	for {
		t.endThreads() // the meter can be settled when none of them runs
		t.meter.settle()
		t.release(healthy(err))
		if t.next == nil {
			return t.ending(code, err)
		}
		err = t.replace()
		if t.ctx.Err() != nil { // it was ended between two programs
			return t.ending(0, &wasi.Canceled{Cause: context.Cause(t.ctx)})
		}
		if err != nil {
			return ending{uint32(SIGKILL), err}
		}
		code, err = t.runProgram()
	}
}

// healthy says that the instance can serve others: the guest ended by itself, or by a signal.
func healthy(err error) bool {
	var canceled *wasi.Canceled
	var sig *signaled
	var exit *exited
	return err == nil || errors.As(err, &canceled) &&
		(canceled.Cause == errReplaced || errors.As(canceled.Cause, &sig) || errors.As(canceled.Cause, &exit))
}

// runProgram runs the guest from its first instruction to its last.
func (t *task) runProgram() (uint32, error) {
	if t.ctx.Err() != nil {
		return 0, &wasi.Canceled{Cause: context.Cause(t.ctx)}
	}
	if f := t.program.program.def.Func; f != nil {
		return t.runFunc(f)
	}
	ctx := wasi.Bind(&meterContext{t.ctx, &t.meter}, t.host)
	t.meter.begin(t.in.fuel)
	if t.fork == forkNone && t.cold {
		if err := t.in.initialize(ctx); err != nil {
			return exitStatus(0, err)
		}
	}
	return exitStatus(t.enter(ctx))
}

// ending says what became of the guest, by what its call answered.
func (t *task) ending(code uint32, err error) ending {
	if err == nil {
		return ending{status: code & 0xff << 8}
	}
	err = cause(err)
	var sig *signaled
	var exit *exited
	var trap *TrapError
	switch {
	case errors.As(err, &sig):
		return ending{status: uint32(sig.sig)}
	case errors.As(err, &exit):
		return ending{status: exit.code & 0xff << 8}
	case errors.As(err, &trap):
		return ending{uint32(trap.signal()), err}
	}
	return ending{uint32(SIGKILL), err}
}

// cause says why a guest that did not end by itself ended.
func cause(err error) error {
	var canceled *wasi.Canceled
	var fault *wasi.Panic
	switch {
	case errors.As(err, &canceled):
		return canceled.Cause
	case errors.As(err, &fault):
		return fmt.Errorf("%w: %v\n%s", ErrInternal, fault.Value, fault.Stack)
	case strings.HasPrefix(err.Error(), "wasm error: "), isStackOverflow(err):
		return trapError(err)
	}
	return fmt.Errorf("%w: %w", ErrInternal, err)
}

func isStackOverflow(err error) bool { return err.Error() == "stack overflow" }

// open takes an instance for the task's program from a pool, or makes one. A Func needs none.
func (t *task) open() error {
	if t.program.program.def.Func != nil {
		return nil
	}
	from := t.loaded.cold
	w := t.program.program.def.Warm
	if w != nil && t.loaded.warm != nil && (w.Accepts == nil || w.Accepts(t.program.args, t.program.env)) {
		from = t.loaded.warm
	}
	t.cold = from == t.loaded.cold
	return t.openFrom(from)
}

func (t *task) openFrom(from *pool) (err error) {
	need := int64(from.image.size)
	if !t.grow(uint64(need)) {
		return fmt.Errorf("%w: the program alone needs %s",
			&LimitError{Limit: LimitMemory, Max: t.sandbox.limits.Memory}, formatBytes(need))
	}
	if t.in = from.take(); t.in == nil {
		def := t.program.program.def
		t.in, err = newInstance(t.ctx, t.program.program.runtime(), t.loaded, from, entryName(def))
		if err != nil {
			t.shrink()
			return err
		}
	}
	if t.in.memory != nil {
		t.in.memory.mayGrow = t.grow
	}
	return nil
}

func entryName(def *Program) string {
	if def.Entry == "" {
		return "_start"
	}
	return def.Entry
}

// release gives the task's instance and memory back.
func (t *task) release(healthy bool) {
	t.endThreads()
	if t.in != nil {
		t.in.release(healthy)
		t.in = nil
	}
	t.shrink()
}

// grow asks the sandbox for memory.
func (t *task) grow(n uint64) bool {
	if !t.mayHaveMemory(n) || !t.sandbox.memory.grow(int64(n)) {
		return false
	}
	t.run.memory.add(int64(n))
	t.peak.Store(max(t.peak.Load(), t.memory.Add(int64(n))))
	return true
}

// shrink gives all of the task's memory back.
func (t *task) shrink() {
	n := t.memory.Swap(0)
	t.sandbox.memory.shrink(n)
	t.run.memory.used.Add(-n)
}

// replace takes the task to the program that Exec has found.
//
// Preconditions: the guest has left its instance.
func (t *task) replace() error {
	p := t.next
	t.next = nil
	if err := t.host.Exec(p.args, p.env, p.dir); err != nil {
		return err
	}
	t.program, t.loaded, t.cell, t.depth = p, p.loaded, "", 0
	t.sandbox.table.replaced(t)
	return t.open()
}
