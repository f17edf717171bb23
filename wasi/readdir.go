package wasi

import (
	"context"
	"encoding/binary"
)

const (
	direntGuess = sizeDirent + 8 // bytes an entry takes, at a guess
	direntBatch = 256            // most entries asked of vfs at a time
)

// fd_readdir(fd, buf: ptr<u8>, buf_len: size, cookie: dircookie) -> size
//
// A buffer that isn't filled means the end to the guest, so the last entry is cut
// where the buffer ends.
func fdReaddir(ctx context.Context, h *Host, mem memory, p []uint64) errno {
	d, e := h.files.get(uint32(p[0]))
	if e != errSuccess {
		return e
	}
	dir, ok := d.object.(*directory)
	switch {
	case !ok:
		return errNotdir
	case d.base&rightFdReaddir == 0:
		return errNotcapable
	}
	buf, e := mem.bytes(uint32(p[1]), uint32(p[2]))
	if e != errSuccess {
		return e
	}
	if e := mem.check(uint32(p[4]), 4); e != errSuccess {
		return e
	}
	used, e := dir.list(ctx, buf, p[3])
	return result(mem, uint32(p[4]), uint32(used), e)
}

// list writes the entries after cookie to buf and says how much of it they take.
func (d *directory) list(ctx context.Context, buf []byte, cookie uint64) (int, errno) {
	used := 0
	for used < len(buf) {
		entries, err := d.f.ReadDirAt(cookie, min((len(buf)-used)/direntGuess+1, direntBatch))
		if err != nil {
			return 0, errnoOf(err)
		}
		if len(entries) == 0 {
			break
		}
		for _, entry := range entries {
			var head [sizeDirent]byte
			binary.LittleEndian.PutUint64(head[:], entry.Next)
			binary.LittleEndian.PutUint64(head[8:], entry.Ino)
			binary.LittleEndian.PutUint32(head[16:], uint32(len(entry.Name)))
			head[20] = byte(fileTypeOf(entry.Type))
			used += copy(buf[used:], head[:])
			used += copy(buf[used:], entry.Name)
			cookie = entry.Next
		}
		checkContext(ctx)
	}
	return used, errSuccess
}
