package engine

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/belljar-dev/belljar/vfs"
	"github.com/belljar-dev/belljar/wasi"
	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"
)

// Config configures an Engine. The zero value works but has no images.
type Config struct {
	// Images are what sandboxes can be made of; their names differ.
	Images []Image
	// CacheDir keeps compiled code and warm memory between processes. It is made if missing. "" means
	// "belljar" in the user's cache folder; NoCache means none at all.
	CacheDir string
	NoCache  bool
	// Logger hears what is worth knowing and no error: a cache that can't be written, what a sandbox's network policy has
	// refused. nil discards.
	Logger *slog.Logger
	// Dial connects sandboxes to what their Network allows, which has been checked by then: address is an IP address and
	// a port. Resolve looks up names for them. Both are called by several goroutines at once; nil is the system's.
	Dial    func(ctx context.Context, network, address string) (net.Conn, error)
	Resolve func(ctx context.Context, network, host string) ([]netip.Addr, error)
}

// Engine compiles images and makes sandboxes of them. Close it after use.
type Engine struct {
	config  Config
	log     *slog.Logger
	runtime wazero.Runtime
	compile wazero.CompilationCache
	cache   diskCache
	code    codeCache
	images  map[string]*image
	only    string // the name of the only image, or ""
	boot    time.Time

	guests guestCompiler

	mu        sync.Mutex
	closed    bool
	sandboxes map[*Sandbox]struct{}
}

// image is an Image with what the engine made of it.
type image struct {
	Image
	programs map[string]*program // by digest

	once sync.Once
	base *vfs.Tree // the tree that every sandbox's is cloned from
	err  error

	digestOnce sync.Once
	digest     string // of base
	digestErr  error
}

// features are the WebAssembly proposals guests may use. Threads are absent: a shared memory would let a guest run
// outside its meter.
const features = api.CoreFeaturesV2 | experimental.CoreFeaturesTailCall | experimental.CoreFeaturesExtendedConst |
	experimental.CoreFeaturesExceptionHandling

// New makes an Engine. It compiles nothing yet: Warm does, or the first process of a program.
func New(cfg Config) (*Engine, error) {
	e := &Engine{config: cfg, log: cfg.Logger, boot: bootTime(), images: map[string]*image{}, sandboxes: map[*Sandbox]struct{}{}}
	if e.log == nil {
		e.log = slog.New(slog.DiscardHandler)
	}
	for _, im := range cfg.Images {
		if err := im.check(); err != nil {
			return nil, fmt.Errorf("new engine: %w", err)
		}
		if e.images[im.Name] != nil {
			return nil, fmt.Errorf("new engine: two images are named %q", im.Name)
		}
		e.images[im.Name] = e.newImage(im)
		e.only = im.Name
	}
	if len(cfg.Images) > 1 {
		e.only = ""
	}
	if err := e.openCache(cfg); err != nil {
		return nil, fmt.Errorf("new engine: %w", err)
	}
	var err error
	if e.runtime, err = newRuntime(e.compile); err != nil {
		return nil, errors.Join(fmt.Errorf("new engine: %w", err), e.Close())
	}
	return e, nil
}

func (e *Engine) newImage(def Image) *image {
	im := &image{Image: def, programs: map[string]*program{}}
	im.Programs = slices.Clone(def.Programs)
	for i := range im.Programs {
		p := &im.Programs[i]
		if p.Script != nil {
			continue
		}
		if p.Func != nil {
			p.Digest = funcDigest(p.Path)
		}
		im.programs[p.Digest] = &program{engine: e, image: im, def: p}
	}
	return im
}

func (e *Engine) openCache(cfg Config) (err error) {
	dir := cfg.CacheDir
	if cfg.NoCache {
		dir = ""
	} else if dir == "" {
		user, err := os.UserCacheDir()
		if err != nil {
			e.log.Info("no cache folder: compiling anew", "error", err)
		} else {
			dir = filepath.Join(user, "belljar")
		}
	}
	if dir == "" {
		e.compile = wazero.NewCompilationCache()
		return nil
	}
	own := filepath.Join(dir, fmt.Sprintf("images-%d", cacheFormat))
	if err := os.MkdirAll(own, 0o700); err != nil {
		return fmt.Errorf("make cache folder: %w", err)
	}
	e.cache.dir = own
	e.code.dir = filepath.Join(dir, "code")
	if e.compile, err = wazero.NewCompilationCacheWithDir(e.code.dir); err != nil {
		return fmt.Errorf("open compilation cache: %w", err)
	}
	return nil
}

