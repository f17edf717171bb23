package engine_test

import (
	"errors"
	"testing"
	"time"

	"github.com/belljar-dev/belljar/engine"
)

// Where the threads of these tests keep things.
const (
	wordsAt  = 1536 // the list of words that each thread has of its own: ownAt
	ownAt    = 1600
	doneAt   = 1604
	secondAt = 1608
)

// start makes a thread; its number is at keepAt.
func (g *unixGuest) start(arg int) []byte {
	return cat(store(wordsAt, i32Const(ownAt)), g.must("thread_create", arg, 4096, wordsAt, 1, keepAt))
}

// finish wakes who waits for doneAt.
func (g *unixGuest) finish() []byte {
	return cat(store(doneAt, i32Const(1)), g.ignore("thread_wake", doneAt, 1, bufferAt+128))
}

// join waits for finish.
func (g *unixGuest) join() []byte {
	return loop(g.ignore("thread_wait", doneAt, 0, -1), load(doneAt), eqz, []byte{0x0d, 0})
}

// arg runs code where the thread's argument is n.
func arg(n int32, code ...[]byte) []byte { return cat(getLocal, i32Const(n), eq, ifThen(code...)) }

func TestThreads(t *testing.T) {
	for name, c := range map[string]struct {
		build func(g *unixGuest)
		code  int
		out   string
	}{
		"runs when the first waits": {func(g *unixGuest) {
			g.thread = cat(g.print("thread\n"), g.finish())
			g.step(g.start(0), g.print("first\n"), g.join(), g.print("joined\n"))
		}, 0, "first\nthread\njoined\n"},
		"runs when the first yields": {func(g *unixGuest) {
			g.thread = g.print("thread\n")
			g.step(g.start(0), g.ignore("sched_yield"), g.print("first\n"))
		}, 0, "thread\nfirst\n"},
		"has words of its own": {func(g *unixGuest) {
			g.thread = cat(load(ownAt), ifThen(g.print("not zero\n")), store(ownAt, i32Const(5)), g.finish())
			g.step(store(ownAt, i32Const(3)), g.start(0), g.join(), g.exit(load(ownAt)))
		}, 3, ""},
		"has a stack pointer of its own": {func(g *unixGuest) {
			g.thread = cat([]byte{0x23, 0}, i32Const(4096), eq, ifThen(g.print("own\n")), g.finish())
			g.step(g.start(0), g.join(), []byte{0x23, 0}, ifThen(g.print("changed\n")))
		}, 0, "own\n"},
		"takes turns in the order of waking": {func(g *unixGuest) {
			wait := g.ignore("thread_wait", secondAt, 0, -1)
			g.thread = cat(arg(1, wait, g.print("1\n")), arg(2, wait, g.print("2\n"), g.finish()))
			g.step(g.start(1), g.start(2), g.ignore("sched_yield"),
				store(secondAt, i32Const(1)), g.ignore("thread_wake", secondAt, 2, outAt), g.join())
		}, 0, "1\n2\n"},
		"waking says how many": {func(g *unixGuest) {
			g.thread = g.ignore("thread_wait", secondAt, 0, -1)
			g.step(g.start(1), g.start(2), g.start(3), g.ignore("sched_yield"), g.ignore("thread_wake", secondAt, 2, outAt), g.exit(load(outAt)))
		}, 2, ""},
		"a wait for another value is refused": {func(g *unixGuest) { g.step(g.exit(g.sys("thread_wait", secondAt, 1, -1))) }, 6, ""},
		"a wait ends at its deadline":         {func(g *unixGuest) { g.step(g.exit(g.sys("thread_wait", secondAt, 0, 1))) }, 73, ""},
		"so does a thread's": {func(g *unixGuest) {
			g.thread = cat(g.sys("thread_wait", secondAt, 0, 1), i32Const(73), eq, ifThen(g.print("late\n")), g.finish())
			g.step(g.start(0), g.join())
		}, 0, "late\n"},
		"reads while the first goes on": {func(g *unixGuest) {
			g.thread = cat(store(bufferAt, i32Const(1024)), store(bufferAt+4, i32Const(8)),
				g.ignore("fd_read", cat(load(pipeAt)), bufferAt, 1, bufferAt+8), g.print("read\n"), g.finish())
			g.step(g.must("fd_pipe", 0, pipeAt), g.start(0), g.ignore("sched_yield"), g.print("first\n"),
				store(bufferAt, i32Const(dataAt)), store(bufferAt+4, i32Const(1)),
				g.must("fd_write", load(pipeAt+4), bufferAt, 1, bufferAt+8), g.join())
		}, 0, "first\nread\n"},
		"ends by itself": {func(g *unixGuest) {
			g.thread = cat(g.finish(), g.ignore("thread_exit"), g.print("not here\n"))
			g.step(g.start(0), g.join(), g.ignore("sched_yield"))
		}, 0, ""},
		"the first can't end so":         {func(g *unixGuest) { g.step(g.exit(g.sys("thread_exit"))) }, 28, ""},
		"ends the process":               {func(g *unixGuest) { g.thread = g.exit(9); g.step(g.start(0), g.join()) }, 9, ""},
		"is over when the first returns": {func(g *unixGuest) { g.thread = cat(g.sleepFor(forever)); g.step(g.start(0), g.ignore("sched_yield")) }, 0, ""},
		"signals come to the first": {func(g *unixGuest) {
			g.on(g.print("signal\n"))
			g.thread = cat(g.must("proc_kill", 0, sigusr1), g.print("thread\n"), g.sleepFor(1e6), g.finish())
			g.step(g.handle(sigusr1, 1), g.start(0), g.join())
		}, 0, "thread\nsignal\n"},
		"a thread that computes is asked to yield": {func(g *unixGuest) {
			g.yield = store(secondAt, i32Const(1))
			g.thread = loop(load(secondAt), ifThen(store(secondAt, i32Const(0)), g.ignore("sched_yield")), br(0))
			g.step(g.start(0), g.sleepFor(1e6), g.print("first\n"))
		}, 0, "first\n"},
		"waits for a child": {func(g *unixGuest) {
			g.thread = cat(g.wait(), g.print("waited\n"), g.finish())
			g.step(g.spawn("/bin/seven", 0, 0), g.start(0), g.join())
		}, 0, "waited\n"},
		"there are not too many": {func(g *unixGuest) {
			g.thread = g.sleepFor(forever)
			g.step(loop(g.sys("thread_create", 0, 4096, wordsAt, 0, keepAt), setLocal, getLocal, eqz, []byte{0x0d, 0}), g.exit(getLocal))
		}, 6, ""},
		"words that aren't in memory": {func(g *unixGuest) {
			g.step(store(wordsAt, i32Const(-4)), g.exit(g.sys("thread_create", 0, 4096, wordsAt, 1, keepAt)))
		}, 21, ""},
		"doesn't fork": {func(g *unixGuest) {
			g.thread = g.sleepFor(forever)
			g.step(g.start(0), g.exit(g.sys("proc_fork", keepAt)))
		}, 6, ""},
	} {
		t.Run(name, func(t *testing.T) {
			var g unixGuest
			c.build(&g)
			res := runUnix(t, &g)
			if res.ExitCode != c.code || res.Stdout != c.out {
				t.Errorf("status %d, output %q; want %d, %q", res.ExitCode, res.Stdout, c.code, c.out)
			}
		})
	}
}

