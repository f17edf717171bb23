package wasi

import (
	"context"
	"encoding/binary"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/tetratelabs/wazero/sys"

	"github.com/belljar-dev/belljar/vfs"
)

// restless has a signal wait always, so that no call does.
type restless struct{}

func (restless) Pending() bool                                   { return true }
func (restless) Deliver(context.Context) (handled, restart bool) { return true, false }
func (restless) Raise(int)                                       {}

// FuzzDecode makes calls with random arguments over random memory. Whatever a guest
// does, the host must come back, and with an errno.
//
// The first bytes say which calls to make: one for the function, then its parameters,
// each one byte that is one of the interesting values, or is followed by four of its
// own. What is left is put into memory.
func FuzzDecode(f *testing.F) {
	list := append(preview1(), extension()...)
	list = append(list, export{"proc_exit", "i", nil})
	for i := range list {
		f.Add([]byte{byte(i), 4, 0, 1, 2, 3, 4, 5, 6, 7, 8, 'f', 0, 'd', 0xff})
		f.Add([]byte{byte(i), 0, 7, 8, 9, 10, 11, 12, 13, 14, 15, 'f', '/', '.', '.'})
	}
	interesting := []uint64{
		0, 1, 2, fdRoot, fdFile, fdDir, 6, 7, 8, 9, 10, 11, 12, 13, 0x100, 0x1000, 0x1100, 0x1108, guestSize - 48, guestSize - 1, guestSize,
		1<<31 - 1, 1 << 31, 1<<32 - 1, 1 << 32, 1<<63 - 1, 1 << 63, 1<<64 - 1,
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 1<<12 {
			t.Skip("more than is needed")
		}
		tree := vfs.New(vfs.Config{MaxBytes: 1 << 20, MaxFiles: 100})
		if err := errors.Join(tree.WriteFile("/f", []byte("hello"), 0o666), tree.Mkdir("/d", 0o777)); err != nil {
			t.Fatal(err)
		}
		n := new(Network)
		defer n.Close()
		g := newGuest(t, Config{
			Tree: tree, Clock: &fakeClock{}, Stdin: strings.NewReader("input"), Network: n, Signals: restless{},
			Services: func(context.Context, string, []byte) ([]byte, error) { return []byte("answer"), nil },
		})
		g.open("f", 0, fileRights)
		g.open("d", openDirectory, dirRights)
		listener, _ := g.serve("127.0.0.1", 1) // 6
		g.connection()                         // 7 to 9
		g.sock(familyInet, socketDatagram)     // 10
		g.sock(familyUnix, socketStream)       // 11
		g.must("fd_pipe", 0, outPtr)           // 12, 13
		g.must("fd_dup", listener, 0, 0, outPtr)
		// In the places where arguments point to: text, buffers, subscriptions.
		g.write(0x100, string(data))
		for i := range uint32(16) {
			g.mod.Memory().WriteUint32Le(0x1000+8*i, 0x100*i)
			g.mod.Memory().WriteUint32Le(0x1004+8*i, 0x10*i)
		}
		g.write(0x1100, "\x00\x12\x00\x00\x04\x00\x00\x00\x00\x12\x00\x00\x80\x00\x00\x00") // addresses
		g.write(0x1200, "\x7f\x00\x00\x01/sock\x00")
		for calls := 0; len(data) > 0 && calls < 16; calls++ {
			e := list[int(data[0])%len(list)]
			data = data[1:]
			var params []uint64
			for _, typ := range e.params {
				var v uint64
				switch {
				case len(data) == 0:
				case int(data[0]) < len(interesting):
					v, data = interesting[data[0]], data[1:]
				case len(data) >= 5:
					v, data = uint64(binary.LittleEndian.Uint32(data[1:])), data[5:]
				default:
					v, data = uint64(data[0]), data[1:]
				}
				if typ == 'i' {
					v = uint64(uint32(v))
				}
				params = append(params, v)
			}
			start := time.Now()
			result, err := g.mod.ExportedFunction(e.name).Call(g.ctx, params...)
			if d := time.Since(start); d > 10*time.Second {
				t.Errorf("%s%v took %v", e.name, params, d)
			}
			var exit *sys.ExitError
			switch {
			case errors.As(err, &exit):
				return
			case err != nil:
				t.Fatalf("%s%v: %v", e.name, params, err)
			case len(result) > 0 && uint32(result[0]) > uint32(errNotcapable): // the upper half of an i32 is anything
				t.Errorf("%s%v: errno %d", e.name, params, result[0])
			}
		}
	})
}
