package git

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/cgi"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/belljar-dev/belljar/engine"
)

// server is a git server over HTTP, by the machine's git.
type server struct {
	*httptest.Server
	root string
}

func newServer(t testing.TB, wrap func(http.Handler) http.Handler) *server {
	t.Helper()
	out, err := exec.Command("git", "--exec-path").Output()
	if err != nil {
		t.Skipf("no git to serve with: %v", err)
	}
	root := t.TempDir()
	var h http.Handler = &cgi.Handler{
		Path: filepath.Join(strings.TrimSpace(string(out)), "git-http-backend"),
		Env: []string{"GIT_PROJECT_ROOT=" + root, "GIT_HTTP_EXPORT_ALL=1", "REMOTE_USER=tester", "GIT_CONFIG_COUNT=2",
			"GIT_CONFIG_KEY_0=safe.directory", "GIT_CONFIG_VALUE_0=*", "GIT_CONFIG_KEY_1=uploadpack.allowFilter", "GIT_CONFIG_VALUE_1=true"},
		InheritEnv: []string{"PATH"},
	}
	h = whole(h)
	if wrap != nil {
		h = wrap(h)
	}
	s := &server{httptest.NewServer(h), root}
	t.Cleanup(s.Close)
	native := exec.Command("bash", "-ec", "export HOME=$PWD; "+testdata(t, "prelude.sh")+testdata(t, "base.sh")+"git -C ../remote.git config http.receivepack true")
	native.Dir = root
	if out, err := native.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return s
}

// whole gives a handler requests with a length: net/http/cgi has no chunks.
func whole(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		r.Body, r.ContentLength, r.TransferEncoding = io.NopCloser(bytes.NewReader(body)), int64(len(body)), nil
		h.ServeHTTP(w, r)
	})
}

func (s *server) port() string {
	_, port, _ := net.SplitHostPort(s.Listener.Addr().String())
	return port
}

// git runs the machine's git in the served repository.
func (s *server) git(t testing.TB, args ...string) string {
	t.Helper()
	out, err := exec.Command("git", append([]string{"-c", "safe.directory=*", "-C", filepath.Join(s.root, "remote.git")}, args...)...).CombinedOutput()
	if err != nil {
		t.Fatalf("git %v: %v\n%s", args, err, out)
	}
	return strings.TrimSpace(string(out))
}

// guest runs a script in a sandbox that may reach the server, where $URL is the repository.
func guest(t *testing.T, s *server, cfg Config, script string) engine.Result {
	t.Helper()
	return guestWith(t, s, cfg, nil, script)
}

