package wasi

import (
	"fmt"
	"strings"
	"testing"

	"github.com/belljar-dev/belljar/vfs"
)

// The scenarios below expect of this host what the official test suite of preview 1 expects of every host. Each is
// named after the program of the suite whose expectations it has.
// https://github.com/WebAssembly/wasi-testsuite

// scratch is a directory opened with the rights that the suite's programs ask for.
const (
	scratchRights = rightFdFilestatGet | rightFdReaddir | rightPathCreateFile | rightPathCreateDirectory |
		rightPathRemoveDirectory | rightPathOpen | rightPathUnlinkFile | rightPathLinkSource | rightPathLinkTarget |
		rightPathReadlink | rightPathRenameSource | rightPathRenameTarget | rightPathFilestatGet |
		rightPathFilestatSetSize | rightPathFilestatSetTimes | rightPathSymlink
	scratchInheriting = rightFdRead | rightFdWrite | rightFdReaddir | rightFdFilestatGet | rightFdSeek |
		rightPathLinkSource | rightPathLinkTarget | rightPathOpen | rightPathUnlinkFile | rightPathFilestatGet |
		rightFdFdstatSetFlags | rightFdSync | rightFdTell | rightFdAdvise | rightFdAllocate | rightFdFilestatSetSize |
		rightFdFilestatSetTimes
)

// suiteGuest is a process whose root is preopened as "/", or a directory of the tree under another name, and the
// scratch directory's descriptor.
func suiteGuest(t *testing.T, preopens []Preopen) (*guest, uint32) {
	tree := vfs.New(vfs.Config{})
	if err := tree.MkdirAll("/host/fs-tests.dir", 0o777); err != nil {
		t.Fatal(err)
	}
	g := newGuest(t, Config{Tree: tree, Preopens: preopens})
	g.must("path_create_directory", 3, "scratch")
	return g, g.fd(3, 0, "scratch", openDirectory, scratchRights, scratchInheriting, 0)
}

// fd opens a path and gives its descriptor.
func (g *guest) fd(dir uint32, lookup int, path string, flags oFlags, base, inheriting rights, status fdFlags) uint32 {
	g.t.Helper()
	g.must("path_open", dir, lookup, path, int(flags), base, inheriting, int(status), outPtr)
	fd := g.uint32(outPtr)
	if fd <= fdStderr {
		g.t.Errorf("%s is open as %d", path, fd)
	}
	return fd
}

// create makes an empty file.
func (g *guest) create(dir uint32, path string) {
	g.t.Helper()
	g.must("fd_close", g.fd(dir, 0, path, openCreate, 0, 0, 0))
}

// oneOf is want for several errnos.
func (g *guest) oneOf(want []errno, name string, args ...any) {
	g.t.Helper()
	got := g.call(name, args...)
	for _, e := range want {
		if got == e {
			return
		}
	}
	g.t.Errorf("%s%v: %v, want one of %v", name, args, got, want)
}

func (g *guest) opens(want errno, dir uint32, lookup int, path string, flags oFlags, base rights) {
	g.t.Helper()
	g.want(want, "path_open", dir, lookup, path, int(flags), base, 0, 0, outPtr)
}

// size gives a file's size.
func (g *guest) size(fd uint32) uint64 {
	g.t.Helper()
	g.must("fd_filestat_get", fd, outPtr)
	return g.uint64(outPtr + 32)
}

// statField gives a field of a path's filestat structure.
func (g *guest) statField(dir uint32, lookup int, path string, at uint32) uint64 {
	g.t.Helper()
	g.must("path_filestat_get", dir, lookup, path, outPtr)
	return g.uint64(outPtr + at)
}

func TestSuite(t *testing.T) {
	places := map[string][]Preopen{
		"root":      nil,
		"directory": {{Path: "/host/fs-tests.dir", Name: "/"}},
	}
	for name, run := range suiteScenarios {
		for place, preopens := range places {
			t.Run(name+" in "+place, func(t *testing.T) {
				g, dir := suiteGuest(t, preopens)
				run(t, g, dir)
			})
		}
	}
}

