package wasi

import (
	"context"
	"strings"
	"sync"
	"testing"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	"github.com/belljar-dev/belljar/vfs"
)

// section is a section of a wasm module, or any other vector with its size before it.
func section(id byte, content []byte) []byte {
	return append(append([]byte{id}, leb(len(content))...), content...)
}

func leb(n int) (b []byte) {
	for ; n >= 0x80; n >>= 7 {
		b = append(b, byte(n)|0x80)
	}
	return append(b, byte(n))
}

func name(s string) []byte { return append(leb(len(s)), s...) }

// trampolines is a module which imports every function and exports each again by its
// name, through a function of its own, so that the host sees a guest's call. It
// exports a memory of the given pages, if there are any.
func trampolines(pages int) []byte {
	list := append(preview1(), extension()...)
	list = append(list, export{"proc_exit", "i", nil})
	count := leb(len(list))
	sigs, imports, functions := clip(count), clip(count), clip(count)
	exports, code := leb(len(list)+min(pages, 1)), clip(count)
	for i, e := range list {
		sigs = append(append(sigs, 0x60), leb(len(e.params))...)
		body := []byte{0} // no locals
		sigs = append(sigs, types(e.params)...)
		for j := range e.params {
			body = append(append(body, 0x20), leb(j)...) // local.get
		}
		module := "wasi_snapshot_preview1"
		if i >= len(preview1()) {
			module = "belljar"
		}
		if e.name == "proc_exit" {
			module, sigs = "wasi_snapshot_preview1", append(sigs, 0)
		} else {
			sigs = append(sigs, 1, 0x7f)
		}
		imports = append(append(append(append(imports, name(module)...), name(e.name)...), 0), leb(i)...)
		functions = append(functions, leb(i)...)
		exports = append(append(append(exports, name(e.name)...), 0), leb(len(list)+i)...)
		body = append(append(append(body, 0x10), leb(i)...), 0x0b) // call, end
		code = append(append(code, leb(len(body))...), body...)
	}
	module := []byte("\x00asm\x01\x00\x00\x00")
	module = append(module, section(1, sigs)...)
	module = append(module, section(2, imports)...)
	module = append(module, section(3, functions)...)
	if pages > 0 {
		module = append(module, section(5, append([]byte{1, 0}, leb(pages)...))...)
		exports = append(append(exports, name("memory")...), 2, 0)
	}
	module = append(module, section(7, exports)...)
	return append(module, section(10, code)...)
}

func clip(b []byte) []byte { return b[:len(b):len(b)] }

const (
	guestPages = 2
	guestSize  = guestPages << 16

	// Where the harness keeps things in guest memory.
	outPtr     = 0x100  // results
	bufPtr     = 0x1000 // buffers
	stringsPtr = 0x8000 // what call is given as strings
)

// harness is one Runtime for all tests, and the guests compiled in it.
type harness struct {
	runtime wazero.Runtime
	guest   wazero.CompiledModule
}

var sharedHarness = sync.OnceValue(func() harness {
	ctx := context.Background()
	h := harness{runtime: wazero.NewRuntime(ctx)}
	if err := Register(ctx, h.runtime); err != nil {
		panic(err)
	}
	var err error
	if h.guest, err = h.runtime.CompileModule(ctx, trampolines(guestPages)); err != nil {
		panic(err)
	}
	return h
})

// guest is a process whose program is the test.
type guest struct {
	t    testing.TB
	ctx  context.Context
	host *Host
	tree *vfs.Tree
	mod  api.Module
	next uint32 // free memory for strings
}

func newGuest(t testing.TB, cfg Config) *guest {
	t.Helper()
	if cfg.Tree == nil {
		cfg.Tree = vfs.New(vfs.Config{})
	}
	host, err := NewHost(cfg)
	if err != nil {
		t.Fatal(err)
	}
	h := sharedHarness()
	mod, err := h.runtime.InstantiateModule(context.Background(), h.guest, moduleConfig())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		mod.Close(context.Background())
		if err := host.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return &guest{t: t, ctx: Bind(t.Context(), host), host: host, tree: cfg.Tree, mod: mod, next: stringsPtr}
}

