package wasi

import (
	"context"
	"io"
	"math"
)

// mover reads or writes one buffer.
type mover func(ctx context.Context, b []byte, nonblock bool) (int, error)

// readv fills the buffers of v, one after the other, until one isn't filled. Only
// the first may wait: what has been read is not held back.
func readv(ctx context.Context, v *iovecs, nonblock bool, read mover) (uint32, errno) {
	total := 0
	for b := v.next(); b != nil; b = v.next() {
		n, err := read(ctx, b, nonblock)
		total += n
		if err != nil || n < len(b) {
			return uint32(total), ioResult(ctx, total, err)
		}
		nonblock = true
		checkContext(ctx)
	}
	return uint32(total), errSuccess
}

// writev empties the buffers of v, one after the other, and each may wait.
func writev(ctx context.Context, v *iovecs, nonblock bool, write mover) (uint32, errno) {
	total := 0
	for b := v.next(); b != nil; b = v.next() {
		n, err := write(ctx, b, nonblock)
		total += n
		if err != nil || n < len(b) {
			return uint32(total), ioResult(ctx, total, err)
		}
		checkContext(ctx)
	}
	return uint32(total), errSuccess
}

// result writes what a read or write answered.
func result(mem memory, ptr uint32, n uint32, e errno) errno {
	if e != errSuccess {
		return e
	}
	return mem.putUint32(ptr, n)
}

// readable gives fd's object to read from.
func (h *Host) readable(fd uint32) (descriptor, reader, errno) {
	d, e := h.files.get(fd)
	if e != errSuccess {
		return d, nil, e
	}
	r, ok := d.object.(reader)
	switch {
	case !ok && d.isDir():
		return d, nil, errIsdir
	case !ok || !d.readable:
		return d, nil, errBadf
	case d.base&rightFdRead == 0:
		return d, nil, errNotcapable
	}
	return d, r, errSuccess
}

// writable gives fd's object to write to.
func (h *Host) writable(fd uint32) (descriptor, writer, errno) {
	d, e := h.files.get(fd)
	if e != errSuccess {
		return d, nil, e
	}
	w, ok := d.object.(writer)
	switch {
	case !ok && d.isDir():
		return d, nil, errIsdir
	case !ok || !d.writable:
		return d, nil, errBadf
	case d.base&rightFdWrite == 0:
		return d, nil, errNotcapable
	}
	return d, w, errSuccess
}

// fd_read(fd, iovs: iovec_array) -> size
func fdRead(ctx context.Context, h *Host, mem memory, p []uint64) errno {
	d, r, e := h.readable(uint32(p[0]))
	if e != errSuccess {
		return e
	}
	v, e := mem.iovecs(uint32(p[1]), uint32(p[2]))
	if e != errSuccess {
		return e
	}
	if e := mem.check(uint32(p[3]), 4); e != errSuccess {
		return e
	}
	if s, ok := r.(*socket); ok {
		n, _, _, e := s.receiveInto(ctx, &v, d.has(flagNonblock), 0)
		return result(mem, uint32(p[3]), n, e)
	}
	n, e := readv(ctx, &v, d.has(flagNonblock), r.read)
	return result(mem, uint32(p[3]), n, e)
}

// fd_write(fd, iovs: ciovec_array) -> size
func fdWrite(ctx context.Context, h *Host, mem memory, p []uint64) errno {
	d, w, e := h.writable(uint32(p[0]))
	if e != errSuccess {
		return e
	}
	v, e := mem.iovecs(uint32(p[1]), uint32(p[2]))
	if e != errSuccess {
		return e
	}
	if e := mem.check(uint32(p[3]), 4); e != errSuccess {
		return e
	}
	nonblock := d.has(flagNonblock)
	if s, ok := w.(*socket); ok {
		n, e := s.sendFrom(ctx, &v, nonblock, address{}, unixName{})
		return result(mem, uint32(p[3]), n, h.brokenPipe(e))
	}
	if f, ok := w.(*file); ok && h.maxFileSize > 0 && f.typ == typeRegularFile {
		n, e := writev(ctx, &v, nonblock, h.bounded(f, d))
		return result(mem, uint32(p[3]), n, e)
	}
	if !v.single() && v.left > 0 && v.left <= pipeAtomic {
		b := h.gather(&v)
		h.gathered = nil // another thread may write while this one waits
		n, err := w.write(ctx, b, nonblock)
		h.gathered = b
		return result(mem, uint32(p[3]), uint32(n), h.brokenPipe(ioResult(ctx, n, err)))
	}
	n, e := writev(ctx, &v, nonblock, w.write)
	return result(mem, uint32(p[3]), n, h.brokenPipe(e))
}

