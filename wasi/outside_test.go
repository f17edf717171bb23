package wasi

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"net"
	"net/netip"
	"strings"
	"syscall"
	"testing"
	"time"
)

// world is an Outside of names and of ports of this machine.
type world struct {
	names map[string][]netip.Addr
	dial  func(ctx context.Context, address string) (net.Conn, error)
	deny  bool
}

func (w *world) Allows(to netip.AddrPort) bool { return !w.deny }

func (w *world) DialContext(ctx context.Context, _, address string) (net.Conn, error) {
	return w.dial(ctx, address)
}

func (w *world) LookupNetIP(_ context.Context, _, host string) ([]netip.Addr, error) {
	switch ips, ok := w.names[host]; {
	case w.deny:
		return nil, fs.ErrPermission
	case ok:
		return ips, nil
	case host == "flaky":
		return nil, &net.DNSError{IsTemporary: true}
	}
	return nil, &net.DNSError{IsNotFound: true}
}

func newOutsideGuest(t *testing.T, w *world) (*guest, *Network) {
	n := &Network{Outside: w}
	t.Cleanup(func() { n.Close() })
	return newGuest(t, Config{Network: n}), n
}

// serveOutside is a TCP server of this machine, and a dial that leads to it from any address.
func serveOutside(t *testing.T, handle func(*net.TCPConn)) func(context.Context, string) (net.Conn, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() { // ends with the listener
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go handle(conn.(*net.TCPConn))
		}
	}()
	return func(ctx context.Context, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "tcp", l.Addr().String())
	}
}

// upper answers what it is sent in capitals, when the guest has ended its half.
func upper(conn *net.TCPConn) {
	defer conn.Close()
	b, err := io.ReadAll(conn)
	if err == nil {
		io.WriteString(conn, strings.ToUpper(string(b)))
	}
}

func (g *guest) recvAll(fd uint32) (string, errno) {
	var all strings.Builder
	for {
		got, e := g.recv(fd, 1024, 0)
		if e != errSuccess || got == "" {
			return all.String(), e
		}
		all.WriteString(got)
	}
}

// say sends, and recvAll reads to the end.
func (g *guest) say(fd uint32, text string) errno {
	list, count := g.iovecs(bufPtr, uint32(len(text)))
	g.write(bufPtr, text)
	return g.call("sock_send", fd, list, count, 0, sizePtr)
}

// fault takes the socket's pending error.
func (g *guest) fault(fd uint32) errno {
	g.mod.Memory().WriteUint32Le(sizePtr, 4)
	g.must("sock_getsockopt", fd, 0, int(optError), valuePtr, sizePtr)
	return errno(g.uint32(valuePtr))
}

func TestOutsideCarriesBothWays(t *testing.T) {
	g, n := newOutsideGuest(t, &world{dial: serveOutside(t, upper)})
	s := g.sock(familyInet, socketStream)
	g.must("sock_connect", s, g.addr("93.184.216.34"), 80)
	g.want(errIsconn, "sock_connect", s, g.addr("93.184.216.34"), 80)
	if at, port := g.name("sock_getpeeraddr", s); at.String() != "93.184.216.34" || port != 80 {
		t.Errorf("the peer is %s:%d", at, port)
	}
	if at, port := g.name("sock_getlocaladdr", s); at != outsideIP4 || port < firstEphemeral {
		t.Errorf("the own address is %s:%d", at, port)
	}
	if e := g.say(s, "hello"); e != errSuccess {
		t.Fatal(e)
	}
	g.must("sock_shutdown", s, 2)
	if got, e := g.recvAll(s); got != "HELLO" || e != errSuccess {
		t.Errorf("received %q, %v", got, e)
	}
	g.must("fd_close", s)
	if err := n.Close(); err != nil { // waits for what carries
		t.Error(err)
	}
}

