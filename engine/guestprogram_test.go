package engine_test

import (
	"errors"
	"testing"

	"github.com/belljar-dev/belljar/engine"
)

// A module in a file of the sandbox runs like a program of its image.
func TestGuestProgram(t *testing.T) {
	var own unixGuest
	own.step(own.print("own\n"), own.exit(11))
	own.entry = "_start"
	var g unixGuest
	g.step(g.must("proc_exec", "/tmp/own", args("own"), "", ""))
	sb := unixSandbox(t, &g, engine.Limits{})
	if err := sb.Files().WriteFile("/tmp/own", own.module(), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, command := range []string{"/tmp/own", "g", "/tmp/own"} {
		if res, err := run(t, sb, command); err != nil || res.ExitCode != 11 || res.Stdout != "own\n" {
			t.Errorf("%s: got %+v, %v", command, res, err)
		}
	}
}

func TestHostileGuestPrograms(t *testing.T) {
	var good unixGuest
	good.entry = "_start"
	module := good.module()
	huge := cat([]byte("\x00asm\x01\x00\x00\x00"), section(1, vector([]byte{0x60, 0, 0})), section(3, vector([]byte{0})),
		section(5, cat([]byte{1, 1}, leb(65535), leb(65536))),
		section(7, vector(cat(name("memory"), []byte{2, 0}), cat(name("_start"), []byte{0, 0}))), section(10, vector([]byte{2, 0, 0x0b})))
	alien := cat([]byte("\x00asm\x01\x00\x00\x00"), section(1, vector([]byte{0x60, 0, 0})),
		section(2, vector(cat(name("env"), name("f"), []byte{0, 0}))), section(3, vector([]byte{0})), section(5, []byte{1, 0, 1}),
		section(7, vector(cat(name("memory"), []byte{2, 0}), cat(name("_start"), []byte{0, 1}))), section(10, vector([]byte{2, 0, 0x0b})))
	for _, test := range []struct {
		name   string
		module []byte
		want   int // of proc_exec
	}{
		{"nothing but magic", []byte("\x00asm"), 100 + 45},
		{"cut short", module[:len(module)-7], 100 + 45},
		{"no entry", new(unixGuest).module(), 100 + 45},
		{"an unknown import", alien, 100 + 45},
		{"too large", append([]byte("\x00asm"), make([]byte, 17<<20)...), 100 + 45},
		{"too large for the limits", append([]byte("\x00asm"), make([]byte, 15<<20)...), 100 + 48},
	} {
		var g unixGuest
		g.step(g.must("proc_exec", "/tmp/own", args("own"), "", ""))
		sb := unixSandbox(t, &g, engine.Limits{Memory: 64 << 20})
		if err := sb.Files().WriteFile("/tmp/own", test.module, 0o755); err != nil {
			t.Fatal(err)
		}
		if res, err := run(t, sb, "g"); err != nil || res.ExitCode != test.want {
			t.Errorf("%s: got %+v, %v", test.name, res, err)
		}
		if _, err := run(t, sb, "/tmp/own"); err == nil || test.want == 145 && !errors.Is(err, engine.ErrNotExecutable) {
			t.Errorf("%s: from the host: %v", test.name, err)
		}
	}
	sb := unixSandbox(t, new(unixGuest), engine.Limits{})
	if err := sb.Files().WriteFile("/tmp/own", huge, 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := run(t, sb, "/tmp/own"); !isLimit(err, engine.LimitMemory) {
		t.Errorf("4 GiB of memory: %v", err)
	}
}
