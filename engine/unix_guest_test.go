package engine_test

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"

	"github.com/belljar-dev/belljar/engine"
)

// unixGuest puts a module together that uses module "belljar". Its entry runs steps; between them it can fork, because
// it does by hand what asyncify does to compiled code: global 0 is the state (1 unwinding, 2 rewinding), and a rewinding
// entry skips to the fork it stands in, whose number is in memory.
//
// Every call's results lie at out, and are gone with the next call that has any, unless it is told another place.
type unixGuest struct {
	data    []byte
	steps   [][]byte
	forks   int32
	handler []byte // what belljar_signal does with local 0, the signal
	entry   string // the entry's export; "" is "run"
	init    []byte // what _initialize does
	thread  []byte // what belljar_thread does with local 0, its argument
	yield   []byte // what belljar_yield does
}

// Where a unixGuest keeps things.
const (
	outAt    = 64
	pipeAt   = 128
	forkAt   = 192 // number of the fork under way
	stackAt  = 200
	keepAt   = 256
	actionAt = 320
	bufferAt = 512
	dataAt   = 4096
)

// unixCalls are the imports of a unixGuest, in the order of their indices.
var unixCalls = []struct{ name, params string }{
	{"fd_write", "iiii"},
	{"fd_read", "iiii"},
	{"fd_close", "i"},
	{"poll_oneoff", "iiii"},
	{"sched_yield", ""},
	{"path_open", "iiiiiIIii"},
	{"belljar.proc_fork", "i"},
	{"belljar.proc_exec", "iiiiiiii"},
	{"belljar.proc_spawn", "iiiiiiiiiiii"},
	{"belljar.proc_wait", "iii"},
	{"belljar.proc_kill", "ii"},
	{"belljar.proc_id", "iii"},
	{"belljar.proc_setpgid", "ii"},
	{"belljar.proc_setsid", "i"},
	{"belljar.sig_action", "iiii"},
	{"belljar.sig_mask", "iIi"},
	{"belljar.sig_suspend", "I"},
	{"belljar.sig_timer", "IIi"},
	{"belljar.fd_pipe", "ii"},
	{"belljar.fd_dup2", "iii"},
	{"belljar.tty_attr_get", "ii"},
	{"belljar.tty_size_get", "ii"},
	{"belljar.tty_pgrp_set", "ii"},
	{"belljar.thread_create", "iiiii"},
	{"belljar.thread_exit", ""},
	{"belljar.thread_wait", "iiI"},
	{"belljar.thread_wake", "iii"},
	{"belljar.host_call", "iiiii"},
	{"belljar.host_take", "ii"},
	{"proc_exit", "i"},
}

func unixCall(name string) (index uint32, params string) {
	for i, c := range unixCalls {
		if c.name == name || c.name == "belljar."+name {
			return uint32(i), c.params
		}
	}
	panic("no such call: " + name)
}

// text puts a string into memory.
func (g *unixGuest) text(s string) (at, n int32) {
	at = dataAt + int32(len(g.data))
	g.data = append(g.data, s...)
	return at, int32(len(s))
}

// sys calls a function: a string is a pointer and a length, an int32 itself, code whatever it leaves on the stack.
func (g *unixGuest) sys(name string, args ...any) []byte {
	f, params := unixCall(name)
	var code []byte
	for _, a := range args {
		if len(params) == 0 {
			panic(name + " has too many arguments")
		}
		switch a := a.(type) {
		case string:
			at, n := g.text(a)
			code = cat(code, i32Const(at), i32Const(n))
			params = params[1:]
		case int:
			if params[0] == 'I' {
				code = cat(code, i64Const(int64(a)))
			} else {
				code = cat(code, i32Const(int32(a)))
			}
		case []byte:
			code = cat(code, a)
		default:
			panic(fmt.Sprintf("%s: argument %v", name, a))
		}
		params = params[1:]
	}
	if params != "" {
		panic(name + " has too few arguments")
	}
	return cat(code, call(f))
}

// must makes a call end the program with status 100 + errno unless it succeeds.
func (g *unixGuest) must(name string, args ...any) []byte {
	code := g.sys(name, args...)
	return cat(code, setLocal, getLocal, ifThen(getLocal, i32Const(100), add, call(uint32(len(unixCalls)-1))))
}

func (g *unixGuest) exit(status any) []byte { return g.sys("proc_exit", status) }

// ignore makes a call whatever its answer.
func (g *unixGuest) ignore(name string, args ...any) []byte { return cat(g.sys(name, args...), drop) }

// print writes to standard output.
func (g *unixGuest) print(s string) []byte {
	at, n := g.text(s)
	return cat(store(bufferAt, i32Const(at)), store(bufferAt+4, i32Const(n)), g.ignore("fd_write", 1, bufferAt, 1, bufferAt+8))
}

// step appends code to the program.
func (g *unixGuest) step(code ...[]byte) *unixGuest {
	state := []byte{0x23, 0} // global.get 0
	g.steps = append(g.steps, cat(state, i32Const(2), notEq, ifThen(code...)))
	return g
}

// fork appends a fork, whose answer, 0 in the child, is at keepAt; an error is at keepAt+4.
func (g *unixGuest) fork() *unixGuest {
	g.steps = append(g.steps, g.forkCode())
	return g
}

