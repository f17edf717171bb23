package benchmarks

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/cgi"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"time"

	"github.com/belljar-dev/belljar/gitops"
	"github.com/belljar-dev/belljar/vfs"
)

// gitBench has repositories made by the machine's git, which also serves them.
type gitBench struct {
	*suite
	dir, url string
}

// gitops measures git for hosts against the machine's git, by turns: a clone over HTTP from git's own http-backend, and
// status, log and diff of 10,000 files and commits.
func (s *suite) gitops(ctx context.Context) error {
	path, err := exec.LookPath("git")
	if err != nil {
		return nil // nothing to serve, and nothing beside it
	}
	dir, err := os.MkdirTemp("", "belljar-git-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	server := &http.Server{Handler: &cgi.Handler{Path: path, Args: []string{"http-backend"}, Env: []string{
		"GIT_PROJECT_ROOT=" + dir, "GIT_HTTP_EXPORT_ALL=1", "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=/dev/null"}}}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(l) }() // ends with Close
	b := &gitBench{s, dir, "http://" + l.Addr().String()}
	err = errors.Join(b.clone(ctx), b.local(ctx), server.Close())
	<-ended
	return err
}

func (b *gitBench) config() gitops.Config {
	return gitops.Config{Name: "A", Email: "a@b.c", Access: gitops.Access{Dialer: &net.Dialer{}}}
}

func (b *gitBench) git(ctx context.Context, stdin string, args ...string) (time.Duration, error) {
	cmd := exec.CommandContext(ctx, "git", args...)
	cmd.Dir = b.dir
	cmd.Env = append(os.Environ(), "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=/dev/null")
	if stdin != "" {
		cmd.Stdin = strings.NewReader(stdin)
	}
	start := time.Now()
	out, err := cmd.CombinedOutput()
	took := time.Since(start)
	if err != nil {
		return took, fmt.Errorf("git %q: %w: %.200s", args, err, out)
	}
	return took, nil
}

// large is a stream for git fast-import: so many commits, one and a half times as many files, 30 kB of text for each.
func large(commits int) string {
	var w strings.Builder
	rnd := rand.New(rand.NewPCG(1, 2))
	files := make([][]string, commits*3/2)
	for i := range files {
		for range 500 {
			files[i] = append(files[i], fmt.Sprintf("%016x and %08x words of %d\n", rnd.Uint64(), rnd.Uint32(), i))
		}
	}
	put := func(i int) {
		text := strings.Join(files[i], "")
		fmt.Fprintf(&w, "M 100644 inline d%d/e%d/f%d.txt\ndata %d\n%s\n", i%30, i%7, i, len(text), text)
	}
	for c := range commits {
		fmt.Fprintf(&w, "commit refs/heads/main\ncommitter A <a@b.c> %d +0000\ndata 2\nc\n", 1_600_000_000+c*60)
		if c == 0 {
			for i := range files {
				put(i)
			}
		}
		i := rnd.IntN(len(files))
		files[i][rnd.IntN(len(files[i]))] = fmt.Sprintf("changed in %d: %016x\n", c, rnd.Uint64())
		put(i)
	}
	return w.String()
}

func (b *gitBench) clone(ctx context.Context) error {
	commits := b.tenth(2000)
	if _, err := b.git(ctx, "", "init", "-q", "--bare", "-b", "main", "large.git"); err != nil {
		return err
	}
	if _, err := b.git(ctx, large(commits), "-C", "large.git", "fast-import", "--quiet"); err != nil {
		return err
	}
	if _, err := b.git(ctx, "", "-C", "large.git", "repack", "-adq"); err != nil {
		return err
	}
	runs := 5
	if b.Quick {
		runs = 2
	}
	var ours, ratios []float64
	var peak atomic.Uint64
	for range runs {
		native, err := b.git(ctx, "", "clone", "-q", b.url+"/large.git", "native")
		if err = errors.Join(err, os.RemoveAll(filepath.Join(b.dir, "native"))); err != nil {
			return err
		}
		runtime.GC()
		stop := watchMemory(&peak)
		tr := vfs.New(vfs.Config{})
		start := time.Now()
		_, err = gitops.Clone(ctx, tr, b.url+"/large.git", "copy", b.config(), gitops.CloneOptions{})
		took := time.Since(start)
		stop()
		if err = errors.Join(err, tr.Close()); err != nil {
			return err
		}
		ours = append(ours, milliseconds(took))
		ratios = append(ratios, float64(took)/float64(native))
	}
	b.add("gitops_clone_ms", "ms", ours, "gitops.Clone over HTTP of %d commits, %d files, %d MB, from git http-backend", commits, commits*3/2, commits*3/100)
	b.add("gitops_clone_ratio", "×", ratios, "that ÷ git clone, round by round")
	b.add("gitops_clone_heap_mib", "MiB", []float64{float64(peak.Load()) / (1 << 20)}, "the most that the process's heap had, the tree's files and the pack included")
	return nil
}

