package engine

import (
	"context"
	"errors"
	"io/fs"
	"math"
	"path"
	"slices"
	"time"

	"github.com/belljar-dev/belljar/wasi"
)

// errno answers the number that a guest is told of an error of the engine's, or the error itself, which package wasi
// has a number for.
func errnoOf(err error) error {
	var e wasi.Errno
	var limit *LimitError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &e):
		return e
	case errors.As(err, &limit) && limit.Limit == LimitProcesses:
		return wasi.EAGAIN
	case errors.As(err, &limit):
		return wasi.ENOMEM
	}
	return err
}

// Wait implements wasi.Kernel.
func (t *task) Wait(ctx context.Context, pid int32, options wasi.WaitOptions) (wasi.Waited, error) {
	for {
		w, found := t.sandbox.table.reap(t, int(pid), options)
		switch {
		case !found:
			return w, wasi.ECHILD
		case w.Pid != 0 || options&wasi.WaitNohang != 0:
			return w, nil
		case t.attention.Load() && ctx.Value(threadKey{}) == nil:
			return w, wasi.ERESTART
		}
		t.doze(ctx)
	}
}

// reap answers the first child with news, and whether there is any child to wait for.
func (k *table) reap(t *task, pid int, options wasi.WaitOptions) (w wasi.Waited, found bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, c := range t.children {
		if pid > 0 && c.pid != pid || pid == 0 && c.pgid != t.pgid || pid < -1 && c.pgid != -pid {
			continue
		}
		found = true
		switch {
		case c.state == stateZombie:
			w = c.waited(c.status)
			t.childTime += int64(w.User) + c.childTime
			k.forgetLocked(c)
			return w, true
		case c.unreported == continued && options&wasi.WaitContinued != 0,
			c.unreported != continued && c.unreported != 0 && options&wasi.WaitUntraced != 0:
			w = c.waited(c.unreported)
			c.unreported = 0
			return w, true
		}
	}
	return w, found
}

func (t *task) waited(status uint32) wasi.Waited {
	return wasi.Waited{Pid: uint32(t.pid), Status: status, User: t.cpu(), MaxRSS: uint64(t.peak.Load())}
}

// cpu is the time that the task has computed, for others to know: without its current grant.
func (t *task) cpu() time.Duration { return time.Duration(t.meter.used.Load() / ticksPerNanosecond) }

// Kill implements wasi.Kernel.
func (t *task) Kill(pid int32, sig uint32) error {
	k := &t.sandbox.table
	k.mu.Lock()
	defer k.mu.Unlock()
	to, err := k.recipientsLocked(t, int(pid))
	if err != nil || sig == 0 {
		return err
	}
	for _, r := range to {
		k.sendLocked(r, Signal(sig))
	}
	return nil
}

// recipientsLocked answers who kill(2) means.
func (k *table) recipientsLocked(t *task, pid int) ([]*task, error) {
	var to []*task
	switch {
	case pid == initPid:
		return nil, wasi.EPERM
	case pid > 0:
		if r := k.tasks[pid]; r != nil {
			to = []*task{r}
		}
	case pid == -1:
		to = k.matchLocked(func(r *task) bool { return r != t })
	case pid == 0:
		to = k.groupLocked(t.pgid)
	case pid > math.MinInt32:
		to = k.groupLocked(-pid)
	}
	if len(to) == 0 {
		return nil, wasi.ESRCH
	}
	return to, nil
}

// ID implements wasi.Kernel.
func (t *task) ID(which wasi.IDKind, pid uint32) (uint32, error) {
	k := &t.sandbox.table
	k.mu.Lock()
	defer k.mu.Unlock()
	of := t
	switch {
	case pid == initPid:
		of = k.init
	case pid != 0:
		if of = k.tasks[int(pid)]; of == nil {
			return 0, wasi.ESRCH
		}
	}
	switch which {
	case wasi.IDProcess:
		return uint32(of.pid), nil
	case wasi.IDParent:
		if of.parent == nil {
			return 0, nil
		}
		return uint32(of.parent.pid), nil
	case wasi.IDGroup:
		return uint32(of.pgid), nil
	case wasi.IDSession:
		return uint32(of.sid), nil
	}
	return userID, nil
}

// Setpgid implements wasi.Kernel.
// See https://pubs.opengroup.org/onlinepubs/9699919799/functions/setpgid.html
func (t *task) Setpgid(pid, pgid uint32) error {
	k := &t.sandbox.table
	k.mu.Lock()
	defer k.mu.Unlock()
	c := t
	if pid != 0 && int(pid) != t.pid {
		i := slices.IndexFunc(t.children, func(c *task) bool { return c.pid == int(pid) && c.state != stateZombie })
		if i < 0 {
			return wasi.ESRCH
		}
		if c = t.children[i]; c.executed {
			return wasi.EACCES
		}
	}
	to := int(pgid)
	if to == 0 {
		to = c.pid
	}
	there := to == c.pid || slices.ContainsFunc(k.groupLocked(to), func(m *task) bool { return m.sid == c.sid })
	if c.sid == c.pid || c.sid != t.sid || !there {
		return wasi.EPERM
	}
	c.pgid = to
	return nil
}

// Setsid implements wasi.Kernel.
func (t *task) Setsid() (uint32, error) {
	k := &t.sandbox.table
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.groupLocked(t.pid)) > 0 {
		return 0, wasi.EPERM
	}
	t.sid, t.pgid, t.terminal = t.pid, t.pid, nil
	return uint32(t.pid), nil
}

// Chdir implements wasi.Kernel.
func (t *task) Chdir(dir string) error {
	info, err := t.sandbox.tree.Stat(dir)
	if err != nil {
		return err
	}
	if !info.IsDir() {
		return wasi.ENOTDIR
	}
	if !t.sandbox.executable(dir) {
		return fs.ErrPermission
	}
	k := &t.sandbox.table
	k.mu.Lock()
	defer k.mu.Unlock()
	t.dir = path.Clean(dir)
	return nil
}

// Times implements wasi.Kernel. All of a guest's time is the user's: it can't tell the host's from its own.
func (t *task) Times() [4]time.Duration {
	k := &t.sandbox.table
	k.mu.Lock()
	defer k.mu.Unlock()
	return [4]time.Duration{t.meter.cpu(), 0, time.Duration(t.childTime), 0}
}
