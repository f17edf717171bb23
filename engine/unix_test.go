package engine_test

import (
	"errors"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/belljar-dev/belljar/engine"
)

const (
	sigint  = int(engine.SIGINT)
	sigkill = int(engine.SIGKILL)
	sigusr1 = int(engine.SIGUSR1)
	sigchld = int(engine.SIGCHLD)
	forever = 1 << 60
)

// helpers are the programs that the guests under test start.
func helpers() []engine.Program {
	var hello, seven, sleeper, spinner, echo, flood unixGuest
	hello.step(hello.print("hello\n"))
	seven.step(seven.exit(7))
	sleeper.step(sleeper.sleepFor(forever))
	spinner.step(loop(br(0)))
	// echo reads once and writes that.
	echo.step(
		store(bufferAt, i32Const(1024)), store(bufferAt+4, i32Const(256)), echo.must("fd_read", 0, bufferAt, 1, bufferAt+8),
		store(bufferAt+4, load(bufferAt+8)), echo.must("fd_write", 1, bufferAt, 1, bufferAt+8))
	flood.step(loop(flood.print("y\n"), br(0)))
	return []engine.Program{
		hello.program("/bin/hello"), seven.program("/bin/seven"), sleeper.program("/bin/sleeper"),
		spinner.program("/bin/spinner"), echo.program("/bin/echo"), flood.program("/bin/flood"),
	}
}

// unixSandbox makes a sandbox in which g is the program "g".
func unixSandbox(t *testing.T, g *unixGuest, limits engine.Limits) *engine.Sandbox {
	t.Helper()
	im := engine.Image{Name: "unix", Programs: append(helpers(), g.program("/bin/g"))}
	eng, err := engine.New(engine.Config{Images: []engine.Image{im}, NoCache: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := eng.Close(); err != nil {
			t.Error(err)
		}
	})
	return create(t, eng, engine.Spec{Limits: limits})
}

func runUnix(t *testing.T, g *unixGuest) engine.Result {
	t.Helper()
	res, err := run(t, unixSandbox(t, g, engine.Limits{}), "g")
	if err != nil {
		t.Fatal(err)
	}
	return res
}

// spawn is proc_spawn of a program without arguments; n actions are in memory.
func (g *unixGuest) spawn(path string, n, flags int) []byte {
	return g.must("proc_spawn", path, args(path), "", "", actionAt, n, flags, keepAt)
}

// wait is proc_wait for any child; its status is then at outAt+4.
func (g *unixGuest) wait() []byte { return g.must("proc_wait", -1, 0, outAt) }

// exitCode ends the program with the exit status that wait has found.
func (g *unixGuest) exitCode() []byte {
	return g.exit(cat(load(outAt+4), i32Const(8), shiftU))
}

func (g *unixGuest) handle(sig, flags int) []byte { return g.must("sig_action", sig, 2, flags, outAt) }

// on makes the handler count at keepAt+8 and run code.
func (g *unixGuest) on(code ...[]byte) {
	g.handler = cat(store(keepAt+8, load(keepAt+8), i32Const(1), add), cat(code...))
}

func TestSpawnAndWait(t *testing.T) {
	var g unixGuest
	g.step(g.spawn("/bin/seven", 0, 0), g.wait(), g.exitCode())
	if res := runUnix(t, &g); res.ExitCode != 7 {
		t.Errorf("got %+v", res)
	}
}

func TestSpawnLooksInPath(t *testing.T) {
	var g unixGuest
	g.step(g.must("proc_spawn", "seven", args("x"), args("PATH=/nowhere:/bin"), "", 0, 0, 0, keepAt), g.wait(), g.exitCode())
	if res := runUnix(t, &g); res.ExitCode != 7 {
		t.Errorf("got %+v", res)
	}
}

// hello | echo
func TestPipeline(t *testing.T) {
	var g unixGuest
	dup, closing := i32Const(0), i32Const(1)
	g.step(
		g.must("fd_pipe", 0, pipeAt),
		action(0, dup, load(pipeAt+4), i32Const(1)), action(1, closing, load(pipeAt), i32Const(0)),
		action(2, closing, load(pipeAt+4), i32Const(0)), g.spawn("/bin/hello", 3, 0),
		action(0, dup, load(pipeAt), i32Const(0)), action(1, closing, load(pipeAt), i32Const(0)),
		g.spawn("/bin/echo", 3, 0),
		g.must("fd_close", load(pipeAt)), g.must("fd_close", load(pipeAt+4)),
		g.wait(), g.wait(), g.exitCode())
	if res := runUnix(t, &g); res.ExitCode != 0 || res.Stdout != "hello\n" {
		t.Errorf("got %+v", res)
	}
}

