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
	"github.com/belljar-dev/belljar/internal/storedzip"
)

//go:embed image/*.zst
var built embed.FS

// programs says what each module is, and what it is called: one line each, "module SHA-256 name...", where the digest is
// that of the embedded file, "script script name..." for a script of image/scripts.zip.zst, or "archive data folder" for
// files that programs read. The build writes it.
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
	scripts := storedzip.New(func() ([]byte, error) { return unpack("image/scripts.zip.zst") })
	for line := range strings.Lines(programs) {
		fields := strings.Fields(line)
		if len(fields) < 3 {
			continue
		}
		module, digest := fields[0], fields[1]
		if digest == "data" {
			files := storedzip.New(func() ([]byte, error) { return unpack("image/" + module + ".zst") })
			im.Layers = append(im.Layers, engine.Layer{Path: fields[2], FS: files})
			continue
		}
		p := named(fields[2:])
		if digest == "script" {
			p.Script = func() ([]byte, error) { return fs.ReadFile(scripts, module) }
		} else {
			p.Digest = digest
			p.Module = func() ([]byte, error) { return unpack("image/" + module + ".wasm.zst") }
		}
		if fields[0] == "bash" {
			p.Interactive = &engine.Interactive{Entry: "belljar_cell"}
		}
		im.Programs = append(im.Programs, p)
	}
	return im
}

// named answers a program without its content. The first of its names is the file, the others are links to it.
func named(names []string) engine.Program {
	p := engine.Program{Path: "/usr/bin/" + names[0], Links: []string{"/bin/" + names[0]}}
	for _, name := range names[1:] {
		p.Links = append(p.Links, "/usr/bin/"+name, "/bin/"+name)
	}
	return p
}

func unpack(file string) ([]byte, error) {
	compressed, err := fs.ReadFile(built, file)
	if err != nil {
		return nil, fmt.Errorf("read program: %w", err)
	}
	return guestimage.Unpack(file, compressed)
}
