package wasi

import (
	"context"
	"encoding/binary"
)

// The flags of the calls that make descriptors, in module "belljar".
const (
	makeCloexec  = 1
	makeNonblock = 2
)

// dup gives fd's description another number, the lowest free one from least on.
func (t *table) dup(fd, least uint32, cloexec bool) (uint32, errno) {
	d, e := t.get(fd)
	switch {
	case e != errSuccess:
		return 0, e
	case uint64(least) >= uint64(t.max):
		return 0, errInval
	}
	d.cloexec = cloexec
	return t.insertFrom(d, least)
}

// dup2 makes to stand for fd's description, in one step.
func (h *Host) dup2(fd, to uint32, cloexec bool) errno {
	d, e := h.files.get(fd)
	if e != errSuccess || fd == to {
		return e
	}
	d.cloexec = cloexec
	old, e := h.files.replace(to, d)
	if old != nil {
		h.let(old) //nolint:errcheck // as dup2, which has no way to tell of it
	}
	return e
}

// fd_pipe(flags: u32) -> (fd, fd)
func fdPipe(_ context.Context, h *Host, mem memory, p []uint64) errno {
	flags := uint32(p[0])
	if flags&^(makeCloexec|makeNonblock) != 0 {
		return errInval
	}
	out, e := mem.bytes(uint32(p[1]), 8)
	if e != errSuccess {
		return e
	}
	var status fdFlags
	if flags&makeNonblock != 0 {
		status = flagNonblock
	}
	buffer := h.pipes.newPipe()
	r, w := &PipeReader{buffer}, &PipeWriter{buffer}
	cloexec := flags&makeCloexec != 0
	in, e := h.files.insert(descriptor{
		description: newDescription(r, true, false, status), base: inputRights, cloexec: cloexec,
	})
	if e != errSuccess {
		return e
	}
	to, e := h.files.insert(descriptor{
		description: newDescription(w, false, true, status), base: outputRights, cloexec: cloexec,
	})
	if e != errSuccess {
		if d, e := h.files.remove(in); e == errSuccess {
			d.release() //nolint:errcheck // a pipe's end closes without an error
		}
		return e
	}
	binary.LittleEndian.PutUint32(out, in)
	binary.LittleEndian.PutUint32(out[4:], to)
	return errSuccess
}

// fd_dup(fd, least: fd, flags: u32) -> fd
func fdDup(_ context.Context, h *Host, mem memory, p []uint64) errno {
	if uint32(p[2])&^makeCloexec != 0 {
		return errInval
	}
	if e := mem.check(uint32(p[3]), 4); e != errSuccess {
		return e
	}
	fd, e := h.files.dup(uint32(p[0]), uint32(p[1]), uint32(p[2])&makeCloexec != 0)
	return result(mem, uint32(p[3]), fd, e)
}

// fd_dup2(fd, to: fd, flags: u32)
func fdDup2(_ context.Context, h *Host, _ memory, p []uint64) errno {
	if uint32(p[2])&^makeCloexec != 0 {
		return errInval
	}
	return h.dup2(uint32(p[0]), uint32(p[1]), uint32(p[2])&makeCloexec != 0)
}

// fd_flags_get(fd) -> u32
func fdFlagsGet(_ context.Context, h *Host, mem memory, p []uint64) errno {
	d, e := h.files.get(uint32(p[0]))
	flags := uint32(0)
	if d.cloexec {
		flags = makeCloexec
	}
	return result(mem, uint32(p[1]), flags, e)
}

// fd_flags_set(fd, flags: u32)
func fdFlagsSet(_ context.Context, h *Host, _ memory, p []uint64) errno {
	if uint32(p[1])&^makeCloexec != 0 {
		return errInval
	}
	return h.files.setCloexec(uint32(p[0]), uint32(p[1])&makeCloexec != 0)
}
