package wasi

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/belljar-dev/belljar/vfs"
)

const (
	// maxArguments bounds the arguments and the environment, each, in bytes with
	// their terminators, as ARG_MAX does on Linux.
	maxArguments    = 2 << 20
	defaultMaxFiles = 1024
	defaultUmask    = 0o022
	// maxMaxFiles keeps a table from taking more memory than a process is worth.
	maxMaxFiles = 1 << 20
)

// Config describes one process's world. Of the zero value only Tree must be set.
type Config struct {
	Args []string // argv, with the program's name first; no NUL inside, at most 2 MiB
	Env  []string // "K=V", in the order the guest sees; no NUL inside, at most 2 MiB
	Dir  string   // the working directory, an absolute path; empty means "/"

	// Tree is the file system. The caller owns it, and closes it after the Host.
	Tree *vfs.Tree
	// Preopens are the directories that paths can start from, as descriptors 3 and up;
	// nil means the Tree's root, as "/".
	Preopens []Preopen

	// Stdin is descriptor 0; nil is empty. A Read that waits doesn't hold up the end
	// of the process: it is interrupted if the Reader has SetReadDeadline as net.Conn
	// does (which Close then resets), or is a PipeReader, which the Host closes. Any
	// other Reader is left with a goroutine in it until its Read returns. Nothing is
	// read before the guest asks, and then 32 KiB at most.
	Stdin io.Reader

	// Stdout and Stderr are descriptors 1 and 2; nil discards. A Write that waits
	// makes the process wait, and even the end of its context waits for it; only a
	// PipeWriter, which the Host closes, is interrupted. A Write error is EIO for the
	// guest, io.ErrClosedPipe is EPIPE. A Writer with a method Released() is told so
	// when the last descriptor of it, of any process, is closed.
	Stdout, Stderr io.Writer

	Clock    Clock     // nil: the host's clocks
	Random   io.Reader // nil: crypto/rand. It must not wait, nor end
	MaxFiles int       // descriptors' numbers are below it, EMFILE beyond; 0 means 1,024

	// Descriptors, unless nil, are what is open at the start instead of the standard
	// streams and the Preopens: what [Host.Descriptors] told of another Host, with Files
	// of this Tree. The Files are the Host's from then on, unless NewHost fails.
	Descriptors []Descriptor

	// Services answers host_call (see ABI.md): it gets the service's name and the
	// request, both its own to keep. An error becomes the guest's errno, ENOENT for
	// fs.ErrNotExist and EIO for what has none. It is called by the guest's goroutine,
	// and must return when ctx ends. nil has no service.
	Services func(ctx context.Context, name string, request []byte) ([]byte, error)

	Network *Network // the sandbox's; nil: making a socket is EACCES. The caller owns it
	Signals Signals  // nil: there are none
	Kernel  Kernel   // answers the calls that concern other processes; nil: they are ENOSYS
}

// Preopen is a directory that a process starts with a descriptor of.
type Preopen struct {
	Path string // of the directory in the Tree, absolute
	Name string // by which the guest knows it, without NUL; "" means Path
}

// Host is one process's side of preview 1. Its methods are safe for concurrent
// use; host functions are called by one guest thread at a time, but for those that
// wait, which let others run meanwhile.
type Host struct {
	args, env   cstrings
	dir         string
	tree        *vfs.Tree
	clock       Clock
	catchUp     func() // see Clock; nil: nothing
	random      io.Reader
	files       table
	pipes       *pipeMemory  // shared with the processes that come from it
	preopens    []descriptor // what every program begins with; each holds a reference
	standard    [3]object    // the streams that it was made with
	services    func(ctx context.Context, name string, request []byte) ([]byte, error)
	answer      []byte // the last service's, for host_take
	owner       uint64 // of record locks; 0 before the first
	network     *Network
	signals     Signals
	kernel      Kernel                 // nil: none
	umask       uint32                 // of what the process makes
	maxFileSize int64                  // one more than SetMaxFileSize said; 0: no limit
	posix       *posix                 // how paths are understood; nil: as preview 1 has it
	blocked     atomic.Pointer[waiter] // the wait that a signal ends
	closing     sync.Once              // guards the end of preopens
	attending   sync.Mutex             // of the one goroutine of a host's own program that looks at its signals

	// gathered is where a small write of several buffers is put together, so that it
	// reaches a pipe or the caller's Writer in one piece.
	gathered []byte
}

