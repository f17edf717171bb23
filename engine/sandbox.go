package engine

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/belljar-dev/belljar/vfs"
	"github.com/belljar-dev/belljar/wasi"
)

// usualUmask is what processes begin with.
const usualUmask fs.FileMode = 0o022

// Sandbox is a file tree, limits, and the processes that live in it. Close it after use.
type Sandbox struct {
	threads atomic.Int64 // of its processes, beside the first of each

	engine  *Engine
	image   *image
	spec    Spec
	limits  Limits
	env     []string
	tree    *vfs.Tree
	clock   *replayClock // nil under the host's clock
	random  io.Reader
	network wasi.Network // of its processes, in memory
	dialer  *Dialer      // the way out of it

	memory memoryAccount
	ticks  atomic.Int64 // of processes that have ended
	output atomic.Int64
	wall   atomic.Int64 // nanoseconds, summed over processes that have ended

	table    table
	guests   guestPrograms
	sessions sessionSet
	gone     sync.Once // guards the end of the tree

	onSync atomic.Pointer[func() error] // nil: nothing
}

// Usage is what a process or a sandbox has used so far.
type Usage struct {
	Wall   time.Duration // real time from start to end, summed over processes
	Ticks  int64         // work as the meter prices it: instructions, along the dearest path the code could take
	Memory int64         // the most bytes of linear memory at one time
	Output int64         // bytes written to standard output and error
	Disk   int64         // bytes of file content now, beyond the image's
	Files  int64         // files, folders and links now, beyond the image's
	Net    int64         // bytes that the sandbox has sent to and received from outside so far
}

// newSandbox makes a sandbox whose tree is what feed tells over the image's base tree; nil tells nothing.
func (e *Engine) newSandbox(spec Spec, feed func(vfs.Sink) error) (*Sandbox, error) {
	im, err := e.image(spec.Image)
	if err != nil {
		return nil, err
	}
	limits, err := spec.Limits.withDefaults()
	if err != nil {
		return nil, err
	}
	if err := errors.Join(checkEnv(spec.Env), checkNames(spec.Secrets)); err != nil {
		return nil, err
	}
	if err := spec.Network.check(spec.Replay); err != nil {
		return nil, err
	}
	sb, err := e.bareSandbox(im, spec, limits)
	if err != nil {
		return nil, err
	}
	now := time.Now
	if r := spec.Replay; r != nil {
		sb.clock, sb.random = newReplayClock(r.Epoch), newReplayRandom(r.Seed)
		now = sb.clock.now
	}
	base, err := im.tree()
	if err != nil {
		return nil, err
	}
	cfg := vfs.Config{
		MaxBytes: limits.Disk, MaxFiles: limits.Files, Now: now, UID: userID, GID: userID, Umask: usualUmask, Sync: sb.synced,
	}
	if feed == nil {
		sb.tree = base.CloneWith(cfg)
	} else if sb.tree, err = vfs.Restore(base, cfg, feed); err != nil {
		return nil, err
	}
	err = sb.mount(spec.Mounts)
	if err == nil && spec.Replay != nil {
		err = addRandomDevices(sb.tree, sb.random)
	}
	if err != nil {
		_ = sb.tree.Close()
		return nil, err
	}
	return sb, nil
}

// bareSandbox makes a sandbox without a tree.
func (e *Engine) bareSandbox(im *image, spec Spec, limits Limits) (*Sandbox, error) {
	sb := &Sandbox{engine: e, image: im, spec: spec, limits: limits, random: rand.Reader}
	sb.table.open(limits.Processes)
	sb.sessions.byName = map[string]*Session{}
	sb.env = mergeEnv(defaultEnv[:], im.Env, spec.Env)
	sb.memory.max = limits.Memory
	var err error
	if sb.dialer, err = newDialer(e.config, e.log, spec.Network, &sb.network); err != nil {
		return nil, err
	}
	if len(spec.Network.Dial) > 0 {
		sb.network.Outside = sb.dialer
	}
	return sb, nil
}

func (sb *Sandbox) mount(mounts []Mount) error {
	if err := sb.tree.Remount("/proc", procFS{sb}); errors.Is(err, fs.ErrClosed) {
		return ErrClosed
	} else if err != nil {
		return err
	}
	for _, m := range mounts {
		if err := m.check(); err != nil {
			return err
		}
		if err := sb.Files().MkdirAll(m.Path, 0o755); err != nil {
			return fmt.Errorf("mount at %s: %w", m.Path, err)
		}
		if err := sb.tree.MountHost(m.Path, m.Host, !m.ReadWrite); err != nil {
			return fmt.Errorf("mount %s at %s: %w", m.Host, m.Path, err)
		}
	}
	return nil
}

// mergeEnv lays environments over each other, later ones first, sorted by key.
func mergeEnv(envs ...[]string) []string {
	var out []string
	for _, kv := range slices.Backward(slices.Concat(envs...)) {
		k, _, _ := strings.Cut(kv, "=")
		if !slices.ContainsFunc(out, func(have string) bool { return strings.HasPrefix(have, k+"=") }) {
			out = append(out, kv)
		}
	}
	slices.Sort(out)
	return out
}

