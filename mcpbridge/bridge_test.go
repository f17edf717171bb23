package mcpbridge

import (
	"bufio"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/belljar-dev/belljar/engine"
	"github.com/belljar-dev/belljar/runtimes/python"
	"github.com/belljar-dev/belljar/runtimes/shell"
)

// client speaks to a Bridge over pipes, a line at a time, as clients do over standard input and output.
type client struct {
	t    *testing.T
	in   io.WriteCloser
	out  *bufio.Reader
	last int
	done chan error
}

func newBridge(t *testing.T, cfg Config, more ...engine.Program) *Bridge {
	t.Helper()
	image := engine.Compose("all", shell.Image(), python.Image())
	image.Programs = append(image.Programs, more...)
	return newBridgeOf(t, cfg, image)
}

// newBridgeOf makes a bridge to sandboxes of an image.
func newBridgeOf(t *testing.T, cfg Config, image engine.Image) *Bridge {
	t.Helper()
	e, err := engine.New(engine.Config{Images: []engine.Image{image}})
	if err != nil {
		t.Fatal(err)
	}
	m := NewMemory(e, engine.Spec{Replay: &engine.Replay{}})
	t.Cleanup(func() {
		if err := errors.Join(m.Close(), e.Close()); err != nil {
			t.Error(err)
		}
	})
	cfg.Sandboxes = m
	b := New(cfg)
	t.Cleanup(func() { _ = b.Close() }) // before m's
	return b
}

func connect(t *testing.T, b *Bridge) *client {
	t.Helper()
	c := connectRaw(t, b)
	c.call("initialize", `{"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}`)
	c.send(`{"jsonrpc": "2.0", "method": "notifications/initialized"}`)
	return c
}

// connectRaw connects and says nothing.
func connectRaw(t *testing.T, b *Bridge) *client {
	t.Helper()
	inR, inW := io.Pipe()
	outR, outW := io.Pipe()
	c := &client{t: t, in: inW, out: bufio.NewReader(outR), done: make(chan error, 1)}
	go func() { // ends with inW's end
		c.done <- b.Serve(context.Background(), inR, outW)
		_ = outW.Close()
	}()
	t.Cleanup(func() {
		_ = inW.Close()
		_, _ = io.Copy(io.Discard, outR)
		if err := <-c.done; err != nil {
			t.Error(err)
		}
	})
	return c
}

func (c *client) send(line string) {
	c.t.Helper()
	if _, err := io.WriteString(c.in, line+"\n"); err != nil {
		c.t.Fatal(err)
	}
}

type reply struct {
	ID     any             `json:"id"`
	Result json.RawMessage `json:"result"`
	Error  *struct {
		Code    int    `json:"code"`
		Message string `json:"message"`
	} `json:"error"`
}

func (c *client) receive() reply {
	c.t.Helper()
	line, err := c.out.ReadBytes('\n')
	if err != nil {
		c.t.Fatal(err)
	}
	var r reply
	if err := json.Unmarshal(line, &r); err != nil {
		c.t.Fatalf("%v: %s", err, line)
	}
	return r
}

func (c *client) call(method, params string) reply {
	c.t.Helper()
	c.last++
	c.send(fmt.Sprintf(`{"jsonrpc": "2.0", "id": %d, "method": %q, "params": %s}`, c.last, method, params))
	r := c.receive()
	for r.ID == nil && r.Error == nil {
		r = c.receive() // a notification
	}
	if r.ID != float64(c.last) {
		c.t.Fatalf("answer to %v, not to %d", r.ID, c.last)
	}
	return r
}

// answer is a tool's.
type answer struct {
	Content []struct {
		Type, Text, Data, MimeType, URI string
	} `json:"content"`
	Structured map[string]any `json:"structuredContent"`
	IsError    bool           `json:"isError"`
}

