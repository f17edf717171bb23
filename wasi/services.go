package wasi

import (
	"context"
	"io/fs"
	"slices"
)

const (
	maxServiceName    = 255      // bytes
	maxServiceRequest = 64 << 20 // bytes
)

// host_call(name: ptr<u8>, name_len: size, req: ptr<u8>, req_len: size) -> size
//
// See ABI.md and Config.Services.
func hostCall(ctx context.Context, h *Host, mem memory, p []uint64) errno {
	name, e := mem.bytes(uint32(p[0]), uint32(p[1]))
	if e != errSuccess {
		return e
	}
	request, e := mem.bytes(uint32(p[2]), uint32(p[3]))
	if e != errSuccess {
		return e
	}
	if e := mem.check(uint32(p[4]), 4); e != errSuccess {
		return e
	}
	switch {
	case len(name) > maxServiceName:
		return errNametoolong
	case len(request) > maxServiceRequest:
		return err2big
	}
	h.answer = nil
	if h.services == nil {
		return errNoent
	}
	request = slices.Clone(request)
	err := interruptible(ctx, func(ctx context.Context) (err error) {
		h.answer, err = h.services(ctx, string(name), request)
		return err
	})
	if err == nil && uint64(len(h.answer)) > maxTransfer {
		err = fs.ErrInvalid
	}
	if err != nil {
		h.answer = nil
		return errnoOf(err)
	}
	return mem.putUint32(uint32(p[4]), uint32(len(h.answer)))
}

// host_take(buf: ptr<u8>, buf_len: size)
func hostTake(_ context.Context, h *Host, mem memory, p []uint64) errno {
	buf, e := mem.bytes(uint32(p[0]), uint32(p[1]))
	switch {
	case e != errSuccess:
		return e
	case len(buf) > len(h.answer):
		return errRange
	}
	copy(buf, h.answer)
	return errSuccess
}
