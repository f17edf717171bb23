package engine_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/belljar-dev/belljar/engine"
)

// guests are the programs of the test image, by the name of their file in /bin.
func guests() map[string]guest {
	run := func(body ...[]byte) []guestFunc { return []guestFunc{{"run", 0, cat(body...)}} }
	return map[string]guest{
		"hello": {[]wasiImport{fdWrite}, "hello\n", run(write(0, 1, 0, 6), i32Const(3))},
		"spin":  {nil, "", run(loop(br(0)), i32Const(0))},
		// Calls itself twice, 64 levels deep, and has no loop: memory[0] is the depth.
		"chain": {nil, "", run(
			i32Const(0), i32Load(0), i32Const(64), eq, ifThen(i32Const(0), ret),
			i32Const(0), i32Const(0), i32Load(0), i32Const(1), add, i32Store(0),
			call(0), drop, call(0), drop,
			i32Const(0), i32Const(0), i32Load(0), i32Const(-1), add, i32Store(0), i32Const(0))},
		"deep":  {nil, "", run(call(0), i32Const(1), add)},
		"trap":  {nil, "", run(trap, i32Const(0))},
		"flood": {[]wasiImport{fdWrite}, "0123456789abcdef", run(loop(write(0, 1, 0, 16), br(0)), i32Const(0))},
		"sleep": {[]wasiImport{pollOne}, "", run(sleep(0, int64(time.Hour)), i32Const(0))},
		"read": {[]wasiImport{fdRead}, "", run(i32Const(64), i32Const(512), i32Store(0), i32Const(64), i32Const(16), i32Store(4),
			i32Const(0), i32Const(64), i32Const(1), i32Const(72), call(0), drop, i32Const(72), i32Load(0))},
		// Grows until it is refused; answers the pages it has.
		"grow":   {nil, "", run(loop(i32Const(1), growMemory, i32Const(-1), eq, eqz, []byte{0x0d, 0}), sizeMemory)},
		"random": {[]wasiImport{randomGet, fdWrite}, "", run(i32Const(0), i32Const(16), call(0), drop, write(1, 1, 0, 16), i32Const(0))},
		"clock": {[]wasiImport{clockTime, fdWrite}, "", run(i32Const(0), i64Const(1), i32Const(0), call(0), drop,
			write(1, 1, 0, 8), i32Const(0))},
		// Warm sets memory[16] and the global; run counts both up and answers their sum.
		"warm": {nil, "", []guestFunc{
			{"run", 0, cat(
				i32Const(16), i32Const(16), i32Load(0), i32Const(1), add, i32Store(0),
				getGlobal, i32Const(1), add, setGlobal,
				i32Const(1), growMemory, drop, i32Const(131072+8), i32Const(5), i32Store(0),
				i32Const(16), i32Load(0), getGlobal, add)},
			{"warm", 0, cat(i32Const(16), i32Const(100), i32Store(0), i32Const(40), setGlobal, i32Const(0))},
		}},
	}
}

func testImage() engine.Image {
	im := engine.Image{Name: "test", Langs: map[string][]string{"count": {"warm"}}}
	for n, g := range guests() {
		var warm *engine.Warm
		if n == "warm" {
			warm = &engine.Warm{Entry: "warm", Accepts: func(args, _ []string) bool { return len(args) < 3 }}
		}
		im.Programs = append(im.Programs, g.program("/bin/"+n, warm))
	}
	return im
}

func newEngine(t *testing.T) *engine.Engine {
	t.Helper()
	eng, err := engine.New(engine.Config{Images: []engine.Image{testImage()}, NoCache: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := eng.Close(); err != nil {
			t.Error(err)
		}
	})
	return eng
}

func newSandbox(t *testing.T, spec engine.Spec) *engine.Sandbox {
	t.Helper()
	return create(t, newEngine(t), spec)
}

func create(t *testing.T, eng *engine.Engine, spec engine.Spec) *engine.Sandbox {
	t.Helper()
	sb, err := eng.Create(t.Context(), spec)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = sb.Close() })
	return sb
}

func run(t *testing.T, sb *engine.Sandbox, args ...string) (engine.Result, error) {
	t.Helper()
	return sb.Run(t.Context(), engine.Command{Args: args})
}

