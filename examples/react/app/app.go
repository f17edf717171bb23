// Package app is the React app that the example builds: its sources, and the versions of what it needs.
package app

import "embed"

// Files are the app's, package.json at their top.
//
//go:embed package.json package-lock.json tsconfig.json server.js src
var Files embed.FS
