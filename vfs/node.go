package vfs

import (
	"io"
	"io/fs"
)

// handle is an open file or directory, wherever it lies. Its calls may come from many goroutines.
type handle interface {
	info(name string) (Info, error)
	// readAt returns io.EOF with what there is, at the end.
	readAt(p []byte, off int64) (int, error)
	writeAt(p []byte, off int64) (int, error)
	// append writes at the end and returns where that then is.
	append(p []byte) (n int, end int64, err error)
	truncate(size int64) error
	allocate(off, n int64) error
	sync() error
	change(c change) error
	readDir(cookie uint64, most int) ([]DirEntry, error)
	close() error
}

// node is the handle of an inode.
type node struct {
	t   *Tree
	ino uint64
	dir bool

	noAtime bool // reading leaves the access time alone
}

// at returns the inode, nil if there is none. Preconditions: t.mu is held.
func (h *node) at() *inode {
	if n := h.t.opens.recall(h.ino); n != nil && n.own == h.t.own {
		return n
	}
	return h.t.inode(h.ino)
}

// view runs f on the inode under the read lock.
func (h *node) view(f func(n *inode)) error {
	h.t.mu.RLock()
	defer h.t.mu.RUnlock()
	n := h.at()
	if n == nil {
		return fs.ErrClosed
	}
	f(n)
	return nil
}

// edit returns the inode for changing, with the lock held on success.
func (h *node) edit() (*inode, error) {
	h.t.mu.Lock()
	n := h.at()
	if n == nil {
		h.t.mu.Unlock()
		return nil, fs.ErrClosed
	}
	n = h.t.editable(n)
	h.t.opens.keep(n)
	return n, nil
}

func (h *node) info(name string) (i Info, err error) {
	err = h.view(func(n *inode) { i = n.info(name) })
	return i, err
}

// turn is the most content, in bytes, that moves under one hold of the lock: a guest may ask for gigabytes.
const turn = 1 << 20

func (h *node) readAt(p []byte, off int64) (done int, err error) {
	if h.dir {
		return 0, ErrIsDir
	}
	stale := false
	for done < len(p) && err == nil {
		piece := p[done:min(len(p), done+turn)]
		var k int
		k, stale, err = h.readPiece(piece, off+int64(done))
		done += k
	}
	if stale {
		h.touch()
	}
	return done, err
}

func (h *node) readPiece(p []byte, off int64) (n int, stale bool, err error) {
	for {
		var missing *absent
		if n, stale, missing, err = h.readPresent(p, off); missing == nil {
			return n, stale, err
		}
		if err = missing.load(); err != nil {
			return 0, false, err
		}
	}
}

// readPresent reads what is in memory, and nothing if not all is.
func (h *node) readPresent(p []byte, off int64) (n int, stale bool, missing *absent, err error) {
	h.t.mu.RLock()
	defer h.t.mu.RUnlock()
	i := h.at()
	if i == nil {
		return 0, false, nil, fs.ErrClosed
	}
	if missing = i.absent(off, int64(len(p))); missing != nil {
		return 0, false, missing, nil
	}
	if n = i.read(p, off); n < len(p) {
		err = io.EOF
	}
	return n, !h.noAtime && h.t.stale(i), nil, err
}

// stale reports whether a read now has to set the access time: when the last one was not after the last
// change. What came with CloneWith is left alone, for it would be copied.
func (t *Tree) stale(n *inode) bool {
	return (n.atime <= n.mtime || n.atime <= n.ctime) && n.ino >= t.firstIno
}

func (h *node) touch() {
	now := h.t.now()
	if n, err := h.edit(); err == nil {
		n.atime = now
		h.t.mu.Unlock()
	}
}

func (h *node) writeAt(p []byte, off int64) (done int, err error) {
	for done < len(p) && err == nil {
		var k int
		k, _, err = h.writePiece(p[done:min(len(p), done+turn)], off+int64(done))
		done += k
	}
	return done, err
}

// append may be interleaved with that of others after each turn.
func (h *node) append(p []byte) (done int, end int64, err error) {
	for done < len(p) && err == nil {
		var k int
		k, end, err = h.writePiece(p[done:min(len(p), done+turn)], atEnd)
		done += k
	}
	return done, end, err
}

