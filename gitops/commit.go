package gitops

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/filemode"
	"github.com/go-git/go-git/v5/plumbing/object"
)

// Person is who did something, and when.
type Person struct {
	Name, Email string
	When        time.Time // the zero Time means now
}

// AddOptions says what Add puts into the index.
type AddOptions struct {
	// Paths are files, directories, and patterns in which * crosses slashes.
	Paths  []string
	All    bool // everything; Paths are not looked at
	Update bool // only what is tracked; with no Paths, all of it
	Force  bool // ignored files too, if a path names them
}

// Add puts what the working tree has at paths into the index: new and changed content, and removals. A path that
// nothing fits is ErrNotFound. What a submodule has come to is not taken over.
func (r *Repository) Add(ctx context.Context, o AddOptions) (err error) {
	defer act(&err, "add")
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, err := r.worktree(); err != nil {
		return err
	}
	x, err := r.readIndex()
	if err != nil {
		return err
	}
	if err := r.add(ctx, x, o); err != nil {
		return err
	}
	return r.writeIndex(x)
}

func (r *Repository) add(ctx context.Context, x *index, o AddOptions) error {
	if o.All || o.Update && len(o.Paths) == 0 {
		o.Paths = []string{"."}
	}
	f, err := r.scan(ctx, x, true)
	if err != nil {
		return err
	}
	if o.Force {
		if err := r.addIgnored(ctx, &f, o.Paths); err != nil {
			return err
		}
	}
	known := sortedKeys(x.paths)
	for name := range x.unmerged {
		known = append(known, name)
	}
	for _, p := range o.Paths {
		set, err := newPathset([]string{p})
		if err != nil {
			return err
		}
		hit := len(set.names) == 0
		for _, name := range known {
			if _, there := f.files[name]; !there && set.has(name) && !x.sparse(name) {
				hit = true
				if e := x.paths[name]; e == nil || e.Mode != filemode.Submodule {
					x.drop(name)
				}
			}
		}
		for _, name := range sortedKeys(f.files) {
			if !set.has(name) {
				continue
			}
			hit = true
			if _, tracked := x.paths[name]; o.Update && !tracked && x.unmerged[name] == [3]*indexEntry{} {
				continue
			}
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			if err := r.stage(x, name, f.files[name]); err != nil {
				return err
			}
		}
		if !hit {
			return fmt.Errorf("path %q: %w", p, ErrNotFound)
		}
	}
	return nil
}

// addIgnored adds ignored files that paths name themselves to what was found.
func (r *Repository) addIgnored(ctx context.Context, f *found, paths []string) error {
	for _, p := range paths {
		p, err := cleanPath(p)
		if err != nil {
			return err
		}
		through, err := r.throughLink(p)
		if err != nil || through || p == "" {
			continue
		}
		if i, err := r.work.Stat(p, false); err == nil && modeOf(i) != filemode.Empty {
			f.files[p] = i
		}
	}
	return nil
}

// Remove removes paths from the index and the working tree. A path that nothing tracked fits is ErrNotFound.
// Changes that are not committed are lost only with force; else ErrDirty. Of a submodule only the entry is removed: its
// directory stays.
func (r *Repository) Remove(ctx context.Context, force bool, paths ...string) (err error) {
	defer act(&err, "rm")
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, err := r.worktree(); err != nil {
		return err
	}
	x, err := r.readIndex()
	if err != nil {
		return err
	}
	head, _, err := r.headTree(ctx)
	if err != nil {
		return err
	}
	set, err := newPathset(paths)
	if err != nil || len(paths) == 0 {
		return err
	}
	f, err := r.scan(ctx, x, false)
	if err != nil {
		return err
	}
	var gone []string
	for _, name := range slices.Sorted(slices.Values(append(sortedKeys(x.paths), sortedKeys(x.unmerged)...))) {
		if !set.has(name) {
			continue
		}
		gone = append(gone, name)
		if e := x.paths[name]; e != nil && !force {
			w, err := r.workEntry(x, name, f.files)
			if err != nil {
				return err
			}
			if staged := (entry{e.Mode, e.Hash}); staged != head[name] || w != staged && w.mode != filemode.Empty {
				return fmt.Errorf("%q: %w", name, ErrDirty)
			}
		}
	}
	if len(gone) == 0 {
		return fmt.Errorf("%q: %w", paths, ErrNotFound)
	}
	for _, name := range gone {
		if err := r.prune(name); err != nil {
			return err
		}
		x.drop(name)
	}
	return r.writeIndex(x)
}

