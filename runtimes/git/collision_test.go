package git

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/belljar-dev/belljar/engine"
)

// TestCollision has the files of shattered.io, whose SHA-1 is the same. As blobs they have other names, since those are of
// a head and the content; and both come back.
func TestCollision(t *testing.T) {
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/pjbgf/sha1cd").Output()
	if err != nil {
		t.Fatal(err)
	}
	sb, err := newEngine(t, Config{}).Create(t.Context(), engine.Spec{})
	if err != nil {
		t.Fatal(err)
	}
	defer sb.Close()
	for _, name := range []string{"shattered-1.pdf", "shattered-2.pdf"} {
		b, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(out)), "test", "testdata", "files", name))
		if err != nil {
			t.Skipf("the module has no such files: %v", err)
		}
		if err := sb.Files().WriteFile(home+"/"+name, b, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	const script = `sha1sum *.pdf | cut -d ' ' -f 1 | uniq | wc -l
git init -q r; cd r; cp ../*.pdf .; git add .; git -c user.name=a -c user.email=a@x commit -qm both
git ls-files -s; git gc -q; rm *.pdf; git checkout -q .; cmp shattered-1.pdf ../shattered-1.pdf && cmp shattered-2.pdf ../shattered-2.pdf && echo back; git fsck --full`
	r, err := sb.Run(t.Context(), engine.Command{Args: []string{"bash", "-c", script}, Dir: home})
	const want = "1\n" +
		"100644 ba9aaa145ccd24ef760cf31c74d8f7ca1a2e47b0 0\tshattered-1.pdf\n" +
		"100644 b621eeccd5c7edac9b7dcba35a8d5afd075e24f2 0\tshattered-2.pdf\nback\n"
	if err != nil || r.Stdout != want || r.ExitCode != 0 {
		t.Errorf("%v: got %q, want %q\n%s", err, r.Stdout, want, r.Stderr)
	}
}

// TestQuota clones what takes more than the disk has, packed or checked out: an error, and room again afterwards.
func TestQuota(t *testing.T) {
	sb, err := newEngine(t, Config{}).Create(t.Context(), engine.Spec{Limits: engine.Limits{Disk: 24 * mib}})
	if err != nil {
		t.Fatal(err)
	}
	defer sb.Close()
	const script = `exec 2>&1
git config --global user.name a; git config --global user.email a@x
git init -q zeros; cd zeros; head -c 12000000 /dev/zero >a; git add a; git commit -qm a; rm a; head -c 4000000 /dev/urandom >b; git add b; git commit -qm b; git rm -q --cached a; git commit -qm c; git checkout -q --detach HEAD~1; cd ..
rm -rf zeros/a zeros/b
git clone -q zeros c; echo $?; ls -d c 2>/dev/null
git clone -q --bare --no-local zeros d && git clone -q --bare --no-local zeros e && git clone -q --bare --no-local zeros f && git clone -q --bare --no-local zeros g && git clone -q --bare --no-local zeros h
echo $(($? != 0))
rm -rf d e f g h; git -C zeros fsck && git clone -q --bare zeros i && echo on`
	r, err := sb.Run(t.Context(), engine.Command{Args: []string{"bash", "-c", script}, Dir: home})
	if err != nil || !strings.HasSuffix(r.Stdout, "on\n") || !strings.Contains(r.Stdout, "No space left on device") && !strings.Contains(r.Stdout, "quota") {
		t.Errorf("%v %d: %s", err, r.ExitCode, r.Stdout)
	}
}
