package engine_test

import (
	"io"
	"strings"
	"testing"

	"github.com/belljar-dev/belljar/engine"
)

func startTTY(t *testing.T, sb *engine.Sandbox, in io.Reader, out io.Writer, args ...string) *engine.Process {
	t.Helper()
	p, err := sb.Start(t.Context(), engine.Command{Args: args, Stdin: in, Stdout: out, TTY: &engine.TTY{}})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestTerminal(t *testing.T) {
	sb := unixSandbox(t, new(unixGuest), engine.Limits{})
	res, err := startTTY(t, sb, strings.NewReader("hx\x7fi\r"), nil, "echo").Wait()
	if err != nil || res.ExitCode != 0 || res.Stdout != "hx\b \bi\r\nhi\r\n" {
		t.Errorf("got %+v, %v", res, err)
	}
}

// Control-C reaches who is in the foreground, and no one else.
func TestTerminalInterrupts(t *testing.T) {
	var g unixGuest
	g.on()
	g.step(
		g.spawn("/bin/sleeper", 0, 1), g.handle(int(engine.SIGTTOU), 0), g.must("sig_action", int(engine.SIGTTOU), 1, 0, outAt),
		g.must("tty_pgrp_set", 0, load(keepAt)), g.print("ready\n"), g.wait(), g.exit(load(outAt+4)))
	sb := unixSandbox(t, &g, engine.Limits{})
	keys, typed := io.Pipe()
	said := make(chan struct{}, 64)
	p := startTTY(t, sb, keys, signalWriter(said), "g")
	<-said
	if _, err := typed.Write([]byte{3}); err != nil {
		t.Error(err)
	}
	if res, err := p.Wait(); err != nil || res.ExitCode != sigint {
		t.Errorf("got %+v, %v", res, err)
	}
	typed.Close()
}

// A background process that reads from the terminal is stopped.
func TestTerminalStopsReaders(t *testing.T) {
	var g unixGuest
	g.step(g.spawn("/bin/echo", 0, 1), g.must("proc_wait", -1, 2, outAt), g.exit(cat(load(outAt+4), i32Const(8), shiftU)))
	sb := unixSandbox(t, &g, engine.Limits{})
	res, err := startTTY(t, sb, strings.NewReader("x\n"), nil, "g").Wait()
	if err != nil || res.ExitCode != int(engine.SIGTTIN) {
		t.Errorf("got %+v, %v", res, err)
	}
}

// The session's end hangs up on what it leaves behind, and the size is there to be changed.
func TestTerminalHangsUp(t *testing.T) {
	var g unixGuest
	g.step(
		g.must("tty_size_get", 1, outAt), g.print("ready\n"), g.handle(int(engine.SIGWINCH), 0),
		g.spawn("/bin/sleeper", 0, 0), g.ignore("sig_suspend", 0), g.must("tty_size_get", 1, outAt), g.exit(load(outAt)))
	g.on()
	sb := unixSandbox(t, &g, engine.Limits{Processes: 2})
	said := make(chan struct{}, 64)
	p := startTTY(t, sb, nil, signalWriter(said), "g")
	<-said
	done := make(chan struct{})
	go func() { // ends with the process
		defer close(done)
		for rows := uint16(1); ; rows++ {
			select {
			case <-p.Done():
				return
			default:
				p.Resize(rows%50+30, 0)
			}
		}
	}()
	res, err := p.Wait()
	<-done
	if err != nil || res.ExitCode == 0 || res.ExitCode == 24 {
		t.Errorf("got %+v, %v", res, err)
	}
	// The sleeper is gone: there is room for it and its parent again.
	for isLimit(err, engine.LimitProcesses) || err == nil {
		if res, err = run(t, sb, "g"); err == nil {
			break
		}
	}
	if res.ExitCode != 100+59 { // ENOTTY
		t.Errorf("without a terminal: got %+v, %v", res, err)
	}
}
