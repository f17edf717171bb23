package npm

import (
	"encoding/json"
	"errors"
	"io/fs"
	"path"
	"strings"

	"github.com/belljar-dev/belljar/engine"
	"github.com/belljar-dev/belljar/vfs"
)

// findProject answers the folder that npm works in: the nearest at or above dir with a package.json or node_modules.
func findProject(files *vfs.Tree, dir string) string {
	for at := dir; ; at = path.Dir(at) {
		for _, name := range []string{"package.json", "node_modules"} {
			if _, err := files.Stat(path.Join(at, name)); err == nil && path.Base(at) != "node_modules" {
				return at
			}
		}
		if at == "/" || at == "/home/user" {
			return dir
		}
	}
}

// readManifest reads a folder's package.json.
func readManifest(files *vfs.Tree, dir string) (*manifest, error) {
	m := &manifest{}
	if err := readJSON(files, path.Join(dir, "package.json"), m); err != nil {
		return nil, err
	}
	return m, nil
}

// requireManifest is readManifest whose error says so as npm does where there is none.
func requireManifest(files *vfs.Tree, dir string) (*manifest, error) {
	m, err := readManifest(files, dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, &failure{"ENOENT", "Could not read package.json: Error: ENOENT: no such file or directory, open '" + path.Join(dir, "package.json") + "'", 254}
	}
	return m, err
}

// editor changes a package.json, keeping the order of its keys and its indentation.
type editor struct {
	keys   []string
	values map[string]json.RawMessage
	indent string
}

func edit(b []byte) (*editor, error) {
	e := &editor{values: map[string]json.RawMessage{}, indent: "  "}
	d := json.NewDecoder(strings.NewReader(string(b)))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return nil, fail("EJSONPARSE", "Invalid package.json: it is no object")
	}
	for d.More() {
		t, err := d.Token()
		if err != nil {
			return nil, fail("EJSONPARSE", "Invalid package.json: %v", err)
		}
		key, _ := t.(string)
		var v json.RawMessage
		if err := d.Decode(&v); err != nil {
			return nil, fail("EJSONPARSE", "Invalid package.json: %v", err)
		}
		e.set(key, v)
	}
	if _, rest, ok := strings.Cut(string(b), "\n"); ok {
		if n := len(rest) - len(strings.TrimLeft(rest, " \t")); n > 0 {
			e.indent = rest[:n]
		}
	}
	return e, nil
}

func (e *editor) set(key string, v json.RawMessage) {
	if _, have := e.values[key]; !have {
		e.keys = append(e.keys, key)
	}
	e.values[key] = v
}

// setMap sets a map of dependencies, or drops it where it is empty.
func (e *editor) setMap(key string, m stringMap) error {
	if len(m) == 0 {
		delete(e.values, key)
		return nil
	}
	o := object{}
	for k, v := range m {
		o[k] = v
	}
	b, err := plainJSON(sortedObject(o))
	if err == nil {
		e.set(key, b)
	}
	return err
}

// sortedObject is an object whose keys are ordered by name alone.
type sortedObject object

func (o sortedObject) MarshalJSON() ([]byte, error) { return plainJSON(map[string]any(o)) }

func (e *editor) bytes() ([]byte, error) {
	var b strings.Builder
	b.WriteByte('{')
	first := true
	for _, k := range e.keys {
		v, have := e.values[k]
		if !have {
			continue
		}
		if !first {
			b.WriteByte(',')
		}
		first = false
		key, err := plainJSON(k)
		if err != nil {
			return nil, err
		}
		b.Write(key)
		b.WriteByte(':')
		b.Write(v)
	}
	b.WriteByte('}')
	out, err := indented(json.RawMessage(b.String()))
	if err != nil || e.indent == "  " {
		return out, err
	}
	var v json.RawMessage = out
	other, err := json.MarshalIndent(v, "", e.indent)
	return append(other, '\n'), err
}

// npmrc reads what the settings files say: the project's over the user's.
func npmrc(c *engine.Call, project string) map[string]string {
	out := map[string]string{}
	for _, name := range []string{path.Join(c.Getenv("HOME"), ".npmrc"), path.Join(project, ".npmrc")} {
		info, err := c.Files.Stat(name)
		if err != nil || info.Size() > 1<<20 {
			continue
		}
		b, err := c.Files.ReadFile(name)
		if err != nil {
			continue
		}
		for line := range strings.SplitSeq(string(b), "\n") {
			line = strings.TrimSpace(line)
			if k, v, ok := strings.Cut(line, "="); ok && line[0] != '#' && line[0] != ';' {
				out[strings.TrimSpace(k)] = strings.Trim(strings.TrimSpace(v), `"'`)
			}
		}
	}
	return out
}