// CommitOptions says what Commit records.
type CommitOptions struct {
	Message string
	Author  Person // empty means Config's
	// Committer is who commits; empty means Config's, or the author if that is empty too.
	Committer  Person
	All        bool // Add with Update first
	Amend      bool // in the place of the last commit, whose message and author stay unless others are given
	AllowEmpty bool // even if nothing changed
}

// Commit makes a commit of the index, and returns its name. Nothing to commit is ErrNothing, paths in conflict
// ErrConflict. Hooks are not run.
func (r *Repository) Commit(ctx context.Context, o CommitOptions) (hash string, err error) {
	defer act(&err, "commit")
	r.mu.Lock()
	defer r.mu.Unlock()
	x, err := r.readIndex()
	if err != nil {
		return "", err
	}
	if o.All {
		if _, err := r.worktree(); err != nil {
			return "", err
		}
		if err := r.add(ctx, x, AddOptions{Update: true}); err != nil {
			return "", err
		}
	}
	if len(x.unmerged) > 0 {
		return "", fmt.Errorf("%q: %w", sortedKeys(x.unmerged)[0], ErrConflict)
	}
	h, err := r.commitIndex(x, o)
	if err != nil {
		return "", err
	}
	if o.All {
		if err := r.writeIndex(x); err != nil {
			return "", err
		}
	}
	return h.String(), nil
}

func (r *Repository) commitIndex(x *index, o CommitOptions) (plumbing.Hash, error) {
	_, head, err := r.head()
	if err != nil {
		return head, err
	}
	tree, err := r.writeTree(x.listing())
	if err != nil {
		return head, err
	}
	c := &object.Commit{TreeHash: tree}
	merging, err := r.pseudoRef("MERGE_HEAD")
	if err != nil && !errors.Is(err, ErrNotFound) {
		return head, err
	}
	var before plumbing.Hash
	var old *object.Commit
	if !head.IsZero() {
		if old, err = r.commit(head); err != nil {
			return head, err
		}
		before = old.TreeHash
	}
	switch {
	case o.Amend && old == nil:
		return head, ErrUnborn
	case o.Amend:
		c.ParentHashes = old.ParentHashes
		if o.Message == "" {
			o.Message = old.Message
		}
		if o.Author == (Person{}) {
			o.Author = Person{old.Author.Name, old.Author.Email, old.Author.When}
		}
	case !head.IsZero():
		c.ParentHashes = []plumbing.Hash{head}
		if !merging.IsZero() {
			c.ParentHashes = append(c.ParentHashes, merging)
		}
	}
	unchanged := tree == before || old == nil && len(x.paths) == 0
	if unchanged && !o.AllowEmpty && !o.Amend && merging.IsZero() {
		return head, ErrNothing
	}
	if err := r.sign(c, o); err != nil {
		return head, err
	}
	h, err := r.putCommit(c)
	if err != nil {
		return h, err
	}
	return h, errors.Join(r.moveHead(h), r.forgetMerge())
}

// sign fills in who made a commit, and its message.
func (r *Repository) sign(c *object.Commit, o CommitOptions) error {
	now := r.cfg.Now()
	author, committer := o.Author, o.Committer
	if author.Name == "" && author.Email == "" {
		author.Name, author.Email = r.cfg.Name, r.cfg.Email
	}
	if committer.Name == "" && committer.Email == "" {
		committer.Name, committer.Email = r.cfg.Name, r.cfg.Email
	}
	if committer.Name == "" && committer.Email == "" {
		committer.Name, committer.Email = author.Name, author.Email
	}
	if author.Name == "" || author.Email == "" || committer.Name == "" || committer.Email == "" {
		return ErrIdentity
	}
	c.Author, c.Committer = signature(author, now), signature(committer, now)
	c.Message = cleanMessage(o.Message)
	return nil
}