func TestOutsideNonblocking(t *testing.T) {
	go1 := make(chan struct{})
	dial := serveOutside(t, upper)
	g, _ := newOutsideGuest(t, &world{dial: func(ctx context.Context, at string) (net.Conn, error) {
		select {
		case <-go1:
			return dial(ctx, at)
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}})
	s := g.sock(familyInet, socketStream)
	g.must("fd_fdstat_set_flags", s, int(flagNonblock))
	g.want(errInprogress, "sock_connect", s, g.addr("93.184.216.34"), 80)
	g.want(errAlready, "sock_connect", s, g.addr("93.184.216.34"), 80)
	if _, e := g.recv(s, 10, 0); e != errNotconn {
		t.Errorf("recv while connecting: %v", e)
	}
	socket, _, _ := g.host.socket(uint64(s))
	if socket.poll(true, nil).ready {
		t.Error("ready for writing before it is connected")
	}
	close(go1)
	waitFor(t, func() bool { return socket.poll(true, nil).ready })
	if e := g.fault(s); e != errSuccess {
		t.Errorf("SO_ERROR is %v", e)
	}
	g.want(errIsconn, "sock_connect", s, g.addr("93.184.216.34"), 80)
}

func waitFor(t *testing.T, what func() bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); !what(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("it doesn't come")
		}
	}
}

func TestOutsideErrors(t *testing.T) {
	for _, c := range []struct {
		err  error
		want errno
	}{
		{syscall.ECONNREFUSED, errConnrefused}, {syscall.ETIMEDOUT, errTimedout}, {context.DeadlineExceeded, errTimedout},
		{syscall.ENETUNREACH, errNetunreach}, {syscall.EHOSTUNREACH, errHostunreach}, {fs.ErrPermission, errAcces},
		{syscall.EMFILE, errNobufs}, {errors.New("what?"), errHostunreach},
	} {
		g, _ := newOutsideGuest(t, &world{dial: func(context.Context, string) (net.Conn, error) { return nil, c.err }})
		s := g.sock(familyInet, socketStream)
		g.want(c.want, "sock_connect", s, g.addr("93.184.216.34"), 80)
		// The same, told later.
		g.must("fd_fdstat_set_flags", s, int(flagNonblock))
		g.want(errInprogress, "sock_connect", s, g.addr("93.184.216.34"), 80)
		socket, _, _ := g.host.socket(uint64(s))
		waitFor(t, func() bool { return socket.poll(true, nil).ready })
		if e := g.fault(s); e != c.want {
			t.Errorf("%v: SO_ERROR is %v", c.err, e)
		}
	}
	g, _ := newOutsideGuest(t, &world{deny: true})
	g.want(errAcces, "sock_connect", g.sock(familyInet, socketStream), g.addr("93.184.216.34"), 80)
	g.want(errConnrefused, "sock_connect", g.sock(familyInet, socketStream), g.addr("127.0.0.1"), 80)
	bound := g.sock(familyInet, socketStream)
	g.must("sock_bind", bound, g.addr("127.0.0.1"), 0)
	g2, _ := newOutsideGuest(t, &world{dial: serveOutside(t, upper)})
	udp := g2.sock(familyInet, socketDatagram)
	g2.want(errAcces, "sock_connect", udp, g2.addr("93.184.216.34"), 80)
	near := g2.sock(familyInet, socketStream)
	g2.must("sock_bind", near, g2.addr("127.0.0.1"), 0)
	g2.want(errInval, "sock_connect", near, g2.addr("93.184.216.34"), 80)
}

// A connection that is reset is one that the guest finds reset, after what came before.
func TestOutsideReset(t *testing.T) {
	g, _ := newOutsideGuest(t, &world{dial: serveOutside(t, func(conn *net.TCPConn) {
		io.WriteString(conn, "so far")
		io.ReadFull(conn, make([]byte, 1))
		conn.SetLinger(0)
		conn.Close()
	})})
	s := g.sock(familyInet, socketStream)
	g.must("sock_connect", s, g.addr("93.184.216.34"), 80)
	if got, e := g.recv(s, 6, 0); got != "so far" || e != errSuccess {
		t.Fatal(got, e)
	}
	g.say(s, "x")
	if got, e := g.recv(s, 10, 0); e != errConnreset {
		t.Errorf("received %q, %v", got, e)
	}
}

