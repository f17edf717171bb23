package python_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/belljar-dev/belljar/engine"
)

// A program reaches what its sandbox's Network lists, by number and by name, and nothing else; it has authorities to
// trust.
func TestNetwork(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "served") }))
	defer server.Close()
	address := strings.TrimPrefix(server.URL, "http://")
	_, port, _ := strings.Cut(address, ":")
	for _, c := range []struct{ allow, code, want string }{
		{address, "print(urllib.request.urlopen('http://" + address + "/', timeout=20).read())", "b'served'\n"},
		{"localhost:" + port, "print(urllib.request.urlopen('http://localhost:" + port + "/', timeout=20).read())", "b'served'\n"},
		{"*", "print(fails(lambda: socket.create_connection(('127.0.0.1', " + port + "), 20)))", "ConnectionRefusedError\n"},
		{"*", "print(fails(lambda: socket.create_connection(('10.0.0.1', 80), 20)))", "PermissionError\n"},
		{"example.com:443", "print(fails(lambda: socket.getaddrinfo('example.org', 443)))", "gaierror\n"},
		{"", "print(fails(lambda: socket.create_connection(('93.184.216.34', 80), 20)))", "PermissionError\n"},
		{"", "print(len(ssl.create_default_context().get_ca_certs()) > 50)", "True\n"},
	} {
		spec := engine.Spec{}
		if c.allow != "" {
			spec.Network.Dial = []string{c.allow}
		}
		sb := sandbox(t, spec)
		res, err := sb.Eval(t.Context(), "python", `import socket, ssl, urllib.request
def fails(f):
    try: f()
    except OSError as e: return type(e).__name__
`+c.code)
		if err != nil || res.Stdout != c.want {
			t.Errorf("allowed %q: %q, %q, %v", c.allow, res.Stdout, res.Stderr, err)
		}
	}
}
