package wasi

import (
	"context"
	"io/fs"

	"github.com/belljar-dev/belljar/vfs"
)

const (
	newFileMode fs.FileMode = 0o666 // before the tree's umask
	newDirMode  fs.FileMode = 0o777
)

// directory gives fd's directory, if it has the rights needed.
func (h *Host) directory(fd uint64, need rights) (*directory, descriptor, errno) {
	d, e := h.files.get(uint32(fd))
	if e != errSuccess {
		return nil, d, e
	}
	dir, ok := d.object.(*directory)
	switch {
	case !ok:
		return nil, d, errNotdir
	case d.base&need != need:
		return nil, d, errNotcapable
	}
	return dir, d, errSuccess
}

// at gives what most path functions begin with: the directory of fd, and the path at
// ptr. An empty path names nothing.
func (h *Host) at(mem memory, fd uint64, need rights, ptr, n uint64) (*vfs.Dir, string, errno) {
	if h.posix != nil {
		return h.openat(mem, fd, ptr, n)
	}
	dir, d, e := h.directory(fd, need)
	if e != errSuccess {
		return nil, "", e
	}
	path, e := mem.text(uint32(ptr), uint32(n))
	switch {
	case e != errSuccess:
		return nil, "", e
	case path == "":
		return nil, "", errNoent
	case d.preopen == "/":
		path = h.selfPath(path)
	}
	return dir.dir, path, errSuccess
}

// target reads what a symbolic link is to lead to.
func (h *Host) target(mem memory, ptr, n uint64) (string, errno) {
	if h.posix != nil {
		return mem.path(uint32(ptr), uint32(n))
	}
	return mem.text(uint32(ptr), uint32(n))
}

// follows decodes lookupflags.
func follows(flags uint64) (bool, errno) {
	if uint32(flags)&^lookupFollow != 0 {
		return false, errInval
	}
	return uint32(flags)&lookupFollow != 0, errSuccess
}

// path_create_directory(fd, path: string)
func pathCreateDirectory(_ context.Context, h *Host, mem memory, p []uint64) errno {
	dir, path, e := h.at(mem, p[0], rightPathCreateDirectory, p[1], p[2])
	if e != errSuccess {
		return e
	}
	return errnoOf(dir.WithUmask(fs.FileMode(h.umask)).Mkdir(path, newDirMode))
}

// path_filestat_get(fd, flags: lookupflags, path: string) -> filestat
func pathFilestatGet(_ context.Context, h *Host, mem memory, p []uint64) errno {
	st, e := h.statAt(mem, p)
	if e != errSuccess {
		return e
	}
	return mem.putFilestat(uint32(p[4]), st)
}

// path_filestat_set_times(fd, flags: lookupflags, path: string, atim: timestamp,
// mtim: timestamp, fst_flags: fstflags)
func pathFilestatSetTimes(_ context.Context, h *Host, mem memory, p []uint64) errno {
	dir, path, e := h.at(mem, p[0], rightPathFilestatSetTimes, p[2], p[3])
	if e != errSuccess {
		return e
	}
	follow, e := follows(p[1])
	if e != errSuccess {
		return e
	}
	atime, mtime, e := h.times(p[4], p[5], uint32(p[6]))
	if e != errSuccess {
		return e
	}
	if fstFlags(p[6]) == setAtimeNow|setMtimeNow { // which needs no more than the right to write
		return errnoOf(dir.Touch(path, follow))
	}
	return errnoOf(dir.Chtimes(path, follow, atime, mtime))
}

// path_link(old_fd, old_flags: lookupflags, old_path: string, new_fd, new_path: string)
func pathLink(_ context.Context, h *Host, mem memory, p []uint64) errno {
	from, oldPath, e := h.at(mem, p[0], rightPathLinkSource, p[2], p[3])
	if e != errSuccess {
		return e
	}
	follow, e := follows(p[1])
	if e != errSuccess {
		return e
	}
	to, newPath, e := h.at(mem, p[4], rightPathLinkTarget, p[5], p[6])
	if e != errSuccess {
		return e
	}
	return errnoOf(from.Link(oldPath, to, newPath, follow))
}

// path_readlink(fd, path: string, buf: ptr<u8>, buf_len: size) -> size
//
// A target longer than the buffer is cut, as by readlink.
func pathReadlink(_ context.Context, h *Host, mem memory, p []uint64) errno {
	dir, path, e := h.at(mem, p[0], rightPathReadlink, p[1], p[2])
	if e != errSuccess {
		return e
	}
	buf, e := mem.bytes(uint32(p[3]), uint32(p[4]))
	if e != errSuccess {
		return e
	}
	if e := mem.check(uint32(p[5]), 4); e != errSuccess {
		return e
	}
	target, _, ok := h.linkTo(p[0], path)
	if !ok {
		var err error
		if target, err = dir.Readlink(path); err != nil {
			return errnoOf(err)
		}
	}
	return mem.putUint32(uint32(p[5]), uint32(copy(buf, target)))
}

// path_remove_directory(fd, path: string)
func pathRemoveDirectory(_ context.Context, h *Host, mem memory, p []uint64) errno {
	dir, path, e := h.at(mem, p[0], rightPathRemoveDirectory, p[1], p[2])
	if e != errSuccess {
		return e
	}
	return errnoOf(dir.Rmdir(path))
}

// path_rename(fd, old_path: string, new_fd, new_path: string)
func pathRename(_ context.Context, h *Host, mem memory, p []uint64) errno {
	return h.rename(mem, p, 0)
}

// path_rename_flags(fd, old_path: string, new_fd, new_path: string, flags: u32)
func pathRenameFlags(_ context.Context, h *Host, mem memory, p []uint64) errno {
	flags := vfs.RenameFlags(uint32(p[6]))
	if flags > vfs.RenameExchange {
		return errInval
	}
	return h.rename(mem, p, flags)
}

func (h *Host) rename(mem memory, p []uint64, flags vfs.RenameFlags) errno {
	from, oldPath, e := h.at(mem, p[0], rightPathRenameSource, p[1], p[2])
	if e != errSuccess {
		return e
	}
	to, newPath, e := h.at(mem, p[3], rightPathRenameTarget, p[4], p[5])
	if e != errSuccess {
		return e
	}
	return errnoOf(from.RenameWith(oldPath, to, newPath, flags))
}

// path_symlink(old_path: string, fd, new_path: string)
func pathSymlink(_ context.Context, h *Host, mem memory, p []uint64) errno {
	dir, path, e := h.at(mem, p[2], rightPathSymlink, p[3], p[4])
	if e != errSuccess {
		return e
	}
	target, e := h.target(mem, p[0], p[1])
	if e != errSuccess {
		return e
	}
	if target == "" {
		return errNoent
	}
	return errnoOf(dir.Symlink(target, path))
}

// path_unlink_file(fd, path: string)
func pathUnlinkFile(_ context.Context, h *Host, mem memory, p []uint64) errno {
	dir, path, e := h.at(mem, p[0], rightPathUnlinkFile, p[1], p[2])
	if e != errSuccess {
		return e
	}
	return errnoOf(dir.Unlink(path))
}
