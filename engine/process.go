package engine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"runtime/debug"
	"strings"
	"time"

	"github.com/belljar-dev/belljar/wasi"
)

// Command says what to start.
type Command struct {
	Args []string // the program, as a path or a name looked for in PATH, then its arguments
	Env  []string // "KEY=value", over the sandbox's
	Dir  string   // working directory; "" is the user's home folder
	// Stdin is read as the guest asks for input; nil is empty. A Read that is under way when the process ends is
	// left behind, so an *os.File or a pipe should be closed by its owner.
	Stdin io.Reader
	// Stdout and Stderr get output as it is written, from one goroutine; nil keeps it for the Result.
	Stdout, Stderr io.Writer
}

// Result is how a process ended.
type Result struct {
	ExitCode  int    // 137 when it was killed
	Stdout    string // what Command.Stdout did not take
	Stderr    string
	Truncated bool // output was cut at the limit
	Usage     Usage
}

// killedExitCode is a shell's status of a process that SIGKILL ended.
const killedExitCode = 128 + 9

// errKilled is what ends a process that its holder killed.
var errKilled = errors.New("process was killed")

// Process is a running or ended program. Its methods are safe for concurrent use.
type Process struct {
	sandbox *Sandbox
	program *program
	loaded  *loadedProgram
	cmd     Command
	env     []string

	ctx            context.Context // ends with the process's life; its cause says why
	stop           context.CancelCauseFunc
	meter          meter
	out            outputMeter
	stdout, stderr stream
	memory, peak   int64 // bytes of linear memory; of the process's goroutine

	done   chan struct{} // closed after result and err are set
	result Result
	err    error
}

// Wait waits for the process's end. The Result is filled even beside an error.
func (p *Process) Wait() (Result, error) {
	<-p.done
	return p.result, p.err
}

// Done is closed when the process has ended.
func (p *Process) Done() <-chan struct{} { return p.done }

// Kill ends the process; Wait then answers an error. It does not wait.
func (p *Process) Kill() { p.stop(errKilled) }

// newProcess finds the program, loads it and enters the process into the sandbox. The caller must run it.
func (sb *Sandbox) newProcess(ctx context.Context, cmd Command) (*Process, error) {
	p, err := sb.prepare(ctx, cmd)
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", commandName(cmd), err)
	}
	return p, nil
}

func commandName(cmd Command) string {
	if len(cmd.Args) == 0 {
		return "process"
	}
	return cmd.Args[0]
}

func (sb *Sandbox) prepare(ctx context.Context, cmd Command) (*Process, error) {
	if err := context.Cause(ctx); err != nil {
		return nil, err
	}
	p := &Process{sandbox: sb, cmd: cmd, env: sb.env, done: make(chan struct{})}
	if len(cmd.Env) > 0 {
		if err := checkEnv(cmd.Env); err != nil {
			return nil, err
		}
		p.env = mergeEnv(sb.env, cmd.Env)
	}
	if cmd.Dir == "" {
		p.cmd.Dir = homeDir
	}
	if err := sb.enter(p); err != nil {
		return nil, err
	}
	if err := p.open(ctx); err != nil {
		sb.leave(p)
		return nil, err
	}
	return p, nil
}

// enter counts the process in. It also makes the function that stops it, which Close may call from then on.
func (sb *Sandbox) enter(p *Process) error {
	sb.mu.Lock()
	defer sb.mu.Unlock()
	if sb.closed {
		return ErrClosed
	}
	if len(sb.processes) >= sb.limits.Processes {
		return &LimitError{Limit: LimitProcesses, Max: int64(sb.limits.Processes)}
	}
	p.ctx, p.stop = context.WithCancelCause(context.Background())
	sb.processes[p] = struct{}{}
	sb.ended.Add(1)
	return nil
}

func (sb *Sandbox) leave(p *Process) {
	p.stop(nil)
	sb.mu.Lock()
	delete(sb.processes, p)
	sb.mu.Unlock()
	sb.ended.Done()
}

