package gitops

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/filemode"
	"github.com/go-git/go-git/v5/plumbing/format/packfile"
	"github.com/go-git/go-git/v5/plumbing/object"
)

// PushOptions says what Push sends.
type PushOptions struct {
	Remote   string   // as in FetchOptions; a remote's pushurl goes before its url
	Refspecs []string // main, HEAD:refs/heads/new, :gone to delete, +main to force; none mean the current branch
	Tags     bool     // all tags too
	Force    bool     // references that are no fast-forward too
	// Lease permits those that are no fast-forward only where the remote's reference is still what is known of it here,
	// or what Expect says, by the reference's full name; an empty hash expects none. Otherwise ErrStale.
	Lease       bool
	Expect      map[string]string
	SetUpstream bool // the branch follows what it was pushed to from now on
}

// Pushed is what Push did.
type Pushed struct {
	Changes []RefChange // references that were to be changed; those with a Reason were refused
}

// Push sends references, and the objects that they need, to another repository. Errors: ErrNotForward, ErrStale and
// ErrRejected (some references were refused, see Pushed), of which the first two send nothing; else as Fetch's.
func (r *Repository) Push(ctx context.Context, o PushOptions) (done Pushed, err error) {
	defer act(&err, "push")
	ctx, cancel := r.cfg.Access.within(ctx)
	defer cancel()
	r.mu.Lock()
	defer r.mu.Unlock()
	name, at, err := r.remoteOf(o.Remote, "pushurl")
	if err != nil {
		return done, err
	}
	specs, err := r.pushSpecs(o)
	if err != nil {
		return done, err
	}
	p, err := r.peerAt(ctx, at, receivePack)
	if err != nil {
		return done, err
	}
	defer p.close()
	updates, err := r.updates(ctx, p.advert(), name, specs, o)
	if err != nil {
		return done, err
	}
	refused := map[plumbing.ReferenceName]string{}
	if len(updates) > 0 {
		if refused, err = p.push(ctx, r, updates); err != nil {
			return done, cause(ctx, err)
		}
	}
	for _, u := range updates {
		c := RefChange{Name: string(u.name), Old: hashText(u.old), New: hashText(u.new), Reason: refused[u.name]}
		done.Changes = append(done.Changes, c)
		if c.Reason != "" {
			err = errors.Join(err, fmt.Errorf("%s: %s: %w", u.name, c.Reason, ErrRejected))
		} else if noteErr := r.note(name, u); noteErr != nil {
			return done, noteErr
		}
	}
	if err == nil && o.SetUpstream && name != "" {
		err = r.follow(name, specs)
	}
	return done, err
}

func hashText(h plumbing.Hash) string {
	if h.IsZero() {
		return ""
	}
	return h.String()
}

// refUpdate is a reference that is to be changed on the other side; the zero hash is none.
type refUpdate struct {
	name     plumbing.ReferenceName
	old, new plumbing.Hash
}

// pushSpec is a refspec of what is here.
type pushSpec struct {
	src   plumbing.ReferenceName // if it is a reference
	hash  plumbing.Hash          // zero deletes
	dst   plumbing.ReferenceName
	force bool
}

func (r *Repository) pushSpecs(o PushOptions) (list []pushSpec, err error) {
	texts := o.Refspecs
	if len(texts) == 0 && !o.Tags {
		branch, _, err := r.head()
		if err != nil {
			return nil, err
		}
		if branch == "" {
			return nil, fmt.Errorf("HEAD is at no branch: %w", ErrName)
		}
		texts = []string{string(branch)}
	}
	for _, text := range texts {
		more, err := r.pushSpec(text, o.Force)
		if err != nil {
			return nil, err
		}
		list = append(list, more...)
	}
	if o.Tags {
		refs, err := r.refs("refs/tags/")
		if err != nil {
			return nil, err
		}
		for _, ref := range refs {
			list = append(list, pushSpec{ref.Name(), ref.Hash(), ref.Name(), o.Force})
		}
	}
	return list, nil
}

