package eval

import (
	"encoding/xml"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestResultsGoOnBehindTheLastWholeLine(t *testing.T) {
	name := filepath.Join(t.TempDir(), "r.jsonl")
	w, err := OpenResults(name)
	if err != nil {
		t.Fatal(err)
	}
	first := Verdict{TaskID: "a", Outcome: Passed, Stdout: "<\u2028>"}
	if err := w.Write(first); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	for cut := range len(whole) { // a second verdict that was killed at every byte
		if err := os.WriteFile(name, append(whole, whole[:cut]...), 0o644); err != nil {
			t.Fatal(err)
		}
		w, err := OpenResults(name)
		if err != nil {
			t.Fatalf("cut at %d: %v", cut, err)
		}
		if len(w.Done()) != 1 || w.Done()[0] != first || !w.Has("a", 0) || w.Has("a", 1) {
			t.Fatalf("cut at %d: %+v", cut, w.Done())
		}
		if err := w.Write(Verdict{TaskID: "b", Outcome: Failed}); err != nil {
			t.Fatal(err)
		}
		_ = w.Close()
		got, _ := os.ReadFile(name)
		if !strings.HasPrefix(string(got), string(whole)) || strings.Count(string(got), "\n") != 2 {
			t.Fatalf("cut at %d: %q", cut, got)
		}
	}
}

func TestOpenResultsRefusesOtherFiles(t *testing.T) {
	name := filepath.Join(t.TempDir(), "other")
	const content = "my thesis\n"
	if err := os.WriteFile(name, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenResults(name); err == nil {
		t.Error("a file that isn't ours was opened")
	}
	if got, _ := os.ReadFile(name); string(got) != content {
		t.Errorf("it was changed: %q", got)
	}
}

func TestJUnit(t *testing.T) {
	var b strings.Builder
	err := WriteJUnit(&b, "set", []Verdict{
		{TaskID: "a", Outcome: Passed, Timing: Timing{Wall: 1500}},
		{TaskID: "a", Index: 1, Outcome: Failed, Reason: "AssertionError: 1 < 2 & \x00", Stdout: "]]>\x1b"},
		{TaskID: "b", Outcome: Timeout, Reason: "ticks limit"},
	})
	if err != nil {
		t.Fatal(err)
	}
	var s junitSuites
	if err := xml.Unmarshal([]byte(b.String()), &s); err != nil {
		t.Fatalf("%v in\n%s", err, &b)
	}
	c := s.Suite.Cases
	if s.Tests != 3 || s.Failures != 1 || s.Errors != 1 || s.Time != "1.500000" || len(c) != 3 {
		t.Fatalf("%+v", s)
	}
	if c[0].Failure != nil || c[0].Error != nil || c[1].Failure.Message != "AssertionError: 1 < 2 & " || c[1].Stdout != "]]>" ||
		c[2].Error.Type != "timeout" {
		t.Errorf("%+v", c)
	}
}
