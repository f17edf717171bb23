package engine

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strconv"
	"strings"
)

// Cell is what a session runs at a time.
type Cell struct {
	Code string
	// Stdin is read as the cell asks for input, a line at a time; nil is empty. See Command.
	Stdin io.Reader
	// Stdout and Stderr get output as it is written; nil keeps it for the Result.
	Stdout, Stderr io.Writer
	// OnPart, unless nil, hears of each part as the cell shows it, on the goroutine that runs the cell. The Result
	// has all of them too.
	OnPart func(Part)
}

// Completion is what could stand at a cursor.
type Completion struct {
	Start   int      // where in the code, in bytes, the text begins that a match replaces
	Matches []string // in the interpreter's order
}

// Completeness says whether code can be run, or goes on in another line.
type Completeness struct {
	Status string // "complete", "incomplete" or "invalid"
	Indent string // of the next line, when incomplete
}

// Eval runs a cell and waits for it. The Result is filled even beside an error, and the error is nil whenever the cell
// ended by itself: an exception is in Result.Exception and sets ExitCode. sys.exit ends the cell, with its status, and
// not the session.
//
// At ctx's end the cell is interrupted, as by Interrupt, and the error is the context's cause. A cell that goes on for
// half a second after that is killed.
//
// The limits on ticks, wall time and output hold for each cell. Beyond one the interpreter is killed. A session whose
// interpreter was killed is dead; the sandbox goes on. Errors: ErrBusy while another cell runs, ErrSessionDead,
// ErrClosed, a *LimitError, a *TrapError.
func (s *Session) Eval(ctx context.Context, cell Cell) (Result, error) {
	c := &cellRun{cell: cell, what: cellRunCode}
	return s.run(ctx, c)
}

// Complete answers what could stand at a cursor, a number of bytes from the code's beginning. See Eval for errors.
func (s *Session) Complete(ctx context.Context, code string, cursor int) (Completion, error) {
	if cursor < 0 || cursor > len(code) {
		return Completion{}, fmt.Errorf("session %q: cursor %d in code of %d bytes", s.name, cursor, len(code))
	}
	c := &cellRun{cell: Cell{Code: code}, what: cellComplete, cursor: cursor}
	if _, err := s.run(ctx, c); err != nil || len(c.answer) == 0 {
		return Completion{Start: cursor}, err
	}
	start, err := strconv.Atoi(c.answer[0])
	if err != nil || start < 0 || start > cursor {
		start = cursor
	}
	return Completion{Start: start, Matches: c.answer[1:]}, nil
}

// Check answers whether code is complete. See Eval for errors.
func (s *Session) Check(ctx context.Context, code string) (Completeness, error) {
	c := &cellRun{cell: Cell{Code: code}, what: cellCheck}
	if _, err := s.run(ctx, c); err != nil || len(c.answer) != 2 {
		return Completeness{Status: "complete"}, err
	}
	return Completeness{Status: c.answer[0], Indent: c.answer[1]}, nil
}

// What the interpreter is asked for; the numbers of enum what in session.c.
type cellKind uint32

const (
	cellRunCode cellKind = iota
	cellComplete
	cellCheck
)

// Kinds of parts; the numbers of enum part in session.c.
const (
	partResult = iota
	partDisplay
	partError
	partCompletion
	partCheck
)

// cellCopied tells the interpreter that its memory has become another session's.
const cellCopied = 1

// cellRun is one cell while it runs. What has no other comment belongs to the goroutine that runs it.
type cellRun struct {
	cell   Cell
	what   cellKind
	cursor int
	number uint32
	flags  uint32

	stop      context.CancelCauseFunc // any goroutine may call it; it kills the interpreter
	interrupt func()                  // any goroutine may call it
	begin     func()                  // called when the interpreter asks for the cell

	taken, early bool // the interpreter has the cell; it was interrupted before that. Under Session.mu
	output       *outputMeter

	parts     []Part
	exception *Exception
	answer    []string
}

// service answers the interpreter's calls.
func (c *cellRun) service(_ context.Context, name string, request []byte) ([]byte, error) {
	switch name {
	case "cell":
		c.begin()
		return c.source(), nil
	case "part":
		return nil, c.part(request)
	}
	return nil, fs.ErrNotExist
}

// source lays out the cell: what u32 | flags u32 | number u32 | cursor u32 | code, little-endian.
func (c *cellRun) source() []byte {
	le := binary.LittleEndian
	b := make([]byte, 0, 16+len(c.cell.Code))
	b = le.AppendUint32(b, uint32(c.what))
	b = le.AppendUint32(b, c.flags)
	b = le.AppendUint32(b, c.number)
	b = le.AppendUint32(b, uint32(c.cursor))
	return append(b, c.cell.Code...)
}

// part takes what the cell shows. What goes beyond the output limit ends the cell.
func (c *cellRun) part(request []byte) error {
	if over := c.output.written.Add(int64(len(request))) - c.output.max; over > 0 {
		limit := &LimitError{Limit: LimitOutput, Max: c.output.max}
		c.output.stop(limit)
		return limit
	}
	kind, items, err := decodePart(request)
	if err != nil {
		return err
	}
	switch kind {
	case partResult, partDisplay:
		if len(items)%2 != 0 {
			return errPart
		}
		c.show(kind == partDisplay, items)
	case partError:
		if len(items) < 2 {
			return errPart
		}
		text := texts(items)
		c.exception = &Exception{Name: text[0], Value: text[1], Traceback: text[2:]}
	case partCompletion, partCheck:
		c.answer = texts(items)
	default:
		return errPart
	}
	return nil
}

func (c *cellRun) show(display bool, items [][]byte) {
	p := Part{Display: display, Data: make(map[string][]byte, len(items)/2)}
	for i := 0; i < len(items); i += 2 {
		p.Data[string(items[i])] = items[i+1]
	}
	c.parts = append(c.parts, p)
	if c.cell.OnPart != nil {
		c.cell.OnPart(p)
	}
}

func texts(items [][]byte) []string {
	out := make([]string, len(items))
	for i, b := range items {
		out[i] = strings.ToValidUTF8(string(b), "\ufffd")
	}
	return out
}

var errPart = errors.New("part is not as it should be")

// decodePart reads: kind u32 | count u32 | count times: length u32, bytes. The items alias b.
func decodePart(b []byte) (kind uint32, items [][]byte, err error) {
	le := binary.LittleEndian
	if len(b) < 8 {
		return 0, nil, errPart
	}
	kind, count := le.Uint32(b), uint64(le.Uint32(b[4:]))
	b = b[8:]
	if count > uint64(len(b))/4 {
		return 0, nil, errPart
	}
	items = make([][]byte, count)
	for i := range items {
		if len(b) < 4 || uint64(le.Uint32(b)) > uint64(len(b)-4) {
			return 0, nil, errPart
		}
		n := le.Uint32(b)
		items[i], b = b[4:4+n:4+n], b[4+n:]
	}
	if len(b) != 0 {
		return 0, nil, errPart
	}
	return kind, items, nil
}

// fill completes the Result of a cell.
func (c *cellRun) fill(res *Result) {
	res.Parts, res.Exception = c.parts, c.exception
	for _, p := range c.parts {
		if !p.Display {
			res.Value = string(p.Data["text/plain"])
		}
	}
}
