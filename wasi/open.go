package wasi

import (
	"context"
	"io/fs"
	"os"

	"github.com/belljar-dev/belljar/vfs"
)

// opening is what path_open is asked for.
type opening struct {
	follow           bool
	flags            oFlags
	base, inheriting rights
	status           fdFlags
	mode             fs.FileMode // of a file that is made, before the umask
	cloexec          bool
}

// decodeOpening reads dirflags, oflags, the rights and fdflags.
func decodeOpening(dirflags, oflags, base, inheriting, fdflags uint64) (o opening, e errno) {
	o = opening{
		flags:      oFlags(oflags),
		base:       rights(base) & (fileRights | dirRights),
		inheriting: rights(inheriting) & (fileRights | dirRights),
		status:     fdFlags(fdflags),
		mode:       newFileMode,
	}
	if o.follow, e = follows(dirflags); e != errSuccess {
		return o, e
	}
	if uint32(oflags)&^uint32(allOFlags) != 0 || uint32(fdflags)&^uint32(allFdFlags) != 0 ||
		o.flags&(openCreate|openDirectory) == openCreate|openDirectory {
		return o, errInval
	}
	return o, errSuccess
}

// path_open(fd, dirflags: lookupflags, path: string, oflags, fs_rights_base: rights,
// fs_rights_inheriting: rights, fdflags) -> fd
func pathOpen(ctx context.Context, h *Host, mem memory, p []uint64) errno {
	o, e := decodeOpening(p[1], p[4], p[5], p[6], p[7])
	if e != errSuccess {
		return e
	}
	return h.openAt(ctx, mem, p[0], p[2], p[3], o, uint32(p[8]))
}

// path_open_mode(fd, dirflags: lookupflags, path: string, oflags, fs_rights_base: rights,
// fs_rights_inheriting: rights, fdflags, mode: u32, flags: u32) -> fd
func pathOpenMode(ctx context.Context, h *Host, mem memory, p []uint64) errno {
	o, e := decodeOpening(p[1], p[4], p[5], p[6], p[7])
	switch {
	case e != errSuccess:
		return e
	case uint32(p[9])&^makeCloexec != 0:
		return errInval
	}
	o.mode = decodeMode(p[8])
	o.cloexec = uint32(p[9])&makeCloexec != 0
	return h.openAt(ctx, mem, p[0], p[2], p[3], o, uint32(p[10]))
}

// openAt opens the path at ptr from the directory of fd.
func (h *Host) openAt(ctx context.Context, mem memory, fd, ptr, n uint64, o opening, ret uint32) errno {
	if h.posix == nil {
		_, d, e := h.directory(fd, rightPathOpen)
		if e != errSuccess {
			return e
		}
		if e := o.allowed(d); e != errSuccess {
			return e
		}
	} else {
		o.inheriting = dirRights | fileRights
	}
	dir, path, e := h.at(mem, fd, rightPathOpen, ptr, n)
	if e != errSuccess {
		return e
	}
	if e := mem.check(ret, 4); e != errSuccess {
		return e
	}
	// A file must not be made if there is no descriptor to have it by.
	if e := h.files.room(); e != errSuccess {
		return e
	}
	var made uint32
	if d, ok := h.ownDescriptor(fd, path); ok {
		made, e = h.again(d, o)
	} else if h.terminalPath(fd, path) {
		made, e = h.openTerminal(o)
	} else {
		made, e = h.open(ctx, dir, path, o)
	}
	return result(mem, ret, made, e)
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
func (h *Host) open(ctx context.Context, dir *vfs.Dir, path string, o opening) (uint32, errno) {
	readable, writable := o.base&rightFdRead != 0, o.base&rightFdWrite != 0
	if o.flags&openCreate != 0 {
		dir = dir.WithUmask(fs.FileMode(h.umask))
	}
	flags := o.osFlags(readable, writable)
	wait := newLazyWait(ctx) // only the open of a FIFO waits
	f, err := dir.OpenContext(wait, path, flags, o.mode)
	if err = wait.result(err); err != nil {
		return 0, errnoOf(err)
	}
	object, err := newFileObject(f, writable)
	if err != nil {
		f.Close() //nolint:errcheck // the first error is the one to tell
		return 0, errnoOf(err)
	}
	d := descriptor{description: newDescription(object, readable, writable, o.status), cloexec: o.cloexec}
	switch {
	case d.isDir() && h.posix != nil:
		d.base, d.inheriting = dirRights, o.inheriting
		if o.searches() {
			d.base &^= rightFdReaddir
		}
	case d.isDir():
		d.base, d.inheriting = o.base&dirRights, o.inheriting
	case h.posix != nil:
		d.base = posixRights(readable, writable)
	default:
		d.base, d.inheriting = o.base&fileRights, o.inheriting&fileRights
	}
	return h.files.insert(d)
}

// searches says that a directory is not opened to list it.
func (o *opening) searches() bool { return o.base&(rightFdRead|rightFdWrite|rightFdReaddir) == 0 }

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
		{o.status&flagNonblock != 0, vfs.O_NONBLOCK},
		{!o.follow, vfs.O_NOFOLLOW},
		{o.searches(), vfs.O_SEARCH},
	} {
		if f.set {
			flags |= f.flag
		}
	}
	return flags
}
