package mcpbridge

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/belljar-dev/belljar/engine"
	"github.com/mark3labs/mcp-go/server"
)

type sandboxIn struct {
	Action string `json:"action" enum:"create,list,info,usage,fork,snapshot,restore,stop,destroy"`
	Name   string `json:"name,omitempty" jsonschema:"default: your own; create, fork, snapshot: the new one's"`
	From   string `json:"from,omitempty" jsonschema:"fork, snapshot: what to copy (default: your own); restore: the snapshot"`
}

type sandboxOut struct {
	Names     []string         `json:"names,omitempty"`
	Snapshots []string         `json:"snapshots,omitempty"`
	Name      string           `json:"name,omitempty"`
	Usage     map[string]int64 `json:"usage,omitempty"`
	Processes int              `json:"processes,omitempty"`
	Sessions  []string         `json:"sessions,omitempty"`
}

// usageOf answers what a sandbox has used: work in ticks, the most memory at one time, and files beyond the image's.
func usageOf(sb *engine.Sandbox) map[string]int64 {
	u := sb.Usage()
	return map[string]int64{"ticks": u.Ticks, "memory_bytes": u.Memory, "disk_bytes": u.Disk, "files": u.Files}
}

func (b *Bridge) sandbox() server.ServerTool {
	return newTool(b, "sandbox", `Tools work in your own sandbox, default, unless sandbox names another. fork makes one with the same files and variables, to try something risky in; snapshot keeps a state, restore goes back to it; stop ends programs and variables, files stay; destroy deletes it.`,
		hints{destroys: true}, func(ctx context.Context, c caller, in sandboxIn) (result[sandboxOut], error) {
			out := sandboxOut{Name: in.Name}
			text, err := c.sandboxOp(ctx, in, &out)
			return result[sandboxOut]{data: out, text: text}, err
		})
}

// snapshotMark stands before the names of sandboxes that are kept as snapshots; no client can name one so.
const snapshotMark = "snapshot."

func (c caller) sandboxOp(ctx context.Context, in sandboxIn, out *sandboxOut) (string, error) {
	switch in.Action {
	case "list":
		return c.list(out)
	case "info", "usage":
		return c.describe(ctx, in, out)
	case "stop":
		return c.stop(ctx, in.Name)
	case "restore":
		return c.restore(ctx, in)
	}
	if err := checkName(in.Name); err != nil {
		return "", err
	}
	boxes := c.bridge.cfg.Sandboxes
	switch in.Action {
	case "create":
		if err := c.hasRoom(); err != nil {
			return "", err
		}
		return "made sandbox " + in.Name, boxes.Create(ctx, c.owner+in.Name)
	case "fork":
		return "made sandbox " + in.Name, c.copy(ctx, in.From, in.Name)
	case "snapshot":
		return "kept snapshot " + in.Name, c.copy(ctx, in.From, snapshotMark+in.Name)
	case "destroy":
		return c.destroy(in.Name)
	}
	return "", fmt.Errorf("action %q: use create, list, info, usage, fork, snapshot, restore, stop or destroy", in.Action)
}

// names answers the caller's, snapshots too, with their mark.
func (c caller) names() ([]string, error) {
	all, err := c.bridge.cfg.Sandboxes.Names()
	var own []string
	for _, n := range all {
		if name, ok := strings.CutPrefix(n, c.owner); ok && (checkName(name) == nil || strings.HasPrefix(name, snapshotMark)) {
			own = append(own, name)
		}
	}
	return own, err
}

func (c caller) hasRoom() error {
	names, err := c.names()
	if most := c.bridge.cfg.MaxSandboxes; err == nil && len(names) >= most {
		return fmt.Errorf("there are %d sandboxes and snapshots, as many as may be: destroy one first", most)
	}
	return err
}

// copy makes a sandbox, or a snapshot, that is equal to a sandbox.
func (c caller) copy(ctx context.Context, from, to string) error {
	if err := c.hasRoom(); err != nil {
		return err
	}
	return c.use(ctx, from, func(*engine.Sandbox) error {
		err := c.bridge.cfg.Sandboxes.Fork(ctx, c.owner+c.box(from).name, c.owner+to)
		if errors.Is(err, ErrExists) && strings.HasPrefix(to, snapshotMark) {
			return errors.New("there is a snapshot of that name: destroy it, or take another name")
		}
		return err
	})
}

