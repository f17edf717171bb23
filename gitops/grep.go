package gitops

import (
	"context"
	"fmt"
	"regexp"
	"strings"

	"github.com/go-git/go-git/v5/plumbing/filemode"
)

// GrepOptions says what Grep looks for.
type GrepOptions struct {
	Pattern    string // a regular expression of Go (https://pkg.go.dev/regexp/syntax), whose time is linear
	Fixed      bool   // Pattern is text
	IgnoreCase bool
	Rev        string   // a revision; empty means the tracked files of the working tree
	Paths      []string // only these, and what lies below; empty means all
	Max        int      // matches; 0 means 100,000
}

// Match is a line in which Grep found something.
type Match struct {
	Path string
	Line int    // from 1
	Text string // without its newline
}

// Grep looks for lines in tracked files, by path. Binary files are left out.
func (r *Repository) Grep(ctx context.Context, o GrepOptions) (list []Match, err error) {
	defer act(&err, "grep")
	r.mu.Lock()
	defer r.mu.Unlock()
	if o.Fixed {
		o.Pattern = regexp.QuoteMeta(o.Pattern)
	}
	if o.IgnoreCase {
		o.Pattern = "(?i)" + o.Pattern
	}
	if o.Max <= 0 {
		o.Max = 100_000
	}
	re, err := regexp.Compile(o.Pattern)
	if err != nil {
		return nil, err
	}
	set, err := newPathset(o.Paths)
	if err != nil {
		return nil, err
	}
	var l listing
	load := r.fromBlobs
	if o.Rev != "" {
		l, err = r.listRevision(ctx, o.Rev)
	} else {
		load = r.fromWork
		var x *index
		if x, err = r.readIndex(); err == nil {
			l, err = r.workListing(ctx, x)
		}
	}
	if err != nil {
		return nil, err
	}
	for _, name := range sortedKeys(l) {
		if e := l[name]; !set.has(name) || e.mode != filemode.Regular && e.mode != filemode.Executable {
			continue
		}
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		b, err := load(name, l[name])
		if err != nil {
			return nil, fmt.Errorf("%q: %w", name, err)
		}
		if isBinary(b) {
			continue
		}
		for i, line := range splitLines(b) {
			line = strings.TrimSuffix(line, "\n")
			if !re.MatchString(line) {
				continue
			}
			if len(list) == o.Max {
				return list, nil
			}
			list = append(list, Match{name, i + 1, line})
		}
	}
	return list, nil
}
