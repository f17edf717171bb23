package conformance

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/belljar-dev/belljar/engine"
	"github.com/belljar-dev/belljar/runtimes/python"
	"github.com/belljar-dev/belljar/vfs"
)

const (
	libraryPath = "/usr/lib/python3.13"
	workingDir  = "/home/user"
)

// pythonWithTests is the python image with the folder "test" of tests in its library, which comes without.
func pythonWithTests(tests fs.FS) engine.Image {
	im := python.Image()
	im.Layers = slices.Clone(im.Layers)
	for i, l := range im.Layers {
		if l.Path == libraryPath {
			im.Layers[i].FS = withTests{library: l.FS, tests: tests}
		}
	}
	return im
}

// standIns names the modules in testdata/standins that a test module can't be loaded without.
var standIns = map[string][]string{
	"test_bytes":      {"_testinternalcapi", "_testlimitedcapi"},
	"test_class":      {"_testinternalcapi"},
	"test_code":       {"_testinternalcapi"},
	"test_compile":    {"_testinternalcapi"},
	"test_dis":        {"_testinternalcapi"},
	"test_marshal":    {"_testinternalcapi"},
	"test_monitoring": {"_testinternalcapi", "_testcapi"},
	"test_opcache":    {"_testinternalcapi"},
	"test_traceback":  {"_testinternalcapi", "_testcapi"},
}

// addStandIns puts what module needs where python finds it: into the working directory.
func addStandIns(files *vfs.Tree, module string) error {
	for _, name := range standIns[module] {
		source, err := os.ReadFile(filepath.Join("testdata/standins", name+".py"))
		if err != nil {
			return fmt.Errorf("add stand-in: %w", err)
		}
		if err := files.WriteFile(path.Join(workingDir, name+".py"), source, 0o644); err != nil {
			return fmt.Errorf("add stand-in: %w", err)
		}
	}
	return nil
}

// withTests is library with the folder "test" of tests beside what it has itself.
type withTests struct{ library, tests fs.FS }

func (w withTests) of(name string) fs.FS {
	if name == "test" || strings.HasPrefix(name, "test/") {
		return w.tests
	}
	return w.library
}

func (w withTests) Stat(name string) (fs.FileInfo, error) {
	info, err := fs.Stat(w.of(name), name)
	if err != nil || name != "." {
		return info, err
	}
	tests, err := fs.Stat(w.tests, "test")
	if err != nil {
		return nil, err
	}
	return rootInfo{info, tests.ModTime()}, nil
}

func (w withTests) Open(name string) (fs.File, error) {
	f, err := w.of(name).Open(name)
	if err != nil || name != "." {
		return f, err
	}
	info, err := w.Stat(name)
	if err == nil {
		var entries []fs.DirEntry
		if entries, err = w.ReadDir(name); err == nil {
			return &rootDir{f, info, entries}, nil
		}
	}
	return nil, errors.Join(err, f.Close())
}

func (w withTests) ReadDir(name string) ([]fs.DirEntry, error) {
	entries, err := fs.ReadDir(w.of(name), name)
	if err != nil || name != "." {
		return entries, err
	}
	info, err := fs.Stat(w.tests, "test")
	if err != nil {
		return nil, err
	}
	entries = append(slices.Clone(entries), fs.FileInfoToDirEntry(info))
	slices.SortFunc(entries, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	return entries, nil
}

// rootInfo describes the root of withTests. Its time differs from the library's: by that the warm interpreter, whose
// image may come from an engine without tests, sees that what it knows of the folder is out of date.
type rootInfo struct {
	fs.FileInfo
	modified time.Time
}

func (i rootInfo) ModTime() time.Time { return i.modified }

// rootDir is the root of withTests, opened.
type rootDir struct {
	fs.File
	info fs.FileInfo
	rest []fs.DirEntry // not read yet
}

func (d *rootDir) Stat() (fs.FileInfo, error) { return d.info, nil }

func (d *rootDir) ReadDir(n int) ([]fs.DirEntry, error) {
	if n > 0 && len(d.rest) == 0 {
		return nil, io.EOF
	}
	if n <= 0 || n > len(d.rest) {
		n = len(d.rest)
	}
	entries := d.rest[:n]
	d.rest = d.rest[n:]
	return entries, nil
}

// listModules answers the suite's modules as regrtest finds them, sorted.
func listModules(dir string) ([]string, error) {
	entries, err := os.ReadDir(filepath.Join(dir, "test"))
	if err != nil {
		return nil, fmt.Errorf("list test modules: %w", err)
	}
	var modules []string
	for _, e := range entries {
		name, isFile := strings.CutSuffix(e.Name(), ".py")
		if strings.HasPrefix(name, "test_") && isFile != e.IsDir() {
			modules = append(modules, name)
		}
	}
	slices.Sort(modules)
	return modules, nil
}

// quickModules answers what the quick list names.
func quickModules(all []string) ([]string, error) {
	const file = "testdata/cpython-quick.txt"
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read quick list: %w", err)
	}
	var quick []string
	for line := range strings.Lines(string(data)) {
		line, _, _ = strings.Cut(line, "#")
		for _, m := range strings.Fields(line) {
			if !slices.Contains(all, m) {
				return nil, fmt.Errorf("read quick list: %s: %s is no module of the suite", file, m)
			}
			quick = append(quick, m)
		}
	}
	return quick, nil
}
