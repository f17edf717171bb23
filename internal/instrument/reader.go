package instrument

import (
	"fmt"
	"unicode/utf8"
)

// Error says why a module was refused.
type Error struct {
	Offset int    // in the module, in bytes
	Reason string // without the offset
}

// Error implements error.
func (e *Error) Error() string {
	return fmt.Sprintf("rewrite wasm: offset %#x: %s", e.Offset, e.Reason)
}

// reader reads a part of a module. Its first fault sticks: every later read returns zero and moves nothing, so callers
// may check err once, after the loop, because every loop is bounded by a count that fits the remaining bytes.
type reader struct {
	b   []byte // the module up to the end of the part
	pos int
	err *Error
}

func (r *reader) failAt(pos int, format string, args ...any) {
	if r.err == nil {
		r.err = &Error{Offset: pos, Reason: fmt.Sprintf(format, args...)}
		r.pos = len(r.b)
	}
}

func (r *reader) fail(format string, args ...any) { r.failAt(r.pos, format, args...) }

func (r *reader) more() bool { return r.pos < len(r.b) }

func (r *reader) byte() byte {
	if r.pos >= len(r.b) {
		r.fail("unexpected end")
		return 0
	}
	c := r.b[r.pos]
	r.pos++
	return c
}

func (r *reader) bytes(n uint32) []byte {
	if uint64(n) > uint64(len(r.b)-r.pos) {
		r.fail("%d bytes wanted, %d left", n, len(r.b)-r.pos)
		return nil
	}
	s := r.b[r.pos : r.pos+int(n) : r.pos+int(n)]
	r.pos += int(n)
	return s
}

// u32 reads an unsigned LEB128 of at most 32 bits.
func (r *reader) u32() uint32 {
	if r.pos < len(r.b) && r.b[r.pos] < 0x80 {
		r.pos++
		return uint32(r.b[r.pos-1])
	}
	start := r.pos
	v := uint32(0)
	for shift := 0; shift < 35; shift += 7 {
		c := r.byte()
		v |= uint32(c&0x7f) << shift
		if c < 0x80 {
			if shift == 28 && c > 0x0f {
				break
			}
			return v
		}
	}
	r.failAt(start, "integer too large for u32")
	return 0
}

// signed reads a signed LEB128 of the given number of bits: 32, 33 or 64.
func (r *reader) signed(bits int) int64 {
	if r.pos < len(r.b) && r.b[r.pos] < 0x80 {
		r.pos++
		return int64(r.b[r.pos-1]) << 57 >> 57
	}
	start := r.pos
	v := int64(0)
	for shift := 0; shift < bits; shift += 7 {
		c := r.byte()
		v |= int64(c&0x7f) << shift
		if c >= 0x80 {
			continue
		}
		if used := bits - shift; used < 7 {
			// The bits above the value must repeat its sign.
			if top := int8(c<<1) >> used; top != 0 && top != -1 {
				break
			}
		}
		if shift+7 < 64 {
			v = v << (57 - shift) >> (57 - shift)
		}
		return v
	}
	r.failAt(start, "integer too large for s%d", bits)
	return 0
}

// count reads the length of a vector whose elements take at least size bytes each.
func (r *reader) count(size int) int {
	start := r.pos
	n := r.u32()
	if uint64(n)*uint64(size) > uint64(len(r.b)-r.pos) {
		r.failAt(start, "%d elements in %d bytes", n, len(r.b)-r.pos)
		return 0
	}
	return int(n)
}

// index reads an index that must be below n.
func (r *reader) index(n int, what string) uint32 {
	start := r.pos
	i := r.u32()
	if int(i) >= n {
		r.failAt(start, "%s %d of %d", what, i, n)
		return 0
	}
	return i
}

func (r *reader) zero(what string) {
	if start := r.pos; r.byte() != 0 {
		r.failAt(start, "%s is not zero", what)
	}
}

func (r *reader) name() string {
	start := r.pos
	s := r.bytes(r.u32())
	if !utf8.Valid(s) {
		r.failAt(start, "name is not UTF-8")
	}
	return string(s)
}

// Value types and heap types; see https://webassembly.github.io/spec/core/binary/types.html.
const (
	typeI32       = 0x7f
	typeI64       = 0x7e
	typeF32       = 0x7d
	typeF64       = 0x7c
	typeV128      = 0x7b
	typeFuncref   = 0x70
	typeExternref = 0x6f
	typeExnref    = 0x69
	typeRef       = 0x64 // followed by a heap type
	typeRefNull   = 0x63 // followed by a heap type
)

// valueType reads a value type. A reference to a type of the module is reported as typeRef or typeRefNull.
func (r *reader) valueType(types int) byte {
	start := r.pos
	switch c := r.byte(); c {
	case typeI32, typeI64, typeF32, typeF64, typeV128, typeFuncref, typeExternref, typeExnref:
		return c
	case typeRef, typeRefNull:
		r.heapType(types)
		return c
	default:
		r.failAt(start, "unknown value type %#x", c)
		return 0
	}
}

// heapType reads func, extern, exn, or the index of a type.
func (r *reader) heapType(types int) {
	start := r.pos
	if !r.more() {
		r.fail("unexpected end")
		return
	}
	switch c := r.b[r.pos]; c {
	case typeFuncref, typeExternref, typeExnref:
		r.pos++
	default:
		if i := r.signed(33); i < 0 || i >= int64(types) {
			r.failAt(start, "unknown heap type %d", i)
		}
	}
}

// limits reads the limits of a table or a memory.
func (r *reader) limits() (lo, hi uint32, hasMax, shared bool) {
	start := r.pos
	flags := r.byte()
	if flags > 3 {
		r.failAt(start, "unknown limits flags %#x", flags)
	}
	hasMax, shared = flags&1 != 0, flags&2 != 0
	lo = r.u32()
	if hasMax {
		hi = r.u32()
	}
	return lo, hi, hasMax, shared
}

func appendU(b []byte, v uint64) []byte {
	for v >= 0x80 {
		b = append(b, byte(v)|0x80)
		v >>= 7
	}
	return append(b, byte(v))
}

func appendS(b []byte, v int64) []byte {
	for v < -0x40 || v >= 0x40 {
		b = append(b, byte(v)|0x80)
		v >>= 7
	}
	return append(b, byte(v)&0x7f)
}

func appendName(b []byte, s string) []byte {
	return append(appendU(b, uint64(len(s))), s...)
}
