package mcpbridge

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/belljar-dev/belljar/engine"
	"github.com/belljar-dev/belljar/vfs"
	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"
)

const home = "/home/user"

// guestPath is a path that a caller gives: absolute, or relative to the user's home folder.
func guestPath(p string) string {
	if !path.IsAbs(p) {
		p = path.Join(home, p)
	}
	return path.Clean(p)
}

type readFileIn struct {
	Path    string `json:"path"`
	Offset  int    `json:"offset,omitempty" jsonschema:"first line, from 1; negative: from the end"`
	Limit   int    `json:"limit,omitempty" jsonschema:"number of lines"`
	Base64  bool   `json:"base64,omitempty" jsonschema:"give bytes in base64"`
	Sandbox string `json:"sandbox,omitempty"`
}

type readFileOut struct {
	Content   string `json:"content"`
	Encoding  string `json:"encoding"`
	Size      int64  `json:"size"`
	FirstLine int    `json:"first_line,omitempty"`
	Lines     int    `json:"lines,omitempty"`
	Truncated bool   `json:"truncated,omitempty"`
}

// maxRead bounds the file that read_file takes into memory.
const maxRead = 32 << 20

func (b *Bridge) readFile() server.ServerTool {
	return newTool(b, "read_file", `Read a file: text whole or by lines, pictures as pictures, other bytes in base64.`,
		hints{reads: true, repeatable: true}, func(ctx context.Context, c caller, in readFileIn) (result[readFileOut], error) {
			var data []byte
			err := c.use(ctx, in.Sandbox, func(sb *engine.Sandbox) (err error) {
				data, err = readBounded(sb.Files(), guestPath(in.Path))
				return err
			})
			if err != nil {
				return result[readFileOut]{}, err
			}
			return b.showFile(in, data), nil
		})
}

func readBounded(tree *vfs.Tree, name string) ([]byte, error) {
	info, err := tree.Stat(name)
	switch {
	case err != nil:
		return nil, fmt.Errorf("%w: list_files shows what is there", err)
	case info.IsDir():
		return nil, fmt.Errorf("%s is a folder: use list_files", name)
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("%s is not a regular file", name)
	case info.Size() > maxRead:
		return nil, fmt.Errorf("%s has %d bytes, more than the %d that can be read this way: take a part with run_code", name, info.Size(), maxRead)
	}
	return tree.ReadFile(name)
}

func (b *Bridge) showFile(in readFileIn, data []byte) result[readFileOut] {
	out := readFileOut{Size: int64(len(data)), Encoding: "utf-8"}
	mime := http.DetectContentType(data)
	switch picture := strings.HasPrefix(mime, "image/") && !strings.HasPrefix(mime, "image/svg"); {
	case picture && !in.Base64 && len(data) <= 5<<20:
		out.Encoding = "base64"
		return result[readFileOut]{data: out, text: fmt.Sprintf("%s of %d bytes", mime, len(data)),
			extra: []mcp.Content{mcp.NewImageContent(base64.StdEncoding.EncodeToString(data), mime)}}
	case in.Base64 || !utf8.Valid(data):
		out.Encoding = "base64"
		part := data
		if most := b.cfg.Output / 4 * 3; len(part) > most {
			part, out.Truncated = part[:most], true
		}
		out.Content = base64.StdEncoding.EncodeToString(part)
		return result[readFileOut]{data: out, text: fmt.Sprintf("%d bytes, %s, in base64:\n%s", len(data), mime, out.Content)}
	}
	lines := strings.SplitAfter(string(data), "\n")
	if lines[len(lines)-1] == "" {
		lines = lines[:len(lines)-1]
	}
	first := min(max(in.Offset, 1), len(lines)+1)
	if in.Offset < 0 {
		first = max(len(lines)+in.Offset+1, 1)
	}
	part := lines[first-1:]
	if in.Limit > 0 {
		part = part[:min(in.Limit, len(part))]
	}
	out.FirstLine, out.Lines = first, len(lines)
	size := 0
	for i, l := range part {
		if size += len(l); size > b.cfg.Output {
			part, out.Truncated = part[:i], true
			break
		}
	}
	out.Content = strings.Join(part, "")
	text := out.Content
	if end := first + len(part) - 1; end < len(lines) || first > 1 {
		text += fmt.Sprintf("\n[lines %d to %d of %d; offset and limit show others]", first, end, len(lines))
	}
	return result[readFileOut]{data: out, text: text}
}

type writeFileIn struct {
	Path    string `json:"path"`
	Content string `json:"content"`
	Base64  bool   `json:"base64,omitempty" jsonschema:"content is in base64"`
	Append  bool   `json:"append,omitempty"`
	Sandbox string `json:"sandbox,omitempty"`
}

type writeFileOut struct {
	Path  string `json:"path"`
	Bytes int    `json:"bytes"`
}

