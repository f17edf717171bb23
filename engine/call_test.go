package engine_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/netip"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/belljar-dev/belljar/engine"
)

// hostProgram is a program that is a function.
func hostProgram(path string, f func(context.Context, *engine.Call) int) engine.Program {
	return engine.Program{Path: path, Func: f}
}

// callSandbox makes a sandbox with the helpers, a guest "g" (nil: none) and functions.
func callSandbox(
	t *testing.T, g *unixGuest, limits engine.Limits, funcs map[string]func(context.Context, *engine.Call) int,
) *engine.Sandbox {
	t.Helper()
	im := engine.Image{Name: "calls", Programs: helpers()}
	if g != nil {
		im.Programs = append(im.Programs, g.program("/bin/g"))
	}
	for name, f := range funcs {
		im.Programs = append(im.Programs, hostProgram("/bin/"+name, f))
	}
	eng, err := engine.New(engine.Config{Images: []engine.Image{im}, NoCache: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := eng.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := eng.Warm(t.Context(), "", nil); err != nil {
		t.Fatal(err)
	}
	return create(t, eng, engine.Spec{Limits: limits})
}

type funcs = map[string]func(context.Context, *engine.Call) int

// upper copies its input in capitals.
func upper(_ context.Context, c *engine.Call) int {
	b, err := io.ReadAll(c.Stdin)
	if err != nil {
		fmt.Fprintln(c.Stderr, err)
		return 1
	}
	if _, err := c.Stdout.Write(bytes.ToUpper(b)); err != nil {
		return 2
	}
	return 0
}

// wait waits for its end.
func wait(ctx context.Context, _ *engine.Call) int {
	<-ctx.Done()
	return 9
}

func TestCallRunsFromTheHost(t *testing.T) {
	sb := callSandbox(t, nil, engine.Limits{}, funcs{
		"upper": upper,
		"tell": func(_ context.Context, c *engine.Call) int {
			fmt.Fprintln(c.Stdout, c.Args, c.Dir, c.Getenv("K"), c.Abs("x/../y"), c.PID() > 1, len(c.Env) > 3)
			fmt.Fprint(c.Stderr, "err")
			return 300 + 7
		},
	})
	res, err := sb.Run(t.Context(), engine.Command{Args: []string{"upper"}, Stdin: strings.NewReader("abc")})
	if err != nil || res.ExitCode != 0 || res.Stdout != "ABC" {
		t.Errorf("got %+v, %v", res, err)
	}
	res, err = sb.Run(t.Context(), engine.Command{Args: []string{"tell", "a b"}, Env: []string{"K=v"}, Dir: "/tmp"})
	if err != nil || res.ExitCode != 307&0xff || res.Stdout != "[tell a b] /tmp v /tmp/y true true\n" || res.Stderr != "err" {
		t.Errorf("got %+v, %v", res, err)
	}
}

// hello | upper, by a guest.
func TestCallInPipelines(t *testing.T) {
	var g unixGuest
	dup, closing := i32Const(0), i32Const(1)
	g.step(
		g.must("fd_pipe", 0, pipeAt),
		action(0, dup, load(pipeAt+4), i32Const(1)), action(1, closing, load(pipeAt), i32Const(0)),
		action(2, closing, load(pipeAt+4), i32Const(0)), g.spawn("/bin/hello", 3, 0),
		action(0, dup, load(pipeAt), i32Const(0)), action(1, closing, load(pipeAt+4), i32Const(0)),
		g.spawn("/bin/upper", 2, 0),
		g.must("fd_close", load(pipeAt)), g.must("fd_close", load(pipeAt+4)),
		g.wait(), g.wait(), g.exitCode())
	res, err := run(t, callSandbox(t, &g, engine.Limits{}, funcs{"upper": upper}), "g")
	if err != nil || res.ExitCode != 0 || res.Stdout != "HELLO\n" {
		t.Errorf("got %+v, %v", res, err)
	}
}

// A guest executes a function in its own place, through a script, and another after a fork.
func TestCallIsExecuted(t *testing.T) {
	var g unixGuest
	g.fork().step(
		load(keepAt), eqz, ifThen(g.must("proc_exec", "/tmp/script", args("script", "1"), "", "")),
		g.wait(), g.must("proc_exec", "/bin/f", args("f", "2"), args("A=b"), "/tmp"))
	sb := callSandbox(t, &g, engine.Limits{}, funcs{"f": func(_ context.Context, c *engine.Call) int {
		fmt.Fprintln(c.Stdout, c.Args, c.Env, c.Dir)
		return 4
	}})
	if err := sb.Files().WriteFile("/tmp/script", []byte("#!/bin/f -x\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	res, err := run(t, sb, "g")
	want := "[/bin/f -x /tmp/script 1] [] /home/user\n[f 2] [A=b] /tmp\n"
	if err != nil || res.ExitCode != 4 || res.Stdout != want {
		t.Errorf("got %+v, %v", res, err)
	}
}

func TestCallFiles(t *testing.T) {
	sb := callSandbox(t, nil, engine.Limits{Disk: 1 << 20}, funcs{"f": func(_ context.Context, c *engine.Call) int {
		if err := c.Files.WriteFile("/etc/passwd", nil, 0o644); !errors.Is(err, fs.ErrPermission) {
			fmt.Fprintln(c.Stdout, "passwd:", err)
		}
		if err := c.Files.WriteFile(c.Abs("big"), make([]byte, 2<<20), 0o644); err == nil {
			fmt.Fprintln(c.Stdout, "no quota")
		}
		if err := c.Files.Remove(c.Abs("big")); err != nil {
			fmt.Fprintln(c.Stdout, err)
		}
		if err := c.Files.WriteFile(c.Abs("mine"), []byte("x"), 0o666); err != nil {
			fmt.Fprintln(c.Stdout, err)
		}
		return 0
	}})
	res, err := run(t, sb, "f")
	if err != nil || res.Stdout != "" {
		t.Errorf("got %+v, %v", res, err)
	}
	if info, err := sb.Files().Stat("/home/user/mine"); err != nil || info.Mode() != 0o644 {
		t.Errorf("got %v, %v", info, err)
	}
}

func TestCallEnds(t *testing.T) {
	sb := callSandbox(t, nil, engine.Limits{Wall: 100 * time.Millisecond, Output: 1000, Ticks: 1 << 40}, funcs{
		"wait": wait,
		"read": func(_ context.Context, c *engine.Call) int {
			_, _ = io.ReadAll(c.Stdin)
			return 0
		},
		"fill": func(_ context.Context, c *engine.Call) int {
			for {
				if _, err := c.Stdout.Write(make([]byte, 100)); err != nil {
					return 0
				}
			}
		},
		"work": func(_ context.Context, c *engine.Call) int {
			for c.Charge(1<<30) == nil {
			}
			return 0
		},
	})
	r, w := io.Pipe()
	defer w.Close()
	for name, limit := range map[string]engine.Limit{
		"wait": engine.LimitWall, "read": engine.LimitWall, "fill": engine.LimitOutput, "work": engine.LimitTicks,
	} {
		res, err := sb.Run(t.Context(), engine.Command{Args: []string{name}, Stdin: r})
		if !isLimit(err, limit) || res.ExitCode != 137 {
			t.Errorf("%s: got %+v, %v", name, res, err)
		}
		if name == "fill" && (len(res.Stdout) != 1000 || !res.Truncated) {
			t.Errorf("fill: %d bytes, %v", len(res.Stdout), res.Truncated)
		}
		if name == "work" && res.Usage.Ticks < 1<<40 {
			t.Errorf("work: %+v", res.Usage)
		}
	}
}

func TestCallSignals(t *testing.T) {
	sb := callSandbox(t, nil, engine.Limits{}, funcs{"wait": wait})
	for _, sig := range []engine.Signal{engine.SIGTERM, engine.SIGKILL, engine.SIGINT} {
		p, err := sb.Start(t.Context(), engine.Command{Args: []string{"wait"}})
		if err != nil {
			t.Fatal(err)
		}
		if list := sb.Processes(); len(list) != 1 || list[0].PID != p.PID() || list[0].Args[0] != "wait" {
			t.Errorf("got %+v", list)
		}
		if err := p.Signal(sig); err != nil {
			t.Error(err)
		}
		if res, err := p.Wait(); err != nil || res.ExitCode != 128+int(sig) {
			t.Errorf("%v: got %+v, %v", sig, res, err)
		}
	}
}

// A stopped process stands still at its next write, and goes on when it is continued.
func TestCallStops(t *testing.T) {
	var wrote sync.WaitGroup
	wrote.Add(1)
	once := sync.OnceFunc(wrote.Done)
	sb := callSandbox(t, nil, engine.Limits{Output: 1 << 40}, funcs{"tick": func(ctx context.Context, c *engine.Call) int {
		for ctx.Err() == nil {
			if _, err := c.Stdout.Write([]byte("x")); err != nil {
				break
			}
			once()
		}
		return 0
	}})
	p, err := sb.Start(t.Context(), engine.Command{Args: []string{"tick"}, Stdout: io.Discard})
	if err != nil {
		t.Fatal(err)
	}
	wrote.Wait()
	state := func(want byte) {
		for deadline := time.Now().Add(10 * time.Second); sb.Processes()[0].State != want; runtime.Gosched() {
			if time.Now().After(deadline) {
				t.Fatalf("the state is %c, not %c", sb.Processes()[0].State, want)
			}
		}
	}
	for range 3 {
		if err := p.Signal(engine.SIGSTOP); err != nil {
			t.Fatal(err)
		}
		state('T')
		if err := p.Signal(engine.SIGCONT); err != nil {
			t.Fatal(err)
		}
		state('R')
	}
	p.Kill()
	<-p.Done()
}

// A program that nobody reads from dies of SIGPIPE.
func TestCallBrokenPipe(t *testing.T) {
	var g unixGuest
	g.step(
		g.must("fd_pipe", 1, pipeAt), action(0, i32Const(0), load(pipeAt+4), i32Const(1)), g.spawn("/bin/yes", 1, 0),
		g.must("fd_close", load(pipeAt)), g.wait(), g.exit(load(outAt+4)))
	got := make(chan error, 1)
	res, err := run(t, callSandbox(t, &g, engine.Limits{}, funcs{"yes": func(_ context.Context, c *engine.Call) int {
		for {
			if _, err := c.Stdout.Write([]byte("y\n")); err != nil {
				got <- err
				return 0
			}
		}
	}}), "g")
	if err != nil || res.ExitCode != int(engine.SIGPIPE) {
		t.Errorf("got %+v, %v", res, err)
	}
	if err := <-got; !errors.Is(err, io.ErrClosedPipe) {
		t.Error(err)
	}
}

func TestCallPanics(t *testing.T) {
	var g unixGuest
	g.step(g.spawn("/bin/panic", 0, 0), g.wait(), g.exitCode())
	sb := callSandbox(t, &g, engine.Limits{}, funcs{
		"panic":  func(context.Context, *engine.Call) int { panic("planted") },
		"goexit": func(context.Context, *engine.Call) int { runtime.Goexit(); return 0 },
	})
	for _, name := range []string{"panic", "goexit", "g"} {
		res, err := run(t, sb, name)
		if !errors.Is(err, engine.ErrInternal) || res.ExitCode != 137 {
			t.Errorf("%s: got %+v, %v", name, res, err)
		}
	}
	if res, err := run(t, sb, "hello"); err != nil || res.Stdout != "hello\n" {
		t.Errorf("afterwards: got %+v, %v", res, err)
	}
}

func TestCallStartsPrograms(t *testing.T) {
	sb := callSandbox(t, nil, engine.Limits{Processes: 3}, funcs{
		"upper": upper,
		"outer": func(ctx context.Context, c *engine.Call) int {
			status, err := c.Run(ctx, engine.Command{Args: []string{"hello"}})
			fmt.Fprintln(c.Stdout, status, err)
			var out bytes.Buffer
			status, err = c.Run(ctx, engine.Command{Args: []string{"upper"}, Stdin: strings.NewReader("in"), Stdout: &out})
			fmt.Fprintln(c.Stdout, status, err, out.String())
			status, err = c.Run(ctx, engine.Command{Args: []string{"/bin/seven"}})
			fmt.Fprintln(c.Stdout, status, err)
			_, err = c.Run(ctx, engine.Command{Args: []string{"nothing"}})
			fmt.Fprintln(c.Stdout, errors.Is(err, engine.ErrNotFound))
			_, err = c.Run(ctx, engine.Command{Args: []string{"hello"}, Dir: "/nowhere"})
			fmt.Fprintln(c.Stdout, errors.Is(err, fs.ErrNotExist))
			short, cancel := context.WithTimeout(ctx, 20*time.Millisecond)
			defer cancel()
			status, err = c.Run(short, engine.Command{Args: []string{"spinner"}})
			fmt.Fprintln(c.Stdout, status, err)
			if len(c.Args) < 4 { // a chain of itself ends at the limit of processes
				_, err = c.Run(ctx, engine.Command{Args: append([]string{"outer"}, c.Args...)})
				if err != nil {
					fmt.Fprintln(c.Stdout, err)
				}
			}
			return 0
		},
	})
	res, err := run(t, sb, "outer", "1", "2")
	want := "hello\n0 <nil>\n0 <nil> IN\n7 <nil>\ntrue\ntrue\n137 context deadline exceeded\n"
	if err != nil || !strings.HasPrefix(res.Stdout, want+want) || len(sb.Processes()) != 0 {
		t.Errorf("got %+v, %v, %+v", res, err, sb.Processes())
	}
}

// Close ends functions and what they have started, wherever they are, and waits for them.
func TestCallCloseRaces(t *testing.T) {
	var g unixGuest
	for i := range 20 {
		sb := callSandbox(t, &g, engine.Limits{}, funcs{
			"busy": func(ctx context.Context, c *engine.Call) int {
				var wg sync.WaitGroup
				for _, work := range []func() error{
					func() error { _, err := c.Stdout.Write([]byte("x")); return err },
					func() error { _, err := c.Stdin.Read(make([]byte, 1)); return err },
					func() error { return c.Files.WriteFile(c.Abs("f"), []byte("x"), 0o644) },
					func() error { return c.Charge(10) },
					func() error { _, err := c.Run(ctx, engine.Command{Args: []string{"spinner"}}); return err },
					func() error {
						l, err := c.Listen(netip.MustParseAddrPort("127.0.0.1:0"))
						if err == nil {
							_, err = l.Accept()
						}
						return err
					},
				} {
					wg.Go(func() {
						for ctx.Err() == nil && work() == nil {
						}
					})
				}
				<-ctx.Done()
				wg.Wait()
				return 0
			},
		})
		r, w := io.Pipe()
		p, err := sb.Start(t.Context(), engine.Command{Args: []string{"busy"}, Stdin: r, Stdout: io.Discard})
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Duration(i) * time.Millisecond)
		if i%2 == 0 {
			p.Kill()
		}
		if err := sb.Close(); err != nil {
			t.Error(err)
		}
		if _, err := p.Wait(); err == nil {
			t.Error("no error")
		}
		w.Close()
	}
}

// What a function keeps of its Call beyond its end is of no use, and does no harm.
func TestCallAfterItsEnd(t *testing.T) {
	kept := make(chan *engine.Call, 1)
	sb := callSandbox(t, nil, engine.Limits{}, funcs{"f": func(_ context.Context, c *engine.Call) int { kept <- c; return 0 }})
	if _, err := run(t, sb, "f"); err != nil {
		t.Fatal(err)
	}
	c := <-kept
	if _, err := c.Stdout.Write([]byte("x")); err == nil {
		t.Error("wrote")
	}
	if _, err := c.Stdin.Read(make([]byte, 1)); err == nil || err == io.EOF {
		t.Error(err)
	}
	if _, err := c.Run(t.Context(), engine.Command{Args: []string{"hello"}}); err == nil {
		t.Error("ran")
	}
	if _, err := c.Listen(netip.MustParseAddrPort("127.0.0.1:0")); err == nil {
		t.Error("listens")
	}
	if err := c.Charge(1); err == nil {
		t.Error("charged")
	}
}

func TestDial(t *testing.T) {
	for _, at := range []string{"127.0.0.1:8080", "[::1]:8080", "0.0.0.0:8080"} {
		ready := make(chan struct{})
		sb := callSandbox(t, nil, engine.Limits{}, funcs{"serve": func(_ context.Context, c *engine.Call) int {
			l, err := c.Listen(netip.MustParseAddrPort(at))
			close(ready)
			if err != nil {
				return 1
			}
			conn, err := l.Accept()
			if err != nil {
				return 2
			}
			_, err = io.Copy(conn, conn)
			if err != nil || conn.Close() != nil {
				return 3
			}
			return 0
		}})
		if _, err := sb.Dial(t.Context(), 8080); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("nobody listens: %v", err)
		}
		p, err := sb.Start(t.Context(), engine.Command{Args: []string{"serve"}})
		if err != nil {
			t.Fatal(err)
		}
		<-ready
		conn, err := sb.Dial(t.Context(), 8080)
		if err != nil {
			t.Fatal(at, err)
		}
		fmt.Fprint(conn, "ping")
		if err := conn.(interface{ CloseWrite() error }).CloseWrite(); err != nil {
			t.Error(err)
		}
		if b, err := io.ReadAll(conn); string(b) != "ping" || err != nil {
			t.Errorf("%s: %q %v", at, b, err)
		}
		if res, err := p.Wait(); err != nil || res.ExitCode != 0 {
			t.Errorf("%s: %+v %v", at, res, err)
		}
		// The listener went with its process.
		if _, err := sb.Dial(t.Context(), 8080); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("after the end: %v", err)
		}
		if _, err := sb.Dial(t.Context(), 0); err == nil {
			t.Error("port 0")
		}
	}
}

func TestCallTerminal(t *testing.T) {
	sb := callSandbox(t, nil, engine.Limits{}, funcs{"size": func(_ context.Context, c *engine.Call) int {
		rows, cols, ok := c.Terminal(1)
		fmt.Fprintln(c.Stdout, rows, cols, ok)
		b := make([]byte, 10)
		n, err := c.Stdin.Read(b)
		fmt.Fprintf(c.Stdout, "%q %v\n", b[:n], err)
		return 0
	}})
	var out bytes.Buffer
	p := startTTY(t, sb, strings.NewReader("line\n"), &out, "size")
	if res, err := p.Wait(); err != nil || res.ExitCode != 0 {
		t.Errorf("got %+v, %v", res, err)
	}
	if got := out.String(); !strings.Contains(got, "24 80 true") || !strings.Contains(got, `"line\n" <nil>`) {
		t.Errorf("%q", got)
	}
}

func TestBadFuncs(t *testing.T) {
	p := hostProgram("/bin/f", wait)
	p.Entry = "run"
	if _, err := engine.New(engine.Config{Images: []engine.Image{{Name: "x", Programs: []engine.Program{p}}}, NoCache: true}); err == nil {
		t.Error("took a function with an entry")
	}
}

// A guest asks a service of its program; another program's guest has none.
func TestServices(t *testing.T) {
	ask := func() *unixGuest {
		var g unixGuest
		g.step(g.sys("host_call", "shout", "quiet", outAt), setLocal, getLocal, ifThen(g.exit(cat(getLocal, i32Const(100), add))),
			g.must("host_take", bufferAt, 6), store(bufferAt+8, i32Const(bufferAt)), store(bufferAt+12, i32Const(6)),
			g.must("fd_write", 1, bufferAt+8, 1, outAt))
		return &g
	}
	with := ask().program("/bin/with")
	with.Services = map[string]func(context.Context, *engine.Call, []byte) ([]byte, error){
		"shout": func(_ context.Context, c *engine.Call, request []byte) ([]byte, error) {
			if c.Args[0] == "panic" {
				panic("planted")
			}
			return append(bytes.ToUpper(request), '!'), nil
		},
	}
	g := ask()
	g.data = append(g.data, 0) // or it would be the same program
	im := engine.Image{Name: "services", Programs: []engine.Program{with, g.program("/bin/without")}}
	eng, err := engine.New(engine.Config{Images: []engine.Image{im}, NoCache: true})
	if err != nil {
		t.Fatal(err)
	}
	defer eng.Close()
	sb := create(t, eng, engine.Spec{})
	if res, err := run(t, sb, "with"); err != nil || res.Stdout != "QUIET!" {
		t.Errorf("got %+v, %v", res, err)
	}
	if res, err := run(t, sb, "without"); err != nil || res.ExitCode != 144 {
		t.Errorf("got %+v, %v", res, err)
	}
	if err := sb.Files().Symlink("/bin/with", "/bin/panic"); err != nil {
		t.Fatal(err)
	}
	if _, err := run(t, sb, "panic"); !errors.Is(err, engine.ErrInternal) {
		t.Errorf("got %v", err)
	}
}

// A script of the image is a file that its interpreter reads, and needs no module of its own.
func TestScript(t *testing.T) {
	im := engine.Image{Name: "scripts", Programs: append(helpers(), hostProgram("/bin/show", func(_ context.Context, c *engine.Call) int {
		fmt.Fprintln(c.Stdout, strings.Join(c.Args, " "))
		return 3
	}), engine.Program{
		Path: "/bin/script", Links: []string{"/usr/bin/linked"},
		Script: func() ([]byte, error) { return []byte("#!/bin/show -x\n"), nil },
	})}
	eng, err := engine.New(engine.Config{Images: []engine.Image{im}, NoCache: true})
	if err != nil {
		t.Fatal(err)
	}
	defer eng.Close() //nolint:errcheck // nothing is written
	if err := eng.Warm(t.Context(), "", nil); err != nil {
		t.Fatal(err)
	}
	r, err := create(t, eng, engine.Spec{}).Run(t.Context(), engine.Command{Args: []string{"linked", "a"}})
	if want := "/bin/show -x /usr/bin/linked a\n"; err != nil || r.ExitCode != 3 || r.Stdout != want {
		t.Errorf("%v, status %d, %q; want 3 and %q", err, r.ExitCode, r.Stdout, want)
	}

	im.Programs[len(im.Programs)-1].Func = upper
	if eng, err := engine.New(engine.Config{Images: []engine.Image{im}, NoCache: true}); err == nil {
		t.Errorf("a program that is a function and a script was taken")
		_ = eng.Close()
	}
}