func signature(p Person, now time.Time) object.Signature {
	if p.When.IsZero() {
		p.When = now
	}
	drop := func(s string) string {
		return strings.TrimSpace(strings.Map(func(c rune) rune {
			if c == '<' || c == '>' || c == '\n' || c == 0 {
				return -1
			}
			return c
		}, s))
	}
	return object.Signature{Name: drop(p.Name), Email: drop(p.Email), When: p.When}
}

// cleanMessage is git's --cleanup=whitespace: no space at the ends of lines, no empty lines at the ends nor two in a
// row, one newline at the end.
func cleanMessage(m string) string {
	var b strings.Builder
	empty := false
	for line := range strings.SplitSeq(m, "\n") {
		line = strings.TrimRight(line, " \t\r\v\f")
		if line == "" {
			empty = b.Len() > 0
			continue
		}
		if empty {
			b.WriteByte('\n')
			empty = false
		}
		b.WriteString(line + "\n")
	}
	return b.String()
}

func (r *Repository) putCommit(c *object.Commit) (plumbing.Hash, error) {
	o := &plumbing.MemoryObject{}
	if err := c.Encode(o); err != nil {
		return plumbing.ZeroHash, err
	}
	return r.st.SetEncodedObject(o)
}

// writeTree stores the trees of a listing and returns the topmost.
func (r *Repository) writeTree(l listing) (plumbing.Hash, error) {
	dirs := map[string][]object.TreeEntry{"": nil}
	for name, e := range l {
		if err := checkPath(name, e.mode == filemode.Symlink); err != nil {
			return plumbing.ZeroHash, err
		}
		dir := parentOf(name)
		dirs[dir] = append(dirs[dir], object.TreeEntry{Name: path.Base(name), Mode: e.mode, Hash: e.hash})
		for d := range parents(name) {
			if _, ok := dirs[d]; !ok {
				dirs[d] = nil
			}
		}
	}
	names := sortedKeys(dirs)
	slices.SortFunc(names, func(a, b string) int { return strings.Count(b, "/") - strings.Count(a, "/") })
	// The deepest come first, the topmost, whose name has no slash either, last.
	for _, dir := range names {
		if dir == "" {
			continue
		}
		h, err := r.putTree(dirs[dir])
		if err != nil {
			return h, err
		}
		up := parentOf(dir)
		dirs[up] = append(dirs[up], object.TreeEntry{Name: path.Base(dir), Mode: filemode.Dir, Hash: h})
	}
	return r.putTree(dirs[""])
}

func parentOf(name string) string {
	if d := path.Dir(name); d != "." {
		return d
	}
	return ""
}

// putTree stores a tree (https://git-scm.com/book/en/v2/Git-Internals-Git-Objects).
func (r *Repository) putTree(es []object.TreeEntry) (plumbing.Hash, error) {
	key := func(e object.TreeEntry) string {
		if e.Mode == filemode.Dir {
			return e.Name + "/"
		}
		return e.Name
	}
	slices.SortFunc(es, func(a, b object.TreeEntry) int { return strings.Compare(key(a), key(b)) })
	var b bytes.Buffer
	for _, e := range es {
		fmt.Fprintf(&b, "%o %s\x00", uint32(e.Mode), e.Name)
		b.Write(e.Hash[:])
	}
	return r.st.put(plumbing.TreeObject, b.Bytes())
}

// forgetMerge ends a merge or a cherry-pick that was under way.
func (r *Repository) forgetMerge() error {
	for _, name := range []string{"MERGE_HEAD", "MERGE_MSG", "MERGE_MODE", "CHERRY_PICK_HEAD", "REVERT_HEAD"} {
		if err := r.dir.Unlink(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}
