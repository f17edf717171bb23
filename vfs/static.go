package vfs

import (
	"io/fs"
	"path"
	"time"
)

// AddStatic adds a file whose content stays where it is: content must not change as long as the tree or any clone of it
// is in use. It is not counted against MaxBytes, and copied piece by piece only where it is written to. Missing
// directories on the way get mode 0755. What exists is not replaced (fs.ErrExist). In mounts it fails with
// ErrCrossDevice.
func (t *Tree) AddStatic(name string, content []byte, perm fs.FileMode, mtime time.Time) error {
	t = t.Trusted()
	return t.addUnder(name, func() error { return t.addStatic(name, content, perm, mtime) })
}

// addUnder calls add, and once more after having made the directories above name if they were missing.
func (t *Tree) addUnder(name string, add func() error) error {
	err := add()
	if err == fs.ErrNotExist {
		if err := t.MkdirAll(path.Dir(name), 0o755); err != nil {
			return err
		}
		err = add()
	}
	return pathError("add", name, err)
}

func (t *Tree) addStatic(name string, content []byte, perm fs.FileMode, mtime time.Time) error {
	now := t.now()
	f, err := t.top().find(name, followNever, true)
	if err != nil {
		return err
	}
	if f.owner() != nil {
		return ErrCrossDevice
	}
	defer t.mu.Unlock()
	switch {
	case f.slash:
		return ErrIsDir
	case int64(len(content)) > maxFileSize:
		return ErrTooLarge
	}
	n, err := t.create(f, perm&modeBits&^t.user.Umask, now)
	if err != nil {
		return err
	}
	n.size = int64(len(content))
	if n.size > 0 {
		n.extra = &extra{base: &static{content[:len(content):len(content)]}, shown: n.size}
	}
	n.mtime = nanos(mtime)
	return nil
}