// A process that writes where nobody reads dies of SIGPIPE.
func TestBrokenPipe(t *testing.T) {
	var g unixGuest
	g.step(
		g.must("fd_pipe", 1, pipeAt), action(0, i32Const(0), load(pipeAt+4), i32Const(1)), g.spawn("/bin/flood", 1, 0),
		g.must("fd_close", load(pipeAt)), g.wait(), g.exit(load(outAt+4)))
	if res := runUnix(t, &g); res.ExitCode != int(engine.SIGPIPE) {
		t.Errorf("got %+v", res)
	}
}

func TestFork(t *testing.T) {
	var g unixGuest
	g.step(store(keepAt+12, i32Const(1))).fork().step(
		load(keepAt), eqz, ifThen(
			store(keepAt+12, i32Const(2)), g.print("child\n"), g.exit(load(keepAt+12))),
		g.wait(), load(keepAt), load(outAt), notEq, ifThen(g.exit(50)),
		g.print("parent\n"), g.exit(cat(load(outAt+4), i32Const(8), shiftU, load(keepAt+12), add)))
	sb := unixSandbox(t, &g, engine.Limits{})
	for range 3 { // the second time in a used instance
		res, err := run(t, sb, "g")
		if err != nil || res.ExitCode != 3 || res.Stdout != "child\nparent\n" {
			t.Fatalf("got %+v, %v", res, err)
		}
	}
}

// A signal to all ends a bomb whose every process makes others.
func TestKillForkBomb(t *testing.T) {
	var g unixGuest
	g.step(g.must("proc_id", 0, 0, outAt), load(outAt), i32Const(2), notEq, ifThen(g.must("proc_kill", -1, sigkill), g.exit(0)))
	g.steps = append(g.steps, loop(g.forkCode(), br(0)))
	sb := unixSandbox(t, &g, engine.Limits{Processes: 16})
	p, err := sb.Start(t.Context(), engine.Command{Args: []string{"g"}})
	if err != nil {
		t.Fatal(err)
	}
	for len(sb.Processes()) < 16 {
		runtime.Gosched()
	}
	if res, err := run(t, sb, "g"); err != nil || res.ExitCode != 0 {
		t.Errorf("got %+v, %v", res, err)
	}
	if res, err := p.Wait(); err != nil || res.ExitCode != 128+sigkill {
		t.Errorf("got %+v, %v", res, err)
	}
	for len(sb.Processes()) > 0 {
		runtime.Gosched()
	}
}

// Instances serve parents and children in turn, and keep nothing of what they were.
func TestForkInUsedInstances(t *testing.T) {
	var g unixGuest
	reap := loop(g.sys("proc_wait", -1, 0, outAt), eqz, []byte{0x0d, 0})
	for range 3 {
		g.fork().step(load(keepAt), eqz, ifThen(g.print("c")))
	}
	g.step(reap)
	sb := unixSandbox(t, &g, engine.Limits{})
	for i := range 10 {
		if res, err := run(t, sb, "g"); err != nil || res.ExitCode != 0 || res.Stdout != "ccccccc" {
			t.Fatalf("round %d: got %+v, %v", i, res, err)
		}
	}
}

func TestForkBomb(t *testing.T) {
	var g unixGuest
	g.forkForever().step(g.exit(load(keepAt + 4)))
	sb := unixSandbox(t, &g, engine.Limits{Processes: 16})
	for range 2 {
		res, err := run(t, sb, "g")
		if err != nil || res.ExitCode != 6 { // EAGAIN
			t.Fatalf("got %+v, %v", res, err)
		}
		if res, err := run(t, sb, "hello"); err != nil || res.Stdout != "hello\n" {
			t.Fatalf("afterwards: got %+v, %v", res, err)
		}
	}
}

func isLimit(err error, name engine.Limit) bool {
	var limit *engine.LimitError
	return errors.As(err, &limit) && limit.Limit == name
}

