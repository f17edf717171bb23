package wasi

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tetratelabs/wazero/sys"

	"github.com/belljar-dev/belljar/vfs"
)

// stuckReader waits until it is released, and then is at its end.
type stuckReader struct{ release chan struct{} }

func (r stuckReader) Read([]byte) (int, error) {
	<-r.release
	return 0, io.EOF
}

// TestCancel ends the context of a guest that is blocked, in each way there is.
func TestCancel(t *testing.T) {
	cause := errors.New("enough")
	for name, block := range map[string]func(g *guest) error{
		"sleep": func(g *guest) error {
			_, err := g.poll(subscription{clock: clockMonotonic, timeout: 3600e9})
			return err
		},
		"poll of input": func(g *guest) error {
			_, err := g.poll(subscription{typ: eventFdRead, fd: 0})
			return err
		},
		"poll of a pipe": func(g *guest) error {
			_, err := g.poll(subscription{typ: eventFdRead, fd: 4}, subscription{clock: clockRealtime, timeout: 3600e9})
			return err
		},
		"read of input": func(g *guest) error {
			list, n := g.iovecs(bufPtr, 10)
			_, err := g.try("fd_read", 0, list, n, outPtr)
			return err
		},
		"read of a pipe": func(g *guest) error {
			list, n := g.iovecs(bufPtr, 10)
			_, err := g.try("fd_read", 4, list, n, outPtr)
			return err
		},
		"write of a pipe": func(g *guest) error {
			list, n := g.iovecs(0, 0x10000, 0, 10)
			_, err := g.try("fd_write", 5, list, n, outPtr)
			return err
		},
	} {
		synctest.Test(t, func(t *testing.T) {
			in := stuckReader{make(chan struct{})}
			defer close(in.release)
			g := newGuest(t, Config{Stdin: in, Tree: vfs.New(vfs.Config{})})
			r, w := NewPipe()
			g.host.files.insert(descriptor{description: newDescription(r, true, false, 0), base: inputRights})
			g.host.files.insert(descriptor{description: newDescription(w, false, true, 0), base: outputRights})
			ctx, cancel := context.WithCancelCause(t.Context())
			g.ctx = Bind(ctx, g.host)
			start, done := time.Now(), make(chan error)
			go func() { done <- block(g) }()
			synctest.Wait()
			cancel(cause)
			err := <-done
			var canceled *Canceled
			if !errors.As(err, &canceled) || !errors.Is(err, cause) {
				t.Errorf("%s: %v", name, err)
			}
			if d := time.Since(start); d > time.Second {
				t.Errorf("%s: canceled after %v", name, d)
			}
			if n := len(r.p.waiters); n != 0 {
				t.Errorf("%s: %d waiters are left", name, n)
			}
		})
	}
}

// TestCanceledBefore begins to block with a context that has ended.
func TestCanceledBefore(t *testing.T) {
	r, _ := NewPipe()
	g := newGuest(t, Config{Stdin: r})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	g.ctx = Bind(ctx, g.host)
	_, err := g.poll(subscription{typ: eventFdRead})
	if !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestInput(t *testing.T) {
	r, w := NewPipe()
	w.Write([]byte("from a pipe"))
	w.Close()
	for _, in := range []io.Reader{
		strings.NewReader("from a pipe"),
		bytes.NewReader([]byte("from a pipe")),
		bytes.NewBufferString("from a pipe"),
		onlyReader{strings.NewReader("from a pipe")},
		r,
	} {
		g := newGuest(t, Config{Stdin: in})
		got := ""
		for {
			s, e := g.scan(0, 4)
			if got += s; s == "" {
				if e != errSuccess {
					t.Errorf("%T: %v", in, e)
				}
				break
			}
		}
		if got != "from a pipe" {
			t.Errorf("%T: %q", in, got)
		}
	}
	g := newGuest(t, Config{})
	if s, e := g.scan(0, 4); s != "" || e != errSuccess {
		t.Errorf("nil: %q %v", s, e)
	}
}

// TestInputTakesOnlyWhatIsWanted leaves what no guest has asked for in the Reader.
func TestInputTakesOnlyWhatIsWanted(t *testing.T) {
	in := strings.NewReader("untouched")
	newGuest(t, Config{Stdin: onlyReader{in}})
	if in.Len() != len("untouched") {
		t.Errorf("%d bytes are left", in.Len())
	}
}

func TestInputNonblock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, w := io.Pipe()
		defer w.Close()
		g := newGuest(t, Config{Stdin: r})
		g.must("fd_fdstat_set_flags", 0, int(flagNonblock))
		if _, e := g.scan(0, 10); e != errAgain {
			t.Errorf("nothing there: %v", e)
		}
		if _, err := w.Write([]byte("x")); err != nil {
			t.Error(err)
		}
		synctest.Wait()
		if got, err := g.poll(subscription{typ: eventFdRead}); got != "0 1" || err != nil {
			t.Error(got, err)
		}
		if s, e := g.scan(0, 10); s != "x" || e != errSuccess {
			t.Errorf("%q %v", s, e)
		}
	})
}

