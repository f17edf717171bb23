package vfs

import "io/fs"

// RemoveAll removes name and all that is under it. What does not exist is no error. A directory that holds a mount point is refused (ErrBusy), whole. The subtree is
// out of sight at once; a large one is then taken apart in steps, so that others are not held up.
func (t *Tree) RemoveAll(name string) error {
	return pathError("removeall", name, t.removeAll(name))
}

func (t *Tree) removeAll(name string) error {
	d := t.top()
	err := d.unlink(name)
	if isNotExist(err) {
		return nil
	}
	if err != ErrIsDir {
		return err
	}
	now := t.now()
	f, err := d.find(name, followNever, true)
	if isNotExist(err) {
		return nil
	}
	if err != nil {
		return err
	}
	if m := f.owner(); m != nil {
		if f.dir.mnt == nil {
			return ErrBusy
		}
		return m.drv.removeAll(f.node.path)
	}
	if !f.there {
		t.mu.Unlock()
		return nil
	}
	if err := f.removable(); err != nil && err != ErrNotDir {
		t.mu.Unlock()
		return fs.ErrInvalid
	}
	if t.holdsMount(f.node.ino) {
		t.mu.Unlock()
		return ErrBusy
	}
	dir := t.edit(f.dir.ino)
	e := dir.dir.names.get(f.name)
	t.drop(dir, e, now)
	t.refundName(e)
	t.mu.Unlock()
	t.reap(f.node.ino, now)
	return nil
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

// reap takes apart a node that has no name any more, and everything under it, without recursion.
func (t *Tree) reap(top uint64, now int64) {
	stack := []uint64{top}
	for len(stack) > 0 {
		t.mu.Lock()
		for range batch {
			if len(stack) == 0 || t.closed {
				stack = nil
				break
			}
			stack = t.reapStep(stack, now)
		}
		t.mu.Unlock()
	}
}

// reapStep removes one entry of the directory on top of the stack, or that directory, if it is empty. Preconditions: t.mu is held exclusively.
func (t *Tree) reapStep(stack []uint64, now int64) []uint64 {
	top := len(stack) - 1
	n := t.edit(stack[top])
	if n == nil {
		return stack[:top]
	}
	if n.dir == nil || n.dir.seqs.root == nil {
		t.unlinked(n, now)
		return stack[:top]
	}
	_, e := n.dir.seqs.next(0)
	t.drop(n, e, now)
	t.refundName(e)
	return append(stack, e.ino)
}
