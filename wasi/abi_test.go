package wasi

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// TestABIIsDocumented finds every function of ours in ABI.md, with as many parameters of the same types.
func TestABIIsDocumented(t *testing.T) {
	text, err := os.ReadFile("ABI.md")
	if err != nil {
		t.Fatal(err)
	}
	documented := map[string]string{}
	for _, m := range regexp.MustCompile("(?m)(?:`|^    |, also as )([a-z_0-9]+)(?:\\(([^)\n]*)\\))?").FindAllStringSubmatch(string(text), -1) {
		var types strings.Builder
		for p := range strings.SplitSeq(m[2], ", ") {
			switch {
			case p == "":
			case strings.HasSuffix(p, ": i64"):
				types.WriteByte('I')
			default:
				types.WriteByte('i')
			}
		}
		if types.Len() > 0 || strings.HasSuffix(m[0], "()") {
			documented[m[1]] = types.String()
		}
	}
	documented["sock_accept_v2"] = documented["sock_accept"]
	standard := 0
	for _, e := range append(preview1(), extension()...) {
		got, ok := documented[e.name]
		switch {
		case !ok && !strings.HasPrefix(e.name, "sock_") && standard < 42:
			standard++ // preview 1 has a specification of its own
		case got != e.params:
			t.Errorf("%s has the parameters %q, and in ABI.md %q", e.name, e.params, got)
		}
	}
	if standard != 41 {
		t.Errorf("%d functions of preview 1 are taken for documented elsewhere, want 41", standard)
	}
}