func suiteClosePreopen(_ *testing.T, g *guest, dir uint32) {
	g.must("fd_close", 3)
	g.must("fd_fdstat_get", dir, outPtr)
	g.want(errBadf, "fd_fdstat_get", 3, outPtr)
}

func suiteDanglingFd(_ *testing.T, g *guest, dir uint32) {
	g.create(dir, "f")
	fd := g.fd(dir, 0, "f", 0, 0, 0, 0)
	g.must("path_unlink_file", dir, "f")
	g.create(dir, "f")
	g.must("fd_close", fd)
	g.must("path_create_directory", dir, "d")
	sub := g.fd(dir, 0, "d", openDirectory, 0, 0, 0)
	g.must("path_remove_directory", dir, "d")
	g.must("path_create_directory", dir, "d")
	g.must("fd_close", sub)
}

func suiteDanglingSymlink(_ *testing.T, g *guest, dir uint32) {
	g.must("path_symlink", "target", dir, "link")
	g.oneOf([]errno{errNotdir, errLoop}, "path_open", dir, 0, "link", int(openDirectory), 0, 0, 0, outPtr)
	g.opens(errLoop, dir, 0, "link", 0, 0)
	g.must("path_unlink_file", dir, "link")
}

func suiteDirFdOpFailures(_ *testing.T, g *guest, _ uint32) {
	g.writeLists()
	g.must("fd_prestat_get", 3, outPtr)
	n := g.uint32(outPtr + 4)
	g.want(errNametoolong, "fd_prestat_dir_name", 3, bufPtr, 0)
	g.must("fd_prestat_dir_name", 3, bufPtr, n+1)
	base, inheriting := g.rights(3)
	dir := g.fd(3, 0, ".", openDirectory, base, inheriting, 0)
	for _, c := range []struct {
		call string
		args args
	}{
		{"fd_read", args{dir, listPtr, 1, outPtr}}, {"fd_pread", args{dir, listPtr, 1, 0, outPtr}},
		{"fd_write", args{dir, listPtr, 1, outPtr}}, {"fd_pwrite", args{dir, listPtr, 1, 0, outPtr}},
		{"fd_seek", args{dir, 0, whenceCur, outPtr}}, {"fd_seek", args{dir, 0, whenceSet, outPtr}},
		{"fd_seek", args{dir, 0, whenceEnd, outPtr}}, {"fd_tell", args{dir, outPtr}},
		{"fd_allocate", args{dir, 0, 1}}, {"fd_filestat_set_size", args{dir, 0}},
	} {
		g.oneOf([]errno{errIsdir, errBadf, errNotcapable}, c.call, c.args...)
	}
}

func suiteDirectorySeek(t *testing.T, g *guest, dir uint32) {
	g.must("path_create_directory", dir, "d")
	fd := g.fd(dir, 0, "d", openDirectory, rightFdSeek, 0, 0)
	g.oneOf([]errno{errIsdir, errBadf, errNotcapable}, "fd_seek", fd, 0, whenceCur, outPtr)
	if base, _ := g.rights(fd); base&rightFdSeek != 0 {
		t.Error("a directory can be sought in")
	}
}

func suiteAllocate(t *testing.T, g *guest, dir uint32) {
	base := rightFdRead | rightFdWrite | rightFdAllocate | rightFdFilestatGet | rightFdAdvise | rightFdFilestatSetSize
	fd := g.fd(dir, 0, "f", openCreate, base, 0, 0)
	for _, c := range []struct {
		call string
		args args
		want uint64
	}{
		{"fd_allocate", args{fd, 0, 100}, 100},
		{"fd_allocate", args{fd, 10, 10}, 100},
		{"fd_allocate", args{fd, 90, 20}, 110},
		{"fd_filestat_set_size", args{fd, 100}, 100},
		{"fd_advise", args{fd, 10, 50, 0}, 100},
		{"fd_allocate", args{fd, 100, 100}, 200},
	} {
		if g.must(c.call, c.args...); g.size(fd) != c.want {
			t.Errorf("%s%v: %d bytes, want %d", c.call, c.args, g.size(fd), c.want)
		}
	}
}