func (b *Bridge) writeFile() server.ServerTool {
	return newTool(b, "write_file", `Write a whole file, in place of what is there; folders are made. To change a part use edit_file.`,
		hints{destroys: true, repeatable: true}, func(ctx context.Context, c caller, in writeFileIn) (result[writeFileOut], error) {
			data := []byte(in.Content)
			if in.Base64 {
				var err error
				if data, err = base64.StdEncoding.DecodeString(in.Content); err != nil {
					return result[writeFileOut]{}, fmt.Errorf("content is not base64: %w", err)
				}
			}
			name := guestPath(in.Path)
			err := c.use(ctx, in.Sandbox, func(sb *engine.Sandbox) error { return writeFile(sb.Files(), name, data, in.Append) })
			if err != nil {
				return result[writeFileOut]{}, err
			}
			return result[writeFileOut]{data: writeFileOut{name, len(data)}, text: fmt.Sprintf("wrote %d bytes to %s", len(data), name)}, nil
		})
}

func writeFile(tree *vfs.Tree, name string, data []byte, add bool) error {
	if err := tree.MkdirAll(path.Dir(name), 0o755); err != nil {
		return err
	}
	if !add {
		return tree.WriteFile(name, data, 0o644)
	}
	f, err := tree.OpenFile(name, appendFlags, 0o644)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	return errors.Join(err, f.Close())
}

type listFilesIn struct {
	Path    string `json:"path,omitempty" jsonschema:"default: /home/user"`
	Depth   int    `json:"depth,omitempty" jsonschema:"levels to go into (default 1)"`
	Glob    string `json:"glob,omitempty" jsonschema:"only names like *.py"`
	Sandbox string `json:"sandbox,omitempty"`
}

type fileOut struct {
	Path     string `json:"path"`
	Type     string `json:"type"`
	Size     int64  `json:"size"`
	Mode     string `json:"mode,omitempty"`
	Modified string `json:"modified,omitempty"`
}

type listFilesOut struct {
	Files     []fileOut `json:"files"`
	Truncated bool      `json:"truncated,omitempty"`
}

// maxListed bounds a listing.
const maxListed = 500

var errEnough = errors.New("enough")

func (b *Bridge) listFiles() server.ServerTool {
	return newTool(b, "list_files", `List a folder, with sizes; deeper with depth, fewer with glob.`,
		hints{reads: true, repeatable: true}, func(ctx context.Context, c caller, in listFilesIn) (result[listFilesOut], error) {
			if in.Path == "" {
				in.Path = home
			}
			if _, err := path.Match(in.Glob, ""); err != nil {
				return result[listFilesOut]{}, fmt.Errorf("glob %q: %w", in.Glob, err)
			}
			out := listFilesOut{Files: []fileOut{}}
			err := c.use(ctx, in.Sandbox, func(sb *engine.Sandbox) error {
				return listTree(ctx, sb.Files(), guestPath(in.Path), max(in.Depth, 1), in.Glob, &out)
			})
			if err != nil {
				return result[listFilesOut]{}, err
			}
			return result[listFilesOut]{data: out, text: out.text()}, nil
		})
}

func listTree(ctx context.Context, tree *vfs.Tree, dir string, depth int, glob string, out *listFilesOut) error {
	info, err := tree.Stat(dir)
	if err != nil {
		return err
	}
	if !info.IsDir() {
		return fmt.Errorf("%s is not a folder", dir)
	}
	err = fs.WalkDir(tree.FS(), inFS(dir), func(name string, d fs.DirEntry, err error) error {
		if name = "/" + strings.TrimPrefix(name, "."); name == dir || name == "//" {
			return err
		}
		if err != nil {
			return fs.SkipDir // a folder that went meanwhile
		}
		level := strings.Count(strings.TrimPrefix(name, strings.TrimSuffix(dir, "/")), "/")
		if ok, _ := path.Match(glob, path.Base(name)); ok || glob == "" {
			if len(out.Files) == maxListed {
				out.Truncated = true
				return errEnough
			}
			out.Files = append(out.Files, describe(name, d))
		}
		if d.IsDir() && level >= depth {
			return fs.SkipDir
		}
		return context.Cause(ctx)
	})
	if errors.Is(err, errEnough) {
		return nil
	}
	return err
}

// inFS is an absolute path as io/fs has it.
func inFS(name string) string {
	if name == "/" {
		return "."
	}
	return strings.TrimPrefix(name, "/")
}

func describe(name string, d fs.DirEntry) fileOut {
	f := fileOut{Path: name, Type: "other"}
	switch {
	case d.IsDir():
		f.Type = "folder"
	case d.Type() == fs.ModeSymlink:
		f.Type = "link"
	case d.Type().IsRegular():
		f.Type = "file"
	}
	if info, err := d.Info(); err == nil {
		f.Mode, f.Modified = info.Mode().String(), info.ModTime().UTC().Format(time.RFC3339)
		if f.Type == "file" {
			f.Size = info.Size()
		}
	}
	return f
}

func (o *listFilesOut) text() string {
	var t strings.Builder
	for _, f := range o.Files {
		switch f.Type {
		case "folder":
			fmt.Fprintf(&t, "%s/\n", f.Path)
		case "file":
			fmt.Fprintf(&t, "%s  %d bytes\n", f.Path, f.Size)
		default:
			fmt.Fprintf(&t, "%s  (%s)\n", f.Path, f.Type)
		}
	}
	if o.Truncated {
		fmt.Fprintf(&t, "[only the first %d; name a folder further down, or a glob]\n", maxListed)
	}
	if t.Len() == 0 {
		return "(nothing)"
	}
	return t.String()
}
