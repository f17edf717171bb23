package npm

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha1"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/Masterminds/semver/v3"
	"github.com/belljar-dev/belljar/engine"
)

// init is npm init -y, and npm init NAME, which is npx create-NAME.
func (a *app) init() error {
	if len(a.args) > 0 {
		scope, base := scopeOf(a.args[0])
		name := strings.TrimPrefix(scope+"/create-"+base, "/")
		return a.execPackage([]string{name}, base, append(a.args[1:], a.rest...))
	}
	a.project = a.call.Dir
	if p := a.flags["prefix"]; p != "" {
		a.project = a.call.Abs(p)
	}
	name := path.Join(a.project, "package.json")
	b, err := a.call.Files.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		b, err = []byte("{}"), nil
	}
	if err != nil {
		return err
	}
	e, err := edit(b)
	if err != nil {
		return err
	}
	base := strings.ToLower(strings.ReplaceAll(path.Base(a.project), " ", "-"))
	defaults := []struct{ key, json string }{
		{"name", quoted(base)}, {"version", `"1.0.0"`}, {"description", `""`}, {"main", `"index.js"`},
		{"scripts", `{"test":"echo \"Error: no test specified\" && exit 1"}`}, {"keywords", `[]`}, {"author", `""`}, {"license", `"ISC"`},
		{"type", `"commonjs"`},
	}
	for _, d := range defaults {
		if _, have := e.values[d.key]; !have {
			e.set(d.key, json.RawMessage(d.json))
		}
	}
	out, err := e.bytes()
	if err != nil {
		return err
	}
	if err := a.call.Files.WriteFile(name, out, 0o644); err != nil {
		return err
	}
	a.say("Wrote to %s:\n\n%s\n\n", name, out)
	return nil
}

// version is npm version.
func (a *app) version() error {
	if len(a.args) == 0 {
		o := object{"npm": version}
		if m, err := readManifest(a.call.Files, a.project); err == nil && m.Name != "" {
			o[m.Name] = m.Version
		}
		return a.printJSON(o)
	}
	name := path.Join(a.project, "package.json")
	m, err := requireManifest(a.call.Files, a.project)
	if err != nil {
		return err
	}
	next, err := bump(m.Version, a.args[0])
	if err != nil {
		return err
	}
	for _, file := range []string{name, path.Join(a.project, "package-lock.json")} {
		b, err := a.call.Files.ReadFile(file)
		if errors.Is(err, fs.ErrNotExist) && file != name {
			continue
		}
		if err != nil {
			return err
		}
		e, err := edit(b)
		if err != nil {
			return err
		}
		e.set("version", json.RawMessage(quoted(next)))
		if packages, have := e.values["packages"]; have {
			if inner, err := edit(packages); err == nil {
				if top, err := edit(inner.values[""]); err == nil {
					top.set("version", json.RawMessage(quoted(next)))
					if inner.values[""], err = top.bytes(); err != nil {
						return err
					}
					if e.values["packages"], err = inner.bytes(); err != nil {
						return err
					}
				}
			}
		}
		if b, err = e.bytes(); err != nil {
			return err
		}
		if err := a.call.Files.WriteFile(file, b, 0o644); err != nil {
			return err
		}
	}
	fmt.Fprintln(a.out, "v"+next)
	return nil
}

// bump answers the version after one, or the one that is given.
func bump(old, how string) (string, error) {
	v, err := semver.StrictNewVersion(old)
	if err != nil {
		v = semver.New(0, 0, 0, "", "")
	}
	switch how {
	case "major":
		if v.Prerelease() != "" && v.Minor() == 0 && v.Patch() == 0 {
			return semver.New(v.Major(), 0, 0, "", "").String(), nil
		}
		return semver.New(v.Major()+1, 0, 0, "", "").String(), nil
	case "minor":
		if v.Prerelease() != "" && v.Patch() == 0 {
			return semver.New(v.Major(), v.Minor(), 0, "", "").String(), nil
		}
		return semver.New(v.Major(), v.Minor()+1, 0, "", "").String(), nil
	case "patch":
		if v.Prerelease() != "" {
			return semver.New(v.Major(), v.Minor(), v.Patch(), "", "").String(), nil
		}
		return semver.New(v.Major(), v.Minor(), v.Patch()+1, "", "").String(), nil
	}
	next, err := semver.StrictNewVersion(strings.TrimPrefix(how, "v"))
	switch {
	case err != nil:
		return "", fail("EUSAGE", "Invalid version: %s", how)
	case next.String() == old:
		return "", fail("", "Version not changed")
	}
	return next.String(), nil
}

