package wasi

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net/netip"
	"os"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// Where the tests of sockets keep addresses.
const (
	addrPtr    = 0x2000 // the structure
	addrBufPtr = 0x2010
	portPtr    = 0x2100
	familyPtr  = 0x2104
	sizePtr    = 0x2108
	flagsPtr   = 0x210c
	valuePtr   = 0x2110
)

func newSocketGuest(t testing.TB) *guest {
	n := new(Network)
	t.Cleanup(func() { n.Close() })
	return newGuest(t, Config{Network: n})
}

// addr writes an address structure for an IP address or a Unix-domain socket's name, and gives its place.
func (g *guest) addr(s string) int {
	g.t.Helper()
	buf := make([]byte, sizeStorage)
	if ip, err := netip.ParseAddr(s); err == nil {
		buf = ip.AsSlice()
	} else {
		binary.LittleEndian.PutUint16(buf, uint16(familyUnix))
		copy(buf[2:], s)
	}
	g.write(addrBufPtr, string(buf))
	g.mod.Memory().WriteUint32Le(addrPtr, addrBufPtr)
	g.mod.Memory().WriteUint32Le(addrPtr+4, uint32(len(buf)))
	return addrPtr
}

func (g *guest) sock(f family, typ int) uint32 {
	g.t.Helper()
	g.must("sock_open", int(f), typ, outPtr)
	return g.uint32(outPtr)
}

// serve makes a socket that listens, and gives its port.
func (g *guest) serve(ip string, backlog int) (fd, port uint32) {
	g.t.Helper()
	f := familyInet
	if strings.Contains(ip, ":") {
		f = familyInet6
	}
	fd = g.sock(f, socketStream)
	g.must("sock_bind", fd, g.addr(ip), 0)
	g.must("sock_listen", fd, backlog)
	_, port = g.name("sock_getlocaladdr", fd)
	return fd, port
}

// name gives the address that a call tells, and the port.
func (g *guest) name(call string, fd uint32) (netip.Addr, uint32) {
	g.t.Helper()
	g.addr("unix")
	g.must(call, fd, addrPtr, familyPtr, portPtr)
	b := []byte(g.read(addrBufPtr, 18))
	n := 4
	if family(g.uint32(familyPtr)) == familyInet6 {
		n = 16
	}
	ip, _ := netip.AddrFromSlice(b[2 : 2+n])
	return ip, g.uint32(portPtr)
}

func (g *guest) accept(fd uint32) uint32 {
	g.t.Helper()
	g.must("sock_accept", fd, 0, outPtr)
	return g.uint32(outPtr)
}

// connection makes a connection of a guest with itself.
func (g *guest) connection() (client, server uint32) {
	g.t.Helper()
	listener, port := g.serve("127.0.0.1", 1)
	client = g.sock(familyInet, socketStream)
	g.must("sock_connect", client, g.addr("127.0.0.1"), port)
	return client, g.accept(listener)
}

func (g *guest) recv(fd uint32, n uint32, flags int) (string, errno) {
	g.t.Helper()
	list, count := g.iovecs(bufPtr, n)
	e := g.call("sock_recv", fd, list, count, flags, sizePtr, flagsPtr)
	if e != errSuccess {
		return "", e
	}
	return g.read(bufPtr, g.uint32(sizePtr)), e
}

