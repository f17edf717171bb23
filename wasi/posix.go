package wasi

import (
	"context"

	"github.com/belljar-dev/belljar/vfs"
)

// posix is what a process has whose paths are understood as openat does. See proc_paths
// in ABI.md.
type posix struct {
	cwd *vfs.Dir // the working directory, where paths of atCwd start; nil: it is at Host.dir
}

// atCwd stands for the working directory among descriptors: AT_FDCWD of wasi-libc.
const atCwd = 0xfffffffe

// How proc_paths lets paths be understood.
const (
	pathsPreview1 = iota
	pathsPOSIX
)

// posixRights are those of what is opened as POSIX opens it.
func posixRights(readable, writable bool) rights {
	r := fileRights &^ (rightFdRead | rightFdWrite)
	if readable {
		r |= rightFdRead
	}
	if writable {
		r |= rightFdWrite
	}
	return r
}

// proc_paths(how: u32)
//
// With the rules of POSIX there are no preopened directories.
func procPaths(_ context.Context, h *Host, _ memory, p []uint64) errno {
	switch uint32(p[0]) {
	case pathsPreview1:
		h.posix = nil
	case pathsPOSIX:
		h.posix = &posix{}
		h.drop(func(d descriptor) bool { return d.preopen != "" })
	default:
		return errInval
	}
	return errSuccess
}

// openat gives what at does, by the rules of POSIX.
func (h *Host) openat(mem memory, fd, ptr, n uint64) (*vfs.Dir, string, errno) {
	path, e := mem.path(uint32(ptr), uint32(n))
	switch {
	case e != errSuccess:
		return nil, "", e
	case path == "":
		return nil, "", errNoent
	case path[0] == '/':
		return h.tree.Root().AsRoot(), h.selfPath(path), errSuccess
	case uint32(fd) == atCwd:
		dir, e := h.cwd()
		return dir, path, e
	}
	dir, _, e := h.directory(fd, 0)
	if e != errSuccess {
		return nil, "", e
	}
	return dir.dir.Unconfined(), path, errSuccess
}

// cwd gives the working directory. It stays what it is when it is renamed.
func (h *Host) cwd() (*vfs.Dir, errno) {
	if h.posix.cwd == nil {
		dir, e := h.openCwd()
		if e != errSuccess {
			return nil, e
		}
		h.posix.cwd = dir
	}
	return h.posix.cwd, errSuccess
}

func (h *Host) openCwd() (*vfs.Dir, errno) {
	f, err := h.tree.OpenFile(h.dir, vfs.O_DIRECTORY|vfs.O_SEARCH, 0)
	if err != nil {
		return nil, errnoOf(err)
	}
	dir, err := f.Dir()
	f.Close() //nolint:errcheck // nothing was written to a directory
	if err != nil {
		return nil, errnoOf(err)
	}
	return dir.Unconfined(), errSuccess
}
