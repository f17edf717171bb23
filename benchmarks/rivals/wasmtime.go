package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/belljar-dev/belljar/runtimes/python"
	"github.com/bytecodealliance/wasmtime-go/v37"
)

// errnoNosys is what WASI calls answer that a host does not have.
const errnoNosys = 52

// wasmtimePython is our CPython on wasmtime, whose compiler is not Go's: the module is instantiated and the interpreter
// initialised for each program. What the module asks of the kernel beyond WASI answers ENOSYS.
func wasmtimePython() (*rival, error) {
	dir, err := os.MkdirTemp("", "belljar-rivals-")
	if err != nil {
		return nil, err
	}
	im := python.Image()
	for _, l := range im.Layers {
		if err := os.CopyFS(filepath.Join(dir, l.Path), l.FS); err != nil {
			return nil, errors.Join(err, os.RemoveAll(dir))
		}
	}
	w := &wasmtimeGuest{dir: dir, entry: im.Programs[0].Entry}
	wasm, err := im.Programs[0].Module()
	if err == nil {
		config := wasmtime.NewConfig()
		config.SetWasmTailCall(true)
		w.engine = wasmtime.NewEngineWithConfig(config)
		w.module, err = wasmtime.NewModule(w.engine, wasm)
	}
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	return &rival{
		lang: "python", kind: "sandbox", computes: true, eval: w.eval,
		close: func() error { return os.RemoveAll(dir) },
	}, nil
}

type wasmtimeGuest struct {
	dir, entry string
	engine     *wasmtime.Engine
	module     *wasmtime.Module
}

func (w *wasmtimeGuest) eval(_ context.Context, code string) (string, error) {
	out := filepath.Join(w.dir, "stdout")
	store := wasmtime.NewStore(w.engine)
	defer store.Close()
	config := wasmtime.NewWasiConfig()
	config.SetArgv([]string{"python3", "-c", code})
	if err := errors.Join(config.SetStdoutFile(out), config.SetStderrFile(out+".errors"),
		config.PreopenDir(w.dir, "/", wasmtime.DIR_READ, wasmtime.FILE_READ)); err != nil {
		return "", err
	}
	store.SetWasi(config)
	linker := wasmtime.NewLinker(w.engine)
	if err := errors.Join(linker.DefineWasi(), w.stand(linker, store)); err != nil {
		return "", err
	}
	instance, err := linker.Instantiate(store, w.module)
	if err != nil {
		return "", err
	}
	for _, name := range []string{"_initialize", w.entry} {
		if _, err := instance.GetFunc(store, name).Call(store); err != nil {
			errs, _ := os.ReadFile(out + ".errors") // best effort: the call's own error is told
			return "", fmt.Errorf("call %s: %q, %w", name, errs, err)
		}
	}
	b, err := os.ReadFile(out)
	return string(b), err
}

// stand defines what the module imports beyond what wasmtime has of WASI.
func (w *wasmtimeGuest) stand(linker *wasmtime.Linker, store *wasmtime.Store) error {
	for _, imp := range w.module.Imports() {
		ft := imp.Type().FuncType()
		if ft == nil || linker.Get(store, imp.Module(), *imp.Name()) != nil {
			continue
		}
		results := len(ft.Results())
		f := wasmtime.NewFunc(store, ft, func(*wasmtime.Caller, []wasmtime.Val) ([]wasmtime.Val, *wasmtime.Trap) {
			if results == 0 {
				return nil, nil
			}
			return []wasmtime.Val{wasmtime.ValI32(errnoNosys)}, nil
		})
		if err := linker.Define(store, imp.Module(), *imp.Name(), f); err != nil {
			return err
		}
	}
	return nil
}
