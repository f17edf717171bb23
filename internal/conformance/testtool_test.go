package conformance

import (
	"bufio"
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/belljar-dev/belljar/engine"
)

// testTool is what scripts of git's suite use most of its helper test-tool, which is C that looks into git. All else
// answers status 127: the tests that need it fail, and have rows that say so.
func testTool(_ context.Context, call *engine.Call) int {
	args := call.Args[1:]
	command := strings.Join(args[:min(len(args), 2)], " ")
	switch {
	case command == "date is64bit", command == "date time_t-is64bit":
		return 0
	case command == "path-utils file-size":
		for _, name := range args[2:] {
			info, err := call.Files.Stat(call.Abs(name))
			if err != nil {
				return 1
			}
			fmt.Fprintln(call.Stdout, info.Size())
		}
		return 0
	case strings.HasPrefix(command, "chmtime "):
		return changeTimes(call, args[1:])
	case strings.HasPrefix(command, "genrandom "):
		return generate(call, args[1:], true)
	case strings.HasPrefix(command, "genzeros"):
		return generate(call, append([]string{""}, args[1:]...), false)
	}
	fmt.Fprintf(call.Stderr, "test-tool: %s is not there\n", command)
	return 127
}

// changeTimes is test-tool chmtime.
func changeTimes(call *engine.Call, args []string) int {
	get, verbose := false, false
	switch args[0] {
	case "-g", "--get":
		get = true
	case "-v", "--verbose":
		verbose = true
	}
	if get || verbose {
		args = args[1:]
	}
	var shift int64
	absolute := false
	if len(args) > 0 {
		spec, set := strings.CutPrefix(args[0], "=")
		relative := set && strings.HasPrefix(spec, "+")
		if n, err := strconv.ParseInt(spec, 10, 64); err == nil {
			shift, absolute, args = n, set, args[1:]
			if relative || set && n < 0 {
				shift += call.Now().Unix()
			}
		} else if !get {
			return 1
		}
	}
	for _, name := range args {
		info, err := call.Files.Stat(call.Abs(name))
		if err != nil {
			fmt.Fprintf(call.Stderr, "Failed to stat %s: %v. Skipping\n", name, err)
			continue
		}
		to := shift
		if !absolute {
			to += info.ModTime().Unix()
		}
		switch {
		case get:
			fmt.Fprintln(call.Stdout, max(to, 0))
		case verbose:
			fmt.Fprintf(call.Stdout, "%d\t%s\n", max(to, 0), name)
		}
		if to == info.ModTime().Unix() {
			continue
		}
		if err := call.Files.Chtimes(call.Abs(name), time.Time{}, time.Unix(to, 0)); err != nil {
			fmt.Fprintf(call.Stderr, "Failed to modify time on %s: %v\n", name, err)
			return 1
		}
	}
	return 0
}

// generate is test-tool genrandom and genzeros: bytes that a seed makes, or zeros, so many or without end.
func generate(call *engine.Call, args []string, random bool) int {
	left := uint64(1<<64 - 1)
	if len(args) > 1 {
		n, err := strconv.ParseUint(args[1], 10, 64)
		if err != nil {
			return 1
		}
		left = n
	}
	var next uint64
	for _, c := range []byte(args[0] + "\x00") {
		next = next*11 + uint64(c)
	}
	w := bufio.NewWriterSize(call.Stdout, 64<<10)
	for ; left > 0; left-- {
		var c byte
		if random {
			next = next*1103515245 + 12345
			c = byte(next >> 16)
		}
		if w.WriteByte(c) != nil {
			return 1 // who reads has had enough
		}
	}
	if w.Flush() != nil {
		return 1
	}
	return 0
}
