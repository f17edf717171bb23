package mcpbridge

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/belljar-dev/belljar/engine"
	"github.com/belljar-dev/belljar/vfs/archive"
	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"
)

type uploadIn struct {
	HostPath string `json:"host_path" jsonschema:"absolute"`
	Path     string `json:"path,omitempty" jsonschema:"where to (default: /home/user)"`
	Sandbox  string `json:"sandbox,omitempty"`
}

type transferOut struct {
	Path     string `json:"path"`
	HostPath string `json:"host_path,omitempty"`
	URI      string `json:"uri"`
}

func (b *Bridge) upload() server.ServerTool {
	return newTool(b, "upload", `Copy a file or folder of the user's machine, in a folder that the user has allowed, into the sandbox.`,
		hints{destroys: true, repeatable: true, open: true}, func(ctx context.Context, c caller, in uploadIn) (result[transferOut], error) {
			root, rel, err := b.openHost(in.HostPath)
			if err != nil {
				return result[transferOut]{}, err
			}
			defer root.Close()
			name := guestPath(in.Path)
			if in.Path == "" || strings.HasSuffix(in.Path, "/") {
				name = path.Join(name, filepath.Base(in.HostPath))
			}
			err = c.use(ctx, in.Sandbox, func(sb *engine.Sandbox) error {
				if err := sb.Files().MkdirAll(path.Dir(name), 0o755); err != nil {
					return err
				}
				return archive.Copy(ctx, archive.Into(sb.Files()), name, root.FS(), filepath.ToSlash(rel), archive.Config{})
			})
			if err != nil {
				return result[transferOut]{}, err
			}
			out := transferOut{Path: name, URI: fileURI(in.Sandbox, name)}
			return result[transferOut]{data: out, text: "uploaded to " + name}, nil
		})
}

type downloadIn struct {
	Path     string `json:"path" jsonschema:"in the sandbox"`
	HostPath string `json:"host_path,omitempty" jsonschema:"absolute"`
	Sandbox  string `json:"sandbox,omitempty"`
}

func (b *Bridge) download() server.ServerTool {
	return newTool(b, "download", `Copy a file or folder of the sandbox to host_path on the user's machine, in a folder that the user has allowed. Without host_path: a resource link.`,
		hints{destroys: true, repeatable: true, open: true}, func(ctx context.Context, c caller, in downloadIn) (result[transferOut], error) {
			name := guestPath(in.Path)
			out := transferOut{Path: name, HostPath: in.HostPath, URI: fileURI(in.Sandbox, name)}
			err := c.use(ctx, in.Sandbox, func(sb *engine.Sandbox) error {
				if _, err := sb.Files().Stat(name); err != nil {
					return fmt.Errorf("%w: list_files shows what is there", err)
				}
				if in.HostPath == "" {
					return nil
				}
				root, rel, err := b.openHost(in.HostPath)
				if err != nil {
					return err
				}
				defer root.Close()
				if strings.HasSuffix(in.HostPath, "/") {
					rel = filepath.Join(rel, path.Base(name))
					out.HostPath = filepath.Join(in.HostPath, path.Base(name))
				}
				if err := root.MkdirAll(filepath.Dir(rel), 0o755); err != nil {
					return err
				}
				return archive.Copy(ctx, inside{archive.IntoRoot(root)}, filepath.ToSlash(rel), sb.Files().FS(), inFS(name), archive.Config{})
			})
			if err != nil {
				return result[transferOut]{}, err
			}
			text := out.URI
			if in.HostPath != "" {
				text = fmt.Sprintf("downloaded %s to %s", name, out.HostPath)
			}
			return result[transferOut]{data: out, text: text, extra: []mcp.Content{fileLink(in.Sandbox, name, "")}}, nil
		})
}

// openHost opens the allowed folder that a path of this machine lies in. What lies in it is reached through the root
// alone: no link leads out of it.
func (b *Bridge) openHost(name string) (*os.Root, string, error) {
	if len(b.cfg.HostDirs) == 0 {
		return nil, "", errors.New("no folder of the user's machine is allowed: the user has to start belljar with --allow-host-dir; use write_file and read_file")
	}
	if !filepath.IsAbs(name) || strings.ContainsRune(name, 0) {
		return nil, "", fmt.Errorf("host_path %.200q: use an absolute path in %s", name, strings.Join(b.cfg.HostDirs, " or "))
	}
	for _, dir := range b.cfg.HostDirs {
		rel, err := filepath.Rel(dir, filepath.Clean(name))
		if err != nil || !filepath.IsLocal(rel) {
			continue
		}
		root, err := os.OpenRoot(dir)
		if err != nil {
			return nil, "", fmt.Errorf("open the allowed folder: %w", err)
		}
		return root, rel, nil
	}
	return nil, "", fmt.Errorf("host_path %.200q is not allowed: use a path in %s", name, strings.Join(b.cfg.HostDirs, " or "))
}

// inside is a Target on the user's machine, for a tree that a stranger made: it takes no link that leads out of it, for
// some program to follow later.
type inside struct{ archive.Target }

// Symlink implements archive.Target.
func (i inside) Symlink(old, name string) error {
	if path.IsAbs(old) || !fs.ValidPath(path.Join(path.Dir(name), old)) || !filepath.IsLocal(filepath.FromSlash(path.Join(path.Dir(name), old))) {
		return fmt.Errorf("the link to %.200q leads out of the folder: remove it first, or copy what it leads to", old)
	}
	return i.Target.Symlink(old, name)
}