func TestRun(t *testing.T) {
	sb := newSandbox(t, engine.Spec{})
	for range 3 {
		res, err := run(t, sb, "hello")
		if err != nil || res.Stdout != "hello\n" || res.ExitCode != 3 || res.Truncated {
			t.Errorf("got %+v, %v", res, err)
		}
	}
	if u := sb.Usage(); u.Output != 18 || u.Ticks < 0 || u.Memory < 128<<10 {
		t.Errorf("usage %+v", u)
	}
}

func TestWarmStateIsEveryRunsOwn(t *testing.T) {
	eng := newEngine(t)
	for range 2 {
		sb := create(t, eng, engine.Spec{})
		for range 5 {
			if res, err := sb.Eval(t.Context(), "count", "x"); err != nil || res.ExitCode != 101+41 {
				t.Fatalf("warm: got %+v, %v", res, err)
			}
		}
		if res, err := run(t, sb, "warm", "not", "accepted"); err != nil || res.ExitCode != 1+8 {
			t.Fatalf("cold: got %+v, %v", res, err)
		}
	}
}

func TestLimitsStop(t *testing.T) {
	limits := engine.Limits{Wall: 50 * time.Millisecond, Output: 1000}
	ticks := engine.Limits{Ticks: 1_000_000}
	for _, c := range []struct {
		guest  string
		limits engine.Limits
		want   engine.Limit
	}{
		{"spin", limits, engine.LimitWall},
		{"chain", limits, engine.LimitWall},
		{"sleep", limits, engine.LimitWall},
		{"read", limits, engine.LimitWall},
		{"spin", ticks, engine.LimitTicks},
		{"chain", ticks, engine.LimitTicks},
		{"flood", limits, engine.LimitOutput},
	} {
		t.Run(c.guest+" "+string(c.want), func(t *testing.T) {
			sb := newSandbox(t, engine.Spec{Limits: c.limits})
			stdin, w := io.Pipe()
			defer w.Close()
			res, err := sb.Run(t.Context(), engine.Command{Args: []string{c.guest}, Stdin: stdin})
			var limit *engine.LimitError
			if !errors.As(err, &limit) || limit.Limit != c.want {
				t.Fatalf("got %v, want the %s limit", err, c.want)
			}
			if res.ExitCode != 137 {
				t.Errorf("exit code %d", res.ExitCode)
			}
			if over := res.Usage.Ticks - c.limits.Ticks; c.want == engine.LimitTicks && (over < 0 || over > 1000) {
				t.Errorf("stopped after %d ticks, want %d and the price of one check", res.Usage.Ticks, c.limits.Ticks)
			}
			if c.want == engine.LimitOutput && (!res.Truncated || len(res.Stdout) != 1000) {
				t.Errorf("kept %d bytes, truncated %v", len(res.Stdout), res.Truncated)
			}
		})
	}
}

func TestTicksAreDeterministic(t *testing.T) {
	eng := newEngine(t)
	var first int64
	for i := range 3 {
		res, err := run(t, create(t, eng, engine.Spec{Limits: engine.Limits{Ticks: 300_000}}), "chain")
		if err == nil {
			t.Fatal("not stopped")
		}
		if i == 0 {
			first = res.Usage.Ticks
		}
		if res.Usage.Ticks != first {
			t.Errorf("%d ticks, then %d", first, res.Usage.Ticks)
		}
	}
}

func TestMemoryLimitRefuses(t *testing.T) {
	sb := newSandbox(t, engine.Spec{Limits: engine.Limits{Memory: 10 * 65536}})
	for range 2 { // the second time tells whether the first gave its memory back
		if res, err := run(t, sb, "grow"); err != nil || res.ExitCode != 10 || res.Usage.Memory != 10*65536 {
			t.Errorf("got %+v, %v", res, err)
		}
	}
	small := newSandbox(t, engine.Spec{Limits: engine.Limits{Memory: 65536}})
	var limit *engine.LimitError
	if _, err := run(t, small, "grow"); !errors.As(err, &limit) || limit.Limit != engine.LimitMemory {
		t.Errorf("program larger than the limit: %v", err)
	}
}

