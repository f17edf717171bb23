package conformance

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/belljar-dev/belljar/engine"
	"github.com/belljar-dev/belljar/vfs"
)

// genfile is the program of that name of tar's suite, as far as its scripts use it, without --run: it makes files whose
// content is known, or with holes, and tells of files what scripts compare.
func genfile(_ context.Context, call *engine.Call) int {
	g := generator{call: call, block: 512, end: "\n"}
	if err := g.run(call.Args[1:]); err != nil {
		fmt.Fprintf(call.Stderr, "genfile: %v\n", err)
		return 1
	}
	return 0
}

type generator struct {
	call         *engine.Call
	file, list   string
	length, seek int64
	block        int64
	end          string // of a name in list
	zeros        bool
	sparse       bool
	stat         string // what to tell
	rest         []string
}

// parse reads the options: a long one's value follows "=" or is the next word, a short one's is the next.
func (g *generator) parse(args []string) error {
	for len(args) > 0 {
		name, value, joined := strings.Cut(args[0], "=")
		args = args[1:]
		switch {
		case name == "--sparse" || name == "-s":
			g.sparse = true
			continue
		case name == "--null" || name == "-0":
			g.end = "\x00"
			continue
		case name == "--quiet" || name == "-q":
			continue
		case name == "--stat" || name == "-S":
			if g.stat = "name,size,mtime"; joined {
				g.stat = value
			}
			continue
		case !strings.HasPrefix(name, "-") || name == "-":
			g.rest = append(g.rest, name)
			continue
		}
		if !joined {
			if len(args) == 0 {
				return fmt.Errorf("%s wants a value", name)
			}
			value, args = args[0], args[1:]
		}
		if err := g.option(name, value); err != nil {
			return err
		}
	}
	return nil
}

func (g *generator) option(name, value string) (err error) {
	switch name {
	case "--file", "-f":
		g.file = value
	case "--files-from", "-T":
		g.list = value
	case "--length", "-l":
		g.length, err = size(value)
	case "--seek":
		g.seek, err = size(value)
	case "--block-size", "-b":
		g.block, err = size(value)
	case "--pattern", "-p":
		g.zeros = value == "zeros"
	default:
		return fmt.Errorf("%s is not known here", name)
	}
	return err
}

// size reads a number with a unit.
func size(s string) (int64, error) {
	digits := strings.TrimRight(s, "kKMmGg")
	n, err := strconv.ParseInt(digits, 10, 64)
	for _, unit := range strings.ToUpper(s[len(digits):]) {
		n <<= map[rune]uint{'K': 10, 'M': 20, 'G': 30}[unit]
	}
	return n, err
}

func (g *generator) run(args []string) error {
	if err := g.parse(args); err != nil {
		return err
	}
	switch {
	case g.stat != "":
		return g.tell()
	case g.sparse:
		return g.holes()
	case g.list != "":
		names, err := g.names()
		for _, name := range names {
			err = errors.Join(err, g.plain(name))
		}
		return err
	case g.file == "":
		_, err := g.call.Stdout.Write(g.content(g.length))
		return err
	}
	return g.plain(g.file)
}

func (g *generator) names() ([]string, error) {
	var text []byte
	var err error
	if g.list == "-" {
		text, err = io.ReadAll(g.call.Stdin)
	} else {
		text, err = g.call.Files.ReadFile(g.call.Abs(g.list))
	}
	return strings.FieldsFunc(string(text), func(r rune) bool { return string(r) == g.end }), err
}

// content is zeros, or counts up to 255 over and over.
func (g *generator) content(n int64) []byte {
	b := make([]byte, n)
	for i := range b {
		if !g.zeros {
			b[i] = byte(i)
		}
	}
	return b
}

func (g *generator) plain(name string) error {
	flags := os.O_WRONLY | os.O_CREATE
	if g.seek == 0 {
		flags |= os.O_TRUNC
	}
	f, err := g.call.Files.OpenFile(g.call.Abs(name), flags, 0o666)
	if err == nil {
		_, err = f.WriteAt(g.content(g.length), g.seek)
		err = errors.Join(err, f.Close())
	}
	return err
}

// holes makes a file of pairs: how far to go on, and a letter for each block to write there, or "=" and their number.
func (g *generator) holes() error {
	pairs := g.rest
	if len(pairs) == 1 && pairs[0] == "-" {
		pairs = nil
		for lines := bufio.NewScanner(g.call.Stdin); lines.Scan(); {
			pairs = append(pairs, append(strings.Fields(lines.Text()), "", "")[:2]...)
		}
	}
	f, err := g.call.Files.OpenFile(g.call.Abs(g.file), os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o644)
	if err != nil {
		return err
	}
	return errors.Join(g.pieces(f, pairs), f.Close())
}

func (g *generator) pieces(f *vfs.File, pairs []string) error {
	at := int64(0)
	for i := 0; i < len(pairs); i += 2 {
		skip, err := size(pairs[i])
		if err != nil {
			return err
		}
		at += skip
		marks := append(pairs, "")[i+1]
		if marks == "" {
			if err := f.Truncate(at); err != nil {
				return err
			}
			continue
		}
		b := []byte{}
		if digits, many := strings.CutPrefix(marks, "="); many {
			n, err := size(digits)
			if err != nil {
				return err
			}
			b = bytes.Repeat(g.content(g.block), int(n))
		} else {
			for _, mark := range []byte(marks) {
				b = append(b, bytes.Repeat([]byte{mark}, int(g.block))...)
			}
		}
		if _, err := f.WriteAt(b, at); err != nil {
			return err
		}
		at += int64(len(b))
	}
	return nil
}

// tell prints a line for each file.
func (g *generator) tell() error {
	for _, name := range g.rest {
		info, err := g.call.Files.Stat(g.call.Abs(name))
		if err != nil {
			return err
		}
		var words []string
		for field := range strings.SplitSeq(g.stat, ",") {
			switch kind, mask, _ := strings.Cut(strings.ReplaceAll(field, ":", "."), "."); kind {
			case "name":
				words = append(words, name)
			case "size":
				words = append(words, strconv.FormatInt(info.Size(), 10))
			case "mtime":
				words = append(words, strconv.FormatInt(info.ModTime().Unix(), 10))
			case "mode":
				bits, err := strconv.ParseUint(mask, 8, 32)
				if err != nil {
					return err
				}
				words = append(words, strconv.FormatUint(uint64(info.Mode().Perm())&bits, 8))
			default:
				return fmt.Errorf("%s is not known here", field)
			}
		}
		if _, err := fmt.Fprintln(g.call.Stdout, strings.Join(words, " ")); err != nil {
			return err
		}
	}
	return nil
}
