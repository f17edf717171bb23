package wasi

import (
	"context"
	"encoding/binary"
	"io/fs"
	"math"

	"github.com/belljar-dev/belljar/vfs"
)

// sizeStat is the size in bytes of module belljar's stat structure.
const sizeStat = 96

// blockSize is the unit in which programs had best read and write, in bytes.
const blockSize = 4096

// The type bits of a mode, as POSIX systems encode them.
// https://man7.org/linux/man-pages/man7/inode.7.html
const (
	modeFIFO      = 0o010000
	modeCharacter = 0o020000
	modeDirectory = 0o040000
	modeBlock     = 0o060000
	modeRegular   = 0o100000
	modeLink      = 0o120000
	modeSocket    = 0o140000

	modeSetuid = 0o4000
	modeSetgid = 0o2000
	modeSticky = 0o1000
)

// modeOf encodes a mode as POSIX systems do.
func modeOf(mode fs.FileMode) uint32 {
	m := uint32(mode.Perm())
	for _, bit := range [...]struct {
		set  fs.FileMode
		mode uint32
	}{{fs.ModeSetuid, modeSetuid}, {fs.ModeSetgid, modeSetgid}, {fs.ModeSticky, modeSticky}} {
		if mode&bit.set != 0 {
			m |= bit.mode
		}
	}
	switch {
	case mode.IsRegular():
		return m | modeRegular
	case mode.IsDir():
		return m | modeDirectory
	case mode&fs.ModeSymlink != 0:
		return m | modeLink
	case mode&fs.ModeCharDevice != 0:
		return m | modeCharacter
	case mode&fs.ModeDevice != 0:
		return m | modeBlock
	case mode&fs.ModeSocket != 0:
		return m | modeSocket
	default:
		return m | modeFIFO
	}
}

// decodeMode is the inverse for the permission, set-id and sticky bits; others are
// passed over, since programs hand on what stat has told them.
func decodeMode(bits uint64) fs.FileMode {
	mode := fs.FileMode(bits) & fs.ModePerm
	if bits&modeSetuid != 0 {
		mode |= fs.ModeSetuid
	}
	if bits&modeSetgid != 0 {
		mode |= fs.ModeSetgid
	}
	if bits&modeSticky != 0 {
		mode |= fs.ModeSticky
	}
	return mode
}

// putStat writes a stat structure:
//
//	dev u64, ino u64, nlink u64, mode u32, uid u32, gid u32, 4 bytes,
//	rdev u64, size u64, blksize u64, blocks u64 (of 512 bytes), atim u64, mtim u64, ctim u64
func (m memory) putStat(ptr uint32, st filestat) errno {
	b, e := m.bytes(ptr, sizeStat)
	if e != errSuccess {
		return e
	}
	binary.LittleEndian.PutUint32(b[24:], st.mode)
	binary.LittleEndian.PutUint32(b[28:], st.uid)
	binary.LittleEndian.PutUint32(b[32:], st.gid)
	binary.LittleEndian.PutUint32(b[36:], 0)
	rdev := uint64(0)
	if st.typ == typeCharacterDevice {
		rdev = st.ino // one device, one number
	}
	for i, v := range [...]uint64{st.dev, st.ino, st.nlink} {
		binary.LittleEndian.PutUint64(b[8*i:], v)
	}
	for i, v := range [...]uint64{rdev, st.size, blockSize, st.blocks, st.atime, st.mtime, st.ctime} {
		binary.LittleEndian.PutUint64(b[40+8*i:], v)
	}
	return errSuccess
}

// statOf describes what d is open on.
func (h *Host) statOf(d descriptor) (filestat, errno) {
	st, err := d.object.stat()
	if err == nil && st.mode == 0 { // a stream, which has no owner but the process's user
		u := h.tree.User()
		st.uid, st.gid = uint32(u.UID), uint32(u.GID)
		if st.mode = modeFIFO | 0o600; st.typ == typeSocketStream || st.typ == typeSocketDgram {
			st.mode = modeSocket | 0o777
		}
	}
	return st, errnoOf(err)
}

// fd_stat(fd) -> stat
func fdStat(_ context.Context, h *Host, mem memory, p []uint64) errno {
	d, e := h.files.get(uint32(p[0]))
	if e != errSuccess {
		return e
	}
	if d.base&rightFdFilestatGet == 0 {
		return errNotcapable
	}
	st, e := h.statOf(d)
	if e != errSuccess {
		return e
	}
	return mem.putStat(uint32(p[1]), st)
}

// path_stat(fd, flags: lookupflags, path: string) -> stat
func pathStat(_ context.Context, h *Host, mem memory, p []uint64) errno {
	st, e := h.statAt(mem, p)
	if e != errSuccess {
		return e
	}
	return mem.putStat(uint32(p[4]), st)
}

// statAt describes what a path leads to. Its parameters are those of path_filestat_get.
func (h *Host) statAt(mem memory, p []uint64) (filestat, errno) {
	dir, path, e := h.at(mem, p[0], rightPathFilestatGet, p[2], p[3])
	if e != errSuccess {
		return filestat{}, e
	}
	follow, e := follows(p[1])
	if e != errSuccess {
		return filestat{}, e
	}
	if _, d, ok := h.linkTo(p[0], path); ok && !follow {
		return h.linkStat(d), errSuccess
	}
	if d, ok := h.ownDescriptor(p[0], path); ok && follow {
		return h.statOf(d)
	}
	st, err := statOf(dir.Stat(path, follow))
	return st, errnoOf(err)
}

// fd_bytes(fd) -> u64
//
// It tells how many bytes can be read at once.
func fdBytes(_ context.Context, h *Host, mem memory, p []uint64) errno {
	d, _, e := h.readable(uint32(p[0]))
	if e != errSuccess {
		return e
	}
	n := uint64(0)
	switch o := d.object.(type) {
	case waitable:
		n = o.poll(false, nil).bytes
	}
	return mem.putUint64(uint32(p[1]), n)
}

// tree_room() -> u64[4]
//
// It tells how much the file tree may hold and how much more there is room for: bytes, free bytes, names, free names.
func treeRoom(_ context.Context, h *Host, mem memory, p []uint64) errno {
	room, e := mem.bytes(uint32(p[0]), 32)
	if e != errSuccess {
		return e
	}
	used, quota := h.tree.Usage(), h.tree.Quota()
	for i, of := range [][2]int64{{quota.Bytes, used.Bytes}, {quota.Files, used.Files}} {
		most := of[0]
		if most <= 0 {
			most = math.MaxInt64
		}
		binary.LittleEndian.PutUint64(room[16*i:], uint64(most))
		binary.LittleEndian.PutUint64(room[16*i+8:], uint64(max(0, most-of[1])))
	}
	return errSuccess
}

// opened gives the file or directory that fd is open on.
func (h *Host) opened(fd uint64) (*vfs.File, errno) {
	d, e := h.files.get(uint32(fd))
	if e != errSuccess {
		return nil, e
	}
	switch o := d.object.(type) {
	case *file:
		return o.f, errSuccess
	case *directory:
		return o.f, errSuccess
	default:
		return nil, errInval
	}
}
