package gitops

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/format/packfile"
)

// localPeer is a repository of the same tree.
type localPeer struct {
	repo *Repository
	told *advert
}

func newLocalPeer(src *Repository) (*localPeer, error) {
	head, at, err := src.head()
	if err != nil {
		return nil, err
	}
	a := &advert{head: head, headAt: at, can: map[string]bool{"allow-reachable-sha1-in-want": true}}
	refs, err := src.refs("refs/")
	if err != nil {
		return nil, err
	}
	for _, ref := range refs {
		if ref.Type() == plumbing.HashReference {
			a.refs = append(a.refs, remoteRef{ref.Name(), ref.Hash()})
		}
	}
	slices.SortFunc(a.refs, func(a, b remoteRef) int { return strings.Compare(string(a.name), string(b.name)) })
	return &localPeer{src, a}, nil
}

func (p *localPeer) advert() *advert { return p.told }
func (p *localPeer) close() error    { return nil }

// fetch copies objects. Depth has no meaning here, as in git: the other's objects are at hand.
func (p *localPeer) fetch(ctx context.Context, r *Repository, req fetchRequest) error {
	return copyObjects(ctx, p.repo, r, req.want)
}

// copyObjects copies, as one pack, what can be reached from some objects and isn't there.
func copyObjects(ctx context.Context, from, to *Repository, want []plumbing.Hash) error {
	hs, err := from.reachable(ctx, want, func(h plumbing.Hash) bool { return to.st.HasEncodedObject(h) == nil })
	if err != nil || len(hs) == 0 {
		return err
	}
	w, err := to.st.PackfileWriter()
	if err != nil {
		return err
	}
	_, err = packfile.NewEncoder(w, from.st, false).Encode(hs, 0)
	return errors.Join(err, w.Close())
}

func (p *localPeer) push(ctx context.Context, r *Repository, updates []refUpdate) (map[plumbing.ReferenceName]string, error) {
	var want []plumbing.Hash
	for _, u := range updates {
		if !u.new.IsZero() {
			want = append(want, u.new)
		}
	}
	if err := copyObjects(ctx, r, p.repo, want); err != nil {
		return nil, err
	}
	refused := map[plumbing.ReferenceName]string{}
	for _, u := range updates {
		if u.name == p.told.head && p.repo.work != nil {
			refused[u.name] = "branch is currently checked out"
			continue
		}
		if u.new.IsZero() {
			if err := p.repo.st.RemoveReference(u.name); err != nil {
				return nil, err
			}
			continue
		}
		if u.old.IsZero() {
			if err := p.repo.free(u.name); err != nil {
				refused[u.name] = err.Error()
				continue
			}
		}
		if err := p.repo.setRef(u.name, u.new); err != nil {
			return nil, fmt.Errorf("push: %w", err)
		}
	}
	return refused, nil
}
