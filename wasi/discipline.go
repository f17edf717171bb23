package wasi

import (
	"io"
	"slices"
	"unicode/utf8"
)

// The line discipline of terminals: what is done to bytes on their way through, as Linux does it.
// See https://pubs.opengroup.org/onlinepubs/9699919799/basedefs/V1_chap11.html

// roomLocked says whether a key can be taken.
func (t *Terminal) roomLocked() bool {
	return t.attr.lflag&icanon != 0 && len(t.lines) == 0 || t.readableLocked() < terminalBuffer
}

// typeLocked takes one byte from the user, and answers the signal it stands for, or 0.
func (t *Terminal) typeLocked(c uint8) (sig int) {
	a := &t.attr
	if t.literal {
		t.literal = false
		t.putLocked(c)
		return 0
	}
	switch {
	case c == '\r' && a.iflag&igncr != 0:
		return 0
	case c == '\r' && a.iflag&icrnl != 0:
		c = '\n'
	case c == '\n' && a.iflag&inlcr != 0:
		c = '\r'
	}
	if a.iflag&ixon != 0 {
		switch {
		case a.is(c, vstop):
			t.held = true
			return 0
		case a.is(c, vstart):
			t.held = false
			return 0
		}
	}
	if a.lflag&isig != 0 {
		if sig = t.signalLocked(c); sig != 0 {
			return sig
		}
	}
	if a.lflag&icanon == 0 {
		t.echoLocked(c)
		t.pushLocked([]byte{c})
		return 0
	}
	t.editLocked(c)
	return 0
}

// signalLocked answers the signal that a control character stands for, or 0.
func (t *Terminal) signalLocked(c uint8) (sig int) {
	a := &t.attr
	switch {
	case a.is(c, vintr):
		sig = signalInt
	case a.is(c, vquit):
		sig = signalQuit
	case a.is(c, vsusp):
		sig = signalTstp
	default:
		return 0
	}
	t.held = false
	if a.lflag&noflsh == 0 {
		t.lines, t.edit = nil, nil
		t.out = t.out[:0]
	}
	t.echoLocked(c)
	return sig
}

// editLocked takes a character in canonical mode.
func (t *Terminal) editLocked(c uint8) {
	a := &t.attr
	extended := a.lflag&iexten != 0
	switch {
	case a.is(c, verase):
		t.eraseLocked(1)
	case extended && a.is(c, vwerase):
		t.eraseLocked(t.lastWordLocked())
	case a.is(c, vkill):
		t.eraseLocked(utf8.RuneCount(t.edit))
	case extended && a.is(c, vlnext):
		t.literal = true
	case extended && a.is(c, vreprint):
		t.echoLocked(c)
		t.out = append(t.out, "\r\n"...)
		for _, c := range t.edit {
			t.echoLocked(c)
		}
	case a.is(c, veof):
		t.lineLocked()
	case c == '\n':
		if a.lflag&(echo|echonl) != 0 {
			t.showLocked(c)
		}
		t.edit = append(t.edit, c)
		t.lineLocked()
	default:
		t.putLocked(c)
		if a.is(c, veol) || a.is(c, veol2) {
			t.lineLocked()
		}
	}
}

// putLocked takes a character that has no special meaning.
func (t *Terminal) putLocked(c uint8) {
	if t.attr.lflag&icanon == 0 {
		t.echoLocked(c)
		t.pushLocked([]byte{c})
		return
	}
	if len(t.edit) >= maxEdit {
		t.out = append(t.out, '\a')
		return
	}
	t.edit = append(t.edit, c)
	t.echoLocked(c)
}

// lineLocked makes the edited line one that can be read.
func (t *Terminal) lineLocked() {
	t.lines = append(t.lines, slices.Clone(t.edit))
	t.edit = t.edit[:0]
}

