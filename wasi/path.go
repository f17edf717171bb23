package wasi

import (
	"context"
	"io/fs"
	"os"

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
	dir, _, e := h.directory(fd, need)
	if e != errSuccess {
		return nil, "", e
	}
	path, e := mem.path(uint32(ptr), uint32(n))
	if e != errSuccess {
		return nil, "", e
	}
	if path == "" {
		return nil, "", errNoent
	}
	return dir.dir, path, errSuccess
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
	return errnoOf(dir.Mkdir(path, newDirMode))
}

// path_filestat_get(fd, flags: lookupflags, path: string) -> filestat
func pathFilestatGet(_ context.Context, h *Host, mem memory, p []uint64) errno {
	dir, path, e := h.at(mem, p[0], rightPathFilestatGet, p[2], p[3])
	if e != errSuccess {
		return e
	}
	follow, e := follows(p[1])
	if e != errSuccess {
		return e
	}
	st, err := statOf(dir.Stat(path, follow))
	if err != nil {
		return errnoOf(err)
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
	target, err := dir.Readlink(path)
	if err != nil {
		return errnoOf(err)
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
	from, oldPath, e := h.at(mem, p[0], rightPathRenameSource, p[1], p[2])
	if e != errSuccess {
		return e
	}
	to, newPath, e := h.at(mem, p[3], rightPathRenameTarget, p[4], p[5])
	if e != errSuccess {
		return e
	}
	return errnoOf(from.Rename(oldPath, to, newPath))
}

// path_symlink(old_path: string, fd, new_path: string)
func pathSymlink(_ context.Context, h *Host, mem memory, p []uint64) errno {
	dir, path, e := h.at(mem, p[2], rightPathSymlink, p[3], p[4])
	if e != errSuccess {
		return e
	}
	target, e := mem.path(uint32(p[0]), uint32(p[1]))
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

// opening is what path_open is asked for.
type opening struct {
	follow           bool
	flags            oFlags
	base, inheriting rights
	status           fdFlags
}

// path_open(fd, dirflags: lookupflags, path: string, oflags, fs_rights_base: rights,
// fs_rights_inheriting: rights, fdflags) -> fd
func pathOpen(_ context.Context, h *Host, mem memory, p []uint64) errno {
	o := opening{
		flags:      oFlags(p[4]),
		base:       rights(p[5]) & (fileRights | dirRights),
		inheriting: rights(p[6]) & (fileRights | dirRights),
		status:     fdFlags(p[7]),
	}
	var e errno
	if o.follow, e = follows(p[1]); e != errSuccess {
		return e
	}
	if uint32(p[4])&^uint32(allOFlags) != 0 || uint32(p[7])&^uint32(allFdFlags) != 0 ||
		o.flags&(openCreate|openDirectory) == openCreate|openDirectory {
		return errInval
	}
	dir, d, e := h.directory(p[0], rightPathOpen)
	if e != errSuccess {
		return e
	}
	if e := o.allowed(d); e != errSuccess {
		return e
	}
	path, e := mem.path(uint32(p[2]), uint32(p[3]))
	switch {
	case e != errSuccess:
		return e
	case path == "":
		return errNoent
	}
	if e := mem.check(uint32(p[8]), 4); e != errSuccess {
		return e
	}
	// A file must not be made if there is no descriptor to have it by.
	if e := h.files.room(); e != errSuccess {
		return e
	}
	fd, e := h.open(dir.dir, path, o)
	return result(mem, uint32(p[8]), fd, e)
}

// allowed answers ENOTCAPABLE if d hasn't the rights that o takes.
//
// Who opens a file to write may truncate it without a right to do that: Go's library
// asks for directories without it, and then truncates files below them.
func (o *opening) allowed(d descriptor) errno {
	base, inheriting := rightPathOpen, o.base|o.inheriting
	if o.flags&openCreate != 0 {
		base |= rightPathCreateFile
	}
	if o.flags&openTruncate != 0 && o.base&rightFdWrite == 0 {
		base |= rightPathFilestatSetSize
	}
	if o.status&flagDsync != 0 {
		inheriting |= rightFdDatasync
	}
	if o.status&(flagRsync|flagSync) != 0 {
		inheriting |= rightFdSync
	}
	if base&^d.base != 0 || inheriting&^d.inheriting != 0 {
		return errNotcapable
	}
	return errSuccess
}

// open opens path and gives it a descriptor.
func (h *Host) open(dir *vfs.Dir, path string, o opening) (uint32, errno) {
	readable, writable := o.base&rightFdRead != 0, o.base&rightFdWrite != 0
	f, err := dir.OpenFile(path, o.osFlags(readable, writable), newFileMode)
	if err != nil {
		return 0, errnoOf(err)
	}
	object, err := newFileObject(f, writable)
	if err != nil {
		f.Close() //nolint:errcheck // the first error is the one to tell
		return 0, errnoOf(err)
	}
	d := descriptor{description: newDescription(object, readable, writable, o.status)}
	if d.isDir() {
		d.base, d.inheriting = o.base&dirRights, o.inheriting
	} else {
		d.base, d.inheriting = o.base&fileRights, o.inheriting&fileRights
	}
	return h.files.insert(d)
}

// osFlags gives the flags for vfs. To truncate, the file is opened for writing even
// if the descriptor will not write.
func (o *opening) osFlags(readable, writable bool) int {
	flags := os.O_RDONLY
	if writable || o.flags&openTruncate != 0 {
		if flags = os.O_WRONLY; readable {
			flags = os.O_RDWR
		}
	}
	for _, f := range [...]struct {
		set  bool
		flag int
	}{
		{o.flags&openCreate != 0, os.O_CREATE},
		{o.flags&openExclusive != 0, os.O_EXCL},
		{o.flags&openTruncate != 0, os.O_TRUNC},
		{o.flags&openDirectory != 0, vfs.O_DIRECTORY},
		{o.status&flagAppend != 0, os.O_APPEND},
		{!o.follow, vfs.O_NOFOLLOW},
	} {
		if f.set {
			flags |= f.flag
		}
	}
	return flags
}
