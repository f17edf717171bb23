package mcpbridge

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"mime"
	"net/http"
	"net/url"
	"path"
	"strings"
	"unicode/utf8"

	"github.com/belljar-dev/belljar/engine"
	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"
)

// The resources of a sandbox, as templates of RFC 6570. What {+path} stands for has no slash before it.
const (
	filesTemplate     = "belljar://sandbox/{id}/files/{+path}"
	processesTemplate = "belljar://sandbox/{id}/processes"
	usageTemplate     = "belljar://sandbox/{id}/usage"
)

// resource is what a URI of a resource names.
type resource struct {
	sandbox string
	kind    string // files, processes or usage
	path    string // of files: absolute
}

// maxURI bounds a resource's URI, in bytes: a path of the longest kind, each byte of it in three.
const maxURI = 4096*3 + 200

func parseResource(uri string) (resource, error) {
	bad := fmt.Errorf("%.200q is no resource: use %s, %s or %s", uri, filesTemplate, processesTemplate, usageTemplate)
	if len(uri) > maxURI {
		return resource{}, bad
	}
	u, err := url.Parse(uri)
	if err != nil || u.Scheme != "belljar" || u.Host != "sandbox" || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
		return resource{}, bad
	}
	id, rest, _ := strings.Cut(strings.TrimPrefix(u.Path, "/"), "/")
	kind, name, hasName := strings.Cut(rest, "/")
	if err := checkName(id); err != nil {
		return resource{}, err
	}
	switch {
	case kind == "files" && !strings.Contains(name, "\x00"):
		return resource{id, kind, path.Clean("/" + name)}, nil
	case (kind == "processes" || kind == "usage") && !hasName:
		return resource{sandbox: id, kind: kind}, nil
	}
	return resource{}, bad
}

// fileURI names a file of a sandbox.
func fileURI(sandbox, name string) string {
	if sandbox == "" {
		sandbox = defaultSandbox
	}
	u := url.URL{Scheme: "belljar", Host: "sandbox", Path: "/" + sandbox + "/files" + path.Clean("/"+name)}
	return u.String()
}

// fileLink is a file of a sandbox, to be read as a resource.
func fileLink(sandbox, name, description string) mcp.Content {
	return mcp.NewResourceLink(fileURI(sandbox, name), path.Base(name), description, mimeType(name, nil))
}

// mimeType is a file's, by its name, or else by how it begins.
func mimeType(name string, head []byte) string {
	if known := textTypes[strings.ToLower(path.Ext(name))]; known != "" {
		return known
	}
	if byName := mime.TypeByExtension(path.Ext(name)); byName != "" && head == nil {
		return byName
	}
	if head == nil {
		return ""
	}
	kind, _, _ := strings.Cut(http.DetectContentType(head), ";")
	return kind
}

// textTypes are the types of files that programmers have, the same on every host.
var textTypes = map[string]string{
	".csv": "text/csv", ".css": "text/css", ".go": "text/x-go", ".htm": "text/html", ".html": "text/html", ".js": "text/javascript",
	".json": "application/json", ".md": "text/markdown", ".png": "image/png", ".py": "text/x-python", ".sh": "text/x-shellscript",
	".svg": "image/svg+xml", ".ts": "text/x-typescript", ".txt": "text/plain", ".xml": "application/xml", ".yaml": "application/yaml",
}

// addResources makes sandboxes' files, processes and usage readable as resources.
func (b *Bridge) addResources() {
	for _, r := range []struct{ name, title, uri, description, mime string }{
		{"home", "Files of your sandbox", fileURI("", home), "The home folder of your default sandbox: a list of its files, each with its URI", "application/json"},
		{"processes", "Processes of your sandbox", strings.ReplaceAll(processesTemplate, "{id}", defaultSandbox), "What runs in your default sandbox", "application/json"},
		{"usage", "Usage of your sandbox", strings.ReplaceAll(usageTemplate, "{id}", defaultSandbox), "Work, memory and disk that your default sandbox has used", "application/json"},
	} {
		b.mcp.AddResource(mcp.NewResource(r.uri, r.name, mcp.WithResourceTitle(r.title), mcp.WithResourceDescription(r.description), mcp.WithMIMEType(r.mime)), b.readResource)
	}
	for _, t := range []struct{ name, uri, description string }{
		{"files", filesTemplate, "A file of a sandbox, or a folder's list. {+path} is the path without its first slash, such as home/user/a.txt"},
		{"processes", processesTemplate, "The processes of a sandbox, as JSON"},
		{"usage", usageTemplate, "What a sandbox has used, as JSON"},
	} {
		b.mcp.AddResourceTemplate(mcp.NewResourceTemplate(t.uri, t.name, mcp.WithTemplateDescription(t.description)), server.ResourceTemplateHandlerFunc(b.readResource))
	}
}

