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

	over    atomic.Bool  // the first process has ended
	counted atomic.Int64 // ticks that the sandbox's usage has

	rests bool          // it is a session's between cells
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

// How a run's end waits for the output of processes that its first process left behind, the last stage of a process
// substitution, say: while one of them computes, for outputGrace at most; until all of them have been found waiting, for
// what may never come, in outputLooks looks in a row.
const (
	outputGrace = time.Second
	outputPause = 10 * time.Millisecond
	outputLooks = 3
)

// settle waits, after the first process's end, for the others if the run was stopped, and otherwise for what they may
// still write; what is written later is dropped.
func (r *run) settle() {
	if !r.drained() {
		r.out.close()
	}
	if r.console != nil {
		_ = r.console.Close()
		<-r.console.shown
	}
}

// drained waits until nothing will be written any more, and reports false if it has given up on that.
func (r *run) drained() bool {
	select {
	case <-r.empty:
		return true
	case <-r.out.released:
		return true
	default:
	}
	ticker := time.NewTicker(outputPause)
	defer ticker.Stop()
	for waiting, looks := 0, 0; waiting < outputLooks && looks < int(outputGrace/outputPause); looks++ {
		select {
		case <-r.empty:
			return true
		case <-r.out.released:
			return true
		case <-r.ctx.Done():
			<-r.empty
			return true
		case <-ticker.C:
		}
		if waiting++; r.busy() {
			waiting = 0
		}
	}
	return false
}

// busy says whether one of the run's processes computes.
func (r *run) busy() bool {
	k := &r.sandbox.table
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, t := range k.tasks {
		if t.run == r && t.letterLocked() == 'R' {
			return true
		}
	}
	return false
}

// count tells the sandbox what the run has used since it was told last.
func (r *run) count() {
	n := r.ticks.used.Load()
	r.sandbox.ticks.Add(n - r.counted.Swap(n))
}

// usage is what the run has used since start.
func (r *run) usage(start time.Time) Usage {
	files := r.sandbox.tree.Usage()
	return Usage{
		Wall: time.Since(start), Ticks: r.ticks.used.Load(), Memory: r.memory.peak.Load(),
		Output: min(r.out.written.Load(), r.out.max), Disk: files.Bytes, Files: files.Files,
		Net: r.sandbox.dialer.used.Load(),
	}
}
