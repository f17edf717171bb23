package gitops

import (
	"bytes"
	"compress/zlib"
	"crypto/rand"
	"crypto/sha1"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"

	"github.com/go-git/go-git/v5/plumbing"

	"github.com/belljar-dev/belljar/vfs"
)

// packed objects, as a hostile server makes them.
type forgedPack struct {
	bytes.Buffer
	count uint32
}

func (p *forgedPack) header(kind plumbing.ObjectType, size uint64) {
	p.count++
	c := byte(kind)<<4 | byte(size&15)
	for size >>= 4; size > 0; size >>= 7 {
		p.WriteByte(c | 0x80)
		c = byte(size & 0x7f)
	}
	p.WriteByte(c)
}

func (p *forgedPack) deflate(b []byte) {
	z := zlib.NewWriter(&p.Buffer)
	z.Write(b)
	z.Close()
}

func (p *forgedPack) object(kind plumbing.ObjectType, b []byte) plumbing.Hash {
	p.header(kind, uint64(len(b)))
	p.deflate(b)
	return plumbing.ComputeHash(kind, b)
}

// delta adds one on top of what lies back bytes before.
func (p *forgedPack) delta(back int, d []byte) {
	p.header(plumbing.OFSDeltaObject, uint64(len(d)))
	var b []byte
	b = append(b, byte(back&0x7f))
	for back >>= 7; back > 0; back >>= 7 {
		back--
		b = append([]byte{byte(back&0x7f) | 0x80}, b...)
	}
	p.Write(b)
	p.deflate(d)
}

func (p *forgedPack) whole() []byte {
	b := append([]byte("PACK\x00\x00\x00\x02"), binary.BigEndian.AppendUint32(nil, p.count)...)
	b = append(b, p.Bytes()...)
	sum := sha1.Sum(b)
	return append(b, sum[:]...)
}

// commitOfTree adds a commit of a tree that has what entries say, each "mode name\x00" and a hash.
func (p *forgedPack) commitOfTree(entries ...string) plumbing.Hash {
	tree := p.object(plumbing.TreeObject, []byte(strings.Join(entries, "")))
	return p.object(plumbing.CommitObject, fmt.Appendf(nil, "tree %s\nauthor A <a@b> 1 +0000\ncommitter A <a@b> 1 +0000\n\nx\n", tree))
}

// serveForged tells references and then gives a pack.
func serveForged(t *testing.T, refs func(io.Writer), pack []byte) Config {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			w.Header().Set("Content-Type", "application/x-git-upload-pack-advertisement")
			w.Write(pkt("# service=git-upload-pack\n"))
			io.WriteString(w, "0000")
			refs(w)
			io.WriteString(w, "0000")
			return
		}
		io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "application/x-git-upload-pack-result")
		w.Write(pkt("NAK\n"))
		w.Write(pack)
	}))
	t.Cleanup(server.Close)
	c := who
	c.Access.Dialer = only(strings.TrimPrefix(server.URL, "http://"))
	c.Name = server.URL
	return c
}

func oneRef(h plumbing.Hash) func(io.Writer) {
	return func(w io.Writer) {
		w.Write(pkt(h.String() + " refs/heads/main\x00ofs-delta symref=HEAD:refs/heads/main\n"))
	}
}

// cloneForged clones from a hostile server, and checks that nothing is left behind.
func cloneForged(t *testing.T, tr *vfs.Tree, c Config, want error) {
	t.Helper()
	before := tr.Usage()
	_, err := Clone(ctx, tr, c.Name+"/x.git", "copy", c, CloneOptions{})
	if !errors.Is(err, want) || err == nil {
		t.Errorf("%v, want %v", err, want)
	}
	if _, err := tr.Stat("copy"); err == nil {
		t.Error("the failed clone was left behind")
	}
	if after := tr.Usage(); after != before {
		t.Errorf("usage is %+v, was %+v", after, before)
	}
}