func (c *client) tool(name, args string) answer {
	c.t.Helper()
	r := c.call("tools/call", fmt.Sprintf(`{"name": %q, "arguments": %s}`, name, args))
	if r.Error != nil {
		return answer{IsError: true, Content: []struct{ Type, Text, Data, MimeType, URI string }{{Type: "text", Text: r.Error.Message}}}
	}
	var a answer
	if err := json.Unmarshal(r.Result, &a); err != nil {
		c.t.Fatal(err)
	}
	if len(a.Content) == 0 || a.Content[0].Type != "text" {
		c.t.Fatalf("%s %s: no text: %s", name, args, r.Result)
	}
	return a
}

// text is what a model reads.
func (a answer) text() string { return a.Content[0].Text }

func TestWholeTask(t *testing.T) {
	c := connect(t, newBridge(t, Config{}))
	for _, step := range []struct{ tool, args, want string }{
		{"run_code", `{"code": "x = 20\nx + 1"}`, "21\n"},
		{"run_code", `{"code": "print(x * 2 + 2)"}`, "42\n"},
		{"run_code", `{"code": "1/0"}`, "Traceback (most recent call last):\n  File \"<cell 3>\", line 1, in <module>\n    1/0\n    ~^~\nZeroDivisionError: division by zero\n"},
		{"write_file", `{"path": "lib/m.py", "content": "def f(n):\n    return n + 1\n"}`, "wrote 27 bytes to /home/user/lib/m.py"},
		{"run_command", `{"command": "cd lib && python3 -c 'import m; print(m.f(1), input())' | tr i I", "stdin": "in"}`, "2 In\n"},
		{"edit_file", `{"path": "lib/m.py", "edits": [{"old": "n + 1", "new": "n + 2"}]}`, "@@ line 2 @@\n def f(n):\n-    return n + 1\n+    return n + 2\n "},
		{"read_file", `{"path": "lib/m.py", "offset": -1}`, "    return n + 2\n\n[lines 2 to 2 of 2; offset and limit show others]"},
		{"search_files", `{"pattern": "N \\+ \\d", "ignore_case": true}`, "/home/user/lib/m.py:2:    return n + 2\n"},
		{"file_ops", `{"action": "delete", "path": "lib/__pycache__"}`, "delete: done"},
		{"list_files", `{"depth": 2}`, "/home/user/lib/\n/home/user/lib/m.py  27 bytes\n"},
		{"sandbox", `{"action": "fork", "name": "risky"}`, "made sandbox risky"},
		{"run_code", `{"code": "x += 1; import shutil; shutil.rmtree('lib'); x", "sandbox": "risky"}`, "21\n"},
		{"run_code", `{"code": "import os; x, os.listdir()"}`, "(20, ['lib'])\n"},
		{"sandbox", `{"action": "list"}`, "default\nrisky"},
		{"sandbox", `{"action": "destroy", "name": "risky"}`, "destroyed sandbox risky"},
		{"file_ops", `{"action": "move", "path": "lib/m.py", "to": "n.py"}`, "/home/user/n.py: file, 27 bytes, -rw-r--r--, modified 2000-01-01T00:00:00Z"},
		{"file_ops", `{"action": "copy", "path": ".", "to": "/tmp/all"}`, "/tmp/all: folder, 0 bytes, drwxr-xr-x, modified 2000-01-01T00:00:00Z"},
		{"list_files", `{"path": "/tmp/all", "depth": 3, "glob": "*.py"}`, "/tmp/all/n.py  27 bytes\n"},
		{"file_ops", `{"action": "delete", "path": "/tmp/all"}`, "delete: done"},
		{"run_code", `{"code": "x", "reset": true}`, "Traceback (most recent call last):\n  File \"<cell 1>\", line 1, in <module>\n    x\nNameError: name 'x' is not defined\n"},
	} {
		a := c.tool(step.tool, step.args)
		if a.IsError || a.text() != step.want {
			t.Errorf("%s %s:\n%q\nwant\n%q", step.tool, step.args, a.text(), step.want)
		}
		if a.Structured == nil {
			t.Errorf("%s %s: no structured content", step.tool, step.args)
		}
	}
}

