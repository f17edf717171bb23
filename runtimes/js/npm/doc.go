// Package npm is npm and npx for a sandbox: programs of the host's that install packages of pure JavaScript from a
// registry, into the sandbox's files and over the sandbox's network policy.
//
// They are npm 11 as far as they go: the same tree in node_modules, the same package-lock.json, the same error codes.
// Scripts of packages are not run unless --foreground-scripts or --ignore-scripts=false asks for it; those of the
// project itself are what `npm run` is for.
package npm

import (
	"context"
	"net/http"

	"github.com/belljar-dev/belljar/engine"
)

// Config says how the programs work. The zero value works: what they may reach is for engine.Spec.Network to say, and
// its zero value is nothing.
type Config struct {
	// Registry is used where the sandbox's .npmrc, environment and arguments name no other; "" is
	// https://registry.npmjs.org/
	Registry string
	// Cache is a folder of the host with packages by digest, as FillCache makes it; "" is none. Sandboxes only read it, and
	// only packages whose digest they name and which have it.
	Cache string
	// Transport, unless nil, is how registries are reached, instead of the sandbox's Dialer. It is for hosts with a
	// registry of their own: no policy of the sandbox's holds for it.
	Transport http.RoundTripper
}

// Programs are npm and npx, for an engine.Image that has node.
func Programs(cfg Config) []engine.Program {
	return []engine.Program{
		{Path: "/usr/bin/npm", Func: func(ctx context.Context, c *engine.Call) int { return cfg.npm(ctx, c) }},
		{Path: "/usr/bin/npx", Func: func(ctx context.Context, c *engine.Call) int { return cfg.npx(ctx, c) }},
	}
}