// guestWith is guest where the host has added to the sandbox's file of authorities.
func guestWith(t *testing.T, s *server, cfg Config, roots []byte, script string) engine.Result {
	t.Helper()
	sb, err := newEngine(t, cfg).Create(t.Context(), engine.Spec{
		Network: engine.Network{Dial: []string{"127.0.0.1:" + s.port()}}, Env: []string{"URL=" + s.URL + "/remote.git", "HOST=" + s.URL},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer sb.Close()
	if roots != nil {
		if err := sb.Files().WriteFile(rootsFile, append(slices.Clone(engine.Authorities()), roots...), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	r, err := sb.Run(t.Context(), engine.Command{Args: []string{"bash", "-c", testdata(t, "prelude.sh") + script}})
	if err != nil {
		t.Fatalf("%v\n%s", err, r.Stderr)
	}
	t.Logf("%s\n--\n%s", r.Stdout, r.Stderr)
	return r
}

func TestHTTP(t *testing.T) {
	s := newServer(t, nil)
	main := s.git(t, "rev-parse", "main")
	r := guest(t, s, Config{}, `
for v in 0 1 2; do git -c protocol.version=$v clone -q $URL c$v && git -C c$v rev-parse HEAD && git -C c$v fsck; done
cd c2
git ls-remote --heads $URL | wc -l
git commit -q --allow-empty -m pushed
git push -q origin HEAD:refs/heads/new
git push -q origin :topic
git push origin origin/conflict:main 2>&1 | head -2 | tail -1 | cut -c 1-12
git -c protocol.version=0 fetch -q --all && git log -1 --format=%s origin/new
head -c 3000000 /dev/urandom >big; git add .; git commit -qm big; git push -q origin HEAD:refs/heads/big
cd ..
git clone -q --depth 1 $URL d && git -C d rev-list --count HEAD && git -C d fetch -q --unshallow && git -C d rev-list --count HEAD
git clone -q --filter=blob:none $URL p && git -C p cat-file -p HEAD:src/b.c | head -1
git clone -q $URL/no
git clone -q http://192.0.2.1/x`)
	want := strings.Repeat(main+"\n", 3) + "3\n ! [rejected\npushed\n1\n10\nint main(void)\n[128]\n[128]\n"
	if string(r.Stdout) != want {
		t.Errorf("got\n%s\nwant\n%s", r.Stdout, want)
	}
	for _, says := range []string{"repository '" + s.URL + "/remote.git/no/' not found", "network policy"} {
		if !strings.Contains(string(r.Stderr), says) {
			t.Errorf("not said: %q", says)
		}
	}
	for branch, subject := range map[string]string{"new": "pushed", "big": "big"} {
		if got := s.git(t, "log", "-1", "--format=%s", branch); got != subject {
			t.Errorf("the server's branch %s is at %q", branch, got)
		}
	}
	s.git(t, "fsck", "--strict")
}

// guarded asks for a user and a password.
func guarded(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if user, password, _ := r.BasicAuth(); user != "me" || password != "s3cret" {
			w.Header().Set("WWW-Authenticate", `Basic realm="git"`)
			http.Error(w, "who?", http.StatusUnauthorized)
			return
		}
		h.ServeHTTP(w, r)
	})
}

func TestCredentials(t *testing.T) {
	s := newServer(t, guarded)
	held := Config{Credentials: func(_ context.Context, scheme, host string) (string, string, bool) {
		return "me", "s3cret", scheme == "http" && host == s.Listener.Addr().String()
	}}
	r := guest(t, s, held, `git clone -q $URL c && cd c && git commit -q --allow-empty -m x && git push -q origin HEAD:held
grep -r s3cret ~; env | grep s3cret; git config -l | grep s3cret; GIT_TRACE=1 GIT_TRACE_PACKET=1 GIT_CURL_VERBOSE=1 git ls-remote 2>&1 | grep -e s3cret -e bWU6`)
	if strings.Contains(string(r.Stdout)+string(r.Stderr), "s3cret") || strings.Contains(string(r.Stdout), "bWU6") {
		t.Error("the password is in the sandbox")
	}
	if got := s.git(t, "log", "-1", "--format=%s", "held"); got != "x" {
		t.Errorf("pushed %q", got)
	}
	for _, c := range []struct {
		script string
		roots  []byte
	}{{"git -c http.sslVerify=false clone -q $URL c", nil}, {"git clone -q $URL c", []byte("\n")}} {
		r = guestWith(t, s, held, c.roots, c.script)
		if !strings.Contains(string(r.Stderr), "could not read Username") {
			t.Errorf("the host's credentials were used where the sandbox trusts others (%q): %s", c.roots, r.Stderr)
		}
	}
	r = guest(t, s, Config{}, `git clone -q $URL c
printf '#!/bin/sh\ncase $1 in Username*) echo me;; *) echo s3cret;; esac\n' >ask; chmod +x ask
GIT_ASKPASS=./ask git clone -q $URL d; echo $?
git config --global credential.helper store
GIT_ASKPASS=$PWD/ask git clone -q $URL g; git clone -q $URL h; echo $?; cut -c 1-16 .git-credentials
git clone -q http://me:s3cret@${URL#http://} e; echo $?
git clone -q http://me:wrong@${URL#http://} f; echo $?`)
	if got, want := string(r.Stdout), "[128]\n0\n0\nhttp://me:s3cret\n0\n[128]\n128\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestOtherTransports has a server in the sandbox, by git's own protocol, and asks for what there is not.
func TestOtherTransports(t *testing.T) {
	sb, err := newEngine(t, Config{}).Create(t.Context(), engine.Spec{})
	if err != nil {
		t.Fatal(err)
	}
	defer sb.Close()
	r, err := sb.Run(t.Context(), engine.Command{Args: []string{"bash", "-c", testdata(t, "prelude.sh") + `
git init -q --bare p.git
git daemon --export-all --enable=receive-pack --base-path="$HOME" --listen=127.0.0.1 --reuseaddr &
until git ls-remote -q git://127.0.0.1/p.git 2>/dev/null; do sleep 0.05; done
git init -q w && cd w && git commit -q --allow-empty -m served && git push -q git://127.0.0.1/p.git HEAD:main
git clone -q git://127.0.0.1/p.git -b main ../c && git -C ../c log --format=%s
kill %1
cd ..
git clone -q git@example.com:a/b.git
git clone -q git://example.com/a/b.git`}})
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasSuffix(r.Stdout, "served\n[128]\n[128]\n") {
		t.Errorf("got %q\n%s", r.Stdout, r.Stderr)
	}
	if !strings.Contains(r.Stderr, "the sandbox's network policy does not allow it") || !strings.Contains(r.Stderr, "fatal: Could not read") {
		t.Errorf("of ssh: %s", r.Stderr)
	}
}
