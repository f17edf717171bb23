// Package shell brings GNU bash and the tools that scripts are made of as an image for the engine.
//
// The programs are the real ones, built from Debian's sources by runtimes/shell/build and embedded in compressed
// form; image/MANIFEST.json says from which. Most are under the GNU General Public License: a host that embeds this
// package distributes them, as a container image would. Licences: image/LICENSES.
package shell

import (
	"embed"
	"fmt"
	"io/fs"
	"strings"

	"github.com/belljar-dev/belljar/engine"
	"github.com/belljar-dev/belljar/internal/guestimage"
)

//go:embed image/*.wasm.zst
var modules embed.FS

// programs says what each module is, and what it is called: one line each, "module SHA-256 name...", where the digest is
// that of the embedded file. The build writes it.
//
//go:embed image/programs.txt
var programs string

// Version is the version of bash in the image.
const Version = "5.2.37"

// Image is the shell under the name "shell": bash, sh and the tools, each in /usr/bin with a link in /bin, and the
// languages "bash" and "sh", both of them bash, for Sandbox.Eval and Sandbox.Session.
//
// A session's cells run one after the other in one shell, as lines do that are typed: the working directory, variables,
// functions, aliases, options, traps and redirections by exec stay, and jobs go on in the background. exit, or a failure
// under set -e, ends the cell and not the session, and runs what trap has set for EXIT. A cell has no value: its outcome
// is the output, and the status of its last command as the Result's ExitCode. exec of a program ends the session with it.
func Image() engine.Image {
	im := engine.Image{
		Name:  "shell",
		Langs: map[string][]string{"bash": {"bash", "-c"}, "sh": {"bash", "-c"}},
		Env:   []string{"SHELL=/bin/bash"},
	}
	for line := range strings.Lines(programs) {
		if fields := strings.Fields(line); len(fields) > 2 {
			im.Programs = append(im.Programs, program(fields[0], fields[1], fields[2:]))
		}
	}
	return im
}

// program answers the program that module is. The first of its names is the file, the others are links to it.
func program(module, digest string, names []string) engine.Program {
	file := "image/" + module + ".wasm.zst"
	p := engine.Program{
		Path:   "/usr/bin/" + names[0],
		Links:  []string{"/bin/" + names[0]},
		Digest: digest,
		Module: func() ([]byte, error) { return unpack(file) },
	}
	if module == "bash" {
		p.Interactive = &engine.Interactive{Entry: "belljar_cell"}
	}
	for _, name := range names[1:] {
		p.Links = append(p.Links, "/usr/bin/"+name, "/bin/"+name)
	}
	return p
}

func unpack(file string) ([]byte, error) {
	compressed, err := fs.ReadFile(modules, file)
	if err != nil {
		return nil, fmt.Errorf("read program: %w", err)
	}
	return guestimage.Unpack(file, compressed)
}
