package wasi

import (
	"context"
	"io/fs"
)

const (
	maxDatagram = 65507     // bytes in one, as UDP over IPv4 has it
	maxMailbox  = 212 << 10 // bytes that wait at a socket; more get lost
	maxLetters  = 1024      // datagrams that wait at a socket; more get lost
)

// mailbox holds what was sent to a datagram socket.
type mailbox struct {
	letters []letter
	size    int // bytes in all
}

// letter is a datagram and where it is from.
type letter struct {
	data []byte
	from address
}

// first gives the size of the first datagram.
func (m *mailbox) first() uint64 {
	if len(m.letters) == 0 {
		return 0
	}
	return uint64(len(m.letters[0].data))
}

// put adds a datagram, or says that there is no room.
func (m *mailbox) put(l letter) bool {
	if len(m.letters) >= maxLetters || m.size+len(l.data) > maxMailbox {
		return false
	}
	m.letters = append(m.letters, l)
	m.size += len(l.data)
	return true
}

// directLocked sets where a datagram socket sends to, and whom it hears. Preconditions: the Network's mutex is held.
func (s *socket) directLocked(to address, name unixName) error {
	if s.family == familyUnix {
		switch peer := s.net.names[name]; {
		case peer == nil:
			return errConnrefused
		case peer.stream:
			return errPrototype
		}
	} else if !s.bound {
		if e := s.net.bindLocked(s, address{ip: to.ip}); e != errSuccess {
			return e
		}
	}
	s.remote, s.peer, s.state = to, name, connected
	return nil
}

// send sends a datagram; the zero address is the one that the socket is connected to. On the internet's way datagrams
// get lost, if nobody listens or has room.
func (s *socket) send(data []byte, to address, name unixName) error {
	s.net.mu.Lock()
	defer s.net.mu.Unlock()
	if e := s.takeFaultLocked(); e != errSuccess {
		return e
	}
	switch {
	case s.closed:
		return fs.ErrClosed
	case s.mute:
		return errPipe
	case len(data) > maxDatagram:
		return errMsgsize
	case to == address{}:
		if to, name = s.remote, s.peer; s.state != connected {
			return errDestaddrreq
		}
	}
	if s.family == familyUnix {
		peer := s.net.names[name]
		switch {
		case peer == nil || peer.stream:
			return errConnrefused
		case !peer.deliver(letter{data, s.local}):
			return errNobufs
		}
		return nil
	}
	if !s.bound {
		if e := s.net.bindLocked(s, s.anywhere()); e != errSuccess {
			return e
		}
	}
	from := s.local
	if from.ip.IsUnspecified() {
		from.ip = to.ip
	}
	hears := func(peer *socket) bool {
		return peer.state != connected || peer.remote == from.as(peer.family)
	}
	if peer := s.net.findLocked(false, to, hears); peer != nil {
		peer.deliver(letter{data, from.as(peer.family)})
	} else if s.state == connected {
		s.fault = errConnrefused
		s.waiters.wake()
	}
	return nil
}

// deliver puts a datagram into the socket's mailbox, if there is room. Preconditions: the Network's mutex is held.
func (s *socket) deliver(l letter) bool {
	if s.deaf || !s.box.put(l) {
		return false
	}
	s.waiters.wake()
	return true
}

// takeFaultLocked gives what went wrong before, once.
func (s *socket) takeFaultLocked() errno {
	e := s.fault
	s.fault = errSuccess
	return e
}

// fetch gives the next datagram, and leaves it there if so asked, or answers errAgain and registers w if it isn't nil.
func (s *socket) fetch(leave bool, w *waiter) (letter, error) {
	s.net.mu.Lock()
	defer s.net.mu.Unlock()
	if e := s.takeFaultLocked(); e != errSuccess {
		return letter{}, e
	}
	switch {
	case s.closed:
		return letter{}, fs.ErrClosed
	case len(s.box.letters) > 0:
		l := s.box.letters[0]
		if !leave {
			s.box.letters[0] = letter{}
			s.box.letters = s.box.letters[1:]
			s.box.size -= len(l.data)
		}
		return l, nil
	case s.deaf:
		return letter{}, nil
	}
	if w != nil {
		s.waiters.add(w)
	}
	return letter{}, errAgain
}

// next is fetch, waiting for a datagram.
func (s *socket) next(ctx context.Context, nonblock, leave bool) (letter, error) {
	l, err := s.fetch(leave, nil)
	if err == errAgain && !nonblock {
		_, err = s.await(ctx, optRcvtimeo, func(w *waiter) (int, error) {
			var err error
			l, err = s.fetch(leave, w)
			return 0, err
		})
	}
	return l, err
}
