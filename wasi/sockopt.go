package wasi

import (
	"context"
	"encoding/binary"
	"time"
)

// optionName is a socket option of the socket level, by the numbers of WasmEdge.
type optionName uint32

const (
	optReuseaddr optionName = iota
	optType
	optError
	optDontroute
	optBroadcast
	optSndbuf
	optRcvbuf
	optKeepalive
	optOobinline
	optLinger
	optRcvlowat
	optRcvtimeo
	optSndtimeo
	optAcceptconn
	lastOption = optAcceptconn
)

// The levels of options. Those of protocols have their numbers, and options Linux's.
const (
	levelSocket = 0
	levelTCP    = 6
	levelIPv6   = 41

	optV6only     = 26
	lastTCPOption = 63
)

// options are what was set on a socket. Most have no meaning in memory, and are only kept.
type options struct {
	numbers                  [lastOption + 1]int32
	linger                   int32 // seconds
	recvTimeout, sendTimeout time.Duration
	v6only                   bool
	tcp                      [lastTCPOption + 1]int32
}

// option gives an option that is a number. Preconditions: the Network's mutex is held.
func (s *socket) option(name optionName) int32 {
	switch name {
	case optType:
		if s.stream {
			return socketStream
		}
		return socketDatagram
	case optError:
		return int32(s.takeFaultLocked())
	case optAcceptconn:
		if s.state == listening {
			return 1
		}
		return 0
	case optSndbuf, optRcvbuf:
		if s.options.numbers[name] == 0 {
			return pipeSize
		}
	}
	return s.options.numbers[name]
}

func (s *socket) v6only() bool { return s.options.v6only }

// value encodes an option: as an i32, a linger structure {i32, i32} or a timeval {i64, i64}.
func (s *socket) value(level, name uint32) ([]byte, errno) {
	s.net.mu.Lock()
	defer s.net.mu.Unlock()
	number := func(n int32) []byte { return binary.LittleEndian.AppendUint32(nil, uint32(n)) }
	switch {
	case level == levelIPv6 && name == optV6only:
		if s.options.v6only {
			return number(1), errSuccess
		}
		return number(0), errSuccess
	case level == levelTCP && name <= lastTCPOption:
		return number(s.options.tcp[name]), errSuccess
	case level != levelSocket || name > uint32(lastOption):
		return nil, errNoprotoopt
	}
	switch optionName(name) {
	case optLinger:
		return append(number(s.options.numbers[optLinger]), number(s.options.linger)...), errSuccess
	case optRcvtimeo:
		return timeval(s.options.recvTimeout), errSuccess
	case optSndtimeo:
		return timeval(s.options.sendTimeout), errSuccess
	}
	return number(s.option(optionName(name))), errSuccess
}

// set sets an option to a value as above.
func (s *socket) set(level, name uint32, value []byte) errno {
	s.net.mu.Lock()
	defer s.net.mu.Unlock()
	if len(value) < 4 {
		return errInval
	}
	number := int32(binary.LittleEndian.Uint32(value))
	switch {
	case level == levelIPv6 && name == optV6only:
		if s.bound {
			return errInval
		}
		s.options.v6only = number != 0
		return errSuccess
	case level == levelTCP && name <= lastTCPOption:
		s.options.tcp[name] = number
		return errSuccess
	case level != levelSocket || name > uint32(lastOption):
		return errNoprotoopt
	}
	switch optionName(name) {
	case optType, optError, optAcceptconn:
		return errNoprotoopt
	case optLinger:
		if len(value) < 8 {
			return errInval
		}
		s.options.linger = int32(binary.LittleEndian.Uint32(value[4:]))
	case optRcvtimeo, optSndtimeo:
		return s.setTimeout(optionName(name), value)
	}
	s.options.numbers[name] = number
	return errSuccess
}

func (s *socket) setTimeout(name optionName, value []byte) errno {
	if len(value) < 16 {
		return errInval
	}
	seconds := int64(binary.LittleEndian.Uint64(value))
	micros := int64(binary.LittleEndian.Uint64(value[8:]))
	if seconds < 0 || micros < 0 || micros >= 1e6 {
		return errInval
	}
	const most = 1 << 31 // seconds; as good as for ever
	d := time.Duration(min(seconds, most))*time.Second + time.Duration(micros)*time.Microsecond
	if name == optRcvtimeo {
		s.options.recvTimeout = d
	} else {
		s.options.sendTimeout = d
	}
	return errSuccess
}

func timeval(d time.Duration) []byte {
	b := binary.LittleEndian.AppendUint64(nil, uint64(d/time.Second))
	return binary.LittleEndian.AppendUint64(b, uint64(d%time.Second/time.Microsecond))
}

// sock_getsockopt(fd, level: u32, name: u32, value: ptr<u8>, size: ptr<u32>)
//
// A value longer than *size is cut; *size becomes the bytes written.
func sockGetsockopt(_ context.Context, h *Host, mem memory, p []uint64) errno {
	s, _, e := h.socket(p[0])
	if e != errSuccess {
		return e
	}
	size, e := mem.bytes(uint32(p[4]), 4)
	if e != errSuccess {
		return e
	}
	out, e := mem.bytes(uint32(p[3]), binary.LittleEndian.Uint32(size))
	if e != errSuccess {
		return e
	}
	value, e := s.value(uint32(p[1]), uint32(p[2]))
	if e != errSuccess {
		return e
	}
	binary.LittleEndian.PutUint32(size, uint32(copy(out, value)))
	return errSuccess
}

// sock_setsockopt(fd, level: u32, name: u32, value: ptr<u8>, size: u32)
func sockSetsockopt(_ context.Context, h *Host, mem memory, p []uint64) errno {
	s, _, e := h.socket(p[0])
	if e != errSuccess {
		return e
	}
	value, e := mem.bytes(uint32(p[3]), uint32(p[4]))
	if e != errSuccess {
		return e
	}
	return s.set(uint32(p[1]), uint32(p[2]), value)
}
