package wasi

import (
	"io"
	"reflect"
	"testing"
)

// groupSignals notes the signals that a terminal sends.
type groupSignals [][2]int

func (s *groupSignals) SignalGroup(pgid, sig int) { *s = append(*s, [2]int{pgid, sig}) }

// reads takes all that can be read from a terminal, by reads of at most 16 bytes; "EOF" stands for an end.
func reads(t *Terminal) (out []string) {
	var b [16]byte
	for {
		t.mu.Lock()
		n, err := t.takeLocked(b[:])
		t.mu.Unlock()
		switch {
		case err == io.EOF:
			return append(out, "EOF")
		case err != nil:
			return out
		}
		out = append(out, string(b[:n]))
	}
}

func TestDiscipline(t *testing.T) {
	raw := func(a *termios) { a.lflag &^= icanon | echo | isig | iexten; a.iflag = 0; a.oflag = 0 }
	for _, test := range []struct {
		name  string
		attr  func(*termios)
		typed string
		read  []string
		shown string
	}{
		{"a line", nil, "ls\n", []string{"ls\n"}, "ls\r\n"},
		{"a carriage return", nil, "ls\r", []string{"ls\n"}, "ls\r\n"},
		{"half a line", nil, "ls", nil, "ls"},
		{"two lines", nil, "a\nb\n", []string{"a\n", "b\n"}, "a\r\nb\r\n"},
		{"a long line", nil, "0123456789abcdefgh\n", []string{"0123456789abcdef", "gh\n"}, "0123456789abcdefgh\r\n"},
		{"erase", nil, "ax\x7fb\n", []string{"ab\n"}, "ax\b \bb\r\n"},
		{"erase nothing", nil, "\x7f\n", []string{"\n"}, "\r\n"},
		{"erase beyond a line", nil, "a\n\x7fb\n", []string{"a\n", "b\n"}, "a\r\nb\r\n"},
		{"erase UTF-8", nil, "é\x7fe\n", []string{"e\n"}, "é\b \be\r\n"},
		{"erase a word", nil, "cd /tmp  \x17x\n", []string{"cd x\n"}, "cd /tmp  " + "\b \b\b \b\b \b\b \b\b \b\b \b" + "x\r\n"},
		{"kill", nil, "ab\x15c\n", []string{"c\n"}, "ab\b \b\b \bc\r\n"},
		{"end", nil, "\x04", []string{"EOF"}, ""},
		{"end in a line", nil, "ab\x04", []string{"ab"}, "ab"},
		{"control characters", nil, "a\x01\n", []string{"a\x01\n"}, "a^A\r\n"},
		{"erase control characters", nil, "\x01\x7f\n", []string{"\n"}, "^A\b \b\b \b\r\n"},
		{"literally", nil, "\x16\x04\n", []string{"\x04\n"}, "^D\r\n"},
		{"once more", nil, "ab\x12\n", []string{"ab\n"}, "ab^R\r\nab\r\n"},
		{"interrupt", nil, "ab\x03c\n", []string{"c\n"}, "^Cc\r\n"},
		{"without echo", func(a *termios) { a.lflag &^= echo }, "secret\n", []string{"secret\n"}, ""},
		{"newlines alone", func(a *termios) { a.lflag = a.lflag&^echo | echonl }, "secret\n", []string{"secret\n"}, "\r\n"},
		{"raw", raw, "a\x03\x7f\r\n\x04", []string{"a\x03\x7f\r\n\x04"}, ""},
		{"raw, too few", func(a *termios) { raw(a); a.cc[vmin] = 3 }, "ab", nil, ""},
		{"raw, enough", func(a *termios) { raw(a); a.cc[vmin] = 3 }, "abc", []string{"abc"}, ""},
		{"no carriage returns", func(a *termios) { a.iflag |= igncr }, "a\r\n", []string{"a\n"}, "a\r\n"},
	} {
		term := NewTerminal(new(groupSignals), 24, 80)
		if test.attr != nil {
			test.attr(&term.attr)
		}
		if n, err := term.Write([]byte(test.typed)); n != len(test.typed) || err != nil {
			t.Errorf("%s: typed %d bytes, %v", test.name, n, err)
		}
		if got := reads(term); !reflect.DeepEqual(got, test.read) {
			t.Errorf("%s: read %q, want %q", test.name, got, test.read)
		}
		if string(term.out) != test.shown {
			t.Errorf("%s: shown %q, want %q", test.name, term.out, test.shown)
		}
	}
}

