package mcpbridge

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/belljar-dev/belljar/engine"
	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"
)

const (
	defaultTimeout = 60 * time.Second
	maxTimeout     = 10 * time.Minute
)

func timeout(seconds float64) (time.Duration, error) {
	if seconds == 0 {
		return defaultTimeout, nil
	}
	if !(seconds > 0 && seconds <= maxTimeout.Seconds()) {
		return 0, fmt.Errorf("timeout_s %v: use seconds, up to %v", seconds, maxTimeout.Seconds())
	}
	return time.Duration(seconds * float64(time.Second)), nil
}

type runCodeIn struct {
	Code     string            `json:"code" jsonschema:"a last expression's value is shown, as in a notebook"`
	Language string            `json:"language,omitempty" jsonschema:"python (default)"`
	Session  string            `json:"session,omitempty" jsonschema:"variables of its own (default: main)"`
	Files    map[string]string `json:"files,omitempty" jsonschema:"path to text, written first"`
	Timeout  float64           `json:"timeout_s,omitempty" jsonschema:"seconds, up to 600 (default 60)"`
	Reset    bool              `json:"reset,omitempty" jsonschema:"forget variables first"`
	Sandbox  string            `json:"sandbox,omitempty"`
}

type runOut struct {
	ExitCode  int    `json:"exit_code"`
	Stdout    string `json:"stdout"`
	Stderr    string `json:"stderr"`
	Value     string `json:"value,omitempty"`
	Error     string `json:"error,omitempty"`
	Truncated bool   `json:"truncated,omitempty"`
	WallMS    int64  `json:"wall_ms,omitempty"`
	PID       int    `json:"pid,omitempty"`
}

// otherNames are what models call languages too.
var otherNames = map[string]string{
	"py": "python", "python3": "python", "javascript": "js", "node": "js", "nodejs": "js", "typescript": "js", "ts": "js", "tsx": "js", "jsx": "js",
}

func (b *Bridge) runCode() server.ServerTool {
	tool := newTool(b, "run_code", b.runCodeText(), hints{}, func(ctx context.Context, c caller, in runCodeIn) (result[runOut], error) {
		if in.Language == "" {
			in.Language = b.cfg.Languages[0]
		} else if name, other := otherNames[strings.ToLower(in.Language)]; other {
			in.Language = name
		}
		if !slices.Contains(b.cfg.Languages, in.Language) {
			return result[runOut]{}, fmt.Errorf("language %q: use %s", in.Language, strings.Join(b.cfg.Languages, ", "))
		}
		limit, err := timeout(in.Timeout)
		if err != nil {
			return result[runOut]{}, err
		}
		if in.Session == "" {
			in.Session = "main"
			if in.Language != b.cfg.Languages[0] {
				in.Session += "-" + in.Language // one interpreter speaks one language
			}
		}
		if len(in.Session) > maxName {
			return result[runOut]{}, fmt.Errorf("session: a name has up to %d bytes", maxName)
		}
		var out result[runOut]
		err = c.use(ctx, in.Sandbox, func(sb *engine.Sandbox) (err error) {
			out, err = b.evalCell(ctx, c, sb, limit, in)
			return err
		})
		return out, err
	})
	if len(b.cfg.Languages) > 1 {
		tool.Tool.RawInputSchema = withEnum(tool.Tool.RawInputSchema, "language", b.cfg.Languages)
	}
	return tool
}

func (b *Bridge) runCodeText() string {
	return `Run a program and get its output, its last expression's value and pictures it displays. Variables, imports and files stay for the next call. ` +
		`For bash use run_command.` + b.cfg.Notes
}

