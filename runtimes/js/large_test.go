package js_test

import (
	"strings"
	"testing"

	"github.com/belljar-dev/belljar/engine"
)

// TypeScript that is not for the host is run all the same, and its errors have their place.
func TestLargeTypeScript(t *testing.T) {
	sb := newSandbox(t, newEngine(t), engine.Spec{Image: "js"})
	for name, content := range map[string]string{
		"large.ts": "const n: number = 41\n" + strings.Repeat("// what there is much of\n", 20_000) + "console.log(n + 1)\n",
		"enum.ts":  "enum E { A = 'x', B = A + A, C = `${B}${B}` }\nconsole.log(E.C)\n",
		"bad.ts":   "enum E { A = 'x' + 'y' }\nlet x: = 1\n",
	} {
		if err := sb.Files().WriteFile("/home/user/"+name, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for name, want := range map[string]string{"large.ts": "42\n", "enum.ts": "xxxx\n"} {
		res, err := sb.Run(t.Context(), engine.Command{Args: []string{"node", name}})
		if err != nil || res.Stdout != want {
			t.Errorf("%s: got %+v, %v", name, res, err)
		}
	}
	res, err := sb.Run(t.Context(), engine.Command{Args: []string{"node", "bad.ts"}})
	if err != nil || res.ExitCode != 1 || !strings.Contains(res.Stderr, "/home/user/bad.ts:2\nlet x: = 1\n       ^") {
		t.Errorf("got %+v, %v", res, err)
	}
}
