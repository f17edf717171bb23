package vfstest

import (
	"io/fs"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/belljar-dev/belljar/vfs"
)

// newTree returns an empty tree whose clock moves with each look at it.
func newTree(t *testing.T) *vfs.Tree {
	var ticks atomic.Int64
	tr := vfs.New(vfs.Config{Now: func() time.Time { return time.Unix(1e9, ticks.Add(1000)) }})
	t.Cleanup(func() { tr.Close() })
	return tr
}

func onTree(t *testing.T, do func(system)) {
	tr := newTree(t)
	do(&treeFace{tree: tr, dir: tr.Root().AsRoot()})
}

// treeFace is vfs itself.
type treeFace struct {
	tree *vfs.Tree
	dir  *vfs.Dir
}

// asVFS is a user in vfs's words.
func asVFS(u user) vfs.User {
	return vfs.User{UID: u.uid, GID: u.gid, Groups: u.groups, Umask: fs.FileMode(u.umask)}
}

func (s *treeFace) root() string           { return "" }
func (s *treeFace) tick()                  {}
func (s *treeFace) refuses([]string) error { return nil }

func (s *treeFace) become(u user) error {
	s.dir = s.tree.As(asVFS(u)).Root().AsRoot()
	return nil
}

// vfsFlags translates the flags that package os does not name.
func vfsFlags(flag int) int {
	for _, f := range []struct{ from, to int }{
		{flagDirectory, vfs.O_DIRECTORY}, {flagNofollow, vfs.O_NOFOLLOW}, {flagNonblock, vfs.O_NONBLOCK},
	} {
		if flag&f.from != 0 {
			flag = flag&^f.from | f.to
		}
	}
	return flag
}

var modeBits = []struct {
	bit  uint32
	mode fs.FileMode
}{{0o4000, fs.ModeSetuid}, {0o2000, fs.ModeSetgid}, {0o1000, fs.ModeSticky}}

func deviceMode(char bool) fs.FileMode {
	if char {
		return fs.ModeDevice | fs.ModeCharDevice
	}
	return fs.ModeDevice
}

func goMode(mode uint32) fs.FileMode {
	m := fs.FileMode(mode & 0o777)
	for _, b := range modeBits {
		if mode&b.bit != 0 {
			m |= b.mode
		}
	}
	return m
}

// statusOf reads what every FileInfo of vfs tells, however it came.
func statusOf(i fs.FileInfo, err error) (status, error) {
	if err != nil {
		return status{}, err
	}
	v := i.(vfs.Info)
	s := status{
		mode: uint32(i.Mode().Perm()), uid: v.UID(), gid: v.GID(), ino: v.Ino(), nlink: v.Nlink(),
		size: i.Size(), rdev: uint64(v.Rdev()),
		atime: v.Atime(), mtime: i.ModTime(), ctime: v.Ctime(),
	}
	for _, b := range modeBits {
		if i.Mode()&b.mode != 0 {
			s.mode |= b.bit
		}
	}
	s.typ = map[fs.FileMode]string{
		0: "file", fs.ModeDir: "dir", fs.ModeSymlink: "link", fs.ModeNamedPipe: "fifo", fs.ModeSocket: "sock",
		fs.ModeDevice: "block", fs.ModeDevice | fs.ModeCharDevice: "char",
	}[i.Mode().Type()]
	return s, nil
}

func (s *treeFace) open(name string, flag int, mode uint32) (file, error) {
	f, err := s.dir.OpenFile(name, vfsFlags(flag), goMode(mode))
	if err != nil {
		return nil, err
	}
	return vfsFile{f}, nil
}

