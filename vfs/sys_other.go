//go:build !linux

package vfs

// Sys returns the Info itself, so that it can be had back through wrappers.
func (i Info) Sys() any { return i }
