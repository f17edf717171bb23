package wasi

import (
	"context"
	"io/fs"
)

// The socket calls of preview 1, and those of WasmEdge's extension in the same module.
// https://github.com/second-state/wasmedge_wasi_socket

// The types of sockets.
const (
	socketDatagram = 1
	socketStream   = 2
)

const (
	recvPeek    = 1 // riflags: leave the data for the next call
	recvWaitall = 2 // riflags: fill the buffers

	dontWait = 0x40 // riflags and siflags: as if the socket didn't wait

	recvTruncated = 1 // roflags: the datagram was longer than the buffers

	sendNosignal = 0x4000 // siflags: no SIGPIPE

	socketRights = rightFdRead | rightFdWrite | rightFdFdstatSetFlags | rightFdFilestatGet | rightPollFdReadwrite |
		rightSockShutdown | rightSockAccept
)

// socket gives fd's socket.
func (h *Host) socket(fd uint64) (*socket, descriptor, errno) {
	d, e := h.files.get(uint32(fd))
	if e != errSuccess {
		return nil, d, e
	}
	s, ok := d.object.(*socket)
	if !ok {
		return nil, d, errNotsock
	}
	return s, d, errSuccess
}

// addSocket gives a new socket a descriptor.
func (h *Host) addSocket(s *socket, status fdFlags, cloexec bool) (uint32, errno) {
	return h.files.insert(descriptor{
		description: newDescription(s, true, true, status), base: socketRights, cloexec: cloexec,
	})
}

// sock_open(family: u32, type: u32) -> fd
func sockOpen(_ context.Context, h *Host, mem memory, p []uint64) errno {
	f, typ := family(p[0]), uint32(p[1])
	switch {
	case h.network == nil:
		return errAcces
	case f == familyAny || f > familyUnix:
		return errAfnosupport
	case typ != socketDatagram && typ != socketStream:
		return errPrototype
	}
	if e := mem.check(uint32(p[2]), 4); e != errSuccess {
		return e
	}
	s, e := h.network.open(f, typ == socketStream)
	if e != errSuccess {
		return e
	}
	fd, e := h.addSocket(s, 0, false)
	return result(mem, uint32(p[2]), fd, e)
}

// sock_pair(flags: u32) -> (fd, fd), of module "belljar"
func sockPair(_ context.Context, h *Host, mem memory, p []uint64) errno {
	flags := uint32(p[0])
	if flags&^(makeCloexec|makeNonblock) != 0 {
		return errInval
	}
	if h.network == nil {
		return errAcces
	}
	if e := mem.check(uint32(p[1]), 8); e != errSuccess {
		return e
	}
	a, b, e := h.network.pair(familyUnix)
	if e != errSuccess {
		return e
	}
	var status fdFlags
	if flags&makeNonblock != 0 {
		status = flagNonblock
	}
	first, e := h.addSocket(a, status, flags&makeCloexec != 0)
	if e != errSuccess {
		b.close() //nolint:errcheck // it has no error
		return e
	}
	second, e := h.addSocket(b, status, flags&makeCloexec != 0)
	if e != errSuccess {
		if d, e := h.files.remove(first); e == errSuccess {
			d.release() //nolint:errcheck // a socket's close has no error
		}
		return e
	}
	mem.putUint32(uint32(p[1]), first)
	return mem.putUint32(uint32(p[1])+4, second)
}

// sock_bind(fd, addr: ptr<address>, port: u32)
func sockBind(_ context.Context, h *Host, mem memory, p []uint64) errno {
	s, _, e := h.socket(p[0])
	if e != errSuccess {
		return e
	}
	at, e := mem.address(uint32(p[1]), uint32(p[2]), s.family)
	switch {
	case e != errSuccess:
		return e
	case s.family != familyUnix:
		return s.bind(at)
	case at.name == "":
		return errInval
	case at.name[0] == 0:
		return s.bindName(unixName{abstract: at.name}, at)
	}
	dir, e := h.locate(at.name)
	if e != errSuccess {
		return e
	}
	if err := dir.WithUmask(fs.FileMode(h.umask)).Mksocket(at.name, fs.ModePerm); err != nil {
		if e = errnoOf(err); e == errExist {
			e = errAddrinuse
		}
		return e
	}
	st, err := statOf(dir.Stat(at.name, false))
	if err != nil {
		return errnoOf(err)
	}
	return s.bindName(unixName{dev: st.dev, ino: st.ino}, at)
}

