package vfs

import (
	"io/fs"
	"path"
	"strings"
)

const (
	maxPath     = 4095
	maxLongPath = 64 << 10 // see Dir.WithLongPaths
	maxName     = 255
	maxFollows  = 40 // links followed on one path
)

// place is a node that a walk can stand on.
type place struct {
	ino  uint64 // the tree's inode; in a mount, the one it is mounted on
	mnt  *mount // nil in the tree itself
	path string // in a mount: where, "." being its root
}

var root = place{ino: rootIno}

// follow says what a walk does with a symbolic link at the end of a path.
type follow int

const (
	followNever   follow = iota // nor if the path ends in a slash: for calls that change what the last name means
	followSlashed               // only if the path ends in a slash
	followAlways
	followToCreate // always, but no name that is to be made, or may be, can end in a slash (ErrIsDir)
)

// found is what a path leads to.
type found struct {
	dir   place       // the directory that has, or would have, the last name
	name  string      // the last name; empty if the path ends in the directory node itself: "/", ".", ".."
	dots  string      // then: which of them
	node  place       // what bears the name, if anything does
	entry *dirent     // the name, in the tree itself
	up    *inode      // the directory, in the tree itself, if name isn't empty
	typ   fs.FileMode // its type
	there bool
	slash bool // the path ends in a slash
}

// walk is a path resolution under way. It goes name by name and never recurs; a link's target is put before
// what is left of the path.
type walk struct {
	t      *Tree
	follow follow
	at     place  // the directory reached
	top    place  // where absolute paths start; if it is not the tree's root, no way leads out of it
	rest   string // what is left
	free   int    // how much of rest, from its end, does not come from links in confined mounts
	links  int    // links followed
	// ahead has the types of the next names, as far as a mount has told already.
	ahead []fs.FileMode
}

// find resolves name from d. When what it found is in the tree itself, whether or not it exists, t.mu is held
// on return, exclusively if so asked: unlock it with t.unlock. When it lies in a mount, or on errors, no lock
// is held.
func (d *Dir) find(name string, how follow, exclusive bool) (f found, err error) {
	w := walk{t: d.t, follow: how}
	if err := w.start(d, name); err != nil {
		return found{}, err
	}
	for {
		w.t.lock(exclusive)
		done, err := w.tree(&f)
		if done && err == nil && f.owner() == nil {
			return f, nil
		}
		w.t.unlock(exclusive)
		if done || err != nil {
			return f, err
		}
		if done, err = w.mount(&f); done || err != nil {
			return f, err
		}
	}
}

// owner is the mount in which a call on f has to work; nil for the tree.
func (f *found) owner() *mount {
	if f.there {
		return f.node.mnt
	}
	return f.dir.mnt
}

// start checks name's form and begins at d.
func (w *walk) start(d *Dir, name string) error {
	rest := name
	if d.slash && name != "" {
		rest = skipSlashes(name)
	}
	switch {
	case name == "":
		return fs.ErrNotExist
	case len(name) > maxPath && !(d.long && len(name) <= maxLongPath):
		return ErrNameTooLong
	case strings.IndexByte(name, 0) >= 0:
		return fs.ErrInvalid
	case !d.clamp && escapes(rest):
		return ErrEscape
	}
	w.at, w.top = d.at, root
	if d.clamp && name[0] == '/' {
		w.at = root
	}
	if d.slash {
		w.top = d.at
	}
	w.rest, w.free = rest, len(rest)
	return nil
}

// escapes reports whether a path is absolute or climbs above where it starts.
func escapes(name string) bool {
	return strings.HasPrefix(name, "/") || strings.Contains(name, "..") && climbs(0, name)
}

// climbs reports whether a path, taken from a directory at the given depth, climbs above depth 0 at any
// point.
func climbs(depth int, name string) bool {
	for elem := range strings.SplitSeq(name, "/") {
		switch elem {
		case "", ".":
		case "..":
			if depth--; depth < 0 {
				return true
			}
		default:
			depth++
		}
	}
	return false
}

func (t *Tree) lock(exclusive bool) {
	if exclusive {
		t.mu.Lock()
	} else {
		t.mu.RLock()
	}
}

func (t *Tree) unlock(exclusive bool) {
	if exclusive {
		t.mu.Unlock()
	} else {
		t.mu.RUnlock()
	}
}

// next takes the next name off the path. An empty name says that there is none. last says that nothing but
// slashes follows, confined that the name comes from a link that may not lead out of its mount.
func (w *walk) next() (name string, last, confined bool) {
	s := skipSlashes(w.rest)
	confined = len(s) > w.free
	end := strings.IndexByte(s, '/')
	if end < 0 {
		end = len(s)
	}
	name, w.rest = s[:end], s[end:]
	w.free = min(w.free, len(w.rest))
	return name, skipSlashes(w.rest) == "", confined
}

func skipSlashes(s string) string {
	for s != "" && s[0] == '/' {
		s = s[1:]
	}
	return s
}

// here is the result of a path that ends in the directory the walk has reached.
func (w *walk) here(f *found, dots string) {
	*f = found{dir: w.at, node: w.at, dots: dots, typ: fs.ModeDir, there: true, slash: w.rest != ""}
}

// end makes the result for the last name.
func (w *walk) end(f *found, name string, node place, typ fs.FileMode, there bool) error {
	f.dir, f.name, f.node, f.typ, f.there, f.slash = w.at, name, node, typ, there, w.rest != ""
	if f.slash && there && !typ.IsDir() && w.follow != followNever {
		return ErrNotDir
	}
	return nil
}

