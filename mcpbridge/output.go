package mcpbridge

import (
	"fmt"
	"path"
	"strings"
	"unicode/utf8"

	"github.com/belljar-dev/belljar/engine"
	"github.com/mark3labs/mcp-go/mcp"
)

const (
	// outputDir is where output that is too long for a result is kept in the sandbox, whole.
	outputDir = "/tmp/belljar-output"
	// outputFiles is how many are kept there.
	outputFiles = 16
)

// cut leaves out the middle of a text that is too long for one result. rest says where all of it is.
func (b *Bridge) cut(text, rest string) (string, bool) {
	most := b.cfg.Output
	if len(text) <= most {
		return strings.ToValidUTF8(text, "\uFFFD"), false
	}
	head, tail := text[:most/2], text[len(text)-most/2:]
	for len(head) > 0 && !utf8.ValidString(head[max(0, len(head)-utf8.UTFMax):]) && utf8.ValidString(text) {
		head = head[:len(head)-1]
	}
	for len(tail) > 0 && !utf8.RuneStart(tail[0]) {
		tail = tail[1:]
	}
	return strings.ToValidUTF8(fmt.Sprintf("%s\n[… %d bytes left out here; %s …]\n%s", head, len(text)-len(head)-len(tail), rest, tail), "\uFFFD"), true
}

// spill keeps a text that is too long for one result in a file of the sandbox. It answers what to say of it, and a link.
func (b *Bridge) spill(sb *engine.Sandbox, sandbox, what, text string) (rest string, link []mcp.Content) {
	rest = "write to a file and read it in parts to see all"
	if len(text) <= b.cfg.Output {
		return rest, nil
	}
	tree := sb.Files()
	if tree.MkdirAll(outputDir, 0o777) != nil {
		return rest, nil
	}
	entries, err := tree.ReadDir(outputDir)
	if err != nil {
		return rest, nil
	}
	number, oldest, count := 0, -1, 0
	for _, d := range entries {
		var n int
		if _, err := fmt.Sscanf(d.Name(), "%d-", &n); err != nil || n < 0 || n >= 1<<30 {
			continue
		}
		if number = max(number, n); oldest < 0 || n < oldest {
			oldest = n
		}
		count++
	}
	if count >= outputFiles {
		for _, d := range entries {
			if strings.HasPrefix(d.Name(), fmt.Sprintf("%d-", oldest)) {
				_ = tree.Remove(path.Join(outputDir, d.Name()))
			}
		}
	}
	name := path.Join(outputDir, fmt.Sprintf("%d-%s.txt", number+1, what))
	if tree.WriteFile(name, []byte(text), 0o644) != nil { // the disk is full, or the guest is in the way
		_ = tree.Remove(name)
		return rest, nil
	}
	return "all of it is in " + name, []mcp.Content{fileLink(sandbox, name, "the whole "+what)}
}
