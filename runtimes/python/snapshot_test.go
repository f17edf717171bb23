package python_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/belljar-dev/belljar/engine"
	"github.com/belljar-dev/belljar/runtimes/python"
	"github.com/belljar-dev/belljar/vfs"
)

// freeze takes a snapshot and writes it to bytes.
func freeze(t *testing.T, sb *engine.Sandbox) []byte {
	t.Helper()
	s := snapshot(t, sb)
	var b bytes.Buffer
	n, err := s.WriteTo(&b)
	if err != nil || n != int64(b.Len()) {
		t.Fatalf("wrote %d bytes of %d: %v", b.Len(), n, err)
	}
	return b.Bytes()
}

func snapshot(t *testing.T, sb *engine.Sandbox) *engine.Snapshot {
	t.Helper()
	s, err := sb.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// thaw reads a snapshot in another engine and makes a sandbox of it.
func thaw(t *testing.T, b []byte, opt engine.ReadOptions) *engine.Sandbox {
	t.Helper()
	eng, err := engine.New(engine.Config{Images: []engine.Image{python.Image()}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { eng.Close() })
	s, err := eng.ReadSnapshot(t.Context(), bytes.NewReader(b), opt)
	if err != nil {
		t.Fatal(err)
	}
	sb, err := s.Sandbox(t.Context())
	if err := errors.Join(err, s.Close()); err != nil {
		t.Fatal(err)
	}
	return sb
}

const build = `
import os, random, asyncio, collections, sqlite3
f = open('log.txt', 'w+'); f.write('parent\n'); f.flush()
gone = open('gone.txt', 'w+'); gone.write('nameless'); gone.flush(); os.remove('gone.txt')
db = sqlite3.connect('db'); db.execute('create table t (x)'); db.execute('insert into t values (42)'); db.commit()
big = bytearray(30_000_000); big[12_345_678] = 7
words = collections.Counter(('spam ' * 1000 + 'egg').split())
def g():
    return 1/0
os.makedirs('a/b', exist_ok=True); os.symlink('b', 'a/link'); os.link('log.txt', 'a/hard'); os.chmod('a', 0o700)
`

const look = `
f.seek(0); gone.seek(0)
print(f.read(), gone.read(), db.execute('select x from t').fetchall(), big[12_345_678], len(big), words, os.environ['COLOR'])
print(sorted((d, s, n) for d, s, n in os.walk('.')), [(e, os.lstat(e)) for e in ('.', 'log.txt', 'a', 'a/link', 'a/hard', 'db')])
g()`

// A sandbox goes on the same whether it was forked, or frozen to bytes and thawed elsewhere, once and again.
func TestThawedGoesOn(t *testing.T) {
	// Under Replay, for there is no other way to see the same access times.
	spec := engine.Spec{Env: []string{"COLOR=blue"}, Labels: map[string]string{"a": "b"}, Replay: &engine.Replay{}}
	sb := sandbox(t, spec)
	cell(t, session(t, sb), build)
	if _, err := sb.Session(t.Context(), "not begun", "python"); err != nil {
		t.Fatal(err)
	}
	b := freeze(t, sb)
	want := cell(t, session(t, fork(t, sb)), look)
	if want.Stdout == "" || want.Exception == nil || want.Exception.Name != "ZeroDivisionError" {
		t.Fatalf("the fork: %q %v", want.Stdout, want.Exception)
	}
	first := thaw(t, b, engine.ReadOptions{})
	again := freeze(t, first)
	for i, each := range []*engine.Sandbox{first, thaw(t, b, engine.ReadOptions{}), thaw(t, again, engine.ReadOptions{})} {
		got := cell(t, session(t, each), look)
		if got.Stdout != want.Stdout || fmt.Sprint(got.Exception) != fmt.Sprint(want.Exception) {
			t.Errorf("thawed %d: %s %v\nfork: %s %v", i, got.Stdout, got.Exception, want.Stdout, want.Exception)
		}
		if n := len(each.Sessions()); n != 2 || each.Spec().Labels["a"] != "b" {
			t.Errorf("thawed %d: %d sessions, labels %v", i, n, each.Spec().Labels)
		}
	}
	if !bytes.Equal(again, b) {
		t.Errorf("frozen again it has %d bytes, at first %d", len(again), len(b))
	}
}

// Under Replay a run gives the same bytes whether it is frozen and thawed on the way or not.
func TestReplayAcrossSnapshot(t *testing.T) {
	const one = "import random, time, uuid, os; a = [random.random(), uuid.uuid4(), time.time()]; open('f', 'w').write(str(a))"
	const two = "print(a, random.random(), uuid.uuid4(), time.time_ns(), time.monotonic(), os.urandom(3), os.stat('f'), open('/dev/urandom', 'rb').read(3))"
	var outs [4]string
	var files [4][]byte
	for i := range outs {
		sb := sandbox(t, engine.Spec{Replay: &engine.Replay{Seed: 5}})
		cell(t, session(t, sb), one)
		switch i {
		case 1:
			sb = fork(t, sb)
		case 2:
			sb = thaw(t, freeze(t, sb), engine.ReadOptions{})
		case 3:
			sb = thaw(t, freeze(t, thaw(t, freeze(t, sb), engine.ReadOptions{})), engine.ReadOptions{})
		}
		outs[i] = cell(t, session(t, sb), two).Stdout
		files[i] = freeze(t, sb)
	}
	for i := 1; i < len(outs); i++ {
		if outs[i] != outs[0] || outs[i] == "" || !bytes.Equal(files[i], files[0]) {
			t.Errorf("%d: %s\n0: %s", i, outs[i], outs[0])
		}
	}
}

// A delta has only what its base lacks, and needs it.
func TestDelta(t *testing.T) {
	sb := sandbox(t, engine.Spec{})
	cell(t, session(t, sb), "import os; data = os.urandom(3_000_000); open('data', 'wb').write(data[:1_000_000])")
	base := snapshot(t, sb)
	cell(t, session(t, sb), "n = 5; open('more', 'w').write('x')")
	next := snapshot(t, sb)
	var whole, delta, first bytes.Buffer
	for _, err := range []error{
		func() error { _, err := base.WriteTo(&first); return err }(),
		func() error { _, err := next.WriteTo(&whole); return err }(),
		func() error { _, err := next.WriteDelta(&delta, base); return err }(),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if delta.Len() > whole.Len()/4 {
		t.Errorf("the delta has %d bytes, the whole %d", delta.Len(), whole.Len())
	}
	eng, err := shared()
	if err != nil {
		t.Fatal(err)
	}
	read := func(b []byte, opt engine.ReadOptions) (*engine.Snapshot, error) {
		s, err := eng.ReadSnapshot(t.Context(), bytes.NewReader(b), opt)
		if err == nil {
			t.Cleanup(func() { s.Close() })
		}
		return s, err
	}
	if _, err := read(delta.Bytes(), engine.ReadOptions{}); !errors.Is(err, engine.ErrSnapshot) {
		t.Errorf("a delta alone: %v", err)
	}
	there, err := read(first.Bytes(), engine.ReadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	got, err := read(delta.Bytes(), engine.ReadOptions{Base: there})
	if err != nil {
		t.Fatal(err)
	}
	var back bytes.Buffer
	if _, err := got.WriteTo(&back); err != nil || !bytes.Equal(back.Bytes(), whole.Bytes()) {
		t.Errorf("base and delta make %d bytes, the whole has %d: %v", back.Len(), whole.Len(), err)
	}
}

// A snapshot's file has neither secrets nor host paths. What isn't given again is told.
func TestSnapshotKeepsQuiet(t *testing.T) {
	host := t.TempDir()
	sb := sandbox(t, engine.Spec{
		Env: []string{"TOKEN=s3cr3t-value-of-token", "OPEN=yes"}, Secrets: []string{"TOKEN"},
		Mounts: []engine.Mount{{Host: host, Path: "/data", ReadWrite: true}},
	})
	res := cell(t, session(t, sb), "import os; token = os.environ['TOKEN']; copy = token * 3; f = open('/data/x', 'w'); f.write('hi'); f.flush(); len(token)")
	if res.Value != "21" {
		t.Fatal(res.Value, res.Exception)
	}
	b := freeze(t, sb)
	eng, err := shared()
	if err != nil {
		t.Fatal(err)
	}
	s, err := eng.ReadSnapshot(t.Context(), bytes.NewReader(b), engine.ReadOptions{Env: []string{"TOKEN=new"}})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if got := s.Missing(); len(got) != 1 || got[0] != "/data" {
		t.Errorf("missing: %q", got)
	}
	thawed, err := s.Sandbox(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer thawed.Close()
	res = cell(t, session(t, thawed), "print(token, copy.strip('*'), os.environ['OPEN'], os.listdir('/data'), f.read() if f.readable() else '')")
	if res.Stdout != strings.Repeat("*", 21)+"  yes [] \n" {
		t.Errorf("got %q, %v", res.Stdout, res.Exception)
	}
	if res := eval(t, thawed, "import os; print(os.environ['TOKEN'])"); res.Stdout != "new\n" {
		t.Errorf("a program sees %q", res.Stdout)
	}
	again := thaw(t, b, engine.ReadOptions{Mounts: []engine.Mount{{Host: host, Path: "/data", ReadWrite: true}}})
	if res := cell(t, session(t, again), "f.write(' there'); f.flush(); print(open('/data/x').read())"); res.Stdout != "hi there\n" {
		t.Errorf("with the mount: %q, %v", res.Stdout, res.Exception)
	}
}

// What is too large for the limits it is read with says so.
func TestThawUnderLimits(t *testing.T) {
	sb := sandbox(t, engine.Spec{})
	cell(t, session(t, sb), "import os\ndata = os.urandom(60_000_000); open('big', 'wb').write(data[:5_000_000])\nfor i in range(300): open(f'f{i}', 'w').close()")
	b := freeze(t, sb)
	eng, err := shared()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		opt engine.ReadOptions
		is  func(error) bool
	}{
		{engine.ReadOptions{Limits: engine.Limits{Memory: 80 << 20}}, func(err error) bool {
			var limit *engine.LimitError
			return errors.As(err, &limit) && limit.Limit == engine.LimitMemory
		}},
		{engine.ReadOptions{Limits: engine.Limits{Disk: 1 << 20}}, func(err error) bool { return errors.Is(err, vfs.ErrQuota) }},
		{engine.ReadOptions{Limits: engine.Limits{Files: 100}}, func(err error) bool { return errors.Is(err, vfs.ErrTooManyFiles) }},
		{engine.ReadOptions{MaxBytes: 1 << 20}, func(err error) bool { return errors.Is(err, engine.ErrSnapshot) }},
	} {
		s, err := eng.ReadSnapshot(t.Context(), bytes.NewReader(b), c.opt)
		if err == nil {
			s.Close()
		}
		if !c.is(err) {
			t.Errorf("%+v: %v", c.opt, err)
		}
	}
}