// try calls a function. A string stands for its place in memory and its length.
func (g *guest) try(name string, args ...any) (errno, error) {
	g.t.Helper()
	var params []uint64
	for _, arg := range args {
		switch arg := arg.(type) {
		case string:
			if int(g.next)+len(arg) > guestSize {
				g.next = stringsPtr
			}
			g.write(g.next, arg)
			params = append(params, uint64(g.next), uint64(len(arg)))
			g.next += uint32(len(arg))
		case int:
			params = append(params, uint64(arg))
		case uint32:
			params = append(params, uint64(arg))
		case uint64:
			params = append(params, arg)
		case rights:
			params = append(params, uint64(arg))
		default:
			g.t.Fatalf("%s: can't pass a %T", name, arg)
		}
	}
	for i := range params {
		if f := g.mod.ExportedFunction(name).Definition(); f.ParamTypes()[i] == api.ValueTypeI32 {
			params[i] = uint64(uint32(params[i]))
		}
	}
	results, err := g.mod.ExportedFunction(name).Call(g.ctx, params...)
	if err != nil {
		return 0, err
	}
	return errno(results[0]), nil
}

// call is try where the call must come back.
func (g *guest) call(name string, args ...any) errno {
	g.t.Helper()
	e, err := g.try(name, args...)
	if err != nil {
		g.t.Fatalf("%s%v: %v", name, args, err)
	}
	return e
}

// must is call where it must succeed.
func (g *guest) must(name string, args ...any) {
	g.t.Helper()
	if e := g.call(name, args...); e != errSuccess {
		g.t.Fatalf("%s%v: %v", name, args, e)
	}
}

// want is call where the errno must be the one given.
func (g *guest) want(want errno, name string, args ...any) {
	g.t.Helper()
	if e := g.call(name, args...); e != want {
		g.t.Errorf("%s%v: %v, want %v", name, args, e, want)
	}
}

func (g *guest) write(ptr uint32, s string) {
	g.t.Helper()
	if !g.mod.Memory().WriteString(ptr, s) {
		g.t.Fatalf("%d bytes at %#x are outside of memory", len(s), ptr)
	}
}

func (g *guest) read(ptr, n uint32) string {
	g.t.Helper()
	b, ok := g.mod.Memory().Read(ptr, n)
	if !ok {
		g.t.Fatalf("%d bytes at %#x are outside of memory", n, ptr)
	}
	return string(b)
}

func (g *guest) uint32(ptr uint32) uint32 {
	v, _ := g.mod.Memory().ReadUint32Le(ptr)
	return v
}

func (g *guest) uint64(ptr uint32) uint64 {
	v, _ := g.mod.Memory().ReadUint64Le(ptr)
	return v
}

// iovecs writes a list of buffers to memory, and gives its place and length.
func (g *guest) iovecs(ptrLen ...uint32) (ptr, n uint32) {
	for i, v := range ptrLen {
		g.mod.Memory().WriteUint32Le(outPtr+0x80+uint32(4*i), v)
	}
	return outPtr + 0x80, uint32(len(ptrLen) / 2)
}

// open opens a path below the root with the given flags and the rights of a file.
func (g *guest) open(path string, flags oFlags, base rights) uint32 {
	g.t.Helper()
	g.must("path_open", 3, lookupFollow, path, int(flags), base, fileRights|dirRights, 0, outPtr)
	return g.uint32(outPtr)
}

// print writes s to fd, and says how much was written.
func (g *guest) print(fd uint32, s string) (uint32, errno) {
	g.t.Helper()
	g.write(bufPtr, s)
	list, n := g.iovecs(bufPtr, uint32(len(s)))
	e := g.call("fd_write", fd, list, n, outPtr)
	return g.uint32(outPtr), e
}

// scan reads up to n bytes from fd.
func (g *guest) scan(fd, n uint32) (string, errno) {
	g.t.Helper()
	list, count := g.iovecs(bufPtr, n)
	e := g.call("fd_read", fd, list, count, outPtr)
	if e != errSuccess {
		return "", e
	}
	return g.read(bufPtr, g.uint32(outPtr)), e
}

// onlyReader hides every method of a Reader but Read, so that it is read as one that
// may wait.
type onlyReader struct{ r *strings.Reader }

func (o onlyReader) Read(b []byte) (int, error) { return o.r.Read(b) }

func moduleConfig() wazero.ModuleConfig { return wazero.NewModuleConfig().WithName("") }