// TestInputPollHasPatience asks once whether there is input that only has to be read.
func TestInputPollHasPatience(t *testing.T) {
	g := newGuest(t, Config{Stdin: onlyReader{strings.NewReader("there")}})
	got, err := g.poll(subscription{typ: eventFdRead}, subscription{clock: clockMonotonic, timeout: uint64(time.Minute)})
	if got != "0 5" || err != nil {
		t.Error(got, err)
	}
}

// TestCloseInterruptsRead closes a Host in whose input a Read waits, and expects the
// Reader to be as good as before.
func TestCloseInterruptsRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, w := net.Pipe()
		host, err := NewHost(Config{Stdin: r, Tree: vfs.New(vfs.Config{})})
		if err != nil {
			t.Fatal(err)
		}
		in := host.standard[0].(*input)
		if _, err := in.take(make([]byte, 1), nil); err != errAgain {
			t.Fatal(err)
		}
		synctest.Wait()
		if err := host.Close(); err != nil {
			t.Error(err)
		}
		if in.reading != nil {
			t.Error("the Read goes on")
		}
		go w.Write([]byte("x"))
		if _, err := r.Read(make([]byte, 1)); err != nil {
			t.Errorf("read after Close: %v", err)
		}
	})
}

type panickingReader struct{}

func (panickingReader) Read([]byte) (int, error) { panic("planted") }

type panickingClock struct{ fakeClock }

func (c *panickingClock) Monotonic() time.Duration { return c.sleeps[0] }

// TestPanic plants panics where the caller's code runs.
func TestPanic(t *testing.T) {
	g := newGuest(t, Config{Stdin: panickingReader{}, Clock: new(panickingClock)})
	list, n := g.iovecs(bufPtr, 1)
	_, err := g.try("fd_read", 0, list, n, outPtr)
	var p *Panic
	if !errors.As(err, &p) || p.Value != "planted" || !bytes.Contains(p.Stack, []byte("panickingReader")) {
		t.Errorf("reader: %v", err)
	}
	_, err = g.try("clock_time_get", 1, 0, outPtr)
	if !errors.As(err, &p) || errors.Unwrap(p) == nil || !bytes.Contains(p.Stack, []byte("panickingClock")) {
		t.Errorf("clock: %v", err)
	}
	g.ctx = t.Context()
	_, err = g.try("sched_yield")
	if !errors.As(err, &p) || !strings.Contains(p.Error(), "Bind") {
		t.Errorf("unbound: %v", err)
	}
}

func TestExit(t *testing.T) {
	for _, c := range []struct {
		call string
		arg  uint32
		want uint32
	}{
		{"proc_exit", 0, 0},
		{"proc_exit", 3, 3},
		{"proc_exit", 0xffffffff, 0xffffffff},
		{"proc_raise", 9, 137},
		{"proc_raise", 6, 134},
	} {
		g := newGuest(t, Config{})
		_, err := g.try(c.call, c.arg)
		exit, ok := err.(*sys.ExitError)
		if !ok || exit.ExitCode() != c.want {
			t.Errorf("%s(%d): %v, want the exit code %d", c.call, c.arg, err, c.want)
		}
	}
}

func TestClosedHost(t *testing.T) {
	g := newGuest(t, Config{})
	if err := g.host.Close(); err != nil {
		t.Fatal(err)
	}
	for fd := range 4 {
		g.want(errBadf, "fd_fdstat_get", fd, outPtr)
	}
	if _, e := g.host.files.insert(descriptor{description: newDescription(newInput(nil), true, false, 0)}); e != errBadf {
		t.Errorf("insert: %v", e)
	}
}

func TestBindBelowAnotherContext(t *testing.T) {
	g := newGuest(t, Config{})
	ctx, cancel := context.WithCancel(g.ctx)
	defer cancel()
	g.ctx = ctx
	g.must("sched_yield")
}

// TestSharedPipe gives one pipe for both outputs, which is closed once both are.
func TestSharedPipe(t *testing.T) {
	r, w := NewPipe()
	g := newGuest(t, Config{Stdout: w, Stderr: w})
	g.print(1, "a")
	g.must("fd_close", 1)
	g.print(2, "b")
	g.must("fd_close", 2)
	if b, err := io.ReadAll(r); string(b) != "ab" || err != nil {
		t.Errorf("%q %v", b, err)
	}
	if _, err := w.Write([]byte("x")); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("after the last close: %v", err)
	}
}
