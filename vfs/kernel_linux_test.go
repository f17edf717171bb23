package vfs

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// system is what the tests below ask of the tree and of the kernel alike. Paths are relative.
type system interface {
	open(name string, flag int, perm uint32) (descriptor, error)
	mkdir(name string, perm uint32) error
	rmdir(name string) error
	unlink(name string) error
	rename(from, to string) error
	link(from, to string) error
	renameWith(from, to string, flags RenameFlags) error
	symlink(target, name string) error
	mkfifo(name string, perm uint32) error
	readlink(name string) (string, error)
	chmod(name string, mode uint32) error
	truncate(name string, size int64) error
	chtimes(name string, sec int64) error
	stat(name string, follow bool) (status, error)
	list(name string) ([]string, error)
}

type descriptor interface {
	read(n int) (string, error)
	write(s string) (int, error)
	pread(n int, off int64) (string, error)
	pwrite(s string, off int64) (int, error)
	seek(off int64, whence int) (int64, error)
	truncate(size int64) error
	stat() (status, error)
	close() error
}

// status is what must agree. times are only compared where a test has set them.
type status struct {
	typ   byte
	perm  uint32
	nlink uint64
	size  int64
	uid   int
	gid   int
	mtime time.Time
	ctime time.Time
}

func (s status) String() string {
	return fmt.Sprintf("%c%04o n%d s%d", s.typ, s.perm, s.nlink, s.size)
}

// kernel is the oracle, in the working directory.
type kernel struct{}

type kernelFile int

func (kernel) open(name string, flag int, perm uint32) (descriptor, error) {
	real := flag &^ (O_DIRECTORY | O_NOFOLLOW | O_NONBLOCK | O_NOATIME)
	for _, f := range []struct{ ours, theirs int }{
		{O_DIRECTORY, syscall.O_DIRECTORY}, {O_NOFOLLOW, syscall.O_NOFOLLOW}, {O_NONBLOCK, syscall.O_NONBLOCK}, {O_NOATIME, syscall.O_NOATIME},
	} {
		if flag&f.ours != 0 {
			real |= f.theirs
		}
	}
	fd, err := syscall.Open(name, real|syscall.O_CLOEXEC, perm)
	return kernelFile(fd), err
}
func (kernel) mkdir(name string, perm uint32) error { return syscall.Mkdir(name, perm) }
func (kernel) rmdir(name string) error              { return syscall.Rmdir(name) }
func (kernel) unlink(name string) error             { return syscall.Unlink(name) }
func (kernel) rename(from, to string) error         { return syscall.Rename(from, to) }
func (kernel) mkfifo(name string, perm uint32) error {
	return syscall.Mkfifo(name, perm)
}
func (kernel) symlink(target, name string) error      { return syscall.Symlink(target, name) }
func (kernel) chmod(name string, mode uint32) error   { return syscall.Chmod(name, mode) }
func (kernel) truncate(name string, size int64) error { return syscall.Truncate(name, size) }

func (kernel) renameWith(from, to string, flags RenameFlags) error {
	return unix.Renameat2(unix.AT_FDCWD, from, unix.AT_FDCWD, to, uint(flags)) // The flags have the kernel's values.
}

func (kernel) link(from, to string) error { return syscall.Link(from, to) }

func (kernel) readlink(name string) (string, error) {
	buf := make([]byte, 5000)
	n, err := syscall.Readlink(name, buf)
	return string(buf[:max(n, 0)]), err
}

func (kernel) chtimes(name string, sec int64) error {
	return syscall.UtimesNano(name, []syscall.Timespec{syscall.NsecToTimespec(sec * 1e9), syscall.NsecToTimespec(sec * 1e9)})
}

func kernelStatus(st *syscall.Stat_t, err error) (status, error) {
	if err != nil {
		return status{}, err
	}
	s := status{typ: '-', perm: st.Mode & 0o7777, nlink: uint64(st.Nlink), size: st.Size, uid: int(st.Uid), gid: int(st.Gid),
		mtime: time.Unix(st.Mtim.Unix()), ctime: time.Unix(st.Ctim.Unix())}
	switch st.Mode & syscall.S_IFMT {
	case syscall.S_IFDIR:
		s.typ, s.size = 'd', 0
	case syscall.S_IFLNK:
		s.typ = 'l'
	case syscall.S_IFIFO:
		s.typ = 'p'
	}
	return s, nil
}

