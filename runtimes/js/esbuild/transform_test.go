package esbuild

import (
	"os"
	"os/exec"
	"runtime/debug"
	"strings"
	"testing"

	"github.com/evanw/esbuild/pkg/api"
)

func TestTransform(t *testing.T) {
	for _, c := range []struct {
		r                      Request
		source, tsconfig, want string
	}{
		{Request{File: "/a.ts"}, "let x: number = 1", "", "let x = 1;\n"},
		{Request{File: "/a.mts"}, "import type { A } from 'a'; export const b = 1 as A", "", "export const b = 1;\n"},
		{Request{File: "/a.tsx"}, "x = <a b={1}/>", "", "x = /* @__PURE__ */ React.createElement(\"a\", { b: 1 });\n"},
		{Request{File: "/a.jsx"}, "x = <a/>", `{"compilerOptions":{"jsx":"react-jsx"}}`,
			"import { jsx } from \"react/jsx-runtime\";\nx = /* @__PURE__ */ jsx(\"a\", {});\n"},
		{Request{File: "/a.cts", Format: "cjs"}, "import fs = require('fs'); export = fs", "",
			"const fs = require(\"fs\");\nmodule.exports = fs;\n"},
		{Request{File: "/a.js", Minify: true}, "const abc = 1; console.log( abc )", "", "const abc=1;console.log(1);\n"},
	} {
		a, code := New().transform(t.Context(), c.r, c.source, c.tsconfig)
		if len(a.Errors) > 0 || string(code) != c.want {
			t.Errorf("%+v: %q, %+v", c.r, code, a.Errors)
		}
	}
	a, _ := New().transform(t.Context(), Request{File: "/a.ts", Map: true}, "\n\nlet x: number = 1\nthrow x", "")
	if !strings.Contains(string(a.Map), `"/a.ts"`) && !strings.Contains(string(a.Map), `a.ts`) {
		t.Errorf("%s", a.Map)
	}
	for source, want := range map[string]string{
		"let x: = 1": "Unexpected", "(": "Unexpected end of file", "enum": "Expected identifier",
	} {
		if a, code := New().transform(t.Context(), Request{File: "/a.ts"}, source, ""); len(a.Errors) == 0 || code != nil ||
			!strings.Contains(a.Errors[0].Text, want) || a.Errors[0].Line != 1 {
			t.Errorf("%q: %+v", source, a)
		}
	}
}

// Sources that would end the host are answered with an error.
func TestDeepSources(t *testing.T) {
	const n = 1 << 20
	for _, unit := range []string{"(", "[", "{", "`${", "<a>", "!", "a=>", "a?", "a?a:", "if(a)", "new ", "a.", "-", "class{a=", "function(){"} {
		a, _ := New().transform(t.Context(), Request{File: "/a.tsx"}, strings.Repeat(unit, n), "")
		if len(a.Errors) == 0 {
			t.Errorf("%q was parsed", unit)
		}
	}
	if a, _ := New().transform(t.Context(), Request{File: "/a.ts"}, "x", strings.Repeat("[", n)); len(a.Errors) == 0 {
		t.Error("a deep tsconfig was parsed")
	}
	// A large but ordinary one is parsed.
	if a, _ := New().transform(t.Context(), Request{File: "/a.ts"}, strings.Repeat("{ let f = (a: number) => { return a + 1 } }\n", 5_000), ""); len(a.Errors) > 0 {
		t.Errorf("%+v", a.Errors[0])
	}
}

