package vfs

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// recording is a Sink that keeps what it is told.
type recording struct{ list []any }

func (r *recording) add(rec any) error           { r.list = append(r.list, rec); return nil }
func (r *recording) Tree(rec TreeRecord) error   { return r.add(rec) }
func (r *recording) Node(rec NodeRecord) error   { return r.add(rec) }
func (r *recording) Gone(ino uint64) error       { return r.add(ino) }
func (r *recording) Attrs(rec AttrsRecord) error { return r.add(rec) }
func (r *recording) Entry(rec EntryRecord) error { return r.add(rec) }
func (r *recording) Chunk(rec ChunkRecord) error { return r.add(rec) }

func (r *recording) String() string {
	var b strings.Builder
	for _, rec := range r.list {
		if c, ok := rec.(ChunkRecord); ok {
			fmt.Fprintf(&b, "chunk %d/%d: %d bytes, %v\n", c.Ino, c.Index, len(c.Data), c.Charged)
		} else {
			fmt.Fprintf(&b, "%+v\n", rec)
		}
	}
	return b.String()
}

// play tells it again, up to the first error.
func (r *recording) play(to Sink) error {
	for _, rec := range r.list {
		var err error
		switch rec := rec.(type) {
		case TreeRecord:
			err = to.Tree(rec)
		case NodeRecord:
			err = to.Node(rec)
		case uint64:
			err = to.Gone(rec)
		case AttrsRecord:
			err = to.Attrs(rec)
		case EntryRecord:
			err = to.Entry(rec)
		case ChunkRecord:
			err = to.Chunk(rec)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func record(t testing.TB, tree, since *Tree) *recording {
	t.Helper()
	r := &recording{}
	must(t, tree.Changes(since, r))
	return r
}

func restore(t testing.TB, base *Tree, r *recording) *Tree {
	t.Helper()
	c, err := Restore(base, Config{}, r.play)
	must(t, err)
	return c
}

// sameTree says where two trees differ in anything that a guest could ever tell, or that counts. It compares all,
// in the naive way.
func sameTree(a, b *Tree) error {
	if msg := cmp.Or(a.audit(), b.audit()); msg != "" {
		return errors.New(msg)
	}
	if a.nextIno != b.nextIno || a.firstIno != b.firstIno || a.used != b.used || a.orphanBytes != b.orphanBytes {
		return fmt.Errorf("numbers %d %d %v %d and %d %d %v %d",
			a.nextIno, a.firstIno, a.used, a.orphanBytes, b.nextIno, b.firstIno, b.used, b.orphanBytes)
	}
	if len(a.orphans) != len(b.orphans) {
		return fmt.Errorf("%d orphans and %d", len(a.orphans), len(b.orphans))
	}
	for ino := range a.nextIno {
		x, y := a.inode(ino), b.inode(ino)
		if (x == nil) != (y == nil) {
			return fmt.Errorf("inode %d: %v and %v", ino, x, y)
		}
		if x == nil {
			continue
		}
		if i, j := x.info(""), y.info(""); i != j {
			return fmt.Errorf("inode %d: %+v and %+v", ino, i, j)
		}
		if !slices.Equal(x.extras().attrs.all(), y.extras().attrs.all()) || x.extras().attrs.chargedTo(a.own.ledger) != y.extras().attrs.chargedTo(b.own.ledger) {
			return fmt.Errorf("inode %d: attributes %v and %v", ino, x.extras().attrs, y.extras().attrs)
		}
		err := sameContent(a, x, b, y)
		if x.dir != nil {
			err = sameListing(a, x, b, y)
		}
		if err != nil {
			return fmt.Errorf("inode %d: %w", ino, err)
		}
	}
	return nil
}

func sameContent(a *Tree, x *inode, b *Tree, y *inode) error {
	for i := range chunks(x.size) {
		p, pc := x.piece(i, a.own.ledger)
		q, qc := y.piece(i, b.own.ledger)
		if !bytes.Equal(p, q) || pc != qc {
			return fmt.Errorf("chunk %d: %d bytes and %d, charged %v and %v", i, len(p), len(q), pc, qc)
		}
	}
	return nil
}

func sameListing(a *Tree, x *inode, b *Tree, y *inode) error {
	if x.dir.last != y.dir.last || x.nlink > 0 && x.dir.parent != y.dir.parent {
		return fmt.Errorf("last %d, parent %d, and %d, %d", x.dir.last, x.dir.parent, y.dir.last, y.dir.parent)
	}
	for seq := range x.dir.last + 1 {
		d, e := x.dir.seqs.get(seq), y.dir.seqs.get(seq)
		if (d == nil) != (e == nil) {
			return fmt.Errorf("place %d: %v and %v", seq, d, e)
		}
		if d == nil {
			continue
		}
		dc, ec := d.ledger == a.own.ledger, e.ledger == b.own.ledger
		if d.name != e.name || d.ino != e.ino || d.seq != e.seq || d.typ != e.typ || dc != ec {
			return fmt.Errorf("place %d: %v and %v", seq, d, e)
		}
	}
	return nil
}

// life is a tree to which random things happen. The clock ticks seldom, so that most changes show in no time.
type life struct {
	*rand.Rand
	t    *Tree
	open []*File
	now  *int64
}

func (l *life) name() string {
	parts := make([]string, 1+l.IntN(3))
	for i := range parts {
		parts[i] = string(rune('a' + l.IntN(5)))
	}
	return strings.Join(parts, "/")
}

// step does one thing; it may well fail.
func (l *life) step() {
	if l.IntN(10) == 0 {
		*l.now++
	}
	p, q, t := l.name(), l.name(), l.t
	switch l.IntN(18) {
	case 0, 1:
		t.Mkdir(p, 0o755)
	case 2:
		t.RemoveAll(p)
	case 3, 4:
		t.Rename(p, q)
	case 5:
		t.Truncate(p, int64(l.IntN(3*chunkSize)))
	case 6:
		t.Link(p, q)
	case 7:
		t.Symlink(q, p)
	case 8:
		t.Chmod(p, fs.FileMode(l.IntN(0o1000)))
		t.Chown(q, l.IntN(3), -1)
	case 9:
		t.Chtimes(p, time.Unix(0, l.Int64()), time.Unix(0, l.Int64()))
	case 10:
		t.Remove(p)
	case 16:
		t.Root().Mkfifo(q, 0o644)
		t.Root().Mkdevice(q+"d", fs.ModeDevice|0o600, l.Uint32())
		t.Root().Setxattr(p, false, "user.x", make([]byte, l.IntN(9)), 0)
	case 17:
		t.Root().Removexattr(p, false, "user.x")
		t.Root().RenameWith(p, t.Root(), q, RenameExchange)
	case 11:
		if f, err := t.OpenFile(p, os.O_RDONLY, 0); err == nil {
			l.open = append(l.open, f)
		}
	case 12:
		if len(l.open) > 3 {
			l.open[0].Close()
			l.open = l.open[1:]
		}
	default:
		f, err := t.OpenFile(p, os.O_RDWR|os.O_CREATE, 0o644)
		if err != nil {
			return
		}
		text := bytes.Repeat([]byte{byte(l.IntN(4))}, 1+l.IntN(chunkSize*3/2))
		f.WriteAt(text, int64(l.IntN(3*chunkSize)))
		f.Read(text)
		f.Close()
	}
}

// newLife returns a tree over a base with static content, names and links of its own.
func newLife(t testing.TB, seed uint64) (*life, *Tree) {
	now := int64(1e18)
	cfg := Config{Now: func() time.Time { return time.Unix(0, now) }}
	base := New(cfg)
	l := &life{Rand: rand.New(rand.NewPCG(seed, 1)), t: base, now: &now}
	static := make([]byte, 5*chunkSize/2)
	for i := range static {
		static[i] = byte(i >> 8)
	}
	for _, name := range []string{"a", "b/a", "c/b/a", "d"} {
		must(t, base.AddStatic(name, static, 0o644, time.Unix(1, 0)))
	}
	for range 60 {
		l.step()
	}
	for _, f := range l.open {
		f.Close()
	}
	l.open = nil
	l.t = base.CloneWith(cfg)
	return l, base
}

// clone returns a clone with all that is open.
func (l *life) clone(t testing.TB) *Tree {
	c, _, err := l.t.CloneOpen(l.open, Config{})
	must(t, err)
	return c
}

// TestChangesRestore follows a tree through a random life. What Changes tells of it makes an equal tree each time, out
// of the base and out of the tree as it was before, and of an equal tree there is nothing to tell.
func TestChangesRestore(t *testing.T) {
	for seed := range uint64(60) {
		l, base := newLife(t, seed)
		before, orphans := l.t.Clone(), 0
		for round := range 8 {
			for range 40 {
				l.step()
			}
			orphans += len(l.t.orphans)
			whole := record(t, l.t, base)
			again := restore(t, base, whole)
			if err := sameTree(again, l.t); err != nil {
				t.Fatalf("seed %d, round %d: over the base: %v", seed, round, err)
			}
			for _, pair := range [][2]*Tree{{again, l.t}, {l.t, again}, {l.t, l.t}} {
				if r := record(t, pair[0], pair[1]); len(r.list) != 1 {
					t.Fatalf("seed %d, round %d: equal trees differ in %s", seed, round, r)
				}
			}
			if !slices.EqualFunc(record(t, again, base).list, whole.list, sameRecord) {
				t.Fatalf("seed %d, round %d: the tree made again gives other records", seed, round)
			}
			if err := sameTree(restore(t, before, record(t, l.t, before)), l.t); err != nil {
				t.Fatalf("seed %d, round %d: over the last: %v", seed, round, err)
			}
			if len(l.open) == 0 {
				l.t = again // It can go on with the life as well as the first.
			}
			before = l.clone(t)
		}
		if orphans == 0 && seed == 0 {
			t.Error("no orphan was ever told of")
		}
	}
}

// TestChangesStay changes a tree while it is told of, and after: what was told is the tree at the moment of the call.
func TestChangesStay(t *testing.T) {
	base := New(Config{})
	tr := base.CloneWith(Config{})
	names := []string{"a", "b", "c"}
	for i, name := range names {
		must(t, tr.WriteFile(name, bytes.Repeat([]byte{byte(i)}, 2*chunkSize), 0o644))
	}
	then := tr.Clone()
	spoil := func() {
		for _, name := range names {
			f, err := tr.OpenFile(name, os.O_RDWR, 0)
			must(t, err)
			_, err = f.WriteAt([]byte("spoiled"), 0)
			must(t, err)
			must(t, f.Truncate(chunkSize+1))
			must(t, f.Close())
		}
		must(t, tr.WriteFile("new", nil, 0o644))
	}
	r := &recording{}
	must(t, tr.Changes(base, spoiler{r, spoil}))
	spoil()
	if err := sameTree(restore(t, base, r), then); err != nil {
		t.Error(err)
	}
}

// spoiler does something before each record.
type spoiler struct {
	*recording
	do func()
}

func (s spoiler) Tree(rec TreeRecord) error   { s.do(); return s.recording.Tree(rec) }
func (s spoiler) Node(rec NodeRecord) error   { s.do(); return s.recording.Node(rec) }
func (s spoiler) Entry(rec EntryRecord) error { s.do(); return s.recording.Entry(rec) }
func (s spoiler) Chunk(rec ChunkRecord) error { s.do(); return s.recording.Chunk(rec) }

// TestChangesInParallel tells of a tree, clones it and changes it at once.
func TestChangesInParallel(t *testing.T) {
	base := New(Config{})
	tr := base.CloneWith(Config{})
	var wg sync.WaitGroup
	for w := range 3 {
		wg.Go(func() {
			for i := range 200 {
				name := fmt.Sprintf("f%d", (w+i)%7)
				tr.WriteFile(name, bytes.Repeat([]byte{byte(i)}, i*100), 0o644)
				tr.Rename(name, fmt.Sprintf("g%d", i%5))
				tr.Remove(name)
			}
		})
	}
	for range 100 {
		r := &recording{}
		c, _, err := tr.CloneOpen(nil, Config{})
		must(t, err)
		must(t, tr.Changes(base, r))
		if _, err := Diff(c, tr); err != nil {
			t.Error(err)
		}
		if msg := restore(t, base, r).audit(); msg != "" {
			t.Fatal(msg)
		}
	}
	wg.Wait()
}

func sameRecord(a, b any) bool {
	x, ok := a.(ChunkRecord)
	if !ok {
		return fmt.Sprint(a) == fmt.Sprint(b)
	}
	y, ok := b.(ChunkRecord)
	return ok && x.Ino == y.Ino && x.Index == y.Index && x.Charged == y.Charged && bytes.Equal(x.Data, y.Data)
}
