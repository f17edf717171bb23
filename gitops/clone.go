package gitops

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/filemode"
	"github.com/go-git/go-git/v5/plumbing/object"

	"github.com/belljar-dev/belljar/vfs"
)

// CloneOptions says what Clone copies.
type CloneOptions struct {
	Branch       string // or a tag, to check out; empty means the source's current branch
	Commit       string // a full hash, at which HEAD is detached; Branch is not looked at then
	Depth        int    // commits from each tip; 0 means all. Not more than one branch then. Paths in the tree ignore it
	SingleBranch bool   // only that branch, and the tags of its commits
	NoTags       bool
	Sparse       []string // directories to check out, besides the files at the top; none mean everything
	Bare         bool
	NoCheckout   bool
	// Submodules clones what .gitmodules names, too, and what that names, each at the commit that is recorded and with a
	// .git of its own: at most 256, eight levels deep (ErrTooMany). Their URLs are those that whoever made the repository wrote:
	// they are reached as Config.Access reaches all others, and only a repository of the tree may name others of the tree.
	// One whose update is "none" is left alone. Not with Bare or NoCheckout. What is done in a submodule afterwards is its own
	// repository's: Status, Add and Remove of this one don't look into it.
	Submodules bool
}

// Clone copies the repository at from to name, a directory of t that is missing or empty. from is a path in t or a
// file:// URL of one, or a repository elsewhere as Config.Access reaches it: https://, http://, ssh://, host:path, git://.
// Nothing of the source but objects and references is taken: no config, no hooks. A Clone that fails
// leaves nothing behind. Errors: ErrExists, ErrNotFound for a branch or commit that isn't there, and Fetch's.
func Clone(ctx context.Context, t *vfs.Tree, from, name string, cfg Config, o CloneOptions) (r *Repository, err error) {
	defer act(&err, "clone")
	source, err := parseAddress(from)
	if err != nil {
		return nil, err
	}
	ctx, cancel := cfg.Access.within(ctx)
	defer cancel()
	name = inTree(name)
	made := false
	if f, err := t.Open(name); err == nil {
		names, _ := f.Readdirnames(1)
		f.Close()
		if len(names) > 0 {
			return nil, fmt.Errorf("%q: %w", name, ErrExists)
		}
	} else if errors.Is(err, fs.ErrNotExist) {
		made = true
	} else {
		return nil, err
	}
	r, err = clone(ctx, t, source, name, cfg, o)
	if left := maxSubmodules; err == nil && o.Submodules && r.work != nil && !o.NoCheckout {
		err = r.submodules(ctx, t, source, name, 1, &left)
	}
	if err == nil {
		return r, nil
	}
	if made {
		return nil, errors.Join(err, ignoreMissing(t.RemoveAll(name)))
	}
	f, openErr := t.Open(name)
	if openErr != nil {
		return nil, errors.Join(err, openErr)
	}
	defer f.Close()
	names, _ := f.Readdirnames(-1)
	for _, n := range names {
		err = errors.Join(err, t.RemoveAll(path.Join(name, n)))
	}
	return nil, err
}

func ignoreMissing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

func clone(ctx context.Context, t *vfs.Tree, source address, name string, cfg Config, o CloneOptions) (*Repository, error) {
	// The repository is made after the source has answered, but the source needs one that opens others beside it.
	p, err := (&Repository{cfg: cfg, tree: t}).peerAt(ctx, source, uploadPack)
	if err != nil {
		return nil, err
	}
	defer p.close()
	a := p.advert()
	head, at, err := a.start(o)
	if err != nil {
		return nil, err
	}
	first := InitOptions{Bare: o.Bare}
	if head.IsBranch() {
		first.Branch = head.Short()
	}
	r, err := Init(t, name, cfg, first)
	if err != nil {
		return nil, err
	}
	if err := r.configSet("remote.origin.url", source.public()); err != nil {
		return nil, err
	}
	single := o.SingleBranch || o.Depth > 0
	if !o.Bare {
		spec := "+refs/heads/*:refs/remotes/origin/*"
		if single && head.IsBranch() {
			spec = "+" + string(head) + ":" + string(plumbing.NewRemoteReferenceName("origin", head.Short()))
		}
		if err := r.configSet("remote.origin.fetch", spec); err != nil {
			return nil, err
		}
	}
	list := a.cloned(head, at, single, o)
	if err := r.take(ctx, p, list, o.Depth); err != nil {
		if o.Commit != "" && errors.Is(err, plumbing.ErrObjectNotFound) {
			err = fmt.Errorf("commit %s: %w: %w", o.Commit, ErrNotFound, err)
		}
		return nil, err
	}
	if !o.NoTags && single {
		list = append(list, r.tagsHere(a)...)
	}
	for _, w := range list {
		if w.to != "" {
			if err := r.setRef(w.to, w.hash); err != nil {
				return nil, err
			}
		}
	}
	return r, r.start(ctx, head, at, o)
}

