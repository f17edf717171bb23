package esbuild_test

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/belljar-dev/belljar/engine"
	"github.com/belljar-dev/belljar/runtimes/js/esbuild"
)

func newSandbox(t *testing.T, files map[string]string, spec engine.Spec) *engine.Sandbox {
	t.Helper()
	eng, err := engine.New(engine.Config{Images: []engine.Image{{Name: "e", Programs: []engine.Program{esbuild.Program()}}}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { eng.Close() })
	sb, err := eng.Create(t.Context(), spec)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { sb.Close() })
	for name, content := range files {
		dir := "/home/user/" + name[:strings.LastIndexByte("/"+name, '/')]
		if err := sb.Files().MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := sb.Files().WriteFile("/home/user/"+name, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return sb
}

// The project of the tests below.
var project = map[string]string{
	"a.ts": "export const one: number = 1\n", "b.tsx": "export const b = <p/>\n", "bad.ts": "let x: = 1\n", "x.weird": "x",
	"deep.ts": strings.Repeat("(", 1<<18), "s.css": "@import './t.css';\na { color: red; background: url(./dot.png) }\n", "t.css": "b { color: blue }\n",
	"dot.png": "PNG", "data.json": `{"n":7}`,
	"app.ts":                             "import { one } from './a'\nimport data from './data.json'\nimport dep, { sub } from 'dep'\nimport '@app/x'\nconsole.log(one + data.n, dep, sub)\n",
	"src/x.ts":                           "console.log('x')\n",
	"tsconfig.json":                      `{"compilerOptions":{"jsx":"react-jsx","paths":{"@app/*":["./src/*"]}}}`,
	"node_modules/dep/package.json":      `{"name":"dep","exports":{".":{"import":"./esm.mjs","require":"./cjs.js"}}}`,
	"node_modules/dep/esm.mjs":           "export * from './sub.mjs'\nexport default 'esm'\n",
	"node_modules/dep/sub.mjs":           "export const sub = 'sub', unused = 'not wanted'\n",
	"node_modules/dep/cjs.js":            "module.exports = 'cjs'\n",
	"node_modules/@scope/d/package.json": `{"name":"@scope/d","main":"lib"}`, "node_modules/@scope/d/lib/index.js": "exports.d = require('dep')\n",
	"cjs.js": "console.log(require('@scope/d').d)\n", "lost.js": "import 'nowhere'\n", "fs.js": "import fs from 'fs'\nconsole.log(fs)\n",
	"two.js": "import('./three.js').then(m => console.log(m.three))\n", "three.js": "export const three = 3\n",
}

func TestCommand(t *testing.T) {
	sb := newSandbox(t, project, engine.Spec{})
	for _, c := range []struct {
		args, stdin string
		status      int
		out         []string // parts of what both streams have
	}{
		{"--version", "", 0, []string{"0.28.2\n"}},
		{"a.ts", "", 0, []string{"export const one = 1;\n"}},
		{"a.ts --minify --format=cjs", "", 0, []string{"one:()=>"}},
		{"b.tsx", "", 0, []string{"from \"react/jsx-runtime\""}},
		{"t.css --minify", "", 0, []string{"b{color:#00f}\n"}},
		{"--loader=ts", "let a: string = 'x'", 0, []string{"let a = \"x\";\n"}},
		{"--define:X=2", "f(X)", 0, []string{"f(2);\n"}},
		{"a.ts b.tsx --outdir=out --sourcemap", "", 0, []string{"out/a.js ", "out/b.js.map", "Done in"}},
		{"app.ts --bundle --format=esm", "", 0, []string{"// a.ts\nvar one = 1;\n", "// node_modules/dep/sub.mjs\n", "// src/x.ts\n", "console.log(one + data_default.n, esm_default, sub);"}},
		{"app.ts --bundle --minify --outfile=out/app.js --metafile=out/meta.json", "", 0, []string{"out/app.js"}},
		{"cjs.js --bundle", "", 0, []string{"require_cjs", "\"node_modules/@scope/d/lib/index.js\"(exports)"}},
		{"lost.js --bundle", "", 1, []string{`✘ [ERROR] Could not resolve "nowhere"`, "lost.js:1:7:", "You can mark the path", "1 error\n"}},
		{"lost.js --bundle --external:nowhere --format=esm", "", 0, []string{`import "nowhere";`}},
		{"fs.js --bundle", "", 1, []string{`--platform=node`}},
		{"fs.js --bundle --platform=node", "", 0, []string{`require("fs")`}},
		{"s.css --bundle --loader:.png=dataurl", "", 0, []string{"/* t.css */\n", "url(data:image/png,PNG)"}},
		{"s.css --bundle --loader:.png=file --outdir=out", "", 0, []string{"out/dot-", "out/s.css"}},
		{"two.js --bundle --splitting --format=esm --outdir=out", "", 0, []string{"out/three-"}},
		{"a.ts b.tsx", "", 1, []string{"Must use \"outdir\""}},
		{"bad.ts", "", 1, []string{"bad.ts:1:7:\n", `Unexpected "="`}},
		{"none.ts", "", 1, []string{"Could not resolve \"none.ts\""}},
		{"x.weird --bundle", "", 1, []string{"No loader is configured for \".weird\" files"}},
		{"--frobnicate a.ts", "", 1, []string{`Invalid build flag: "--frobnicate"`}},
		{"a.ts --outfile=/etc/passwd", "", 1, []string{"ermission denied"}},
		{"/etc/hostname --loader=text", "", 1, nil},
		{"a.ts --service=1", "", 1, []string{"does not match binary version"}},
	} {
		res, err := sb.Run(t.Context(), engine.Command{Args: append([]string{"esbuild"}, strings.Fields(c.args)...), Stdin: strings.NewReader(c.stdin)})
		got := res.Stdout + res.Stderr
		if err != nil || res.ExitCode != c.status {
			t.Errorf("esbuild %.60s: got %d, %v\n%.600s", c.args, res.ExitCode, err, got)
			continue
		}
		for _, part := range c.out {
			if !strings.Contains(got, part) {
				t.Errorf("esbuild %.60s: no %q in\n%.600s", c.args, part, got)
			}
		}
	}
	for name, want := range map[string]string{
		"out/a.js": "export const one = 1;\n//# sourceMappingURL=a.js.map\n", "out/a.js.map": `"version": 3`, "out/meta.json": `"inputs": {`,
	} {
		if b, err := sb.Files().ReadFile("/home/user/" + name); err != nil || !strings.Contains(string(b), want) {
			t.Errorf("%s: %q, %v", name, b, err)
		}
	}
}

// What nests too deeply for the program, or grows without end, is its own end, not the host's.
func TestHostileSources(t *testing.T) {
	doubled := "enum E { A = 'xxxxxxxx'"
	for c := 'B'; c < 'Z'; c++ {
		doubled += ", " + string(c) + " = " + string(c-1) + " + " + string(c-1)
	}
	sb := newSandbox(t, map[string]string{"deep.ts": strings.Repeat("(", 1<<20), "grow.ts": doubled + " }"}, engine.Spec{})
	for _, name := range []string{"deep.ts", "grow.ts"} {
		res, err := sb.Run(t.Context(), engine.Command{Args: []string{"esbuild", name}})
		var trap *engine.TrapError
		if err != nil && !errors.As(err, &trap) || res.ExitCode == 0 {
			t.Errorf("%s: got %d, %v\n%.300s", name, res.ExitCode, err, res.Stderr)
		}
	}
	if res, err := sb.Run(t.Context(), engine.Command{Args: []string{"esbuild", "--version"}}); err != nil || res.ExitCode != 0 {
		t.Errorf("afterwards: %+v, %v", res, err)
	}
}

// watcher is an esbuild that doesn't end by itself, and what it says.
type watcher struct {
	*engine.Process
	said chan string
}

func (w watcher) Write(b []byte) (int, error) {
	w.said <- string(b)
	return len(b), nil
}

// until waits for something to be said.
func (w watcher) until(t *testing.T, part string) {
	t.Helper()
	var all strings.Builder
	for {
		select {
		case s := <-w.said:
			if all.WriteString(s); strings.Contains(all.String(), part) {
				return
			}
		case <-time.After(5 * time.Minute): // the program may have to be compiled first
			t.Fatalf("no %q in %q", part, all.String())
		}
	}
}

func start(t *testing.T, sb *engine.Sandbox, args ...string) watcher {
	t.Helper()
	w := watcher{said: make(chan string, 1000)}
	p, err := sb.Start(t.Context(), engine.Command{Args: append([]string{"esbuild"}, args...), Stdout: w, Stderr: w})
	if err != nil {
		t.Fatal(err)
	}
	w.Process = p
	return w
}

func TestWatch(t *testing.T) {
	sb := newSandbox(t, map[string]string{"a.ts": "console.log(1)"}, engine.Spec{})
	w := start(t, sb, "a.ts", "--outfile=out.js", "--watch=forever")
	w.until(t, "build finished")
	if err := sb.Files().WriteFile("/home/user/a.ts", []byte("console.log(22)"), 0o644); err != nil {
		t.Fatal(err)
	}
	w.until(t, "build finished")
	if b, err := sb.Files().ReadFile("/home/user/out.js"); err != nil || !bytes.Contains(b, []byte("22")) {
		t.Errorf("%q, %v", b, err)
	}
	w.Signal(engine.SIGKILL)
	if _, err := w.Wait(); err != nil {
		t.Error(err)
	}
	// It ends with its standard input, which is empty here.
	w = start(t, sb, "a.ts", "--outfile=out.js", "--watch")
	w.until(t, "stopped automatically because stdin was closed")
	if res, err := w.Wait(); err != nil || res.ExitCode != 0 {
		t.Errorf("got %+v, %v", res, err)
	}
}

func TestServe(t *testing.T) {
	sb := newSandbox(t, map[string]string{"www/index.html": "<script src=app.js></script>", "app.ts": "console.log(1 as number)"}, engine.Spec{})
	client := http.Client{Timeout: time.Minute, Transport: &http.Transport{DialContext: sb.Dialer().DialContext, DisableKeepAlives: true}}
	w := start(t, sb, "app.ts", "--bundle", "--servedir=www", "--outdir=www", "--serve=127.0.0.1:8123", "--watch=forever")
	w.until(t, "http://127.0.0.1:8123/")
	for path, want := range map[string]string{"/": "<script src=app.js>", "/app.js": "console.log(1);", "/none": "404"} {
		res, err := client.Get("http://127.0.0.1:8123" + path)
		if err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		_, _ = b.ReadFrom(res.Body)
		res.Body.Close()
		if !strings.Contains(b.String()+res.Status, want) {
			t.Errorf("%s: %s %q", path, res.Status, b.String())
		}
	}
	// A port that is taken is an error.
	res, err := sb.Run(context.Background(), engine.Command{Args: []string{"esbuild", "--servedir=www", "--serve=127.0.0.1:8123"}})
	if err != nil || res.ExitCode != 1 || !strings.Contains(res.Stderr, "ddress already in use") {
		t.Errorf("got %+v, %v", res, err)
	}
	w.Signal(engine.SIGKILL)
	if _, err := w.Wait(); err != nil {
		t.Error(err)
	}
}
