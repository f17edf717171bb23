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
	const want = "IndexError: list index out of range; going back\n([1, 2, 3], '1 2 3')\n"
	if out.String() != want {
		t.Errorf("got %q, want %q", out.String(), want)
	}
}
