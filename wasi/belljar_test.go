package wasi

import (
	"context"
	"io/fs"
	"math"
	"testing"
)

// belljarCalls are rows for the calls of module "belljar" that have to do with one
// process alone.
func belljarCalls() []callRow {
	return []callRow{
		{"fd_pipe", args{0, outPtr}, errSuccess},
		{"fd_pipe", args{makeCloexec | makeNonblock, outPtr}, errSuccess},
		{"fd_pipe", args{4, outPtr}, errInval},
		{"fd_pipe", args{wraps, outPtr}, errInval},
		{"fd_pipe", args{0, guestSize - 7}, errFault},
		{"fd_pipe", args{0, wraps}, errFault},
		{"fd_dup", args{fdFile, 0, 0, outPtr}, errSuccess},
		{"fd_dup", args{fdRoot, 100, makeCloexec, outPtr}, errSuccess},
		{"fd_dup", args{fdFile, 1023, 0, outPtr}, errSuccess},
		{"fd_dup", args{fdFile, 1024, 0, outPtr}, errInval},
		{"fd_dup", args{fdFile, wraps, 0, outPtr}, errInval},
		{"fd_dup", args{fdFile, 0, 2, outPtr}, errInval},
		{"fd_dup", args{fdFile, 0, 0, lastBytes}, errFault},
		{"fd_dup", args{fdClosed, 0, 0, outPtr}, errBadf},
		{"fd_dup2", args{fdFile, fdDir, 0}, errSuccess},
		{"fd_dup2", args{fdFile, fdFile, 0}, errSuccess},
		{"fd_dup2", args{fdFile, 1023, makeCloexec}, errSuccess},
		{"fd_dup2", args{fdFile, 1024, 0}, errBadf},
		{"fd_dup2", args{fdFile, wraps, 0}, errBadf},
		{"fd_dup2", args{fdFile, fdDir, 2}, errInval},
		{"fd_dup2", args{fdClosed, fdFile, 0}, errBadf},
		{"fd_dup2", args{fdClosed, fdClosed, 0}, errBadf},
		{"fd_flags_get", args{fdFile, outPtr}, errSuccess},
		{"fd_flags_get", args{fdFile, lastBytes}, errFault},
		{"fd_flags_get", args{fdClosed, outPtr}, errBadf},
		{"fd_flags_set", args{fdFile, 1}, errSuccess},
		{"fd_flags_set", args{fdFile, 2}, errInval},
		{"fd_flags_set", args{fdClosed, 1}, errBadf},

		{"fd_stat", args{fdFile, outPtr}, errSuccess},
		{"fd_stat", args{fdReader, outPtr}, errSuccess},
		{"fd_stat", args{fdFile, guestSize - 95}, errFault},
		{"fd_stat", args{fdBare, outPtr}, errNotcapable},
		{"fd_stat", args{fdClosed, outPtr}, errBadf},
		{"path_stat", args{fdRoot, 1, "link", outPtr}, errSuccess},
		{"path_stat", args{fdRoot, 1, "dangling", outPtr}, errNoent},
		{"path_stat", args{fdRoot, 0, "dev/fd/4", outPtr}, errSuccess},
		{"path_stat", args{fdRoot, 1, "dev/fd/4", outPtr}, errSuccess},
		{"path_stat", args{fdRoot, 2, "f", outPtr}, errInval},
		{"path_stat", args{fdRoot, 0, "f", guestSize - 95}, errFault},
		{"path_stat", args{fdRoot, 0, past, 1, outPtr}, errFault},
		{"path_stat", args{fdRoot, 0, "\xff", outPtr}, errIlseq},
		{"path_stat", args{fdBareDir, 0, "sub", outPtr}, errNotcapable},
		{"path_stat", args{fdClosed, 0, "f", outPtr}, errBadf},
		{"fd_chmod", args{fdFile, 0o600}, errSuccess},
		{"fd_chmod", args{fdDir, 0o700}, errSuccess},
		{"fd_chmod", args{fdReader, 0o600}, errInval},
		{"fd_chmod", args{fdClosed, 0o600}, errBadf},
		{"path_chmod", args{fdRoot, 1, "link", 0o600}, errSuccess},
		{"path_chmod", args{fdRoot, 0, "link", 0o600}, errNotsup},
		{"path_chmod", args{fdRoot, 0, "no", 0o600}, errNoent},
		{"path_chmod", args{fdRoot, 4, "f", 0o600}, errInval},
		{"path_chmod", args{fdRoot, 0, past, 1, 0o600}, errFault},
		{"path_chmod", args{fdClosed, 0, "f", 0o600}, errBadf},
		{"fd_chown", args{fdFile, 5, 6}, errSuccess},
		{"fd_chown", args{fdFile, wraps, wraps}, errSuccess},
		{"fd_chown", args{fdReader, 5, 6}, errInval},
		{"fd_chown", args{fdClosed, 5, 6}, errBadf},
		{"path_chown", args{fdRoot, 0, "link", 5, 6}, errSuccess},
		{"path_chown", args{fdRoot, 1, "dangling", 5, 6}, errNoent},
		{"path_chown", args{fdRoot, 8, "f", 5, 6}, errInval},
		{"path_chown", args{fdRoot, 0, wraps, wraps, 5, 6}, errFault},
		{"path_chown", args{fdClosed, 0, "f", 5, 6}, errBadf},
		{"tree_room", args{outPtr}, errSuccess},
		{"tree_room", args{guestSize - 31}, errFault},
		{"tree_room", args{wraps}, errFault},
		{"fd_bytes", args{fdFile, outPtr}, errSuccess},
		{"fd_bytes", args{fdStdin, outPtr}, errSuccess},
		{"fd_bytes", args{fdReader, outPtr}, errSuccess},
		{"fd_bytes", args{fdFile, guestSize - 7}, errFault},
		{"fd_bytes", args{fdDir, outPtr}, errIsdir},
		{"fd_bytes", args{fdWriter, outPtr}, errBadf},
		{"fd_bytes", args{fdClosed, outPtr}, errBadf},

		{"fd_seek_sparse", args{fdFile, 0, whenceData, outPtr}, errSuccess},
		{"fd_seek_sparse", args{fdFile, 0, whenceHole, outPtr}, errSuccess},
		{"fd_seek_sparse", args{fdFile, 1 << 40, whenceData, outPtr}, errNxio},
		{"fd_seek_sparse", args{fdFile, -1, whenceHole, outPtr}, errNxio},
		{"fd_seek_sparse", args{fdFile, 0, whenceEnd, outPtr}, errInval},
		{"fd_seek_sparse", args{fdFile, 0, 5, outPtr}, errInval},
		{"fd_seek_sparse", args{fdFile, 0, whenceData, guestSize - 7}, errFault},
		{"fd_seek_sparse", args{fdDir, 0, whenceData, outPtr}, errIsdir},
		{"fd_seek_sparse", args{fdStdin, 0, whenceData, outPtr}, errSpipe},
		{"fd_seek_sparse", args{fdReader, 0, whenceHole, outPtr}, errSpipe},
		{"fd_seek_sparse", args{fdBare, 0, whenceData, outPtr}, errNotcapable},
		{"fd_seek_sparse", args{fdClosed, 0, whenceData, outPtr}, errBadf},

		{"fd_punch", args{fdFile, 0, 1}, errSuccess},
		{"fd_punch", args{fdFile, 0, 0}, errInval},
		{"fd_punch", args{fdFile, -1, 1}, errInval},
		{"fd_punch", args{fdFile, math.MaxInt64, 1}, errFbig},
		{"fd_punch", args{fdFile, 0, math.MaxInt64}, errFbig},
		{"fd_punch", args{fdDir, 0, 1}, errIsdir},
		{"fd_punch", args{fdStdin, 0, 1}, errSpipe},
		{"fd_punch", args{fdReadonly, 0, 1}, errBadf},
		{"fd_punch", args{fdBare, 0, 1}, errNotcapable},
		{"fd_punch", args{fdClosed, 0, 1}, errBadf},
		{"path_open_mode", args{fdRoot, 0, "new", int(openCreate), rightFdWrite, 0, 0, 0o640, 1, outPtr}, errSuccess},
		{"path_open_mode", args{fdRoot, 0, "f", 0, rightFdRead, 0, 0, 0, 2, outPtr}, errInval},
		{"path_open_mode", args{fdRoot, 0, "f", 16, rightFdRead, 0, 0, 0, 0, outPtr}, errInval},
		{"path_open_mode", args{fdRoot, 0, "f", 0, rightFdRead, 0, 0, 0, 0, lastBytes}, errFault},
		{"path_open_mode", args{fdRoot, 0, "dev/tty", 0, rightFdRead, 0, 0, 0, 0, outPtr}, errNxio},
		{"path_open_mode", args{fdRoot, 0, "dev/stdin", 0, rightFdRead, 0, 0, 0, 0, outPtr}, errSuccess},
		{"path_open_mode", args{fdRoot, 0, "dev/stdin", 0, rightFdWrite, 0, 0, 0, 0, outPtr}, errAcces},
		{"path_open_mode", args{fdRoot, 0, "dev/fd/99", 0, rightFdWrite, 0, 0, 0, 0, outPtr}, errNoent},
		{"path_open_mode", args{fdRoot, 0, "dev/fd/x", 0, rightFdWrite, 0, 0, 0, 0, outPtr}, errNoent},
		{"path_open_mode", args{fdRoot, 0, "dev/fd/4", int(openDirectory), rightFdRead, 0, 0, 0, 0, outPtr}, errNotdir},
		{"path_open_mode", args{fdRoot, 0, "dev/fd/5", 0, rightFdWrite, 0, 0, 0, 0, outPtr}, errIsdir},
		{"path_open_mode", args{fdRoot, 0, "dev/fd/4", int(openCreate | openExclusive), 0, 0, 0, 0, 0, outPtr}, errExist},
		{"path_open_mode", args{fdBareDir, 0, "sub", 0, rightFdRead, 0, 0, 0, 0, outPtr}, errNotcapable},
		{"path_open_mode", args{fdClosed, 0, "f", 0, rightFdRead, 0, 0, 0, 0, outPtr}, errBadf},
		{"path_mkdir_mode", args{fdRoot, "new", 0o700}, errSuccess},
		{"path_mkdir_mode", args{fdRoot, "d", 0o700}, errExist},
		{"path_mkdir_mode", args{fdRoot, past, 1, 0o700}, errFault},
		{"path_mkdir_mode", args{fdBareDir, "new", 0o700}, errNotcapable},
		{"path_mkdir_mode", args{fdClosed, "new", 0o700}, errBadf},
		{"path_mkfifo", args{fdRoot, "new", 0o600}, errSuccess},
		{"path_mkfifo", args{fdRoot, "f", 0o600}, errExist},
		{"path_mkfifo", args{fdRoot, "no/new", 0o600}, errNoent},
		{"path_mkfifo", args{fdRoot, past, 1, 0o600}, errFault},
		{"path_mkfifo", args{fdBareDir, "new", 0o600}, errNotcapable},
		{"path_mkfifo", args{fdClosed, "new", 0o600}, errBadf},
		{"fd_flock", args{fdFile, flockShared}, errSuccess},
		{"fd_flock", args{fdDir, flockExclusive | flockNonblock}, errSuccess},
		{"fd_flock", args{fdFile, flockUnlock}, errSuccess},
		{"fd_flock", args{fdFile, 0}, errInval},
		{"fd_flock", args{fdFile, 3}, errInval},
		{"fd_flock", args{fdFile, wraps}, errInval},
		{"fd_flock", args{fdReader, flockShared}, errInval},
		{"fd_flock", args{fdClosed, flockShared}, errBadf},
		{"fd_lock", args{fdFile, lockSet, lockWrite, 0, 0, outPtr}, errSuccess},
		{"fd_lock", args{fdFile, lockSet, lockWrite, -1, 0, outPtr}, errInval},
		{"fd_lock", args{fdFile, lockSet, lockWrite, math.MaxInt64, math.MaxInt64, outPtr}, errOverflow},
		{"fd_lock", args{fdFile, lockSet, 3, 0, 0, outPtr}, errInval},
		{"fd_lock", args{fdFile, 3, lockRead, 0, 0, outPtr}, errInval},
		{"fd_lock", args{fdReadonly, lockSet, lockWrite, 0, 0, outPtr}, errBadf},
		{"fd_lock", args{fdFile, lockGet, lockRead, 0, 0, outPtr}, errSuccess},
		{"fd_lock", args{fdFile, lockGet, lockRead, 0, 0, guestSize - 23}, errFault},
		{"fd_lock", args{fdReader, lockSet, lockRead, 0, 0, outPtr}, errInval},
		{"fd_lock", args{fdClosed, lockSet, lockRead, 0, 0, outPtr}, errBadf},
		{"path_rename_flags", args{fdRoot, "f", fdRoot, "d/sub", 0}, errSuccess},
		{"path_rename_flags", args{fdRoot, "f", fdRoot, "d/sub", 1}, errExist},
		{"path_rename_flags", args{fdRoot, "f", fdRoot, "d/sub", 2}, errSuccess},
		{"path_rename_flags", args{fdRoot, "f", fdRoot, "new", 2}, errNoent},
		{"path_rename_flags", args{fdRoot, "f", fdRoot, "new", 3}, errInval},
		{"path_rename_flags", args{fdRoot, "f", fdRoot, "new", wraps}, errInval},
		{"path_rename_flags", args{fdRoot, past, 1, fdRoot, "new", 0}, errFault},
		{"path_rename_flags", args{fdBareDir, "sub", fdRoot, "new", 0}, errNotcapable},
		{"path_rename_flags", args{fdClosed, "f", fdRoot, "new", 0}, errBadf},
		{"fd_xattr_set", args{fdFile, "user.a", "value", 0}, errSuccess},
		{"fd_xattr_set", args{fdFile, "user.a", "value", 2}, errNomsg},
		{"fd_xattr_set", args{fdFile, "user.a", "value", 4}, errInval},
		{"fd_xattr_set", args{fdFile, "user.a", past, 1, 0}, errFault},
		{"fd_xattr_set", args{fdFile, past, 1, "value", 0}, errFault},
		{"fd_xattr_get", args{fdReader, "user.a", bufPtr, 10, outPtr}, errNotsup},
		{"fd_xattr_set", args{fdBare, "user.a", "value", 0}, errNotcapable},
		{"fd_xattr_set", args{fdClosed, "user.a", "value", 0}, errBadf},
		{"fd_xattr_get", args{fdFile, "user.a", bufPtr, 10, outPtr}, errNomsg},
		{"fd_xattr_get", args{fdFile, "user.a", bufPtr, guestSize, outPtr}, errFault},
		{"fd_xattr_get", args{fdFile, "user.a", bufPtr, 10, lastBytes}, errFault},
		{"fd_xattr_get", args{fdBare, "user.a", bufPtr, 10, outPtr}, errNotcapable},
		{"fd_xattr_get", args{fdClosed, "user.a", bufPtr, 10, outPtr}, errBadf},
		{"fd_xattr_list", args{fdDir, bufPtr, 10, outPtr}, errSuccess},
		{"fd_xattr_list", args{fdDir, past, 10, outPtr}, errFault},
		{"fd_xattr_list", args{fdClosed, bufPtr, 10, outPtr}, errBadf},
		{"fd_xattr_remove", args{fdFile, "user.a"}, errNomsg},
		{"fd_xattr_remove", args{fdFile, past, 1}, errFault},
		{"fd_xattr_remove", args{fdClosed, "user.a"}, errBadf},
		{"path_xattr_set", args{fdRoot, 1, "link", "user.a", "value", 1}, errSuccess},
		{"path_xattr_set", args{fdRoot, 1, "no", "user.a", "value", 1}, errNoent},
		{"path_xattr_set", args{fdRoot, 2, "f", "user.a", "value", 1}, errInval},
		{"path_xattr_set", args{fdBareDir, 1, "sub", "user.a", "value", 1}, errNotcapable},
		{"path_xattr_set", args{fdClosed, 1, "f", "user.a", "value", 1}, errBadf},
		{"path_xattr_get", args{fdRoot, 1, "f", "user.a", bufPtr, 10, outPtr}, errNomsg},
		{"path_xattr_get", args{fdRoot, 1, past, 1, "user.a", bufPtr, 10, outPtr}, errFault},
		{"path_xattr_get", args{fdRoot, 2, "f", "user.a", bufPtr, 10, outPtr}, errInval},
		{"path_xattr_get", args{fdClosed, 1, "f", "user.a", bufPtr, 10, outPtr}, errBadf},
		{"path_xattr_list", args{fdRoot, 1, "f", bufPtr, 10, outPtr}, errSuccess},
		{"path_xattr_list", args{fdRoot, 1, "dangling", bufPtr, 10, outPtr}, errNoent},
		{"path_xattr_list", args{fdClosed, 1, "f", bufPtr, 10, outPtr}, errBadf},
		{"path_xattr_remove", args{fdRoot, 1, "f", "user.a"}, errNomsg},
		{"path_xattr_remove", args{fdRoot, 1, "f", past, 1}, errFault},
		{"path_xattr_remove", args{fdClosed, 1, "f", "user.a"}, errBadf},
		{"path_access", args{fdRoot, 1, "f", 6}, errSuccess},
		{"path_access", args{fdRoot, 1, "f", 1}, errAcces},
		{"path_access", args{fdRoot, 1, "dangling", 0}, errNoent},
		{"path_access", args{fdRoot, 0, "dangling", 0}, errSuccess},
		{"path_access", args{fdRoot, 1, "f", 8}, errInval},
		{"path_access", args{fdRoot, 2, "f", 0}, errInval},
		{"path_access", args{fdRoot, 1, past, 1, 0}, errFault},
		{"path_access", args{fdRoot, 1, "dev/stdin", 4}, errSuccess},
		{"path_access", args{fdRoot, 1, "dev/stdin", 2}, errAcces},
		{"path_access", args{fdClosed, 1, "f", 0}, errBadf},
		{"proc_paths", args{pathsPreview1}, errSuccess},
		{"proc_paths", args{pathsPOSIX}, errSuccess},
		{"proc_paths", args{2}, errInval},

		{"host_call", args{"echo", "x", outPtr}, errNoent},
		{"host_call", args{past, 1, "x", outPtr}, errFault},
		{"host_call", args{"echo", past, 1, outPtr}, errFault},
		{"host_call", args{"echo", wraps, wraps, outPtr}, errFault},
		{"host_call", args{"echo", "x", lastBytes}, errFault},
		{"host_call", args{bufPtr, 256, "x", outPtr}, errNametoolong},
		{"host_take", args{bufPtr, 0}, errSuccess},
		{"host_take", args{bufPtr, 1}, errRange},
		{"host_take", args{past, 1}, errFault},

		{"proc_cwd_get", args{bufPtr, 5, outPtr}, errSuccess},
		{"proc_cwd_get", args{bufPtr, 4, outPtr}, errRange},
		{"proc_cwd_get", args{0, 0, outPtr}, errRange},
		{"proc_cwd_get", args{past, 5, outPtr}, errFault},
		{"proc_cwd_get", args{bufPtr, wraps, outPtr}, errFault},
		{"proc_cwd_get", args{bufPtr, 5, lastBytes}, errFault},
	}
}

