package conformance

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
)

// CPython's suite decides by the platform's name what it can do, and WASI by itself has no processes, threads or sockets.
// capableModules are the test modules that are told that it has.
var capableModules = map[string]bool{
	"test_concurrent_futures": true,
	"test_optparse":           true,
	"test_poll":               true,
	"test_popen":              true,
	"test_pty":                true,
	"test_queue":              true,
	"test_select":             true,
	"test_selectors":          true,
	"test_socket":             true,
	"test_subprocess":         true,
	"test_termios":            true,
	"test_thread":             true,
	"test_threadedtempfile":   true,
	"test_threading":          true,
	"test_threading_local":    true,
	"test_threadsignals":      true,
	"test_tty":                true,
	"test_webbrowser":         true,
}

// doubts are where the suite's files rule WASI out: all places of the text below the mark, to be replaced once.
var doubts = map[string][]struct{ mark, old, new string }{
	"test/support/__init__.py": {
		{"\nhas_subprocess_support = not (", "or is_wasi", "or False"},
		{"\nhas_socket_support = not (", "or is_wasi", "or False"},
	},
	"test/support/threading_helper.py": {{"elif sys.platform == \"wasi\":", "return False", "return True"}},
	"test/test_selectors.py":           {{"if support.is_emscripten or ", "support.is_wasi", "False"}},
	"test/test_pty.py":                 {{"if is_android or ", "is_wasi", "False"}},
}

// capable is the suite of a platform that has all that.
type capable struct{ fs.FS }

func (c capable) Open(name string) (fs.File, error) {
	f, err := c.FS.Open(name)
	if err != nil || doubts[name] == nil {
		return f, err
	}
	text, err := io.ReadAll(f)
	if err != nil {
		return nil, err
	}
	return &settledFile{File: f, Reader: bytes.NewReader(settle(name, text))}, nil
}

// settle takes the doubts out of a file's text, which stays as long as it is: so the file's size is still true.
func settle(name string, text []byte) []byte {
	for _, d := range doubts[name] {
		before, after, found := bytes.Cut(text, []byte(d.mark))
		if found {
			after = bytes.Replace(after, []byte(d.old), fmt.Appendf(nil, "%-*s", len(d.old), d.new), 1)
			text = append(append(bytes.Clone(before), d.mark...), after...)
		}
	}
	return text
}

// settledFile is a file with another text.
type settledFile struct {
	fs.File
	*bytes.Reader
}

func (s *settledFile) Read(b []byte) (int, error) { return s.Reader.Read(b) }