func (r *Repository) pushSpec(text string, force bool) ([]pushSpec, error) {
	s, err := parseRefspec(text)
	if err != nil {
		return nil, err
	}
	force = force || s.force
	if strings.Contains(s.src, "*") {
		var list []pushSpec
		refs, err := r.refs("refs/")
		if err != nil {
			return nil, err
		}
		for _, ref := range refs {
			if to, ok := s.match(ref.Name()); ok && ref.Type() == plumbing.HashReference {
				if to == "" {
					to = ref.Name()
				}
				list = append(list, pushSpec{ref.Name(), ref.Hash(), to, force})
			}
		}
		return list, nil
	}
	if s.src == "" {
		if s.dst == "" {
			return nil, fmt.Errorf("refspec %q: %w", text, ErrName)
		}
		return []pushSpec{{dst: fullRef(s.dst), force: true}}, nil
	}
	p := pushSpec{src: r.refNamed(s.src), force: force}
	if p.src != "" {
		p.hash, err = r.refHash(p.src)
	} else {
		p.hash, err = r.resolve(s.src)
	}
	if err != nil {
		return nil, fmt.Errorf("%q: %w: %w", s.src, ErrNotFound, err)
	}
	switch {
	case s.dst != "":
		p.dst = fullRef(s.dst)
	case p.src == plumbing.HEAD:
		if p.dst, _, err = r.head(); err != nil || p.dst == "" {
			return nil, fmt.Errorf("HEAD is at no branch: %w", ErrName)
		}
	case p.src != "":
		p.dst = p.src
	default:
		return nil, fmt.Errorf("refspec %q names no reference of the remote: %w", text, ErrName)
	}
	return []pushSpec{p}, nil
}

// refNamed finds the reference that a short name means; empty for none.
func (r *Repository) refNamed(name string) plumbing.ReferenceName {
	for _, prefix := range []string{"", "refs/heads/", "refs/tags/", "refs/remotes/"} {
		ref := plumbing.ReferenceName(prefix + name)
		if checkRef(ref) != nil {
			continue
		}
		if _, err := r.st.Reference(ref); err == nil {
			return ref
		}
	}
	return ""
}

// updates lists what is to be changed, and refuses what would lose commits.
func (r *Repository) updates(ctx context.Context, a *advert, remote string, specs []pushSpec, o PushOptions) (list []refUpdate, err error) {
	for _, s := range specs {
		old, _ := a.find(s.dst)
		if old == s.hash {
			continue
		}
		u := refUpdate{s.dst, old, s.hash}
		if err := checkRef(u.name); err != nil {
			return nil, err
		}
		expected, leased := o.Expect[string(s.dst)]
		if o.Lease || leased {
			if !leased {
				known, _ := r.refHash(plumbing.NewRemoteReferenceName(remote, s.dst.Short()))
				expected = hashText(known)
			}
			if expected != hashText(old) {
				return nil, fmt.Errorf("%s: %w", s.dst, ErrStale)
			}
			list = append(list, u)
			continue
		}
		if !s.force && !old.IsZero() && !s.hash.IsZero() {
			if s.dst.IsTag() || r.st.HasEncodedObject(old) != nil {
				return nil, fmt.Errorf("%s: %w", s.dst, ErrNotForward)
			}
			if base, err := r.mergeBase(ctx, old, s.hash); err != nil || base != old {
				return nil, errors.Join(fmt.Errorf("%s: %w", s.dst, ErrNotForward), err)
			}
		}
		list = append(list, u)
	}
	return list, nil
}

// note keeps what is known of a remote's branch after a push.
func (r *Repository) note(remote string, u refUpdate) error {
	if remote == "" || !u.name.IsBranch() {
		return nil
	}
	known := plumbing.NewRemoteReferenceName(remote, u.name.Short())
	if u.new.IsZero() {
		return r.st.RemoveReference(known)
	}
	return r.setRef(known, u.new)
}

func (r *Repository) follow(remote string, specs []pushSpec) error {
	for _, s := range specs {
		src := s.src
		if src == plumbing.HEAD {
			src, _, _ = r.head()
		}
		if !src.IsBranch() || !s.dst.IsBranch() {
			continue
		}
		if err := r.configSet("branch."+src.Short()+".remote", remote); err != nil {
			return err
		}
		if err := r.configSet("branch."+src.Short()+".merge", string(s.dst)); err != nil {
			return err
		}
	}
	return nil
}

