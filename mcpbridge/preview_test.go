package mcpbridge

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"github.com/belljar-dev/belljar/engine"
)

// web8000 is a web server, as a guest's would be.
func web8000(_ context.Context, c *engine.Call) int {
	l, err := c.Listen(netip.MustParseAddrPort("127.0.0.1:8000"))
	if err != nil {
		return 1
	}
	_ = http.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { // ends with the process
		_, _ = io.WriteString(w, "page "+r.URL.RequestURI())
	}))
	return 0
}

// A web server that runs in the background is seen through its link, by name and by path, and by no other one.
func TestPreview(t *testing.T) {
	later := http.NewServeMux()
	s := httptest.NewServer(later)
	defer s.Close()
	addr := strings.TrimPrefix(s.URL, "http://")
	b := newBridge(t, Config{PreviewAddr: addr}, engine.Program{Path: "/usr/bin/web", Func: web8000})
	later.Handle("/", b.Previews())
	c := connect(t, b)
	if a := c.tool("preview", `{"port": 8000}`); !a.IsError || !strings.Contains(a.text(), "nothing listens on port 8000") {
		t.Errorf("%+v", a)
	}
	if a := c.tool("preview", `{"port": 70000}`); !a.IsError {
		t.Errorf("%+v", a)
	}
	started := c.tool("run_command", `{"command": "web", "background": true}`)
	a := c.tool("preview", `{"port": 8000}`)
	if a.IsError {
		t.Fatalf("%+v: %+v", a, c.tool("process", `{"action": "output", "pid": `+asJSON(started.Structured["pid"])+`}`))
	}
	get := func(url, host string) (int, string) {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Host = host
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		text, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		return res.StatusCode, string(text)
	}
	link, _ := a.Structured["url"].(string)
	host := strings.TrimSuffix(strings.TrimPrefix(link, "http://"), "/")
	secret, _, _ := strings.Cut(host, ".")
	if status, text := get(s.URL+"/a/b?c=d", host); status != 200 || text != "page /a/b?c=d" {
		t.Errorf("by name: %d %q", status, text)
	}
	if status, text := get(s.URL+"/"+secret+"/a", addr); status != 200 || text != "page /a" {
		t.Errorf("by path: %d %q", status, text)
	}
	for _, wrong := range []string{"", "default", strings.Repeat("a", len(secret))} {
		if status, _ := get(s.URL+"/", wrong+".localhost"); status != 404 {
			t.Errorf("%q: %d", wrong, status)
		}
	}
	if again := c.tool("preview", `{"port": 8000}`); again.Structured["url"] != link {
		t.Errorf("another link: %v", again.Structured)
	}
	c.tool("process", `{"action": "signal", "signal": "KILL", "pid": `+asJSON(started.Structured["pid"])+`}`)
	if status, text := get(s.URL+"/", host); status != 502 || !strings.Contains(text, "any more") {
		t.Errorf("after its end: %d %q", status, text)
	}
}

// asJSON is a value as JSON has it.
func asJSON(v any) string {
	b, _ := json.Marshal(v)
	return string(b)
}