// NewHost makes a Host. It fails if the Config is not as its fields demand.
func NewHost(cfg Config) (*Host, error) {
	h, err := newHost(cfg)
	if err != nil {
		return nil, fmt.Errorf("wasi: %w", err)
	}
	h.makeStandard(cfg)
	if err := h.openPreopens(cfg); err != nil {
		return nil, fmt.Errorf("wasi: %w", err)
	}
	if cfg.Descriptors == nil {
		h.openStandard()
		return h, nil
	}
	if err := h.openDescriptors(cfg.Descriptors); err != nil {
		h.releasePreopens()
		return nil, fmt.Errorf("wasi: %w", err)
	}
	return h, nil
}

// newHost makes a Host without descriptors.
func newHost(cfg Config) (*Host, error) {
	h := &Host{dir: cfg.Dir, random: cfg.Random, services: cfg.Services, signals: cfg.Signals}
	h.network, h.pipes = cfg.Network, new(pipeMemory)
	h.tree, h.kernel, h.umask = cfg.Tree, cfg.Kernel, defaultUmask
	if h.dir == "" {
		h.dir = "/"
	}
	if h.setClock(cfg.Clock); h.clock == nil {
		h.setClock(newHostClock())
	}
	if h.random == nil {
		h.random = rand.Reader
	}
	if h.files.max = cfg.MaxFiles; h.files.max == 0 {
		h.files.max = defaultMaxFiles
	}
	if cfg.Tree == nil {
		return nil, errors.New("no Tree")
	}
	if err := h.setProgram(cfg.Args, cfg.Env); err != nil {
		return nil, err
	}
	return h, h.check(cfg)
}

// setProgram sets the arguments and the environment, both or neither.
func (h *Host) setProgram(argv, environ []string) error {
	args, err := newCstrings(argv)
	if err != nil {
		return fmt.Errorf("arguments: %w", err)
	}
	for _, kv := range environ {
		if strings.IndexByte(kv, '=') < 1 {
			return fmt.Errorf("environment: %q is not of the form NAME=value", kv)
		}
	}
	env, err := newCstrings(environ)
	if err != nil {
		return fmt.Errorf("environment: %w", err)
	}
	h.args, h.env = args, env
	return nil
}

func (h *Host) check(cfg Config) error {
	switch {
	case h.dir[0] != '/' || strings.IndexByte(h.dir, 0) >= 0 || len(h.dir) > maxPath:
		return fmt.Errorf("working directory %q: not an absolute path", h.dir)
	case h.files.max < 4 || h.files.max > maxMaxFiles:
		return fmt.Errorf("MaxFiles is %d, and must be from 4 to %d", h.files.max, maxMaxFiles)
	case len(cfg.Preopens)+3 > h.files.max:
		return fmt.Errorf("%d Preopens are too many", len(cfg.Preopens))
	}
	return nil
}

// openPreopens opens the directories that paths start from.
func (h *Host) openPreopens(cfg Config) error {
	list := cfg.Preopens
	if list == nil {
		list = []Preopen{{Path: "/"}}
	}
	for _, p := range list {
		d, err := openPreopen(cfg.Tree, p)
		if err != nil {
			h.releasePreopens()
			return fmt.Errorf("preopen %s: %w", p.Path, err)
		}
		d.refs.Add(1)
		h.preopens = append(h.preopens, d)
	}
	return nil
}

