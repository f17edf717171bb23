package main

import (
	"bufio"
	"errors"
	"io"
	"os"
	"strings"

	"github.com/peterh/liner"
	"golang.org/x/term"
)

// newLineReader reads from a person at a terminal, with editing, history and completion, or else from a file.
//
// history is the file that a person's lines are kept in from one time to the next.
func newLineReader(in io.Reader, out io.Writer, history string, complete func(string) []string) (lineReader, error) {
	stdin, ok1 := in.(*os.File)
	stdout, ok2 := out.(*os.File)
	if !ok1 || !ok2 || !term.IsTerminal(int(stdin.Fd())) || !term.IsTerminal(int(stdout.Fd())) || !liner.TerminalSupported() {
		return plainLines{bufio.NewReader(in)}, nil
	}
	usual, err := liner.TerminalMode()
	if err != nil {
		return nil, err
	}
	t := &terminalLines{state: liner.NewLiner(), usual: usual, stdin: stdin, history: history}
	if t.editing, err = liner.TerminalMode(); err != nil {
		return nil, errors.Join(err, t.close())
	}
	t.state.SetCtrlCAborts(true)
	t.state.SetTabCompletionStyle(liner.TabPrints)
	t.state.SetCompleter(complete)
	if f, err := os.Open(history); err == nil {
		_, _ = t.state.ReadHistory(f) // a convenience: what can't be read is not worth a word
		_ = f.Close()
	}
	return t, nil
}

// terminalLines asks a person.
type terminalLines struct {
	state          *liner.State
	usual, editing liner.ModeApplier
	stdin          io.Reader
	history        string
}

func (t *terminalLines) line(prompt string) (string, error) {
	line, err := t.state.Prompt(prompt)
	if errors.Is(err, liner.ErrPromptAborted) {
		err = errInterrupted
	}
	return line, err
}

func (t *terminalLines) run(f func()) {
	_ = t.usual.ApplyMode()
	f()
	_ = t.editing.ApplyMode()
}

// remember keeps a cell of several lines line by line: the editor has one.
func (t *terminalLines) remember(cell string) {
	for line := range strings.SplitSeq(cell, "\n") {
		if strings.TrimSpace(line) != "" {
			t.state.AppendHistory(line)
		}
	}
}

func (t *terminalLines) input() io.Reader { return t.stdin }

func (t *terminalLines) close() error {
	if f, err := os.OpenFile(t.history, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600); err == nil {
		_, _ = t.state.WriteHistory(f)
		_ = f.Close()
	}
	return t.state.Close()
}

// plainLines reads a file, without prompts.
type plainLines struct{ r *bufio.Reader }

func (p plainLines) line(string) (string, error) {
	line, err := p.r.ReadString('\n')
	if errors.Is(err, io.EOF) && line != "" {
		err = nil
	}
	return strings.TrimRight(line, "\r\n"), err
}

func (p plainLines) run(f func())     { f() }
func (p plainLines) remember(string)  {}
func (p plainLines) input() io.Reader { return p.r }
func (p plainLines) close() error     { return nil }