// gather puts the buffers of v together. Preconditions: they fit.
func (h *Host) gather(v *iovecs) []byte {
	if h.gathered == nil {
		h.gathered = make([]byte, 0, pipeAtomic)
	}
	all := h.gathered[:0]
	for b := v.next(); b != nil; b = v.next() {
		all = append(all, b...)
	}
	return all
}

// fd_pread(fd, iovs: iovec_array, offset: filesize) -> size
func fdPread(ctx context.Context, h *Host, mem memory, p []uint64) errno {
	d, _, e := h.readable(uint32(p[0]))
	if e != errSuccess {
		return e
	}
	f, ok := d.object.(*file)
	if !ok {
		return errSpipe
	}
	return positioned(ctx, d, mem, p, f.f.ReadAt)
}

// fd_pwrite(fd, iovs: ciovec_array, offset: filesize) -> size
//
// The offset counts also on a descriptor that appends, as POSIX has it, and Linux
// has not.
func fdPwrite(ctx context.Context, h *Host, mem memory, p []uint64) errno {
	d, _, e := h.writable(uint32(p[0]))
	if e != errSuccess {
		return e
	}
	f, ok := d.object.(*file)
	if !ok {
		return errSpipe
	}
	return positioned(ctx, d, mem, p, f.f.WriteAt)
}

// positioned reads or writes at the offset p[3] by move.
func positioned(ctx context.Context, d descriptor, mem memory, p []uint64,
	move func([]byte, int64) (int, error),
) errno {
	if d.base&rightFdSeek == 0 {
		return errNotcapable
	}
	v, e := mem.iovecs(uint32(p[1]), uint32(p[2]))
	if e != errSuccess {
		return e
	}
	if e := mem.check(uint32(p[4]), 4); e != errSuccess {
		return e
	}
	offset := p[3]
	if offset > math.MaxInt64-maxTransfer {
		return errInval
	}
	// A file never waits, so that readv does for writing, too.
	n, e := readv(ctx, &v, false, func(_ context.Context, b []byte, _ bool) (int, error) {
		n, err := move(b, int64(offset))
		offset += uint64(n)
		return n, err
	})
	return result(mem, uint32(p[4]), n, e)
}

// fd_seek(fd, offset: filedelta, whence) -> filesize
func fdSeek(_ context.Context, h *Host, mem memory, p []uint64) errno {
	offset, whence := int64(p[1]), uint32(p[2])
	need := rightFdSeek
	if whence == whenceCur && offset == 0 {
		need = 0 // it tells: FD_SEEK implies FD_TELL, and either is enough
	}
	f, d, e := h.file(uint32(p[0]), need, errSpipe)
	switch {
	case e != errSuccess:
		return e
	case d.base&(rightFdSeek|rightFdTell) == 0:
		return errNotcapable
	case whence > whenceEnd:
		return errInval
	}
	if e := mem.check(uint32(p[3]), 8); e != errSuccess {
		return e
	}
	position, err := f.f.Seek(offset, [...]int{io.SeekStart, io.SeekCurrent, io.SeekEnd}[whence])
	if err != nil {
		return errnoOf(err)
	}
	return mem.putUint64(uint32(p[3]), uint64(position))
}

// fd_tell(fd) -> filesize
func fdTell(ctx context.Context, h *Host, mem memory, p []uint64) errno {
	return fdSeek(ctx, h, mem, []uint64{p[0], 0, whenceCur, p[1]})
}
