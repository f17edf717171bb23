//go:build !linux

package vfstest

import "syscall"

// noData stands for an errno that not every system has.
const noData = syscall.Errno(1 << 16)