// start finds where a clone begins: a branch or tag, empty for none, and a commit.
func (a *advert) start(o CloneOptions) (plumbing.ReferenceName, plumbing.Hash, error) {
	switch {
	case o.Commit != "":
		if !plumbing.IsHash(o.Commit) {
			return "", plumbing.ZeroHash, fmt.Errorf("commit %q is not a full hash: %w", o.Commit, ErrName)
		}
		return "", plumbing.NewHash(o.Commit), nil
	case o.Branch != "":
		for _, ref := range []plumbing.ReferenceName{plumbing.NewBranchReferenceName(o.Branch), plumbing.NewTagReferenceName(o.Branch)} {
			if h, ok := a.find(ref); ok {
				return ref, h, nil
			}
		}
		return "", plumbing.ZeroHash, fmt.Errorf("branch %q: %w", o.Branch, ErrNotFound)
	}
	if h, ok := a.find(a.head); ok {
		return a.head, h, nil
	}
	return a.head, a.headAt, nil
}

// cloned lists the references that a clone takes.
func (a *advert) cloned(head plumbing.ReferenceName, at plumbing.Hash, single bool, o CloneOptions) (list []wanted) {
	known := false
	for _, ref := range a.refs {
		known = known || ref.hash == at
		branch := ref.name.IsBranch()
		if single && ref.name != head || !branch && (!ref.name.IsTag() || o.NoTags && ref.name != head) {
			continue
		}
		to := ref.name
		if branch && !o.Bare {
			to = plumbing.NewRemoteReferenceName("origin", ref.name.Short())
		}
		list = append(list, wanted{ref.name, to, ref.hash, true})
	}
	asks := a.can["allow-reachable-sha1-in-want"] || a.can["allow-any-sha1-in-want"] || a.can["allow-tip-sha1-in-want"]
	switch {
	case at.IsZero() || head != "":
	case known || asks || len(list) == 0:
		list = append(list, wanted{"", "", at, true})
	case single: // the server gives no commit by its hash: it has to come with the branches
		o.SingleBranch = false
		return a.cloned(head, at, false, o)
	}
	return list
}

// reachable returns the objects that can be reached from some, but not from those that stop is true for, checked: of
// each tree, no name is one that is not allowed.
func (r *Repository) reachable(ctx context.Context, want []plumbing.Hash, stop func(plumbing.Hash) bool) ([]plumbing.Hash, error) {
	want = append([]plumbing.Hash{}, want...)
	shallow, err := r.shallow()
	if err != nil {
		return nil, err
	}
	seen := map[plumbing.Hash]bool{}
	var out []plumbing.Hash
	for len(want) > 0 {
		h := want[len(want)-1]
		want = want[:len(want)-1]
		if seen[h] {
			continue
		}
		seen[h] = true
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		if stop(h) {
			continue
		}
		o, err := r.st.EncodedObject(plumbing.AnyObject, h)
		if err != nil {
			return nil, fmt.Errorf("object %s: %w", h, err)
		}
		out = append(out, h)
		switch o.Type() {
		case plumbing.CommitObject:
			c, err := r.commit(h)
			if err != nil {
				return nil, err
			}
			want = append(want, c.TreeHash)
			if !shallow[h] {
				want = append(want, c.ParentHashes...)
			}
		case plumbing.TagObject:
			t, err := object.GetTag(r.st, h)
			if err != nil {
				return nil, err
			}
			want = append(want, t.Target)
		case plumbing.TreeObject:
			es, err := r.readTree(h, 0)
			if err != nil {
				return nil, err
			}
			for _, e := range es {
				if e.Mode != filemode.Submodule {
					want = append(want, e.Hash)
				}
			}
		}
	}
	return out, nil
}

// start sets up the branch of a clone, and checks it out.
func (r *Repository) start(ctx context.Context, head plumbing.ReferenceName, at plumbing.Hash, o CloneOptions) error {
	if at.IsZero() {
		return nil // nothing was committed yet
	}
	h, err := r.peel(at, plumbing.CommitObject)
	if err != nil {
		return err
	}
	ref := plumbing.NewHashReference(plumbing.HEAD, h)
	if head.IsBranch() {
		ref = plumbing.NewHashReference(head, h)
		if !o.Bare {
			if err := r.configSet("branch."+head.Short()+".remote", "origin"); err != nil {
				return err
			}
			if err := r.configSet("branch."+head.Short()+".merge", string(head)); err != nil {
				return err
			}
			name := plumbing.NewRemoteHEADReferenceName("origin")
			if err := r.st.SetReference(plumbing.NewSymbolicReference(name, plumbing.NewRemoteReferenceName("origin", head.Short()))); err != nil {
				return err
			}
		}
	}
	if !o.Bare && !o.NoCheckout {
		if err := r.checkoutFirst(ctx, h, o.Sparse); err != nil {
			return err
		}
	}
	return r.st.SetReference(ref)
}

// checkoutFirst fills an empty working tree, and the index.
func (r *Repository) checkoutFirst(ctx context.Context, h plumbing.Hash, sparse []string) error {
	to, err := r.listCommit(ctx, h)
	if err != nil {
		return err
	}
	x, err := r.readIndex()
	if err != nil {
		return err
	}
	out := to
	if len(sparse) > 0 {
		var dirs []string
		for _, d := range sparse {
			d, err := cleanPath(d)
			if err != nil {
				return err
			}
			dirs = append(dirs, d+"/")
		}
		out = listing{}
		for name, e := range to {
			inside := !strings.Contains(name, "/")
			for _, d := range dirs {
				inside = inside || strings.HasPrefix(name, d)
			}
			if inside {
				out[name] = e
				continue
			}
			x.set(name, e)
			x.paths[name].SkipWorktree = true
		}
	}
	if err := r.update(ctx, x, listing{}, out); err != nil {
		return err
	}
	return r.writeIndex(x)
}
