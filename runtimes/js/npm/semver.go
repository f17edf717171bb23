package npm

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/Masterminds/semver/v3"
)

// Ranges are npm's, not Masterminds': what a range says of prereleases, of x and of - differs.
// See https://docs.npmjs.com/cli/v11/using-npm/semver

// comparator is one condition on a version.
type comparator struct {
	op string // "<", "<=", ">", ">=", "="; "" is any
	v  *semver.Version
}

// versionRange is alternatives of which each is comparators that all hold.
type versionRange [][]comparator

const (
	xr        = `[vV=\s]*(0|[1-9]\d*|x|X|\*)(?:\.(0|[1-9]\d*|x|X|\*)(?:\.(0|[1-9]\d*|x|X|\*)(?:-?((?:[0-9A-Za-z-]+)(?:\.[0-9A-Za-z-]+)*))?(?:\+[0-9A-Za-z.-]+)?)?)?`
	maxRange  = 4096 // bytes
	maxNumber = 1<<53 - 1
)

var (
	hyphenRange = regexp.MustCompile(`^\s*(` + xr + `)\s+-\s+(` + xr + `)\s*$`)
	simpleRange = regexp.MustCompile(`^(\^|~>?|[<>]?=?)\s*` + xr + `$`)
	looseOp     = regexp.MustCompile(`(\^|~>?|[<>]=?|=)\s+`)
)

// parseRange parses a range; "" is any version that is no prerelease.
func parseRange(s string) (versionRange, error) {
	if len(s) > maxRange {
		return nil, fmt.Errorf("the range is too long")
	}
	var out versionRange
	for part := range strings.SplitSeq(s, "||") {
		set, err := parseSet(part)
		if err != nil {
			return nil, err
		}
		out = append(out, set)
	}
	return out, nil
}

func parseSet(s string) ([]comparator, error) {
	if m := hyphenRange.FindStringSubmatch(s); m != nil {
		return hyphen(m)
	}
	s = looseOp.ReplaceAllString(strings.TrimSpace(s), "$1")
	var out []comparator
	for word := range strings.FieldsSeq(s) {
		m := simpleRange.FindStringSubmatch(word)
		if m == nil {
			return nil, fmt.Errorf("%q is no range of versions", s)
		}
		list, err := simple(m[1], m[2:])
		if err != nil {
			return nil, err
		}
		out = append(out, list...)
	}
	return out, nil
}

// partial is a version of which parts may be missing.
type partial struct {
	n     [3]uint64
	known int // how many of n are given
	pre   string
}

func parsePartial(m []string) (p partial, err error) {
	open := false
	for i, s := range m[:3] {
		if s == "" || s == "x" || s == "X" || s == "*" {
			open = true
			continue
		}
		if open {
			return p, fmt.Errorf("a number stands after an x")
		}
		n, err := strconv.ParseUint(s, 10, 64)
		if err != nil || n > maxNumber {
			return p, fmt.Errorf("the number %s is too large", s)
		}
		p.n[i], p.known = n, i+1
	}
	if p.known == 3 {
		p.pre = m[3]
	}
	return p, nil
}

func (p partial) version() *semver.Version {
	return semver.New(p.n[0], p.n[1], p.n[2], p.pre, "")
}

// next is the lowest version, prereleases included, above all that agree with p in its first i numbers.
func (p partial) next(i int) comparator {
	q := partial{known: 3, pre: "0"}
	copy(q.n[:], p.n[:i])
	q.n[i-1]++
	return comparator{"<", q.version()}
}

func hyphen(m []string) ([]comparator, error) {
	from, err := parsePartial(m[2:6])
	if err != nil {
		return nil, err
	}
	to, err := parsePartial(m[7:11])
	if err != nil {
		return nil, err
	}
	var out []comparator
	if from.known > 0 {
		out = append(out, comparator{">=", from.version()})
	}
	switch to.known {
	case 0:
	case 3:
		out = append(out, comparator{"<=", to.version()})
	default:
		out = append(out, to.next(to.known))
	}
	return out, nil
}

func simple(op string, m []string) ([]comparator, error) {
	p, err := parsePartial(m)
	if err != nil {
		return nil, err
	}
	least := comparator{">=", p.version()}
	switch {
	case op == "^" && p.known > 0:
		i := 1
		for i < p.known && p.n[i-1] == 0 {
			i++
		}
		return []comparator{least, p.next(i)}, nil
	case strings.HasPrefix(op, "~") && p.known > 0:
		return []comparator{least, p.next(min(p.known, 2))}, nil
	case p.known == 0 && (op == "<" || op == ">"):
		return []comparator{{"<", semver.New(0, 0, 0, "0", "")}}, nil
	case p.known == 0:
		return nil, nil
	case p.known == 3 && (op == "" || op == "="):
		return []comparator{{"=", p.version()}}, nil
	case p.known == 3:
		return []comparator{{op, p.version()}}, nil
	case op == "" || op == "=":
		return []comparator{least, p.next(p.known)}, nil
	case op == ">":
		p.n[p.known-1]++
		return []comparator{{">=", p.version()}}, nil
	case op == "<=":
		return []comparator{p.next(p.known)}, nil
	case op == "<":
		p.known, p.pre = 3, "0"
		return []comparator{{"<", p.version()}}, nil
	}
	return []comparator{least}, nil
}

func (c comparator) allows(v *semver.Version) bool {
	d := v.Compare(c.v)
	switch c.op {
	case "<":
		return d < 0
	case "<=":
		return d <= 0
	case ">":
		return d > 0
	case ">=":
		return d >= 0
	}
	return d == 0
}

// allows says whether a version is within the range. A prerelease is only where a comparator of the alternative is one of
// the same three numbers.
func (r versionRange) allows(v *semver.Version) bool {
	for _, set := range r {
		if setAllows(set, v) {
			return true
		}
	}
	return false
}

func setAllows(set []comparator, v *semver.Version) bool {
	named := v.Prerelease() == ""
	for _, c := range set {
		if !c.allows(v) {
			return false
		}
		if c.v.Prerelease() != "" && c.v.Major() == v.Major() && c.v.Minor() == v.Minor() && c.v.Patch() == v.Patch() {
			named = true
		}
	}
	return named
}

// satisfies says whether a version lies in a range; what can't be parsed does not.
func satisfies(version, spec string) bool {
	v, err := semver.StrictNewVersion(version)
	if err != nil {
		return false
	}
	r, err := parseRange(spec)
	return err == nil && r.allows(v)
}
