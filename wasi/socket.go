package wasi

import (
	"context"
	"errors"
	"io/fs"
	"net"
	"net/netip"
	"slices"
	"time"
)

// family is a socket's address family, by the numbers of WasmEdge.
type family uint32

const (
	familyAny family = iota
	familyInet
	familyInet6
	familyUnix
)

// socketState is what has become of a stream socket.
type socketState int

const (
	fresh socketState = iota
	listening
	dialing // on its way outside
	connected
)

// socket is an endpoint of communication. All fields but the first three are guarded by the Network's mutex.
type socket struct {
	net    *Network
	family family
	stream bool

	state         socketState
	bound         bool // to the port of local, in the Network's table
	local, remote address
	name          unixName // in the Network's table
	peer          unixName // of remote

	in, out *pipe     // connected stream
	queue   []*socket // listening: connected, to be accepted
	backlog int
	box     mailbox // datagrams

	options options
	fault   errno // for the next call, and SO_ERROR
	deaf    bool  // shut down for reading
	mute    bool  // shut down for writing
	closed  bool
	waiting *socket // the listener that connect waits for

	cancel  context.CancelFunc // of the dial, while dialing
	outside net.Conn           // of a stream that goes there, and of the socket at its other end
	untold  bool               // that it is connected, to a call of connect that waits for it
	waiters waitList
}

func (s *socket) fileType() fileType {
	if s.stream {
		return typeSocketStream
	}
	return typeSocketDgram
}

func (s *socket) stat() (filestat, error) { return filestat{typ: s.fileType(), nlink: 1}, nil }

func (s *socket) close() error {
	s.net.mu.Lock()
	defer s.net.mu.Unlock()
	s.closeLocked()
	return nil
}

// closeLocked ends the socket: its peer finds the end, and so do those that wait on it.
func (s *socket) closeLocked() {
	if s.closed {
		return
	}
	s.closed = true
	s.net.releaseLocked(s)
	for _, waiting := range s.queue {
		waiting.closeLocked()
	}
	s.queue, s.box = nil, mailbox{}
	if s.cancel != nil {
		s.cancel()
	}
	if s.outside != nil {
		s.outside.SetWriteDeadline(time.Now().Add(lingering)) //nolint:errcheck // then it is closed already
	}
	if s.state == connected && s.stream {
		s.in.closeReader()
		s.out.closeWriter()
	}
	s.waiters.wake()
}

// bind gives the socket an address of the internet.
func (s *socket) bind(at address) errno {
	s.net.mu.Lock()
	defer s.net.mu.Unlock()
	if s.bound || s.name != (unixName{}) || s.closed {
		return errInval
	}
	return s.net.bindLocked(s, at)
}

// bindName gives a Unix-domain socket its name.
func (s *socket) bindName(name unixName, at address) errno {
	s.net.mu.Lock()
	defer s.net.mu.Unlock()
	switch {
	case s.name != (unixName{}) || s.closed:
		return errInval
	case s.net.names[name] != nil:
		return errAddrinuse
	}
	s.name, s.local = name, at
	s.net.names[name] = s
	return errSuccess
}

// listen makes the socket one that accepts connections.
func (s *socket) listen(backlog int) errno {
	s.net.mu.Lock()
	defer s.net.mu.Unlock()
	switch {
	case !s.stream:
		return errNotsup
	case s.state == connected || s.state == dialing || s.closed, s.family == familyUnix && s.name == (unixName{}):
		return errInval
	}
	if !s.bound && s.family != familyUnix {
		if e := s.net.bindLocked(s, s.anywhere()); e != errSuccess {
			return e
		}
	}
	s.state, s.backlog = listening, min(max(backlog, 1), maxBacklog)
	return errSuccess
}

// anywhere is the address of a socket that is bound to all of them.
func (s *socket) anywhere() address {
	if s.family == familyInet6 {
		return address{ip: netip.IPv6Unspecified()}
	}
	return address{ip: netip.IPv4Unspecified()}
}

// accept takes a connection that waits, or answers errAgain and registers w if it isn't nil.
func (s *socket) accept(w *waiter) (*socket, error) {
	s.net.mu.Lock()
	defer s.net.mu.Unlock()
	switch {
	case s.closed:
		return nil, fs.ErrClosed
	case !s.stream:
		return nil, errNotsup
	case s.state != listening:
		return nil, errInval
	case len(s.queue) == 0:
		if w != nil {
			s.waiters.add(w)
		}
		return nil, errAgain
	}
	accepted := s.queue[0]
	s.queue = slices.Delete(s.queue, 0, 1)
	s.waiters.wake() // there is room for others
	return accepted, nil
}

// connect connects a stream to what listens at an address, or says where a datagram socket sends. It answers errAgain,
// and registers w if that isn't nil, while the listener has no room.
func (s *socket) connect(to address, name unixName, w *waiter) error {
	s.net.mu.Lock()
	defer s.net.mu.Unlock()
	switch {
	case s.closed:
		return fs.ErrClosed
	case s.state == connected && s.stream:
		return errIsconn
	case s.state == dialing:
		return errAlready
	case s.state == listening:
		return errInval
	case !s.stream:
		return s.directLocked(to, name)
	}
	listens := func(l *socket) bool { return l.state == listening }
	listener := s.net.names[name]
	if s.family != familyUnix {
		listener = s.net.findLocked(true, to, listens)
	}
	switch {
	case listener == nil || listener.closed:
		return errConnrefused
	case !listener.stream:
		return errPrototype
	case !listens(listener):
		return errConnrefused
	case len(listener.queue) >= listener.backlog:
		if w != nil {
			listener.waiters.add(w)
			s.waiting = listener
		}
		return errAgain
	}
	return s.joinLocked(listener, to)
}

