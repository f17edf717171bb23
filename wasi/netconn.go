package wasi

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"sync"
	"syscall"
	"time"
)

// Dial connects the host to a TCP port that a guest listens on, as another process of the sandbox would. It waits while
// the guest's backlog is full. Nobody listening is an error that errors.Is finds to be syscall.ECONNREFUSED.
func (n *Network) Dial(ctx context.Context, to netip.AddrPort) (net.Conn, error) {
	where := net.TCPAddrFromAddrPort(to)
	fail := func(err error) (net.Conn, error) {
		return nil, &net.OpError{Op: "dial", Net: "tcp", Addr: where, Err: netError(err)}
	}
	at, e := reachable(address{ip: to.Addr(), port: to.Port()})
	if e != errSuccess {
		return fail(e)
	}
	s, e := n.open(familyOf(at.ip), true)
	if e != errSuccess {
		return fail(e)
	}
	never := make(chan struct{})
	_, err := hostWait(ctx.Done(), never, s.forget, func(w *waiter) (int, error) {
		return 0, s.connect(at, unixName{}, w)
	})
	if err != nil {
		s.close() //nolint:errcheck // the first error is the one to tell
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		return fail(err)
	}
	return newHostConn(s), nil
}

// Listen accepts, on the host's side, the connections that guests make to a TCP port of the loopback interface; port 0
// is any that is free.
func (n *Network) Listen(at netip.AddrPort) (net.Listener, error) {
	s, e := n.open(familyOf(at.Addr()), true)
	if e == errSuccess {
		if e = s.bind(address{ip: at.Addr(), port: at.Port()}); e == errSuccess {
			e = s.listen(maxBacklog)
		}
		if e == errSuccess {
			return &hostListener{s}, nil
		}
		s.close() //nolint:errcheck // the first error is the one to tell
	}
	return nil, &net.OpError{Op: "listen", Net: "tcp", Addr: net.TCPAddrFromAddrPort(at), Err: netError(e)}
}

func familyOf(ip netip.Addr) family {
	if ip.Is4() {
		return familyInet
	}
	return familyInet6
}

// sysErrnos are the errors that the host's own sockets have for those of ours.
var sysErrnos = map[errno]error{
	errAcces: syscall.EACCES, errAddrinuse: syscall.EADDRINUSE, errAddrnotavail: syscall.EADDRNOTAVAIL,
	errBadf: net.ErrClosed, errConnrefused: syscall.ECONNREFUSED, errInval: syscall.EINVAL, errNfile: syscall.ENFILE,
	errNotconn: syscall.ENOTCONN, errPipe: syscall.EPIPE,
}

// netError gives an error as the host's own sockets have it.
func netError(err error) error {
	if err == nil || err == io.EOF || errors.Is(err, os.ErrDeadlineExceeded) {
		return err
	}
	if sys, ok := sysErrnos[errnoOf(err)]; ok {
		return sys
	}
	return err
}

// hostWait is block for a caller that is no guest: it ends with the channel done, or passed, too.
func hostWait(
	done, passed <-chan struct{}, forget func(*waiter), try func(*waiter) (int, error),
) (int, error) {
	for {
		woken, wake := context.WithCancel(context.Background())
		w := &waiter{wake: wake}
		n, err := try(w)
		if err == errAgain {
			select {
			case <-woken.Done():
			case <-done:
				err = context.Canceled
			case <-passed:
				err = os.ErrDeadlineExceeded
			}
			forget(w)
		}
		wake()
		if err != errAgain {
			return n, err
		}
	}
}

// hostConn is the host's end of a connection.
type hostConn struct {
	s           *socket
	local, peer net.Addr
	read, write deadline
}

func newHostConn(s *socket) *hostConn {
	s.net.mu.Lock()
	defer s.net.mu.Unlock()
	return &hostConn{s: s, local: tcpAddr(s.local), peer: tcpAddr(s.remote)}
}

func tcpAddr(a address) net.Addr { return net.TCPAddrFromAddrPort(netip.AddrPortFrom(a.ip, a.port)) }

func (c *hostConn) Read(b []byte) (int, error) {
	in, _, err := c.s.ends()
	if err != nil {
		return 0, netError(err)
	}
	n, err := hostWait(nil, c.read.passed(), c.s.forget, func(w *waiter) (int, error) { return in.read(b, w) })
	return n, netError(err)
}

func (c *hostConn) Write(b []byte) (int, error) {
	_, out, err := c.s.ends()
	if err != nil {
		return 0, netError(err)
	}
	done := 0
	for done < len(b) {
		n, err := hostWait(nil, c.write.passed(), c.s.forget, func(w *waiter) (int, error) {
			return out.write(b[done:], false, w)
		})
		if done += n; err != nil {
			return done, netError(err)
		}
	}
	return done, nil
}

// CloseWrite ends what the guest reads, as net.TCPConn's.
func (c *hostConn) CloseWrite() error {
	if e := c.s.shutdown(2); e != errSuccess {
		return netError(e)
	}
	return nil
}

func (c *hostConn) Close() error         { return c.s.close() }
func (c *hostConn) LocalAddr() net.Addr  { return c.local }
func (c *hostConn) RemoteAddr() net.Addr { return c.peer }

func (c *hostConn) SetDeadline(t time.Time) error {
	c.read.set(t)
	c.write.set(t)
	return nil
}

func (c *hostConn) SetReadDeadline(t time.Time) error {
	c.read.set(t)
	return nil
}

func (c *hostConn) SetWriteDeadline(t time.Time) error {
	c.write.set(t)
	return nil
}

// deadline is a time at which a channel is closed.
type deadline struct {
	mu    sync.Mutex
	timer *time.Timer
	over  chan struct{} // closed, or not yet; nil is not yet
}

func (d *deadline) passed() <-chan struct{} {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.over == nil {
		d.over = make(chan struct{})
	}
	return d.over
}

// set sets another time; the zero time never comes.
func (d *deadline) set(t time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	closed := false
	if d.over != nil {
		select {
		case <-d.over:
			closed = true
		default:
		}
	}
	if d.over == nil || closed {
		d.over = make(chan struct{})
	}
	if d.timer != nil {
		d.timer.Stop()
		d.timer = nil
	}
	if t.IsZero() {
		return
	}
	over := d.over
	d.timer = time.AfterFunc(time.Until(t), func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		select {
		case <-over:
		default:
			close(over)
		}
	})
}

// hostListener is the host's listening socket.
type hostListener struct{ s *socket }

func (l *hostListener) Accept() (net.Conn, error) {
	var s *socket
	_, err := hostWait(nil, nil, l.s.forget, func(w *waiter) (_ int, err error) {
		s, err = l.s.accept(w)
		return 0, err
	})
	if err != nil {
		return nil, &net.OpError{Op: "accept", Net: "tcp", Addr: l.Addr(), Err: netError(err)}
	}
	return newHostConn(s), nil
}

func (l *hostListener) Close() error { return l.s.close() }

func (l *hostListener) Addr() net.Addr {
	l.s.net.mu.Lock()
	defer l.s.net.mu.Unlock()
	return tcpAddr(l.s.local)
}
