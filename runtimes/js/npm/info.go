package npm

import (
	"encoding/json"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/Masterminds/semver/v3"
)

// list is npm ls.
func (a *app) list() error {
	root, lock, err := a.load()
	if err != nil {
		return err
	}
	if lock != nil {
		if err := lock.tree(root); err != nil {
			return err
		}
	}
	all := a.on("all") || len(a.args) > 0 || a.setting("depth") != "" && a.setting("depth") != "0"
	l := &lister{app: a, all: all, wanted: a.args, seen: map[*node]bool{}}
	if a.on("json") {
		return l.asJSON(root)
	}
	name := label(root.m)
	if root.m.Name == "" {
		name = path.Base(a.project)
	} else if root.m.Version == "" {
		name = root.m.Name
	}
	lines := l.lines(root, "")
	if len(lines) == 0 {
		lines = []string{"└── (empty)"}
		if len(a.args) > 0 {
			l.missing = append(l.missing, "")
		}
	}
	fmt.Fprintf(a.out, "%s %s\n%s\n\n", name, a.project, strings.Join(lines, "\n"))
	return l.verdict()
}

type lister struct {
	app     *app
	all     bool
	wanted  []string
	seen    map[*node]bool
	missing []string
}

func (l *lister) verdict() error {
	if len(l.missing) == 0 {
		return nil
	}
	if l.missing[0] == "" {
		return exitStatus(1)
	}
	return fail("ELSPROBLEMS", "%s", strings.Join(l.missing, "\n"))
}

// installed says whether a node is on disk.
func (l *lister) installed(n *node) bool {
	_, err := l.app.call.Files.Stat(path.Join(l.app.project, n.location(), "package.json"))
	return err == nil
}

func (l *lister) lines(n *node, indent string) (out []string) {
	type line struct {
		text string
		sub  *node
	}
	var list []line
	for _, e := range n.edges() {
		c := n.find(e)
		if c == nil || !l.installed(c) {
			if !e.optional && !e.softPeer && n.parent == nil && len(l.wanted) == 0 {
				l.missing = append(l.missing, fmt.Sprintf("missing: %s@%s, required by %s", e.name, e.spec, label(n.m)))
				list = append(list, line{text: fmt.Sprintf("UNMET DEPENDENCY %s@%s", e.name, e.spec)})
			}
			continue
		}
		text := c.name + "@" + c.m.Version
		if c.m.Name != c.name {
			text = c.name + "@npm:" + c.m.Name + "@" + c.m.Version
		}
		if !e.fits(c) {
			text += " invalid: \"" + e.spec + "\""
			l.missing = append(l.missing, fmt.Sprintf("invalid: %s@%s %s", c.name, c.m.Version, path.Join(l.app.project, c.location())))
		}
		again := l.seen[c]
		if again {
			text += " deduped"
		}
		if !again && l.all {
			list = append(list, line{text, c})
		} else {
			list = append(list, line{text: text})
		}
		l.seen[c] = true
	}
	for i, each := range list {
		branch, below := "├── ", "│ "
		if i == len(list)-1 {
			branch, below = "└── ", "  "
		}
		var sub []string
		if each.sub != nil {
			sub = l.lines(each.sub, indent+below)
		}
		if len(sub) > 0 {
			branch = strings.Replace(branch, "── ", "─┬ ", 1)
		}
		if len(l.wanted) > 0 && len(sub) == 0 && !l.isWanted(each.text) {
			continue
		}
		out = append(out, indent+branch+each.text)
		out = append(out, sub...)
	}
	return out
}

func (l *lister) isWanted(text string) bool {
	name, _ := splitSpec(strings.Fields(text)[0])
	return slices.ContainsFunc(l.wanted, func(w string) bool { n, _ := splitSpec(w); return n == name })
}

func (l *lister) asJSON(root *node) error {
	var describe func(n *node) object
	describe = func(n *node) object {
		deps := object{}
		for _, e := range n.edges() {
			c := n.find(e)
			if c == nil || !l.installed(c) {
				if !e.optional && !e.softPeer && n.parent == nil {
					deps[e.name] = object{"required": e.spec, "missing": true}
					l.missing = append(l.missing, fmt.Sprintf("missing: %s@%s, required by %s", e.name, e.spec, label(n.m)))
				}
				continue
			}
			o := object{"version": c.m.Version, "resolved": c.resolved, "overridden": false}
			if l.all && !l.seen[c] {
				l.seen[c] = true
				if below := describe(c); len(below) > 0 {
					o["dependencies"] = below
				}
			}
			deps[e.name] = o
		}
		return deps
	}
	o := object{}
	if root.m.Version != "" {
		o["version"] = root.m.Version
	}
	if root.m.Name != "" {
		o["name"] = root.m.Name
	}
	if deps := describe(root); len(deps) > 0 {
		o["dependencies"] = deps
	}
	b, err := indented(o)
	if err != nil {
		return err
	}
	fmt.Fprint(l.app.out, string(b))
	return l.verdict()
}

// view is npm view.
func (a *app) view() error {
	if len(a.args) == 0 {
		m, err := requireManifest(a.call.Files, a.project)
		if err != nil {
			return err
		}
		a.args = []string{m.Name}
	}
	name, spec := splitSpec(a.args[0])
	p, err := a.reg.packument(a.ctx, name)
	if err != nil {
		return err
	}
	m := p.pick(spec)
	if m == nil {
		return fail("E404", "No match found for version %s", spec)
	}
	fields, err := viewed(p, m)
	if err != nil {
		return err
	}
	if len(a.args) == 1 && !a.on("json") {
		return a.summary(p, m)
	}
	out := map[string]any{}
	for _, f := range a.args[1:] {
		if v := lookUp(fields, f); v != nil {
			out[f] = v
		}
	}
	switch {
	case len(a.args) == 1:
		return a.printJSON(fields)
	case len(a.args) == 2 && out[a.args[1]] == nil:
		return nil
	case len(a.args) == 2 && a.on("json"):
		return a.printJSON(out[a.args[1]])
	case len(a.args) == 2:
		return a.printValue(out[a.args[1]])
	case a.on("json"):
		return a.printJSON(out)
	}
	for _, f := range a.args[1:] {
		if v, ok := out[f]; ok {
			b, _ := json.Marshal(v)
			fmt.Fprintf(a.out, "%s = %s\n", f, strings.ReplaceAll(string(b), `"`, "'"))
		}
	}
	return nil
}

