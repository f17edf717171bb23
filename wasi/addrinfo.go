package wasi

import (
	"context"
	"encoding/binary"
	"net/netip"
	"strconv"
	"strings"
)

const (
	sizeAddrinfo = 28
	sizeSockaddr = 12
	maxAddrinfo  = 64 // results of one call

	hintPassive     = 1 // aiflags: for a socket that listens
	hintNumericHost = 4 // aiflags: the node is an address

	protocolTCP = 1
	protocolUDP = 2
)

// services are the ports of the services that programs ask for by name.
var services = map[string]uint16{
	"domain": 53, "ftp": 21, "http": 80, "https": 443, "imap": 143, "ntp": 123, "pop3": 110, "smtp": 25, "ssh": 22,
	"telnet": 23,
}

// question is what sock_getaddrinfo is asked.
type question struct {
	node, service string
	flags         uint16
	family        family
	typ           uint32
}

// answer is one of its results.
type answer struct {
	ip   netip.Addr
	port uint16
	typ  uint32
}

// sock_getaddrinfo(node: string, service: string, hint: ptr<addrinfo>, res: ptr<ptr<addrinfo>>, max: u32) -> u32
//
// The guest has made a list of max addrinfo structures, each with a sockaddr and room for its data; they are filled in
// as far as they are needed:
//
//	addrinfo: flags u16 at 0, family u8 at 2, socktype u8 at 3, protocol u8 at 4, addrlen u32 at 8,
//	          addr ptr<sockaddr> at 12, canonname ptr<u8> at 16, canonname_len u32 at 20, next ptr<addrinfo> at 24
//	sockaddr: family u8 at 0, data_len u32 at 4, data ptr<u8> at 8
//	data:     port u16 in network order at 0, then an IPv4 address, or 4 bytes, an IPv6 address and 4 bytes
func sockGetaddrinfo(ctx context.Context, h *Host, mem memory, p []uint64) errno {
	q, e := mem.question(p)
	if e != errSuccess {
		return e
	}
	most := uint32(p[6])
	if most == 0 || most > maxAddrinfo {
		return errInval
	}
	first, e := mem.bytes(uint32(p[5]), 4)
	if e != errSuccess {
		return e
	}
	if e := mem.check(uint32(p[7]), 4); e != errSuccess {
		return e
	}
	answers, e := q.resolve(ctx, h.network)
	if e != errSuccess {
		return e
	}
	at, count := binary.LittleEndian.Uint32(first), uint32(0)
	for _, a := range answers[:min(len(answers), int(most))] {
		if at, e = mem.putAddrinfo(at, a); e != errSuccess {
			return e
		}
		count++
	}
	return mem.putUint32(uint32(p[7]), count)
}

// question decodes the parameters. Strings may end with a NUL.
func (m memory) question(p []uint64) (q question, e errno) {
	for i, s := range []*string{&q.node, &q.service} {
		b, e := m.bytes(uint32(p[2*i]), uint32(p[2*i+1]))
		if e != errSuccess {
			return q, e
		}
		if len(b) > maxServiceName+1 {
			return q, errNametoolong
		}
		*s = strings.TrimRight(string(b), "\x00")
	}
	hint, e := m.bytes(uint32(p[4]), sizeAddrinfo)
	if e != errSuccess {
		return q, e
	}
	q.flags = binary.LittleEndian.Uint16(hint)
	q.family, q.typ = family(hint[2]), uint32(hint[3])
	switch protocol := hint[4]; {
	case q.family > familyInet6:
		return q, errAfnosupport
	case q.typ > socketStream, protocol > protocolUDP,
		protocol == protocolTCP && q.typ == socketDatagram, protocol == protocolUDP && q.typ == socketStream:
		return q, errPrototype
	case q.typ == 0 && protocol == protocolTCP:
		q.typ = socketStream
	case q.typ == 0 && protocol == protocolUDP:
		q.typ = socketDatagram
	}
	return q, errSuccess
}

// resolve answers for addresses and for this machine's names; others are in no network of ours, but perhaps outside.
func (q question) resolve(ctx context.Context, n *Network) ([]answer, errno) {
	number, known := services[q.service]
	if !known && q.service != "" {
		n, err := strconv.ParseUint(q.service, 10, 16)
		if err != nil {
			return nil, errNoent
		}
		number = uint16(n)
	}
	var ips []netip.Addr
	ip, err := netip.ParseAddr(q.node)
	switch {
	case err == nil:
		ips = []netip.Addr{ip.WithZone("")}
	case q.node == "" && q.flags&hintPassive != 0:
		ips = []netip.Addr{netip.IPv4Unspecified(), netip.IPv6Unspecified()}
	case q.node == "", q.flags&hintNumericHost == 0 && localName(q.node):
		ips = []netip.Addr{netip.AddrFrom4([4]byte{127, 0, 0, 1}), netip.IPv6Loopback()}
	case q.flags&hintNumericHost != 0:
		return nil, errNoent
	default:
		var e errno
		if ips, e = n.lookup(ctx, q.family, q.node); e != errSuccess {
			return nil, e
		}
	}
	var answers []answer
	for _, ip := range ips {
		if q.family == familyInet && !ip.Is4() || q.family == familyInet6 && !ip.Is6() {
			continue
		}
		for _, typ := range []uint32{socketStream, socketDatagram} {
			if q.typ == 0 || q.typ == typ {
				answers = append(answers, answer{ip, number, typ})
			}
		}
	}
	if len(answers) == 0 {
		return nil, errNoent
	}
	return answers, errSuccess
}

// localName says whether a name is the machine's own.
func localName(name string) bool {
	name = strings.ToLower(strings.TrimSuffix(name, "."))
	return name == "localhost" || name == "localhost.localdomain" || strings.HasSuffix(name, ".localhost")
}

// putAddrinfo fills in the structures at ptr, and gives the next place.
func (m memory) putAddrinfo(ptr uint32, a answer) (next uint32, e errno) {
	info, e := m.bytes(ptr, sizeAddrinfo)
	if e != errSuccess {
		return 0, e
	}
	sockaddr, e := m.bytes(binary.LittleEndian.Uint32(info[12:]), sizeSockaddr)
	if e != errSuccess {
		return 0, e
	}
	data := binary.BigEndian.AppendUint16(nil, a.port)
	f := familyInet
	if a.ip.Is4() {
		data = append(append(data, a.ip.AsSlice()...), make([]byte, 8)...)
	} else {
		f = familyInet6
		data = append(append(append(data, 0, 0, 0, 0), a.ip.AsSlice()...), 0, 0, 0, 0)
	}
	room, e := m.bytes(binary.LittleEndian.Uint32(sockaddr[8:]), binary.LittleEndian.Uint32(sockaddr[4:]))
	switch {
	case e != errSuccess:
		return 0, e
	case len(room) < len(data):
		return 0, errInval
	}
	next = binary.LittleEndian.Uint32(info[24:]) // before anything is written: the structures may overlap
	protocol := byte(protocolTCP)
	if a.typ == socketDatagram {
		protocol = protocolUDP
	}
	info[2], info[3], info[4] = byte(f), byte(a.typ), protocol
	binary.LittleEndian.PutUint32(info[8:], uint32(len(data)+2))
	binary.LittleEndian.PutUint32(info[20:], 0)
	sockaddr[0] = byte(f)
	binary.LittleEndian.PutUint32(sockaddr[4:], uint32(len(data)))
	copy(room, data)
	return next, errSuccess
}
