package js_test

import (
	"context"
	"testing"

	"github.com/belljar-dev/belljar/engine"
)

// BenchmarkFresh is a sandbox that is made, prints 1+1 and is closed.
func BenchmarkFresh(b *testing.B) {
	eng := newEngine(b)
	ctx := context.Background()
	for b.Loop() {
		sb, err := eng.Create(ctx, engine.Spec{Image: "js"})
		if err != nil {
			b.Fatal(err)
		}
		res, err := sb.Eval(ctx, "js", "console.log(1+1)")
		if err != nil || res.Stdout != "2\n" {
			b.Fatalf("%q, %q, %v", res.Stdout, res.Stderr, err)
		}
		b.ReportMetric(float64(res.Usage.Memory)/1024, "KiB")
		sb.Close()
	}
}
