package main

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func TestRun(t *testing.T) {
	exe := filepath.Join(t.TempDir(), "belljar")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", exe, "../../cmd/belljar").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	var out strings.Builder
	if err := run(t.Context(), &out, exe, "mcp", "start"); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"AssertionError: 3\n", "made sandbox attempt\n", "* run the test there\nall right\n", "return sum(prices[1:])\n", "total: count the first price\n"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is not in\n%s", want, out.String())
		}
	}
}