// pkg is npm pkg get and set.
func (a *app) pkg() error {
	name := path.Join(a.project, "package.json")
	if _, err := requireManifest(a.call.Files, a.project); err != nil {
		return err
	}
	b, err := a.call.Files.ReadFile(name)
	if err != nil {
		return err
	}
	var all map[string]any
	if err := json.Unmarshal(b, &all); err != nil {
		return fail("EJSONPARSE", "Invalid package.json: %v", err)
	}
	switch {
	case len(a.args) == 1 && a.args[0] == "get":
		return a.printJSON(json.RawMessage(b))
	case len(a.args) == 2 && a.args[0] == "get":
		v := lookUp(all, a.args[1])
		if v == nil {
			v = map[string]any{}
		}
		return a.printJSON(v)
	case len(a.args) > 1 && (a.args[0] == "set" || a.args[0] == "delete"):
	default:
		return fail("EUSAGE", "npm pkg get|set|delete KEY…")
	}
	e, err := edit(b)
	if err != nil {
		return err
	}
	for _, arg := range a.args[1:] {
		key, value, _ := strings.Cut(arg, "=")
		at := all
		parts := strings.Split(key, ".")
		for _, p := range parts[:len(parts)-1] {
			next, ok := at[p].(map[string]any)
			if !ok {
				next = map[string]any{}
				at[p] = next
			}
			at = next
		}
		last := parts[len(parts)-1]
		if a.args[0] == "delete" {
			delete(at, last)
		} else if at[last] = value; a.on("json") {
			var v any
			if err := json.Unmarshal([]byte(value), &v); err != nil {
				return fail("EJSONPARSE", "%v", err)
			}
			at[last] = v
		}
		if all[parts[0]] == nil {
			delete(e.values, parts[0])
			continue
		}
		raw, err := plainJSON(all[parts[0]])
		if err != nil {
			return err
		}
		e.set(parts[0], raw)
	}
	if b, err = e.bytes(); err != nil {
		return err
	}
	return a.call.Files.WriteFile(name, b, 0o644)
}

// config is npm config, of what has a meaning here.
func (a *app) config() error {
	args := a.args
	if a.command == "get" || a.command == "set" {
		args = append([]string{a.command}, args...)
	}
	values := maps.Clone(a.rc)
	values["registry"] = a.reg.url
	values["prefix"] = "/usr/local"
	values["cache"] = path.Join(a.call.Getenv("HOME"), ".npm")
	values["user-agent"] = "npm/" + version
	values["ignore-scripts"] = "true"
	for k, v := range a.flags {
		values[k] = v
	}
	switch {
	case len(args) == 0 || args[0] == "list" || args[0] == "ls" || args[0] == "get" && len(args) == 1:
		for _, k := range slices.Sorted(maps.Keys(values)) {
			fmt.Fprintf(a.out, "%s = %q\n", k, values[k])
		}
	case args[0] == "get":
		for _, k := range args[1:] {
			v, ok := values[k]
			if !ok {
				v = "undefined"
			}
			fmt.Fprintln(a.out, v)
		}
	case args[0] == "set" || args[0] == "delete" || args[0] == "rm":
		return a.setConfig(args[0] == "set", args[1:])
	default:
		return fail("EUSAGE", "npm config get|set|delete|list")
	}
	return nil
}

func (a *app) setConfig(set bool, args []string) error {
	name := path.Join(a.call.Getenv("HOME"), ".npmrc")
	if a.setting("location") == "project" {
		name = path.Join(a.project, ".npmrc")
	}
	if set && len(args) == 2 && !strings.Contains(args[0], "=") {
		args = []string{args[0] + "=" + args[1]}
	}
	b, err := a.call.Files.ReadFile(name)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	lines := strings.Split(strings.TrimSuffix(string(b), "\n"), "\n")
	for _, arg := range args {
		key, _, _ := strings.Cut(arg, "=")
		lines = slices.DeleteFunc(lines, func(l string) bool {
			k, _, _ := strings.Cut(l, "=")
			return strings.TrimSpace(k) == key || l == ""
		})
		if set {
			lines = append(lines, arg)
		}
	}
	return a.call.Files.WriteFile(name, []byte(strings.Join(lines, "\n")+"\n"), 0o600)
}

// cache is npm cache: the cache is the host's, and looks after itself.
func (a *app) cache() error {
	if len(a.args) > 0 && a.args[0] == "verify" {
		a.say("Cache verified and compressed\n")
	}
	return nil
}

func (a *app) ping() error {
	began := time.Now()
	a.say("npm notice PING %s\n", a.reg.url)
	if _, err := a.reg.get(a.ctx, a.reg.url+"-/ping", "application/json", 1<<20); err != nil {
		return err
	}
	a.say("npm notice PONG %dms\n", time.Since(began).Milliseconds())
	return nil
}

// maxPacked bounds what npm pack reads, in bytes.
const maxPacked = 256 << 20

