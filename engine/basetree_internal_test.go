package engine

import (
	"bytes"
	"slices"
	"strings"
	"testing"
)

// A program's file is a whole WebAssembly module, so that no shell takes it for a script; another digest is no program.
func TestProgramReference(t *testing.T) {
	digest := strings.Repeat("0a", 32)
	file := programReference(digest)
	if !bytes.HasPrefix(file, []byte("\x00asm\x01\x00\x00\x00\x00")) || int(file[9]) != len(file)-10 {
		t.Errorf("not a module of one custom section: %q", file)
	}
	if got := programDigest(file); got != digest {
		t.Errorf("digest %q", got)
	}
	for _, other := range [][]byte{nil, file[:len(file)-1], append(slices.Clone(file), 0), []byte(programSection + digest)} {
		if got := programDigest(other); got == digest {
			t.Errorf("%q has the digest", other)
		}
	}
}
