package main

import (
	"strings"
	"testing"
)

func TestJudge(t *testing.T) {
	var out strings.Builder
	if err := judge(t.Context(), &out, "../../benchmarks/data/HumanEval.jsonl.gz"); err != nil {
		t.Fatal(err)
	}
	const want = "HumanEval/0, sample 1: failed: AssertionError\n20 of 21 samples passed\n"
	if out.String() != want {
		t.Errorf("got\n%s\nwant\n%s", &out, want)
	}
}