func TestMistakesSayWhatToDo(t *testing.T) {
	c := connect(t, newBridge(t, Config{}))
	c.tool("write_file", `{"path": "f", "content": "a a"}`)
	for _, step := range []struct{ tool, args, want string }{
		{"run_code", `{"code": "1", "sandbox": "lost"}`, `use the tool "sandbox" with action "list"`},
		{"run_code", `{"code": "1", "sandbox": "../x"}`, "letters, digits"},
		{"run_code", `{"code": "1", "language": "cobol"}`, "use python"},
		{"run_code", `{"code": "1", "timeout_s": 100000}`, "up to 600"},
		{"run_code", `{"code": "while True: pass", "timeout_s": 0.2}`, "longer timeout_s"},
		{"run_code", `{"code": "import time; time.sleep(100)", "timeout_s": 0.2, "bogus": 1}`, ""},
		{"run_code", `{}`, "code"},
		{"run_command", `{"args": ["ls"]}`, "command"},
		{"run_command", `{"command": "ls", "cwd": "/lost"}`, "/lost"},
		{"run_command", `{"command": "while :; do :; done", "timeout_s": 0.3}`, "longer timeout_s"},
		{"read_file", `{"path": "lost"}`, "list_files shows"},
		{"read_file", `{"path": "/home"}`, "use list_files"},
		{"read_file", `{"path": "/dev/zero"}`, "not a regular file"},
		{"edit_file", `{"path": "f", "edits": [{"old": "a", "new": "b"}]}`, "2 times; give more of it, or all; nothing was changed"},
		{"edit_file", `{"path": "f", "edits": [{"old": "x", "new": "b"}]}`, "copy it exactly"},
		{"edit_file", `{"path": "f", "edits": []}`, "no edits"},
		{"write_file", `{"path": "f/g", "content": ""}`, "not a directory"},
		{"write_file", `{"path": "g", "content": "%", "base64": true}`, "not base64"},
		{"search_files", `{"pattern": "("}`, "missing closing"},
		{"list_files", `{"path": "f"}`, "not a folder"},
		{"list_files", `{"glob": "["}`, "syntax error"},
		{"file_ops", `{"action": "explode", "path": "f"}`, "use mkdir"},
		{"file_ops", `{"action": "move", "path": "f"}`, `needs "to"`},
		{"file_ops", `{"action": "delete", "path": "/"}`, "can't be deleted"},
		{"file_ops", `{"action": "copy", "path": "/home", "to": "/home/user/x"}`, "into itself"},
		{"file_ops", `{"action": "chmod", "path": "f", "mode": "rwx"}`, "octal"},
		{"sandbox", `{"action": "create", "name": "default"}`, "there is a sandbox of that name"},
		{"sandbox", `{"action": "create"}`, "letters, digits"},
		{"sandbox", `{"action": "destroy", "name": "lost"}`, "no such sandbox"},
		{"nothing", `{}`, "not found"},
	} {
		a := c.tool(step.tool, step.args)
		if !a.IsError || !strings.Contains(a.text(), step.want) {
			t.Errorf("%s %s: %t %q, want %q", step.tool, step.args, a.IsError, a.text(), step.want)
		}
	}
}

func TestPicturesAreSeen(t *testing.T) {
	c := connect(t, newBridge(t, Config{}))
	png := base64.StdEncoding.EncodeToString([]byte("\x89PNG\r\n\x1a\n and more"))
	code := fmt.Sprintf("import base64\nclass P:\n  def _repr_png_(self): return base64.b64decode('%s')\n  def __repr__(self): return 'a picture'\nP()", png)
	args, err := json.Marshal(map[string]string{"code": code})
	if err != nil {
		t.Fatal(err)
	}
	c.tool("write_file", fmt.Sprintf(`{"path": "p.png", "base64": true, "content": %q}`, png))
	for _, a := range []answer{c.tool("run_code", string(args)), c.tool("read_file", `{"path": "p.png"}`)} {
		if len(a.Content) != 2 || a.Content[1].Type != "image" || a.Content[1].Data != png || a.Content[1].MimeType != "image/png" {
			t.Errorf("%+v", a)
		}
	}
}

