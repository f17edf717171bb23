package engine

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"runtime/debug"
	"slices"
	"sync/atomic"
	"time"

	"github.com/belljar-dev/belljar/wasi"
)

// residence is where a session's interpreter lives between cells: nowhere yet, in a task, or frozen. It belongs to
// whoever has the session's turn.
type residence struct {
	target *target        // the program; nil before the first cell
	task   *task          // nil: not alive
	idle   *run           // the task's between cells; nil before the first one's end
	frozen *frozenProcess // nil: not frozen
	rests  bool           // the task is between cells: it ended the last one by itself
	cells  uint32         // that were begun
	copied bool           // the next cell is the first since the memory was copied

	input   *cellInput
	running *cellRun            // nil between cells
	run     atomic.Pointer[run] // that output goes to, of processes left behind, too; nil drops it
	began   time.Time           // when the cell did
	cpu     time.Duration       // what the cells before have used
}

// frozenProcess is a process that goes on when a cell comes.
type frozenProcess struct {
	memory      *memoryState
	descriptors []wasi.Descriptor // their Files are open in the sandbox's tree, and this process's own
	action      [wasi.LastSignal + 1]signalAction
	mask        signalSet
	umask       fs.FileMode
	resources   [lastLimit + 1]resource
}

func (f *frozenProcess) close() error {
	f.memory.close()
	var errs []error
	for _, d := range f.descriptors {
		if d.File != nil {
			errs = append(errs, d.File.Close()) // once more for those that share it, which does nothing
		}
	}
	return errors.Join(errs...)
}

// interruptGrace is how long an interrupted cell may go on after its context's end.
const interruptGrace = 500 * time.Millisecond

// run runs a cell in its turn.
func (s *Session) run(ctx context.Context, c *cellRun) (Result, error) {
	res, err := s.runInTurn(ctx, c)
	if err != nil {
		return res, fmt.Errorf("session %q: %w", s.name, err)
	}
	return res, nil
}

func (s *Session) runInTurn(ctx context.Context, c *cellRun) (Result, error) {
	if err := context.Cause(ctx); err != nil {
		return Result{}, err
	}
	if err := s.take(); err != nil {
		return Result{}, err
	}
	defer s.give()
	r := s.sandbox.newRun(&Command{Stdout: c.cell.Stdout, Stderr: c.cell.Stderr})
	if err := s.enter(ctx, r, c); err != nil {
		r.stop(nil)
		return Result{}, err
	}
	if c.what == cellRunCode {
		s.life.cells++
	}
	c.number = s.life.cells
	if s.life.copied && s.sandbox.clock == nil { // under Replay copies have to stay equal
		c.flags = cellCopied
	}
	s.life.copied = false
	return s.live(ctx, r, c)
}

// enter brings the interpreter into the run, starting or thawing it unless it is alive.
func (s *Session) enter(ctx context.Context, r *run, c *cellRun) error {
	l := &s.life
	l.running, l.rests = c, false
	l.run.Store(r)
	l.input.set(newCellSource(c.cell.Stdin))
	c.output, c.stop = &r.out, r.stop
	if l.task != nil {
		return s.resume(r)
	}
	err := s.start(ctx, r)
	if err != nil {
		l.rest()
	}
	return err
}

// rest takes the cell off the interpreter.
func (l *residence) rest() {
	l.running = nil
	l.run.Store(nil)
	l.input.set(nil)
}

// resume takes the living interpreter from its last run to r.
func (s *Session) resume(r *run) error {
	t, k := s.life.task, &s.sandbox.table
	k.mu.Lock()
	killed := context.Cause(t.ctx) // by a signal, between cells
	if ts := t.threads.Load(); killed == nil && ts != nil && !ts.unlink() {
		killed = context.Cause(t.ctx)
	}
	if killed == nil {
		t.stop(nil)
		t.joinLocked(r)
		t.ctx, t.stop = context.WithCancelCause(r.ctx)
		if ts := t.threads.Load(); ts != nil {
			ts.link(t.ctx)
		}
	}
	k.mu.Unlock()
	if killed != nil {
		return errors.Join(fmt.Errorf("%w: %w", ErrSessionDead, killed), s.end(killed))
	}
	return nil
}

// joinLocked takes a task from its run to another.
func (t *task) joinLocked(r *run) {
	last := t.run
	if last.live--; last.live == 0 {
		close(last.empty)
	}
	r.live++
	r.memory.add(t.memory.Load())
	t.run, t.meter.run = r, &r.ticks
}

