package wasi

import (
	"context"
	"fmt"
	"runtime/debug"

	"github.com/tetratelabs/wazero/sys"
)

// Panic is what a host function panics with after a bug of ours, or a fault in a
// Reader, Writer or Clock given in [Config], made it panic. wazero hands it on as
// an error of the call: find it with errors.As.
type Panic struct {
	Value any    // what the panic was called with
	Stack []byte // the goroutine's stack then, as debug.Stack writes it
}

// Error says what the panic was about, without the stack.
func (p *Panic) Error() string { return fmt.Sprintf("wasi: panic in a host function: %v", p.Value) }

// Unwrap gives the panic's value if it is an error.
func (p *Panic) Unwrap() error {
	err, _ := p.Value.(error)
	return err
}

// Canceled is what a host function panics with when the context of the call ended
// while the guest was blocked in it. wazero hands it on as an error of the call:
// find it with errors.As.
type Canceled struct {
	Cause error // context.Cause of the call's context; never nil
}

// Error says why the call was canceled.
func (c *Canceled) Error() string { return "wasi: canceled while blocked: " + c.Cause.Error() }

// Unwrap gives the cause.
func (c *Canceled) Unwrap() error { return c.Cause }

// checkContext ends the call if its context has ended. Blocking calls use it after
// each wait.
func checkContext(ctx context.Context) {
	if ctx.Err() != nil {
		panic(&Canceled{Cause: context.Cause(ctx)})
	}
}

// rethrow is deferred around every host function: it lets the two intended panics
// pass, and marks any other as ours.
func rethrow() {
	switch r := recover().(type) {
	case nil:
	case *sys.ExitError, *Canceled, *Panic:
		panic(r)
	default:
		panic(&Panic{Value: r, Stack: debug.Stack()})
	}
}
