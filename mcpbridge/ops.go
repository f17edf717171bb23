package mcpbridge

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"path"
	"strconv"
	"strings"

	"github.com/belljar-dev/belljar/engine"
	"github.com/belljar-dev/belljar/vfs"
	"github.com/belljar-dev/belljar/vfs/archive"
	"github.com/mark3labs/mcp-go/server"
)

type fileOpsIn struct {
	Action  string `json:"action" enum:"mkdir,move,copy,delete,stat,chmod"`
	Path    string `json:"path"`
	To      string `json:"to,omitempty" jsonschema:"new path, for move and copy"`
	Mode    string `json:"mode,omitempty" jsonschema:"octal, for chmod"`
	Sandbox string `json:"sandbox,omitempty"`
}

func (b *Bridge) fileOps() server.ServerTool {
	return newTool(b, "file_ops", `Make folders, move, copy, delete (folders with all in them), describe, or set permissions.`,
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

// copyTree copies within a tree, whose quota limits it.
func copyTree(ctx context.Context, tree *vfs.Tree, from, to string) error {
	if err := tree.MkdirAll(path.Dir(to), 0o755); err != nil {
		return err
	}
	limits := archive.Config{MaxBytes: math.MaxInt64 - 1, MaxFiles: math.MaxInt}
	return archive.Copy(ctx, archive.Into(tree), to, tree.FS(), inFS(from), limits)
}
