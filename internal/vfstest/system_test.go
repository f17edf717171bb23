package vfstest

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"syscall"
	"time"
)

// system is a face of a file system. Modes are those of stat(2). Errors hold a syscall.Errno, or are a skip.
type system interface {
	root() string // the absolute path of the directory in which the case runs
	tick()        // returns when the clock that stamps files has moved on
	become(u user) error
	refuses(args []string) error // a skip, if users of the face can't make this call

	open(name string, flag int, mode uint32) (file, error)
	mkdir(name string, mode uint32) error
	mkfifo(name string, mode uint32) error
	mksock(name string, mode uint32) error
	mkdev(name string, mode uint32, char bool, number uint32) error
	rmdir(name string) error
	unlink(name string) error
	rename(from, to string, how renaming) error
	link(from, to string, follow bool) error
	symlink(target, name string) error
	readlink(name string) (string, error)
	truncate(name string, size int64) error
	chmod(name string, mode uint32) error
	chown(name string, follow bool, uid, gid int) error
	utimes(name string, follow bool, at times) error
	access(name string, how uint32) error
	stat(name string, follow bool) (status, error)

	getxattr(name string, follow bool, attr string) (string, error)
	setxattr(name string, follow bool, attr, value string, how renaming) error
	listxattr(name string, follow bool) ([]string, error)
	removexattr(name string, follow bool, attr string) error
}

// file is an open file or directory.
type file interface {
	read(n int) (string, error) // "" at the end
	write(s string) (int, error)
	pread(n int, off int64) (string, error)
	pwrite(s string, off int64) (int, error)
	seek(off int64, whence int) (int64, error)
	truncate(size int64) error
	allocate(off, n int64) error
	punch(off, n int64) error
	chmod(mode uint32) error
	chown(uid, gid int) error
	utimes(at times) error
	stat() (status, error)
	list(n int) ([]string, error) // all that are left if n is -1, without "." and ".."
	close() error
}

// user is whom calls are made as.
type user struct {
	uid, gid int
	groups   []int
	umask    uint32
}

// renaming says what a call does with what is there.
type renaming int

const (
	replace renaming = iota
	noReplace
	exchange // of attributes: only what is there
)

// times are what utimensat(2) takes: seconds, or one of the two below.
type times struct{ atime, mtime int64 }

const (
	timeNow  = -1
	timeOmit = -2
)

func (t times) time(sec int64) time.Time {
	if sec == timeOmit {
		return time.Time{}
	}
	return time.Unix(sec, 0)
}

// status is what stat tells.
type status struct {
	typ                 string
	mode                uint32
	uid, gid            int
	ino, nlink          uint64
	size                int64
	rdev                uint64
	atime, mtime, ctime time.Time
}

// skip says why a face cannot run a case.
type skip string

func (s skip) Error() string { return string(s) }

// no answers every call that a face does not have.
type no struct{ face string }

func (n no) lacks(call string) error { return skip(n.face + " has no " + call) }

func (n no) mkfifo(string, uint32) error                           { return n.lacks("mkfifo") }
func (n no) mksock(string, uint32) error                           { return n.lacks("mknod") }
func (n no) mkdev(string, uint32, bool, uint32) error              { return n.lacks("mknod") }
func (n no) link(string, string, bool) error                       { return n.lacks("link") }
func (n no) truncate(string, int64) error                          { return n.lacks("truncate") }
func (n no) getxattr(string, bool, string) (string, error)         { return "", n.lacks("getxattr") }
func (n no) setxattr(string, bool, string, string, renaming) error { return n.lacks("setxattr") }
func (n no) listxattr(string, bool) ([]string, error)              { return nil, n.lacks("listxattr") }
func (n no) removexattr(string, bool, string) error                { return n.lacks("removexattr") }
func (n no) access(string, uint32) error                           { return n.lacks("access") }

// errnoNames are the answers of the table.
var errnoNames = map[syscall.Errno]string{
	syscall.E2BIG: "E2BIG", syscall.EACCES: "EACCES", syscall.EAGAIN: "EAGAIN", syscall.EBADF: "EBADF",
	syscall.EBUSY: "EBUSY", syscall.EDQUOT: "EDQUOT", syscall.EEXIST: "EEXIST", syscall.EFBIG: "EFBIG",
	syscall.EINVAL: "EINVAL", syscall.EISDIR: "EISDIR", syscall.ELOOP: "ELOOP", syscall.EMLINK: "EMLINK",
	syscall.ENAMETOOLONG: "ENAMETOOLONG", syscall.ENOENT: "ENOENT", syscall.ENOSPC: "ENOSPC", syscall.ENOTDIR: "ENOTDIR",
	syscall.ENOTEMPTY: "ENOTEMPTY", syscall.ENOTSUP: "ENOTSUP", syscall.ENXIO: "ENXIO", syscall.EPERM: "EPERM",
	syscall.EPIPE: "EPIPE", syscall.ERANGE: "ERANGE", syscall.EROFS: "EROFS", syscall.ESPIPE: "ESPIPE",
	syscall.ETXTBSY: "ETXTBSY", syscall.EXDEV: "EXDEV", noData: "ENODATA",
}

// answer puts the outcome of a call into the words of the table.
func answer(text string, err error) string {
	var n syscall.Errno
	switch {
	case err == nil && text == "":
		return "ok"
	case err == nil:
		return text
	case errors.Is(err, fs.ErrClosed):
		return "EBADF"
	case errors.As(err, &n) && errnoNames[n] != "":
		return errnoNames[n]
	}
	return fmt.Sprintf("%T %v", err, err)
}

// eof makes the end of a file what read(2) says of it.
func eof(err error) error {
	if err == io.EOF {
		return nil
	}
	return err
}
