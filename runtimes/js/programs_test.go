package js_test

import (
	"bytes"
	"context"
	_ "embed"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/belljar-dev/belljar/engine"
)

//go:embed testdata/programs.txt
var programs string

// program is one of testdata/programs.txt.
type program struct{ name, source string }

func readPrograms() []program {
	var all []program
	for _, part := range strings.Split("\n"+programs, "\n== ")[1:] {
		name, source, _ := strings.Cut(part, "\n")
		all = append(all, program{strings.TrimSpace(name), source})
	}
	return all
}

// differs has the programs whose output is known to differ, and why.
var differs = map[string]string{
	"assert deepEqual":      "the difference of sets is not shown as V8 orders it",
	"child spawn":           "an exit may be told of before the last output",
	"global keys":           "the order of global names",
	"date and intl":         "older Nodes put a narrow space before AM and PM",
	"intl date":             "older Nodes put a narrow space before AM and PM",
	"timers order":          "which timers are due at once depends on node's own speed",
	"event loop starvation": "node's own order is not fixed",
}

// ofNode20 has programs that print errors and fields of keys and certificates, which older Nodes name in other ways.
var ofNode20 = []string{"crypto failures", "crypto rsa", "crypto ec", "crypto ed25519", "crypto generate", "crypto encrypted", "crypto bad",
	"crypto diffieHellman", "crypto primes", "crypto certificate", "crypto spkac", "crypto web "}

// isOld says whether a node is older than 20.
func isOld(t *testing.T, node string) bool {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), node, "-p", "process.versions.node.split('.')[0] < 20").Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(out)) == "true"
}

// Programs print in a sandbox what they print in the machine's own node.
func TestPrograms(t *testing.T) {
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skip("there is no node on this machine to compare with")
	}
	all := readPrograms()
	if len(all) < 300 {
		t.Errorf("%d programs", len(all))
	}
	eng, old := newEngine(t), isOld(t, node)
	// A program's time begins when the image is there.
	if _, err := newSandbox(t, eng, engine.Spec{Image: "both"}).Eval(t.Context(), "js", "0"); err != nil {
		t.Fatal(err)
	}
	for _, p := range all {
		t.Run(p.name, func(t *testing.T) {
			if why := differs[p.name]; why != "" {
				t.Skip("differs: " + why)
			}
			if old && slices.ContainsFunc(ofNode20, func(name string) bool { return strings.HasPrefix(p.name, name) }) {
				t.Skip("prints what Node 20 and later print")
			}
			name := "p.js"
			if strings.HasPrefix(p.name, "esm ") {
				name = "p.mjs"
			}
			// Where timers of few milliseconds or processes race, a busy machine gives either side another order now and then; what
			// really differs does so each time.
			for attempt := 1; ; attempt++ {
				want := native(t, node, name, p.source)
				res := inSandbox(t, eng, name, p.source)
				if res.Stdout == want {
					return
				}
				if attempt == 3 {
					t.Errorf("prints\n%s\nnode prints\n%s\nand to stderr\n%s", res.Stdout, want, res.Stderr)
					return
				}
			}
		})
	}
}

// inSandbox runs a program in a sandbox of its own.
func inSandbox(t *testing.T, eng *engine.Engine, name, source string) engine.Result {
	t.Helper()
	sb := newSandbox(t, eng, engine.Spec{Image: "both"})
	if err := sb.Files().WriteFile("/home/user/"+name, []byte(source), 0o644); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	res, err := sb.Run(ctx, engine.Command{Args: []string{"node", name}, Dir: "/home/user"})
	if err != nil {
		t.Fatalf("%v\n%s%s", err, res.Stdout, res.Stderr)
	}
	return res
}

// native answers what node prints for a program.
func native(t *testing.T, node, name, source string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(file, []byte(source), 0o644); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(node, name)
	cmd.Dir = filepath.Dir(file)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=/home/user", "TZ=UTC"}
	var out bytes.Buffer
	cmd.Stdout = &out
	_ = cmd.Run() // programs may end with a status
	return out.String()
}
