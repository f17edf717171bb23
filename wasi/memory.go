package wasi

import (
	"bytes"
	"encoding/binary"
	"math"
	"unicode/utf8"

	"github.com/tetratelabs/wazero/api"
)

const (
	// maxPath is the longest path a guest may pass, in bytes, as PATH_MAX is.
	maxPath = 4096
	// maxIovecs bounds the work that one call can ask for before it moves a byte.
	maxIovecs = 1 << 16
	// maxTransfer is the most bytes one read or write moves, as on Linux: the count
	// must fit the guest's signed size.
	maxTransfer = 0x7ffff000
	// maxChunk is how much of a buffer is moved between two looks at the context.
	maxChunk = 16 << 20
)

// memory is the linear memory of the calling guest, for the time of one call. All
// access to it is here. It aliases the guest's bytes; they stay in place during the
// call, because only the guest's own thread, which is in this call, can grow an
// unshared memory, and a shared one never moves.
type memory []byte

// memoryOf gives the memory that a guest exports as "memory", as preview 1 demands
// of it. A guest that doesn't has no memory here: every pointer of it is EFAULT.
func memoryOf(m api.Module) memory {
	exported := m.ExportedMemory("memory")
	if exported == nil {
		return nil
	}
	size := exported.Size()
	if size == 0 {
		if pages, _ := exported.Grow(0); pages == 0 {
			return nil
		}
		size = math.MaxUint32 // 4 GiB, whose size wraps; its last byte stays out of reach
	}
	view, _ := exported.Read(0, size)
	return view
}

// bytes gives the n bytes at ptr, or EFAULT.
func (m memory) bytes(ptr, n uint32) ([]byte, errno) {
	end := uint64(ptr) + uint64(n)
	if end > uint64(len(m)) {
		return nil, errFault
	}
	return m[ptr:end:end], errSuccess
}

// array gives the n elements of size bytes at ptr, or EFAULT.
func (m memory) array(ptr, n, size uint32) ([]byte, errno) {
	end := uint64(ptr) + uint64(n)*uint64(size)
	if end > uint64(len(m)) {
		return nil, errFault
	}
	return m[ptr:end:end], errSuccess
}

func (m memory) putUint32(ptr, v uint32) errno {
	b, e := m.bytes(ptr, 4)
	if e == errSuccess {
		binary.LittleEndian.PutUint32(b, v)
	}
	return e
}

func (m memory) putUint64(ptr uint32, v uint64) errno {
	b, e := m.bytes(ptr, 8)
	if e == errSuccess {
		binary.LittleEndian.PutUint64(b, v)
	}
	return e
}

// path copies a path out of the guest. It may be any bytes, but a NUL is EINVAL, since
// no POSIX guest could have meant it.
func (m memory) path(ptr, n uint32) (string, errno) {
	b, e := m.bytes(ptr, n)
	switch {
	case e != errSuccess:
		return "", e
	case len(b) > maxPath:
		return "", errNametoolong
	case bytes.IndexByte(b, 0) >= 0:
		return "", errInval
	}
	return string(b), errSuccess
}

// text is path by preview 1's rules, whose strings are UTF-8: others are EILSEQ.
func (m memory) text(ptr, n uint32) (string, errno) {
	path, e := m.path(ptr, n)
	if e == errSuccess && !utf8.ValidString(path) {
		return "", errIlseq
	}
	return path, e
}

// iovecs is a checked list of buffers in guest memory.
type iovecs struct {
	mem  memory
	list []byte
	rest []byte // of the buffer before list
	left int    // bytes still to hand out
}

// iovecs checks the n buffers described at ptr: each must lie in memory. Beyond
// maxTransfer bytes in all the list is cut, which makes a short transfer.
func (m memory) iovecs(ptr, n uint32) (iovecs, errno) {
	if n > maxIovecs {
		return iovecs{}, errInval
	}
	list, e := m.array(ptr, n, sizeIovec)
	if e != errSuccess {
		return iovecs{}, e
	}
	var total uint64
	for rest := list; len(rest) > 0; rest = rest[sizeIovec:] {
		b, e := m.bytes(binary.LittleEndian.Uint32(rest), binary.LittleEndian.Uint32(rest[4:]))
		if e != errSuccess {
			return iovecs{}, e
		}
		total += uint64(len(b))
	}
	return iovecs{mem: m, list: list, left: int(min(total, maxTransfer))}, errSuccess
}

// next gives the next buffer that isn't empty, or a part of one; nil at the end.
func (v *iovecs) next() []byte {
	for len(v.rest) == 0 {
		if len(v.list) == 0 || v.left == 0 {
			return nil
		}
		// A read into the list itself may have changed it since it was checked.
		b, e := v.mem.bytes(binary.LittleEndian.Uint32(v.list), binary.LittleEndian.Uint32(v.list[4:]))
		if e != errSuccess {
			return nil
		}
		v.list = v.list[sizeIovec:]
		v.rest = b[:min(len(b), v.left)]
		v.left -= len(v.rest)
	}
	n := min(len(v.rest), maxChunk)
	b := v.rest[:n]
	v.rest = v.rest[n:]
	return b
}

// single says whether there is at most one buffer.
func (v *iovecs) single() bool { return len(v.list) <= sizeIovec }

// check answers EFAULT if the n bytes at ptr are not all in memory. Calls check where
// their results go before they have an effect.
func (m memory) check(ptr, n uint32) errno {
	_, e := m.bytes(ptr, n)
	return e
}
