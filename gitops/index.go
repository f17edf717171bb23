package gitops

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/filemode"
	format "github.com/go-git/go-git/v5/plumbing/format/index"

	"github.com/belljar-dev/belljar/vfs"
)

// index is the staging area (https://git-scm.com/docs/index-format): what the next commit has, and what a merge could
// not decide.
type index struct {
	paths    map[string]*format.Entry
	unmerged map[string][3]*format.Entry // base, ours and theirs; nil for none
	written  time.Time
}

func (r *Repository) readIndex() (*index, error) {
	x := &index{paths: map[string]*format.Entry{}, unmerged: map[string][3]*format.Entry{}}
	b, err := readFile(r.dir, "index", 256<<20)
	if errors.Is(err, fs.ErrNotExist) {
		return x, nil
	}
	if err != nil {
		return nil, fmt.Errorf("index: %w", err)
	}
	i, err := r.dir.Stat("index", false)
	if err != nil {
		return nil, err
	}
	x.written = i.ModTime()
	entries, err := decodeIndex(b)
	if err != nil {
		return nil, err
	}
	if len(entries) > maxPaths {
		return nil, fmt.Errorf("index: %w", ErrTooMany)
	}
	x.paths = make(map[string]*format.Entry, len(entries))
	for _, e := range entries {
		if err := checkPath(e.Name, e.Mode == filemode.Symlink); err != nil {
			return nil, fmt.Errorf("index: %w", err)
		}
		if e.Stage == 0 {
			x.paths[e.Name] = e
			continue
		}
		u := x.unmerged[e.Name]
		u[min(e.Stage, 3)-1] = e
		x.unmerged[e.Name] = u
	}
	return x, nil
}

func (r *Repository) writeIndex(x *index) error {
	raw := &format.Index{Version: 2}
	for _, e := range x.paths {
		raw.Entries = append(raw.Entries, e)
	}
	for _, u := range x.unmerged {
		for _, e := range u {
			if e != nil {
				raw.Entries = append(raw.Entries, e)
			}
		}
	}
	slices.SortFunc(raw.Entries, func(a, b *format.Entry) int {
		return cmp.Or(strings.Compare(a.Name, b.Name), cmp.Compare(a.Stage, b.Stage))
	})
	for _, e := range raw.Entries {
		if e.SkipWorktree || e.IntentToAdd {
			raw.Version = 3
		}
	}
	return r.replace("index", func(b *bytes.Buffer) error { return format.NewEncoder(b).Encode(raw) })
}

// listing returns what the next commit has.
func (x *index) listing() listing {
	l := make(listing, len(x.paths))
	for name, e := range x.paths {
		l[name] = entry{e.Mode, e.Hash}
	}
	return l
}

// set makes a path's entry e, as far as the working tree is concerned not looked at yet.
func (x *index) set(name string, e entry) {
	delete(x.unmerged, name)
	x.paths[name] = &format.Entry{Name: name, Mode: e.mode, Hash: e.hash}
}

func (x *index) drop(name string) {
	delete(x.unmerged, name)
	delete(x.paths, name)
}

// conflict notes what a merge could not decide: base, ours and theirs, a zero mode for none.
func (x *index) conflict(name string, stages [3]entry) {
	delete(x.paths, name)
	var u [3]*format.Entry
	for i, e := range stages {
		if e.mode != filemode.Empty {
			u[i] = &format.Entry{Name: name, Mode: e.mode, Hash: e.hash, Stage: format.Stage(i + 1)}
		}
	}
	x.unmerged[name] = u
}

// seen notes how a file of the working tree looks that is known to have the entry's content.
func (x *index) seen(name string, i vfs.Info) {
	e := x.paths[name]
	e.CreatedAt, e.ModifiedAt = i.Ctime(), i.ModTime()
	e.Dev, e.Inode = uint32(i.Dev()), uint32(i.Ino())
	e.UID, e.GID = uint32(i.UID()), uint32(i.GID())
	e.Size = uint32(i.Size())
}

// unchanged tells whether a file looks as it did when its content was last known to be the entry's. A file changed
// since the index was written, or at that moment, may look so by accident
// (https://git-scm.com/docs/racy-git).
func (x *index) unchanged(e *format.Entry, i vfs.Info) bool {
	return e.ModifiedAt.Equal(i.ModTime()) && e.CreatedAt.Equal(i.Ctime()) && e.Size == uint32(i.Size()) &&
		e.Inode == uint32(i.Ino()) && e.Mode == modeOf(i) && i.ModTime().Before(x.written)
}

// worktreeState compares an entry with the file of the working tree, and returns what that is.
func (r *Repository) worktreeState(x *index, name string, i vfs.Info) (entry, error) {
	e := x.paths[name]
	if e.Mode == filemode.Submodule {
		return entry{e.Mode, e.Hash}, nil
	}
	if x.unchanged(e, i) {
		return entry{e.Mode, e.Hash}, nil
	}
	mode := modeOf(i)
	if mode == filemode.Empty {
		return entry{}, nil
	}
	h, err := r.hashOf(name, mode)
	return entry{mode, h}, err
}

// stage puts a file of the working tree into the index.
func (r *Repository) stage(x *index, name string, i vfs.Info) error {
	mode := modeOf(i)
	if err := checkPath(name, mode == filemode.Symlink); err != nil {
		return err
	}
	if e := x.paths[name]; e != nil && x.unchanged(e, i) {
		return nil
	}
	b, err := r.content(name, mode)
	if err != nil {
		return err
	}
	h, err := r.st.put(plumbing.BlobObject, b)
	if err != nil {
		return fmt.Errorf("%q: %w", name, err)
	}
	// A name can't be a file and a directory.
	for d := range parents(name) {
		x.drop(d)
	}
	x.set(name, entry{mode, h})
	x.seen(name, i)
	return nil
}

// parents yields the directories above a path.
func parents(name string) func(func(string) bool) {
	return func(yield func(string) bool) {
		for i := range name {
			if name[i] == '/' && !yield(name[:i]) {
				return
			}
		}
	}
}

// update makes working tree and index, where they have what from has, have what to has. Entries that are equal in
// both stay as they are, local changes included. Preconditions: a clean check was made, or changes are to be lost.
func (r *Repository) update(ctx context.Context, x *index, from, to listing) error {
	for _, name := range sortedKeys(from) {
		if _, keep := to[name]; !keep {
			if err := r.prune(name); err != nil {
				return err
			}
			x.drop(name)
		}
	}
	for _, name := range sortedKeys(to) {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if from[name] == to[name] {
			continue
		}
		if err := r.checkout(name, to[name]); err != nil {
			return err
		}
		x.set(name, to[name])
		i, err := r.work.Stat(name, false)
		if err != nil {
			return err
		}
		x.seen(name, i)
	}
	return nil
}

type indexEntry = format.Entry

// sparse tells whether a path is meant to be missing in the working tree.
func (x *index) sparse(name string) bool { return x.paths[name] != nil && x.paths[name].SkipWorktree }
