package gitops

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/object"
)

// FetchTags says which tags a fetch takes.
type FetchTags int

// The ways.
const (
	TagsOfCommits FetchTags = iota // those of commits that are here after it
	AllTags
	NoTags
)

// FetchOptions says what Fetch takes.
type FetchOptions struct {
	Remote   string   // a name, a URL or a path in the tree; empty means the one that the branch follows, or origin
	Refspecs []string // such as +refs/heads/*:refs/remotes/origin/*, or a branch's name; none mean the remote's own
	Tags     FetchTags
	Depth    int  // commits from each tip; 0 means all there are
	Prune    bool // forget branches known of the remote that it doesn't have any more
	Force    bool // references that are no fast-forward too
}

// RefChange is what became of a reference.
type RefChange struct {
	Name     string // full
	Old, New string // hashes; empty for none
	// Reason is empty where it was done, and else says why not.
	Reason string
}

// Fetched is what Fetch did.
type Fetched struct {
	Changes []RefChange // by name on the remote
	// Head is the commit of the first reference that was asked for, or of the branch that the current one follows.
	Head string
}

// Fetch takes references, and the objects that they need, from another repository. References that are no
// fast-forward, unless forced, stay, with a Reason; that is no error. Errors: ErrNotFound for a remote or reference
// that isn't there, ErrTransport, ErrAuth, ErrRemote, ErrTooMany, ErrTooLarge, ErrCorrupt, vfs.ErrQuota; the Dialer's.
// One that fails has changed no reference.
func (r *Repository) Fetch(ctx context.Context, o FetchOptions) (f Fetched, err error) {
	defer act(&err, "fetch")
	ctx, cancel := r.cfg.Access.within(ctx)
	defer cancel()
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.fetch(ctx, o)
}

// remoteOf finds a remote by name, or takes what is none for an address.
func (r *Repository) remoteOf(name, urlKey string) (known string, at address, err error) {
	if name == "" {
		name = "origin"
		if branch, _, err := r.head(); err == nil && branch != "" {
			if v, err := r.configGet("branch." + branch.Short() + ".remote"); err == nil && len(v) > 0 {
				name = v[len(v)-1]
			}
		}
	}
	if !strings.ContainsAny(name, ":/") && name != "." {
		for _, key := range []string{urlKey, "url"} {
			urls, err := r.configGet("remote." + name + "." + key)
			if err != nil {
				return "", at, err
			}
			if len(urls) > 0 {
				at, err = parseAddress(urls[0])
				return name, at, err
			}
		}
		return "", at, fmt.Errorf("remote %q: %w", name, ErrNotFound)
	}
	at, err = parseAddress(name)
	return "", at, err
}

// peerAt connects to a repository for a service.
func (r *Repository) peerAt(ctx context.Context, at address, service string) (peer, error) {
	if at.scheme != "" {
		return r.cfg.Access.connect(ctx, at, service)
	}
	src, err := open(r.tree, at.path, r.cfg)
	if err != nil {
		return nil, err
	}
	return newLocalPeer(src)
}

func (r *Repository) fetch(ctx context.Context, o FetchOptions) (f Fetched, err error) {
	name, at, err := r.remoteOf(o.Remote, "url")
	if err != nil {
		return f, err
	}
	specs, err := r.fetchSpecs(name, o.Refspecs)
	if err != nil {
		return f, err
	}
	p, err := r.peerAt(ctx, at, uploadPack)
	if err != nil {
		return f, err
	}
	defer p.close()
	take, err := r.matching(p.advert(), specs, o)
	if err != nil {
		return f, err
	}
	if err := r.take(ctx, p, take, o.Depth); err != nil {
		return f, err
	}
	if o.Tags == TagsOfCommits {
		take = append(take, r.tagsHere(p.advert())...)
	}
	if f.Changes, err = r.moveAll(ctx, take, o.Force); err != nil {
		return f, err
	}
	if o.Prune && len(o.Refspecs) == 0 && name != "" {
		gone, err := r.pruneRemote(name, p.advert(), specs)
		if err != nil {
			return f, err
		}
		f.Changes = append(f.Changes, gone...)
	}
	f.Head = r.fetchHead(take, len(o.Refspecs) > 0).String()
	return f, nil
}

// wanted is a reference that is to be taken.
type wanted struct {
	from  plumbing.ReferenceName
	to    plumbing.ReferenceName // empty for nowhere
	hash  plumbing.Hash
	force bool
}