// readResource answers a resource's content. Another client's sandbox is not found.
func (b *Bridge) readResource(ctx context.Context, req mcp.ReadResourceRequest) ([]mcp.ResourceContents, error) {
	r, err := parseResource(req.Params.URI)
	if err != nil {
		return nil, err
	}
	var out mcp.ResourceContents
	err = b.caller(ctx).use(ctx, r.sandbox, func(sb *engine.Sandbox) (err error) {
		out, err = b.content(sb, r, req.Params.URI)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read %.200s: %s", req.Params.URI, advice(err))
	}
	return []mcp.ResourceContents{out}, nil
}

func (b *Bridge) content(sb *engine.Sandbox, r resource, uri string) (mcp.ResourceContents, error) {
	switch r.kind {
	case "processes":
		return jsonContent(uri, b.processList(sb))
	case "usage":
		return jsonContent(uri, usageOf(sb))
	}
	info, err := sb.Files().Stat(r.path)
	if err != nil {
		return nil, err
	}
	if info.IsDir() {
		return folderContent(sb, r, uri)
	}
	data, err := readBounded(sb.Files(), r.path)
	if err != nil {
		return nil, err
	}
	kind := mimeType(r.path, data)
	if utf8.Valid(data) {
		return mcp.TextResourceContents{URI: uri, MIMEType: kind, Text: string(data)}, nil
	}
	return mcp.BlobResourceContents{URI: uri, MIMEType: kind, Blob: base64.StdEncoding.EncodeToString(data)}, nil
}

func folderContent(sb *engine.Sandbox, r resource, uri string) (mcp.ResourceContents, error) {
	entries, err := sb.Files().ReadDir(r.path)
	if err != nil {
		return nil, err
	}
	type entry struct {
		fileOut
		URI string `json:"uri"`
	}
	out := struct {
		Files     []entry `json:"files"`
		Truncated bool    `json:"truncated,omitempty"`
	}{Files: []entry{}}
	for _, d := range entries {
		if out.Truncated = len(out.Files) == maxListed; out.Truncated {
			break
		}
		name := path.Join(r.path, d.Name())
		out.Files = append(out.Files, entry{describe(name, d), fileURI(r.sandbox, name)})
	}
	return jsonContent(uri, out)
}

func jsonContent(uri string, value any) (mcp.ResourceContents, error) {
	text, err := json.Marshal(value)
	return mcp.TextResourceContents{URI: uri, MIMEType: "application/json", Text: string(text)}, err
}

// CompleteResourceArgument implements server.ResourceCompletionProvider: names of sandboxes and paths of files.
func (b *Bridge) CompleteResourceArgument(ctx context.Context, _ string, arg mcp.CompleteArgument, with mcp.CompleteContext) (*mcp.Completion, error) {
	switch arg.Name {
	case "id", "sandbox":
		return b.completeSandbox(ctx, arg.Value)
	case "path":
		return b.completePath(ctx, with.Arguments["id"], arg.Value)
	}
	return &mcp.Completion{Values: []string{}}, nil
}

func (b *Bridge) completeSandbox(ctx context.Context, prefix string) (*mcp.Completion, error) {
	names, err := b.caller(ctx).names()
	if err != nil {
		return nil, err
	}
	return completion(append(names, defaultSandbox), prefix), nil
}

// completePath completes the last part of a path, which stays as it was written: with or without its first slash.
func (b *Bridge) completePath(ctx context.Context, sandbox, prefix string) (*mcp.Completion, error) {
	dir, _ := path.Split(prefix)
	var names []string
	err := b.caller(ctx).use(ctx, sandbox, func(sb *engine.Sandbox) error {
		entries, err := sb.Files().ReadDir(path.Clean("/" + dir))
		for _, d := range entries {
			name := dir + d.Name()
			if d.IsDir() {
				name += "/"
			}
			names = append(names, name)
		}
		return err
	})
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, ErrNotFound) {
		err = nil
	}
	if err != nil {
		return nil, err
	}
	return completion(names, prefix), nil
}
