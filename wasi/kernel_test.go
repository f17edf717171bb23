package wasi

import (
	"context"
	"testing"
	"time"
)

// fakeKernel answers every call in a way that can be told apart.
type fakeKernel struct{}

func (fakeKernel) Fork(context.Context) (uint32, bool, error)          { return 7, false, nil }
func (fakeKernel) Exec(context.Context, Start) error                   { return ENOEXEC }
func (fakeKernel) Spawn(context.Context, Start) (uint32, error)        { return 8, nil }
func (fakeKernel) Kill(int32, uint32) error                            { return ESRCH }
func (fakeKernel) ID(which IDKind, pid uint32) (uint32, error)         { return uint32(which) + pid, nil }
func (fakeKernel) Setpgid(uint32, uint32) error                        { return nil }
func (fakeKernel) Setsid() (uint32, error)                             { return 0, EPERM }
func (fakeKernel) Chdir(string) error                                  { return nil }
func (fakeKernel) SetLimit(uint32, uint64, uint64) error               { return EPERM }
func (fakeKernel) Limit(uint32) (uint64, uint64, error)                { return 1, 2, nil }
func (fakeKernel) Times() [4]time.Duration                             { return [4]time.Duration{1, 2, 3, 4} }
func (fakeKernel) SignalMask(MaskHow, uint64) uint64                   { return 5 }
func (fakeKernel) SignalPending() uint64                               { return 6 }
func (fakeKernel) SignalTimer(v, i time.Duration) (_, _ time.Duration) { return v, i }
func (fakeKernel) SignalSuspend(context.Context, uint64) error         { return EINVAL }
func (fakeKernel) Wait(context.Context, int32, WaitOptions) (Waited, error) {
	return Waited{Pid: 9}, nil
}

func (fakeKernel) SignalAction(uint32, SignalHow, SignalFlags) (SignalHow, SignalFlags, error) {
	return SignalIgnore, SignalRestart, nil
}

func (fakeKernel) NewTerminal() (*Terminal, error)       { return NewTerminal(nil, 24, 80), nil }
func (fakeKernel) ControllingTerminal() *Terminal        { return nil }
func (fakeKernel) ControlTerminal(*Terminal) error       { return EPERM }
func (fakeKernel) TerminalAccess(*Terminal, bool) error  { return nil }
func (fakeKernel) SetForeground(*Terminal, uint32) error { return nil }

func (fakeKernel) CreateThread(context.Context, uint32, uint32, []uint32) (uint32, error) {
	return 11, nil
}
func (fakeKernel) ExitThread(context.Context)                           {}
func (fakeKernel) SleepOn(context.Context, uint32, time.Duration) error { return ETIMEDOUT }
func (fakeKernel) WakeOn(_, count uint32) uint32                        { return count + 1 }
func (fakeKernel) Yield(context.Context)                                {}
func (fakeKernel) Leave(context.Context) func()                         { return func() {} }
func (fakeKernel) Rest(_, _ context.Context, _ time.Duration, sleep func()) bool {
	sleep()
	return false
}