func TestHostilePacks(t *testing.T) {
	blob := func(p *forgedPack) string { h := p.object(plumbing.BlobObject, []byte("x")); return string(h[:]) }
	size := func(n int) []byte { return binary.AppendUvarint(nil, uint64(n)) }
	for _, c := range []struct {
		name string
		make func(p *forgedPack) plumbing.Hash
		edit func([]byte) []byte
		want error
	}{
		{name: "no pack", edit: func([]byte) []byte { return []byte("HELLO WORLD, I AM NO PACK AT ALL, SORRY") }, want: ErrCorrupt},
		{name: "empty answer", edit: func([]byte) []byte { return nil }, want: io.ErrUnexpectedEOF},
		{name: "cut", edit: func(b []byte) []byte { return b[:len(b)-30] }, want: io.ErrUnexpectedEOF},
		{name: "wrong hash", edit: func(b []byte) []byte { b[len(b)-1]++; return b }, want: ErrCorrupt},
		{name: "a billion objects", edit: func(b []byte) []byte { binary.BigEndian.PutUint32(b[8:], 1<<30); return b }, want: ErrTooMany},
		{name: "an exabyte", make: func(p *forgedPack) plumbing.Hash { p.header(plumbing.BlobObject, 1<<55); return plumbing.Hash{1} }, want: ErrTooLarge},
		{name: "a zip bomb that says it is small", make: func(p *forgedPack) plumbing.Hash {
			p.header(plumbing.BlobObject, 10)
			p.deflate(make([]byte, 32<<20))
			return plumbing.Hash{1}
		}, want: ErrCorrupt},
		{name: "smaller than it says", make: func(p *forgedPack) plumbing.Hash {
			p.header(plumbing.BlobObject, 10)
			p.deflate([]byte("x"))
			return plumbing.Hash{1}
		}, want: ErrCorrupt},
		{name: "a giant delta", make: func(p *forgedPack) plumbing.Hash {
			p.object(plumbing.BlobObject, []byte("base"))
			back := p.Len()
			p.delta(back, append(append(size(4), size(1<<50)...), 0x90, 4))
			return plumbing.Hash{1}
		}, want: ErrTooLarge},
		{name: "a delta that copies what isn't there", make: func(p *forgedPack) plumbing.Hash {
			p.object(plumbing.BlobObject, []byte("base"))
			p.delta(p.Len(), append(append(size(4), size(100)...), 0x90, 100))
			return plumbing.Hash{1}
		}, want: ErrCorrupt},
		{name: "a delta of nothing", make: func(p *forgedPack) plumbing.Hash { p.delta(5, []byte{4, 4, 0x90, 4}); return plumbing.Hash{1} }, want: ErrCorrupt},
		{name: "a delta of what doesn't come", make: func(p *forgedPack) plumbing.Hash {
			p.header(plumbing.REFDeltaObject, 4)
			p.Write(make([]byte, 20))
			p.deflate([]byte{4, 4, 0x90, 4})
			return plumbing.Hash{1}
		}, want: ErrCorrupt},
		{name: "deltas that keep too much", make: bushyDeltas, want: ErrTooLarge},
		{name: "a kind that isn't", make: func(p *forgedPack) plumbing.Hash { p.header(5, 1); p.deflate([]byte("x")); return plumbing.Hash{1} }, want: ErrCorrupt},
		{name: "not what was asked for", make: func(p *forgedPack) plumbing.Hash { blob(p); return plumbing.Hash{1} }, want: ErrRemote},
		{name: ".git", make: func(p *forgedPack) plumbing.Hash { return p.commitOfTree("100644 .git\x00" + blob(p)) }, want: ErrPath},
		{name: "..", make: func(p *forgedPack) plumbing.Hash { return p.commitOfTree("100644 ..\x00" + blob(p)) }, want: ErrPath},
		{name: "a slash", make: func(p *forgedPack) plumbing.Hash { return p.commitOfTree("100644 a/../../b\x00" + blob(p)) }, want: ErrPath},
		{name: "a link and a directory of one name", make: func(p *forgedPack) plumbing.Hash {
			target := p.object(plumbing.BlobObject, []byte("/etc"))
			inner := p.object(plumbing.TreeObject, []byte("100644 passwd\x00"+blob(p)))
			return p.commitOfTree("120000 a\x00"+string(target[:]), "40000 a\x00"+string(inner[:]))
		}, want: ErrCorrupt},
		{name: ".GITMODULES as a link", make: func(p *forgedPack) plumbing.Hash { return p.commitOfTree("120000 .GITMODULES\x00" + blob(p)) }, want: ErrPath},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := &forgedPack{}
			if c.make == nil {
				c.make = func(p *forgedPack) plumbing.Hash { return p.commitOfTree("100644 a\x00" + blob(p)) }
			}
			h := c.make(p)
			b := p.whole()
			if c.edit != nil {
				b = c.edit(b)
			}
			tr := vfs.New(vfs.Config{})
			defer tr.Close()
			cloneForged(t, tr, serveForged(t, oneRef(h), b), c.want)
		})
	}
}

