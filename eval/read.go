package eval

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/belljar-dev/belljar/engine"
)

// maxLine bounds a line of input, in bytes.
const maxLine = 64 << 20

// taskLine holds the fields of all formats.
type taskLine struct {
	// HumanEval, https://github.com/openai/human-eval
	TaskID     id     `json:"task_id"`
	Prompt     string `json:"prompt"`
	EntryPoint string `json:"entry_point"`
	Solution   string `json:"canonical_solution"`
	Test       string `json:"test"`
	// MBPP, https://github.com/google-research/google-research/tree/master/mbpp
	Text      string   `json:"text"`
	TestList  []string `json:"test_list"`
	TestSetup string   `json:"test_setup_code"`
	// our own
	ID       id                `json:"id"`
	Lang     string            `json:"lang"`
	Code     string            `json:"code"` // MBPP's too
	Files    map[string]string `json:"files"`
	Command  []string          `json:"command"`
	Target   string            `json:"solution"`
	Stdin    string            `json:"stdin"`
	Expect   *expectLine       `json:"expect"`
	Limits   *limitsLine       `json:"limits"`
	Language string            `json:"language"` // as some sets have it
}

type expectLine struct {
	Stdout   *string           `json:"stdout"`
	ExitCode int               `json:"exit_code"`
	Files    map[string]string `json:"files"`
}

type limitsLine struct {
	Timeout float64 `json:"timeout_s"`
	Memory  int64   `json:"memory_bytes"`
	Ticks   int64   `json:"ticks"`
	Output  int64   `json:"output_bytes"`
	Disk    int64   `json:"disk_bytes"`
}

// id is a task's name, in JSON a string or a number.
type id string

func (i *id) UnmarshalJSON(b []byte) error {
	var s string
	if err := json.Unmarshal(b, &s); err == nil {
		*i = id(s)
		return nil
	}
	var n json.Number
	if err := json.Unmarshal(b, &n); err != nil {
		return errors.New("an id is a string or a number")
	}
	*i = id(n)
	return nil
}

// ReadTasks reads tasks as JSON lines, plain or in gzip: HumanEval's fields (HumanEval-X's too, with lang), MBPP's, or
//
//	{"id", "lang", "code" | "command": [argv…], "files": {path: content}, "stdin",
//	 "solution": the file that samples of a command's task are written to,
//	 "expect": {"stdout", "exit_code", "files": {path: content}},
//	 "limits": {"timeout_s", "memory_bytes", "ticks", "output_bytes", "disk_bytes"}}
//
// lang is the language of tasks that don't name theirs. Errors name the line.
func ReadTasks(r io.Reader, lang string) ([]Task, error) {
	var tasks []Task
	seen := map[string]bool{}
	err := readLines(r, func(b []byte) error {
		var l taskLine
		if err := json.Unmarshal(b, &l); err != nil {
			return err
		}
		t := l.task()
		if t.Lang == "" {
			t.Lang = lang
		}
		if t.Lang == "js" && strings.Contains(t.Suffix, "console.assert(") {
			t.Suffix = throwingAssert + t.Suffix
		}
		if err := t.check(); err != nil {
			return err
		}
		if seen[t.ID] {
			return fmt.Errorf("task %s is there twice", t.ID)
		}
		seen[t.ID] = true
		tasks = append(tasks, t)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read tasks: %w", err)
	}
	return tasks, nil
}

// throwingAssert lets console.assert, by which HumanEval-X's tests in JavaScript speak, end a program: by itself it only
// writes a line.
const throwingAssert = "\n;Object.defineProperty(console, 'assert', { value(ok, message = 'an assertion failed') {" +
	" if (!ok) throw new (require('node:assert').AssertionError)({ message: String(message) }) } });"

func (l *taskLine) task() Task {
	t := Task{ID: string(l.TaskID), Lang: l.Lang, Files: l.Files, Command: l.Command, Solution: l.Target, Stdin: l.Stdin}
	if t.ID == "" {
		t.ID = string(l.ID)
	}
	if t.Lang == "" {
		t.Lang = l.Language
	}
	switch {
	case l.Test != "":
		t.Prefix, t.Canonical = l.Prompt, l.Solution
		t.Suffix = "\n" + l.Test + "\n"
		if l.EntryPoint != "" && strings.Contains(l.Test, "def check(") {
			t.Suffix += "check(" + l.EntryPoint + ")\n"
		}
	case len(l.TestList) > 0:
		t.Canonical = l.Code
		t.Suffix = "\n" + l.TestSetup + "\n" + strings.Join(l.TestList, "\n") + "\n"
	default:
		t.Canonical = l.Code
	}
	if e := l.Expect; e != nil {
		t.Expect = Expect{Stdout: e.Stdout, ExitCode: e.ExitCode, Files: e.Files}
	}
	if m := l.Limits; m != nil {
		t.Limits = engine.Limits{
			Wall: time.Duration(m.Timeout * float64(time.Second)), Memory: m.Memory, Ticks: m.Ticks,
			Output: m.Output, Disk: m.Disk,
		}
	}
	return t
}

// ReadSamples reads {"task_id", "completion"} lines, plain or in gzip, as HumanEval's tools write them. A task's
// samples are numbered in their order.
func ReadSamples(r io.Reader) ([]Sample, error) {
	var samples []Sample
	count := map[string]int{}
	err := readLines(r, func(b []byte) error {
		var l struct {
			TaskID     id      `json:"task_id"`
			Completion *string `json:"completion"`
		}
		if err := json.Unmarshal(b, &l); err != nil {
			return err
		}
		if l.TaskID == "" || l.Completion == nil {
			return errors.New("a sample has task_id and completion")
		}
		name := string(l.TaskID)
		samples = append(samples, Sample{TaskID: name, Index: count[name], Completion: *l.Completion})
		count[name]++
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read samples: %w", err)
	}
	return samples, nil
}

// Canonical answers the known right answers as samples, n of each.
func Canonical(tasks []Task, n int) []Sample {
	var samples []Sample
	for _, t := range tasks {
		if t.Canonical == "" && len(t.Command) == 0 {
			continue
		}
		for i := range n {
			samples = append(samples, Sample{TaskID: t.ID, Index: i, Completion: t.Canonical})
		}
	}
	return samples
}

// readLines calls f with each line that isn't blank.
func readLines(r io.Reader, f func([]byte) error) error {
	in := bufio.NewReader(r)
	if magic, _ := in.Peek(2); bytes.Equal(magic, []byte{0x1f, 0x8b}) {
		z, err := gzip.NewReader(in)
		if err != nil {
			return err
		}
		in = bufio.NewReader(z)
	}
	s := bufio.NewScanner(in)
	s.Buffer(nil, maxLine)
	for n := 1; s.Scan(); n++ {
		if len(bytes.TrimSpace(s.Bytes())) == 0 {
			continue
		}
		if err := f(s.Bytes()); err != nil {
			return fmt.Errorf("line %d: %w", n, err)
		}
	}
	return s.Err()
}