func suiteSetRights(t *testing.T, g *guest, dir uint32) {
	fd := g.fd(dir, 0, "f", openCreate, rightFdRead|rightFdWrite|rightFdSeek|rightFdTell, 0, 0)
	g.print(fd, "abcd")
	g.must("fd_seek", fd, 0, whenceSet, outPtr)
	if s, _ := g.scan(fd, 4); s != "abcd" {
		t.Errorf("read %q", s)
	}
	base, inheriting := g.rights(fd)
	g.must("fd_fdstat_set_rights", fd, base&^(rightFdRead|rightFdWrite), inheriting)
	if now, _ := g.rights(fd); now&(rightFdRead|rightFdWrite) != 0 || now&rightFdSeek == 0 {
		t.Errorf("rights %x", now)
	}
	_, read := g.scan(fd, 1)
	_, write := g.print(fd, "x")
	if read != errNotcapable || write != errNotcapable {
		t.Errorf("without the rights: %v %v", read, write)
	}
	g.want(errNotcapable, "fd_fdstat_set_rights", fd, base, inheriting|rightFdRead)
}

func suiteFilestat(t *testing.T, g *guest, dir uint32) {
	base := rightFdRead | rightFdWrite | rightFdFilestatGet | rightFdFilestatSetSize | rightFdFilestatSetTimes
	fd := g.fd(dir, 0, "f", openCreate, base|rightPathFilestatGet, 0, flagAppend|flagSync)
	g.must("fd_fdstat_get", fd, outPtr)
	if flags := fdFlags(g.uint32(outPtr) >> 16); flags != flagAppend|flagSync {
		t.Errorf("flags %x", flags)
	}
	g.must("fd_filestat_set_size", fd, 100)
	atime, mtime := g.statField(dir, 0, "f", 40), g.statField(dir, 0, "f", 48)
	g.must("fd_filestat_set_times", fd, mtime-100, mtime-100, int(setMtime))
	if g.statField(dir, 0, "f", 48) != mtime-100 || g.statField(dir, 0, "f", 40) != atime || g.size(fd) != 100 {
		t.Error("fd_filestat_set_times has not changed just the time of the last change")
	}
	g.must("path_filestat_set_times", dir, 0, "f", 0, mtime-200, int(setMtime))
	g.want(errInval, "path_filestat_set_times", dir, 0, "f", 0, mtime, int(setMtime|setMtimeNow))
	g.want(errInval, "path_filestat_set_times", dir, 0, "f", 0, 0, int(setAtime|setAtimeNow))
	g.want(errInval, "fd_filestat_set_times", fd, 0, 0, int(setAtime|setAtimeNow))
	g.want(errInval, "fd_filestat_set_times", fd, 0, 0, int(setMtime|setMtimeNow))
	if got := g.statField(dir, 0, "f", 48); got != mtime-200 {
		t.Errorf("changed at %d, want %d", got, mtime-200)
	}
}

func suiteFlags(t *testing.T, g *guest, dir uint32) {
	base := rightFdRead | rightFdWrite | rightFdSeek | rightFdTell | rightFdFdstatSetFlags | rightFdFilestatGet
	fd := g.fd(dir, 0, "f", openCreate, base, 0, flagAppend)
	g.print(fd, "aa")
	g.must("fd_seek", fd, 0, whenceSet, outPtr)
	g.print(fd, "bb")
	if g.must("fd_tell", fd, outPtr); g.uint64(outPtr) != 4 {
		t.Errorf("at %d after an append", g.uint64(outPtr))
	}
	g.write(bufPtr, "ccc")
	list, _ := g.iovecs(bufPtr, 3)
	g.must("fd_pwrite", fd, list, 1, 0, outPtr)
	if g.must("fd_tell", fd, outPtr); g.uint64(outPtr) != 4 {
		t.Errorf("at %d after fd_pwrite", g.uint64(outPtr))
	}
	if size := g.size(fd); size != 4 && size != 7 {
		t.Errorf("%d bytes after fd_pwrite", size)
	}
	g.must("fd_fdstat_set_flags", fd, 0)
	g.must("fd_seek", fd, 0, whenceSet, outPtr)
	g.print(fd, "dd")
	g.must("fd_seek", fd, 0, whenceSet, outPtr)
	if s, _ := g.scan(fd, 2); s != "dd" {
		t.Errorf("read %q after it appends no more", s)
	}
}

