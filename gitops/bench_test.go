package gitops

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/belljar-dev/belljar/vfs"
)

// importLarge makes x.git of 2,000 commits, 3,000 files and 60 MB of text.
func (f *forge) importLarge() {
	f.t.Helper()
	f.git("init", "-q", "--bare", "-b", "main", "x.git")
	cmd := exec.Command("git", "-C", filepath.Join(f.dir, "x.git"), "fast-import", "--quiet")
	in, err := cmd.StdinPipe()
	if err != nil {
		f.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		f.t.Fatal(err)
	}
	w := bufio.NewWriterSize(in, 1<<20)
	rnd := rand.New(rand.NewPCG(1, 2))
	files := make([][]string, 3000)
	for i := range files {
		for range 400 {
			files[i] = append(files[i], fmt.Sprintf("%016x and %08x words of %d\n", rnd.Uint64(), rnd.Uint32(), i))
		}
	}
	put := func(i int) {
		text := strings.Join(files[i], "")
		fmt.Fprintf(w, "M 100644 inline d%d/e%d/f%d.txt\ndata %d\n%s\n", i%30, i%7, i, len(text), text)
	}
	for c := range 2000 {
		fmt.Fprintf(w, "commit refs/heads/main\ncommitter A <a@b.c> %d +0000\ndata 2\nc\n", 1_600_000_000+c*60)
		if c == 0 {
			for i := range files {
				put(i)
			}
		}
		for range 3 {
			i := rnd.IntN(len(files))
			files[i][rnd.IntN(len(files[i]))] = fmt.Sprintf("changed in %d: %016x\n", c, rnd.Uint64())
			put(i)
		}
	}
	w.Flush()
	in.Close()
	if err := cmd.Wait(); err != nil {
		f.t.Fatal(err)
	}
	f.git("-C", "x.git", "repack", "-adq")
}

// BenchmarkClone clones 2,000 commits over HTTP, and has git do the same on the host in turn.
func BenchmarkClone(b *testing.B) {
	f := newForge(b, false)
	f.importLarge()
	var native time.Duration
	var peak atomic.Uint64
	for b.Loop() {
		b.StopTimer()
		to := b.TempDir()
		start := time.Now()
		f.git("clone", "-q", f.url+"/x.git", to)
		native += time.Since(start)
		if err := os.RemoveAll(to); err != nil {
			b.Fatal(err)
		}
		runtime.GC()
		stop := watchHeap(&peak)
		b.StartTimer()
		tr := vfs.New(vfs.Config{})
		if _, err := Clone(ctx, tr, f.url+"/x.git", "copy", f.config(), CloneOptions{}); err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		stop()
		tr.Close()
		b.StartTimer()
	}
	b.ReportMetric(float64(b.Elapsed())/float64(native), "×native")
	b.ReportMetric(float64(peak.Load())/(1<<20), "MiB-heap")
}

// watchHeap notes the most memory that the heap has until stop is called.
func watchHeap(peak *atomic.Uint64) (stop func()) {
	done, ended := make(chan struct{}), make(chan struct{})
	go func() { // ends with stop
		defer close(ended)
		for {
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			if m.HeapInuse > peak.Load() {
				peak.Store(m.HeapInuse)
			}
			select {
			case <-done:
				return
			case <-time.After(10 * time.Millisecond):
			}
		}
	}()
	return func() { close(done); <-ended }
}

// newWide makes a repository of 10,000 commits and 10,000 files, of which one has 5,000 lines, on the host and in a tree.
func newWide(b *testing.B) (*forge, *vfs.Tree, *Repository) {
	f := newForge(b, false)
	f.git("init", "-q", "--bare", "-b", "main", "x.git")
	cmd := exec.Command("git", "-C", filepath.Join(f.dir, "x.git"), "fast-import", "--quiet")
	var in strings.Builder
	for c := range 10_000 {
		fmt.Fprintf(&in, "commit refs/heads/main\ncommitter A <a@b.c> %d +0000\ndata 9\nmessage!\n\n", 1_600_000_000+c*60)
		fmt.Fprintf(&in, "M 100644 inline d%d/e%d/f%d\ndata 8\n%08d\n", c/100, c%10, c, c)
	}
	fmt.Fprintf(&in, "M 100644 inline long\ndata %d\n%s\n", len(longText(0)), longText(0))
	cmd.Stdin = strings.NewReader(in.String())
	if out, err := cmd.CombinedOutput(); err != nil {
		b.Fatal(err, string(out))
	}
	f.git("-C", "x.git", "repack", "-adq")
	f.git("clone", "-q", "x.git", "native")
	tr, r := f.clone(CloneOptions{})
	time.Sleep(1100 * time.Millisecond) // so that nothing looks as if it could have changed since
	for range 2 {
		f.git("-C", "native", "status")
		if _, err := r.Status(ctx, StatusOptions{}); err != nil {
			b.Fatal(err)
		}
	}
	return f, tr, r
}

// longText has 5,000 lines, of which every fifth differs from those of another step.
func longText(step int) string {
	var s strings.Builder
	for i := range 5000 {
		fmt.Fprintf(&s, "line %d of %d\n", i, step*(1-min(i%5, 1)))
	}
	return s.String()
}

// against measures do, and in turn the host's git with args.
func against(b *testing.B, f *forge, do func() error, args ...string) {
	var native time.Duration
	for b.Loop() {
		b.StopTimer()
		start := time.Now()
		f.git(append([]string{"-C", "native"}, args...)...)
		native += time.Since(start)
		b.StartTimer()
		if err := do(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed())/float64(native), "×native")
}

func BenchmarkStatus(b *testing.B) {
	f, _, r := newWide(b)
	b.Run("unchanged", func(b *testing.B) {
		against(b, f, func() error {
			s, err := r.Status(ctx, StatusOptions{})
			if len(s.Entries) > 0 {
				b.Fatal(s)
			}
			return err
		}, "status", "--porcelain")
	})
	b.Run("log", func(b *testing.B) {
		against(b, f, func() error {
			l, err := r.Log(ctx, LogOptions{})
			if len(l) != 10_000 {
				b.Fatal(len(l))
			}
			return err
		}, "log", "--format=%H %an %ae %at %s")
	})
	b.Run("diff", func(b *testing.B) {
		must := func(err error) {
			if err != nil {
				b.Fatal(err)
			}
		}
		must(os.WriteFile(filepath.Join(f.dir, "native/long"), []byte(longText(1)), 0o666))
		must(r.tree.WriteFile("copy/long", []byte(longText(1)), 0o666))
		against(b, f, func() error {
			d, err := r.Diff(ctx, DiffOptions{})
			if len(d) != 1 {
				b.Fatal(d)
			}
			return err
		}, "diff")
	})
}
