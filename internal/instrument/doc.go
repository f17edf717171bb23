// Package instrument rewrites WebAssembly modules so that they can be metered, imaged and forked.
package instrument