func TestStreams(t *testing.T) {
	for _, host := range []string{"127.0.0.1", "127.9.9.9", "::1"} {
		g := newSocketGuest(t)
		listener, port := g.serve(host, 5)
		if port < firstEphemeral {
			t.Errorf("%s: port %d", host, port)
		}
		f := familyInet
		if host == "::1" {
			f = familyInet6
		}
		client := g.sock(f, socketStream)
		g.must("sock_connect", client, g.addr(host), port)
		server := g.accept(listener)
		if _, e := g.print(client, "hello"); e != errSuccess {
			t.Error(e)
		}
		if s, _ := g.recv(server, 3, recvPeek); s != "hel" {
			t.Errorf("peeked %q", s)
		}
		if s, _ := g.scan(server, 10); s != "hello" {
			t.Errorf("read %q", s)
		}
		if at, p := g.name("sock_getpeeraddr", client); at.String() != host || p != port {
			t.Errorf("the client's peer is %v %d", at, p)
		}
		at, p := g.name("sock_getlocaladdr", client)
		if at2, p2 := g.name("sock_getpeeraddr", server); at != at2 || p != p2 {
			t.Errorf("the server's peer is %v %d, not %v %d", at2, p2, at, p)
		}
		g.must("sock_shutdown", client, 2)
		if s, e := g.scan(server, 10); s != "" || e != errSuccess {
			t.Errorf("after the end: %q %v", s, e)
		}
		g.print(server, "bye") // the other direction goes on
		if s, _ := g.scan(client, 10); s != "bye" {
			t.Errorf("read %q", s)
		}
		if _, e := g.print(client, "x"); e != errPipe {
			t.Errorf("after shutdown: %v", e)
		}
		g.must("fd_close", client)
		if _, e := g.print(server, "x"); e != errPipe {
			t.Errorf("after the client's end: %v", e)
		}
	}
}

// ip stands for an address structure with this address.
type ip string

func TestSocketErrors(t *testing.T) {
	g := newSocketGuest(t)
	listener, port := g.serve("127.0.0.1", 1)
	client, server := g.connection()
	s := g.sock(familyInet, socketStream)
	udp := g.sock(familyInet, socketDatagram)
	nonblock := g.sock(familyInet, socketStream)
	g.must("fd_fdstat_set_flags", nonblock, int(flagNonblock))
	v6 := g.sock(familyInet6, socketStream)
	for _, row := range []struct {
		call string
		args args
		want errno
	}{
		{"sock_open", args{0, 2, outPtr}, errAfnosupport},
		{"sock_open", args{1, 3, outPtr}, errPrototype},
		{"sock_bind", args{s, ip("127.0.0.1"), port}, errAddrinuse},
		{"sock_bind", args{s, ip("0.0.0.0"), port}, errAddrinuse},
		{"sock_bind", args{s, ip("10.0.0.1"), 0}, errAddrnotavail},
		{"sock_bind", args{s, ip("127.0.0.1"), 65536}, errInval},
		{"sock_bind", args{s, ip("::1"), 1}, errAfnosupport},
		{"sock_bind", args{listener, ip("127.0.0.1"), 1}, errInval},
		{"sock_connect", args{s, ip("127.0.0.1"), 1}, errConnrefused},
		{"sock_connect", args{s, ip("0.0.0.0"), 1}, errConnrefused},
		{"sock_connect", args{s, ip("93.184.216.34"), 80}, errAcces},
		{"sock_connect", args{v6, ip("2001:db8::1"), 80}, errAcces},
		{"sock_connect", args{client, ip("127.0.0.1"), port}, errIsconn},
		{"sock_connect", args{listener, ip("127.0.0.1"), port}, errInval},
		{"sock_accept", args{s, 0, outPtr}, errInval},
		{"sock_accept", args{udp, 0, outPtr}, errNotsup},
		{"sock_accept", args{listener, 1, outPtr}, errInval},
		{"sock_accept", args{listener, 0, lastBytes}, errFault},
		{"sock_listen", args{udp, 1}, errNotsup},
		{"sock_listen", args{client, 1}, errInval},
		{"sock_shutdown", args{s, 2}, errNotconn},
		{"sock_shutdown", args{client, 0}, errInval},
		{"sock_shutdown", args{client, 4}, errInval},
		{"sock_getpeeraddr", args{s, addrPtr, familyPtr, portPtr}, errNotconn},
		{"sock_getlocaladdr", args{s, past, familyPtr, portPtr}, errFault},
		{"sock_recv", args{s, listPtr, 1, 0, sizePtr, flagsPtr}, errNotconn},
		{"sock_recv", args{server, listPtr, 1, 4, sizePtr, flagsPtr}, errInval},
		{"sock_recv", args{server, listPtr, 1, 0, past, flagsPtr}, errFault},
		{"sock_recv", args{server, listPtr, 1, 0, sizePtr, guestSize - 1}, errFault},
		{"sock_recv", args{server, hugePtr, 1, 0, sizePtr, flagsPtr}, errFault},
		{"sock_send", args{s, listPtr, 1, 0, sizePtr}, errNotconn},
		{"sock_send", args{client, listPtr, 1, 1, sizePtr}, errInval},
		{"sock_send", args{client, listPtr, 1, 0, past}, errFault},
		{"sock_send", args{udp, listPtr, 1, 0, sizePtr}, errDestaddrreq},
		{"sock_send_to", args{udp, listPtr, 1, ip("8.8.8.8"), 53, 0, sizePtr}, errAcces},
		{"sock_recv_from", args{udp, listPtr, 1, past, 0, portPtr, sizePtr, flagsPtr}, errFault},
		{"sock_recv_from", args{v6, listPtr, 1, ip("127.0.0.1"), 0, portPtr, sizePtr, flagsPtr}, errInval},
		{"fd_seek", args{client, 0, 0, outPtr}, errSpipe},
		{"fd_pread", args{client, listPtr, 1, 0, outPtr}, errSpipe},
	} {
		for i, a := range row.args {
			if a, ok := a.(ip); ok {
				row.args[i] = g.addr(string(a))
			}
		}
		g.writeLists()
		g.want(row.want, row.call, row.args...)
	}
	g.must("sock_shutdown", client, 3)
	g.must("fd_fdstat_set_flags", listener, int(flagNonblock))
	g.want(errAgain, "sock_accept", listener, 0, outPtr)
}

