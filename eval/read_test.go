package eval

import (
	"bytes"
	"compress/gzip"
	"strings"
	"testing"
	"time"
)

func TestReadTasks(t *testing.T) {
	const lines = `
{"task_id": "HumanEval/0", "prompt": "def f():\n", "entry_point": "f", "canonical_solution": "    return 1\n", "test": "def check(candidate):\n    assert candidate() == 1\n"}

{"task_id": 11, "text": "Write g.", "code": "def g(): pass", "test_list": ["assert g() is None", "assert True"], "test_setup_code": "import os"}
{"id": "mine", "lang": "js", "code": "console.log(1)", "stdin": "x", "files": {"a/b": "c"}, "expect": {"stdout": "1\n", "exit_code": 3}, "limits": {"timeout_s": 1.5, "memory_bytes": 1000}}
{"id": "shell", "command": ["sh", "run.sh"], "solution": "run.sh"}
`
	tasks, err := ReadTasks(strings.NewReader(lines), "python")
	if err != nil {
		t.Fatal(err)
	}
	if len(tasks) != 4 {
		t.Fatalf("%d tasks", len(tasks))
	}
	human, mbpp, mine, shell := tasks[0], tasks[1], tasks[2], tasks[3]
	if got := human.program(human.Canonical); got != "def f():\n    return 1\n\ndef check(candidate):\n    assert candidate() == 1\n\ncheck(f)\n" {
		t.Errorf("HumanEval: %q", got)
	}
	if got := mbpp.program(mbpp.Canonical); mbpp.ID != "11" || got != "def g(): pass\nimport os\nassert g() is None\nassert True\n" {
		t.Errorf("MBPP: %s: %q", mbpp.ID, got)
	}
	if mine.Lang != "js" || *mine.Expect.Stdout != "1\n" || mine.Expect.ExitCode != 3 || mine.Stdin != "x" ||
		mine.Files["a/b"] != "c" || mine.Limits.Wall != 1500*time.Millisecond || mine.Limits.Memory != 1000 {
		t.Errorf("general: %+v", mine)
	}
	if shell.Lang != "python" || shell.Command[1] != "run.sh" || shell.Solution != "run.sh" {
		t.Errorf("command: %+v", shell)
	}
}

func TestReadTasksNamesTheLine(t *testing.T) {
	for _, c := range []struct{ lines, want string }{
		{"{\"id\": \"a\", \"code\": \"1\"}\nnot json", "line 2: "},
		{`{"code": "1"}`, "without an id"},
		{`{"id": "a"}`, "task a has neither code nor a command"},
		{`{"id": ["a"], "code": "1"}`, "a string or a number"},
		{"{\"id\": \"a\", \"code\": \"1\"}\n{\"id\": \"a\", \"code\": \"1\"}", "line 2: task a is there twice"},
		{`{"id": "a", "code": "1", "solution": "x"}`, "no command"},
		{`{"id": "a", "code": "1", "files": {"": "x"}}`, "file name"},
	} {
		if _, err := ReadTasks(strings.NewReader(c.lines), ""); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.lines, err, c.want)
		}
	}
}

func TestReadSamplesNumbersThem(t *testing.T) {
	var z bytes.Buffer
	w := gzip.NewWriter(&z)
	_, _ = w.Write([]byte(`{"task_id": "a", "completion": "1"}
{"task_id": "b", "completion": ""}
{"task_id": "a", "completion": "2"}`))
	_ = w.Close()
	got, err := ReadSamples(&z)
	if err != nil {
		t.Fatal(err)
	}
	want := []Sample{{"a", 0, "1"}, {"b", 0, ""}, {"a", 1, "2"}}
	if len(got) != len(want) {
		t.Fatalf("%+v", got)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("sample %d: %+v, want %+v", i, got[i], want[i])
		}
	}
	if _, err := ReadSamples(strings.NewReader(`{"task_id": "a"}`)); err == nil {
		t.Error("a sample without a completion is accepted")
	}
}
