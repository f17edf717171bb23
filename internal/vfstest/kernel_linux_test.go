package vfstest

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// kernel is the oracle. Its working directory, umask and user are those of one thread.
type kernel struct{ dir string }

// onKernel runs do in a fresh directory, on a thread of its own that ends with it.
func onKernel(t *testing.T, do func(system)) {
	t.Helper()
	base := t.TempDir()
	dir := filepath.Join(base, "case")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for up := base; len(up) > len(os.TempDir()); up = filepath.Dir(up) {
		os.Chmod(up, 0o755) // Other users must be able to come by.
	}
	done := make(chan error)
	// The goroutine ends, and its locked thread with it, before onKernel returns.
	go func() {
		runtime.LockOSThread()
		err := unix.Unshare(unix.CLONE_FS)
		if err == nil {
			err = unix.Chdir(dir)
		}
		defer func() {
			if r := recover(); r != nil {
				err = fmt.Errorf("panic: %v", r)
			}
			done <- err
		}()
		if err == nil {
			unix.Umask(0)
			do(&kernel{dir: dir})
		}
	}()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func (k *kernel) root() string           { return k.dir }
func (k *kernel) refuses([]string) error { return nil }

// tick waits, a few milliseconds at most, for the coarse clock that stamps files.
func (k *kernel) tick() {
	var from, now unix.Timespec
	unix.ClockGettime(unix.CLOCK_REALTIME_COARSE, &from)
	for now = from; now == from; {
		runtime.Gosched()
		unix.ClockGettime(unix.CLOCK_REALTIME_COARSE, &now)
	}
}

const keep = ^uintptr(0)

// become changes the thread alone; the calls of package unix would change the process.
func (k *kernel) become(u user) error {
	unix.Umask(int(u.umask))
	for _, call := range []func() error{
		func() error { return threadIDs(unix.SYS_SETRESUID, 0) },
		func() error { return unix.Setgroups(u.groups) },
		func() error { return threadIDs(unix.SYS_SETRESGID, u.gid) },
		func() error { return threadIDs(unix.SYS_SETRESUID, u.uid) },
	} {
		if err := call(); err != nil {
			return err
		}
	}
	return nil
}

func threadIDs(call uintptr, id int) error {
	if _, _, n := unix.RawSyscall(call, keep, uintptr(id), keep); n != 0 {
		return n
	}
	return nil
}

func (k *kernel) open(name string, flag int, mode uint32) (file, error) {
	for _, f := range []struct{ from, to int }{
		{flagDirectory, unix.O_DIRECTORY}, {flagNofollow, unix.O_NOFOLLOW}, {flagNonblock, unix.O_NONBLOCK},
	} {
		if flag&f.from != 0 {
			flag = flag&^f.from | f.to
		}
	}
	fd, err := unix.Open(name, flag|unix.O_CLOEXEC, mode)
	if err != nil {
		return nil, err
	}
	return &kernelFile{fd: fd}, nil
}

func (k *kernel) mkdir(name string, mode uint32) error  { return unix.Mkdir(name, mode) }
func (k *kernel) mkfifo(name string, mode uint32) error { return unix.Mkfifo(name, mode) }
func (k *kernel) mksock(name string, mode uint32) error {
	return unix.Mknod(name, unix.S_IFSOCK|mode, 0)
}
func (k *kernel) mkdev(name string, mode uint32, char bool, number uint32) error {
	if char {
		return unix.Mknod(name, unix.S_IFCHR|mode, int(number))
	}
	return unix.Mknod(name, unix.S_IFBLK|mode, int(number))
}
func (k *kernel) rmdir(name string) error                { return unix.Rmdir(name) }
func (k *kernel) unlink(name string) error               { return unix.Unlink(name) }
func (k *kernel) symlink(target, name string) error      { return unix.Symlink(target, name) }
func (k *kernel) truncate(name string, size int64) error { return unix.Truncate(name, size) }
func (k *kernel) chmod(name string, mode uint32) error   { return unix.Chmod(name, mode) }

func (k *kernel) rename(from, to string, how renaming) error {
	flags := map[renaming]uint{replace: 0, noReplace: unix.RENAME_NOREPLACE, exchange: unix.RENAME_EXCHANGE}[how]
	return unix.Renameat2(unix.AT_FDCWD, from, unix.AT_FDCWD, to, flags)
}

func (k *kernel) link(from, to string, follow bool) error {
	flags := 0
	if follow {
		flags = unix.AT_SYMLINK_FOLLOW
	}
	return unix.Linkat(unix.AT_FDCWD, from, unix.AT_FDCWD, to, flags)
}

func (k *kernel) readlink(name string) (string, error) {
	buf := make([]byte, 5000)
	n, err := unix.Readlink(name, buf)
	return string(buf[:max(n, 0)]), err
}

func (k *kernel) chown(name string, follow bool, uid, gid int) error {
	if follow {
		return unix.Chown(name, uid, gid)
	}
	return unix.Lchown(name, uid, gid)
}

func timespecs(at times) []unix.Timespec {
	var ts []unix.Timespec
	for _, sec := range []int64{at.atime, at.mtime} {
		t := unix.Timespec{Nsec: unix.UTIME_NOW}
		switch sec {
		case timeNow:
		case timeOmit:
			t.Nsec = unix.UTIME_OMIT
		default:
			t = unix.NsecToTimespec(sec * int64(time.Second))
		}
		ts = append(ts, t)
	}
	return ts
}

func (k *kernel) utimes(name string, follow bool, at times) error {
	flags := unix.AT_SYMLINK_NOFOLLOW
	if follow {
		flags = 0
	}
	return unix.UtimesNanoAt(unix.AT_FDCWD, name, timespecs(at), flags)
}

func (k *kernel) access(name string, how uint32) error {
	return unix.Faccessat2(unix.AT_FDCWD, name, how, unix.AT_EACCESS)
}

func (k *kernel) stat(name string, follow bool) (status, error) {
	var st unix.Stat_t
	call := unix.Lstat
	if follow {
		call = unix.Stat
	}
	if err := call(name, &st); err != nil {
		return status{}, err
	}
	return kernelStatus(&st), nil
}

func (k *kernel) getxattr(name string, follow bool, attr string) (string, error) {
	call := unix.Lgetxattr
	if follow {
		call = unix.Getxattr
	}
	buf := make([]byte, 1<<16)
	n, err := call(name, attr, buf)
	return string(buf[:max(n, 0)]), err
}

func (k *kernel) setxattr(name string, follow bool, attr, value string, how renaming) error {
	flags := map[renaming]int{replace: 0, noReplace: unix.XATTR_CREATE, exchange: unix.XATTR_REPLACE}[how]
	if follow {
		return unix.Setxattr(name, attr, []byte(value), flags)
	}
	return unix.Lsetxattr(name, attr, []byte(value), flags)
}

func (k *kernel) listxattr(name string, follow bool) ([]string, error) {
	call := unix.Llistxattr
	if follow {
		call = unix.Listxattr
	}
	buf := make([]byte, 1<<16)
	n, err := call(name, buf)
	if n <= 0 {
		return nil, err
	}
	return strings.Split(strings.TrimSuffix(string(buf[:n]), "\x00"), "\x00"), err
}

func (k *kernel) removexattr(name string, follow bool, attr string) error {
	if follow {
		return unix.Removexattr(name, attr)
	}
	return unix.Lremovexattr(name, attr)
}

func kernelStatus(st *unix.Stat_t) status {
	s := status{
		mode: st.Mode & 0o7777, uid: int(st.Uid), gid: int(st.Gid), ino: st.Ino, nlink: uint64(st.Nlink),
		size: st.Size, rdev: st.Rdev,
		atime: time.Unix(st.Atim.Unix()), mtime: time.Unix(st.Mtim.Unix()), ctime: time.Unix(st.Ctim.Unix()),
	}
	s.typ = map[uint32]string{
		unix.S_IFREG: "file", unix.S_IFDIR: "dir", unix.S_IFLNK: "link", unix.S_IFIFO: "fifo", unix.S_IFSOCK: "sock",
		unix.S_IFBLK: "block", unix.S_IFCHR: "char",
	}[st.Mode&unix.S_IFMT]
	return s
}

// kernelFile keeps the entries that were read from a directory and not yet listed.
type kernelFile struct {
	fd      int
	entries []string
}

func clip(n int, err error) (int, error) { return max(n, 0), err }

func (f *kernelFile) read(n int) (string, error) {
	buf := make([]byte, n)
	k, err := clip(unix.Read(f.fd, buf))
	return string(buf[:k]), err
}

func (f *kernelFile) write(s string) (int, error) { return clip(unix.Write(f.fd, []byte(s))) }

func (f *kernelFile) pread(n int, off int64) (string, error) {
	buf := make([]byte, n)
	k, err := clip(unix.Pread(f.fd, buf, off))
	return string(buf[:k]), err
}

func (f *kernelFile) pwrite(s string, off int64) (int, error) {
	return clip(unix.Pwrite(f.fd, []byte(s), off))
}

func (f *kernelFile) seek(off int64, whence int) (int64, error) {
	f.entries = nil
	if (whence == unix.SEEK_DATA || whence == unix.SEEK_HOLE) && !f.sparse() {
		return 0, skip("the file system does not tell where holes are")
	}
	n, err := unix.Seek(f.fd, off, whence)
	return max(n, 0), err
}

// sparse reports whether the file system tells holes from data: in a file beside that is nothing but a hole.
func (f *kernelFile) sparse() bool {
	fd, err := unix.Open(".hole", unix.O_RDWR|unix.O_CREAT|unix.O_CLOEXEC, 0o600)
	if err != nil {
		return false
	}
	defer unix.Close(fd)
	defer unix.Unlink(".hole")
	if unix.Ftruncate(fd, 1<<20) != nil {
		return false
	}
	_, err = unix.Seek(fd, 0, unix.SEEK_DATA)
	return err == unix.ENXIO
}

func (f *kernelFile) punch(off, n int64) error {
	err := unix.Fallocate(f.fd, unix.FALLOC_FL_PUNCH_HOLE|unix.FALLOC_FL_KEEP_SIZE, off, n)
	if err == unix.EOPNOTSUPP {
		return skip("the file system makes no holes")
	}
	return err
}

func (f *kernelFile) truncate(size int64) error   { return unix.Ftruncate(f.fd, size) }
func (f *kernelFile) allocate(off, n int64) error { return unix.Fallocate(f.fd, 0, off, n) }
func (f *kernelFile) chmod(mode uint32) error     { return unix.Fchmod(f.fd, mode) }
func (f *kernelFile) chown(uid, gid int) error    { return unix.Fchown(f.fd, uid, gid) }
func (f *kernelFile) close() error                { return unix.Close(f.fd) }

func (f *kernelFile) utimes(at times) error {
	return unix.UtimesNanoAt(unix.AT_FDCWD, fmt.Sprintf("/proc/self/fd/%d", f.fd), timespecs(at), 0)
}

func (f *kernelFile) stat() (status, error) {
	var st unix.Stat_t
	if err := unix.Fstat(f.fd, &st); err != nil {
		return status{}, err
	}
	return kernelStatus(&st), nil
}

func (f *kernelFile) list(n int) ([]string, error) {
	for n < 0 || len(f.entries) < n {
		buf := make([]byte, 1024)
		k, err := unix.ReadDirent(f.fd, buf)
		if err != nil {
			return nil, err
		}
		if k <= 0 {
			break
		}
		_, _, f.entries = unix.ParseDirent(buf[:k], -1, f.entries)
	}
	if n < 0 || n > len(f.entries) {
		n = len(f.entries)
	}
	out := f.entries[:n:n]
	f.entries = f.entries[n:]
	return out, nil
}

// describe names the file system of the oracle.
func describe(t *testing.T) string {
	var st unix.Statfs_t
	if err := unix.Statfs(os.TempDir(), &st); err != nil {
		t.Fatal(err)
	}
	var u unix.Utsname
	unix.Uname(&u)
	return fmt.Sprintf("Linux %s, file system type %#x", strings.TrimRight(string(u.Release[:]), "\x00"), st.Type)
}
