package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"
	"github.com/tetratelabs/wazero/sys"
)

// instance is one instantiation of a program's module. It serves one process at a time, and may serve others
// after it was reset.
type instance struct {
	from    *pool
	info    *moduleInfo
	module  api.Module
	memory  *linearMemory // nil where the module has none
	globals []api.MutableGlobal
	fuel    api.MutableGlobal
	entry   api.Function // kept with the native stack it has grown
	cell    api.Function // the same of what sessions call; nil until one does

	asyncify *asyncify      // nil until a fork, or where there is none
	handlers []api.Function // of signals, by depth
}

// moduleConfig instantiates without a name, so that any number can be, and without start functions: the engine
// calls them itself.
var moduleConfig = wazero.NewModuleConfig().WithName("").WithStartFunctions()

// newInstance makes an instance in the state of the pool's image.
func newInstance(ctx context.Context, r wazero.Runtime, l *loadedProgram, from *pool, entry string) (*instance, error) {
	in := &instance{from: from, info: &l.info}
	var allocErr error
	allocator := experimental.MemoryAllocatorFunc(func(_, max uint64) experimental.LinearMemory {
		if in.memory, allocErr = from.image.allocate(max); allocErr != nil {
			panic(allocErr) // instantiation has no other way to hear of it
		}
		return in.memory
	})
	if err := in.instantiate(experimental.WithMemoryAllocator(ctx, allocator), r, l.code); err != nil {
		if in.memory != nil { // which wazero leaves to the module that there isn't
			in.memory.Free()
		}
		return nil, err
	}
	for _, name := range l.info.Globals {
		g, ok := in.module.ExportedGlobal(name).(api.MutableGlobal)
		if !ok {
			in.close()
			return nil, fmt.Errorf("instantiate: global %q is not there", name)
		}
		in.globals = append(in.globals, g)
	}
	in.fuel, _ = in.module.ExportedGlobal(l.info.Fuel).(api.MutableGlobal)
	from.begin(in)
	if in.entry = in.module.ExportedFunction(entry); in.entry == nil || in.fuel == nil {
		in.close()
		return nil, fmt.Errorf("instantiate: the module does not export %q", entry)
	}
	if d := in.entry.Definition(); len(d.ParamTypes()) != 0 || len(d.ResultTypes()) > 1 {
		in.close()
		return nil, fmt.Errorf("instantiate: %q is not a func() or func() i32", entry)
	}
	return in, nil
}

func (in *instance) instantiate(ctx context.Context, r wazero.Runtime, code wazero.CompiledModule) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("instantiate: %w", asError(v))
		}
	}()
	if in.module, err = r.InstantiateModule(ctx, code, moduleConfig); err != nil {
		return fmt.Errorf("instantiate: %w", err)
	}
	return nil
}

func asError(v any) error {
	if err, ok := v.(error); ok {
		return err
	}
	return fmt.Errorf("%v", v)
}

// setGlobals gives the globals the values that they begin with.
func (in *instance) setGlobals() {
	for i, v := range in.from.globals {
		in.globals[i].Set(v)
	}
}

func (in *instance) readGlobals() []uint64 {
	out := make([]uint64, len(in.globals))
	for i, g := range in.globals {
		out[i] = g.Get()
	}
	return out
}

// initialize runs what a module does before its first export may be called: its start function, then a
// reactor's _initialize. See https://github.com/WebAssembly/WASI/blob/main/legacy/application-abi.md
func (in *instance) initialize(ctx context.Context) error {
	for _, name := range []string{in.info.Start, "_initialize"} {
		if name == "" {
			continue
		}
		if f := in.module.ExportedFunction(name); f != nil {
			if _, err := f.Call(ctx); err != nil {
				return err
			}
		}
	}
	return nil
}

// entryOf answers the function that a process runs in: the program's entry, or, of a name, the one that sessions call.
func (in *instance) entryOf(cell string) (api.Function, error) {
	if cell == "" {
		return in.entry, nil
	}
	if in.cell == nil {
		if in.cell = in.module.ExportedFunction(cell); in.cell == nil {
			return nil, fmt.Errorf("the program does not export %q", cell)
		}
	}
	return in.cell, nil
}

// invoke runs a function without parameters and answers its result, or 0. A guest that exits answers a *sys.ExitError.
func invoke(ctx context.Context, f api.Function) (uint32, error) {
	var stack [1]uint64
	err := f.CallWithStack(ctx, stack[:])
	if err != nil || len(f.Definition().ResultTypes()) == 0 {
		return 0, err
	}
	return uint32(stack[0]), nil
}

// exitStatus makes an exit the status that it gave. What is left of the error says that the guest did not end by itself.
func exitStatus(status uint32, err error) (uint32, error) {
	var exit *sys.ExitError
	if errors.As(err, &exit) {
		return exit.ExitCode(), nil
	}
	return status, err
}

// handlerName is the export that is called for a signal: func(i32).
const handlerName = "belljar_signal"

// handler answers the signal handler to call while depth others run, or nil where the guest has none.
func (in *instance) handler(depth int) api.Function {
	for len(in.handlers) <= depth {
		f := in.module.ExportedFunction(handlerName)
		if f == nil || len(f.Definition().ResultTypes()) != 0 || !slices.Equal(f.Definition().ParamTypes(), handlerParams[:]) {
			return nil
		}
		in.handlers = append(in.handlers, f)
	}
	return in.handlers[depth]
}

var handlerParams = [...]api.ValueType{api.ValueTypeI32}

// release gives the instance back after use. healthy says that the guest ended by itself.
func (in *instance) release(healthy bool) {
	if in.memory != nil {
		in.memory.mayGrow = nil
	}
	if !healthy || len(in.info.Stateful) > 0 {
		in.close()
		return
	}
	in.from.put(in)
}

var errNotReset = errors.New("memory has not its image's size")

// reset brings the instance back to its image.
func (in *instance) reset() error {
	in.setGlobals()
	if in.memory == nil {
		return nil
	}
	grown := in.memory.size > in.memory.image.size
	if err := in.memory.reset(); err != nil {
		return err
	}
	if !grown {
		return nil
	}
	// A growth is the one moment at which wazero takes a new buffer from the allocator, of any size: so a memory
	// that grew shrinks by asking it to grow.
	in.memory.shrinking = true
	in.module.Memory().Grow(1)
	if in.memory.shrinking || uint64(in.module.Memory().Size()) != in.memory.image.size {
		return errNotReset
	}
	return nil
}

func (in *instance) close() { _ = in.module.Close(context.Background()) }
