// Package wasi is the host side of wasi_snapshot_preview1 for one process, and of
// the module "belljar", which has what POSIX programs need beyond it (ABI.md).
//
// A [Host] is one process's world: its arguments, environment, clocks, random
// source and descriptors. [Register] makes the host modules known to a
// wazero.Runtime once; [Bind] puts a Host into the context of a call, where the
// host functions find it. So one Runtime serves any number of processes.
//
// Everything a guest passes is hostile. Guest memory is read and written only
// through memory.go, paths are resolved only by package vfs, and every host
// function runs under one wrapper (register.go) which turns a Go panic into a
// *[Panic]. No function touches the host's own files.
//
// # Descriptors
//
// A descriptor (table.go) is a number with rights; it refers to an open file
// description (description.go), which holds the offset and the status flags and
// may be shared; the description holds an object: a file, a directory, a stream
// or one end of a pipe. What an object can do beyond being closed and described
// is told by the small interfaces in description.go.
//
// # Blocking
//
// A call that may wait (a read of a pipe or of standard input, poll_oneoff, a
// long copy) ends when the context of the call ends, by panicking with a
// *[Canceled]: the guest never sees the difference between before and after.
//
// # Locks
//
// table.mu, then none. pipe.mu and input.mu are leaves: no other lock is taken
// while one of them is held. A waiter (wait.go) is woken under the lock of the
// object it waits for, and waking takes no lock of this package.
//
// Specification:
// https://github.com/WebAssembly/WASI/blob/snapshot-01/phases/snapshot/docs.md
package wasi
