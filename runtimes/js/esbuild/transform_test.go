package esbuild

import (
	"fmt"
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
	for source, want := range map[string]string{
		"let x: = 1": "Unexpected", "(": "Unexpected end of file", "enum": "Expected identifier",
	} {
		if a, code := New().transform(t.Context(), Request{File: "/a.ts"}, source, ""); len(a.Errors) == 0 || code != nil ||
			!strings.Contains(a.Errors[0].Text, want) || a.Errors[0].Line != 1 {
			t.Errorf("%q: %+v", source, a)
		}
	}
}

// Sources that would end the host aren't for it.
func TestHeavySources(t *testing.T) {
	const n = 1 << 20
	ts, tsx := Request{File: "/a.ts"}, Request{File: "/a.tsx"}
	for _, unit := range []string{"(", "[", "{", "`${", "<a>", "!", "a=>", "a?", "a?a:", "if(a)", "new ", "a.", "-", "class{a=", "function(){"} {
		if !tsx.heavy(strings.Repeat(unit, n/4), "") {
			t.Errorf("%q isn't heavy", unit)
		}
	}
	if !ts.heavy("x", strings.Repeat("[", n)) {
		t.Error("a deep tsconfig isn't heavy")
	}
	if !tsx.heavy(strings.Repeat("<a/>", 50_000), `{"compilerOptions":{"jsxFactory":"`+strings.Repeat("h", 10_000)+`"}}`) {
		t.Error("a long factory isn't heavy")
	}
	doubled := "enum E { A = 'x'"
	for c := 'B'; c < 'Z'; c++ {
		doubled += fmt.Sprintf(", %c = %c + %c", c, c-1, c-1)
	}
	doubled += " }"
	for _, source := range []string{
		doubled, strings.ReplaceAll(strings.ReplaceAll(doubled, " = A + A", " = `${A}${A}`"), "+", "/**/+"),
		"enum E { A = '" + strings.Repeat("x", 1<<16) + "' }\n" + strings.Repeat("E.A;", 1<<14),
		"enum/**/E { A = 'x' + 'y' }", "enum\u00a0E { A }", "enum E/**/{ A }", "enum \\u0041 { A = 'x' + 'y' }",
		"enum E { A = '}', B = A + A }", "enum E { A = \"}\", /* } */ B = A + A }", "enum E { // }\n B = A + A }", "enum E { A = `}${B}`, B }",
		"enum E { // \u2028 A = 'x' + A, //\n}", "enum E { A = '\\'}', B = A + A }", "enum E { ['}'] = 1, B = A + A }", "enum E { A = /}/ + 'x' }",
	} {
		if !ts.heavy(source, "") {
			t.Errorf("%.80q isn't heavy", source)
		}
	}
	for _, source := range []string{
		strings.Repeat("{ let f = (a: number) => { return a + 1 } }\n", 5_000), "export const enum Color { Red = 'red', Green = 'green' }; Color.Red + 1",
		"enum E { A = 1 << 0, B = 1 << 1, /* both */ C = A | B, // }\n D }", "// an enum of sorts\nlet enumerable = x.enum + 'enum'", "enum\nE\n{ A, 'b-c' = -1 }",
	} {
		if ts.heavy(source, "") {
			t.Errorf("%.80q is heavy", source)
		}
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
