// Package python brings CPython as an image for the engine.
//
// The interpreter and its standard library are built by runtimes/python/build and embedded in compressed form;
// image/MANIFEST.json says from which sources. Licences: image/LICENSES.
package python

import (
	_ "embed"
	"path"
	"strings"

	"github.com/belljar-dev/belljar/engine"
	"github.com/belljar-dev/belljar/internal/guestimage"
	"github.com/belljar-dev/belljar/internal/storedzip"
)

//go:embed image/python.wasm.zst
var compressedModule []byte

//go:embed image/stdlib.zip.zst
var compressedLibrary []byte

// manifest has the module's digest, which the build wrote.
//
//go:embed image/MANIFEST.json
var manifest []byte

//go:embed image/preload.txt
var preload string

// Version is the CPython version of the image: its feature release names paths in the tree.
const (
	Version = "3.13.5"
	feature = "3.13"
)

// pip is its command as pip itself would install it.
const pip = `#!/usr/bin/python3
import sys
from pip._internal.cli.main import main
if __name__ == "__main__":
    sys.exit(main())
`

// Image is CPython under the name "python": the commands python3, python, python3.13 and pip, and the language "python"
// for Sandbox.Eval and Sandbox.Session.
//
// A session's cells run in __main__, as in a notebook: the value of a last expression is shown, unless a semicolon
// follows it, and kept as _; display(…) and the _repr_*_ methods show in other forms; await works outside of functions.
//
// pip installs what is pure Python into ~/.local, as for every user who isn't root, from the indexes that a sandbox's
// Network lets it reach; python3 -m venv works too.
//
// Programs start from a warm interpreter with the modules of preload.txt loaded. Its string hashes are seeded once
// for the image, not for each process. Interpreter options other than -c, -m, -u, -B and -, PYTHON* variables and
// VIRTUAL_ENV, and calls by another path than /usr/bin's or /bin's take the cold start, some ten times slower.
func Image() engine.Image {
	const exe = "/usr/bin/python" + feature
	library := storedzip.New(func() ([]byte, error) { return guestimage.Unpack("standard library", compressedLibrary) })
	return engine.Image{
		Name: "python",
		Programs: []engine.Program{{
			Path:   exe,
			Links:  []string{"/usr/bin/python3", "/usr/bin/python"},
			Digest: guestimage.Digest(manifest, "python.wasm.zst"),
			Module: func() ([]byte, error) { return guestimage.Unpack("interpreter", compressedModule) },
			Entry:  "belljar_main",
			Warm:   &engine.Warm{Entry: "belljar_warm", Args: strings.Fields(preload), Accepts: acceptsWarm},

			Interactive: &engine.Interactive{Entry: "belljar_cell"},
		}, {
			Path:   "/usr/bin/pip3",
			Links:  []string{"/usr/bin/pip", "/usr/bin/pip" + feature},
			Script: func() ([]byte, error) { return []byte(pip), nil },
		}},
		Layers: []engine.Layer{
			{Path: "/usr/lib/python" + feature, FS: library.Folder("usr/lib/python" + feature)},
			{Path: "/usr/share/zoneinfo", FS: library.Folder("usr/share/zoneinfo")},
		},
		Langs: map[string][]string{"python": {"python3", "-c"}},
	}
}

// acceptsWarm reports whether a command line and environment leave the interpreter's start-up as the warm one's was.
func acceptsWarm(args, env []string) bool {
	if len(args) == 0 {
		return false
	}
	for _, kv := range env {
		if k, v, _ := strings.Cut(kv, "="); v != "" && (strings.HasPrefix(k, "PYTHON") || k == "VIRTUAL_ENV") {
			return false
		}
	}
	// Called by another path it may be a virtual environment's.
	if dir := path.Dir(args[0]); dir != "." && dir != "/usr/bin" && dir != "/bin" {
		return false
	}
	for i, arg := range args[1:] {
		switch {
		case arg == "-u" || arg == "-B":
		case arg == "-c" || arg == "-m":
			return len(args) > i+2 // else the real command line explains itself
		case arg == "-" || !strings.HasPrefix(arg, "-"):
			return true // the rest is the program's own
		default:
			return false
		}
	}
	return true
}
