// Package wasi is the host side of wasi_snapshot_preview1, of WasmEdge's sockets in
// it, and of the module "belljar", which has what POSIX programs need beyond that.
// ABI.md is about what guests can call.
//
// A [Host] is one process's world: its arguments, environment, clocks, random
// source and descriptors. What it shares with other processes it gets in its
// [Config]: the tree, a [Network], and a [Kernel] that knows of the others; or it
// comes from another Host, by [Host.Fork] or [Host.Spawn]. [Register] makes the host modules known to a
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
// may be shared by descriptors and by processes; the description holds an object:
// a file, a directory, a stream, one end of a pipe, a socket or a terminal. What an
// object can do beyond being closed and described is told by the small interfaces
// in description.go. Each process has a table of its own (inherit.go).
//
// # Paths
//
// A path starts at the directory of a descriptor. By preview 1's rules it stays
// below; a program made for POSIX chooses the rules of openat (posix.go). All else
// about paths is package vfs's. Paths that name the process's own descriptors
// (fdpath.go) are recognized before.
//
// # Blocking
//
// A call that may wait (a read of a pipe, a socket or standard input, a lock,
// poll_oneoff, a long copy) ends when the context of the call ends, by panicking
// with a *[Canceled]: the guest never sees the difference between before and after.
// It ends also when a signal waits ([Signals]), with EINTR. All waiting goes through
// wait.go. Handlers of signals run only between two calls (register.go): a call that
// is to go on after one is made again from its parameters, because the handler may
// have moved the guest's memory.
//
// # Locks
//
// table.mu, then none. Network.mu, which guards all its sockets, then pipe.mu.
// pipe.mu and input.mu are leaves: no other lock is taken while one of them is held.
// Terminals document theirs. A waiter (wait.go) is woken under the lock of the
// object it waits for, and waking takes no lock of this package.
//
// Specification:
// https://github.com/WebAssembly/WASI/blob/snapshot-01/phases/snapshot/docs.md
package wasi
