// Package git brings git as an image for the engine.
//
// It is the real one, built from Debian's sources by runtimes/git/build and embedded in compressed form;
// image/MANIFEST.json says from which. It is under the GNU General Public License, version 2: a host that embeds this
// package distributes it, as a container image would. Licences: image/LICENSES.
//
// Local repositories, file:// and git:// need nothing of the host. git-remote-http, for http:// and https://, is a
// function of the host's: it goes where the sandbox's Network allows, and can have credentials that the sandbox never
// sees; see Config. So does ssh, for ssh:// and user@host:path: it does git's transfers and nothing else, with servers
// whose keys are known.
package git

import (
	"context"
	"crypto/tls"
	_ "embed"

	"github.com/belljar-dev/belljar/engine"
	"github.com/belljar-dev/belljar/internal/guestimage"
	"github.com/belljar-dev/belljar/internal/storedzip"
)

//go:embed image/git.wasm.zst
var compressedModule []byte

//go:embed image/files.zip.zst
var compressedFiles []byte

// manifest has the module's digest, which the build wrote.
//
//go:embed image/MANIFEST.json
var manifest []byte

// Version is the version of git in the image.
const Version = "2.39.5"

// Config says what git's transports have of the host. The zero value works.
type Config struct {
	// Credentials answers a user name and a password for a server that asks for some, by the URL's scheme and host
	// ("example.com", "example.com:8443"). They are sent to that server alone, and neither shown to the sandbox nor written
	// into its files; programs in the sandbox can use them by git, which is what they are for. It is asked before git's own
	// credential helpers, and not at all where the sandbox has changed whom https trusts (http.sslVerify, its file of authorities). Without a host's
	// answer, ok false, those are asked. nil has none. It must be safe for concurrent use.
	Credentials func(ctx context.Context, scheme, host string) (user, password string, ok bool)
	// TLS is what https is set up by; nil is the host's roots. It isn't changed. Authorities that the sandbox has written
	// into its /etc/ssl/certs/ca-certificates.crt are trusted beside those.
	TLS *tls.Config
	SSH SSH // for ssh:// and user@host:path
}

// Image is git without anything of the host's: Config{}.Image.
func Image() engine.Image { return Config{}.Image() }

// Image is git under the name "git": the command git, what servers and scripts call by other names, and the templates of
// new repositories. Its shell scripts (git submodule, git bisect) need a shell beside it: see engine.Compose.
func (c Config) Image() engine.Image {
	files := storedzip.New(func() ([]byte, error) { return guestimage.Unpack("git's files", compressedFiles) })
	return engine.Image{
		Name: "git",
		Programs: []engine.Program{{
			Path:   "/usr/bin/git",
			Links:  []string{"/bin/git", "/usr/bin/git-receive-pack", "/usr/bin/git-upload-archive", "/usr/bin/git-upload-pack"},
			Digest: guestimage.Digest(manifest, "git.wasm.zst"),
			Module: func() ([]byte, error) { return guestimage.Unpack("git", compressedModule) },
		}, {
			Path: "/usr/libexec/git-core/git-remote-http",
			Func: c.serveRemote,
		}, {
			Path: "/usr/bin/ssh",
			Func: c.serveSSH,
		}},
		Layers: []engine.Layer{
			{Path: "/usr/lib/git-core", FS: files.Folder("usr/lib/git-core")},
			{Path: "/usr/share/git-core", FS: files.Folder("usr/share/git-core")},
		},
	}
}
