package wasi

import (
	"context"
	"testing"

	"github.com/tetratelabs/wazero/api"
)

// looping is a module that calls one function count times with the same arguments,
// so that a benchmark measures the guest's call and not the host's call of the guest.
// It exports "memory", and "run" with the count as its parameter.
func looping(e export, params ...uint64) []byte {
	sigs := append(append([]byte{2, 0x60}, leb(len(e.params))...), types(e.params)...)
	sigs = append(sigs, 1, 0x7f, 0x60, 1, 0x7f, 0)
	imports := append(append([]byte{1}, name("wasi_snapshot_preview1")...), name(e.name)...)
	imports = append(imports, 0, 0)
	body := []byte{0, 0x03, 0x40} // no locals, loop
	for i, p := range params {
		body = append(body, map[byte]byte{'i': 0x41, 'I': 0x42}[e.params[i]]) // const
		body = append(body, signedLeb(int64(p))...)
	}
	body = append(body, 0x10, 0, 0x1a)                   // call, drop
	body = append(body, 0x20, 0, 0x41, 1, 0x6b, 0x22, 0) // count--
	body = append(body, 0x0d, 0, 0x0b, 0x0b)             // br_if, end, end
	exports := append(append([]byte{2}, name("memory")...), 2, 0)
	exports = append(append(exports, name("run")...), 0, 1)
	module := []byte("\x00asm\x01\x00\x00\x00")
	module = append(module, section(1, sigs)...)
	module = append(module, section(2, imports)...)
	module = append(module, section(3, []byte{1, 1})...)
	module = append(module, section(5, []byte{1, 0, guestPages})...)
	module = append(module, section(7, exports)...)
	return append(module, section(10, append(append([]byte{1}, leb(len(body))...), body...))...)
}

func signedLeb(n int64) (b []byte) {
	for {
		c := byte(n) & 0x7f
		n >>= 7
		if n == 0 && c&0x40 == 0 || n == -1 && c&0x40 != 0 {
			return append(b, c)
		}
		b = append(b, c|0x80)
	}
}

// loop instantiates looping for a fixture's host, with its descriptors.
func (g *guest) loop(b *testing.B, e export, params ...uint64) api.Module {
	mod, err := sharedHarness().runtime.InstantiateWithConfig(context.Background(), looping(e, params...), moduleConfig())
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { mod.Close(context.Background()) })
	g.mod = mod
	return mod
}

const pagePtr = 0x400 // the list of one buffer of 4 KiB

// BenchmarkCall makes the frequent calls from a guest's loop.
func BenchmarkCall(b *testing.B) {
	for _, c := range []struct {
		name   string
		call   string
		params []uint64
	}{
		{"clock_time_get", "clock_time_get", []uint64{1, 0, outPtr}},
		{"fd_write/stdout", "fd_write", []uint64{fdStdout, listPtr, 1, outPtr}},
		{"fd_pwrite/4K", "fd_pwrite", []uint64{fdFile, pagePtr, 1, 8192, outPtr}},
		{"fd_pread/4K", "fd_pread", []uint64{fdFile, pagePtr, 1, 8192, outPtr}},
		{"fd_read/stdin", "fd_read", []uint64{fdStdin, listPtr, 1, outPtr}},
		{"fd_fdstat_get", "fd_fdstat_get", []uint64{fdFile, outPtr}},
		{"fd_filestat_get", "fd_filestat_get", []uint64{fdFile, outPtr}},
		{"path_filestat_get", "path_filestat_get", []uint64{fdRoot, 0, stringsPtr, 5, outPtr}},
		{"path_filestat_get/missing", "path_filestat_get", []uint64{fdRoot, 0, stringsPtr, 4, outPtr}},
		{"poll_oneoff/file", "poll_oneoff", []uint64{subPtr, bufPtr, 1, outPtr}},
	} {
		b.Run(c.name, func(b *testing.B) {
			g := newFixture(b)
			for _, e := range preview1() {
				if e.name == c.call {
					g.loop(b, e, c.params...)
				}
			}
			g.writeLists()
			g.mod.Memory().WriteUint32Le(pagePtr, bufPtr)
			g.mod.Memory().WriteUint32Le(pagePtr+4, 4096)
			if err := g.tree.Truncate("/f", 1<<20); err != nil {
				b.Fatal(err)
			}
			g.write(stringsPtr, "d/sub")
			g.write(subPtr, string([]byte{8: byte(eventFdRead), 16: fdFile, sizeSubscription: 0}))
			run := g.mod.ExportedFunction("run")
			b.ReportAllocs()
			b.ResetTimer()
			for left := b.N; left > 0; left -= min(left, 1<<30) {
				if _, err := run.Call(g.ctx, uint64(min(left, 1<<30))); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkNewHost makes and closes a process's host.
func BenchmarkNewHost(b *testing.B) {
	g := newFixture(b)
	cfg := Config{Args: []string{"python3", "-c", "print(1)"}, Env: []string{"HOME=/home/user", "PATH=/usr/bin"}, Tree: g.tree}
	b.ReportAllocs()
	for b.Loop() {
		h, err := NewHost(cfg)
		if err != nil {
			b.Fatal(err)
		}
		h.Close()
	}
}
