package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/belljar-dev/belljar/engine"
	"github.com/belljar-dev/belljar/runtimes/python"
	"github.com/belljar-dev/belljar/vfs"
	"github.com/belljar-dev/belljar/wasi"
	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"
)

// naivePython is our CPython on wazero as it comes: the module is instantiated and the interpreter initialised for each
// program. With stoppable, wazero's own means to end a guest is on (WithCloseOnContextDone).
func naivePython(ctx context.Context, cacheDir string, stoppable bool) func() (*rival, error) {
	return func() (*rival, error) {
		im := python.Image()
		tree, err := layersOf(im.Layers)
		if err != nil {
			return nil, err
		}
		g := &naiveGuest{tree: tree, entry: im.Programs[0].Entry}
		wasm, err := im.Programs[0].Module()
		if err != nil {
			return nil, err
		}
		cache, err := wazero.NewCompilationCacheWithDir(filepath.Join(cacheDir, "rivals"))
		if err != nil {
			return nil, err
		}
		features := api.CoreFeaturesV2 | experimental.CoreFeaturesTailCall | experimental.CoreFeaturesExtendedConst | experimental.CoreFeaturesExceptionHandling
		g.runtime = wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfig().
			WithCompilationCache(cache).WithCoreFeatures(features).WithCloseOnContextDone(stoppable))
		if err := wasi.Register(ctx, g.runtime); err != nil {
			return nil, err
		}
		if g.code, err = g.runtime.CompileModule(experimental.WithCompilationWorkers(ctx, 2), wasm); err != nil {
			return nil, err
		}
		r := &rival{
			lang: "python", kind: "sandbox", computes: true, eval: g.eval,
			close: func() error { return g.runtime.Close(ctx) },
		}
		if !stoppable {
			r.keep = func(ctx context.Context, n int) (int64, error) {
				return weighHere(n, func() (func() error, error) {
					_, m, err := g.start(ctx, hello["python"])
					return func() error { return m.Close(ctx) }, err
				})
			}
		}
		return r, nil
	}
}

// layersOf gives a tree with an image's layers.
func layersOf(layers []engine.Layer) (*vfs.Tree, error) {
	tree := vfs.New(vfs.Config{})
	for _, l := range layers {
		if err := errors.Join(tree.MkdirAll(l.Path, 0o755), tree.MountFS(l.Path, l.FS)); err != nil {
			return nil, err
		}
	}
	return tree, nil
}

type naiveGuest struct {
	tree    *vfs.Tree
	entry   string
	runtime wazero.Runtime
	code    wazero.CompiledModule
}

func (g *naiveGuest) eval(ctx context.Context, code string) (string, error) {
	out, m, err := g.start(ctx, code)
	if m != nil {
		_ = m.Close(ctx) // it has no error to tell
	}
	return out, err
}

// start runs a program, whose instance is still there afterwards.
func (g *naiveGuest) start(ctx context.Context, code string) (string, api.Module, error) {
	var out, errs bytes.Buffer
	host, err := wasi.NewHost(wasi.Config{Args: []string{"python3", "-c", code}, Tree: g.tree, Stdout: &out, Stderr: &errs})
	if err != nil {
		return "", nil, err
	}
	defer host.Close()
	m, err := g.runtime.InstantiateModule(ctx, g.code, wazero.NewModuleConfig().WithName("").WithStartFunctions())
	if err != nil {
		return "", nil, err
	}
	guest := wasi.Bind(ctx, host)
	for _, name := range []string{"_initialize", g.entry} {
		if _, err := m.ExportedFunction(name).Call(guest); err != nil {
			return "", m, fmt.Errorf("call %s: %q, %w", name, errs.String(), err)
		}
	}
	return out.String(), m, nil
}