// constructs are what can nest: what opens a level, what stands innermost, what closes a level.
var constructs = []struct {
	open, inner, shut, end string
	loader                 api.Loader
}{
	{"(", "a", ")", "", api.LoaderTSX}, {"[", "a", "]", "", api.LoaderTSX}, {"[{a:", "a", "}]", "", api.LoaderTSX},
	{"{", "a", "}", "", api.LoaderTSX}, {"!", "a", "", "", api.LoaderTSX}, {"a?", "a", ":a", "", api.LoaderTSX},
	{"a?a:", "a", "", "", api.LoaderTSX}, {"a=>", "a", "", "", api.LoaderTSX}, {"(a=", "a", ")=>a", "", api.LoaderTSX},
	{"a=", "a", "", "", api.LoaderTSX}, {"if(a)", "a", "", "", api.LoaderTSX}, {"if(a);else ", "a", "", "", api.LoaderTSX},
	{"a:", "a", "", "", api.LoaderTSX}, {"(class{a=", "a", "})", "", api.LoaderTSX}, {"a=function(){", "a", "}", "", api.LoaderTSX},
	{"a`${", "a", "}`", "", api.LoaderTSX}, {"<a>", "a", "</a>", "", api.LoaderJSX}, {"<a b={", "a", "}/>", "", api.LoaderJSX},
	{"a.", "a", "", "", api.LoaderTSX}, {"a?.", "a", "", "", api.LoaderTSX}, {"a+", "a", "", "", api.LoaderTSX},
	{"a**", "a", "", "", api.LoaderTSX}, {"a??", "a", "", "", api.LoaderTSX}, {"a,", "a", "", "", api.LoaderTSX},
	{"a;", "a", "", "", api.LoaderTSX}, {"new ", "a", "", "", api.LoaderTSX}, {"typeof ", "a", "", "", api.LoaderTSX},
	{"await ", "a", "", "", api.LoaderTSX}, {"a&&", "a", "", "", api.LoaderTSX}, {"a|", "a", "", "", api.LoaderTSX},
	{"while(a)", "a", "", "", api.LoaderTSX}, {"for(;;)", "a", "", "", api.LoaderTSX}, {"do ", "a", " while(a)", "", api.LoaderTSX},
	{"try{", "a", "}catch{}", "", api.LoaderTSX}, {"switch(a){case a:", "a", "}", "", api.LoaderTSX},
	{"import(", "a", ")", "", api.LoaderTSX}, {"async()=>", "a", "", "", api.LoaderTSX}, {"a[", "a", "]", "", api.LoaderTSX},
	{"a(", "a", ")", "", api.LoaderTSX}, {"({...", "a", "})", "", api.LoaderTSX}, {"a<", "a", ">a", "", api.LoaderTSX},
	{"{a:[", "a", "]}", "", api.LoaderTSX}, {"let x:(a:", "b", ")=>c", "", api.LoaderTS}, {"namespace a{", "a", "}", "", api.LoaderTS},
	{"if(a)return b;", "a", "", "", api.LoaderTS}, {"a{", "", "}", "", api.LoaderCSS}, {"[", "", "]", "", api.LoaderJSON},
	{"as a extends b?c:", "b", "", "", api.LoaderTS}, {"@(", "a", ")class{}", "", api.LoaderTS},
}

// TestWeights parses, in processes of their own with a small stack, sources whose weight is just what that stack allows.
func TestWeights(t *testing.T) {
	const stack = 4 << 20 // more would take minutes where esbuild's errors are many
	if i := os.Getenv("BELLJAR_CONSTRUCT"); i != "" {
		debug.SetMaxStack(stack)
		c := constructs[int(i[0]-'A')]
		n := int(stack * 3 / 4 / weight(c.open+c.shut))
		for _, prefix := range []string{"", "x=", "let x:"} {
			api.Transform(prefix+strings.Repeat(c.open, n)+c.inner+strings.Repeat(c.shut, n)+c.end, api.TransformOptions{
				Loader: c.loader, Target: api.ES2015, MinifySyntax: true, Sourcemap: api.SourceMapInline,
			})
		}
		return
	}
	if testing.Short() {
		t.Skip("starts a process for each construct")
	}
	for i, c := range constructs {
		cmd := exec.Command(os.Args[0], "-test.run", "^TestWeights$")
		cmd.Env = append(os.Environ(), "BELLJAR_CONSTRUCT="+string(rune('A'+i)))
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%q: the stack overflows within its weight: %v: %.100s", c.open, err, out)
		}
	}
}
