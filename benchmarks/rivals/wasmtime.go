package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/belljar-dev/belljar/runtimes/python"
	"github.com/belljar-dev/belljar/vfs"
	"github.com/belljar-dev/belljar/wasi"
	"github.com/bytecodealliance/wasmtime-go/v37"
	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
)

// wasmtimePython is our CPython on wasmtime, whose compiler is not Go's: the module is instantiated and the interpreter
// initialised for each program. What it imports is the host of package wasi, as under wazero: wasmtime's own knows
// neither the calls of module belljar nor paths without a preopened folder.
func wasmtimePython() (*rival, error) {
	ctx := context.Background()
	im := python.Image()
	tree, err := layersOf(im.Layers)
	if err != nil {
		return nil, err
	}
	w := &wasmtimeGuest{tree: tree, entry: im.Programs[0].Entry}
	wasm, err := im.Programs[0].Module()
	if err != nil {
		return nil, err
	}
	config := wasmtime.NewConfig()
	config.SetWasmTailCall(true)
	w.engine = wasmtime.NewEngineWithConfig(config)
	if w.module, err = wasmtime.NewModule(w.engine, wasm); err != nil {
		return nil, err
	}
	w.host = wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfigInterpreter()) // it runs nothing: it only knows the host's functions
	if err := wasi.Register(ctx, w.host); err != nil {
		return nil, errors.Join(err, w.host.Close(ctx))
	}
	return &rival{
		lang: "python", kind: "sandbox", computes: true, eval: w.eval,
		close: func() error { return w.host.Close(ctx) },
	}, nil
}

type wasmtimeGuest struct {
	tree   *vfs.Tree
	entry  string
	engine *wasmtime.Engine
	module *wasmtime.Module
	host   wazero.Runtime
}

func (w *wasmtimeGuest) eval(ctx context.Context, code string) (string, error) {
	var out, errs bytes.Buffer
	host, err := wasi.NewHost(wasi.Config{Args: []string{"python3", "-c", code}, Tree: w.tree, Stdout: &out, Stderr: &errs})
	if err != nil {
		return "", err
	}
	defer host.Close()
	store := wasmtime.NewStore(w.engine)
	defer store.Close()
	linker := wasmtime.NewLinker(w.engine)
	if err := w.link(wasi.Bind(ctx, host), linker, store); err != nil {
		return "", err
	}
	instance, err := linker.Instantiate(store, w.module)
	if err != nil {
		return "", err
	}
	for _, name := range []string{"_initialize", w.entry} {
		if _, err := instance.GetFunc(store, name).Call(store); err != nil {
			return "", fmt.Errorf("call %s: %q, %w", name, errs.String(), err)
		}
	}
	return out.String(), nil
}

// link defines what the module imports.
func (w *wasmtimeGuest) link(ctx context.Context, linker *wasmtime.Linker, store *wasmtime.Store) error {
	for _, imp := range w.module.Imports() {
		ft := imp.Type().FuncType()
		if ft == nil {
			continue
		}
		call, err := w.function(imp.Module(), *imp.Name())
		if err != nil {
			return err
		}
		params, results := len(ft.Params()), len(ft.Results())
		f := wasmtime.NewFunc(store, ft, func(caller *wasmtime.Caller, args []wasmtime.Val) (_ []wasmtime.Val, trap *wasmtime.Trap) {
			defer func() {
				if r := recover(); r != nil { // how the host ends a guest
					trap = wasmtime.NewTrap(fmt.Sprint(r))
				}
			}()
			stack := make([]uint64, max(params, results))
			for i, arg := range args {
				if arg.Kind() == wasmtime.KindI64 {
					stack[i] = uint64(arg.I64())
				} else {
					stack[i] = uint64(uint32(arg.I32()))
				}
			}
			call.Call(ctx, lentModule{memory: caller.GetExport("memory").Memory().UnsafeData(caller)}, stack)
			if results == 0 {
				return nil, nil
			}
			return []wasmtime.Val{wasmtime.ValI32(int32(uint32(stack[0])))}, nil // all of them answer an errno
		})
		if err := linker.Define(store, imp.Module(), *imp.Name(), f); err != nil {
			return err
		}
	}
	return nil
}

func (w *wasmtimeGuest) function(module, name string) (api.GoModuleFunction, error) {
	if m := w.host.Module(module); m != nil {
		if def := m.ExportedFunctionDefinitions()[name]; def != nil {
			if f, ok := def.GoFunction().(api.GoModuleFunction); ok {
				return f, nil
			}
		}
	}
	return nil, fmt.Errorf("import %s.%s: the host has none", module, name)
}

// lentModule is what a host function sees of a module that is not wazero's: its memory.
type lentModule struct {
	api.Module
	memory []byte
}

func (m lentModule) ExportedMemory(name string) api.Memory {
	if name != "memory" {
		return nil
	}
	return lentMemory{bytes: m.memory}
}

type lentMemory struct {
	api.Memory
	bytes []byte
}

func (m lentMemory) Size() uint32 { return uint32(len(m.bytes)) }

func (m lentMemory) Read(offset, n uint32) ([]byte, bool) {
	if uint64(offset)+uint64(n) > uint64(len(m.bytes)) {
		return nil, false
	}
	return m.bytes[offset : offset+n : offset+n], true
}
