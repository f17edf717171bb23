package gitops

import (
	"fmt"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
)

// Text returns the diff as git prints it, object names in seven digits (https://git-scm.com/docs/diff-format).
func (d Diff) Text() string {
	var b strings.Builder
	for _, f := range d {
		f.text(&b)
	}
	return b.String()
}

func (f FileDiff) text(b *strings.Builder) {
	if f.Kind == Unmerged {
		fmt.Fprintf(b, "* Unmerged path %s\n", quotePath(f.To))
		return
	}
	if f.Kind == TypeChange { // one file goes, another comes
		gone, came := f, f
		gone.Kind, gone.NewMode, gone.NewHash, gone.Hunks = Deleted, 0, "", onlyLines(f.Hunks, '-')
		came.Kind, came.OldMode, came.OldHash, came.Hunks = Added, 0, "", onlyLines(f.Hunks, '+')
		gone.text(b)
		came.text(b)
		return
	}
	from, to := quotePath("a/"+f.From), quotePath("b/"+f.To)
	fmt.Fprintf(b, "diff --git %s %s\n", from, to)
	switch {
	case f.Kind == Added:
		fmt.Fprintf(b, "new file mode %06o\n", f.NewMode)
		from = "/dev/null"
	case f.Kind == Deleted:
		fmt.Fprintf(b, "deleted file mode %06o\n", f.OldMode)
		to = "/dev/null"
	case f.OldMode != f.NewMode:
		fmt.Fprintf(b, "old mode %06o\nnew mode %06o\n", f.OldMode, f.NewMode)
	}
	if f.Kind == Renamed {
		fmt.Fprintf(b, "similarity index %d%%\nrename from %s\nrename to %s\n", f.Score, quotePath(f.From), quotePath(f.To))
	}
	if f.OldHash == f.NewHash {
		return
	}
	fmt.Fprintf(b, "index %s..%s", short(f.OldHash), short(f.NewHash))
	if f.OldMode == f.NewMode {
		fmt.Fprintf(b, " %06o", f.NewMode)
	}
	b.WriteByte('\n')
	if f.Binary {
		fmt.Fprintf(b, "Binary files %s and %s differ\n", from, to)
		return
	}
	if len(f.Hunks) == 0 {
		return
	}
	// A tab ends a name with a space in it, for patch(1).
	tab := func(name string) string {
		if strings.Contains(name, " ") && name != "/dev/null" {
			return name + "\t"
		}
		return name
	}
	fmt.Fprintf(b, "--- %s\n+++ %s\n", tab(from), tab(to))
	for _, h := range f.Hunks {
		h.text(b)
	}
}

func (h Hunk) text(b *strings.Builder) {
	fmt.Fprintf(b, "@@ -%s +%s @@", span(h.OldStart, h.OldLines), span(h.NewStart, h.NewLines))
	if h.Section != "" {
		b.WriteString(" " + h.Section)
	}
	b.WriteByte('\n')
	for _, l := range h.Lines {
		b.WriteByte(l.Op)
		b.WriteString(l.Text)
		if !strings.HasSuffix(l.Text, "\n") {
			b.WriteString("\n\\ No newline at end of file\n")
		}
	}
}

// onlyLines makes the hunks of a file that comes or goes whole of those of one that changed its type.
func onlyLines(hs []Hunk, op byte) []Hunk {
	var h Hunk
	for _, x := range hs {
		for _, l := range x.Lines {
			if l.Op == op {
				h.Lines = append(h.Lines, l)
			}
		}
	}
	if len(h.Lines) == 0 {
		return nil
	}
	if op == '-' {
		h.OldStart, h.OldLines = 1, len(h.Lines)
	} else {
		h.NewStart, h.NewLines = 1, len(h.Lines)
	}
	return []Hunk{h}
}

func span(start, n int) string {
	if n == 1 {
		return fmt.Sprint(start)
	}
	return fmt.Sprintf("%d,%d", start, n)
}

func short(h string) string {
	if h == "" {
		h = plumbing.ZeroHash.String()
	}
	return h[:7]
}

// trimSection cuts the line that names a hunk's place to what git shows of it.
func trimSection(line string) string {
	return strings.TrimRight(line[:min(len(line), 80)], " \t\r\n")
}

// quotePath is git's core.quotePath: a name with unusual bytes becomes a string of C.
func quotePath(name string) string {
	plain := true
	for i := range len(name) {
		c := name[i]
		plain = plain && c >= ' ' && c < 0x7f && c != '"' && c != '\\'
	}
	if plain {
		return name
	}
	const named = "abtnvfr"
	var b strings.Builder
	b.WriteByte('"')
	for i := range len(name) {
		switch c := name[i]; {
		case c == '"' || c == '\\':
			b.WriteByte('\\')
			b.WriteByte(c)
		case c >= 7 && c <= 13:
			b.WriteByte('\\')
			b.WriteByte(named[c-7])
		case c < ' ' || c >= 0x7f:
			fmt.Fprintf(&b, "\\%03o", c)
		default:
			b.WriteByte(c)
		}
	}
	b.WriteByte('"')
	return b.String()
}
