package engine

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/netip"
	"path"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"github.com/belljar-dev/belljar/vfs"
	"github.com/belljar-dev/belljar/wasi"
)

// Call is one process of a Program.Func: what it was started with, and what it can reach. All of it is the sandbox's;
// nothing of the host is. It is safe for concurrent use, and of no use after the function's return.
type Call struct {
	Args []string // the program's name first
	Env  []string // "KEY=value"
	Dir  string   // the working directory when the program began, absolute
	// Stdin, Stdout and Stderr are descriptors 0 to 2, whatever they are open on. A call that waits ends with the process.
	// Reading what isn't open is fs.ErrClosed; writing where nobody reads is io.ErrClosedPipe, and SIGPIPE.
	Stdin          io.Reader
	Stdout, Stderr io.Writer
	Files          *vfs.Tree // the sandbox's, as its user; relative names start at /, see Abs
	Random         io.Reader // the sandbox's randomness

	task *task
	ctx  context.Context // the process's, bound to its descriptors

	mu      sync.Mutex
	closers []io.Closer // to be closed with the process
	over    bool
}

// Descriptor answers one of the process's descriptors, to read from or to write to. It need not be open.
func (c *Call) Descriptor(fd int) io.ReadWriter { return callStream{c, uint32(fd)} }

// callStream is a descriptor of a Call.
type callStream struct {
	call *Call
	fd   uint32
}

func (s callStream) Read(b []byte) (int, error) {
	return s.call.task.host.Read(s.call.ctx, s.fd, b)
}

func (s callStream) Write(b []byte) (int, error) {
	return s.call.task.host.Write(s.call.ctx, s.fd, b)
}

// PID is the process's number in its sandbox.
func (c *Call) PID() int { return c.task.pid }

// Getenv answers a variable of the environment, or "".
func (c *Call) Getenv(key string) string { return getenv(c.Env, key) }

// Abs answers a path as Files takes it: relative ones start at Dir. It takes ".." for the parent by name.
func (c *Call) Abs(name string) string {
	if path.IsAbs(name) {
		return path.Clean(name)
	}
	return path.Join(c.Dir, name)
}

// Now is the sandbox's time of day.
func (c *Call) Now() time.Time { return c.task.sandbox.now() }

// Terminal answers the size in characters of the terminal that a descriptor is open on, and whether there is one.
func (c *Call) Terminal(fd int) (rows, cols int, ok bool) {
	r, co, ok := c.task.host.TerminalSize(uint32(fd))
	return int(r), int(co), ok
}

// Charge counts work that was done, or is about to be, against the limit of ticks; see Usage. A tick is about a
// nanosecond's work of a guest. It waits while the process is stopped, and answers the cause once it is to end: so a long
// computation should call it now and then, a few hundred times a second.
func (c *Call) Charge(ticks int64) error {
	if ticks < 0 {
		ticks = 0
	}
	m := &c.task.meter
	if m.clock != nil {
		m.clock.ticks.Add(ticks)
	}
	m.used.Add(ticks)
	if m.run.used.Add(ticks) >= m.run.max {
		m.run.stop(&LimitError{Limit: LimitTicks, Max: m.run.max})
	}
	return c.task.host.Attend(c.ctx)
}

// Dialer answers what the sandbox's programs may reach, by its Network: see Sandbox.Dialer.
func (c *Call) Dialer() *Dialer { return c.task.sandbox.Dialer() }

// Listen listens on a TCP port of the sandbox's loopback interface, for its programs and Sandbox.Dial; port 0 is any
// that is free. The listener is closed with the process.
func (c *Call) Listen(at netip.AddrPort) (net.Listener, error) {
	l, err := c.task.sandbox.network.Listen(at)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.over {
		_ = l.Close()
		return nil, net.ErrClosed
	}
	c.closers = append(c.closers, l)
	return l, nil
}

// close lets go of what was opened for the process.
func (c *Call) close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.over = true
	for _, each := range c.closers {
		_ = each.Close()
	}
}

// Run starts another program as a child of this process and waits for it. It has the process's environment under
// cmd.Env, its directory unless cmd.Dir says another, and its own standard streams where cmd has nil. cmd.TTY is not
// used. When ctx ends, the child is killed. Children that it leaves behind go on, and what they write to cmd's writers
// is dropped. The status is what a shell makes of its end; the error says why it could not be started, or that ctx has
// ended. It counts against the limits of the Run that the process belongs to.
func (c *Call) Run(ctx context.Context, cmd Command) (status int, err error) {
	child, out, err := c.start(ctx, &cmd)
	if err != nil {
		return 0, fmt.Errorf("start %s: %w", commandName(cmd), err)
	}
	ended := make(chan ending, 1)
	go func() { ended <- child.live() }() // ends with the program, which its limits, its run, Close and ctx can end
	var end ending
	select {
	case end = <-ended:
	case <-ctx.Done():
		err = context.Cause(ctx)
	case <-c.ctx.Done():
		err = context.Cause(c.ctx)
	}
	if err != nil {
		c.task.sandbox.table.signal(child, SIGKILL)
		end = <-ended
	}
	out.close()
	c.task.sandbox.table.reap(c.task, child.pid, 0)
	return exitCode(end.status), err
}