// Files is the sandbox's tree, for the host: permission bits don't bind it, and what it makes is the sandbox's user's.
// It is closed with the sandbox.
func (sb *Sandbox) Files() *vfs.Tree { return sb.tree.Trusted() }

// OnSync has f called by each fsync of a guest, which returns when f does, with f's error as EIO. So a host that keeps the
// files elsewhere can have them safe by then. f may be called by several goroutines at once.
func (sb *Sandbox) OnSync(f func() error) { sb.onSync.Store(&f) }

func (sb *Sandbox) synced() error {
	if f := sb.onSync.Load(); f != nil {
		return (*f)()
	}
	return nil
}

// Spec answers what the sandbox was created with.
func (sb *Sandbox) Spec() Spec { return sb.spec }

// Usage is what the sandbox has used: of processes that run, memory alone.
func (sb *Sandbox) Usage() Usage {
	files := sb.tree.Usage()
	return Usage{
		Wall: time.Duration(sb.wall.Load()), Ticks: sb.ticks.Load(), Memory: sb.memory.peak.Load(),
		Output: sb.output.Load(), Disk: files.Bytes, Files: files.Files, Net: sb.dialer.used.Load(),
	}
}

// Running answers how many processes run in the sandbox now, in the background or not. Sessions between cells don't
// count.
func (sb *Sandbox) Running() int {
	k := &sb.table
	k.mu.Lock()
	defer k.mu.Unlock()
	n := 0
	for _, t := range k.tasks {
		if !t.resident && t.state != stateZombie {
			n++
		}
	}
	return n
}

// Run starts a program and waits for it. See Start for its errors; the Result is filled even beside an error, and
// the error is nil whenever the guest ended by itself, whatever its exit code.
func (sb *Sandbox) Run(ctx context.Context, cmd Command) (Result, error) {
	p, err := sb.newProcess(ctx, cmd)
	if err != nil {
		return Result{}, err
	}
	p.lead(ctx)
	return p.result, p.err
}

// Start starts a program and does not wait for it. ctx bounds the process's whole life. Errors: ErrClosed,
// ErrNotFound, ErrNotExecutable, a *LimitError for too many processes or too little memory.
func (sb *Sandbox) Start(ctx context.Context, cmd Command) (*Process, error) {
	p, err := sb.newProcess(ctx, cmd)
	if err != nil {
		return nil, err
	}
	go p.lead(ctx) // ends with the guest, which its limits, ctx and Close can end
	return p, nil
}

// Eval runs code in a language of the image, in a process of its own, in the user's home folder.
func (sb *Sandbox) Eval(ctx context.Context, lang, code string) (Result, error) {
	cmd, err := sb.Interpreter(lang, code)
	if err != nil {
		return Result{}, err
	}
	return sb.Run(ctx, cmd)
}

// Dial connects the host to a TCP port that a program of the sandbox listens on, as another program of it would. It waits
// while the program's backlog is full. Nobody listening is an error that errors.Is finds to be syscall.ECONNREFUSED; a
// closed sandbox is ErrClosed. The connection ends with the sandbox at the latest; the caller closes it.
func (sb *Sandbox) Dial(ctx context.Context, port int) (net.Conn, error) {
	if port < 1 || port > math.MaxUint16 {
		return nil, fmt.Errorf("dial port %d: %w", port, fs.ErrInvalid)
	}
	conn, err := sb.network.Dial(ctx, netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), uint16(port)))
	if errors.Is(err, syscall.ECONNREFUSED) {
		if six, err := sb.network.Dial(ctx, netip.AddrPortFrom(netip.IPv6Loopback(), uint16(port))); err == nil {
			return six, nil
		}
	}
	if err != nil {
		return nil, sb.overtaken(err)
	}
	return conn, nil
}

// Close ends every process and session, waits for them and frees the tree. It may be called twice, and while others use the
// sandbox: their calls end with ErrClosed. A process's own writer must not call it: it would wait for itself.
func (sb *Sandbox) Close() error {
	sb.table.close()
	sb.guests.close()
	err := sb.sessions.close()
	sb.gone.Do(func() {
		sb.engine.mu.Lock()
		delete(sb.engine.sandboxes, sb)
		sb.engine.mu.Unlock()
		sb.dialer.close()
		err = errors.Join(err, sb.network.Close(), sb.tree.Close())
	})
	if err != nil {
		return fmt.Errorf("close sandbox: %w", err)
	}
	return nil
}

// memoryAccount bounds the linear memory of a sandbox's processes together.
type memoryAccount struct {
	max        int64
	used, peak atomic.Int64
}

// grow takes n bytes unless they are too many.
func (a *memoryAccount) grow(n int64) bool {
	used := a.used.Add(n)
	if used > a.max {
		a.used.Add(-n)
		return false
	}
	for {
		peak := a.peak.Load()
		if used <= peak || a.peak.CompareAndSwap(peak, used) {
			return true
		}
	}
}

func (a *memoryAccount) shrink(n int64) { a.used.Add(-n) }
