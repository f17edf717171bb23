package engine

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/belljar-dev/belljar/internal/instrument"
	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/experimental"
)

// program is a Program of an image with what the engine made of it. It is loaded at its first use.
type program struct {
	engine *Engine
	image  *image
	def    *Program
	guest  *guestProgram // nil for an image's

	loaded atomic.Pointer[loadedProgram]
	mu     sync.Mutex // one loads, the others wait
	closed bool
}

// loadedProgram is what instances are made from.
type loadedProgram struct {
	code wazero.CompiledModule
	info moduleInfo
	cold *pool // the module as it stands, its data laid out
	warm *pool // nil where the program has no warm state
}

// moduleInfo is what of the rewriter's findings starting an instance needs.
type moduleInfo struct {
	Fuel     string   // export names
	Probe    string   // "" for none
	Start    string   // "" for none
	Globals  []string // all mutable ones
	Stateful []string // why memory and globals are not the whole state
}

// load compiles and warms the program unless that is done.
func (p *program) load(ctx context.Context, report func(step string)) (*loadedProgram, error) {
	if p.def.Func != nil {
		return &loadedProgram{}, nil
	}
	if l := p.loaded.Load(); l != nil {
		return l, nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if l := p.loaded.Load(); l != nil {
		return l, nil
	}
	if p.closed {
		return nil, ErrClosed
	}
	l, err := p.loadAnew(ctx, report)
	if err != nil {
		return nil, fmt.Errorf("load %s: %w", p.def.Path, err)
	}
	p.loaded.Store(l)
	return l, nil
}

// runtime is what compiles and runs the program.
func (p *program) runtime() wazero.Runtime {
	if p.guest != nil {
		return p.engine.guests.runtime
	}
	return p.engine.runtime
}

// cache is where what was made of the program is kept.
func (p *program) cache() diskCache {
	if p.guest != nil {
		return diskCache{}
	}
	return p.engine.cache
}

func (p *program) loadAnew(ctx context.Context, report func(step string)) (*loadedProgram, error) {
	m, err := p.prepare(report)
	if err != nil {
		return nil, err
	}
	report("compile " + p.def.Path)
	l := &loadedProgram{info: *m.info, cold: newPool(m.cold)}
	kept := make(chan *memoryImage, 1)
	go func() { kept <- p.keptWarmImage(m.info) }() // ends with the file's last byte; always received from
	// Compilation can't be cancelled; the context carries only how many workers it may use.
	workers := runtime.GOMAXPROCS(0)
	if p.guest != nil {
		workers = 1
	}
	if err = p.compile(experimental.WithCompilationWorkers(context.WithoutCancel(ctx), workers), m, l); err != nil {
		err = fmt.Errorf("compile: %w", err)
	}
	warm := <-kept
	if warm != nil {
		l.warm = newPool(warm)
	}
	if err == nil {
		err = context.Cause(ctx)
	}
	if err == nil && p.def.Warm != nil && l.warm == nil {
		err = p.warmAnew(ctx, l, report)
	}
	if err != nil {
		l.close()
		return nil, err
	}
	return l, nil
}

// preparedModule is a module that was rewritten, now or before.
type preparedModule struct {
	wasm     []byte // nil if it was before
	skeleton []byte // nil where there can be none
	info     *moduleInfo
	cold     *memoryImage // the memory it starts with
}

// prepare answers the rewritten module from the cache or made anew.
func (p *program) prepare(report func(step string)) (*preparedModule, error) {
	cache, key := p.cache(), p.def.Digest
	skeleton, ok1 := cache.load(key + ".skeleton")
	meta, ok2 := cache.load(key + ".json")
	mem, ok3 := cache.load(key + ".cold")
	if ok1 && ok2 && ok3 {
		var info moduleInfo
		if json.Unmarshal(meta, &info) == nil {
			if cold, err := decodeImage(mem); err == nil {
				return &preparedModule{skeleton: skeleton, info: &info, cold: cold}, nil
			}
		}
	}
	report("prepare " + p.def.Path)
	m, err := p.rewrite()
	if err != nil {
		return nil, err
	}
	cold, err := coldImage(m)
	if err != nil {
		return nil, err
	}
	info := &moduleInfo{Fuel: m.Fuel, Probe: m.Probe, Start: m.Start, Stateful: m.Stateful}
	for _, g := range m.Globals {
		info.Globals = append(info.Globals, g.Name)
	}
	meta, err = json.Marshal(info)
	if err != nil {
		cold.close()
		return nil, fmt.Errorf("describe module: %w", err)
	}
	out := &preparedModule{wasm: m.Wasm, info: info, cold: cold}
	if cache.dir != "" {
		if out.skeleton = skeletonOf(m); out.skeleton != nil {
			p.keep(map[string][]byte{key + ".skeleton": out.skeleton, key + ".json": meta, key + ".cold": cold.encode()})
		}
	}
	return out, nil
}

func (p *program) rewrite() (*instrument.Module, error) {
	module, err := p.def.Module()
	if err != nil {
		return nil, fmt.Errorf("read module: %w", err)
	}
	m, err := instrument.Rewrite(module, instrument.Config{Meter: true, LazyTable: true, Probe: p.cache().dir != ""})
	if err != nil {
		return nil, fmt.Errorf("rewrite module: %w", err)
	}
	return m, nil
}

// compile readies l's code: what is kept of it, or anew.
func (p *program) compile(ctx context.Context, m *preparedModule, l *loadedProgram) error {
	if m.wasm == nil {
		if p.recall(ctx, m.skeleton, l) {
			return nil
		}
		anew, err := p.rewrite()
		if err != nil {
			return err
		}
		m.wasm = anew.Wasm
	}
	if m.skeleton != nil {
		err := p.engine.code.learn(ctx, m.wasm, m.skeleton)
		if err == nil && p.recall(ctx, m.skeleton, l) {
			return nil
		}
		p.engine.log.Warn("compiled code not kept", "program", p.def.Path, "error", err)
	}
	var err error
	l.code, err = p.runtime().CompileModule(ctx, m.wasm)
	return err
}

// keep writes cache entries. That they can't be written costs time at the next start and nothing else.
func (p *program) keep(entries map[string][]byte) {
	for _, name := range sortedKeys(entries) {
		if err := p.cache().store(name, entries[name]); err != nil {
			p.engine.log.Warn("cache not written", "program", p.def.Path, "error", err)
			return
		}
	}
}

// coldImage lays out a module's active data segments as instantiation would.
func coldImage(m *instrument.Module) (*memoryImage, error) {
	if m.Memory.Imported {
		return nil, errors.New("the module imports its memory")
	}
	if m.Memory.Shared {
		return nil, errors.New("the module's memory is shared between threads")
	}
	size := uint64(m.Memory.Min) * wasmPage
	pages := map[uint64]*[imagePage]byte{}
	for i, s := range m.Data {
		if s.Offset > size || uint64(len(s.Bytes)) > size-s.Offset {
			return nil, fmt.Errorf("data segment %d lies outside the memory", i)
		}
		for at, rest := s.Offset, s.Bytes; len(rest) > 0; {
			page := pages[at/imagePage]
			if page == nil {
				page = new([imagePage]byte)
				pages[at/imagePage] = page
			}
			n := copy(page[at%imagePage:], rest)
			at, rest = at+uint64(n), rest[n:]
		}
	}
	return newMemoryImage(size, nil, joinPages(pages))
}

// joinPages makes extents of pages by their number, without those that are zero.
func joinPages(pages map[uint64]*[imagePage]byte) []extent {
	var out []extent
	for _, n := range sortedKeys(pages) {
		page := pages[n]
		if *page == ([imagePage]byte{}) {
			continue
		}
		if last := len(out) - 1; last >= 0 && out[last].off+uint64(len(out[last].data)) == n*imagePage {
			out[last].data = append(out[last].data, page[:]...)
		} else {
			out = append(out, extent{n * imagePage, slices.Clone(page[:])})
		}
	}
	return out
}

// warmName is the warm image's name in the cache: what it is made of, but for the content of layers.
func (p *program) warmName() string {
	parts := append([]string{p.def.Digest, p.def.Warm.Entry}, p.def.Warm.Args...)
	world := p.world()
	parts = append(append(parts, ""), world.Env...)
	for _, other := range world.Programs {
		parts = append(append(parts, "", other.Path), other.Links...)
	}
	for _, l := range world.Layers {
		parts = append(parts, "", l.Path)
	}
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return hex.EncodeToString(sum[:]) + ".warm"
}

// keptWarmImage answers the program's warm state from the cache, or nil.
func (p *program) keptWarmImage(info *moduleInfo) *memoryImage {
	if p.def.Warm == nil || len(info.Stateful) > 0 {
		return nil
	}
	b, ok := p.engine.cache.load(p.warmName())
	if !ok {
		return nil
	}
	im, err := decodeImage(b)
	if err != nil {
		return nil
	}
	if len(im.globals) != len(info.Globals) {
		im.close()
		return nil
	}
	return im
}

// warmAnew runs the warm-up and keeps what it leaves behind.
func (p *program) warmAnew(ctx context.Context, l *loadedProgram, report func(step string)) error {
	if len(l.info.Stateful) > 0 {
		return fmt.Errorf("can't be warmed: the module %s", strings.Join(l.info.Stateful, ", and "))
	}
	report("warm " + p.def.Path)
	im, err := p.warmUp(ctx, l)
	if err != nil {
		return fmt.Errorf("warm up: %w", err)
	}
	p.keep(map[string][]byte{p.warmName(): im.encode()})
	l.warm = newPool(im)
	return nil
}

func (p *program) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	if l := p.loaded.Swap(nil); l != nil {
		l.close()
	}
}

// Preconditions: no instance of l is in use.
func (l *loadedProgram) close() {
	for _, pl := range []*pool{l.cold, l.warm} {
		if pl != nil {
			pl.close()
		}
	}
	if l.code != nil {
		_ = l.code.Close(context.Background())
	}
}
