package git

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/belljar-dev/belljar/engine"
)

const home = "/home/user"

// row is one of oracle.txt: a script that both have to do the same with. differs says why they may not, where they don't.
type row struct{ name, script, differs string }

func rows(t *testing.T) []row {
	t.Helper()
	var all []row
	for part := range strings.SplitSeq("\n"+testdata(t, "oracle.txt"), "\n== ") {
		name, script, _ := strings.Cut(part, "\n")
		if name == "" {
			continue
		}
		r := row{name: name, script: script}
		if why, rest, ok := strings.Cut(script, "\n"); ok && strings.HasPrefix(why, "#! ") {
			r.differs, r.script = strings.TrimPrefix(why, "#! "), rest
		}
		all = append(all, r)
	}
	return all
}

// outcome is what a script has left behind.
type outcome struct {
	stdout, stderr string
	status         int
	fsck           string // what the machine's git says of the repository r
}

// native is the machine's git: the yardstick.
type native struct{ base string }

func newNative(t *testing.T, setup string) *native {
	t.Helper()
	out, err := exec.Command("git", "--version").Output()
	if got := strings.TrimSpace(string(out)); err != nil || got != "git version "+Version {
		t.Skipf("the oracle is git %s, here is %q (%v)", Version, got, err)
	}
	n := &native{t.TempDir()}
	if o := n.run(t, n.base, ".", setup); o.status != 0 {
		t.Fatalf("set up: %+v", o)
	}
	return n
}

func (n *native) run(t *testing.T, dir, in, script string) outcome {
	t.Helper()
	cmd := exec.Command("bash", "-c", script)
	cmd.Dir = filepath.Join(dir, in)
	cmd.Env = []string{"HOME=" + dir, "PATH=" + os.Getenv("PATH"), "LANG=C.UTF-8", "USER=user", "LOGNAME=user"}
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	clean := func(b *bytes.Buffer) string { return strings.ReplaceAll(b.String(), dir, home) }
	return outcome{stdout: clean(&stdout), stderr: clean(&stderr), status: cmd.ProcessState.ExitCode()}
}

// fsck is what the machine's git says of a repository.
func (n *native) fsck(t *testing.T, dir string) string {
	o := n.run(t, dir, "r", "export GIT_CONFIG_NOSYSTEM=1 GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=safe.directory GIT_CONFIG_VALUE_0='*'; git fsck --full 2>&1; echo $?")
	return o.stdout + o.stderr
}

// row runs a row's script in a copy of the base.
func (n *native) row(t *testing.T, script string) outcome {
	t.Helper()
	dir := t.TempDir()
	if out, err := exec.Command("cp", "-a", n.base+"/.", dir).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	n.run(t, dir, "r", "git update-index -q --refresh") // a copy has other inodes than the index says
	o := n.run(t, dir, "r", script)
	o.fsck = n.fsck(t, dir)
	return o
}

// sandboxRow runs a row's script in a fork of the base sandbox.
func sandboxRow(t *testing.T, n *native, base *engine.Sandbox, script string) outcome {
	t.Helper()
	sb, err := base.Fork(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer sb.Close()
	r, err := sb.Run(t.Context(), engine.Command{Args: []string{"bash", "-c", script}, Dir: home + "/r"})
	if err != nil {
		t.Fatalf("%v\n%s", err, r.Stderr)
	}
	dir := t.TempDir()
	if err := os.CopyFS(filepath.Join(dir, "h"), sub(t, sb)); err != nil {
		t.Fatalf("copy out: %v", err)
	}
	return outcome{string(r.Stdout), string(r.Stderr), r.ExitCode, n.fsck(t, filepath.Join(dir, "h"))}
}

// TestOracle runs each row of oracle.txt by the machine's git and in a sandbox, where all has to be the same: what is
// written, exit statuses, the hashes of what is made, what is left in the repositories, and what git fsck says of that.
func TestOracle(t *testing.T) {
	setup := testdata(t, "prelude.sh") + testdata(t, "base.sh")
	n := newNative(t, setup)
	base, err := newEngine(t, Config{}).Create(t.Context(), engine.Spec{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { base.Close() })
	// As in a copy of the native one, the index has to be younger than the files: else git looks at what is in them.
	young := "\nsleep 1; git read-tree HEAD; git update-index -q --refresh\n"
	if r, err := base.Run(t.Context(), engine.Command{Args: []string{"bash", "-c", setup + young}}); err != nil || r.ExitCode != 0 {
		t.Fatalf("set up: %v %d\n%s", err, r.ExitCode, r.Stderr)
	}
	prelude, epilogue := testdata(t, "prelude.sh"), testdata(t, "epilogue.sh")
	for i, r := range rows(t) {
		if testing.Short() && i%6 != 0 {
			continue
		}
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()
			script := "NOW=1112920000\n" + prelude + r.script + "\n" + epilogue
			want, got := n.row(t, script), sandboxRow(t, n, base, script)
			switch same := want == got; {
			case same && r.differs != "":
				t.Errorf("is the same, and said to differ: %s", r.differs)
			case !same && r.differs == "":
				t.Errorf("differs; < is git, > is the sandbox's, status %d and %d%s%s%s", want.status, got.status,
					compare(t, "stdout", want.stdout, got.stdout), compare(t, "stderr", want.stderr, got.stderr),
					compare(t, "fsck", want.fsck, got.fsck))
			}
		})
	}
}

// compare tells where two texts differ.
func compare(t *testing.T, what, want, got string) string {
	t.Helper()
	if want == got {
		return ""
	}
	dir := t.TempDir()
	for name, text := range map[string]string{"want": want, "got": got} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	out, _ := exec.Command("diff", "-a", filepath.Join(dir, "want"), filepath.Join(dir, "got")).Output()
	return "\n" + what + ":\n" + string(out)
}
