package wasi

import (
	"net/netip"
	"slices"
	"sync"
)

const (
	// maxSockets bounds the sockets of a Network, and with them what its connections can hold: 128 KiB each.
	maxSockets = 1024
	// maxBacklog bounds the connections that wait to be accepted, as SOMAXCONN does.
	maxBacklog = 128

	firstEphemeral = 32768 // the ports that are given to those who don't ask for one, as on Linux
	lastEphemeral  = 60999
)

// Network is the network that the processes of a sandbox share: the loopback interface, which lies in memory, with
// TCP and UDP on the addresses 127.0.0.0/8 and ::1, and Unix-domain sockets. TCP connections to other addresses, and
// to loopback ports that nothing in the sandbox listens on, go by way of Outside; without one, or where it doesn't
// allow it, connecting to other addresses is EACCES, as sending datagrams there always is. The zero value is ready to
// use. A Network's methods are safe for concurrent use.
type Network struct {
	// Outside is the way to other networks, nil for none. It is set before the Network is used.
	Outside Outside

	running sync.WaitGroup // of goroutines that connect to the outside and carry from and to it

	mu     sync.Mutex // guards also the fields of every socket
	ports  map[port][]*socket
	names  map[unixName]*socket
	all    map[*socket]struct{}
	next   map[bool]uint16 // by port.stream: where to look for an ephemeral port
	closed bool
}

// port is what sockets are bound to besides an address.
type port struct {
	stream bool
	number uint16
}

// unixName is what a Unix-domain socket is found by: the node that it has made, or a name without one.
type unixName struct {
	dev, ino uint64
	abstract string
}

// address is a socket's. Of the zero address nothing is known.
type address struct {
	ip   netip.Addr // of the internet; as the socket's family has it
	port uint16
	name string // of a Unix-domain socket: a path, or a NUL and a name without a node
}

// Close closes every socket: guests' calls on them fail from then on, and what waits is woken. It waits for the end of
// what carries data from and to the outside. It may be called again.
func (n *Network) Close() error {
	n.mu.Lock()
	n.closed = true
	for s := range n.all {
		s.closeLocked()
		if s.outside != nil {
			s.outside.Close()
		}
	}
	n.mu.Unlock()
	n.running.Wait()
	return nil
}

// open makes a socket.
func (n *Network) open(f family, stream bool) (*socket, errno) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.openLocked(f, stream)
}

func (n *Network) openLocked(f family, stream bool) (*socket, errno) {
	switch {
	case n.closed:
		return nil, errAcces
	case len(n.all) >= maxSockets:
		return nil, errNfile
	}
	if n.all == nil {
		n.ports, n.names = map[port][]*socket{}, map[unixName]*socket{}
		n.all, n.next = map[*socket]struct{}{}, map[bool]uint16{}
	}
	s := &socket{net: n, family: f, stream: stream}
	n.all[s] = struct{}{}
	return s, errSuccess
}

// pair makes two stream sockets that are connected to each other.
func (n *Network) pair(f family) (a, b *socket, e errno) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if a, e = n.openLocked(f, true); e != errSuccess {
		return nil, nil, e
	}
	if b, e = n.openLocked(f, true); e != errSuccess {
		a.closeLocked()
		return nil, nil, e
	}
	join(a, b)
	return a, b, errSuccess
}

// join connects two stream sockets. Preconditions: the Network's mutex is held.
func join(a, b *socket) {
	there, back := &pipe{size: pipeSize}, &pipe{size: pipeSize}
	a.state, a.in, a.out = connected, back, there
	b.state, b.in, b.out = connected, there, back
}

// bindLocked gives s an address; port 0 is any that is free. Preconditions: n.mu is held, s is not bound.
func (n *Network) bindLocked(s *socket, at address) errno {
	if ip := at.ip.Unmap(); !ip.IsLoopback() && !ip.IsUnspecified() {
		return errAddrnotavail
	}
	if at.port == 0 {
		if at.port = n.ephemeralLocked(s, at); at.port == 0 {
			return errAddrinuse
		}
	} else if n.takenLocked(s, at) {
		return errAddrinuse
	}
	s.local, s.bound = at, true
	p := port{s.stream, at.port}
	n.ports[p] = append(n.ports[p], s)
	return errSuccess
}

// ephemeralLocked gives a free port, or 0.
func (n *Network) ephemeralLocked(s *socket, at address) uint16 {
	for range lastEphemeral - firstEphemeral + 1 {
		at.port = max(n.next[s.stream], firstEphemeral)
		n.next[s.stream] = at.port + 1
		if at.port == lastEphemeral {
			n.next[s.stream] = firstEphemeral
		}
		if !n.takenLocked(s, at) {
			return at.port
		}
	}
	return 0
}

// takenLocked says whether another socket is in the way of s at an address. No port of ours waits for late packets, so
// SO_REUSEADDR has something to say only of datagrams.
func (n *Network) takenLocked(s *socket, at address) bool {
	return slices.ContainsFunc(n.ports[port{s.stream, at.port}], func(other *socket) bool {
		if !s.stream && s.option(optReuseaddr) != 0 && other.option(optReuseaddr) != 0 {
			return false
		}
		a, b := at.ip.Unmap(), other.local.ip.Unmap()
		switch {
		case a == b:
			return true
		case a.IsUnspecified() && b.IsUnspecified(): // of two families
			return a.Is6() && !s.v6only() || b.Is6() && !other.v6only()
		case a.IsUnspecified():
			return covers(a, s.v6only(), b)
		case b.IsUnspecified():
			return covers(b, other.v6only(), a)
		}
		return false
	})
}

// covers says whether a socket bound to any address is also bound to ip.
func covers(anywhere netip.Addr, v6only bool, ip netip.Addr) bool {
	return anywhere.Is4() == ip.Is4() || anywhere.Is6() && !v6only
}

// findLocked gives the socket that is bound to an address and of which suits is true: rather one that is bound to just
// this address.
func (n *Network) findLocked(stream bool, to address, suits func(*socket) bool) *socket {
	ip := to.ip.Unmap()
	var found *socket
	for _, s := range n.ports[port{stream, to.port}] {
		bound := s.local.ip.Unmap()
		if !suits(s) {
			continue
		}
		if bound == ip {
			return s
		}
		if bound.IsUnspecified() && covers(bound, s.v6only(), ip) {
			found = s
		}
	}
	return found
}

// releaseLocked takes s out of the tables.
func (n *Network) releaseLocked(s *socket) {
	delete(n.all, s)
	if s.name != (unixName{}) {
		delete(n.names, s.name)
	}
	if !s.bound {
		return
	}
	p := port{s.stream, s.local.port}
	if n.ports[p] = slices.DeleteFunc(n.ports[p], func(other *socket) bool { return other == s }); len(n.ports[p]) == 0 {
		delete(n.ports, p)
	}
}

// reachable gives the address that a connection to one really goes to, or EACCES: no other network is there.
func reachable(to address) (address, errno) {
	switch ip := to.ip.Unmap(); {
	case ip.IsLoopback():
	case ip == netip.IPv4Unspecified():
		to.ip = netip.AddrFrom4([4]byte{127, 0, 0, 1})
	case ip == netip.IPv6Unspecified():
		to.ip = netip.IPv6Loopback()
	default:
		return to, errAcces
	}
	return to, errSuccess
}
