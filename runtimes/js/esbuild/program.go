package esbuild

import (
	_ "embed"
	"strings"

	"github.com/belljar-dev/belljar/engine"
	"github.com/belljar-dev/belljar/internal/guestimage"
)

//go:embed image/esbuild.wasm.zst
var compressedModule []byte

// digest is that of the embedded file. The build writes it.
//
//go:embed image/digest.txt
var digest string

// Program is the command esbuild, for an engine.Image: upstream's own, run as any program of the sandbox's, and so within
// its files, network, memory and ticks. What it bundles, watches or serves is the sandbox's, and what it answers upstream's.
func Program() engine.Program {
	return engine.Program{
		Path:   "/usr/bin/esbuild",
		Digest: strings.TrimSpace(digest),
		Module: func() ([]byte, error) { return guestimage.Unpack("esbuild", compressedModule) },
	}
}