func TestTerminalSignals(t *testing.T) {
	var got groupSignals
	term := NewTerminal(&got, 24, 80)
	term.Write([]byte{3})
	term.SetJob(5, 7)
	term.Write([]byte("\x03\x1c\x1a"))
	term.Resize(24, 80)
	term.Resize(30, 80)
	term.Close()
	term.Close()
	want := groupSignals{
		{7, signalInt}, {7, signalQuit}, {7, signalTstp}, {7, signalWinch28},
		{5, signalHup}, {5, signalCont18}, {7, signalHup}, {7, signalCont18},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// A line that is being edited when canonical mode ends can be read.
func TestTerminalLeavesCanonicalMode(t *testing.T) {
	term := NewTerminal(new(groupSignals), 24, 80)
	term.Write([]byte("a\nbc"))
	a := term.attr
	a.lflag &^= icanon
	term.mu.Lock()
	term.setLocked(a)
	term.mu.Unlock()
	if got := reads(term); !reflect.DeepEqual(got, []string{"a\nbc"}) {
		t.Errorf("read %q", got)
	}
}

func TestTerminalHeld(t *testing.T) {
	term := NewTerminal(new(groupSignals), 24, 80)
	s := newSlave(term)
	term.Write([]byte{0x13})
	if n, err := s.write(t.Context(), []byte("x"), true); n != 0 || err != errAgain {
		t.Errorf("held: wrote %d, %v", n, err)
	}
	term.Write([]byte{0x11})
	if n, err := s.write(t.Context(), []byte("x"), true); n != 1 || err != nil {
		t.Errorf("released: wrote %d, %v", n, err)
	}
}

// A process with a terminal as its standard streams, and the user on the other side.
func TestTerminalAsStreams(t *testing.T) {
	term := NewTerminal(new(groupSignals), 24, 80)
	g := newGuest(t, Config{Stdin: term, Stdout: term, Stderr: term, Kernel: fakeKernel{}})
	g.must("tty_size_get", 0, outPtr)
	if size, _ := g.mod.Memory().ReadUint32Le(outPtr); size != 24|80<<16 {
		t.Errorf("size %#x", size)
	}
	g.must("tty_attr_get", 2, bufPtr)
	g.must("tty_attr_set", 2, 0, bufPtr)
	if term.attr != saneTermios() {
		t.Errorf("attributes changed to %+v", term.attr)
	}
	g.want(errNotty, "tty_pgrp_get", 0, outPtr)

	done := make(chan string)
	go func() { // ends with the terminal
		all, err := io.ReadAll(term)
		if err != nil {
			t.Error(err)
		}
		done <- string(all)
	}()
	g.writeLists()
	g.mod.Memory().Write(bufPtr, []byte("a\nb\n"))
	g.must("fd_write", 1, listPtr, 1, outPtr)
	if err := g.host.Close(); err != nil {
		t.Error(err)
	}
	if got := <-done; got != "a\r\nb\r\n" {
		t.Errorf("the user saw %q", got)
	}
}

func TestPty(t *testing.T) {
	g := newGuest(t, Config{Kernel: fakeKernel{}})
	g.must("tty_open_pty", 0, outPtr)
	master, _ := g.mod.Memory().ReadUint32Le(outPtr)
	other, _ := g.mod.Memory().ReadUint32Le(outPtr + 4)
	g.writeLists()
	g.mod.Memory().Write(bufPtr, []byte("abc\n"))
	g.must("fd_write", master, listPtr, 1, outPtr)
	g.mod.Memory().Write(bufPtr, []byte("????"))
	g.must("fd_read", other, listPtr, 1, outPtr)
	if b, _ := g.mod.Memory().Read(bufPtr, 4); string(b) != "abc\n" {
		t.Errorf("the slave read %q", b)
	}
	g.must("fd_read", master, listPtr, 1, outPtr)
	if b, _ := g.mod.Memory().Read(bufPtr, 4); string(b) != "abc\r" {
		t.Errorf("the echo is %q", b)
	}
	g.must("fd_close", master)
	g.want(errIo, "fd_write", other, listPtr, 1, outPtr)
}
