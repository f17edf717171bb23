package web

import (
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/belljar-dev/belljar/engine"
)

func site(t *testing.T) *httptest.Server {
	mux := http.NewServeMux()
	mux.HandleFunc("/hello.txt", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "hello\n") })
	mux.HandleFunc("/moved", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/hello.txt", http.StatusFound) })
	mux.HandleFunc("/loop", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/loop", http.StatusFound) })
	mux.HandleFunc("/inside", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "http://169.254.169.254/latest/meta-data", http.StatusFound)
	})
	mux.HandleFunc("/echo", func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		fmt.Fprintf(w, "%s %s %s %s|%s", r.Method, r.URL.RawQuery, r.Header.Get("Content-Type"), r.Header.Get("X-A"), b)
		fmt.Fprintf(w, "|%s", r.Header.Get("Authorization"))
	})
	mux.HandleFunc("/big", func(w http.ResponseWriter, r *http.Request) {
		for range 1 << 10 {
			if _, err := w.Write(make([]byte, 1<<16)); err != nil {
				return
			}
		}
	})
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s
}

func TestPrograms(t *testing.T) {
	s := site(t)
	eng, err := engine.New(engine.Config{Images: []engine.Image{Image()}, NoCache: true})
	if err != nil {
		t.Fatal(err)
	}
	defer eng.Close()
	basic := "Basic " + base64.StdEncoding.EncodeToString([]byte("u:p"))
	for _, c := range []struct {
		args   string // U is the server
		status int
		stdout string
		stderr string // a part of it
		file   string // of the home folder, that has "hello\n"
	}{
		{"curl U/hello.txt", 0, "hello\n", "", ""},
		{"curl -sS U/hello.txt -o out", 0, "", "", "out"},
		{"curl -sSo out U/hello.txt", 0, "", "", "out"},
		{"curl -O U/hello.txt", 0, "", "", "hello.txt"},
		{"curl --create-dirs -o a/b/c U/hello.txt", 0, "", "", "a/b/c"},
		{"curl -s U/moved -w %{http_code}", 0, "<a href=\"/hello.txt\">Found</a>.\n\n302", "", ""},
		{"curl -sL U/moved -w %{http_code}", 0, "hello\n200", "", ""},
		{"curl -L --max-redirs 3 U/loop", 47, "", "curl: (47)", ""},
		{"curl -sf U/none", 22, "", "", ""},
		{"curl -fsS U/none", 22, "", "curl: (22) The requested URL returned error: 404", ""},
		{"curl -s U/none", 0, "404 page not found\n", "", ""},
		{"curl -d a=1 -d b=2 U/echo", 0, "POST  application/x-www-form-urlencoded |a=1&b=2|", "", ""},
		{"curl -G -d a=1 U/echo", 0, "GET a=1  ||", "", ""},
		{"curl --json {\"a\":1} U/echo", 0, "POST  application/json |{\"a\":1}|", "", ""},
		{"curl -X DELETE -H X-A:yes U/echo", 0, "DELETE   yes||", "", ""},
		{"curl -u u:p U/echo", 0, "GET   ||" + basic, "", ""},
		{"curl --data-urlencode a=b&c U/echo", 0, "POST  application/x-www-form-urlencoded |a=b%26c|", "", ""},
		{"curl --frobnicate U/echo", 2, "", "not supported here", ""},
		{"curl", 2, "", "no URL", ""},
		{"curl ftp://x/y", 1, "", "not supported", ""},
		{"curl http://example.com/", 7, "", "network policy", ""},
		{"curl -L U/inside", 7, "", "network policy", ""},
		{"wget -q U/hello.txt", 0, "", "", "hello.txt"},
		{"wget -qO- U/moved", 0, "hello\n", "", ""},
		{"wget --output-document=out U/hello.txt", 0, "", "saved", "out"},
		{"wget U/none", 8, "", "ERROR 404: Not Found.", ""},
		{"wget http://example.com/", 4, "", "network policy", ""},
		{"wget -P sub U/hello.txt", 0, "", "", "sub/hello.txt"},
	} {
		t.Run(c.args, func(t *testing.T) {
			sb, err := eng.Create(t.Context(), engine.Spec{Network: engine.Network{Dial: []string{strings.TrimPrefix(s.URL, "http://")}}})
			if err != nil {
				t.Fatal(err)
			}
			defer sb.Close()
			args := strings.Fields(strings.ReplaceAll(c.args, "U/", s.URL+"/"))
			res, err := sb.Run(t.Context(), engine.Command{Args: args, Dir: "/home/user"})
			if err != nil || res.ExitCode != c.status || res.Stdout != c.stdout || !strings.Contains(res.Stderr, c.stderr) {
				t.Errorf("%d, %q, %q, %v", res.ExitCode, res.Stdout, res.Stderr, err)
			}
			if c.file != "" {
				if b, err := sb.Files().ReadFile("/home/user/" + c.file); string(b) != "hello\n" {
					t.Errorf("%q, %v", b, err)
				}
			}
		})
	}
}

// What is fetched counts against the quota, and what is written against the limit of output.
func TestBounds(t *testing.T) {
	s := site(t)
	eng, err := engine.New(engine.Config{Images: []engine.Image{Image()}, NoCache: true})
	if err != nil {
		t.Fatal(err)
	}
	defer eng.Close()
	sb, err := eng.Create(t.Context(), engine.Spec{
		Limits:  engine.Limits{Disk: 1 << 20},
		Network: engine.Network{Dial: []string{strings.TrimPrefix(s.URL, "http://")}},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer sb.Close()
	res, err := sb.Run(t.Context(), engine.Command{Args: []string{"curl", "-sSo", "/tmp/x", s.URL + "/big"}})
	if err != nil || res.ExitCode != 23 {
		t.Errorf("%d, %q, %v", res.ExitCode, res.Stderr, err)
	}
	if _, err := sb.Run(t.Context(), engine.Command{Args: []string{"curl", "-s", s.URL + "/big"}}); err == nil {
		t.Error("64 MiB of output are within the limit")
	}
}
