package npm

import (
	"encoding/json"
	"strings"
)

// manifest is a package.json, or a version in a registry's answer, as far as it matters here.
type manifest struct {
	Name                 string          `json:"name,omitempty"`
	Version              string          `json:"version,omitempty"`
	Dependencies         stringMap       `json:"dependencies,omitempty"`
	DevDependencies      stringMap       `json:"devDependencies,omitempty"`
	OptionalDependencies stringMap       `json:"optionalDependencies,omitempty"`
	PeerDependencies     stringMap       `json:"peerDependencies,omitempty"`
	PeerDependenciesMeta json.RawMessage `json:"peerDependenciesMeta,omitempty"`
	BundleDependencies   json.RawMessage `json:"bundleDependencies,omitempty"`
	BundledDependencies  json.RawMessage `json:"bundledDependencies,omitempty"`
	Bin                  json.RawMessage `json:"bin,omitempty"`
	Directories          json.RawMessage `json:"directories,omitempty"`
	Engines              json.RawMessage `json:"engines,omitempty"`
	OS                   stringList      `json:"os,omitempty"`
	CPU                  stringList      `json:"cpu,omitempty"`
	Libc                 stringList      `json:"libc,omitempty"`
	License              json.RawMessage `json:"license,omitempty"`
	Funding              json.RawMessage `json:"funding,omitempty"`
	Scripts              stringMap       `json:"scripts,omitempty"`
	HasInstallScript     bool            `json:"hasInstallScript,omitempty"`
	Deprecated           json.RawMessage `json:"deprecated,omitempty"`
	Overrides            map[string]any  `json:"overrides,omitempty"`
	Workspaces           json.RawMessage `json:"workspaces,omitempty"`
	Description          string          `json:"-"`
	Main                 json.RawMessage `json:"main,omitempty"`
	Files                stringList      `json:"files,omitempty"`
	Dist                 dist            `json:"dist,omitzero"`
}

// dist says where a version's package is.
type dist struct {
	Tarball   string `json:"tarball"`
	Integrity string `json:"integrity"`
	Shasum    string `json:"shasum"`
}

// stringMap takes anything: what isn't a map of strings counts as empty, as to npm.
type stringMap map[string]string

func (m *stringMap) UnmarshalJSON(b []byte) error {
	var any map[string]any
	if json.Unmarshal(b, &any) != nil {
		return nil
	}
	out := stringMap{}
	for k, v := range any {
		if s, ok := v.(string); ok {
			out[k] = s
		}
	}
	*m = out
	return nil
}

// stringList takes one string for a list of it.
type stringList []string

func (l *stringList) UnmarshalJSON(b []byte) error {
	var one string
	if json.Unmarshal(b, &one) == nil {
		*l = stringList{one}
		return nil
	}
	var many []any
	_ = json.Unmarshal(b, &many)
	for _, v := range many {
		if s, ok := v.(string); ok {
			*l = append(*l, s)
		}
	}
	return nil
}

// optionalPeer says whether a peer dependency need not be there.
func (m *manifest) optionalPeer(name string) bool {
	var meta map[string]struct {
		Optional bool `json:"optional"`
	}
	_ = json.Unmarshal(m.PeerDependenciesMeta, &meta)
	return meta[name].Optional
}

// bundled are the dependencies that come in the package itself.
func (m *manifest) bundled() map[string]bool {
	out := map[string]bool{}
	for _, raw := range []json.RawMessage{m.BundleDependencies, m.BundledDependencies} {
		var names []string
		var all bool
		if json.Unmarshal(raw, &all) == nil && all {
			for name := range m.Dependencies {
				out[name] = true
			}
		}
		_ = json.Unmarshal(raw, &names)
		for _, name := range names {
			out[name] = true
		}
	}
	return out
}

// bins are the programs of the package: file by name.
func (m *manifest) bins() map[string]string {
	out := map[string]string{}
	var one string
	if json.Unmarshal(m.Bin, &one) == nil && one != "" {
		_, base := scopeOf(m.Name)
		out[base] = one
		return out
	}
	var many stringMap
	_ = json.Unmarshal(m.Bin, &many)
	for name, file := range many {
		if i := strings.LastIndexByte(name, '/'); i >= 0 {
			name = name[i+1:]
		}
		if name != "" && name != "." && name != ".." && !strings.ContainsAny(name, "\x00\\") {
			out[name] = file
		}
	}
	return out
}

// scopeOf takes "@scope/name" apart.
func scopeOf(name string) (scope, base string) {
	if strings.HasPrefix(name, "@") {
		if s, b, ok := strings.Cut(name, "/"); ok {
			return s, b
		}
	}
	return "", name
}

// validName says whether a name can be a package's and a folder's.
func validName(name string) bool {
	scope, base := scopeOf(name)
	for _, part := range []string{scope, base} {
		if strings.ContainsAny(part, "/\\\x00:?#%<>\"'`|{} ") || strings.HasPrefix(part, ".") || len(part) > 214 {
			return false
		}
	}
	return base != "" && scope != "@" && base != "node_modules" && (scope != "" || !strings.HasPrefix(name, "@"))
}

// platformAllows says whether os or cpu filters let the sandbox's platform in.
func platformAllows(list stringList, platform string) bool {
	allowed, listed := false, false
	for _, p := range list {
		switch {
		case p == "!"+platform:
			return false
		case p == platform || p == "any":
			allowed = true
			listed = true
		case !strings.HasPrefix(p, "!"):
			listed = true
		}
	}
	return allowed || !listed
}

// The platform that sandboxes are to packages.
const (
	platformOS  = "linux"
	platformCPU = "wasm32"
)

func (m *manifest) fits() bool {
	return platformAllows(m.OS, platformOS) && platformAllows(m.CPU, platformCPU)
}