// pack is npm pack: an archive of the project, the same bytes for the same files.
func (a *app) pack() error {
	m, err := requireManifest(a.call.Files, a.project)
	if err != nil {
		return err
	}
	if m.Name == "" || m.Version == "" {
		return fail("", "Invalid package, must have name and version")
	}
	names, err := a.packed(m)
	if err != nil {
		return err
	}
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	t := tar.NewWriter(z)
	total := int64(0)
	for _, name := range names {
		full := path.Join(a.project, name)
		info, err := a.call.Files.Stat(full)
		if err != nil {
			return err
		}
		if total += info.Size(); total > maxPacked {
			return fail("EFBIG", "the package is larger than %d bytes", maxPacked)
		}
		b, err := a.call.Files.ReadFile(full)
		if err != nil {
			return err
		}
		mode := int64(0o644)
		if info.Mode()&0o111 != 0 {
			mode = 0o755
		}
		h := &tar.Header{Name: "package/" + name, Mode: mode, Size: int64(len(b)), ModTime: time.Date(1985, 10, 26, 8, 15, 0, 0, time.UTC), Format: tar.FormatUSTAR}
		if len(h.Name) > 99 {
			h.Format = tar.FormatPAX
		}
		if err := t.WriteHeader(h); err != nil {
			return err
		}
		if _, err := t.Write(b); err != nil {
			return err
		}
	}
	if err := errors.Join(t.Close(), z.Close()); err != nil {
		return err
	}
	file := strings.TrimPrefix(strings.ReplaceAll(m.Name, "/", "-"), "@") + "-" + m.Version + ".tgz"
	integrity, err := verify(out.Bytes(), "", file)
	if err != nil {
		return err
	}
	if !a.on("dry-run") {
		if err := a.call.Files.WriteFile(path.Join(a.call.Dir, a.setting("pack-destination"), file), out.Bytes(), 0o644); err != nil {
			return err
		}
	}
	sum := sha1.Sum(out.Bytes())
	a.notice(m, names, file, integrity, hex.EncodeToString(sum[:]), out.Len(), total)
	fmt.Fprintln(a.out, file)
	return nil
}

func (a *app) notice(m *manifest, names []string, file, integrity, shasum string, size int, unpacked int64) {
	if l := a.setting("loglevel"); l == "silent" || l == "error" || l == "warn" {
		return
	}
	w := a.call.Stderr
	fmt.Fprintf(w, "npm notice\nnpm notice 📦  %s\nnpm notice Tarball Contents\n", label(m))
	for _, name := range names {
		fmt.Fprintf(w, "npm notice %s\n", name)
	}
	fmt.Fprintf(w, "npm notice Tarball Details\nnpm notice name: %s\nnpm notice version: %s\nnpm notice filename: %s\nnpm notice package size: %d B\nnpm notice unpacked size: %d B\nnpm notice shasum: %s\nnpm notice integrity: %s\nnpm notice total files: %d\nnpm notice\n",
		m.Name, m.Version, file, size, unpacked, shasum, integrity, len(names))
}

// packed lists what belongs into the package.
func (a *app) packed(m *manifest) ([]string, error) {
	var out []string
	always := func(name string) bool {
		lower := strings.ToLower(name)
		return name == "package.json" || strings.HasPrefix(lower, "readme") || strings.HasPrefix(lower, "license") || strings.HasPrefix(lower, "licence")
	}
	never := func(base string) bool {
		return base == "node_modules" || base == ".git" || base == "package-lock.json" || base == ".npmrc" || base == ".DS_Store" ||
			strings.HasSuffix(base, ".orig") || strings.HasPrefix(base, "._") || base == ".npmignore" || base == ".gitignore" || base == "npm-debug.log"
	}
	ignored := a.ignores()
	mains := map[string]bool{}
	var main string
	_ = json.Unmarshal(m.Main, &main)
	mains[path.Clean(main)] = main != ""
	for _, file := range m.bins() {
		mains[path.Clean(file)] = true
	}
	var visit func(dir string) error
	visit = func(dir string) error {
		list, err := a.call.Files.ReadDir(path.Join(a.project, dir))
		if err != nil {
			return err
		}
		for _, e := range list {
			name := path.Join(dir, e.Name())
			switch {
			case never(e.Name()), e.Type()&fs.ModeSymlink != 0, len(out) > maxEntries, dir == "" && strings.HasSuffix(name, ".tgz"):
			case e.IsDir():
				if err := visit(name); err != nil {
					return err
				}
			case dir == "" && always(name), mains[name], len(m.Files) > 0 && listed(m.Files, name), len(m.Files) == 0 && !listed(ignored, name):
				out = append(out, name)
			}
		}
		return nil
	}
	err := visit("")
	slices.SortFunc(out, collate)
	return out, err
}