func (c caller) restore(ctx context.Context, in sandboxIn) (string, error) {
	if err := checkName(in.From); err != nil {
		return "", fmt.Errorf("from has to name the snapshot: %w", err)
	}
	of := c.box(in.Name)
	if err := checkName(of.name); err != nil {
		return "", err
	}
	snapshot := snapshotMark + in.From
	names, err := c.names()
	if err != nil {
		return "", err
	}
	if !slices.Contains(names, snapshot) {
		return "", fmt.Errorf("there is no snapshot %q: the action list shows them", in.From)
	}
	if slices.Contains(names, of.name) {
		if err := c.remove(of); err != nil {
			return "", err
		}
	} else if err := c.hasRoom(); err != nil {
		return "", err
	}
	return fmt.Sprintf("sandbox %s is as snapshot %s", of.name, in.From), c.bridge.cfg.Sandboxes.Fork(ctx, c.owner+snapshot, c.owner+of.name)
}

func (c caller) destroy(name string) (string, error) {
	names, err := c.names()
	if err != nil {
		return "", err
	}
	if !slices.Contains(names, name) && slices.Contains(names, snapshotMark+name) {
		return "destroyed snapshot " + name, c.bridge.cfg.Sandboxes.Remove(c.owner + snapshotMark + name)
	}
	return "destroyed sandbox " + name, c.remove(c.box(name))
}

// remove ends and deletes a sandbox. A default one is made anew at its next use.
func (c caller) remove(of box) error {
	b := c.bridge
	b.programs.end(of)
	err := b.cfg.Sandboxes.Remove(of.owner + of.name)
	if of.name == defaultSandbox {
		b.mu.Lock()
		delete(b.defaults, of.owner)
		b.mu.Unlock()
	}
	return err
}

// stop ends everything that runs in a sandbox.
func (c caller) stop(ctx context.Context, name string) (string, error) {
	of := c.box(name)
	err := c.use(ctx, name, func(sb *engine.Sandbox) error {
		c.bridge.programs.end(of)
		for _, p := range sb.Processes() {
			_ = sb.Signal(p.PID, engine.SIGKILL) // it may have ended
		}
		var errs []error
		for _, s := range sb.Sessions() {
			errs = append(errs, s.Close())
		}
		return errors.Join(errs...)
	})
	return "stopped sandbox " + of.name + "; its files are there", err
}

func (c caller) describe(ctx context.Context, in sandboxIn, out *sandboxOut) (string, error) {
	out.Name = c.box(in.Name).name
	var text string
	err := c.use(ctx, in.Name, func(sb *engine.Sandbox) error {
		u := usageOf(sb)
		out.Usage = u
		text = fmt.Sprintf("%d files, %d bytes beyond the image's, %d ticks of work, at most %d bytes of memory", u["files"], u["disk_bytes"], u["ticks"], u["memory_bytes"])
		if in.Action == "usage" {
			return nil
		}
		out.Processes = sb.Running()
		for _, s := range sb.Sessions() {
			out.Sessions = append(out.Sessions, fmt.Sprintf("%s (%s, %s)", s.Name(), s.Lang(), s.State()))
		}
		text = fmt.Sprintf("sandbox %s: %s\nprocesses: %d\nsessions: %s", out.Name, text, out.Processes, strings.Join(out.Sessions, ", "))
		return nil
	})
	return text, err
}

func (c caller) list(out *sandboxOut) (string, error) {
	names, err := c.names()
	for _, n := range names {
		if snapshot, ok := strings.CutPrefix(n, snapshotMark); ok {
			out.Snapshots = append(out.Snapshots, snapshot)
		} else {
			out.Names = append(out.Names, n)
		}
	}
	if len(names) == 0 {
		return "none yet: the default one is made at the first call", err
	}
	text := strings.Join(out.Names, "\n")
	if len(out.Snapshots) > 0 {
		text += "\nsnapshots: " + strings.Join(out.Snapshots, ", ")
	}
	return text, err
}
