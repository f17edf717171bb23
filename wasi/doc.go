// Package wasi is the host side of wasi_snapshot_preview1 for one process.
package wasi
