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