func viewed(p *packument, m *manifest) (map[string]any, error) {
	b, err := json.Marshal(m)
	if err != nil {
		return nil, err
	}
	fields := map[string]any{}
	if err := json.Unmarshal(b, &fields); err != nil {
		return nil, err
	}
	var versions []any
	for _, v := range p.ascending() {
		versions = append(versions, v)
	}
	tags := map[string]any{}
	for k, v := range p.Tags {
		tags[k] = v
	}
	fields["versions"], fields["dist-tags"] = versions, tags
	return fields, nil
}

// ascending lists the versions there are.
func (p *packument) ascending() []string {
	list := slices.Collect(maps.Keys(p.Versions))
	parsed := map[string]*semver.Version{}
	for _, v := range list {
		if parsed[v], _ = semver.StrictNewVersion(v); parsed[v] == nil {
			parsed[v] = semver.New(0, 0, 0, "", "")
		}
	}
	slices.SortFunc(list, func(a, b string) int { return parsed[a].Compare(parsed[b]) })
	return list
}

func lookUp(v any, field string) any {
	for part := range strings.SplitSeq(field, ".") {
		m, ok := v.(map[string]any)
		if !ok {
			return nil
		}
		v = m[part]
	}
	return v
}

func (a *app) printValue(v any) error {
	if s, ok := v.(string); ok {
		fmt.Fprintln(a.out, s)
		return nil
	}
	return a.printJSON(v)
}

func (a *app) printJSON(v any) error {
	b, err := indented(v)
	if err == nil {
		fmt.Fprint(a.out, string(b))
	}
	return err
}

func (a *app) summary(p *packument, m *manifest) error {
	license, _ := toObject(m.License).(string)
	if license == "" {
		license = "Proprietary"
	}
	deps := "none"
	if n := len(m.Dependencies); n > 0 {
		deps = fmt.Sprint(n)
	}
	fmt.Fprintf(a.out, "\n%s | %s | deps: %s | versions: %d\n\ndist\n.tarball: %s\n.shasum: %s\n.integrity: %s\n", label(m), license, deps,
		len(p.Versions), m.Dist.Tarball, m.Dist.Shasum, m.Dist.Integrity)
	if len(m.Dependencies) > 0 {
		fmt.Fprint(a.out, "\ndependencies:\n")
		for _, name := range slices.Sorted(maps.Keys(m.Dependencies)) {
			fmt.Fprintf(a.out, "%s: %s\n", name, m.Dependencies[name])
		}
	}
	fmt.Fprint(a.out, "\ndist-tags:\n")
	for _, tag := range slices.Sorted(maps.Keys(p.Tags)) {
		fmt.Fprintf(a.out, "%s: %s\n", tag, p.Tags[tag])
	}
	fmt.Fprintln(a.out)
	return nil
}

// outdated is npm outdated: its status is 1 if anything is.
func (a *app) outdated() error {
	root, lock, err := a.load()
	if err != nil {
		return err
	}
	if lock != nil {
		if err := lock.tree(root); err != nil {
			return err
		}
	}
	rows := [][]string{{"Package", "Current", "Wanted", "Latest", "Location", "Depended by"}}
	found := map[string]any{}
	for _, e := range root.edges() {
		name, spec := specTarget(e.name, e.spec)
		if len(a.args) > 0 && !slices.Contains(a.args, e.name) {
			continue
		}
		p, err := a.reg.packument(a.ctx, name)
		if err != nil {
			return err
		}
		wanted, latest := p.pick(spec), p.pick("latest")
		current, where := "MISSING", "-"
		if c := root.children[e.name]; c != nil && (&lister{app: a}).installed(c) {
			current, where = c.m.Version, c.location()
		}
		if wanted == nil || latest == nil || current == wanted.Version && current == latest.Version {
			continue
		}
		rows = append(rows, []string{e.name, current, wanted.Version, latest.Version, where, path.Base(a.project)})
		found[e.name] = map[string]any{"current": current, "wanted": wanted.Version, "latest": latest.Version, "dependent": path.Base(a.project), "location": path.Join(a.project, where)}
	}
	switch {
	case a.on("json"):
		if err := a.printJSON(found); err != nil {
			return err
		}
	case len(rows) > 1:
		a.table(rows)
	}
	if len(found) > 0 {
		return exitStatus(1)
	}
	return nil
}

// table prints rows; the columns of versions stand to the right.
func (a *app) table(rows [][]string) {
	width := make([]int, len(rows[0]))
	for _, r := range rows {
		for i, s := range r {
			width[i] = max(width[i], len(s))
		}
	}
	for _, r := range rows {
		var line strings.Builder
		for i, s := range r {
			pad := strings.Repeat(" ", width[i]-len(s))
			if i > 0 && i < 4 {
				line.WriteString("  " + pad + s)
			} else if i == 0 {
				line.WriteString(s + pad)
			} else {
				line.WriteString("  " + s + pad)
			}
		}
		fmt.Fprintln(a.out, strings.TrimRight(line.String(), " "))
	}
}
