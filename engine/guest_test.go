package engine_test

import (
	"crypto/sha256"
	"encoding/hex"

	"github.com/belljar-dev/belljar/engine"
)

// guest is a tiny WebAssembly module put together for a test: WASI imports, two pages of memory that may grow to
// 64, one mutable i32 global, data at address 0, and functions without parameters that answer an i32.
type guest struct {
	imports []wasiImport // function indices 0 …
	data    string
	funcs   []guestFunc // function indices len(imports) …
}

type wasiImport struct {
	name   string
	params []byte // value types; the result is an i32
}

type guestFunc struct {
	export string
	locals byte // i32 locals
	body   []byte
}

const (
	i32 = 0x7f
	i64 = 0x7e
)

var (
	fdWrite   = wasiImport{"fd_write", []byte{i32, i32, i32, i32}}
	fdRead    = wasiImport{"fd_read", []byte{i32, i32, i32, i32}}
	randomGet = wasiImport{"random_get", []byte{i32, i32}}
	pollOne   = wasiImport{"poll_oneoff", []byte{i32, i32, i32, i32}}
	clockTime = wasiImport{"clock_time_get", []byte{i32, i64, i32}}
)

func cat(parts ...[]byte) (out []byte) {
	for _, p := range parts {
		out = append(out, p...)
	}
	return out
}

func leb(v uint32) (out []byte) {
	for ; v >= 0x80; v >>= 7 {
		out = append(out, byte(v)|0x80)
	}
	return append(out, byte(v))
}

func sleb(v int64) (out []byte) {
	for {
		b := byte(v & 0x7f)
		v >>= 7
		if v == 0 && b&0x40 == 0 || v == -1 && b&0x40 != 0 {
			return append(out, b)
		}
		out = append(out, b|0x80)
	}
}

// Instructions, by the specification's names.
func i32Const(v int32) []byte      { return append([]byte{0x41}, sleb(int64(v))...) }
func i64Const(v int64) []byte      { return append([]byte{0x42}, sleb(v)...) }
func call(f uint32) []byte         { return append([]byte{0x10}, leb(f)...) }
func loop(body ...[]byte) []byte   { return cat([]byte{0x03, 0x40}, cat(body...), end) }
func ifThen(body ...[]byte) []byte { return cat([]byte{0x04, 0x40}, cat(body...), end) }
func br(depth byte) []byte         { return []byte{0x0c, depth} }
func i32Load(off uint32) []byte    { return append([]byte{0x28, 2}, leb(off)...) }
func i32Store(off uint32) []byte   { return append([]byte{0x36, 2}, leb(off)...) }
func i64Store(off uint32) []byte   { return append([]byte{0x37, 3}, leb(off)...) }

var (
	end        = []byte{0x0b}
	ret        = []byte{0x0f}
	drop       = []byte{0x1a}
	trap       = []byte{0x00}
	add        = []byte{0x6a}
	eqz        = []byte{0x45}
	eq         = []byte{0x46}
	growMemory = []byte{0x40, 0}
	sizeMemory = []byte{0x3f, 0}
	getGlobal  = []byte{0x23, 0}
	setGlobal  = []byte{0x24, 0}
)

// write writes n bytes at address at to a descriptor, with its iovec at 64 and the result at 72.
func write(f uint32, fd, at, n int32) []byte {
	return cat(i32Const(64), i32Const(at), i32Store(0), i32Const(64), i32Const(n), i32Store(4),
		i32Const(fd), i32Const(64), i32Const(1), i32Const(72), call(f), drop)
}

// sleep waits for a number of nanoseconds, with its subscription at 128.
func sleep(f uint32, ns int64) []byte {
	return cat(i32Const(128), i32Const(0), i32Store(8), // tag: clock
		i32Const(128), i32Const(1), i32Store(16), // monotonic
		i32Const(128), i64Const(ns), i64Store(24),
		i32Const(128), i32Const(256), i32Const(1), i32Const(320), call(f), drop)
}

func section(id byte, body []byte) []byte { return cat([]byte{id}, leb(uint32(len(body))), body) }

func vector(items ...[]byte) []byte { return append(leb(uint32(len(items))), cat(items...)...) }

func name(s string) []byte { return append(leb(uint32(len(s))), s...) }

func (g guest) wasm() []byte {
	types := [][]byte{{0x60, 0, 1, i32}}
	var imports, funcs, code, exports [][]byte
	for i, im := range g.imports {
		types = append(types, cat([]byte{0x60}, leb(uint32(len(im.params))), im.params, []byte{1, i32}))
		imports = append(imports, cat(name("wasi_snapshot_preview1"), name(im.name), []byte{0, byte(i + 1)}))
	}
	exports = append(exports, cat(name("memory"), []byte{2, 0}))
	for i, f := range g.funcs {
		funcs = append(funcs, []byte{0})
		body := cat([]byte{1, f.locals, i32}, f.body, end)
		code = append(code, cat(leb(uint32(len(body))), body))
		exports = append(exports, cat(name(f.export), []byte{0}, leb(uint32(len(g.imports)+i))))
	}
	return cat([]byte("\x00asm\x01\x00\x00\x00"),
		section(1, vector(types...)), section(2, vector(imports...)), section(3, vector(funcs...)),
		section(5, []byte{1, 1, 2, 64}), section(6, cat([]byte{1, i32, 1}, i32Const(7), end)),
		section(7, vector(exports...)), section(10, vector(code...)),
		section(11, cat([]byte{1, 0}, i32Const(0), end, name(g.data))))
}

// program makes a guest a program of an image.
func (g guest) program(path string, warm *engine.Warm) engine.Program {
	module := g.wasm()
	sum := sha256.Sum256(module)
	return engine.Program{
		Path: path, Digest: hex.EncodeToString(sum[:]), Entry: "run", Warm: warm,
		Module: func() ([]byte, error) { return module, nil },
	}
}
