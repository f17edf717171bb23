package mcpbridge

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"time"

	"github.com/belljar-dev/belljar/engine"
	"github.com/mark3labs/mcp-go/server"
)

type processIn struct {
	Action  string  `json:"action" enum:"list,output,input,signal,wait"`
	PID     int     `json:"pid,omitempty"`
	Since   int64   `json:"since,omitempty" jsonschema:"the last call's next: only newer output"`
	Input   string  `json:"input,omitempty" jsonschema:"for its stdin"`
	EOF     bool    `json:"eof,omitempty"`
	Signal  string  `json:"signal,omitempty" jsonschema:"TERM (default), INT, KILL …"`
	Timeout float64 `json:"timeout_s,omitempty" jsonschema:"for wait (default 60)"`
	Sandbox string  `json:"sandbox,omitempty"`
}

type processOut struct {
	Processes []processInfo `json:"processes,omitempty"`
	Output    string        `json:"output,omitempty"`
	Next      int64         `json:"next,omitempty"`
	Running   bool          `json:"running,omitempty"`
	ExitCode  *int          `json:"exit_code,omitempty"`
}

type processInfo struct {
	PID     int    `json:"pid"`
	State   string `json:"state"`
	Command string `json:"command"`
	Memory  int64  `json:"memory_bytes,omitempty"`
}

func (b *Bridge) processTool() server.ServerTool {
	return newTool(b, "process", `Programs that run_command began in the background. list: all processes; output: what one wrote (both streams); input: write to it; signal: end or interrupt it; wait: until it ends.`,
		hints{destroys: true}, func(ctx context.Context, c caller, in processIn) (result[processOut], error) {
			var out result[processOut]
			err := c.use(ctx, in.Sandbox, func(sb *engine.Sandbox) (err error) {
				out, err = b.processOp(ctx, sb, c.box(in.Sandbox), in)
				return err
			})
			return out, err
		})
}

func (b *Bridge) processOp(ctx context.Context, sb *engine.Sandbox, of box, in processIn) (result[processOut], error) {
	if in.Action == "list" {
		return b.listProcesses(sb, of), nil
	}
	bg := b.programs.find(of, in.PID)
	if in.Action == "signal" {
		return b.signalProcess(sb, bg, in)
	}
	if bg == nil {
		return result[processOut]{}, fmt.Errorf("pid %d is no program that run_command began in the background: use list", in.PID)
	}
	switch in.Action {
	case "output":
	case "input":
		if err := bg.input(ctx, in.Input, in.EOF); err != nil {
			return result[processOut]{}, err
		}
	case "wait":
		limit, err := timeout(in.Timeout)
		if err != nil {
			return result[processOut]{}, err
		}
		if err := bg.wait(ctx, limit); err != nil {
			return result[processOut]{}, err
		}
	default:
		return result[processOut]{}, fmt.Errorf("action %q: use list, output, input, signal or wait", in.Action)
	}
	return b.showProcess(bg, in.Since), nil
}

// settle is how long input waits for what the program answers to it.
const settle = 100 * time.Millisecond

// input writes to a program. One that does not read is not waited for for ever.
func (bg *background) input(ctx context.Context, text string, eof bool) error {
	if !bg.running() {
		return errors.New("the program has ended: use output")
	}
	_, _, _, more := bg.out.since(1<<62, 0)
	wrote := make(chan error, 1)
	go func() { // ends with the program, which closes the other end
		_, err := bg.in.Write([]byte(text))
		if eof && err == nil {
			err = bg.in.Close()
		}
		wrote <- err
	}()
	select {
	case err := <-wrote:
		if err != nil {
			return fmt.Errorf("write to the program: %w", err)
		}
	case <-time.After(time.Second):
		return errors.New("the program does not read its input now; it gets this when it does")
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	select {
	case <-more:
	case <-time.After(settle):
	case <-ctx.Done():
	}
	return nil
}

// wait waits for a program's end, but not for longer than a limit.
func (bg *background) wait(ctx context.Context, limit time.Duration) error {
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-bg.process.Done():
	case <-timer.C:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	return nil
}

func (b *Bridge) showProcess(bg *background, since int64) result[processOut] {
	running := bg.running() // looked at first: output that came before the end is all there
	text, next, lost, _ := bg.out.since(since, b.cfg.Output)
	out := processOut{Output: text, Next: next, Running: running}
	var t strings.Builder
	if lost > 0 {
		fmt.Fprintf(&t, "[%d bytes before this are lost]\n", lost)
	}
	t.WriteString(text)
	if text != "" && !strings.HasSuffix(text, "\n") {
		t.WriteString("\n")
	}
	if running {
		fmt.Fprintf(&t, "[runs; since %d shows what is new]\n", next)
	} else {
		res, err := bg.process.Wait()
		out.ExitCode = &res.ExitCode
		if err != nil {
			fmt.Fprintf(&t, "[ended: %s]\n", advice(err))
		} else {
			fmt.Fprintf(&t, "[ended with exit code %d]\n", res.ExitCode)
		}
	}
	return result[processOut]{data: out, text: t.String()}
}

func (b *Bridge) signalProcess(sb *engine.Sandbox, bg *background, in processIn) (result[processOut], error) {
	sig, err := parseSignal(in.Signal)
	if err != nil {
		return result[processOut]{}, err
	}
	if err := sb.Signal(in.PID, sig); errors.Is(err, fs.ErrNotExist) {
		return result[processOut]{}, fmt.Errorf("there is no process %d: use list", in.PID)
	} else if err != nil {
		return result[processOut]{}, err
	}
	if bg != nil { // mostly it ends at once
		select {
		case <-bg.process.Done():
		case <-time.After(settle):
		}
		return b.showProcess(bg, in.Since), nil
	}
	return result[processOut]{text: fmt.Sprintf("sent %s to process %d", sig, in.PID)}, nil
}

// parseSignal reads a signal's name, with or without SIG.
func parseSignal(name string) (engine.Signal, error) {
	name = strings.TrimPrefix(strings.ToUpper(name), "SIG")
	if name == "" {
		return engine.SIGTERM, nil
	}
	for sig := engine.Signal(1); sig < 32; sig++ {
		if sig.String() == "SIG"+name {
			return sig, nil
		}
	}
	return 0, fmt.Errorf("signal %q: use TERM, INT, KILL, HUP, STOP, CONT, USR1 and the like", name)
}

func (b *Bridge) listProcesses(sb *engine.Sandbox, of box) result[processOut] {
	list := b.processList(sb)
	for _, bg := range b.programs.list(of) {
		if !bg.running() {
			list = append(list, processInfo{PID: bg.process.PID(), State: "ended", Command: bg.command})
		}
	}
	var t strings.Builder
	for _, p := range list {
		fmt.Fprintf(&t, "%d  %s  %s\n", p.PID, p.State, p.Command)
	}
	if t.Len() == 0 {
		t.WriteString("(nothing runs)")
	}
	return result[processOut]{data: processOut{Processes: list}, text: t.String()}
}

// processList answers what runs in a sandbox.
func (b *Bridge) processList(sb *engine.Sandbox) []processInfo {
	states := map[byte]string{'R': "runs", 'S': "waits", 'T': "stopped", 'Z': "ended"}
	out := []processInfo{}
	for _, p := range sb.Processes() {
		command, _ := b.cut(strings.Join(p.Args, " "), "its arguments are long")
		out = append(out, processInfo{p.PID, states[p.State], command, p.Memory})
	}
	return out
}
