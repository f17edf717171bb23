package js_test

import (
	"bytes"
	"context"
	"errors"
	"testing"
	"time"

	"github.com/belljar-dev/belljar/engine"
	"github.com/belljar-dev/belljar/runtimes/js"
	"github.com/belljar-dev/belljar/store"
)

const build = `import fs from 'node:fs'
class Counter { #n = 0; next() { return ++this.#n } }
const counter = new Counter(), words = new Map([['a', 1n]]), bytes = new Uint8Array(3_000_000).fill(7)
counter.next(); fs.writeFileSync('kept.txt', 'kept')
const late = async (v) => { await new Promise(r => setTimeout(r, 2)); return v }
const a = [Math.random(), crypto.randomUUID(), Date.now()]; fs.writeFileSync('a', String(a))`

const look = `console.log(counter.next(), words, bytes.reduce((x, y) => x + y), fs.readFileSync('kept.txt', 'utf8'), await late(3))
console.log(a, Math.random(), crypto.randomUUID(), Date.now(), performance.now(), fs.statSync('a').mtimeMs, crypto.getRandomValues(new Uint8Array(3)))`

func thaw(t *testing.T, b []byte) *engine.Sandbox {
	t.Helper()
	s, err := newEngine(t).ReadSnapshot(t.Context(), bytes.NewReader(b), engine.ReadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	sb, err := s.Sandbox(t.Context())
	if err := errors.Join(err, s.Close()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { sb.Close() })
	return sb
}

func freeze(t *testing.T, sb *engine.Sandbox) []byte {
	t.Helper()
	s, err := sb.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	var b bytes.Buffer
	if _, err := s.WriteTo(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// Under Replay a session goes on the same whether it is left alone, forked, or frozen to bytes and thawed elsewhere.
func TestReplayAcrossSnapshot(t *testing.T) {
	eng := newEngine(t)
	ways := []func(*engine.Sandbox) *engine.Sandbox{
		func(sb *engine.Sandbox) *engine.Sandbox { return sb },
		func(sb *engine.Sandbox) *engine.Sandbox { return sb },
		func(sb *engine.Sandbox) *engine.Sandbox {
			forked, err := sb.Fork(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { forked.Close() })
			return forked
		},
		func(sb *engine.Sandbox) *engine.Sandbox { return thaw(t, freeze(t, sb)) },
		func(sb *engine.Sandbox) *engine.Sandbox { return thaw(t, freeze(t, thaw(t, freeze(t, sb)))) },
	}
	var want string
	for i, way := range ways {
		sb := newSandbox(t, eng, engine.Spec{Image: "js", Replay: &engine.Replay{Seed: 5}})
		cell(t, session(t, sb), build)
		res := cell(t, session(t, way(sb)), look)
		if i == 0 {
			want = res.Stdout
		}
		if res.Exception != nil || res.Stdout == "" || res.Stdout != want {
			t.Errorf("way %d: %v\n%s\nwant\n%s", i, res.Exception, res.Stdout, want)
		}
	}
}

// What one fork does the other does not see, and their randomness differs.
func TestForks(t *testing.T) {
	sb := newSandbox(t, newEngine(t), engine.Spec{Image: "js"})
	cell(t, session(t, sb), "const list = [1]; require('fs').writeFileSync('f', 'parent')")
	forked, err := sb.Fork(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer forked.Close()
	const change = "list.push(2); require('fs').appendFileSync('f', '+'); [list.length, require('fs').readFileSync('f', 'utf8')]"
	for _, each := range []*engine.Sandbox{sb, forked} {
		if res := cell(t, session(t, each), change); res.Value != "[ 2, 'parent+' ]" {
			t.Errorf("%q, %v", res.Value, res.Exception)
		}
	}
	const random = "[Math.random(), crypto.randomUUID()]"
	if a, b := cell(t, session(t, sb), random), cell(t, session(t, forked), random); a.Value == b.Value || a.Value == "" {
		t.Errorf("both draw %s", a.Value)
	}
	// OpenSSL has drawn before the fork, too.
	const key = "const k = require('crypto').generateKeyPairSync('x25519').privateKey.export({ format: 'jwk' }).d; k"
	cell(t, session(t, sb), key)
	twin, err := sb.Fork(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer twin.Close()
	if a, b := cell(t, session(t, sb), key), cell(t, session(t, twin), key); a.Value == b.Value || a.Value == "" {
		t.Errorf("both make the key %s, %v", a.Value, a.Exception)
	}
	// The library keeps random bytes, which a copy must not draw again.
	for _, kept := range []string{"crypto.randomUUID()", "require('crypto').randomInt(2 ** 47)"} {
		cell(t, session(t, sb), kept)
		again, err := sb.Fork(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer again.Close()
		if a, b := cell(t, session(t, sb), kept), cell(t, session(t, again), kept); a.Value == b.Value || a.Value == "" {
			t.Errorf("both draw %s by %s, %v", a.Value, kept, a.Exception)
		}
	}
	if res := interrupted(t, session(t, forked)); res.ExitCode != 130 {
		t.Errorf("a fork is not interrupted: %d", res.ExitCode)
	}
}

func interrupted(t *testing.T, s *engine.Session) engine.Result {
	t.Helper()
	started := make(chan struct{}, 1)
	go func() { // ends with the cell's first output
		<-started
		s.Interrupt()
	}()
	res, err := s.Eval(t.Context(), engine.Cell{Code: "console.log('go'); for (;;);", Stdout: writerFunc(func(b []byte) (int, error) {
		started <- struct{}{}
		return len(b), nil
	})})
	if err != nil {
		t.Error(err)
	}
	return res
}

// A session that a store has frozen goes on in another process.
func TestSessionsOutliveTheProcess(t *testing.T) {
	dir := t.TempDir()
	within := func(code, want string) {
		t.Helper()
		eng, err := engine.New(engine.Config{Images: []engine.Image{js.Image()}})
		if err != nil {
			t.Fatal(err)
		}
		defer eng.Close()
		s, err := store.Open(store.Config{Dir: dir, Engine: eng})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		if err := s.Create(t.Context(), "a", engine.Spec{Limits: engine.Limits{Wall: time.Minute}}, store.Options{}); err != nil && !errors.Is(err, store.ErrExists) {
			t.Fatal(err)
		}
		err = s.Use(context.Background(), "a", func(sb *engine.Sandbox) error {
			res := cell(t, session(t, sb), code)
			if got := res.Value + res.Stdout; got != want || res.Exception != nil {
				t.Errorf("%s: %q, %v, want %q", code, got, res.Exception, want)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	within("let n = 1; const later = () => n; require('fs').mkdirSync('d'); n", "1")
	for _, want := range []string{"[ 2, 2, [ 'd' ] ]", "[ 3, 3, [ 'd' ] ]"} {
		within("n++; [n, await later(), require('fs').readdirSync('.')]", want)
	}
}