func (s *treeFace) mkdir(name string, mode uint32) error  { return s.dir.Mkdir(name, goMode(mode)) }
func (s *treeFace) mkfifo(name string, mode uint32) error { return s.dir.Mkfifo(name, goMode(mode)) }
func (s *treeFace) mksock(name string, mode uint32) error { return s.dir.Mksocket(name, goMode(mode)) }
func (s *treeFace) mkdev(name string, mode uint32, char bool, number uint32) error {
	return s.dir.Mkdevice(name, goMode(mode)|deviceMode(char), number)
}
func (s *treeFace) rmdir(name string) error                { return s.dir.Rmdir(name) }
func (s *treeFace) unlink(name string) error               { return s.dir.Unlink(name) }
func (s *treeFace) symlink(target, name string) error      { return s.dir.Symlink(target, name) }
func (s *treeFace) readlink(name string) (string, error)   { return s.dir.Readlink(name) }
func (s *treeFace) truncate(name string, size int64) error { return s.dir.Truncate(name, size) }
func (s *treeFace) chmod(name string, mode uint32) error {
	return s.dir.Chmod(name, true, goMode(mode))
}
func (s *treeFace) access(name string, how uint32) error { return s.dir.Access(name, true, int(how)) }
func (s *treeFace) link(from, to string, follow bool) error {
	return s.dir.Link(from, s.dir, to, follow)
}
func (s *treeFace) stat(name string, follow bool) (status, error) {
	i, err := s.dir.Stat(name, follow)
	return statusOf(i, err)
}

func (s *treeFace) chown(name string, follow bool, uid, gid int) error {
	return s.dir.Chown(name, follow, uid, gid)
}

func (s *treeFace) rename(from, to string, how renaming) error {
	return s.dir.RenameWith(from, s.dir, to, renameFlags[how])
}

var renameFlags = map[renaming]vfs.RenameFlags{replace: 0, noReplace: vfs.RenameNoReplace, exchange: vfs.RenameExchange}

func (s *treeFace) utimes(name string, follow bool, at times) error {
	if at == (times{timeNow, timeNow}) {
		return s.dir.Touch(name, follow)
	}
	return s.dir.Chtimes(name, follow, at.time(at.atime), at.time(at.mtime))
}

func (s *treeFace) getxattr(name string, follow bool, attr string) (string, error) {
	value, err := s.dir.Getxattr(name, follow, attr)
	return string(value), err
}

func (s *treeFace) setxattr(name string, follow bool, attr, value string, how renaming) error {
	return s.dir.Setxattr(name, follow, attr, []byte(value), xattrFlags[how])
}

var xattrFlags = map[renaming]vfs.XattrFlags{replace: 0, noReplace: vfs.XattrCreate, exchange: vfs.XattrReplace}

func (s *treeFace) listxattr(name string, follow bool) ([]string, error) {
	return s.dir.Listxattr(name, follow)
}

func (s *treeFace) removexattr(name string, follow bool, attr string) error {
	return s.dir.Removexattr(name, follow, attr)
}

// vfsFile is a *vfs.File, whichever face opened it.
type vfsFile struct{ *vfs.File }

func (f vfsFile) read(n int) (string, error) {
	buf := make([]byte, n)
	k, err := f.Read(buf)
	return string(buf[:k]), eof(err)
}

func (f vfsFile) write(s string) (int, error) { return f.WriteString(s) }

func (f vfsFile) pread(n int, off int64) (string, error) {
	buf := make([]byte, n)
	k, err := f.ReadAt(buf, off)
	return string(buf[:k]), eof(err)
}

func (f vfsFile) pwrite(s string, off int64) (int, error)   { return f.WriteAt([]byte(s), off) }
func (f vfsFile) seek(off int64, whence int) (int64, error) { return f.Seek(off, whence) }
func (f vfsFile) truncate(size int64) error                 { return f.Truncate(size) }
func (f vfsFile) allocate(off, n int64) error               { return f.Allocate(off, n) }
func (f vfsFile) punch(off, n int64) error                  { return f.PunchHole(off, n) }
func (f vfsFile) chmod(mode uint32) error                   { return f.Chmod(goMode(mode)) }
func (f vfsFile) chown(uid, gid int) error                  { return f.Chown(uid, gid) }
func (f vfsFile) stat() (status, error)                     { return statusOf(f.Stat()) }
func (f vfsFile) close() error                              { return f.Close() }

func (f vfsFile) utimes(at times) error {
	if at == (times{timeNow, timeNow}) {
		return f.Touch()
	}
	return f.Chtimes(at.time(at.atime), at.time(at.mtime))
}

func (f vfsFile) list(n int) ([]string, error) {
	names, err := f.Readdirnames(n)
	return names, eof(err)
}

// slashed is a name as users of afero and billy may also write it.
func slashed(name string) string {
	if name == "" || strings.HasPrefix(name, "/") {
		return name
	}
	return "/" + name
}
