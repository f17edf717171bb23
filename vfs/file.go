package vfs

import (
	"io"
	"io/fs"
	"math"
	"os"
	"path"
	"sync"
	"sync/atomic"
	"time"
)

// File is an open file description: a file or directory with an offset and access mode, which all users of
// the same *File share, as processes do after dup and fork. It has the methods of *os.File, apart from
// descriptors and deadlines, and may be used from many goroutines. Errors are *fs.PathError, but for io.EOF.
// After Close, calls fail with fs.ErrClosed.
type File struct {
	own   node // what h points to, of most files: one piece of memory instead of two
	name  string
	h     handle
	read  bool
	write bool
	fixed bool          // the offset stays at the start: a device, a FIFO
	state atomic.Uint32 // fileClosed, fileAppends

	mu     sync.Mutex
	off    int64  // of the next Read or Write
	cookie uint64 // of the next ReadDir
}

// The bits of File.state: in one word, for a tree makes many Files.
const (
	fileClosed = 1 << iota
	fileAppends
)

// newFile makes a File of an inode, which for one in a mount is that mounted on.
func newFile(t *Tree, ino uint64, name string, flag int, h handle) *File {
	acc := flag & accessMode
	f := &File{own: node{t: t, ino: ino}, name: name, h: h, read: acc != os.O_WRONLY, write: acc != os.O_RDONLY}
	switch h.(type) {
	case *device, *fifo:
		f.fixed = true
	}
	if flag&os.O_APPEND != 0 {
		f.state.Store(fileAppends)
	}
	return f
}

// at returns where the file is.
func (f *File) at() place {
	if h, ok := f.h.(*foreign); ok {
		return place{ino: f.own.ino, mnt: h.m, path: h.path}
	}
	return place{ino: f.own.ino}
}

// Name returns the path that the file was opened with.
func (f *File) Name() string { return f.name }

// Append reports whether writes go to the end of the file (O_APPEND).
func (f *File) Append() bool { return f.state.Load()&fileAppends != 0 }

// SetAppend sets whether writes go to the end of the file (O_APPEND), as fcntl does.
func (f *File) SetAppend(on bool) {
	if on {
		f.state.Or(fileAppends)
	} else {
		f.state.And(^uint32(fileAppends))
	}
}

// Readable reports whether the file was opened for reading.
func (f *File) Readable() bool { return f.read }

// Writable reports whether the file was opened for writing.
func (f *File) Writable() bool { return f.write }

func (f *File) closed() bool { return f.state.Load()&fileClosed != 0 }

// check tells whether the file is open, and for writing or reading if so asked.
func (f *File) check(read, write bool) error {
	switch {
	case f.closed():
		return fs.ErrClosed
	case read && !f.read, write && !f.write:
		return ErrBadFile
	}
	return nil
}

// fail wraps an error other than io.EOF.
func (f *File) fail(op string, err error) error {
	if err == nil || err == io.EOF {
		return err
	}
	return pathError(op, f.name, err)
}