// TestListenersShareNoPort binds in all ways that could overlap.
func TestListenersShareNoPort(t *testing.T) {
	for _, c := range []struct {
		first, second string
		v6only        bool // of the IPv6 socket
		want          errno
	}{
		{"127.0.0.1", "127.0.0.2", false, errSuccess},
		{"127.0.0.1", "127.0.0.1", false, errAddrinuse},
		{"0.0.0.0", "127.0.0.1", false, errAddrinuse},
		{"127.0.0.1", "0.0.0.0", false, errAddrinuse},
		{"127.0.0.1", "::1", false, errSuccess},
		{"0.0.0.0", "::", false, errAddrinuse},
		{"::", "0.0.0.0", false, errAddrinuse},
		{"0.0.0.0", "::", true, errSuccess},
		{"::", "127.0.0.1", false, errAddrinuse},
		{"::", "127.0.0.1", true, errSuccess},
	} {
		g := newSocketGuest(t)
		bind := func(ip string) errno {
			f := familyInet
			if strings.Contains(ip, ":") {
				f = familyInet6
			}
			fd := g.sock(f, socketStream)
			if f == familyInet6 && c.v6only {
				g.mod.Memory().WriteUint32Le(valuePtr, 1)
				g.must("sock_setsockopt", fd, levelIPv6, optV6only, valuePtr, 4)
			}
			return g.call("sock_bind", fd, g.addr(ip), 8080)
		}
		if e := bind(c.first); e != errSuccess {
			t.Fatal(e)
		}
		if e := bind(c.second); e != c.want {
			t.Errorf("%s after %s, IPv6 alone %v: %v, want %v", c.second, c.first, c.v6only, e, c.want)
		}
	}
}

// TestDualStack reaches a server on any IPv6 address over IPv4.
func TestDualStack(t *testing.T) {
	g := newSocketGuest(t)
	listener, port := g.serve("::", 1)
	client := g.sock(familyInet, socketStream)
	g.must("sock_connect", client, g.addr("127.0.0.1"), port)
	server := g.accept(listener)
	if ip, _ := g.name("sock_getpeeraddr", server); ip.String() != "::ffff:127.0.0.1" {
		t.Errorf("the peer is %v", ip)
	}
	if ip, _ := g.name("sock_getlocaladdr", client); ip.String() != "127.0.0.1" {
		t.Errorf("the client is %v", ip)
	}
}

