package mcpbridge

import (
	"context"
	"encoding/json"
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
	extra []mcp.Content // pictures, links and the like, after the text
	// failed says that the call did not do what it was asked to; text says why, and what to do next.
	failed bool
}

// hints tell clients what a tool may do.
type hints struct {
	reads, destroys, repeatable bool
	open                        bool // it reaches beyond the sandbox
}

// annotation leaves out what has no meaning for a tool that only reads.
func (h hints) annotation() mcp.ToolAnnotation {
	a := mcp.ToolAnnotation{ReadOnlyHint: &h.reads, OpenWorldHint: &h.open}
	if !h.reads {
		a.DestructiveHint, a.IdempotentHint = &h.destroys, &h.repeatable
	}
	return a
}

// newTool makes a tool of a function of typed arguments.
func newTool[In, Out any](b *Bridge, name, description string, h hints, f func(context.Context, caller, In) (result[Out], error)) server.ServerTool {
	tool := mcp.NewTool(name, mcp.WithDescription(description), mcp.WithToolAnnotation(h.annotation()))
	tool.InputSchema.Type = "" // the raw ones stand in for it
	tool.RawInputSchema, tool.RawOutputSchema = inputSchema[In](), outputSchema[Out]()
	takes := readArguments(tool.RawInputSchema)
	return server.ServerTool{Tool: tool, Handler: func(ctx context.Context, req mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		var in In
		if err := takes.bind(req.Params.Arguments, &in); err != nil {
			return mcp.NewToolResultErrorf("%s: %v", name, err), nil
		}
		b.log(ctx, mcp.LoggingLevelDebug, map[string]any{"tool": name, "called": true})
		res, err := f(withProgress(ctx, req), b.caller(ctx), in)
		if err != nil {
			return mcp.NewToolResultErrorf("%s: %s", name, advice(err)), nil
		}
		out := mcp.NewToolResultStructured(res.data, res.text)
		out.Content = append(out.Content, res.extra...)
		out.IsError = res.failed
		return out, nil
	}}
}

// withEnum lists the values that a property of a schema may have.
func withEnum(schema json.RawMessage, property string, values []string) json.RawMessage {
	s := decode(schema)
	properties, _ := s["properties"].(map[string]any)
	if p, ok := properties[property].(map[string]any); ok {
		p["enum"] = values
	}
	return encode(s)
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

func (b *Bridge) caller(ctx context.Context) caller { return caller{b, ownerFrom(ctx)} }

// defaultSandbox is the one that tools work in where none is named.
const defaultSandbox = "default"

// maxName bounds the name of a sandbox, in bytes.
const maxName = 64

func checkName(name string) error {
	if name == "" || len(name) > maxName || strings.IndexFunc(name, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-' && r != '_'
	}) >= 0 {
		return fmt.Errorf("sandbox %.100q: a name has up to %d letters, digits, - and _", name, maxName)
	}
	return nil
}

// box is the sandbox that a name stands for.
func (c caller) box(name string) box {
	if name == "" {
		name = defaultSandbox
	}
	return box{c.owner, name}
}

// use lends the sandbox of a name, "" for the default one, which is made at its first use.
func (c caller) use(ctx context.Context, name string, f func(*engine.Sandbox) error) error {
	of := c.box(name)
	if err := checkName(of.name); err != nil {
		return err
	}
	if of.name == defaultSandbox {
		if err := c.makeDefault(ctx); err != nil {
			return err
		}
	}
	err := c.bridge.cfg.Sandboxes.Use(ctx, c.owner+of.name, f)
	if errors.Is(err, ErrNotFound) {
		return fmt.Errorf("sandbox %q: %w", of.name, err)
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

func (b *Bridge) tools() []server.ServerTool {
	return []server.ServerTool{
		b.runCode(), b.runCommand(), b.processTool(), b.readFile(), b.writeFile(), b.editFile(), b.listFiles(), b.searchFiles(),
		b.fileOps(), b.upload(), b.download(), b.git(), b.preview(), b.sandbox(),
	}
}
