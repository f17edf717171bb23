package engine

import (
	"slices"
	"sync"

	"github.com/belljar-dev/belljar/wasi"
)

const (
	initPid = 1
	maxPid  = 1 << 15 // as Linux's default
)

// table is a sandbox's processes, those that have ended and not been waited for included.
//
// Its mutex also guards the terminals' sessions and foreground groups, which change under it; a terminal's own mutex is
// taken under it, never around it.
//
// Process 1 is the sandbox itself: it adopts the orphans and forgets them when they end, and no signal reaches it.
type table struct {
	mu     sync.Mutex
	max    int // processes
	tasks  map[int]*task
	hosted int // tasks that are alive and were started by the host
	last   int // pid that was given last
	init   *task
	closed bool
	ended  sync.WaitGroup // counts tasks that are alive
}

// taskState is where a task is in its life.
type taskState uint8

const (
	stateRunning taskState = iota
	stateStopped
	stateZombie
)

// taskRelations is what a task is to others.
type taskRelations struct {
	parent     *task
	children   []*task // in the order of their making
	pgid, sid  int
	state      taskState
	status     uint32         // of a zombie
	unreported uint32         // wait status of a stop or continuation that no wait has told of; 0: none
	dir        string         // working directory
	shown      *target        // the program
	hosted     bool           // the host has started it
	executed   bool           // it has begun a program of its own
	terminal   *wasi.Terminal // that controls its session; nil: none
	childTime  int64          // nanoseconds of CPU that children used that were waited for
	resources  [lastLimit + 1]resource
}

func (k *table) open(max int) {
	k.max, k.last, k.tasks = max, initPid, map[int]*task{}
	k.init = &task{pid: initPid}
	k.init.pgid, k.init.sid = initPid, initPid
}

// enter gives t a pid, and puts it below parent; nil is process 1. It fails where the sandbox is closed or full.
func (k *table) enter(t, parent *task, flags wasi.SpawnFlags) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	t.hosted = parent == nil
	if !t.hosted && parent.ctx.Err() != nil {
		return parent.ctx.Err() // or a bomb would outlive a signal to all of it
	}
	if t.fork != forkNone && (parent.pending&^parent.mask != 0 || parent.stopping != 0) {
		return errSignaled
	}
	if err := k.roomLocked(t.hosted); err != nil {
		return err
	}
	if !t.hosted && !k.mayBearLocked(parent) {
		return &LimitError{Limit: LimitProcesses, Max: int64(len(k.tasks))}
	}
	if t.hosted {
		k.hosted++
	}
	if parent == nil || parent.state == stateZombie {
		parent = k.init
	}
	t.pid = k.freePidLocked()
	k.tasks[t.pid] = t
	t.parent = parent
	parent.children = append(parent.children, t)
	if parent == k.init {
		flags |= wasi.SpawnSession
	}
	t.inheritLocked(parent, flags)
	t.run.live++
	if !t.resident {
		k.ended.Add(1)
	}
	return nil
}

// inheritLocked gives a new task what is its parent's, as after fork, or after the execution of a program unless t is
// being forked.
func (t *task) inheritLocked(parent *task, flags wasi.SpawnFlags) {
	t.pgid, t.sid, t.terminal = parent.pgid, parent.sid, parent.terminal
	t.action, t.mask = parent.action, parent.mask
	t.resources = parent.resources
	t.meter.maxCPU = t.maxCPU()
	t.shown, t.dir = t.program, t.program.dir
	if t.fork == forkNone {
		t.executed = true
		t.resetHandlersLocked()
	} else {
		t.dir = parent.dir
	}
	if flags&wasi.SpawnSignals != 0 {
		t.action, t.mask = [len(t.action)]signalAction{}, 0
	}
	if flags&(wasi.SpawnGroup|wasi.SpawnSession) != 0 {
		t.pgid = t.pid
	}
	if flags&wasi.SpawnSession != 0 {
		t.sid, t.terminal = t.pid, nil
	}
}

// room says whether enter would fail, for a task of the host's or for a child.
func (k *table) room(hosted bool) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.roomLocked(hosted)
}

