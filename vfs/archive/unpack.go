package archive

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"maps"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/belljar-dev/belljar/vfs"
)

// entry is one thing to unpack.
type entry struct {
	name     string
	mode     fs.FileMode
	uid, gid int
	owned    bool // uid and gid are told
	mtime    time.Time
	target   string // of a symbolic or hard link
	hard     bool
	attrs    map[string]string
	content  io.Reader // of a file
}

// unpacker fills a hidden directory in the target.
type unpacker struct {
	*budget
	dir   *vfs.Dir
	super bool
	umask fs.FileMode
	stage string
	dirs  map[string]entry // made, by path; those the archive does not hold have no name
	names int              // bytes of their paths
	buf   []byte
}

// maxNames is the most memory, in bytes, that the paths of directories may take.
const maxNames = 64 << 20

// unpack calls fill with a new unpacker and moves what was unpacked to its place. The directory name is made if it is
// missing.
func unpack(t *vfs.Tree, name string, b *budget, fill func(u *unpacker) error) error {
	if _, err := t.Lstat(name); err == nil {
		return unpackInto(t, name, b, fill)
	}
	made, err := makeAll(t, name)
	if err == nil {
		err = unpackInto(t, name, b, fill)
	}
	if err != nil && made.name != "" {
		err = errors.Join(err, t.RemoveAll(made.name))
		made.restore(t)
	}
	return err
}

// addition is the topmost of the directories that had to be made, and what the one above it was like.
type addition struct {
	name  string
	above fs.FileInfo
}

// restore gives the directory above its times back. It does no harm if it can't.
func (a addition) restore(t *vfs.Tree) {
	if i, ok := a.above.(vfs.Info); ok {
		t.Chtimes(path.Dir(a.name), i.Atime(), i.ModTime())
	}
}

// makeAll makes a directory and those above it that are missing.
func makeAll(t *vfs.Tree, name string) (made addition, err error) {
	for at := path.Clean(name); ; at = path.Dir(at) {
		i, err := t.Lstat(at)
		if err == nil {
			made.above = i
			break
		}
		made.name = at
		if at == path.Dir(at) {
			break
		}
	}
	return made, t.MkdirAll(name, 0o777)
}

func unpackInto(t *vfs.Tree, name string, b *budget, fill func(u *unpacker) error) error {
	dir, err := open(t, name)
	if err != nil {
		return err
	}
	before, err := dir.Stat(".", true)
	if err != nil {
		return err
	}
	user := t.User()
	u := &unpacker{
		budget: b, dir: dir, super: user.UID == 0, umask: user.Umask,
		dirs: map[string]entry{".": {}}, buf: make([]byte, 64<<10),
	}
	if err := u.makeStage(); err != nil {
		return err
	}
	err = fill(u)
	if err == nil {
		err = u.commit()
	}
	err = errors.Join(err, dir.RemoveAll(u.stage))
	if err != nil {
		dir.Chtimes(".", true, before.Atime(), before.ModTime()) // As if nothing had happened; no harm if it can't be.
	}
	return err
}

// makeStage makes the hidden directory.
func (u *unpacker) makeStage() error {
	for i := 0; ; i++ {
		u.stage = ".unpack" + strconv.Itoa(i)
		if err := u.dir.Mkdir(u.stage, 0o700); !errors.Is(err, fs.ErrExist) {
			return err
		}
	}
}

// staged is where an entry lies until the end.
func (u *unpacker) staged(name string) string { return u.stage + "/" + name }

// add unpacks one entry.
func (u *unpacker) add(e entry) error {
	given := e.name
	err := u.file()
	if err == nil {
		e.name, err = local(e.name)
	}
	switch {
	case err != nil:
	case e.name == "." && e.mode.IsDir():
	case e.name == ".":
		err = ErrPath
	case e.name == u.stage || strings.HasPrefix(e.name, u.stage+"/"):
		err = ErrInTheWay
	default:
		err = u.place(e)
	}
	return failed(given, err)
}