func TestServices(t *testing.T) {
	g := newGuest(t, Config{Services: func(_ context.Context, name string, request []byte) ([]byte, error) {
		switch name {
		case "double":
			return append(request, request...), nil
		case "refuse":
			return nil, fs.ErrPermission
		}
		return nil, fs.ErrNotExist
	}})
	g.must("host_call", "double", "abc", outPtr)
	if n := g.uint32(outPtr); n != 6 {
		t.Fatalf("the answer has %d bytes", n)
	}
	for range 2 { // the answer is kept
		g.must("host_take", bufPtr, 6)
		if got := g.read(bufPtr, 6); got != "abcabc" {
			t.Errorf("answer %q", got)
		}
	}
	g.want(errRange, "host_take", bufPtr, 7)
	g.want(errAcces, "host_call", "refuse", "", outPtr)
	g.want(errRange, "host_take", bufPtr, 1)
	g.want(errNoent, "host_call", "other", "", outPtr)
}

// TestDupSharesTheDescription checks that copies have one offset and one set of status
// flags, and flags of their own.
func TestDupSharesTheDescription(t *testing.T) {
	g := newFixture(t)
	g.must("fd_dup", fdFile, 0, makeCloexec, outPtr)
	copied := g.uint32(outPtr)
	if s, _ := g.scan(fdFile, 2); s != "he" {
		t.Errorf("read %q", s)
	}
	if s, _ := g.scan(copied, 2); s != "ll" {
		t.Errorf("the copy has another offset: %q", s)
	}
	g.must("fd_fdstat_set_flags", copied, int(flagAppend))
	g.must("fd_fdstat_get", fdFile, outPtr)
	if flags := g.uint32(outPtr) >> 16; flags != uint32(flagAppend) {
		t.Errorf("status flags %#x", flags)
	}
	for fd, want := range map[uint32]uint32{fdFile: 0, copied: makeCloexec} {
		if g.must("fd_flags_get", fd, outPtr); g.uint32(outPtr) != want {
			t.Errorf("flags of %d: %d", fd, g.uint32(outPtr))
		}
	}
	g.must("fd_close", fdFile)
	if s, _ := g.scan(copied, 2); s != "o" {
		t.Errorf("after the first is closed: %q", s)
	}
}

