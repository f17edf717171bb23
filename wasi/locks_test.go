package wasi

import (
	"testing"
	"testing/synctest"
)

// other is a second process on the same tree, with "f" open as fdRoot+1.
func (g *guest) other() *guest {
	g.t.Helper()
	h, err := NewHost(Config{Tree: g.tree})
	if err != nil {
		g.t.Fatal(err)
	}
	o := g.as(h)
	o.open("f", 0, fileRights)
	return o
}

func TestFlock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newFixture(t)
		o := g.other()
		g.must("fd_flock", fdFile, flockExclusive)
		o.want(errAgain, "fd_flock", fdFile, flockShared|flockNonblock)
		done := make(chan errno)
		go func() { done <- o.call("fd_flock", fdFile, flockShared) }()
		synctest.Wait()
		g.must("fd_flock", fdFile, flockUnlock)
		if e := <-done; e != errSuccess {
			t.Error(e)
		}
		g.must("fd_flock", fdFile, flockShared|flockNonblock)
		g.want(errAgain, "fd_flock", fdFile, flockExclusive|flockNonblock)
	})
}

func TestRecordLocks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		base := newFixture(t)
		g, o := base.other(), base.other()
		again := g.open("f", 0, fileRights)
		g.must("fd_lock", fdFile, lockSet, lockWrite, 10, 5, outPtr)
		o.must("fd_lock", fdFile, lockSet, lockWrite, 0, 10, outPtr)
		o.want(errAgain, "fd_lock", fdFile, lockSet, lockRead, 12, 1, outPtr)
		o.must("fd_lock", fdFile, lockGet, lockRead, 12, 1, outPtr)
		if o.uint32(outPtr) != lockWrite || o.uint64(outPtr+8) != 10 || o.uint64(outPtr+16) != 5 {
			t.Errorf("in the way: type %d at %d, %d bytes", o.uint32(outPtr), o.uint64(outPtr+8), o.uint64(outPtr+16))
		}
		done := make(chan errno)
		go func() { done <- o.call("fd_lock", fdFile, lockSetWait, lockWrite, 12, 1, outPtr) }()
		synctest.Wait()
		g.want(errDeadlk, "fd_lock", fdFile, lockSetWait, lockWrite, 5, 1, outPtr)
		// Closing any descriptor of the file gives up the process's locks.
		g.must("fd_close", again)
		if e := <-done; e != errSuccess {
			t.Error(e)
		}
		// A child has none of its parent's.
		child := o.as(o.host.Fork(Config{}))
		child.want(errAgain, "fd_lock", fdFile, lockSet, lockRead, 12, 1, outPtr)
	})
}
