package engine_test

import (
	"context"
	"errors"
	"io"
	"sync"
	"testing"
	"time"

	"github.com/belljar-dev/belljar/engine"
)

// TestAfterClose calls what a closed sandbox has: each call says so, and none waits.
func TestAfterClose(t *testing.T) {
	sb := newSandbox(t, engine.Spec{})
	if _, err := run(t, sb, "hello"); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := sb.Close(); err != nil {
			t.Fatal(err)
		}
	}
	hello := engine.Command{Args: []string{"hello"}}
	for name, call := range map[string]func() error{
		"Run":      func() error { _, err := sb.Run(t.Context(), hello); return err },
		"Start":    func() error { _, err := sb.Start(t.Context(), hello); return err },
		"Eval":     func() error { _, err := sb.Eval(t.Context(), "count", ""); return err },
		"Fork":     func() error { _, err := sb.Fork(t.Context()); return err },
		"Snapshot": func() error { _, err := sb.Snapshot(t.Context()); return err },
		"Session":  func() error { _, err := sb.Session(t.Context(), "s", "count"); return err },
		"Dial":     func() error { _, err := sb.Dial(t.Context(), 80); return err },
	} {
		if err := call(); !errors.Is(err, engine.ErrClosed) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if n := sb.Running(); n != 0 {
		t.Errorf("%d are running", n)
	}
	_, _, _ = sb.Usage(), sb.Spec(), sb.Processes()
}

// TestCloseDuringRun has many Runs under way, some not yet begun, when the sandbox is closed from two sides.
func TestCloseDuringRun(t *testing.T) {
	for range 20 {
		sb := newSandbox(t, engine.Spec{})
		stdin, w := io.Pipe()
		var wg sync.WaitGroup
		for _, name := range []string{"spin", "sleep", "read", "hello", "flood", "spin"} {
			wg.Go(func() {
				_, err := sb.Run(t.Context(), engine.Command{Args: []string{name}, Stdin: stdin})
				var limit *engine.LimitError
				if !errors.Is(err, engine.ErrClosed) && !(name == "hello" && err == nil) && !(name == "flood" && errors.As(err, &limit)) {
					t.Errorf("%s: %v", name, err)
				}
			})
		}
		for range 2 {
			wg.Go(func() {
				if err := sb.Close(); err != nil {
					t.Errorf("close: %v", err)
				}
			})
		}
		wg.Wait()
		w.Close()
	}
}

// TestContextEnds has the context end before, during and after a run.
func TestContextEnds(t *testing.T) {
	sb := newSandbox(t, engine.Spec{})
	why := errors.New("enough")
	before, cancel := context.WithCancelCause(t.Context())
	cancel(why)
	if res, err := sb.Run(before, engine.Command{Args: []string{"hello"}}); !errors.Is(err, why) || res.Stdout != "" {
		t.Errorf("before: %+v, %v", res, err)
	}
	during, cancel := context.WithCancelCause(t.Context())
	p, err := sb.Start(during, engine.Command{Args: []string{"spin"}})
	if err != nil {
		t.Fatal(err)
	}
	cancel(why)
	if res, err := p.Wait(); !errors.Is(err, why) || res.ExitCode != 137 {
		t.Errorf("during: %+v, %v", res, err)
	}
	late, stop := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer stop()
	if _, err := sb.Run(late, engine.Command{Args: []string{"sleep"}}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a deadline: %v", err)
	}
	after, cancel := context.WithCancelCause(t.Context())
	p, err = sb.Start(after, engine.Command{Args: []string{"hello"}})
	if err != nil {
		t.Fatal(err)
	}
	<-p.Done()
	cancel(why)
	for range 2 {
		if res, err := p.Wait(); err != nil || res.Stdout != "hello\n" || res.ExitCode != 3 {
			t.Errorf("after: %+v, %v", res, err)
		}
	}
	if res, err := run(t, sb, "hello"); err != nil || res.Stdout != "hello\n" {
		t.Errorf("the sandbox afterwards: %+v, %v", res, err)
	}
}