func TestTraps(t *testing.T) {
	sb := newSandbox(t, engine.Spec{})
	for name, reason := range map[string]string{"trap": "unreachable", "deep": "stack overflow"} {
		var trapped *engine.TrapError
		if _, err := run(t, sb, name); !errors.As(err, &trapped) || trapped.Reason != reason {
			t.Errorf("%s: %v", name, err)
		}
	}
	if res, err := run(t, sb, "hello"); err != nil || res.Stdout != "hello\n" {
		t.Errorf("after the traps: %+v, %v", res, err)
	}
}

// panicWriter is a fault of the host's: a writer that panics inside a host function.
type panicWriter struct{}

func (panicWriter) Write([]byte) (int, error) { panic("planted") }

func TestHostPanicStaysInItsSandbox(t *testing.T) {
	eng := newEngine(t)
	bad, good := create(t, eng, engine.Spec{}), create(t, eng, engine.Spec{})
	_, err := bad.Run(t.Context(), engine.Command{Args: []string{"hello"}, Stdout: panicWriter{}})
	if !errors.Is(err, engine.ErrInternal) || !strings.Contains(err.Error(), "planted") || !strings.Contains(err.Error(), "panicWriter") {
		t.Errorf("got %v, want ErrInternal with the panic and its stack", err)
	}
	for _, sb := range []*engine.Sandbox{bad, good} {
		if res, err := run(t, sb, "hello"); err != nil || res.Stdout != "hello\n" {
			t.Errorf("afterwards: %+v, %v", res, err)
		}
	}
}

func TestCancel(t *testing.T) {
	sb := newSandbox(t, engine.Spec{})
	why := errors.New("changed my mind")
	ctx, cancel := context.WithCancelCause(t.Context())
	for _, name := range []string{"spin", "sleep"} {
		p, err := sb.Start(ctx, engine.Command{Args: []string{name}})
		if err != nil {
			t.Fatal(err)
		}
		defer func() {
			if _, err := p.Wait(); !errors.Is(err, why) {
				t.Errorf("%s: %v", name, err)
			}
		}()
	}
	cancel(why)
	if _, err := sb.Run(ctx, engine.Command{Args: []string{"hello"}}); !errors.Is(err, why) {
		t.Errorf("run under a cancelled context: %v", err)
	}
}

func TestKill(t *testing.T) {
	sb := newSandbox(t, engine.Spec{})
	p, err := sb.Start(t.Context(), engine.Command{Args: []string{"spin"}})
	if err != nil {
		t.Fatal(err)
	}
	p.Kill()
	if res, err := p.Wait(); err == nil || res.ExitCode != 137 {
		t.Errorf("got %+v, %v", res, err)
	}
}

func TestClose(t *testing.T) {
	eng := newEngine(t)
	sb := create(t, eng, engine.Spec{})
	var procs []*engine.Process
	for _, name := range []string{"spin", "sleep"} {
		p, err := sb.Start(t.Context(), engine.Command{Args: []string{name}})
		if err != nil {
			t.Fatal(err)
		}
		procs = append(procs, p)
	}
	for range 2 {
		if err := sb.Close(); err != nil {
			t.Fatal(err)
		}
	}
	for _, p := range procs {
		if _, err := p.Wait(); !errors.Is(err, engine.ErrClosed) {
			t.Errorf("ended by Close: %v", err)
		}
	}
	if _, err := sb.Eval(t.Context(), "count", ""); !errors.Is(err, engine.ErrClosed) {
		t.Errorf("Eval after Close: %v", err)
	}
	if err := eng.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := eng.Create(t.Context(), engine.Spec{}); !errors.Is(err, engine.ErrClosed) {
		t.Errorf("Create after Close: %v", err)
	}
}

func TestRandomnessAndReplay(t *testing.T) {
	eng := newEngine(t)
	once := func(spec engine.Spec, name string) string {
		res, err := run(t, create(t, eng, spec), name)
		if err != nil {
			t.Fatal(err)
		}
		return res.Stdout
	}
	replay := func(seed uint64) engine.Spec { return engine.Spec{Replay: &engine.Replay{Seed: seed}} }
	if a, b := once(engine.Spec{}, "random"), once(engine.Spec{}, "random"); a == b {
		t.Errorf("two sandboxes drew the same bytes %x", a)
	}
	if a, b := once(replay(1), "random"), once(replay(1), "random"); a != b {
		t.Errorf("one seed drew %x and %x", a, b)
	}
	if a, b := once(replay(1), "random"), once(replay(2), "random"); a == b {
		t.Errorf("two seeds drew the same bytes %x", a)
	}
	if a, b := once(replay(1), "clock"), once(replay(1), "clock"); a != b {
		t.Errorf("one seed read the times %x and %x", a, b)
	}
	if res, err := run(t, create(t, eng, replay(1)), "sleep"); err != nil || res.Usage.Wall > time.Minute {
		t.Errorf("an hour's sleep under Replay: %+v, %v", res, err)
	}
}

