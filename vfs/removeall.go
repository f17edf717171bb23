package vfs

import "io/fs"

// RemoveAll removes name and all that is under it. What does not exist is no error. A directory that holds a
// mount point is refused whole (ErrBusy). As with rm -r, others may see a subtree that is partly removed: a
// large one is taken apart in steps, so that nobody is held up for long. What the user may not remove ends it.
func (t *Tree) RemoveAll(name string) error { return t.top().RemoveAll(name) }

// RemoveAll is Tree.RemoveAll for a name in the Dir.
func (d *Dir) RemoveAll(name string) error {
	return pathError("removeall", name, d.removeAll(name))
}

func (d *Dir) removeAll(name string) error {
	t := d.t
	err := d.unlink(name)
	if isNotExist(err) {
		return nil
	}
	if err != ErrIsDir {
		return err
	}
	f, err := d.find(name, followNever, false)
	if err != nil {
		return err
	}
	m := f.owner()
	err = f.removable()
	if m == nil {
		if err == nil && t.holdsMount(f.node.ino) {
			err = ErrBusy
		}
		t.mu.RUnlock()
	}
	switch {
	case isNotExist(err):
		return nil
	case f.dots != "":
		return fs.ErrInvalid
	case err != nil:
		return err
	case m != nil:
		return m.drv.removeAll(f.node.path)
	}
	return t.clearOut(doomed{dir: f.dir.ino, name: f.name, ino: f.node.ino})
}

// holdsMount reports whether a mount point lies under a directory. Preconditions: t.mu is held.
func (t *Tree) holdsMount(ino uint64) bool {
	for point := range t.mounts {
		if t.within(point, ino) {
			return true
		}
	}
	return false
}

// doomed is a name that is to go, with all that it leads to.
type doomed struct {
	dir, ino uint64
	name     string
}

// clearOut removes a directory without recursion: a stack holds the way down to where the work goes on.
func (t *Tree) clearOut(top doomed) error {
	stack := []doomed{top}
	for len(stack) > 0 {
		now := t.now()
		t.mu.Lock()
		if t.closed {
			t.mu.Unlock()
			return fs.ErrClosed
		}
		var err error
		for i := 0; i < batch && len(stack) > 0 && err == nil; i++ {
			stack, err = t.clearStep(stack, now)
		}
		t.mu.Unlock()
		if err != nil {
			return err
		}
	}
	return nil
}

// clearStep removes what is on top of the stack, or puts its first entry there. What others have moved away
// meanwhile is let go. Preconditions: t.mu is held exclusively.
func (t *Tree) clearStep(stack []doomed, now int64) ([]doomed, error) {
	top := len(stack) - 1
	at := stack[top]
	dir := t.inode(at.dir)
	if dir == nil || dir.nlink == 0 {
		return stack[:top], nil
	}
	e := dir.dir.names.get(at.name)
	if e == nil || e.ino != at.ino {
		return stack[:top], nil
	}
	n := t.inode(at.ino)
	if err := t.user.mayDelete(dir, n); err != nil {
		return stack, err
	}
	if n.dir != nil && n.dir.seqs.root != nil {
		if err := t.user.may(n, wantRead|wantExec); err != nil {
			return stack, err
		}
		_, first := n.dir.seqs.next(0)
		return append(stack, doomed{dir: at.ino, name: first.name, ino: first.ino}), nil
	}
	t.unlinkEntry(dir, n, e, now)
	return stack[:top], nil
}
