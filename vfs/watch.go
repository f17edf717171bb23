package vfs

import (
	"context"
	"io/fs"
	"slices"
	"sync"
)

const (
	watchQueue = 4096    // events that wait for Next
	watchBytes = 1 << 20 // of paths in them
	watchLinks = 8       // names of one file that its changes are told under
)

// WatchOp is what happened to a file.
type WatchOp int

// What a Watch tells of. Overflow says that events were lost here: there were too many, or a path was longer than 4,095
// bytes. Mode, owner, times and extended attributes are attributes; what reading does to the access time is not told.
const (
	WatchCreated WatchOp = iota + 1
	WatchWritten
	WatchRemoved
	WatchRenamed
	WatchAttributes
	WatchOverflow
)

// String returns the operation in a word.
func (o WatchOp) String() string {
	return [...]string{"none", "created", "written", "removed", "renamed", "attributes", "overflow"}[min(max(o, 0), WatchOverflow)]
}

// WatchEvent is a change of the tree.
type WatchEvent struct {
	Op WatchOp
	// Path is the file, from the tree's root, as it is called after the change; From what it was called before WatchRenamed,
	// else empty. What was called Path before a rename is gone.
	Path, From string
	// Type has the file's type bits.
	Type fs.FileMode
}

// Watch is a queue of what changes in a part of a tree. It may be used from many goroutines.
type Watch struct {
	t         *core
	ino       uint64
	recursive bool

	mu     sync.Mutex
	closed bool
	queue  []WatchEvent
	bytes  int
	// pending has the writes and changes of attributes in the queue that one more would only repeat: those after the last
	// event of another kind.
	pending map[WatchEvent]struct{}
	ready   chan struct{} // closed when something comes; nil if nobody waits
}

// Watch begins to note what changes: of the file or directory that name leads to and, in a directory, of its entries; if
// recursive, of everything below it. It follows the directory when that is renamed. A rename is noted if one of its names
// is in sight. Of equal writes and changes of attributes that come one after the other before Next is called, one is
// noted. Up to 4,096 events are kept; then an event of WatchOverflow stands for the rest.
//
// Changes by everybody are seen, Files opened before too, but not those of clones, nor those in mounts. A tree that nobody
// watches pays nothing. The Watch must be closed.
func (t *Tree) Watch(name string, recursive bool) (*Watch, error) {
	f, err := t.top().find(name, followAlways, true)
	if err != nil {
		return nil, pathError("watch", name, err)
	}
	if f.owner() != nil {
		return nil, pathError("watch", name, ErrNotSupported)
	}
	defer t.mu.Unlock()
	if !f.there {
		return nil, pathError("watch", name, fs.ErrNotExist)
	}
	if err := t.user.may(t.inode(f.node.ino), wantRead); err != nil {
		return nil, pathError("watch", name, err)
	}
	w := &Watch{t: t.core, ino: f.node.ino, recursive: recursive}
	t.watches = append(t.watches, w)
	return w, nil
}

// Close ends the Watch: Next returns what is left, and then fs.ErrClosed. It may be called again.
func (w *Watch) Close() error {
	w.t.mu.Lock()
	w.t.watches = slices.DeleteFunc(w.t.watches, func(o *Watch) bool { return o == w })
	w.t.mu.Unlock()
	w.shut()
	return nil
}

// shut lets Next end.
func (w *Watch) shut() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.closed = true
	w.wake()
}

// wake lets those who wait look. Preconditions: w.mu is held.
func (w *Watch) wake() {
	if w.ready != nil {
		close(w.ready)
		w.ready = nil
	}
}

// Next returns the next event, and waits for it. When ctx ends first it returns its cause, and when the Watch or the tree
// was closed fs.ErrClosed.
func (w *Watch) Next(ctx context.Context) (WatchEvent, error) {
	for {
		w.mu.Lock()
		if len(w.queue) > 0 {
			e := w.queue[0]
			if w.queue = w.queue[1:]; len(w.queue) == 0 {
				w.queue = nil
			}
			w.bytes -= len(e.Path) + len(e.From)
			delete(w.pending, e)
			w.mu.Unlock()
			return e, nil
		}
		if w.closed {
			w.mu.Unlock()
			return WatchEvent{}, fs.ErrClosed
		}
		if w.ready == nil {
			w.ready = make(chan struct{})
		}
		ready := w.ready
		w.mu.Unlock()
		select {
		case <-ready:
		case <-ctx.Done():
			return WatchEvent{}, context.Cause(ctx)
		}
	}
}

