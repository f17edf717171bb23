package npm

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"github.com/Masterminds/semver/v3"
)

// editPackage answers an editor of the project's package.json, of an empty one where there is none, and the file's name.
func (a *app) editPackage() (name string, e *editor, err error) {
	name = path.Join(a.project, "package.json")
	b, err := a.call.Files.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		b, err = []byte("{}"), nil
	}
	if err != nil {
		return "", nil, err
	}
	e, err = edit(b)
	return name, e, err
}

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
	name, e, err := a.editPackage()
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