func (u *unpacker) place(e entry) error {
	if e.mode.IsDir() {
		return u.addDir(e)
	}
	if err := u.parents(e.name); err != nil {
		return err
	}
	at := u.staged(e.name)
	var err error
	switch {
	case e.hard:
		err = u.addLink(e)
	case e.mode.IsRegular():
		err = u.addFile(e)
	case e.mode.Type() == fs.ModeSymlink:
		err = u.dir.Symlink(e.target, at)
	case e.mode.Type() == fs.ModeNamedPipe:
		err = u.dir.Mkfifo(at, 0o600)
	default:
		return ErrKind
	}
	if errors.Is(err, fs.ErrExist) {
		return ErrDuplicate
	}
	if err != nil || e.hard {
		return err
	}
	return u.describe(at, e)
}

// parents makes the directories above an entry.
func (u *unpacker) parents(name string) error {
	for i := range len(name) {
		if name[i] != '/' {
			continue
		}
		if _, ok := u.dirs[name[:i]]; ok {
			continue
		}
		if err := u.file(); err != nil {
			return err
		}
		if err := u.mkdir(name[:i]); err != nil {
			return err
		}
		u.dirs[name[:i]] = entry{}
	}
	return nil
}

// mkdir makes a directory where there is none. What is there, and is none of ours, is no directory.
func (u *unpacker) mkdir(name string) error {
	if u.names += len(name); u.names > maxNames {
		return ErrTooMany
	}
	err := u.dir.Mkdir(u.staged(name), 0o777)
	if errors.Is(err, fs.ErrExist) {
		return ErrThrough
	}
	return err
}

// addDir makes a directory. What describes it is kept until its content is complete.
func (u *unpacker) addDir(e entry) error {
	if _, ok := u.dirs[e.name]; !ok {
		if err := u.parents(e.name); err != nil {
			return err
		}
		if err := u.mkdir(e.name); err != nil {
			return err
		}
	}
	u.dirs[e.name] = e
	return nil
}

func (u *unpacker) addLink(e entry) error {
	to, err := local(e.target)
	if err != nil {
		return err
	}
	if _, ok := u.dirs[path.Dir(to)]; !ok {
		return ErrLink
	}
	err = u.dir.Link(u.staged(to), u.dir, u.staged(e.name), false)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, vfs.ErrNotPermitted) {
		return ErrLink
	}
	return err
}

// addFile writes a file. Zeros become holes.
func (u *unpacker) addFile(e entry) error {
	f, err := u.dir.OpenFile(u.staged(e.name), os.O_WRONLY|os.O_CREATE|os.O_EXCL|vfs.O_NOFOLLOW, 0o600)
	if err != nil {
		return err
	}
	size, err := u.copy(f, e.content)
	if err == nil {
		err = f.Truncate(size)
	}
	return errors.Join(err, f.Close())
}

func (u *unpacker) copy(f *vfs.File, content io.Reader) (size int64, err error) {
	for err == nil {
		var n int
		n, err = fill(content, u.buf)
		if err := u.content(int64(n)); err != nil {
			return size, err
		}
		piece := u.buf[:n]
		if len(bytes.TrimLeft(piece, "\x00")) > 0 {
			if _, err := f.WriteAt(piece, size); err != nil {
				return size, err
			}
		}
		size += int64(n)
	}
	if err == io.EOF {
		err = nil
	}
	return size, err
}

// fill reads until buf is full. Unlike io.ReadFull it leaves the reader's own io.ErrUnexpectedEOF apart from its end.
func fill(r io.Reader, buf []byte) (n int, err error) {
	for n < len(buf) && err == nil {
		var k int
		k, err = r.Read(buf[n:])
		n += k
	}
	return n, err
}

// describe sets what an entry says of itself.
func (u *unpacker) describe(at string, e entry) error {
	if u.super && e.owned {
		if err := u.dir.Chown(at, false, e.uid, e.gid); err != nil {
			return err
		}
	}
	for _, name := range slices.Sorted(maps.Keys(e.attrs)) {
		if !u.super && !strings.HasPrefix(name, "user.") {
			continue
		}
		if err := u.dir.Setxattr(at, false, name, []byte(e.attrs[name]), 0); err != nil {
			return err
		}
	}
	if e.mode.Type() != fs.ModeSymlink {
		mode := e.mode &^ fs.ModeType
		if !u.super || !e.owned {
			mode = e.mode.Perm() &^ u.umask
		}
		if err := u.dir.Chmod(at, false, mode); err != nil {
			return err
		}
	}
	return u.dir.Chtimes(at, false, e.mtime, e.mtime)
}
