package gitops

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/filemode"
	format "github.com/go-git/go-git/v5/plumbing/format/config"

	"github.com/belljar-dev/belljar/vfs"
)

// A repository names its submodules, and those theirs, so their number is a stranger's.
const (
	maxSubmodules = 256
	maxNesting    = 8
)

// submodules clones the submodules of a repository into their empty directories, and theirs. left is how many more there
// may be, of all levels together.
func (r *Repository) submodules(ctx context.Context, t *vfs.Tree, source address, name string, level int, left *int) error {
	x, err := r.readIndex()
	if err != nil {
		return err
	}
	var paths []string
	for _, p := range slices.Sorted(maps.Keys(x.paths)) {
		if e := x.paths[p]; e.Mode == filemode.Submodule && !e.SkipWorktree {
			paths = append(paths, p)
		}
	}
	if len(paths) == 0 {
		return nil
	}
	if *left -= len(paths); *left < 0 || level > maxNesting {
		return fmt.Errorf("submodules: more than %d, or %d levels: %w", maxSubmodules, maxNesting, ErrTooMany)
	}
	e := x.paths[".gitmodules"]
	if e == nil || e.Mode != filemode.Regular && e.Mode != filemode.Executable {
		return fmt.Errorf("submodules: no .gitmodules: %w", ErrNotFound)
	}
	named, err := r.gitmodules(e.Hash)
	if err != nil {
		return fmt.Errorf("submodules: %w", err)
	}
	for _, p := range paths {
		s, ok := named[p]
		if !ok {
			return fmt.Errorf("submodule %q is not in .gitmodules: %w", p, ErrNotFound)
		}
		if err := r.submodule(ctx, t, source, name, p, s, x.paths[p].Hash, level, left); err != nil {
			return fmt.Errorf("submodule %q: %w", p, err)
		}
	}
	return nil
}

// submodule is what .gitmodules says of one.
type submodule struct{ name, url, update string }

// gitmodules reads a .gitmodules file (https://git-scm.com/docs/gitmodules): names and URLs by path.
func (r *Repository) gitmodules(h plumbing.Hash) (map[string]submodule, error) {
	b, err := r.blob(h)
	switch {
	case err != nil:
		return nil, err
	case bytes.Count(b, []byte("[")) > maxSections:
		return nil, fmt.Errorf(".gitmodules of more than %d sections: %w", maxSections, ErrTooMany)
	}
	c := format.New()
	if err := format.NewDecoder(bytes.NewReader(b)).Decode(c); err != nil {
		return nil, fmt.Errorf(".gitmodules: %w: %w", ErrCorrupt, err)
	}
	all := map[string]submodule{}
	for _, s := range c.Section("submodule").Subsections {
		all[s.Option("path")] = submodule{name: s.Name, url: s.Option("url"), update: s.Option("update")}
	}
	return all, nil
}

// submodule clones one, whose directory is p in the repository at name, at a commit. One that is not to be updated is only
// noted, as by git. What else an update may be concerns one that has been worked in, and a command is nobody's to give.
func (r *Repository) submodule(ctx context.Context, t *vfs.Tree, source address, name, p string, s submodule, h plumbing.Hash, level int, left *int) error {
	if s.name == "" || strings.ContainsAny(s.name, "\"\\\x00\r\n") || slices.Contains(strings.Split(s.name, "/"), "..") {
		return fmt.Errorf("name %q: %w", s.name, ErrName)
	}
	from, err := source.relative(s.url)
	if err != nil {
		return err
	}
	for at := p; at != "."; at = path.Dir(at) {
		if i, err := r.work.Stat(at, false); err != nil || !i.IsDir() {
			return fmt.Errorf("%q is no directory: %w", at, ErrPath)
		}
	}
	note := map[string]string{"active": "true", "url": from.public()}
	if s.update == "none" {
		note["update"] = "none"
	}
	for key, value := range note {
		if err := r.configSet("submodule."+s.name+"."+key, value); err != nil {
			return err
		}
	}
	if s.update == "none" {
		return nil
	}
	name = path.Join(name, p)
	sub, err := clone(ctx, t, from, name, r.cfg, CloneOptions{Commit: h.String()})
	if err != nil {
		return err
	}
	return sub.submodules(ctx, t, from, name, level+1, left)
}

// relative is the address that a repository at a gives as url: it may be one beside it. Only what lies in the tree may
// lead to what lies in the tree.
func (a address) relative(url string) (address, error) {
	switch {
	case url == "" || strings.HasPrefix(url, "-"):
		return address{}, fmt.Errorf("url %q: %w", url, ErrTransport)
	case strings.HasPrefix(url, "./") || strings.HasPrefix(url, "../"):
		if strings.ContainsFunc(url, func(c rune) bool { return c <= ' ' || c == 0x7f || c == '?' || c == '#' }) {
			return address{}, fmt.Errorf("url %q: %w", url, ErrTransport)
		}
		rooted := a.scheme == "" || strings.HasPrefix(a.path, "/") // by SSH a path may start in somebody's home
		if a.path = path.Join(a.path, url); rooted {
			a.path = path.Join("/", a.path)
		}
		if a.path == "." || strings.HasPrefix(a.path, "..") {
			return address{}, fmt.Errorf("url %q: %w", url, ErrTransport)
		}
		if a.scheme == "" {
			return a, nil
		}
		return a, a.check()
	}
	to, err := parseAddress(url)
	if err == nil && to.scheme == "" && a.scheme != "" {
		err = fmt.Errorf("url %q: %w", url, ErrTransport)
	}
	return to, err
}