// Read reads up to len(p) bytes from the offset on; at the end of the file it returns 0, io.EOF.
func (f *File) Read(p []byte) (int, error) {
	if h, ok := f.h.(*fifo); ok {
		return f.readFIFO(noWait, h, p)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	n, err := f.readAt(p, f.off)
	f.move(f.off + int64(n))
	if n > 0 && err == io.EOF {
		err = nil
	}
	return n, f.fail("read", err)
}

// ReadAt reads len(p) bytes from off on; fewer come with an error, at the end of the file io.EOF. It leaves
// the offset alone.
func (f *File) ReadAt(p []byte, off int64) (int, error) {
	n, err := f.readAt(p, off)
	return n, f.fail("read", err)
}

func (f *File) readAt(p []byte, off int64) (int, error) {
	switch err := f.check(true, false); {
	case off < 0 && err != fs.ErrClosed:
		return 0, fs.ErrInvalid
	case f.isFIFO() && err != fs.ErrClosed:
		return 0, ErrNotSeekable
	case err != nil:
		return 0, err
	case len(p) == 0:
		return 0, nil
	}
	return f.h.readAt(p, off)
}

// Write writes p at the offset, or at the end of the file in append mode, and moves the offset behind it. If
// the quota or the largest file size (1 TiB) cuts it short, it returns how much was written with the cause.
func (f *File) Write(p []byte) (int, error) {
	if h, ok := f.h.(*fifo); ok {
		return f.writeFIFO(noWait, h, p)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.check(false, true); err != nil {
		return 0, f.fail("write", err)
	}
	if !f.Append() {
		n, err := f.h.writeAt(p, f.off)
		f.move(f.off + int64(n))
		return n, f.fail("write", err)
	}
	n, end, err := f.h.append(p)
	if n > 0 {
		f.move(end)
	}
	return n, f.fail("write", err)
}

// ReadFrom writes what r returns until io.EOF, as Write does.
func (f *File) ReadFrom(r io.Reader) (int64, error) {
	type writer struct{ io.Writer } // hides ReadFrom from io.CopyBuffer
	return io.CopyBuffer(writer{f}, r, make([]byte, 4*chunkSize))
}

// move sets the offset. Preconditions: f.mu is held.
func (f *File) move(off int64) {
	if !f.fixed {
		f.off = off
	}
}

// WriteString is Write for a string.
func (f *File) WriteString(s string) (int, error) { return f.Write([]byte(s)) }

// WriteAt writes p at off and leaves the offset alone. Unlike *os.File's it works in append mode too, and
// still writes at off, as POSIX's pwrite.
func (f *File) WriteAt(p []byte, off int64) (int, error) {
	err := f.check(false, true)
	switch {
	case err == fs.ErrClosed:
	case off < 0 || off > math.MaxInt64-int64(len(p)):
		err = fs.ErrInvalid
	case f.isFIFO():
		err = ErrNotSeekable
	}
	if err != nil {
		return 0, f.fail("write", err)
	}
	n, err := f.h.writeAt(p, off)
	return n, f.fail("write", err)
}

// Seek sets the offset and returns it. It may lie behind the end. In a directory, only the start can be
// sought. whence may be SeekData or SeekHole too.
func (f *File) Seek(offset int64, whence int) (int64, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	off, err := f.seek(offset, whence)
	return off, f.fail("seek", err)
}

func (f *File) seek(offset int64, whence int) (int64, error) {
	if err := f.check(false, false); err != nil {
		return 0, err
	}
	if f.isFIFO() {
		return 0, ErrNotSeekable
	}
	from := int64(0)
	switch whence {
	case io.SeekStart:
	case io.SeekCurrent:
		from = f.off
	case io.SeekEnd:
		i, err := f.h.info("")
		if err != nil {
			return 0, err
		}
		from = i.size
	case SeekData, SeekHole:
		at, err := f.seekSparse(offset, whence)
		if err != nil {
			return 0, err
		}
		from, offset = at, 0
	default:
		return 0, fs.ErrInvalid
	}
	if offset > 0 && from > math.MaxInt64-offset || from+offset < 0 {
		return 0, fs.ErrInvalid
	}
	f.move(from + offset)
	if f.off == 0 {
		f.cookie = 0
	}
	return f.off, nil
}

// Close closes the file, and releases locks held through it. A second Close returns fs.ErrClosed.
func (f *File) Close() error {
	if f.state.Or(fileClosed)&fileClosed != 0 {
		return f.fail("close", fs.ErrClosed)
	}
	f.own.t.locks.release(f)
	return f.fail("close", f.h.close())
}

// Info describes the file.
func (f *File) Info() (Info, error) {
	if err := f.check(false, false); err != nil {
		return Info{}, f.fail("stat", err)
	}
	i, err := f.h.info(path.Base(f.name))
	return i, f.fail("stat", err)
}

// Stat is Info in the form that fs.File asks for.
func (f *File) Stat() (fs.FileInfo, error) {
	i, err := f.Info()
	if err != nil {
		return nil, err
	}
	return i, nil
}

// Sync returns when the content is as safe as it gets: at once, but for files in a mounted host folder.
func (f *File) Sync() error {
	if err := f.check(false, false); err != nil {
		return f.fail("sync", err)
	}
	return f.fail("sync", f.h.sync())
}

// Truncate cuts or extends the file to size, up to 1 TiB (ErrTooLarge). What is added reads as zeros and
// takes no memory.
func (f *File) Truncate(size int64) error {
	err := f.check(false, true)
	switch {
	case err == ErrBadFile, err == nil && size < 0:
		err = fs.ErrInvalid
	case err == nil && size > maxFileSize:
		err = ErrTooLarge
	case err == nil:
		err = f.h.truncate(size)
	}
	return f.fail("truncate", err)
}

// Allocate makes sure that the file is at least off+n bytes long and that the quota has room for them, as
// posix_fallocate. Room is not reserved: what nobody has written stays a hole, and counts for no blocks.
func (f *File) Allocate(off, n int64) error {
	err := f.check(false, true)
	switch {
	case err == fs.ErrClosed:
	case off < 0 || n <= 0:
		err = fs.ErrInvalid
	case err != nil:
	case off > maxFileSize || n > maxFileSize-off:
		err = ErrTooLarge
	default:
		err = f.h.allocate(off, n)
	}
	return f.fail("allocate", err)
}

// Chmod sets the permission, set-id and sticky bits.
func (f *File) Chmod(mode fs.FileMode) error { return f.change("chmod", chmod(mode)) }

// Chown sets owner and group; -1 leaves one as it is.
func (f *File) Chown(uid, gid int) error { return f.change("chown", chown(uid, gid)) }

// Chtimes sets the times of last access and last change; a zero Time leaves one as it is.
func (f *File) Chtimes(atime, mtime time.Time) error {
	return f.change("chtimes", chtimes(atime, mtime))
}

func (f *File) change(op string, c change) error {
	err := f.check(false, false)
	if err == nil {
		err = c.check()
	}
	if err == nil {
		err = f.h.change(c)
	}
	return f.fail(op, err)
}
