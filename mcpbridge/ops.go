package mcpbridge

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strconv"
	"strings"

	"github.com/belljar-dev/belljar/engine"
	"github.com/belljar-dev/belljar/vfs"
	"github.com/mark3labs/mcp-go/server"
)

type fileOpsIn struct {
	Action  string `json:"action" jsonschema:"mkdir, move, copy, delete, stat or chmod"`
	Path    string `json:"path"`
	To      string `json:"to,omitempty" jsonschema:"new path, of move and copy"`
	Mode    string `json:"mode,omitempty" jsonschema:"octal permissions, of chmod, such as 755"`
	Sandbox string `json:"sandbox,omitempty" jsonschema:"name of a sandbox (default: your own)"`
}

func (b *Bridge) fileOps() server.ServerTool {
	return newTool(b, "file_ops", "Manage files", `Make folders, move, copy, delete (folders with all in them), describe, or set permissions.`,
		hints{destroys: true}, func(ctx context.Context, c caller, in fileOpsIn) (result[fileOut], error) {
			out := fileOut{Path: guestPath(in.Path)}
			err := c.use(ctx, in.Sandbox, func(sb *engine.Sandbox) error { return fileOp(ctx, sb.Files(), in, &out) })
			if err != nil {
				return result[fileOut]{}, err
			}
			text := fmt.Sprintf("%s: done", in.Action)
			if out.Type != "" {
				text = fmt.Sprintf("%s: %s, %d bytes, %s, modified %s", out.Path, out.Type, out.Size, out.Mode, out.Modified)
			}
			return result[fileOut]{data: out, text: text}, nil
		})
}

func fileOp(ctx context.Context, tree *vfs.Tree, in fileOpsIn, out *fileOut) error {
	from, to := guestPath(in.Path), guestPath(in.To)
	if (in.Action == "move" || in.Action == "copy") && in.To == "" {
		return fmt.Errorf("%s needs \"to\"", in.Action)
	}
	var err error
	switch in.Action {
	case "mkdir":
		err = tree.MkdirAll(from, 0o755)
	case "move":
		out.Path = to
		if err = tree.MkdirAll(path.Dir(to), 0o755); err == nil {
			err = tree.Rename(from, to)
		}
	case "copy":
		out.Path = to
		if to == from || strings.HasPrefix(to+"/", strings.TrimSuffix(from, "/")+"/") {
			return fmt.Errorf("%s lies in %s: a folder can't be copied into itself", to, from)
		}
		err = copyTree(ctx, tree, from, to)
	case "delete":
		if from == "/" {
			return errors.New("the root folder can't be deleted; make a new sandbox")
		}
		if _, err = tree.Lstat(from); err == nil {
			err = tree.RemoveAll(from)
		}
		return err
	case "stat":
	case "chmod":
		mode, bad := strconv.ParseUint(in.Mode, 8, 12)
		if bad != nil {
			return fmt.Errorf("mode %q: use octal permissions such as 755", in.Mode)
		}
		err = tree.Chmod(from, fs.FileMode(mode).Perm())
	default:
		return fmt.Errorf("action %q: use mkdir, move, copy, delete, stat or chmod", in.Action)
	}
	if err != nil {
		return err
	}
	info, err := tree.Lstat(out.Path)
	if err == nil {
		*out = describe(out.Path, fs.FileInfoToDirEntry(info))
	}
	return err
}

func copyTree(ctx context.Context, tree *vfs.Tree, from, to string) error {
	if err := tree.MkdirAll(path.Dir(to), 0o755); err != nil {
		return err
	}
	return fs.WalkDir(tree.FS(), inFS(from), func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name = "/" + strings.TrimPrefix(name, ".")
		target := path.Join(to, strings.TrimPrefix(name, from))
		switch {
		case d.IsDir():
			err = tree.MkdirAll(target, 0o755)
		case d.Type() == fs.ModeSymlink:
			var link string
			if link, err = tree.Readlink(name); err == nil {
				err = tree.Symlink(link, target)
			}
		case d.Type().IsRegular():
			err = copyFile(tree, name, target)
		}
		return errors.Join(err, context.Cause(ctx))
	})
}

func copyFile(tree *vfs.Tree, from, to string) error {
	in, err := tree.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	info, err := in.Stat()
	if err != nil {
		return err
	}
	out, err := tree.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, info.Mode().Perm())
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}

type sandboxIn struct {
	Action string `json:"action" jsonschema:"create, list, info, fork or destroy"`
	Name   string `json:"name,omitempty" jsonschema:"which one; of create and fork, the new one"`
	From   string `json:"from,omitempty" jsonschema:"the one to fork (default: your own)"`
}

type sandboxOut struct {
	Names []string `json:"names,omitempty"`
	Name  string   `json:"name,omitempty"`
	Ticks int64    `json:"ticks,omitempty" jsonschema:"work done so far"`
	Bytes int64    `json:"disk_bytes,omitempty" jsonschema:"of files, beyond the image's"`
	Files int64    `json:"files,omitempty"`
}

func (b *Bridge) sandbox() server.ServerTool {
	return newTool(b, "sandbox", "Manage sandboxes", `Make, list, describe, fork or destroy sandboxes. A fork has the files and variables of another and is independent of it: try something risky in one and throw it away.`,
		hints{destroys: true}, func(ctx context.Context, c caller, in sandboxIn) (result[sandboxOut], error) {
			out := sandboxOut{Name: in.Name}
			text, err := c.sandboxOp(ctx, in, &out)
			return result[sandboxOut]{data: out, text: text}, err
		})
}

func (c caller) sandboxOp(ctx context.Context, in sandboxIn, out *sandboxOut) (string, error) {
	boxes := c.bridge.cfg.Sandboxes
	switch in.Action {
	case "list":
		return c.list(out)
	case "info":
		err := c.use(ctx, in.Name, func(sb *engine.Sandbox) error {
			u := sb.Usage()
			out.Ticks, out.Bytes, out.Files = u.Ticks, u.Disk, u.Files
			return nil
		})
		return fmt.Sprintf("%d files, %d bytes beyond the image's, %d ticks of work", out.Files, out.Bytes, out.Ticks), err
	}
	if err := checkName(in.Name); err != nil {
		return "", err
	}
	switch in.Action {
	case "create":
		return "made sandbox " + in.Name, boxes.Create(ctx, c.owner+in.Name)
	case "fork":
		return "made sandbox " + in.Name, c.use(ctx, in.From, func(*engine.Sandbox) error {
			from := in.From
			if from == "" {
				from = defaultSandbox
			}
			return boxes.Fork(ctx, c.owner+from, c.owner+in.Name)
		})
	case "destroy":
		err := boxes.Remove(c.owner + in.Name)
		if in.Name == defaultSandbox {
			c.bridge.mu.Lock()
			delete(c.bridge.defaults, c.owner)
			c.bridge.mu.Unlock()
		}
		return "destroyed sandbox " + in.Name, err
	}
	return "", fmt.Errorf("action %q: use create, list, info, fork or destroy", in.Action)
}

func (c caller) list(out *sandboxOut) (string, error) {
	names, err := c.bridge.cfg.Sandboxes.Names()
	out.Names = []string{}
	for _, n := range names {
		if own, ok := strings.CutPrefix(n, c.owner); ok {
			out.Names = append(out.Names, own)
		}
	}
	if len(out.Names) == 0 {
		return "none yet: the default one is made at the first call", err
	}
	return strings.Join(out.Names, "\n"), err
}
