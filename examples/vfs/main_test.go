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
	const want = "a.txt  north: 2.0\nb.txt  south: 15.0\nlatest south: 15.0\n"
	if out.String() != want {
		t.Errorf("got %q, want %q", out.String(), want)
	}
}
