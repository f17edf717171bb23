package gitops

import (
	"fmt"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
)

// refspec says which reference of one side is which of the other (https://git-scm.com/docs/gitrevisions, git-fetch).
type refspec struct {
	force    bool
	src, dst string // with one * each, or none; dst may be empty
}

func parseRefspec(text string) (refspec, error) {
	var s refspec
	rest, force := strings.CutPrefix(text, "+")
	s.force = force
	s.src, s.dst, _ = strings.Cut(rest, ":")
	if strings.Count(s.src, "*") > 1 || s.dst != "" && strings.Count(s.src, "*") != strings.Count(s.dst, "*") ||
		strings.HasPrefix(s.src, "-") || s.dst != "" && !strings.Contains(s.dst, "*") && checkRef(fullRef(s.dst)) != nil ||
		strings.Contains(s.dst, "..") || s.dst != "" && strings.Contains(s.dst, "*") && !strings.HasPrefix(s.dst, "refs/") {
		return s, fmt.Errorf("refspec %q: %w", text, ErrName)
	}
	return s, nil
}

// fullRef makes a branch of a name that says nothing else.
func fullRef(name string) plumbing.ReferenceName {
	if strings.HasPrefix(name, "refs/") || name == "HEAD" {
		return plumbing.ReferenceName(name)
	}
	return plumbing.NewBranchReferenceName(name)
}

// match gives what a reference of the source is on the other side; ok says whether the refspec is for it.
func (s refspec) match(name plumbing.ReferenceName) (to plumbing.ReferenceName, ok bool) {
	before, after, glob := strings.Cut(s.src, "*")
	if !glob {
		if string(name) != s.src && name != fullRef(s.src) && string(name) != "refs/tags/"+s.src {
			return "", false
		}
		if s.dst == "" {
			return "", true
		}
		return fullRef(s.dst), true
	}
	n := string(name)
	if !strings.HasPrefix(n, before) || !strings.HasSuffix(n, after) || len(n) < len(before)+len(after) {
		return "", false
	}
	if s.dst == "" {
		return "", true
	}
	return plumbing.ReferenceName(strings.Replace(s.dst, "*", n[len(before):len(n)-len(after)], 1)), true
}