// leave takes the interpreter, which goes on living, out of the cell's run. Processes that the cell has left behind stay
// in it.
func (l *residence) leave() {
	t := l.task
	if l.idle == nil {
		l.idle = t.sandbox.newRun(&Command{})
		l.idle.rests = true
		l.idle.live++ // so that it is never empty
	}
	k := &t.sandbox.table
	k.mu.Lock()
	defer k.mu.Unlock()
	ts := t.threads.Load()
	if t.ctx.Err() == nil && (ts == nil || ts.unlink()) {
		t.stop(nil)
		t.ctx, t.stop = context.WithCancelCause(context.Background())
		if ts != nil {
			ts.link(t.ctx)
		}
	}
	t.joinLocked(l.idle)
}

// start makes the interpreter's process.
func (s *Session) start(ctx context.Context, r *run) (err error) {
	sb, l := s.sandbox, &s.life
	if err := sb.table.room(true); err != nil {
		return err
	}
	if l.target == nil {
		program, err := sb.resolve(ctx, s.command)
		if err != nil {
			return err
		}
		l.target = program
	}
	t := r.newTask()
	t.resident = true
	t.program, t.loaded, t.cell = l.target, l.target.loaded, s.entry
	if err = s.moveIn(t); err == nil {
		if t.host, err = s.newHost(t); err == nil {
			err = sb.table.enter(t, nil, 0)
		}
	}
	if err != nil { // the Files of a frozen process stay its own, for another attempt
		t.release(false)
		t.stop(nil)
		return err
	}
	if l.frozen != nil {
		l.frozen.memory.close()
		t.take(l.frozen)
		l.frozen = nil
	}
	l.task = t
	return nil
}

// newHost makes the task's world.
func (s *Session) newHost(t *task) (*wasi.Host, error) {
	sb, l := s.sandbox, &s.life
	cfg := wasi.Config{
		Args: l.target.args, Env: l.target.env, Dir: l.target.dir, Tree: sb.tree,
		Stdin: l.input, Stdout: cellOutput{l, false}, Stderr: cellOutput{l, true},
		Clock: cellClock{t.clock(), l}, Random: sb.random, MaxFiles: sb.limits.OpenFiles,
		Network: &sb.network, Signals: t, Kernel: t,
		Services: func(ctx context.Context, name string, request []byte) ([]byte, error) {
			answer, err := l.running.service(ctx, name, request)
			if errors.Is(err, fs.ErrNotExist) {
				return t.serve(ctx, name, request)
			}
			return answer, err
		},
	}
	if l.frozen != nil {
		cfg.Descriptors = l.frozen.descriptors
	}
	return wasi.NewHost(cfg)
}

// take gives a thawed task the signals' actions, the limits and the umask that it had.
func (t *task) take(f *frozenProcess) {
	k := &t.sandbox.table
	k.mu.Lock()
	t.action, t.mask = f.action, f.mask
	if t.in.handler(0) == nil {
		t.resetHandlersLocked()
	}
	for which, r := range f.resources {
		if most := t.resource(uint32(which)).hard; r.set { // another sandbox may allow less
			t.resources[which] = resource{min(r.soft, most), min(r.hard, most), true}
		}
	}
	k.mu.Unlock()
	t.applyLimits()
	t.host.SetUmask(f.umask)
}

// moveIn gives the task an instance, in the frozen state if there is one.
func (s *Session) moveIn(t *task) error {
	l := &s.life
	var err error
	if l.frozen == nil {
		err = t.open()
	} else {
		if err = t.openFrom(t.loaded.pool(l.frozen.memory.image)); err == nil {
			t.cold = false
			err = l.frozen.memory.thaw(t.in)
		}
		if errors.Is(err, errNoMemory) {
			err = fmt.Errorf("%w: the session alone needs %s",
				&LimitError{Limit: LimitMemory, Max: s.sandbox.limits.Memory}, formatBytes(int64(l.frozen.memory.size)))
		}
	}
	if err != nil {
		return err
	}
	if t.in.memory == nil {
		return errors.New("the program has no memory")
	}
	if !t.in.mayFork() {
		t.in.memory.shareGrowth()
	}
	_, err = t.in.entryOf(t.cell)
	return err
}

