package npm

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/belljar-dev/belljar/vfs"
)

// maxJSON bounds a package.json or lock file, in bytes.
const maxJSON = 64 << 20

// lockFile is a package-lock.json, versions 2 and 3.
// See https://docs.npmjs.com/cli/v11/configuring-npm/package-lock-json
type lockFile struct {
	Name            string                `json:"name"`
	Version         string                `json:"version"`
	LockfileVersion int                   `json:"lockfileVersion"`
	Packages        map[string]*lockEntry `json:"packages"`
}

type lockEntry struct {
	manifest
	Resolved  string `json:"resolved"`
	Integrity string `json:"integrity"`
	InBundle  bool   `json:"inBundle"`
	Link      bool   `json:"link"`
}

// readJSON reads a file of JSON into v.
func readJSON(files *vfs.Tree, name string, v any) error {
	info, err := files.Stat(name)
	if err != nil {
		return err
	}
	if info.Size() > maxJSON {
		return fail("EFBIG", "%s is larger than %d bytes", name, maxJSON)
	}
	b, err := files.ReadFile(name)
	if err != nil {
		return err
	}
	b = bytes.TrimPrefix(b, []byte("\xef\xbb\xbf"))
	if err := json.Unmarshal(b, v); err != nil {
		var kind *json.UnmarshalTypeError
		if errors.As(err, &kind) {
			return fail("EJSONPARSE", "Invalid %s: %v", path.Base(name), err)
		}
		return fail("EJSONPARSE", "Invalid %s: JSONParseError: %v while parsing %q", path.Base(name), err, clip(string(b), 40))
	}
	return nil
}

func clip(s string, n int) string { return s[:min(len(s), n)] }

// readLock reads the project's lock; nil where there is none.
func readLock(files *vfs.Tree, dir string) (*lockFile, error) {
	for _, name := range []string{"npm-shrinkwrap.json", "package-lock.json"} {
		var l lockFile
		err := readJSON(files, path.Join(dir, name), &l)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		return &l, err
	}
	return nil, nil
}

// tree makes the nodes that a lock lists, below a root.
func (l *lockFile) tree(root *node) error {
	locations := make([]string, 0, len(l.Packages))
	for at := range l.Packages {
		locations = append(locations, at)
	}
	slices.SortFunc(locations, func(a, b string) int {
		if d := strings.Count(a, "node_modules/") - strings.Count(b, "node_modules/"); d != 0 {
			return d
		}
		return strings.Compare(a, b)
	})
	if len(locations) > maxNodes {
		return fail("ETOOMANY", "the lock has more than %d packages", maxNodes)
	}
	for _, at := range locations {
		e := l.Packages[at]
		if at == "" || e == nil || e.Link || !strings.HasPrefix(at, "node_modules/") {
			continue
		}
		parent := root
		parts := strings.Split("/"+at, "/node_modules/")[1:]
		for i, name := range parts {
			if !validName(name) {
				return fail("EINVALIDLOCK", "package-lock.json: %q is no place of a package", at)
			}
			if i == len(parts)-1 {
				m := e.manifest
				if m.Name == "" {
					m.Name = name
				}
				parent.add(&node{name: name, m: &m, resolved: e.Resolved, integrity: e.Integrity, inBundle: e.InBundle})
			} else if parent = parent.children[name]; parent == nil {
				return fail("EINVALIDLOCK", "package-lock.json: %q lies in no package", at)
			}
		}
	}
	return nil
}

func integrityOfShasum(shasum string) string {
	b, err := hex.DecodeString(shasum)
	if err != nil {
		return ""
	}
	return "sha1-" + base64.StdEncoding.EncodeToString(b)
}

// object is a JSON object that is written as npm writes it: what is not an object first, then by name, with those of
// first before all.
type object map[string]any

var lockOrder = []string{"name", "version", "lockfileVersion", "resolved", "integrity", "requires", "packages", "dependencies"}

