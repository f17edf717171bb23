package vfs

import (
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"sync"
	"testing"
)

// TestParallel lets many goroutines work on one tree, and on clones taken meanwhile. The race detector and
// the audit are the judges.
func TestParallel(t *testing.T) {
	base := New(Config{})
	must(t, base.MkdirAll("d/e", 0o755))
	must(t, base.WriteFile("d/shared", make([]byte, 3*chunkSize), 0o644))
	var wg sync.WaitGroup
	trees := make(chan *Tree, 1000)
	trees <- base
	for g := range 8 {
		wg.Go(func() { // Ends after its fixed number of steps.
			r := rand.New(rand.NewPCG(uint64(g), 3))
			tr := base
			for i := range 400 {
				work(r, tr)
				if i%100 == 50 {
					c := tr.Clone()
					trees <- c
					if r.IntN(2) == 0 {
						tr = c
					}
				}
			}
		})
	}
	wg.Wait()
	close(trees)
	for tr := range trees {
		if msg := tr.audit(); msg != "" {
			t.Error(msg)
		}
		must(t, tr.Close())
	}
}

func work(r *rand.Rand, tr *Tree) {
	name := fmt.Sprintf("d/%d", r.IntN(20))
	other := fmt.Sprintf("d/e/%d", r.IntN(20))
	switch r.IntN(15) {
	case 10:
		tr.Root().Mkfifo(name, 0o666)
	case 11:
		tr.Root().Setxattr(name, true, "user.x", make([]byte, r.IntN(100)), 0)
	case 12:
		if f, err := tr.OpenFile(name, os.O_RDWR, 0); err == nil {
			f.TryFlock(LockMode(r.IntN(3)))
			f.TrySetLock(RecordLock{Owner: uint64(r.IntN(3)), Mode: LockMode(r.IntN(3)), Start: r.Int64N(10)})
			f.Poll(nil)
			f.Close()
		}
	case 13:
		if w, err := tr.Watch("d", true); err == nil {
			tr.As(User{UID: r.IntN(3)}).Chmod(name, fs.FileMode(r.IntN(0o1000)))
			w.Close()
		}
	case 14:
		d := tr.Root()
		d.RenameWith(name, d, other, RenameFlags(r.IntN(3)))
	case 0:
		tr.Rename(name, other)
	case 1:
		tr.RemoveAll(other)
	case 2:
		tr.Link("d/shared", name)
	case 3:
		tr.ReadDir("d")
	case 4:
		tr.MkdirAll(other+"/x/y", 0o755)
	case 5:
		tr.Stat(name)
		tr.Usage()
	default:
		f, err := tr.OpenFile("d/shared", os.O_RDWR, 0)
		if err != nil {
			return
		}
		defer f.Close()
		buf := make([]byte, 5000)
		f.WriteAt(buf[:r.IntN(5000)], r.Int64N(4*chunkSize))
		f.ReadAt(buf, r.Int64N(4*chunkSize))
		if r.IntN(10) == 0 {
			f.Truncate(r.Int64N(5 * chunkSize))
		}
	}
}

// TestParallelOneFile: writes through one File don't overlap, since they share the offset.
func TestParallelOneFile(t *testing.T) {
	tr := New(Config{})
	f, err := tr.Create("f")
	must(t, err)
	g, err := tr.OpenFile("f", os.O_WRONLY|os.O_APPEND, 0)
	must(t, err)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() { // Ends after 100 writes.
			for range 100 {
				g.Write([]byte("0123456789"))
			}
		})
	}
	wg.Wait()
	for i := range 400 {
		buf := make([]byte, 10)
		if _, err := f.Read(buf); err != nil || string(buf) != "0123456789" {
			t.Fatalf("record %d: %q, %v", i, buf, err)
		}
	}
	must(t, f.Close())
	must(t, g.Close())
}