// roomLocked counts all processes against what processes make, and against what the host starts only those that it has
// started: so it can look after a sandbox that is full.
func (k *table) roomLocked(hosted bool) error {
	n := len(k.tasks)
	if hosted {
		n = k.hosted
	}
	if k.closed {
		return ErrClosed
	}
	if n >= k.max {
		return &LimitError{Limit: LimitProcesses, Max: int64(k.max)}
	}
	return nil
}

// freePidLocked answers the next number that names no process, group or session.
func (k *table) freePidLocked() int {
	for {
		k.last++
		if k.last >= maxPid {
			k.last = initPid + 1
		}
		if !k.namedLocked(k.last) {
			return k.last
		}
	}
}

func (k *table) namedLocked(pid int) bool {
	if k.tasks[pid] != nil {
		return true
	}
	for _, t := range k.tasks {
		if t.pgid == pid || t.sid == pid {
			return true
		}
	}
	return false
}

// exit makes t a zombie, or nothing where no one will wait for it.
func (k *table) exit(t *task, status uint32) {
	k.mu.Lock()
	defer k.mu.Unlock()
	t.state, t.status, t.unreported = stateZombie, status, 0
	t.timer.stopLocked()
	orphans := t.children
	t.children = nil
	for _, c := range orphans {
		c.parent = k.init
		k.init.children = append(k.init.children, c)
		if c.state == stateZombie {
			k.forgetLocked(c)
		}
	}
	k.continueOrphansLocked(t, orphans)
	k.leaveTerminalLocked(t)
	p := t.parent
	if p == k.init || p.action[SIGCHLD].how == wasi.SignalIgnore {
		k.forgetLocked(t)
	}
	if p != k.init {
		k.sendLocked(p, SIGCHLD)
		p.wake()
	}
	if t.hosted {
		k.hosted--
	}
	if t.run.over.Load() {
		t.run.count()
	}
	if t.run.live--; t.run.live == 0 {
		close(t.run.empty)
	}
	if !t.resident {
		k.ended.Done()
	}
}

// forgetLocked takes a zombie out of the table.
func (k *table) forgetLocked(t *task) {
	delete(k.tasks, t.pid)
	p := t.parent
	if i := slices.Index(p.children, t); i >= 0 {
		p.children = slices.Delete(p.children, i, i+1)
	}
}

// continueOrphansLocked wakes the stopped members of groups that t's end leaves without anyone to continue them.
// See https://pubs.opengroup.org/onlinepubs/9699919799/functions/_exit.html
func (k *table) continueOrphansLocked(t *task, orphans []*task) {
	for _, c := range orphans {
		if c.state != stateStopped || c.sid != t.sid || !k.orphanedLocked(c.pgid) {
			continue
		}
		for _, m := range k.groupLocked(c.pgid) {
			k.sendLocked(m, SIGHUP)
			k.sendLocked(m, SIGCONT)
		}
	}
}

// orphanedLocked says that no member of the group has a parent in another group of its session.
func (k *table) orphanedLocked(pgid int) bool {
	for _, t := range k.groupLocked(pgid) {
		if t.state != stateZombie && t.parent.pgid != pgid && t.parent.sid == t.sid {
			return false
		}
	}
	return true
}

// groupLocked answers a group's members, by pid.
func (k *table) groupLocked(pgid int) []*task {
	return k.matchLocked(func(t *task) bool { return t.pgid == pgid })
}

func (k *table) matchLocked(match func(*task) bool) []*task {
	var out []*task
	for _, t := range k.tasks {
		if match(t) {
			out = append(out, t)
		}
	}
	slices.SortFunc(out, func(a, b *task) int { return a.pid - b.pid })
	return out
}

// replaced tells the table of t's new program.
func (k *table) replaced(t *task) {
	k.mu.Lock()
	defer k.mu.Unlock()
	t.shown, t.executed = t.program, true
	t.resetHandlersLocked()
}

// close lets no task in any more and stops those there are.
func (k *table) close() {
	k.mu.Lock()
	k.closed = true
	for _, t := range k.tasks {
		t.run.stop(ErrClosed)
	}
	k.mu.Unlock()
	k.ended.Wait()
}