// push sends commands, and a pack of what the server doesn't have (https://git-scm.com/docs/gitprotocol-pack).
func (p *smartPeer) push(ctx context.Context, r *Repository, updates []refUpdate) (map[plumbing.ReferenceName]string, error) {
	caps := "report-status agent=belljar"
	band := p.told.can["side-band-64k"]
	if band {
		caps += " side-band-64k"
	}
	var head bytes.Buffer
	var tips []plumbing.Hash
	for i, u := range updates {
		line := fmt.Sprintf("%s %s %s", u.old, u.new, u.name)
		if i == 0 {
			line += "\x00 " + caps
		}
		head.Write(pkt(line + "\n"))
		switch {
		case !u.new.IsZero():
			tips = append(tips, u.new)
		case !p.told.can["delete-refs"]:
			return nil, fmt.Errorf("%s: the server deletes no references: %w", u.name, ErrRemote)
		}
	}
	head.WriteString("0000")
	body := io.Reader(&head)
	if len(tips) > 0 {
		hs, err := r.missing(ctx, tips, p.told)
		if err != nil {
			return nil, err
		}
		p.access.report(Progress{Phase: "send", Total: int64(len(hs))})
		in, out := io.Pipe()
		defer in.Close()
		go func() { // ends with the pack, or when in is closed
			_, err := packfile.NewEncoder(out, r.st, false).Encode(hs, 0)
			out.CloseWithError(err)
		}()
		body = io.MultiReader(&head, in)
	}
	in, err := p.wire.request(ctx, receivePack, body)
	if err != nil {
		return nil, err
	}
	return p.readReport(in, band)
}

// missing lists what a server needs for some commits: what can be reached from them but not from what it has.
func (r *Repository) missing(ctx context.Context, tips []plumbing.Hash, a *advert) ([]plumbing.Hash, error) {
	known := map[plumbing.Hash]bool{}
	var start []plumbing.Hash
	for _, ref := range a.refs {
		if h, err := r.peel(ref.hash, plumbing.CommitObject); err == nil {
			known[ref.hash] = true
			start = append(start, h)
		}
	}
	if len(start) > 0 {
		err := r.walk(ctx, start, func(c *object.Commit) ([]plumbing.Hash, bool, error) {
			known[c.Hash] = true
			return c.ParentHashes, false, nil
		})
		if err != nil {
			return nil, err
		}
	}
	// Of the commits that the new ones are based on, the trees are known too: most files are in them.
	var edge []plumbing.Hash
	out, err := r.reachable(ctx, tips, func(h plumbing.Hash) bool {
		if known[h] {
			edge = append(edge, h)
		}
		return known[h]
	})
	if err != nil {
		return nil, err
	}
	there := map[plumbing.Hash]bool{}
	for _, h := range edge {
		c, err := r.commit(h)
		if err != nil {
			continue // a tag
		}
		if err := r.treeObjects(ctx, c.TreeHash, there, 0); err != nil {
			return nil, err
		}
	}
	list := out[:0]
	for _, h := range out {
		if !there[h] {
			list = append(list, h)
		}
	}
	return list, nil
}

// treeObjects notes a tree and all that is in it.
func (r *Repository) treeObjects(ctx context.Context, h plumbing.Hash, seen map[plumbing.Hash]bool, depth int) error {
	if seen[h] {
		return nil
	}
	seen[h] = true
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	es, err := r.readTree(h, depth)
	if err != nil {
		return err
	}
	for _, e := range es {
		switch e.Mode {
		case filemode.Dir:
			if err := r.treeObjects(ctx, e.Hash, seen, depth+1); err != nil {
				return err
			}
		case filemode.Submodule:
		default:
			seen[e.Hash] = true
		}
	}
	return nil
}

// readReport reads what became of the commands.
func (p *smartPeer) readReport(r io.Reader, band bool) (map[plumbing.ReferenceName]string, error) {
	in := newReader(r)
	if band {
		in = newReader(&sideband{in: in, report: p.access.Progress})
	}
	refused := map[plumbing.ReferenceName]string{}
	for first := true; ; first = false {
		b, err := readPkt(in)
		if err != nil {
			return nil, fmt.Errorf("report of the server: %w", err)
		}
		if b == nil {
			return refused, nil
		}
		line := strings.TrimSuffix(string(b), "\n")
		word, rest, _ := strings.Cut(line, " ")
		switch {
		case first && (word != "unpack" || rest != "ok"):
			return nil, fmt.Errorf("%q: %w", printable(line), ErrRemote)
		case word == "ng":
			ref, reason, _ := strings.Cut(rest, " ")
			refused[plumbing.ReferenceName(ref)] = printable(reason)
			if refused[plumbing.ReferenceName(ref)] == "" {
				refused[plumbing.ReferenceName(ref)] = "refused"
			}
		}
	}
}
