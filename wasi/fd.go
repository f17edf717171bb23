package wasi

import (
	"context"
	"encoding/binary"
	"math"
	"time"

	"github.com/belljar-dev/belljar/vfs"
)

func (d *description) isDir() bool {
	_, ok := d.object.(*directory)
	return ok
}

// file gives fd's file, if it has the rights needed. A directory is EISDIR, and
// anything else the errno that notFile is.
func (h *Host) file(fd uint32, need rights, notFile errno) (*file, descriptor, errno) {
	d, e := h.files.get(fd)
	if e != errSuccess {
		return nil, d, e
	}
	f, ok := d.object.(*file)
	switch {
	case !ok && d.isDir():
		return nil, d, errIsdir
	case !ok:
		return nil, d, notFile
	case d.base&need != need:
		return nil, d, errNotcapable
	}
	return f, d, errSuccess
}

// fd_advise(fd, offset: filesize, len: filesize, advice)
func fdAdvise(_ context.Context, h *Host, _ memory, p []uint64) errno {
	_, _, e := h.file(uint32(p[0]), rightFdAdvise, errSpipe)
	switch {
	case e != errSuccess:
		return e
	case p[1] > math.MaxInt64, p[2] > math.MaxInt64, uint32(p[3]) > lastAdvice:
		return errInval
	}
	return errSuccess // all is in memory: there is nothing to prepare
}

// fd_allocate(fd, offset: filesize, len: filesize)
func fdAllocate(_ context.Context, h *Host, _ memory, p []uint64) errno {
	return h.onStretch(p, (*vfs.File).Allocate)
}

// onStretch has do see to a stretch of a file that may be written to. p is (fd, offset: filesize, len: filesize), len not 0.
func (h *Host) onStretch(p []uint64, do func(f *vfs.File, offset, length int64) error) errno {
	f, d, e := h.file(uint32(p[0]), rightFdAllocate, errSpipe)
	switch {
	case e != errSuccess:
		return e
	case !d.writable:
		return errBadf
	case p[1] > math.MaxInt64, p[2] > math.MaxInt64, p[2] == 0:
		return errInval
	case p[1] > math.MaxInt64-p[2]:
		return errFbig
	}
	return errnoOf(do(f.f, int64(p[1]), int64(p[2])))
}

// fd_close(fd)
func fdClose(_ context.Context, h *Host, _ memory, p []uint64) errno {
	d, e := h.files.remove(uint32(p[0]))
	if e != errSuccess {
		return e
	}
	return errnoOf(h.let(d))
}

// fd_datasync(fd)
func fdDatasync(_ context.Context, h *Host, _ memory, p []uint64) errno {
	return h.sync(uint32(p[0]), rightFdDatasync)
}

// fd_sync(fd)
func fdSync(_ context.Context, h *Host, _ memory, p []uint64) errno {
	return h.sync(uint32(p[0]), rightFdSync)
}

func (h *Host) sync(fd uint32, need rights) errno {
	d, e := h.files.get(fd)
	if e != errSuccess {
		return e
	}
	var sync func() error
	switch o := d.object.(type) {
	case *file:
		sync = o.f.Sync
	case *directory:
		sync = o.f.Sync
	default:
		return errInval
	}
	if d.base&need == 0 {
		return errNotcapable
	}
	return errnoOf(sync())
}

// fd_fdstat_get(fd) -> fdstat
func fdFdstatGet(_ context.Context, h *Host, mem memory, p []uint64) errno {
	d, e := h.files.get(uint32(p[0]))
	if e != errSuccess {
		return e
	}
	b, e := mem.bytes(uint32(p[1]), sizeFdstat)
	if e != errSuccess {
		return e
	}
	clear(b)
	b[0] = byte(d.object.fileType())
	binary.LittleEndian.PutUint16(b[2:], uint16(d.flags.Load()))
	binary.LittleEndian.PutUint64(b[8:], uint64(d.base))
	binary.LittleEndian.PutUint64(b[16:], uint64(d.inheriting))
	return errSuccess
}

// fd_fdstat_set_flags(fd, flags: fdflags)
//
// As fcntl does, it leaves alone how writes are synchronized.
func fdFdstatSetFlags(_ context.Context, h *Host, _ memory, p []uint64) errno {
	flags := fdFlags(p[1])
	d, e := h.files.get(uint32(p[0]))
	switch {
	case e != errSuccess:
		return e
	case d.base&rightFdFdstatSetFlags == 0:
		return errNotcapable
	case uint32(p[1])&^uint32(allFdFlags) != 0:
		return errInval
	}
	if f, ok := d.object.(*file); ok {
		f.f.SetAppend(flags&flagAppend != 0)
	}
	d.flags.Store(d.flags.Load()&uint32(syncFdFlags) | uint32(flags&^syncFdFlags))
	return errSuccess
}

// fd_fdstat_set_rights(fd, fs_rights_base: rights, fs_rights_inheriting: rights)
func fdFdstatSetRights(_ context.Context, h *Host, _ memory, p []uint64) errno {
	return h.files.restrict(uint32(p[0]), rights(p[1]), rights(p[2]))
}

