// Package esbuild takes the types out of TypeScript and JSX for programs of a sandbox, on the host, by esbuild's library.
//
// Its parser is recursive, and a Go stack that overflows ends the host, not the call. So no source gets to it that could:
// see Transform.
package esbuild
