package wasi

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"runtime"
	"syscall"
	"time"
)

// Outside is the way from a sandbox's [Network] to others. It decides what may be reached, and bounds it: a Network asks
// for as many connections as it has sockets. Its methods are called by several goroutines at once.
type Outside interface {
	// Allows says, without waiting, whether a connection to an address may be tried.
	Allows(to netip.AddrPort) bool
	// DialContext connects to an address and a port, of network "tcp". An error that errors.Is finds to be
	// fs.ErrPermission is EACCES for the guest.
	DialContext(ctx context.Context, network, address string) (net.Conn, error)
	// LookupNetIP gives the addresses of a name, of network "ip", "ip4" or "ip6". An error that errors.Is finds to be
	// fs.ErrPermission is EACCES for the guest; a *net.DNSError tells names that aren't there from other faults.
	LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error)
}

// What a guest sees as its own address on the way out: the host's is none of its business.
var (
	outsideIP4 = netip.AddrFrom4([4]byte{10, 0, 2, 15})
	outsideIP6 = netip.AddrFrom16([16]byte{0: 0xfd, 15: 15})
)

// lingering bounds how long what a guest has written may still be sent after it has closed its socket.
const lingering = 30 * time.Second

// allows says whether a way out leads to an address.
func (n *Network) allows(to address) bool {
	return n.Outside != nil && n.Outside.Allows(netip.AddrPortFrom(to.ip.Unmap(), to.port))
}

// connectTo is connect, for an address that may lie outside.
func (s *socket) connectTo(to address, name unixName, nonblock bool, w *waiter) error {
	if !s.stream || s.family == familyUnix {
		return s.connect(to, name, w)
	}
	if err, under := s.dialed(nonblock, w); under {
		return err
	}
	if near, e := reachable(to); e == errSuccess {
		if err := s.connect(near, name, w); err != errConnrefused || !s.net.allows(near) {
			return err
		}
		to = near
	} else if !s.net.allows(to) {
		return errAcces
	}
	if err := s.dial(to); err != nil {
		return err
	}
	if nonblock {
		return errInprogress
	}
	err, _ := s.dialed(false, w)
	return err
}

// dialed tells what has become of a connection on its way out. It answers errAgain, and registers w if that isn't nil,
// while nothing has; under is false if there is none.
func (s *socket) dialed(nonblock bool, w *waiter) (err error, under bool) {
	s.net.mu.Lock()
	defer s.net.mu.Unlock()
	switch {
	case s.state == dialing && nonblock:
		return errAlready, true
	case s.state == dialing:
		if w != nil {
			s.waiters.add(w)
		}
		return errAgain, true
	case s.state == connected && s.outside != nil:
		dialed := s.untold
		s.untold = false
		if dialed && !nonblock {
			return nil, true
		}
		return errIsconn, true
	case s.state == fresh && s.fault != errSuccess:
		return s.takeFaultLocked(), true
	}
	return nil, false
}

// dial begins to connect a stream to an address outside.
func (s *socket) dial(to address) error {
	s.net.mu.Lock()
	defer s.net.mu.Unlock()
	switch {
	case s.closed || s.net.closed:
		return fs.ErrClosed
	case s.state != fresh:
		return errInval
	case s.bound && !s.local.ip.IsUnspecified():
		return errInval // bound to the loopback interface, which no way leads out of
	}
	ctx, cancel := context.WithCancel(context.Background())
	s.state, s.remote, s.cancel = dialing, to, cancel
	s.net.running.Add(1)
	go func() { // ends with the dial, which closing the socket cancels
		defer s.net.running.Done()
		defer cancel()
		conn, err := s.net.Outside.DialContext(ctx, "tcp", netip.AddrPortFrom(to.ip.Unmap(), to.port).String())
		s.carry(conn, err)
	}()
	return nil
}

// carry makes a dialled connection the socket's, or tells why there is none.
func (s *socket) carry(conn net.Conn, err error) {
	s.net.mu.Lock()
	defer s.net.mu.Unlock()
	defer s.waiters.wake()
	s.cancel, s.state = nil, fresh
	if err == nil && s.closed {
		conn.Close()
		return
	}
	if err == nil && !s.bound {
		if e := s.net.bindLocked(s, s.anywhere()); e != errSuccess {
			err = e
		}
	}
	var far *socket
	if err == nil {
		var e errno
		if far, e = s.net.openLocked(s.family, true); e != errSuccess {
			err = e
		}
	}
	if err != nil {
		if conn != nil {
			conn.Close()
		}
		s.fault, s.remote = dialErrno(err), address{}
		return
	}
	s.local.ip = outsideIP4
	if s.family == familyInet6 && !s.remote.ip.Is4In6() {
		s.local.ip = outsideIP6
	}
	s.local = s.local.as(s.family)
	join(s, far)
	far.outside, s.outside, s.untold = conn, conn, true
	s.net.running.Add(2)
	// Both end with the connection, which closing the sandbox's Network closes.
	left := make(chan struct{})
	go far.bringOut(conn, left)
	go far.bringIn(conn, left)
}

