// Package mcpbridge gives sandboxes to programs that speak the Model Context Protocol, https://modelcontextprotocol.io.
//
// A [Bridge] has few tools, each one verb of the engine: input and output are typed, with schemas, and each result has
// text that a model can read as well. What goes wrong in a tool is a result that says so and what to do next, not a
// protocol error that no model sees.
package mcpbridge

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"sync"

	"github.com/belljar-dev/belljar/engine"
	"github.com/mark3labs/mcp-go/server"
)

// Sandboxes are where a Bridge gets sandboxes from, by name. Its methods are safe for concurrent use.
type Sandboxes interface {
	// Create makes one. ErrExists reports a name that is taken.
	Create(ctx context.Context, name string) error
	// Use lends one to f. ErrNotFound reports a name that none has.
	Use(ctx context.Context, name string, f func(*engine.Sandbox) error) error
	// Fork makes one that is equal to another.
	Fork(ctx context.Context, name, fork string) error
	Remove(name string) error
	// Names lists all, sorted.
	Names() ([]string, error)
}

var (
	// ErrNotFound reports a name that no sandbox has.
	ErrNotFound = errors.New("there is no such sandbox")
	// ErrExists reports a name that a sandbox has already.
	ErrExists = errors.New("there is a sandbox of that name")
)

// Config says what a Bridge gives. Sandboxes must be set.
type Config struct {
	Sandboxes Sandboxes
	Version   string       // the server's, as clients see it
	Languages []string     // that run_code takes, the first of them by default; nil: python
	Output    int          // bytes of output in one result, the rest is cut from the middle; 0: 30,000
	Logger    *slog.Logger // nil: silent
}

const defaultOutput = 30_000

// Bridge serves MCP clients. Its methods are safe for concurrent use.
type Bridge struct {
	cfg Config
	mcp *server.MCPServer

	mu       sync.Mutex
	defaults map[string]bool // owners whose default sandbox was made
}

const instructions = `Sandboxes with a real CPython, bash, the GNU tools and a file system of their own, isolated from this machine.
Every tool works in your default sandbox unless "sandbox" names another; it is made at the first call. Files, and the
variables of run_code, stay between calls. Paths are absolute, or relative to /home/user.`

// New makes a Bridge.
func New(cfg Config) *Bridge {
	if len(cfg.Languages) == 0 {
		cfg.Languages = []string{"python"}
	}
	if cfg.Output <= 0 {
		cfg.Output = defaultOutput
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	b := &Bridge{cfg: cfg, defaults: map[string]bool{}}
	b.mcp = server.NewMCPServer("belljar", cfg.Version,
		server.WithToolCapabilities(false), server.WithInputSchemaValidation(), server.WithRecovery(),
		server.WithInstructions(instructions), server.WithTitle("Belljar"))
	b.mcp.AddTools(b.tools()...)
	return b
}

// Serve serves one client that writes to in and reads from out, a JSON-RPC message a line, until in ends or ctx does.
// What the client has running is then ended.
func (b *Bridge) Serve(ctx context.Context, in io.Reader, out io.Writer) error {
	s := server.NewStdioServer(b.mcp)
	s.SetErrorLogger(slog.NewLogLogger(b.cfg.Logger.Handler(), slog.LevelWarn))
	err := s.Listen(ctx, in, out)
	if errors.Is(err, io.EOF) || errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}
