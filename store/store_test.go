package store

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/belljar-dev/belljar/engine"
	"github.com/belljar-dev/belljar/runtimes/python"
	"github.com/belljar-dev/belljar/vfs"
	"go.etcd.io/bbolt"
)

func newEngine(t testing.TB) *engine.Engine {
	t.Helper()
	e, err := engine.New(engine.Config{Images: []engine.Image{python.Image()}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Close() })
	return e
}

func open(t testing.TB, cfg Config) *Store {
	t.Helper()
	s, err := Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// check fails the test if the store isn't sound.
func check(t testing.TB, s *Store) {
	t.Helper()
	if err := s.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func create(t testing.TB, s *Store, name string) {
	t.Helper()
	if err := s.Create(t.Context(), name, engine.Spec{}, Options{}); err != nil {
		t.Fatal(err)
	}
}

func use(t testing.TB, s *Store, name string, f func(*vfs.Tree) error) {
	t.Helper()
	if err := s.Use(t.Context(), name, func(sb *engine.Sandbox) error { return f(sb.Files()) }); err != nil {
		t.Fatal(err)
	}
}

func write(name, text string) func(*vfs.Tree) error {
	return func(tree *vfs.Tree) error { return tree.WriteFile(name, []byte(text), 0o644) }
}

func wantFile(t testing.TB, s *Store, box, name, want string) {
	t.Helper()
	use(t, s, box, func(tree *vfs.Tree) error {
		got, err := tree.ReadFile(name)
		if err == nil && string(got) != want {
			t.Errorf("%s in %s: %q, want %q", name, box, got, want)
		}
		return err
	})
}

func TestFilesOutliveTheProcess(t *testing.T) {
	dir, e := t.TempDir(), newEngine(t)
	s := open(t, Config{Dir: dir, Engine: e})
	create(t, s, "one")
	err := s.Use(t.Context(), "one", func(sb *engine.Sandbox) error {
		res, err := sb.Eval(t.Context(), "python", "import os; open('a', 'w').write('x' * 100000); os.symlink('a', 'l'); os.link('a', 'h')")
		if err == nil && res.ExitCode != 0 {
			err = errors.New(res.Stderr)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	check(t, s)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, Config{Dir: dir, Engine: e})
	check(t, s)
	use(t, s, "one", func(tree *vfs.Tree) error {
		info, err := tree.Stat("/home/user/l")
		if err != nil {
			return err
		}
		if i := info.(vfs.Info); i.Size() != 100000 || i.Nlink() != 2 {
			t.Errorf("the file has %d bytes and %d links", i.Size(), i.Nlink())
		}
		return nil
	})
}

// dump tells everything of a tree, for comparison.
func dump(t testing.TB, e *engine.Engine, tree *vfs.Tree) string {
	t.Helper()
	base, err := e.BaseTree("")
	if err != nil {
		t.Fatal(err)
	}
	defer base.Close()
	var b strings.Builder
	if err := tree.Changes(base, dumpSink{&b}); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

type dumpSink struct{ b *strings.Builder }

func (d dumpSink) print(kind string, v any) error {
	fmt.Fprintf(d.b, "%s %+v\n", kind, v)
	return nil
}

func (d dumpSink) Tree(r vfs.TreeRecord) error   { return d.print("tree", r) }
func (d dumpSink) Node(r vfs.NodeRecord) error   { return d.print("node", r) }
func (d dumpSink) Gone(ino uint64) error         { return d.print("gone", ino) }
func (d dumpSink) Attrs(r vfs.AttrsRecord) error { return d.print("attrs", r) }
func (d dumpSink) Entry(r vfs.EntryRecord) error { return d.print("entry", r) }
func (d dumpSink) Chunk(r vfs.ChunkRecord) error {
	return d.print("chunk", fmt.Sprintf("%d %d %t %x", r.Ino, r.Index, r.Charged, sha256.Sum256(r.Data)))
}

// mutate does something to a tree, at random, the image's own files included.
func mutate(tree *vfs.Tree, r *rand.Rand) {
	names := []string{"/etc/hosts", "/etc/group", "/home/user/a", "/home/user/b", "/home/user/d/a", "/home/user/d/b", "/tmp/x", "/home/user/big"}
	pick := func() string { return names[r.IntN(len(names))] }
	switch r.IntN(11) {
	case 0, 1:
		data := bytes.Repeat([]byte{byte(r.IntN(4))}, r.IntN(3*vfs.ChunkSize))
		_ = tree.WriteFile(pick(), data, 0o644)
	case 2:
		_ = tree.Remove(pick())
	case 3:
		_ = tree.Rename(pick(), pick())
	case 4:
		_ = tree.MkdirAll("/home/user/d", 0o755)
	case 5:
		_ = tree.RemoveAll("/home/user/d")
	case 6:
		_ = tree.Truncate(pick(), int64(r.IntN(4*vfs.ChunkSize)))
	case 7:
		_ = tree.Link(pick(), pick())
	case 8:
		_ = tree.Symlink("somewhere", pick())
	case 9:
		if f, err := tree.OpenFile(pick(), os.O_RDWR, 0); err == nil {
			_, _ = f.WriteAt([]byte("patch"), int64(r.IntN(8))*vfs.ChunkSize/2)
			_ = f.Close()
		}
	case 10:
		_ = tree.Chmod(pick(), fs.FileMode(r.IntN(0o1000)))
	}
}

// Whatever is done between two savings, what is read back from disk is equal to what was in memory, to the last detail.
func TestRandomChangesComeBackEqual(t *testing.T) {
	dir, e := t.TempDir(), newEngine(t)
	for seed := range uint64(20) {
		r := rand.New(rand.NewPCG(seed, 7))
		s := open(t, Config{Dir: dir, Engine: e, NoFlush: true})
		name := fmt.Sprintf("box%d", seed)
		create(t, s, name)
		for range 12 {
			var want string
			use(t, s, name, func(tree *vfs.Tree) error {
				for range r.IntN(12) {
					mutate(tree, r)
				}
				want = dump(t, e, tree)
				return nil
			})
			if r.IntN(3) == 0 {
				if err := s.Freeze(name); err != nil {
					t.Fatal(err)
				}
				use(t, s, name, func(tree *vfs.Tree) error {
					if got := dump(t, e, tree); got != want {
						t.Fatalf("seed %d: got\n%s\nwant\n%s", seed, got, want)
					}
					return nil
				})
			}
		}
		check(t, s)
		if seed%3 == 0 {
			if err := s.Remove(name); err != nil {
				t.Fatal(err)
			}
			check(t, s)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestEqualContentIsKeptOnce(t *testing.T) {
	s := open(t, Config{Dir: t.TempDir(), Engine: newEngine(t)})
	create(t, s, "a")
	create(t, s, "b")
	for _, name := range []string{"a", "b"} {
		use(t, s, name, write("/home/user/f", strings.Repeat("same", 1000)))
		use(t, s, name, write("/home/user/g", strings.Repeat("same", 1000)))
	}
	if n := pieces(t, s); n != 1 {
		t.Errorf("%d pieces of content", n)
	}
	for _, name := range []string{"a", "b"} {
		if err := s.Remove(name); err != nil {
			t.Fatal(err)
		}
		check(t, s)
	}
	if err := s.update(sweep); err != nil {
		t.Fatal(err)
	}
	check(t, s)
	if n := pieces(t, s); n != 0 {
		t.Errorf("%d pieces are left of nothing", n)
	}
}

func pieces(t testing.TB, s *Store) (n int) {
	t.Helper()
	err := s.db.View(func(tx *bbolt.Tx) error {
		n = tx.Bucket(bucketContent).Stats().KeyN
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestOneProcessAtATime(t *testing.T) {
	dir, e := t.TempDir(), newEngine(t)
	s := open(t, Config{Dir: dir, Engine: e})
	_, err := Open(Config{Dir: dir, Engine: e})
	if !errors.Is(err, ErrLocked) || !strings.Contains(err.Error(), fmt.Sprint(os.Getpid())) {
		t.Errorf("a second one: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	open(t, Config{Dir: dir, Engine: e})
}

func TestNewerStoreIsRefused(t *testing.T) {
	dir, e := t.TempDir(), newEngine(t)
	s := open(t, Config{Dir: dir, Engine: e})
	err := s.update(func(tx *bbolt.Tx) error {
		return tx.Bucket(bucketMeta).Put(keyFormat, binary.BigEndian.AppendUint32(nil, format+1))
	})
	if err = errors.Join(err, s.Close()); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(Config{Dir: dir, Engine: e}); !errors.Is(err, ErrNewer) {
		t.Errorf("opened: %v", err)
	}
}

func TestNames(t *testing.T) {
	s := open(t, Config{Dir: t.TempDir(), Engine: newEngine(t)})
	for _, name := range []string{"", "-x", ".", "..", "a/b", "a b", "ä", strings.Repeat("a", maxName+1), "a\x00"} {
		if err := s.Create(t.Context(), name, engine.Spec{}, Options{}); err == nil {
			t.Errorf("%q is a name", name)
		}
	}
	create(t, s, "a")
	if err := s.Create(t.Context(), "a", engine.Spec{}, Options{}); !errors.Is(err, ErrExists) {
		t.Errorf("twice: %v", err)
	}
	nobody := func(*engine.Sandbox) error { return nil }
	for what, err := range map[string]error{
		"use": s.Use(t.Context(), "b", nobody), "remove": s.Remove("b"), "freeze": s.Freeze("b"), "fork": s.Fork(t.Context(), "b", "c", Options{}),
	} {
		if !errors.Is(err, ErrNotFound) {
			t.Errorf("%s what isn't there: %v", what, err)
		}
	}
	if err := s.Create(t.Context(), "c", engine.Spec{Limits: engine.Limits{Disk: -1}}, Options{}); err == nil {
		t.Error("a negative limit")
	}
	create(t, s, "c") // what failed left no name behind
	if list, err := s.List(); err != nil || len(list) != 2 || list[0].Name != "a" || list[1].Name != "c" || !list[0].Alive {
		t.Errorf("%+v, %v", list, err)
	}
}

func TestForksAreIndependent(t *testing.T) {
	s := open(t, Config{Dir: t.TempDir(), Engine: newEngine(t)})
	create(t, s, "parent")
	use(t, s, "parent", write("/home/user/f", strings.Repeat("old", 100)))
	if err := s.Fork(t.Context(), "parent", "child", Options{}); err != nil {
		t.Fatal(err)
	}
	use(t, s, "child", write("/home/user/f", "child"))
	use(t, s, "parent", write("/home/user/g", "parent"))
	for _, freeze := range []bool{false, true} {
		if freeze {
			for _, name := range []string{"parent", "child"} {
				if err := s.Freeze(name); err != nil {
					t.Fatal(err)
				}
			}
		}
		wantFile(t, s, "parent", "/home/user/f", strings.Repeat("old", 100))
		wantFile(t, s, "child", "/home/user/f", "child")
		use(t, s, "child", func(tree *vfs.Tree) error {
			if _, err := tree.Stat("/home/user/g"); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("the parent's file in the child: %v", err)
			}
			return nil
		})
	}
	check(t, s)
}

func TestIdleSandboxesAreFrozen(t *testing.T) {
	s := open(t, Config{Dir: t.TempDir(), Engine: newEngine(t), IdleStop: time.Millisecond})
	create(t, s, "a")
	use(t, s, "a", write("/home/user/f", "kept"))
	frozen := func() bool {
		info, err := s.Info("a")
		if err != nil {
			t.Fatal(err)
		}
		return !info.Alive
	}
	for !frozen() { // until the test's own time is over
		select {
		case <-t.Context().Done():
			t.Fatal("still alive")
		default:
		}
	}
	wantFile(t, s, "a", "/home/user/f", "kept")
	held := make(chan struct{})
	done := make(chan error)
	go func() {
		done <- s.Use(context.Background(), "a", func(sb *engine.Sandbox) error {
			close(held)
			for range 20 {
				s.freezeIdle()
			}
			return sb.Files().WriteFile("/home/user/f", []byte("held"), 0o644)
		})
	}()
	<-held
	if err := <-done; err != nil {
		t.Errorf("frozen in use: %v", err)
	}
}

func TestExpiredSandboxesAreDeleted(t *testing.T) {
	var mu sync.Mutex
	now := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	clock := func() time.Time {
		mu.Lock()
		defer mu.Unlock()
		return now
	}
	set := func(d time.Duration) {
		mu.Lock()
		defer mu.Unlock()
		now = now.Add(d)
	}
	s := open(t, Config{Dir: t.TempDir(), Engine: newEngine(t), Now: clock})
	create(t, s, "kept")
	if err := s.Create(t.Context(), "short", engine.Spec{}, Options{DeleteAfter: time.Hour}); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		step time.Duration
		want int
	}{{-24 * time.Hour, 2}, {24*time.Hour + 59*time.Minute, 2}, {2 * time.Minute, 1}} {
		set(c.step)
		if err := s.DeleteExpired(); err != nil {
			t.Fatal(err)
		}
		if list, err := s.List(); err != nil || len(list) != c.want {
			t.Errorf("after %s: %+v, %v; want %d", c.step, list, err, c.want)
		}
	}
	check(t, s)
}

func TestDamageIsFound(t *testing.T) {
	s := open(t, Config{Dir: t.TempDir(), Engine: newEngine(t)})
	create(t, s, "a")
	use(t, s, "a", write("/home/user/f", strings.Repeat("content", 100)))
	if err := s.Freeze("a"); err != nil {
		t.Fatal(err)
	}
	err := s.update(func(tx *bbolt.Tx) error {
		b := tx.Bucket(bucketContent)
		k, _ := b.Cursor().First()
		return b.Put(bytes.Clone(k), s.codec.pack([]byte(strings.Repeat("conTent", 100))))
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Check(t.Context()); !errors.Is(err, errDamaged) {
		t.Errorf("check: %v", err)
	}
	if err := s.Use(t.Context(), "a", func(*engine.Sandbox) error { return nil }); !errors.Is(err, errDamaged) {
		t.Errorf("use: %v", err)
	}
}

func TestManyAtOnce(t *testing.T) {
	s := open(t, Config{Dir: t.TempDir(), Engine: newEngine(t), NoFlush: true, IdleStop: time.Millisecond})
	var all sync.WaitGroup
	for i := range 8 {
		name := fmt.Sprintf("box%d", i%4)
		_ = s.Create(t.Context(), name, engine.Spec{}, Options{})
		all.Go(func() {
			for j := range 10 {
				err := s.Use(context.Background(), name, func(sb *engine.Sandbox) error {
					return sb.Files().WriteFile(fmt.Sprintf("/home/user/%d-%d", i, j), bytes.Repeat([]byte{byte(j)}, 500), 0o644)
				})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	check(t, s)
	use(t, s, "box1", func(tree *vfs.Tree) error {
		list, err := tree.ReadDir("/home/user")
		if len(list) != 20 {
			t.Errorf("%d files of 20", len(list))
		}
		return err
	})
}

func TestClosedStore(t *testing.T) {
	dir := t.TempDir()
	s := open(t, Config{Dir: dir, Engine: newEngine(t)})
	create(t, s, "a")
	if err := errors.Join(s.Close(), s.Close()); err != nil {
		t.Fatal(err)
	}
	_, listErr := s.List()
	for what, err := range map[string]error{
		"use": s.Use(t.Context(), "a", func(*engine.Sandbox) error { return nil }), "list": listErr, "remove": s.Remove("a"),
		"create": s.Create(t.Context(), "b", engine.Spec{}, Options{}), "check": s.Check(t.Context()),
	} {
		if !errors.Is(err, ErrClosed) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, ownerName)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the owner's mark: %v", err)
	}
}
