package vfs

import (
	"io/fs"
	"path"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
)

// foreign is the handle of a file or directory in a mount.
type foreign struct {
	stream
	m    *mount
	path string

	mu    sync.Mutex
	users *atomic.Int64 // handles that share the stream; nil: this one
	list  []DirEntry    // directories: the listing made when cookie 0 was last asked for
}

func (h *foreign) info(name string) (Info, error) {
	i, err := h.Stat()
	if err != nil {
		return Info{}, err
	}
	return h.m.describe(i, h.path, name), nil
}

func (h *foreign) readAt(p []byte, off int64) (int, error)  { return h.ReadAt(p, off) }
func (h *foreign) writeAt(p []byte, off int64) (int, error) { return h.WriteAt(p, off) }
func (h *foreign) truncate(size int64) error                { return h.Truncate(size) }
func (h *foreign) sync() error                              { return h.Sync() }
func (h *foreign) change(c change) error                    { return h.stream.change(c) }

// append is atomic among the users of one File, not towards others.
func (h *foreign) append(p []byte) (int, int64, error) {
	i, err := h.Stat()
	if err != nil {
		return 0, 0, err
	}
	n, err := h.WriteAt(p, i.Size())
	return n, i.Size() + int64(n), err
}

func (h *foreign) allocate(off, n int64) error {
	i, err := h.Stat()
	if err != nil || i.Size() >= off+n {
		return err
	}
	return h.Truncate(off + n)
}

func (h *foreign) readDir(cookie uint64, most int) ([]DirEntry, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if cookie == 0 || h.list == nil {
		list, err := h.entries()
		if err != nil {
			return nil, err
		}
		h.number(list)
	}
	if cookie >= uint64(len(h.list)) || most <= 0 {
		return nil, nil
	}
	left := h.list[cookie:]
	return slices.Clone(left[:min(most, len(left))]), nil
}

// number makes a listing whose cookies are places in it.
func (h *foreign) number(list []fs.DirEntry) {
	slices.SortFunc(list, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	up := path.Dir(h.path)
	h.list = append(make([]DirEntry, 0, len(list)+2),
		DirEntry{Name: ".", Ino: pathIno(h.path), Type: fs.ModeDir, Next: cookieDot},
		DirEntry{Name: "..", Ino: pathIno(up), Type: fs.ModeDir, Next: cookieDotDot})
	for _, e := range list {
		h.list = append(h.list, DirEntry{
			Name: e.Name(), Ino: pathIno(path.Join(h.path, e.Name())), Type: e.Type(), Next: uint64(len(h.list) + 1),
		})
	}
}

// share returns a handle on the same open file of the mount, for another tree.
func (h *foreign) share() *foreign {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.users == nil {
		h.users = new(atomic.Int64)
		h.users.Store(1)
	}
	h.users.Add(1)
	return &foreign{stream: h.stream, m: h.m, path: h.path, users: h.users, list: h.list}
}

// close closes the open file of the mount with its last user.
func (h *foreign) close() error {
	h.mu.Lock()
	users := h.users
	h.mu.Unlock()
	if users != nil && users.Add(-1) > 0 {
		return nil
	}
	return h.Close()
}