func TestDatagrams(t *testing.T) {
	g := newSocketGuest(t)
	a, b := g.sock(familyInet, socketDatagram), g.sock(familyInet, socketDatagram)
	g.must("sock_bind", a, g.addr("127.0.0.1"), 5000)
	g.write(bufPtr, "onetwo")
	list, _ := g.iovecs(bufPtr, 3, bufPtr+3, 3)
	g.must("sock_send_to", b, list, 2, g.addr("127.0.0.1"), 5000, 0, sizePtr)
	g.must("sock_send_to", b, list, 1, g.addr("127.0.0.1"), 5000, 0, sizePtr)
	g.must("sock_send_to", b, list, 2, g.addr("127.0.0.1"), 5001, 0, sizePtr) // nobody: lost

	list, _ = g.iovecs(bufPtr+0x100, 4)
	g.addr("unix")
	g.must("sock_recv_from", a, list, 1, addrPtr, recvPeek, portPtr, sizePtr, flagsPtr)
	g.must("sock_recv_from", a, list, 1, addrPtr, 0, portPtr, sizePtr, flagsPtr)
	if s := g.read(bufPtr+0x100, g.uint32(sizePtr)); s != "onet" || g.uint32(flagsPtr)&0xffff != recvTruncated {
		t.Errorf("received %q with flags %d", s, g.uint32(flagsPtr))
	}
	_, port := g.name("sock_getlocaladdr", b)
	g.addr("unix")
	g.must("sock_recv_from", a, list, 1, addrPtr, 0, portPtr, sizePtr, flagsPtr)
	if s := g.read(bufPtr+0x100, g.uint32(sizePtr)); s != "one" || g.uint32(portPtr) != port {
		t.Errorf("received %q from %d, not %d", s, g.uint32(portPtr), port)
	}
	g.must("fd_fdstat_set_flags", a, int(flagNonblock))
	if _, e := g.scan(a, 1); e != errAgain {
		t.Errorf("nothing more: %v", e)
	}
	// A connected socket hears of nobody's listening with its next call.
	g.must("sock_connect", b, g.addr("127.0.0.1"), 5001)
	if _, e := g.print(b, "x"); e != errSuccess {
		t.Error(e)
	}
	if _, e := g.print(b, "x"); e != errConnrefused {
		t.Errorf("after a lost datagram: %v", e)
	}
	g.write(bufPtr, strings.Repeat("x", 0x1000))
	g.want(errMsgsize, "fd_write", b, g.manyBuffers(0x1000, 20), 20, sizePtr)
}

// manyBuffers writes a list of n buffers of the same place.
func (g *guest) manyBuffers(size, n uint32) uint32 {
	const at = 0x1a000
	for i := range n {
		g.mod.Memory().WriteUint32Le(at+8*i, bufPtr)
		g.mod.Memory().WriteUint32Le(at+8*i+4, size)
	}
	return at
}

func TestUnixSockets(t *testing.T) {
	for _, name := range []string{"/run.sock", "\x00abstract"} {
		g := newSocketGuest(t)
		listener := g.sock(familyUnix, socketStream)
		g.want(errInval, "sock_listen", listener, 1)
		g.must("sock_bind", listener, g.addr(name), 0)
		client := g.sock(familyUnix, socketStream)
		g.want(errAddrinuse, "sock_bind", client, g.addr(name), 0)
		g.want(errConnrefused, "sock_connect", client, g.addr(name), 0)
		g.must("sock_listen", listener, 1)
		g.must("sock_connect", client, g.addr(name), 0)
		server := g.accept(listener)
		g.print(server, "hi")
		if s, _ := g.scan(client, 10); s != "hi" {
			t.Errorf("read %q", s)
		}
		g.must("fd_close", listener)
		other := g.sock(familyUnix, socketStream)
		g.want(errConnrefused, "sock_connect", other, g.addr(name), 0)
		g.want(errNoent, "sock_connect", other, g.addr("/missing"), 0)
	}
	g := newSocketGuest(t)
	a, b := g.sock(familyUnix, socketDatagram), g.sock(familyUnix, socketDatagram)
	g.must("sock_bind", a, g.addr("/log"), 0)
	g.must("path_stat", 3, 0, "log", outPtr)
	if mode := g.uint32(outPtr + 24); mode != modeSocket|0o755 {
		t.Errorf("mode %o", mode)
	}
	g.must("sock_connect", b, g.addr("/log"), 0)
	g.print(b, "entry")
	if s, _ := g.scan(a, 10); s != "entry" {
		t.Errorf("read %q", s)
	}
}