func TestThreadThatTraps(t *testing.T) {
	var g unixGuest
	g.thread = trap
	g.step(g.start(0), g.join())
	var e *engine.TrapError
	if _, err := run(t, unixSandbox(t, &g, engine.Limits{}), "g"); !errors.As(err, &e) {
		t.Errorf("%v, want a trap", err)
	}
}

// Threads that compute, sleep and wait end with a limit, and with the sandbox, which waits for them.
func TestThreadsEndWithLimits(t *testing.T) {
	var g unixGuest
	g.thread = cat(arg(1, loop(br(0))), arg(2, g.sleepFor(forever)), arg(3, g.join()))
	g.step(g.start(2), g.start(3), g.start(1), g.join())
	var limit *engine.LimitError
	for want, limits := range map[engine.Limit]engine.Limits{
		engine.LimitTicks: {Ticks: 1e9}, engine.LimitWall: {Wall: 50 * time.Millisecond},
	} {
		if _, err := run(t, unixSandbox(t, &g, limits), "g"); !errors.As(err, &limit) || limit.Limit != want {
			t.Errorf("%v, want the limit on %s", err, want)
		}
	}
}

// Under Replay time passes when nobody runs, to whoever sleeps for less first.
func TestThreadsUnderReplay(t *testing.T) {
	var g unixGuest
	g.thread = cat(arg(1, g.sleepFor(3e9), g.print("3\n"), g.finish()), arg(2, g.sleepFor(1e9), g.print("1\n")))
	g.step(g.start(1), g.start(2), g.sleepFor(2e9), g.print("2\n"), g.join())
	im := engine.Image{Name: "unix", Programs: append(helpers(), g.program("/bin/g"))}
	eng, err := engine.New(engine.Config{Images: []engine.Image{im}, NoCache: true})
	if err != nil {
		t.Fatal(err)
	}
	defer eng.Close()
	for range 3 {
		sb := create(t, eng, engine.Spec{Replay: &engine.Replay{Seed: 1}})
		res, err := run(t, sb, "g")
		if err != nil || res.Stdout != "1\n2\n3\n" || res.Usage.Wall > 2*time.Second {
			t.Errorf("%q in %v, %v; want 1, 2, 3, without waiting", res.Stdout, res.Usage.Wall, err)
		}
	}
}
