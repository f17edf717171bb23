package wasi

import (
	"bytes"
	"context"
	"encoding/binary"
	"path"
	"time"
)

// Errno is an error number of preview 1, as a guest sees it and as a [Kernel] answers it.
type Errno = errno

// The numbers a Kernel answers.
const (
	E2BIG  = err2big
	EACCES = errAcces
	EAGAIN = errAgain
	ECHILD = errChild
	EINTR  = errIntr
	// ERESTART is EINTR for a call that goes on if the signal's handler allows that.
	ERESTART = errRestart
	EINVAL   = errInval
	EIO      = errIo
	EISDIR   = errIsdir
	ELOOP    = errLoop
	EMFILE   = errMfile
	ENOENT   = errNoent
	ENOEXEC  = errNoexec
	ENOMEM   = errNomem
	ENOSYS   = errNosys
	ENOTDIR  = errNotdir
	ENOTTY   = errNotty
	ENXIO    = errNxio
	EPERM    = errPerm
	ESRCH    = errSrch

	ETIMEDOUT = errTimedout
	EFAULT    = errFault
)

// Kernel is what one process sees of the others: processes, signals, and what belongs to a process beyond its
// descriptors. Module "belljar" calls it; ABI.md says what each call does. Errors are told to the guest as package
// wasi tells any error; an Errno is told as it is.
//
// Its methods are called by the process's own goroutine.
type Kernel interface {
	// Fork begins a fork, or ends one: it is called a second time in the parent, and a first in the child, when the
	// guest has been rewound into the call. began says that the guest is to return from here to be copied.
	Fork(ctx context.Context) (pid uint32, began bool, err error)
	// Exec replaces the process's program. It returns only when it fails.
	Exec(ctx context.Context, p Start) error
	// Spawn makes a child that runs another program.
	Spawn(ctx context.Context, p Start) (pid uint32, err error)
	// Wait waits for a child as waitpid(2) does.
	Wait(ctx context.Context, pid int32, options WaitOptions) (Waited, error)
	// Kill sends a signal as kill(2) does.
	Kill(pid int32, sig uint32) error
	// ID answers one of the process's numbers, or another process's; pid 0 is the process itself.
	ID(which IDKind, pid uint32) (uint32, error)
	// Setpgid moves the process or a child of it to a process group.
	Setpgid(pid, pgid uint32) error
	// Setsid makes the process the leader of a new session, whose number it answers.
	Setsid() (uint32, error)
	// Chdir sets the working directory, an absolute path, that others see and children begin with.
	Chdir(dir string) error
	// Limit answers a resource limit by Linux's number.
	Limit(which uint32) (soft, hard uint64, err error)
	// SetLimit sets one, as setrlimit(2) does.
	SetLimit(which uint32, soft, hard uint64) error
	// Times answers the CPU time used: by the process, for it, by its children that were waited for, and for those.
	Times() [4]time.Duration

	Terminals
	Threads

	// SignalAction sets, or with SignalAsk only asks, what a signal does, and answers what it did.
	SignalAction(sig uint32, how SignalHow, flags SignalFlags) (SignalHow, SignalFlags, error)
	// SignalMask changes the set of blocked signals, in which bit n-1 is signal n, and answers the old one.
	SignalMask(how MaskHow, set uint64) uint64
	// SignalPending answers the blocked signals that wait.
	SignalPending() uint64
	// SignalSuspend waits for a signal with another mask. It always answers EINTR.
	SignalSuspend(ctx context.Context, mask uint64) error
	// SignalTimer sets the timer of SIGALRM, unless value is negative, and answers what was left of the old one.
	SignalTimer(value, interval time.Duration) (oldValue, oldInterval time.Duration)
}

// Start says what program to start, and how.
type Start struct {
	Path    string       // where the program is; Spawn looks in PATH for one without a slash
	Args    []string     // with the program's name first
	Env     []string     // "KEY=value"
	Dir     string       // the working directory; "" is the process's
	Actions []FileAction // Spawn: on the child's descriptors
	Flags   SpawnFlags
}

// SpawnFlags say what a child does not inherit.
type SpawnFlags uint32

const (
	SpawnGroup    SpawnFlags = 1 << iota // it leads a process group of its own
	SpawnSession                         // it leads a session of its own
	SpawnSignals                         // no signal is masked or ignored
	SpawnStandard                        // descriptors above 2 are closed

	allSpawnFlags = SpawnGroup | SpawnSession | SpawnSignals | SpawnStandard
)

// WaitOptions are those of waitpid(2), with Linux's values.
type WaitOptions uint32

const (
	WaitNohang    WaitOptions = 1 // answer Pid 0 rather than wait
	WaitUntraced  WaitOptions = 2 // answer stopped children, too
	WaitContinued WaitOptions = 8 // and those that were continued

	allWaitOptions = WaitNohang | WaitUntraced | WaitContinued
)

