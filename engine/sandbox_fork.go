package engine

import (
	"context"
	"errors"
	"fmt"

	"github.com/belljar-dev/belljar/vfs"
	"github.com/belljar-dev/belljar/wasi"
)

// Fork makes a sandbox that is like this one: its files, what its sessions hold in memory and have open, its
// environment, limits and what they have used. Both go on at once, independent of each other; what they have in common
// is copied when one of them changes it.
//
// It answers ErrBusy while a session runs a cell. Dead sessions are not copied, nor are processes that run; files that
// only these have open are not the child's. Locks on files stay with the parent. Mounted host folders are shown by
// both. What a session may not share with its copies, such as the state of random, is made anew before the child's first
// cell.
// Under Replay nothing is: parent and children go on alike as long as they do the same.
func (sb *Sandbox) Fork(ctx context.Context) (*Sandbox, error) {
	child, err := sb.fork(ctx)
	if err != nil {
		return nil, fmt.Errorf("fork sandbox: %w", err)
	}
	return child, nil
}

// copy makes a sandbox that is not one of the engine's yet.
func (sb *Sandbox) copy(ctx context.Context) (*Sandbox, error) {
	if err := context.Cause(ctx); err != nil {
		return nil, err
	}
	all, err := sb.rest()
	if err != nil {
		return nil, err
	}
	defer wake(all)
	frozen := make([]*frozenProcess, len(all))
	for i, s := range all {
		if frozen[i], err = s.life.freeze(); err != nil {
			closeMemories(frozen)
			return nil, fmt.Errorf("session %q: %w", s.name, err)
		}
	}
	child, err := sb.twin(frozen)
	if err != nil {
		closeMemories(frozen)
		return nil, err
	}
	for i, s := range all {
		child.sessions.byName[s.name] = s.twin(child, frozen[i])
	}
	return child, nil
}

// rest takes the turns of all sessions that live, or of none. See wake.
func (sb *Sandbox) rest() (all []*Session, err error) {
	if err := sb.table.room(true); errors.Is(err, ErrClosed) {
		return nil, err
	}
	for _, s := range sb.sessions.list() {
		err := s.take()
		if errors.Is(err, ErrSessionDead) {
			continue
		}
		if err != nil {
			wake(all)
			return nil, fmt.Errorf("session %q: %w", s.name, err)
		}
		all = append(all, s)
	}
	return all, nil
}

// wake gives the turns back.
func wake(all []*Session) {
	for _, s := range all {
		s.give()
	}
}

func closeMemories(frozen []*frozenProcess) {
	for _, f := range frozen {
		if f != nil {
			f.memory.close()
		}
	}
}

// twin makes the child without its sessions, whose Files in frozen it replaces by its own.
func (sb *Sandbox) twin(frozen []*frozenProcess) (*Sandbox, error) {
	c, err := sb.engine.bareSandbox(sb.image, sb.spec, sb.limits)
	if err != nil {
		return nil, err
	}
	own := vfs.Config{Sync: c.synced}
	if sb.clock != nil {
		c.clock, c.random = sb.clock.copy(), sb.random.(*replayRandom).copy()
		own.Now = c.clock.now
	}
	c.ticks.Store(sb.ticks.Load())
	c.output.Store(sb.output.Load())
	c.wall.Store(sb.wall.Load())
	c.memory.peak.Store(sb.memory.peak.Load())
	tree, opened, err := sb.tree.CloneOpen(openFiles(frozen), own)
	if err != nil {
		return nil, err
	}
	c.tree = tree
	for _, f := range frozen {
		if f != nil {
			opened = f.reopen(opened)
		}
	}
	err = tree.Remount("/proc", procFS{c})
	if err == nil && sb.clock != nil {
		err = addRandomDevices(tree, c.random)
	}
	if err != nil {
		return nil, errors.Join(err, tree.Close())
	}
	return c, nil
}

// openFiles lists the Files of the descriptors, one of each open file description.
func openFiles(frozen []*frozenProcess) []*vfs.File {
	var files []*vfs.File
	for _, f := range frozen {
		if f == nil {
			continue
		}
		f.eachFile(func(d *wasi.Descriptor) { files = append(files, d.File) })
	}
	return files
}

// eachFile calls do for the first descriptor of each open file description that has a File.
func (f *frozenProcess) eachFile(do func(*wasi.Descriptor)) {
	seen := map[int]bool{}
	for i := range f.descriptors {
		d := &f.descriptors[i]
		if d.File != nil && !seen[d.Description] {
			seen[d.Description] = true
			do(d)
		}
	}
}

// reopen gives the descriptors other Files, in the order of eachFile. It answers those that are left.
func (f *frozenProcess) reopen(files []*vfs.File) []*vfs.File {
	byDescription := map[int]*vfs.File{}
	f.eachFile(func(d *wasi.Descriptor) {
		byDescription[d.Description] = files[0]
		files = files[1:]
	})
	for i := range f.descriptors {
		if d := &f.descriptors[i]; d.File != nil {
			d.File = byDescription[d.Description]
		}
	}
	return files
}

// twin makes a session of the child that goes on from a frozen state; nil is one that hasn't begun.
//
// Preconditions: the caller has s's turn.
func (s *Session) twin(child *Sandbox, frozen *frozenProcess) *Session {
	c := child.makeSession(s.name, s.lang, s.entry, s.command)
	c.life.target, c.life.frozen, c.life.cells = s.life.target, frozen, s.life.cells
	c.life.copied = frozen != nil
	c.life.cpu = s.life.cpu
	return c
}
