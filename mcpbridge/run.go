package mcpbridge

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/belljar-dev/belljar/engine"
	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"
)

// The bounds of a time limit that a caller may ask for.
const (
	defaultTimeout = 60
	maxTimeout     = 600
)

func timeout(seconds float64) (time.Duration, error) {
	switch {
	case seconds == 0:
		seconds = defaultTimeout
	case seconds < 0 || seconds > maxTimeout:
		return 0, fmt.Errorf("timeout_s is %v: use up to %d seconds", seconds, maxTimeout)
	}
	return time.Duration(seconds * float64(time.Second)), nil
}

type runCodeIn struct {
	Code     string  `json:"code" jsonschema:"the program; the value of a last expression is shown, as in a notebook"`
	Language string  `json:"language,omitempty" jsonschema:"python (default)"`
	Session  string  `json:"session,omitempty" jsonschema:"a living interpreter: variables stay between calls of the same session (default: main)"`
	Sandbox  string  `json:"sandbox,omitempty" jsonschema:"name of a sandbox (default: your own)"`
	Timeout  float64 `json:"timeout_s,omitempty" jsonschema:"seconds, up to 600 (default: 60)"`
	Reset    bool    `json:"reset,omitempty" jsonschema:"forget the session's variables first"`
}

type runOut struct {
	ExitCode  int    `json:"exit_code"`
	Stdout    string `json:"stdout"`
	Stderr    string `json:"stderr"`
	Value     string `json:"value,omitempty" jsonschema:"repr of the last expression"`
	Error     string `json:"error,omitempty" jsonschema:"the exception, or why the run was ended"`
	Truncated bool   `json:"truncated,omitempty" jsonschema:"output was cut"`
	WallMS    int64  `json:"wall_ms"`
}

func (b *Bridge) runCode() server.ServerTool {
	return newTool(b, "run_code", "Run code", `Run a program, and get its output, the value of its last expression and pictures it displays. Variables, imports and files stay for the next call. CPython 3.13 with its standard library; no network, no pip.`,
		hints{}, func(ctx context.Context, c caller, in runCodeIn) (result[runOut], error) {
			lang := in.Language
			if lang == "" {
				lang = b.cfg.Languages[0]
			}
			if !slices.Contains(b.cfg.Languages, lang) {
				return result[runOut]{}, fmt.Errorf("language %q: use %s", lang, strings.Join(b.cfg.Languages, ", "))
			}
			limit, err := timeout(in.Timeout)
			if err != nil {
				return result[runOut]{}, err
			}
			if in.Session == "" {
				in.Session = "main"
			}
			var out result[runOut]
			err = c.use(ctx, in.Sandbox, func(sb *engine.Sandbox) (err error) {
				out, err = b.evalCell(ctx, sb, lang, limit, in)
				return err
			})
			return out, err
		})
}

func (b *Bridge) evalCell(ctx context.Context, sb *engine.Sandbox, lang string, limit time.Duration, in runCodeIn) (result[runOut], error) {
	session, err := sb.Session(ctx, in.Session, lang)
	if err != nil {
		return result[runOut]{}, err
	}
	if in.Reset {
		if err := session.Close(); err != nil {
			return result[runOut]{}, err
		}
		if session, err = sb.Session(ctx, in.Session, lang); err != nil {
			return result[runOut]{}, err
		}
	}
	cellCtx, cancel := context.WithTimeoutCause(ctx, limit, errTimeout)
	defer cancel()
	res, err := session.Eval(cellCtx, engine.Cell{Code: in.Code})
	if errors.Is(err, engine.ErrBusy) || ctx.Err() != nil {
		return result[runOut]{}, err
	}
	out := b.runResult(res, err, limit)
	for _, p := range res.Parts {
		out.extra = append(out.extra, pictures(p)...)
	}
	return out, nil
}

var errTimeout = errors.New("the time limit was reached")

// runResult tells how a run ended. A program that fails is a result like any other; one that was ended is a failed call.
func (b *Bridge) runResult(res engine.Result, err error, limit time.Duration) result[runOut] {
	stdout, cut1 := b.cut(res.Stdout)
	stderr, cut2 := b.cut(res.Stderr)
	value, cut3 := b.cut(res.Value)
	out := runOut{
		ExitCode: res.ExitCode, Stdout: stdout, Stderr: stderr, Value: value, WallMS: res.Usage.Wall.Milliseconds(),
		Truncated: res.Truncated || cut1 || cut2 || cut3,
	}
	var text strings.Builder
	section := func(s string) {
		if s = strings.TrimRight(s, "\n"); s != "" {
			text.WriteString(s + "\n")
		}
	}
	section(stdout)
	section(stderr)
	section(value)
	if e := res.Exception; e != nil {
		out.Error = e.Name + ": " + e.Value
		traceback, _ := b.cut(strings.Join(e.Traceback, "\n"))
		section(traceback)
	}
	switch {
	case errors.Is(err, errTimeout):
		out.Error = fmt.Sprintf("ended after %s: give a longer timeout_s, or do less at a time", limit)
	case err != nil:
		out.Error = advice(err)
	}
	if err != nil {
		section("[" + out.Error + "]")
	} else if res.ExitCode != 0 && res.Exception == nil {
		section(fmt.Sprintf("[exit code %d]", res.ExitCode))
	}
	if text.Len() == 0 {
		text.WriteString("(no output)")
	}
	return result[runOut]{data: out, text: text.String(), failed: err != nil}
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
	Command string            `json:"command" jsonschema:"a command line for bash"`
	Stdin   string            `json:"stdin,omitempty"`
	Cwd     string            `json:"cwd,omitempty" jsonschema:"working folder (default: /home/user)"`
	Env     map[string]string `json:"env,omitempty"`
	Sandbox string            `json:"sandbox,omitempty" jsonschema:"name of a sandbox (default: your own)"`
	Timeout float64           `json:"timeout_s,omitempty" jsonschema:"seconds, up to 600 (default: 60)"`
}

func (b *Bridge) runCommand() server.ServerTool {
	return newTool(b, "run_command", "Run a command", `Run a command line by bash, and get its output and exit code: pipes, redirections, coreutils, grep, sed, awk, find, xargs, diff, patch, tar, make, python3. Each call is a shell of its own: folders changed into and variables end with it, files stay.`,
		hints{}, func(ctx context.Context, c caller, in runCommandIn) (result[runOut], error) {
			limit, err := timeout(in.Timeout)
			if err != nil {
				return result[runOut]{}, err
			}
			cmd := engine.Command{Args: []string{"bash", "-c", in.Command}, Stdin: strings.NewReader(in.Stdin)}
			if in.Cwd != "" {
				cmd.Dir = guestPath(in.Cwd)
			}
			for k, v := range in.Env {
				cmd.Env = append(cmd.Env, k+"="+v)
			}
			slices.Sort(cmd.Env)
			var out result[runOut]
			err = c.use(ctx, in.Sandbox, func(sb *engine.Sandbox) error {
				runCtx, cancel := context.WithTimeoutCause(ctx, limit, errTimeout)
				defer cancel()
				res, err := sb.Run(runCtx, cmd)
				if ctx.Err() != nil || errors.Is(err, engine.ErrNotFound) || errors.Is(err, engine.ErrNotExecutable) {
					return err
				}
				out = b.runResult(res, err, limit)
				return nil
			})
			return out, err
		})
}
