package store

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/belljar-dev/belljar/engine"
	"github.com/belljar-dev/belljar/vfs"
)

// The variables that make a test of this file the child that another one harms.
const (
	crashDir = "BELLJAR_STORE_TEST_DIR"
	crashRun = "BELLJAR_STORE_TEST_SESSIONS" // not empty: with sessions
	fullDir  = "BELLJAR_STORE_TEST_FULL"
)

// crashBoxes is how many sandboxes are written to at once.
const crashBoxes = 3

// TestWriteUntilKilled counts up in files of several sandboxes, perhaps in sessions too, and says which numbers are kept.
// They are frozen all the time.
func TestWriteUntilKilled(t *testing.T) {
	dir := os.Getenv(crashDir)
	if dir == "" {
		t.Skip("runs as a child of TestKillsLoseNothing")
	}
	s := open(t, Config{Dir: dir, Engine: newEngine(t), IdleStop: 2 * time.Millisecond})
	for i := range crashBoxes {
		name := fmt.Sprintf("box%d", i)
		if err := s.Create(t.Context(), name, engine.Spec{}, Options{}); err != nil && !errors.Is(err, ErrExists) {
			t.Fatal(err)
		}
		go countUp(t.Context(), s, name) // ends with the process
	}
	select {}
}

func countUp(ctx context.Context, s *Store, name string) {
	n := 0
	for {
		err := s.Use(ctx, name, func(sb *engine.Sandbox) error {
			if n == 0 {
				n, _ = lastNumber(sb.Files())
			}
			n++
			if err := writeNumber(sb.Files(), n); err != nil || os.Getenv(crashRun) == "" {
				return err
			}
			session, err := sb.Session(ctx, "main", "python")
			if err == nil {
				_, err = session.Eval(ctx, engine.Cell{Code: fmt.Sprintf("n = %d", n)})
			}
			return err
		})
		if err == nil {
			fmt.Println("kept", name, n)
			if n%3 == 0 {
				err = s.Freeze(name)
			}
		}
		if err != nil {
			fmt.Println("error", err)
			return
		}
	}
}

// writeNumber leaves n in several forms: in a small file, in a large one, and in which files there are.
func writeNumber(tree *vfs.Tree, n int) error {
	text := strconv.Itoa(n)
	large := strings.Repeat(text+"\n", 5000)
	err := tree.WriteFile("/home/user/large", []byte(large), 0o644)
	err = errors.Join(err, tree.WriteFile("/home/user/n"+text, []byte(text), 0o644))
	if n > 5 {
		err = errors.Join(err, tree.Remove("/home/user/n"+strconv.Itoa(n-5)))
	}
	return errors.Join(err, tree.WriteFile("/home/user/number", []byte(text), 0o644))
}

func lastNumber(tree *vfs.Tree) (int, error) {
	b, err := tree.ReadFile("/home/user/number")
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(string(b))
}

// checkSession tells whether the session has a number that was frozen with the files, or before: with those that are
// there at the latest.
func checkSession(ctx context.Context, sb *engine.Sandbox, files int) error {
	session, err := sb.Session(ctx, "main", "python")
	if err != nil {
		return err
	}
	res, err := session.Eval(ctx, engine.Cell{Code: "globals().get('n', 0)"})
	if err != nil {
		return err
	}
	if n, err := strconv.Atoi(res.Value); err != nil || n > files {
		return fmt.Errorf("the session is at number %s, the files at %d", res.Value, files)
	}
	return nil
}

// checkNumber tells whether what a tree holds is what writeNumber left.
func checkNumber(tree *vfs.Tree) (int, error) {
	n, err := lastNumber(tree)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return n, err
	}
	large, err := tree.ReadFile("/home/user/large")
	if err == nil && string(large) != strings.Repeat(strconv.Itoa(n)+"\n", 5000) {
		err = fmt.Errorf("the large file is not of number %d", n)
	}
	list, listErr := tree.ReadDir("/home/user")
	if listErr == nil && len(list) != 2+min(n, 5) {
		listErr = fmt.Errorf("%d files at number %d", len(list), n)
	}
	return n, errors.Join(err, listErr)
}

func TestKillsLoseNothing(t *testing.T) {
	kills(t, 300, func(*engine.Sandbox, int) error { return nil })
}

// Sessions are loaded in each process, which takes its time.
func TestKillsKeepSessions(t *testing.T) {
	t.Setenv(crashRun, "yes")
	kills(t, 40, func(sb *engine.Sandbox, n int) error { return checkSession(t.Context(), sb, n) })
}

