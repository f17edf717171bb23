package gitops

import (
	"bytes"
	"context"
	"crypto/sha1"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"runtime"
	"strings"
	"testing"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/filemode"
	"github.com/go-git/go-git/v5/plumbing/format/idxfile"

	"github.com/belljar-dev/belljar/vfs"
)

// plant puts a pack into a repository, with an index that names what lies at some offsets.
func plant(t *testing.T, tr *vfs.Tree, p *forgedPack, at map[plumbing.Hash]int64) {
	t.Helper()
	pack := p.whole()
	var w idxfile.Writer
	must(t, w.OnHeader(uint32(len(at))))
	for h, offset := range at {
		must(t, w.OnInflatedObjectContent(h, offset, 0, nil))
	}
	must(t, w.OnFooter(plumbing.Hash(sha1.Sum(pack[:len(pack)-20]))))
	index, err := w.Index()
	must(t, err)
	var b bytes.Buffer
	_, err = idxfile.NewEncoder(&b).Encode(index)
	must(t, err)
	write(t, tr, "repo/.git/objects/pack/pack-evil.pack", string(pack))
	write(t, tr, "repo/.git/objects/pack/pack-evil.idx", b.String())
}

// TestHostilePacksOfTheSandbox has packs that no server sent: whoever has the sandbox wrote them beside an index that lies.
func TestHostilePacksOfTheSandbox(t *testing.T) {
	name := plumbing.NewHash(strings.Repeat("ab", 20))
	size := func(n int) []byte { return binary.AppendUvarint(nil, uint64(n)) }
	const first = 12 // where objects begin
	for _, c := range []struct {
		name string
		make func(p *forgedPack) (offset int64)
		want error
	}{
		{"an exabyte", func(p *forgedPack) int64 {
			p.header(plumbing.BlobObject, 1<<55)
			p.deflate([]byte("x"))
			return first
		}, ErrTooLarge},
		{"a zip bomb that says it is small", func(p *forgedPack) int64 {
			p.header(plumbing.BlobObject, 10)
			p.deflate(make([]byte, 32<<20))
			return first
		}, ErrCorrupt},
		{"a giant delta", func(p *forgedPack) int64 {
			p.object(plumbing.BlobObject, []byte("base"))
			back := p.Len()
			p.delta(back, append(append(size(4), size(1<<50)...), 0x90, 4))
			return first + int64(back)
		}, ErrTooLarge},
		{"a chain of deltas, each sixteen times the one before", func(p *forgedPack) int64 {
			p.object(plumbing.BlobObject, make([]byte, 1<<16))
			at, n := 0, 1<<16
			for range 3 {
				d := append(size(n), size(16*n)...)
				for range 16 {
					d = append(d, bigCopies(n)...)
				}
				back := p.Len() - at
				at, n = p.Len(), 16*n
				p.delta(back, d)
			}
			return first + int64(at)
		}, ErrTooLarge},
		{"a chain without end", func(p *forgedPack) int64 {
			p.object(plumbing.BlobObject, []byte("base"))
			at := 0
			for range maxChain + 1 {
				back := p.Len() - at
				at = p.Len()
				p.delta(back, append(append(size(4), size(4)...), 0x90, 4))
			}
			return first + int64(at)
		}, ErrTooMany},
		{"a delta of what isn't there", func(p *forgedPack) int64 {
			p.object(plumbing.BlobObject, []byte("base"))
			at := p.Len()
			p.delta(1<<20, append(append(size(4), size(4)...), 0x90, 4))
			return first + int64(at)
		}, ErrCorrupt},
		{"a delta of itself, by its name", func(p *forgedPack) int64 {
			p.header(plumbing.REFDeltaObject, 4)
			p.Write(name[:])
			p.deflate([]byte{4, 4, 0x90, 4})
			return first
		}, ErrTooMany},
		{"an offset beyond the end", func(p *forgedPack) int64 { p.object(plumbing.BlobObject, []byte("x")); return 1 << 40 }, io.ErrUnexpectedEOF},
		{"an offset in the midst", func(p *forgedPack) int64 { p.object(plumbing.BlobObject, []byte("x")); return first + 1 }, nil},
		{"an offset of the header", func(p *forgedPack) int64 { p.object(plumbing.BlobObject, []byte("x")); return 0 }, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			tr, r := newRepository(t)
			p := &forgedPack{}
			plant(t, tr, p, map[plumbing.Hash]int64{name: c.make(p)})
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, err := r.blob(name)
			runtime.ReadMemStats(&after)
			if err == nil || c.want != nil && !errors.Is(err, c.want) {
				t.Errorf("%v, want %v", err, c.want)
			}
			if spent := after.TotalAlloc - before.TotalAlloc; spent > 400<<20 {
				t.Errorf("%d MiB were spent on it", spent>>20)
			}
			// The repository itself goes on.
			write(t, tr, "repo/a", "x\n")
			commitAll(t, r, "goes on")
		})
	}
}