func TestExec(t *testing.T) {
	for _, test := range []struct {
		path string
		want int
	}{
		{"/bin/seven", 7},
		{"../../bin/seven", 7},
		{"/tmp/script", 7},
		{"/tmp/scripts3", 7},
		{"/tmp/scripts5", 100 + 32}, // ELOOP
		{"/tmp/itself", 100 + 32},   // ELOOP
		{"/tmp/garbage", 100 + 45},  // ENOEXEC
		{"/tmp/empty", 100 + 45},    // ENOEXEC
		{"/tmp/huge", 100 + 45},     // ENOEXEC
		{"/tmp/orphan", 100 + 44},   // ENOENT: its interpreter is missing
		{"/tmp/plain", 100 + 2},     // EACCES: not executable
		{"/tmp/secret", 100 + 2},    // EACCES: another user's
		{"/tmp/unreadable", 7},
		{"/tmp", 100 + 2},                     // EACCES
		{"/tmp/missing", 100 + 44},            // ENOENT
		{"/tmp/garbage/x", 100 + 54},          // ENOTDIR
		{"/bin/seven\xff", 100 + 44},          // ENOENT
		{"/tmp/nul\x00", 100 + 28},            // EINVAL
		{"/dev/null", 100 + 2},                // EACCES
		{"/tmp/dangling", 100 + 44},           // ENOENT
		{"/tmp/selflink", 100 + 32},           // ELOOP
		{strings.Repeat("x", 5000), 100 + 37}, // ENAMETOOLONG
	} {
		var g unixGuest
		g.step(g.must("proc_exec", test.path, args("x"), "", ""))
		sb := unixSandbox(t, &g, engine.Limits{})
		for name, content := range map[string]string{
			"script": "#!/bin/seven\n", "scripts1": "#! /tmp/script", "scripts2": "#!/tmp/scripts1 x\n", "scripts3": "#!/tmp/scripts2\n",
			"scripts4": "#!/tmp/scripts3\n", "scripts5": "#!/tmp/scripts4\n", "itself": "#!/tmp/itself\n",
			"garbage": "garbage", "empty": "", "orphan": "#!/bin/missing\n", "huge": "",
		} {
			if err := sb.Files().WriteFile("/tmp/"+name, []byte(content), 0o755); err != nil {
				t.Fatal(err)
			}
		}
		for _, err := range []error{
			sb.Files().WriteFile("/tmp/plain", []byte("#!/bin/seven\n"), 0o644),
			sb.Files().WriteFile("/tmp/secret", []byte("#!/bin/seven\n"), 0o744), sb.Files().Chown("/tmp/secret", 0, 0),
			sb.Files().WriteFile("/tmp/unreadable", []byte("#!/bin/seven\n"), 0o755), sb.Files().Chmod("/tmp/unreadable", 0o111),
			sb.Files().Truncate("/tmp/huge", 1<<30), sb.Files().Symlink("nowhere", "/tmp/dangling"),
			sb.Files().Symlink("selflink", "/tmp/selflink"),
		} {
			if err != nil {
				t.Fatal(err)
			}
		}
		if res, err := run(t, sb, "g"); err != nil || res.ExitCode != test.want {
			t.Errorf("%.20q: got %+v, %v, want %d", test.path, res, err, test.want)
		}
	}
}

func TestKillCall(t *testing.T) {
	spawned := func(g *unixGuest, pid any, sig int) {
		g.step(g.spawn("/bin/sleeper", 0, 0), g.must("proc_kill", pid, sig), g.wait(), g.exit(load(outAt+4)))
	}
	for _, test := range []struct {
		name  string
		build func(*unixGuest)
		want  int
	}{
		{"a child", func(g *unixGuest) { spawned(g, load(keepAt), sigkill) }, sigkill},
		{"by default", func(g *unixGuest) { spawned(g, load(keepAt), sigusr1) }, sigusr1},
		{"all others", func(g *unixGuest) { spawned(g, -1, sigkill) }, sigkill},
		{"itself", func(g *unixGuest) { g.step(g.must("proc_kill", 0, sigint)) }, 128 + sigint},
		{"process 1", func(g *unixGuest) { g.step(g.must("proc_kill", 1, sigkill)) }, 100 + 63},     // EPERM
		{"nobody", func(g *unixGuest) { g.step(g.must("proc_kill", 4711, 0)) }, 100 + 71},           // ESRCH
		{"no others", func(g *unixGuest) { g.step(g.must("proc_kill", -1, sigkill)) }, 100 + 71},    // ESRCH
		{"no group", func(g *unixGuest) { g.step(g.must("proc_kill", -1<<31, sigkill)) }, 100 + 71}, // ESRCH
		{"a parent", func(g *unixGuest) {
			g.fork().step(load(keepAt), eqz, ifThen(g.must("proc_id", 1, 0, outAt), g.must("proc_kill", load(outAt), sigkill)), g.sleepFor(forever))
		}, 128 + sigkill},
	} {
		var g unixGuest
		test.build(&g)
		if res := runUnix(t, &g); res.ExitCode != test.want {
			t.Errorf("%s: got %+v, want %d", test.name, res, test.want)
		}
	}
}

