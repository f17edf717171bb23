// Package js brings Node's library on QuickJS as an image for the engine.
//
// The program is built by runtimes/js/build from QuickJS-NG and Node's own lib, and embedded in compressed form;
// image/MANIFEST.json says from which sources. Licences: image/LICENSES.
package js

import (
	"context"
	_ "embed"
	"strings"

	"github.com/belljar-dev/belljar/engine"
	"github.com/belljar-dev/belljar/internal/guestimage"
	"github.com/belljar-dev/belljar/runtimes/js/esbuild"
	"github.com/belljar-dev/belljar/runtimes/js/npm"
)

//go:embed image/node.wasm.zst
var compressedModule []byte

// digest is that of the embedded file. The build writes it.
//
//go:embed image/digest.txt
var digest string

// Version is that of the Node.js whose library the image has.
const Version = "20.19.2"

// Config says how the image's programs work. The zero value is what Image uses.
type Config struct {
	// NPM is for npm and npx: the registry that they ask first, and a folder of packages that the host keeps.
	NPM npm.Config
}

// Image is that of the zero Config.
func Image() engine.Image { return Config{}.Image() }

// Image is Node's library on QuickJS under the name "js": the commands node and nodejs, and the language "js" for
// Sandbox.Eval and Sandbox.Session. TypeScript and JSX run as they are. npm and npx install packages, as far as the
// sandbox's Network lets them; esbuild bundles, watches and serves.
//
// A session's cells run in the global scope, as at Node's prompt: the value of a last expression is shown, unless a
// semicolon follows it, and kept as _; let, const and class may be declared again; await and import work outside of
// functions; display(…) shows values on the way, and objects with methods _repr_html_ and its like in other forms. A
// cell ends when its value is there; timers that are due a tenth of a second later go on beside the next ones.
//
// Math.random and crypto are seeded for each process, and for each copy of a session.
func (c Config) Image() engine.Image {
	tools := esbuild.New()
	return engine.Image{
		Name: "js",
		Programs: append(npm.Programs(c.NPM), esbuild.Program(), engine.Program{
			Path:   "/usr/bin/node",
			Links:  []string{"/usr/local/bin/node", "/usr/bin/nodejs", "/usr/bin/tsx"},
			Digest: strings.TrimSpace(digest),
			Module: func() ([]byte, error) { return guestimage.Unpack("node", compressedModule) },
			Entry:  "belljar_main",
			Warm:   &engine.Warm{Entry: "belljar_warm", Accepts: func(_, _ []string) bool { return true }},

			Interactive: &engine.Interactive{Entry: "belljar_cell"},
			Services: map[string]func(context.Context, *engine.Call, []byte) ([]byte, error){
				"esbuild": tools.Transform, // TypeScript and JSX
			},
		}),
		Langs: map[string][]string{"js": {"node", "-e"}},
	}
}
