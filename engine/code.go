package engine

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/belljar-dev/belljar/internal/instrument"
	"github.com/tetratelabs/wazero"
)

// wazero validates each function of a module before it looks whether it has the module's code already, which takes longer
// than all else of loading a program together. So compiled code is kept under the name of the module's skeleton, which
// has functions that do nothing but trap: there is next to nothing in it to validate. What was recalled is the module's
// code, and not what wazero has made of the skeleton for want of it, if the probe answers: in the skeleton it traps.

// codeCache is where compiled code is kept. wazero names the files in it.
type codeCache struct{ dir string } // "" keeps nothing

// runtimeConfig is the same wherever code is compiled that another runtime is to find.
func runtimeConfig(cache wazero.CompilationCache) wazero.RuntimeConfig {
	return wazero.NewRuntimeConfig().WithCompilationCache(cache).WithCoreFeatures(features).WithDebugInfoEnabled(false)
}

// recall readies the program's code from its skeleton, and says whether that is its code.
func (p *program) recall(ctx context.Context, skeleton []byte, l *loadedProgram) bool {
	var err error
	if l.code, err = p.runtime().CompileModule(ctx, skeleton); err != nil {
		l.code = nil
		return false
	}
	in, err := newInstance(ctx, p.runtime(), l, l.cold, entryName(p.def))
	if err == nil {
		if f := in.module.ExportedFunction(l.info.Probe); f != nil {
			var answer []uint64
			answer, err = f.Call(ctx)
			if err == nil && (len(answer) != 1 || answer[0] != 1) {
				err = errors.New("the probe answers something else")
			}
		}
		in.close()
	}
	if err != nil {
		_ = l.code.Close(ctx)
		l.code = nil
	}
	return err == nil
}

// learn compiles a module and keeps its code under the name of the skeleton's.
func (c codeCache) learn(ctx context.Context, wasm, skeleton []byte) error {
	sweepCache(filepath.Dir(c.dir), time.Now())
	dir, err := os.MkdirTemp(c.dir, compiling+"*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	code, err := compileInto(ctx, filepath.Join(dir, "module"), wasm)
	if err != nil {
		return err
	}
	name, err := compileInto(ctx, filepath.Join(dir, "skeleton"), skeleton)
	if err != nil {
		return err
	}
	rel, err := filepath.Rel(filepath.Join(dir, "skeleton"), name)
	if err != nil {
		return err
	}
	to := filepath.Join(c.dir, rel)
	if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
		return err
	}
	return os.Rename(code, to)
}

// compileInto compiles a module in a runtime of its own, and answers the file in dir that wazero leaves.
func compileInto(ctx context.Context, dir string, wasm []byte) (file string, err error) {
	cache, err := wazero.NewCompilationCacheWithDir(dir)
	if err != nil {
		return "", err
	}
	r := wazero.NewRuntimeWithConfig(ctx, runtimeConfig(cache))
	_, err = r.CompileModule(ctx, wasm)
	if err = errors.Join(err, r.Close(ctx), cache.Close(ctx)); err != nil {
		return "", err
	}
	files, err := filepath.Glob(filepath.Join(dir, "*", "*"))
	if err != nil {
		return "", err
	}
	if len(files) != 1 {
		return "", fmt.Errorf("wazero keeps %d files of a module", len(files))
	}
	return files[0], nil
}

const compiling = "compiling-" // begins the names of folders that code is compiled in

// skeletonOf answers a rewritten module's skeleton, nil where it can have none.
func skeletonOf(m *instrument.Module) []byte {
	if m.Probe == "" {
		return nil
	}
	digest := sha256.Sum256(m.Wasm)
	skeleton, err := instrument.Skeleton(m.Wasm, digest[:])
	if err != nil {
		return nil
	}
	return skeleton
}
