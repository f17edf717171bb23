package conformance

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"text/tabwriter"
)

const expectationsFile = "testdata/cpython.txt"

// unexplained begins the reason of a row that -update wrote; a person has to replace it.
const unexplained = "?"

// expectation is one row of the file.
type expectation struct {
	module string
	status status   // skip or fail: modules without a row have to pass
	failed []string // the tests that fail, sorted; empty stands for any
	reason string
}

// manyTests is how many failing tests -update names in a row before it leaves them out.
const manyTests = 6

func (e expectation) met(r result) bool {
	return e.status == r.status && (len(e.failed) == 0 || slices.Equal(e.failed, r.failed))
}

// expectations is the file's rows in its order, which is by module.
type expectations []expectation

// expectationsHead begins the file of CPython's suite.
const expectationsHead = `# What each module of CPython's test suite does here that doesn't simply pass: module, status, reason.
#
#   skip            the module says itself that it can't run here
#   fail:a,b        the tests a and b fail, and no others
#   fail            the module can't be loaded, or so many tests fail that they aren't named
#
# -update rewrites the statuses; reasons are written by hand, and one that begins with "?" is refused.

`

func readExpectations(file string) (expectations, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read expectations: %w", err)
	}
	list, err := parseExpectations(string(data))
	if err != nil {
		return nil, fmt.Errorf("read expectations: %s: %w", file, err)
	}
	return list, nil
}

func parseExpectations(text string) (expectations, error) {
	var list expectations
	for n, line := range strings.Split(text, "\n") {
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		module, rest, _ := strings.Cut(line, " ")
		word, reason, _ := strings.Cut(strings.TrimSpace(rest), " ")
		how, failed, named := strings.Cut(word, ":")
		e := expectation{module: module, status: status(how), reason: strings.TrimSpace(reason)}
		if named {
			e.failed = strings.Split(failed, ",")
		}
		switch {
		case e.status != skip && e.status != fail, named && (e.status != fail || failed == ""):
			return nil, fmt.Errorf("line %d: status %q is not skip, fail or fail:TESTS", n+1, word)
		case !slices.IsSorted(e.failed):
			return nil, fmt.Errorf("line %d: tests of %s are not sorted", n+1, module)
		case e.reason == "":
			return nil, fmt.Errorf("line %d: %s has no reason", n+1, module)
		case len(list) > 0 && list[len(list)-1].module >= module:
			return nil, fmt.Errorf("line %d: %s stands twice or out of order", n+1, module)
		}
		list = append(list, e)
	}
	return list, nil
}

// check fails the test for rows that name no module, or that nobody has explained.
func (l expectations) check(t *testing.T, modules []string) {
	for _, e := range l {
		if !slices.Contains(modules, e.module) {
			t.Errorf("%s has a row and is not of the suite", e.module)
		}
		if strings.HasPrefix(e.reason, unexplained) {
			t.Errorf("the row of %s: write a reason in place of %q", e.module, e.reason)
		}
	}
}

func (l expectations) of(module string) expectation {
	for _, e := range l {
		if e.module == module {
			return e
		}
	}
	return expectation{module: module, status: pass, reason: "it has no row"}
}

// merge answers the rows with the results in place of what they differ from. Modules that were not run keep theirs.
func (l expectations) merge(got map[string]result) expectations {
	var out expectations
	for _, e := range l {
		if _, ran := got[e.module]; !ran {
			out = append(out, e)
		}
	}
	for module, r := range got {
		e := l.of(module)
		if r.status == pass {
			continue
		}
		if !e.met(r) {
			e = expectation{module, r.status, r.failed, unexplained + " " + strings.ReplaceAll(r.said, "\n", " ")}
			if len(e.failed) > manyTests {
				e.failed = nil
			}
		}
		out = append(out, e)
	}
	slices.SortFunc(out, func(a, b expectation) int { return strings.Compare(a.module, b.module) })
	return out
}

func (l expectations) write(file, head string) error {
	var b bytes.Buffer
	b.WriteString(head)
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	for _, e := range l {
		fmt.Fprintf(w, "%s\t%s\t%s\n", e.module, formatStatus(e.status, e.failed), e.reason)
	}
	if err := w.Flush(); err != nil {
		return fmt.Errorf("write expectations: %w", err)
	}
	if err := os.WriteFile(file, b.Bytes(), 0o644); err != nil {
		return fmt.Errorf("write expectations: %w", err)
	}
	return nil
}
