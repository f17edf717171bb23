package python_test

import (
	"testing"

	"github.com/belljar-dev/belljar/engine"
	"github.com/belljar-dev/belljar/runtimes/python"
)

func warmEngine(b *testing.B) *engine.Engine {
	b.Helper()
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
	return eng
}

func BenchmarkFresh(b *testing.B) {
	eng := warmEngine(b)
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

// BenchmarkForkCell forks a session with a megabyte of objects, runs a cell in the child, and another in the parent.
func BenchmarkForkCell(b *testing.B) {
	sb, err := warmEngine(b).Create(b.Context(), engine.Spec{})
	if err != nil {
		b.Fatal(err)
	}
	cell := func(sb *engine.Sandbox, code string) {
		s, err := sb.Session(b.Context(), "main", "python")
		if err != nil {
			b.Fatal(err)
		}
		if res, err := s.Eval(b.Context(), engine.Cell{Code: code}); err != nil || res.Exception != nil {
			b.Fatal(res, err)
		}
	}
	cell(sb, "data = [str(i) * 3 for i in range(16_000)]")
	b.ReportAllocs()
	for b.Loop() {
		child, err := sb.Fork(b.Context())
		if err != nil {
			b.Fatal(err)
		}
		cell(child, "data[1]")
		if err := child.Close(); err != nil {
			b.Fatal(err)
		}
		cell(sb, "data[2] = 'changed'")
	}
}

// BenchmarkCell runs a cell in a session that is alive.
func BenchmarkCell(b *testing.B) {
	sb, err := warmEngine(b).Create(b.Context(), engine.Spec{})
	if err != nil {
		b.Fatal(err)
	}
	s, err := sb.Session(b.Context(), "main", "python")
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if res, err := s.Eval(b.Context(), engine.Cell{Code: "x = 1"}); err != nil || res.Exception != nil {
			b.Fatal(res, err)
		}
	}
}
