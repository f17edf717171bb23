package wasi

import (
	"fmt"
	"strconv"
	"strings"
)

// ownDescriptor gives the process's descriptor that a path from the root names, as
// /dev/stdin, /dev/fd/3 and /proc/self/fd/3 do: an object like any other file's, which
// is opened once more by opening the path.
func (h *Host) ownDescriptor(fd uint64, path string) (descriptor, bool) {
	path, ok := h.fromRoot(fd, path)
	if !ok {
		return descriptor{}, false
	}
	number := uint64(0)
	switch path {
	case "dev/stdin":
	case "dev/stdout":
		number = 1
	case "dev/stderr":
		number = 2
	default:
		digits, ok := strings.CutPrefix(path, "dev/fd/")
		if !ok {
			if digits, ok = strings.CutPrefix(path, h.selfPath("proc/self")+"/fd/"); !ok {
				return descriptor{}, false
			}
		}
		var err error
		if number, err = strconv.ParseUint(digits, 10, 32); err != nil {
			return descriptor{}, false
		}
	}
	d, e := h.files.get(uint32(number))
	return d, e == errSuccess
}

// linkTo is how the link reads by which a path below /dev/fd or /proc/self/fd leads to a descriptor, as Linux has it.
func (h *Host) linkTo(fd uint64, path string) (target string, d descriptor, ok bool) {
	d, ok = h.ownDescriptor(fd, path)
	if at, _ := h.fromRoot(fd, path); !ok || !strings.Contains(at, "/fd/") {
		return "", d, false // /dev/stdin and its like are links in the tree
	}
	return d.link(), d, true
}

func (d descriptor) link() string {
	switch o := d.object.(type) {
	case *file:
		return o.f.Name()
	case *directory:
		return o.f.Name()
	case *PipeReader, *PipeWriter:
		st, _ := o.stat() // a pipe always has one
		return fmt.Sprintf("pipe:[%d]", st.ino)
	case *socket:
		st, _ := o.stat()
		return fmt.Sprintf("socket:[%d]", st.ino)
	}
	st, _ := d.object.stat() // where there is none, a number is as good as another
	return fmt.Sprintf("stream:[%d]", st.ino)
}

// linkStat describes such a link: Linux tells by its mode how the descriptor was opened.
func (h *Host) linkStat(d descriptor) filestat {
	const shownSize = 64
	u, mode := h.tree.User(), uint32(modeLink|0o100)
	if d.readable {
		mode |= 0o400
	}
	if d.writable {
		mode |= 0o200
	}
	return filestat{typ: typeSymbolicLink, nlink: 1, size: shownSize, mode: mode, uid: uint32(u.UID), gid: uint32(u.GID)}
}

// selfPath puts the process's number where a path says /proc/self, or /dev/fd, which is a link to its descriptors. It
// is not for paths that only lead there.
func (h *Host) selfPath(path string) string {
	rest := strings.TrimLeft(path, "/")
	before := path[:len(path)-len(rest)]
	below := ""
	rest, ok := strings.CutPrefix(rest, "proc/self")
	if !ok {
		if rest, ok = strings.CutPrefix(rest, "dev/fd"); !ok {
			return path
		}
		below = "/fd"
	}
	if h.kernel == nil || rest != "" && rest[0] != '/' {
		return path
	}
	pid, err := h.kernel.ID(IDProcess, 0)
	if err != nil {
		return path
	}
	return before + "proc/" + strconv.FormatUint(uint64(pid), 10) + below + rest
}

// terminalPath says whether a path names the controlling terminal.
func (h *Host) terminalPath(fd uint64, path string) bool {
	path, ok := h.fromRoot(fd, path)
	return ok && path == "dev/tty"
}

// fromRoot gives what follows the root's slash in a path that visibly starts there, and
// leads to where things are that belong to the process. A number in a folder that was opened as /dev/fd does, too.
func (h *Host) fromRoot(fd uint64, path string) (string, bool) {
	if h.posix != nil {
		if path[0] != '/' {
			return h.inDescriptors(fd, path)
		}
		path = strings.TrimLeft(path, "/")
	}
	if !strings.HasPrefix(path, "dev/") && !strings.HasPrefix(path, "proc/") {
		return "", false
	}
	if h.posix != nil {
		return path, true
	}
	d, e := h.files.get(uint32(fd))
	return path, e == errSuccess && d.preopen == "/"
}

// inDescriptors gives the path from the root of a number in the folder of the process's descriptors, which programs come
// by when they open a file's folder first.
func (h *Host) inDescriptors(fd uint64, path string) (string, bool) {
	if _, err := strconv.ParseUint(path, 10, 32); err != nil {
		return "", false
	}
	own := h.selfPath("dev/fd")
	isOwn := func(folder string) bool {
		return strings.HasPrefix(folder, "/") && h.selfPath(strings.Trim(folder, "/")) == own // what is opened has the path it was opened by
	}
	if uint32(fd) == atCwd {
		return own + "/" + path, isOwn(h.dir)
	}
	d, e := h.files.get(uint32(fd))
	if e != errSuccess {
		return "", false
	}
	folder, ok := d.object.(*directory)
	return own + "/" + path, ok && isOwn(folder.f.Name())
}

// again opens what d is open on once more.
func (h *Host) again(d descriptor, o opening) (uint32, errno) {
	switch {
	case o.flags&(openCreate|openExclusive) == openCreate|openExclusive:
		return 0, errExist
	case o.flags&openDirectory != 0 && !d.isDir():
		return 0, errNotdir
	case o.base&rightFdWrite != 0 && d.isDir():
		return 0, errIsdir
	case o.base&rightFdRead != 0 && !d.readable && !d.isDir(), o.base&rightFdWrite != 0 && !d.writable:
		return 0, errAcces
	}
	if f, ok := d.object.(*file); ok && o.flags&openTruncate != 0 && d.writable && f.typ == typeRegularFile {
		if err := f.f.Truncate(0); err != nil {
			return 0, errnoOf(err)
		}
	}
	d.cloexec, d.preopen = o.cloexec, ""
	return h.files.insert(d)
}
