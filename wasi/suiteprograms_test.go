package wasi

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// suiteScenarios has the programs of the suite, with blanks between those that one scenario stands for.
var suiteScenarios = map[string]func(*testing.T, *guest, uint32){
	"close_preopen": suiteClosePreopen, "dangling_fd": suiteDanglingFd, "dangling_symlink": suiteDanglingSymlink,
	"dir_fd_op_failures": suiteDirFdOpFailures, "directory_seek": suiteDirectorySeek,
	"fd_advise file_allocate": suiteAllocate, "fd_fdstat_set_rights": suiteSetRights,
	"fd_filestat_set path_filestat fstflags_validate":          suiteFilestat,
	"fd_flags_set pwrite-with-append":                          suiteFlags,
	"fd_readdir":                                               suiteReaddir,
	"file_pread_pwrite file_seek_tell lseek pread-with-access": suiteOffsets,
	"file_truncation truncation_rights":                        suiteTruncation,
	"interesting_paths":                                        suiteInterestingPaths,
	"nofollow_errors symlink_loop":                             suiteNofollow,
	"overwrite_preopen renumber":                               suiteRenumber,
	"path_exists symlink_filestat":                             suiteSymlinkFilestat,
	"path_link":                                                suiteLink,
	"path_open_preopen path_open_nonblock":                     suiteOpenPreopen,
	"path_open_read_write file_unbuffered_write fopen-with-access pwrite-with-access":               suiteOpenModes,
	"path_open_create_existing path_open_dirfd_not_dir path_open_missing remove_nonempty_directory": suiteOpenErrors,
	"path_rename": suiteRename,
	"path_rename_dir_trailing_slashes path_symlink_trailing_slashes remove_directory_trailing_slashes unlink_file_trailing_slashes": suiteTrailingSlashes,
	"readlink symlink_create":                                          suiteReadlink,
	"stdio isatty sock_shutdown-invalid_fd sock_shutdown-not_sock":     suiteStdio,
	"stat-dev-ino fdopendir-with-access":                               suiteInodes,
	"poll_oneoff_stdio":                                                suitePoll,
	"big_random_buf random_get-zero-length random_get-non-zero-length": suiteRandom,
	"clock_time_get clock_gettime-monotonic clock_gettime-realtime clock_getres-monotonic clock_getres-realtime sched_yield": suiteClocks,
	"fd_write-to-invalid-fd fd_write-to-stdout": suiteOutput,
	"fopen-with-no-access":                      suiteNoAccess,
}

// suiteElsewhere has the programs whose expectations other tests of this package have.
var suiteElsewhere = map[string]string{
	"args_get-multiple-arguments": "TestArguments", "args_sizes_get-multiple-arguments": "TestArguments",
	"args_sizes_get-no-arguments": "TestNoArguments", "environ_get-multiple-variables": "TestArguments",
	"environ_sizes_get-multiple-variables": "TestArguments", "environ_sizes_get-no-variables": "TestNoArguments",
	"proc_exit-failure": "TestExit", "proc_exit-success": "TestExit",
}

// suitePrograms is how many programs of preview 1 the suite has: 46 in Rust, 14 in C, 12 in AssemblyScript.
const suitePrograms = 72

func TestSuiteIsWhole(t *testing.T) {
	programs := map[string]bool{}
	for names := range suiteScenarios {
		for name := range strings.FieldsSeq(names) {
			programs[name] = true
		}
	}
	for name := range suiteElsewhere {
		programs[name] = true
	}
	if len(programs) != suitePrograms {
		t.Errorf("%d programs, want %d", len(programs), suitePrograms)
	}
}

// suitePoll asks for what is ready as the suite does: nothing may be told that was not asked for, and where a process can
// write it need not wait for the clock.
func suitePoll(t *testing.T, g *guest, _ uint32) {
	const timeout = uint64(200 * time.Millisecond)
	got, err := g.poll(subscription{typ: eventClock, clock: 1, timeout: timeout}, subscription{typ: eventFdRead, fd: fdStdin})
	if err != nil || got != "0" && !strings.HasPrefix(got, "1 ") {
		t.Errorf("standard input: %q %v", got, err)
	}
	clock := subscription{typ: eventClock, clock: 1, timeout: uint64(time.Minute)}
	waiting := []subscription{{typ: eventFdWrite, fd: fdStdout}, {typ: eventFdWrite, fd: fdStderr}}
	for len(waiting) > 0 {
		got, err := g.poll(append(slices.Clone(waiting), clock)...)
		if err != nil || strings.Contains(got, "errno") || strings.Contains(got, "of type") {
			t.Fatalf("output: %q %v", got, err)
		}
		left := []subscription{}
		for i, s := range waiting {
			if !slices.ContainsFunc(strings.Split(got, ", "), func(e string) bool { return strings.HasPrefix(e, fmt.Sprint(i, " ")) }) {
				left = append(left, s)
			}
		}
		if len(left) == len(waiting) {
			t.Fatalf("output can't be written to: %q", got)
		}
		waiting = left
	}
}

func suiteRandom(t *testing.T, g *guest, _ uint32) {
	const size = 1024
	g.write(bufPtr, strings.Repeat("\x00", size))
	g.must("random_get", bufPtr, 0)
	if g.read(bufPtr, size) != strings.Repeat("\x00", size) {
		t.Error("no bytes were asked for, and some came")
	}
	g.must("random_get", bufPtr, size)
	if n := strings.Count(g.read(bufPtr, size), "\x00"); n > size/8 {
		t.Errorf("%d of %d random bytes are zero", n, size)
	}
}

func suiteClocks(t *testing.T, g *guest, _ uint32) {
	for clock := range 2 {
		g.must("clock_res_get", clock, outPtr)
		if res := g.uint64(outPtr); res == 0 {
			t.Errorf("clock %d has no resolution", clock)
		}
	}
	g.must("clock_time_get", 0, uint64(1), outPtr)
	g.must("clock_time_get", 1, uint64(1), outPtr)
	was := g.uint64(outPtr)
	g.must("sched_yield")
	g.must("clock_time_get", 1, uint64(0), outPtr)
	if now := g.uint64(outPtr); now < was {
		t.Errorf("the monotonic clock went from %d to %d", was, now)
	}
}

func suiteOutput(t *testing.T, g *guest, _ uint32) {
	if n, e := g.print(fdStdout, "hello"); n != 5 || e != errSuccess {
		t.Errorf("to standard output: %d %v", n, e)
	}
	if _, e := g.print(fdClosed, "hello"); e != errBadf {
		t.Errorf("to a descriptor that is not open: %v", e)
	}
}

// suiteNoAccess closes the directories that a C library looks for: a path then starts nowhere.
func suiteNoAccess(_ *testing.T, g *guest, dir uint32) {
	g.must("fd_close", 3)
	g.must("fd_close", dir)
	g.want(errBadf, "fd_prestat_get", 3, outPtr)
	g.opens(errBadf, 3, lookupFollow, "fs-tests.dir/file", 0, rightFdRead)
}
