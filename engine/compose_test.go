package engine_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"testing/fstest"

	"github.com/belljar-dev/belljar/engine"
)

func TestCompose(t *testing.T) {
	var seven, eight unixGuest
	seven.step(seven.exit(7))
	eight.step(eight.exit(8))
	a := engine.Image{
		Name: "a", Programs: []engine.Program{seven.program("/bin/seven")}, Env: []string{"V=a", "A=1"},
		Langs:  map[string][]string{"x": {"seven"}},
		Layers: []engine.Layer{{Path: "/usr/share/a", FS: fstest.MapFS{"f": {Data: []byte("a")}}}},
	}
	b := engine.Image{
		Name: "b", Programs: []engine.Program{eight.program("/bin/eight")}, Env: []string{"V=b"},
		Langs: map[string][]string{"x": {"eight"}, "y": {"eight"}},
	}
	eng, err := engine.New(engine.Config{Images: []engine.Image{engine.Compose("all", a, b)}, NoCache: true})
	if err != nil {
		t.Fatal(err)
	}
	defer eng.Close()
	sb := create(t, eng, engine.Spec{Image: "all"})
	for lang, want := range map[string]int{"x": 7, "y": 8} {
		if res, err := sb.Eval(t.Context(), lang, ""); err != nil || res.ExitCode != want {
			t.Errorf("%s: got %+v, %v", lang, res, err)
		}
	}
	if text, err := sb.Files().ReadFile("/usr/share/a/f"); string(text) != "a" || err != nil {
		t.Errorf("got %q, %v", text, err)
	}
	both := engine.Compose("both", a, a)
	if _, err := engine.New(engine.Config{Images: []engine.Image{both}, NoCache: true}); err == nil {
		t.Error("two programs have one path")
	}
}

// What a warm-up leaves behind does not depend on what its image was composed with: sessions that were frozen in one
// engine begin with it in another, and both may share a cache.
func TestComposedWarmUp(t *testing.T) {
	sizes := wasiImport{"environ_sizes_get", []byte{i32, i32}}
	g := guest{imports: []wasiImport{sizes}, funcs: []guestFunc{
		{"run", 0, i32Const(0)},
		{"warm", 0, cat(i32Const(100), i32Const(104), call(0))}, // the environment's sizes stay in memory
	}}
	a := engine.Image{Name: "a", Programs: []engine.Program{g.program("/bin/a", &engine.Warm{Entry: "warm"})}, Env: []string{"A=1"}}
	other := guest{funcs: []guestFunc{{"run", 0, i32Const(0)}}}
	b := engine.Image{Name: "b", Programs: []engine.Program{other.program("/bin/b", nil)}, Env: []string{"B=two", "C=three"}}
	warmed := func(im engine.Image) (name string, content []byte) {
		dir := t.TempDir()
		eng, err := engine.New(engine.Config{Images: []engine.Image{im}, CacheDir: dir})
		if err != nil {
			t.Fatal(err)
		}
		defer eng.Close()
		if err := eng.Warm(t.Context(), "", nil, "a"); err != nil {
			t.Fatal(err)
		}
		files, err := filepath.Glob(filepath.Join(dir, "images-*", "*.warm"))
		if err != nil || len(files) != 1 {
			t.Fatalf("warm images: %v, %v", files, err)
		}
		content, err = os.ReadFile(files[0])
		if err != nil {
			t.Fatal(err)
		}
		return filepath.Base(files[0]), content
	}
	name, content := warmed(a)
	for what, im := range map[string]engine.Image{
		"composed": engine.Compose("all", b, a), "composed twice": engine.Compose("more", engine.Compose("some", a), b),
	} {
		if n, c := warmed(im); n != name || !bytes.Equal(c, content) {
			t.Errorf("%s: %s with %d bytes, which are equal: %t; alone %s with %d", what, n, len(c), bytes.Equal(c, content), name, len(content))
		}
	}
	changed := a
	changed.Env = []string{"A=1", "D=4"}
	if n, c := warmed(changed); n == name || bytes.Equal(c, content) {
		t.Errorf("another image's warm-up is taken for the same")
	}
}
