package mcpbridge

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/belljar-dev/belljar/engine"
	"github.com/belljar-dev/belljar/runtimes/js"
	"github.com/belljar-dev/belljar/runtimes/python"
)

// Every name of JavaScript means one interpreter, whose variables stay.
func TestRunJavaScript(t *testing.T) {
	image := engine.Compose("all", python.Image(), js.Image())
	c := connect(t, newBridgeOf(t, Config{Languages: []string{"python", "js"}}, image))
	for _, call := range []struct{ language, code, want string }{
		{"js", "const x = [1, 2]; x.length", "2\n"},
		{"javascript", "console.log('out'); x.map((n) => n * 2)", "out\n[ 2, 4 ]\n"},
		{"node", "require('fs').writeFileSync('m.ts', 'export const n: number = 5'); (await import('./m.ts')).n", "5\n"},
		{"JavaScript", "throw new TypeError('bad')", "TypeError: bad"},
		{"python", "x = 7; x", "7\n"},
		{"py", "x", "7\n"},
	} {
		arguments, err := json.Marshal(map[string]string{"code": call.code, "language": call.language})
		if err != nil {
			t.Fatal(err)
		}
		if a := c.tool("run_code", string(arguments)); !strings.Contains(a.text(), call.want) {
			t.Errorf("%s: %s: %q", call.language, call.code, a.text())
		}
	}
	if a := c.tool("run_code", `{"code": "1", "language": "cobol"}`); !strings.Contains(a.text(), "use python, js") {
		t.Errorf("an unknown language: %q", a.text())
	}
}