// TestDontWait asks once not to wait, on sockets that do.
func TestDontWait(t *testing.T) {
	g := newSocketGuest(t)
	client, server := g.connection()
	if _, e := g.recv(server, 1, dontWait); e != errAgain {
		t.Errorf("nothing to receive: %v", e)
	}
	list := g.manyBuffers(0x1000, 32)
	g.must("sock_send", client, list, 32, dontWait, sizePtr)
	if n := g.uint32(sizePtr); n != pipeSize {
		t.Errorf("%d bytes sent", n)
	}
	g.want(errAgain, "sock_send", client, list, 32, dontWait, sizePtr)
}

func TestSocketPair(t *testing.T) {
	g := newSocketGuest(t)
	g.must("sock_pair", makeCloexec|makeNonblock, outPtr)
	a, b := g.uint32(outPtr), g.uint32(outPtr+4)
	if _, e := g.scan(a, 1); e != errAgain {
		t.Errorf("empty: %v", e)
	}
	g.print(a, "x")
	if s, _ := g.scan(b, 1); s != "x" {
		t.Errorf("read %q", s)
	}
	g.must("fd_flags_get", a, outPtr)
	if g.uint32(outPtr) != makeCloexec {
		t.Error("it doesn't close on execution")
	}
}

func TestSocketOptions(t *testing.T) {
	g := newSocketGuest(t)
	s := g.sock(familyInet, socketStream)
	get := func(level, name int) uint32 {
		g.mod.Memory().WriteUint32Le(sizePtr, 4)
		g.must("sock_getsockopt", s, level, name, valuePtr, sizePtr)
		return g.uint32(valuePtr)
	}
	if typ := get(levelSocket, int(optType)); typ != socketStream {
		t.Errorf("type %d", typ)
	}
	g.mod.Memory().WriteUint32Le(valuePtr, 1)
	g.must("sock_setsockopt", s, levelSocket, int(optReuseaddr), valuePtr, 4)
	g.must("sock_setsockopt", s, levelTCP, 1, valuePtr, 4)
	if get(levelSocket, int(optReuseaddr)) != 1 || get(levelTCP, 1) != 1 || get(levelSocket, int(optAcceptconn)) != 0 {
		t.Error("an option isn't kept")
	}
	if n := get(levelSocket, int(optSndbuf)); n != pipeSize {
		t.Errorf("send buffer of %d bytes", n)
	}
	g.must("sock_listen", s, 1)
	if get(levelSocket, int(optAcceptconn)) != 1 {
		t.Error("it doesn't say that it listens")
	}
	g.mod.Memory().WriteUint64Le(valuePtr, 2)
	g.mod.Memory().WriteUint64Le(valuePtr+8, 500000)
	g.must("sock_setsockopt", s, levelSocket, int(optRcvtimeo), valuePtr, 16)
	g.mod.Memory().WriteUint32Le(sizePtr, 16)
	g.must("sock_getsockopt", s, levelSocket, int(optRcvtimeo), valuePtr+16, sizePtr)
	if g.uint64(valuePtr+16) != 2 || g.uint64(valuePtr+24) != 500000 || g.uint32(sizePtr) != 16 {
		t.Error("the timeout isn't kept")
	}
	for _, row := range []struct {
		call string
		args args
		want errno
	}{
		{"sock_setsockopt", args{s, levelSocket, int(optType), valuePtr, 4}, errNoprotoopt},
		{"sock_setsockopt", args{s, levelSocket, 14, valuePtr, 4}, errNoprotoopt},
		{"sock_setsockopt", args{s, 99, 0, valuePtr, 4}, errNoprotoopt},
		{"sock_setsockopt", args{s, levelSocket, 0, valuePtr, 3}, errInval},
		{"sock_setsockopt", args{s, levelSocket, int(optRcvtimeo), valuePtr, 8}, errInval},
		{"sock_setsockopt", args{s, levelSocket, 0, past, 4}, errFault},
		{"sock_setsockopt", args{s, levelTCP, wraps, valuePtr, 4}, errNoprotoopt},
		{"sock_getsockopt", args{s, levelSocket, wraps, valuePtr, sizePtr}, errNoprotoopt},
		{"sock_getsockopt", args{s, levelSocket, 0, past, sizePtr}, errFault},
		{"sock_getsockopt", args{s, levelSocket, 0, valuePtr, lastBytes}, errFault},
	} {
		g.want(row.want, row.call, row.args...)
	}
}

