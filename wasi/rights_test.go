package wasi

import "testing"

func (g *guest) rights(fd uint32) (base, inheriting rights) {
	g.t.Helper()
	g.must("fd_fdstat_get", fd, outPtr)
	return rights(g.uint64(outPtr + 8)), rights(g.uint64(outPtr + 16))
}

// TestRightsOfWhatIsOpened checks that a descriptor has the rights asked for that
// mean something for it.
func TestRightsOfWhatIsOpened(t *testing.T) {
	g := newFixture(t)
	const everything = ^rights(0)
	for _, c := range []struct {
		path                     string
		base, inheriting         rights
		wantBase, wantInheriting rights
	}{
		{"f", everything, everything, fileRights, fileRights},
		{"f", rightFdRead | rightPathOpen, 0, rightFdRead, 0},
		{"f", 0, 0, 0, 0},
		{"d", everything &^ rightFdWrite, everything, dirRights, dirRights | fileRights},
		{"d", rightFdSeek | rightFdReaddir, rightFdRead, rightFdReaddir, rightFdRead},
	} {
		g.must("path_open", fdRoot, 0, c.path, 0, c.base, c.inheriting, 0, outPtr)
		base, inheriting := g.rights(g.uint32(outPtr))
		if base != c.wantBase || inheriting != c.wantInheriting {
			t.Errorf("%s asked for %x %x: %x %x, want %x %x",
				c.path, c.base, c.inheriting, base, inheriting, c.wantBase, c.wantInheriting)
		}
	}
}

// TestRightsAreInherited checks that a directory hands on no more than it may.
func TestRightsAreInherited(t *testing.T) {
	g := newFixture(t)
	g.must("path_open", fdRoot, 0, "d", int(openDirectory), dirRights, rightFdRead, 0, outPtr)
	dir := g.uint32(outPtr)
	g.want(errNotcapable, "path_open", dir, 0, "sub", 0, rightFdWrite, 0, 0, outPtr)
	g.want(errNotcapable, "path_open", dir, 0, "sub", 0, rightFdRead, rightFdWrite, 0, outPtr)
	g.want(errNotcapable, "path_open", dir, 0, "sub", 0, rightFdRead, 0, int(flagSync), outPtr)
	g.want(errNotcapable, "path_open", dir, 0, "sub", 0, rightFdRead, 0, int(flagDsync), outPtr)
	g.must("path_open", dir, 0, "sub", 0, rightFdRead, rightFdRead, 0, outPtr)
}