func suiteReaddir(t *testing.T, g *guest, dir uint32) {
	list := func(cookie uint64) (names []string, next []uint64, eof bool) {
		g.must("fd_readdir", dir, bufPtr, 256, cookie, outPtr)
		used := g.uint32(outPtr)
		for at := uint32(bufPtr); at+sizeDirent <= bufPtr+used; {
			n := g.uint32(at + 16)
			if at+sizeDirent+n > bufPtr+used {
				break
			}
			names, next = append(names, g.read(at+sizeDirent, n)), append(next, g.uint64(at))
			at += sizeDirent + n
		}
		return names, next, used < 256
	}
	if names, _, eof := list(0); strings.Join(names, " ") != ". .." || !eof {
		t.Errorf("in an empty directory: %q", names)
	}
	g.create(dir, "file")
	names, next, _ := list(0)
	if len(names) != 3 {
		t.Fatalf("with a file: %q", names)
	}
	if again, _, eof := list(next[1]); len(again) != 1 || again[0] != names[2] || !eof {
		t.Errorf("from the last cookie on: %q", again)
	}
	g.must("path_unlink_file", dir, "file")
	for i := range 1000 {
		g.create(dir, fmt.Sprint("file.", i))
	}
	total, cookie := 0, uint64(0)
	for {
		names, next, eof := list(cookie)
		total += len(names)
		if eof {
			break
		}
		cookie = next[len(next)-1]
	}
	if total != 1002 {
		t.Errorf("%d entries", total)
	}
}

func suiteOffsets(t *testing.T, g *guest, dir uint32) {
	fd := g.fd(dir, 0, "f", openCreate, rightFdRead|rightFdWrite|rightFdSeek|rightFdTell, 0, 0)
	g.write(bufPtr, "0123")
	list, _ := g.iovecs(bufPtr, 2, bufPtr+2, 2)
	g.must("fd_pwrite", fd, list, 2, 0, outPtr)
	g.write(bufPtr, "....")
	g.must("fd_pread", fd, list, 2, 0, outPtr)
	if s := g.read(bufPtr, 4); s != "0123" || g.uint32(outPtr) != 4 {
		t.Errorf("read %q", s)
	}
	if g.must("fd_pread", fd, list, 2, 2, outPtr); g.uint32(outPtr) != 2 {
		t.Errorf("%d bytes at 2", g.uint32(outPtr))
	}
	if g.must("fd_tell", fd, outPtr); g.uint64(outPtr) != 0 {
		t.Errorf("at %d", g.uint64(outPtr))
	}
	g.print(fd, strings.Repeat("x", 100))
	for _, c := range []struct{ offset, whence, want int }{{-50, whenceCur, 50}, {0, whenceSet, 0}, {1000, whenceCur, 1000}} {
		if g.must("fd_seek", fd, c.offset, c.whence, outPtr); g.uint64(outPtr) != uint64(c.want) {
			t.Errorf("seek %d %d: at %d", c.offset, c.whence, g.uint64(outPtr))
		}
	}
	g.want(errInval, "fd_seek", fd, -2000, whenceCur, outPtr)
	g.must("fd_seek", fd, 0, whenceSet, outPtr)
	g.scan(fd, 100)
	if g.must("fd_tell", fd, outPtr); g.uint64(outPtr) != 100 {
		t.Errorf("at %d after reading", g.uint64(outPtr))
	}
}

