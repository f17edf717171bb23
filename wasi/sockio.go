package wasi

import "context"

// sock_recv(fd, ri_data: iovec_array, ri_flags: riflags) -> (size, roflags)
func sockRecv(ctx context.Context, h *Host, mem memory, p []uint64) errno {
	return h.receive(ctx, mem, receipt{
		fd: p[0], list: uint32(p[1]), count: uint32(p[2]), flags: uint32(p[3]),
		size: uint32(p[4]), out: uint32(p[5]),
	})
}

// sock_recv_from(fd, ri_data: iovec_array, addr: ptr<address>, ri_flags: riflags) -> (port: u32, size, roflags)
func sockRecvFrom(ctx context.Context, h *Host, mem memory, p []uint64) errno {
	return h.receive(ctx, mem, receipt{
		fd: p[0], list: uint32(p[1]), count: uint32(p[2]), addr: uint32(p[3]), flags: uint32(p[4]),
		port: uint32(p[5]), size: uint32(p[6]), out: uint32(p[7]), from: true,
	})
}

// receipt is what a receiving call is asked for.
type receipt struct {
	fd          uint64
	list, count uint32 // of buffers
	flags       uint32
	addr, port  uint32 // where to tell the sender, if from is set
	size, out   uint32 // where to tell the bytes and the roflags
	from        bool
}

func (h *Host) receive(ctx context.Context, mem memory, r receipt) errno {
	s, d, e := h.socket(r.fd)
	switch {
	case e != errSuccess:
		return e
	case d.base&rightFdRead == 0:
		return errNotcapable
	case r.flags&^(recvPeek|recvWaitall|dontWait) != 0:
		return errInval
	}
	v, e := mem.iovecs(r.list, r.count)
	if e != errSuccess {
		return e
	}
	if e := mem.check(r.size, 4); e != errSuccess {
		return e
	}
	if e := mem.check(r.out, 2); e != errSuccess {
		return e
	}
	if r.from {
		if e := mem.checkAddress(r.addr, s.family); e != errSuccess {
			return e
		}
		if e := mem.check(r.port, 4); e != errSuccess {
			return e
		}
	}
	n, flags, from, e := s.receiveInto(ctx, &v, d.has(flagNonblock) || r.flags&dontWait != 0, r.flags)
	if e != errSuccess {
		return e
	}
	mem[r.out], mem[r.out+1] = byte(flags), 0
	if r.from {
		if e := mem.putAddress(r.addr, 0, r.port, from, s.family); e != errSuccess {
			return e
		}
	}
	return mem.putUint32(r.size, n)
}

// receiveInto fills the buffers of v from what comes.
func (s *socket) receiveInto(
	ctx context.Context, v *iovecs, nonblock bool, flags uint32,
) (uint32, uint32, address, errno) {
	if !s.stream {
		return s.letterInto(ctx, v, nonblock, flags)
	}
	s.net.mu.Lock()
	from := s.remote
	s.net.mu.Unlock()
	leave := flags&recvPeek != 0
	first := true
	n, e := readv(ctx, v, nonblock, func(ctx context.Context, b []byte, nonblock bool) (int, error) {
		if leave && !first {
			return 0, errAgain // what is there can be looked at only from its beginning
		}
		first = false
		if flags&recvWaitall == 0 || leave {
			return s.receive(ctx, b, nonblock, leave)
		}
		return s.fill(ctx, b, nonblock)
	})
	return n, 0, from, e
}

// fill reads until b is full, or nothing more can come.
func (s *socket) fill(ctx context.Context, b []byte, nonblock bool) (int, error) {
	done := 0
	for done < len(b) {
		n, err := s.receive(ctx, b[done:], nonblock, false)
		if done += n; err != nil {
			return done, err
		}
	}
	return done, nil
}

// letterInto puts a datagram into the buffers of v; what they don't hold is lost.
func (s *socket) letterInto(
	ctx context.Context, v *iovecs, nonblock bool, flags uint32,
) (uint32, uint32, address, errno) {
	l, err := s.next(ctx, nonblock, flags&recvPeek != 0)
	if err != nil {
		return 0, 0, address{}, ioResult(ctx, 0, err)
	}
	rest := l.data
	for b := v.next(); b != nil && len(rest) > 0; b = v.next() {
		rest = rest[copy(b, rest):]
	}
	out := uint32(0)
	if len(rest) > 0 {
		out = recvTruncated
	}
	return uint32(len(l.data) - len(rest)), out, l.from, errSuccess
}

// sock_send(fd, si_data: ciovec_array, si_flags: siflags) -> size
func sockSend(ctx context.Context, h *Host, mem memory, p []uint64) errno {
	s, d, v, e := h.sending(mem, p[0], p[1], p[2], p[3], p[4])
	if e != errSuccess {
		return e
	}
	n, e := s.sendFrom(ctx, &v, d.has(flagNonblock) || p[3]&dontWait != 0, address{}, unixName{})
	return h.sent(mem, uint32(p[4]), n, e, p[3])
}

// sock_send_to(fd, si_data: ciovec_array, addr: ptr<address>, port: u32, si_flags: siflags) -> size
func sockSendTo(ctx context.Context, h *Host, mem memory, p []uint64) errno {
	s, d, v, e := h.sending(mem, p[0], p[1], p[2], p[5], p[6])
	if e != errSuccess {
		return e
	}
	to, name, e := h.destination(mem, s, uint32(p[3]), uint32(p[4]))
	switch {
	case e != errSuccess:
		return e
	case s.stream: // whose peer is what it is
		to, name = address{}, unixName{}
	}
	n, e := s.sendFrom(ctx, &v, d.has(flagNonblock) || p[5]&dontWait != 0, to, name)
	return h.sent(mem, uint32(p[6]), n, e, p[5])
}

// sending decodes what the calls that send have in common.
func (h *Host) sending(mem memory, fd, list, count, flags, ret uint64) (*socket, descriptor, iovecs, errno) {
	s, d, e := h.socket(fd)
	switch {
	case e != errSuccess:
		return s, d, iovecs{}, e
	case d.base&rightFdWrite == 0:
		return s, d, iovecs{}, errNotcapable
	case uint32(flags)&^(sendNosignal|dontWait) != 0:
		return s, d, iovecs{}, errInval
	}
	v, e := mem.iovecs(uint32(list), uint32(count))
	if e == errSuccess {
		e = mem.check(uint32(ret), 4)
	}
	return s, d, v, e
}

// sent tells what a call has sent.
func (h *Host) sent(mem memory, ret, n uint32, e errno, flags uint64) errno {
	if uint32(flags)&sendNosignal == 0 {
		e = h.brokenPipe(e)
	}
	return result(mem, ret, n, e)
}

// sendFrom sends the buffers of v: on a stream one after the other, otherwise as one datagram.
func (s *socket) sendFrom(ctx context.Context, v *iovecs, nonblock bool, to address, name unixName) (uint32, errno) {
	if s.stream {
		return writev(ctx, v, nonblock, s.write)
	}
	if v.left > maxDatagram {
		return 0, errMsgsize
	}
	data := make([]byte, 0, v.left)
	for b := v.next(); b != nil; b = v.next() {
		data = append(data, b...)
	}
	if err := s.send(data, to, name); err != nil {
		return 0, errnoOf(err)
	}
	return uint32(len(data)), errSuccess
}
