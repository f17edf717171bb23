package vfs

import (
	"io/fs"
	"syscall"
)

// hostStat returns what the host's stat tells beside the portable part; ok says whether i is the host's.
func hostStat(i fs.FileInfo) (s nodeStat, ok bool) {
	st, ok := i.Sys().(*syscall.Stat_t)
	if !ok {
		return s, false
	}
	return nodeStat{
		dev: uint64(st.Dev), ino: st.Ino, nlink: uint64(st.Nlink), atime: st.Atimespec.Nano(), ctime: st.Ctimespec.Nano(),
		blocks: st.Blocks,
	}, true
}