// bringOut carries what the guest writes to the connection, and closes it when the guest has closed its socket.
func (s *socket) bringOut(conn net.Conn, left chan struct{}) {
	defer s.net.running.Done()
	near := &hostConn{s: s}
	_, err := io.Copy(conn, near)
	if half, ok := conn.(interface{ CloseWrite() error }); ok && err == nil {
		err = half.CloseWrite()
	}
	if err == nil { // a guest that has only shut down its end may still read
		hostWait(left, nil, s.forget, s.out.abandoned) //nolint:errcheck // either way it is over
	}
	conn.Close()
	s.in.closeReader()
	<-left
	s.close() //nolint:errcheck // it has no error
}

// bringIn carries what comes from the connection to the guest.
func (s *socket) bringIn(conn net.Conn, left chan struct{}) {
	defer s.net.running.Done()
	defer close(left)
	near := &hostConn{s: s}
	_, err := io.Copy(near, conn)
	if err != nil && !errors.Is(err, io.EOF) {
		s.out.fail(dialErrno(err))
	}
	s.out.closeWriter()
}

// abandoned answers errAgain, and registers w, while somebody may read from the pipe.
func (p *pipe) abandoned(w *waiter) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.readerClosed {
		return 0, nil
	}
	p.waiters.add(w)
	return 0, errAgain
}

// fail makes the reader find an error, once, after what is in the pipe.
func (p *pipe) fail(e errno) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.failure = e
}

// outsideErrnos are the system's errors of connections. Windows has numbers of its own.
var outsideErrnos = [...]struct {
	sys     syscall.Errno
	windows syscall.Errno
	errno   errno
}{
	{syscall.ECONNREFUSED, 10061, errConnrefused},
	{syscall.ECONNRESET, 10054, errConnreset},
	{syscall.ECONNABORTED, 10053, errConnreset},
	{syscall.EPIPE, 10058, errConnreset},
	{syscall.ETIMEDOUT, 10060, errTimedout},
	{syscall.ENETUNREACH, 10051, errNetunreach},
	{syscall.EHOSTUNREACH, 10065, errHostunreach},
	{syscall.EADDRNOTAVAIL, 10049, errNetunreach},
	{syscall.EMFILE, 10024, errNobufs},
	{syscall.ENFILE, 10055, errNobufs},
}

// dialErrno maps the errors of connections to what guests know of them.
func dialErrno(err error) errno {
	if e, ok := err.(errno); ok {
		return e
	}
	for _, known := range outsideErrnos {
		if errors.Is(err, known.sys) || runtime.GOOS == "windows" && errors.Is(err, known.windows) {
			return known.errno
		}
	}
	var timeout net.Error
	switch {
	case errors.Is(err, fs.ErrPermission):
		return errAcces
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded),
		errors.As(err, &timeout) && timeout.Timeout():
		return errTimedout
	case errors.Is(err, net.ErrClosed), errors.Is(err, context.Canceled), errors.Is(err, io.ErrUnexpectedEOF):
		return errConnreset
	}
	return errHostunreach
}

// lookup asks the way out for a name's addresses.
func (n *Network) lookup(ctx context.Context, f family, host string) (ips []netip.Addr, e errno) {
	if n == nil || n.Outside == nil {
		return nil, errAcces
	}
	network := map[family]string{familyAny: "ip", familyInet: "ip4", familyInet6: "ip6"}[f]
	err := interruptible(ctx, func(ctx context.Context) (err error) {
		ips, err = n.Outside.LookupNetIP(ctx, network, host)
		return err
	})
	var dns *net.DNSError
	switch {
	case err == nil:
		return ips, errSuccess
	case err == errRestart:
		return nil, errRestart
	case errors.Is(err, fs.ErrPermission):
		return nil, errAcces
	case errors.As(err, &dns) && dns.IsNotFound:
		return nil, errNoent
	}
	return nil, errAgain
}
