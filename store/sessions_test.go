package store

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/belljar-dev/belljar/engine"
	"github.com/belljar-dev/belljar/vfs"
	"go.etcd.io/bbolt"
)

// cell runs a cell in a session of a sandbox that is kept, and answers its value or what it printed.
func cell(t testing.TB, s *Store, box, session, code string) string {
	t.Helper()
	var res engine.Result
	err := s.Use(t.Context(), box, func(sb *engine.Sandbox) error {
		in, err := sb.Session(t.Context(), session, "python")
		if err == nil {
			res, err = in.Eval(t.Context(), engine.Cell{Code: code})
		}
		return err
	})
	if err != nil {
		t.Fatalf("%s: %v", code, err)
	}
	if res.Exception != nil {
		return res.Exception.Name
	}
	return res.Value + res.Stdout
}

func wantCell(t testing.TB, s *Store, box, session, code, want string) {
	t.Helper()
	if got := cell(t, s, box, session, code); got != want {
		t.Errorf("%s in %s: %q, want %q", code, box, got, want)
	}
}

func freeze(t testing.TB, s *Store, name string) {
	t.Helper()
	if err := s.Freeze(name); err != nil {
		t.Fatal(err)
	}
}

func TestSessionsOutliveTheProcess(t *testing.T) {
	dir, e := t.TempDir(), newEngine(t)
	s := open(t, Config{Dir: dir, Engine: e})
	create(t, s, "a")
	cell(t, s, "a", "one", "import collections; n = 1; big = list(range(100_000))")
	cell(t, s, "a", "two", "n = 2; f = open('gone', 'w+'); print('line', file=f, flush=True)")
	cell(t, s, "a", "two", "import os; os.remove('gone'); os.mkdir('d')")
	check(t, s)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		s = open(t, Config{Dir: dir, Engine: newEngine(t)})
		check(t, s)
		if info, err := s.Info("a"); err != nil || strings.Join(info.Sessions, " ") != "one two" {
			t.Errorf("%+v, %v", info, err)
		}
		wantCell(t, s, "a", "one", "n += 1; n, collections.deque([sum(big)])[0]", fmt.Sprintf("(%d, 4999950000)", i+2))
		wantCell(t, s, "a", "two", "n, f.seek(0), f.read(), os.listdir()", "(2, 0, 'line\\n', ['d'])")
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// A file that only a session has is there as long as the session has it.
func TestFilesWithoutNames(t *testing.T) {
	s := open(t, Config{Dir: t.TempDir(), Engine: newEngine(t)})
	create(t, s, "a")
	cell(t, s, "a", "main", "f = open('f', 'w+'); f.write('a line of more than a row' * 2000); f.flush()")
	cell(t, s, "a", "main", "import os; os.remove('f')")
	cell(t, s, "a", "main", "h = open('/etc/hosts')")
	use(t, s, "a", write("/home/user/other", "other"))
	cell(t, s, "a", "main", "os.remove('other')")
	for range 2 {
		freeze(t, s, "a")
		check(t, s)
		if n := len(s.boxes["a"].record.Load().Orphans); n != 1 {
			t.Errorf("%d files without a name", n)
		}
		wantCell(t, s, "a", "main", "f.seek(0); f.read() == 'a line of more than a row' * 2000", "True")
	}
	cell(t, s, "a", "main", "f.close()")
	freeze(t, s, "a")
	check(t, s)
	if err := s.update(sweep); err != nil {
		t.Fatal(err)
	}
	err := s.view(func(tx *bbolt.Tx) error {
		return eachRow(tx, bucketChunks, nil, nil, func(k, _ []byte) error { return fmt.Errorf("chunk %x is left", k) })
	})
	if err != nil {
		t.Error(err)
	}
}

func TestForksAndRestoredHaveSessions(t *testing.T) {
	dir, e := t.TempDir(), newEngine(t)
	s := open(t, Config{Dir: dir, Engine: e})
	create(t, s, "parent")
	cell(t, s, "parent", "main", "n = 1")
	if err := s.Fork(t.Context(), "parent", "child", Options{}); err != nil {
		t.Fatal(err)
	}
	err := s.Use(t.Context(), "parent", func(sb *engine.Sandbox) error {
		snapshot, err := sb.Snapshot(t.Context())
		if err != nil {
			return err
		}
		defer snapshot.Close()
		err = s.Restore(t.Context(), "restored", snapshot, Options{})
		return errors.Join(err, sb.Files().WriteFile("/home/user/later", nil, 0o644))
	})
	if err != nil {
		t.Fatal(err)
	}
	cell(t, s, "child", "main", "n = 2")
	for range 2 {
		wantCell(t, s, "parent", "main", "n", "1")
		wantCell(t, s, "child", "main", "n", "2")
		wantCell(t, s, "restored", "main", "import os; n, os.listdir()", "(1, [])")
		check(t, s)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		s = open(t, Config{Dir: dir, Engine: e})
	}
}

// What is alive when the process ends without Close: the files are those of the last use, the sessions those of the
// last freeze.
func TestSessionsAfterACrash(t *testing.T) {
	s := open(t, Config{Dir: t.TempDir(), Engine: newEngine(t)})
	create(t, s, "a")
	cell(t, s, "a", "main", "n = 1; f = open('f', 'w+'); f.write('frozen'); f.flush(); import os; os.remove('f')")
	freeze(t, s, "a")
	cell(t, s, "a", "main", "n = 2; f.write(' and more'); f.flush()")
	cell(t, s, "a", "late", "n = 3")
	use(t, s, "a", write("/home/user/g", "kept"))
	crash(t, s, "a")
	check(t, s)
	wantCell(t, s, "a", "main", "f.seek(0); n, f.read(), open('g').read()", "(1, 'frozen', 'kept')")
	wantCell(t, s, "a", "late", "n", "NameError")
}

// crash forgets what is alive.
func crash(t testing.TB, s *Store, name string) {
	t.Helper()
	b := s.boxes[name]
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.sandbox.Close(); err != nil {
		t.Fatal(err)
	}
	b.forget()
}

func TestBusySessionsAreNotFrozen(t *testing.T) {
	dir, e := t.TempDir(), newEngine(t)
	s := open(t, Config{Dir: dir, Engine: e})
	create(t, s, "a")
	cell(t, s, "a", "idle", "n = 1")
	started, done := make(chan struct{}), make(chan error)
	ctx := context.WithoutCancel(t.Context())
	go func() { // ends when Close kills the cell
		var busy *engine.Session
		err := s.Use(ctx, "a", func(sb *engine.Sandbox) (err error) {
			busy, err = sb.Session(ctx, "busy", "python")
			return err
		})
		if err == nil {
			_, err = busy.Eval(ctx, engine.Cell{Code: "print(1, flush=True)\nwhile True: pass", Stdout: signal{started}})
		}
		done <- err
	}()
	<-started
	if err := s.Freeze("a"); !errors.Is(err, engine.ErrBusy) {
		t.Errorf("frozen with a cell that runs: %v", err)
	}
	wantCell(t, s, "a", "idle", "n", "1")
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if err := <-done; err == nil {
		t.Error("the cell ended by itself")
	}
	s = open(t, Config{Dir: dir, Engine: e})
	check(t, s)
	wantCell(t, s, "a", "idle", "n", "1")
	wantCell(t, s, "a", "busy", "1", "1")
}

// What runs in a sandbox and waits for its files to be saved doesn't keep it from being frozen.
func TestFreezeEndsWhatSyncs(t *testing.T) {
	s := open(t, Config{Dir: t.TempDir(), Engine: newEngine(t)})
	create(t, s, "a")
	for range 10 {
		started := make(chan struct{})
		err := s.Use(t.Context(), "a", func(sb *engine.Sandbox) error {
			const endless = "import os\nf = open('f', 'a')\nprint(1, flush=True)\nwhile True:\n  f.write('a'); f.flush(); os.fsync(f)"
			cmd, err := sb.Interpreter("python", endless)
			if err != nil {
				return err
			}
			cmd.Stdout = signal{started}
			_, err = sb.Start(t.Context(), cmd)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		<-started
		freeze(t, s, "a")
	}
	check(t, s)
}

// signal is closed by what is written first.
type signal struct{ c chan struct{} }

func (s signal) Write(p []byte) (int, error) {
	select {
	case <-s.c:
	default:
		close(s.c)
	}
	return len(p), nil
}

// Whatever keeps a session from coming back doesn't keep the others, nor the files.
func TestLostSessions(t *testing.T) {
	for what, harm := range map[string]func(*testing.T, *Store){
		"another build": func(t *testing.T, s *Store) {
			changeRow(t, s, bucketSessions, func(v string) string {
				i := strings.Index(v, `"Image":"`) + len(`"Image":"`)
				return v[:i] + strings.Repeat("0", 64) + v[i+64:]
			})
		},
		"no state": func(t *testing.T, s *Store) {
			changeRow(t, s, bucketSessions, func(string) string { return `{"name":"bad","state":{}}` })
		},
		"damaged page": func(t *testing.T, s *Store) {
			changeRow(t, s, bucketPages, func(string) string { return "?" })
		},
		"lost page": func(t *testing.T, s *Store) {
			changeRow(t, s, bucketPages, func(v string) string { return v[:1] + strings.Repeat("\x00", len(v)-1) })
		},
	} {
		t.Run(what, func(t *testing.T) {
			s := open(t, Config{Dir: t.TempDir(), Engine: newEngine(t), NoFlush: true})
			create(t, s, "a")
			cell(t, s, "a", "bad", "n = 1; open('f', 'w').write('kept')")
			cell(t, s, "a", "good", "n = 2")
			freeze(t, s, "a")
			harm(t, s)
			wantFile(t, s, "a", "/home/user/f", "kept")
			wantCell(t, s, "a", "bad", "n", "NameError")
			wantCell(t, s, "a", "good", "n", "2")
			freeze(t, s, "a")
			wantCell(t, s, "a", "good", "n", "2")
		})
	}
}

func TestLostInterpreter(t *testing.T) {
	s := open(t, Config{Dir: t.TempDir(), Engine: newEngine(t)})
	create(t, s, "a")
	cell(t, s, "a", "main", "open('f', 'w').write('kept')")
	use(t, s, "a", func(tree *vfs.Tree) error { return tree.Remove("/usr/bin/python3") })
	for range 2 {
		freeze(t, s, "a")
		wantFile(t, s, "a", "/home/user/f", "kept")
		check(t, s)
	}
}

// changeRow changes the first row of a bucket.
func changeRow(t *testing.T, s *Store, bucket []byte, change func(string) string) {
	t.Helper()
	err := s.update(func(tx *bbolt.Tx) error {
		k, v := tx.Bucket(bucket).Cursor().First()
		return tx.Bucket(bucket).Put([]byte(string(k)), []byte(change(string(v))))
	})
	if err != nil {
		t.Fatal(err)
	}
}

// Under Replay a sandbox that is frozen again and again does what one does that isn't, to the byte.
func TestFreezingChangesNothing(t *testing.T) {
	cells := []string{
		"import random, os, time, tempfile, uuid, io",
		"x = [random.random() for _ in range(20_000)]; x[-1]",
		"random.seed(time.time_ns()); random.random()",
		"os.urandom(8).hex(), uuid.uuid4()",
		"time.sleep(0.01); time.time_ns()",
		"f = open('log', 'a+'); f.write(str(x[3]) * 5000); f.tell()",
		"f.seek(7); f.read(40)",
		"os.remove('log'); f.flush()",
		"t = tempfile.NamedTemporaryFile(delete=False); t.name",
		"x = x[::2]; len(x), sum(x)",
		"def g(n):\n  return g(n - 1) + x[n] if n else 0\ng(100)",
		"sorted(os.listdir('/tmp'))",
		"1 / 0",
		"del x[:100]; b = bytearray(3_000_000); b[1_000_000] = len(x) % 256; hash(bytes(b))",
		"f.close(); f.closed",
	}
	e := newEngine(t)
	for seed := range uint64(4) {
		r := rand.New(rand.NewPCG(seed, 3))
		script := append([]string{cells[0], cells[1], cells[5], cells[13]}, make([]string, 16)...)
		for i := 4; i < len(script); i++ {
			script[i] = cells[2+r.IntN(len(cells)-2)]
		}
		run := func(frozen bool) string {
			s := open(t, Config{Dir: t.TempDir(), Engine: e, NoFlush: true})
			spec := engine.Spec{Replay: &engine.Replay{Seed: seed, Epoch: time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)}}
			if err := s.Create(t.Context(), "a", spec, Options{}); err != nil {
				t.Fatal(err)
			}
			var out strings.Builder
			for i, code := range script {
				fmt.Fprintln(&out, code, "→", cell(t, s, "a", "main", code))
				if i >= 3 && frozen && r.IntN(2) == 0 {
					freeze(t, s, "a")
				}
			}
			check(t, s)
			return out.String()
		}
		if a, b := run(false), run(true); a != b {
			t.Errorf("seed %d: not frozen\n%s\nfrozen\n%s", seed, a, b)
		}
	}
}
