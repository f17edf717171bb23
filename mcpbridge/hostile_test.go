package mcpbridge

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/belljar-dev/belljar/engine"
	"github.com/belljar-dev/belljar/runtimes/python"
)

// filler is n bytes of a message without an end.
type filler struct{ n int }

func (f *filler) Read(p []byte) (int, error) {
	if f.n <= 0 {
		return 0, io.EOF
	}
	k := min(len(p), f.n)
	for i := range p[:k] {
		p[i] = 'x'
	}
	f.n -= k
	return k, nil
}

func TestHugeMessagesAreRefused(t *testing.T) {
	const huge = 100 << 20
	b := newBridge(t, Config{})
	c := connect(t, b)
	for range 2 {
		if _, err := io.Copy(c.in, io.MultiReader(strings.NewReader(`{"jsonrpc": "2.0", "id": 1, "method": "`), &filler{huge}, strings.NewReader("\"}\n"))); err != nil {
			t.Fatal(err)
		}
		if r := c.receive(); r.Error == nil || !strings.Contains(r.Error.Message, "up to") {
			t.Errorf("%+v", r)
		}
	}
	c.call("ping", "{}")

	s := httptest.NewServer(b.Handler([]Token{{Value: "one"}}))
	defer s.Close()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL, io.LimitReader(&filler{huge}, huge))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer one")
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	if err == nil { // else the server closed while the client still wrote
		defer res.Body.Close()
		if res.StatusCode != http.StatusRequestEntityTooLarge {
			t.Errorf("status %d", res.StatusCode)
		}
	}
	(&web{t: t, url: s.URL, token: "one"}).begin()
}

func TestFloodOfRequestsIsBounded(t *testing.T) {
	c := connect(t, newBridge(t, Config{}))
	go func() {
		for i := range maxRequests + 50 {
			fmt.Fprintf(c.in, `{"jsonrpc": "2.0", "id": "f%d", "method": "tools/call", "params": {"name": "run_command", "arguments": {"command": "sleep 2"}}}`+"\n", i)
		}
	}()
	refused := 0
	for range maxRequests + 50 {
		if r := c.receive(); r.Error != nil && strings.Contains(r.Error.Message, "under way") {
			refused++
		}
	}
	if refused == 0 {
		t.Error("nothing was refused")
	}
	if a := c.tool("run_command", `{"command": "echo after"}`); a.text() != "after\n" {
		t.Errorf("%q", a.text())
	}
}

func TestCallsAfterTheEnd(t *testing.T) {
	e, err := engine.New(engine.Config{Images: []engine.Image{python.Image()}})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	m := NewMemory(e, engine.Spec{})
	b := New(Config{Sandboxes: m})
	c := connect(t, b)
	c.tool("run_code", `{"code": "1"}`)
	if err := errors.Join(m.Close(), b.Close(), b.Close()); err != nil {
		t.Fatal(err)
	}
	for _, tool := range []string{`run_code`, `run_command`} {
		if a := c.tool(tool, `{"code": "1"}`); !a.IsError {
			t.Errorf("%s: %+v", tool, a)
		}
	}
}

// Sandboxes, sessions, subscriptions, previews and requests of one token are none of another's.
func TestClientsAreIsolated(t *testing.T) {
	b := newBridge(t, Config{})
	s := httptest.NewServer(b.Handler([]Token{{Value: "one"}, {Value: "two"}}))
	defer s.Close()
	one := (&web{t: t, url: s.URL, token: "one"}).begin()
	two := (&web{t: t, url: s.URL, token: "two"}).begin()
	one.tool("sandbox", `{"action": "create", "name": "secret"}`)
	one.tool("write_file", `{"sandbox": "secret", "path": "f", "content": "mine"}`)
	one.tool("sandbox", `{"action": "snapshot", "from": "secret", "name": "kept"}`)
	for _, tool := range []struct{ name, args string }{
		{"read_file", `{"sandbox": "secret", "path": "f"}`}, {"run_code", `{"sandbox": "secret", "code": "1"}`},
		{"sandbox", `{"action": "destroy", "name": "secret"}`}, {"sandbox", `{"action": "info", "name": "secret"}`},
		{"sandbox", `{"action": "restore", "from": "kept"}`}, {"sandbox", `{"action": "fork", "from": "secret", "name": "x"}`},
		{"process", `{"action": "list", "sandbox": "secret"}`}, {"download", `{"sandbox": "secret", "path": "f"}`},
		{"read_file", `{"sandbox": "` + Token{Value: "one"}.owner() + `secret", "path": "f"}`},
	} {
		if a := two.tool(tool.name, tool.args); !a.IsError || strings.Contains(a.text(), "mine") {
			t.Errorf("%s %s: %+v", tool.name, tool.args, a)
		}
	}
	if a := two.tool("sandbox", `{"action": "list"}`); strings.Contains(a.text(), "secret") {
		t.Errorf("%+v", a)
	}
	_, _, text := two.do("POST", `{"jsonrpc": "2.0", "id": 5, "method": "resources/read", "params": {"uri": "belljar://sandbox/secret/files/home/user/f"}}`)
	if !strings.Contains(text, "no such sandbox") {
		t.Errorf("resource: %s", text)
	}
	_, _, text = two.do("POST", `{"jsonrpc": "2.0", "id": 5, "method": "completion/complete", "params": {"ref": {"type": "ref/resource", "uri": "x"}, "argument": {"name": "id", "value": "s"}}}`)
	if strings.Contains(text, "secret") {
		t.Errorf("completion: %s", text)
	}
	stolen := &web{t: t, url: s.URL, token: "two", session: one.session}
	for _, method := range []string{"POST", "GET", "DELETE"} {
		if status, _, text := stolen.do(method, `{"jsonrpc": "2.0", "id": 3, "method": "tools/list"}`); status != http.StatusNotFound {
			t.Errorf("%s with another's session: %d: %s", method, status, text)
		}
	}
	if a := one.tool("read_file", `{"sandbox": "secret", "path": "f"}`); a.text() != "mine" {
		t.Errorf("afterwards: %+v", a)
	}
}