func suiteTruncation(t *testing.T, g *guest, dir uint32) {
	fd := g.fd(dir, 0, "f", openCreate, rightFdRead|rightFdWrite|rightFdFilestatGet, 0, 0)
	g.print(fd, "content")
	g.must("fd_close", g.fd(dir, 0, "f", openCreate|openTruncate, rightFdWrite, 0, 0))
	if n := g.size(fd); n != 0 {
		t.Errorf("%d bytes after O_TRUNC", n)
	}
	g.must("fd_fdstat_get", dir, outPtr)
	if g.uint32(outPtr)>>16 != 0 {
		t.Error("a directory has status flags")
	}
	base, inheriting := g.rights(dir)
	if base&rightFdFilestatSetSize != 0 {
		t.Error("a directory's size can be set")
	}
	g.opens(errSuccess, dir, 0, "f", openTruncate, 0)
	inheriting &^= rightFdFilestatSetSize
	g.must("fd_fdstat_set_rights", dir, base, inheriting)
	g.opens(errSuccess, dir, 0, "f", openTruncate, 0)
	g.must("fd_fdstat_set_rights", dir, base&^rightPathFilestatSetSize, inheriting)
	g.oneOf([]errno{errPerm, errNotcapable}, "path_open", dir, 0, "f", int(openTruncate), 0, 0, 0, outPtr)
}

func suiteInterestingPaths(_ *testing.T, g *guest, dir uint32) {
	g.must("path_create_directory", dir, "dir")
	g.must("path_create_directory", dir, "dir/nested")
	g.create(dir, "dir/nested/file")
	for path, want := range map[string][]errno{
		"/dir/nested/file": {errPerm, errNotcapable},
		"dir/.//nested/../../dir/nested/../nested///./file": {errSuccess},
		"dir/nested/file\x00":                               {errInval, errIlseq, errNoent},
		"dir/nested/file/":                                  {errNotdir, errNoent},
		"dir/nested/file///":                                {errNotdir, errNoent},
		"dir/nested/":                                       {errSuccess},
		"dir/nested///":                                     {errSuccess},
		"dir/nested/../../../scratch/dir/nested/file":       {errPerm, errNotcapable},
	} {
		g.oneOf(want, "path_open", dir, 0, path, 0, 0, 0, 0, outPtr)
	}
}

func suiteNofollow(_ *testing.T, g *guest, dir uint32) {
	g.must("path_create_directory", dir, "target")
	g.must("path_symlink", "target", dir, "link")
	g.oneOf([]errno{errLoop, errNotdir}, "path_open", dir, 0, "link", int(openDirectory), 0, 0, 0, outPtr)
	g.oneOf([]errno{errLoop, errAcces}, "path_open", dir, 0, "link", 0, 0, 0, 0, outPtr)
	g.opens(errSuccess, dir, lookupFollow, "link", openDirectory, 0)
	g.must("path_remove_directory", dir, "target")
	g.create(dir, "target")
	g.oneOf([]errno{errLoop, errNotdir}, "path_open", dir, 0, "link", int(openDirectory), 0, 0, 0, outPtr)
	g.opens(errLoop, dir, 0, "link", 0, 0)
	g.opens(errNotdir, dir, lookupFollow, "link", openDirectory, 0)
	g.must("path_symlink", "loop", dir, "loop")
	g.opens(errLoop, dir, 0, "loop", 0, 0)
	g.opens(errLoop, dir, lookupFollow, "loop", 0, 0)
}

func suiteRenumber(t *testing.T, g *guest, dir uint32) {
	from := g.fd(dir, 0, "a", openCreate, rightFdRead|rightFdWrite, 0, 0)
	base, inheriting := g.rights(from)
	to := g.fd(dir, 0, "b", openCreate, rightFdRead, 0, 0)
	g.must("fd_renumber", from, to)
	g.want(errBadf, "fd_close", from)
	if b, i := g.rights(to); b != base || i != inheriting {
		t.Errorf("rights %x %x, want %x %x", b, i, base, inheriting)
	}
	g.want(errBadf, "fd_renumber", to, from)

	g.must("fd_filestat_get", dir, outPtr)
	ino := g.uint64(outPtr + 8)
	g.must("fd_renumber", dir, 3)
	g.must("fd_filestat_get", 3, outPtr)
	if g.uint64(outPtr+8) != ino {
		t.Error("descriptor 3 is another directory")
	}
	g.want(errBadf, "fd_fdstat_get", dir, outPtr)
}

