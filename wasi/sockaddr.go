package wasi

import (
	"bytes"
	"encoding/binary"
	"net/netip"
	"strings"

	"github.com/belljar-dev/belljar/vfs"
)

const (
	sizeAddress = 8 // the structure that says where an address is and how long
	sizeIP4     = 4
	sizeIP6     = 16
	sizeStorage = 128 // an address of any family; the least length that is taken for one is that of an IPv6 address
	minStorage  = 2 + sizeIP6
)

// addressBuffer gives the bytes of the address structure at ptr:
//
//	buf ptr<u8> at 0, buf_len u32 at 4
//
// What they hold follows from their number: 4 are an IPv4 address, 16 an IPv6 address, and more begin with the family
// as a u16, which an IPv4 or IPv6 address or the name of a Unix-domain socket follows.
func (m memory) addressBuffer(ptr uint32) ([]byte, errno) {
	b, e := m.bytes(ptr, sizeAddress)
	if e != errSuccess {
		return nil, e
	}
	buf, e := m.bytes(binary.LittleEndian.Uint32(b), binary.LittleEndian.Uint32(b[4:]))
	if e != errSuccess {
		return nil, e
	}
	if n := len(buf); n != sizeIP4 && n != sizeIP6 && n < minStorage {
		return nil, errInval
	}
	return buf, errSuccess
}

// address reads the address at ptr for a socket of family f.
func (m memory) address(ptr, portNumber uint32, f family) (address, errno) {
	b, e := m.addressBuffer(ptr)
	switch {
	case e != errSuccess:
		return address{}, e
	case portNumber > 65535:
		return address{}, errInval
	}
	has := familyInet
	switch len(b) {
	case sizeIP4:
	case sizeIP6:
		has = familyInet6
	default:
		has = family(binary.LittleEndian.Uint16(b))
		b = b[2:min(len(b), sizeStorage)]
	}
	if has != f {
		return address{}, errAfnosupport
	}
	at := address{port: uint16(portNumber)}
	switch has {
	case familyInet:
		at.ip = netip.AddrFrom4([4]byte(b))
	case familyInet6:
		at.ip = netip.AddrFrom16([16]byte(b))
	case familyUnix:
		return address{name: unixNameOf(b)}, errSuccess
	default:
		return address{}, errAfnosupport
	}
	return at, errSuccess
}

// unixNameOf gives the name of a Unix-domain socket: it ends with a NUL, unless one comes first, as on Linux.
func unixNameOf(b []byte) string {
	if b[0] == 0 {
		return string(bytes.TrimRight(b, "\x00"))
	}
	name, _, _ := bytes.Cut(b, []byte{0})
	return string(name)
}

// checkAddress says whether putAddress has room at ptr.
func (m memory) checkAddress(ptr uint32, f family) errno {
	b, e := m.addressBuffer(ptr)
	switch {
	case e != errSuccess:
		return e
	case len(b) < minStorage && (f == familyUnix || f == familyInet6 && len(b) < sizeIP6):
		return errInval
	}
	return errSuccess
}

// putAddress writes an address to the structure at ptr, its family to famPtr and its port to portPtr; neither if they
// are 0. A buffer of an IP address's length gets just that, and the family is 4 or 6; a longer one gets it with the
// family before it, and the family is what sock_open takes.
func (m memory) putAddress(ptr, famPtr, portPtr uint32, at address, f family) errno {
	if e := m.checkAddress(ptr, f); e != errSuccess {
		return e
	}
	for _, p := range [...]uint32{famPtr, portPtr} {
		if e := m.check(p, 4); e != errSuccess {
			return e
		}
	}
	b, _ := m.addressBuffer(ptr)
	told := uint32(f)
	data := []byte(at.name)
	switch f {
	case familyInet:
		ip := netip.IPv4Unspecified()
		if at.ip.IsValid() {
			ip = at.ip.Unmap()
		}
		data = ip.AsSlice()
	case familyInet6:
		ip := netip.IPv6Unspecified().As16()
		if at.ip.IsValid() {
			ip = at.ip.As16()
		}
		data = ip[:]
	}
	switch {
	case len(b) >= minStorage:
		clear(b[:min(len(b), sizeStorage)])
		binary.LittleEndian.PutUint16(b, uint16(f))
		copy(b[2:], data)
	default:
		told = map[family]uint32{familyInet: 4, familyInet6: 6}[f]
		copy(b, data)
	}
	if famPtr != 0 {
		if e := m.putUint32(famPtr, told); e != errSuccess {
			return e
		}
	}
	if portPtr == 0 {
		return errSuccess
	}
	return m.putUint32(portPtr, uint32(at.port))
}

// locate gives where a path of the process starts by the rules of POSIX.
func (h *Host) locate(path string) (*vfs.Dir, errno) {
	switch {
	case path == "":
		return nil, errNoent
	case path[0] == '/':
		return h.tree.Root().AsRoot(), errSuccess
	case h.posix != nil:
		return h.cwd()
	}
	return h.openCwd()
}

// unixPeer finds the socket node that a Unix-domain socket's name leads to.
func (h *Host) unixPeer(name string) (unixName, errno) {
	if strings.HasPrefix(name, "\x00") {
		return unixName{abstract: name}, errSuccess
	}
	dir, e := h.locate(name)
	if e != errSuccess {
		return unixName{}, e
	}
	if err := dir.Access(name, true, 2); err != nil {
		return unixName{}, errnoOf(err)
	}
	st, err := statOf(dir.Stat(name, true))
	switch {
	case err != nil:
		return unixName{}, errnoOf(err)
	case st.mode&^0o7777 != modeSocket:
		return unixName{}, errConnrefused
	}
	return unixName{dev: st.dev, ino: st.ino}, errSuccess
}