// tool calls a tool, whatever comes of it.
func (c *web) tool(name, args string) answer {
	c.t.Helper()
	_, _, text := c.do("POST", fmt.Sprintf(`{"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": {"name": %q, "arguments": %s}}`, name, args))
	return parseAnswer(c.t, text)
}

// A cancellation without a session, as of the version 2026-07-28, ends nobody's request.
func TestNobodyCancelsRequestsOfOthers(t *testing.T) {
	b := newBridge(t, Config{})
	s := httptest.NewServer(b.Handler([]Token{{Value: "one"}, {Value: "two"}}))
	defer s.Close()
	const meta = `"_meta": {"io.modelcontextprotocol/protocolVersion": "2026-07-28", "io.modelcontextprotocol/clientCapabilities": {}}`
	modern := func(token, method string) *web {
		return &web{t: t, url: s.URL, token: token, header: map[string]string{"Mcp-Protocol-Version": "2026-07-28", "Mcp-Method": method, "Mcp-Name": "run_command"}}
	}
	answered := make(chan string)
	go func() {
		_, _, text := modern("one", "tools/call").do("POST", `{"jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": {"name": "run_command", "arguments": {"command": "touch begun; sleep 1; echo whole"}, `+meta+`}}`)
		answered <- text
	}()
	one := (&web{t: t, url: s.URL, token: "one"}).begin()
	for one.tool("list_files", `{"glob": "begun"}`).text() == "(nothing)" {
	}
	modern("two", "notifications/cancelled").do("POST", `{"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 7, `+meta+`}}`)
	if text := <-answered; !strings.Contains(text, "whole") {
		t.Error(text)
	}
}

func TestSessionsAreBounded(t *testing.T) {
	b := newBridge(t, Config{})
	s := httptest.NewServer(b.Handler([]Token{{Value: "one"}, {Value: "two"}}))
	defer s.Close()
	other := (&web{t: t, url: s.URL, token: "two"}).begin()
	first := (&web{t: t, url: s.URL, token: "one"}).begin()
	last := first
	for range maxSessions {
		last = (&web{t: t, url: s.URL, token: "one"}).begin()
	}
	const list = `{"jsonrpc": "2.0", "id": 3, "method": "prompts/list"}`
	for _, c := range []struct {
		name string
		*web
		want int
	}{{"the first, used longest ago", first, 404}, {"the last", last, 200}, {"another token's", other, 200}} {
		if status, _, text := c.do("POST", list); status != c.want {
			t.Errorf("%s: %d, want %d: %s", c.name, status, c.want, text)
		}
	}
}

func TestSubscriptionsAreBounded(t *testing.T) {
	c := connect(t, newBridge(t, Config{}))
	for i := range maxSubscriptions + 1 {
		r := c.call("resources/subscribe", fmt.Sprintf(`{"uri": "belljar://sandbox/default/files/tmp/f%d"}`, i))
		if wantError := i >= maxSubscriptions; (r.Error != nil) != wantError {
			t.Fatalf("%d: %+v", i, r.Error)
		}
	}
	if r := c.call("resources/subscribe", fmt.Sprintf(`{"uri": "belljar://sandbox/default/files/%s"}`, strings.Repeat("x", 1<<20))); r.Error == nil || len(r.Error.Message) > 1000 {
		t.Errorf("%+v", r)
	}
	many := strings.Repeat(`"belljar://sandbox/default/usage",`, 100_000) + `"x"`
	r := c.call("subscriptions/listen", `{"notifications": {"resourceSubscriptions": [`+many+`]}, "_meta": {"io.modelcontextprotocol/protocolVersion": "2026-07-28", "io.modelcontextprotocol/clientCapabilities": {}}}`)
	if r.Error == nil || !strings.Contains(r.Error.Message, "64") {
		t.Errorf("%+v", r.Error)
	}
}

