package mcpbridge

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

// web speaks to a Bridge over HTTP.
type web struct {
	t          *testing.T
	url, token string
	session    string
	header     map[string]string
}

func serve(t *testing.T) string {
	t.Helper()
	s := httptest.NewServer(newBridge(t, Config{}).Handler([]Token{{Value: "one"}, {Value: "two"}, {Value: "old", Expires: time.Now().Add(-time.Hour)}}))
	t.Cleanup(s.Close)
	return s.URL
}

func (c *web) do(method, body string) (status int, header http.Header, text string) {
	c.t.Helper()
	req, err := http.NewRequestWithContext(c.t.Context(), method, c.url, strings.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "application/json, text/event-stream")
	if c.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	if c.session != "" {
		req.Header.Set("Mcp-Session-Id", c.session)
	}
	for k, v := range c.header {
		req.Header.Set(k, v)
	}
	if host := c.header["Host"]; host != "" {
		req.Host = host
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		c.t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	return res.StatusCode, res.Header, string(b)
}

const hello = `{"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}}}`

func (c *web) begin() *web {
	c.t.Helper()
	status, header, text := c.do("POST", hello)
	if c.session = header.Get("Mcp-Session-Id"); status != http.StatusOK || c.session == "" {
		c.t.Fatalf("%d, session %q: %s", status, c.session, text)
	}
	return c
}

// run runs code and answers what a model reads.
func (c *web) run(code string) string {
	c.t.Helper()
	args, err := json.Marshal(code)
	if err != nil {
		c.t.Fatal(err)
	}
	status, _, text := c.do("POST", fmt.Sprintf(`{"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": {"name": "run_code", "arguments": {"code": %s}}}`, args))
	if status != http.StatusOK {
		c.t.Fatalf("%d: %s", status, text)
	}
	return parseAnswer(c.t, text).text()
}

// parseAnswer reads a tool's answer, as JSON or as an event stream of one event.
func parseAnswer(t *testing.T, text string) answer {
	t.Helper()
	if i := strings.Index(text, "data: "); i >= 0 {
		text = text[i+len("data: "):]
	}
	var r struct{ Result answer }
	if err := json.Unmarshal([]byte(strings.TrimSpace(text)), &r); err != nil || len(r.Result.Content) == 0 {
		t.Fatalf("%s: %v", text, err)
	}
	return r.Result
}

func TestHTTPClientsOfOneTokenShareSandboxes(t *testing.T) {
	url := serve(t)
	a := (&web{t: t, url: url, token: "one"}).begin()
	b := (&web{t: t, url: url, token: "one"}).begin()
	other := (&web{t: t, url: url, token: "two"}).begin()
	a.run("open('f', 'w').write('x')")
	const look = "import os; os.path.exists('f')"
	if got := b.run(look); got != "True\n" {
		t.Errorf("the same token: %q", got)
	}
	if got := other.run(look); got != "False\n" {
		t.Errorf("another token: %q", got)
	}
}

func TestHTTPRefusals(t *testing.T) {
	url := serve(t)
	for _, c := range []struct {
		name, token string
		header      map[string]string
		want        int
	}{
		{"no token", "", nil, 401},
		{"a wrong token", "three", nil, 401},
		{"an empty token", " ", nil, 401},
		{"an expired token", "old", nil, 401},
		{"another scheme", "", map[string]string{"Authorization": "Basic one"}, 401},
		{"another site's page", "one", map[string]string{"Origin": "https://evil.example"}, 403},
		{"an opaque origin", "one", map[string]string{"Origin": "null"}, 403},
		{"a rebound name", "one", map[string]string{"Host": "evil.example"}, 403},
		{"a page of this machine", "one", map[string]string{"Origin": "http://localhost:3000"}, 200},
	} {
		w := &web{t: t, url: url, token: c.token, header: c.header}
		if status, _, text := w.do("POST", hello); status != c.want {
			t.Errorf("%s: %d, want %d: %s", c.name, status, c.want, text)
		}
	}
	w := (&web{t: t, url: url, token: "one"}).begin()
	if status, _, _ := w.do("POST", strings.Repeat(" ", maxMessage+1)); status != http.StatusRequestEntityTooLarge {
		t.Errorf("a message beyond the bound: %d", status)
	}
}

func TestHTTPSessionThatHasEndedIsUnknown(t *testing.T) {
	w := (&web{t: t, url: serve(t), token: "one"}).begin()
	const list = `{"jsonrpc": "2.0", "id": 3, "method": "tools/list"}`
	if status, _, text := w.do("POST", list); status != http.StatusOK {
		t.Fatalf("%d: %s", status, text)
	}
	if status, _, text := w.do("DELETE", ""); status != http.StatusOK {
		t.Errorf("DELETE: %d: %s", status, text)
	}
	if status, _, text := w.do("POST", list); status != http.StatusNotFound {
		t.Errorf("afterwards: %d: %s", status, text)
	}
	w.session = "made-up"
	if status, _, text := w.do("POST", list); status != http.StatusNotFound {
		t.Errorf("a made-up session: %d: %s", status, text)
	}
}

func TestManyHTTPClientsAtOnce(t *testing.T) {
	url := serve(t)
	var all sync.WaitGroup
	for range 10 {
		all.Go(func() {
			w := (&web{t: t, url: url, token: "one"})
			for range 5 {
				if status, _, text := w.do("POST", hello); status != http.StatusOK {
					t.Errorf("%d: %s", status, text)
				}
			}
		})
	}
	all.Wait()
}
