package vfs

import "io/fs"

// Places for File.Seek beside those of package io, with Linux's numbers (https://man7.org/linux/man-pages/man2/lseek.2.html).
const (
	SeekData = 3 // to the next data at the offset or behind it; ErrNoDevice if none follows
	SeekHole = 4 // to the next hole at the offset or behind it: the end of the file is one; ErrNoDevice beyond it
)

// page is the grain of what counts as data, in bytes.
const page = 4096

// pages is how many pages hold the chunk's bytes; none if there is no chunk.
func (c *chunk) pages() int32 {
	if c == nil {
		return 0
	}
	return int32((len(c.b) + page - 1) / page)
}

// countPages notes that chunk i has become longer or shorter in its place.
func (n *inode) countPages(i int64, more int32) {
	if i > 0 {
		n.extend().pages += more
	}
}

// data returns how much of the file is data, in pages. It costs a step for each chunk that hides some of base.
// Preconditions: the tree's mutex is held.
func (n *inode) data() int64 {
	x := n.extras()
	sum := int64(n.head.pages()) + int64(x.pages)
	if x.shown == 0 {
		return sum
	}
	sum += pagesOf(x.shown)
	if n.head != nil {
		sum -= pagesOf(min(x.shown, chunkSize))
	}
	for i, c := n.nextTail(1); c != nil && i*chunkSize < x.shown; i, c = n.nextTail(i + 1) {
		sum -= pagesOf(min(x.shown-i*chunkSize, chunkSize))
	}
	return sum
}

func pagesOf(size int64) int64 { return (size + page - 1) / page }

// extent is how many bytes of chunk i's place are data, from its start on. The rest is a hole.
func (n *inode) extent(i int64) int64 {
	if c := n.chunk(i); c != nil {
		return int64(c.pages()) * page
	}
	return max(0, min(n.extras().shown-i*chunkSize, chunkSize))
}

// nextData returns the first place of data from off on, n.size if there is none. It costs at most a step for each chunk that
// is empty. Preconditions: the tree's mutex is held, 0 <= off < n.size.
func (n *inode) nextData(off int64) int64 {
	i := off / chunkSize
	if off < i*chunkSize+n.extent(i) {
		return off
	}
	for i++; i*chunkSize < n.size; i++ {
		if n.extent(i) > 0 {
			return i * chunkSize
		}
		if i*chunkSize >= n.extras().shown {
			next, c := n.nextTail(i)
			if c == nil {
				return n.size
			}
			if i = next; n.extent(i) > 0 {
				return i * chunkSize
			}
		}
	}
	return n.size
}

// nextHole returns the first place of a hole from off on, n.size if there is none before it. Preconditions: as for nextData.
func (n *inode) nextHole(off int64) int64 {
	for i := off / chunkSize; i*chunkSize < n.size; i++ {
		end := i*chunkSize + n.extent(i)
		if end < (i+1)*chunkSize {
			return min(max(end, off), n.size)
		}
	}
	return n.size
}

// sparser is a handle that knows where a file has holes, and can make some.
type sparser interface {
	next(off int64, hole bool) (int64, error)
	punch(off, length int64) error
}

func (h *node) next(off int64, hole bool) (at int64, err error) {
	if h.dir {
		return 0, fs.ErrInvalid
	}
	viewErr := h.view(func(n *inode) {
		switch {
		case off >= n.size:
			err = ErrNoDevice
		case hole:
			at = n.nextHole(off)
		default:
			if at = n.nextData(off); at == n.size {
				err = ErrNoDevice
			}
		}
	})
	if viewErr != nil {
		err = viewErr
	}
	return at, err
}

// seekSparse finds data or a hole. Where nobody knows of holes, all is data.
func (f *File) seekSparse(off int64, whence int) (int64, error) {
	if off < 0 {
		return 0, ErrNoDevice
	}
	if h, ok := f.h.(sparser); ok && !f.fixed {
		return h.next(off, whence == SeekHole)
	}
	i, err := f.h.info("")
	switch {
	case err != nil:
		return 0, err
	case !i.mode.IsRegular():
		return 0, fs.ErrInvalid
	case off >= i.size:
		return 0, ErrNoDevice
	case whence == SeekHole:
		return i.size, nil
	}
	return off, nil
}

