package instrument

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tetratelabs/wazero"
)

// FuzzRewrite checks that no input makes Rewrite panic, and that what it makes of a module that the runtime accepts is
// accepted too.
func FuzzRewrite(f *testing.F) {
	root := wazeroTests(f)
	for _, folder := range []string{"spectest", "fuzzcases"} {
		err := filepath.WalkDir(filepath.Join(root, folder), func(path string, d fs.DirEntry, err error) error {
			if err != nil || !strings.HasSuffix(path, ".wasm") {
				return err
			}
			wasm, err := os.ReadFile(path)
			if len(wasm) < 64<<10 {
				f.Add(wasm)
			}
			return err
		})
		if err != nil {
			f.Fatal(err)
		}
	}
	ctx := context.Background()
	cfg := wazero.NewRuntimeConfigInterpreter().WithCoreFeatures(specFeatures).WithMemoryLimitPages(16)
	f.Fuzz(func(t *testing.T, wasm []byte) {
		for _, meter := range []bool{true, false} {
			m, err := Rewrite(wasm, Config{Meter: meter, LazyTable: meter})
			if err != nil {
				if e := (*Error)(nil); !errors.As(err, &e) || e.Offset < 0 || e.Offset > len(wasm) {
					t.Fatalf("not an error within the module: %v", err)
				}
				continue
			}
			if bytes.Contains(wasm, []byte("\x04name")) && !bytes.Contains(m.Wasm, []byte("\x04name")) {
				continue // the runtime allocates what a malformed name section tells it to, gigabytes if need be
			}
			// A runtime of its own for each module, because it remembers every type it has met.
			rt := wazero.NewRuntimeWithConfig(ctx, cfg)
			_, before := rt.CompileModule(ctx, wasm)
			_, after := rt.CompileModule(ctx, m.Wasm)
			rt.Close(ctx)
			if before == nil && after != nil {
				t.Fatalf("meter %v: rewritten module refused: %v", meter, after)
			}
			if before != nil && after == nil && !tolerated(before) {
				t.Fatalf("meter %v: invalid module made valid: %v", meter, before)
			}
		}
	})
}

// tolerated tells whether an error of the runtime is about something that the rewriter removes or repairs.
func tolerated(err error) bool {
	for _, s := range []string{
		"section custom",           // a malformed name section is dropped
		"custom section name[",     // the runtime refuses empty custom sections that end the module; they are dropped
		"redundant custom section", // a second name section is dropped
	} {
		if strings.Contains(err.Error(), s) {
			return true
		}
	}
	return false
}