func (g *unixGuest) forkCode() []byte {
	g.forks++
	f, _ := unixCall("proc_fork")
	state := []byte{0x23, 0}
	return cat(
		state, i32Const(2), notEq, load(forkAt), i32Const(g.forks), eq, or, ifThen(
			store(forkAt, i32Const(g.forks)),
			store(keepAt+4, i32Const(keepAt), call(f)),
			state, i32Const(1), eq, ifThen(i32Const(0), ret)))
}

// forkForever appends a loop of forks that ends when one is refused.
func (g *unixGuest) forkForever() *unixGuest {
	g.steps = append(g.steps, loop(g.forkCode(), load(keepAt+4), eqz, []byte{0x0d, 0}))
	return g
}

var (
	getLocal = []byte{0x20, 0}
	setLocal = []byte{0x21, 0}
	notEq    = []byte{0x47}
	or       = []byte{0x72}
	shiftU   = []byte{0x76}
)

func load(at int32) []byte                   { return cat(i32Const(at), i32Load(0)) }
func store(at int32, value ...[]byte) []byte { return cat(i32Const(at), cat(value...), i32Store(0)) }

// action puts an action of proc_spawn into memory, at the given place of the list.
func action(i int32, op, fd, to []byte) []byte {
	at := actionAt + 12*i
	return cat(store(at, op), store(at+4, fd), store(at+8, to))
}

func (g *unixGuest) module() []byte {
	const i32Result, noResult, stackResult, param = 0, 1, 2, 3
	types := [][]byte{{0x60, 0, 1, i32}, {0x60, 0, 0}, {0x60, 0, 1, i32}, {0x60, 1, i32, 0}}
	var imports [][]byte
	for i, c := range unixCalls {
		module, fn := "wasi_snapshot_preview1", c.name
		if len(fn) > 8 && fn[:8] == "belljar." {
			module, fn = "belljar", fn[8:]
		}
		sig := cat([]byte{0x60}, leb(uint32(len(c.params))))
		for _, p := range c.params {
			if p == 'I' {
				sig = append(sig, i64)
			} else {
				sig = append(sig, i32)
			}
		}
		if fn == "proc_exit" {
			sig = append(sig, 0)
		} else {
			sig = append(sig, 1, i32)
		}
		types = append(types, sig)
		imports = append(imports, cat(name(module), name(fn), []byte{0, byte(4 + i)}))
	}
	setState := func(v int32) []byte { return cat(i32Const(v), []byte{0x24, 0}) }
	entry := cmp.Or(g.entry, "run")
	funcs := []struct {
		export string
		typ    byte
		body   []byte
	}{
		{entry, i32Result, cat(cat(g.steps...), i32Const(0))},
		{"belljar_stack", stackResult, i32Const(stackAt)},
		{"asyncify_start_unwind", param, setState(1)},
		{"asyncify_stop_unwind", noResult, setState(0)},
		{"asyncify_start_rewind", param, setState(2)},
		{"asyncify_stop_rewind", noResult, setState(0)},
		{"belljar_signal", param, g.handler},
		{"_initialize", noResult, g.init},
		{"belljar_thread", param, g.thread},
		{"belljar_yield", noResult, g.yield},
	}
	exports := [][]byte{cat(name("memory"), []byte{2, 0}), cat(name("__stack_pointer"), []byte{3, 0})}
	var decls, code [][]byte
	for i, f := range funcs {
		decls = append(decls, []byte{f.typ})
		body := cat([]byte{1, 1, i32}, f.body, end)
		code = append(code, cat(leb(uint32(len(body))), body))
		exports = append(exports, cat(name(f.export), []byte{0}, leb(uint32(len(unixCalls)+i))))
	}
	return cat([]byte("\x00asm\x01\x00\x00\x00"),
		section(1, vector(types...)), section(2, vector(imports...)), section(3, vector(decls...)),
		section(5, []byte{1, 1, 2, 64}), section(6, cat([]byte{1, i32, 1}, i32Const(0), end)),
		section(7, vector(exports...)), section(10, vector(code...)),
		section(11, cat([]byte{1, 0}, i32Const(dataAt), end, name(string(g.data)))))
}

func (g *unixGuest) program(path string) engine.Program {
	module := g.module()
	sum := sha256.Sum256(module)
	return engine.Program{
		Path: path, Digest: hex.EncodeToString(sum[:]), Entry: "run",
		Module: func() ([]byte, error) { return module, nil },
	}
}

// sleepFor is poll_oneoff with one clock, of a time in nanoseconds.
func (g *unixGuest) sleepFor(ns int) []byte {
	var sub [48]byte
	binary.LittleEndian.PutUint32(sub[16:], 1)
	binary.LittleEndian.PutUint64(sub[24:], uint64(ns))
	at, _ := g.text(string(sub[:]))
	return g.ignore("poll_oneoff", int(at), bufferAt, 1, bufferAt+64)
}

// args is a list of strings as proc_exec and proc_spawn take it.
func args(list ...string) (block string) {
	for _, s := range list {
		block += s + "\x00"
	}
	return block
}
