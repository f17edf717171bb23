package wasi

import (
	"context"

	"github.com/belljar-dev/belljar/vfs"
)

// The places of fd_seek_sparse, in the numbers of Linux's lseek.
const (
	whenceData = vfs.SeekData
	whenceHole = vfs.SeekHole
)

// fd_seek_sparse(fd, offset: i64, whence, ret_u64)
func fdSeekSparse(_ context.Context, h *Host, mem memory, p []uint64) errno {
	f, _, e := h.file(uint32(p[0]), rightFdSeek, errSpipe)
	switch {
	case e != errSuccess:
		return e
	case uint32(p[2]) != whenceData && uint32(p[2]) != whenceHole:
		return errInval
	}
	if e := mem.check(uint32(p[3]), 8); e != errSuccess {
		return e
	}
	position, err := f.f.Seek(int64(p[1]), int(uint32(p[2])))
	if err != nil {
		return errnoOf(err)
	}
	return mem.putUint64(uint32(p[3]), uint64(position))
}

// fd_punch(fd, offset: i64, len: i64)
func fdPunch(_ context.Context, h *Host, _ memory, p []uint64) errno {
	return h.onStretch(p, (*vfs.File).PunchHole)
}
