package python_test

import (
	"bytes"
	"fmt"
	"os"
	"testing"

	"github.com/belljar-dev/belljar/engine"
)

// An interpreter that a session has left is another's: it shows nothing of the one before, and neither do its mappings stay.
func TestSessionsAfterSessions(t *testing.T) {
	parent := sandbox(t, engine.Spec{})
	cell(t, session(t, parent), "data = [str(i) * 3 for i in range(40_000)]; mine = 'parent'")
	var early int
	for i := range 40 {
		child := fork(t, parent)
		s := session(t, child)
		code := fmt.Sprintf("data[%d] = 'changed'; more = bytes([%d]) * (%d << 20); mine, data[%d], len(more)", i, i+1, i%5, i+1)
		want := fmt.Sprintf("('parent', '%[1]d%[1]d%[1]d', %d)", i+1, i%5<<20)
		if res := cell(t, s, code); res.Value != want {
			t.Fatalf("child %d: %s, want %s", i, res.Value, want)
		}
		if i%3 == 0 { // its pages become layers
			_ = fork(t, child)
		}
		if err := child.Close(); err != nil {
			t.Fatal(err)
		}
		fresh := sandbox(t, engine.Spec{})
		if res := cell(t, session(t, fresh), "sorted(n for n in globals() if n in ('data', 'more', 'mine'))"); res.Value != "[]" {
			t.Fatalf("after child %d a new session knows %s", i, res.Value)
		}
		if err := fresh.Close(); err != nil {
			t.Fatal(err)
		}
		if n := mappings(t); i == 10 {
			early = n
		} else if i > 10 && n > early+200 {
			t.Fatalf("%d mappings after child %d, %d after the tenth", n, i, early)
		}
	}
	if res := cell(t, session(t, parent), "data[0], data[1], mine, 'more' in globals()"); res.Value != "('000', '111', 'parent', False)" {
		t.Errorf("the parent has %s", res.Value)
	}
}

// mappings counts the process's.
func mappings(t *testing.T) int {
	t.Helper()
	maps, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		t.Fatal(err)
	}
	return bytes.Count(maps, []byte("\n"))
}
