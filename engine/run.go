package engine

import (
	"context"
	"sync/atomic"
	"time"
)

// run is what one Command started: its first process, the processes that come of it, and the budget they share.
//
// The first process's end is the run's end for its caller. Processes that it leaves behind live on, on what the
// budget has left, until they end, their sandbox is closed, or the budget is used up.
type run struct {
	sandbox *Sandbox
	ctx     context.Context // ends for all of its processes; the cause says why
	stop    context.CancelCauseFunc

	ticks          tickBudget
	memory         peakAccount
	out            outputMeter
	stdout, stderr stream
	console        *console // nil: none

	live  int           // processes that have not ended; under table.mu
	empty chan struct{} // closed when there are none
}

// tickBudget bounds the ticks of a run's processes together.
type tickBudget struct {
	max  int64
	used atomic.Int64
	stop func(error) // ends the run
}

func (b *tickBudget) left() int64 { return max(b.max-b.used.Load(), 0) }

// peakAccount knows the most bytes of linear memory that a run's processes had at one time.
type peakAccount struct{ used, peak atomic.Int64 }

func (a *peakAccount) add(n int64) {
	used := a.used.Add(n)
	for {
		peak := a.peak.Load()
		if used <= peak || a.peak.CompareAndSwap(peak, used) {
			return
		}
	}
}

func (sb *Sandbox) newRun(cmd *Command) *run {
	r := &run{sandbox: sb, empty: make(chan struct{})}
	r.ctx, r.stop = context.WithCancelCause(context.Background())
	r.ticks.max = sb.limits.Ticks
	r.ticks.stop = r.stop
	r.out.open(sb.limits.Output, r.stop, &r.stdout, &r.stderr)
	r.stdout.w, r.stderr.w = cmd.Stdout, cmd.Stderr
	if cmd.TTY != nil {
		r.openConsole(*cmd.TTY)
	}
	return r
}

// watch ends the run when ctx does or its time is up. The answer undoes it.
func (r *run) watch(ctx context.Context) (unwatch func()) {
	limit := r.sandbox.limits.Wall
	unlink := context.AfterFunc(ctx, func() { r.stop(context.Cause(ctx)) })
	wall := time.AfterFunc(limit, func() { r.stop(&LimitError{Limit: LimitWall, Max: int64(limit)}) })
	return func() {
		unlink()
		wall.Stop()
	}
}

// outputGrace is how long a run's end waits for the output of processes that its first process left behind: the
// last stage of a process substitution, say.
const outputGrace = 100 * time.Millisecond

// settle waits, after the first process's end, for the others if the run was stopped, and otherwise for what they may
// still write; what is written later is dropped.
func (r *run) settle() {
	timer := time.NewTimer(outputGrace)
	defer timer.Stop()
	select {
	case <-r.empty:
	case <-r.out.released:
	case <-r.ctx.Done():
		<-r.empty
	case <-timer.C:
		if r.console == nil {
			r.out.close()
		}
	}
	if r.console != nil {
		_ = r.console.Close()
		<-r.console.shown
	}
}

// usage is what the run has used since start.
func (r *run) usage(start time.Time) Usage {
	files := r.sandbox.tree.Usage()
	return Usage{
		Wall: time.Since(start), Ticks: r.ticks.used.Load(), Memory: r.memory.peak.Load(),
		Output: min(r.out.written.Load(), r.out.max), Disk: files.Bytes, Files: files.Files,
	}
}