func suiteSymlinkFilestat(t *testing.T, g *guest, dir uint32) {
	g.must("path_create_directory", dir, "sub")
	g.create(dir, "sub/f")
	g.must("path_symlink", "sub/f", dir, "l1")
	g.must("path_symlink", "sub", dir, "l2")
	for _, c := range []struct {
		path string
		flag int
		want fileType
	}{
		{"sub", 0, typeDirectory}, {"sub", 1, typeDirectory}, {"sub/f", 0, typeRegularFile}, {"sub/f", 1, typeRegularFile},
		{"l1", 0, typeSymbolicLink}, {"l1", 1, typeRegularFile}, {"l2", 0, typeSymbolicLink}, {"l2", 1, typeDirectory},
	} {
		if got := fileType(g.statField(dir, c.flag, c.path, 16)); got != c.want {
			t.Errorf("%s, followed %d: type %d, want %d", c.path, c.flag, got, c.want)
		}
	}
	file, link := g.statField(dir, 0, "sub/f", 48), g.statField(dir, 0, "l1", 48)
	g.must("path_filestat_set_times", dir, 0, "l1", 0, link-200, int(setMtime))
	if g.statField(dir, 0, "l1", 48) != link-200 || g.statField(dir, 1, "l1", 48) != file {
		t.Error("the time of the link is not what was changed")
	}
	g.must("path_filestat_set_times", dir, 1, "l1", 0, link-300, int(setMtime))
	if g.statField(dir, 0, "sub/f", 48) != link-300 {
		t.Error("the time of the file is not what was changed")
	}
}

func suiteLink(t *testing.T, g *guest, dir uint32) {
	base := rightFdRead | rightPathLinkSource | rightPathLinkTarget | rightFdFilestatGet | rightPathOpen | rightPathUnlinkFile
	file := g.fd(dir, 0, "file", openCreate, base, base, 0)
	g.must("path_create_directory", dir, "sub")
	sub := g.fd(dir, 0, "sub", openDirectory, base, base, 0)
	for _, to := range []uint32{dir, sub} {
		g.must("path_link", dir, 0, "file", to, "link")
		link := g.fd(to, 0, "link", 0, base, base, 0)
		g.must("fd_filestat_get", file, outPtr)
		g.must("fd_filestat_get", link, outPtr+sizeFilestat)
		if g.read(outPtr, sizeFilestat) != g.read(outPtr+sizeFilestat, sizeFilestat) {
			t.Error("the link is another file")
		}
		g.must("fd_fdstat_get", file, outPtr)
		g.must("fd_fdstat_get", link, outPtr+sizeFdstat)
		if g.read(outPtr, sizeFdstat) != g.read(outPtr+sizeFdstat, sizeFdstat) {
			t.Error("the link is open otherwise")
		}
		g.must("path_unlink_file", to, "link")
	}
	g.create(dir, "there")
	g.must("path_symlink", "nowhere", dir, "dangling")
	g.must("path_symlink", "loop", dir, "loop")
	for _, c := range []struct {
		flags    int
		from, to string
		want     []errno
	}{
		{0, "file", "there", []errno{errExist}}, {0, "file", "file", []errno{errExist}},
		{0, "file", "sub", []errno{errExist}}, {0, "sub", "new", []errno{errPerm, errAcces}},
		{0, "file", "new/", []errno{errNoent}}, {0, "file", "dangling", []errno{errExist}},
		{0, "dangling", "new1", []errno{errSuccess}}, {0, "loop", "new2", []errno{errSuccess}},
		{1, "dangling", "new3", []errno{errInval, errNoent}},
	} {
		g.oneOf(c.want, "path_link", dir, c.flags, c.from, dir, c.to)
	}
}

