package archive

import (
	"bytes"
	"fmt"
	"io"
	"testing"

	"github.com/belljar-dev/belljar/vfs"
)

// filled returns a tree of n files of size bytes each.
func filled(b *testing.B, n, size int) *vfs.Tree {
	tr := vfs.New(vfs.Config{})
	b.Cleanup(func() { tr.Close() })
	content := bytes.Repeat([]byte("content "), size/8)
	for i := range n {
		name := fmt.Sprintf("/d%d/f%d", i%100, i)
		if i < 100 {
			must(b, tr.MkdirAll(fmt.Sprintf("/d%d", i), 0o755))
		}
		must(b, tr.WriteFile(name, content, 0o644))
	}
	return tr
}

func BenchmarkTar(b *testing.B) {
	for _, size := range []int{1 << 10, 1 << 16} {
		tr := filled(b, 10_000, size)
		var packed bytes.Buffer
		must(b, WriteTar(&packed, tr, "/", Config{}))
		b.Run(fmt.Sprintf("out/10000x%d", size), func(b *testing.B) {
			b.SetBytes(int64(10_000 * size))
			for b.Loop() {
				must(b, WriteTar(io.Discard, tr, "/", Config{}))
			}
		})
		b.Run(fmt.Sprintf("in/10000x%d", size), func(b *testing.B) {
			b.SetBytes(int64(10_000 * size))
			for b.Loop() {
				into := vfs.New(vfs.Config{})
				must(b, ReadTar(into, "/", bytes.NewReader(packed.Bytes()), Config{}))
				must(b, into.Close())
			}
		})
	}
}