// tree goes on in the tree until the path ends (done) or enters a mount. Preconditions: t.mu is held.
func (w *walk) tree(f *found) (done bool, err error) {
	if w.t.closed {
		return true, fs.ErrClosed
	}
	for w.at.mnt == nil {
		dir := w.t.inode(w.at.ino)
		if dir == nil {
			return true, fs.ErrNotExist
		}
		name, last, _ := w.next()
		if name != "" {
			if err := w.t.user.may(dir, wantExec); err != nil {
				return true, err
			}
		}
		switch {
		case name == "" || name == ".":
			if last {
				w.here(f, name)
				return true, nil
			}
			continue
		case dir.nlink == 0:
			return true, fs.ErrNotExist
		case name == ".." && w.fenced():
			return true, ErrEscape
		case name == "..":
			w.at = place{ino: dir.dir.parent} // The root is its own parent.
			if last {
				w.here(f, name)
				return true, nil
			}
			continue
		case len(name) > maxName:
			return true, ErrNameTooLong
		case last && w.rest != "" && w.follow == followToCreate:
			return true, ErrIsDir
		}
		e := dir.dir.names.get(name)
		if e == nil {
			if !last {
				return true, fs.ErrNotExist
			}
			f.up = dir
			return true, w.end(f, name, place{}, 0, false)
		}
		node := w.t.mounts.over(e.ino)
		link := e.typ == fs.ModeSymlink && w.follows(last)
		switch {
		case last && !link:
			f.up, f.entry = dir, e
			return true, w.end(f, name, node, e.typ, true)
		case e.typ.IsDir():
			w.at = node
		case !link:
			return true, ErrNotDir
		default:
			if err := w.jump(w.t.inode(e.ino).target(), nil); err != nil {
				return true, err
			}
		}
	}
	return false, nil
}

// follows reports whether a link in this place is followed.
func (w *walk) follows(last bool) bool {
	return !last || w.follow >= followAlways || w.follow == followSlashed && w.rest != ""
}

// fenced reports whether the walk stands where it must not climb.
func (w *walk) fenced() bool { return w.at == w.top && w.top != root }

// climbMount steps to the parent inside a mount, or out of it.
func (w *walk) climbMount(confined bool) error {
	switch {
	case w.fenced():
		return ErrEscape
	case w.at.path != ".":
		w.at.path = path.Dir(w.at.path)
	case confined:
		return ErrEscape
	default:
		w.at = place{ino: w.at.ino}
		w.rest = ".." + w.rest
	}
	return nil
}

// jump puts a link's target before the rest of the path. from is the mount that the link lies in.
func (w *walk) jump(target string, from *mount) error {
	if w.links++; w.links > maxFollows {
		return ErrLoop
	}
	if target == "" {
		return fs.ErrNotExist
	}
	free := w.free == len(w.rest) && (from == nil || !from.confined)
	if target[0] == '/' {
		if !free {
			return ErrEscape
		}
		w.at = w.top
	}
	w.rest = target + w.rest
	if free {
		w.free = len(w.rest)
	}
	return nil
}

// deepDriver is a driver that looks at a whole way at once: where each look begins at the top, going down name by name
// would cost the square of the depth.
type deepDriver interface {
	// types returns the types of names, each in the one before and the first in dir: of as many as are directories, and of
	// one more if there is one.
	types(dir string, names []string) []fs.FileMode
}

// typ returns the type bits of a node, which is called name in the directory that the walk stands in.
func (w *walk) typ(node place, name string) (fs.FileMode, error) {
	if d, ok := node.mnt.drv.(deepDriver); ok && len(w.ahead) == 0 && w.rest != "" {
		w.ahead = d.types(w.at.path, append([]string{name}, w.plain()...))
	}
	if len(w.ahead) == 0 {
		return node.mnt.typ(node.path)
	}
	typ := w.ahead[0]
	w.ahead = w.ahead[1:]
	return typ, nil
}

// plain returns the names on the rest of the path up to a "..".
func (w *walk) plain() []string {
	var names []string
	for name := range strings.SplitSeq(w.rest, "/") {
		switch {
		case name == "..", len(name) > maxName:
			return names
		case name != "" && name != ".":
			names = append(names, name)
		}
	}
	return names
}

// mount goes on in the mount that the walk stands in, until the path ends (done) or leads out of it. No lock
// is held.
func (w *walk) mount(f *found) (done bool, err error) {
	m := w.at.mnt
	for w.at.mnt == m {
		name, last, confined := w.next()
		if name == ".." {
			if err := w.climbMount(confined); err != nil {
				return true, err
			}
			if w.at.mnt != m {
				return false, nil
			}
		}
		if name == "" || name == "." || name == ".." {
			if last {
				w.here(f, name)
				return true, nil
			}
			continue
		}
		switch {
		case len(name) > maxName:
			return true, ErrNameTooLong
		case last && w.rest != "" && w.follow == followToCreate:
			return true, ErrIsDir
		}
		node := place{ino: w.at.ino, mnt: m, path: path.Join(w.at.path, name)}
		typ, err := w.typ(node, name)
		switch {
		case err == nil:
		case last && isNotExist(err):
			return true, w.end(f, name, node, 0, false)
		default:
			return true, err
		}
		if typ != fs.ModeSymlink || !w.follows(last) {
			if last {
				return true, w.end(f, name, node, typ, true)
			}
			if !typ.IsDir() {
				return true, ErrNotDir
			}
			w.at = node
			continue
		}
		target, err := m.drv.readlink(node.path)
		if err != nil {
			return true, err
		}
		if err := w.jump(target, m); err != nil {
			return true, err
		}
	}
	return false, nil
}
