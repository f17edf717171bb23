package npm

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"time"
)

// install is npm install: what package.json and the lock say, and what the arguments add.
func (a *app) install() error {
	if a.on("global") {
		return fail("ENOTSUP", "global packages are not available in this sandbox: use npx, or install in a project")
	}
	began := time.Now()
	root, lock, err := a.load()
	if err != nil {
		return err
	}
	before := *root.m
	b := a.builder(root)
	if lock != nil {
		if err := lock.tree(root); err != nil {
			return err
		}
	}
	added := map[string]string{} // specification by name
	for _, arg := range a.args {
		name, spec, err := a.requested(arg)
		if err != nil {
			return err
		}
		added[name] = spec
	}
	if err := a.addTo(root, added); err != nil {
		return err
	}
	a.dropStale(root, lock, added)
	if err := b.build(); err != nil {
		return err
	}
	b.flags()
	n, removed, err := a.reify(root)
	if err != nil {
		return err
	}
	if err := a.save(root, &before, added); err != nil {
		return err
	}
	if err := a.lifecycles(root); err != nil {
		return err
	}
	return a.report(n, removed, began)
}

func (a *app) builder(root *node) *builder {
	b := &builder{
		ctx: a.ctx, reg: a.reg, root: root, overrides: map[string]string{}, warn: a.warn,
		legacyPeers: a.on("legacy-peer-deps") || a.on("force"),
	}
	for name, v := range root.m.Overrides {
		if name, _ = splitSpec(name); name == "" {
			continue
		}
		switch v := v.(type) {
		case string:
			b.overrides[name] = v
		case map[string]any:
			if s, ok := v["."].(string); ok {
				b.overrides[name] = s
			}
		}
		if direct, ok := strings.CutPrefix(b.overrides[name], "$"); ok {
			b.overrides[name] = root.m.Dependencies[direct]
		}
	}
	return b
}

// load reads the project. Without a package.json it is empty.
func (a *app) load() (*node, *lockFile, error) {
	m, err := readManifest(a.call.Files, a.project)
	if errors.Is(err, fs.ErrNotExist) {
		m, err = &manifest{}, nil
	}
	if err != nil {
		return nil, nil, err
	}
	lock, err := readLock(a.call.Files, a.project)
	if err != nil {
		return nil, nil, err
	}
	if lock != nil && lock.Packages == nil {
		a.warn("old lockfile: its packages are looked up anew")
		lock = nil
	}
	return &node{m: m}, lock, nil
}

// requested takes an argument of install apart.
func (a *app) requested(arg string) (name, spec string, err error) {
	if strings.HasPrefix(arg, ".") || strings.HasPrefix(arg, "/") || strings.Contains(arg, "://") || strings.HasPrefix(arg, "git+") || strings.HasPrefix(arg, "file:") {
		return "", "", fail("EUNSUPPORTEDPROTOCOL", "Unsupported URL Type: %s: only packages of a registry can be installed here", arg)
	}
	if name, alias, ok := strings.Cut(arg, "@npm:"); ok {
		return name, "npm:" + alias, nil
	}
	name, spec = splitSpec(arg)
	if !validName(name) {
		return "", "", fail("EINVALIDTAGNAME", "Invalid package name %q", name)
	}
	return name, spec, nil
}

// addTo enters what was asked for into the manifest, with the version that it comes to.
func (a *app) addTo(root *node, added map[string]string) error {
	for _, name := range slices.Sorted(maps.Keys(added)) {
		real, spec := specTarget(name, added[name])
		m, err := a.reg.pick(a.ctx, real, spec)
		if err != nil {
			return err
		}
		save := spec
		if _, err := parseRange(spec); err != nil || spec == "" || satisfiesExactly(spec) {
			prefix := a.setting("save-prefix")
			if prefix == "" {
				prefix = "^"
			}
			if a.on("save-exact") || satisfiesExactly(spec) {
				prefix = ""
			}
			save = prefix + m.Version
		}
		if real != name {
			save = "npm:" + real + "@" + save
		}
		a.enter(root.m, name, save)
		if c := root.children[name]; c != nil && c.m.Version != m.Version {
			delete(root.children, name)
		}
	}
	return nil
}

func satisfiesExactly(spec string) bool {
	r, err := parseRange(spec)
	return err == nil && len(r) == 1 && len(r[0]) == 1 && r[0][0].op == "="
}

// enter puts a dependency into the list that the options name, or the one it is in.
func (a *app) enter(m *manifest, name, spec string) {
	lists := map[string]*stringMap{
		"save-prod": &m.Dependencies, "save-dev": &m.DevDependencies, "save-optional": &m.OptionalDependencies, "save-peer": &m.PeerDependencies,
	}
	to := ""
	for _, flag := range []string{"save-prod", "save-dev", "save-optional", "save-peer"} {
		if a.on(flag) {
			to = flag
		}
	}
	if to == "" {
		to = "save-prod"
		for _, flag := range []string{"save-dev", "save-optional", "save-peer"} {
			if _, have := (*lists[flag])[name]; have {
				to = flag
			}
		}
	}
	for flag, list := range lists {
		*list = maps.Clone(*list)
		if flag != to {
			delete(*list, name)
		}
	}
	if *lists[to] == nil {
		*lists[to] = stringMap{}
	}
	(*lists[to])[name] = spec
}

// dropStale takes out of a lock's tree what package.json asks otherwise for now.
func (a *app) dropStale(root *node, lock *lockFile, added map[string]string) {
	if lock == nil {
		return
	}
	for _, e := range root.edges() {
		if c := root.children[e.name]; c != nil && !e.fits(c) {
			delete(root.children, e.name)
		}
	}
}