// open finds and loads the program.
func (p *Process) open(ctx context.Context) (err error) {
	if info, err := p.sandbox.tree.Stat(p.cmd.Dir); err != nil {
		return fmt.Errorf("working directory: %w", err)
	} else if !info.IsDir() || !path.IsAbs(p.cmd.Dir) {
		return fmt.Errorf("working directory: %s is not the absolute path of a directory", p.cmd.Dir)
	}
	if p.program, err = p.find(); err != nil {
		return err
	}
	if p.loaded, err = p.program.load(ctx, func(string) {}); err != nil {
		return err
	}
	sb := p.sandbox
	p.meter.max, p.meter.clock = sb.limits.Ticks, sb.clock
	p.out.max, p.out.stop = sb.limits.Output, p.stop
	p.stdout.meter, p.stdout.w = &p.out, p.cmd.Stdout
	p.stderr.meter, p.stderr.w = &p.out, p.cmd.Stderr
	return nil
}

// find resolves the command's name in the sandbox's tree.
func (p *Process) find() (*program, error) {
	if len(p.cmd.Args) == 0 || p.cmd.Args[0] == "" {
		return nil, errors.New("the command is empty")
	}
	name := p.cmd.Args[0]
	if strings.Contains(name, "/") {
		return p.programAt(name)
	}
	for dir := range strings.SplitSeq(getenv(p.env, "PATH"), ":") {
		prog, err := p.programAt(path.Join(dir, name))
		if !errors.Is(err, ErrNotFound) {
			return prog, err
		}
	}
	return nil, fmt.Errorf("%w in PATH", ErrNotFound)
}

func getenv(env []string, key string) string {
	for _, kv := range env {
		if k, v, _ := strings.Cut(kv, "="); k == key {
			return v
		}
	}
	return ""
}

func (p *Process) programAt(name string) (*program, error) {
	if !path.IsAbs(name) {
		name = path.Join(p.cmd.Dir, name)
	}
	info, err := p.sandbox.tree.Stat(name)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNotFound, err)
	}
	if !info.Mode().IsRegular() || info.Mode()&0o111 == 0 || info.Size() > int64(len(programReference)+65) {
		return nil, fmt.Errorf("%s: %w", name, ErrNotExecutable)
	}
	content, err := p.sandbox.tree.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("read program: %w", err)
	}
	prog := p.sandbox.image.programs[programDigest(content)]
	if prog == nil {
		return nil, fmt.Errorf("%s: %w", name, ErrNotExecutable)
	}
	return prog, nil
}

// run lives the process's life. It is called once.
func (p *Process) run(ctx context.Context) {
	sb := p.sandbox
	start := time.Now()
	unlink := context.AfterFunc(ctx, func() { p.stop(context.Cause(ctx)) })
	wall := time.AfterFunc(sb.limits.Wall, func() { p.stop(&LimitError{Limit: LimitWall, Max: int64(sb.limits.Wall)}) })
	code, err := p.execute()
	unlink()
	wall.Stop()

	p.result = Result{
		ExitCode: code, Stdout: p.stdout.text(), Stderr: p.stderr.text(),
		Truncated: p.out.written.Load() > p.out.max,
		Usage: Usage{
			Wall: time.Since(start), Ticks: p.meter.used.Load(), Memory: p.peak,
			Output: min(p.out.written.Load(), p.out.max),
		},
	}
	if err != nil {
		p.result.ExitCode = killedExitCode
		p.err = fmt.Errorf("%s: %w", commandName(p.cmd), err)
	}
	files := sb.tree.Usage()
	p.result.Usage.Disk, p.result.Usage.Files = files.Bytes, files.Files
	sb.ticks.Add(p.result.Usage.Ticks)
	sb.output.Add(p.result.Usage.Output)
	sb.wall.Add(int64(p.result.Usage.Wall))
	sb.leave(p)
	close(p.done)
}

