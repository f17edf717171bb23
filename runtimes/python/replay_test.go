package python_test

import (
	"crypto/sha256"
	"fmt"
	"io/fs"
	"strings"
	"testing"

	"github.com/belljar-dev/belljar/engine"
	"github.com/belljar-dev/belljar/vfs"
)

// replayed looks at all that could differ from run to run: clocks, numbers, orders and randomness. It computes between,
// so that the clocks move, and leaves what it saw in files.
const replayed = `
import glob, os, random, sys, tempfile, time, uuid
def work(n):
    return sum(hash(str(i)) % 7 for i in range(n))
os.makedirs("made/sub")
log = open("made/log", "w")
for i in range(30):
    work(20000)
    name = f"made/{random.random()}"
    with open(name, "w") as f:
        f.write(str(work(1000)))
    st = os.stat(name)
    print(st, os.times(), time.time_ns(), time.monotonic_ns(), time.perf_counter_ns(), time.process_time_ns(), file=log)
    if i % 3 == 0:
        os.link(name, name + ".link")
        os.symlink(name, name + ".symlink")
    if i % 5 == 0:
        os.rename(name, f"made/sub/{i}")
    if i % 7 == 0:
        time.sleep(0.25)
print(os.listdir("made"), [e.inode() for e in os.scandir("made")], glob.glob("made/*"), file=log)
print(os.urandom(8), uuid.uuid1(), uuid.uuid4(), hash("x"), {f"k{i}" for i in range(20)}, file=log)
print(tempfile.mkstemp(), os.getpid(), os.environ, sys.argv, id(object()), file=log)
print(open("/dev/urandom", "rb").read(8), os.statvfs("/") if hasattr(os, "statvfs") else "", file=log)
log.close()
print(open("made/log").read())
`

// TestReplayRepeatsEverything runs one program in sandboxes with the same seed, and expects the same bytes in every
// file, and the same of all that is known of it.
func TestReplayRepeatsEverything(t *testing.T) {
	run := func(seed uint64) (stdout, files string) {
		sb := sandbox(t, engine.Spec{Replay: &engine.Replay{Seed: seed}})
		res := eval(t, sb, replayed)
		if res.ExitCode != 0 {
			t.Fatalf("exit code %d: %s", res.ExitCode, res.Stderr)
		}
		return res.Stdout, strings.Join(describeTree(t, sb.Files()), "\n")
	}
	out, files := run(1)
	for range 3 {
		againOut, again := run(1)
		firstDifference(t, "output", out, againOut)
		firstDifference(t, "tree", files, again)
	}
	if other, _ := run(2); other == out {
		t.Error("another seed gives the same")
	}
}

// describeTree tells all of each node under /home, /tmp and /dev.
func describeTree(t *testing.T, tree *vfs.Tree) []string {
	t.Helper()
	var list []string
	for _, dir := range []string{"home", "tmp", "dev"} {
		err := fs.WalkDir(tree.FS(), dir, func(name string, d fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			stat, err := tree.Lstat("/" + name)
			if err != nil {
				return err
			}
			i := stat.(vfs.Info)
			var content []byte
			if i.Mode().IsRegular() {
				if content, err = tree.ReadFile("/" + name); err != nil {
					return err
				}
			}
			list = append(list, fmt.Sprintf("%s %v %d %d %d %d %d %d atime %d mtime %d ctime %d btime %d %x", name, i.Mode(),
				i.UID(), i.GID(), i.Dev(), i.Ino(), i.Nlink(), i.Size(), i.Atime().UnixNano(), i.ModTime().UnixNano(),
				i.Ctime().UnixNano(), i.Btime().UnixNano(), sha256.Sum256(content)))
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return list
}

// firstDifference fails with the first line in which two texts differ.
func firstDifference(t *testing.T, what, a, b string) {
	t.Helper()
	if a == b {
		return
	}
	left, right := strings.Split(a, "\n"), strings.Split(b, "\n")
	for i := range min(len(left), len(right)) {
		if left[i] != right[i] {
			t.Fatalf("%s differs in line %d:\n%.2000s\n%.2000s", what, i, left[i], right[i])
		}
	}
	t.Fatalf("%s has %d lines, then %d", what, len(left), len(right))
}