func suiteOpenPreopen(t *testing.T, g *guest, _ uint32) {
	base, inheriting := g.rights(3)
	wantBase := scratchRights&^rightPathFilestatSetSize | rightFdFilestatSetTimes
	wantInheriting := wantBase | fileRights
	if base&wantBase != wantBase || inheriting&wantInheriting != wantInheriting {
		t.Errorf("the preopened directory lacks rights %x %x", wantBase&^base, wantInheriting&^inheriting)
	}
	g.fd(3, 0, ".", 0, base, inheriting, 0)
	g.fd(3, 0, ".", 0, 0, 0, 0)
	g.fd(3, 0, ".", openDirectory, 0, 0, 0)
	g.fd(3, 0, ".", openDirectory, rightFdRead, 0, 0)
	g.opens(errIsdir, 3, 0, ".", openDirectory, rightFdRead|rightFdWrite)
	g.fd(3, 0, ".", 0, 0, 0, flagNonblock)
}

func suiteOpenModes(t *testing.T, g *guest, dir uint32) {
	r := g.fd(dir, 0, "f", openCreate, rightFdRead, 0, 0)
	w := g.fd(dir, 0, "f", 0, rightFdWrite, 0, 0)
	if base, _ := g.rights(r); base&(rightFdRead|rightFdWrite) != rightFdRead {
		t.Errorf("rights to read: %x", base)
	}
	if base, _ := g.rights(w); base&(rightFdRead|rightFdWrite) != rightFdWrite {
		t.Errorf("rights to write: %x", base)
	}
	if _, e := g.print(r, "x"); e != errBadf && e != errNotcapable {
		t.Errorf("write to what is open to read: %v", e)
	}
	if _, e := g.scan(w, 1); e != errBadf && e != errNotcapable {
		t.Errorf("read from what is open to write: %v", e)
	}
	g.print(w, "written")
	if s, _ := g.scan(r, 10); s != "written" {
		t.Errorf("read %q", s)
	}
	rw := g.fd(dir, 0, "f", 0, rightFdRead|rightFdWrite|rightFdFilestatGet, 0, 0)
	g.scan(rw, 7)
	g.print(rw, "more")
	if n := g.size(rw); n != 11 {
		t.Errorf("%d bytes", n)
	}
}

func suiteOpenErrors(_ *testing.T, g *guest, dir uint32) {
	g.create(dir, "f")
	g.opens(errExist, dir, 0, "f", openCreate|openExclusive, rightFdRead|rightFdWrite)
	g.opens(errNoent, dir, 0, "missing", 0, rightFdRead)
	fd := g.fd(dir, 0, "f", 0, 0, 0, 0)
	g.opens(errNotdir, fd, 0, "foo", openCreate, 0)
	g.want(errNotempty, "path_remove_directory", 3, "scratch")
}

func suiteRename(_ *testing.T, g *guest, dir uint32) {
	mkdir := func(name string) { g.must("path_create_directory", dir, name) }
	rename := func(want errno, to string) { g.want(want, "path_rename", dir, "source", dir, to) }
	mkdir("source")
	rename(errSuccess, "target")
	g.opens(errNoent, dir, 0, "source", openDirectory, 0)
	g.opens(errSuccess, dir, 0, "target", openDirectory, 0)
	mkdir("source")
	rename(errSuccess, "target") // an empty directory gives way
	g.opens(errNoent, dir, 0, "source", openDirectory, 0)
	mkdir("source")
	g.create(dir, "target/file")
	rename(errNotempty, "target")
	rename(errNotdir, "target/file")
	g.must("path_remove_directory", dir, "source")
	g.create(dir, "source")
	rename(errSuccess, "file")
	g.opens(errNoent, dir, 0, "source", 0, 0)
	g.create(dir, "source")
	rename(errSuccess, "file")
	g.opens(errSuccess, dir, 0, "file", 0, 0)
	mkdir("empty")
	g.create(dir, "source")
	rename(errIsdir, "empty")
}