func TestDupNumbers(t *testing.T) {
	g := newFixture(t)
	for _, c := range []struct{ least, want uint32 }{{0, 11}, {0, 12}, {20, 20}, {20, 21}, {3, 13}} {
		if g.must("fd_dup", fdFile, c.least, 0, outPtr); g.uint32(outPtr) != c.want {
			t.Errorf("from %d: %d, want %d", c.least, g.uint32(outPtr), c.want)
		}
	}
	g.must("fd_close", 5)
	if g.must("fd_dup", fdFile, 0, 0, outPtr); g.uint32(outPtr) != 5 {
		t.Errorf("not the lowest: %d", g.uint32(outPtr))
	}
	g.must("fd_dup2", fdFile, 1023, 0)
	g.want(errMfile, "fd_dup", fdFile, 1023, 0, outPtr)
	g.must("fd_dup", fdFile, 1022, 0, outPtr)
}

// TestDup2Closes checks that the pipe's end that dup2 replaces is closed.
func TestDup2Closes(t *testing.T) {
	g := newFixture(t)
	g.must("fd_dup2", fdFile, fdWriter, 0)
	if s, e := g.scan(fdReader, 1); s != "" || e != errSuccess {
		t.Errorf("the pipe isn't at its end: %q %v", s, e)
	}
}

func TestPipeDescriptors(t *testing.T) {
	g := newGuest(t, Config{MaxFiles: 6})
	g.must("fd_pipe", makeNonblock, outPtr)
	r, w := g.uint32(outPtr), g.uint32(outPtr+4)
	if _, e := g.scan(r, 1); e != errAgain {
		t.Errorf("empty, without waiting: %v", e)
	}
	if _, e := g.print(w, "abc"); e != errSuccess {
		t.Error(e)
	}
	if s, _ := g.scan(r, 10); s != "abc" {
		t.Errorf("read %q", s)
	}
	g.want(errMfile, "fd_pipe", 0, outPtr)
	g.must("fd_close", w)
	g.want(errMfile, "fd_pipe", 0, outPtr)
	g.want(errSuccess, "fd_dup", r, 0, 0, outPtr) // the number that fd_pipe had taken is free again
}
