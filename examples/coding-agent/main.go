// Command coding-agent does what a coding agent does, with a scripted model: it clones a repository, runs its tests, mends
// what fails, runs them again, commits, and pushes. The repository and its server are in a sandbox, too.
package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log"
	"os"
	"strings"

	"github.com/belljar-dev/belljar/engine"
	"github.com/belljar-dev/belljar/runtimes/git"
	"github.com/belljar-dev/belljar/runtimes/python"
	"github.com/belljar-dev/belljar/runtimes/shell"
)

func main() {
	if err := run(context.Background(), os.Stdout); err != nil {
		log.Fatal(err)
	}
}

// project is what there is to mend: a bare repository, which git's own server shows at git://127.0.0.1/.
const project = `set -e
git init -q --bare -b main project.git
git clone -q project.git seed 2>/dev/null
cd seed
cat >median.py <<'END'
def median(values):
    """The middle of the sorted values; of two, their mean."""
    values = sorted(values)
    return values[len(values) // 2]
END
cat >test_median.py <<'END'
import unittest
from median import median

class Test(unittest.TestCase):
    def test_odd(self):
        self.assertEqual(median([3, 1, 2]), 2)

    def test_even(self):
        self.assertEqual(median([4, 1, 2, 3]), 2.5)
END
git add .
git commit -q -m 'Add median'
git push -q origin main
cd ..
rm -r seed
`

const serve = `git daemon --export-all --enable=receive-pack --base-path="$HOME" --listen=127.0.0.1 --reuseaddr >daemon.log 2>&1 &
until git ls-remote -q git://127.0.0.1/project.git >/dev/null 2>&1; do sleep 0.05; done
`

// fix is what a model would have answered.
var fix = [...]string{
	"    return values[len(values) // 2]\n",
	"    middle = len(values) // 2\n    if len(values) % 2:\n        return values[middle]\n    return (values[middle - 1] + values[middle]) / 2\n",
}

func run(ctx context.Context, out io.Writer) error {
	image := engine.Compose("agent", shell.Image(), git.Image(), python.Image())
	eng, err := engine.New(engine.Config{Images: []engine.Image{image}})
	if err != nil {
		return err
	}
	defer eng.Close()
	sb, err := eng.Create(ctx, engine.Spec{Env: []string{
		"GIT_AUTHOR_NAME=Agent", "GIT_AUTHOR_EMAIL=agent@example.com", "GIT_COMMITTER_NAME=Agent", "GIT_COMMITTER_EMAIL=agent@example.com",
	}})
	if err != nil {
		return err
	}
	defer sb.Close()
	if _, err := do(ctx, sb, "/home/user", project+serve); err != nil {
		return err
	}

	if _, err := do(ctx, sb, "/home/user", "git clone -q git://127.0.0.1/project.git work"); err != nil {
		return err
	}
	const work = "/home/user/work"
	if _, err := do(ctx, sb, work, "python3 -m unittest -q"); err == nil {
		return fmt.Errorf("the tests pass already")
	}
	fmt.Fprintln(out, "the tests fail")

	const file = work + "/median.py"
	source, err := sb.Files().ReadFile(file)
	if err != nil {
		return err
	}
	mended := bytes.Replace(source, []byte(fix[0]), []byte(fix[1]), 1)
	if err := sb.Files().WriteFile(file, mended, 0o644); err != nil {
		return err
	}
	if _, err := do(ctx, sb, work, "python3 -m unittest -q"); err != nil {
		return err
	}
	fmt.Fprintln(out, "the tests pass")
	diff, err := do(ctx, sb, work, "git diff && git commit -q -a -m 'median: take the mean of two' && git push -q origin main")
	if err != nil {
		return err
	}
	log, err := do(ctx, sb, "/home/user/project.git", "git log --format='pushed: %s, by %an' -1 main")
	if err != nil {
		return err
	}
	_, err = io.WriteString(out, diff+log)
	return err
}

// do runs a script and answers what it has written, or an error with what it has to say.
func do(ctx context.Context, sb *engine.Sandbox, dir, script string) (string, error) {
	r, err := sb.Run(ctx, engine.Command{Args: []string{"bash", "-c", script}, Dir: dir})
	if err != nil {
		return "", err
	}
	if r.ExitCode != 0 {
		return "", fmt.Errorf("status %d: %s", r.ExitCode, strings.TrimSpace(r.Stderr))
	}
	return r.Stdout, nil
}
