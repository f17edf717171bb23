package gitops

import (
	"fmt"
	"path"
	"strings"
	"unicode/utf8"

	"github.com/go-git/go-git/v5/plumbing"
)

// checkName refuses a name in a tree that git refuses to check out anywhere (core.protectHFS and core.protectNTFS,
// https://git-scm.com/docs/git-config): a repository that passes here does no harm elsewhere either.
func checkName(name string, link bool) error {
	if name == "" || name == "." || name == ".." || len(name) > 255 || strings.ContainsAny(name, "/\x00") {
		return fmt.Errorf("%q: %w", name, ErrPath)
	}
	for part := range strings.SplitSeq(name, `\`) { // a separator on Windows
		if part == ".." || looksLike(part, ".git", "git~") {
			return fmt.Errorf("%q: %w", name, ErrPath)
		}
	}
	if link && (looksLike(name, ".gitmodules", "gitmod~") || looksLike(name, ".gitmodules", "gi7eba~")) {
		return fmt.Errorf("%q is a symbolic link: %w", name, ErrPath)
	}
	return nil
}

// checkPath is checkName for each part of a path.
func checkPath(name string, link bool) error {
	if len(name) > 4095 {
		return fmt.Errorf("%.40q...: %w", name, ErrPath)
	}
	for part := range strings.SplitSeq(name, "/") {
		if err := checkName(part, link); err != nil {
			return err
		}
	}
	return nil
}

// looksLike tells whether a file system may take name for want: without regard to case, to what NTFS cuts off, to
// NTFS's short names, and to the code points that HFS+ ignores.
func looksLike(name, want, short string) bool {
	if name == "" || name[0] != '.' && name[0]|0x20 != 'g' && name[0] < utf8.RuneSelf {
		return false // as almost all names
	}
	name = strings.Map(func(c rune) rune {
		switch {
		case c >= 0x200c && c <= 0x200f, c >= 0x202a && c <= 0x202e, c >= 0x206a && c <= 0x206f, c == 0xfeff:
			return -1
		case c == utf8.RuneError:
			return '?'
		}
		return c
	}, name)
	name, _, _ = strings.Cut(name, ":") // a stream of NTFS
	name = strings.ToLower(strings.TrimRight(name, ". "))
	if name == want {
		return true
	}
	n, ok := strings.CutPrefix(name, short)
	return ok && len(n) == 1 && n[0] >= '1' && n[0] <= '9'
}

// checkRef refuses names that are not allowed for references, or lead out of refs
// (https://git-scm.com/docs/git-check-ref-format).
func checkRef(name plumbing.ReferenceName) error {
	if name == plumbing.HEAD {
		return nil
	}
	if !strings.HasPrefix(string(name), "refs/") || len(name) > 1024 || name.Validate() != nil {
		return fmt.Errorf("reference %q: %w", name, ErrName)
	}
	return nil
}

// cleanPath makes a path that a caller gave one of the repository: relative to its root, "" being that.
func cleanPath(name string) (string, error) {
	p := path.Clean("/" + name)[1:]
	if strings.HasPrefix(path.Clean(name), "..") {
		return "", fmt.Errorf("%q: %w", name, ErrPath)
	}
	return p, nil
}

// pathset chooses paths: those named, what lies below them, and what a pattern fits. An empty one has all.
type pathset struct {
	names []string
}

func newPathset(names []string) (pathset, error) {
	var s pathset
	for _, n := range names {
		p, err := cleanPath(n)
		if err != nil {
			return s, err
		}
		if p == "" {
			return pathset{}, nil
		}
		if _, err := path.Match(p, ""); err != nil {
			return s, fmt.Errorf("%q: %w", n, err)
		}
		s.names = append(s.names, p)
	}
	return s, nil
}

func (s pathset) has(name string) bool {
	for _, n := range s.names {
		if fits(n, name) {
			return true
		}
	}
	return len(s.names) == 0
}

// fits tells whether a path is n, lies below it, or fits it as a pattern in which, as in git's, * crosses slashes.
func fits(n, name string) bool {
	return n == name || strings.HasPrefix(name, n) && name[len(n)] == '/' || strings.ContainsAny(n, "*?[") && glob(n, name)
}

// glob is path.Match for patterns whose * crosses slashes.
func glob(pattern, name string) bool {
	ok, _ := path.Match(strings.ReplaceAll(pattern, "/", "\x01"), strings.ReplaceAll(name, "/", "\x01"))
	return ok
}

func cut(name string) (first, rest string) {
	first, rest, _ = strings.Cut(name, "/")
	return first, rest
}
