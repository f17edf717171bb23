package engine_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/belljar-dev/belljar/engine"
)

// codeFiles are the files of compiled code in a cache folder, and nothing else that is there.
func codeFiles(t *testing.T, dir string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "code", "*", "*"))
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// runIn runs the programs of an image, which print their names, in an engine of its own.
func runIn(t *testing.T, dir string, programs ...engine.Program) error {
	t.Helper()
	e, err := engine.New(engine.Config{CacheDir: dir, Images: []engine.Image{{Name: "test", Programs: programs}}})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	sb, err := e.Create(t.Context(), engine.Spec{})
	if err != nil {
		t.Fatal(err)
	}
	defer sb.Close()
	for _, p := range programs {
		res, err := sb.Run(t.Context(), engine.Command{Args: []string{p.Path}})
		if err != nil {
			return err
		}
		if want := filepath.Base(p.Path); res.Stdout != want || res.ExitCode != 0 {
			t.Errorf("%s printed %q, status %d", p.Path, res.Stdout, res.ExitCode)
		}
	}
	return nil
}

// printer prints its data. Two of them differ in their data, and in their code if their names' lengths do.
func printer(path string) engine.Program {
	text := filepath.Base(path)
	g := guest{imports: []wasiImport{fdWrite}, data: text, funcs: []guestFunc{{export: "run",
		body: cat(write(0, 1, 0, int32(len(text))), i32Const(0))}}}
	return g.program(path, nil)
}

var errNoModule = errors.New("the module is not to be had")

// withoutModule is the program for engines that have to have kept all they need of it.
func withoutModule(p engine.Program) engine.Program {
	p.Module = func() ([]byte, error) { return nil, errNoModule }
	return p
}

func TestCodeIsKept(t *testing.T) {
	dir := t.TempDir()
	a, b := printer("/bin/one"), printer("/bin/three")
	if err := runIn(t, dir, a, b); err != nil {
		t.Fatal(err)
	}
	if n := len(codeFiles(t, dir)); n != 2 {
		t.Errorf("%d files of code for two programs", n)
	}
	if err := runIn(t, dir, withoutModule(a), withoutModule(b)); err != nil {
		t.Error(err)
	}
}

// What lies in the cache may be gone, cut short, or be the code of a skeleton.
func TestLostCode(t *testing.T) {
	p := printer("/bin/one")
	for name, spoil := range map[string]func(file string) error{
		"gone":      os.Remove,
		"cut":       func(file string) error { return os.Truncate(file, 100) },
		"empty":     func(file string) error { return os.Truncate(file, 0) },
		"garbage":   func(file string) error { return os.WriteFile(file, make([]byte, 4096), 0o600) },
		"no folder": func(file string) error { return os.RemoveAll(filepath.Dir(file)) },
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if err := runIn(t, dir, p); err != nil {
				t.Fatal(err)
			}
			files := codeFiles(t, dir)
			if len(files) != 1 {
				t.Fatalf("%d files of code", len(files))
			}
			if err := spoil(files[0]); err != nil {
				t.Fatal(err)
			}
			if err := runIn(t, dir, withoutModule(p)); !errors.Is(err, errNoModule) {
				t.Errorf("without code and module: %v", err) // wazero has compiled the skeleton by now, and kept that
			}
			for range 2 {
				if err := runIn(t, dir, p); err != nil {
					t.Error(err)
				}
			}
			if err := runIn(t, dir, withoutModule(p)); err != nil {
				t.Errorf("kept again: %v", err)
			}
		})
	}
}
