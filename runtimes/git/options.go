package git

import (
	"strconv"
	"strings"
)

// options are those of git's remote-curl that this helper passes on.
type options struct {
	verbosity                                       int
	progress, followTags, dryRun, check, cloning    bool
	updateShallow, atomic, forceIfIncludes          bool
	objectFormat, deepenRelative, promisor, refetch bool
	depth                                           uint64
	since, filter                                   string
	not, lease, push                                []string
}

// set answers what git is told: "ok", "unsupported", or that the value is wrong.
func (o *options) set(name, value string) string {
	const bad = "error invalid value"
	if flag := o.flag(name); flag != nil {
		if value != "true" && value != "false" {
			return bad
		}
		*flag = value == "true"
		return "ok"
	}
	switch name {
	case "verbosity":
		n, err := strconv.Atoi(value)
		if err != nil {
			return bad
		}
		o.verbosity = n
	case "depth":
		n, err := strconv.ParseUint(value, 10, 32)
		if err != nil {
			return bad
		}
		o.depth = n
	case "deepen-since":
		o.since = value
	case "deepen-not":
		o.not = append(o.not, value)
	case "cas":
		o.lease = append(o.lease, "--force-with-lease="+unquote(value))
	case "push-option":
		o.push = append(o.push, "--push-option="+unquote(value))
	case "from-promisor":
		o.promisor = true
	case "refetch":
		o.refetch = true
	case "filter":
		o.filter = value
	case "object-format":
		o.objectFormat = true
	case "family":
		return "ok" // addresses are the host's choice
	default:
		return "unsupported"
	}
	return "ok"
}

func (o *options) flag(name string) *bool {
	return map[string]*bool{
		"progress": &o.progress, "followtags": &o.followTags, "dry-run": &o.dryRun, "check-connectivity": &o.check,
		"cloning": &o.cloning, "update-shallow": &o.updateShallow, "atomic": &o.atomic,
		"force-if-includes": &o.forceIfIncludes, "deepen-relative": &o.deepenRelative,
	}[name]
}

// unquote takes away the quotes that git writes in C's style.
func unquote(s string) string {
	if strings.HasPrefix(s, `"`) {
		if plain, err := strconv.Unquote(s); err == nil {
			return plain
		}
	}
	return s
}

// chosen answers the arguments whose condition holds.
func chosen(pairs ...any) []string {
	var out []string
	for i := 0; i < len(pairs); i += 2 {
		if pairs[i].(bool) {
			out = append(out, strings.Fields(pairs[i+1].(string))...)
		}
	}
	return out
}

func (o *options) fetchArgs() []string {
	args := chosen(o.followTags, "--include-tag", true, "--thin", o.verbosity >= 3, "-v -v", o.check, "--check-self-contained-and-connected",
		o.cloning, "--cloning", o.updateShallow, "--update-shallow", !o.progress, "--no-progress",
		o.deepenRelative && o.depth > 0, "--deepen-relative", o.promisor, "--from-promisor", o.refetch, "--refetch")
	if o.depth > 0 {
		args = append(args, "--depth="+strconv.FormatUint(o.depth, 10))
	}
	if o.since != "" {
		args = append(args, "--shallow-since="+o.since)
	}
	for _, not := range o.not {
		args = append(args, "--shallow-exclude="+not)
	}
	if o.filter != "" {
		args = append(args, "--filter="+o.filter)
	}
	return args
}

func (o *options) pushArgs() []string {
	args := chosen(true, "--thin", o.dryRun, "--dry-run", o.atomic, "--atomic", o.verbosity == 0, "--quiet", o.verbosity > 1, "--verbose",
		o.progress, "--progress", !o.progress, "--no-progress")
	return append(append(args, o.push...), o.lease...)
}