// Waited is what became of a child.
type Waited struct {
	Pid    uint32        // 0: nothing yet
	Status uint32        // as wait(2) encodes it: exit status << 8 | signal; 0x7f, and the signal << 8: stopped
	User   time.Duration // CPU time
	MaxRSS uint64        // the most bytes of memory
}

// IDKind names a number that a process has.
type IDKind uint32

// The numbers a process has.
const (
	IDProcess IDKind = iota
	IDParent
	IDGroup
	IDSession
	IDUser
	IDUserGroup

	lastID = IDUserGroup
)

// block reads a list of strings, each ended by a NUL.
func (m memory) block(ptr, n uint32) ([]string, errno) {
	b, e := m.bytes(ptr, n)
	switch {
	case e != errSuccess:
		return nil, e
	case len(b) > maxArguments:
		return nil, err2big
	case len(b) == 0:
		return nil, errSuccess
	case b[len(b)-1] != 0:
		return nil, errInval
	}
	list := make([]string, 0, bytes.Count(b, []byte{0}))
	for len(b) > 0 {
		end := bytes.IndexByte(b, 0)
		list = append(list, string(b[:end]))
		b = b[end+1:]
	}
	return list, errSuccess
}

// start reads what proc_exec and proc_spawn have in common:
//
//	path, path_len, argv, argv_len, env, env_len, cwd, cwd_len
func (m memory) start(p []uint64) (s Start, e errno) {
	if s.Path, e = m.path(uint32(p[0]), uint32(p[1])); e != errSuccess {
		return s, e
	}
	if s.Args, e = m.block(uint32(p[2]), uint32(p[3])); e != errSuccess {
		return s, e
	}
	if s.Env, e = m.block(uint32(p[4]), uint32(p[5])); e != errSuccess {
		return s, e
	}
	if s.Dir, e = m.path(uint32(p[6]), uint32(p[7])); e != errSuccess {
		return s, e
	}
	switch {
	case s.Path == "":
		return s, errNoent
	case len(s.Args) == 0, s.Dir != "" && s.Dir[0] != '/':
		return s, errInval
	}
	return s, errSuccess
}

// proc_fork() -> pid
func procFork(ctx context.Context, h *Host, mem memory, p []uint64) errno {
	if h.kernel == nil {
		return errNosys
	}
	if e := mem.check(uint32(p[0]), 4); e != errSuccess {
		return e
	}
	pid, began, err := h.kernel.Fork(ctx)
	if began || err != nil {
		return errnoOf(err)
	}
	return mem.putUint32(uint32(p[0]), pid)
}

// proc_exec(path, path_len, argv, argv_len, env, env_len, cwd, cwd_len)
func procExec(ctx context.Context, h *Host, mem memory, p []uint64) errno {
	if h.kernel == nil {
		return errNosys
	}
	s, e := mem.start(p)
	if e != errSuccess {
		return e
	}
	return errnoOf(h.kernel.Exec(ctx, s))
}

const (
	sizeAction = 12
	maxActions = 1 << 12
)

// proc_spawn(path, path_len, argv, argv_len, env, env_len, cwd, cwd_len, actions, actions_count, flags) -> pid
//
//	action: op u32, fd u32, to u32
func procSpawn(ctx context.Context, h *Host, mem memory, p []uint64) errno {
	if h.kernel == nil {
		return errNosys
	}
	s, e := mem.start(p)
	if e != errSuccess {
		return e
	}
	n := uint32(p[9])
	s.Flags = SpawnFlags(p[10])
	if n > maxActions || s.Flags&^allSpawnFlags != 0 {
		return errInval
	}
	list, e := mem.array(uint32(p[8]), n, sizeAction)
	if e != errSuccess {
		return e
	}
	if e := mem.check(uint32(p[11]), 4); e != errSuccess {
		return e
	}
	for ; len(list) > 0; list = list[sizeAction:] {
		a := FileAction{
			Op: FileOp(binary.LittleEndian.Uint32(list)),
			FD: binary.LittleEndian.Uint32(list[4:]), To: binary.LittleEndian.Uint32(list[8:]),
		}
		if a.Op > FileOnlyListed {
			return errInval
		}
		s.Actions = append(s.Actions, a)
	}
	pid, err := h.kernel.Spawn(ctx, s)
	if err != nil {
		return errnoOf(err)
	}
	return mem.putUint32(uint32(p[11]), pid)
}

const sizeWaited = 24

