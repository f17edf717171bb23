package engine_test

import (
	"testing"

	"github.com/belljar-dev/belljar/engine"
)

// callWriter calls f at each Write.
type callWriter func()

func (w callWriter) Write(b []byte) (int, error) {
	w()
	return len(b), nil
}

// An interrupt that comes while the interpreter is being started is the cell's, when there is one to handle it.
func TestInterruptBeforeCell(t *testing.T) {
	var g unixGuest
	g.on()
	g.step(g.print("starting\n"), g.handle(sigint, 0), load(keepAt+8), ifThen(g.exit(50)),
		g.must("host_call", "cell", 0, 0, outAt), g.exit(load(keepAt+8)))
	p := g.program("/bin/cells")
	p.Interactive = &engine.Interactive{Entry: "run"}
	im := engine.Image{Name: "cells", Programs: []engine.Program{p}, Langs: map[string][]string{"cells": {"/bin/cells"}}}
	eng, err := engine.New(engine.Config{Images: []engine.Image{im}, NoCache: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := eng.Close(); err != nil {
			t.Error(err)
		}
	})
	s, err := create(t, eng, engine.Spec{}).Session(t.Context(), "s", "cells")
	if err != nil {
		t.Fatal(err)
	}
	res, err := s.Eval(t.Context(), engine.Cell{Stdout: callWriter(s.Interrupt)})
	if res.ExitCode != 1 {
		t.Errorf("the handler ran %d times: %v", res.ExitCode, err)
	}
}

// A signal to a group reaches each process of it, those too that are being forked when it comes: as on Linux a process that
// forks handles its signals first, and its child either gets the signal or knows what its handler did.
func TestSignalWhileForking(t *testing.T) {
	var g unixGuest
	g.on()
	count, again := load(keepAt+8), []byte{0x0d, 0} // br_if 0
	g.step(g.handle(sigusr1, 0)).fork().step(
		load(keepAt), eqz, ifThen(g.sleepFor(2e6), g.must("proc_kill", 0, sigusr1), g.exit(0)))
	g.steps = append(g.steps, loop(
		g.forkCode(),
		load(keepAt+4), eqz, load(keepAt), eqz, []byte{0x71}, ifThen(loop(g.sleepFor(1e6), count, eqz, again), g.exit(0)),
		count, load(keepAt+4), or, eqz, again))
	g.step(loop(g.sys("proc_wait", -1, 0, outAt), i32Const(12), notEq, again)) // until ECHILD
	sb := unixSandbox(t, &g, engine.Limits{Processes: 500, Memory: 1 << 30})
	for range 20 {
		if res, err := run(t, sb, "g"); err != nil || res.ExitCode != 0 {
			t.Fatalf("got %+v, %v", res, err)
		}
	}
}
