package engine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"time"

	"github.com/belljar-dev/belljar/wasi"
)

// Command says what to start.
type Command struct {
	Args []string // the program, as a path or a name looked for in PATH, then its arguments
	Env  []string // "KEY=value", over the sandbox's
	Dir  string   // working directory; "" is the user's home folder
	// Stdin is read as the guest asks for input; nil is empty. A Read that is under way when the process ends is
	// left behind, so an *os.File or a pipe should be closed by its owner. Processes that are left behind may go on
	// reading.
	Stdin io.Reader
	// Stdout and Stderr get output as it is written, one Write at a time, by none after the process's end; nil keeps
	// it for the Result.
	Stdout, Stderr io.Writer
	// TTY, unless nil, makes a terminal of the standard streams. Stderr is not used then.
	TTY *TTY
}

// Result is how a process ended.
type Result struct {
	ExitCode  int    // 128 + n when signal n ended it, and so 137 when it was killed
	Stdout    string // what Command.Stdout did not take
	Stderr    string
	Truncated bool // output was cut at the limit
	Usage     Usage

	// Of a session's cell alone:
	Value     string     // the last expression's, as text; "" for none
	Parts     []Part     // what was shown, in order, the last expression's value included
	Exception *Exception // what ended the cell early; nil when it reached its end
}

// errKilled is what ends a process that its holder killed.
var errKilled = errors.New("process was killed")

// Process is a running or ended program, and stands for the processes that come of it. Its methods are safe for
// concurrent use.
type Process struct {
	run  *run
	task *task
	cmd  Command

	done   chan struct{} // closed after result and err are set
	result Result
	err    error
}

// Wait waits for the process's end. The Result is filled even beside an error. Processes that it has left behind go
// on, but are heard no more: what they write is dropped.
func (p *Process) Wait() (Result, error) {
	<-p.done
	return p.result, p.err
}

// Done is closed when the process has ended.
func (p *Process) Done() <-chan struct{} { return p.done }

// Kill ends the process and all that came of it; Wait then answers an error. It does not wait.
func (p *Process) Kill() { p.run.stop(errKilled) }

// PID is the process's number in its sandbox.
func (p *Process) PID() int { return p.task.pid }

// Signal sends the process a signal: what it does is the guest's choice. It answers os.ErrProcessDone when the process
// has ended.
func (p *Process) Signal(sig Signal) error {
	if !sig.valid() {
		return fmt.Errorf("signal %d: no such signal", int(sig))
	}
	select {
	case <-p.done:
		return os.ErrProcessDone
	default:
		p.run.sandbox.table.signal(p.task, sig)
		return nil
	}
}

// newProcess finds the program, loads it and enters the process into the sandbox. The caller must run it.
func (sb *Sandbox) newProcess(ctx context.Context, cmd Command) (*Process, error) {
	p, err := sb.prepare(ctx, cmd)
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", commandName(cmd), sb.overtaken(err))
	}
	return p, nil
}

// overtaken answers ErrClosed in place of an error that was met in a sandbox that is half closed.
func (sb *Sandbox) overtaken(err error) error {
	if gone := sb.table.room(true); errors.Is(gone, ErrClosed) {
		return gone
	}
	return err
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
	if cmd.Dir == "" {
		cmd.Dir = homeDir
	}
	if err := sb.table.room(true); err != nil {
		return nil, err
	}
	program, err := sb.resolve(ctx, cmd)
	if err != nil {
		return nil, err
	}
	p := &Process{run: sb.newRun(&cmd), cmd: cmd, done: make(chan struct{})}
	p.task = p.run.newTask()
	if err := p.task.prepare(program, &cmd); err != nil {
		p.run.stop(nil)
		return nil, err
	}
	return p, nil
}

// resolve finds and loads a command's program.
func (sb *Sandbox) resolve(ctx context.Context, cmd Command) (*target, error) {
	t := &target{args: cmd.Args, env: sb.env, dir: cmd.Dir}
	if len(cmd.Env) > 0 {
		if err := checkEnv(cmd.Env); err != nil {
			return nil, err
		}
		t.env = mergeEnv(sb.env, cmd.Env)
	}
	if cmd.TTY != nil {
		t.env = mergeEnv([]string{"TERM=xterm-256color"}, t.env)
	}
	if info, err := sb.tree.Stat(cmd.Dir); err != nil {
		return nil, fmt.Errorf("working directory: %w", err)
	} else if !info.IsDir() || !path.IsAbs(cmd.Dir) {
		return nil, fmt.Errorf("working directory: %s is not the absolute path of a directory", cmd.Dir)
	}
	if len(cmd.Args) == 0 {
		return nil, errors.New("the command is empty")
	}
	if err := sb.find(cmd.Args[0], t); err != nil {
		return nil, err
	}
	_, err := t.load(ctx)
	return t, err
}

// prepare gives the task its program and its world, and enters it into the table.
func (t *task) prepare(program *target, cmd *Command) (err error) {
	sb := t.sandbox
	t.program, t.loaded = program, program.loaded
	cfg := wasi.Config{
		Args: program.args, Env: program.env, Dir: program.dir, Tree: sb.tree,
		Stdin: cmd.Stdin, Stdout: &t.run.stdout, Stderr: &t.run.stderr,
		Clock: t.clock(), Random: sb.random, MaxFiles: sb.limits.OpenFiles, Network: &sb.network, Signals: t, Kernel: t,
		Services: t.serve,
	}
	console := t.run.console
	if console != nil {
		cfg.Stdin, cfg.Stdout, cfg.Stderr = console.Terminal, console.Terminal, console.Terminal
	}
	if t.host, err = wasi.NewHost(cfg); err != nil {
		return err
	}
	if err = t.open(); err == nil {
		err = sb.table.enter(t, nil, 0)
	}
	if err != nil {
		t.abandon()
		return err
	}
	if console != nil {
		console.start(t.run, cmd.Stdin)
		return t.ControlTerminal(console.Terminal)
	}
	return nil
}

// lead lives the life of the run's first process. It is called once.
func (p *Process) lead(ctx context.Context) {
	start := time.Now()
	unwatch := p.run.watch(ctx)
	end := p.task.live()
	if end.err == nil && p.run.ctx.Err() != nil {
		// A limit that one of its children has met counts, however fast it was to end afterwards.
		end = ending{uint32(SIGKILL), context.Cause(p.run.ctx)}
	}
	if end.err != nil {
		p.run.stop(end.err)
		p.err = fmt.Errorf("%s: %w", commandName(p.cmd), end.err)
	}
	p.run.settle()
	unwatch()

	sb, r := p.run.sandbox, p.run
	p.result = Result{
		ExitCode: exitCode(end.status), Stdout: r.stdout.text(), Stderr: r.stderr.text(),
		Truncated: r.out.written.Load() > r.out.max, Usage: r.usage(start),
	}
	r.over.Store(true)
	r.count()
	sb.output.Add(p.result.Usage.Output)
	sb.wall.Add(int64(p.result.Usage.Wall))
	close(p.done)
}

// exitCode is what a shell makes of a wait status.
func exitCode(status uint32) int {
	if sig := status & 0x7f; sig != 0 {
		return 128 + int(sig)
	}
	return int(status >> 8 & 0xff)
}
