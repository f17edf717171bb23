package engine_test

import (
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