// start makes the child, which its caller lets live, and the gate of its output.
func (c *Call) start(ctx context.Context, cmd *Command) (*task, *gate, error) {
	if len(cmd.Args) == 0 {
		return nil, nil, fmt.Errorf("the command is empty")
	}
	if err := checkEnv(cmd.Env); err != nil {
		return nil, nil, err
	}
	s := wasi.Start{Path: cmd.Args[0], Args: cmd.Args, Env: mergeEnv(c.Env, cmd.Env), Dir: c.Abs(cmd.Dir)}
	if info, err := c.Files.Stat(s.Dir); err != nil {
		return nil, nil, fmt.Errorf("working directory: %w", err)
	} else if !info.IsDir() {
		return nil, nil, fmt.Errorf("working directory: %s: %w", s.Dir, vfs.ErrNotDir)
	}
	p, err := c.task.target(ctx, s, c.task.sandbox.find)
	if err != nil {
		return nil, nil, err
	}
	out := &gate{}
	child, err := c.task.bear(p, s, func(h *wasi.Host) error {
		if cmd.Stdin != nil {
			if err := h.SetInput(0, cmd.Stdin); err != nil {
				return err
			}
		}
		for i, w := range [...]io.Writer{cmd.Stdout, cmd.Stderr} {
			if w == nil {
				continue
			}
			if err := h.SetOutput(uint32(i+1), gatedWriter{out, w}); err != nil {
				return err
			}
		}
		return nil
	})
	return child, out, err
}

// gate lets writers be written to by one at a time, and not at all once it is closed.
type gate struct {
	mu     sync.Mutex // held during a Write
	closed bool
}

func (g *gate) close() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.closed = true
}

type gatedWriter struct {
	*gate
	w io.Writer
}

func (w gatedWriter) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return len(b), nil
	}
	return w.w.Write(b)
}

// funcDigest stands for a Func where a module's digest would.
func funcDigest(path string) string {
	sum := sha256.Sum256([]byte("belljar-func\x00" + path))
	return hex.EncodeToString(sum[:])
}

// newCall is the task as the host's own code sees it.
func (t *task) newCall() *Call {
	c := &Call{
		Args: slices.Clone(t.program.args), Env: slices.Clone(t.program.env), Dir: t.program.dir,
		Files:  t.sandbox.tree.As(vfs.User{UID: userID, GID: userID, Umask: t.host.Umask()}),
		Random: t.sandbox.random, task: t, ctx: wasi.Bind(t.ctx, t.host),
	}
	c.Stdin, c.Stdout, c.Stderr = callStream{c, 0}, callStream{c, 1}, callStream{c, 2}
	return c
}

// serve answers host_call by the program's Services.
func (t *task) serve(ctx context.Context, name string, request []byte) ([]byte, error) {
	service := t.program.program.def.Services[name]
	if service == nil {
		return nil, fs.ErrNotExist
	}
	c := t.newCall()
	defer c.close()
	return service(ctx, c, request)
}

// runFunc runs a program that is a function of the host's.
func (t *task) runFunc(f func(context.Context, *Call) int) (uint32, error) {
	c := t.newCall()
	defer c.close()
	defer context.AfterFunc(t.ctx, c.close)() // so that who waits in Accept can return
	status, err := perform(t.ctx, f, c)
	switch {
	case err != nil:
		t.run.stop(fmt.Errorf("%w: %w\n%s", ErrInternal, err, err.Stack))
		return 0, err
	case t.ctx.Err() != nil:
		return 0, &wasi.Canceled{Cause: context.Cause(t.ctx)}
	}
	return uint32(status) & 0xff, nil
}

// perform calls f on a goroutine of its own, which ends with it: so even runtime.Goexit ends only that. The error is
// what kept f from returning.
func perform(ctx context.Context, f func(context.Context, *Call) int, c *Call) (status int, err *wasi.Panic) {
	done := make(chan struct{})
	go func() {
		returned := false
		defer close(done)
		defer func() {
			if v := recover(); v != nil || !returned {
				err = &wasi.Panic{Value: v, Stack: debug.Stack()}
			}
		}()
		status = f(ctx, c)
		returned = true
	}()
	<-done
	return status, err
}