// TestReceiveTimeout waits no longer than it was told to.
func TestReceiveTimeout(t *testing.T) {
	clock := &fakeClock{}
	n := new(Network)
	defer n.Close()
	g := newGuest(t, Config{Network: n, Clock: clock})
	client, _ := g.connection()
	g.mod.Memory().WriteUint64Le(valuePtr, 2)
	g.mod.Memory().WriteUint64Le(valuePtr+8, 0)
	g.must("sock_setsockopt", client, levelSocket, int(optRcvtimeo), valuePtr, 16)
	before := clock.Monotonic()
	if _, e := g.scan(client, 1); e != errAgain {
		t.Errorf("%v", e)
	}
	if passed := clock.Monotonic() - before; passed < 2*time.Second {
		t.Errorf("after %v", passed)
	}
}

// TestSocketsWait has each end wait for the other.
func TestSocketsWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := new(Network)
		defer n.Close()
		g := newGuest(t, Config{Network: n})
		listener, port := g.serve("127.0.0.1", 1)
		got := make(chan string)
		go func() { // the server: ends with its client
			fd := g.accept(listener)
			s, _ := g.recv(fd, 6, recvWaitall)
			got <- s
		}()
		synctest.Wait()
		conn, err := n.Dial(t.Context(), netip.MustParseAddrPort("127.0.0.1:"+itoa(port)))
		if err != nil {
			t.Fatal(err)
		}
		conn.Write([]byte("abc"))
		synctest.Wait()
		conn.Write([]byte("def"))
		if s := <-got; s != "abcdef" {
			t.Errorf("received %q", s)
		}
	})
}

// TestTwoProcesses has a server in one process answer a client in another.
func TestTwoProcesses(t *testing.T) {
	n := new(Network)
	defer n.Close()
	server, client := newGuest(t, Config{Network: n}), newGuest(t, Config{Network: n})
	listener, port := server.serve("0.0.0.0", 1)
	done := make(chan string)
	go func() { // ends with its one client
		fd := server.accept(listener)
		s, _ := server.scan(fd, 100)
		server.print(fd, strings.ToUpper(s))
		server.call("fd_close", fd)
		done <- s
	}()
	fd := client.sock(familyInet, socketStream)
	client.must("sock_connect", fd, client.addr("127.0.0.1"), port)
	client.print(fd, "hello")
	if s, e := client.recv(fd, 100, recvWaitall); s != "HELLO" || e != errSuccess {
		t.Errorf("answered %q %v", s, e)
	}
	if s := <-done; s != "hello" {
		t.Errorf("asked %q", s)
	}
}

func itoa(n uint32) string { return string(appendInt(nil, n)) }

func appendInt(b []byte, n uint32) []byte {
	if n >= 10 {
		b = appendInt(b, n/10)
	}
	return append(b, byte('0'+n%10))
}

// TestBacklog fills the queue of a server that doesn't accept.
func TestBacklog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := new(Network)
		defer n.Close()
		g := newGuest(t, Config{Network: n})
		listener, port := g.serve("127.0.0.1", 2)
		for range 2 {
			g.must("sock_connect", g.sock(familyInet, socketStream), g.addr("127.0.0.1"), port)
		}
		nonblock := g.sock(familyInet, socketStream)
		g.must("fd_fdstat_set_flags", nonblock, int(flagNonblock))
		g.want(errAgain, "sock_connect", nonblock, g.addr("127.0.0.1"), port)
		last := g.sock(familyInet, socketStream)
		done := make(chan errno)
		go func() { done <- g.call("sock_connect", last, g.addr("127.0.0.1"), port) }()
		synctest.Wait()
		select {
		case e := <-done:
			t.Fatalf("connected beyond the backlog: %v", e)
		default:
		}
		s, _, _ := g.host.socket(uint64(listener))
		if _, err := s.accept(nil); err != nil {
			t.Error(err)
		}
		if e := <-done; e != errSuccess {
			t.Errorf("after there is room: %v", e)
		}
	})
}

