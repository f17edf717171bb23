package python_test

import (
	"bytes"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/belljar-dev/belljar/engine"
)

// A snapshot is the same file on every machine, and goes on there. The test leaves one in the folder that
// BELLJAR_PORTABLE names, and compares it with those that it finds: run it on several platforms, one after the other.
func TestPortableSnapshot(t *testing.T) {
	dir := os.Getenv("BELLJAR_PORTABLE")
	if dir == "" {
		t.Skip("BELLJAR_PORTABLE names no folder to meet other platforms in")
	}
	sb := sandbox(t, engine.Spec{Replay: &engine.Replay{Seed: 3}})
	cell(t, session(t, sb), "import math, random, json\nx = [math.sin(i) ** 0.5 if i % 3 == 1 else i / 7 for i in range(1000)]; f = open('f', 'w+'); f.write(json.dumps(x[:5]))")
	mine := freeze(t, sb)
	if err := os.WriteFile(filepath.Join(dir, runtime.GOOS+"-"+runtime.GOARCH), mine, 0o644); err != nil {
		t.Fatal(err)
	}
	const look = "f.seek(0); print(f.read(), sum(x[2::3]), random.random())"
	want := cell(t, session(t, fork(t, sb)), look).Stdout
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		b, err := os.ReadFile(filepath.Join(dir, file.Name()))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(b, mine) {
			t.Errorf("%s has %d other bytes, mine are %d", file.Name(), len(b), len(mine))
		}
		if got := cell(t, session(t, thaw(t, b, engine.ReadOptions{})), look).Stdout; got != want || got == "" {
			t.Errorf("of %s: %q, here %q", file.Name(), got, want)
		}
	}
}
