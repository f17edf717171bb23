package wasi

import (
	"errors"
	"io/fs"
	"testing"
	"time"

	"github.com/belljar-dev/belljar/vfs"
)

// TestPOSIXPaths looks for files by the rules of openat.
func TestPOSIXPaths(t *testing.T) {
	g := newFixture(t)
	if err := g.tree.MkdirAll("/home/a\xff", 0o777); err != nil {
		t.Fatal(err)
	}
	g.must("proc_paths", pathsPOSIX)
	g.want(errBadf, "fd_prestat_get", fdRoot, outPtr)
	for _, c := range []struct {
		fd   uint32
		path string
		want errno
	}{
		{atCwd, "/f", errSuccess},
		{fdClosed, "/f", errSuccess}, // the descriptor doesn't count
		{atCwd, "//d/../f", errSuccess},
		{atCwd, "/../../f", errSuccess},
		{atCwd, "../f", errSuccess}, // from /home
		{atCwd, "f", errNoent},
		{atCwd, "a\xff", errSuccess},
		{atCwd, "", errNoent},
		{fdDir, "sub", errSuccess},
		{fdDir, "../f", errSuccess},
		{fdDir, "../../../f", errSuccess},
		{fdBareDir, "sub", errSuccess}, // rights don't count
		{fdFile, "x", errNotdir},
		{fdClosed, "f", errBadf},
		{fdDir, "a\x00", errInval},
	} {
		g.want(c.want, "path_stat", c.fd, 0, c.path, outPtr)
		g.want(c.want, "path_filestat_get", c.fd, 0, c.path, outPtr)
	}
	// What is opened has all rights.
	g.must("path_open_mode", fdBareDir, 0, "..", int(openDirectory), 0, 0, 0, 0, 0, outPtr)
	up := g.uint32(outPtr)
	g.must("path_open_mode", up, 0, "new", int(openCreate), rightFdRead|rightFdWrite, 0, 0, 0o777, 0, outPtr)
	if base, _ := g.rights(g.uint32(outPtr)); base != fileRights {
		t.Errorf("rights %x", base)
	}
	// The working directory goes along when it is renamed.
	if err := g.tree.Rename("/home", "/elsewhere"); err != nil {
		t.Fatal(err)
	}
	g.must("path_stat", atCwd, 0, "a\xff", outPtr)

	child := g.as(g.host.Fork(Config{}))
	child.must("path_stat", atCwd, 0, "/f", outPtr)
	spawned, err := g.host.Spawn(Config{Dir: "/"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	program := g.as(spawned)
	program.want(errPerm, "path_stat", fdRoot, 0, "/f", outPtr)
	program.want(errBadf, "path_stat", uint32(atCwd), 0, "f", outPtr)
}

// TestRootItself makes the root what calls are about, with the errors that Linux has for that.
func TestRootItself(t *testing.T) {
	g := newFixture(t)
	g.must("proc_paths", pathsPOSIX)
	for _, c := range []struct {
		want errno
		call string
		args args
	}{
		{errBusy, "path_remove_directory", args{atCwd, "/"}},
		{errBusy, "path_remove_directory", args{atCwd, "///"}},
		{errInval, "path_remove_directory", args{atCwd, "/."}},
		{errNotempty, "path_remove_directory", args{atCwd, "/.."}},
		{errIsdir, "path_unlink_file", args{atCwd, "/"}},
		{errExist, "path_create_directory", args{atCwd, "/"}},
		{errExist, "path_mkdir_mode", args{atCwd, "/", 0o755}},
		{errExist, "path_mkfifo", args{atCwd, "/", 0o644}},
		{errExist, "path_symlink", args{"f", atCwd, "/"}},
		{errExist, "path_link", args{atCwd, 0, "/f", atCwd, "/"}},
		{errPerm, "path_link", args{atCwd, 0, "/", atCwd, "/new"}},
		{errBusy, "path_rename", args{atCwd, "/", atCwd, "/new"}},
		{errBusy, "path_rename", args{atCwd, "/f", atCwd, "/"}},
		{errExist, "path_rename_flags", args{atCwd, "/f", atCwd, "/", int(vfs.RenameNoReplace)}},
		{errInval, "path_readlink", args{atCwd, "/", outPtr, 10, outPtr + 16}},
		{errIsdir, "path_open_mode", args{atCwd, 0, "/", int(openCreate), rightFdRead, 0, 0, 0o644, 0, outPtr}},
		{errIsdir, "path_open_mode", args{atCwd, 0, "/", 0, rightFdWrite, 0, 0, 0, 0, outPtr}},
		{errSuccess, "path_stat", args{atCwd, 0, "/", outPtr}},
		{errSuccess, "path_chmod", args{atCwd, 0, "/", 0o755}},
		{errSuccess, "path_access", args{atCwd, 0, "/", 7}},
		{errSuccess, "path_open_mode", args{atCwd, 0, "/", int(openDirectory), rightFdRead, 0, 0, 0, 0, outPtr}},
	} {
		g.want(c.want, c.call, c.args...)
	}
}

// TestModes makes things with a mode and an umask.
func TestModes(t *testing.T) {
	g := newFixture(t)
	mode := func(path string) uint32 {
		g.must("path_stat", fdRoot, 0, path, outPtr)
		return g.uint32(outPtr + 24)
	}
	g.must("path_open_mode", fdRoot, 0, "a", int(openCreate), rightFdWrite, 0, 0, 0o4777, 0, outPtr)
	g.must("path_mkdir_mode", fdRoot, "b", 0o1777)
	g.must("proc_umask", 0o077, outPtr)
	g.must("path_open_mode", fdRoot, 0, "c", int(openCreate), rightFdWrite, 0, 0, 0o644, 0, outPtr)
	g.must("path_create_directory", fdRoot, "e")
	g.must("path_chmod", fdRoot, 0, "f", modeRegular|0o6711)
	for path, want := range map[string]uint32{
		"a": modeRegular | 0o4755, "b": modeDirectory | 0o1755, "c": modeRegular | 0o600, "e": modeDirectory | 0o700,
		"f": modeRegular | 0o6711, "link": modeLink | 0o777,
	} {
		if got := mode(path); got != want {
			t.Errorf("%s: mode %o, want %o", path, got, want)
		}
	}
	for fd, want := range map[uint32]uint32{fdReader: modeFIFO | 0o600, fdStdin: modeFIFO | 0o600, fdDir: modeDirectory | 0o777} {
		if g.must("fd_stat", fd, outPtr); g.uint32(outPtr+24) != want {
			t.Errorf("descriptor %d: mode %o, want %o", fd, g.uint32(outPtr+24), want)
		}
	}
}

// TestStatStructure checks where the fields of module belljar's stat lie.
func TestStatStructure(t *testing.T) {
	now := time.Unix(1700000000, 123)
	tree := vfs.New(vfs.Config{Now: func() time.Time { return now }, UID: 7, GID: 8})
	if err := errors.Join(tree.WriteFile("/f", make([]byte, 5000), 0o640), tree.Link("/f", "/g")); err != nil {
		t.Fatal(err)
	}
	g := newGuest(t, Config{Tree: tree})
	g.must("path_stat", 3, 0, "f", outPtr)
	info, err := tree.Stat("/f")
	if err != nil {
		t.Fatal(err)
	}
	ns := uint64(now.UnixNano())
	for at, want := range map[uint32]uint64{
		0: info.(vfs.Info).Dev(), 8: info.(vfs.Info).Ino(), 16: 2, 24: modeRegular | 0o640 | 7<<32, 32: 8,
		40: 0, 48: 5000, 56: 4096, 64: 16, 72: ns, 80: ns, 88: ns,
	} {
		if got := g.uint64(outPtr + at); got != want {
			t.Errorf("at %d: %d, want %d", at, got, want)
		}
	}
}

// TestPermissions tells the two ways of being refused apart.
func TestPermissions(t *testing.T) {
	tree := vfs.New(vfs.Config{})
	for _, err := range []error{
		tree.MkdirAll("/open", 0o755),
		tree.Chmod("/open", fs.ModeSticky|0o777),
		tree.WriteFile("/open/theirs", nil, 0o644),
		tree.Mkdir("/closed", 0o700),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	g := newGuest(t, Config{Tree: tree.As(vfs.User{UID: 1000, GID: 1000})})
	g.want(errAcces, "path_open", 3, 0, "open/theirs", 0, rightFdWrite, 0, 0, outPtr)
	g.want(errAcces, "path_access", 3, 0, "open/theirs", 2)
	g.want(errAcces, "path_filestat_get", 3, 0, "closed/x", outPtr)
	g.want(errAcces, "path_create_directory", 3, "closed/x")
	g.want(errPerm, "path_unlink_file", 3, "open/theirs")
	g.want(errPerm, "path_chmod", 3, 0, "open/theirs", 0o777)
	g.want(errPerm, "path_chown", 3, 0, "open/theirs", 1000, 1000)
	g.want(errPerm, "path_filestat_set_times", 3, 0, "open/theirs", 1, 1, int(setAtime|setMtime))
	g.want(errAcces, "path_filestat_set_times", 3, 0, "open/theirs", 0, 0, int(setAtimeNow|setMtimeNow))
	g.must("path_open", 3, 0, "open/mine", int(openCreate), fileRights, 0, 0, outPtr)
	g.must("fd_stat", g.uint32(outPtr), outPtr)
	if owner := g.uint32(outPtr + 28); owner != 1000 {
		t.Errorf("owned by %d", owner)
	}
}

// TestOwnDescriptorPaths opens what is open already.
func TestOwnDescriptorPaths(t *testing.T) {
	g := newFixture(t)
	g.scan(fdFile, 2)
	g.must("path_open", fdRoot, 0, "dev/fd/4", 0, rightFdRead, 0, 0, outPtr)
	if s, _ := g.scan(g.uint32(outPtr), 3); s != "llo" {
		t.Errorf("read %q", s)
	}
	g.must("path_open", fdRoot, 0, "proc/self/fd/4", int(openTruncate), rightFdWrite, 0, 0, outPtr)
	g.must("fd_stat", fdFile, outPtr)
	if size := g.uint64(outPtr + 48); size != 0 {
		t.Errorf("the file has %d bytes", size)
	}
	g.want(errNoent, "path_open", fdDir, 0, "dev/fd/4", 0, rightFdRead, 0, 0, outPtr) // not from the root
	g.must("proc_paths", pathsPOSIX)
	g.must("path_open", atCwd, 0, "/dev/fd/4", 0, rightFdRead, 0, 0, outPtr)
	g.want(errNxio, "path_open", atCwd, 0, "/dev/tty", 0, rightFdRead, 0, 0, outPtr)
}

// TestFolderLikeDescriptors opens a file in a folder dev/fd that is not the root's: one that its path doesn't tell from that
// of the process's descriptors, unless who looks knows from where the path leads.
func TestFolderLikeDescriptors(t *testing.T) {
	g := newFixture(t)
	for _, err := range []error{
		g.tree.MkdirAll("/home/dev/fd", 0o777),
		g.tree.WriteFile("/home/dev/fd/4", []byte("another"), 0o666),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	g.must("proc_paths", pathsPOSIX)
	g.must("path_open", atCwd, 0, "dev/fd", int(openDirectory), 0, 0, 0, outPtr)
	folder := g.uint32(outPtr)
	g.must("path_open", folder, 0, "4", 0, rightFdRead, 0, 0, outPtr)
	if s, _ := g.scan(g.uint32(outPtr), 10); s != "another" {
		t.Errorf("read %q", s)
	}
}

func TestBytesToRead(t *testing.T) {
	g := newFixture(t)
	g.scan(fdFile, 2)
	g.print(fdWriter, "abcdefg")
	for fd, want := range map[uint32]uint64{fdFile: 3, fdReader: 7} {
		if g.must("fd_bytes", fd, outPtr); g.uint64(outPtr) != want {
			t.Errorf("descriptor %d: %d bytes, want %d", fd, g.uint64(outPtr), want)
		}
	}
}

func TestExtendedAttributes(t *testing.T) {
	g := newFixture(t)
	g.must("fd_xattr_set", fdFile, "user.one", "first", 1)
	g.want(errExist, "path_xattr_set", fdRoot, 1, "link", "user.one", "x", 1)
	g.must("path_xattr_set", fdRoot, 1, "link", "user.two", "", 0)
	g.must("path_xattr_get", fdRoot, 0, "f", "user.one", bufPtr, 10, outPtr)
	if got := g.read(bufPtr, g.uint32(outPtr)); got != "first" {
		t.Errorf("value %q", got)
	}
	g.must("fd_xattr_get", fdFile, "user.one", 0, 0, outPtr)
	if n := g.uint32(outPtr); n != 5 {
		t.Errorf("%d bytes", n)
	}
	g.want(errRange, "fd_xattr_get", fdFile, "user.one", bufPtr, 4, outPtr)
	g.must("fd_xattr_list", fdFile, bufPtr, 100, outPtr)
	if got := g.read(bufPtr, g.uint32(outPtr)); got != "user.one\x00user.two\x00" {
		t.Errorf("names %q", got)
	}
	g.must("path_xattr_remove", fdRoot, 1, "f", "user.one")
	g.want(errNomsg, "fd_xattr_get", fdFile, "user.one", bufPtr, 10, outPtr)
}
