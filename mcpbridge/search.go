package mcpbridge

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"strings"

	"github.com/belljar-dev/belljar/engine"
	"github.com/belljar-dev/belljar/vfs"
	"github.com/mark3labs/mcp-go/server"
)

type searchIn struct {
	Pattern    string `json:"pattern" jsonschema:"regular expression (RE2)"`
	Path       string `json:"path,omitempty" jsonschema:"default: /home/user"`
	Glob       string `json:"glob,omitempty" jsonschema:"only files like *.py"`
	IgnoreCase bool   `json:"ignore_case,omitempty"`
	Limit      int    `json:"limit,omitempty" jsonschema:"default 100, up to 1000"`
	Sandbox    string `json:"sandbox,omitempty"`
}

type matchOut struct {
	Path string `json:"path"`
	Line int    `json:"line"`
	Text string `json:"text"`
}

type searchOut struct {
	Matches   []matchOut `json:"matches"`
	Truncated bool       `json:"truncated,omitempty"`
}

const (
	defaultMatches = 100
	maxMatches     = 1000
	maxMatchText   = 300 // bytes of a line that is shown
)

func (b *Bridge) searchFiles() server.ServerTool {
	return newTool(b, "search_files", `Search the lines of text files for a regular expression, in a file or a folder with all below it.`,
		hints{reads: true, repeatable: true}, func(ctx context.Context, c caller, in searchIn) (result[searchOut], error) {
			pattern := in.Pattern
			if in.IgnoreCase {
				pattern = "(?i)" + pattern
			}
			re, err := regexp.Compile(pattern)
			if err != nil {
				return result[searchOut]{}, fmt.Errorf("pattern: %w", err)
			}
			if _, err := path.Match(in.Glob, ""); err != nil {
				return result[searchOut]{}, fmt.Errorf("glob %q: %w", in.Glob, err)
			}
			if in.Path == "" {
				in.Path = home
			}
			if in.Limit <= 0 {
				in.Limit = defaultMatches
			}
			s := searcher{re: re, glob: in.Glob, limit: min(in.Limit, maxMatches), out: searchOut{Matches: []matchOut{}}}
			err = c.use(ctx, in.Sandbox, func(sb *engine.Sandbox) error { return s.walk(ctx, sb.Files(), guestPath(in.Path)) })
			if err != nil {
				return result[searchOut]{}, err
			}
			return result[searchOut]{data: s.out, text: s.text()}, nil
		})
}

type searcher struct {
	re    *regexp.Regexp
	glob  string
	limit int
	out   searchOut
}

func (s *searcher) walk(ctx context.Context, tree *vfs.Tree, root string) error {
	err := fs.WalkDir(tree.FS(), inFS(root), func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			if "/"+name == root || name == "." {
				return err
			}
			return fs.SkipDir
		}
		if err := context.Cause(ctx); err != nil {
			return err
		}
		if ok, _ := path.Match(s.glob, path.Base(name)); !d.Type().IsRegular() || s.glob != "" && !ok {
			return nil
		}
		data, err := readBounded(tree, "/"+name)
		if err != nil {
			return nil // too large, or gone
		}
		return s.search("/"+name, data)
	})
	if errors.Is(err, errEnough) {
		return nil
	}
	return err
}

// search looks through a file, unless it is not text.
func (s *searcher) search(name string, data []byte) error {
	if bytes.IndexByte(data[:min(len(data), 8<<10)], 0) >= 0 {
		return nil
	}
	for n := 1; len(data) > 0; n++ {
		line, rest, _ := bytes.Cut(data, []byte("\n"))
		data = rest
		if !s.re.Match(line) {
			continue
		}
		if len(s.out.Matches) == s.limit {
			s.out.Truncated = true
			return errEnough
		}
		text := strings.ToValidUTF8(string(line[:min(len(line), maxMatchText)]), "\uFFFD")
		if len(line) > maxMatchText {
			text += "…"
		}
		s.out.Matches = append(s.out.Matches, matchOut{name, n, text})
	}
	return nil
}

func (s *searcher) text() string {
	if len(s.out.Matches) == 0 {
		return "(no match)"
	}
	var t strings.Builder
	for _, m := range s.out.Matches {
		fmt.Fprintf(&t, "%s:%d:%s\n", m.Path, m.Line, m.Text)
	}
	if s.out.Truncated {
		fmt.Fprintf(&t, "[only the first %d lines; narrow the pattern, the path or the glob]\n", s.limit)
	}
	return t.String()
}