// A port that nothing in the sandbox listens on may lead to the host's; one that something does may not.
func TestOutsideLoopback(t *testing.T) {
	g, _ := newOutsideGuest(t, &world{dial: serveOutside(t, upper)})
	_, port := g.serve("127.0.0.1", 1)
	own := g.sock(familyInet, socketStream)
	g.must("sock_connect", own, g.addr("127.0.0.1"), port)
	if s, _, _ := g.host.socket(uint64(own)); s.outside != nil {
		t.Error("a port of the sandbox's own leads outside")
	}
	far := g.sock(familyInet, socketStream)
	g.must("sock_connect", far, g.addr("127.0.0.1"), 9)
	if s, _, _ := g.host.socket(uint64(far)); s.outside == nil {
		t.Error("nothing is outside")
	}
}

// Closing the Network ends what goes on, and waits for it; so does closing a socket that is on its way.
func TestOutsideClose(t *testing.T) {
	ended := make(chan struct{}, 1)
	g, n := newOutsideGuest(t, &world{dial: func(ctx context.Context, at string) (net.Conn, error) {
		<-ctx.Done()
		ended <- struct{}{}
		return nil, ctx.Err()
	}})
	s := g.sock(familyInet, socketStream)
	g.must("fd_fdstat_set_flags", s, int(flagNonblock))
	g.want(errInprogress, "sock_connect", s, g.addr("93.184.216.34"), 80)
	g.must("fd_close", s)
	<-ended
	silent := make(chan struct{})
	defer close(silent)
	n.Outside.(*world).dial = serveOutside(t, func(conn *net.TCPConn) { <-silent; conn.Close() })
	g.must("sock_connect", g.sock(familyInet, socketStream), g.addr("93.184.216.34"), 80)
	n.Close()
}

// A guest that leaves doesn't keep the connection, whatever the other side does.
func TestOutsideGuestLeaves(t *testing.T) {
	gone := make(chan struct{})
	g, _ := newOutsideGuest(t, &world{dial: serveOutside(t, func(conn *net.TCPConn) {
		io.Copy(io.Discard, conn) // and never says a word
		for {
			if _, err := conn.Write([]byte("x")); err != nil {
				close(gone)
				return
			}
			time.Sleep(time.Millisecond)
		}
	})})
	s := g.sock(familyInet, socketStream)
	g.must("sock_connect", s, g.addr("93.184.216.34"), 80)
	g.must("fd_close", s)
	select {
	case <-gone:
	case <-time.After(10 * time.Second):
		t.Error("the connection is still there")
	}
}

func TestOutsideNames(t *testing.T) {
	w := &world{names: map[string][]netip.Addr{
		"two.example": {netip.MustParseAddr("93.184.216.34"), netip.MustParseAddr("2606:2800::1")},
	}}
	n := &Network{Outside: w}
	defer n.Close()
	g := newGuest(t, Config{Network: n})
	ctx := Bind(context.Background(), g.host)
	for _, c := range []struct {
		name   string
		family family
		want   int
		e      errno
	}{
		{"two.example", familyAny, 2, errSuccess}, {"two.example", familyInet, 1, errSuccess}, {"two.example", familyInet6, 1, errSuccess},
		{"none.example", familyAny, 0, errNoent}, {"flaky", familyAny, 0, errAgain},
	} {
		got, e := question{node: c.name, service: "443", family: c.family, typ: socketStream}.resolve(ctx, n)
		if len(got) != c.want || e != c.e || c.want > 0 && got[0].port != 443 {
			t.Errorf("%s: %v, %v", c.name, got, e)
		}
	}
	w.deny = true
	if _, e := (question{node: "two.example"}).resolve(ctx, n); e != errAcces {
		t.Errorf("denied: %v", e)
	}
}