func newRuntime(cache wazero.CompilationCache) (wazero.Runtime, error) {
	ctx := context.Background()
	r := wazero.NewRuntimeWithConfig(ctx, runtimeConfig(cache))
	if err := wasi.Register(ctx, r); err != nil {
		return r, err
	}
	return r, registerMeter(ctx, r)
}

// CacheDir answers the folder the engine keeps compiled code and warm memory in, "" for none.
func (e *Engine) CacheDir() string {
	if e.cache.dir == "" {
		return ""
	}
	return filepath.Dir(e.cache.dir)
}

// Warm compiles and warms the named image, "" for the only one, so that no process waits for it: the programs that are
// named, by a path or its last part, or all where none is. A first time takes seconds. report, which may be nil, hears of
// each step as it begins. Errors: ErrUnknownImage, ErrNotFound for a name that no program has.
func (e *Engine) Warm(ctx context.Context, name string, report func(step string), programs ...string) error {
	im, err := e.image(name)
	if err != nil {
		return err
	}
	if report == nil {
		report = func(string) {}
	}
	for _, want := range programs {
		if !slices.ContainsFunc(im.Programs, func(p Program) bool { return p.named(want) }) {
			return fmt.Errorf("warm image %q: %s: %w", im.Name, want, ErrNotFound)
		}
	}
	for i := range im.Programs {
		def := &im.Programs[i]
		if def.Script != nil || len(programs) > 0 && !slices.ContainsFunc(programs, def.named) {
			continue
		}
		if _, err := im.programs[def.Digest].load(ctx, report); err != nil {
			return fmt.Errorf("warm image %q: %w", im.Name, err)
		}
	}
	return nil
}

func (e *Engine) image(name string) (*image, error) {
	if name == "" {
		name = e.only
	}
	im := e.images[name]
	if im == nil {
		var have []string
		for _, n := range sortedKeys(e.images) {
			have = append(have, fmt.Sprintf("%q", n))
		}
		return nil, fmt.Errorf("%w %q: this engine has %s", ErrUnknownImage, name, strings.Join(have, ", "))
	}
	return im, nil
}

// Create makes a sandbox. It compiles nothing: the first process of a program does, unless Warm has.
func (e *Engine) Create(ctx context.Context, spec Spec) (*Sandbox, error) {
	sb, err := e.enter(ctx, spec, nil)
	if err != nil {
		return nil, fmt.Errorf("create sandbox: %w", err)
	}
	return sb, nil
}

// Restore makes a sandbox whose files are those of another: feed tells what vfs.Tree.Changes told of its Files against
// the BaseTree of the same image. The records may come from anyone; see vfs.Restore.
func (e *Engine) Restore(ctx context.Context, spec Spec, feed func(vfs.Sink) error) (*Sandbox, error) {
	sb, err := e.enter(ctx, spec, feed)
	if err != nil {
		return nil, fmt.Errorf("restore sandbox: %w", err)
	}
	return sb, nil
}

func (e *Engine) enter(ctx context.Context, spec Spec, feed func(vfs.Sink) error) (*Sandbox, error) {
	if err := context.Cause(ctx); err != nil {
		return nil, err
	}
	sb, err := e.newSandbox(spec, feed)
	if err != nil {
		return nil, err
	}
	if err := e.admit(sb); err != nil {
		return nil, errors.Join(err, sb.tree.Close())
	}
	return sb, nil
}

// admit makes a sandbox one of the engine's.
func (e *Engine) admit(sb *Sandbox) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return ErrClosed
	}
	e.sandboxes[sb] = struct{}{}
	return nil
}

// Close ends every sandbox and frees what the engine holds. It may be called twice.
func (e *Engine) Close() error {
	e.mu.Lock()
	e.closed = true
	open := e.sandboxes
	e.sandboxes = nil
	e.mu.Unlock()
	var errs []error
	for sb := range open {
		errs = append(errs, sb.Close())
	}
	for _, name := range sortedKeys(e.images) {
		e.images[name].close()
	}
	ctx := context.Background()
	errs = append(errs, e.guests.close())
	if e.runtime != nil {
		errs = append(errs, e.runtime.Close(ctx))
	}
	if e.compile != nil {
		errs = append(errs, e.compile.Close(ctx))
	}
	return errors.Join(errs...)
}
