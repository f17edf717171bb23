package clients

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var server = Server{Name: "belljar", Command: "/opt/bell jar/belljar", Args: []string{"mcp", "start"}}

func find(t *testing.T, name string) Client {
	t.Helper()
	c, err := Find(name)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestPaths(t *testing.T) {
	for _, c := range []struct {
		client string
		system System
		scope  Scope
		want   string
	}{
		{"claude", System{OS: "darwin", Home: "/h"}, User, "/h/Library/Application Support/Claude/claude_desktop_config.json"},
		{"claude", System{OS: "linux", Home: "/h"}, User, "/h/.config/Claude/claude_desktop_config.json"},
		{"claude", System{OS: "linux", Home: "/h", ConfigHome: "/c"}, User, "/c/Claude/claude_desktop_config.json"},
		{"claude-code", System{Home: "/h"}, User, "/h/.claude.json"},
		{"claude-code", System{Project: "/p"}, Project, "/p/.mcp.json"},
		{"cursor", System{OS: "windows", Home: "/h", AppData: "/a"}, User, "/h/.cursor/mcp.json"},
		{"cursor", System{Project: "/p"}, Project, "/p/.cursor/mcp.json"},
		{"windsurf", System{Home: "/h"}, User, "/h/.codeium/windsurf/mcp_config.json"},
		{"devin", System{Home: "/h"}, User, "/h/.codeium/windsurf/mcp_config.json"},
		{"vscode", System{OS: "linux", Home: "/h"}, User, "/h/.config/Code/User/mcp.json"},
		{"vscode", System{OS: "windows", AppData: "/a"}, User, "/a/Code/User/mcp.json"},
		{"vscode", System{OS: "darwin", Home: "/h"}, User, "/h/Library/Application Support/Code/User/mcp.json"},
		{"vscode", System{Project: "/p"}, Project, "/p/.vscode/mcp.json"},
	} {
		got, err := find(t, c.client).Path(c.system, c.scope)
		if err != nil || filepath.ToSlash(got) != c.want {
			t.Errorf("%s: %s, %v; want %s", c.client, got, err, c.want)
		}
	}
	if _, err := find(t, "claude").Path(System{}, Project); err == nil {
		t.Error("Claude Desktop has no projects")
	}
	if _, err := find(t, "claude").Path(System{}, "world"); err == nil {
		t.Error("an unknown scope is accepted")
	}
	if _, err := Find("emacs"); err == nil || !strings.Contains(err.Error(), "vscode") {
		t.Errorf("an unknown client: %v", err)
	}
}

func TestClaudeDesktopOnWindows(t *testing.T) {
	local, roaming := t.TempDir(), t.TempDir()
	s := System{OS: "windows", LocalAppData: local, AppData: roaming}
	classic := filepath.Join(roaming, "Claude", claudeFile)
	inPackage := func(name string) string {
		return filepath.Join(local, "Packages", "Claude_"+name, "LocalCache", "Roaming", "Claude", claudeFile)
	}
	touch := func(name string) {
		t.Helper()
		if err := errors.Join(os.MkdirAll(filepath.Dir(name), 0o755), os.WriteFile(name, []byte("{}"), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	check := func(want string) {
		t.Helper()
		if got, err := find(t, "claude").Path(s, User); err != nil || got != want {
			t.Errorf("%s, %v; want %s", got, err, want)
		}
	}
	check(classic)
	if err := os.MkdirAll(filepath.Join(local, "Packages", "Claude_a"), 0o755); err != nil {
		t.Fatal(err)
	}
	check(inPackage("a"))
	touch(classic)
	check(classic)
	touch(inPackage("a"))
	check(inPackage("a"))
	touch(inPackage("b"))
	if got, err := find(t, "claude").Path(s, User); err == nil || !strings.Contains(err.Error(), inPackage("b")) {
		t.Errorf("two packages: %s, %v", got, err)
	}
}

const fresh = `{
  "mcpServers": {
    "belljar": {
      "command": "/opt/bell jar/belljar",
      "args": [
        "mcp",
        "start"
      ],
      "env": {}
    }
  }
}
`

func TestAdd(t *testing.T) {
	for _, c := range []struct{ name, client, old, want string }{
		{"no file", "cursor", "", fresh},
		{"blank file", "cursor", " \n", fresh},
		{"as it should be", "cursor", fresh, fresh},
		{"other keys and comments", "cursor", "// mine\n{\n  \"a\": 1, // one\n  \"mcpServers\": {\n    \"x\": {\"command\": \"y\"}\n  }\n}\n",
			"// mine\n{\n  \"a\": 1, // one\n  \"mcpServers\": {\n    \"x\": {\"command\": \"y\"},\n    \"belljar\": {\n      \"command\": \"/opt/bell jar/belljar\",\n      \"args\": [\n        \"mcp\",\n        \"start\"\n      ],\n      \"env\": {}\n    }\n  }\n}\n"},
		{"VS Code's key and type", "vscode", "{\"inputs\": []}",
			"{\"inputs\": [],\n  \"servers\": {\n    \"belljar\": {\n      \"type\": \"stdio\",\n      \"command\": \"/opt/bell jar/belljar\",\n      \"args\": [\n        \"mcp\",\n        \"start\"\n      ],\n      \"env\": {}\n    }\n  }\n}"},
	} {
		client := find(t, c.client)
		got, err := client.Add([]byte(c.old), server)
		if err != nil || string(got) != c.want {
			t.Errorf("%s: %v\n%s\nwant\n%s", c.name, err, got, c.want)
			continue
		}
		if again, err := client.Add(got, server); err != nil || string(again) != string(got) {
			t.Errorf("%s, again: %v\n%s", c.name, err, again)
		}
	}
}

func TestAddReplacesAnOldEntry(t *testing.T) {
	old := strings.Replace(fresh, "/opt/bell jar/belljar", "/old/belljar", 1)
	got, err := find(t, "cursor").Add([]byte(old), server)
	if err != nil || strings.Contains(string(got), "/old/") || strings.Count(string(got), "belljar\"") != 2 {
		t.Errorf("%v\n%s", err, got)
	}
}

func TestRemove(t *testing.T) {
	client := find(t, "cursor")
	const others = "{\n  // kept\n  \"mcpServers\": {\n    \"x\": {}\n  }\n}\n"
	added, err := client.Add([]byte(others), server)
	if err != nil {
		t.Fatal(err)
	}
	got, err := client.Remove(added, "belljar")
	if err != nil || strings.Contains(string(got), "belljar") || !strings.Contains(string(got), "// kept") || !strings.Contains(string(got), `"x"`) {
		t.Errorf("%v\n%s", err, got)
	}
	for _, old := range []string{"", others, "{}"} {
		if got, err := client.Remove([]byte(old), "belljar"); err != nil || string(got) != old {
			t.Errorf("%q: %q, %v", old, got, err)
		}
	}
}

func TestFilesThatAreNoLists(t *testing.T) {
	client := find(t, "cursor")
	for _, old := range []string{"{", "[]", "nonsense", `{"mcpServers": []}`, `{"mcpServers": {}} {}`} {
		if got, err := client.Add([]byte(old), server); err == nil {
			t.Errorf("%q became %q", old, got)
		}
	}
}

func TestEdit(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "deep", "er", "mcp.json")
	set := func(text string) func([]byte) ([]byte, error) {
		return func([]byte) ([]byte, error) { return []byte(text), nil }
	}
	for _, c := range []struct {
		text    string
		changed bool
	}{{"one", true}, {"one", false}, {"two", true}} {
		if changed, err := Edit(name, set(c.text)); err != nil || changed != c.changed {
			t.Errorf("%s: %v, %v", c.text, changed, err)
		}
	}
	for file, want := range map[string]string{name: "two", name + ".bak": "one"} {
		if got, err := os.ReadFile(file); err != nil || string(got) != want {
			t.Errorf("%s: %q, %v", file, got, err)
		}
	}
	if entries, _ := os.ReadDir(filepath.Dir(name)); len(entries) != 2 {
		t.Errorf("left behind: %v", entries)
	}
	refusal := errors.New("no")
	if _, err := Edit(name, func([]byte) ([]byte, error) { return nil, refusal }); !errors.Is(err, refusal) {
		t.Errorf("refused: %v", err)
	}
	link := filepath.Join(dir, "link")
	if err := os.Symlink(name, link); err != nil {
		t.Skip("no symbolic links here")
	}
	if _, err := Edit(link, set("three")); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Lstat(link); err != nil || info.Mode().Type() != os.ModeSymlink {
		t.Errorf("the link was replaced: %v", err)
	}
	if got, _ := os.ReadFile(name); string(got) != "three" {
		t.Errorf("behind the link: %q", got)
	}
}