func (kernel) stat(name string, follow bool) (status, error) {
	var st syscall.Stat_t
	if follow {
		return kernelStatus(&st, syscall.Stat(name, &st))
	}
	return kernelStatus(&st, syscall.Lstat(name, &st))
}

func (kernel) list(name string) ([]string, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, cause(err)
	}
	defer f.Close()
	names, err := f.Readdirnames(-1)
	return names, cause(err)
}

func (f kernelFile) read(n int) (string, error) {
	buf := make([]byte, n)
	k, err := syscall.Read(int(f), buf)
	return string(buf[:max(k, 0)]), err
}
func (f kernelFile) write(s string) (int, error) { return clip(syscall.Write(int(f), []byte(s))) }
func (f kernelFile) pread(n int, off int64) (string, error) {
	buf := make([]byte, n)
	k, err := syscall.Pread(int(f), buf, off)
	return string(buf[:max(k, 0)]), err
}
func (f kernelFile) pwrite(s string, off int64) (int, error) {
	return clip(syscall.Pwrite(int(f), []byte(s), off))
}
func (f kernelFile) seek(off int64, whence int) (int64, error) {
	n, err := syscall.Seek(int(f), off, whence)
	return max(n, 0), err
}
func (f kernelFile) truncate(size int64) error { return syscall.Ftruncate(int(f), size) }
func (f kernelFile) stat() (status, error) {
	var st syscall.Stat_t
	return kernelStatus(&st, syscall.Fstat(int(f), &st))
}
func (f kernelFile) close() error { return syscall.Close(int(f)) }

func clip(n int, err error) (int, error) { return max(n, 0), err }

// treeSystem is what is under test: the root of a tree, or a directory in a mount.
type treeSystem struct{ *Dir }

type treeFile struct{ f *File }