// TestHostileIndexes has indexes of packs that name more objects than they have room for, or none in order.
func TestHostileIndexes(t *testing.T) {
	name := plumbing.NewHash(strings.Repeat("ab", 20))
	const head = "\xfftOc\x00\x00\x00\x02"
	for what, index := range map[string]string{
		"none":                       "nonsense",
		"an empty one":               "",
		"a head":                     head,
		"four billion objects":       head + strings.Repeat("\xff", 1024),
		"as many, and a hundred":     head + strings.Repeat("\xff", 1024+100*28+40),
		"a table that goes down":     head + "\x00\x00\x00\x09" + strings.Repeat("\x00", 1020) + strings.Repeat("x", 9*28+40),
		"an offset that isn't there": head + strings.Repeat("\x00\x00\x00\x00", 171) + strings.Repeat("\x00\x00\x00\x01", 85) + string(name[:]) + "sums\xff\xff\xff\xff" + strings.Repeat("x", 48),
	} {
		tr, r := newRepository(t)
		write(t, tr, "repo/.git/objects/pack/pack-evil.pack", "PACK")
		write(t, tr, "repo/.git/objects/pack/pack-evil.idx", index)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := r.blob(name)
		runtime.ReadMemStats(&after)
		if !errors.Is(err, ErrCorrupt) {
			t.Errorf("%s: %v", what, err)
		}
		if spent := after.TotalAlloc - before.TotalAlloc; spent > 4<<20 {
			t.Errorf("%s: %d MiB were spent on it", what, spent>>20)
		}
	}
}

// A forged object is one whose content has another name than it is kept by: where hashes can't be told apart, that is what
// a collision would look like.
func TestForgedObjects(t *testing.T) {
	tr, r := newRepository(t)
	write(t, tr, "repo/a", "what was reviewed\n")
	commitAll(t, r, "first")
	h := plumbing.ComputeHash(plumbing.BlobObject, []byte("what was reviewed\n")).String()
	other, err := r.st.put(plumbing.BlobObject, []byte("what is run\n"))
	must(t, err)
	forged, err := tr.ReadFile("repo/.git/objects/" + other.String()[:2] + "/" + other.String()[2:])
	must(t, err)
	must(t, tr.Chmod("repo/.git/objects/"+h[:2]+"/"+h[2:], 0o666))
	write(t, tr, "repo/.git/objects/"+h[:2]+"/"+h[2:], string(forged))
	again, err := Open(tr, "repo", who)
	must(t, err)
	if b, err := again.ReadFile(ctx, "HEAD", "a"); !errors.Is(err, ErrCorrupt) {
		t.Errorf("%q, %v", b, err)
	}
	if _, err := Clone(ctx, tr, "repo", "copy", who, CloneOptions{}); !errors.Is(err, ErrCorrupt) {
		t.Errorf("clone: %v", err)
	}
}