// joinLocked puts the other end of a connection into a listener's queue.
func (s *socket) joinLocked(listener *socket, to address) error {
	if s.family != familyUnix && !s.bound {
		if e := s.net.bindLocked(s, address{ip: to.ip}); e != errSuccess {
			return e
		}
	}
	other, e := s.net.openLocked(listener.family, true)
	if e != errSuccess {
		return e
	}
	if s.local.ip.IsUnspecified() {
		s.local.ip = to.ip
	}
	join(s, other)
	s.remote, other.remote = to, s.local.as(listener.family)
	other.local = to.as(listener.family)
	other.options = listener.options
	listener.queue = append(listener.queue, other)
	listener.waiters.wake()
	return nil
}

// as gives an address as a socket of another family sees it.
func (a address) as(f family) address {
	switch {
	case f == familyInet6 && a.ip.Is4():
		a.ip = netip.AddrFrom16(a.ip.As16())
	case f == familyInet:
		a.ip = a.ip.Unmap()
	}
	return a
}

// shutdown ends one direction or both. Bit 0 is reading, bit 1 writing.
func (s *socket) shutdown(how uint32) errno {
	s.net.mu.Lock()
	defer s.net.mu.Unlock()
	if s.state == dialing || s.state != connected && s.remote == (address{}) {
		return errNotconn
	}
	s.deaf = s.deaf || how&1 != 0
	s.mute = s.mute || how&2 != 0
	if s.stream {
		if how&1 != 0 {
			s.in.stopReading()
		}
		if how&2 != 0 {
			s.out.closeWriter()
		}
	}
	s.waiters.wake()
	return errSuccess
}

// ends gives the pipes of a connected stream, or why there are none.
func (s *socket) ends() (in, out *pipe, err error) {
	s.net.mu.Lock()
	defer s.net.mu.Unlock()
	switch {
	case s.closed:
		return nil, nil, fs.ErrClosed
	case s.state != connected:
		return nil, nil, errNotconn
	}
	return s.in, s.out, nil
}

// await waits for try, as long as the socket's timeout allows.
func (s *socket) await(ctx context.Context, timeout optionName, try func(*waiter) (int, error)) (int, error) {
	if limit := s.timeout(timeout); limit > 0 {
		return blockFor(ctx, limit, s.forget, try)
	}
	return block(ctx, s.forget, try)
}

func (s *socket) timeout(name optionName) time.Duration {
	s.net.mu.Lock()
	defer s.net.mu.Unlock()
	if name == optSndtimeo {
		return s.options.sendTimeout
	}
	return s.options.recvTimeout
}

func (s *socket) read(ctx context.Context, b []byte, nonblock bool) (int, error) {
	return s.receive(ctx, b, nonblock, false)
}

// receive reads from a stream; with leave set, it leaves what it gives for the next.
func (s *socket) receive(ctx context.Context, b []byte, nonblock, leave bool) (int, error) {
	in, _, err := s.ends()
	if err != nil {
		return 0, err
	}
	n, err := in.take(b, leave, nil)
	if err == errAgain && !nonblock {
		return s.await(ctx, optRcvtimeo, func(w *waiter) (int, error) { return in.take(b, leave, w) })
	}
	return n, err
}

func (s *socket) write(ctx context.Context, b []byte, nonblock bool) (int, error) {
	_, out, err := s.ends()
	if err != nil {
		return 0, err
	}
	n, err := out.write(b, false, nil)
	for n < len(b) && !nonblock && (err == nil || err == errAgain) {
		var m int
		rest := b[n:]
		m, err = s.await(ctx, optSndtimeo, func(w *waiter) (int, error) { return out.write(rest, false, w) })
		n += m
	}
	if errors.Is(err, fs.ErrClosed) {
		err = errPipe // shut down, by us
	}
	return n, err
}

func (s *socket) poll(write bool, w *waiter) readiness {
	if s.stream {
		if in, out, err := s.ends(); err == nil {
			if write {
				return out.pollWrite(w)
			}
			return in.pollRead(w)
		}
	}
	s.net.mu.Lock()
	defer s.net.mu.Unlock()
	state := readiness{ready: true}
	switch {
	case s.closed:
		state.hangup = true
	case !s.stream && !write:
		state.ready, state.bytes = len(s.box.letters) > 0 || s.deaf || s.fault != errSuccess, s.box.first()
	case !s.stream:
		state.bytes = maxDatagram
	case s.state == listening:
		state.ready = !write && len(s.queue) > 0
	case s.state == dialing:
		state.ready = false
	default: // a stream that was never connected
		state.hangup = true
	}
	if !state.ready && w != nil {
		s.waiters.add(w)
	}
	return state
}

func (s *socket) forget(w *waiter) {
	if in, out, err := s.ends(); err == nil && s.stream {
		in.forget(w)
		out.forget(w)
	}
	s.net.mu.Lock()
	defer s.net.mu.Unlock()
	s.waiters.remove(w)
	if s.waiting != nil {
		s.waiting.waiters.remove(w)
		s.waiting = nil
	}
}