func TestHandlers(t *testing.T) {
	raise := func(g *unixGuest) []byte {
		return cat(g.must("proc_id", 0, 0, outAt), g.must("proc_kill", load(outAt), sigusr1))
	}
	parent := func(g *unixGuest) []byte {
		return cat(g.must("proc_id", 1, 0, outAt), g.must("proc_kill", load(outAt), sigusr1))
	}
	count := load(keepAt + 8)
	readPipe := func(g *unixGuest) []byte {
		return cat(store(bufferAt, i32Const(1024)), store(bufferAt+4, i32Const(256)), g.must("fd_read", load(pipeAt), bufferAt, 1, bufferAt+8))
	}
	for _, test := range []struct {
		name  string
		build func(*unixGuest)
		want  int
	}{
		{"before the call returns", func(g *unixGuest) {
			g.on()
			g.step(g.handle(sigusr1, 0), raise(g), raise(g), g.exit(count))
		}, 2},
		{"once", func(g *unixGuest) {
			g.on()
			g.step(g.handle(sigusr1, 2), raise(g), raise(g))
		}, 128 + sigusr1},
		{"blocked", func(g *unixGuest) {
			g.on()
			g.step(g.handle(sigusr1, 0), g.must("sig_mask", 0, 1<<(sigusr1-1), outAt), raise(g), raise(g),
				count, ifThen(g.exit(50)), g.must("sig_mask", 1, 1<<(sigusr1-1), outAt), g.exit(count))
		}, 1},
		{"ignored", func(g *unixGuest) {
			g.step(g.must("sig_action", sigusr1, 1, 0, outAt), raise(g), g.exit(9))
		}, 9},
		{"not again in the handler", func(g *unixGuest) {
			g.on(count, i32Const(3), eq, eqz, ifThen(raise(g)))
			g.step(g.handle(sigusr1, 0), raise(g), g.exit(count))
		}, 3},
		{"again in the handler", func(g *unixGuest) {
			g.on(count, i32Const(3), eq, eqz, ifThen(raise(g)), store(keepAt+12, load(keepAt+12), i32Const(10), add))
			g.step(g.handle(sigusr1, 4), raise(g), g.exit(cat(count, load(keepAt+12), add)))
		}, 33},
		{"while it computes", func(g *unixGuest) {
			g.on()
			g.step(g.handle(sigusr1, 0)).fork().step(
				load(keepAt), eqz, ifThen(parent(g), g.exit(0)),
				loop(count, eqz, []byte{0x0d, 0}), g.exit(count))
		}, 1},
		{"exit in the handler", func(g *unixGuest) {
			g.on(g.exit(42))
			g.step(g.handle(sigusr1, 0), raise(g), g.exit(1))
		}, 42},
		{"trap in the handler", func(g *unixGuest) {
			g.on(trap)
			g.fork().step(load(keepAt), eqz, ifThen(g.handle(sigusr1, 0), raise(g), g.exit(1)), g.wait(), g.exit(load(outAt+4)))
		}, int(engine.SIGABRT)},
		{"fork in the handler", func(g *unixGuest) {
			g.on(g.must("proc_fork", outAt))
			g.step(g.handle(sigusr1, 0), raise(g), g.exit(1))
		}, 100 + 6}, // EAGAIN
		{"a read that is interrupted", func(g *unixGuest) {
			g.on()
			g.step(g.handle(sigusr1, 0), g.must("fd_pipe", 0, pipeAt)).fork().step(
				// One signal could come before the read: the child sends them until it has no parent any more.
				load(keepAt), eqz, ifThen(loop(parent(g), g.sleepFor(1e6), br(0))),
				readPipe(g))
		}, 100 + 27}, // EINTR
		{"a read that goes on", func(g *unixGuest) {
			// The handler writes what the read then finds.
			g.on(store(bufferAt+16, i32Const(1024)), store(bufferAt+20, i32Const(5)), g.must("fd_write", load(pipeAt+4), bufferAt+16, 1, bufferAt+24))
			g.step(g.handle(sigusr1, 1), g.must("fd_pipe", 0, pipeAt)).fork().step(
				load(keepAt), eqz, ifThen(g.sleepFor(1e6), parent(g), g.exit(0)),
				readPipe(g), g.exit(load(bufferAt+8)))
		}, 5},
		{"an alarm", func(g *unixGuest) {
			g.on()
			g.step(g.handle(int(engine.SIGALRM), 0), g.must("sig_mask", 0, 1<<(int(engine.SIGALRM)-1), outAt),
				g.must("sig_timer", int(1e6), 0, outAt),
				g.ignore("sig_suspend", 0), g.exit(count))
		}, 1},
		{"of children", func(g *unixGuest) {
			g.on(g.wait(), store(keepAt+12, load(outAt+4), i32Const(8), shiftU))
			g.step(g.must("sig_mask", 0, 1<<(sigchld-1), outAt), g.handle(sigchld, 0), g.spawn("/bin/seven", 0, 0),
				g.ignore("sig_suspend", 0), g.exit(load(keepAt+12)))
		}, 7},
		{"unstoppable", func(g *unixGuest) { g.step(g.handle(sigkill, 0)) }, 100 + 28}, // EINVAL
	} {
		t.Run(test.name, func(t *testing.T) {
			var g unixGuest
			test.build(&g)
			if res := runUnix(t, &g); res.ExitCode != test.want {
				t.Errorf("got %+v, want %d", res, test.want)
			}
		})
	}
}

