package wasi

import (
	"context"
	"encoding/binary"
	"fmt"
	"strings"
)

// cstrings is a list of strings as a guest gets it: one after the other, each
// ended by a NUL.
type cstrings struct {
	flat    []byte
	offsets []uint32 // where each begins in flat
}

func newCstrings(list []string) (cstrings, error) {
	var s cstrings
	for i, str := range list {
		if strings.IndexByte(str, 0) >= 0 {
			return cstrings{}, fmt.Errorf("number %d has a NUL inside", i)
		}
		s.offsets = append(s.offsets, uint32(len(s.flat)))
		if len(s.flat)+len(str)+1 > maxArguments {
			return cstrings{}, fmt.Errorf("more than 2 MiB: %w", err2big)
		}
		s.flat = append(append(s.flat, str...), 0)
	}
	return s, nil
}

// sizes writes the number of strings and the bytes they take.
func (s cstrings) sizes(mem memory, count, size uint32) errno {
	if e := mem.check(size, 4); e != errSuccess {
		return e
	}
	if e := mem.putUint32(count, uint32(len(s.offsets))); e != errSuccess {
		return e
	}
	return mem.putUint32(size, uint32(len(s.flat)))
}

// get writes the strings to buf, and a pointer to each to ptrs.
func (s cstrings) get(mem memory, ptrs, buf uint32) errno {
	list, e := mem.array(ptrs, uint32(len(s.offsets)), 4)
	if e != errSuccess {
		return e
	}
	flat, e := mem.bytes(buf, uint32(len(s.flat)))
	if e != errSuccess {
		return e
	}
	for i, offset := range s.offsets {
		binary.LittleEndian.PutUint32(list[4*i:], buf+offset)
	}
	copy(flat, s.flat)
	return errSuccess
}

// args_get(argv: ptr<ptr<u8>>, argv_buf: ptr<u8>)
func argsGet(_ context.Context, h *Host, mem memory, p []uint64) errno {
	return h.args.get(mem, uint32(p[0]), uint32(p[1]))
}

// args_sizes_get() -> (size, size)
func argsSizesGet(_ context.Context, h *Host, mem memory, p []uint64) errno {
	return h.args.sizes(mem, uint32(p[0]), uint32(p[1]))
}

// environ_get(environ: ptr<ptr<u8>>, environ_buf: ptr<u8>)
func environGet(_ context.Context, h *Host, mem memory, p []uint64) errno {
	return h.env.get(mem, uint32(p[0]), uint32(p[1]))
}

// environ_sizes_get() -> (size, size)
func environSizesGet(_ context.Context, h *Host, mem memory, p []uint64) errno {
	return h.env.sizes(mem, uint32(p[0]), uint32(p[1]))
}
