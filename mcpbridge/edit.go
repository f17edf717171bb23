package mcpbridge

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"unicode/utf8"

	"github.com/belljar-dev/belljar/engine"
	"github.com/mark3labs/mcp-go/server"
)

const appendFlags = os.O_WRONLY | os.O_CREATE | os.O_APPEND

type edit struct {
	Old string `json:"old" jsonschema:"exactly as it is there, whitespace too, and there only once"`
	New string `json:"new"`
	All bool   `json:"all,omitempty" jsonschema:"each occurrence"`
}

type editFileIn struct {
	Path    string `json:"path"`
	Edits   []edit `json:"edits" jsonschema:"in order; all or none"`
	DryRun  bool   `json:"dry_run,omitempty"`
	Sandbox string `json:"sandbox,omitempty"`
}

type editFileOut struct {
	Path     string `json:"path"`
	Replaced int    `json:"replaced"`
	Diff     string `json:"diff"`
}

func (b *Bridge) editFile() server.ServerTool {
	return newTool(b, "edit_file", `Replace exact pieces of a text file, several at once, and show the change.`,
		hints{destroys: true}, func(ctx context.Context, c caller, in editFileIn) (result[editFileOut], error) {
			name := guestPath(in.Path)
			out := editFileOut{Path: name}
			err := c.use(ctx, in.Sandbox, func(sb *engine.Sandbox) error {
				data, err := readBounded(sb.Files(), name)
				if err != nil {
					return err
				}
				if !utf8.Valid(data) {
					return fmt.Errorf("%s is not text: change it with run_code", name)
				}
				text, n, err := applyEdits(string(data), in.Edits)
				if err != nil {
					return fmt.Errorf("%s: %w; nothing was changed", name, err)
				}
				out.Replaced = n
				out.Diff, _ = b.cut(diffLines(string(data), text), "read_file shows it")
				if in.DryRun {
					return nil
				}
				info, err := sb.Files().Stat(name)
				if err != nil {
					return err
				}
				return sb.Files().WriteFile(name, []byte(text), info.Mode().Perm())
			})
			if err != nil {
				return result[editFileOut]{}, err
			}
			return result[editFileOut]{data: out, text: out.Diff}, nil
		})
}

func applyEdits(text string, edits []edit) (string, int, error) {
	if len(edits) == 0 {
		return "", 0, errors.New("no edits")
	}
	total := 0
	for i, e := range edits {
		n := strings.Count(text, e.Old)
		switch {
		case e.Old == "":
			return "", 0, fmt.Errorf("edit %d: old is empty", i+1)
		case n == 0:
			return "", 0, fmt.Errorf("edit %d: the old text is not there; read the file and copy it exactly", i+1)
		case n > 1 && !e.All:
			return "", 0, fmt.Errorf("edit %d: the old text is there %d times; give more of it, or all", i+1, n)
		}
		text = strings.ReplaceAll(text, e.Old, e.New)
		total += n
	}
	return text, total, nil
}

// contextLines is how many lines that stay a diff shows around what changes.
const contextLines = 2

// diffLines shows the lines between the first and the last that differ, with some around them.
func diffLines(old, new string) string {
	if old == new {
		return "(no change)"
	}
	a, b := strings.Split(old, "\n"), strings.Split(new, "\n")
	head := 0
	for head < min(len(a), len(b)) && a[head] == b[head] {
		head++
	}
	tail := 0
	for tail < min(len(a), len(b))-head && a[len(a)-1-tail] == b[len(b)-1-tail] {
		tail++
	}
	var t strings.Builder
	fmt.Fprintf(&t, "@@ line %d @@\n", head+1)
	section := func(mark string, lines []string) {
		for _, l := range lines {
			t.WriteString(mark + l + "\n")
		}
	}
	section(" ", a[max(head-contextLines, 0):head])
	section("-", a[head:len(a)-tail])
	section("+", b[head:len(b)-tail])
	section(" ", a[len(a)-tail:min(len(a)-tail+contextLines, len(a))])
	return strings.TrimSuffix(t.String(), "\n")
}