// kills kills writers and checks what they leave: each sandbox, which has to be at a number.
func kills(t *testing.T, cycles int, checkBox func(sb *engine.Sandbox, n int) error) {
	t.Helper()
	if testing.Short() {
		cycles /= 10
	}
	dir, e := t.TempDir(), newEngine(t)
	r := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 0))
	kept := map[string]int{}
	for cycle := range cycles {
		killOne(t, dir, r.IntN(20), kept)
		s := open(t, Config{Dir: dir, Engine: e})
		check(t, s)
		for name, want := range kept {
			err := s.Use(t.Context(), name, func(sb *engine.Sandbox) error {
				n, err := checkNumber(sb.Files())
				if n < want {
					err = errors.Join(err, fmt.Errorf("number %d was said to be kept, and %d is there", want, n))
				}
				return errors.Join(err, checkBox(sb, n))
			})
			if err != nil {
				t.Fatalf("cycle %d: %s: %v", cycle, name, err)
			}
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	total := 0
	for _, n := range kept {
		total += n
	}
	if total < cycles {
		t.Errorf("only %d numbers in %d cycles: the test did not test", total, cycles)
	}
}

// killOne starts a writer, kills it a while after it has said that something is kept, and notes what is.
func killOne(t *testing.T, dir string, after int, kept map[string]int) {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestWriteUntilKilled$")
	cmd.Env = append(os.Environ(), crashDir+"="+dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for n := 0; lines.Scan(); n++ {
		word := strings.Fields(lines.Text())
		if len(word) != 3 || word[0] != "kept" {
			t.Fatalf("the writer says %q", lines.Text())
		}
		if number, err := strconv.Atoi(word[2]); err == nil {
			kept[word[1]] = max(kept[word[1]], number)
		}
		if n == after {
			_ = cmd.Process.Kill() // what it said before it died is still read
		}
	}
	_ = cmd.Wait()
}

// TestWriteBeyondTheDisk saves until the disk is full.
func TestWriteBeyondTheDisk(t *testing.T) {
	dir := os.Getenv(fullDir)
	if dir == "" {
		t.Skip("runs as a child of TestFullDiskKeepsTheOldState")
	}
	s := open(t, Config{Dir: dir, Engine: newEngine(t)})
	create(t, s, "a")
	use(t, s, "a", write("/home/user/f", "old"))
	limit := syscall.Rlimit{Cur: 4 << 20, Max: 4 << 20} // a write beyond it fails, as on a full disk
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		t.Fatal(err)
	}
	noise := make([]byte, 16<<20)
	random := rand.NewChaCha8([32]byte{})
	_, _ = random.Read(noise)
	err := s.Use(t.Context(), "a", func(sb *engine.Sandbox) error {
		err := sb.Files().WriteFile("/home/user/f", []byte("new"), 0o644)
		return errors.Join(err, sb.Files().WriteFile("/home/user/noise", noise, 0o644))
	})
	if err == nil || !strings.Contains(err.Error(), syscall.EFBIG.Error()) { // the database does not wrap it
		t.Fatalf("saving to a full disk: %v", err)
	}
	if !strings.Contains(err.Error(), `sandbox "a": save: `) {
		t.Errorf("the error doesn't say what failed: %v", err)
	}
	// Memory goes on; with room again, it is saved.
	err = s.Use(t.Context(), "a", func(sb *engine.Sandbox) error { return sb.Files().Remove("/home/user/noise") })
	if err != nil {
		t.Errorf("saving what has room: %v", err)
	}
	use(t, s, "a", write("/home/user/g", "kept"))
	fmt.Println("survived")
	os.Exit(0) // without Close, as a crash
}

func TestFullDiskKeepsTheOldState(t *testing.T) {
	dir := t.TempDir()
	cmd := exec.Command(os.Args[0], "-test.run=^TestWriteBeyondTheDisk$")
	cmd.Env = append(os.Environ(), fullDir+"="+dir)
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "survived") {
		t.Fatalf("%v\n%s", err, out)
	}
	s := open(t, Config{Dir: dir, Engine: newEngine(t)})
	check(t, s)
	wantFile(t, s, "a", "/home/user/f", "new")
	wantFile(t, s, "a", "/home/user/g", "kept")
	if n := pieces(t, s); n != 0 {
		t.Errorf("%d pieces of what was never saved", n)
	}
}

// A byte that changes in a large file costs a chunk on disk, and what the database needs for it.
func TestOneByteOfALargeFile(t *testing.T) {
	s := open(t, Config{Dir: t.TempDir(), Engine: newEngine(t)})
	create(t, s, "a")
	content := make([]byte, 100<<20)
	random := rand.NewChaCha8([32]byte{})
	_, _ = random.Read(content)
	use(t, s, "a", func(tree *vfs.Tree) error { return tree.WriteFile("/home/user/large", content, 0o644) })
	before := written(t)
	use(t, s, "a", func(tree *vfs.Tree) error {
		f, err := tree.OpenFile("/home/user/large", os.O_RDWR, 0)
		if err != nil {
			return err
		}
		defer f.Close()
		_, err = f.WriteAt([]byte{1}, 50<<20)
		return err
	})
	const most = 256 << 10
	if n := written(t) - before; n > most {
		t.Errorf("%d bytes written for one", n)
	} else {
		t.Logf("%d bytes written for one", n)
	}
}

// written is how many bytes this process has handed to the operating system.
func written(t *testing.T) (n int64) {
	t.Helper()
	b, err := os.ReadFile("/proc/self/io")
	if err != nil {
		t.Skip(err)
	}
	for line := range strings.Lines(string(b)) {
		if rest, ok := strings.CutPrefix(line, "wchar: "); ok {
			n, err = strconv.ParseInt(strings.TrimSpace(rest), 10, 64)
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	return n
}