// watchMemory notes the most memory that the heap has until stop is called.
func watchMemory(peak *atomic.Uint64) (stop func()) {
	done, ended := make(chan struct{}), make(chan struct{})
	go func() { // ends with stop
		defer close(ended)
		for {
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			peak.Store(max(m.HeapInuse, peak.Load()))
			select {
			case <-done:
				return
			case <-time.After(10 * time.Millisecond):
			}
		}
	}()
	return func() { close(done); <-ended }
}

// local measures what needs no other repository.
func (b *gitBench) local(ctx context.Context) error {
	var in strings.Builder
	n := b.tenth(10_000)
	for c := range n {
		fmt.Fprintf(&in, "commit refs/heads/main\ncommitter A <a@b.c> %d +0000\ndata 9\nmessage!\n\n", 1_600_000_000+c*60)
		fmt.Fprintf(&in, "M 100644 inline d%d/e%d/f%d\ndata 8\n%08d\n", c/100, c%10, c, c)
	}
	if err := b.imported(ctx, "wide", in.String()); err != nil {
		return err
	}
	if err := b.imported(ctx, "long", fmt.Sprintf("commit refs/heads/main\ncommitter A <a@b.c> 1600000000 +0000\ndata 2\nc\nM 100644 inline long\ndata %d\n%s\n",
		len(longText(0)), longText(0))); err != nil {
		return err
	}
	tr := vfs.New(vfs.Config{})
	defer tr.Close()
	var repos [2]*gitops.Repository
	for i, name := range []string{"wide", "long"} {
		var err error
		if repos[i], err = gitops.Clone(ctx, tr, b.url+"/"+name+".git", name, b.config(), gitops.CloneOptions{}); err != nil {
			return err
		}
	}
	if err := errors.Join(tr.WriteFile("long/long", []byte(longText(1)), 0o644),
		os.WriteFile(filepath.Join(b.dir, "long", "long"), []byte(longText(1)), 0o644)); err != nil {
		return err
	}
	time.Sleep(1100 * time.Millisecond) // so that nothing looks as if it could have changed since it was written
	for _, c := range []struct {
		name, note string
		do         func() error
		args       []string
	}{
		{fmt.Sprintf("status_%dk", n/1000), fmt.Sprintf("status of %d unchanged files", n), func() error { _, err := repos[0].Status(ctx, gitops.StatusOptions{}); return err }, []string{"-C", "wide", "status", "--porcelain"}},
		{fmt.Sprintf("log_%dk", n/1000), fmt.Sprintf("log of %d commits", n), func() error { _, err := repos[0].Log(ctx, gitops.LogOptions{}); return err }, []string{"-C", "wide", "log", "--format=%H %an %ae %at %s"}},
		{"diff_1000", "diff of 1,000 changed lines of 5,000", func() error { _, err := repos[1].Diff(ctx, gitops.DiffOptions{}); return err }, []string{"-C", "long", "diff"}},
	} {
		if err := b.beside(ctx, c.name, c.note, c.do, c.args); err != nil {
			return err
		}
	}
	return nil
}

func (b *gitBench) imported(ctx context.Context, name, stream string) error {
	for _, step := range [][]string{{"init", "-q", "--bare", "-b", "main", name + ".git"}, {"-C", name + ".git", "fast-import", "--quiet"},
		{"-C", name + ".git", "repack", "-adq"}, {"clone", "-q", name + ".git", name}} {
		stdin := ""
		if step[len(step)-2] == "fast-import" {
			stdin = stream
		}
		if _, err := b.git(ctx, stdin, step...); err != nil {
			return err
		}
	}
	return nil
}

// longText has 5,000 lines, of which every fifth differs from those of another step.
func longText(step int) string {
	var s strings.Builder
	for i := range 5000 {
		fmt.Fprintf(&s, "line %d of %d\n", i, step*(1-min(i%5, 1)))
	}
	return s.String()
}

// beside measures do and the machine's git by turns.
func (b *gitBench) beside(ctx context.Context, name, note string, do func() error, args []string) error {
	runs := 20
	if b.Quick {
		runs = 5
	}
	var ours, ratios []float64
	for i := range runs + 1 {
		native, err := b.git(ctx, "", args...)
		if err != nil {
			return err
		}
		start := time.Now()
		if err := do(); err != nil {
			return err
		}
		if took := time.Since(start); i > 0 { // the first writes what git notes for the next
			ours = append(ours, milliseconds(took))
			ratios = append(ratios, float64(took)/float64(native))
		}
	}
	b.add("gitops_"+name+"_ms", "ms", ours, "gitops: %s", note)
	b.add("gitops_"+name+"_ratio", "×", ratios, "that ÷ git %s, round by round", strings.Join(args[2:], " "))
	return nil
}