func (b *Bridge) evalCell(ctx context.Context, c caller, sb *engine.Sandbox, limit time.Duration, in runCodeIn) (result[runOut], error) {
	ctx, cancel := context.WithTimeoutCause(ctx, limit, errTimeout)
	defer cancel()
	of := c.box(in.Sandbox)
	done, err := b.turns.take(ctx, of.owner+of.name+"\x00"+in.Session)
	if err != nil {
		return result[runOut]{}, fmt.Errorf("wait for session %q, which runs other code: %w", in.Session, err)
	}
	defer done()
	for _, name := range slices.Sorted(maps.Keys(in.Files)) {
		if err := writeFile(sb.Files(), guestPath(name), []byte(in.Files[name]), false); err != nil {
			return result[runOut]{}, err
		}
	}
	session, err := sb.Session(ctx, in.Session, in.Language)
	if err == nil && in.Reset {
		if err = session.Close(); err == nil {
			session, err = sb.Session(ctx, in.Session, in.Language)
		}
	}
	if err != nil {
		return result[runOut]{}, err
	}
	cell := engine.Cell{Code: in.Code}
	var stdout, stderr strings.Builder
	p := b.watch(ctx, limit)
	if p != nil {
		cell.Stdout, cell.Stderr = p.writer(&stdout), p.writer(&stderr)
	}
	res, err := session.Eval(ctx, cell)
	p.end()
	if errors.Is(err, engine.ErrBusy) || err != nil && !errors.Is(err, errTimeout) && ctx.Err() != nil {
		return result[runOut]{}, err
	}
	res.Stdout, res.Stderr = res.Stdout+stdout.String(), res.Stderr+stderr.String()
	out := b.runResult(sb, in.Sandbox, res, err, limit)
	for _, part := range res.Parts {
		out.extra = append(out.extra, pictures(part)...)
	}
	b.logRun(ctx, "run_code", res, err)
	return out, nil
}

// logRun tells the client's log how a program ended.
func (b *Bridge) logRun(ctx context.Context, tool string, res engine.Result, err error) {
	level, data := mcp.LoggingLevelInfo, map[string]any{"tool": tool, "exit_code": res.ExitCode, "wall_ms": res.Usage.Wall.Milliseconds(), "ticks": res.Usage.Ticks}
	var limit *engine.LimitError
	switch {
	case errors.Is(err, engine.ErrInternal):
		level, data["error"] = mcp.LoggingLevelError, err.Error()
	case errors.As(err, &limit), errors.Is(err, errTimeout):
		level, data["error"] = mcp.LoggingLevelWarning, err.Error()
	case err != nil:
		level, data["error"] = mcp.LoggingLevelNotice, err.Error()
	}
	b.log(context.WithoutCancel(ctx), level, data)
}

var errTimeout = errors.New("the time limit was reached")

// runResult tells how a run ended. A program that fails is a result like any other; one that was ended is a failed call.
func (b *Bridge) runResult(sb *engine.Sandbox, sandbox string, res engine.Result, err error, limit time.Duration) result[runOut] {
	var text strings.Builder
	section := func(s string) {
		if s = strings.TrimRight(s, "\n"); s != "" {
			text.WriteString(s + "\n")
		}
	}
	var r result[runOut]
	shorten := func(what, s string) string {
		rest, link := b.spill(sb, sandbox, what, s)
		s, cut := b.cut(s, rest)
		r.extra = append(r.extra, link...)
		r.data.Truncated = r.data.Truncated || cut
		section(s)
		return s
	}
	r.data = runOut{ExitCode: res.ExitCode, Truncated: res.Truncated}
	if sb.Spec().Replay == nil { // else the same run has the same answer
		r.data.WallMS = res.Usage.Wall.Milliseconds()
	}
	r.data.Stdout = shorten("stdout", res.Stdout)
	r.data.Stderr = shorten("stderr", res.Stderr)
	r.data.Value = shorten("value", res.Value)
	if e := res.Exception; e != nil {
		r.data.Error = e.Name + ": " + e.Value
		r.data.Error, _ = b.cut(r.data.Error, "print a part of it")
		shorten("traceback", strings.Join(e.Traceback, "\n"))
	}
	switch {
	case errors.Is(err, errTimeout):
		r.data.Error = fmt.Sprintf("ended after %s: give a longer timeout_s, do less at a time, or use run_command with background", limit)
	case err != nil:
		r.data.Error = advice(err)
	}
	if err != nil {
		section("[" + r.data.Error + "]")
	} else if res.ExitCode != 0 && res.Exception == nil {
		section(fmt.Sprintf("[exit code %d]", res.ExitCode))
	}
	if text.Len() == 0 {
		text.WriteString("(no output)")
	}
	r.text, r.failed = text.String(), err != nil
	return r
}

