// Package esbuild brings esbuild to a sandbox: the command, which is upstream's program in WebAssembly, and a service that
// takes the types out of TypeScript and JSX before node runs them, which is fast because the host does it.
//
// On the host esbuild's parser is recursive, and a Go stack that overflows ends the host, not the call; some constructs
// grow, so that little source makes much code; and nothing can interrupt it. So no source gets to it that could do either:
// those that are too large or look as if they might are left to the command. See Transform.
package esbuild