// live runs the cell in the interpreter that is there.
func (s *Session) live(ctx context.Context, r *run, c *cellRun) (Result, error) {
	sb, l := s.sandbox, &s.life
	l.began = time.Now()
	unwatch := s.watch(ctx, r, c)
	end, over := s.execute()
	unwatch()
	if sb.clock == nil {
		l.cpu += time.Since(l.began)
	}
	if end.err == nil && !over {
		l.leave()
		l.rests = true
		r.settle()
	}
	l.rest()
	r.out.close()
	res := Result{
		ExitCode: exitCode(end.status), Stdout: r.stdout.text(), Stderr: r.stderr.text(),
		Truncated: r.out.written.Load() > r.out.max, Usage: r.usage(l.began),
	}
	c.fill(&res)
	sb.ticks.Add(res.Usage.Ticks)
	sb.output.Add(res.Usage.Output)
	sb.wall.Add(int64(res.Usage.Wall))
	if end.err != nil {
		r.stop(end.err)
		_ = s.end(end.err) // what there is to say, the cell's error says
		return res, end.err
	}
	if over {
		return res, s.end(errExited)
	}
	return res, context.Cause(ctx)
}

// watch interrupts the cell at ctx's end, and kills it when that has no effect, or when its time is up. The answer
// undoes it.
func (s *Session) watch(ctx context.Context, r *run, c *cellRun) (unwatch func()) {
	limit, t := s.sandbox.limits.Wall, s.life.task
	c.interrupt = func() { s.sandbox.table.signalGroup(t, SIGINT) }
	c.begin = func() { s.taken(c) }
	s.mu.Lock()
	s.running = c
	s.mu.Unlock()
	wall := time.AfterFunc(limit, func() { r.stop(&LimitError{Limit: LimitWall, Max: int64(limit)}) })
	kill := time.AfterFunc(time.Hour, func() { r.stop(context.Cause(ctx)) })
	kill.Stop()
	unlink := context.AfterFunc(ctx, func() {
		s.Interrupt()
		kill.Reset(interruptGrace)
	})
	return func() {
		s.mu.Lock()
		s.running = nil
		s.mu.Unlock()
		unlink()
		wall.Stop()
	}
}

// execute calls the guest. over says that the interpreter has ended.
func (s *Session) execute() (end ending, over bool) {
	t := s.life.task
	defer func() {
		if v := recover(); v != nil {
			end, over = ending{uint32(SIGKILL), fmt.Errorf("%w: %v\n%s", ErrInternal, v, debug.Stack())}, true
		}
	}()
	if t.ctx.Err() != nil {
		return t.ending(0, &wasi.Canceled{Cause: context.Cause(t.ctx)}), true
	}
	ctx := wasi.Bind(&meterContext{t.ctx, &t.meter}, t.host)
	t.meter.begin(t.in.fuel)
	var status uint32
	var err error
	if t.cold {
		err = t.in.initialize(ctx)
		t.cold = false
	}
	if err == nil {
		status, err = t.enter(ctx)
	}
	if err != nil { // an exit, too
		return t.succeed(exitStatus(status, err)), true
	}
	t.meter.settle()
	return t.ending(status, nil), false
}

// freeze answers the process as it is now; it lives on. nil is one that hasn't begun. The Files are those that are open
// in the process.
func (l *residence) freeze() (*frozenProcess, error) {
	switch {
	case l.frozen != nil:
		f := *l.frozen
		f.memory, f.descriptors = f.memory.share(), slices.Clone(f.descriptors)
		return &f, nil
	case l.task == nil:
		return nil, nil
	}
	if n := l.task.threadCount(); n > 0 {
		return nil, fmt.Errorf("%w: %d threads of its interpreter go on", ErrBusy, n)
	}
	l.task.endThreads()
	memory, err := l.task.in.freeze()
	if err != nil {
		return nil, err
	}
	f := &frozenProcess{memory: memory, descriptors: l.task.host.Descriptors(), umask: l.task.host.Umask()}
	k := &l.task.sandbox.table
	k.mu.Lock()
	f.action, f.mask, f.resources = l.task.action, l.task.mask, l.task.resources
	k.mu.Unlock()
	return f, nil
}

// close frees everything.
func (l *residence) close() error {
	var errs []error
	if l.frozen != nil {
		errs = append(errs, l.frozen.close())
	}
	if t := l.task; t != nil {
		t.release(l.rests && t.ctx.Err() == nil && t.threads.Load() == nil)
		errs = append(errs, t.host.Close())
		t.stop(nil)
		t.sandbox.table.exit(t, uint32(SIGKILL))
	}
	if l.idle != nil {
		l.idle.stop(nil)
	}
	l.task, l.idle, l.frozen = nil, nil, nil
	l.input.close()
	return errors.Join(errs...)
}

// pool answers that of an image, or nil.
func (l *loadedProgram) pool(im *memoryImage) *pool {
	if l.warm != nil && l.warm.image == im {
		return l.warm
	}
	return l.cold
}
