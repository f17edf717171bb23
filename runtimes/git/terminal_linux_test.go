package git

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/belljar-dev/belljar/engine"
)

// onTerminal are commands whose output depends on whether somebody looks at it.
const onTerminal = `
echo more >>src/a.c; echo new >new.txt; git add new.txt; echo other >other.txt
git status; git status -s; git status --porcelain; git status --porcelain=2 -b
git diff; git diff --stat; git diff --cached; git diff --color=never --stat
git log --oneline --graph -5; git log -2 --decorate=full; git log -1 --format='%C(auto)%h %d %Cred%s'; git log -1 --stat
git show --stat v2; git branch -avv; git branch --column; git tag; git grep -n main; git stash list; git reflog -2
git -c color.ui=false log --oneline -1; git --no-pager log --oneline -1; git -c color.status=never status -s
git -c color.branch.current='bold blue' branch; git blame --color-lines -L1,2 src/a.c
git log --oneline -1 | cat; git status | cat; git -c color.ui=always branch | cat
git checkout -q -b side; git commit -qm side; git branch; git config -l | grep -c color; git for-each-ref --format='%(color:red)%(refname)'
git merge conflict; git status; git diff; git merge --abort
test -t 1 && echo terminal; git nothing; git log --nothing
`

// TestTerminal runs commands on terminals, by the machine's git and in a sandbox: there are colours, and columns as wide as the
// terminal, just where git has them, and nothing is handed to a pager.
func TestTerminal(t *testing.T) {
	setup := testdata(t, "prelude.sh") + testdata(t, "base.sh")
	n := newNative(t, setup)
	script := "NOW=1112920000\n" + testdata(t, "prelude.sh") + "export TERM=xterm\n" + onTerminal
	want := n.onTerminal(t, "export GIT_PAGER=cat\n"+script)

	sb, err := newEngine(t, Config{}).Create(t.Context(), engine.Spec{})
	if err != nil {
		t.Fatal(err)
	}
	defer sb.Close()
	if r, err := sb.Run(t.Context(), engine.Command{Args: []string{"bash", "-c", setup}}); err != nil || r.ExitCode != 0 {
		t.Fatalf("set up: %v %d\n%s", err, r.ExitCode, r.Stderr)
	}
	var out bytes.Buffer
	p, err := sb.Start(t.Context(), engine.Command{
		Args: []string{"bash", "-c", script}, Dir: home + "/r", Stdout: &out, TTY: &engine.TTY{Rows: 24, Cols: 100},
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Wait(); err != nil {
		t.Fatal(err)
	}
	got := out.String()
	if !strings.Contains(want, "\x1b[") || !strings.Contains(want, "terminal\r\n") {
		t.Fatalf("the machine's git had no terminal:\n%s", want)
	}
	if got != want {
		t.Errorf("in the sandbox:\n%q\nnatively:\n%q", got, want)
	}
}

// onTerminal runs a script in the repository r, on a terminal of its own, and returns what that shows.
func (n *native) onTerminal(t *testing.T, script string) string {
	t.Helper()
	master, slave := openPty(t)
	defer master.Close()
	cmd := exec.Command("bash", "-c", script)
	cmd.Dir = n.base + "/r"
	cmd.Env = []string{"HOME=" + n.base, "PATH=" + os.Getenv("PATH"), "LANG=C.UTF-8", "USER=user", "LOGNAME=user"}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = slave, slave, slave
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	slave.Close()
	out, _ := io.ReadAll(master) // ends with EIO, once nobody has the terminal open
	if err := cmd.Wait(); err != nil {
		t.Log("natively: ", err)
	}
	return strings.ReplaceAll(string(out), n.base, home)
}

func openPty(t *testing.T) (master, slave *os.File) {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skipf("no terminals here: %v", err)
	}
	number, err := unix.IoctlGetInt(int(master.Fd()), unix.TIOCGPTN)
	if err == nil {
		err = unix.IoctlSetPointerInt(int(master.Fd()), unix.TIOCSPTLCK, 0)
	}
	if err == nil {
		err = unix.IoctlSetWinsize(int(master.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: 24, Col: 100})
	}
	if err == nil {
		slave, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0)
	}
	if err != nil {
		master.Close()
		t.Skipf("no terminal: %v", err)
	}
	return master, slave
}
