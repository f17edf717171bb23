package conformance

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/big"
	"strings"

	"github.com/belljar-dev/belljar/engine"
)

// suitePrograms are what the makefiles of the suites of gnu_test.go build for the scripts.
var suitePrograms = []engine.Program{
	{Path: "/usr/bin/get-mb-cur-max", Func: maxBytes},
	{Path: "/usr/bin/ckmtime", Func: func(context.Context, *engine.Call) int { return 0 }}, // times of files are exact
	{Path: "/usr/bin/getlimits", Func: getlimits},
	{Path: "/usr/bin/genfile", Func: genfile},
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

// getlimits tells the C library's limits as assignments of a shell's, and what is one beyond them.
func getlimits(_ context.Context, call *engine.Call) int {
	var b strings.Builder
	one := big.NewInt(1)
	tell := func(name string, bits uint, signed bool) {
		least, most := new(big.Int), new(big.Int).Lsh(one, bits)
		if signed {
			most.Rsh(most, 1)
			least.Neg(most)
		}
		fmt.Fprintf(&b, "%s_MAX=%v\n%[1]s_OFLOW=%v\n", name, new(big.Int).Sub(most, one), most)
		if signed {
			fmt.Fprintf(&b, "%s_MIN=%v\n%[1]s_UFLOW=%v\n", name, least, new(big.Int).Sub(least, one))
		}
	}
	for _, t := range []struct {
		name   string
		bits   uint
		signed bool
	}{
		{"CHAR", 8, true}, {"SCHAR", 8, true}, {"UCHAR", 8, false}, {"SHRT", 16, true}, {"INT", 32, true}, {"UINT", 32, false},
		{"LONG", 32, true}, {"ULONG", 32, false}, {"SIZE", 32, false}, {"SSIZE", 32, true}, {"TIME_T", 64, true},
		{"UID_T", 32, false}, {"GID_T", 32, false}, {"PID_T", 32, true}, {"OFF_T", 64, true}, {"INTMAX", 64, true}, {"UINTMAX", 64, false},
	} {
		tell(t.name, t.bits, t.signed)
	}
	b.WriteString("FLT_MIN=1.1754944e-38\nFLT_MAX=3.4028235e+38\nDBL_MIN=2.2250738585072014e-308\nDBL_MAX=1.7976931348623157e+308\n" +
		"LDBL_MIN=3.362103143112093506262677817321752603e-4932\nLDBL_MAX=1.189731495357231765085759326628007016e+4932\n")
	return written(call, []byte(b.String()))
}
