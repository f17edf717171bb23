package wasi

import (
	"encoding/binary"
	"math"
	"strings"
	"testing"

	"github.com/belljar-dev/belljar/vfs"
)

// The descriptors of a fixture.
const (
	fdStdin = iota
	fdStdout
	fdStderr
	fdRoot
	fdFile     // "f", with all rights
	fdDir      // "d", with all rights
	fdReader   // a pipe with nothing in it
	fdWriter   // its other end
	fdReadonly // "f", opened to read
	fdBare     // "f", opened to read and write, with all rights given up
	fdBareDir  // "d", with all rights given up
	fdClosed   = 99
)

// Pointers that hostile guests pass.
const (
	lastBytes = guestSize - 3 // three bytes are left
	past      = guestSize
	wraps     = math.MaxUint32
)

// newFixture makes a guest with a few files and the descriptors above.
func newFixture(t testing.TB) *guest {
	tree := vfs.New(vfs.Config{})
	for _, err := range []error{
		tree.WriteFile("/f", []byte("hello"), 0o666),
		tree.MkdirAll("/d/empty", 0o777),
		tree.WriteFile("/d/sub", nil, 0o666),
		tree.Symlink("f", "/link"),
		tree.Symlink("d", "/dlink"),
		tree.Symlink("nowhere", "/dangling"),
		tree.Symlink("loop", "/loop"),
		tree.Symlink("../../../f", "/d/climber"),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	g := newGuest(t, Config{
		Args: []string{"prog", "arg"},
		Env:  []string{"A=1"},
		Dir:  "/home",
		Tree: tree,

		Kernel: fakeKernel{},
	})
	g.open("f", 0, fileRights)
	g.open("d", openDirectory, dirRights)
	r, w := NewPipe()
	for _, d := range []descriptor{
		{description: newDescription(r, true, false, 0), base: inputRights},
		{description: newDescription(w, false, true, 0), base: outputRights},
	} {
		if _, e := g.host.files.insert(d); e != errSuccess {
			t.Fatal(e)
		}
	}
	g.open("f", 0, fileRights&^rightFdWrite)
	g.must("fd_fdstat_set_rights", g.open("f", 0, fileRights), 0, 0)
	g.must("fd_fdstat_set_rights", g.open("d", openDirectory, dirRights), 0, 0)
	return g
}

// oneBuffer is what a row gives for the list of one good buffer of four bytes, and
// hugeBuffer for one that reaches past the end of memory.
const (
	listPtr = 0x200
	hugePtr = 0x210
	wrapPtr = 0x220
	subPtr  = 0x300
)

func (g *guest) writeLists() {
	for ptr, v := range map[uint32][2]uint32{
		listPtr: {bufPtr, 4},
		hugePtr: {bufPtr, guestSize},
		wrapPtr: {0xfffffff0, 0x20},
	} {
		g.mod.Memory().WriteUint32Le(ptr, v[0])
		g.mod.Memory().WriteUint32Le(ptr+4, v[1])
	}
}

type args []any

// callRow is a call on a new fixture, and what it must answer.
type callRow struct {
	call string
	args args
	want errno
}

// callTables has rows for every function there is.
var callTables = []func() []callRow{preview1Calls, belljarCalls, socketCalls, kernelCalls}

// TestCalls calls every function with good, bad and hostile arguments.
func TestCalls(t *testing.T) {
	called := make(map[string]bool)
	for _, table := range callTables {
		for _, row := range table() {
			called[row.call] = true
			g := newFixture(t)
			g.writeLists()
			g.mod.Memory().WriteByte(bufPtr+8, 3) // the type of a subscription there
			g.want(row.want, row.call, row.args...)
		}
	}
	for _, e := range append(preview1(), extension()...) {
		if !called[e.name] {
			t.Errorf("%s isn't called", e.name)
		}
	}
}

func preview1Calls() []callRow {
	const all, max = fileRights | dirRights, uint64(math.MaxUint64)
	long := strings.Repeat("x", 256)
	return []callRow{
		{"args_sizes_get", args{outPtr, outPtr + 4}, errSuccess},
		{"args_sizes_get", args{lastBytes, outPtr}, errFault},
		{"args_sizes_get", args{outPtr, past}, errFault},
		{"args_get", args{outPtr, bufPtr}, errSuccess},
		{"args_get", args{guestSize - 7, bufPtr}, errFault},
		{"args_get", args{outPtr, lastBytes}, errFault},
		{"args_get", args{wraps, wraps}, errFault},
		{"environ_sizes_get", args{outPtr, outPtr + 4}, errSuccess},
		{"environ_sizes_get", args{wraps, outPtr}, errFault},
		{"environ_get", args{outPtr, bufPtr}, errSuccess},
		{"environ_get", args{outPtr, past}, errFault},
		{"environ_get", args{lastBytes, bufPtr}, errFault},

		{"clock_res_get", args{0, outPtr}, errSuccess},
		{"clock_res_get", args{3, outPtr}, errSuccess},
		{"clock_res_get", args{4, outPtr}, errInval},
		{"clock_res_get", args{wraps, outPtr}, errInval},
		{"clock_res_get", args{0, guestSize - 7}, errFault},
		{"clock_time_get", args{0, 0, outPtr}, errSuccess},
		{"clock_time_get", args{1, max, outPtr}, errSuccess},
		{"clock_time_get", args{2, 0, outPtr}, errSuccess},
		{"clock_time_get", args{3, 0, outPtr}, errSuccess},
		{"clock_time_get", args{4, 0, outPtr}, errInval},
		{"clock_time_get", args{0, 0, past}, errFault},

		{"fd_advise", args{fdFile, 0, 10, 0}, errSuccess},
		{"fd_advise", args{fdFile, 0, 0, 5}, errSuccess},
		{"fd_advise", args{fdFile, 0, 0, 6}, errInval},
		{"fd_advise", args{fdFile, 0, 0, 256}, errInval},
		{"fd_advise", args{fdFile, max, 0, 0}, errInval},
		{"fd_advise", args{fdFile, 0, max, 0}, errInval},
		{"fd_advise", args{fdDir, 0, 0, 0}, errIsdir},
		{"fd_advise", args{fdReader, 0, 0, 0}, errSpipe},
		{"fd_advise", args{fdBare, 0, 0, 0}, errNotcapable},
		{"fd_advise", args{fdClosed, 0, 0, 0}, errBadf},

		{"fd_allocate", args{fdFile, 0, 10}, errSuccess},
		{"fd_allocate", args{fdFile, 0, 0}, errInval},
		{"fd_allocate", args{fdFile, max, 1}, errInval},
		{"fd_allocate", args{fdFile, 1, max}, errInval},
		{"fd_allocate", args{fdFile, math.MaxInt64, 1}, errFbig},
		{"fd_allocate", args{fdFile, 0, math.MaxInt64}, errFbig},
		{"fd_allocate", args{fdDir, 0, 1}, errIsdir},
		{"fd_allocate", args{fdStdin, 0, 1}, errSpipe},
		{"fd_allocate", args{fdReadonly, 0, 1}, errBadf},
		{"fd_allocate", args{fdBare, 0, 1}, errNotcapable},
		{"fd_allocate", args{fdClosed, 0, 1}, errBadf},

		{"fd_close", args{fdFile}, errSuccess},
		{"fd_close", args{fdRoot}, errSuccess},
		{"fd_close", args{fdStdin}, errSuccess},
		{"fd_close", args{fdClosed}, errBadf},
		{"fd_close", args{wraps}, errBadf},
		{"fd_close", args{math.MaxInt32}, errBadf},

		{"fd_datasync", args{fdFile}, errSuccess},
		{"fd_datasync", args{fdDir}, errSuccess},
		{"fd_datasync", args{fdStdout}, errInval},
		{"fd_datasync", args{fdBare}, errNotcapable},
		{"fd_datasync", args{fdClosed}, errBadf},
		{"fd_sync", args{fdFile}, errSuccess},
		{"fd_sync", args{fdDir}, errSuccess},
		{"fd_sync", args{fdWriter}, errInval},
		{"fd_sync", args{fdBareDir}, errNotcapable},
		{"fd_sync", args{fdClosed}, errBadf},

		{"fd_fdstat_get", args{fdFile, outPtr}, errSuccess},
		{"fd_fdstat_get", args{fdBare, outPtr}, errSuccess},
		{"fd_fdstat_get", args{fdStdin, outPtr}, errSuccess},
		{"fd_fdstat_get", args{fdFile, guestSize - 23}, errFault},
		{"fd_fdstat_get", args{fdClosed, outPtr}, errBadf},
		{"fd_fdstat_set_flags", args{fdFile, int(allFdFlags)}, errSuccess},
		{"fd_fdstat_set_flags", args{fdReader, int(flagNonblock)}, errSuccess},
		{"fd_fdstat_set_flags", args{fdFile, 32}, errInval},
		{"fd_fdstat_set_flags", args{fdFile, 1 << 16}, errInval},
		{"fd_fdstat_set_flags", args{fdBare, 0}, errNotcapable},
		{"fd_fdstat_set_flags", args{fdClosed, 0}, errBadf},
		{"fd_fdstat_set_rights", args{fdFile, fileRights, 0}, errSuccess},
		{"fd_fdstat_set_rights", args{fdFile, 0, 0}, errSuccess},
		{"fd_fdstat_set_rights", args{fdFile, all, 0}, errNotcapable},
		{"fd_fdstat_set_rights", args{fdFile, 0, max}, errNotcapable},
		{"fd_fdstat_set_rights", args{fdBare, rightFdRead, 0}, errNotcapable},
		{"fd_fdstat_set_rights", args{fdClosed, 0, 0}, errBadf},

		{"fd_filestat_get", args{fdFile, outPtr}, errSuccess},
		{"fd_filestat_get", args{fdDir, outPtr}, errSuccess},
		{"fd_filestat_get", args{fdReader, outPtr}, errSuccess},
		{"fd_filestat_get", args{fdStdout, outPtr}, errSuccess},
		{"fd_filestat_get", args{fdFile, guestSize - 63}, errFault},
		{"fd_filestat_get", args{fdFile, wraps}, errFault},
		{"fd_filestat_get", args{fdBare, outPtr}, errNotcapable},
		{"fd_filestat_get", args{fdClosed, outPtr}, errBadf},
		{"fd_filestat_set_size", args{fdFile, 3}, errSuccess},
		{"fd_filestat_set_size", args{fdFile, 1 << 30}, errSuccess},
		{"fd_filestat_set_size", args{fdFile, max}, errFbig},
		{"fd_filestat_set_size", args{fdFile, math.MaxInt64}, errFbig},
		{"fd_filestat_set_size", args{fdDir, 0}, errIsdir},
		{"fd_filestat_set_size", args{fdWriter, 0}, errInval},
		{"fd_filestat_set_size", args{fdReadonly, 0}, errInval},
		{"fd_filestat_set_size", args{fdBare, 0}, errNotcapable},
		{"fd_filestat_set_size", args{fdClosed, 0}, errBadf},
		{"fd_filestat_set_times", args{fdFile, 1, 2, int(setAtime | setMtime)}, errSuccess},
		{"fd_filestat_set_times", args{fdFile, max, max, int(setAtime | setMtime)}, errSuccess},
		{"fd_filestat_set_times", args{fdDir, 0, 0, int(setAtimeNow | setMtimeNow)}, errSuccess},
		{"fd_filestat_set_times", args{fdFile, 0, 0, 0}, errSuccess},
		{"fd_filestat_set_times", args{fdFile, 0, 0, int(setAtime | setAtimeNow)}, errInval},
		{"fd_filestat_set_times", args{fdFile, 0, 0, int(setMtime | setMtimeNow)}, errInval},
		{"fd_filestat_set_times", args{fdFile, 0, 0, 16}, errInval},
		{"fd_filestat_set_times", args{fdReader, 0, 0, 0}, errNotcapable},
		{"fd_filestat_set_times", args{fdBare, 0, 0, 0}, errNotcapable},
		{"fd_filestat_set_times", args{fdClosed, 0, 0, 0}, errBadf},

		{"fd_pread", args{fdFile, listPtr, 1, 0, outPtr}, errSuccess},
		{"fd_pread", args{fdFile, listPtr, 1, 1 << 40, outPtr}, errSuccess},
		{"fd_pread", args{fdFile, listPtr, 0, 0, outPtr}, errSuccess},
		{"fd_pread", args{fdFile, listPtr, 1, max, outPtr}, errInval},
		{"fd_pread", args{fdFile, listPtr, 1, math.MaxInt64, outPtr}, errInval},
		{"fd_pread", args{fdFile, hugePtr, 1, 0, outPtr}, errFault},
		{"fd_pread", args{fdFile, listPtr, 1, 0, lastBytes}, errFault},
		{"fd_pread", args{fdDir, listPtr, 1, 0, outPtr}, errIsdir},
		{"fd_pread", args{fdReader, listPtr, 1, 0, outPtr}, errSpipe},
		{"fd_pread", args{fdStdin, listPtr, 1, 0, outPtr}, errSpipe},
		{"fd_pread", args{fdStdout, listPtr, 1, 0, outPtr}, errBadf},
		{"fd_pread", args{fdBare, listPtr, 1, 0, outPtr}, errNotcapable},
		{"fd_pread", args{fdClosed, listPtr, 1, 0, outPtr}, errBadf},
		{"fd_pwrite", args{fdFile, listPtr, 1, 0, outPtr}, errSuccess},
		{"fd_pwrite", args{fdFile, listPtr, 1, 1 << 62, outPtr}, errFbig},
		{"fd_pwrite", args{fdFile, listPtr, 1, max, outPtr}, errInval},
		{"fd_pwrite", args{fdFile, wrapPtr, 1, 0, outPtr}, errFault},
		{"fd_pwrite", args{fdFile, listPtr, 1, 0, past}, errFault},
		{"fd_pwrite", args{fdDir, listPtr, 1, 0, outPtr}, errIsdir},
		{"fd_pwrite", args{fdWriter, listPtr, 1, 0, outPtr}, errSpipe},
		{"fd_pwrite", args{fdReadonly, listPtr, 1, 0, outPtr}, errBadf},
		{"fd_pwrite", args{fdBare, listPtr, 1, 0, outPtr}, errNotcapable},
		{"fd_pwrite", args{fdClosed, listPtr, 1, 0, outPtr}, errBadf},

		{"fd_prestat_get", args{fdRoot, outPtr}, errSuccess},
		{"fd_prestat_get", args{fdRoot, guestSize - 7}, errFault},
		{"fd_prestat_get", args{fdDir, outPtr}, errBadf},
		{"fd_prestat_get", args{fdFile, outPtr}, errBadf},
		{"fd_prestat_get", args{fdClosed, outPtr}, errBadf},
		{"fd_prestat_dir_name", args{fdRoot, outPtr, 1}, errSuccess},
		{"fd_prestat_dir_name", args{fdRoot, outPtr, 2}, errSuccess},
		{"fd_prestat_dir_name", args{fdRoot, outPtr, 0}, errNametoolong},
		{"fd_prestat_dir_name", args{fdRoot, past, 1}, errFault},
		{"fd_prestat_dir_name", args{fdDir, outPtr, 1}, errBadf},
		{"fd_prestat_dir_name", args{fdClosed, outPtr, 1}, errBadf},

		{"fd_read", args{fdFile, listPtr, 1, outPtr}, errSuccess},
		{"fd_read", args{fdFile, listPtr, 0, outPtr}, errSuccess},
		{"fd_read", args{fdStdin, listPtr, 1, outPtr}, errSuccess},
		{"fd_read", args{fdFile, hugePtr, 1, outPtr}, errFault},
		{"fd_read", args{fdFile, wrapPtr, 1, outPtr}, errFault},
		{"fd_read", args{fdFile, guestSize - 7, 1, outPtr}, errFault},
		{"fd_read", args{fdFile, wraps, 1, outPtr}, errFault},
		{"fd_read", args{fdFile, 0, 1 << 16, outPtr}, errFault},
		{"fd_read", args{fdFile, 0, 1<<16 + 1, outPtr}, errInval},
		{"fd_read", args{fdFile, listPtr, wraps, outPtr}, errInval},
		{"fd_read", args{fdFile, listPtr, 1, lastBytes}, errFault},
		{"fd_read", args{fdDir, listPtr, 1, outPtr}, errIsdir},
		{"fd_read", args{fdStdout, listPtr, 1, outPtr}, errBadf},
		{"fd_read", args{fdWriter, listPtr, 1, outPtr}, errBadf},
		{"fd_read", args{fdBare, listPtr, 1, outPtr}, errNotcapable},
		{"fd_read", args{fdClosed, listPtr, 1, outPtr}, errBadf},

		{"fd_readdir", args{fdDir, bufPtr, 100, 0, outPtr}, errSuccess},
		{"fd_readdir", args{fdDir, bufPtr, 0, 0, outPtr}, errSuccess},
		{"fd_readdir", args{fdDir, bufPtr, guestSize - bufPtr + 1, 0, outPtr}, errFault},
		{"fd_readdir", args{fdDir, wraps, wraps, 0, outPtr}, errFault},
		{"fd_readdir", args{fdDir, bufPtr, 100, 0, past}, errFault},
		{"fd_readdir", args{fdFile, bufPtr, 100, 0, outPtr}, errNotdir},
		{"fd_readdir", args{fdReader, bufPtr, 100, 0, outPtr}, errNotdir},
		{"fd_readdir", args{fdBareDir, bufPtr, 100, 0, outPtr}, errNotcapable},
		{"fd_readdir", args{fdClosed, bufPtr, 100, 0, outPtr}, errBadf},

		{"fd_renumber", args{fdFile, fdDir}, errSuccess},
		{"fd_renumber", args{fdFile, fdFile}, errSuccess},
		{"fd_renumber", args{fdStdout, fdRoot}, errSuccess},
		{"fd_renumber", args{fdClosed, fdFile}, errBadf},
		{"fd_renumber", args{fdFile, fdClosed}, errBadf},
		{"fd_renumber", args{fdFile, wraps}, errBadf},
		{"fd_renumber", args{fdClosed, fdClosed}, errBadf},

		{"fd_seek", args{fdFile, 3, whenceSet, outPtr}, errSuccess},
		{"fd_seek", args{fdFile, 1 << 40, whenceEnd, outPtr}, errSuccess},
		{"fd_seek", args{fdFile, -1, whenceSet, outPtr}, errInval},
		{"fd_seek", args{fdFile, -6, whenceEnd, outPtr}, errInval},
		{"fd_seek", args{fdFile, 0, 3, outPtr}, errInval},
		{"fd_seek", args{fdFile, 0, 256, outPtr}, errInval},
		{"fd_seek", args{fdFile, 0, whenceSet, guestSize - 7}, errFault},
		{"fd_seek", args{fdDir, 0, whenceCur, outPtr}, errIsdir},
		{"fd_seek", args{fdStdin, 0, whenceSet, outPtr}, errSpipe},
		{"fd_seek", args{fdReader, 0, whenceSet, outPtr}, errSpipe},
		{"fd_seek", args{fdBare, 0, whenceCur, outPtr}, errNotcapable},
		{"fd_seek", args{fdClosed, 0, whenceSet, outPtr}, errBadf},
		{"fd_tell", args{fdFile, outPtr}, errSuccess},
		{"fd_tell", args{fdFile, past}, errFault},
		{"fd_tell", args{fdDir, outPtr}, errIsdir},
		{"fd_tell", args{fdWriter, outPtr}, errSpipe},
		{"fd_tell", args{fdBare, outPtr}, errNotcapable},
		{"fd_tell", args{fdClosed, outPtr}, errBadf},

		{"fd_write", args{fdFile, listPtr, 1, outPtr}, errSuccess},
		{"fd_write", args{fdStdout, listPtr, 1, outPtr}, errSuccess},
		{"fd_write", args{fdWriter, listPtr, 1, outPtr}, errSuccess},
		{"fd_write", args{fdFile, listPtr, 0, outPtr}, errSuccess},
		{"fd_write", args{fdFile, hugePtr, 1, outPtr}, errFault},
		{"fd_write", args{fdFile, wrapPtr, 1, outPtr}, errFault},
		{"fd_write", args{fdFile, wraps, 1, outPtr}, errFault},
		{"fd_write", args{fdFile, listPtr, wraps, outPtr}, errInval},
		{"fd_write", args{fdFile, listPtr, 1, wraps}, errFault},
		{"fd_write", args{fdDir, listPtr, 1, outPtr}, errIsdir},
		{"fd_write", args{fdReadonly, listPtr, 1, outPtr}, errBadf},
		{"fd_write", args{fdStdin, listPtr, 1, outPtr}, errBadf},
		{"fd_write", args{fdBare, listPtr, 1, outPtr}, errNotcapable},
		{"fd_write", args{fdClosed, listPtr, 1, outPtr}, errBadf},

		{"path_create_directory", args{fdRoot, "new"}, errSuccess},
		{"path_create_directory", args{fdRoot, "new/"}, errSuccess},
		{"path_create_directory", args{fdRoot, "d"}, errExist},
		{"path_create_directory", args{fdRoot, "no/new"}, errNoent},
		{"path_create_directory", args{fdRoot, "f/new"}, errNotdir},
		{"path_create_directory", args{fdRoot, ""}, errNoent},
		{"path_create_directory", args{fdRoot, "/new"}, errPerm},
		{"path_create_directory", args{fdRoot, "../new"}, errPerm},
		{"path_create_directory", args{fdRoot, "a\xff"}, errIlseq},
		{"path_create_directory", args{fdRoot, "a\x00"}, errInval},
		{"path_create_directory", args{fdRoot, long}, errNametoolong},
		{"path_create_directory", args{fdRoot, strings.Repeat("x/", 2049)}, errNametoolong},
		{"path_create_directory", args{fdRoot, past, 1}, errFault},
		{"path_create_directory", args{fdRoot, wraps, wraps}, errFault},
		{"path_create_directory", args{fdFile, "new"}, errNotdir},
		{"path_create_directory", args{fdReader, "new"}, errNotdir},
		{"path_create_directory", args{fdBareDir, "new"}, errNotcapable},
		{"path_create_directory", args{fdClosed, "new"}, errBadf},

		{"path_filestat_get", args{fdRoot, 0, "f", outPtr}, errSuccess},
		{"path_filestat_get", args{fdRoot, 0, "dangling", outPtr}, errSuccess},
		{"path_filestat_get", args{fdRoot, 1, "dangling", outPtr}, errNoent},
		{"path_filestat_get", args{fdRoot, 1, "loop", outPtr}, errLoop},
		{"path_filestat_get", args{fdRoot, 0, "f/", outPtr}, errNotdir},
		{"path_filestat_get", args{fdRoot, 0, "f/x", outPtr}, errNotdir},
		{"path_filestat_get", args{fdRoot, 2, "f", outPtr}, errInval},
		{"path_filestat_get", args{fdRoot, wraps, "f", outPtr}, errInval},
		{"path_filestat_get", args{fdRoot, 0, "", outPtr}, errNoent},
		{"path_filestat_get", args{fdRoot, 0, "\xc3", outPtr}, errIlseq},
		{"path_filestat_get", args{fdRoot, 0, "f", guestSize - 63}, errFault},
		{"path_filestat_get", args{fdRoot, 0, lastBytes, 4, outPtr}, errFault},
		{"path_filestat_get", args{fdFile, 0, "f", outPtr}, errNotdir},
		{"path_filestat_get", args{fdBareDir, 0, "sub", outPtr}, errNotcapable},
		{"path_filestat_get", args{fdClosed, 0, "f", outPtr}, errBadf},
		{"path_filestat_set_times", args{fdRoot, 1, "link", 1, 2, int(setAtime | setMtime)}, errSuccess},
		{"path_filestat_set_times", args{fdRoot, 0, "dangling", 1, 2, int(setMtime)}, errSuccess},
		{"path_filestat_set_times", args{fdRoot, 1, "dangling", 1, 2, int(setMtime)}, errNoent},
		{"path_filestat_set_times", args{fdRoot, 0, "f", 0, 0, int(setAtime | setAtimeNow)}, errInval},
		{"path_filestat_set_times", args{fdRoot, 0, "f", 0, 0, int(setMtime | setMtimeNow)}, errInval},
		{"path_filestat_set_times", args{fdRoot, 0, "f", 0, 0, 1 << 16}, errInval},
		{"path_filestat_set_times", args{fdRoot, 4, "f", 0, 0, 0}, errInval},
		{"path_filestat_set_times", args{fdRoot, 0, past, 1, 0, 0, 0}, errFault},
		{"path_filestat_set_times", args{fdFile, 0, "f", 0, 0, 0}, errNotdir},
		{"path_filestat_set_times", args{fdBareDir, 0, "sub", 0, 0, 0}, errNotcapable},
		{"path_filestat_set_times", args{fdClosed, 0, "f", 0, 0, 0}, errBadf},

		{"path_link", args{fdRoot, 0, "f", fdRoot, "new"}, errSuccess},
		{"path_link", args{fdRoot, 0, "f", fdDir, "new"}, errSuccess},
		{"path_link", args{fdRoot, 0, "dangling", fdRoot, "new"}, errSuccess},
		{"path_link", args{fdRoot, 1, "dangling", fdRoot, "new"}, errNoent},
		{"path_link", args{fdRoot, 1, "link", fdRoot, "new"}, errSuccess},
		{"path_link", args{fdRoot, 0, "f", fdRoot, "f"}, errExist},
		{"path_link", args{fdRoot, 0, "f", fdRoot, "dangling"}, errExist},
		{"path_link", args{fdRoot, 0, "f", fdRoot, "d"}, errExist},
		{"path_link", args{fdRoot, 0, "f", fdRoot, "new/"}, errNoent},
		{"path_link", args{fdRoot, 0, "d", fdRoot, "new"}, errPerm},
		{"path_link", args{fdRoot, 2, "f", fdRoot, "new"}, errInval},
		{"path_link", args{fdRoot, 0, "f", fdFile, "new"}, errNotdir},
		{"path_link", args{fdFile, 0, "f", fdRoot, "new"}, errNotdir},
		{"path_link", args{fdRoot, 0, "f", fdBareDir, "new"}, errNotcapable},
		{"path_link", args{fdBareDir, 0, "sub", fdRoot, "new"}, errNotcapable},
		{"path_link", args{fdRoot, 0, "f", fdRoot, past, 1}, errFault},
		{"path_link", args{fdRoot, 0, past, 1, fdRoot, "new"}, errFault},
		{"path_link", args{fdRoot, 0, "f", fdRoot, "\xff"}, errIlseq},
		{"path_link", args{fdClosed, 0, "f", fdRoot, "new"}, errBadf},
		{"path_link", args{fdRoot, 0, "f", fdClosed, "new"}, errBadf},

		{"path_open", args{fdRoot, 0, "f", 0, rightFdRead, 0, 0, outPtr}, errSuccess},
		{"path_open", args{fdRoot, 0, "f", 0, max, max, 0, outPtr}, errSuccess},
		{"path_open", args{fdRoot, 0, ".", int(openDirectory), dirRights, all, 0, outPtr}, errSuccess},
		{"path_open", args{fdRoot, 0, "d/", 0, 0, 0, 0, outPtr}, errSuccess},
		{"path_open", args{fdRoot, 0, "new", int(openCreate), 0, 0, int(allFdFlags), outPtr}, errSuccess},
		{"path_open", args{fdRoot, 0, "f", int(openTruncate), 0, 0, 0, outPtr}, errSuccess},
		{"path_open", args{fdRoot, 0, "f", int(openCreate | openExclusive), 0, 0, 0, outPtr}, errExist},
		{"path_open", args{fdRoot, 1, "dangling", int(openCreate | openExclusive), 0, 0, 0, outPtr}, errExist},
		{"path_open", args{fdRoot, 0, "new", int(openCreate | openDirectory), 0, 0, 0, outPtr}, errInval},
		{"path_open", args{fdRoot, 0, "new", 0, 0, 0, 0, outPtr}, errNoent},
		{"path_open", args{fdRoot, 0, "f", int(openDirectory), 0, 0, 0, outPtr}, errNotdir},
		{"path_open", args{fdRoot, 0, "f/", 0, 0, 0, 0, outPtr}, errNotdir},
		{"path_open", args{fdRoot, 0, "d", 0, rightFdWrite, 0, 0, outPtr}, errIsdir},
		{"path_open", args{fdRoot, 0, "d", int(openDirectory), rightFdRead | rightFdWrite, 0, 0, outPtr}, errIsdir},
		{"path_open", args{fdRoot, 0, "link", 0, 0, 0, 0, outPtr}, errLoop},
		{"path_open", args{fdRoot, 1, "link", 0, 0, 0, 0, outPtr}, errSuccess},
		{"path_open", args{fdRoot, 0, "loop", 0, 0, 0, 0, outPtr}, errLoop},
		{"path_open", args{fdRoot, 1, "loop", 0, 0, 0, 0, outPtr}, errLoop},
		{"path_open", args{fdRoot, 0, "/f", 0, 0, 0, 0, outPtr}, errPerm},
		{"path_open", args{fdRoot, 0, "../f", 0, 0, 0, 0, outPtr}, errPerm},
		{"path_open", args{fdDir, 0, "empty/../../f", 0, 0, 0, 0, outPtr}, errPerm},
		{"path_open", args{fdRoot, 0, "f\x00", 0, 0, 0, 0, outPtr}, errInval},
		{"path_open", args{fdRoot, 0, "\xed\xa0\x80", 0, 0, 0, 0, outPtr}, errIlseq},
		{"path_open", args{fdRoot, 0, "", 0, 0, 0, 0, outPtr}, errNoent},
		{"path_open", args{fdRoot, 0, "f", 16, 0, 0, 0, outPtr}, errInval},
		{"path_open", args{fdRoot, 0, "f", 1 << 16, 0, 0, 0, outPtr}, errInval},
		{"path_open", args{fdRoot, 2, "f", 0, 0, 0, 0, outPtr}, errInval},
		{"path_open", args{fdRoot, 0, "f", 0, 0, 0, 32, outPtr}, errInval},
		{"path_open", args{fdRoot, 0, "f", 0, 0, 0, 0, lastBytes}, errFault},
		{"path_open", args{fdRoot, 0, wraps, 1, 0, 0, 0, 0, outPtr}, errFault},
		{"path_open", args{fdFile, 0, "x", int(openCreate), 0, 0, 0, outPtr}, errNotdir},
		{"path_open", args{fdStdin, 0, "x", 0, 0, 0, 0, outPtr}, errNotdir},
		{"path_open", args{fdBareDir, 0, "sub", 0, 0, 0, 0, outPtr}, errNotcapable},
		{"path_open", args{fdClosed, 0, "f", 0, 0, 0, 0, outPtr}, errBadf},

		{"path_readlink", args{fdRoot, "link", bufPtr, 10, outPtr}, errSuccess},
		{"path_readlink", args{fdRoot, "link", bufPtr, 0, outPtr}, errSuccess},
		{"path_readlink", args{fdRoot, "f", bufPtr, 10, outPtr}, errInval},
		{"path_readlink", args{fdRoot, "no", bufPtr, 10, outPtr}, errNoent},
		{"path_readlink", args{fdRoot, "link", past, 1, outPtr}, errFault},
		{"path_readlink", args{fdRoot, "link", bufPtr, wraps, outPtr}, errFault},
		{"path_readlink", args{fdRoot, "link", bufPtr, 10, lastBytes}, errFault},
		{"path_readlink", args{fdFile, "link", bufPtr, 10, outPtr}, errNotdir},
		{"path_readlink", args{fdBareDir, "climber", bufPtr, 10, outPtr}, errNotcapable},
		{"path_readlink", args{fdClosed, "link", bufPtr, 10, outPtr}, errBadf},

		{"path_remove_directory", args{fdRoot, "d/empty"}, errSuccess},
		{"path_remove_directory", args{fdRoot, "d/empty/"}, errSuccess},
		{"path_remove_directory", args{fdRoot, "d"}, errNotempty},
		{"path_remove_directory", args{fdRoot, "f"}, errNotdir},
		{"path_remove_directory", args{fdRoot, "f/"}, errNotdir},
		{"path_remove_directory", args{fdRoot, "dlink"}, errNotdir},
		{"path_remove_directory", args{fdRoot, "no"}, errNoent},
		{"path_remove_directory", args{fdRoot, ".."}, errPerm},
		{"path_remove_directory", args{fdRoot, past, 1}, errFault},
		{"path_remove_directory", args{fdFile, "d"}, errNotdir},
		{"path_remove_directory", args{fdBareDir, "empty"}, errNotcapable},
		{"path_remove_directory", args{fdClosed, "d"}, errBadf},

		{"path_rename", args{fdRoot, "f", fdRoot, "new"}, errSuccess},
		{"path_rename", args{fdRoot, "f", fdDir, "sub"}, errSuccess},
		{"path_rename", args{fdRoot, "d/", fdRoot, "new/"}, errSuccess},
		{"path_rename", args{fdRoot, "f", fdRoot, "f"}, errSuccess},
		{"path_rename", args{fdRoot, "f", fdRoot, "d"}, errIsdir},
		{"path_rename", args{fdRoot, "d", fdRoot, "f"}, errNotdir},
		{"path_rename", args{fdRoot, "d", fdRoot, "d/empty/in"}, errInval},
		{"path_rename", args{fdDir, "empty", fdRoot, "d"}, errNotempty},
		{"path_rename", args{fdRoot, "no", fdRoot, "new"}, errNoent},
		{"path_rename", args{fdRoot, "f", fdRoot, "../new"}, errPerm},
		{"path_rename", args{fdRoot, "f", fdRoot, "\xff"}, errIlseq},
		{"path_rename", args{fdRoot, past, 1, fdRoot, "new"}, errFault},
		{"path_rename", args{fdRoot, "f", fdRoot, past, 1}, errFault},
		{"path_rename", args{fdFile, "f", fdRoot, "new"}, errNotdir},
		{"path_rename", args{fdRoot, "f", fdFile, "new"}, errNotdir},
		{"path_rename", args{fdBareDir, "sub", fdRoot, "new"}, errNotcapable},
		{"path_rename", args{fdRoot, "f", fdBareDir, "new"}, errNotcapable},
		{"path_rename", args{fdClosed, "f", fdRoot, "new"}, errBadf},
		{"path_rename", args{fdRoot, "f", fdClosed, "new"}, errBadf},

		{"path_symlink", args{"anything", fdRoot, "new"}, errSuccess},
		{"path_symlink", args{"../../up", fdDir, "new"}, errSuccess},
		{"path_symlink", args{"x", fdRoot, "f"}, errExist},
		{"path_symlink", args{"x", fdRoot, "dangling"}, errExist},
		{"path_symlink", args{"x", fdRoot, "new/"}, errNoent},
		{"path_symlink", args{"x", fdRoot, "d/"}, errExist},
		{"path_symlink", args{"", fdRoot, "new"}, errNoent},
		{"path_symlink", args{"x", fdRoot, ""}, errNoent},
		{"path_symlink", args{"x\x00", fdRoot, "new"}, errInval},
		{"path_symlink", args{"\xff", fdRoot, "new"}, errIlseq},
		{"path_symlink", args{past, 1, fdRoot, "new"}, errFault},
		{"path_symlink", args{"x", fdRoot, past, 1}, errFault},
		{"path_symlink", args{"x", fdFile, "new"}, errNotdir},
		{"path_symlink", args{"x", fdBareDir, "new"}, errNotcapable},
		{"path_symlink", args{"x", fdClosed, "new"}, errBadf},

		{"path_unlink_file", args{fdRoot, "f"}, errSuccess},
		{"path_unlink_file", args{fdRoot, "dlink"}, errSuccess},
		{"path_unlink_file", args{fdRoot, "loop"}, errSuccess},
		{"path_unlink_file", args{fdRoot, "d"}, errIsdir},
		{"path_unlink_file", args{fdRoot, "d/"}, errIsdir},
		{"path_unlink_file", args{fdRoot, "f/"}, errNotdir},
		{"path_unlink_file", args{fdRoot, "no"}, errNoent},
		{"path_unlink_file", args{fdRoot, "../f"}, errPerm},
		{"path_unlink_file", args{fdRoot, past, 1}, errFault},
		{"path_unlink_file", args{fdFile, "f"}, errNotdir},
		{"path_unlink_file", args{fdBareDir, "sub"}, errNotcapable},
		{"path_unlink_file", args{fdClosed, "f"}, errBadf},

		{"poll_oneoff", args{subPtr, bufPtr, 1, outPtr}, errSuccess},
		{"poll_oneoff", args{subPtr, bufPtr, 0, outPtr}, errInval},
		{"poll_oneoff", args{subPtr, bufPtr, 1<<16 + 1, outPtr}, errInval},
		{"poll_oneoff", args{subPtr, bufPtr, wraps, outPtr}, errInval},
		{"poll_oneoff", args{subPtr, bufPtr, 1 << 16, outPtr}, errFault},
		{"poll_oneoff", args{guestSize - 47, bufPtr, 1, outPtr}, errFault},
		{"poll_oneoff", args{subPtr, guestSize - 31, 1, outPtr}, errFault},
		{"poll_oneoff", args{subPtr, bufPtr, 1, lastBytes}, errFault},
		{"poll_oneoff", args{bufPtr, subPtr, 1, outPtr}, errInval}, // of an unknown type

		{"proc_raise", args{signalNone}, errSuccess},
		{"proc_raise", args{signalChld}, errSuccess},
		{"proc_raise", args{signalWinch}, errSuccess},
		{"proc_raise", args{signalStop}, errNotsup},
		{"proc_raise", args{lastSignal + 1}, errInval},
		{"proc_raise", args{wraps}, errInval},
		{"sched_yield", nil, errSuccess},
		{"random_get", args{bufPtr, 100}, errSuccess},
		{"random_get", args{bufPtr, 0}, errSuccess},
		{"random_get", args{0x10000, 0x10000}, errSuccess},
		{"random_get", args{bufPtr, guestSize}, errFault},
		{"random_get", args{wraps, 2}, errFault},

		{"sock_accept", args{fdFile, 0, outPtr}, errNotsock},
		{"sock_accept", args{fdClosed, 0, outPtr}, errBadf},
		{"sock_recv", args{fdReader, listPtr, 1, 0, outPtr, outPtr + 4}, errNotsock},
		{"sock_recv", args{fdClosed, listPtr, 1, 0, outPtr, outPtr + 4}, errBadf},
		{"sock_send", args{fdDir, listPtr, 1, 0, outPtr}, errNotsock},
		{"sock_send", args{fdClosed, listPtr, 1, 0, outPtr}, errBadf},
		{"sock_shutdown", args{fdStdout, 3}, errNotsock},
		{"sock_shutdown", args{fdClosed, 3}, errBadf},
	}
}

// TestFaultHasNoEffect makes sure that a result which can't be told isn't brought
// about.
func TestFaultHasNoEffect(t *testing.T) {
	g := newFixture(t)
	g.writeLists()
	g.write(outPtr, "\x00\x00\x00\x00")
	g.want(errFault, "path_open", fdRoot, 0, "made", int(openCreate), 0, 0, 0, past)
	if _, err := g.tree.Stat("/made"); err == nil {
		t.Error("path_open has made a file without a place for its descriptor")
	}
	g.want(errFault, "args_sizes_get", outPtr, past)
	if n := g.uint32(outPtr); n != 0 {
		t.Errorf("args_sizes_get has written %d", n)
	}
	g.want(errFault, "fd_read", fdFile, listPtr, 1, past)
	g.must("fd_tell", fdFile, outPtr)
	if at := g.uint64(outPtr); at != 0 {
		t.Errorf("fd_read has read up to %d", at)
	}
	g.want(errFault, "fd_write", fdFile, listPtr, 1, past)
	g.must("fd_filestat_get", fdFile, outPtr)
	if size := binary.LittleEndian.Uint64([]byte(g.read(outPtr+32, 8))); size != 5 {
		t.Errorf("fd_write has made the file %d bytes long", size)
	}
}

// TestNoMemory calls from a guest that exports no memory.
func TestNoMemory(t *testing.T) {
	g := newGuest(t, Config{Stdin: strings.NewReader("x")})
	r := sharedHarness().runtime
	mod, err := r.InstantiateWithConfig(t.Context(), trampolines(0), moduleConfig())
	if err != nil {
		t.Fatal(err)
	}
	defer mod.Close(t.Context())
	g.mod = mod
	g.want(errFault, "fd_read", 0, 0, 1, 0)
	g.want(errFault, "clock_time_get", 0, 0, 0)
	g.want(errFault, "random_get", 0, 1)
	g.want(errSuccess, "sched_yield")
}
