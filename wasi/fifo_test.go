package wasi

import (
	"testing"
	"testing/synctest"
)

// TestFIFO has a reader and a writer find each other through a FIFO.
func TestFIFO(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newFixture(t)
		g.must("path_mkfifo", fdRoot, "fifo", 0o666)
		g.must("path_stat", fdRoot, 0, "fifo", outPtr)
		if mode := g.uint32(outPtr + 24); mode != modeFIFO|0o644 {
			t.Errorf("mode %o", mode)
		}
		nonblock := int(flagNonblock)
		g.want(errNxio, "path_open", fdRoot, 0, "fifo", 0, rightFdWrite, 0, nonblock, outPtr)
		g.must("path_open", fdRoot, 0, "fifo", 0, fileRights&^rightFdWrite, 0, nonblock, outPtr)
		r := g.uint32(outPtr)
		if s, e := g.scan(r, 1); s != "" || e != errSuccess {
			t.Errorf("nobody writes: %q %v", s, e)
		}
		g.must("path_open", fdRoot, 0, "fifo", 0, fileRights&^rightFdRead, 0, 0, outPtr)
		w := g.uint32(outPtr)
		if _, e := g.scan(r, 1); e != errAgain {
			t.Errorf("nothing is written: %v", e)
		}
		g.must("fd_fdstat_set_flags", r, 0)
		other := g.as(g.host.Fork(Config{}))
		done := make(chan string)
		go func() {
			s, _ := g.scan(r, 10)
			done <- s
		}()
		synctest.Wait()
		other.next += 0x100
		file := other.memory("abc")
		if e := other.call("fd_write", w, file, 1, outPtr+0x40); e != errSuccess {
			t.Error(e)
		}
		if s := <-done; s != "abc" {
			t.Errorf("read %q", s)
		}
		g.want(errSpipe, "fd_seek", r, 0, whenceSet, outPtr)
	})
}

// TestFIFOOpenWaits opens a FIFO for reading, and interrupts that.
func TestFIFOOpenWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		signals := newFakeSignals(true, false)
		g := newGuest(t, Config{Signals: signals})
		g.must("path_mkfifo", 3, "fifo", 0o666)
		done := make(chan errno)
		open := func() {
			done <- g.call("path_open", 3, 0, "fifo", 0, rightFdRead, 0, 0, outPtr)
		}
		go open()
		synctest.Wait()
		signals.pending <- struct{}{}
		g.host.Interrupt()
		if e := <-done; e != errIntr {
			t.Errorf("interrupted: %v", e)
		}
		go open()
		synctest.Wait()
		f, err := g.tree.OpenFile("/fifo", 1, 0) // os.O_WRONLY
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if e := <-done; e != errSuccess {
			t.Errorf("with a writer: %v", e)
		}
	})
}

// memory puts a text and a list of it into memory that no other call uses, and gives the
// list's place.
func (g *guest) memory(s string) uint32 {
	g.t.Helper()
	const at = 0x18000
	g.write(at+0x100, s)
	g.mod.Memory().WriteUint32Le(at, at+0x100)
	g.mod.Memory().WriteUint32Le(at+4, uint32(len(s)))
	return at
}
