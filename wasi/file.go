package wasi

import (
	"context"
	"io/fs"
	"math"
	"time"

	"github.com/belljar-dev/belljar/vfs"
)

// file is a file of the tree, opened.
type file struct {
	f   *vfs.File
	typ fileType
}

func (f *file) fileType() fileType      { return f.typ }
func (f *file) stat() (filestat, error) { return statOf(f.f.Info()) }
func (f *file) close() error            { return f.f.Close() }

// fifo says whether the file is one, and may wait.
func (f *file) fifo() bool { return f.typ == typeUnknown }

func (f *file) read(ctx context.Context, b []byte, nonblock bool) (n int, err error) {
	if nonblock || !f.fifo() {
		return f.f.Read(b)
	}
	err = interruptible(ctx, func(ctx context.Context) error {
		n, err = f.f.ReadContext(ctx, b)
		return err
	})
	return n, err
}

func (f *file) write(ctx context.Context, b []byte, nonblock bool) (n int, err error) {
	if nonblock || !f.fifo() {
		return f.f.Write(b)
	}
	err = interruptible(ctx, func(ctx context.Context) error {
		n, err = f.f.WriteContext(ctx, b)
		return err
	})
	return n, err
}

func (f *file) poll(write bool, w *waiter) readiness {
	wake := func() {}
	if w != nil {
		wake = w.wake
	}
	state, stop, err := f.f.Poll(wake)
	switch {
	case err != nil:
		return readiness{ready: true, hangup: true}
	case w != nil:
		w.stops = append(w.stops, stop)
	default:
		stop()
	}
	r := readiness{ready: state.Readable, hangup: state.Hangup, bytes: uint64(max(state.Bytes, 0))}
	if write {
		r.ready, r.bytes = state.Writable, pipeAtomic
	}
	return r
}

func (f *file) forget(*waiter) {} // the waiter itself does

// directory is a directory of the tree, opened: the capability that paths start
// from, and the file that is listed.
type directory struct {
	dir *vfs.Dir
	f   *vfs.File
}

func (d *directory) fileType() fileType      { return typeDirectory }
func (d *directory) stat() (filestat, error) { return statOf(d.f.Info()) }
func (d *directory) close() error            { return d.f.Close() }

// newFileObject makes the object of a file that path_open has opened.
func newFileObject(f *vfs.File, writable bool) (object, error) {
	info, err := f.Info()
	switch {
	case err != nil:
		return nil, err
	case !info.IsDir():
		return &file{f: f, typ: fileTypeOf(info.Mode())}, nil
	case writable:
		return nil, vfs.ErrIsDir
	}
	dir, err := f.Dir()
	if err != nil {
		return nil, err
	}
	return &directory{dir: dir, f: f}, nil
}

func fileTypeOf(mode fs.FileMode) fileType {
	switch {
	case mode.IsRegular():
		return typeRegularFile
	case mode.IsDir():
		return typeDirectory
	case mode&fs.ModeSymlink != 0:
		return typeSymbolicLink
	case mode&fs.ModeCharDevice != 0:
		return typeCharacterDevice
	case mode&fs.ModeDevice != 0:
		return typeBlockDevice
	case mode&fs.ModeSocket != 0:
		return typeSocketStream
	default:
		return typeUnknown
	}
}

// statOf converts what vfs tells of a file. It takes the pair that vfs answers.
func statOf(info vfs.Info, err error) (filestat, error) {
	if err != nil {
		return filestat{}, err
	}
	return filestat{
		dev:   info.Dev(),
		ino:   info.Ino(),
		typ:   fileTypeOf(info.Mode()),
		nlink: info.Nlink(),
		size:  uint64(max(info.Size(), 0)),
		atime: timestamp(info.Atime()),
		mtime: timestamp(info.ModTime()),
		ctime: timestamp(info.Ctime()),
		mode:  modeOf(info.Mode()),
		uid:   uint32(info.UID()),
		gid:   uint32(info.GID()),

		blocks: uint64(info.Blocks()),
	}, nil
}

// timestamp converts a time to nanoseconds since 1970. Times out of range are the
// nearest in it: preview 1 has no negative times.
func timestamp(t time.Time) uint64 {
	seconds := t.Unix()
	if seconds < 0 {
		return 0
	}
	const most = math.MaxUint64 / uint64(time.Second)
	if uint64(seconds) >= most {
		return math.MaxUint64
	}
	return uint64(seconds)*uint64(time.Second) + uint64(t.Nanosecond())
}

// timeOf is the inverse of timestamp.
func timeOf(ns uint64) time.Time {
	return time.Unix(int64(ns/uint64(time.Second)), int64(ns%uint64(time.Second)))
}