func TestStopAndContinue(t *testing.T) {
	var g unixGuest
	status := func(options, want int) []byte {
		return cat(g.must("proc_wait", -1, options, outAt), load(outAt+4), i32Const(int32(want)), notEq, ifThen(g.exit(load(outAt+4))))
	}
	g.step(
		g.spawn("/bin/spinner", 0, 0),
		g.must("proc_kill", load(keepAt), int(engine.SIGSTOP)), status(2, int(engine.SIGSTOP)<<8|0x7f),
		g.must("proc_kill", load(keepAt), int(engine.SIGTERM)), status(1, 0), // it is still stopped
		g.must("proc_kill", load(keepAt), int(engine.SIGCONT)), status(8, 0xffff), status(0, int(engine.SIGTERM)),
		g.exit(9))
	if res := runUnix(t, &g); res.ExitCode != 9 {
		t.Errorf("got %+v", res)
	}
}

func TestExitInInitialize(t *testing.T) {
	var g unixGuest
	g.init = g.exit(5)
	if res := runUnix(t, &g); res.ExitCode != 5 {
		t.Errorf("got %+v", res)
	}
}

// What a process that was left behind does is counted when it has ended.
func TestUsageOfTheLeftBehind(t *testing.T) {
	var g unixGuest
	g.step(action(0, i32Const(2), i32Const(0), i32Const(0)), g.spawn("/bin/spinner", 1, 0))
	sb := unixSandbox(t, &g, engine.Limits{})
	if res, err := run(t, sb, "g"); err != nil || res.ExitCode != 0 {
		t.Fatalf("got %+v, %v", res, err)
	}
	before := sb.Usage().Ticks
	for sb.Processes()[0].CPU == 0 {
		runtime.Gosched()
	}
	if err := sb.Signal(sb.Processes()[0].PID, engine.SIGKILL); err != nil {
		t.Error(err)
	}
	for len(sb.Processes()) > 0 {
		runtime.Gosched()
	}
	if after := sb.Usage().Ticks; after <= before {
		t.Errorf("%d ticks, %d before", after, before)
	}
}

func TestWaitForNobody(t *testing.T) {
	var g unixGuest
	g.step(g.wait())
	if res := runUnix(t, &g); res.ExitCode != 100+12 { // ECHILD
		t.Errorf("got %+v", res)
	}
}

func TestDescriptorsAllClosed(t *testing.T) {
	var g unixGuest
	for fd := range 5 {
		g.step(g.ignore("fd_close", fd))
	}
	g.step(g.print("unheard"), g.spawn("/bin/hello", 0, 0), g.wait(), g.exit(5))
	if res := runUnix(t, &g); res.ExitCode != 5 || res.Stdout != "" {
		t.Errorf("got %+v", res)
	}
}

// What a run leaves behind lives until its sandbox is closed, and is counted.
func TestLeftBehind(t *testing.T) {
	var g unixGuest
	g.step(action(0, i32Const(2), i32Const(0), i32Const(0)), g.spawn("/bin/sleeper", 1, 0))
	sb := unixSandbox(t, &g, engine.Limits{Processes: 2})
	if res, err := run(t, sb, "g"); err != nil || res.ExitCode != 0 {
		t.Fatalf("got %+v, %v", res, err)
	}
	if res, err := run(t, sb, "seven"); err != nil || res.ExitCode != 7 {
		t.Errorf("beside it: got %+v, %v", res, err)
	}
	if res, err := run(t, sb, "g"); err != nil || res.ExitCode != 100+6 { // EAGAIN
		t.Errorf("another: got %+v, %v", res, err)
	}
}