// PunchHole makes length bytes from off on zeros that take no room, as fallocate with FALLOC_FL_PUNCH_HOLE. The file keeps its
// size. Memory and quota are given back for whole pieces of 16 KiB, and for what lies at the end of one; a piece that a clone
// shares, of which a part is to stay, is copied first (ErrQuota). Mounts can't (ErrNotSupported).
func (f *File) PunchHole(off, length int64) error {
	err := f.check(false, true)
	h, can := f.h.(sparser)
	switch {
	case err == fs.ErrClosed:
	case off < 0 || length <= 0:
		err = fs.ErrInvalid
	case err != nil:
	case off > maxFileSize || length > maxFileSize-off:
		err = ErrTooLarge
	case f.isFIFO():
		err = ErrNotSeekable
	case !can || f.fixed:
		err = ErrNotSupported
	default:
		err = h.punch(off, length)
	}
	return f.fail("punch hole", err)
}

func (h *node) punch(off, length int64) error {
	now := h.t.now()
	for {
		missing, err := h.punchPresent(off, length, now)
		if missing == nil {
			return err
		}
		if err := missing.load(); err != nil {
			return err
		}
	}
}

// punchPresent punches if the pieces of which a part stays are in memory.
func (h *node) punchPresent(off, length, now int64) (*absent, error) {
	n, err := h.edit()
	if err != nil {
		return nil, err
	}
	defer h.t.mu.Unlock()
	end := min(off+length, n.size)
	if off >= end {
		return nil, nil
	}
	for _, at := range []int64{off, end - 1} {
		if missing := n.absent(at, 1); missing != nil {
			return missing, nil
		}
	}
	err = h.t.punch(n, off, end)
	n.mtime, n.ctime = now, now
	h.t.user.written(n)
	h.t.tellNode(WatchWritten, n)
	return nil, err
}

// punch makes a hole from off up to end, 0 <= off < end <= n.size. Preconditions: t.mu is held exclusively, n may be changed.
func (t *Tree) punch(n *inode, off, end int64) error {
	if x := n.extra; x != nil && end >= x.shown {
		// Nothing of base shows behind the hole. The chunk in which it begins is seen to below.
		x.shown = min(x.shown, (off+chunkSize-1)/chunkSize*chunkSize)
	}
	for i := off / chunkSize; i*chunkSize < end; i++ {
		if n.chunk(i) == nil && i*chunkSize >= n.extras().shown {
			next, c := n.nextTail(i)
			if c == nil || next*chunkSize >= end {
				return nil
			}
			i = next
		}
		from, to := max(off-i*chunkSize, 0), min(end-i*chunkSize, chunkSize)
		if err := t.punchChunk(n, i, int(from), int(to)); err != nil {
			return err
		}
	}
	return nil
}

// punchChunk makes the bytes of chunk i from in up to end zeros.
func (t *Tree) punchChunk(n *inode, i int64, in, end int) error {
	c := n.chunk(i)
	if in == 0 && end == chunkSize {
		t.dropChunk(n, i, c) // base need not be in memory
		return nil
	}
	have := n.under(i)
	if c != nil {
		have = c.b
	}
	switch {
	case in >= len(have):
		return nil
	case in == 0 && end >= len(have):
		t.dropChunk(n, i, c)
	case end >= len(have) && c != nil:
		t.shorten(n, i, c, in)
	default:
		zeros := make([]byte, min(end, len(have))-in)
		if t.writeChunk(n, i, in, zeros) < len(zeros) {
			return ErrQuota
		}
	}
	return nil
}

// dropChunk makes all of chunk i a hole. Where base would show, an empty chunk hides it.
func (t *Tree) dropChunk(n *inode, i int64, c *chunk) {
	t.charge(n, -t.paid(i, c))
	var hole *chunk
	if i*chunkSize < n.extras().shown {
		hole = &chunk{own: t.own}
	}
	switch {
	case hole != nil || i == 0:
		t.setChunk(n, i, hole)
	default:
		t.cutTail(n, i)
	}
}
