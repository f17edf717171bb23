package eval

import (
	"strings"
	"testing"

	"github.com/belljar-dev/belljar/engine"
	"github.com/belljar-dev/belljar/runtimes/js"
	"github.com/belljar-dev/belljar/runtimes/shell"
)

// Tasks of other languages than Python are judged as that one's.
func TestLanguages(t *testing.T) {
	tasks, err := ReadTasks(strings.NewReader(`
{"task_id": "x", "lang": "js", "prompt": "const f = (a) => {\n", "canonical_solution": "  return a + 1;\n}\n", "test": "const testF = () => { console.assert(f(1) === 2) }\ntestF()"}
{"id": "js", "lang": "js", "code": "const n: number = +require('fs').readFileSync('in', 'utf8'); console.log(n)", "files": {"in": "7"}, "expect": {"stdout": "7\n"}}
{"id": "ts", "command": ["node", "a.ts"], "solution": "a.ts", "code": "const n: number = 5; require('fs').writeFileSync('out', String(n))", "expect": {"files": {"out": "5"}}}
{"id": "sh", "lang": "sh", "code": "read x; echo $x > out; exit 3", "stdin": "line\n", "expect": {"exit_code": 3, "files": {"out": "line\n"}}}
`), "python")
	if err != nil {
		t.Fatal(err)
	}
	tasks[1].Canonical = strings.Replace(tasks[1].Canonical, ": number", "", 1) // -e takes no types
	samples := append(Canonical(tasks, 1),
		Sample{TaskID: "x", Index: 1, Completion: "return a }"},
		Sample{TaskID: "x", Index: 2, Completion: "nope() }"},
		Sample{TaskID: "x", Index: 3, Completion: "process.exit(0) }"},
		Sample{TaskID: "x", Index: 4, Completion: "for (;;); }"},
		Sample{TaskID: "x", Index: 5, Completion: "return ) }"},
		Sample{TaskID: "sh", Index: 1, Completion: "exit 4"})
	want := []string{
		"passed ", "passed ", "passed ", "passed ", "failed AssertionError", "error ReferenceError: nope", "failed ended before its tests did", "timeout ",
		"error SyntaxError", "error exit status 4",
	}
	e, err := engine.New(engine.Config{Images: []engine.Image{engine.Compose("all", js.Image(), shell.Image())}})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	n := 0
	for v, err := range Run(t.Context(), e, tasks, samples, Options{Limits: engine.Limits{Ticks: 300_000_000}}) {
		if err != nil {
			t.Fatal(err)
		}
		if got := string(v.Outcome) + " " + v.Reason; !strings.HasPrefix(got, want[n]) {
			t.Errorf("%s, sample %d: %s, want %s\n%s", v.TaskID, v.Index, got, want[n], v.Stderr)
		}
		n++
	}
	if n != len(want) {
		t.Errorf("%d verdicts", n)
	}
}