// fd_filestat_get(fd) -> filestat
func fdFilestatGet(_ context.Context, h *Host, mem memory, p []uint64) errno {
	d, e := h.files.get(uint32(p[0]))
	if e != errSuccess {
		return e
	}
	if d.base&rightFdFilestatGet == 0 {
		return errNotcapable
	}
	st, err := d.object.stat()
	if err != nil {
		return errnoOf(err)
	}
	return mem.putFilestat(uint32(p[1]), st)
}

// putFilestat writes a filestat structure.
func (m memory) putFilestat(ptr uint32, st filestat) errno {
	b, e := m.bytes(ptr, sizeFilestat)
	if e != errSuccess {
		return e
	}
	binary.LittleEndian.PutUint64(b, st.dev)
	binary.LittleEndian.PutUint64(b[8:], st.ino)
	binary.LittleEndian.PutUint64(b[16:], uint64(st.typ)) // a byte, and seven of padding
	binary.LittleEndian.PutUint64(b[24:], st.nlink)
	binary.LittleEndian.PutUint64(b[32:], st.size)
	binary.LittleEndian.PutUint64(b[40:], st.atime)
	binary.LittleEndian.PutUint64(b[48:], st.mtime)
	binary.LittleEndian.PutUint64(b[56:], st.ctime)
	return errSuccess
}

// fd_filestat_set_size(fd, size: filesize)
func fdFilestatSetSize(_ context.Context, h *Host, _ memory, p []uint64) errno {
	f, d, e := h.file(uint32(p[0]), 0, errInval)
	switch {
	case e != errSuccess:
		return e
	case !d.writable:
		return errInval
	case d.base&rightFdFilestatSetSize == 0:
		return errNotcapable
	case p[1] > math.MaxInt64:
		return errFbig
	}
	return errnoOf(f.f.Truncate(int64(p[1])))
}

// fd_filestat_set_times(fd, atim: timestamp, mtim: timestamp, fst_flags: fstflags)
func fdFilestatSetTimes(_ context.Context, h *Host, _ memory, p []uint64) errno {
	d, e := h.files.get(uint32(p[0]))
	if e != errSuccess {
		return e
	}
	if d.base&rightFdFilestatSetTimes == 0 {
		return errNotcapable
	}
	atime, mtime, e := h.times(p[1], p[2], uint32(p[3]))
	if e != errSuccess {
		return e
	}
	f, e := h.opened(p[0])
	switch {
	case e != errSuccess:
		return e
	case fstFlags(p[3]) == setAtimeNow|setMtimeNow: // which needs no more than the right to write
		return errnoOf(f.Touch())
	}
	return errnoOf(f.Chtimes(atime, mtime))
}

// times gives the times to set; the zero time leaves one as it is.
func (h *Host) times(atim, mtim uint64, flags uint32) (atime, mtime time.Time, e errno) {
	f := fstFlags(flags)
	switch {
	case flags&^uint32(allFstFlags) != 0,
		f&setAtime != 0 && f&setAtimeNow != 0,
		f&setMtime != 0 && f&setMtimeNow != 0:
		return atime, mtime, errInval
	}
	if f&setAtime != 0 {
		atime = timeOf(atim)
	}
	if f&setMtime != 0 {
		mtime = timeOf(mtim)
	}
	if f&(setAtimeNow|setMtimeNow) != 0 {
		now := h.clock.Realtime()
		if f&setAtimeNow != 0 {
			atime = now
		}
		if f&setMtimeNow != 0 {
			mtime = now
		}
	}
	return atime, mtime, errSuccess
}

// fd_prestat_get(fd) -> prestat
//
// C libraries look for preopened descriptors upwards from 3 until they get EBADF, which
// is what isn't preopened, unless one that is comes after it: then it is of a type that
// they don't know, and pass over.
func fdPrestatGet(_ context.Context, h *Host, mem memory, p []uint64) errno {
	d, e := h.files.get(uint32(p[0]))
	switch {
	case e != errSuccess:
		return e
	case d.preopen != "":
		return mem.putUint64(uint32(p[1]), preopenDirectory|uint64(len(d.preopen))<<32)
	case h.files.preopenAfter(uint32(p[0])):
		return mem.putUint64(uint32(p[1]), preopenUnknown)
	}
	return errBadf
}

// fd_prestat_dir_name(fd, path: ptr<u8>, path_len: size)
func fdPrestatDirName(_ context.Context, h *Host, mem memory, p []uint64) errno {
	d, e := h.files.get(uint32(p[0]))
	if e != errSuccess {
		return e
	}
	if d.preopen == "" {
		return errBadf
	}
	b, e := mem.bytes(uint32(p[1]), uint32(p[2]))
	if e != errSuccess {
		return e
	}
	if len(b) < len(d.preopen) {
		return errNametoolong
	}
	copy(b, d.preopen)
	return errSuccess
}

// fd_renumber(fd, to: fd)
func fdRenumber(_ context.Context, h *Host, _ memory, p []uint64) errno {
	old, e := h.files.renumber(uint32(p[0]), uint32(p[1]))
	if e != errSuccess || old == nil {
		return e
	}
	return errnoOf(h.let(old))
}