// ignores answers what .npmignore, or else .gitignore, leaves out.
func (a *app) ignores() []string {
	for _, name := range []string{".npmignore", ".gitignore"} {
		b, err := a.call.Files.ReadFile(path.Join(a.project, name))
		if err != nil {
			continue
		}
		var out []string
		for line := range strings.SplitSeq(string(b), "\n") {
			if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
				out = append(out, line)
			}
		}
		return out
	}
	return nil
}

// listed says whether a pattern matches a file or a folder above it.
func listed(patterns []string, name string) bool {
	in := false
	for _, p := range patterns {
		p, not := strings.CutPrefix(p, "!")
		p = strings.Trim(strings.TrimPrefix(p, "./"), "/")
		p = strings.TrimSuffix(strings.TrimSuffix(p, "/**"), "/*")
		match := p == "" || p == "*" || p == "**"
		for at := name; at != "." && !match; at = path.Dir(at) {
			whole, _ := path.Match(p, at)
			base, _ := path.Match(p, path.Base(at))
			match = whole || base && !strings.Contains(p, "/")
			if rest, ok := strings.CutPrefix(p, "**/"); ok && !match {
				match, _ = path.Match(rest, path.Base(at))
			}
		}
		if match {
			in = !not
		}
	}
	return in
}

// npx is npm exec under its own name.
func (c Config) npx(ctx context.Context, call *engine.Call) int {
	a := c.start(ctx, call, true)
	a.command = "exec"
	if a.on("version") && len(a.args) == 0 {
		fmt.Fprintln(a.out, version)
		return a.finish(nil)
	}
	return a.finish(a.exec())
}

// exec is npm exec: a program of the project's packages, or of one that is fetched for it.
func (a *app) exec() error {
	var packages []string
	if p := a.setting("package"); p != "" {
		packages = strings.Split(p, ",")
	}
	if line := a.flags["call"]; line != "" {
		return a.execPackage(packages, "", []string{"sh", "-c", line})
	}
	args := append(slices.Clone(a.args), a.rest...)
	if len(args) == 0 {
		return fail("EUSAGE", "npm exec requires a command")
	}
	if len(packages) == 0 {
		name, spec := splitSpec(args[0])
		_, base := scopeOf(name)
		for at := a.call.Dir; spec == ""; at = path.Dir(at) {
			if _, err := a.call.Files.Stat(path.Join(at, "node_modules/.bin", base)); err == nil {
				return a.start(path.Join(at, "node_modules/.bin"), append([]string{base}, args[1:]...))
			}
			if at == "/" {
				break
			}
		}
		return a.execPackage([]string{args[0]}, base, args[1:])
	}
	return a.execPackage(packages, "", args)
}

// execPackage installs packages for a command, outside the project, and runs a program of them: bin, or if that is ""
// the first of args.
func (a *app) execPackage(packages []string, bin string, args []string) error {
	project := a.project
	sum := sha1.Sum([]byte(strings.Join(packages, "\x00")))
	a.project = path.Join(a.call.Getenv("HOME"), ".npm/_npx", hex.EncodeToString(sum[:8]))
	if err := a.call.Files.MkdirAll(a.project, 0o755); err != nil {
		return err
	}
	level := a.flags["loglevel"]
	inner := *a
	inner.flags = maps.Clone(a.flags)
	inner.flags["loglevel"], inner.args = "silent", packages
	if len(packages) > 0 {
		if err := inner.install(); err != nil {
			return err
		}
	}
	bins := path.Join(a.project, "node_modules/.bin")
	if bin != "" {
		name, _ := splitSpec(packages[0])
		m, err := readManifest(a.call.Files, path.Join(a.project, "node_modules", name))
		if err != nil {
			return err
		}
		names := slices.Sorted(maps.Keys(m.bins()))
		switch {
		case slices.Contains(names, bin):
		case len(names) == 1:
			bin = names[0]
		default:
			return fail("", "could not determine executable to run")
		}
		args = append([]string{bin}, args...)
	}
	a.project, a.flags["loglevel"] = project, level
	return a.start(bins, args)
}

// start runs a program with a folder before all others in PATH.
func (a *app) start(bins string, args []string) error {
	m, err := readManifest(a.call.Files, a.project)
	if err != nil {
		m = &manifest{}
	}
	env := a.scriptEnv(m, a.project, "npx", args[0])
	env[0] = "PATH=" + bins + ":" + strings.TrimPrefix(env[0], "PATH=")
	status, err := a.call.Run(a.ctx, engine.Command{Args: args, Env: env})
	switch {
	case errors.Is(err, engine.ErrNotFound):
		fmt.Fprintf(a.call.Stderr, "sh: 1: %s: not found\n", args[0])
		return exitStatus(127)
	case err != nil:
		return err
	case status != 0:
		return exitStatus(status)
	}
	return nil
}
