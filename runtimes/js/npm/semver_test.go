package npm

import (
	"encoding/json"
	"os/exec"
	"strings"
	"testing"
)

// TestRangesAsNpm compares with the semver package of the machine's npm.
func TestRangesAsNpm(t *testing.T) {
	root, err := exec.Command("npm", "root", "-g").Output()
	if err != nil {
		t.Skip("no npm to compare with")
	}
	ranges := []string{
		"", "*", "x", "1", "1.x", "1.2", "1.2.x", "1.2.3", "=1.2.3", "v1.2.3", "^1", "^1.2", "^1.2.3", "^0.2.3", "^0.0.3", "^0", "^0.0",
		"^0.0.x", "^1.x", "~1", "~1.2", "~1.2.3", "~0", "~> 1.2", "~1.2.3-beta.2", ">1", ">1.2", ">1.2.3", ">=1", ">= 1.2.3", "<1", "<1.2",
		"<2.0.0", "<=1", "<=1.2", "<=1.2.3", "1.2.3 - 2.3.4", "1.2 - 2.3", "1.2.3 - 2", "1 - 2", ">=1.2.3 <2.0.0", ">1.0.0 <1.2.3 || >=2",
		"^1.2.3-beta.2", ">=1.2.3-beta", "1.2.3-beta.4", "^1.0.0 || ^2.0.0-rc.1", "<1.2.3-beta", "^0.0.1-beta", ">*", "<*", "^*", "~*",
		"latest", "not a range", "1.2.3.4", ">=1 <", "||", "1 || x", " 1.2.3 ", "^ 1.2", "=  1", "1.2.3+build", "^1.2.3+b", "<1.x", ">1.x.x",
		">=01.2.3", "1.2.3-", "^1.2.3 <1.5", "x.1.2", "1.x.3", "1.2.3 || ^", "0.0.0-0", "^0.0.0-0", ">=0.0.0-0",
	}
	versions := []string{
		"0.0.0", "0.0.1", "0.0.3", "0.0.4", "0.1.0", "0.2.3", "0.2.9", "0.3.0", "1.0.0", "1.0.1", "1.2.0", "1.2.2", "1.2.3", "1.2.4", "1.3.0",
		"1.5.0", "1.9.9", "2.0.0", "2.3.4", "2.3.5", "2.4.0", "3.0.0", "10.0.0", "1.2.3-beta", "1.2.3-beta.2", "1.2.3-beta.4", "1.2.3-beta.10",
		"1.2.3-rc", "1.2.4-beta", "2.0.0-rc.1", "2.0.0-0", "2.0.0-beta", "0.0.1-beta", "0.0.1-beta.1", "0.0.0-0", "1.0.0-alpha", "3.0.0-x",
	}
	in, err := json.Marshal([]any{strings.TrimSpace(string(root)) + "/npm/node_modules/semver", ranges, versions})
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("node", "-e", `
		const [path, ranges, versions] = JSON.parse(require('fs').readFileSync(0)), semver = require(path)
		console.log(JSON.stringify(ranges.map(r => versions.map(v => semver.satisfies(v, r)))))`)
	cmd.Stdin = strings.NewReader(string(in))
	out, err := cmd.Output()
	if err != nil {
		t.Skipf("npm's semver does not run: %v", err)
	}
	var want [][]bool
	if err := json.Unmarshal(out, &want); err != nil {
		t.Fatal(err)
	}
	for i, r := range ranges {
		for j, v := range versions {
			if got := satisfies(v, r); got != want[i][j] {
				t.Errorf("satisfies(%q, %q) is %v", v, r, got)
			}
		}
	}
}
