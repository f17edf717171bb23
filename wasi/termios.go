package wasi

import "encoding/binary"

// termios is Linux's structure of that name: how a terminal treats what passes through it.
// See https://man7.org/linux/man-pages/man3/termios.3.html
type termios struct {
	iflag, oflag, cflag, lflag uint32
	line                       uint8
	cc                         [controlChars]uint8
	ispeed, ospeed             uint32
}

const controlChars = 19

// Flags of a termios that mean something here. The others are kept as they are set.
const (
	igncr = 0x80  // iflag: carriage returns are dropped,
	icrnl = 0x100 // become newlines
	inlcr = 0x40  // newlines become carriage returns
	ixon  = 0x400 // control-S and control-Q hold and release output
	iutf8 = 0x4000

	opost = 0x1 // oflag: output is processed
	onlcr = 0x4 // newlines get a carriage return

	isig    = 0x1 // lflag: control characters make signals
	icanon  = 0x2 // input comes in lines that can be edited
	echo    = 0x8
	echoe   = 0x10  // erasing shows
	echok   = 0x20  // killing a line shows
	echonl  = 0x40  // newlines are echoed even without echo
	noflsh  = 0x80  // signals don't discard input
	tostop  = 0x100 // background output stops its process
	echoctl = 0x200 // control characters are echoed as ^X
	iexten  = 0x8000
)

// Indices of control characters.
const (
	vintr    = 0
	vquit    = 1
	verase   = 2
	vkill    = 3
	veof     = 4
	vtime    = 5
	vmin     = 6
	vstart   = 8
	vstop    = 9
	vsusp    = 10
	veol     = 11
	vreprint = 12
	vwerase  = 14
	vlnext   = 15
	veol2    = 16
)

// saneTermios is what a terminal begins with.
func saneTermios() termios {
	const cs8, cread, b38400 = 0x30, 0x80, 0xf
	return termios{
		iflag: icrnl | ixon | iutf8, oflag: opost | onlcr, cflag: cs8 | cread | b38400,
		lflag:  isig | icanon | echo | echoe | echok | echoctl | iexten,
		cc:     [controlChars]uint8{3, 0x1c, 0x7f, 0x15, 4, 0, 1, 0, 0x11, 0x13, 0x1a, 0, 0x12, 0xf, 0x17, 0x16},
		ispeed: b38400, ospeed: b38400,
	}
}

// sizeTermios is the structure's size in a guest's memory:
//
//	iflag, oflag, cflag, lflag: u32, line u8 at 16, cc at 17, ispeed u32 at 36, ospeed u32
const sizeTermios = 44

// encode writes the structure. Preconditions: b has its size.
func (t *termios) encode(b []byte) {
	le := binary.LittleEndian
	for i, v := range [...]uint32{t.iflag, t.oflag, t.cflag, t.lflag} {
		le.PutUint32(b[4*i:], v)
	}
	b[16] = t.line
	copy(b[17:36], t.cc[:])
	le.PutUint32(b[36:], t.ispeed)
	le.PutUint32(b[40:], t.ospeed)
}

// decodeTermios reads the structure. Preconditions: b has its size.
func decodeTermios(b []byte) (t termios) {
	le := binary.LittleEndian
	t.iflag, t.oflag, t.cflag, t.lflag = le.Uint32(b), le.Uint32(b[4:]), le.Uint32(b[8:]), le.Uint32(b[12:])
	t.line = b[16]
	copy(t.cc[:], b[17:36])
	t.ispeed, t.ospeed = le.Uint32(b[36:]), le.Uint32(b[40:])
	return t
}

// is says whether c is the control character of an index. None can be 0, which switches it off.
func (t *termios) is(c uint8, index int) bool { return c != 0 && c == t.cc[index] }
