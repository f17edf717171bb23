package python_test

import (
	"testing"

	"github.com/belljar-dev/belljar/engine"
	"github.com/belljar-dev/belljar/runtimes/python"
)

func BenchmarkFresh(b *testing.B) {
	eng, err := engine.New(engine.Config{Images: []engine.Image{python.Image()}})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := eng.Close(); err != nil {
			b.Error(err)
		}
	})
	if err := eng.Warm(b.Context(), "python", nil, "python3"); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		sb, err := eng.Create(b.Context(), engine.Spec{})
		if err != nil {
			b.Fatal(err)
		}
		if r, err := sb.Eval(b.Context(), "python", "print(1+1)"); err != nil || r.Stdout != "2\n" {
			b.Fatal(r, err)
		}
		if err := sb.Close(); err != nil {
			b.Fatal(err)
		}
	}
}
