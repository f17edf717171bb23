package vfs

import (
	"io/fs"
	"os"
	"path"
	"strings"
)

// CloneOpen is Clone for a tree whose Files must stay open in the copy, as with fork: it returns for each of files one of
// the clone's own, on the same inode, with the same access, append mode and place; files without a name among them are
// part of the clone, and what waits in FIFOs that are among them. What is open in mounts and of devices is the same for
// both. Locks are not carried over. Of own only Now and Sync count, which the clone takes unless they are nil.
//
// It fails with fs.ErrInvalid if a File is not of t, and with fs.ErrClosed if one is closed. It costs what Clone does, a
// little for each File, and for each file without a name as much as it has chunks. No other call may use files
// meanwhile.
func (t *Tree) CloneOpen(files []*File, own Config) (*Tree, []*File, error) {
	states := make([]FileState, len(files))
	for i, f := range files {
		s, err := f.State()
		switch {
		case err != nil:
			return nil, nil, err
		case f.own.t.core != t.core:
			return nil, nil, f.fail("clone", fs.ErrInvalid)
		}
		states[i] = s
	}
	c := t.cloneWithOrphans(files)
	if own.Now != nil {
		c.cfg.Now = own.Now
	}
	if own.Sync != nil {
		c.cfg.Sync = own.Sync
	}
	opened := make([]*File, len(files))
	for i, f := range files {
		if opened[i] = f.openIn(c, states[i]); opened[i] == nil {
			c.Close()
			return nil, nil, f.fail("clone", fs.ErrClosed)
		}
	}
	return c, opened, nil
}

// cloneWithOrphans is Clone with those orphans that files are open on.
func (t *Tree) cloneWithOrphans(files []*File) *Tree {
	t.mu.Lock()
	defer t.mu.Unlock()
	c := t.cloneLocked()
	for _, f := range files {
		n := t.orphans[f.own.ino]
		if n == nil || c.orphans[n.ino] != nil || f.at().mnt != nil {
			continue
		}
		paid := t.charged(n)
		c.orphans[n.ino] = n
		c.orphanBytes += paid
		c.used.Bytes += paid
	}
	return c
}

// openIn opens f once more, in a clone of its tree that nobody else has yet; nil if the inode is gone.
func (f *File) openIn(c *Tree, s FileState) *File {
	t := &Tree{core: c.core, user: f.own.t.user}
	if old, ok := f.h.(*foreign); ok {
		return s.file(t, f.own.ino, old.share())
	}
	n := t.inode(f.own.ino)
	if n == nil {
		return nil
	}
	t.opened(n.ino)
	h := t.handle(n.ino, n.mode.Type(), s.flag())
	switch old := f.h.(type) {
	case *fifo:
		h.(*fifo).inherit(old)
	case *device:
		h.(*device).rw = old.rw
	}
	return s.file(t, n.ino, h)
}

// FileState is what makes an open File, as plain data that means the same on every system.
type FileState struct {
	// Name is the path that the File was opened with.
	Name string
	// Ino is the inode; of a File in a mount, the directory that is mounted on, and Path where in the mount it is.
	Ino  uint64
	Path string
	// What the File may be used for, and how.
	Read, Write, Append, NoAtime bool
	// Offset is that of the next Read or Write in bytes, Cookie that of the next ReadDir.
	Offset int64
	Cookie uint64
}

