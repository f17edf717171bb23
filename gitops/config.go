package gitops

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
	format "github.com/go-git/go-git/v5/plumbing/format/config"
)

// maxSections limits the sections of a config. go-git looks through those before for each.
const maxSections = 20_000

// config reads the repository's own config file, and no other.
func (r *Repository) config() (*format.Config, error) {
	b, err := r.readSmall("config")
	if err != nil {
		return nil, err
	}
	if bytes.Count(b, []byte("[")) > maxSections {
		return nil, fmt.Errorf("config of more than %d sections: %w", maxSections, ErrTooMany)
	}
	c := format.New()
	if err := format.NewDecoder(bytes.NewReader(b)).Decode(c); err != nil {
		return nil, fmt.Errorf("config: %w: %w", ErrCorrupt, err)
	}
	return c, nil
}

func (r *Repository) writeConfig(c *format.Config) error {
	return r.replace("config", func(b *bytes.Buffer) error { return format.NewEncoder(b).Encode(c) })
}

// splitKey cuts section.subsection.key; the subsection may have dots and be missing.
func splitKey(key string) (section, sub, name string, err error) {
	first, last := strings.Index(key, "."), strings.LastIndex(key, ".")
	if first <= 0 || last == len(key)-1 || strings.ContainsAny(key, "\n\x00") {
		return "", "", "", fmt.Errorf("key %q: %w", key, ErrName)
	}
	if first < last {
		sub = key[first+1 : last]
	}
	section, name = strings.ToLower(key[:first]), key[last+1:]
	for _, part := range []string{section, name} {
		if strings.Trim(strings.ToLower(part), "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
			return "", "", "", fmt.Errorf("key %q: %w", key, ErrName)
		}
	}
	return section, sub, name, nil
}

// ConfigGet returns the values that the repository's config has for a key such as remote.origin.url, none if it is
// not set. Values come from the sandbox: nothing is done with them here.
func (r *Repository) ConfigGet(ctx context.Context, key string) (values []string, err error) {
	defer act(&err, "config")
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.configGet(key)
}

func (r *Repository) configGet(key string) ([]string, error) {
	section, sub, name, err := splitKey(key)
	if err != nil {
		return nil, err
	}
	c, err := r.config()
	if err != nil {
		return nil, err
	}
	if sub == "" {
		return c.Section(section).OptionAll(name), nil
	}
	return c.Section(section).Subsection(sub).OptionAll(name), nil
}

// ConfigSet makes values those of a key in the repository's config; none unset it.
func (r *Repository) ConfigSet(ctx context.Context, key string, values ...string) (err error) {
	defer act(&err, "config")
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.configSet(key, values...)
}

func (r *Repository) configSet(key string, values ...string) error {
	section, sub, name, err := splitKey(key)
	if err != nil {
		return err
	}
	c, err := r.config()
	if err != nil {
		return err
	}
	s := c.Section(section)
	if sub == "" {
		s.RemoveOption(name)
		for _, v := range values {
			s.AddOption(name, v)
		}
	} else {
		ss := s.Subsection(sub)
		ss.RemoveOption(name)
		for _, v := range values {
			ss.AddOption(name, v)
		}
		if len(ss.Options) == 0 {
			s.RemoveSubsection(sub)
		}
	}
	if len(s.Options) == 0 && len(s.Subsections) == 0 {
		c.RemoveSection(section)
	}
	return r.writeConfig(c)
}

// upstream returns the reference that a branch follows; empty for none.
func (r *Repository) upstream(branch string) (plumbing.ReferenceName, error) {
	c, err := r.config()
	if err != nil {
		return "", err
	}
	return upstreams(c)[branch], nil
}

// upstreams returns the references that branches follow, of those that follow any, by the branches' names.
func upstreams(c *format.Config) map[string]plumbing.ReferenceName {
	all := map[string]plumbing.ReferenceName{}
	for _, s := range c.Section("branch").Subsections {
		if name := followedBy(s); name != "" {
			all[s.Name] = name
		}
	}
	return all
}

// followedBy returns the reference that a branch follows by its section of the config; empty for none.
func followedBy(s *format.Subsection) plumbing.ReferenceName {
	remote, merge := s.OptionAll("remote"), s.OptionAll("merge")
	if len(remote) == 0 || len(merge) == 0 {
		return ""
	}
	name := plumbing.ReferenceName(merge[len(merge)-1])
	if from := remote[len(remote)-1]; from != "." {
		name = plumbing.NewRemoteReferenceName(from, name.Short())
	}
	if checkRef(name) != nil {
		return ""
	}
	return name
}

// Remote is another repository that this one knows by a name.
type Remote struct {
	Name string
	URLs []string
}

// Remotes lists the remotes by name.
func (r *Repository) Remotes(ctx context.Context) (list []Remote, err error) {
	defer act(&err, "remote")
	r.mu.Lock()
	defer r.mu.Unlock()
	c, err := r.config()
	if err != nil {
		return nil, err
	}
	for _, s := range c.Section("remote").Subsections {
		list = append(list, Remote{s.Name, s.OptionAll("url")})
	}
	slices.SortFunc(list, func(a, b Remote) int { return strings.Compare(a.Name, b.Name) })
	return list, nil
}

// AddRemote adds a remote. One that exists is ErrExists.
func (r *Repository) AddRemote(ctx context.Context, name, url string) (err error) {
	defer act(&err, "remote add")
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := checkRef(plumbing.NewRemoteReferenceName(name, "x")); err != nil || name == "" {
		return fmt.Errorf("remote %q: %w", name, ErrName)
	}
	switch urls, err := r.configGet("remote." + name + ".url"); {
	case err != nil:
		return err
	case len(urls) > 0:
		return fmt.Errorf("remote %q: %w", name, ErrExists)
	}
	if err := r.configSet("remote."+name+".url", url); err != nil {
		return err
	}
	return r.configSet("remote."+name+".fetch", "+refs/heads/*:refs/remotes/"+name+"/*")
}

// RemoveRemote forgets a remote and the branches known of it, which nothing follows any more.
func (r *Repository) RemoveRemote(ctx context.Context, name string) (err error) {
	defer act(&err, "remote remove")
	r.mu.Lock()
	defer r.mu.Unlock()
	c, err := r.config()
	if err != nil {
		return err
	}
	if !c.Section("remote").HasSubsection(name) {
		return fmt.Errorf("remote %q: %w", name, ErrNotFound)
	}
	c.Section("remote").RemoveSubsection(name)
	for _, b := range slices.Clone(c.Section("branch").Subsections) {
		had := len(b.Options)
		if b.Option("remote") == name {
			b.RemoveOption("remote").RemoveOption("merge")
		}
		if b.Option("pushRemote") == name {
			b.RemoveOption("pushRemote")
		}
		if had > 0 && len(b.Options) == 0 {
			c.Section("branch").RemoveSubsection(b.Name)
		}
	}
	if c.Section("remote").Option("pushDefault") == name {
		c.Section("remote").RemoveOption("pushDefault")
	}
	for _, section := range []string{"remote", "branch"} {
		if s := c.Section(section); len(s.Options) == 0 && len(s.Subsections) == 0 {
			c.RemoveSection(section)
		}
	}
	if err := r.writeConfig(c); err != nil {
		return err
	}
	refs, err := r.refs("refs/remotes/" + name + "/")
	if err != nil {
		return err
	}
	for _, ref := range refs {
		if err := r.st.RemoveReference(ref.Name()); err != nil {
			return err
		}
	}
	return nil
}