func (r *Repository) fetchSpecs(remote string, given []string) ([]refspec, error) {
	texts := given
	if len(texts) == 0 && remote != "" {
		var err error
		if texts, err = r.configGet("remote." + remote + ".fetch"); err != nil {
			return nil, err
		}
	}
	if len(texts) == 0 {
		texts = []string{"HEAD"}
	}
	var specs []refspec
	for _, t := range texts {
		s, err := parseRefspec(t)
		if err != nil {
			return nil, err
		}
		specs = append(specs, s)
		// A branch that is asked for by name is known of the remote afterwards, too.
		if s.dst == "" && s.src != "HEAD" && remote != "" && !strings.Contains(s.src, "*") && !strings.HasPrefix(s.src, "refs/tags/") {
			short := strings.TrimPrefix(s.src, "refs/heads/")
			specs = append(specs, refspec{force: true, src: "refs/heads/" + short, dst: "refs/remotes/" + remote + "/" + short})
		}
	}
	return specs, nil
}

// matching lists what refspecs mean of what a server has. One without a pattern must mean something.
func (r *Repository) matching(a *advert, specs []refspec, o FetchOptions) (take []wanted, err error) {
	for i, s := range specs {
		found := false
		if s.src == "HEAD" || s.src == "" {
			if found = !a.headAt.IsZero(); found {
				take = append(take, wanted{"HEAD", refOrNone(s.dst), a.headAt, s.force})
			}
		}
		for _, ref := range a.refs {
			to, ok := s.match(ref.name)
			if ok && (to == "" || checkRef(to) == nil) {
				found = true
				take = append(take, wanted{ref.name, to, ref.hash, s.force || o.Force})
			}
		}
		derived := i > 0 && s.dst != "" && specs[i-1].dst == "" // by fetchSpecs
		if !found && !strings.Contains(s.src, "*") && !derived && len(o.Refspecs) > 0 {
			return nil, fmt.Errorf("remote reference %q: %w", s.src, ErrNotFound)
		}
	}
	if o.Tags == AllTags {
		for _, ref := range a.refs {
			if ref.name.IsTag() {
				take = append(take, wanted{ref.name, ref.name, ref.hash, false})
			}
		}
	}
	return take, nil
}

func refOrNone(name string) plumbing.ReferenceName {
	if name == "" {
		return ""
	}
	return fullRef(name)
}

// take fetches the objects of references that aren't here.
func (r *Repository) take(ctx context.Context, p peer, list []wanted, depth int) error {
	shallow, err := r.st.Shallow()
	if err != nil {
		return err
	}
	req := fetchRequest{depth: depth, shallow: shallow, progress: r.cfg.Access.Progress}
	asked := map[plumbing.Hash]bool{}
	for _, w := range list {
		if asked[w.hash] || depth == 0 && r.st.HasEncodedObject(w.hash) == nil {
			continue
		}
		asked[w.hash] = true
		req.want = append(req.want, w.hash)
	}
	if len(req.want) == 0 {
		return nil
	}
	if req.have, err = r.haves(ctx); err != nil {
		return err
	}
	if err := p.fetch(ctx, r, req); err != nil {
		return err
	}
	for _, h := range req.want {
		if err := r.st.HasEncodedObject(h); err != nil {
			return fmt.Errorf("%s did not come: %w", h, ErrRemote)
		}
	}
	return nil
}

// maxHaves bounds the commits that a server is told of: what it doesn't know is sent again.
const maxHaves = 256

// haves lists the commits that a server may know: tips, then the latest.
func (r *Repository) haves(ctx context.Context) ([]plumbing.Hash, error) {
	refs, err := r.refs("refs/")
	if err != nil {
		return nil, err
	}
	var tips []plumbing.Hash
	for _, ref := range refs {
		if ref.Type() != plumbing.HashReference || len(tips) >= 4*maxHaves {
			continue
		}
		if h, err := r.peel(ref.Hash(), plumbing.CommitObject); err == nil {
			tips = append(tips, h)
		}
	}
	if len(tips) == 0 {
		return nil, nil
	}
	var out []plumbing.Hash
	err = r.walk(ctx, tips, func(c *object.Commit) ([]plumbing.Hash, bool, error) {
		out = append(out, c.Hash)
		return c.ParentHashes, len(out) >= maxHaves, nil
	})
	return out, err
}

// tagsHere lists the server's tags whose objects have come.
func (r *Repository) tagsHere(a *advert) (list []wanted) {
	for _, ref := range a.refs {
		if ref.name.IsTag() && r.st.HasEncodedObject(ref.hash) == nil {
			list = append(list, wanted{ref.name, ref.name, ref.hash, false})
		}
	}
	return list
}

