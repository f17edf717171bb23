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
	const want = "primes: here: [2, 3, 5, 7, 11]\nthere: [13, 17, 19, 23, 29]\n"
	if out.String() != want {
		t.Errorf("got %q, want %q", out.String(), want)
	}
}
