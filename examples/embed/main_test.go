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
	const want = "printed \"2 rows\\n\", left {\"rows\": 2, \"total\": 7}\nstopped: wall limit of 2s reached\n"
	if out.String() != want {
		t.Errorf("got %q, want %q", out.String(), want)
	}
}