func TestLongOutputIsCutInTheMiddle(t *testing.T) {
	c := connect(t, newBridge(t, Config{Output: 100}))
	a := c.tool("run_code", `{"code": "print('a' * 500 + 'z' * 500)"}`)
	text := a.text()
	if !strings.HasPrefix(text, "aaaa") || !strings.HasSuffix(text, "zzzz\n") || !strings.Contains(text, "901 bytes left out") || a.Structured["truncated"] != true {
		t.Errorf("%q", text)
	}
}

// A client that goes leaves nothing running.
func TestEndOfTheClientEndsItsPrograms(t *testing.T) {
	b := newBridge(t, Config{})
	c := connect(t, b)
	c.send(`{"jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": {"name": "run_code", "arguments": {"code": "print(1)\nwhile True: pass", "timeout_s": 600}}}`)
	_ = c.in.Close()
	_, _ = io.Copy(io.Discard, c.out)
	if err := <-c.done; err != nil {
		t.Error(err)
	}
	c.done <- nil
}

func TestCancelledCallStopsTheGuest(t *testing.T) {
	c := connect(t, newBridge(t, Config{}))
	c.send(`{"jsonrpc": "2.0", "id": "slow", "method": "tools/call", "params": {"name": "run_code", "arguments": {"code": "open('started', 'w').close()\nwhile True: pass", "timeout_s": 600}}}`)
	for c.tool("list_files", `{"glob": "started"}`).text() == "(nothing)" {
	}
	c.send(`{"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": "slow"}}`)
	for !strings.Contains(c.untilAnswer(`{"code": "'free'"}`).text(), "free") { // until the guest has stopped
	}
}

// untilAnswer runs code, and passes over the answer to a cancelled call.
func (c *client) untilAnswer(args string) answer {
	c.t.Helper()
	c.last++
	c.send(fmt.Sprintf(`{"jsonrpc": "2.0", "id": %d, "method": "tools/call", "params": {"name": "run_code", "arguments": %s}}`, c.last, args))
	for {
		r := c.receive()
		if r.ID != float64(c.last) {
			continue
		}
		var a answer
		if r.Error != nil {
			c.t.Fatal(r.Error.Message)
		}
		if err := json.Unmarshal(r.Result, &a); err != nil {
			c.t.Fatal(err)
		}
		return a
	}
}

func TestToolsAreFewAndShort(t *testing.T) {
	c := connect(t, newBridge(t, Config{Languages: []string{"python", "js"}, Notes: strings.Repeat("n", 70)}))
	r := c.call("tools/list", `{}`)
	var list struct {
		Tools []struct {
			Name, Description         string
			InputSchema, OutputSchema map[string]any
			Annotations               map[string]any
		} `json:"tools"`
	}
	if err := json.Unmarshal(r.Result, &list); err != nil {
		t.Fatal(err)
	}
	const most = 12 << 10
	if len(list.Tools) > 16 || len(r.Result) > most {
		t.Errorf("%d tools in %d bytes", len(list.Tools), len(r.Result))
	}
	t.Logf("%d tools in %d bytes", len(list.Tools), len(r.Result))
	for _, tool := range list.Tools {
		if tool.Description == "" || tool.InputSchema == nil || tool.OutputSchema == nil || tool.Annotations["readOnlyHint"] == nil {
			t.Errorf("%+v", tool)
		}
	}
}

func TestMalformedMessages(t *testing.T) {
	c := connect(t, newBridge(t, Config{}))
	for _, line := range []string{"{", "[]", "null", `{"jsonrpc": "2.0", "id": 1, "method": "no/such"}`, `{"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": 3}`} {
		c.send(line)
		if r := c.receive(); r.Error == nil {
			t.Errorf("%s: %s", line, r.Result)
		}
	}
	if a := c.tool("run_code", `{"code": "'alive'"}`); a.text() != "'alive'\n" {
		t.Errorf("afterwards: %q", a.text())
	}
}

func TestAnswered(t *testing.T) {
	answered := make(chan struct{})
	b := newBridge(t, Config{Answered: func() { close(answered) }}) // twice would panic
	c := connectRaw(t, b)
	select {
	case <-answered:
		t.Fatal("nobody has asked")
	default:
	}
	c.call("initialize", `{"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}`)
	<-answered
	connect(t, b).call("tools/list", `{}`)
}
