package gitops

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/object"
)

// maxPackedRefs limits the file of packed references, in bytes: some 400,000 of them.
const maxPackedRefs = 32 << 20

// refs returns the references whose names begin with a prefix, by name. Of a file that is larger than maxPackedRefs none is
// read.
func (r *Repository) refs(prefix string) ([]*plumbing.Reference, error) {
	if i, err := r.dir.Stat("packed-refs", true); err == nil && i.Size() > maxPackedRefs {
		return nil, fmt.Errorf("references: %w", ErrTooMany)
	}
	it, err := r.st.IterReferences()
	if err != nil {
		return nil, err
	}
	defer it.Close()
	var out []*plumbing.Reference
	err = it.ForEach(func(ref *plumbing.Reference) error {
		if strings.HasPrefix(string(ref.Name()), prefix) && checkRef(ref.Name()) == nil {
			out = append(out, ref)
		}
		return nil
	})
	slices.SortFunc(out, func(a, b *plumbing.Reference) int { return strings.Compare(string(a.Name()), string(b.Name())) })
	return out, err
}

// Branch is a branch.
type Branch struct {
	Name     string // short; that of a remote's begins with the remote's
	Hash     string // its last commit
	Current  bool
	Upstream string // short; empty for none
}

// Branches lists the branches by name, or with remote those known of remotes.
func (r *Repository) Branches(ctx context.Context, remote bool) (list []Branch, err error) {
	defer act(&err, "branch")
	r.mu.Lock()
	defer r.mu.Unlock()
	prefix := "refs/heads/"
	if remote {
		prefix = "refs/remotes/"
	}
	current, _, err := r.head()
	if err != nil {
		return nil, err
	}
	refs, err := r.refs(prefix)
	if err != nil {
		return nil, err
	}
	var ups map[string]plumbing.ReferenceName
	if !remote {
		c, err := r.config()
		if err != nil {
			return nil, err
		}
		ups = upstreams(c)
	}
	for _, ref := range refs {
		if ref.Type() != plumbing.HashReference {
			continue
		}
		b := Branch{Name: string(ref.Name())[len(prefix):], Hash: ref.Hash().String(), Current: ref.Name() == current}
		b.Upstream = ups[b.Name].Short()
		list = append(list, b)
	}
	return list, nil
}

// branchRef checks the short name of a branch.
func branchRef(name string) (plumbing.ReferenceName, error) {
	ref := plumbing.NewBranchReferenceName(name)
	if name == "HEAD" || strings.HasPrefix(name, "-") {
		return ref, fmt.Errorf("branch %q: %w", name, ErrName)
	}
	return ref, checkRef(ref)
}

// free fails with ErrExists if there is such a reference, or one that it can't be beside.
func (r *Repository) free(name plumbing.ReferenceName) error {
	refs, err := r.refs("refs/")
	if err != nil {
		return err
	}
	for _, ref := range refs {
		a, b := string(ref.Name()), string(name)
		if a == b || strings.HasPrefix(a, b+"/") || strings.HasPrefix(b, a+"/") {
			return fmt.Errorf("%s: %w", ref.Name().Short(), ErrExists)
		}
	}
	return nil
}

// CreateBranch makes a branch at a revision, "" being HEAD. One that exists is ErrExists.
func (r *Repository) CreateBranch(ctx context.Context, name, rev string) (err error) {
	defer act(&err, "branch")
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.createBranch(name, rev)
}

func (r *Repository) createBranch(name, rev string) error {
	ref, err := branchRef(name)
	if err != nil {
		return err
	}
	if err := r.free(ref); err != nil {
		return err
	}
	h, err := r.resolveCommit(rev)
	if err != nil {
		return err
	}
	return r.st.SetReference(plumbing.NewHashReference(ref, h))
}