// bushyDeltas is a chain of contents of 16 MiB, each of which two are based on: depth first, all have to be kept.
func bushyDeltas(p *forgedPack) plumbing.Hash {
	const big = 16 << 20
	p.object(plumbing.BlobObject, make([]byte, big))
	at := 0
	copyAll := append(binary.AppendUvarint(nil, big), binary.AppendUvarint(nil, big)...)
	for range 15 {
		last := 0
		for range 2 {
			last = p.Len()
			p.delta(p.Len()-at, append(append([]byte{}, copyAll...), bigCopies(big)...))
		}
		at = last
	}
	return plumbing.Hash{1}
}

// bigCopies copies size bytes of the base, in steps of 64 KiB.
func bigCopies(size int) (d []byte) {
	for off := 0; off < size; off += 1 << 16 {
		d = append(d, 0x80|0x0f, byte(off), byte(off>>8), byte(off>>16), byte(off>>24)) // no size is 64 KiB
	}
	return d
}

func TestHostileReferences(t *testing.T) {
	p := &forgedPack{}
	b := p.object(plumbing.BlobObject, []byte("x"))
	h := p.commitOfTree("100644 a\x00" + string(b[:]))
	tr := vfs.New(vfs.Config{})
	defer tr.Close()
	many := serveForged(t, func(w io.Writer) {
		oneRef(h)(w)
		for i := range 1_000_000 {
			if _, err := w.Write(pkt(fmt.Sprintf("%s refs/heads/b%d\n", h, i))); err != nil {
				return
			}
		}
	}, p.whole())
	var m runtime.MemStats
	cloneForged(t, tr, many, ErrTooMany)
	runtime.ReadMemStats(&m)
	if m.HeapInuse > 400<<20 {
		t.Errorf("the heap has %d MiB", m.HeapInuse>>20)
	}
	bad := serveForged(t, func(w io.Writer) {
		oneRef(h)(w)
		for _, name := range []string{"refs/heads/../../../../etc/x", "refs/heads/a..b", "refs/heads/x.lock", "../config", "refs/heads/a b",
			"refs/heads/\x1b[31m", "config", "refs/heads/.hidden"} {
			w.Write(pkt(h.String() + " " + name + "\n"))
		}
	}, p.whole())
	r, err := Clone(ctx, tr, bad.Name+"/x.git", "copy", bad, CloneOptions{})
	must(t, err)
	if bs, err := r.Branches(ctx, true); err != nil || len(bs) != 1 {
		t.Errorf("%v, %v", bs, err)
	}
	talk := serveForged(t, func(w io.Writer) { w.Write(pkt("ERR \x1b]0;pwned\x07 go away\n")) }, nil)
	_, err = Clone(ctx, tr, talk.Name+"/x.git", "other", talk, CloneOptions{})
	if !errors.Is(err, ErrRemote) || strings.ContainsAny(err.Error(), "\x1b\x07") || !strings.Contains(err.Error(), "go away") {
		t.Errorf("%q", err)
	}
}

// A huge file, or a huge pack, meets the quota or the limit, and leaves nothing.
func TestCloneBeyondQuota(t *testing.T) {
	p := &forgedPack{}
	noise := make([]byte, 4<<20)
	rand.Read(noise)
	b := p.object(plumbing.BlobObject, noise)
	h := p.commitOfTree("100644 a\x00" + string(b[:]))
	for _, most := range []int64{1 << 20, 6 << 20} { // the pack, then the file beside it
		tr := vfs.New(vfs.Config{MaxBytes: most})
		cloneForged(t, tr, serveForged(t, oneRef(h), p.whole()), vfs.ErrQuota)
		tr.Close()
	}
	tr := vfs.New(vfs.Config{})
	defer tr.Close()
	c := serveForged(t, oneRef(h), p.whole())
	c.Access.MaxPack = 1 << 20
	cloneForged(t, tr, c, ErrTooLarge)
	c.Access.MaxPack, c.Access.MaxObjects = 0, 2
	cloneForged(t, tr, c, ErrTooMany)
	c.Access.MaxObjects, c.MaxObject = 0, 1<<20
	cloneForged(t, tr, c, ErrTooLarge)
}