// State returns what Reopen needs to open the same file again in the same way. It fails with fs.ErrClosed.
func (f *File) State() (FileState, error) {
	if err := f.check(false, false); err != nil {
		return FileState{}, f.fail("state", err)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	s := FileState{
		Name: f.name, Ino: f.own.ino, Path: f.at().path,
		Read: f.read, Write: f.write, Append: f.Append(), Offset: f.off, Cookie: f.cookie,
	}
	switch h := f.h.(type) {
	case *node:
		s.NoAtime = h.noAtime
	case *fifo:
		s.NoAtime = h.noAtime
	}
	return s, nil
}

// flag returns the flags that open a file so.
func (s *FileState) flag() int {
	flag := os.O_RDONLY
	switch {
	case s.Read && s.Write:
		flag = os.O_RDWR
	case s.Write:
		flag = os.O_WRONLY
	}
	if s.Append {
		flag |= os.O_APPEND
	}
	if s.NoAtime {
		flag |= O_NOATIME
	}
	return flag
}

// file makes the File.
func (s *FileState) file(t *Tree, ino uint64, h handle) *File {
	f := newFile(t, ino, s.Name, s.flag(), h)
	f.move(s.Offset)
	f.cookie = s.Cookie
	return f
}

// Reopen opens an inode without a path, as a File was open on it: in a tree that Restore made, of one in which the File
// was open. It asks for no permissions and so is for trusted callers, but the state may come from anyone: it fails with
// fs.ErrInvalid if the state makes no sense, with fs.ErrNotExist if there is no such inode, with ErrIsDir for a
// directory to be written to, with ErrNoDevice for a device that nothing stands behind. What had been in a FIFO is not
// there any more.
func (t *Tree) Reopen(s FileState) (*File, error) {
	f, err := t.reopen(s)
	if err != nil {
		return nil, pathError("reopen", s.Name, err)
	}
	return f, nil
}

func (t *Tree) reopen(s FileState) (*File, error) {
	if s.Offset < 0 || !s.Read && !s.Write {
		return nil, fs.ErrInvalid
	}
	if s.Path != "" {
		return t.reopenForeign(s)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return nil, fs.ErrClosed
	}
	n := t.inode(s.Ino)
	if n == nil {
		return nil, fs.ErrNotExist
	}
	switch n.mode.Type() {
	case fs.ModeDir:
		if s.Write {
			return nil, ErrIsDir
		}
	case deviceType, fs.ModeDevice:
		if t.devices[n.ino] == nil {
			return nil, ErrNoDevice
		}
	case 0, fs.ModeNamedPipe:
	default:
		return nil, fs.ErrInvalid
	}
	t.opened(n.ino)
	h := t.handle(n.ino, n.mode.Type(), s.flag())
	if p, ok := h.(*fifo); ok {
		p.enter()
	}
	return s.file(t, n.ino, h), nil
}

// reopenForeign opens a file in a mount, if it can be reached without following links.
func (t *Tree) reopenForeign(s FileState) (*File, error) {
	t.mu.RLock()
	at, closed := t.mounts.over(s.Ino), t.closed
	t.mu.RUnlock()
	switch {
	case closed:
		return nil, fs.ErrClosed
	case at.mnt == nil:
		return nil, fs.ErrNotExist
	case path.Clean(s.Path) != s.Path || path.IsAbs(s.Path) || climbs(0, s.Path) || strings.IndexByte(s.Path, 0) >= 0:
		return nil, fs.ErrInvalid
	}
	at.path = s.Path
	for end := range len(s.Path) {
		if s.Path[end] != '/' {
			continue
		}
		if typ, err := at.mnt.typ(s.Path[:end]); err != nil || !typ.IsDir() {
			return nil, fs.ErrNotExist
		}
	}
	typ, err := at.mnt.typ(s.Path)
	switch {
	case err != nil:
		return nil, err
	case !typ.IsDir() && !typ.IsRegular():
		return nil, fs.ErrInvalid
	case typ.IsDir() && s.Write:
		return nil, ErrIsDir
	}
	h, err := at.mnt.drv.open(s.Path, s.flag()&accessMode, 0, typ.IsDir())
	if err != nil {
		return nil, err
	}
	return s.file(t, at.ino, &foreign{stream: h, m: at.mnt, path: s.Path}), nil
}

// Reap frees what has no name and is not open: after Restore and Reopen, what of the files without a name nobody has
// opened again.
func (t *Tree) Reap() {
	t.mu.Lock()
	defer t.mu.Unlock()
	for ino := range t.orphans {
		if !t.opens.has(ino) {
			t.freeOrphan(ino)
		}
	}
}

// enter counts the handle in without waiting for anyone.
func (h *fifo) enter() {
	h.p.mu.Lock()
	h.met = h.p.writersEver
	if h.read {
		h.p.readers++
		h.p.readersEver++
	}
	if h.write {
		h.p.writers++
		h.p.writersEver++
	}
	h.p.unlock(true)
}

// inherit makes h, in a clone, what old is in its tree. The first to come takes over what waits to be read.
func (h *fifo) inherit(old *fifo) {
	first := h.p.readers == 0 && h.p.writers == 0
	h.enter()
	old.p.mu.Lock()
	defer old.p.mu.Unlock()
	h.met = old.met
	h.p.readersEver, h.p.writersEver = old.p.readersEver, old.p.writersEver
	if first && old.p.n > 0 {
		h.p.buf = append(make([]byte, 0, pipeSize), old.p.buf...)
		h.p.start, h.p.n = old.p.start, old.p.n
	}
}