func (o object) MarshalJSON() ([]byte, error) {
	keys := make([]string, 0, len(o))
	for k := range o {
		keys = append(keys, k)
	}
	rank := func(k string) int {
		if i := slices.Index(lockOrder, k); i >= 0 {
			return i
		}
		return len(lockOrder)
	}
	slices.SortFunc(keys, func(a, b string) int {
		_, ao := o[a].(object)
		_, bo := o[b].(object)
		switch {
		case ao != bo && ao:
			return 1
		case ao != bo:
			return -1
		case rank(a) != rank(b):
			return rank(a) - rank(b)
		}
		return collate(a, b)
	})
	var b bytes.Buffer
	b.WriteByte('{')
	for i, k := range keys {
		if i > 0 {
			b.WriteByte(',')
		}
		key, err := plainJSON(k)
		if err != nil {
			return nil, err
		}
		value, err := plainJSON(o[k])
		if err != nil {
			return nil, err
		}
		b.Write(key)
		b.WriteByte(':')
		b.Write(value)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// collate compares names as JavaScript's localeCompare does, as far as names of packages go: punctuation before digits
// before letters, which differ in case last.
func collate(a, b string) int {
	const order = "_-,;:!?.'\"()[]{}@*/\\&#%`^+<=>|~$0123456789"
	weigh := func(c byte) int {
		if c >= 'A' && c <= 'Z' {
			c += 'a' - 'A'
		}
		if i := strings.IndexByte(order, c); i >= 0 {
			return i
		}
		return 1000 + int(c)
	}
	for i := 0; i < len(a) && i < len(b); i++ {
		if d := weigh(a[i]) - weigh(b[i]); d != 0 {
			return d
		}
	}
	if len(a) != len(b) {
		return len(a) - len(b)
	}
	return -strings.Compare(a, b) // small letters first
}

func plainJSON(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// indented writes JSON with two spaces and a newline at its end.
func indented(v any) ([]byte, error) {
	b, err := plainJSON(v)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	if err := json.Indent(&out, b, "", "  "); err != nil {
		return nil, err
	}
	out.WriteByte('\n')
	return out.Bytes(), nil
}

// toObject makes objects of the maps in a value of JSON.
func toObject(raw json.RawMessage) any {
	var v any
	if json.Unmarshal(raw, &v) != nil {
		return nil
	}
	return ordered(v)
}

func ordered(v any) any {
	switch v := v.(type) {
	case map[string]any:
		o := object{}
		for k, e := range v {
			o[k] = ordered(e)
		}
		return o
	case []any:
		for i := range v {
			v[i] = ordered(v[i])
		}
	}
	return v
}

func (o object) putMap(key string, m stringMap) {
	if len(m) == 0 {
		return
	}
	out := object{}
	for k, v := range m {
		out[k] = v
	}
	o[key] = out
}

func (o object) putList(key string, l stringList) {
	if len(l) > 0 {
		o[key] = []string(l)
	}
}

func (o object) putRaw(key string, raw json.RawMessage) {
	if v := toObject(raw); v != nil && v != false {
		o[key] = v
	}
}

// describe is what a lock says of a package or of the root.
func (m *manifest) describe(root bool) object {
	o := object{}
	if m.Version != "" {
		o["version"] = m.Version
	}
	o.putMap("dependencies", m.Dependencies)
	o.putMap("optionalDependencies", m.OptionalDependencies)
	o.putMap("peerDependencies", m.PeerDependencies)
	o.putRaw("peerDependenciesMeta", m.PeerDependenciesMeta)
	if root {
		o.putMap("devDependencies", m.DevDependencies)
		o.putRaw("workspaces", m.Workspaces)
		if m.Name != "" {
			o["name"] = m.Name
		}
	}
	if len(m.bundled()) > 0 && len(m.BundleDependencies) > 0 {
		o.putRaw("bundleDependencies", m.BundleDependencies)
	}
	if license := toObject(m.License); license != nil {
		if typed, ok := license.(object); ok && typed["type"] != nil {
			license = typed["type"]
		}
		o["license"] = license
	}
	o.putRaw("engines", m.Engines)
	o.putList("os", m.OS)
	o.putList("cpu", m.CPU)
	o.putList("libc", m.Libc)
	if bins := m.bins(); len(bins) > 0 {
		list := object{}
		for name, file := range bins {
			list[name] = strings.TrimPrefix(path.Clean("/"+file), "/")
		}
		o["bin"] = list
	}
	if funding := toObject(m.Funding); funding != nil && !root {
		o["funding"] = normalFunding(funding)
	}
	return o
}

// normalFunding makes an object of an address; lists stay what they are.
func normalFunding(v any) any {
	if s, ok := v.(string); ok {
		return object{"url": s}
	}
	return v
}

// write makes the lock of a tree. hidden is that of node_modules, which leaves the root out.
func writeLock(root *node, hidden bool) ([]byte, error) {
	packages := object{}
	if !hidden {
		packages[""] = root.m.describe(true)
	}
	root.walk(func(n *node) {
		if hidden && !n.m.fits() {
			return
		}
		o := n.m.describe(false)
		if n.m.Name != n.name {
			o["name"] = n.m.Name
		}
		if n.resolved != "" {
			o["resolved"] = n.resolved
		}
		if n.integrity != "" {
			o["integrity"] = n.integrity
		}
		if n.m.HasInstallScript {
			o["hasInstallScript"] = true
		}
		if d, ok := toObject(n.m.Deprecated).(string); ok && d != "" {
			o["deprecated"] = d
		}
		for key, on := range map[string]bool{
			"dev": n.dev, "optional": n.optional, "peer": n.peer, "inBundle": n.inBundle,
			"devOptional": n.devOptional && !n.dev && !n.optional,
		} {
			if on {
				o[key] = true
			}
		}
		packages[n.location()] = o
	})
	all := object{"lockfileVersion": 3, "requires": true, "packages": packages}
	if root.m.Name != "" {
		all["name"] = root.m.Name
	}
	if root.m.Version != "" {
		all["version"] = root.m.Version
	}
	return indented(all)
}
