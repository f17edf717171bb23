package gitops

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"path"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/filemode"
	"github.com/go-git/go-git/v5/plumbing/format/packfile"
	"github.com/go-git/go-git/v5/plumbing/object"

	"github.com/belljar-dev/belljar/vfs"
)

// CloneOptions says what Clone copies.
type CloneOptions struct {
	Branch       string // to check out; empty means the source's current one
	SingleBranch bool   // only that branch, and no tags
	Bare         bool
	NoCheckout   bool
}

// Clone copies the repository at from, a path in t or a file:// URL of one, to name, a directory of t that is missing
// or empty. All other URLs are ErrTransport: nothing outside the tree is reached. A Clone that fails leaves nothing
// behind. Nothing of the source but objects and references is taken: no config, no hooks.
func Clone(ctx context.Context, t *vfs.Tree, from, name string, cfg Config, o CloneOptions) (r *Repository, err error) {
	defer act(&err, "clone")
	source, err := localPath(from)
	if err != nil {
		return nil, err
	}
	src, err := open(t, source, cfg)
	if err != nil {
		return nil, err
	}
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
	r, err = clone(ctx, t, src, source, name, cfg, o)
	if err == nil {
		return r, nil
	}
	if made {
		return nil, errors.Join(err, t.RemoveAll(name))
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

// localPath returns the path in the tree that a source names.
func localPath(from string) (string, error) {
	if !strings.Contains(from, "://") {
		if host, _, ok := strings.Cut(from, ":"); ok && !strings.Contains(host, "/") {
			return "", fmt.Errorf("%q: %w", from, ErrTransport) // host:path is ssh
		}
		return from, nil
	}
	u, err := url.Parse(from)
	if err != nil || u.Scheme != "file" || u.Host != "" && u.Host != "localhost" {
		return "", fmt.Errorf("source: %w", ErrTransport) // its text may hold a password
	}
	return u.Path, nil
}

func clone(ctx context.Context, t *vfs.Tree, src *Repository, source, name string, cfg Config,
	o CloneOptions) (*Repository, error) {
	head, _, err := src.head()
	if err != nil {
		return nil, err
	}
	if o.Branch != "" {
		if head, err = branchRef(o.Branch); err != nil {
			return nil, err
		}
		if _, err := src.refHash(head); err != nil {
			return nil, fmt.Errorf("branch %q: %w", o.Branch, ErrNotFound)
		}
	}
	first := InitOptions{Bare: o.Bare}
	if head.IsBranch() {
		first.Branch = head.Short()
	}
	r, err := Init(t, name, cfg, first)
	if err != nil {
		return nil, err
	}
	if err := r.fetchAll(ctx, src, head, o); err != nil {
		return nil, err
	}
	if err := r.configSet("remote.origin.url", "/"+inTree(source)); err != nil {
		return nil, err
	}
	if !o.Bare {
		if err := r.configSet("remote.origin.fetch", "+refs/heads/*:refs/remotes/origin/*"); err != nil {
			return nil, err
		}
	}
	return r, r.start(ctx, src, head, o)
}

// fetchAll copies references and all that they reach.
func (r *Repository) fetchAll(ctx context.Context, src *Repository, head plumbing.ReferenceName, o CloneOptions) error {
	refs, err := src.refs("refs/")
	if err != nil {
		return err
	}
	var want []plumbing.Hash
	var take []*plumbing.Reference
	if _, h, err := src.head(); err == nil && !h.IsZero() && !o.SingleBranch {
		want = append(want, h)
	}
	for _, ref := range refs {
		branch := strings.HasPrefix(string(ref.Name()), "refs/heads/")
		if ref.Type() != plumbing.HashReference || !branch && !ref.Name().IsTag() || o.SingleBranch && ref.Name() != head {
			continue
		}
		to := ref.Name()
		if branch && !o.Bare {
			to = plumbing.NewRemoteReferenceName("origin", ref.Name().Short())
		}
		want = append(want, ref.Hash())
		take = append(take, plumbing.NewHashReference(to, ref.Hash()))
	}
	if len(want) == 0 {
		return nil
	}
	if err := r.copyObjects(ctx, src, want); err != nil {
		return err
	}
	for _, ref := range take {
		if err := r.st.SetReference(ref); err != nil {
			return err
		}
	}
	return nil
}

// copyObjects copies, as one pack, what can be reached from some objects.
func (r *Repository) copyObjects(ctx context.Context, src *Repository, want []plumbing.Hash) error {
	hs, err := src.reachable(ctx, want)
	if err != nil {
		return err
	}
	w, err := r.st.PackfileWriter()
	if err != nil {
		return err
	}
	_, err = packfile.NewEncoder(w, src.st, false).Encode(hs, 0)
	return errors.Join(err, w.Close())
}

// reachable returns the objects that can be reached from some, checked: of each tree, no name is one that is not
// allowed.
func (r *Repository) reachable(ctx context.Context, want []plumbing.Hash) ([]plumbing.Hash, error) {
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
			want = append(append(want, c.TreeHash), c.ParentHashes...)
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
func (r *Repository) start(ctx context.Context, src *Repository, head plumbing.ReferenceName, o CloneOptions) error {
	if o.Bare {
		return nil
	}
	var h plumbing.Hash
	var err error
	if head == "" {
		_, h, err = src.head()
	} else if h, err = src.refHash(head); errors.Is(err, plumbing.ErrReferenceNotFound) {
		return nil // nothing was committed yet
	}
	if err != nil {
		return err
	}
	ref := plumbing.NewHashReference(plumbing.HEAD, h)
	if head != "" {
		ref = plumbing.NewHashReference(head, h)
		if err := r.configSet("branch."+head.Short()+".remote", "origin"); err != nil {
			return err
		}
		if err := r.configSet("branch."+head.Short()+".merge", string(head)); err != nil {
			return err
		}
	}
	if !o.NoCheckout {
		to, err := r.listCommit(ctx, h)
		if err != nil {
			return err
		}
		x, err := r.readIndex()
		if err != nil {
			return err
		}
		if err := r.update(ctx, x, listing{}, to); err != nil {
			return err
		}
		if err := r.writeIndex(x); err != nil {
			return err
		}
	}
	return r.st.SetReference(ref)
}
