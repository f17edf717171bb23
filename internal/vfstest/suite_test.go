package vfstest

import (
	"flag"
	"strings"
	"testing"
)

var updating = flag.Bool("update", false, "make the kernel's answers the results of the tables")

// runTables runs every program through start, which gives each a face of an empty file system.
func runTables(t *testing.T, tables []*table, start func(*testing.T, func(system)),
	check func(t *testing.T, c *call, got string) bool) {
	ran, skipped := 0, map[string]int{}
	for _, tb := range tables {
		name := strings.TrimSuffix(strings.TrimPrefix(tb.path, "testdata/"), ".txt")
		for _, p := range tb.programs {
			t.Run(name+"/"+p.name, func(t *testing.T) {
				var reason skip
				start(t, func(sys system) { reason = p.run(sys, func(c *call, got string) bool { return check(t, c, got) }) })
				if reason != "" {
					skipped[string(reason)]++
					t.Skip(reason)
				}
				ran++
			})
		}
	}
	t.Logf("%d cases, skipped: %v", ran, skipped)
}

// run makes the calls of a program, until check is not content or a call says why the face can't make it.
func (p *program) run(sys system, check func(c *call, got string) bool) (reason skip) {
	m := &machine{sys: sys, files: map[string]file{}, seen: map[string]map[string]int{}, snaps: map[string]status{}}
	defer m.close()
	for _, c := range p.calls {
		got, err := m.run(c)
		if err != nil {
			return err.(skip)
		}
		if !check(c, got) {
			break
		}
	}
	return ""
}

// equal is the check of every face.
func equal(t *testing.T, c *call, got string) bool {
	if got != c.want {
		t.Errorf("%s:%d: %s = %s, want %s", c.path, c.line, c.text, got, c.want)
	}
	return got == c.want
}

func testFace(t *testing.T, start func(t *testing.T, do func(system))) {
	runTables(t, readTables(t), start, equal)
}

func TestTree(t *testing.T)  { testFace(t, onTree) }
func TestAfero(t *testing.T) { testFace(t, onAfero) }
func TestBilly(t *testing.T) { testFace(t, onBilly) }