// pictures are the parts of a result that a model can look at, beside the text that they have too.
func pictures(p engine.Part) []mcp.Content {
	var out []mcp.Content
	for _, mime := range []string{"image/png", "image/jpeg"} {
		if data, ok := p.Data[mime]; ok {
			out = append(out, mcp.NewImageContent(base64.StdEncoding.EncodeToString(data), mime))
		}
	}
	for _, mime := range []string{"text/html", "text/markdown", "image/svg+xml"} {
		if data, ok := p.Data[mime]; ok && len(out) == 0 {
			out = append(out, mcp.NewTextContent(mime+":\n"+string(data)))
		}
	}
	return out
}

type runCommandIn struct {
	Command    string            `json:"command" jsonschema:"for bash"`
	Stdin      string            `json:"stdin,omitempty"`
	Cwd        string            `json:"cwd,omitempty" jsonschema:"default: /home/user"`
	Env        map[string]string `json:"env,omitempty"`
	Background bool              `json:"background,omitempty" jsonschema:"for servers and long jobs: returns at once with a pid for process"`
	Timeout    float64           `json:"timeout_s,omitempty" jsonschema:"seconds, up to 600 (default 60)"`
	Sandbox    string            `json:"sandbox,omitempty"`
}

func (b *Bridge) runCommand() server.ServerTool {
	return newTool(b, "run_command", `Run a command line by bash, and get its output and exit code. There are coreutils, grep, sed, awk, find, tar, make, git, jq, sqlite3, python3. Each call is a new shell: cd and variables end with it, files stay.`,
		hints{}, func(ctx context.Context, c caller, in runCommandIn) (result[runOut], error) {
			limit, err := timeout(in.Timeout)
			if err != nil {
				return result[runOut]{}, err
			}
			cmd := engine.Command{Args: []string{"bash", "-c", in.Command}, Stdin: strings.NewReader(in.Stdin)}
			if in.Cwd != "" {
				cmd.Dir = guestPath(in.Cwd)
			}
			for _, k := range slices.Sorted(maps.Keys(in.Env)) {
				if k == "" || strings.ContainsAny(k, "=\x00") {
					return result[runOut]{}, fmt.Errorf("env: %q can't be a variable's name", k)
				}
				cmd.Env = append(cmd.Env, k+"="+in.Env[k])
			}
			var out result[runOut]
			err = c.use(ctx, in.Sandbox, func(sb *engine.Sandbox) (err error) {
				if in.Background {
					out, err = b.beginCommand(ctx, c, sb, cmd, in)
				} else {
					out, err = b.awaitCommand(ctx, sb, cmd, limit, in)
				}
				return err
			})
			return out, err
		})
}

// awaitCommand runs a command to its end, or the limit's, or the request's.
func (b *Bridge) awaitCommand(ctx context.Context, sb *engine.Sandbox, cmd engine.Command, limit time.Duration, in runCommandIn) (result[runOut], error) {
	runCtx, cancel := context.WithTimeoutCause(ctx, limit, errTimeout)
	defer cancel()
	var stdout, stderr strings.Builder
	p := b.watch(ctx, limit)
	if p != nil {
		cmd.Stdout, cmd.Stderr = p.writer(&stdout), p.writer(&stderr)
	}
	res, err := sb.Run(runCtx, cmd)
	p.end()
	if ctx.Err() != nil || errors.Is(err, engine.ErrNotFound) || errors.Is(err, engine.ErrNotExecutable) {
		return result[runOut]{}, err
	}
	res.Stdout, res.Stderr = res.Stdout+stdout.String(), res.Stderr+stderr.String()
	b.logRun(ctx, "run_command", res, err)
	return b.runResult(sb, in.Sandbox, res, err, limit), nil
}

func (b *Bridge) beginCommand(ctx context.Context, c caller, sb *engine.Sandbox, cmd engine.Command, in runCommandIn) (result[runOut], error) {
	bg, err := b.programs.start(ctx, sb, c.box(in.Sandbox), cmd, in.Command)
	if err != nil {
		return result[runOut]{}, err
	}
	if in.Stdin != "" {
		go func() { _, _ = io.WriteString(bg.in, in.Stdin) }() // ends with the process, which closes in
	}
	pid := bg.process.PID()
	b.log(ctx, mcp.LoggingLevelInfo, map[string]any{"tool": "run_command", "pid": pid, "background": true})
	return result[runOut]{data: runOut{PID: pid}, text: fmt.Sprintf("runs in the background as pid %d: process shows its output, gives it input and ends it", pid)}, nil
}
