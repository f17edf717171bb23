package wasi

import (
	"context"
	"io/fs"
)

// fd_chmod(fd, mode: u32)
func fdChmod(_ context.Context, h *Host, _ memory, p []uint64) errno {
	f, e := h.opened(p[0])
	if e != errSuccess {
		return e
	}
	return errnoOf(f.Chmod(decodeMode(p[1])))
}

// path_chmod(fd, flags: lookupflags, path: string, mode: u32)
func pathChmod(_ context.Context, h *Host, mem memory, p []uint64) errno {
	dir, path, e := h.at(mem, p[0], rightPathFilestatSetTimes, p[2], p[3])
	if e != errSuccess {
		return e
	}
	follow, e := follows(p[1])
	if e != errSuccess {
		return e
	}
	return errnoOf(dir.Chmod(path, follow, decodeMode(p[4])))
}

// fd_chown(fd, uid: u32, gid: u32)
func fdChown(_ context.Context, h *Host, _ memory, p []uint64) errno {
	f, e := h.opened(p[0])
	if e != errSuccess {
		return e
	}
	return errnoOf(f.Chown(owner(p[1]), owner(p[2])))
}

// path_chown(fd, flags: lookupflags, path: string, uid: u32, gid: u32)
func pathChown(_ context.Context, h *Host, mem memory, p []uint64) errno {
	dir, path, e := h.at(mem, p[0], rightPathFilestatSetTimes, p[2], p[3])
	if e != errSuccess {
		return e
	}
	follow, e := follows(p[1])
	if e != errSuccess {
		return e
	}
	return errnoOf(dir.Chown(path, follow, owner(p[4]), owner(p[5])))
}

// owner decodes a user's or a group's number; -1 leaves what there is.
func owner(id uint64) int {
	if uint32(id) == 1<<32-1 {
		return -1
	}
	return int(uint32(id))
}

// path_mkdir_mode(fd, path: string, mode: u32)
func pathMkdirMode(_ context.Context, h *Host, mem memory, p []uint64) errno {
	dir, path, e := h.at(mem, p[0], rightPathCreateDirectory, p[1], p[2])
	if e != errSuccess {
		return e
	}
	return errnoOf(dir.WithUmask(fs.FileMode(h.umask)).Mkdir(path, decodeMode(p[3])))
}

// path_mkfifo(fd, path: string, mode: u32)
func pathMkfifo(_ context.Context, h *Host, mem memory, p []uint64) errno {
	dir, path, e := h.at(mem, p[0], rightPathCreateFile, p[1], p[2])
	if e != errSuccess {
		return e
	}
	return errnoOf(dir.WithUmask(fs.FileMode(h.umask)).Mkfifo(path, decodeMode(p[3])))
}

// lastAccess are all the ways of access that path_access can ask for: to read 4, to
// write 2, to execute 1.
const lastAccess = 7

// path_access(fd, flags: lookupflags, path: string, how: u32)
func pathAccess(_ context.Context, h *Host, mem memory, p []uint64) errno {
	dir, path, e := h.at(mem, p[0], rightPathFilestatGet, p[2], p[3])
	if e != errSuccess {
		return e
	}
	follow, e := follows(p[1])
	how := uint32(p[4])
	switch {
	case e != errSuccess:
		return e
	case how > lastAccess:
		return errInval
	}
	if d, ok := h.ownDescriptor(p[0], path); ok && follow {
		if how&4 != 0 && !d.readable || how&2 != 0 && !d.writable || how&1 != 0 {
			return errAcces
		}
		return errSuccess
	}
	return errnoOf(dir.Access(path, follow, int(how)))
}