// kernelCalls has rows for the calls that a Kernel answers.
func kernelCalls() []callRow {
	start := args{"/p", "p\x00x\x00", "A=1\x00", "/"}
	with := func(rest ...any) args { return append(append(args{}, start...), rest...) }
	return []callRow{
		{"proc_fork", args{outPtr}, errSuccess},
		{"proc_fork", args{lastBytes}, errFault},
		{"proc_exec", start, errNoexec},
		{"proc_exec", args{"", "p\x00", "", ""}, errNoent},
		{"proc_exec", args{"/p", "", "", ""}, errInval},
		{"proc_exec", args{"/p", "p", "", ""}, errInval},
		{"proc_exec", args{"/p", "p\x00", "A=1", ""}, errInval},
		{"proc_exec", args{"/p", "p\x00", "", "relative"}, errInval},
		{"proc_exec", args{"a\x00", "p\x00", "", ""}, errInval},
		{"proc_exec", args{"/p", past, 1, "", ""}, errFault},
		{"proc_exec", args{"/p", "p\x00", 0, uint32(wraps), ""}, errFault},
		{"proc_spawn", with(0, 0, 0, outPtr), errSuccess},
		{"proc_spawn", with(bufPtr, 1, 0, outPtr), errSuccess},
		{"proc_spawn", with(0, 0, 0, past), errFault},
		{"proc_spawn", with(past, 1, 0, outPtr), errFault},
		{"proc_spawn", with(0, maxActions+1, 0, outPtr), errInval},
		{"proc_spawn", with(0, 0, 16, outPtr), errInval},
		{"proc_spawn", with(listPtr, 1, 0, outPtr), errInval}, // an action of op bufPtr
		{"proc_wait", args{0, 0, outPtr}, errSuccess},
		{"proc_wait", args{0, 4, outPtr}, errInval},
		{"proc_wait", args{0, 0, guestSize - 23}, errFault},
		{"proc_kill", args{1, 9}, errSrch},
		{"proc_kill", args{1, 65}, errInval},
		{"proc_id", args{0, 0, outPtr}, errSuccess},
		{"proc_id", args{6, 0, outPtr}, errInval},
		{"proc_id", args{0, 0, lastBytes}, errFault},
		{"proc_setpgid", args{0, 0}, errSuccess},
		{"proc_setpgid", args{0, uint32(wraps)}, errInval},
		{"proc_setsid", args{outPtr}, errPerm},
		{"proc_setsid", args{past}, errFault},
		{"proc_cwd_set", args{"/d"}, errSuccess},
		{"proc_cwd_set", args{"d"}, errInval},
		{"proc_cwd_set", args{""}, errNoent},
		{"proc_cwd_set", args{past, 1}, errFault},
		{"proc_umask", args{0o777, outPtr}, errSuccess},
		{"proc_umask", args{0o1000, outPtr}, errSuccess},
		{"proc_umask", args{0, past}, errFault},
		{"proc_rlimit_get", args{7, outPtr}, errSuccess},
		{"proc_rlimit_get", args{7, guestSize - 15}, errFault},
		{"proc_rlimit_set", args{7, 1, 2}, errPerm},
		{"proc_times", args{outPtr}, errSuccess},
		{"proc_times", args{guestSize - 31}, errFault},
		{"sig_action", args{2, 2, 15, outPtr}, errSuccess},
		{"sig_action", args{0, 2, 0, outPtr}, errInval},
		{"sig_action", args{65, 2, 0, outPtr}, errInval},
		{"sig_action", args{2, 4, 0, outPtr}, errInval},
		{"sig_action", args{2, 2, 16, outPtr}, errInval},
		{"sig_action", args{2, 2, 0, guestSize - 7}, errFault},
		{"sig_mask", args{0, 1, outPtr}, errSuccess},
		{"sig_mask", args{4, 1, outPtr}, errInval},
		{"sig_mask", args{0, 1, guestSize - 7}, errFault},
		{"sig_pending", args{outPtr}, errSuccess},
		{"sig_pending", args{past}, errFault},
		{"sig_suspend", args{0}, errInval},
		{"sig_timer", args{1, 2, outPtr}, errSuccess},
		{"sig_timer", args{1, 2, guestSize - 15}, errFault},
		{"tty_attr_get", args{fdStdin, outPtr}, errNotty},
		{"tty_attr_get", args{fdClosed, outPtr}, errBadf},
		{"tty_attr_set", args{fdFile, 0, outPtr}, errNotty},
		{"tty_size_get", args{fdStdin, outPtr}, errNotty},
		{"tty_size_set", args{fdStdin, outPtr}, errNotty},
		{"tty_pgrp_get", args{fdStdin, outPtr}, errNotty},
		{"tty_pgrp_set", args{fdStdin, 1}, errNotty},
		{"tty_flush", args{fdDir, 0}, errNotty},
		{"tty_open_pty", args{0, past}, errFault},
		{"tty_open_pty", args{4, outPtr}, errInval},
		{"tty_open_pty", args{3, outPtr}, errSuccess},
		{"tty_control", args{fdStdout}, errNotty},
		{"thread_create", args{1, 4096, 0, 0, outPtr}, errSuccess},
		{"thread_create", args{1, 4096, listPtr, 1, outPtr}, errSuccess},
		{"thread_create", args{1, 4096, wrapPtr, 1, outPtr}, errFault}, // the word lies outside of memory
		{"thread_create", args{1, 4096, listPtr, 65, outPtr}, errInval},
		{"thread_create", args{1, 4096, past, 1, outPtr}, errFault},
		{"thread_create", args{1, 4096, 0, 0, lastBytes}, errFault},
		{"thread_exit", nil, errInval},
		{"thread_wait", args{listPtr, bufPtr, 1}, errTimedout},
		{"thread_wait", args{outPtr, 1, 1}, errAgain},
		{"thread_wait", args{lastBytes, 0, 1}, errFault},
		{"thread_wake", args{outPtr, 1, outPtr}, errSuccess},
		{"thread_wake", args{outPtr, 1, past}, errFault},
	}
}

// TestUmask tells that a mask is kept, and one that can't be is only a question.
func TestUmask(t *testing.T) {
	g := newFixture(t)
	for _, mask := range []struct{ set, old uint32 }{{0o777, defaultUmask}, {0o1000, 0o777}, {0, 0o777}} {
		g.must("proc_umask", mask.set, outPtr)
		if old, _ := g.mod.Memory().ReadUint32Le(outPtr); old != mask.old {
			t.Errorf("proc_umask(%o) gave %o, want %o", mask.set, old, mask.old)
		}
	}
}

// TestWithoutKernel tells that calls which need a kernel have none.
func TestWithoutKernel(t *testing.T) {
	g := newGuest(t, Config{})
	for _, row := range kernelCalls() {
		if row.want == errSuccess && row.call != "proc_umask" {
			g.want(errNosys, row.call, row.args...)
		}
	}
}