// TestEachRight gives up one right after the other, and makes the call it stands for.
func TestEachRight(t *testing.T) {
	for _, c := range []struct {
		fd    uint32
		right rights
		call  string
		args  args
	}{
		{fdFile, rightFdDatasync, "fd_datasync", args{fdFile}},
		{fdFile, rightFdRead, "fd_read", args{fdFile, listPtr, 1, outPtr}},
		{fdFile, rightFdSeek, "fd_seek", args{fdFile, 1, whenceSet, outPtr}},
		{fdFile, rightFdSeek, "fd_pread", args{fdFile, listPtr, 1, 0, outPtr}},
		{fdFile, rightFdSeek, "fd_pwrite", args{fdFile, listPtr, 1, 0, outPtr}},
		{fdFile, rightFdFdstatSetFlags, "fd_fdstat_set_flags", args{fdFile, 0}},
		{fdFile, rightFdSync, "fd_sync", args{fdFile}},
		{fdFile, rightFdSeek | rightFdTell, "fd_tell", args{fdFile, outPtr}},
		{fdFile, rightFdWrite, "fd_write", args{fdFile, listPtr, 1, outPtr}},
		{fdFile, rightFdAdvise, "fd_advise", args{fdFile, 0, 0, 0}},
		{fdFile, rightFdAllocate, "fd_allocate", args{fdFile, 0, 1}},
		{fdFile, rightFdFilestatGet, "fd_filestat_get", args{fdFile, outPtr}},
		{fdFile, rightFdFilestatSetSize, "fd_filestat_set_size", args{fdFile, 0}},
		{fdFile, rightFdFilestatSetTimes, "fd_filestat_set_times", args{fdFile, 0, 0, 0}},
		{fdDir, rightPathCreateDirectory, "path_create_directory", args{fdDir, "new"}},
		{fdDir, rightPathCreateFile, "path_open", args{fdDir, 0, "new", int(openCreate), 0, 0, 0, outPtr}},
		{fdDir, rightPathLinkSource, "path_link", args{fdDir, 0, "sub", fdRoot, "new"}},
		{fdDir, rightPathLinkTarget, "path_link", args{fdRoot, 0, "f", fdDir, "new"}},
		{fdDir, rightPathOpen, "path_open", args{fdDir, 0, "sub", 0, 0, 0, 0, outPtr}},
		{fdDir, rightFdReaddir, "fd_readdir", args{fdDir, bufPtr, 100, 0, outPtr}},
		{fdDir, rightPathReadlink, "path_readlink", args{fdDir, "climber", bufPtr, 100, outPtr}},
		{fdDir, rightPathRenameSource, "path_rename", args{fdDir, "sub", fdRoot, "new"}},
		{fdDir, rightPathRenameTarget, "path_rename", args{fdRoot, "f", fdDir, "new"}},
		{fdDir, rightPathFilestatGet, "path_filestat_get", args{fdDir, 0, "sub", outPtr}},
		{fdDir, rightPathFilestatSetSize, "path_open", args{fdDir, 0, "sub", int(openTruncate), 0, 0, 0, outPtr}},
		{fdDir, rightPathFilestatSetTimes, "path_filestat_set_times", args{fdDir, 0, "sub", 0, 0, 0}},
		{fdDir, rightPathSymlink, "path_symlink", args{"x", fdDir, "new"}},
		{fdDir, rightPathRemoveDirectory, "path_remove_directory", args{fdDir, "empty"}},
		{fdDir, rightPathUnlinkFile, "path_unlink_file", args{fdDir, "sub"}},
	} {
		g := newFixture(t)
		g.writeLists()
		base, inheriting := g.rights(c.fd)
		g.must("fd_fdstat_set_rights", c.fd, base&^c.right, inheriting)
		g.want(errNotcapable, c.call, c.args...)
		g.want(errNotcapable, "fd_fdstat_set_rights", c.fd, base, inheriting)

		g = newFixture(t)
		g.writeLists()
		g.must("fd_fdstat_set_rights", c.fd, base, inheriting)
		g.want(errSuccess, c.call, c.args...)
	}
}

// TestSeekImpliesTell checks the one right that another includes.
func TestSeekImpliesTell(t *testing.T) {
	for _, c := range []struct {
		base rights
		want errno
	}{{rightFdSeek, errSuccess}, {rightFdTell, errSuccess}, {rightFdRead, errNotcapable}} {
		g := newFixture(t)
		fd := g.open("f", 0, c.base)
		g.want(c.want, "fd_tell", fd, outPtr)
		g.want(c.want, "fd_seek", fd, 0, whenceCur, outPtr)
	}
}

// TestOpenedFor checks that reading and writing need a file opened for it, whatever
// rights it has.
func TestOpenedFor(t *testing.T) {
	g := newFixture(t)
	g.writeLists()
	for _, base := range []rights{0, rightFdRead, rightFdWrite, rightFdRead | rightFdWrite} {
		fd := g.open("f", 0, base)
		read, write := errBadf, errBadf
		if base&rightFdRead != 0 {
			read = errSuccess
		}
		if base&rightFdWrite != 0 {
			write = errSuccess
		}
		g.want(read, "fd_read", fd, listPtr, 1, outPtr)
		g.want(write, "fd_write", fd, listPtr, 1, outPtr)
	}
}