func TestProcessesLimit(t *testing.T) {
	sb := newSandbox(t, engine.Spec{Limits: engine.Limits{Processes: 2}})
	for range 2 {
		p, err := sb.Start(t.Context(), engine.Command{Args: []string{"sleep"}})
		if err != nil {
			t.Fatal(err)
		}
		defer p.Kill()
	}
	var limit *engine.LimitError
	if _, err := run(t, sb, "hello"); !errors.As(err, &limit) || limit.Limit != engine.LimitProcesses {
		t.Errorf("third process: %v", err)
	}
}

func TestBadSpecsAndCommands(t *testing.T) {
	eng := newEngine(t)
	for name, spec := range map[string]engine.Spec{
		"image":     {Image: "nope"},
		"limit":     {Limits: engine.Limits{Memory: -1}},
		"limit2":    {Limits: engine.Limits{Processes: -1}},
		"env":       {Env: []string{"novalue"}},
		"mount":     {Mounts: []engine.Mount{{Host: t.TempDir(), Path: "relative"}}},
		"mount2":    {Mounts: []engine.Mount{{Host: t.TempDir() + "/missing", Path: "/mnt"}}},
		"mount3":    {Mounts: []engine.Mount{{Path: "/mnt"}}},
		"rootmount": {Mounts: []engine.Mount{{Host: t.TempDir(), Path: "/"}}},
	} {
		if sb, err := eng.Create(t.Context(), spec); err == nil {
			sb.Close()
			t.Errorf("%s: created", name)
		}
	}
	sb := create(t, eng, engine.Spec{})
	for _, c := range []struct {
		cmd  engine.Command
		want error
	}{
		{engine.Command{}, nil},
		{engine.Command{Args: []string{"nope"}}, engine.ErrNotFound},
		{engine.Command{Args: []string{"/nope"}}, engine.ErrNotFound},
		{engine.Command{Args: []string{"/etc/passwd"}}, engine.ErrNotExecutable},
		{engine.Command{Args: []string{"/etc"}}, engine.ErrNotExecutable},
		{engine.Command{Args: []string{"hello"}, Dir: "/nope"}, nil},
		{engine.Command{Args: []string{"hello"}, Env: []string{"=x"}}, nil},
	} {
		if _, err := sb.Run(t.Context(), c.cmd); err == nil || c.want != nil && !errors.Is(err, c.want) {
			t.Errorf("%+v: %v", c.cmd, err)
		}
	}
	if _, err := sb.Eval(t.Context(), "cobol", ""); !errors.Is(err, engine.ErrUnknownLanguage) {
		t.Errorf("unknown language: %v", err)
	}
}

func TestProgramsAreFiles(t *testing.T) {
	sb := newSandbox(t, engine.Spec{})
	content, err := sb.Files().ReadFile("/bin/hello")
	if err != nil {
		t.Fatal(err)
	}
	if err := sb.Files().WriteFile("/home/user/copy", content, 0o755); err != nil {
		t.Fatal(err)
	}
	if res, err := run(t, sb, "./copy"); err != nil || res.Stdout != "hello\n" {
		t.Errorf("copied program: %+v, %v", res, err)
	}
}

func TestStreams(t *testing.T) {
	sb := newSandbox(t, engine.Spec{})
	var out bytes.Buffer
	res, err := sb.Run(t.Context(), engine.Command{Args: []string{"hello"}, Stdout: &out})
	if err != nil || out.String() != "hello\n" || res.Stdout != "" {
		t.Errorf("got %q and %+v, %v", out.String(), res, err)
	}
	res, err = sb.Run(t.Context(), engine.Command{Args: []string{"read"}, Stdin: strings.NewReader("12345")})
	if err != nil || res.ExitCode != 5 {
		t.Errorf("read: %+v, %v", res, err)
	}
}
