package mcpbridge

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/belljar-dev/belljar/engine"
	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"
)

// result is what a tool answers: data for programs, and the same as text for models.
type result[T any] struct {
	data  T
	text  string
	extra []mcp.Content // pictures and the like, after the text
	// failed says that the call did not do what it was asked to; text says why, and what to do next.
	failed bool
}

// hints tell clients what a tool may do.
type hints struct{ reads, destroys, repeatable bool }

// newTool makes a tool of a function of typed arguments.
func newTool[In, Out any](b *Bridge, name, title, description string, h hints, f func(context.Context, caller, In) (result[Out], error)) server.ServerTool {
	open := false // nothing reaches beyond the sandbox
	tool := mcp.NewTool(name, mcp.WithDescription(description), mcp.WithToolAnnotation(mcp.ToolAnnotation{
		Title: title, ReadOnlyHint: &h.reads, DestructiveHint: &h.destroys, IdempotentHint: &h.repeatable, OpenWorldHint: &open,
	}), mcp.WithInputSchema[In](), mcp.WithOutputSchema[Out]())
	return server.ServerTool{Tool: tool, Handler: func(ctx context.Context, req mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		var in In
		if err := req.BindArguments(&in); err != nil {
			return mcp.NewToolResultErrorf("%s: the arguments don't fit its schema: %v", name, err), nil
		}
		res, err := f(ctx, b.caller(ctx), in)
		if err != nil {
			return mcp.NewToolResultErrorf("%s: %s", name, advice(err)), nil
		}
		out := mcp.NewToolResultStructured(res.data, res.text)
		out.Content = append(out.Content, res.extra...)
		out.IsError = res.failed
		return out, nil
	}}
}

// advice is an error's text with what a model can do about it.
func advice(err error) string {
	var limit *engine.LimitError
	switch {
	case errors.Is(err, ErrNotFound):
		return err.Error() + `: use the tool "sandbox" with action "list" to see the names, or "create" to make one`
	case errors.Is(err, engine.ErrBusy):
		return err.Error() + ": it is running code; wait for that call, or name another session"
	case errors.As(err, &limit):
		return err.Error() + ": do less at a time, or in several calls"
	}
	return err.Error()
}

// caller is who calls a tool.
type caller struct {
	bridge *Bridge
	owner  string // before its sandboxes' names; "" where there is one client alone
}

func (b *Bridge) caller(ctx context.Context) caller {
	owner, _ := ctx.Value(ownerKey{}).(string)
	return caller{b, owner}
}

// ownerKey finds a client's owner in the context of its requests. See Handler.
type ownerKey struct{}

// defaultSandbox is the one that tools work in where none is named.
const defaultSandbox = "default"

// maxName bounds the name of a sandbox, in bytes.
const maxName = 64

func checkName(name string) error {
	if name == "" || len(name) > maxName || strings.IndexFunc(name, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-' && r != '_'
	}) >= 0 {
		return fmt.Errorf("sandbox %q: a name has up to %d letters, digits, - and _", name, maxName)
	}
	return nil
}

// use lends the sandbox of a name, "" for the default one, which is made at its first use.
func (c caller) use(ctx context.Context, name string, f func(*engine.Sandbox) error) error {
	if name == "" {
		name = defaultSandbox
	}
	if err := checkName(name); err != nil {
		return err
	}
	if name == defaultSandbox {
		if err := c.makeDefault(ctx); err != nil {
			return err
		}
	}
	err := c.bridge.cfg.Sandboxes.Use(ctx, c.owner+name, f)
	if errors.Is(err, ErrNotFound) {
		return fmt.Errorf("sandbox %q: %w", name, err)
	}
	return err
}

func (c caller) makeDefault(ctx context.Context) error {
	b := c.bridge
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.defaults[c.owner] {
		return nil
	}
	if err := b.cfg.Sandboxes.Create(ctx, c.owner+defaultSandbox); err != nil && !errors.Is(err, ErrExists) {
		return err
	}
	b.defaults[c.owner] = true
	return nil
}

// cut leaves out the middle of a text that is too long for one result.
func (b *Bridge) cut(text string) (string, bool) {
	most := b.cfg.Output
	if len(text) <= most {
		return strings.ToValidUTF8(text, "\uFFFD"), false
	}
	head, tail := text[:most/2], text[len(text)-most/2:]
	return strings.ToValidUTF8(fmt.Sprintf("%s\n[… %d bytes left out here; write to a file and read it in parts to see all …]\n%s",
		head, len(text)-most, tail), "\uFFFD"), true
}

func (b *Bridge) tools() []server.ServerTool {
	return []server.ServerTool{
		b.runCode(), b.runCommand(), b.readFile(), b.writeFile(), b.editFile(), b.listFiles(), b.searchFiles(), b.fileOps(), b.sandbox(),
	}
}
