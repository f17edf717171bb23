package mcpbridge

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestBackgroundProgram(t *testing.T) {
	c := connect(t, newBridge(t, Config{}))
	a := c.tool("run_command", `{"command": "echo ready; while read l; do echo got $l; done; echo over; exit 3", "background": true, "stdin": "first\n"}`)
	pid := asJSON(a.Structured["pid"])
	if a.IsError || !strings.Contains(a.text(), "pid "+pid) {
		t.Fatalf("%+v", a)
	}
	call := func(args string) answer { return c.tool("process", fmt.Sprintf(args, pid)) }
	var out answer
	for end := time.Now().Add(20 * time.Second); !strings.Contains(out.textOr(), "got first"); {
		if out = call(`{"action": "output", "pid": %s}`); time.Now().After(end) {
			t.Fatalf("%+v", out)
		}
	}
	if list := c.tool("process", `{"action": "list"}`); !strings.Contains(list.text(), pid+"  ") {
		t.Errorf("%+v", list)
	}
	next := asJSON(out.Structured["next"])
	call(`{"action": "input", "pid": %s, "input": "second\n", "eof": true}`)
	if out = call(`{"action": "wait", "pid": %s, "since": ` + next + `}`); out.text() != "got second\nover\n[ended with exit code 3]\n" || out.Structured["exit_code"] != 3.0 {
		t.Errorf("%+v", out)
	}
	if a := call(`{"action": "input", "pid": %s, "input": "x"}`); !a.IsError {
		t.Errorf("input after the end: %+v", a)
	}
	if a := call(`{"action": "wait", "pid": %s, "timeout_s": -1}`); !a.IsError {
		t.Errorf("%+v", a)
	}

	a = c.tool("run_command", `{"command": "trap 'echo bye; exit 0' TERM; echo up; while :; do sleep 0.1; done", "background": true}`)
	pid = asJSON(a.Structured["pid"])
	for end := time.Now().Add(20 * time.Second); !strings.Contains(call(`{"action": "output", "pid": %s}`).text(), "up"); {
		if time.Now().After(end) {
			t.Fatal("it does not begin")
		}
	}
	call(`{"action": "signal", "pid": %s}`)
	if out = call(`{"action": "wait", "pid": %s}`); !strings.Contains(out.text(), "bye\n[ended with exit code 0]") {
		t.Errorf("%+v", out)
	}
	if a := call(`{"action": "wait", "pid": %s, "timeout_s": 0.01}`); a.IsError {
		t.Errorf("wait after the end: %+v", a)
	}
	c.tool("run_command", `{"command": "sleep 600", "background": true}`)
	if a := c.tool("sandbox", `{"action": "stop"}`); a.IsError {
		t.Errorf("%+v", a)
	}
	if a := c.tool("process", `{"action": "list"}`); a.text() != "(nothing runs)" {
		t.Errorf("%+v", a)
	}
}

// textOr is what a model reads, "" where nothing came yet.
func (a answer) textOr() string {
	if len(a.Content) == 0 {
		return ""
	}
	return a.text()
}

// Replay's sleeps take no time, so the command computes for longer than words about progress keep apart.
func TestProgressAndLog(t *testing.T) {
	c := connect(t, newBridge(t, Config{}))
	c.call("logging/setLevel", `{"level": "info"}`)
	c.send(`{"jsonrpc": "2.0", "id": "p", "method": "tools/call", "params": {"name": "run_command", "arguments": {"command": "echo one; for ((i = 0; i < 400000; i++)); do :; done; echo two"}, "_meta": {"progressToken": "tok"}}}`)
	var told []string
	for {
		line, err := c.out.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		told = append(told, line)
		if strings.Contains(line, `"id":"p"`) {
			break
		}
	}
	all := strings.Join(told, "")
	if len(told) < 3 || !strings.Contains(told[0], `"notifications/progress"`) || !strings.Contains(told[0], `"message":"one"`) ||
		!strings.Contains(told[len(told)-2], `"notifications/message"`) || !strings.Contains(told[len(told)-1], `"one\ntwo\n"`) {
		t.Error(all)
	}
}

// What was left out of a result is read whole, as the result says.
func TestLongOutputIsKeptWhole(t *testing.T) {
	c := connect(t, newBridge(t, Config{Output: 1000}))
	for i := range outputFiles + 2 {
		a := c.tool("run_command", `{"command": "seq 2000"}`)
		if len(a.Content) != 2 || a.Content[1].Type != "resource_link" {
			t.Fatalf("%+v", a)
		}
		if i == 0 {
			r := c.call("resources/read", fmt.Sprintf(`{"uri": %q}`, a.Content[1].URI))
			if !strings.Contains(string(r.Result), `\n1999\n2000\n`) || !strings.Contains(string(r.Result), `1\n2\n3\n`) {
				t.Errorf("%.300s", r.Result)
			}
		}
	}
	a := c.tool("list_files", `{"path": "/tmp/belljar-output"}`)
	if n := strings.Count(a.text(), "\n"); n != outputFiles {
		t.Errorf("%d files: %s", n, a.text())
	}
}

