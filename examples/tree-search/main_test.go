package main

import (
	"bytes"
	"testing"
)

func TestRun(t *testing.T) {
	var out bytes.Buffer
	if err := run(t.Context(), &out); err != nil {
		t.Fatal(err)
	}
	const want = `reached 902 in 6 steps: ["x += 3" "x = x * x - 1" "x = x * x - 1" "x *= 2" "x += 3" "x *= 2"]` + "\n"
	if out.String() != want {
		t.Errorf("got %q, want %q", out.String(), want)
	}
}