// noDialer fails the test that dials.
type noDialer struct{ t *testing.T }

func (d noDialer) DialContext(_ context.Context, network, address string) (net.Conn, error) {
	d.t.Errorf("dials %s %s", network, address)
	return nil, errors.New("not to be dialled")
}

// TestCloneTakesNoOrders clones what has hooks, a config of its own and submodules whose URLs are options.
func TestCloneTakesNoOrders(t *testing.T) {
	tr, r := newRepository(t)
	write(t, tr, "repo/.gitmodules", "[submodule \"s\"]\n\tpath = s\n\turl = -u./payload\n[submodule \"../../x\"]\n\tpath = x\n\turl = https://example.com/x.git\n\tupdate = !touch pwned\n")
	write(t, tr, "repo/payload", "#!/bin/sh\ntouch pwned\n")
	must(t, r.Add(ctx, AddOptions{All: true}))
	x, err := r.readIndex()
	must(t, err)
	l := x.listing()
	for _, name := range []string{"s", "x"} {
		l[name] = entry{filemode.Submodule, plumbing.NewHash(strings.Repeat("12", 20))}
	}
	x.become(l)
	must(t, r.writeIndex(x))
	_, err = r.Commit(ctx, CommitOptions{Message: "evil"})
	must(t, err)
	for _, hook := range []string{"post-checkout", "pre-commit", "post-merge", "reference-transaction"} {
		write(t, tr, "repo/.git/hooks/"+hook, "#!/bin/sh\ntouch pwned\n")
		must(t, tr.Chmod("repo/.git/hooks/"+hook, 0o777))
	}
	must(t, r.ConfigSet(ctx, "core.hooksPath", "/repo/.git/hooks"))
	must(t, r.ConfigSet(ctx, "core.fsmonitor", "touch pwned"))
	cfg := who
	cfg.Access.Dialer = noDialer{t}
	c, err := Clone(ctx, tr, "repo", "copy", cfg, CloneOptions{})
	must(t, err)
	for _, name := range []string{"copy/s", "copy/x"} {
		if infos, err := tr.ReadDir(name); err != nil || len(infos) != 0 {
			t.Errorf("%s: %v, %v", name, infos, err)
		}
	}
	if infos, err := tr.ReadDir("copy/.git/hooks"); err == nil && len(infos) > 0 {
		t.Errorf("hooks came along: %v", infos)
	}
	for _, key := range []string{"core.hooksPath", "core.fsmonitor", "submodule.s.url"} {
		if got, err := c.ConfigGet(ctx, key); err != nil || len(got) > 0 {
			t.Errorf("%s came along: %q, %v", key, got, err)
		}
	}
	write(t, tr, "copy/mine", "x\n")
	commitAll(t, c, "harmless")
	if s, err := c.Status(ctx, StatusOptions{}); err != nil || !s.Clean() {
		t.Errorf("%+v, %v", s, err)
	}
}

// TestMillionReferences has as many in the sandbox's own packed-refs.
func TestMillionReferences(t *testing.T) {
	tr, r := newRepository(t)
	write(t, tr, "repo/a", "x\n")
	h := commitAll(t, r, "first")
	var b strings.Builder
	b.WriteString("# pack-refs with: peeled fully-peeled sorted \n")
	for i := range 1_000_000 {
		fmt.Fprintf(&b, "%s refs/heads/branch-of-a-million-%07d\n", h, i)
	}
	write(t, tr, "repo/.git/packed-refs", b.String())
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if _, err := r.Branches(ctx, false); !errors.Is(err, ErrTooMany) {
		t.Errorf("branches: %v", err)
	}
	if err := r.CreateBranch(ctx, "one-more", ""); !errors.Is(err, ErrTooMany) {
		t.Errorf("one more: %v", err)
	}
	if _, err := Clone(ctx, tr, "repo", "copy", who, CloneOptions{}); !errors.Is(err, ErrTooMany) {
		t.Errorf("clone: %v", err)
	}
	runtime.ReadMemStats(&after)
	if spent := after.TotalAlloc - before.TotalAlloc; spent > 64<<20 {
		t.Errorf("%d MiB were spent on it", spent>>20)
	}
	if s, err := r.Status(ctx, StatusOptions{}); err != nil || s.Head != h {
		t.Errorf("%+v, %v", s, err)
	}
}

