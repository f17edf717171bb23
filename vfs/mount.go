package vfs

import (
	"errors"
	"hash/fnv"
	"io"
	"io/fs"
	"maps"
	"path"
	"sync/atomic"
)

// driver is what a mount is made of. Names are relative to it, clean, with slashes, "." for its root, and no
// element but the last is a symbolic link. Errors may wrap the driver's own paths. Calls may come from many
// goroutines.
type driver interface {
	lstat(name string) (fs.FileInfo, error)
	readlink(name string) (string, error)
	open(name string, flag int, perm fs.FileMode, dir bool) (stream, error)
	mkdir(name string, perm fs.FileMode) error
	remove(name string) error
	removeAll(name string) error
	rename(oldName, newName string) error
	link(oldName, newName string) error
	symlink(target, name string) error
	change(name string, c change) error
	close() error
}

// stream is an open file or directory of a driver.
type stream interface {
	Stat() (fs.FileInfo, error)
	ReadAt(p []byte, off int64) (int, error)
	WriteAt(p []byte, off int64) (int, error)
	Truncate(size int64) error
	Sync() error
	Close() error
	entries() ([]fs.DirEntry, error)
	change(c change) error
}

// mount is a driver in its place. Trees share it; the last to let go of it closes the driver.
type mount struct {
	drv      driver
	dev      uint64
	confined bool // symbolic links may not lead out of it
	uid, gid uint32
	refs     atomic.Int64
}

// mountSet is the mounts of a tree by the inode that they cover. It never changes. Nil is the empty set.
type mountSet map[uint64]*mount

// over returns what is seen at an inode of the tree: itself, or what is mounted there.
func (s mountSet) over(ino uint64) place {
	if m := s[ino]; m != nil {
		return place{ino: ino, mnt: m, path: "."}
	}
	return place{ino: ino}
}

func (s mountSet) retain() mountSet {
	for _, m := range s {
		m.refs.Add(1)
	}
	return s
}

func (s mountSet) release() error {
	var err error
	for _, m := range s {
		if m.refs.Add(-1) == 0 {
			err = errors.Join(err, m.drv.close())
		}
	}
	return err
}

// MountFS shows fsys, read-only, at the directory name, which is made if it is missing; what the directory
// holds is hidden. Changes below it fail with ErrReadOnly. Symbolic links are followed if fsys has
// fs.ReadLinkFS; their absolute targets start at the tree's root. fsys must allow use from many goroutines.
// Mounts can't be taken away, nor put on one another.
func (t *Tree) MountFS(name string, fsys fs.FS) error {
	return pathError("mount", name, t.mount(name, &layer{fsys: fsys}, false))
}

// MountHost shows the host's folder hostDir at the directory name, as MountFS does with an fs.FS. Paths are
// checked name by name, and the folder is reached through os.Root only: symbolic links that lead out of it
// fail with ErrEscape, and can't be made. Host files other than regular files, directories and symbolic links
// can't be opened (ErrNotSupported). With readOnly, changes fail with ErrReadOnly. Nothing in the folder
// counts against limits.
func (t *Tree) MountHost(name, hostDir string, readOnly bool) error {
	h, err := openHostDir(hostDir, readOnly)
	if err != nil {
		return pathError("mount", name, err)
	}
	if err := t.mount(name, h, true); err != nil {
		h.close()
		return pathError("mount", name, err)
	}
	return nil
}

func (t *Tree) mount(name string, drv driver, confined bool) error {
	t = t.Trusted()
	if err := t.MkdirAll(name, 0o755); err != nil {
		return cause(err)
	}
	f, err := t.top().find(name, followAlways, true)
	if err != nil {
		return err
	}
	if f.owner() != nil {
		return ErrBusy
	}
	defer t.mu.Unlock()
	switch {
	case !f.there:
		return fs.ErrNotExist
	case !f.typ.IsDir():
		return ErrNotDir
	case f.node == root:
		return ErrBusy
	}
	set := maps.Clone(t.mounts)
	if set == nil {
		set = mountSet{}
	}
	m := &mount{drv: drv, dev: uint64(2 + len(set)), confined: confined, uid: uint32(t.user.UID), gid: uint32(t.user.GID)}
	m.refs.Store(1)
	set[f.node.ino] = m
	t.mounts = set
	return nil
}

// Remount shows another fsys, read-only, at a directory where MountFS shows one already. Files that are open stay
// what they are, and other trees that share the mount go on to see the one before.
func (t *Tree) Remount(name string, fsys fs.FS) error {
	return pathError("mount", name, t.remount(name, &layer{fsys: fsys}))
}

func (t *Tree) remount(name string, drv driver) error {
	f, err := t.Trusted().top().find(name, followAlways, false)
	if err != nil {
		return err
	}
	old := f.owner()
	if old == nil {
		t.mu.RUnlock()
		return fs.ErrInvalid
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if !f.there || f.node.path != "." || t.mounts[f.node.ino] != old {
		return fs.ErrInvalid
	}
	m := &mount{drv: drv, dev: old.dev, confined: old.confined, uid: old.uid, gid: old.gid}
	m.refs.Store(1)
	t.mounts = maps.Clone(t.mounts)
	t.mounts[f.node.ino] = m
	if old.refs.Add(-1) == 0 {
		return old.drv.close()
	}
	return nil
}

// inMount is the driver's name for what was found.
func (f *found) inMount() string {
	if f.there {
		return f.node.path
	}
	return path.Join(f.dir.path, f.name)
}

// typ returns the type bits of a node.
func (m *mount) typ(name string) (fs.FileMode, error) {
	if name == "." {
		return fs.ModeDir, nil
	}
	i, err := m.drv.lstat(name)
	if err != nil {
		return 0, cause(err)
	}
	return i.Mode().Type(), nil
}

func (m *mount) info(name, as string) (Info, error) {
	i, err := m.drv.lstat(name)
	if err != nil {
		return Info{}, err
	}
	return m.describe(i, name, as), nil
}

// describe makes an Info of what the driver tells. Owners are the tree's own, lest the host's be seen.
func (m *mount) describe(i fs.FileInfo, name, as string) Info {
	at := nanos(i.ModTime())
	d := Info{
		name: as, mode: i.Mode() & (fs.ModeType | modeBits), uid: m.uid, gid: m.gid,
		dev: m.dev, ino: pathIno(name), nlink: 1, size: i.Size(), pages: pagesOf(i.Size()),
		atime: at, mtime: at, ctime: at, btime: at,
	}
	if d.IsDir() {
		d.nlink, d.size, d.pages = 2, dirSize, pagesOf(dirSize)
	}
	if st, ok := hostStat(i); ok {
		st.add(&d)
	}
	return d
}

// pathIno numbers the nodes of a mount by their path.
func pathIno(name string) uint64 {
	h := fnv.New64a()
	io.WriteString(h, name)
	return h.Sum64()
}

func isNotExist(err error) bool { return errors.Is(err, fs.ErrNotExist) }