const atEnd = -1 // in the place of an offset

// writePiece writes p, and returns where what was written ends.
func (h *node) writePiece(p []byte, off int64) (n int, end int64, err error) {
	for {
		var missing *absent
		if n, end, missing, err = h.writePresent(p, off); missing == nil {
			return n, end, err
		}
		if err = missing.load(); err != nil {
			return 0, 0, err
		}
	}
}

// writePresent writes if all that is written over is in memory, and nothing if not.
func (h *node) writePresent(p []byte, off int64) (n int, end int64, missing *absent, err error) {
	now := h.t.now()
	i, err := h.edit()
	if err != nil {
		return 0, 0, nil, err
	}
	defer h.t.mu.Unlock()
	if off == atEnd {
		off = i.size
	}
	if missing = i.absent(off, int64(len(p))); missing != nil {
		return 0, 0, missing, nil
	}
	if n, err = h.t.write(i, p, off); n > 0 {
		i.mtime, i.ctime = now, now
		h.t.user.written(i)
		h.t.tellNode(WatchWritten, i)
	}
	return n, off + int64(n), nil, err
}

func (h *node) truncate(size int64) error {
	now := h.t.now()
	n, err := h.edit()
	if err != nil {
		return err
	}
	defer h.t.mu.Unlock()
	h.t.cutAt(n, size, now)
	return nil
}

// cutAt makes a file size bytes long. Preconditions: as for resize.
func (t *Tree) cutAt(n *inode, size, now int64) {
	t.resize(n, size)
	n.mtime, n.ctime = now, now
	t.user.written(n)
	t.tellNode(WatchWritten, n)
}

// allocate reserves nothing, since content is memory: it extends the file, provided that the quota has room
// for what it would then hold.
func (h *node) allocate(off, length int64) error {
	now := h.t.now()
	n, err := h.edit()
	if err != nil {
		return err
	}
	defer h.t.mu.Unlock()
	end := off + length
	if end > n.size && end-max(off, n.size) > h.t.room() {
		return ErrQuota
	}
	if end > n.size {
		h.t.resize(n, end)
	}
	n.mtime, n.ctime = now, now
	h.t.user.written(n)
	h.t.tellNode(WatchWritten, n)
	return nil
}

func (h *node) sync() error {
	if h.t.cfg.Sync == nil {
		return nil
	}
	return h.t.cfg.Sync()
}

func (h *node) change(c change) error {
	now := h.t.now()
	h.t.mu.Lock()
	defer h.t.mu.Unlock()
	n := h.at()
	if n == nil {
		return fs.ErrClosed
	}
	return h.t.change(n, c, now)
}

func (h *node) readDir(cookie uint64, most int) (list []DirEntry, err error) {
	if !h.dir {
		return nil, ErrNotDir
	}
	stale, gone := false, false
	err = h.view(func(n *inode) {
		list, gone = n.list(cookie, most), n.nlink == 0
		stale = len(list) > 0 && !h.noAtime && h.t.stale(n)
	})
	if stale {
		h.touch()
	}
	if gone {
		err = fs.ErrNotExist
	}
	return list, err
}

// list returns up to most entries that come after cookie. Preconditions: the tree's mutex is held.
func (n *inode) list(cookie uint64, most int) []DirEntry {
	if n.nlink == 0 || most <= 0 {
		return nil
	}
	var list []DirEntry
	for ; cookie < cookieDotDot && len(list) < most; cookie++ {
		e := DirEntry{Name: ".", Ino: n.ino, Type: fs.ModeDir, Next: cookieDot}
		if cookie == cookieDot {
			e = DirEntry{Name: "..", Ino: n.dir.parent, Type: fs.ModeDir, Next: cookieDotDot}
		}
		list = append(list, e)
	}
	for len(list) < most && cookie < n.dir.last {
		seq, e := n.dir.seqs.next(cookie + 1)
		if e == nil {
			break
		}
		list = append(list, DirEntry{Name: e.name, Ino: e.ino, Type: e.typ, Next: seq})
		cookie = seq
	}
	return list
}

func (h *node) close() error {
	h.t.mu.Lock()
	defer h.t.mu.Unlock()
	if !h.t.closed {
		h.t.release(h.ino)
	}
	return nil
}
