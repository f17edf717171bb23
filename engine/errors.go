package engine

import (
	"errors"
	"fmt"
	"strings"
)

var (
	// ErrClosed reports a call on a closed Engine or Sandbox, or a run that Close ended.
	ErrClosed = errors.New("sandbox is closed")
	// ErrUnknownImage reports a Spec.Image that the Engine was not given.
	ErrUnknownImage = errors.New("unknown image")
	// ErrUnknownLanguage reports a language that the sandbox's image cannot evaluate.
	ErrUnknownLanguage = errors.New("unknown language")
	// ErrNotFound reports a command that names no program of the sandbox.
	ErrNotFound = errors.New("program not found")
	// ErrNotExecutable reports a command whose file is not a program the engine can run.
	ErrNotExecutable = errors.New("not an executable program")
	// ErrBusy reports a call on a session that runs a cell.
	ErrBusy = errors.New("session is busy")
	// ErrSessionDead reports a call on a session that has ended: it was closed or killed, or its interpreter exited.
	// The cause is wrapped too. Sandbox.Session makes a new one of the same name.
	ErrSessionDead = errors.New("session is dead")
	// ErrInternal reports a fault of the engine itself. The sandbox's process is gone, the engine goes on.
	// The error's text carries the stack.
	ErrInternal = errors.New("internal error")
)

// Limit names one field of [Limits].
type Limit string

// The limits that a LimitError can name.
const (
	LimitMemory    Limit = "memory"
	LimitTicks     Limit = "ticks"
	LimitWall      Limit = "wall"
	LimitOutput    Limit = "output"
	LimitProcesses Limit = "processes"
)

// LimitError reports the limit that ended a run, or that kept one from starting.
type LimitError struct {
	Limit Limit
	Max   int64 // in the limit's own unit: bytes, ticks, nanoseconds, processes
}

func (e *LimitError) Error() string {
	return fmt.Sprintf("%s limit of %s reached", e.Limit, formatLimit(e.Limit, e.Max))
}

// TrapError reports a WebAssembly trap: the guest did what the machine forbids, and died of it.
type TrapError struct {
	Reason string   // as the specification words it, "out of bounds memory access"
	Stack  []string // innermost frame first; names only where the module has them
}

func (e *TrapError) Error() string {
	if len(e.Stack) == 0 {
		return "trap: " + e.Reason
	}
	return "trap: " + e.Reason + " in " + e.Stack[0]
}

// trapError splits the error text that wazero makes of a trap: it has no exported type for it.
func trapError(err error) *TrapError {
	const prefix, stackMark = "wasm error: ", "\nwasm stack trace:\n"
	text := strings.TrimPrefix(err.Error(), prefix)
	reason, stack, _ := strings.Cut(text, stackMark)
	t := &TrapError{Reason: reason}
	for line := range strings.SplitSeq(stack, "\n") {
		if line = strings.TrimSpace(line); line != "" {
			t.Stack = append(t.Stack, line)
		}
	}
	return t
}