// add puts an event into the queue, if there is room.
func (w *Watch) add(e WatchEvent) {
	w.mu.Lock()
	defer w.mu.Unlock()
	repeats := e.Op == WatchWritten || e.Op == WatchAttributes
	if _, have := w.pending[e]; have && repeats {
		return
	}
	n := len(w.queue)
	if n >= watchQueue || w.bytes > watchBytes {
		e, repeats = WatchEvent{Op: WatchOverflow}, false
	}
	if e.Op == WatchOverflow && n > 0 && w.queue[n-1].Op == WatchOverflow {
		return
	}
	if !repeats {
		clear(w.pending)
	} else {
		if w.pending == nil {
			w.pending = map[WatchEvent]struct{}{}
		}
		w.pending[e] = struct{}{}
	}
	w.queue = append(w.queue, e)
	w.bytes += len(e.Path) + len(e.From)
	w.wake()
}

// spot is a name in a directory, on its way to the watches.
type spot struct {
	path string
	up   []uint64 // the directory, and those above it
	long bool     // the path is too long to tell
}

// spotOf finds the path of a name in a directory. It costs no more than the longest path. Preconditions: t.mu is held.
func (t *core) spotOf(dir uint64, name string) spot {
	var s spot
	names, size := []string{name}, 1+len(name)
	for {
		s.up = append(s.up, dir)
		if dir == rootIno {
			break
		}
		d := t.inode(dir).dir
		if size += 1 + len(d.name); size > maxPath {
			s.long = true
			return s
		}
		names = append(names, d.name)
		dir = d.parent
	}
	b := make([]byte, 0, size)
	for _, n := range slices.Backward(names) {
		b = append(append(b, '/'), n...)
	}
	s.path = string(b)
	return s
}

// sees reports whether a name that leads to ino is in the Watch's sight.
func (w *Watch) sees(s *spot, ino uint64) bool {
	switch {
	case w.ino == ino, w.ino == s.up[0]:
		return true
	case !w.recursive:
		return false
	}
	return s.long || slices.Contains(s.up, w.ino)
}

// tell notes what happened to a name. Preconditions: t.mu is held exclusively.
func (t *core) tell(op WatchOp, dir uint64, e *dirent) {
	if len(t.watches) == 0 {
		return
	}
	s := t.spotOf(dir, e.name)
	for _, w := range t.watches {
		if w.sees(&s, e.ino) {
			w.add(s.event(op, e))
		}
	}
}

func (s *spot) event(op WatchOp, e *dirent) WatchEvent {
	if s.long {
		return WatchEvent{Op: WatchOverflow}
	}
	return WatchEvent{Op: op, Path: s.path, Type: e.typ}
}

// tellRename notes that e, in dir, was called name in from. Preconditions: t.mu is held exclusively; the directories
// have not moved since.
func (t *core) tellRename(from uint64, name string, dir uint64, e *dirent) {
	if len(t.watches) == 0 {
		return
	}
	was, is := t.spotOf(from, name), t.spotOf(dir, e.name)
	for _, w := range t.watches {
		if !w.sees(&was, e.ino) && !w.sees(&is, e.ino) {
			continue
		}
		event := is.event(WatchRenamed, e)
		if event.From = was.path; was.long {
			event = WatchEvent{Op: WatchOverflow}
		}
		w.add(event)
	}
}

// tellNode notes what happened to an inode, under the names that it has. Preconditions: t.mu is held exclusively.
func (t *core) tellNode(op WatchOp, n *inode) {
	if len(t.watches) == 0 || n.nlink == 0 {
		return
	}
	if n.ino == rootIno {
		s := spot{path: "/", up: []uint64{rootIno}}
		for _, w := range t.watches {
			if w.ino == rootIno {
				w.add(s.event(op, &dirent{typ: fs.ModeDir}))
			}
		}
		return
	}
	if n.dir != nil {
		t.tell(op, n.dir.parent, t.inode(n.dir.parent).dir.names.get(n.dir.name))
		return
	}
	places := []home{n.home}
	if more := n.extras().more; more != nil {
		places = append(places, more.list[:min(len(more.list), watchLinks)]...)
	}
	for _, h := range places {
		if e := entryAt(&t.inodes, h, n.ino); e != nil {
			t.tell(op, h.dir, e)
		}
	}
}
