// Package shell brings GNU bash and the tools that scripts are made of as an image for the engine.
//
// The programs are the real ones, built from Debian's sources by runtimes/shell/build and embedded in compressed
// form; image/MANIFEST.json says from which. Most are under the GNU General Public License: a host that embeds this
// package distributes them, as a container image would. Licences: image/LICENSES.
package shell

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"strings"

	"github.com/belljar-dev/belljar/engine"
	"github.com/belljar-dev/belljar/internal/guestimage"
)

//go:embed image/*.wasm.zst
var modules embed.FS

// programs says what each module is called: one line each, "module name...". The build writes it.
//
//go:embed image/programs.txt
var programs string

// Version is the version of bash in the image.
const Version = "5.2.37"

// Image is the shell under the name "shell": bash, sh and the tools, each in /usr/bin with a link in /bin, and the
// languages "bash" and "sh" for Sandbox.Eval.
func Image() engine.Image {
	im := engine.Image{
		Name:  "shell",
		Langs: map[string][]string{"bash": {"bash", "-c"}, "sh": {"sh", "-c"}},
		Env:   []string{"SHELL=/bin/bash"},
	}
	for line := range strings.Lines(programs) {
		if names := strings.Fields(line); len(names) > 1 {
			im.Programs = append(im.Programs, program(names[0], names[1:]))
		}
	}
	return im
}

// program answers the program that module is. The first of its names is the file, the others are links to it.
func program(module string, names []string) engine.Program {
	file := "image/" + module + ".wasm.zst"
	p := engine.Program{
		Path:   "/usr/bin/" + names[0],
		Links:  []string{"/bin/" + names[0]},
		Digest: digest(file),
		Module: func() ([]byte, error) { return unpack(file) },
	}
	for _, name := range names[1:] {
		p.Links = append(p.Links, "/usr/bin/"+name, "/bin/"+name)
	}
	return p
}

// digest answers the SHA-256 of an embedded file; of one that isn't there, of nothing, so that Module tells.
func digest(file string) string {
	compressed, _ := fs.ReadFile(modules, file)
	sum := sha256.Sum256(compressed)
	return hex.EncodeToString(sum[:])
}

func unpack(file string) ([]byte, error) {
	compressed, err := fs.ReadFile(modules, file)
	if err != nil {
		return nil, fmt.Errorf("read program: %w", err)
	}
	return guestimage.Unpack(file, compressed)
}
