package js_test

import (
	"context"
	"testing"

	"github.com/belljar-dev/belljar/engine"
	"github.com/belljar-dev/belljar/runtimes/js"
	"github.com/belljar-dev/belljar/runtimes/shell"
)

// newEngine makes an engine with the image, whose cache is the user's: compiling takes long.
func newEngine(t testing.TB) *engine.Engine {
	t.Helper()
	eng, err := engine.New(engine.Config{Images: []engine.Image{js.Image(), engine.Compose("both", js.Image(), shell.Image())}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { eng.Close() })
	return eng
}

func newSandbox(t testing.TB, eng *engine.Engine, spec engine.Spec) *engine.Sandbox {
	t.Helper()
	sb, err := eng.Create(context.Background(), spec)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { sb.Close() })
	return sb
}

func TestEval(t *testing.T) {
	sb := newSandbox(t, newEngine(t), engine.Spec{Image: "js"})
	for code, want := range map[string]string{
		"console.log(1+1)": "2\n",
		"console.log(require('path').join('a', 'b'))":                   "a/b\n",
		"import('node:os').then((os) => console.log(os.EOL === '\\n'))": "true\n",
	} {
		res, err := sb.Eval(context.Background(), "js", code)
		if err != nil || res.Stdout != want || res.ExitCode != 0 {
			t.Errorf("%s: %q, %q, %d, %v", code, res.Stdout, res.Stderr, res.ExitCode, err)
		}
	}
}
