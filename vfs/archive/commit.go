package archive

import (
	"errors"
	"io/fs"
	"maps"
	"path"
	"slices"

	"github.com/belljar-dev/belljar/vfs"
)

// move is what has to be done again, backwards, if a later one fails.
type move struct{ undo func() error }

// mover brings what was unpacked to its place.
type mover struct {
	*unpacker
	done []move
}

// commit moves all that was unpacked to its place, or nothing.
func (u *unpacker) commit() error {
	m := &mover{unpacker: u}
	err := m.merge(".")
	if err == nil {
		err = m.describeDirs()
	}
	if err == nil {
		return nil
	}
	for _, done := range slices.Backward(m.done) {
		err = errors.Join(err, done.undo())
	}
	return err
}

// merge moves what lies in the staged directory name into the target's.
func (m *mover) merge(name string) error {
	entries, err := list(m.dir, m.staged(name))
	if err != nil {
		return failed(name, err)
	}
	for _, e := range entries {
		at := path.Join(name, e.Name())
		if err := m.moveOne(at, e.IsDir()); err != nil {
			return err
		}
	}
	return nil
}

func (m *mover) moveOne(name string, isDir bool) error {
	there, err := m.dir.Stat(name, false)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		err = m.rename(name)
	case err != nil:
	case isDir && there.IsDir():
		return m.merge(name)
	case isDir || there.IsDir():
		err = ErrInTheWay
	default:
		err = m.exchange(name)
	}
	return failed(name, err)
}

// rename gives a staged node a name that is free.
func (m *mover) rename(name string) error {
	err := m.dir.RenameWith(m.staged(name), m.dir, name, vfs.RenameNoReplace)
	if errors.Is(err, vfs.ErrNotSupported) {
		err = m.dir.Rename(m.staged(name), m.dir, name)
	}
	if err != nil {
		return err
	}
	m.done = append(m.done, move{func() error { return m.dir.Rename(name, m.dir, m.staged(name)) }})
	return nil
}

// exchange puts a staged node in the place of what is there, which waits in the stage.
func (m *mover) exchange(name string) error {
	swap := func() error { return m.dir.RenameWith(m.staged(name), m.dir, name, vfs.RenameExchange) }
	err := swap()
	if errors.Is(err, vfs.ErrNotSupported) {
		return m.exchangeBySteps(name)
	}
	if err != nil {
		return err
	}
	m.done = append(m.done, move{swap})
	return nil
}

// exchangeBySteps is exchange where the file system has no such call.
func (m *mover) exchangeBySteps(name string) error {
	aside := m.staged(name) + ".old"
	if err := m.dir.Rename(name, m.dir, aside); err != nil {
		return err
	}
	m.done = append(m.done, move{func() error { return m.dir.Rename(aside, m.dir, name) }})
	return m.rename(name)
}

// describeDirs sets what the archive says of its directories, the deepest first, since their times change with what is
// in them.
func (m *mover) describeDirs() error {
	for _, name := range slices.Backward(slices.Sorted(maps.Keys(m.dirs))) {
		if e := m.dirs[name]; e.name != "" {
			if err := m.describeDir(name, e); err != nil {
				return failed(name, err)
			}
		}
	}
	return nil
}

func (m *mover) describeDir(name string, e entry) error {
	undo, err := m.remember(name, e)
	if err != nil {
		return err
	}
	m.done = append(m.done, move{undo})
	return m.describe(name, e)
}

// remember returns what makes a directory again what it is now.
func (m *mover) remember(name string, e entry) (undo func() error, err error) {
	was, err := m.dir.Stat(name, false)
	if err != nil {
		return nil, err
	}
	attrs := map[string][]byte{}
	for attr := range e.attrs {
		if value, err := m.dir.Getxattr(name, false, attr); err == nil {
			attrs[attr] = value
		}
	}
	return func() error {
		var errs []error
		for attr := range e.attrs {
			if value, ok := attrs[attr]; ok {
				errs = append(errs, m.dir.Setxattr(name, false, attr, value, 0))
			} else {
				m.dir.Removexattr(name, false, attr) // It may not have come to be set.
			}
		}
		if m.super {
			errs = append(errs, m.dir.Chown(name, false, was.UID(), was.GID()))
		}
		errs = append(errs, m.dir.Chmod(name, false, was.Mode()), m.dir.Chtimes(name, false, was.Atime(), was.ModTime()))
		return errors.Join(errs...)
	}, nil
}