// sock_listen(fd, backlog: u32)
func sockListen(_ context.Context, h *Host, _ memory, p []uint64) errno {
	s, _, e := h.socket(p[0])
	if e != errSuccess {
		return e
	}
	return s.listen(int(int32(p[1])))
}

// sock_accept(fd, flags: fdflags) -> fd
func sockAccept(ctx context.Context, h *Host, mem memory, p []uint64) errno {
	s, d, e := h.socket(p[0])
	switch {
	case e != errSuccess:
		return e
	case d.base&rightSockAccept == 0:
		return errNotcapable
	case uint32(p[1])&^uint32(flagNonblock) != 0:
		return errInval
	}
	if e := mem.check(uint32(p[2]), 4); e != errSuccess {
		return e
	}
	if e := h.files.room(); e != errSuccess {
		return e
	}
	accepted, err := s.accept(nil)
	if err == errAgain && !d.has(flagNonblock) {
		_, err = s.await(ctx, optRcvtimeo, func(w *waiter) (_ int, err error) {
			accepted, err = s.accept(w)
			return 0, err
		})
	}
	if err != nil {
		return errnoOf(err)
	}
	fd, e := h.addSocket(accepted, fdFlags(p[1]), false)
	return result(mem, uint32(p[2]), fd, e)
}

// sock_connect(fd, addr: ptr<address>, port: u32)
func sockConnect(ctx context.Context, h *Host, mem memory, p []uint64) errno {
	s, d, e := h.socket(p[0])
	if e != errSuccess {
		return e
	}
	to, name, e := h.destination(mem, s, uint32(p[1]), uint32(p[2]))
	if e != errSuccess {
		return e
	}
	nonblock := d.has(flagNonblock)
	err := s.connectTo(to, name, nonblock, nil)
	if err == errAgain && !nonblock {
		_, err = s.await(ctx, optSndtimeo, func(w *waiter) (int, error) { return 0, s.connectTo(to, name, false, w) })
	}
	return errnoOf(err)
}

// destination reads the address that a socket connects or sends to.
func (h *Host) destination(mem memory, s *socket, ptr, portNumber uint32) (address, unixName, errno) {
	to, e := mem.address(ptr, portNumber, s.family)
	if e != errSuccess {
		return to, unixName{}, e
	}
	if s.family == familyUnix {
		name, e := h.unixPeer(to.name)
		return to, name, e
	}
	if near, e := reachable(to); e == errSuccess || !s.stream {
		return near, unixName{}, e
	}
	return to, unixName{}, errSuccess
}

// sock_shutdown(fd, how: sdflags)
func sockShutdown(_ context.Context, h *Host, _ memory, p []uint64) errno {
	s, d, e := h.socket(p[0])
	how := uint32(p[1])
	switch {
	case e != errSuccess:
		return e
	case d.base&rightSockShutdown == 0:
		return errNotcapable
	case how == 0 || how > 3:
		return errInval
	}
	return s.shutdown(how)
}

// sock_getlocaladdr(fd, addr: ptr<address>) -> (family: u32, port: u32)
func sockGetlocaladdr(_ context.Context, h *Host, mem memory, p []uint64) errno {
	s, _, e := h.socket(p[0])
	if e != errSuccess {
		return e
	}
	s.net.mu.Lock()
	at := s.local
	s.net.mu.Unlock()
	return mem.putAddress(uint32(p[1]), uint32(p[2]), uint32(p[3]), at, s.family)
}

// sock_getpeeraddr(fd, addr: ptr<address>) -> (family: u32, port: u32)
func sockGetpeeraddr(_ context.Context, h *Host, mem memory, p []uint64) errno {
	s, _, e := h.socket(p[0])
	if e != errSuccess {
		return e
	}
	s.net.mu.Lock()
	at, state := s.remote, s.state
	s.net.mu.Unlock()
	if state != connected {
		return errNotconn
	}
	return mem.putAddress(uint32(p[1]), uint32(p[2]), uint32(p[3]), at, s.family)
}
