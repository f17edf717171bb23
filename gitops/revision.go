package gitops

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/object"
)

// Resolve returns the full name of the object that a revision names: HEAD, a branch, a tag, any reference, a name in
// full or abbreviated to four digits or more, each followed by any of ~N, ^N, ^{commit}, ^{tree} and :PATH
// (https://git-scm.com/docs/gitrevisions).
func (r *Repository) Resolve(ctx context.Context, rev string) (hash string, err error) {
	defer act(&err, "rev-parse")
	r.mu.Lock()
	defer r.mu.Unlock()
	h, err := r.resolve(rev)
	if err != nil {
		return "", err
	}
	return h.String(), nil
}

func (r *Repository) resolve(rev string) (plumbing.Hash, error) {
	h, err := r.resolveParts(rev)
	if err != nil {
		return plumbing.ZeroHash, fmt.Errorf("revision %q: %w", rev, err)
	}
	return h, nil
}

func (r *Repository) resolveParts(rev string) (plumbing.Hash, error) {
	rev, file, isFile := strings.Cut(rev, ":")
	end := strings.IndexAny(rev, "~^")
	if end < 0 {
		end = len(rev)
	}
	name, ops := rev[:end], rev[end:]
	if name == "" || name == "@" {
		name = "HEAD"
	}
	h, err := r.resolveName(name)
	for err == nil && ops != "" {
		h, ops, err = r.step(h, ops)
	}
	if err != nil || !isFile {
		return h, err
	}
	if h, err = r.peel(h, plumbing.TreeObject); err != nil {
		return h, err
	}
	file, err = cleanPath(file)
	if err != nil {
		return h, err
	}
	e, err := r.lookup(h, file)
	return e.hash, err
}

// step applies the first of the operations that follow a name, and returns the others.
func (r *Repository) step(h plumbing.Hash, ops string) (plumbing.Hash, string, error) {
	op, rest := ops[0], ops[1:]
	if op == '^' && strings.HasPrefix(rest, "{") {
		kind, rest, ok := strings.Cut(rest[1:], "}")
		want, known := map[string]plumbing.ObjectType{"": plumbing.AnyObject, "commit": plumbing.CommitObject,
			"tree": plumbing.TreeObject}[kind]
		if !ok || !known {
			return h, "", ErrName
		}
		h, err := r.peel(h, want)
		return h, rest, err
	}
	digits := len(rest) - len(strings.TrimLeft(rest, "0123456789"))
	n := 1
	if digits > 0 {
		var err error
		if n, err = strconv.Atoi(rest[:digits]); err != nil {
			return h, "", ErrName
		}
	}
	rest = rest[digits:]
	h, err := r.peel(h, plumbing.CommitObject)
	if err != nil {
		return h, "", err
	}
	if op == '^' {
		h, err = r.parent(h, n)
		return h, rest, err
	}
	for ; n > 0 && err == nil; n-- {
		h, err = r.parent(h, 1)
	}
	return h, rest, err
}

// parent returns the nth parent of a commit, 0 being the commit itself.
func (r *Repository) parent(h plumbing.Hash, n int) (plumbing.Hash, error) {
	if n == 0 {
		return h, nil
	}
	c, err := r.commit(h)
	if err != nil {
		return h, err
	}
	if n > len(c.ParentHashes) {
		return h, ErrNotFound
	}
	return c.ParentHashes[n-1], nil
}

func (r *Repository) resolveName(name string) (plumbing.Hash, error) {
	if plumbing.IsHash(name) {
		h := plumbing.NewHash(name)
		if _, err := r.st.EncodedObject(plumbing.AnyObject, h); err == nil {
			return h, nil
		}
	}
	for _, form := range []string{"%s", "refs/%s", "refs/tags/%s", "refs/heads/%s", "refs/remotes/%s",
		"refs/remotes/%s/HEAD"} {
		full := plumbing.ReferenceName(fmt.Sprintf(form, name))
		if checkRef(full) != nil {
			continue
		}
		h, err := r.refHash(full)
		if err == nil {
			return h, nil
		}
		if full == plumbing.HEAD && errors.Is(err, plumbing.ErrReferenceNotFound) {
			if branch, _, _ := r.head(); branch != "" {
				return h, fmt.Errorf("%s: %w", branch.Short(), ErrUnborn)
			}
		}
	}
	if name == "ORIG_HEAD" || name == "MERGE_HEAD" || name == "CHERRY_PICK_HEAD" {
		return r.pseudoRef(name)
	}
	return r.abbreviated(name)
}

// pseudoRef reads a name of one commit that lies in .git itself; ErrNotFound if there is none.
func (r *Repository) pseudoRef(name string) (plumbing.Hash, error) {
	b, err := r.readSmall(name)
	text := strings.TrimSpace(string(b))
	if err == nil && !plumbing.IsHash(text) {
		err = ErrNotFound
	}
	return plumbing.NewHash(text), err
}

func (r *Repository) abbreviated(name string) (plumbing.Hash, error) {
	if len(name) < 4 || len(name) > 40 {
		return plumbing.ZeroHash, ErrNotFound
	}
	whole, err := hex.DecodeString(name[:len(name)&^1])
	if err != nil {
		return plumbing.ZeroHash, ErrNotFound
	}
	hs, err := r.st.HashesWithPrefix(whole)
	if err != nil {
		return plumbing.ZeroHash, err
	}
	var found plumbing.Hash
	for _, h := range hs {
		if !strings.HasPrefix(h.String(), strings.ToLower(name)) || h == found {
			continue
		}
		if !found.IsZero() {
			return found, ErrAmbiguous
		}
		found = h
	}
	if found.IsZero() {
		return found, ErrNotFound
	}
	return found, nil
}

// peel follows tags, and a commit to its tree, until it comes to an object of a kind.
func (r *Repository) peel(h plumbing.Hash, want plumbing.ObjectType) (plumbing.Hash, error) {
	for range 64 {
		o, err := r.st.EncodedObject(plumbing.AnyObject, h)
		if err != nil {
			return h, err
		}
		switch {
		case o.Type() == want, want == plumbing.AnyObject && o.Type() != plumbing.TagObject:
			return h, nil
		case o.Type() == plumbing.TagObject:
			t, err := object.GetTag(r.st, h)
			if err != nil {
				return h, err
			}
			h = t.Target
		case o.Type() == plumbing.CommitObject && want == plumbing.TreeObject:
			c, err := r.commit(h)
			if err != nil {
				return h, err
			}
			h = c.TreeHash
		default:
			return h, fmt.Errorf("%s is a %s: %w", h, o.Type(), ErrNotFound)
		}
	}
	return h, ErrCorrupt
}

// resolveCommit returns the commit that a revision leads to.
func (r *Repository) resolveCommit(rev string) (plumbing.Hash, error) {
	h, err := r.resolve(rev)
	if err != nil {
		return h, err
	}
	return r.peel(h, plumbing.CommitObject)
}

// listRevision lists the tree that a revision leads to; that of HEAD for "".
func (r *Repository) listRevision(ctx context.Context, rev string) (listing, error) {
	h, err := r.resolve(rev)
	if err != nil {
		return nil, err
	}
	if h, err = r.peel(h, plumbing.TreeObject); err != nil {
		return nil, fmt.Errorf("revision %q: %w", rev, err)
	}
	l := listing{}
	return l, r.list(ctx, l, h, "", 0)
}
