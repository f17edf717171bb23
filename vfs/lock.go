package vfs

import (
	"io/fs"
	"sync"
)

// lockTable holds the advisory locks on a tree's files. Clones have tables of their own. The zero value is
// ready to use.
type lockTable struct {
	mu     sync.Mutex
	closed bool
	held   map[place]*fileLock
}

// fileLock is held by one File. freed is closed when it is given up, or when one that may wait for it is
// closed, so that waiters look again.
type fileLock struct {
	holder *File
	freed  chan struct{}
}

func (l *lockTable) lock(at place, f *File) error {
	for {
		l.mu.Lock()
		if l.closed || f.closed.Load() {
			l.mu.Unlock()
			return fs.ErrClosed
		}
		k := l.held[at]
		if k == nil {
			if l.held == nil {
				l.held = map[place]*fileLock{}
			}
			l.held[at] = &fileLock{holder: f, freed: make(chan struct{})}
		}
		if k == nil || k.holder == f {
			l.mu.Unlock()
			return nil
		}
		freed := k.freed
		l.mu.Unlock()
		<-freed
	}
}

// unlock gives up f's lock, and wakes all that wait for one on the same node: f itself may be among them,
// being closed.
func (l *lockTable) unlock(at place, f *File) {
	l.mu.Lock()
	defer l.mu.Unlock()
	k := l.held[at]
	if k == nil {
		return
	}
	close(k.freed)
	if k.holder == f {
		delete(l.held, at)
		return
	}
	k.freed = make(chan struct{})
}

func (l *lockTable) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	for _, k := range l.held {
		close(k.freed)
	}
	l.held = nil
}