func TestSlowClientsAreLeft(t *testing.T) {
	if testing.Short() {
		t.Skip("it waits for a limit of 30 seconds")
	}
	s := httptest.NewServer(newBridge(t, Config{}).Handler([]Token{{Value: "one"}}))
	defer s.Close()
	conn, err := net.Dial("tcp", strings.TrimPrefix(s.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprint(conn, "POST /mcp HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer one\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n{")
	_ = conn.SetReadDeadline(time.Now().Add(bodyTimeout + 30*time.Second))
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal("it is still waited for:", err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusBadRequest {
		t.Errorf("status %d", res.StatusCode)
	}
}

// What a client names on the host lies in an allowed folder, or is not touched, whatever links there are.
func TestHostPathsStayInside(t *testing.T) {
	outside, inside := t.TempDir(), t.TempDir()
	if err := errors.Join(os.WriteFile(filepath.Join(outside, "secret"), []byte("secret"), 0o644), os.WriteFile(filepath.Join(inside, "ok"), []byte("fine"), 0o644),
		os.Symlink(outside, filepath.Join(inside, "dir")), os.Symlink(filepath.Join(outside, "secret"), filepath.Join(inside, "file"))); err != nil {
		t.Fatal(err)
	}
	c := connect(t, newBridge(t, Config{HostDirs: []string{inside}}))
	c.tool("run_command", `{"command": "echo x > f; ln -s /etc/passwd evil; mkdir d; ln -s ../../../up d/l; ln -s f good"}`)
	for _, path := range []string{"/etc/passwd", outside + "/secret", inside + "/../" + filepath.Base(outside) + "/secret", inside + "/dir/secret", "ok", inside + "x/ok", inside + "\x00/ok", ""} {
		for _, call := range []struct{ tool, args string }{{"upload", `{"host_path": %s, "path": "got"}`}, {"download", `{"path": "f", "host_path": %s}`}} {
			if call.tool == "download" && path == "" {
				continue // a link
			}
			if a := c.tool(call.tool, fmt.Sprintf(call.args, asJSON(path))); !a.IsError {
				t.Errorf("%s %q: %+v", call.tool, path, a)
			}
		}
	}
	for path, ok := range map[string]bool{"evil": true, "d": false, "good": true} {
		if a := c.tool("download", fmt.Sprintf(`{"path": %q, "host_path": %q}`, path, inside+"/down/"+path)); a.IsError == ok {
			t.Errorf("download %s: %+v", path, a)
		}
	}
	if content, err := os.ReadFile(filepath.Join(inside, "down/evil")); err != nil || !strings.Contains(string(content), "user") || strings.Contains(string(content), "daemon") {
		t.Errorf("a link of the sandbox leads in the sandbox: %q, %v", content, err)
	}
	if a := c.tool("upload", fmt.Sprintf(`{"host_path": %q, "path": "up"}`, inside)); a.IsError {
		t.Errorf("%+v", a)
	}
	if a := c.tool("read_file", `{"path": "up/file"}`); !a.IsError || strings.Contains(a.text(), "secret\n") { // it came as the link it is
		t.Errorf("%+v", a)
	}
	if content, err := os.ReadFile(filepath.Join(outside, "secret")); err != nil || string(content) != "secret" {
		t.Errorf("%q, %v", content, err)
	}
}

// Programs in the background end with the client that began them.
func TestEndOfTheClientEndsItsBackground(t *testing.T) {
	b := newBridge(t, Config{})
	c := connect(t, b)
	c.tool("run_command", `{"command": "while :; do :; done", "background": true}`)
	_ = c.in.Close()
	_, _ = io.Copy(io.Discard, c.out)
	if err := <-c.done; err != nil {
		t.Error(err)
	}
	c.done <- nil
	err := b.cfg.Sandboxes.Use(context.Background(), defaultSandbox, func(sb *engine.Sandbox) error {
		for end := time.Now().Add(10 * time.Second); sb.Running() > 0; {
			if time.Now().After(end) {
				return fmt.Errorf("%v run", sb.Processes())
			}
			time.Sleep(10 * time.Millisecond)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}
