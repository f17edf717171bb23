package wasi

import (
	"context"
	"strings"

	"github.com/belljar-dev/belljar/vfs"
)

// attributes are the extended attributes of what a call names: of a *vfs.File, or of a path.
type attributes interface {
	get(name string) ([]byte, error)
	set(name string, value []byte, flags vfs.XattrFlags) error
	list() ([]string, error)
	remove(name string) error
}

type fileAttributes struct{ f *vfs.File }

func (a fileAttributes) get(name string) ([]byte, error) { return a.f.Getxattr(name) }
func (a fileAttributes) list() ([]string, error)         { return a.f.Listxattr() }
func (a fileAttributes) remove(name string) error        { return a.f.Removexattr(name) }
func (a fileAttributes) set(name string, value []byte, flags vfs.XattrFlags) error {
	return a.f.Setxattr(name, value, flags)
}

type pathAttributes struct {
	dir    *vfs.Dir
	path   string
	follow bool
}

func (a pathAttributes) get(name string) ([]byte, error) {
	return a.dir.Getxattr(a.path, a.follow, name)
}
func (a pathAttributes) list() ([]string, error)  { return a.dir.Listxattr(a.path, a.follow) }
func (a pathAttributes) remove(name string) error { return a.dir.Removexattr(a.path, a.follow, name) }
func (a pathAttributes) set(name string, value []byte, flags vfs.XattrFlags) error {
	return a.dir.Setxattr(a.path, a.follow, name, value, flags)
}

// ofFile begins the calls by descriptor: fd.
func (h *Host) ofFile(_ memory, p []uint64, need rights) (attributes, []uint64, errno) {
	d, e := h.files.get(uint32(p[0]))
	switch {
	case e != errSuccess:
		return nil, nil, e
	case d.base&need != need:
		return nil, nil, errNotcapable
	}
	f, e := h.opened(p[0])
	if e != errSuccess {
		return nil, nil, errNotsup
	}
	return fileAttributes{f}, p[1:], errSuccess
}

// ofPath begins the calls by path: fd, flags: lookupflags, path: string.
func (h *Host) ofPath(mem memory, p []uint64, need rights) (attributes, []uint64, errno) {
	dir, path, e := h.at(mem, p[0], need, p[2], p[3])
	if e != errSuccess {
		return nil, nil, e
	}
	follow, e := follows(p[1])
	return pathAttributes{dir, path, follow}, p[4:], e
}

// fd_xattr_get(fd, name: string, value: ptr<u8>, value_len: size) -> size
func fdXattrGet(_ context.Context, h *Host, mem memory, p []uint64) errno {
	a, p, e := h.ofFile(mem, p, rightFdFilestatGet)
	if e != errSuccess {
		return e
	}
	return mem.getXattr(a, p)
}

// path_xattr_get(fd, flags: lookupflags, path: string, name: string, value: ptr<u8>, value_len: size) -> size
func pathXattrGet(_ context.Context, h *Host, mem memory, p []uint64) errno {
	a, p, e := h.ofPath(mem, p, rightPathFilestatGet)
	if e != errSuccess {
		return e
	}
	return mem.getXattr(a, p)
}

func (m memory) getXattr(a attributes, p []uint64) errno {
	name, e := m.path(uint32(p[0]), uint32(p[1]))
	if e != errSuccess {
		return e
	}
	if e := m.checkAnswer(p[2:]); e != errSuccess {
		return e
	}
	value, err := a.get(name)
	if err != nil {
		return errnoOf(err)
	}
	return m.putAnswer(p[2:], value)
}

// fd_xattr_set(fd, name: string, value: ptr<u8>, value_len: size, flags: u32)
func fdXattrSet(_ context.Context, h *Host, mem memory, p []uint64) errno {
	a, p, e := h.ofFile(mem, p, rightFdFilestatSetTimes)
	if e != errSuccess {
		return e
	}
	return mem.setXattr(a, p)
}

// path_xattr_set(fd, flags: lookupflags, path: string, name: string, value: ptr<u8>, value_len: size, flags: u32)
func pathXattrSet(_ context.Context, h *Host, mem memory, p []uint64) errno {
	a, p, e := h.ofPath(mem, p, rightPathFilestatSetTimes)
	if e != errSuccess {
		return e
	}
	return mem.setXattr(a, p)
}

func (m memory) setXattr(a attributes, p []uint64) errno {
	name, e := m.path(uint32(p[0]), uint32(p[1]))
	if e != errSuccess {
		return e
	}
	value, e := m.bytes(uint32(p[2]), uint32(p[3]))
	if e != errSuccess {
		return e
	}
	flags := vfs.XattrFlags(uint32(p[4]))
	if flags&^(vfs.XattrCreate|vfs.XattrReplace) != 0 {
		return errInval
	}
	return errnoOf(a.set(name, value, flags))
}

// fd_xattr_list(fd, buf: ptr<u8>, buf_len: size) -> size
func fdXattrList(_ context.Context, h *Host, mem memory, p []uint64) errno {
	a, p, e := h.ofFile(mem, p, rightFdFilestatGet)
	if e != errSuccess {
		return e
	}
	return mem.listXattr(a, p)
}

// path_xattr_list(fd, flags: lookupflags, path: string, buf: ptr<u8>, buf_len: size) -> size
func pathXattrList(_ context.Context, h *Host, mem memory, p []uint64) errno {
	a, p, e := h.ofPath(mem, p, rightPathFilestatGet)
	if e != errSuccess {
		return e
	}
	return mem.listXattr(a, p)
}

func (m memory) listXattr(a attributes, p []uint64) errno {
	if e := m.checkAnswer(p); e != errSuccess {
		return e
	}
	names, err := a.list()
	if err != nil {
		return errnoOf(err)
	}
	var all strings.Builder
	for _, name := range names {
		all.WriteString(name)
		all.WriteByte(0)
	}
	return m.putAnswer(p, []byte(all.String()))
}

// fd_xattr_remove(fd, name: string)
func fdXattrRemove(_ context.Context, h *Host, mem memory, p []uint64) errno {
	a, p, e := h.ofFile(mem, p, rightFdFilestatSetTimes)
	if e != errSuccess {
		return e
	}
	return mem.removeXattr(a, p)
}

// path_xattr_remove(fd, flags: lookupflags, path: string, name: string)
func pathXattrRemove(_ context.Context, h *Host, mem memory, p []uint64) errno {
	a, p, e := h.ofPath(mem, p, rightPathFilestatSetTimes)
	if e != errSuccess {
		return e
	}
	return mem.removeXattr(a, p)
}

func (m memory) removeXattr(a attributes, p []uint64) errno {
	name, e := m.path(uint32(p[0]), uint32(p[1]))
	if e != errSuccess {
		return e
	}
	return errnoOf(a.remove(name))
}

// checkAnswer checks the parameters for an answer of unknown length: buf, buf_len, ret_len.
func (m memory) checkAnswer(p []uint64) errno {
	if e := m.check(uint32(p[0]), uint32(p[1])); e != errSuccess {
		return e
	}
	return m.check(uint32(p[2]), 4)
}

// putAnswer writes an answer and its length. An empty buffer asks for the length alone; another that is too small is
// ERANGE.
func (m memory) putAnswer(p []uint64, answer []byte) errno {
	buf, e := m.bytes(uint32(p[0]), uint32(p[1]))
	switch {
	case e != errSuccess:
		return e
	case len(buf) > 0 && len(buf) < len(answer):
		return errRange
	}
	copy(buf, answer)
	return m.putUint32(uint32(p[2]), uint32(len(answer)))
}
