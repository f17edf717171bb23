package wasi

import (
	"bytes"
	"context"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/sys"

	"github.com/belljar-dev/belljar/vfs"
)

// TestGoStandardLibrary runs, as guests, the tests that Go's own packages of files have of themselves: what a Go program
// that is built for wasip1 may rely on.
func TestGoStandardLibrary(t *testing.T) {
	if os.Getenv("BELLJAR_GO_TESTS") == "" {
		t.Skip("BELLJAR_GO_TESTS is not set: building Go's library for wasip1 takes a while")
	}
	out, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	root := strings.TrimSpace(string(out))
	for _, name := range []string{"src/os/os_test.go", "CONTRIBUTING.md", "LICENSE", "go.env"} {
		if _, err := os.Stat(filepath.Join(root, name)); err != nil {
			t.Skip("this Go has come without its tests:", err)
		}
	}
	for pkg, least := range map[string]int{"os": 170, "io/fs": 20, "path/filepath": 45, "syscall": 3} {
		t.Run(pkg, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "test.wasm")
			build := exec.Command("go", "test", "-c", "-o", file, pkg)
			build.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm")
			if out, err := build.CombinedOutput(); err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			code, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			got, exit := runGoTests(t, code, root, root+"/src/"+pkg)
			if passed := strings.Count("\n"+got, "\n--- PASS"); exit != 0 || passed < least {
				t.Errorf("exit code %d, %d tests passed of %d at least\n%s", exit, passed, least, got)
			} else {
				t.Logf("%d tests passed, %d were skipped", passed, strings.Count("\n"+got, "\n--- SKIP"))
			}
		})
	}
}

// goTests is a tree with what Go's tests look for: its sources, a place for files, a device.
func goTests(t *testing.T, root string) *vfs.Tree {
	t.Helper()
	tree := vfs.New(vfs.Config{})
	for _, err := range []error{
		tree.MkdirAll(root, 0o755),
		tree.MountFS(root, os.DirFS(root)),
		tree.MkdirAll("/etc", 0o755),
		tree.MkdirAll("/root", 0o755),
		tree.MkdirAll("/tmp", 0o777),
		tree.Chmod("/tmp", 0o777|fs.ModeSticky),
		tree.WriteFile("/etc/group", []byte("root:x:0:\n"), 0o644),
		tree.WriteFile("/etc/passwd", []byte("root:x:0:0:root:/root:/bin/sh\n"), 0o644),
		tree.AddDevice("/dev/null", 0o666, nothing{}),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() { tree.Close() })
	return tree
}

type nothing struct{}

func (nothing) Read([]byte) (int, error)    { return 0, io.EOF }
func (nothing) Write(p []byte) (int, error) { return len(p), nil }

// runGoTests runs a test binary in dir and returns what it printed, and its exit code.
func runGoTests(t *testing.T, code []byte, root, dir string) (string, uint32) {
	t.Helper()
	ctx := context.Background()
	r := sharedHarness().runtime
	module, err := r.CompileModule(ctx, code)
	if err != nil {
		t.Fatal(err)
	}
	defer module.Close(ctx)
	var out bytes.Buffer
	host, err := NewHost(Config{
		// The test that is left out walks a folder that not every Go has.
		Args: []string{"test", "-test.short", "-test.v", "-test.skip=^TestBug3486$"},
		Env:  []string{"PWD=" + dir, "GOROOT=" + root, "HOME=/root", "TMPDIR=/tmp", "PATH=/bin"},
		Dir:  dir, Tree: goTests(t, root), Stdout: &out, Stderr: &out, Network: &Network{},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer host.Close()
	guest, err := r.InstantiateModule(Bind(ctx, host), module, wazero.NewModuleConfig().WithName(""))
	if err == nil {
		guest.Close(ctx)
		return out.String(), 0
	}
	exit, ok := err.(*sys.ExitError)
	if !ok {
		t.Fatalf("%v\n%s", err, out.String())
	}
	return out.String(), exit.ExitCode()
}
