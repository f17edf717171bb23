// Package layers holds the test that keeps imports going down the layer table of CONTRIBUTING.md only.
package layers

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/belljar-dev/belljar/"

// layers says what each package of the project may import from the project and from outside the standard
// library. A prefix that ends in "/" stands for every package below it. The first row that fits a package counts.
var layers = []struct {
	pkg   string
	below []string // of the project
	deps  []string // module paths or prefixes of them
}{
	{"vfs", nil, nil},
	{"vfs/aferofs", []string{"vfs"}, []string{"github.com/spf13/afero"}},
	{"vfs/billyfs", []string{"vfs"}, []string{"github.com/go-git/go-billy"}},
	{"vfs/archive", []string{"vfs"}, []string{"github.com/klauspost/compress"}},
	{"internal/instrument", nil, nil},
	{"internal/pace", nil, nil},
	{"internal/storedzip", nil, nil},
	{"internal/guestimage", nil, []string{"github.com/klauspost/compress"}},
	{"internal/hostkey", nil, []string{"golang.org/x/crypto/ssh"}},
	{"internal/layers", nil, nil},
	{"wasi", []string{"vfs"}, []string{"github.com/tetratelabs/wazero"}},
	{"engine", []string{"wasi", "vfs", "internal/instrument", "internal/pace"}, []string{"github.com/tetratelabs/wazero", "golang.org/x/sys", "golang.org/x/crypto/x509roots", "github.com/klauspost/compress"}},
	{"store", []string{"engine", "vfs"}, []string{"go.etcd.io/bbolt", "github.com/klauspost/compress"}},
	{"runtimes/js/esbuild", []string{"engine", "vfs", "internal/guestimage"}, []string{"github.com/evanw/esbuild"}},
	{"runtimes/js/npm", []string{"engine", "vfs"}, []string{"github.com/Masterminds/semver/v3"}},
	{"runtimes/js", []string{"engine", "vfs", "internal/guestimage", "internal/storedzip", "runtimes/js/esbuild", "runtimes/js/npm"}, []string{"github.com/klauspost/compress"}},
	{"runtimes/git", []string{"engine", "internal/guestimage", "internal/hostkey", "internal/storedzip"}, []string{"golang.org/x/crypto/ssh"}},
	{"runtimes/", []string{"engine", "vfs", "internal/guestimage", "internal/storedzip"}, []string{"github.com/klauspost/compress"}},
	{"gitops", []string{"vfs", "vfs/billyfs", "internal/hostkey"}, []string{"github.com/go-git/", "github.com/klauspost/compress", "golang.org/x/crypto/ssh"}},
	{"eval", []string{"engine", "vfs"}, nil},
	{"mcpbridge/clients", nil, []string{"github.com/tailscale/hujson"}},
	{"mcpbridge", []string{"engine", "gitops", "vfs", "vfs/archive"}, []string{"github.com/mark3labs/mcp-go"}},
	{"server", []string{"engine", "gitops", "vfs", "store"}, nil},
	{"internal/", []string{"*"}, []string{"*"}}, // test drivers, imported by nothing that users embed
	{"cmd/", []string{"*"}, []string{"*"}},
	{"examples/", []string{"*"}, []string{"*"}},
	{"benchmarks", []string{"*"}, []string{"*"}},
}

type listed struct {
	ImportPath string
	Standard   bool
	Imports    []string
	CgoFiles   []string
	GoFiles    []string
}

func list(t *testing.T, args ...string) []listed {
	t.Helper()
	cmd := exec.Command("go", append([]string{"list", "-json=ImportPath,Standard,Imports,CgoFiles,GoFiles"}, args...)...)
	cmd.Dir = "../.."
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var pkgs []listed
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p listed
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return pkgs
		} else if err != nil {
			t.Fatal(err)
		}
		pkgs = append(pkgs, p)
	}
}

func TestImportsGoDown(t *testing.T) {
	standard := map[string]bool{}
	for _, p := range list(t, "std") {
		standard[p.ImportPath] = true
	}
	for _, p := range list(t, "./...") {
		name := strings.TrimPrefix(p.ImportPath, module)
		if p.ImportPath+"/" == module {
			t.Errorf("%s: no Go files belong at the root", p.ImportPath)
			continue
		}
		if len(p.CgoFiles) > 0 {
			t.Errorf("%s uses cgo: %v", name, p.CgoFiles)
		}
		row := slices.IndexFunc(layers, func(l struct {
			pkg         string
			below, deps []string
		}) bool {
			return l.pkg == name || strings.HasSuffix(l.pkg, "/") && strings.HasPrefix(name, l.pkg)
		})
		if row < 0 {
			t.Errorf("%s is in no layer", name)
			continue
		}
		for _, im := range p.Imports {
			own, isOwn := strings.CutPrefix(im, module)
			switch {
			case standard[im]:
			case isOwn && !allowed(own, layers[row].below, func(a, b string) bool { return a == b }):
				t.Errorf("%s must not import %s", name, own)
			case !isOwn && !allowed(im, layers[row].deps, strings.HasPrefix):
				t.Errorf("%s must not import %s", name, im)
			}
		}
	}
}

func allowed(im string, list []string, match func(string, string) bool) bool {
	return slices.ContainsFunc(list, func(a string) bool { return a == "*" || match(im, a) })
}
