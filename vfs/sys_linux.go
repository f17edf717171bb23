package vfs

import (
	"io/fs"
	"syscall"
)

const errnoNoAttr = syscall.ENODATA

// Sys returns a *syscall.Stat_t, as package os does, for code that looks there for owners, links and times.
func (i Info) Sys() any {
	st := &syscall.Stat_t{
		Dev: i.dev, Ino: i.ino, Mode: unixMode(i.mode), Uid: uint32(i.uid), Gid: uint32(i.gid),
		Rdev: uint64(i.rdev), Size: i.size, Blocks: i.Blocks(),
		Atim: syscall.NsecToTimespec(i.atime), Mtim: syscall.NsecToTimespec(i.mtime), Ctim: syscall.NsecToTimespec(i.ctime),
	}
	setStat(&st.Nlink, i.nlink)
	setStat(&st.Blksize, chunkSize)
	return st
}

// setStat sets a field whose type differs between processors.
func setStat[T uint32 | uint64 | int32 | int64](field *T, v uint64) { *field = T(v) }

// unixMode gives the type and permission bits as stat(2) does.
func unixMode(m fs.FileMode) uint32 {
	bits := uint32(m.Perm())
	for _, b := range [...]struct {
		mode fs.FileMode
		bit  uint32
	}{{fs.ModeSetuid, syscall.S_ISUID}, {fs.ModeSetgid, syscall.S_ISGID}, {fs.ModeSticky, syscall.S_ISVTX}} {
		if m&b.mode != 0 {
			bits |= b.bit
		}
	}
	switch m.Type() {
	case fs.ModeDir:
		return bits | syscall.S_IFDIR
	case fs.ModeSymlink:
		return bits | syscall.S_IFLNK
	case fs.ModeNamedPipe:
		return bits | syscall.S_IFIFO
	case fs.ModeSocket:
		return bits | syscall.S_IFSOCK
	case deviceType:
		return bits | syscall.S_IFCHR
	case fs.ModeDevice:
		return bits | syscall.S_IFBLK
	}
	return bits | syscall.S_IFREG
}