// proc_wait(pid: s32, options) -> waited
//
//	waited: pid u32, status u32, user u64 in nanoseconds, maxrss u64 in bytes
func procWait(ctx context.Context, h *Host, mem memory, p []uint64) errno {
	if h.kernel == nil {
		return errNosys
	}
	options := WaitOptions(p[1])
	if options&^allWaitOptions != 0 {
		return errInval
	}
	ret, e := mem.bytes(uint32(p[2]), sizeWaited)
	if e != errSuccess {
		return e
	}
	w, err := h.kernel.Wait(ctx, int32(p[0]), options)
	if err != nil {
		return errnoOf(err)
	}
	binary.LittleEndian.PutUint32(ret, w.Pid)
	binary.LittleEndian.PutUint32(ret[4:], w.Status)
	binary.LittleEndian.PutUint64(ret[8:], uint64(w.User))
	binary.LittleEndian.PutUint64(ret[16:], w.MaxRSS)
	return errSuccess
}

// proc_kill(pid: s32, sig)
func procKill(_ context.Context, h *Host, _ memory, p []uint64) errno {
	switch {
	case h.kernel == nil:
		return errNosys
	case uint32(p[1]) > LastSignal:
		return errInval
	}
	return errnoOf(h.kernel.Kill(int32(p[0]), uint32(p[1])))
}

// proc_id(which, pid) -> u32
func procID(_ context.Context, h *Host, mem memory, p []uint64) errno {
	which := IDKind(p[0])
	switch {
	case h.kernel == nil:
		return errNosys
	case which > lastID:
		return errInval
	}
	id, err := h.kernel.ID(which, uint32(p[1]))
	return result(mem, uint32(p[2]), id, errnoOf(err))
}

// proc_setpgid(pid, pgid)
func procSetpgid(_ context.Context, h *Host, _ memory, p []uint64) errno {
	switch {
	case h.kernel == nil:
		return errNosys
	case int32(p[0]) < 0 || int32(p[1]) < 0:
		return errInval
	}
	return errnoOf(h.kernel.Setpgid(uint32(p[0]), uint32(p[1])))
}

// proc_setsid() -> u32
func procSetsid(_ context.Context, h *Host, mem memory, p []uint64) errno {
	if h.kernel == nil {
		return errNosys
	}
	if e := mem.check(uint32(p[0]), 4); e != errSuccess {
		return e
	}
	sid, err := h.kernel.Setsid()
	return result(mem, uint32(p[0]), sid, errnoOf(err))
}

// proc_rlimit_get(which) -> (u64, u64)
func procRlimitGet(_ context.Context, h *Host, mem memory, p []uint64) errno {
	if h.kernel == nil {
		return errNosys
	}
	ret, e := mem.bytes(uint32(p[1]), 16)
	if e != errSuccess {
		return e
	}
	soft, hard, err := h.kernel.Limit(uint32(p[0]))
	if err != nil {
		return errnoOf(err)
	}
	binary.LittleEndian.PutUint64(ret, soft)
	binary.LittleEndian.PutUint64(ret[8:], hard)
	return errSuccess
}

// proc_rlimit_set(which, soft: u64, hard: u64)
func procRlimitSet(_ context.Context, h *Host, _ memory, p []uint64) errno {
	if h.kernel == nil {
		return errNosys
	}
	return errnoOf(h.kernel.SetLimit(uint32(p[0]), p[1], p[2]))
}

// proc_times() -> [4]u64 in nanoseconds
func procTimes(_ context.Context, h *Host, mem memory, p []uint64) errno {
	if h.kernel == nil {
		return errNosys
	}
	ret, e := mem.bytes(uint32(p[0]), 32)
	if e != errSuccess {
		return e
	}
	for i, d := range h.kernel.Times() {
		binary.LittleEndian.PutUint64(ret[8*i:], uint64(d))
	}
	return errSuccess
}

// allModeBits are those a umask can hold.
const allModeBits = 0o777

// proc_umask(mask) -> u32
func procUmask(_ context.Context, h *Host, mem memory, p []uint64) errno {
	mask := uint32(p[0])
	if e := mem.putUint32(uint32(p[1]), h.umask); e != errSuccess {
		return e
	}
	if mask <= allModeBits {
		h.umask = mask
	}
	return errSuccess
}

// proc_cwd_set(path, len)
func procCwdSet(_ context.Context, h *Host, mem memory, p []uint64) errno {
	dir, e := mem.path(uint32(p[0]), uint32(p[1]))
	switch {
	case h.kernel == nil:
		return errNosys
	case e != errSuccess:
		return e
	case dir == "":
		return errNoent
	case dir[0] != '/':
		return errInval
	}
	if err := h.kernel.Chdir(dir); err != nil {
		return errnoOf(err)
	}
	h.dir = path.Clean(dir)
	if h.posix == nil {
		return errSuccess
	}
	h.posix.cwd = nil
	_, e = h.cwd() // now, so that it stays the same directory under another name
	return e
}