// execute runs the guest from its first instruction to its last.
func (p *Process) execute() (code int, err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("%w: %v\n%s", ErrInternal, v, debug.Stack())
		}
	}()
	defer func() { p.sandbox.memory.shrink(p.memory) }()
	in, cold, err := p.instance()
	if err != nil {
		return 0, err
	}
	host, err := wasi.NewHost(p.world())
	if err != nil {
		in.release(true)
		return 0, err
	}
	ctx := wasi.Bind(&meterContext{p.ctx, &p.meter}, host)
	p.meter.begin(in.fuel)
	status, err := p.call(ctx, in, cold)
	p.meter.settle()
	cerr := host.Close()
	in.release(err == nil)
	if err != nil {
		return 0, p.cause(err)
	}
	if cerr != nil {
		return 0, fmt.Errorf("close descriptors: %w", cerr)
	}
	return int(status), nil
}

func (p *Process) call(ctx context.Context, in *instance, cold bool) (uint32, error) {
	if err := p.ctx.Err(); err != nil {
		return 0, &wasi.Canceled{Cause: context.Cause(p.ctx)}
	}
	if cold {
		if err := in.initialize(ctx); err != nil {
			return 0, err
		}
	}
	return in.call(ctx, in.entry)
}

// world is what the guest sees.
func (p *Process) world() wasi.Config {
	sb := p.sandbox
	cfg := wasi.Config{
		Args: p.cmd.Args, Env: p.env, Dir: p.cmd.Dir, Tree: sb.tree,
		Stdin: p.cmd.Stdin, Stdout: &p.stdout, Stderr: &p.stderr,
		Clock: hostClock{boot: sb.engine.boot, start: time.Now()}, Random: sb.random, MaxFiles: sb.limits.OpenFiles,
	}
	if sb.clock != nil {
		cfg.Clock = replayProcessClock{sb.clock, &p.meter}
	}
	return cfg
}

// instance takes an instance from a pool, or makes one. cold says that the module has yet to be initialised.
func (p *Process) instance() (in *instance, cold bool, err error) {
	from := p.loaded.cold
	if w := p.program.def.Warm; w != nil && p.loaded.warm != nil && (w.Accepts == nil || w.Accepts(p.cmd.Args, p.env)) {
		from = p.loaded.warm
	}
	need := int64(from.image.size)
	if !p.grow(uint64(need)) {
		return nil, false, fmt.Errorf("%w: the program alone needs %s", &LimitError{Limit: LimitMemory, Max: p.sandbox.limits.Memory}, formatBytes(need))
	}
	if in = from.take(); in == nil {
		in, err = newInstance(p.ctx, p.sandbox.engine.runtime, p.loaded, from, entryName(p.program.def))
		if err != nil {
			return nil, false, err
		}
	}
	if in.memory != nil {
		in.memory.mayGrow = p.grow
	}
	return in, from == p.loaded.cold, nil
}

func entryName(def *Program) string {
	if def.Entry == "" {
		return "_start"
	}
	return def.Entry
}

// grow asks the sandbox for memory. Only the process's goroutine calls it.
func (p *Process) grow(n uint64) bool {
	if !p.sandbox.memory.grow(int64(n)) {
		return false
	}
	p.memory += int64(n)
	p.peak = max(p.peak, p.memory)
	return true
}

// cause says why a guest that did not end by itself ended.
func (p *Process) cause(err error) error {
	var canceled *wasi.Canceled
	var fault *wasi.Panic
	switch {
	case errors.As(err, &canceled):
		return canceled.Cause
	case errors.As(err, &fault):
		return fmt.Errorf("%w: %v\n%s", ErrInternal, fault.Value, fault.Stack)
	case strings.HasPrefix(err.Error(), "wasm error: "), isStackOverflow(err):
		return trapError(err)
	}
	return fmt.Errorf("%w: %w", ErrInternal, err)
}

func isStackOverflow(err error) bool { return err.Error() == "stack overflow" }
