package vfstest

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// program is one case.
type program struct {
	name  string
	calls []*call
}

// call is a line of a program.
type call struct {
	path string
	line int    // in the file, from 1
	text string // without the result
	args []string
	want string // "ok" if the line does not say
}

// table is a file of testdata. lines are kept for -update.
type table struct {
	path     string
	lines    []string
	programs []*program
}

func readTables(t *testing.T) []*table {
	t.Helper()
	paths, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no tables: %v", err)
	}
	var all []*table
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		tb, err := parse(path, string(text))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, tb)
	}
	return all
}

func parse(path, text string) (*table, error) {
	tb := &table{path: path, lines: strings.Split(text, "\n")}
	names := map[string]bool{}
	for i, line := range tb.lines {
		switch {
		case line == "" || line[0] == '#':
			continue
		case strings.HasPrefix(line, "== "):
			name := line[3:]
			if names[name] {
				return nil, fmt.Errorf("%s:%d: %q is there twice", path, i+1, name)
			}
			names[name] = true
			tb.programs = append(tb.programs, &program{name: name})
			continue
		case tb.programs == nil:
			return nil, fmt.Errorf("%s:%d: no case has begun", path, i+1)
		}
		c := &call{path: path, line: i + 1, text: line, want: "ok"}
		if at := strings.LastIndex(line, " = "); at >= 0 {
			c.text, c.want = line[:at], line[at+3:]
		}
		args, err := words(c.text)
		if err != nil || len(args) == 0 || ops[args[0]].run == nil {
			return nil, fmt.Errorf("%s:%d: %q is no call: %v", path, i+1, c.text, err)
		}
		if n := len(args) - 1; n < ops[args[0]].least || n > ops[args[0]].most {
			return nil, fmt.Errorf("%s:%d: %s with %d arguments", path, i+1, args[0], n)
		}
		c.args = args
		p := tb.programs[len(tb.programs)-1]
		p.calls = append(p.calls, c)
	}
	return tb, nil
}

// words splits a line.
func words(line string) ([]string, error) {
	var out []string
	for rest := strings.TrimLeft(line, " "); rest != ""; rest = strings.TrimLeft(rest, " ") {
		if rest[0] == '"' {
			quoted, err := strconv.QuotedPrefix(rest)
			if err != nil {
				return nil, err
			}
			word, err := strconv.Unquote(quoted)
			if err != nil {
				return nil, err
			}
			out, rest = append(out, word), rest[len(quoted):]
			continue
		}
		word, after, _ := strings.Cut(rest, " ")
		out, rest = append(out, word), after
	}
	return out, nil
}

var repeats = regexp.MustCompile(`\{([^{}*]+)\*(\d+)\}`)

// expand puts in what the braces stand for.
func expand(word, root string) string {
	word = strings.ReplaceAll(word, "{root}", root)
	return repeats.ReplaceAllStringFunc(word, func(s string) string {
		m := repeats.FindStringSubmatch(s)
		n, _ := strconv.Atoi(m[2])
		return strings.Repeat(m[1], n)
	})
}

// update makes what was got the results of the table.
func (tb *table) update() error {
	for _, p := range tb.programs {
		for _, c := range p.calls {
			line := c.text
			if c.want != "ok" {
				line += " = " + c.want
			}
			tb.lines[c.line-1] = line
		}
	}
	return os.WriteFile(tb.path, []byte(strings.Join(tb.lines, "\n")), 0o644)
}