// pushLocked makes bytes readable that are no line.
func (t *Terminal) pushLocked(b []byte) {
	if n := len(t.lines); n > 0 {
		t.lines[n-1] = append(t.lines[n-1], b...)
	} else {
		t.lines = append(t.lines, b)
	}
}

// eraseLocked takes back n characters of the edited line.
func (t *Terminal) eraseLocked(n int) {
	for ; n > 0 && len(t.edit) > 0; n-- {
		size := 1
		if t.attr.iflag&iutf8 != 0 {
			_, size = utf8.DecodeLastRune(t.edit)
		}
		erased := t.edit[len(t.edit)-size:]
		t.edit = t.edit[:len(t.edit)-size]
		if t.attr.lflag&echo == 0 || t.attr.lflag&echoe == 0 {
			continue
		}
		width := 1
		if t.attr.lflag&echoctl != 0 && size == 1 && isControl(erased[0]) {
			width = 2
		}
		for range width {
			t.out = append(t.out, "\b \b"...)
		}
	}
}

// lastWordLocked counts the characters of the edited line's last word, and the blanks after it.
func (t *Terminal) lastWordLocked() (n int) {
	line, word := t.edit, false
	for len(line) > 0 {
		r, size := utf8.DecodeLastRune(line)
		blank := r == ' ' || r == '\t'
		if word && blank {
			break
		}
		word = word || !blank
		line = line[:len(line)-size]
		n++
	}
	return n
}

func isControl(c uint8) bool { return c < ' ' && c != '\t' && c != '\n' || c == 0x7f }

// echoLocked shows what was typed.
func (t *Terminal) echoLocked(c uint8) {
	switch {
	case t.attr.lflag&echo == 0:
	case t.attr.lflag&echoctl != 0 && isControl(c):
		t.out = append(t.out, '^', c^0x40)
	default:
		t.showLocked(c)
	}
}

// showLocked puts a byte out.
func (t *Terminal) showLocked(c uint8) {
	if c == '\n' && t.attr.oflag&(opost|onlcr) == opost|onlcr {
		t.out = append(t.out, '\r')
	}
	t.out = append(t.out, c)
}

// readableLocked counts the bytes that can be read.
func (t *Terminal) readableLocked() (n int) {
	for _, l := range t.lines {
		n += len(l)
	}
	return n
}

// leastLocked is how many bytes a read waits for.
func (t *Terminal) leastLocked() int {
	if t.attr.lflag&icanon != 0 {
		return 0
	}
	return int(t.attr.cc[vmin])
}

// takeLocked reads: in canonical mode from one line, of which an empty one is the end.
func (t *Terminal) takeLocked(b []byte) (int, error) {
	canonical := t.attr.lflag&icanon != 0
	switch {
	case len(b) == 0:
		return 0, nil
	case canonical && len(t.lines) > 0 && len(t.lines[0]) == 0:
		t.lines = t.lines[1:]
		return 0, io.EOF
	case len(t.lines) == 0, !t.ended && t.readableLocked() < min(t.leastLocked(), len(b)):
		if t.ended || t.hungUp {
			return 0, io.EOF
		}
		return 0, errAgain
	}
	total := 0
	for total < len(b) && len(t.lines) > 0 {
		n := copy(b[total:], t.lines[0])
		total += n
		if t.lines[0] = t.lines[0][n:]; len(t.lines[0]) == 0 {
			t.lines = t.lines[1:]
		}
		if canonical {
			break
		}
	}
	t.waiters.wake()
	return total, nil
}

// setLocked changes the attributes. Out of canonical mode, the line that was being edited can be read.
func (t *Terminal) setLocked(a termios) {
	if t.attr.lflag&icanon != 0 && a.lflag&icanon == 0 {
		t.lines = slices.DeleteFunc(append(t.lines, slices.Clone(t.edit)), func(l []byte) bool { return len(l) == 0 })
		t.edit = t.edit[:0]
	}
	if a.iflag&ixon == 0 {
		t.held = false
	}
	t.attr = a
	t.waiters.wake()
}
