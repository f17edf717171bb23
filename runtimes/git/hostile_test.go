package git

import (
	"bytes"
	"compress/zlib"
	"crypto/sha1"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/belljar-dev/belljar/engine"
)

const mib = 1 << 20

// zeros is a stream of that many.
func zeros(n int64) io.Reader { return io.LimitReader(zero{}, n) }

type zero struct{}

func (zero) Read(b []byte) (int, error) { clear(b); return len(b), nil }

// looseBomb is an object that says, and is, size zeros in a few hundred kilobytes; and its name.
func looseBomb(t *testing.T, size int64) (name string, content []byte) {
	t.Helper()
	var packed bytes.Buffer
	w, hash := zlib.NewWriter(&packed), sha1.New()
	if _, err := io.Copy(io.MultiWriter(w, hash), io.MultiReader(strings.NewReader(fmt.Sprintf("blob %d\x00", size)), zeros(size))); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return hex.EncodeToString(hash.Sum(nil)), packed.Bytes()
}

// packHead is how an object in a pack begins.
func packHead(kind byte, size uint64) []byte {
	out := []byte{kind<<4 | byte(size&15)}
	for size >>= 4; size > 0; size >>= 7 {
		out[len(out)-1] |= 0x80
		out = append(out, byte(size&127))
	}
	return out
}

func varint(n uint64) []byte { return binary.AppendUvarint(nil, n) }

func deflated(b []byte) []byte {
	var out bytes.Buffer
	w := zlib.NewWriter(&out)
	_, _ = w.Write(b)
	_ = w.Close()
	return out.Bytes()
}

// deltaBomb is a pack of a small object and of a delta that makes a giant of it.
func deltaBomb(size uint64) []byte {
	const piece = 0xffff
	base := make([]byte, piece)
	delta := append(varint(piece), varint(size)...)
	for left := size; left > 0; left -= min(left, piece) {
		n := min(left, piece)
		delta = append(delta, 0x80|0x10|0x20, byte(n), byte(n>>8)) // copy n bytes from the beginning
	}
	out := []byte("PACK\x00\x00\x00\x02\x00\x00\x00\x02")
	at := len(out)
	out = append(append(out, packHead(3, piece)...), deflated(base)...)
	back := len(out) - at
	out = append(out, packHead(6, uint64(len(delta)))...)
	offset := []byte{byte(back & 127)}
	for back >>= 7; back > 0; back >>= 7 {
		back--
		offset = append([]byte{0x80 | byte(back&127)}, offset...)
	}
	out = append(append(out, offset...), deflated(delta)...)
	sum := sha1.Sum(out)
	return append(out, sum[:]...)
}

// TestBombs gives git what grows beyond the sandbox's memory: git has to end, and the sandbox to go on.
func TestBombs(t *testing.T) {
	sb, err := newEngine(t, Config{}).Create(t.Context(), engine.Spec{Limits: engine.Limits{Memory: 96 * mib}})
	if err != nil {
		t.Fatal(err)
	}
	defer sb.Close()
	run := func(args ...string) engine.Result {
		t.Helper()
		r, err := sb.Run(t.Context(), engine.Command{Args: args, Dir: home})
		if err != nil {
			t.Fatalf("%v: %v\n%s", args, err, r.Stderr)
		}
		return r
	}
	write := func(name string, content []byte) {
		t.Helper()
		if err := sb.Files().WriteFile(home+"/"+name, content, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if r := run("git", "init", "-q", "."); r.ExitCode != 0 {
		t.Fatal(r.Stderr)
	}
	name, content := looseBomb(t, 300*mib)
	if err := sb.Files().MkdirAll(home+"/.git/objects/"+name[:2], 0o755); err != nil {
		t.Fatal(err)
	}
	write(".git/objects/"+name[:2]+"/"+name[2:], content)
	write("delta.pack", deltaBomb(300*mib))
	var refs strings.Builder
	for i := range 1_000_000 {
		fmt.Fprintf(&refs, "%s refs/heads/branch-of-a-million-%07d\n", name, i)
	}
	write("refs", []byte(refs.String()))
	for _, test := range []struct {
		name, script string
		status       int
	}{
		{"blob, which git streams", "git cat-file -p " + name + " | wc -c; exit ${PIPESTATUS[0]}", 0},
		{"blob to compare", "git update-index --add --cacheinfo 100644," + name + ",f && echo x >f && git diff --text f", 128},
		{"delta", "git index-pack --stdin <delta.pack", 128},
		{"delta to unpack", "git unpack-objects <delta.pack", 128},
		{"file", "truncate -s 300M sparse && git add sparse", 128},
		{"a million refs", "(echo '# pack-refs with: peeled fully-peeled sorted '; cat refs) >.git/packed-refs && git for-each-ref --count=1", 128},
	} {
		r := run("bash", "-c", test.script)
		if r.ExitCode != test.status {
			t.Errorf("%s: status %d in 96 MiB, want %d", test.name, r.ExitCode, test.status)
		}
		t.Logf("%s: status %d, %s", test.name, r.ExitCode, strings.TrimSpace(r.Stderr))
		if r := run("bash", "-c", "rm -f .git/packed-refs .git/index* && git status -s >/dev/null && echo on"); r.Stdout != "on\n" {
			t.Fatalf("%s: after it: %d %s", test.name, r.ExitCode, r.Stderr)
		}
	}
}
