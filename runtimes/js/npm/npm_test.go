package npm

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/belljar-dev/belljar/engine"
)

// shelf is a registry in memory.
type shelf struct {
	mu       sync.Mutex
	packages map[string]map[string]any // packuments
	files    map[string][]byte         // by path
	asked    []string
}

func newShelf() *shelf {
	return &shelf{packages: map[string]map[string]any{}, files: map[string][]byte{}}
}

// entry is one of a tar archive.
type entry struct {
	name, body string
	kind       byte
	link       string
	mode       int64
}

func archive(t *testing.T, entries ...entry) []byte {
	t.Helper()
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	w := tar.NewWriter(z)
	for _, e := range entries {
		if e.kind == 0 {
			e.kind = tar.TypeReg
		}
		if err := w.WriteHeader(&tar.Header{Name: e.name, Typeflag: e.kind, Linkname: e.link, Size: int64(len(e.body)), Mode: e.mode | 0o644}); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, e.body); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// publish adds a version. manifest is JSON without name and version; files are beyond package.json.
func (s *shelf) publish(t *testing.T, name, version, manifest string, files ...entry) {
	t.Helper()
	m := map[string]any{}
	if err := json.Unmarshal([]byte("{"+manifest+"}"), &m); err != nil {
		t.Fatal(err)
	}
	m["name"], m["version"] = name, version
	b, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	tarball := archive(t, append([]entry{{name: "package/package.json", body: string(b)}}, files...)...)
	path := "/" + name + "/-/" + strings.ReplaceAll(name, "/", "-") + "-" + version + ".tgz"
	sum := sha512.Sum512(tarball)
	m["dist"] = map[string]any{"tarball": "https://registry.npmjs.org" + path, "integrity": "sha512-" + base64.StdEncoding.EncodeToString(sum[:])}
	p := s.packages[name]
	if p == nil {
		p = map[string]any{"name": name, "versions": map[string]any{}}
		s.packages[name] = p
	}
	p["versions"].(map[string]any)[version] = m
	p["dist-tags"] = map[string]any{"latest": version}
	s.files[path] = tarball
}

// RoundTrip implements http.RoundTripper.
func (s *shelf) RoundTrip(r *http.Request) (*http.Response, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked = append(s.asked, r.URL.Path)
	answer := func(status int, b []byte) (*http.Response, error) {
		return &http.Response{StatusCode: status, Status: fmt.Sprint(status, " ", http.StatusText(status)), Body: io.NopCloser(bytes.NewReader(b)), Request: r}, nil
	}
	if b, ok := s.files[r.URL.Path]; ok {
		return answer(200, b)
	}
	if p, ok := s.packages[strings.TrimPrefix(r.URL.Path, "/")]; ok {
		b, err := json.Marshal(p)
		if err != nil {
			return nil, err
		}
		return answer(200, b)
	}
	return answer(404, nil)
}

func (s *shelf) sandbox(t *testing.T, cfg Config, manifest string) *engine.Sandbox {
	cfg.Transport = s
	sb := newSandbox(t, cfg, engine.Spec{Limits: engine.Limits{Disk: 8 << 20, Files: 2000, Wall: 20 * time.Second}})
	if manifest != "" {
		write(t, sb, "package.json", manifest)
	}
	return sb
}

func TestFailures(t *testing.T) {
	s := newShelf()
	s.publish(t, "good", "1.0.0", "")
	s.publish(t, "wants-gone", "1.0.0", `"dependencies":{"gone":"*"}`)
	s.publish(t, "wants-good2", "1.0.0", `"dependencies":{"good":"^2"}`)
	s.publish(t, "peer-good2", "1.0.0", `"peerDependencies":{"good":"^2"}`)
	s.publish(t, "foreign", "1.0.0", `"os":["win32"]`)
	s.publish(t, "evil", "1.0.0", "")
	s.files["/evil/-/evil-1.0.0.tgz"] = append(s.files["/evil/-/evil-1.0.0.tgz"], 'x')
	s.publish(t, "empty", "1.0.0", "")
	s.publish(t, "git-dep", "1.0.0", `"dependencies":{"x":"git+ssh://host/x"}`)
	s.publish(t, "bomb", "1.0.0", "", entry{name: "package/zeros", body: strings.Repeat("\x00", 9<<20)})
	for _, c := range []struct {
		manifest, args, code string
		status               int
	}{
		{`{"dependencies":{"gone":"1"}}`, "install", "E404", 1},
		{`{"dependencies":{"wants-gone":"1"}}`, "install", "E404", 1},
		{`{"dependencies":{"good":"^2"}}`, "install", "ETARGET", 1},
		{`{"dependencies":{"wants-good2":"*"}}`, "install", "ETARGET", 1},
		{`{"dependencies":{"good":"^1","peer-good2":"*"}}`, "install", "ETARGET", 1},
		{`{"dependencies":{"evil":"1"}}`, "install", "EINTEGRITY", 1},
		{`{"dependencies":{"foreign":"1"}}`, "install", "EBADPLATFORM", 1},
		{`{"dependencies":{"git-dep":"1"}}`, "install", "EUNSUPPORTEDPROTOCOL", 1},
		{`{"dependencies":{"bomb":"1"}}`, "install", "ENOSPC", 228},
		{`{"dependencies":`, "install", "EJSONPARSE", 1},
		{`[]`, "install", "EJSONPARSE", 1},
		{`{"dependencies":{"../../etc":"1"}}`, "install", "EINVALIDPACKAGENAME", 1},
		{`{}`, "ci", "EUSAGE", 1},
		{"", "ci", "ENOENT", 254},
		{"", "run x", "ENOENT", 254},
		{`{}`, "install -g good", "ENOTSUP", 1},
		{`{}`, "install good@9", "ETARGET", 1},
		{`{}`, "install ./local", "EUNSUPPORTEDPROTOCOL", 1},
		{`{}`, "view gone", "E404", 1},
	} {
		sb := s.sandbox(t, Config{}, c.manifest)
		res := npm(t, sb, strings.Fields(c.args)...)
		if res.ExitCode != c.status || !strings.Contains(res.Stderr, "npm error code "+c.code+"\n") {
			t.Errorf("%s with %s: got %d %q", c.args, c.manifest, res.ExitCode, res.Stderr)
		}
	}
	s.publish(t, "good", "2.0.0", "")
	sb := s.sandbox(t, Config{}, `{"dependencies":{"good":"^1","peer-good2":"*"}}`)
	if res := npm(t, sb, "install"); res.ExitCode != 1 || !strings.Contains(res.Stderr, "code ERESOLVE") {
		t.Errorf("got %+v", res)
	}
	if res := npm(t, sb, "install", "--legacy-peer-deps"); res.ExitCode != 0 {
		t.Errorf("got %+v", res)
	}
	if res := npm(t, sb, "frobnicate"); res.ExitCode != 1 || !strings.Contains(res.Stderr, "Unknown command") {
		t.Errorf("got %+v", res)
	}
}

// Without a network policy nothing is reached.
func TestNoNetwork(t *testing.T) {
	sb := newSandbox(t, Config{}, engine.Spec{})
	res := npm(t, sb, "install", "left-pad")
	if res.ExitCode != 1 || !strings.Contains(res.Stderr, "npm error") || strings.Contains(res.Stderr, "E404") {
		t.Errorf("got %+v", res)
	}
}

// What archives say of places outside the package's folder isn't done.
func TestHostileArchives(t *testing.T) {
	s := newShelf()
	s.publish(t, "hostile", "1.0.0", `"bin":{"../../../escape":"cli.js","ok":"../../../../etc/passwd","cli":"cli.js","link":"sym"}`,
		entry{name: "package/cli.js", body: "#!/usr/bin/env node\n", mode: 0o755},
		entry{name: "package/../../../../up", body: "x"}, entry{name: "/etc/absolute", body: "x"}, entry{name: "..", body: ""},
		entry{name: "package/sym", kind: tar.TypeSymlink, link: "/etc/passwd"}, entry{name: "package/hard", kind: tar.TypeLink, link: "/etc/passwd"},
		entry{name: "package/dirlink", kind: tar.TypeSymlink, link: "/home/user"}, entry{name: "package/dirlink/through", body: "x"},
		entry{name: "package/dev", kind: tar.TypeChar}, entry{name: "package/fifo", kind: tar.TypeFifo},
		entry{name: `package\..\..\back`, body: "x"}, entry{name: "package/./a//b", body: "x"})
	sb := s.sandbox(t, Config{}, `{"dependencies":{"hostile":"1"}}`)
	if res := npm(t, sb, "install"); res.ExitCode != 0 {
		t.Fatalf("got %+v", res)
	}
	var names []string
	var visit func(dir string)
	visit = func(dir string) {
		list, err := sb.Files().ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range list {
			names = append(names, strings.TrimPrefix(dir+"/"+e.Name(), "/home/user/"))
			if e.IsDir() {
				visit(dir + "/" + e.Name())
			}
		}
	}
	visit("/home/user")
	want := "app app/node_modules app/node_modules/.bin app/node_modules/.bin/cli app/node_modules/.bin/escape app/node_modules/.package-lock.json " +
		"app/node_modules/hostile app/node_modules/hostile/a app/node_modules/hostile/a/b app/node_modules/hostile/absolute app/node_modules/hostile/cli.js " +
		"app/node_modules/hostile/dirlink app/node_modules/hostile/dirlink/through app/node_modules/hostile/package.json app/package-lock.json app/package.json"
	if got := strings.Join(names, " "); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if link, err := sb.Files().Readlink("/home/user/app/node_modules/.bin/cli"); err != nil || link != "../hostile/cli.js" {
		t.Errorf("%q %v", link, err)
	}
	if _, err := sb.Files().Stat("/etc/absolute"); err == nil {
		t.Error("wrote to /etc")
	}
}

// Packages that lead to each other, and versions that have to lie beside each other.
func TestCyclesAndNesting(t *testing.T) {
	s := newShelf()
	s.publish(t, "a", "1.0.0", `"dependencies":{"b":"1","c":"1"}`)
	s.publish(t, "b", "1.0.0", `"dependencies":{"a":"1","c":"2"}`)
	s.publish(t, "c", "1.0.0", "")
	s.publish(t, "c", "2.0.0", `"dependencies":{"a":"*"}`)
	sb := s.sandbox(t, Config{}, `{"name":"x","dependencies":{"a":"*"},"devDependencies":{"c":"1"}}`)
	if res := npm(t, sb, "install"); res.ExitCode != 0 {
		t.Fatalf("got %+v", res)
	}
	for name, version := range map[string]string{"a": "1.0.0", "b": "1.0.0", "c": "1.0.0", "b/node_modules/c": "2.0.0"} {
		if m := read(t, sb, "node_modules/"+name+"/package.json"); !strings.Contains(m, `"version":"`+version+`"`) {
			t.Errorf("%s is %s", name, m)
		}
	}
	res := npm(t, sb, "uninstall", "a")
	if res.ExitCode != 0 || !strings.Contains(res.Stdout, "removed 3 packages") && !strings.Contains(res.Stdout, "removed 2 packages") {
		t.Errorf("got %+v", res)
	}
	if m := read(t, sb, "package.json"); m != "{\n  \"name\": \"x\",\n  \"devDependencies\": {\n    \"c\": \"1\"\n  }\n}\n" {
		t.Errorf("got %s", m)
	}
}

// A clean installation needs no registry when the host's cache has the packages, and takes nothing from a cache that was
// tampered with.
func TestCache(t *testing.T) {
	s := newShelf()
	s.publish(t, "a", "1.0.0", `"dependencies":{"b":"1"}`)
	s.publish(t, "b", "1.0.0", "", entry{name: "package/index.js", body: "module.exports = 1\n"})
	sb := s.sandbox(t, Config{}, `{"dependencies":{"a":"*"}}`)
	npm(t, sb, "install")
	lock := read(t, sb, "package-lock.json")
	dir := t.TempDir()
	for _, b := range s.files {
		if err := FillCache(dir, b); err != nil {
			t.Fatal(err)
		}
	}
	empty := newShelf()
	offline := empty.sandbox(t, Config{Cache: dir}, `{"dependencies":{"a":"*"}}`)
	write(t, offline, "package-lock.json", lock)
	if res := npm(t, offline, "ci"); res.ExitCode != 0 || !strings.Contains(res.Stdout, "added 2 packages") || len(empty.asked) > 0 {
		t.Errorf("got %+v, asked %v", res, empty.asked)
	}
	if got := read(t, offline, "node_modules/b/index.js"); got != "module.exports = 1\n" {
		t.Errorf("got %q", got)
	}
	write(t, offline, "package.json", `{"dependencies":{"a":"*","c":"*"}}`)
	if res := npm(t, offline, "ci"); res.ExitCode != 1 || !strings.Contains(res.Stderr, "Missing: c@* from lock file") {
		t.Errorf("got %+v", res)
	}
}

func TestLocalCommands(t *testing.T) {
	s := newShelf()
	s.publish(t, "tool", "1.2.3", `"bin":"cli.js"`, entry{name: "package/cli.js", body: "#!/bin/sh tool\n"})
	sh := engine.Program{Path: "/bin/sh", Func: func(_ context.Context, c *engine.Call) int {
		fmt.Fprintln(c.Stdout, strings.Join(c.Args[1:], " "), c.Getenv("npm_lifecycle_event"), c.Getenv("npm_package_version"), c.Dir)
		if strings.Contains(strings.Join(c.Args, " "), "exit 3") {
			return 3
		}
		return 0
	}}
	eng, err := engine.New(engine.Config{NoCache: true, Images: []engine.Image{{Name: "npm", Programs: append(Programs(Config{Transport: s}), sh)}}})
	if err != nil {
		t.Fatal(err)
	}
	defer eng.Close()
	sb, err := eng.Create(t.Context(), engine.Spec{})
	if err != nil {
		t.Fatal(err)
	}
	if err := sb.Files().MkdirAll("/home/user/app/sub", 0o755); err != nil {
		t.Fatal(err)
	}
	want := func(status int, out string, args ...string) {
		t.Helper()
		res := npm(t, sb, args...)
		if res.ExitCode != status || !strings.Contains(res.Stdout+res.Stderr, out) {
			t.Errorf("npm %v: got %+v", args, res)
		}
	}
	want(0, "Wrote to /home/user/app/package.json", "init", "-y")
	if m := read(t, sb, "package.json"); !strings.Contains(m, "\"name\": \"app\"") || !strings.Contains(m, "no test specified") {
		t.Errorf("got %s", m)
	}
	want(0, "added 1 package", "install", "--save-dev", "tool")
	if m := read(t, sb, "package.json"); !strings.Contains(m, "\"devDependencies\": {\n    \"tool\": \"^1.2.3\"\n  }") {
		t.Errorf("got %s", m)
	}
	want(0, "app@1.0.0 /home/user/app\n└── tool@1.2.3\n", "ls")
	want(0, "1.2.3", "view", "tool", "version")
	want(0, "", "outdated")
	s.publish(t, "tool", "1.3.0", `"bin":"cli.js"`)
	want(1, "tool       1.2.3   1.3.0   1.3.0  node_modules/tool  app", "outdated")
	want(0, "v1.0.1", "version", "patch")
	want(1, "Invalid version", "version", "x.y")
	write(t, sb, "package.json", `{"name":"app","version":"1.0.1","scripts":{"pretest":"one","test":"two","posttest":"three","bad":"exit 3"}}`)
	want(0, "\n> app@1.0.1 pretest\n> one\n\n-c one pretest 1.0.1 /home/user/app\n\n> app@1.0.1 test\n> two x \"y z\"\n\n-c two x \"y z\" test", "test", "--", "x", "y z")
	want(3, "-c exit 3", "run", "bad")
	if res := npm(t, sb, "run", "--silent", "test"); res.ExitCode != 0 || strings.Contains(res.Stdout, "> ") {
		t.Errorf("--silent: got %+v", res)
	}
	want(1, `Missing script: "none"`, "run", "none")
	want(0, "", "run", "--if-present", "none")
	want(0, "Scripts available in app@1.0.1", "run")
	want(0, "/home/user/app/node_modules\n", "root")
	want(0, "/home/user/app\n", "prefix")
	want(0, "https://registry.npmjs.org/\n", "config", "get", "registry")
	want(0, "11.", "--version")
	want(0, "tool /home/user/app/node_modules/.bin/tool", "exec", "tool")
	want(0, "app-1.0.1.tgz", "pack")
	res, err := sb.Run(t.Context(), engine.Command{Args: []string{"npx", "tool@1.2.3", "-x"}, Dir: "/tmp"})
	if err != nil || res.ExitCode != 0 || !strings.Contains(res.Stdout, "/.npm/_npx/") || !strings.Contains(res.Stdout, " -x ") {
		t.Errorf("npx: %+v, %v", res, err)
	}
	want(0, "", "config", "set", "registry", "http://other.example/")
	want(0, "http://other.example/\n", "config", "get", "registry")
}
