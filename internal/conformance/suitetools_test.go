package conformance

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/belljar-dev/belljar/engine"
)

// suitePrograms are what the makefiles of the suites of gnu_test.go build for the scripts.
var suitePrograms = []engine.Program{
	{Path: "/usr/bin/get-mb-cur-max", Func: maxBytes},
	{Path: "/usr/bin/recho", Func: recho},
	{Path: "/usr/bin/zecho", Func: zecho},
	{Path: "/usr/bin/xcase", Func: xcase},
}

// recho shows its arguments, each in a line and with its control characters made visible.
func recho(_ context.Context, call *engine.Call) int {
	var b bytes.Buffer
	for i, arg := range call.Args[1:] {
		fmt.Fprintf(&b, "argv[%d] = <", i+1)
		for _, c := range []byte(arg) {
			if c < ' ' || c == 0x7f {
				b.WriteByte('^')
				c ^= '@'
			}
			b.WriteByte(c)
		}
		b.WriteString(">\n")
	}
	return written(call, b.Bytes())
}

// zecho is echo without options or escapes.
func zecho(_ context.Context, call *engine.Call) int {
	return written(call, []byte(strings.Join(call.Args[1:], " ")+"\n"))
}

// xcase -u and xcase -l change the case of what they read, with -n a byte at a time.
func xcase(_ context.Context, call *engine.Call) int {
	change := func(b []byte) []byte { return b }
	size := 4096
	for _, arg := range call.Args[1:] {
		for _, option := range strings.TrimPrefix(arg, "-") {
			switch option {
			case 'u':
				change = bytes.ToUpper
			case 'l':
				change = bytes.ToLower
			case 'n':
				size = 1
			default:
				return 2
			}
		}
	}
	buf := make([]byte, size)
	for {
		n, err := call.Stdin.Read(buf)
		if written(call, change(buf[:n])) != 0 {
			return 1
		}
		if err == io.EOF {
			return 0
		}
		if err != nil {
			return 1
		}
	}
}

// written writes to standard output and answers the status that this gives.
func written(call *engine.Call, b []byte) int {
	if _, err := call.Stdout.Write(b); err != nil {
		return 1
	}
	return 0
}

// maxBytes says how many bytes a character has at most in a locale. Those of UTF-8 differ by name alone, and others but C
// are refused here, which the C library takes for UTF-8.
func maxBytes(_ context.Context, call *engine.Call) int {
	switch name := strings.ToUpper(call.Args[len(call.Args)-1]); {
	case name == "C":
		return written(call, []byte("1\n"))
	case strings.HasSuffix(name, ".UTF-8"):
		return written(call, []byte("4\n"))
	}
	return 1
}