func (s treeSystem) open(name string, flag int, perm uint32) (descriptor, error) {
	f, err := s.OpenFile(name, flag, goMode(perm))
	return treeFile{f}, err
}
func (s treeSystem) mkdir(name string, perm uint32) error { return s.Mkdir(name, goMode(perm)) }
func (s treeSystem) rmdir(name string) error              { return s.Rmdir(name) }
func (s treeSystem) unlink(name string) error             { return s.Unlink(name) }
func (s treeSystem) rename(from, to string) error         { return s.Rename(from, s.Dir, to) }
func (s treeSystem) mkfifo(name string, perm uint32) error {
	return s.Mkfifo(name, goMode(perm))
}
func (s treeSystem) symlink(target, name string) error    { return s.Symlink(target, name) }
func (s treeSystem) readlink(name string) (string, error) { return s.Readlink(name) }
func (s treeSystem) chmod(name string, mode uint32) error { return s.Chmod(name, true, goMode(mode)) }
func (s treeSystem) renameWith(from, to string, flags RenameFlags) error {
	return s.RenameWith(from, s.Dir, to, flags)
}
func (s treeSystem) link(from, to string) error          { return s.Link(from, s.Dir, to, false) }
func (s treeSystem) truncate(name string, n int64) error { return s.Truncate(name, n) }
func (s treeSystem) chtimes(name string, sec int64) error {
	return s.Chtimes(name, true, time.Unix(sec, 0), time.Unix(sec, 0))
}
func (s treeSystem) stat(name string, follow bool) (status, error) {
	return treeStatus(s.Stat(name, follow))
}
func (s treeSystem) list(name string) ([]string, error) {
	f, err := s.OpenFile(name, os.O_RDONLY, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return f.Readdirnames(-1)
}

func treeStatus(i Info, err error) (status, error) {
	if err != nil {
		return status{}, err
	}
	s := status{typ: '-', perm: uint32(i.Mode().Perm()), nlink: i.Nlink(), size: i.Size(), uid: i.UID(), gid: i.GID(), mtime: i.ModTime(), ctime: i.Ctime()}
	for _, b := range specialBits {
		if i.Mode()&b.mode != 0 {
			s.perm |= b.bit
		}
	}
	switch i.Mode().Type() {
	case fs.ModeDir:
		s.typ, s.size = 'd', 0
	case fs.ModeSymlink:
		s.typ = 'l'
	case fs.ModeNamedPipe:
		s.typ = 'p'
	}
	return s, nil
}

var specialBits = []struct {
	bit  uint32
	mode fs.FileMode
}{{0o4000, fs.ModeSetuid}, {0o2000, fs.ModeSetgid}, {0o1000, fs.ModeSticky}}

func goMode(perm uint32) fs.FileMode {
	m := fs.FileMode(perm & 0o777)
	for _, b := range specialBits {
		if perm&b.bit != 0 {
			m |= b.mode
		}
	}
	return m
}

func eof(err error) error {
	if err == io.EOF {
		return nil
	}
	return err
}

func (f treeFile) read(n int) (string, error) {
	buf := make([]byte, n)
	k, err := f.f.Read(buf)
	return string(buf[:k]), eof(err)
}
func (f treeFile) write(s string) (int, error) { return f.f.WriteString(s) }
func (f treeFile) pread(n int, off int64) (string, error) {
	buf := make([]byte, n)
	k, err := f.f.ReadAt(buf, off)
	return string(buf[:k]), eof(err)
}
func (f treeFile) pwrite(s string, off int64) (int, error) { return f.f.WriteAt([]byte(s), off) }
func (f treeFile) seek(off int64, whence int) (int64, error) {
	return f.f.Seek(off, whence)
}
func (f treeFile) truncate(size int64) error { return f.f.Truncate(size) }
func (f treeFile) stat() (status, error)     { return treeStatus(f.f.Info()) }
func (f treeFile) close() error              { return f.f.Close() }

// errnoNames pairs each errno with what the tree says instead.
var errnoNames = []struct {
	name string
	errs []error
}{
	{"ENOTEMPTY", []error{syscall.ENOTEMPTY, ErrNotEmpty}}, // Before EEXIST, which it also is.
	{"ENOENT", []error{syscall.ENOENT, fs.ErrNotExist}},
	{"EEXIST", []error{syscall.EEXIST, fs.ErrExist}},
	{"EPERM", []error{syscall.EPERM, ErrNotPermitted}}, // Before EACCES: both are fs.ErrPermission.
	{"EACCES", []error{syscall.EACCES, fs.ErrPermission}},
	{"EINVAL", []error{syscall.EINVAL, fs.ErrInvalid}},
	{"ENOTDIR", []error{syscall.ENOTDIR, ErrNotDir}},
	{"EISDIR", []error{syscall.EISDIR, ErrIsDir}},
	{"ELOOP", []error{syscall.ELOOP, ErrLoop}},
	{"ENAMETOOLONG", []error{syscall.ENAMETOOLONG, ErrNameTooLong}},
	{"EBUSY", []error{syscall.EBUSY, ErrBusy}},
	{"EBADF", []error{syscall.EBADF, ErrBadFile, fs.ErrClosed}},
	{"EFBIG", []error{syscall.EFBIG, ErrTooLarge}},
	{"EAGAIN", []error{syscall.EAGAIN, ErrAgain}},
	{"ENXIO", []error{syscall.ENXIO, ErrNoDevice}},
	{"EPIPE", []error{syscall.EPIPE, ErrBrokenPipe}},
	{"ESPIPE", []error{syscall.ESPIPE, ErrNotSeekable}},
	{"ENODATA", []error{syscall.ENODATA, ErrNoAttr}},
	{"E2BIG", []error{syscall.E2BIG, ErrAttrTooLarge}},
	{"ERANGE", []error{syscall.ERANGE, ErrRange}},
	{"ENOTSUP", []error{syscall.ENOTSUP, ErrNotSupported}},
}

func errnoName(err error) string {
	if err == nil {
		return "ok"
	}
	for _, e := range errnoNames {
		for _, is := range e.errs {
			if errors.Is(err, is) {
				return e.name
			}
		}
	}
	return err.Error()
}
