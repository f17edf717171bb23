package benchmarks

import (
	"context"
	"fmt"
	"net"
	"net/http/cgi"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"time"

	"github.com/belljar-dev/belljar/engine"
	"github.com/belljar-dev/belljar/runtimes/git"
	"github.com/belljar-dev/belljar/runtimes/shell"
)

// gitSetup makes what git is measured on: N files, 1,000 changed lines of 5,000, and N commits.
const gitSetup = `set -e
export GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@x GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@x
git init -q -b main files; cd files
for d in $(seq $((N / 100))); do mkdir $d; for f in {1..100}; do echo $d $f >$d/$f; done; done
git add .; git commit -q -m files; sleep 1; git status -s; cd ..
git init -q -b main lines; cd lines
for i in {1..5000}; do echo "line $i of the file"; done >f; git add f; git commit -q -m lines
for i in {1..5000}; do if ((i % 5)); then echo "line $i of the file"; else echo "changed $i"; fi; done >f; cd ..
git init -q -b main log; cd log
for i in $(seq $N); do printf 'commit refs/heads/main\ncommitter A <a@x> %d +0000\ndata 6\ncommit\nM 644 inline f\ndata 6\n%06d\n' $i $i; done | git fast-import --quiet
`

// servedSetup makes a repository of N commits, one and a half times as many files of 20 kB that nothing can compress, by the
// machine's git.
const servedSetup = `set -e
git init -q --bare -b main served.git
{
	for i in $(seq $N); do
		printf 'commit refs/heads/main\ncommitter A <a@x> %d +0000\ndata 6\ncommit\n' $i
		for f in $i $((i + N)); do
			if ((f <= N * 3 / 2)); then printf 'M 644 inline d%d/%d\ndata 20000\n' $((f % 50)) $f; head -c 20000 /dev/urandom; echo; fi
		done
	done
} | git -C served.git fast-import --quiet
`

// git measures git in a sandbox, by turns with the machine's own.
func (s *suite) git(ctx context.Context) error {
	core, err := exec.Command("git", "--exec-path").Output()
	if err != nil {
		return nil // nothing to be told apart from
	}
	image := engine.Compose("git", shell.Image(), git.Image())
	eng, err := engine.New(engine.Config{Images: []engine.Image{image}, CacheDir: s.CacheDir})
	if err != nil {
		return err
	}
	defer eng.Close()
	b := &shellBench{suite: s, engine: eng}
	if b.dir, err = os.MkdirTemp("", "belljar-bench-git-"); err != nil {
		return err
	}
	defer os.RemoveAll(b.dir)
	if err := b.gitLocal(ctx); err != nil {
		return err
	}
	return b.gitClone(ctx, filepath.Join(strings.TrimSpace(string(core)), "git-http-backend"))
}

func (b *shellBench) gitLocal(ctx context.Context) error {
	sb, err := b.engine.Create(ctx, engine.Spec{Limits: engine.Limits{Wall: 5 * time.Minute}})
	if err != nil {
		return err
	}
	defer sb.Close()
	n := b.tenth(10_000)
	setup, k := fmt.Sprintf("N=%d\n%s", n, gitSetup), n/1000
	if _, err := b.in(ctx, sb, setup, ""); err != nil {
		return err
	}
	if _, err := b.native(ctx, setup, ""); err != nil {
		return err
	}
	for _, c := range []struct{ name, script, want, note string }{
		{fmt.Sprintf("git_status_%dk_ms", k), "cd files; git status -s", "", fmt.Sprintf("git status of %d,000 unchanged files", k)},
		{"git_diff_1k_ms", "cd lines; git diff --stat | tail -n 1", " 1 file changed, 1000 insertions(+), 1000 deletions(-)\n", "git diff of 1,000 changed lines"},
		{fmt.Sprintf("git_log_%dk_ms", k), "cd log; git log | grep -c ^commit", fmt.Sprintln(n), fmt.Sprintf("git log of %d,000 commits", k)},
	} {
		var ours, native []float64
		for range b.runs(24) {
			took, err := b.in(ctx, sb, c.script, c.want)
			if err != nil {
				return err
			}
			ours = append(ours, milliseconds(took))
			if took, err = b.native(ctx, c.script, c.want); err != nil {
				return err
			}
			native = append(native, milliseconds(took))
		}
		b.add(c.name, "ms", ours, "%s, bash included", c.note)
		b.add("native_"+c.name, "ms", native, "the same by the machine's git and bash")
	}
	return nil
}

// gitClone measures a clone over smart HTTP from the machine's git on the loopback interface.
func (b *shellBench) gitClone(ctx context.Context, backend string) error {
	commits := b.tenth(2000)
	if _, err := b.native(ctx, fmt.Sprintf("N=%d\n%s", commits, servedSetup), ""); err != nil {
		return err
	}
	server := httptest.NewServer(&cgi.Handler{
		Path: backend, Env: []string{"GIT_PROJECT_ROOT=" + b.dir, "GIT_HTTP_EXPORT_ALL=1"}, InheritEnv: []string{"PATH", "HOME"},
	})
	defer server.Close()
	_, port, err := net.SplitHostPort(server.Listener.Addr().String())
	if err != nil {
		return err
	}
	script := "rm -rf c; git clone -q " + server.URL + "/served.git c; git -C c rev-list --count HEAD"
	var ours, native, memory []float64
	for range b.runs(8) {
		sb, err := b.engine.Create(ctx, engine.Spec{
			Limits: engine.Limits{Wall: 5 * time.Minute}, Network: engine.Network{Dial: []string{"127.0.0.1:" + port}},
		})
		if err != nil {
			return err
		}
		took, most, err := b.cloned(ctx, sb, script, fmt.Sprintln(commits))
		if closing := sb.Close(); err == nil {
			err = closing
		}
		if err != nil {
			return fmt.Errorf("clone: %w", err)
		}
		ours, memory = append(ours, milliseconds(took)), append(memory, float64(most)/(1<<20))
		if took, err = b.native(ctx, script, fmt.Sprintln(commits)); err != nil {
			return err
		}
		native = append(native, milliseconds(took))
	}
	name := fmt.Sprintf("git_clone_%dmb", commits*3/100)
	b.add(name+"_ms", "ms", ours, "git clone of %d commits, %d files and %d MB over smart HTTP from the machine's git", commits, commits*3/2, commits*3/100)
	b.add(name+"_mib", "MiB", memory, "the most that it had of guests' memory and of the heap, in which the tree's are twice: the pack, and the files")
	b.add("native_"+name+"_ms", "ms", native, "the same by the machine's git")
	return nil
}

// cloned runs a script that clones, and answers what memory it had at most besides its time.
func (b *shellBench) cloned(ctx context.Context, sb *engine.Sandbox, script, want string) (took time.Duration, most uint64, err error) {
	var heap, before atomic.Uint64
	runtime.GC()
	watchMemory(&before)()
	stop := watchMemory(&heap)
	start := time.Now()
	res, err := sb.Run(ctx, engine.Command{Args: []string{"bash", "-c", script}})
	took = time.Since(start)
	stop()
	if err == nil && res.Stdout != want {
		err = fmt.Errorf("%s: status %d, %q and %q", script, res.ExitCode, res.Stdout, res.Stderr)
	}
	return took, heap.Load() - before.Load() + uint64(res.Usage.Memory), err
}
