package npm

import (
	"context"
	"encoding/json"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/belljar-dev/belljar/engine"
)

// newSandbox makes a sandbox with npm.
func newSandbox(t *testing.T, cfg Config, spec engine.Spec) *engine.Sandbox {
	t.Helper()
	eng, err := engine.New(engine.Config{Images: []engine.Image{{Name: "npm", Programs: Programs(cfg)}}, NoCache: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := eng.Close(); err != nil {
			t.Error(err)
		}
	})
	sb, err := eng.Create(t.Context(), spec)
	if err != nil {
		t.Fatal(err)
	}
	if err := sb.Files().MkdirAll("/home/user/app", 0o755); err != nil {
		t.Fatal(err)
	}
	return sb
}

func npm(t *testing.T, sb *engine.Sandbox, args ...string) engine.Result {
	t.Helper()
	res, err := sb.Run(t.Context(), engine.Command{Args: append([]string{"npm"}, args...), Dir: "/home/user/app"})
	if err != nil {
		t.Fatalf("npm %v: %v\n%s%s", args, err, res.Stdout, res.Stderr)
	}
	return res
}

func write(t *testing.T, sb *engine.Sandbox, name, content string) {
	t.Helper()
	if err := sb.Files().WriteFile("/home/user/app/"+name, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, sb *engine.Sandbox, name string) string {
	t.Helper()
	b, err := sb.Files().ReadFile("/home/user/app/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// reachable skips a test where npm's own registry can't be reached.
func reachable(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("-short: fetches packages")
	}
	client := http.Client{Timeout: 10 * time.Second}
	res, err := client.Head("https://registry.npmjs.org/left-pad")
	if err != nil || res.StatusCode != http.StatusOK {
		t.Skipf("the registry can't be reached: %v", err)
	}
	_ = res.Body.Close()
}

// network lets a sandbox reach the registry, wherever the machine finds it.
func network(t *testing.T) engine.Network {
	t.Helper()
	n := engine.Network{Dial: []string{"registry.npmjs.org:443"}}
	addresses, err := net.DefaultResolver.LookupNetIP(t.Context(), "ip", "registry.npmjs.org")
	if err != nil {
		t.Skip(err)
	}
	for _, a := range addresses {
		n.Dial = append(n.Dial, netip.AddrPortFrom(a.Unmap(), 443).String())
	}
	return n
}

// realNpm runs the machine's npm on the same package.json, and answers its lock.
func realNpm(t *testing.T, manifest string, args ...string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "app")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "package.json"), []byte(manifest), 0o644); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "npm", append(args, "--no-audit", "--no-fund", "--ignore-scripts", "--omit-lockfile-registry-resolved=false", "--package-lock-only")...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Skipf("the machine's npm: %v\n%s", err, out)
	}
	b, err := os.ReadFile(filepath.Join(dir, "package-lock.json"))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

var projects = map[string]string{
	"ten": `{"name":"app","version":"1.0.0","dependencies":{"lodash":"^4","zod":"^3","commander":"^12","express":"^4","uuid":"^9","date-fns":"^3",
		"marked":"^12","yaml":"^2","chalk":"^5","immer":"^10"}}`,
	"nested": `{"name":"app","version":"1.0.0","license":"MIT","dependencies":{"react":"^18","react-dom":"^18","debug":"^4","send":"^0.18.0","chalk":"4"},
		"devDependencies":{"mocha":"^10","glob":"^7","semver":"^5"},"optionalDependencies":{"fsevents":"^2"}}`,
	"peers": `{"dependencies":{"@testing-library/react":"^14","react":"^18","react-dom":"^18","use-sync-external-store":"^1.2.0"}}`,
}

// TestInstallsAsNpm compares the lock of an installation with that of the machine's npm.
func TestInstallsAsNpm(t *testing.T) {
	reachable(t)
	if _, err := exec.LookPath("npm"); err != nil {
		t.Skip("no npm to compare with")
	}
	for name, manifest := range projects {
		t.Run(name, func(t *testing.T) {
			sb := newSandbox(t, Config{}, engine.Spec{
				Network: network(t), Limits: engine.Limits{Wall: 5 * time.Minute},
			})
			write(t, sb, "package.json", manifest)
			res := npm(t, sb, "install")
			if res.ExitCode != 0 {
				t.Fatalf("%+v", res)
			}
			got, want := read(t, sb, "package-lock.json"), realNpm(t, manifest, "install")
			if got != want {
				report(t, got, want)
			}
			if res := npm(t, sb, "ls"); res.ExitCode != 0 {
				t.Errorf("ls: %+v", res)
			}
			if res := npm(t, sb, "install"); !strings.Contains(res.Stdout, "up to date") {
				t.Errorf("again: %+v", res)
			}
			if again := read(t, sb, "package-lock.json"); again != got {
				t.Error("a second install changes the lock")
			}
			if res := npm(t, sb, "ci"); res.ExitCode != 0 {
				t.Errorf("ci: %+v", res)
			}
		})
	}
}

// report tells in which packages two locks differ.
func report(t *testing.T, got, want string) {
	t.Helper()
	var g, w struct{ Packages map[string]json.RawMessage }
	if err := json.Unmarshal([]byte(got), &g); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(want), &w); err != nil {
		t.Fatal(err)
	}
	n := 0
	for at := range w.Packages {
		if a, b := string(g.Packages[at]), string(w.Packages[at]); a != b {
			if n++; n < 10 {
				t.Errorf("%s:\n%s\nnpm has\n%s", at, a, b)
			}
		}
	}
	for at := range g.Packages {
		if w.Packages[at] == nil {
			t.Errorf("%s: npm has none", at)
		}
	}
	if n == 0 {
		t.Errorf("the order differs:\n%.300s\nnpm has\n%.300s", got, want)
	}
}
