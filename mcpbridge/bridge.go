// Package mcpbridge gives sandboxes to programs that speak the Model Context Protocol, https://modelcontextprotocol.io.
//
// A [Bridge] has few tools, each one verb of the engine: input and output are typed, with schemas, and each result has
// text that a model can read as well. What goes wrong in a tool is a result that says so and what to do next, not a
// protocol error that no model sees. Files, processes and usage are resources too.
//
// Lock order: no lock of this package is held while another one is taken.
package mcpbridge

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/belljar-dev/belljar/engine"
	"github.com/mark3labs/mcp-go/mcp"
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
	Version   string   // the server's, as clients see it
	Languages []string // that run_code takes, the first of them by default; nil: python
	// Notes tell models, in run_code's description, what programs have: languages' versions, libraries, network.
	// "": CPython with its standard library, and no network.
	Notes  string
	Output int // bytes of output in one result, the rest is cut from the middle; 0: 30,000
	// MaxSandboxes bounds the sandboxes and snapshots of one client (HTTP: of one token); 0: 64.
	MaxSandboxes int
	// HostDirs are the folders of this machine that upload reads and download writes, with all below them; nil: none.
	HostDirs []string
	// PreviewAddr is where Previews is served, such as 127.0.0.1:3989: a loopback address. "": nowhere.
	PreviewAddr string
	// Answered is called once, when the first request of any client is about to be answered: what is better done after
	// that than before can begin. It must not block. nil: nothing.
	Answered func()
	Now      func() time.Time // nil: time.Now. Tokens expire by it, commits are dated
	Logger   *slog.Logger     // nil: silent
}

const (
	defaultOutput       = 30_000
	defaultMaxSandboxes = 64
	defaultNotes        = " python is CPython 3.13 with its standard library; no network, no pip."
)

// Bridge serves MCP clients. Its methods are safe for concurrent use. Close it after use.
type Bridge struct {
	cfg           Config
	mcp           *server.MCPServer
	subscriptions *subscriptions
	programs      programs
	previews      previews
	turns         turns
	clients       atomic.Int64 // of Serve, so far

	mu       sync.Mutex
	defaults map[string]bool // owners whose default sandbox was made
}

const instructions = `Sandboxes with a real CPython, bash, the GNU tools and a file system of their own, isolated from this machine.
Every tool works in your default sandbox unless "sandbox" names another; it is made at the first call. Files, and the
variables of run_code, stay between calls. Paths are absolute, or relative to /home/user. Before something risky, fork the
sandbox (tool sandbox) and try it there. Output that is too long is cut in the middle; all of it is in a file that the result names.`

// New makes a Bridge.
func New(cfg Config) *Bridge {
	if len(cfg.Languages) == 0 {
		cfg.Languages = []string{"python"}
	}
	if cfg.Notes == "" {
		cfg.Notes = defaultNotes
	}
	if cfg.Output <= 0 {
		cfg.Output = defaultOutput
	}
	if cfg.MaxSandboxes <= 0 {
		cfg.MaxSandboxes = defaultMaxSandboxes
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	b := &Bridge{cfg: cfg, defaults: map[string]bool{}}
	b.subscriptions = newSubscriptions(b)
	hooks := b.subscriptions.hooks()
	if cfg.Answered != nil {
		once := sync.OnceFunc(cfg.Answered)
		hooks.AddOnSuccess(func(context.Context, any, mcp.MCPMethod, any, any) { once() })
	}
	b.mcp = server.NewMCPServer("belljar", cfg.Version,
		server.WithToolCapabilities(false), server.WithResourceCapabilities(true, false), server.WithPromptCapabilities(false),
		server.WithCompletions(), server.WithResourceCompletionProvider(b), server.WithPromptCompletionProvider(b), server.WithLogging(),
		server.WithRecovery(), server.WithResourceRecovery(), server.WithHooks(hooks),
		server.WithInstructions(instructions), server.WithTitle("Belljar"))
	b.mcp.AddTools(b.tools()...)
	b.addResources()
	b.addPrompts()
	return b
}

// Close ends what outlives clients' calls: programs in the background, and subscriptions. Sandboxes stay. Clients have to
// be gone, with Serve and the server of Handler; it may be called again.
func (b *Bridge) Close() error {
	b.subscriptions.close()
	b.programs.endIf(func(box) bool { return true })
	return nil
}