// DeleteBranch deletes a branch. Unless forced, one whose commits HEAD does not have is ErrNotMerged. The current one
// is ErrName.
func (r *Repository) DeleteBranch(ctx context.Context, name string, force bool) (err error) {
	defer act(&err, "branch -d")
	r.mu.Lock()
	defer r.mu.Unlock()
	ref, err := branchRef(name)
	if err != nil {
		return err
	}
	current, head, err := r.head()
	if err != nil {
		return err
	}
	if ref == current {
		return fmt.Errorf("%q is checked out: %w", name, ErrName)
	}
	h, err := r.refHash(ref)
	if errors.Is(err, plumbing.ErrReferenceNotFound) {
		return fmt.Errorf("branch %q: %w", name, ErrNotFound)
	}
	if err != nil {
		return err
	}
	if !force {
		base, err := r.mergeBase(ctx, head, h)
		if err != nil {
			return err
		}
		if base != h {
			return fmt.Errorf("%q: %w", name, ErrNotMerged)
		}
	}
	return errors.Join(r.st.RemoveReference(ref), r.dropSection("branch", name))
}

// dropSection removes a subsection from the config.
func (r *Repository) dropSection(section, sub string) error {
	c, err := r.config()
	if err != nil || !c.Section(section).HasSubsection(sub) {
		return err
	}
	c.Section(section).RemoveSubsection(sub)
	return r.writeConfig(c)
}

// RenameBranch renames a branch, which may be the current one and goes on to follow what it did. A new name that exists
// is ErrExists.
func (r *Repository) RenameBranch(ctx context.Context, from, to string) (err error) {
	defer act(&err, "branch -m")
	r.mu.Lock()
	defer r.mu.Unlock()
	old, err := branchRef(from)
	if err != nil {
		return err
	}
	now, err := branchRef(to)
	if err != nil {
		return err
	}
	current, _, err := r.head()
	if err != nil {
		return err
	}
	h, err := r.refHash(old)
	if errors.Is(err, plumbing.ErrReferenceNotFound) {
		return fmt.Errorf("branch %q: %w", from, ErrNotFound)
	}
	if err != nil {
		return err
	}
	if err := r.free(now); err != nil {
		return err
	}
	if err := r.st.SetReference(plumbing.NewHashReference(now, h)); err != nil {
		return err
	}
	if current == old {
		if err := r.st.SetReference(plumbing.NewSymbolicReference(plumbing.HEAD, now)); err != nil {
			return err
		}
	}
	return errors.Join(r.st.RemoveReference(old), r.renameSection("branch", from, to))
}

// renameSection gives a subsection of the config another name, whose own is lost.
func (r *Repository) renameSection(section, from, to string) error {
	c, err := r.config()
	if err != nil || !c.Section(section).HasSubsection(from) {
		return err
	}
	c.Section(section).RemoveSubsection(to)
	c.Section(section).Subsection(from).Name = to
	return r.writeConfig(c)
}

// Track makes a branch follow another: one known of a remote, such as "origin/main", or one of this repository. An empty
// upstream makes it follow none. Status counts how far the two are apart; Pull takes from there. One that isn't there
// is ErrNotFound.
func (r *Repository) Track(ctx context.Context, branch, upstream string) (err error) {
	defer act(&err, "branch -u")
	r.mu.Lock()
	defer r.mu.Unlock()
	ref, err := branchRef(branch)
	if err != nil {
		return err
	}
	if err := r.there(ref); err != nil {
		return err
	}
	var remote, merge []string
	if upstream != "" {
		from, name, err := r.followed(upstream)
		if err != nil {
			return err
		}
		remote, merge = []string{from}, []string{string(name)}
	}
	return errors.Join(r.configSet("branch."+branch+".remote", remote...), r.configSet("branch."+branch+".merge", merge...))
}

// there fails with ErrNotFound if there is no such reference.
func (r *Repository) there(name plumbing.ReferenceName) error {
	if err := checkRef(name); err != nil {
		return err
	}
	_, err := r.refHash(name)
	if errors.Is(err, plumbing.ErrReferenceNotFound) {
		return fmt.Errorf("%q: %w", name.Short(), ErrNotFound)
	}
	return err
}

