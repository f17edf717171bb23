package wasi

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/belljar-dev/belljar/vfs"
)

const (
	// maxArguments bounds the arguments and the environment, each, in bytes with
	// their terminators, as ARG_MAX does on Linux.
	maxArguments    = 2 << 20
	defaultMaxFiles = 1024
	// maxMaxFiles keeps a table from taking more memory than a process is worth.
	maxMaxFiles = 1 << 20
)

// Config describes one process's world. Of the zero value only Tree must be set.
type Config struct {
	Args []string // argv, with the program's name first; no NUL inside, at most 2 MiB
	Env  []string // "K=V", in the order the guest sees; no NUL inside, at most 2 MiB
	Dir  string   // the working directory, an absolute path; empty means "/"

	// Tree is the file system. Descriptor 3 is its root, preopened as "/". The
	// caller owns it, and closes it after the Host.
	Tree *vfs.Tree

	// Stdin is descriptor 0; nil is empty. A Read that waits doesn't hold up the end
	// of the process: it is interrupted if the Reader has SetReadDeadline as net.Conn
	// does (which Close then resets), or is a PipeReader, which the Host closes. Any
	// other Reader is left with a goroutine in it until its Read returns. Nothing is
	// read before the guest asks, and then 32 KiB at most.
	Stdin io.Reader

	// Stdout and Stderr are descriptors 1 and 2; nil discards. A Write that waits
	// makes the process wait, and even the end of its context waits for it; only a
	// PipeWriter, which the Host closes, is interrupted. A Write error is EIO for the
	// guest, io.ErrClosedPipe is EPIPE.
	Stdout, Stderr io.Writer

	Clock    Clock     // nil: the host's clocks
	Random   io.Reader // nil: crypto/rand. It must not wait, nor end
	MaxFiles int       // descriptors open at a time, EMFILE beyond; 0 means 1,024
}

// Host is one process's side of preview 1. Its methods are safe for concurrent
// use; host functions are called by one guest thread at a time.
type Host struct {
	args, env cstrings
	dir       string
	clock     Clock
	random    io.Reader
	files     table

	// gathered is where a small write of several buffers is put together, so that it
	// reaches a pipe or the caller's Writer in one piece.
	gathered []byte
}

// NewHost makes a Host. It fails if the Config is not as its fields demand.
func NewHost(cfg Config) (*Host, error) {
	h := &Host{dir: cfg.Dir, clock: cfg.Clock, random: cfg.Random}
	if h.dir == "" {
		h.dir = "/"
	}
	if h.clock == nil {
		h.clock = newHostClock()
	}
	if h.random == nil {
		h.random = rand.Reader
	}
	if h.files.max = cfg.MaxFiles; h.files.max == 0 {
		h.files.max = defaultMaxFiles
	}
	if err := h.check(cfg); err != nil {
		return nil, fmt.Errorf("wasi: %w", err)
	}
	root, err := cfg.Tree.Open("/")
	if err != nil {
		return nil, fmt.Errorf("wasi: open the root: %w", err)
	}
	h.openStandard(cfg, root)
	return h, nil
}

func (h *Host) check(cfg Config) (err error) {
	if h.args, err = newCstrings(cfg.Args); err != nil {
		return fmt.Errorf("arguments: %w", err)
	}
	for _, kv := range cfg.Env {
		if strings.IndexByte(kv, '=') < 1 {
			return fmt.Errorf("environment: %q is not of the form NAME=value", kv)
		}
	}
	if h.env, err = newCstrings(cfg.Env); err != nil {
		return fmt.Errorf("environment: %w", err)
	}
	switch {
	case cfg.Tree == nil:
		return errors.New("no Tree")
	case h.dir[0] != '/' || strings.IndexByte(h.dir, 0) >= 0 || len(h.dir) > maxPath:
		return fmt.Errorf("working directory %q: not an absolute path", h.dir)
	case h.files.max < 4 || h.files.max > maxMaxFiles:
		return fmt.Errorf("MaxFiles is %d, and must be from 4 to %d", h.files.max, maxMaxFiles)
	}
	return nil
}

// openStandard opens descriptors 0 to 3. There is room for them.
func (h *Host) openStandard(cfg Config, root *vfs.File) {
	stdout := newDescription(newOutput(cfg.Stdout), false, true, 0)
	stderr := stdout
	// One pipe in both places has one end, to be closed once.
	if w, ok := cfg.Stderr.(*PipeWriter); !ok || stdout.object != object(w) {
		stderr = newDescription(newOutput(cfg.Stderr), false, true, 0)
	}
	for _, d := range []descriptor{
		{description: newDescription(newInput(cfg.Stdin), true, false, 0), base: inputRights},
		{description: stdout, base: outputRights},
		{description: stderr, base: outputRights},
		{
			description: newDescription(&directory{dir: cfg.Tree.Root(), f: root}, false, false, 0),
			base:        dirRights,
			inheriting:  dirRights | fileRights,
			preopen:     "/",
		},
	} {
		h.files.insert(d) //nolint:errcheck // check has made sure of room
	}
}

// Close closes every descriptor. A guest still running gets EBADF from then on. It
// waits for a Read of Stdin that it has interrupted. It may be called again.
func (h *Host) Close() error {
	var errs []error
	for _, d := range h.files.close() {
		if d.description != nil {
			errs = append(errs, d.release())
		}
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("wasi: close descriptors: %w", err)
	}
	return nil
}

// bound is a context that knows its Host.
type bound struct {
	context.Context
	host *Host
}

type hostKey struct{}

func (b *bound) Value(key any) any {
	if key == (hostKey{}) {
		return b.host
	}
	return b.Context.Value(key)
}

// Bind gives the context to call a guest's function with, so that the host
// functions find h. It should be the outermost: they find it fastest then.
func Bind(ctx context.Context, h *Host) context.Context { return &bound{ctx, h} }

// hostOf gives the Host that ctx was bound to.
func hostOf(ctx context.Context) *Host {
	if b, ok := ctx.(*bound); ok {
		return b.host
	}
	h, ok := ctx.Value(hostKey{}).(*Host)
	if !ok {
		panic(errors.New("the context of the call has no Host: wasi.Bind is missing"))
	}
	return h
}
