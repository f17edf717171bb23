//go:build !linux

package vfs

import "syscall"

const errnoNoAttr = syscall.ENOENT // Systems differ in what they call it.

// Sys returns the Info itself, so that it can be had back through wrappers.
func (i Info) Sys() any { return i }
