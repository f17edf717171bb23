package wasi

import "context"

// proc_cwd_get(buf: ptr<u8>, buf_len: size) -> size
//
// It gives the working directory the process began with. See ABI.md.
func procCwdGet(_ context.Context, h *Host, mem memory, p []uint64) errno {
	buf, e := mem.bytes(uint32(p[0]), uint32(p[1]))
	if e != errSuccess {
		return e
	}
	if e := mem.putUint32(uint32(p[2]), uint32(len(h.dir))); e != errSuccess {
		return e
	}
	if len(buf) < len(h.dir) {
		return errRange
	}
	copy(buf, h.dir)
	return errSuccess
}