// A run's limits hold for all of its processes together.
func TestLimitsOfTheTree(t *testing.T) {
	var g unixGuest
	g.step(g.spawn("/bin/spinner", 0, 0), g.wait(), g.exit(0))
	sb := unixSandbox(t, &g, engine.Limits{Ticks: 1e6})
	if res, err := run(t, sb, "g"); !isLimit(err, engine.LimitTicks) {
		t.Errorf("ticks: got %+v, %v", res, err)
	}
	g = unixGuest{}
	g.step(g.spawn("/bin/sleeper", 0, 0), g.wait(), g.exit(0))
	sb = unixSandbox(t, &g, engine.Limits{Wall: 20 * time.Millisecond})
	if res, err := run(t, sb, "g"); !isLimit(err, engine.LimitWall) {
		t.Errorf("wall: got %+v, %v", res, err)
	}
	g = unixGuest{}
	g.step(g.spawn("/bin/flood", 0, 0), g.wait(), g.exit(0))
	sb = unixSandbox(t, &g, engine.Limits{Output: 1000})
	if res, err := run(t, sb, "g"); !isLimit(err, engine.LimitOutput) || len(res.Stdout) != 1000 {
		t.Errorf("output: got %d bytes, %v", len(res.Stdout), err)
	}
	g = unixGuest{}
	g.step(g.spawn("/bin/sleeper", 0, 0), g.spawn("/bin/sleeper", 0, 0), g.exit(0))
	sb = unixSandbox(t, &g, engine.Limits{Memory: 256 << 10})
	if res, err := run(t, sb, "g"); err != nil || res.ExitCode != 100+48 { // ENOMEM
		t.Errorf("memory: got %+v, %v", res, err)
	}
}

// Closing a sandbox ends all of its processes, and leaves no goroutine.
func TestCloseWithManyProcesses(t *testing.T) {
	var g unixGuest
	for i := range 100 {
		g.step(g.spawn([]string{"/bin/sleeper", "/bin/spinner"}[i/90], 0, 0))
	}
	g.step(g.print("all\n"), g.sleepFor(forever))
	sb := unixSandbox(t, &g, engine.Limits{Processes: 101})
	if res, err := run(t, sb, "seven"); err != nil || res.ExitCode != 7 {
		t.Fatalf("got %+v, %v", res, err)
	}
	before := runtime.NumGoroutine()
	said := make(chan struct{}, 1)
	p, err := sb.Start(t.Context(), engine.Command{Args: []string{"g"}, Stdout: signalWriter(said)})
	if err != nil {
		t.Fatal(err)
	}
	<-said
	if err := sb.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Wait(); !errors.Is(err, engine.ErrClosed) {
		t.Errorf("got %v", err)
	}
	// A goroutine that has done its work may still be there for a moment.
	for range 1_000_000 {
		if runtime.NumGoroutine() <= before {
			return
		}
		runtime.Gosched()
	}
	buf := make([]byte, 1<<20)
	t.Errorf("%d goroutines, %d before:\n%s", runtime.NumGoroutine(), before, buf[:runtime.Stack(buf, true)])
}

// signalWriter tells of each Write.
type signalWriter chan struct{}

func (w signalWriter) Write(b []byte) (int, error) {
	w <- struct{}{}
	return len(b), nil
}

func TestProcessSignal(t *testing.T) {
	var g unixGuest
	g.on(g.exit(42))
	g.step(g.handle(sigint, 0), g.print("ready\n"), g.sleepFor(forever))
	sb := unixSandbox(t, &g, engine.Limits{})
	said := make(chan struct{}, 1)
	p, err := sb.Start(t.Context(), engine.Command{Args: []string{"g"}, Stdout: signalWriter(said)})
	if err != nil {
		t.Fatal(err)
	}
	<-said
	if err := p.Signal(engine.SIGINT); err != nil {
		t.Error(err)
	}
	if res, err := p.Wait(); err != nil || res.ExitCode != 42 {
		t.Errorf("got %+v, %v", res, err)
	}
	if err := p.Signal(engine.SIGINT); err == nil {
		t.Error("a process that has ended took a signal")
	}
}