// followed says where the branch is that an upstream means: on which remote, "." being here, and by what name there.
func (r *Repository) followed(upstream string) (remote string, name plumbing.ReferenceName, err error) {
	if name = plumbing.NewBranchReferenceName(upstream); r.there(name) == nil {
		return ".", name, nil
	}
	if err := r.there(plumbing.ReferenceName("refs/remotes/" + upstream)); err != nil {
		return "", "", err
	}
	c, err := r.config()
	if err != nil {
		return "", "", err
	}
	for _, s := range c.Section("remote").Subsections {
		if rest, ok := strings.CutPrefix(upstream, s.Name+"/"); ok && len(s.Name) > len(remote) {
			remote, name = s.Name, plumbing.NewBranchReferenceName(rest)
		}
	}
	if remote == "" {
		return "", "", fmt.Errorf("the remote of %q: %w", upstream, ErrNotFound)
	}
	return remote, name, nil
}

// Tag is a tag.
type Tag struct {
	Name    string
	Hash    string // the object it names: of an annotated tag, what that tags
	Tagger  Person // of annotated tags
	Message string // of annotated tags
}

// Tags lists the tags by name.
func (r *Repository) Tags(ctx context.Context) (list []Tag, err error) {
	defer act(&err, "tag")
	r.mu.Lock()
	defer r.mu.Unlock()
	refs, err := r.refs("refs/tags/")
	if err != nil {
		return nil, err
	}
	for _, ref := range refs {
		t := Tag{Name: ref.Name().Short(), Hash: ref.Hash().String()}
		o, err := object.GetTag(r.st, ref.Hash())
		switch {
		case err == nil:
			t.Hash, t.Message = o.Target.String(), o.Message
			t.Tagger = Person{o.Tagger.Name, o.Tagger.Email, o.Tagger.When}
		case !errors.Is(err, plumbing.ErrObjectNotFound):
			return nil, err
		}
		list = append(list, t)
	}
	return list, nil
}

// CreateTag tags a revision, "" being HEAD. With a message the tag is annotated, by Config's identity.
func (r *Repository) CreateTag(ctx context.Context, name, rev, message string) (err error) {
	defer act(&err, "tag")
	r.mu.Lock()
	defer r.mu.Unlock()
	ref := plumbing.NewTagReferenceName(name)
	if err := checkRef(ref); err != nil || strings.HasPrefix(name, "-") {
		return fmt.Errorf("tag %q: %w", name, ErrName)
	}
	if err := r.free(ref); err != nil {
		return err
	}
	h, err := r.resolve(rev)
	if err != nil {
		return err
	}
	if message != "" {
		o, err := r.st.EncodedObject(plumbing.AnyObject, h)
		if err != nil {
			return err
		}
		if r.cfg.Name == "" || r.cfg.Email == "" {
			return ErrIdentity
		}
		tag := &object.Tag{Name: name, Tagger: signature(Person{Name: r.cfg.Name, Email: r.cfg.Email}, r.cfg.Now()),
			Message: cleanMessage(message), TargetType: o.Type(), Target: h}
		m := &plumbing.MemoryObject{}
		if err := tag.Encode(m); err != nil {
			return err
		}
		if h, err = r.st.SetEncodedObject(m); err != nil {
			return err
		}
	}
	return r.st.SetReference(plumbing.NewHashReference(ref, h))
}

// DeleteTag deletes a tag.
func (r *Repository) DeleteTag(ctx context.Context, name string) (err error) {
	defer act(&err, "tag -d")
	r.mu.Lock()
	defer r.mu.Unlock()
	ref := plumbing.NewTagReferenceName(name)
	if err := checkRef(ref); err != nil {
		return err
	}
	if _, err := r.st.Reference(ref); err != nil {
		return fmt.Errorf("tag %q: %w", name, ErrNotFound)
	}
	return r.st.RemoveReference(ref)
}