func openPreopen(tree *vfs.Tree, p Preopen) (descriptor, error) {
	if p.Name == "" {
		p.Name = p.Path
	}
	if strings.IndexByte(p.Name, 0) >= 0 || len(p.Name) > maxPath {
		return descriptor{}, fmt.Errorf("the name %q can't be a path", p.Name)
	}
	f, err := tree.Open(p.Path)
	if err != nil {
		return descriptor{}, err
	}
	dir, err := f.Dir()
	if err != nil {
		f.Close() //nolint:errcheck // the first error is the one to tell
		return descriptor{}, err
	}
	return descriptor{
		description: newDescription(&directory{dir: dir, f: f}, false, false, 0),
		base:        dirRights,
		inheriting:  dirRights | fileRights,
		preopen:     p.Name,
	}, nil
}

func (h *Host) releasePreopens() {
	for _, d := range h.preopens {
		d.release() //nolint:errcheck // nothing was written to a directory
	}
	h.preopens = nil
}

// makeStandard makes the three streams.
func (h *Host) makeStandard(cfg Config) {
	h.standard = [...]object{newInput(cfg.Stdin), newOutput(cfg.Stdout), newOutput(cfg.Stderr)}
}

// openStandard opens the streams as descriptors 0 to 2, and the preopens after them.
// There is room.
func (h *Host) openStandard() {
	stdout := newDescription(h.standard[1], false, true, 0)
	stderr := stdout
	// One pipe in both places has one end, to be closed once.
	if _, ok := h.standard[2].(*PipeWriter); !ok || h.standard[2] != h.standard[1] {
		stderr = newDescription(h.standard[2], false, true, 0)
	}
	list := []descriptor{
		{description: newDescription(h.standard[0], true, false, 0), base: inputRights},
		{description: stdout, base: outputRights},
		{description: stderr, base: outputRights},
	}
	for _, d := range append(list, h.preopens...) {
		h.files.insert(d) //nolint:errcheck // check has made sure of room
	}
}

// Close closes every descriptor. A guest still running gets EBADF from then on. It
// waits for a Read of Stdin that it has interrupted. It may be called again.
func (h *Host) Close() error {
	h.closing.Do(h.releasePreopens)
	var errs []error
	for _, d := range h.files.close() {
		if d.description != nil {
			errs = append(errs, h.let(d.description))
		}
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("wasi: close descriptors: %w", err)
	}
	return nil
}

// drop takes the descriptors that which is true of out of the table, as closing them does.
func (h *Host) drop(which func(descriptor) bool) {
	for _, d := range h.files.drop(which) {
		h.let(d.description) //nolint:errcheck // there is nobody to tell
	}
}

// bound is a context that knows its Host.
type bound struct {
	context.Context
	host   *Host
	second bool // of a thread that isn't the first
}

type hostKey struct{}

func (b *bound) Value(key any) any {
	if key == (hostKey{}) {
		return b
	}
	return b.Context.Value(key)
}

// Bind gives the context to call a guest's function with, so that the host
// functions find h. It should be the outermost: they find it fastest then.
func Bind(ctx context.Context, h *Host) context.Context { return &bound{ctx, h, false} }

// BindThread is Bind for a thread that is not the process's first. Signals are the first one's: the calls of others are
// not interrupted, and deliver none.
func BindThread(ctx context.Context, h *Host) context.Context { return &bound{ctx, h, true} }

// hostOf gives the Host that ctx was bound to.
func hostOf(ctx context.Context) *Host {
	h := hostIn(ctx)
	if h == nil {
		panic(errors.New("the context of the call has no Host: wasi.Bind is missing"))
	}
	return h
}

// hostIn is hostOf where there may be none.
func hostIn(ctx context.Context) *Host {
	if b := boundIn(ctx); b != nil {
		return b.host
	}
	return nil
}

func boundIn(ctx context.Context) *bound {
	if b, ok := ctx.(*bound); ok {
		return b
	}
	b, _ := ctx.Value(hostKey{}).(*bound)
	return b
}

// handlesSignals says whether signals are delivered in, and end, the calls made with ctx.
func (h *Host) handlesSignals(ctx context.Context) bool {
	if h == nil || h.signals == nil {
		return false
	}
	b := boundIn(ctx)
	return b == nil || !b.second
}