func TestPollSockets(t *testing.T) {
	g := newSocketGuest(t)
	listener, port := g.serve("127.0.0.1", 1)
	client := g.sock(familyInet, socketStream)
	g.must("fd_fdstat_set_flags", listener, int(flagNonblock))
	in := func(fd uint32) subscription { return subscription{typ: eventFdRead, fd: fd} }
	out := func(fd uint32) subscription { return subscription{typ: eventFdWrite, fd: fd} }
	now := subscription{clock: clockMonotonic}
	check := func(what, want string, subs ...subscription) {
		t.Helper()
		if got, err := g.poll(subs...); got != want || err != nil {
			t.Errorf("%s: %q %v, want %q", what, got, err, want)
		}
	}
	check("nobody connects", "1", in(listener), now)
	check("not connected", "0 0 hangup", in(client))
	g.must("sock_connect", client, g.addr("127.0.0.1"), port)
	check("a connection waits", "0 0", in(listener))
	server := g.accept(listener)
	check("room to write, nothing to read", "1 65536, 2", in(client), out(client), now)
	g.print(server, "abc")
	check("something to read", "0 3", in(client))
	g.must("fd_close", server)
	check("the end", "0 3 hangup", in(client))
	udp := g.sock(familyInet, socketDatagram)
	check("a datagram socket", "1 65507, 2", in(udp), out(udp), now)
}

func TestGetaddrinfo(t *testing.T) {
	const hintPtr, infoPtr, sockaddrPtr, dataPtr, headPtr = 0x3000, 0x3100, 0x3400, 0x3600, 0x3040
	g := newSocketGuest(t)
	prepare := func(flags, f, typ, protocol byte) {
		g.write(hintPtr, string([]byte{flags, 0, f, typ, protocol}))
		g.mod.Memory().WriteUint32Le(headPtr, infoPtr)
		for i := range uint32(8) {
			info, sockaddr := uint32(infoPtr+i*sizeAddrinfo), uint32(sockaddrPtr+i*sizeSockaddr)
			g.mod.Memory().WriteUint32Le(info+12, sockaddr)
			g.mod.Memory().WriteUint32Le(info+24, info+sizeAddrinfo)
			g.mod.Memory().WriteUint32Le(sockaddr+4, 26)
			g.mod.Memory().WriteUint32Le(sockaddr+8, dataPtr+i*26)
		}
	}
	results := func() string {
		var out []string
		for i := range g.uint32(outPtr) {
			info := []byte(g.read(infoPtr+i*sizeAddrinfo, 5))
			data := []byte(g.read(dataPtr+i*26, 26))
			ip, _ := netip.AddrFromSlice(data[2:6])
			if info[2] == byte(familyInet6) {
				ip, _ = netip.AddrFromSlice(data[6:22])
			}
			kind := map[byte]string{socketStream: "tcp", socketDatagram: "udp"}[info[3]]
			out = append(out, kind+" "+netip.AddrPortFrom(ip, binary.BigEndian.Uint16(data)).String())
		}
		return strings.Join(out, ", ")
	}
	for _, c := range []struct {
		node, service      string
		flags, family, typ byte
		want               string
		e                  errno
	}{
		{"localhost", "8080", 0, 0, socketStream, "tcp 127.0.0.1:8080, tcp [::1]:8080", 0},
		{"localhost\x00", "http\x00", 0, 1, 0, "tcp 127.0.0.1:80, udp 127.0.0.1:80", 0},
		{"", "1", hintPassive, 1, socketStream, "tcp 0.0.0.0:1", 0},
		{"", "1", 0, 2, socketDatagram, "udp [::1]:1", 0},
		{"10.1.2.3", "", 0, 0, socketStream, "tcp 10.1.2.3:0", 0},
		{"::1", "9", 0, 1, socketStream, "", errNoent},
		{"localhost", "", hintNumericHost, 0, 0, "", errNoent},
		{"example.com", "80", 0, 0, 0, "", errAcces},
		{"localhost", "no-such-service", 0, 0, 0, "", errNoent},
		{"localhost", "1", 0, 3, 0, "", errAfnosupport},
		{"localhost", "1", 0, 0, 3, "", errPrototype},
	} {
		prepare(c.flags, c.family, c.typ, 0)
		if e := g.call("sock_getaddrinfo", c.node, c.service, hintPtr, headPtr, 8, outPtr); e != c.e {
			t.Errorf("%q %q: %v, want %v", c.node, c.service, e, c.e)
		} else if got := results(); e == errSuccess && got != c.want {
			t.Errorf("%q %q: %s, want %s", c.node, c.service, got, c.want)
		}
	}
	prepare(0, 0, 0, 0)
	g.want(errInval, "sock_getaddrinfo", "localhost", "", hintPtr, headPtr, 0, outPtr)
	g.want(errInval, "sock_getaddrinfo", "localhost", "", hintPtr, headPtr, maxAddrinfo+1, outPtr)
	g.want(errFault, "sock_getaddrinfo", "localhost", "", past, headPtr, 1, outPtr)
	g.want(errFault, "sock_getaddrinfo", "localhost", "", hintPtr, past, 1, outPtr)
	g.want(errFault, "sock_getaddrinfo", "localhost", "", hintPtr, headPtr, 1, past)
	g.want(errFault, "sock_getaddrinfo", past, 1, "", hintPtr, headPtr, 1, outPtr)
	g.mod.Memory().WriteUint32Le(infoPtr+12, past)
	g.want(errFault, "sock_getaddrinfo", "localhost", "", hintPtr, headPtr, 8, outPtr)
	g.mod.Memory().WriteUint32Le(infoPtr+12, sockaddrPtr)
	g.mod.Memory().WriteUint32Le(sockaddrPtr+4, 13)
	g.want(errInval, "sock_getaddrinfo", "localhost", "", hintPtr, headPtr, 8, outPtr)
}