// cleanInstall is npm ci: just what the lock says.
func (a *app) cleanInstall() error {
	began := time.Now()
	if _, err := requireManifest(a.call.Files, a.project); err != nil {
		return err
	}
	root, lock, err := a.load()
	if err != nil {
		return err
	}
	if lock == nil {
		return fail("EUSAGE", "\nThe `npm ci` command can only install with an existing package-lock.json or\nnpm-shrinkwrap.json with lockfileVersion >= 1. Run an install with npm@5 or\nlater to generate a package-lock.json file, then try again.")
	}
	if err := lock.tree(root); err != nil {
		return err
	}
	if problems := outOfSync(root, a.on("legacy-peer-deps") || a.on("force")); len(problems) > 0 {
		return fail("EUSAGE", "\n`npm ci` can only install packages when your package.json and package-lock.json or npm-shrinkwrap.json are in sync. Please update your lock file with `npm install` before continuing.\n\n%s\n", strings.Join(problems, "\n"))
	}
	a.builder(root).flags()
	if err := a.call.Files.RemoveAll(path.Join(a.project, "node_modules")); err != nil {
		return err
	}
	n, _, err := a.reify(root)
	if err != nil {
		return err
	}
	if err := a.lifecycles(root); err != nil {
		return err
	}
	return a.report(n, 0, began)
}

// outOfSync says what a lock lacks.
func outOfSync(root *node, legacyPeers bool) []string {
	var out []string
	check := func(n *node) {
		bundled := n.m.bundled()
		for _, e := range n.edges() {
			c := n.find(e)
			switch {
			case e.peer && (legacyPeers || e.softPeer || n.parent != nil && c != nil), bundled[e.name]:
			case c == nil && !e.optional:
				out = append(out, fmt.Sprintf("Missing: %s@%s from lock file", e.name, e.spec))
			case c != nil && !e.fits(c):
				out = append(out, fmt.Sprintf("Invalid: lock file's %s@%s does not satisfy %s@%s", c.m.Name, c.m.Version, e.name, e.spec))
			}
		}
	}
	check(root)
	for _, c := range root.sortedChildren() {
		if len(root.m.Overrides) == 0 {
			check(c)
		}
	}
	return out
}

// uninstall is npm uninstall.
func (a *app) uninstall() error {
	began := time.Now()
	root, lock, err := a.load()
	if err != nil {
		return err
	}
	before := *root.m
	if lock != nil {
		if err := lock.tree(root); err != nil {
			return err
		}
	}
	if len(a.args) == 0 {
		return fail("EUSAGE", "npm uninstall requires the name of a package")
	}
	for _, name := range a.args {
		for _, list := range []*stringMap{&root.m.Dependencies, &root.m.DevDependencies, &root.m.OptionalDependencies, &root.m.PeerDependencies} {
			*list = maps.Clone(*list)
			delete(*list, name)
		}
	}
	b := a.builder(root)
	if err := b.build(); err != nil {
		return err
	}
	b.flags()
	n, removed, err := a.reify(root)
	if err != nil {
		return err
	}
	if err := a.save(root, &before, map[string]string{"": ""}); err != nil {
		return err
	}
	return a.report(n, removed, began)
}

// prune is npm prune.
func (a *app) prune() error {
	a.args = nil
	return a.install()
}

// save writes package.json, if the command changed it, and the lock.
func (a *app) save(root *node, before *manifest, added map[string]string) error {
	if a.setting("save") == "false" {
		return nil
	}
	if len(added) > 0 {
		name, e, err := a.editPackage()
		if err != nil {
			return err
		}
		for key, lists := range map[string][2]stringMap{
			"dependencies": {before.Dependencies, root.m.Dependencies}, "devDependencies": {before.DevDependencies, root.m.DevDependencies},
			"optionalDependencies": {before.OptionalDependencies, root.m.OptionalDependencies}, "peerDependencies": {before.PeerDependencies, root.m.PeerDependencies},
		} {
			if !maps.Equal(lists[0], lists[1]) {
				if err := e.setMap(key, lists[1]); err != nil {
					return err
				}
			}
		}
		b, err := e.bytes()
		if err != nil {
			return err
		}
		if err := a.call.Files.WriteFile(name, b, 0o644); err != nil {
			return err
		}
	}
	if a.setting("package-lock") == "false" {
		return nil
	}
	named := *root.m
	if named.Name == "" {
		named.Name = path.Base(a.project)
	}
	full := &node{m: root.m, children: root.children}
	lockRoot := *full
	b, err := writeLock(&lockRoot, false)
	if err != nil {
		return err
	}
	if root.m.Name == "" { // the lock has the folder's name then, and its root none
		b = []byte(strings.Replace(string(b), "{\n", "{\n  \"name\": "+quoted(named.Name)+",\n", 1))
	}
	return a.call.Files.WriteFile(path.Join(a.project, "package-lock.json"), b, 0o644)
}

func quoted(s string) string {
	b, err := json.Marshal(s)
	if err != nil {
		return `""`
	}
	return string(b)
}

func (a *app) report(added, removed int, began time.Time) error {
	var parts []string
	for _, p := range []struct {
		n    int
		what string
	}{{added, "added"}, {removed, "removed"}} {
		if p.n > 0 {
			parts = append(parts, fmt.Sprintf("%s %d package%s", p.what, p.n, plural(p.n)))
		}
	}
	text := strings.Join(parts, ", and ")
	if text == "" {
		text = "up to date"
	}
	took := time.Since(began)
	if took >= time.Second {
		a.say("\n%s in %ds\n", text, int(took.Round(time.Second)/time.Second))
	} else {
		a.say("\n%s in %dms\n", text, took.Milliseconds())
	}
	return nil
}

func plural(n int) string {
	if n == 1 {
		return ""
	}
	return "s"
}
