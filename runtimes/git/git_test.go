package git

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/belljar-dev/belljar/engine"
	"github.com/belljar-dev/belljar/runtimes/shell"
)

func cacheDir(t testing.TB) string {
	t.Helper()
	user, err := os.UserCacheDir()
	if err != nil {
		t.Skipf("without a cache every program would be compiled: %v", err)
	}
	return filepath.Join(user, "belljar")
}

func testdata(t testing.TB, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func newEngine(t testing.TB, cfg Config) *engine.Engine {
	t.Helper()
	e, err := engine.New(engine.Config{
		Images:   []engine.Image{engine.Compose("git", shell.Image(), cfg.Image())},
		CacheDir: cacheDir(t),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	return e
}

// sub is the home folder of a sandbox, for the host to read.
func sub(t testing.TB, sb *engine.Sandbox) fs.FS {
	t.Helper()
	home, err := fs.Sub(sb.Files().FS(), home[1:])
	if err != nil {
		t.Fatal(err)
	}
	return home
}