// TestHostSide connects the host with a guest's server, and a guest with the host's.
func TestHostSide(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := new(Network)
		g := newGuest(t, Config{Network: n})
		here := netip.MustParseAddrPort("127.0.0.1:7000")
		if _, err := n.Dial(t.Context(), here); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("nobody listens: %v", err)
		}
		l, err := n.Listen(here)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := n.Listen(here); !errors.Is(err, syscall.EADDRINUSE) {
			t.Errorf("a second listener: %v", err)
		}
		client := g.sock(familyInet, socketStream)
		g.must("sock_connect", client, g.addr("127.0.0.1"), 7000)
		conn, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		want := bytes.Repeat([]byte("0123456789"), 20000)
		go conn.Write(want) // ends when all is read
		var got []byte
		for len(got) < len(want) {
			s, e := g.scan(client, 0x4000)
			if e != errSuccess {
				t.Fatal(e)
			}
			got = append(got, s...)
		}
		if !bytes.Equal(got, want) {
			t.Error("other bytes arrive")
		}
		conn.SetReadDeadline(time.Now().Add(time.Second))
		if _, err := conn.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("nothing to read: %v", err)
		}
		conn.SetReadDeadline(time.Time{})
		g.print(client, "x")
		g.must("fd_close", client)
		if b, err := io.ReadAll(conn); string(b) != "x" || err != nil {
			t.Errorf("read %q %v", b, err)
		}
		conn.Close()

		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		g.serve("127.0.0.1", 1) // accepts nothing
		_, port := g.serve("127.0.0.1", 1)
		at := netip.AddrPortFrom(here.Addr(), uint16(port))
		if _, err := n.Dial(ctx, at); err != nil {
			t.Error(err)
		}
		if _, err := n.Dial(ctx, at); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("beyond the backlog: %v", err)
		}
		go n.Close()
		if _, err := l.Accept(); err == nil {
			t.Error("accepts after Close")
		}
		if e := g.call("sock_open", 1, 2, outPtr); e != errAcces {
			t.Errorf("a socket after Close: %v", e)
		}
	})
}

// TestSocketsAreLimited opens as many as there may be, and finds them free after they are closed.
func TestSocketsAreLimited(t *testing.T) {
	n := new(Network)
	var all []*socket
	for {
		s, e := n.open(familyInet, true)
		if e == errNfile {
			break
		}
		all = append(all, s)
	}
	if len(all) != maxSockets {
		t.Errorf("%d sockets", len(all))
	}
	all[0].close()
	if _, e := n.open(familyInet, true); e != errSuccess {
		t.Error(e)
	}
	n.Close()
	if len(n.all)+len(n.ports)+len(n.names) != 0 {
		t.Error("sockets are left after Close")
	}
}
