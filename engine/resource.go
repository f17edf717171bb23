package engine

import (
	"math"
	"time"

	"github.com/belljar-dev/belljar/wasi"
)

// Linux's numbers of resource limits. See https://man7.org/linux/man-pages/man2/getrlimit.2.html
const (
	limitCPU       = 0 // seconds
	limitFileSize  = 1
	limitStack     = 3
	limitCore      = 4
	limitProcesses = 6
	limitOpenFiles = 7
	limitMemory    = 9
	lastLimit      = 15
	unlimited      = math.MaxUint64

	shownStack = 8 << 20 // what a Linux process has; a guest's own stack is its program's matter
)

// resource is a limit that a process has set for itself and its children, within what its sandbox allows.
type resource struct {
	soft, hard uint64
	set        bool
}

// Limit implements wasi.Kernel.
func (t *task) Limit(which uint32) (soft, hard uint64, err error) {
	if which > lastLimit {
		return 0, 0, wasi.EINVAL
	}
	r := t.resource(which)
	return r.soft, r.hard, nil
}

// resource is only for the task itself.
func (t *task) resource(which uint32) resource {
	if r := t.resources[which]; r.set {
		return r
	}
	l := &t.sandbox.limits
	n := uint64(unlimited)
	switch which {
	case limitCPU:
		if l.Ticks != math.MaxInt64 {
			n = uint64(max(time.Duration(l.Ticks/ticksPerNanosecond)/time.Second, 1))
		}
	case limitFileSize:
		n = uint64(l.Disk)
	case limitStack:
		return resource{soft: shownStack, hard: unlimited}
	case limitCore:
		return resource{hard: unlimited}
	case limitProcesses:
		n = uint64(l.Processes)
	case limitOpenFiles:
		n = uint64(l.OpenFiles)
	case limitMemory:
		n = uint64(l.Memory)
	}
	return resource{soft: n, hard: n}
}

// SetLimit implements wasi.Kernel.
func (t *task) SetLimit(which uint32, soft, hard uint64) error {
	if which > lastLimit || soft > hard {
		return wasi.EINVAL
	}
	if hard > t.resource(which).hard {
		return wasi.EPERM
	}
	k := &t.sandbox.table
	k.mu.Lock()
	t.resources[which] = resource{soft, hard, true}
	k.mu.Unlock()
	t.applyLimits()
	return nil
}

// applyLimits makes those limits hold that others than the table look after.
//
// Preconditions: the task's goroutine calls it, or none runs yet.
func (t *task) applyLimits() {
	if r := t.resources[limitOpenFiles]; r.set {
		t.host.SetMaxFiles(int(min(r.soft, math.MaxInt32)))
	}
	if r := t.resources[limitFileSize]; r.set {
		t.host.SetMaxFileSize(int64(min(r.soft, math.MaxInt64)))
	}
	t.meter.maxCPU = t.maxCPU()
}

// maxCPU is the task's limit of CPU time in ticks; 0 is none.
func (t *task) maxCPU() int64 {
	r := t.resources[limitCPU]
	if !r.set || r.soft > math.MaxInt64/uint64(time.Second)/ticksPerNanosecond {
		return 0
	}
	return max(int64(r.soft)*int64(time.Second)*ticksPerNanosecond, 1)
}

// mayHaveMemory says whether the task's own limit lets it have n bytes more.
func (t *task) mayHaveMemory(n uint64) bool {
	r := t.resources[limitMemory]
	return !r.set || uint64(t.memory.Load())+n <= r.soft
}

// mayBearLocked says whether the task's own limit lets there be one process more.
func (k *table) mayBearLocked(t *task) bool {
	r := t.resources[limitProcesses]
	return !r.set || uint64(len(k.tasks)) < r.soft
}