func TestSubscribedFilesAreTold(t *testing.T) {
	c := connect(t, newBridge(t, Config{}))
	const uri = "belljar://sandbox/default/files/home/user/f"
	if r := c.call("resources/subscribe", `{"uri": "`+uri+`"}`); r.Error != nil {
		t.Fatal(r.Error.Message)
	}
	for _, change := range []string{`echo 1 > f`, `echo 2 > g; mv g f`, `rm f`} {
		c.send(fmt.Sprintf(`{"jsonrpc": "2.0", "id": %q, "method": "tools/call", "params": {"name": "run_command", "arguments": {"command": %q}}}`, change, change))
		told, answered := false, false
		for !told || !answered {
			line, err := c.out.ReadString('\n')
			if err != nil {
				t.Fatal(err)
			}
			told = told || strings.Contains(line, "notifications/resources/updated") && strings.Contains(line, uri)
			answered = answered || strings.Contains(line, `"result"`)
		}
		time.Sleep(2 * subscriptionPause) // what is told late belongs to this change
		c.call("ping", "{}")
	}
	if r := c.call("resources/unsubscribe", `{"uri": "`+uri+`"}`); r.Error != nil {
		t.Error(r.Error.Message)
	}
	c.tool("write_file", `{"path": "f", "content": ""}`)
	time.Sleep(2 * subscriptionPause)
	c.send(`{"jsonrpc": "2.0", "id": "end", "method": "ping"}`)
	if r := c.receive(); r.ID != "end" {
		t.Error("told after the end")
	}
}

func TestSnapshotsAndNames(t *testing.T) {
	c := connect(t, newBridge(t, Config{MaxSandboxes: 3}))
	for _, step := range []struct {
		args, want string
		failed     bool
	}{
		{`{"action": "snapshot", "name": "s"}`, "kept snapshot s", false},
		{`{"action": "snapshot", "name": "s"}`, "destroy it, or take another name", true},
		{`{"action": "create", "name": "b"}`, "made sandbox b", false},
		{`{"action": "create", "name": "c"}`, "destroy one first", true},
		{`{"action": "restore", "name": "b", "from": "s"}`, "sandbox b is as snapshot s", false},
		{`{"action": "restore", "from": "lost"}`, "no snapshot", true},
		{`{"action": "list"}`, "b\ndefault\nsnapshots: s", false},
		{`{"action": "usage", "name": "b"}`, "ticks of work", false},
		{`{"action": "destroy", "name": "s"}`, "destroyed snapshot s", false},
		{`{"action": "destroy", "name": "b"}`, "destroyed sandbox b", false},
		{`{"action": "destroy", "name": "b"}`, "no such sandbox", true},
	} {
		if a := c.tool("sandbox", step.args); a.IsError != step.failed || !strings.Contains(a.text(), step.want) {
			t.Errorf("%s: %+v", step.args, a)
		}
	}
}

// Calls of one session that come at once wait for each other.
func TestCallsAtOnceTakeTurns(t *testing.T) {
	c := connect(t, newBridge(t, Config{}))
	const n = 20
	c.tool("run_code", `{"code": "n = 0"}`)
	for i := range n {
		c.send(fmt.Sprintf(`{"jsonrpc": "2.0", "id": "t%d", "method": "tools/call", "params": {"name": "run_code", "arguments": {"code": "n += 1"}}}`, i))
	}
	for range n {
		if r := c.receive(); r.Error != nil || strings.Contains(string(r.Result), `"isError":true`) {
			t.Errorf("%+v %s", r.Error, r.Result)
		}
	}
	if a := c.tool("run_code", `{"code": "n"}`); a.text() != "20\n" {
		t.Errorf("%q", a.text())
	}
}

// Git between two repositories of a sandbox, and that nothing beyond is reached.
func TestGitRemotes(t *testing.T) {
	c := connect(t, newBridge(t, Config{}))
	for _, step := range []struct {
		args, want string
		failed     bool
	}{
		{`{"action": "status"}`, "init makes one", true},
		{`{"action": "init", "repo": "a"}`, "init: done", false},
		{`{"action": "commit", "repo": "a", "message": "x"}`, "add first", true},
		{`{"action": "add", "repo": "a", "all": true}`, "add: done", false},
		{`{"action": "commit", "repo": "a", "message": "x", "author": "A <a@b.c>"}`, "committed", false},
		{`{"action": "clone", "url": "a", "repo": "b"}`, "clone: done", false},
		{`{"action": "log", "repo": "b"}`, " A  x\n", false},
		{`{"action": "checkout", "repo": "b", "name": "topic"}`, "checkout: done", false},
		{`{"action": "push", "repo": "b", "url": "origin", "rev": "topic"}`, "refs/heads/topic", false},
		{`{"action": "branch", "repo": "a"}`, "topic", false},
		{`{"action": "merge", "repo": "a", "rev": "topic"}`, "already up to date", false},
		{`{"action": "fetch", "repo": "b", "url": "https://example.com/x.git"}`, "", true},
		{`{"action": "clone", "url": "https://127.0.0.1/x.git", "repo": "c"}`, "", true},
		{`{"action": "commit", "repo": "a", "message": "x", "author": "nobody"}`, "use Name <email>", true},
	} {
		if step.want == "add: done" {
			c.tool("write_file", `{"path": "a/f", "content": "1"}`)
		}
		if a := c.tool("git", step.args); a.IsError != step.failed || !strings.Contains(a.text(), step.want) {
			t.Errorf("%s: %+v", step.args, a)
		}
	}
}