// TestManySections has a config of many sections: one of too many is refused, and one is read once, however many branches there
// are.
func TestManySections(t *testing.T) {
	tr, r := newRepository(t)
	write(t, tr, "repo/a", "x\n")
	h := commitAll(t, r, "first")
	plain, err := tr.ReadFile("repo/.git/config")
	must(t, err)
	var refs, cfg strings.Builder
	for i := range 1000 {
		fmt.Fprintf(&refs, "%s refs/heads/b%04d\n", h, i)
		fmt.Fprintf(&cfg, "[branch \"b%04d\"]\n\tremote = .\n\tmerge = refs/heads/main\n", i)
	}
	write(t, tr, "repo/.git/packed-refs", refs.String())
	write(t, tr, "repo/.git/config", string(plain)+cfg.String())
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	list, err := r.Branches(ctx, false)
	runtime.ReadMemStats(&after)
	if err != nil || len(list) != 1001 || list[7].Name != "b0007" || list[7].Upstream != "main" || list[1000].Upstream != "" {
		t.Errorf("%d branches, %v", len(list), err)
	}
	if spent := after.TotalAlloc - before.TotalAlloc; spent > 64<<20 {
		t.Errorf("%d MiB were spent on it", spent>>20)
	}
	cfg.Reset()
	for i := range maxSections + 1 {
		fmt.Fprintf(&cfg, "[a%x]\n", i)
	}
	write(t, tr, "repo/.git/config", string(plain)+cfg.String())
	if _, err := r.ConfigGet(ctx, "core.bare"); !errors.Is(err, ErrTooMany) {
		t.Errorf("%v", err)
	}
}

// TestLongReferences has references, HEAD among them, that say nothing for a long time: a file with a hole costs its maker
// nothing. Behind a link lies a file of references that is too long.
func TestLongReferences(t *testing.T) {
	const long = 256 << 20
	for name, use := range map[string]func(r *Repository) error{
		"HEAD":              func(r *Repository) error { _, err := r.Status(ctx, StatusOptions{}); return err },
		"refs/heads/main":   func(r *Repository) error { _, err := r.Log(ctx, LogOptions{}); return err },
		"refs/heads/x/long": func(r *Repository) error { _, err := r.Branches(ctx, false); return err },
		"refs/tags/long":    func(r *Repository) error { _, err := r.Tags(ctx); return err },
		"packed-refs":       func(r *Repository) error { _, err := r.Branches(ctx, false); return err },
	} {
		tr, r := newRepository(t)
		write(t, tr, "repo/a", "x\n")
		commitAll(t, r, "first")
		if name == "packed-refs" {
			write(t, tr, "repo/.git/many", strings.Repeat(strings.Repeat("ab", 20)+" refs/heads/"+strings.Repeat("x", 40_000)+"\n", 1+maxPackedRefs/40_000))
			must(t, tr.Symlink("many", "repo/.git/packed-refs"))
		} else {
			write(t, tr, "repo/.git/"+name, "")
			must(t, tr.Truncate("repo/.git/"+name, long))
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		err := use(r)
		runtime.ReadMemStats(&after)
		if err == nil || name == "packed-refs" && !errors.Is(err, ErrTooMany) {
			t.Errorf("%s: %v", name, err)
		}
		if spent := after.TotalAlloc - before.TotalAlloc; spent > 4<<20 {
			t.Errorf("%s: %d MiB were spent on it", name, spent>>20)
		}
	}
}