// moveAll makes references what they are to be.
func (r *Repository) moveAll(ctx context.Context, list []wanted, force bool) (out []RefChange, err error) {
	current, _, err := r.head()
	if err != nil {
		return nil, err
	}
	for _, w := range list {
		if w.to == "" {
			continue
		}
		c := RefChange{Name: string(w.to), New: w.hash.String()}
		old, err := r.refHash(w.to)
		switch {
		case errors.Is(err, plumbing.ErrReferenceNotFound):
		case err != nil:
			return out, err
		case old == w.hash:
			continue
		case w.to == current && r.work != nil:
			c.Old, c.Reason = old.String(), "it is checked out"
		case w.to.IsTag() && !force && !w.force:
			if w.from == w.to {
				continue // tags that follow don't move
			}
			c.Old, c.Reason = old.String(), "the tag exists"
		default:
			c.Old = old.String()
			if !w.force && !force {
				if base, err := r.mergeBase(ctx, old, w.hash); err != nil || base != old {
					c.Reason = ErrNotForward.Error()
				}
			}
		}
		if c.Reason == "" {
			if err := r.setRef(w.to, w.hash); err != nil {
				return out, err
			}
		}
		out = append(out, c)
	}
	return out, nil
}

// setRef sets a reference, unless it would have to be a file and a directory.
func (r *Repository) setRef(name plumbing.ReferenceName, h plumbing.Hash) error {
	if err := checkRef(name); err != nil {
		return err
	}
	if err := r.st.SetReference(plumbing.NewHashReference(name, h)); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// pruneRemote forgets what a remote doesn't have any more.
func (r *Repository) pruneRemote(remote string, a *advert, specs []refspec) (out []RefChange, err error) {
	refs, err := r.refs("refs/remotes/" + remote + "/")
	if err != nil {
		return nil, err
	}
	there := map[plumbing.ReferenceName]bool{plumbing.NewRemoteHEADReferenceName(remote): true}
	for _, ref := range a.refs {
		for _, s := range specs {
			if to, ok := s.match(ref.name); ok {
				there[to] = true
			}
		}
	}
	for _, ref := range refs {
		if there[ref.Name()] || ref.Type() != plumbing.HashReference {
			continue
		}
		if err := r.st.RemoveReference(ref.Name()); err != nil {
			return out, err
		}
		out = append(out, RefChange{Name: string(ref.Name()), Old: ref.Hash().String()})
	}
	return out, nil
}

// fetchHead is what a pull merges.
func (r *Repository) fetchHead(take []wanted, asked bool) plumbing.Hash {
	if !asked {
		branch, _, _ := r.head()
		merge, _ := r.configGet("branch." + branch.Short() + ".merge")
		for _, w := range take {
			if len(merge) > 0 && string(w.from) == merge[len(merge)-1] {
				return w.hash
			}
		}
		if len(merge) > 0 {
			return plumbing.ZeroHash
		}
	}
	for _, w := range take {
		return w.hash
	}
	return plumbing.ZeroHash
}

// PullOptions says what Pull takes and how.
type PullOptions struct {
	Remote      string // as in FetchOptions
	Branch      string // of the remote; empty means the one that the current branch follows
	FastForward FastForward
	Rebase      bool // put the own commits on top, instead of merging
}

// Pull fetches, and merges what the current branch follows, or rebases onto it. Errors are Fetch's, and Merge's or
// Rebase's; ErrNotFound if the branch follows none.
func (r *Repository) Pull(ctx context.Context, o PullOptions) (m Merged, err error) {
	defer act(&err, "pull")
	within, cancel := r.cfg.Access.within(ctx)
	defer cancel()
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, err := r.worktree(); err != nil {
		return m, err
	}
	fo := FetchOptions{Remote: o.Remote}
	if o.Branch != "" {
		fo.Refspecs = []string{o.Branch}
	}
	f, err := r.fetch(within, fo)
	if err != nil {
		return m, err
	}
	if f.Head == plumbing.ZeroHash.String() {
		return m, fmt.Errorf("the branch follows none of the remote's: %w", ErrNotFound)
	}
	if o.Rebase {
		return r.rebase(ctx, f.Head)
	}
	_, at, err := r.remoteOf(o.Remote, "url")
	if err != nil {
		return m, err
	}
	mo := MergeOptions{FastForward: o.FastForward}
	if branch := r.pullName(o.Branch); branch != "" {
		mo.Message = fmt.Sprintf("Merge branch '%s' of %s", branch, at.public())
	}
	return r.merge(ctx, f.Head, mo)
}

func (r *Repository) pullName(branch string) string {
	if branch != "" {
		return branch
	}
	current, _, _ := r.head()
	merge, _ := r.configGet("branch." + current.Short() + ".merge")
	if len(merge) == 0 {
		return ""
	}
	return plumbing.ReferenceName(merge[len(merge)-1]).Short()
}
