package main

import (
	"encoding/json"
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/belljar-dev/belljar/benchmarks"
)

// alone is a field of what needs nothing but Go, and of one that can't be had.
func alone(t *testing.T) *field {
	f := &field{}
	f.add(t.Context(), "goja", gojaRival)
	f.add(t.Context(), "nobody", process("js", "belljar-has-no-such-program", "-e"))
	f.add(t.Context(), "liar", func() (*rival, error) {
		r, err := gojaRival()
		if err == nil {
			r.lang = "python" // prints nothing
			r.close = func() error { return errors.New("closed") }
		}
		return r, err
	})
	return f
}

func TestMissing(t *testing.T) {
	f := alone(t)
	if len(f.rivals) != 1 || f.rivals[0].name != "goja" {
		t.Fatalf("rivals: %v", f.rivals)
	}
	if len(f.missing) != 2 || f.missing[0].Name != "nobody" || f.missing[1].Name != "liar" || f.missing[0].Reason == "" {
		t.Fatalf("missing: %v", f.missing)
	}
}

func TestReport(t *testing.T) {
	f := alone(t)
	b := budget{start: 1, most: 20, compute: 1}
	begin, err := starts(t.Context(), f, b)
	if err != nil {
		t.Fatal(err)
	}
	work, err := computes(t.Context(), f, b, "js", benchmarks.JavaScriptPrograms(1)[:2])
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for _, table := range []*table{begin, work} {
		if len(table.Rows) != 1 || len(table.Rows[0]) != len(table.Columns) || table.Rows[0][0] != "goja" {
			t.Errorf("%s: %v under %v", table.Title, table.Rows, table.Columns)
		}
		if err := table.draw(dir); err != nil {
			t.Error(err)
		}
		picture, err := os.ReadFile(filepath.Join(dir, table.Plot+".svg"))
		if err != nil || !strings.Contains(string(picture), "<svg") || !strings.Contains(string(picture), "goja") {
			t.Errorf("%s: picture of %d bytes, %v", table.Plot, len(picture), err)
		}
	}
	begin.Bars = append(begin.Bars, bar{Name: "nothing", Value: -1})
	to := output{text: filepath.Join(dir, "R.md"), json: filepath.Join(dir, "r.json")}
	if err := to.write(&result{Tables: []*table{begin, {Title: "Empty", Plot: "empty"}}, Missing: f.missing}); err != nil {
		t.Fatal(err)
	}
	var back result
	if data, err := os.ReadFile(to.json); err != nil || json.Unmarshal(data, &back) != nil || len(back.Tables) != 2 || len(back.Missing) != 2 {
		t.Errorf("figures: %s, %v", data, err)
	}
	text := markdown([]*table{begin, work}, f.missing, "plots")
	for _, want := range []string{"| goja | js | interpreter |", "![Compute: JavaScript](plots/compute-js.svg)", "- nobody: "} {
		if !strings.Contains(text, want) {
			t.Errorf("the report has no %q:\n%s", want, text)
		}
	}
}

// What knows none of the programs has a row, and what was measured can be written down.
func TestKnowsNothing(t *testing.T) {
	f := alone(t)
	work, err := computes(t.Context(), f, budget{compute: 1}, "js", []benchmarks.Program{{Name: "odd", Code: "nothing("}})
	if err != nil {
		t.Fatal(err)
	}
	if len(work.Rows) != 1 || strings.Join(work.Rows[0], " ") != "goja – –" || len(work.Bars) != 0 {
		t.Errorf("rows %q, bars %v", work.Rows, work.Bars)
	}
	dir := t.TempDir()
	to := output{text: filepath.Join(dir, "R.md"), json: filepath.Join(dir, "r.json")}
	r := result{Own: &benchmarks.Report{Metrics: []benchmarks.Metric{{Name: "kept_ms", N: 3}}}, Tables: []*table{work}}
	if err := to.write(&r); err != nil {
		t.Fatal(err)
	}
	own, err := readOwn(to.json)
	if err != nil || len(own.Metrics) != 1 || own.Metrics[0] != r.Own.Metrics[0] {
		t.Errorf("read back: %v, %v", own, err)
	}
	if _, err := readOwn(to.text); err == nil {
		t.Error("a report was read as figures")
	}
}

// TestPrograms lets each program of the compute table run where no clock but Date's is.
func TestPrograms(t *testing.T) {
	for _, p := range benchmarks.JavaScriptPrograms(1) {
		out, _, err := gojaRun(p.Code)
		if err != nil {
			t.Errorf("%s: %v", p.Name, err)
			continue
		}
		if ms, err := fastest(out); err != nil || ms <= 0 || math.IsInf(ms, 0) {
			t.Errorf("%s printed %q: %v, %v", p.Name, out, ms, err)
		}
	}
}

func TestFastest(t *testing.T) {
	if v, err := fastest("3000000\n1000000\n2000000\n"); v != 1 || err != nil {
		t.Errorf("%v, %v", v, err)
	}
	for _, out := range []string{"", "Traceback\n"} {
		if v, err := fastest(out); err == nil {
			t.Errorf("%q gave %v", out, v)
		}
	}
}
