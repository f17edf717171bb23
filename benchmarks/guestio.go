package benchmarks

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/tetratelabs/wazero"

	"github.com/belljar-dev/belljar/vfs"
	"github.com/belljar-dev/belljar/wasi"
)

// guestIO measures how fast a guest reads and writes a file: what the host's side of WASI adds to the file tree's own
// time, which fileTree has. The guest does nothing else, and has no meter.
func (s *suite) guestIO(ctx context.Context) error {
	const size, calls = 64 << 20, 100_000
	tree := vfs.New(vfs.Config{})
	defer tree.Close()
	f, err := tree.OpenFile("/big", os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return err
	}
	if _, err := f.WriteAt(make([]byte, size), 0); err != nil {
		return err
	}
	const fdRead, fdSeek, fdWrite = 1 << 1, 1 << 2, 1 << 6 // rights of preview 1
	host, err := wasi.NewHost(wasi.Config{Tree: tree, Descriptors: []wasi.Descriptor{{
		Number: ioDescriptor, Kind: wasi.KindFile, File: f, Readable: true, Writable: true, Rights: fdRead | fdSeek | fdWrite,
	}}})
	if err != nil {
		return err
	}
	defer host.Close()
	r := wazero.NewRuntime(ctx)
	defer r.Close(ctx)
	if err := wasi.Register(ctx, r); err != nil {
		return err
	}
	for _, c := range []struct{ call, metric, note string }{
		{"fd_pread", "guest_read4k_per_s", "4 KiB preads of a guest at random places of 64 MiB"},
		{"fd_pwrite", "guest_write4k_per_s", "4 KiB pwrites of a guest there"},
	} {
		mod, err := r.InstantiateWithConfig(ctx, ioGuest(c.call), wazero.NewModuleConfig().WithName(""))
		if err != nil {
			return err
		}
		mod.Memory().WriteUint32Le(ioList, ioBuffer)
		mod.Memory().WriteUint32Le(ioList+4, ioBlock)
		var rates []float64
		for range s.runs(16) {
			start := time.Now()
			if _, err := mod.ExportedFunction("run").Call(wasi.Bind(ctx, host), calls); err != nil {
				return fmt.Errorf("%s: %w", c.call, err)
			}
			rates = append(rates, calls/time.Since(start).Seconds())
		}
		s.add(c.metric, "1/s", rates, "%s", c.note)
	}
	return nil
}

// Where the guest keeps things, and what it has open.
const (
	ioDescriptor = 3
	ioList       = 16
	ioResult     = 32
	ioBuffer     = 4096
	ioBlock      = 4096
)

// ioGuest is a module whose function run(count) makes one call count times, on blocks that it picks at random: x follows
// x * 1664525 + 1013904223, and its highest 14 bits are the number of a block. An error traps.
//
//	loop
//	  (if (call $call 3 ioList 1 (i64.shl (i64.extend_i32_u (i32.shr_u (local.tee $x …) 18)) 12) ioResult) (then unreachable))
//	  (br_if 0 (local.tee $count (i32.sub (local.get $count) 1)))
//	end
func ioGuest(call string) []byte {
	vector := func(id byte, content ...byte) []byte { return append([]byte{id, byte(len(content))}, content...) }
	name := func(s string) []byte { return append([]byte{byte(len(s))}, s...) }
	body := []byte{
		1, 1, 0x7f, // one local, an i32
		0x03, 0x40, // loop
		0x41, ioDescriptor, 0x41, ioList, 0x41, 1, // i32.const
		0x20, 1, 0x41, 0x8d, 0xcc, 0xe5, 0x00, 0x6c, // x * 1664525
		0x41, 0xdf, 0xe6, 0xbb, 0xe3, 0x03, 0x6a, 0x22, 1, // + 1013904223, local.tee
		0x41, 18, 0x76, 0xad, 0x42, 12, 0x86, // >> 18, as an i64, << 12
		0x41, ioResult, 0x10, 0, // call
		0x04, 0x40, 0x00, 0x0b, // if, unreachable, end
		0x20, 0, 0x41, 1, 0x6b, 0x22, 0, 0x0d, 0, // count--, br_if
		0x0b, 0x0b,
	}
	imports := append(append([]byte{1}, name("wasi_snapshot_preview1")...), name(call)...)
	exports := append(append([]byte{2}, name("memory")...), 2, 0)
	exports = append(append(exports, name("run")...), 0, 1)
	module := []byte("\x00asm\x01\x00\x00\x00")
	module = append(module, vector(1, 2, 0x60, 5, 0x7f, 0x7f, 0x7f, 0x7e, 0x7f, 1, 0x7f, 0x60, 1, 0x7f, 0)...)
	module = append(module, vector(2, append(imports, 0, 0)...)...)
	module = append(module, vector(3, 1, 1)...)
	module = append(module, vector(5, 1, 0, 1)...)
	module = append(module, vector(7, exports...)...)
	return append(module, vector(10, append([]byte{1, byte(len(body))}, body...)...)...)
}
