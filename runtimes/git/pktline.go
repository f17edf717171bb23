package git

import (
	"errors"
	"fmt"
	"io"
	"strconv"
)

// What a packet is, by its length: see https://git-scm.com/docs/protocol-common.
const (
	packetFlush       = 0
	packetDelim       = 1
	packetResponseEnd = 2
	packetHeader      = 4
	packetMax         = 65520
)

// readPacket answers the next packet's length as written and its content, which is buf's until the next call. The error
// is io.EOF where no packet begins.
func readPacket(r io.Reader, buf []byte) (length int, content []byte, err error) {
	head := buf[:packetHeader]
	if _, err := io.ReadFull(r, head); err != nil {
		if errors.Is(err, io.ErrUnexpectedEOF) {
			err = errors.New("the remote end hung up unexpectedly")
		}
		return 0, nil, err
	}
	n, err := strconv.ParseUint(string(head), 16, 16)
	if err != nil || n == 3 || n > packetMax {
		return 0, nil, fmt.Errorf("protocol error: bad line length character: %q", head)
	}
	if n <= packetHeader {
		return int(n), nil, nil
	}
	content = buf[packetHeader:n]
	if _, err := io.ReadFull(r, content); err != nil {
		return 0, nil, errors.New("the remote end hung up unexpectedly")
	}
	return int(n), content, nil
}

// packet answers text as a packet.
func packet(text string) string { return fmt.Sprintf("%04x%s", len(text)+packetHeader, text) }

// request reads what one request consists of: packets up to a flush. With framed they are kept as they are, the flush
// included; without, their contents are joined.
type request struct {
	from   io.Reader
	framed bool
	buf    [packetMax]byte
	left   []byte
	over   bool
}

// Read implements io.Reader. It answers io.EOF after the flush; a source that ends before is an error.
func (q *request) Read(b []byte) (int, error) {
	for len(q.left) == 0 {
		if q.over {
			return 0, io.EOF
		}
		length, content, err := readPacket(q.from, q.buf[:])
		switch {
		case errors.Is(err, io.EOF):
			return 0, errors.New("the remote end hung up unexpectedly")
		case err != nil:
			return 0, err
		case length == packetResponseEnd:
			return 0, errors.New("remote server sent unexpected response end packet")
		}
		q.over = length == packetFlush
		q.left = content
		if q.framed {
			q.left = q.buf[:packetHeader+len(content)]
		}
	}
	n := copy(b, q.left)
	q.left = q.left[n:]
	return n, nil
}

// begin reads the first packet, and reports whether there is one to send: a flush that isn't framed is none.
func (q *request) begin() (bool, error) {
	length, content, err := readPacket(q.from, q.buf[:])
	if errors.Is(err, io.EOF) && q.framed {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	q.over = length == packetFlush
	q.left = content
	if q.framed {
		q.left = q.buf[:packetHeader+len(content)]
	}
	return q.framed || length != packetFlush, nil
}
