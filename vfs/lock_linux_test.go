package vfs

import (
	"io"
	"math/rand/v2"
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

// TestKernelFlock runs random calls on several Files of one file against the kernel.
func TestKernelFlock(t *testing.T) {
	name := scratch(t) + "/f"
	must(t, os.WriteFile(name, nil, 0o644))
	modes := map[LockMode]int{LockNone: unix.LOCK_UN, LockShared: unix.LOCK_SH, LockExclusive: unix.LOCK_EX}
	_, ours := lockTree(t, 4)
	var theirs []*os.File
	for range ours {
		f, err := os.OpenFile(name, os.O_RDWR, 0)
		must(t, err)
		defer f.Close()
		theirs = append(theirs, f)
	}
	r := rand.New(rand.NewPCG(1, 1))
	for step := range 5000 {
		i, mode := r.IntN(len(ours)), LockMode(r.IntN(3))
		want := unix.Flock(int(theirs[i].Fd()), modes[mode]|unix.LOCK_NB)
		if got := ours[i].TryFlock(mode); errnoName(got) != errnoName(want) {
			t.Fatalf("step %d: File %d to %d: %s, the kernel says %s", step, i, mode, errnoName(got), errnoName(want))
		}
	}
}

// TestKernelRecordLocks runs random calls of several owners against the kernel's locks of open file descriptions, which
// differ from those of processes in nothing but whose they are.
func TestKernelRecordLocks(t *testing.T) {
	name := scratch(t) + "/f"
	must(t, os.WriteFile(name, nil, 0o644))
	types := map[LockMode]int16{LockNone: unix.F_UNLCK, LockShared: unix.F_RDLCK, LockExclusive: unix.F_WRLCK}
	tr, files := lockTree(t, 1)
	var theirs []*os.File
	for range 3 {
		f, err := os.OpenFile(name, os.O_RDWR, 0)
		must(t, err)
		defer f.Close()
		theirs = append(theirs, f)
	}
	r := rand.New(rand.NewPCG(1, 1))
	for step := range 20000 {
		i := r.IntN(len(theirs))
		l := RecordLock{Owner: uint64(i), Mode: LockMode(r.IntN(3)), Start: r.Int64N(12), Len: r.Int64N(9) - 2}
		k := unix.Flock_t{Type: types[l.Mode], Whence: io.SeekStart, Start: l.Start, Len: l.Len}
		if l.Mode != LockNone && r.IntN(2) == 0 {
			want := unix.FcntlFlock(theirs[i].Fd(), unix.F_OFD_GETLK, &k)
			held, found, got := files[0].GetLock(l)
			if errnoName(got) != errnoName(want) || found != (want == nil && k.Type != unix.F_UNLCK) {
				t.Fatalf("step %d: ask %+v: %+v %v %s; the kernel says %+v %s", step, l, held, found, errnoName(got), k, errnoName(want))
			}
			continue
		}
		want := unix.FcntlFlock(theirs[i].Fd(), unix.F_OFD_SETLK, &k)
		if got := files[0].TrySetLock(l); errnoName(got) != errnoName(want) {
			t.Fatalf("step %d: set %+v: %s, the kernel says %s", step, l, errnoName(got), errnoName(want))
		}
		if n := len(tr.locks.files); n > 1 {
			t.Fatal("locks on", n, "files")
		}
	}
}