func suiteTrailingSlashes(_ *testing.T, g *guest, dir uint32) {
	g.must("path_create_directory", dir, "d")
	for _, c := range []struct{ from, to string }{{"d/", "e"}, {"e", "d/"}, {"d/", "e/"}, {"e", "d"}} {
		g.must("path_rename", dir, c.from, dir, c.to)
	}
	g.create(dir, "f")
	for _, c := range []struct{ from, to string }{{"f/", "g"}, {"f", "g/"}, {"f/", "g/"}} {
		g.oneOf([]errno{errNotdir, errNoent}, "path_rename", dir, c.from, dir, c.to)
	}
	g.want(errIsdir, "path_unlink_file", dir, "d")
	g.want(errIsdir, "path_unlink_file", dir, "d/")
	g.want(errNotdir, "path_unlink_file", dir, "f/")
	g.want(errNotdir, "path_remove_directory", dir, "f")
	g.want(errNotdir, "path_remove_directory", dir, "f/")
	g.want(errNoent, "path_symlink", "x", dir, "new/")
	g.want(errExist, "path_symlink", "x", dir, "d/")
	g.want(errExist, "path_symlink", "x", dir, "d")
	g.oneOf([]errno{errNotdir, errExist}, "path_symlink", "x", dir, "f/")
	g.want(errExist, "path_symlink", "x", dir, "f")
	g.must("path_remove_directory", dir, "d/")
}

func suiteReadlink(t *testing.T, g *guest, dir uint32) {
	g.must("path_symlink", "target", dir, "link")
	for n, want := range map[int]string{10: "target", 4: "targ", 0: ""} {
		g.must("path_readlink", dir, "link", bufPtr, n, outPtr)
		if got := g.read(bufPtr, g.uint32(outPtr)); got != want {
			t.Errorf("with room for %d: %q", n, got)
		}
	}
	g.create(dir, "file")
	g.must("path_symlink", "file", dir, "to-file") // symlink_create
	g.opens(errSuccess, dir, lookupFollow, "to-file", 0, 0)
	g.must("path_create_directory", dir, "sub")
	g.must("path_symlink", "sub", dir, "to-dir")
	g.opens(errSuccess, dir, lookupFollow, "to-dir", openDirectory, 0)
}

func suiteStdio(t *testing.T, g *guest, dir uint32) {
	file := g.fd(dir, 0, "f", openCreate, 0, 0, 0)
	g.must("fd_fdstat_get", file, outPtr)
	if fileType(g.uint32(outPtr)) == typeCharacterDevice {
		t.Error("a file is a terminal")
	}
	g.want(errNotsock, "sock_shutdown", file, 1)
	g.want(errBadf, "sock_shutdown", 99, 1)
	for std := range 3 {
		to := g.fd(dir, 0, "f", openCreate, 0, 0, 0)
		g.must("fd_renumber", std, to)
		g.must("fd_fdstat_get", to, outPtr)
		g.want(errBadf, "fd_fdstat_get", std, outPtr)
		g.create2(dir, std)
	}
}

// create2 fills the number that a scenario has made free, so that the next file doesn't get it.
func (g *guest) create2(dir uint32, number int) {
	g.t.Helper()
	g.must("path_open", dir, 0, "f", 0, 0, 0, 0, outPtr)
	if got := g.uint32(outPtr); got != uint32(number) {
		g.t.Errorf("the lowest free number is %d, and %d was given", number, got)
	}
}

func suiteInodes(t *testing.T, g *guest, dir uint32) {
	g.create(dir, "a")
	g.create(dir, "b")
	if g.statField(dir, 0, "a", 0) != g.statField(dir, 0, "b", 0) {
		t.Error("two devices in one directory")
	}
	if g.statField(dir, 0, "a", 8) == g.statField(dir, 0, "b", 8) {
		t.Error("two files with one number")
	}
	g.must("fd_readdir", dir, bufPtr, 256, 0, outPtr)
	for at := uint32(bufPtr); at < bufPtr+g.uint32(outPtr); at += sizeDirent + g.uint32(at+16) {
		name, ino := g.read(at+sizeDirent, g.uint32(at+16)), g.uint64(at+8)
		used := g.uint32(outPtr)
		if name != "." && name != ".." && ino != g.statField(dir, 0, name, 8) {
			t.Errorf("%s has another number in the listing", name)
		}
		g.mod.Memory().WriteUint32Le(outPtr, used)
	}
}
