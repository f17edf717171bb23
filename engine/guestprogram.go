package engine

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/belljar-dev/belljar/wasi"
	"github.com/tetratelabs/wazero"
)

// A file of the sandbox that holds a WebAssembly module is a program, too. Nobody vouches for it, so it is compiled
// by a runtime that keeps nothing on disk, one at a time, in the background of who waits for it; the sandbox pays for
// it with ticks and memory.
const (
	wasmMagic          = "\x00asm"
	maxGuestModule     = 16 << 20 // bytes
	guestTicksPerByte  = 1000 * ticksPerNanosecond
	guestMemoryPerByte = 8 // what the compiled code takes, about
)

// guestCompiler compiles an engine's guest programs. It is opened by the first.
type guestCompiler struct {
	turn    sync.Mutex     // of the one that compiles
	pending sync.WaitGroup // compilations, those in line included
	runtime wazero.Runtime // under turn until it is there, then constant
	cache   wazero.CompilationCache
}

// open makes the runtime. Preconditions: c.turn is held.
func (c *guestCompiler) open() (err error) {
	if c.runtime == nil {
		c.cache = wazero.NewCompilationCache()
		c.runtime, err = newRuntime(c.cache)
	}
	return err
}

// close waits for what is being compiled. No program runs any more.
func (c *guestCompiler) close() error {
	c.pending.Wait()
	if c.runtime == nil {
		return nil
	}
	ctx := context.Background()
	return errors.Join(c.runtime.Close(ctx), c.cache.Close(ctx))
}

// guestPrograms are a sandbox's own, by digest.
type guestPrograms struct {
	mu       sync.Mutex
	closed   bool
	byDigest map[string]*guestProgram
}

// guestProgram is a program of a sandbox.
type guestProgram struct {
	program
	size      int64
	once      sync.Once
	ready     chan struct{} // closed when the compilation is over, and
	err       error         // this says why it failed
	abandoned atomic.Bool   // the sandbox is closed
}

// guestProgram answers the program in a file.
func (sb *Sandbox) guestProgram(name string) (*program, error) {
	f, err := sb.tree.Trusted().Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if info.Size() > maxGuestModule {
		return nil, refuse(wasi.ENOEXEC, "%s: %w: a module of more than %s", name, ErrNotExecutable, formatBytes(maxGuestModule))
	}
	module := make([]byte, info.Size())
	if n, err := f.ReadAt(module, 0); n < len(module) {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	sum := sha256.Sum256(module)
	return sb.guests.get(sb, name, hex.EncodeToString(sum[:]), module)
}

func (g *guestPrograms) get(sb *Sandbox, name, digest string, module []byte) (*program, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case g.closed:
		return nil, ErrClosed
	case sb.image.programs[digest] != nil: // the image's own, copied out of it
		return sb.image.programs[digest], nil
	case g.byDigest[digest] != nil:
		return &g.byDigest[digest].program, nil
	case !sb.memory.grow(int64(len(module)) * guestMemoryPerByte):
		return nil, &LimitError{Limit: LimitMemory, Max: sb.limits.Memory}
	}
	p := &guestProgram{size: int64(len(module)), ready: make(chan struct{})}
	p.program = program{engine: sb.engine, image: sb.image, guest: p, def: &Program{
		Path: name, Digest: digest, Module: func() ([]byte, error) { return module, nil },
	}}
	if g.byDigest == nil {
		g.byDigest = map[string]*guestProgram{}
	}
	g.byDigest[digest] = p
	return &p.program, nil
}

// close forgets the programs. None of them runs.
func (g *guestPrograms) close() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.closed = true
	for _, p := range g.byDigest {
		p.abandoned.Store(true)
		if p.mu.TryLock() { // otherwise it is being compiled, and forgotten then
			p.mu.Unlock()
			p.close()
		}
	}
}

// load compiles the program unless that is done. ticks is what it costs who caused that.
func (p *guestProgram) load(ctx context.Context) (l *loadedProgram, ticks int64, err error) {
	p.once.Do(func() {
		ticks = p.size * guestTicksPerByte
		p.engine.guests.pending.Add(1)
		go p.compile() // ends with the compilation, which the engine's end waits for
	})
	select {
	case <-p.ready:
	case <-ctx.Done():
		return nil, ticks, context.Cause(ctx)
	}
	if p.err != nil {
		return nil, ticks, p.err
	}
	l, err = p.program.load(ctx, func(string) {})
	return l, ticks, err
}

func (p *guestProgram) compile() {
	c := &p.engine.guests
	defer c.pending.Done()
	defer close(p.ready)
	c.turn.Lock()
	defer c.turn.Unlock()
	if p.abandoned.Load() {
		p.err = ErrClosed
		return
	}
	if p.err = c.open(); p.err != nil {
		return
	}
	l, err := p.program.load(context.Background(), func(string) {})
	if err == nil {
		err = l.try(c.runtime, p.def)
	}
	if err != nil {
		p.err = refuse(wasi.ENOEXEC, "%w: %w", ErrNotExecutable, err)
	}
	if p.abandoned.Load() {
		p.close()
	}
}

// try makes an instance, which shows whether that can be done, and keeps it for the first process.
func (l *loadedProgram) try(r wazero.Runtime, def *Program) error {
	in, err := newInstance(context.Background(), r, l, l.cold, entryName(def))
	if err != nil {
		return err
	}
	if in.memory == nil {
		in.close()
		return errors.New("the module has no memory")
	}
	in.release(true)
	return nil
}

// refused is why a command can't be started, with the number that a guest is told.
type refused struct {
	error
	errno wasi.Errno
}

func (r *refused) Unwrap() []error { return []error{r.error, r.errno} }

func refuse(e wasi.Errno, format string, args ...any) error {
	return &refused{fmt.Errorf(format, args...), e}
}
